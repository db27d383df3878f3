"""What a model predicts beside what was measured, as relative errors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from rchw.errors import DesignError
from rchw.plot.style import THEMES, settle, style
from rchw.plot.style import figure as blank

__all__ = ["Residuals", "residuals_figure"]

# Families are told apart by colour and form, what was held out by being filled.
_COLOURS = ("model", "mark", "good")
_MARKERS = "osD"


@dataclass(frozen=True)
class Residuals:
    """Errors of one quantity.

    Attributes
    ----------
    title : str
        Of the panel.
    unit : str
        Of the measured values.
    target : float
        The relative error that is aimed at.
    points : sequence of (str, bool, float, float)
        Of each its group, whether the model never saw it, the measured and the predicted value.
    """

    title: str
    unit: str
    target: float
    points: Sequence[tuple[str, bool, float, float]]


def residuals_figure(panels: Sequence[Residuals]) -> Figure:
    """Relative errors over measured values, a panel for each quantity.

    Raises
    ------
    DesignError
        If a panel has no point.
    """
    for panel in panels:
        if not panel.points:
            raise DesignError(f"residuals of {panel.title} must have a point at least, not none")
    with style():
        figure = blank(9.0, 3.0 * len(panels))
        for axes, panel in zip(np.atleast_1d(figure.subplots(len(panels), 1)), panels, strict=True):
            groups = list(dict.fromkeys(group for group, *_ in panel.points))
            band = 100 * panel.target
            axes.axhspan(-band, band, color=THEMES["span"][0], lw=0)
            axes.axhline(0, color=THEMES["rule"][0], lw=1)
            for number, group in enumerate(groups):
                colour = THEMES[_COLOURS[number % len(_COLOURS)]][0]
                for unseen in (False, True):
                    own = [p for p in panel.points if p[0] == group and p[1] == unseen]
                    if not own:
                        continue
                    axes.plot(
                        [measured for *_, measured, _ in own],
                        [100 * (found / measured - 1) for *_, measured, found in own],
                        _MARKERS[number % len(_MARKERS)],
                        ms=5.5 if unseen else 3.5,
                        color=colour,
                        markerfacecolor=colour if unseen else "none",
                        alpha=1.0 if unseen else 0.6,
                        mew=0.9,
                        label=f"{group}, {'held out' if unseen else 'calibration'}",
                        ls="none",
                    )
            axes.set_xscale("log")
            values = [measured for *_, measured, _ in panel.points]
            low, high = min(values) / 1.15, max(values) * 1.15
            axes.set_xlim(low, high)
            ticks = [
                step * 10.0**power for power in range(7) for step in (1, 2, 5)
                if low <= step * 10.0**power <= high
            ]  # fmt: skip
            axes.xaxis.set_major_locator(FixedLocator(ticks))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:+.0f} %"))
            axes.set_title(f"{panel.title}: predicted against measured, aim within {band:.0f} %")
            axes.set_xlabel(f"measured {panel.unit}")
            axes.grid(axis="y")
            axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        settle(figure)
    return figure
