"""What a reservoir remembers and computes, and how fast its layers are, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from rchw.errors import DesignError
from rchw.plot.style import THEMES, settle, style
from rchw.plot.style import figure as blank

__all__ = ["metrics_figure"]

# Of degrees 1, 2, 3, ..., and of layers: light and hue both differ from one to the next.
_SHADES = ("#123f80", "#1f6feb", "#7fb0f5", "#c4760a", "#e3a13c", "#1a7f4b", "#8b3fb8", "#8a97a5")


def metrics_figure(
    delays: Sequence[int],
    memory: Sequence[float],
    chance: float,
    per_delay: Mapping[int, Sequence[float]],
    frequencies: Sequence[float],
    power: ArrayLike,
) -> Figure:
    """Memory function, processing capacity by delay and degree, and spectra of layers.

    Parameters
    ----------
    delays : sequence of int
        Of `memory`, the capacity of each, 0 to 1.
    memory : sequence of float
    chance : float
        What a capacity exceeds by chance alone.
    per_delay : mapping
        Degree to capacity by the longest delay of a target, from delay 0.
    frequencies : sequence of float
        Cycles per sample.
    power : array (L, F)
        One row per layer.

    Raises
    ------
    DesignError
        If lengths do not fit or there is nothing to draw.
    """
    layers = np.atleast_2d(np.asarray(power, dtype=np.float64))
    if not delays or len(delays) != len(memory) or not per_delay:
        raise DesignError(
            f"memory must have one capacity for each of one or more delays, and some degree be "
            f"given, not {len(memory)} for {len(delays)} and {len(per_delay)} degrees"
        )
    if layers.shape[1] != len(frequencies):
        raise DesignError(f"power must have {len(frequencies)} frequencies, not {layers.shape[1]}")
    with style():
        figure = blank(9.0, 6.4)
        grid = figure.add_gridspec(2, 2)
        upper = figure.add_subplot(grid[0, :])
        left, right = figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
        upper.axhline(chance, color=THEMES["floor"][0], lw=1, ls=(0, (4, 3)))
        upper.text(delays[-1], chance, "chance", ha="right", va="bottom", fontsize=7.5,
                   color=THEMES["muted"][0])  # fmt: skip
        upper.plot(delays, memory, color=THEMES["model"][0], marker="o", ms=2.6, lw=1.1)
        upper.set_ylim(-0.03, 1.03)
        upper.set_xlim(min(delays) - 0.5, max(delays) + 0.5)
        upper.set_title("memory: share of the input so many samples ago")
        upper.set_xlabel("delay, samples")
        _stacked(left, per_delay)
        for number, row in enumerate(layers):
            shade = _SHADES[number % len(_SHADES)]
            label = f"layer {number + 1}" if len(layers) > 1 else None
            share = row / row.sum()
            right.plot(frequencies[1:], share[1:], color=shade, lw=1.4, label=label)
        right.set_yscale("log")
        right.set_xlim(0, 0.5)
        right.set_title("spectrum of the states, as shares")
        right.set_xlabel("cycles per sample")
        if len(layers) > 1:
            right.legend(loc="best", fontsize=7.5)
        for axes in (upper, left, right):
            axes.grid(axis="y")
            axes.set_axisbelow(True)
        settle(figure)
    return figure


def _stacked(axes: Axes, per_delay: Mapping[int, Sequence[float]]) -> None:
    """Bars by delay, degree upon degree, as far as there is anything."""
    longest = max(len(row) for row in per_delay.values())
    below = np.zeros(longest)
    for number, (degree, row) in enumerate(sorted(per_delay.items())):
        height = np.zeros(longest)
        height[: len(row)] = row
        label = f"degree {degree}: {height.sum():.2f}"
        axes.bar(np.arange(longest), height, 0.85, below, color=_SHADES[number % 8], label=label)
        below += height
    filled = np.flatnonzero(below > 0)
    axes.set_xlim(-0.6, (int(filled[-1]) if filled.size else 0) + 0.6)
    axes.set_title("processing capacity by degree")
    axes.set_xlabel("longest delay of a target, samples")
    axes.legend(loc="upper right", fontsize=7.5)
