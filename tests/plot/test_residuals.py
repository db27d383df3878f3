"""Errors of a model over what was measured."""

import re

import numpy as np
import pytest

from rchw import plot
from rchw.errors import DesignError

POINTS = [("a", False, 100.0, 110.0), ("a", True, 200.0, 190.0), ("b", False, 400.0, 400.0)]
PANEL = plot.Residuals("cells", "cells", 0.1, POINTS)


def test_residuals_are_relative_errors_of_what_was_measured() -> None:
    (axes,) = plot.residuals_figure([PANEL]).axes
    drawn = {str(line.get_label()): np.asarray(line.get_ydata()) for line in axes.lines[1:]}
    assert list(drawn) == ["a, calibration", "a, held out", "b, calibration"]
    assert drawn["a, held out"] == pytest.approx([-5.0])
    assert drawn["a, calibration"] == pytest.approx([10.0])


def test_a_panel_without_points_is_refused() -> None:
    with pytest.raises(DesignError, match="residuals of clock must have a point at least"):
        plot.residuals_figure([PANEL, plot.Residuals("clock", "MHz", 0.2, ())])


def test_svg_is_repeatable_and_its_colours_have_names() -> None:
    text = plot.svg(plot.residuals_figure([PANEL]), "residuals", themed=True)
    assert text == plot.svg(plot.residuals_figure([PANEL]), "residuals", themed=True)
    named = re.sub(r"var\(--([a-z]+), (#[0-9a-f]{6})\)", "", text)
    assert not re.findall(r"#[0-9a-f]{6}", named)
