"""Figures of many rules: lines are the data, and the SVG is the same on every run."""

from typing import Any

import numpy as np
import pytest

from rchw import plot
from rchw.errors import DesignError


def test_histories_and_radii_are_the_data() -> None:
    """Panels have a line each of radius and deviation; what does not fit is refused."""
    known: dict[str, Any] = {"samples": [0, 2000], "radius": [0.9, 3.0], "std": [0.2, 0.1]}
    figure = plot.histories_figure({"oja": known})
    (panel,) = [axes for axes in figure.axes if axes.get_visible()]
    lines = [np.asarray(line.get_xydata()).tolist() for line in panel.lines[:2]]
    assert lines == [[[0, 0.9], [2, 3.0]], [[0, 0.2], [2, 0.1]]]
    asked = plot.homeostasis_figure([0.8, 1.2], {"flow": [0.9, 1.1]})
    assert np.asarray(asked.axes[0].lines[1].get_xydata()).tolist() == [[0.8, 0.9], [1.2, 1.1]]
    with pytest.raises(DesignError, match=r"^histories must be at least one, not none$"):
        plot.histories_figure({})
    with pytest.raises(
        DesignError, match=r"^radius of oja must be 2 numbers above 0, not \[0\.9\]"
    ):
        plot.histories_figure({"oja": known | {"radius": [0.9]}})
    with pytest.raises(DesignError, match=r"^radii of flow must be 2, one for each target, not 1$"):
        plot.homeostasis_figure([0.8, 1.2], {"flow": [0.9]})
    with pytest.raises(DesignError, match=r"^cases must be from 1 to 4, not 0$"):
        plot.homeostasis_figure([0.8, 1.2], {})


def test_a_panel_for_each_rule_and_one_drawing() -> None:
    known: dict[str, Any] = {
        name: {"samples": [0, 100], "radius": [0.9, 1.1], "std": [0.2, 0.1]}
        for name in ("oja", "bcm", "flow-control", "anti-oja")
    }
    figures = [plot.histories_figure(known) for _ in range(2)]
    titles = [axes.get_title(loc="left") for axes in figures[0].axes if axes.get_visible()]
    assert titles == list(known)
    assert len({plot.svg(figure, "rules") for figure in figures}) == 1
