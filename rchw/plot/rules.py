"""What rules of adaptation do to a reservoir, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from rchw.errors import DesignError
from rchw.plot.style import INK, MUTED, RULE, THEMES, style
from rchw.plot.style import figure as blank

__all__ = ["histories_figure", "homeostasis_figure"]

_COLUMNS = 3
_SERIES = (("radius", "spectral radius", "model"), ("std", "deviation of states", "mark"))
_LINES = ("model", "mark", "ideal", "good")
_MARKERS = "osD^"


def histories_figure(histories: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """A small panel for every rule: spectral radius and deviation of states over the samples.

    Parameters
    ----------
    histories : mapping
        Name of a rule to arrays ``samples``, ``radius`` and ``std`` of one length, as
        `rchw.adapt.LayerHistory` has them.

    Raises
    ------
    DesignError
        If there is none, lengths differ, or a number is not above 0.
    """
    if not histories:
        raise DesignError("histories must be at least one, not none")
    rows = -(-len(histories) // _COLUMNS)
    with style():
        figure = blank(9.0, 0.5 + 1.55 * rows)
        grid = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
        for axes in grid.ravel()[len(histories) :]:
            axes.set_visible(False)
        for axes, (name, known) in zip(grid.ravel(), histories.items(), strict=False):
            samples = np.asarray(known["samples"], dtype=np.float64) / 1000
            for key, label, role in _SERIES:
                values = np.asarray(known[key], dtype=np.float64)
                if values.shape != samples.shape or not (0 < values).all():
                    raise DesignError(
                        f"{key} of {name} must be {samples.size} numbers above 0, not {values}"
                    )
                axes.plot(samples, values, color=THEMES[role][0], lw=1.6, label=label)
                axes.annotate(
                    f"{values[-1]:.2g}", (samples[-1], values[-1]), (4, 0), va="center",
                    textcoords="offset points", color=THEMES[role][0], fontsize=8,
                    annotation_clip=False,
                )  # fmt: skip
            axes.set_yscale("log")  # weights may grow a hundredfold
            axes.yaxis.set_major_formatter("{x:g}")
            axes.minorticks_off()
            axes.axhline(1, color=RULE, lw=0.8, zorder=0)
            axes.set_title(name, fontsize=9)
        for place in range(_COLUMNS):  # a panel with nothing below it tells its samples itself
            column = [axes for axes in grid[:, place] if axes.get_visible()]
            if column:
                column[-1].tick_params(labelbottom=True)
                column[-1].set_xlabel("1,000 samples")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
    return figure


def homeostasis_figure(targets: Sequence[float], reached: Mapping[str, Sequence[float]]) -> Figure:
    """Spectral radius that was reached over the one that was asked for, one line for each case.

    Parameters
    ----------
    targets : sequence of float
    reached : mapping
        Label to as many radii; at most four labels.

    Raises
    ------
    DesignError
        If a case has not as many radii as there are targets, or there are more than four.
    """
    asked = np.asarray(targets, dtype=np.float64)
    if not 1 <= len(reached) <= len(_LINES):
        raise DesignError(f"cases must be from 1 to {len(_LINES)}, not {len(reached)}")
    with style():
        figure = blank(6.0, 3.8)
        axes = figure.subplots()
        ends = (float(asked.min()), float(asked.max()))
        axes.plot(ends, ends, color=MUTED, lw=1, ls=(0, (4, 3)))
        axes.annotate("as asked for", (ends[1], ends[1]), (6, 0), textcoords="offset points",
                      va="center", color=MUTED, fontsize=8.5)  # fmt: skip
        for (label, values), role, marker in zip(reached.items(), _LINES, _MARKERS, strict=False):
            found = np.asarray(values, dtype=np.float64)
            if found.shape != asked.shape:
                raise DesignError(
                    f"radii of {label} must be {asked.size}, one for each target, not {found.size}"
                )
            axes.plot(asked, found, color=THEMES[role][0], marker=marker, ms=4.5, label=label)
        axes.set_xlabel("spectral radius asked for", color=INK)
        axes.set_ylabel("spectral radius reached", color=INK)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
        axes.grid(axis="y")
    return figure
