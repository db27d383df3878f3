"""The figure of errors over costs holds the points it was given."""

from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from rchw import plot
from rchw.errors import DesignError

PANELS = {
    "one": {"budget": [(0, 0.5), (64, 0.1), (8, 0.2)], "bits": [(300, 0.09), (100, 0.4)]},
    "two": {"bits": [(10, 1.0), (20, 0.5)]},
}


def drawn() -> Figure:
    return plot.tradeoff_figure(PANELS, cost="adders", metric="NMSE", reference={"one": 0.09})


def test_curves_are_in_order_of_their_cost() -> None:
    one, two = drawn().axes
    assert [axes.get_title(loc="left") for axes in (one, two)] == ["one", "two"]
    lines = {line.get_label(): line for line in one.get_lines()}
    assert np.array_equal(lines["budget"].get_xdata(), [0.5, 8, 64])  # 0 has no place on the axis
    assert np.array_equal(lines["budget"].get_ydata(), [0.5, 0.2, 0.1])
    other = two.get_lines()[0]
    assert other.get_label() == "bits" and other.get_color() == lines["bits"].get_color()
    assert one.get_xscale() == one.get_yscale() == "log"


def test_svg_is_the_same_on_every_run() -> None:
    text = plot.svg(drawn(), "tradeoff")
    assert text == plot.svg(drawn(), "tradeoff")
    ElementTree.fromstring(text)


@pytest.mark.parametrize(
    ("panels", "sentence"),
    [
        ({}, r"^errors must be above 0 and finite, and at least one$"),
        ({"a": {"b": [(1, 0.0)]}}, r"^errors must be above 0 and finite, and at least one$"),
        ({"a": {k: [(1, 1.0)] for k in "bcdef"}}, r"^curves must be at most 4, not 5$"),
    ],
)
def test_nothing_to_draw_is_refused(
    panels: dict[str, dict[str, list[tuple[float, float]]]], sentence: str
) -> None:
    with pytest.raises(DesignError, match=sentence):
        plot.tradeoff_figure(panels, cost="adders", metric="NMSE")
