"""One device on one task, and how errors depend on noise and bits, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike

from rchw.errors import DesignError
from rchw.plot.series import draw_errors
from rchw.plot.style import THEMES, settle, style
from rchw.plot.style import figure as blank

__all__ = ["comparison_figure", "emulation_figure"]

# One for each reservoir, told apart by light as well as by hue.
_LINES = ("#1f6feb", "#c4760a", "#1a7f4b", "#8b3fb8", "#b3261e", "#0f7c8a", "#66727f", "#8a6d00")
_MARKERS = "osD^vPX*"


def emulation_figure(
    states: ArrayLike,
    target: ArrayLike,
    prediction: ArrayLike,
    errors: Mapping[str, float],
    *,
    metric: str,
    unit: str,
    own: Sequence[str],
    samples: int = 150,
    shown: int = 10,
) -> Figure:
    """States, prediction and errors of one device, below each other.

    Parameters
    ----------
    states : array (T, N)
        Of the test samples; some of them are drawn, evenly spread over the units.
    target, prediction : array (T, L)
        Of which the first output is drawn.
    errors : mapping
        Label to error.
    metric, unit : str
        Of the errors, and of the readings.
    own : sequence of str
        Labels that are no floors.
    samples, shown : int
        Length of the window, and how many states.

    Raises
    ------
    DesignError
        If the window is empty.
    """
    values = np.asarray(states, dtype=np.float64)[:samples]
    if values.ndim != 2 or len(values) < 2:
        raise DesignError(f"window must hold at least 2 samples, not {len(values)}")
    chosen = np.unique(np.linspace(0, values.shape[1] - 1, shown).astype(int))
    times = np.arange(len(values))
    with style():
        figure = blank(9.0, 3.6 + 0.24 * len(chosen) + 0.27 * len(errors))
        heights = [0.24 * len(chosen) + 0.3, 2.2, 0.27 * len(errors) + 0.5]
        upper, middle, lower = figure.subplots(3, 1, height_ratios=heights)
        for lane, number in enumerate(chosen):
            x = values[:, number]
            span = float(np.ptp(x)) or 1.0
            upper.plot(times, 0.8 * (x - x.min()) / span - lane, color=THEMES["model"][0], lw=0.9)
        upper.set_yticks([0.4 - lane for lane in range(len(chosen))], [f"x{c}" for c in chosen])
        upper.tick_params(axis="y", length=0)
        upper.spines["left"].set_visible(False)
        upper.set_title(f"states as observed, each at a scale of its own ({unit})")
        wanted, found = (np.asarray(rows)[:samples, 0] for rows in (target, prediction))
        middle.plot(times, wanted, color=THEMES["truth"][0], lw=3.0, label="truth")
        middle.plot(times, found, color=THEMES["model"][0], lw=1.1, label="readout")
        middle.legend(loc="lower right", ncols=2, bbox_to_anchor=(1.0, 0.98))
        middle.grid(axis="y")
        middle.set_xlabel("test sample")
        for axes in (upper, middle):
            axes.set_xlim(times[0], times[-1])
        draw_errors(lower, errors, metric, dict.fromkeys(own, "model"))
        settle(figure)
    return figure


def comparison_figure(
    by_bits: Mapping[str, Sequence[float]],
    bits: Sequence[float],
    by_noise: Mapping[str, Sequence[float]],
    decibels: Sequence[float],
    *,
    metric: str,
    floors: Mapping[str, float],
    captions: tuple[str, str],
) -> Figure:
    """Error of each reservoir over the bits of the converter, and over the noise.

    Parameters
    ----------
    by_bits, by_noise : mapping
        Name of a reservoir to one error per number of bits, and per signal-to-noise ratio.
    bits, decibels : sequence of float
    metric : str
    floors : mapping
        Name to error, drawn as dashed lines.
    captions : (str, str)
        Of the two panels: what is held there.

    Raises
    ------
    DesignError
        If there is nothing to draw, or an error is negative or not finite.
    """
    curves = [value for table in (by_bits, by_noise) for row in table.values() for value in row]
    every = [*curves, *floors.values()]
    if not curves or not np.isfinite(every).all() or min(every) < 0:
        raise DesignError("errors must be finite, from 0, and at least one")
    positive = [value for value in curves if value > 0]
    high = max(every)
    log = bool(positive) and high > 10 * min(positive)
    # An error of 0 has no place on a logarithmic axis: it is drawn at its lower end. A floor far
    # below all curves would press them into a strip: it is named there, and has no line.
    least = min(positive) / 3 if log else 0.0
    with style():
        figure = blank(9.0, 4.4)
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, table, places, label in (
            (left, by_bits, bits, "bits of the converter"),
            (right, by_noise, decibels, "signal-to-noise ratio, dB"),
        ):
            for number, (name, errors) in enumerate(table.items()):
                shown = [max(error, least) for error in errors]
                marker = _MARKERS[(number + number // len(_LINES)) % len(_MARKERS)]
                colour = _LINES[number % len(_LINES)]
                axes.plot(places, shown, color=colour, marker=marker, lw=1.4, ms=4.5, label=name)
            for value in (floor for floor in floors.values() if floor >= least):
                axes.axhline(value, color=THEMES["floor"][0], lw=1, ls=(0, (4, 3)), zorder=1)
            axes.set_xlabel(label)
            axes.set_xticks(list(places))
            axes.grid(axis="y")
        if log:
            left.set_yscale("log")
            left.set_ylim(least / 1.3, 1.5 * high)
            left.yaxis.set_major_locator(
                LogLocator(subs=(1, 2, 5) if high < 100 * least else (1,), numticks=12)
            )
            left.yaxis.set_major_formatter("{x:g}")
            left.yaxis.set_minor_formatter(NullFormatter())
        for name, value in floors.items():
            place, words = max(value, least), name if value >= least else f"{name} (below)"
            right.text(1.02, place, words, transform=right.get_yaxis_transform(), va="center",
                       fontsize=7.5, color=THEMES["muted"][0])  # fmt: skip
        left.set_title(captions[0])
        right.set_title(captions[1])
        left.set_ylabel(f"{metric} on the test samples")
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
