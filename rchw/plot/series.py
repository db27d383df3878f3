"""Predictions, errors and searches, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from rchw.errors import DesignError
from rchw.plot.style import INK, RULE, THEMES, style
from rchw.plot.style import figure as blank

__all__ = ["draw_errors", "error_bars", "prediction_figure", "search_trace"]


def prediction_figure(
    target: ArrayLike,
    prediction: ArrayLike,
    *,
    output: int = 0,
    start: int = 0,
    samples: int = 300,
    ylabel: str = "",
    label: str = "prediction",
) -> Figure:
    """Prediction over truth, and the residual below at the same scale.

    Parameters
    ----------
    target, prediction : array (T,) or (T, L)
    output : int
        Which of the L is drawn.
    start, samples : int
        The window.
    ylabel, label : str

    Raises
    ------
    DesignError
        If the shapes differ, or the window is empty.
    """
    wanted, found = (
        np.asarray(series, dtype=np.float64).reshape(len(np.asarray(series)), -1)[:, output]
        for series in (target, prediction)
    )
    if wanted.shape != found.shape:
        raise DesignError(
            f"prediction must have the length of the target, {len(wanted)}, not {len(found)}"
        )
    window = slice(max(start, 0), max(start, 0) + samples)
    times = np.arange(len(wanted))[window]
    if len(times) < 2:
        raise DesignError(f"window must hold at least 2 of {len(wanted)} samples, not {len(times)}")
    with style():
        figure = blank(9.0, 3.9)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
        upper.plot(times, wanted[window], color=THEMES["truth"][0], lw=3.2, label="truth")
        upper.plot(times, found[window], color=THEMES["model"][0], lw=1.2, label=label)
        upper.set_ylabel(ylabel)
        upper.legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 0.98), borderaxespad=0.1)
        residual = found[window] - wanted[window]
        lower.axhline(0, color=RULE, lw=0.8)
        lower.fill_between(times, residual, color=THEMES["mark"][0], lw=0, step="mid")
        half = max(float(np.ptp(wanted[window])) / 6, float(np.abs(residual).max()) * 1.05, 1e-12)
        lower.set_ylim(-half, half)
        lower.set_ylabel("residual")
        lower.set_xlabel("test sample")
        lower.set_xlim(times[0], times[-1])
        for axes in (upper, lower):
            axes.grid(axis="y")
        figure.align_ylabels([upper, lower])
    return figure


def error_bars(
    errors: Mapping[str, float], *, metric: str = "NMSE", roles: Mapping[str, str] | None = None
) -> Figure:
    """One dot per predictor, on a logarithmic axis where they span more than a decade.

    Parameters
    ----------
    errors : mapping
        Label to error, drawn from top to bottom.
    metric : str
        Of the axis.
    roles : mapping, optional
        Label to a key of `THEMES`; ``floor`` where absent.

    Raises
    ------
    DesignError
        If there is nothing to draw or an error is negative or not finite.
    """
    with style():
        figure = blank(9.0, 0.6 + 0.3 * len(errors))
        draw_errors(figure.subplots(), errors, metric, roles or {})
    return figure


def draw_errors(
    axes: Axes, errors: Mapping[str, float], metric: str, roles: Mapping[str, str]
) -> None:
    """What `error_bars` draws, on axes that are there."""
    values = np.array([float(value) for value in errors.values()])
    if not values.size or not np.isfinite(values).all() or (values < 0).any():
        raise DesignError(f"errors must be finite, from 0, and at least one, not {dict(errors)}")
    colours = [THEMES[roles.get(label, "floor")][0] for label in errors]
    places = np.arange(len(values))[::-1]
    positive = values[values > 0]
    log = positive.size > 0 and values.max() > 10 * positive.min()
    left = 10 ** np.floor(np.log10(positive.min() * 0.7)) if log else 0.0
    if log:
        axes.set_xscale("log")
        axes.set_xlim(left, values.max() * 1.7)
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(0, max(values.max(), 1e-12) * 1.12)
    # Dots, not bars: on a logarithmic axis the length of a bar means nothing.
    axes.hlines(places, *axes.get_xlim(), color=RULE, lw=0.6)
    axes.scatter(np.maximum(values, left), places, s=62, color=colours, zorder=3, clip_on=False)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            f"{value:.4g}", (max(value, left), place), (8, 0), va="center", fontsize=8.5,
            textcoords="offset points",
        )  # fmt: skip
    axes.set_ylim(-0.7, len(values) - 0.4)
    axes.set_yticks(places, list(errors), color=INK)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"{metric} on the test samples (less is better)")
    axes.grid(axis="x")
    axes.set_axisbelow(True)


def search_trace(best: Sequence[float | None], *, metric: str = "NMSE") -> Figure:
    """Best validation error after each candidate of the search."""
    values = np.array([np.nan if value is None else value for value in best], dtype=np.float64)
    if not np.isfinite(values).any():
        raise DesignError("trace must hold a finite error, not none")
    with style():
        figure = blank(9.0, 2.0)
        axes = figure.subplots()
        numbers = np.arange(1, len(values) + 1)
        axes.step(numbers, values, where="post", color=THEMES["model"][0])
        axes.plot(numbers[-1], values[-1], "o", ms=4, color=THEMES["model"][0])
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:.3g}")
        axes.yaxis.set_minor_formatter("{x:.3g}")
        axes.set_xlabel("candidate")
        axes.set_ylabel(f"best validation {metric}")
        axes.grid(axis="y", which="both")
    return figure
