"""Error against what a circuit pays for it, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from rchw.errors import DesignError
from rchw.plot.style import THEMES, settle, style
from rchw.plot.style import figure as blank

__all__ = ["tradeoff_figure"]

Curve = Sequence[tuple[float, float]]

_ROLES = (("model", "o"), ("mark", "s"), ("good", "^"), ("truth", "D"))


def tradeoff_figure(
    panels: Mapping[str, Mapping[str, Curve]],
    *,
    cost: str,
    metric: str,
    reference: Mapping[str, float] | None = None,
) -> Figure:
    """Panels side by side, each with curves of error over cost, both logarithmic.

    Parameters
    ----------
    panels : mapping
        Title to curves; of a curve its label and points (cost, error). At most four curves, which
        have the same colour under the same label in every panel. A cost of 0 is drawn at 1/2.
    cost, metric : str
        Of the axes.
    reference : mapping, optional
        Title to an error that is drawn as a line across.

    Raises
    ------
    DesignError
        If there is nothing to draw, or an error is not above 0 and finite.
    """
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    errors = [
        error for curves in panels.values() for curve in curves.values() for _, error in curve
    ]
    if not errors or not all(0 < error < np.inf for error in errors):
        raise DesignError("errors must be above 0 and finite, and at least one")
    if len(labels) > len(_ROLES):
        raise DesignError(f"curves must be at most {len(_ROLES)}, not {len(labels)}")
    with style():
        figure = blank(9.0, 3.5)
        places = figure.subplots(1, len(panels), squeeze=False)[0]
        for axes, (title, curves) in zip(places, panels.items(), strict=True):
            if reference and title in reference:
                axes.axhline(reference[title], color=THEMES["rule"][0], lw=2.0, zorder=0)
            for label, curve in curves.items():
                role, marker = _ROLES[labels.index(label)]
                costs, found = zip(*((max(x, 0.5), y) for x, y in sorted(curve)), strict=True)
                axes.plot(costs, found, color=THEMES[role][0], marker=marker, ms=4, label=label)
            axes.set_xscale("log", base=2)
            axes.set_yscale("log")
            least, most = axes.get_xlim()
            ticks = [t for t in 2.0 ** np.arange(-1, 41, 2) if least <= t <= most]
            axes.set_xticks(ticks, ["0" if t < 1 else f"{t:.0f}" for t in ticks])
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter(ScalarFormatter())
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.grid(axis="y")
            axes.set_title(title)
            axes.set_xlabel(cost)
        places[0].set_ylabel(metric)
        places[-1].legend(loc="upper right")
        settle(figure)
    return figure
