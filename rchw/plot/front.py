"""What a search has found: all designs as dots, those that no other beats as a line of steps."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.plot.style import INK, MUTED, THEMES, settle, style
from rchw.plot.style import figure as blank

__all__ = ["front_figure"]

# Of kinds of reservoirs, told apart by light as well as by hue, and by their marks.
_COLOURS = ("#1f6feb", "#c4760a", "#1a7f4b", "#8b3fb8", "#b3261e", "#0f7c8a", "#66727f", "#8a6d00",
            "#d0579a")  # fmt: skip
_MARKERS = "osD^vPX*h"
_SPAN = 30.0  # times the best error of a front: what is above has no place in the picture


def front_figure(
    points: Mapping[str, ArrayLike],
    fronts: Sequence[ArrayLike],
    tested: Sequence[ArrayLike],
    labels: Sequence[str],
    *,
    error: str,
    floors: Mapping[str, float],
) -> Figure:
    """Error against what it costs, in one panel for each cost.

    Parameters
    ----------
    points : mapping of str to array (D, 1 + C)
        Of every kind of reservoir: error of each design, and its C costs.
    fronts : sequence of C arrays (F, 2)
        Cost and error of the designs that no other beats in these two, by rising cost; rising
        errors say that more of it is better, as of a rate.
    tested : sequence of C arrays (M, 2)
        Cost and error on test samples of what was chosen; may be empty.
    labels : sequence of C str
        Of the costs.
    error : str
        What the errors are.
    floors : mapping
        Name to error on test samples, drawn as dashed lines.

    Raises
    ------
    DesignError
        If there is nothing to draw, or a value is not finite, or not above 0.
    """
    dots = {name: np.array(rows, dtype=np.float64) for name, rows in points.items()}
    lines = [np.array(rows, dtype=np.float64).reshape(-1, 2) for rows in fronts]
    marks = [np.array(rows, dtype=np.float64).reshape(-1, 2) for rows in tested]
    every = np.concatenate([rows.ravel() for rows in (*dots.values(), *lines, *marks)])
    if not lines or not lines[0].size or not np.isfinite(every).all() or (every < 0).any():
        raise DesignError("errors and costs must be finite, from 0, and of at least one design")
    errors = np.concatenate([rows[:, 1] for rows in lines])
    least = float(errors[errors > 0].min(initial=np.inf))
    if not np.isfinite(least):
        least = 1e-6
    shown = [value for value in floors.values() if np.isfinite(value) and value > 0]
    seen = np.concatenate([rows[:, 0] for rows in dots.values()])
    high = min(max(float(errors.max()), *shown, float(np.median(seen)), least) * 1.4, _SPAN * least)
    reached = [float(value) for rows in marks for value in rows[:, 1] if value > 0]
    low = min([least, *(value for value in shown if value > least / 4), *reached]) / 1.25
    # An error of 0 has no place on a logarithmic axis: it is drawn at its lower end.
    for rows in dots.values():
        rows[:, 0] = np.maximum(rows[:, 0], low)
    for rows in (*lines, *marks):
        rows[:, 1] = np.maximum(rows[:, 1], low)
    with style():
        figure = blank(max(7.6, 1.6 + 4.2 * len(lines)), 4.8)
        panels = np.atleast_1d(figure.subplots(1, len(lines), sharey=True))
        for number, (axes, label) in enumerate(zip(panels, labels, strict=True)):
            _panel(axes, dots, number, lines[number], marks[number], low, high)
            axes.set_xlabel(label)
            for value in shown:
                axes.axhline(value, color=THEMES["floor"][0], lw=1, ls=(0, (4, 3)), zorder=1)
        panels[0].set_ylabel(error)
        _name_floors(panels[-1], floors, low, high)
        handles, names = panels[0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4 if len(lines) < 3 else 6)
        settle(figure)
    return figure


def _panel(
    axes: Axes,
    dots: Mapping[str, NDArray[np.float64]],
    number: int,
    line: NDArray[np.float64],
    marks: NDArray[np.float64],
    low: float,
    high: float,
) -> None:
    """Draw one cost."""
    for place, (name, rows) in enumerate(dots.items()):
        axes.plot(
            rows[:, 1 + number], rows[:, 0], ls="none", marker=_MARKERS[place % len(_MARKERS)],
            color=_COLOURS[place % len(_COLOURS)], ms=3.2, mew=0, alpha=0.55, label=name, zorder=2,
        )  # fmt: skip
    inside = [rows[rows[:, 0] <= high, 1 + number] for rows in dots.values()]
    costs = np.concatenate([line[:, 0], *inside])
    wide = costs.min() > 0 and costs.max() > 8 * costs.min()
    end = float(costs.max()) * (1.15 if wide else 1.03)
    begin = float(costs.min()) / (1.15 if wide else 1.03)
    # Where error rises, more of the figure is better, and what is reached holds for all below it.
    rising = line[-1, 1] > line[0, 1]
    steps = np.vstack([[begin, line[0, 1]], line] if rising else [line, [end, line[-1, 1]]])
    axes.plot(steps[:, 0], steps[:, 1], color=INK, lw=1.3, label="front, validation", zorder=3,
              drawstyle="steps-pre" if rising else "steps-post")  # fmt: skip
    if marks.size:
        axes.plot(marks[:, 0], marks[:, 1], ls="none", marker="o", ms=6, mfc="none", mec=INK,
                  mew=1.0, label="its designs, test", zorder=4)  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    if wide:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=12))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(begin if wide or rising else None, end)
    axes.grid()


def _name_floors(axes: Axes, floors: Mapping[str, float], low: float, high: float) -> None:
    """Name the floors beside their lines, from the lowest up, so that no name covers another."""
    span, before = np.log(high / low), -1.0
    inside = {n: v for n, v in floors.items() if np.isfinite(v) and v > 0}
    for name, value in sorted(inside.items(), key=lambda pair: pair[1]):
        place = float(np.log(value / low) / span)
        words = name + (" (above)" if place > 1 else " (below)" if place < 0 else "")
        before = max(min(max(place, 0.0), 1.0), before + 0.042)
        axes.text(1.02, before, words, transform=axes.transAxes, va="center", fontsize=7.5,
                  color=MUTED)  # fmt: skip
