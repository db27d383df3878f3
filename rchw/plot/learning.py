"""A network that learns while it runs: its output beside the target, its errors, its weights."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.plot.style import THEMES, style
from rchw.plot.style import figure as blank

__all__ = ["learning_figure"]

Values = NDArray[np.float64]
_POINTS = 100  # of a curve of errors


def learning_figure(
    target: ArrayLike,
    output: ArrayLike,
    samples: ArrayLike,
    before: ArrayLike,
    after: ArrayLike,
    moves: ArrayLike,
    *,
    window: int = 480,
) -> Figure:
    """Where training begins, where it ends, and the run alone; below, errors and moves.

    Parameters
    ----------
    target, output : array (T,) or (T, 1)
        From the first sample of training to the last one of the run alone.
    samples : array (U,)
        Samples of the updates, from which on the network is left alone behind the last.
    before, after : array (U,) or (U, 1)
        Sizes of the errors before and after an update.
    moves : array (U,)
        Changes of the weights.
    window : int
        Samples in each of the upper plots.

    Raises
    ------
    DesignError
        If shapes do not fit, or a plot would have fewer than 2 samples.
    """
    wanted, found = (np.asarray(a, dtype=np.float64).reshape(-1) for a in (target, output))
    places = np.asarray(samples, dtype=np.int64)
    curves = [np.asarray(a, dtype=np.float64).reshape(-1) for a in (before, after, moves)]
    if wanted.shape != found.shape or any(curve.shape != places.shape for curve in curves):
        raise DesignError(
            f"target and output must have one length, and errors, moves and samples too, not "
            f"{len(wanted)}, {len(found)} and {[len(curve) for curve in curves]}, {len(places)}"
        )
    end = int(places[-1]) + 1 if len(places) else 0
    if min(end, len(wanted) - end, window) < 2:
        raise DesignError(
            f"training and run alone must have 2 samples or more, not {end} and "
            f"{len(wanted) - end} in windows of {window}"
        )
    parts = [
        ("training begins", 0, min(window, end)),
        ("training ends", max(end - window, 0), end),
        ("left alone", end, min(end + window, len(wanted))),
    ]
    with style():
        figure = blank(9.0, 5.2)
        panels: Any = figure.subfigures(2, 1, height_ratios=[1, 1.05])  # typed as one or an array
        upper, lower = panels
        axes = upper.subplots(1, 3, sharey=True)
        for axis, (title, first, last) in zip(axes, parts, strict=True):
            times = np.arange(first, last)
            axis.plot(times, wanted[first:last], color=THEMES["truth"][0], lw=3.0, label="target")
            axis.plot(times, found[first:last], color=THEMES["model"][0], lw=1.1, label="output")
            axis.set_title(title)
            axis.set_xlim(first, last)
            axis.locator_params(axis="x", nbins=4)
            axis.grid(axis="y")
        reach = float(np.abs(wanted).max())
        axes[0].set_ylim(-1.6 * reach, 1.6 * reach)
        axes[0].legend(loc="upper left", ncols=2, borderaxespad=0.1)
        errors, weights = lower.subplots(2, 1, sharex=True)
        middle, (first_curve, second_curve, move) = _averaged(places, curves)
        errors.plot(middle, first_curve, color=THEMES["mark"][0], label="error before updates")
        errors.plot(middle, second_curve, color=THEMES["good"][0], label="after them")
        weights.plot(middle, move, color=THEMES["model"][0], label="change of the weights")
        for axis in (errors, weights):
            axis.set_yscale("log")
            axis.grid(axis="y")
            axis.legend(loc="upper right", ncols=2, borderaxespad=0.1)
        weights.set_xlabel("sample of the training")
        weights.set_xlim(0, end)
        lower.align_ylabels([errors, weights])
    return figure


def _averaged(places: NDArray[np.int64], curves: list[Values]) -> tuple[Values, list[Values]]:
    """Root mean squares over at most `_POINTS` groups of neighbouring updates."""
    groups = np.array_split(np.arange(len(places)), min(_POINTS, len(places)))
    middle = np.array([places[group].mean() for group in groups])
    means = [np.array([np.sqrt(np.mean(c[g] ** 2)) for g in groups]) for c in curves]
    tiny = np.finfo(np.float64).tiny  # a logarithmic axis has no zero
    return middle, [np.maximum(mean, tiny) for mean in means]
