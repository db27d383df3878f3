"""How a reservoir changed while a rule of adaptation worked on it."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rchw.adapt import History, LayerHistory
from rchw.errors import DesignError
from rchw.plot.style import MUTED, RULE, THEMES, style
from rchw.plot.style import figure as blank

__all__ = ["history_figure"]

_GAINS = ("gain_min", "gain_median", "gain_max")
_LEAST_SPAN = 0.02  # of an axis: what is smaller is no change worth a picture
_TITLES = {
    "std": "deviation of a unit",
    "mean": "mean of a unit",
    "radius": "spectral radius",
    "growth": "mean of ln G, per sample",
}


def history_figure(history: History) -> Figure:
    """Everything that was recorded, over the samples that the rule has seen; a row for each layer.

    Gains are a band from the least to the greatest with their median. A dashed line is the target
    where the rule has one of that name. Where a rule may stop early, an upright line with a dot
    marks what was kept; what is drawn behind it was tried and given up.

    Parameters
    ----------
    history : History

    Raises
    ------
    DesignError
        If less than two moments were recorded of a layer.
    """
    for number, layer in enumerate(history.layers, start=1):
        if len(layer.steps) < 2:
            raise DesignError(
                f"history of layer {number} must hold at least 2 moments, not {len(layer.steps)}"
            )
    names = [name for name in history.layers[0].values if name not in _GAINS]
    panels = [*names, "gain"]
    rows = len(history.layers)
    with style():
        figure = blank(2.35 * len(panels), 0.5 + 1.9 * rows)
        grid = np.asarray(figure.subplots(rows, len(panels), sharex="row", squeeze=False))
        for row, (axes, layer) in enumerate(zip(grid, history.layers, strict=True), start=1):
            for place, name in zip(axes, panels, strict=True):
                _panel(place, layer, name, history)
                if row == 1:
                    place.set_title(_TITLES.get(name, name.replace("_", " ")))
                if row == rows:
                    place.set_xlabel("samples seen")
            if rows > 1:
                axes[0].set_ylabel(f"layer {row}")
    return figure


def _panel(axes: Axes, layer: LayerHistory, name: str, history: History) -> None:
    blue = THEMES["model"][0]
    if name == "gain":
        least, median, most = (layer.values[key] for key in _GAINS)
        axes.fill_between(layer.steps, least, most, color=THEMES["bus"][0], lw=0)
        axes.plot(layer.steps, median, color=blue)
    else:
        axes.plot(layer.steps, layer.values[name], color=blue, marker="o", markersize=2.5)
    if layer.kept is not None:
        green = THEMES["good"][0]
        series = layer.values["gain_median" if name == "gain" else name]
        place = int(np.flatnonzero(layer.steps == layer.kept)[0])
        axes.axvline(layer.kept, color=green, lw=1.0)
        axes.plot(layer.kept, series[place], color=green, marker="o", markersize=5, clip_on=False)
        axes.annotate(
            "kept", (layer.kept, 1.0), xycoords=("data", "axes fraction"), xytext=(3, -8),
            textcoords="offset points", color=green, fontsize=8,
        )  # fmt: skip
    target = history.parameters.get(name)
    if target is not None:
        axes.axhline(target, color=MUTED, lw=1.0, ls="--")
    if name == "radius":
        axes.axhline(1.0, color=RULE, lw=0.8)
    axes.grid(axis="y")
    axes.margins(y=0.15)
    low, high = axes.get_ylim()
    if high - low < _LEAST_SPAN:
        middle = (low + high) / 2
        axes.set_ylim(middle - _LEAST_SPAN / 2, middle + _LEAST_SPAN / 2)
    axes.set_xlim(0, max(int(layer.steps[-1]), 1))
    axes.locator_params(nbins=4)
