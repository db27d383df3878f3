"""Figures hold the data they were given, and their SVG is the same on every run."""

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rchw import plot
from rchw.adapt import History, LayerHistory
from rchw.errors import DesignError

SIGNALS: list[dict[str, Any]] = [
    {"name": "valid", "kind": "bit", "values": [0, 1, 1, 0, None, 0], "group": "s"},
    {"name": "data", "kind": "bus", "values": [None, 5, 5, -12, None, 7], "group": "s"},
    {"name": "word", "kind": "bus", "values": ["a", "a", "a", "b", "b", "b"], "group": "inside"},
]


def two_layers() -> History:
    """A history of two layers, the second of which stopped earlier."""
    layers = []
    for moments in (4, 3):
        names = ("mean", "std", "gain_min", "gain_median", "gain_max", "radius")
        values = {name: np.linspace(0.1, 0.3, moments) for name in names}
        layers.append(LayerHistory(100 * np.arange(moments), values, "by hand", True))
    return History("a rule", {"std": 0.25}, tuple(layers))


TRUTH = np.sin(np.arange(50.0))
# One of each kind, drawn where it is asked for.
FIGURES: dict[str, Callable[[], Figure]] = {
    "prediction": lambda: plot.prediction_figure(TRUTH, TRUTH + 0.1),
    "errors": lambda: plot.error_bars({"floor": 0.2, "ours": 0.01}, roles={"ours": "good"}),
    "trace": lambda: plot.search_trace([float("inf"), 0.3, 0.1, 0.1]),
    "emulation": lambda: plot.emulation_figure(
        np.random.default_rng(0).normal(size=(50, 5)),
        TRUTH[:, None],
        TRUTH[:, None] + 0.1,
        {"linear floor": 0.5, "as observed": 0.02},
        metric="NMSE",
        unit="A",
        own=["as observed"],
    ),
    "comparison": lambda: plot.comparison_figure(
        {"ring": [0.3, 0.1], "magnet": [0.5, 0.4]},
        [4, 8],
        {"ring": [0.2, 0.1, 0.0], "magnet": [2.0, 0.4, 0.4]},
        [20.0, 40.0, 60.0],
        metric="NMSE",
        floors={"linear floor": 0.3},
        captions=("60 dB", "8 bits"),
    ),
    "history": lambda: plot.history_figure(two_layers()),
    "metrics": lambda: plot.metrics_figure(
        [1, 2, 3],
        [1.0, 0.5, 0.0],
        0.01,
        {1: [1.0, 0.5], 2: [0.2]},
        [0.0, 0.25, 0.5],
        [[1.0, 2.0, 1.0], [4.0, 1.0, 0.5]],
    ),
    "front": lambda: plot.front_figure(
        {"cycle": [[0.2, 300, 2e6], [0.1, 900, 4e5]], "integer": [[0.5, 200, 3e6]]},
        [[(200, 0.5), (300, 0.2), (900, 0.1)], [(4e5, 0.1), (2e6, 0.2), (3e6, 0.5)]],
        [[(300, 0.22), (900, 0.11)], [(2e6, 0.22), (4e5, 0.11)]],
        ["logic cells", "samples per second"],
        error="NMSE",
        floors={"linear floor": 0.15, "NVAR": 1e-9},
    ),
    "learning": lambda: plot.learning_figure(
        TRUTH, TRUTH + 0.1, np.arange(0, 40, 2), np.ones(20), np.ones(20) / 2, np.ones(20)
    ),
    "timing": lambda: plot.timing_diagram(SIGNALS, first_clock=7, clock_in=8, clock_out=11),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_svg_is_one_repeatable_element_without_links(kind: str) -> None:
    text = plot.svg(FIGURES[kind](), kind)
    assert text == plot.svg(FIGURES[kind](), kind)
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg") and "viewBox" in root.attrib and "width" not in root.attrib
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(set(ids)) == len(ids) and all(name.startswith(f"{kind}-") for name in ids)
    used = re.findall(r'(?:href="|url\()#([^")]*)', text)
    assert set(used) <= set(ids), "every reference is to the drawing itself"
    outside = text.replace("http://www.w3.org/2000/svg", "").replace(
        "http://www.w3.org/1999/xlink", ""
    )
    assert "http" not in outside and "<style" not in text and ":date" not in text


@pytest.mark.parametrize(
    "kind", ["prediction", "errors", "trace", "timing", "emulation", "history", "learning"]
)
def test_every_colour_of_a_themed_drawing_has_a_name(kind: str) -> None:
    text = plot.svg(FIGURES[kind](), kind, themed=True)
    named = re.sub(r"var\(--([a-z]+), (#[0-9a-f]{6})\)", "", text)
    assert not re.findall(r"#[0-9a-f]{6}", named)
    for role, colour in re.findall(r"var\(--([a-z]+), (#[0-9a-f]{6})\)", text):
        assert plot.THEMES[role][0] == colour


def test_each_light_colour_has_one_role() -> None:
    light = [pair[0] for pair in plot.THEMES.values()]
    assert len(set(light)) == len(light)


def test_settings_of_the_user_are_left_alone() -> None:
    keys = [key for key in matplotlib.rcParams if key != "backend"]  # asking for it chooses one
    before = {key: matplotlib.rcParams[key] for key in keys}
    for kind, figure in FIGURES.items():
        plot.svg(figure(), kind)
    assert {key: matplotlib.rcParams[key] for key in keys} == before


def test_a_notebook_shows_the_figure_as_svg() -> None:
    figure: Any = FIGURES["errors"]()
    assert figure._repr_svg_().startswith("<svg ")


def test_prediction_and_residual_are_the_data() -> None:
    target = np.stack([np.arange(30.0), np.arange(30.0) ** 2], axis=1)
    figure = plot.prediction_figure(target, target + 2.5, output=1, start=5, samples=20)
    upper, lower = figure.axes
    truth, found = upper.get_lines()
    assert np.asarray(truth.get_xdata()).tolist() == list(range(5, 25))
    assert np.asarray(truth.get_ydata()).tolist() == (np.arange(5.0, 25.0) ** 2).tolist()
    assert np.asarray(found.get_ydata()).tolist() == (np.arange(5.0, 25.0) ** 2 + 2.5).tolist()
    low, high = lower.get_ylim()
    assert low < -2.5 and high > 2.5


def test_a_history_is_drawn_layer_by_layer() -> None:
    """A panel for each quantity, one of them for all gains; the target is a line of its own."""
    figure = plot.history_figure(two_layers())
    assert len(figure.axes) == 8
    titles = [axes.get_title(loc="left") for axes in figure.axes[:4]]
    assert titles == ["mean of a unit", "deviation of a unit", "spectral radius", "gain"]
    lower = figure.axes[5]
    series, target = lower.get_lines()
    assert np.asarray(series.get_ydata()).tolist() == [0.1, 0.2, 0.3]
    assert np.asarray(series.get_xdata()).tolist() == [0, 100, 200]
    assert np.asarray(target.get_ydata()).tolist() == [0.25, 0.25]
    one = LayerHistory(np.zeros(1, dtype=np.int64), {}, "at once", None)
    words = "^history of layer 1 must hold at least 2 moments, not 1$"
    with pytest.raises(DesignError, match=words):
        plot.history_figure(History("a rule", {}, (one,)))


def test_what_early_stopping_kept_is_marked() -> None:
    """An upright line at its samples, and a dot on every curve, that of the gains too."""
    steps = np.array([0, 100, 200, 300])
    rising = np.array([1.0, 2.0, 3.0, 4.0])
    values = {"error": rising[::-1].copy(), "gain_min": rising, "gain_median": rising + 1,
              "gain_max": rising + 2}  # fmt: skip
    layer = LayerHistory(steps, values, "no less error in 1 epochs", None, kept=200)
    figure = plot.history_figure(History("oja", {}, (layer,)))
    for axes, height in zip(figure.axes, (2.0, 4.0), strict=True):
        _, upright, dot = axes.get_lines()
        assert np.asarray(upright.get_xdata()).tolist() == [200, 200]
        assert np.asarray(dot.get_xydata()).tolist() == [[200.0, height]]
        assert [text.get_text() for text in axes.texts] == ["kept"]
    assert layer.summary()["after"]["error"] == 2.0 and layer.summary()["kept"] == 200
    plain = plot.history_figure(two_layers())
    assert not any(axes.texts for axes in plain.axes)


def test_errors_are_dots_at_their_values() -> None:
    errors = {"floor": 0.5, "ours": 0.02, "circuit": 0.02}
    figure = plot.error_bars(errors, metric="NMSE", roles={"circuit": "good"})
    axes = figure.axes[0]
    dots: Any = axes.collections[-1]
    assert np.asarray(dots.get_offsets())[:, 0].tolist() == [0.5, 0.02, 0.02]
    assert np.asarray(dots.get_offsets())[:, 1].tolist() == [2, 1, 0], "from top to bottom"
    colours = [to_hex(colour) for colour in dots.get_facecolors()]
    assert colours[2] == plot.THEMES["good"][0] != colours[1]
    assert axes.get_xscale() == "log"
    assert plot.error_bars({"a": 0.3, "b": 0.2}).axes[0].get_xscale() == "linear"
    assert plot.error_bars({"a": 0.3, "perfect": 0.0}).axes[0].get_xscale() == "linear"


def test_a_column_of_the_waveform_ends_with_the_edge_of_its_clock() -> None:
    axes = FIGURES["timing"]().axes[0]
    clock, valid = axes.get_lines()[2], axes.get_lines()[3]
    xs, ys = np.asarray(clock.get_xdata()), np.asarray(clock.get_ydata())
    rising = xs[1:][(np.diff(ys) > 0) & (np.diff(xs) == 0)]
    assert rising.tolist() == [1, 2, 3, 4, 5]
    ticks = dict(zip((label.get_text() for label in axes.get_xticklabels()), axes.get_xticks(),
                     strict=True))  # fmt: skip
    assert ticks["7"] == 1 and ticks["11"] == 5
    places = [np.asarray(line.get_xdata())[0] for line in axes.get_lines()[:2]]
    assert places == [ticks["8"], ticks["11"]], "the transfers are at their edges"
    drawn = np.asarray(valid.get_ydata(), dtype=float)
    levels = (drawn - drawn.min()) / 0.6
    assert np.round(levels[::2], 2).tolist() == [0, 1, 1, 0, 0.5, 0]
    assert {"5", "-12", "7", "a", "b"} <= {text.get_text() for text in axes.texts}


def test_the_middle_of_a_long_wave_is_left_out() -> None:
    long = [{"name": "n", "kind": "bus", "values": list(range(200))}]
    figure = plot.timing_diagram(long, first_clock=100, most=20)
    shown = {text.get_text() for text in figure.axes[0].texts}
    assert {"0", "9", "190", "199"} <= shown and not {"10", "100", "189"} & shown


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(DesignError, match=r"prediction must have the length of the target, 3, not"):
        plot.prediction_figure([1, 2, 3], [1, 2])
    with pytest.raises(DesignError, match="window must hold at least 2 of 3 samples, not 0"):
        plot.prediction_figure([1, 2, 3], [1, 2, 3], start=5)
    with pytest.raises(DesignError, match="errors must be finite"):
        plot.error_bars({"a": float("nan")})
    with pytest.raises(DesignError, match="errors must be finite"):
        plot.error_bars({})
    with pytest.raises(DesignError, match="trace must hold a finite error"):
        plot.search_trace([float("inf"), None])
    with pytest.raises(DesignError, match=r"signals must have one length of at least 1, not \[\]"):
        plot.timing_diagram([])


def test_the_command_line_does_not_import_matplotlib() -> None:
    program = "import sys, rchw.cli; print(sorted({'matplotlib', 'amaranth', 'cocotb', 'numba'} & "
    done = subprocess.run(
        [sys.executable, "-c", program + "set(sys.modules)))"], capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout == "[]\n"


def test_a_comparison_shows_every_error_at_its_place() -> None:
    """An error of 0 has no place on a logarithmic axis and is drawn at its lower end."""
    figure = FIGURES["comparison"]()
    left, right = figure.axes
    lines = {line.get_label(): line for line in right.get_lines()}
    assert np.asarray(lines["magnet"].get_ydata()).tolist() == [2.0, 0.4, 0.4]
    assert np.asarray(lines["ring"].get_ydata()).tolist() == [0.2, 0.1, pytest.approx(0.1 / 3)]
    assert np.asarray(lines["ring"].get_xdata()).tolist() == [20.0, 40.0, 60.0]
    assert [text.get_text() for text in right.texts] == ["linear floor"]
    assert left.get_title(loc="left") == "60 dB"


def test_a_figure_of_nothing_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^window must hold at least 2 samples, not 1$"):
        plot.emulation_figure(
            [[1.0]], [[1.0]], [[1.0]], {"a": 1.0}, metric="NMSE", unit="A", own=[]
        )
    for errors in ([], [np.nan], [-1.0]):
        with pytest.raises(DesignError, match=r"^errors must be finite, from 0, and at least one"):
            plot.comparison_figure(
                {"ring": errors},
                [4] * len(errors),
                {},
                [],
                metric="NMSE",
                floors={},
                captions=("", ""),
            )


def test_a_floor_far_below_is_named_at_the_end_of_the_axis() -> None:
    curves = {f"r{k}": [0.2 + 0.01 * k, 0.01] for k in range(10)}
    figure = plot.comparison_figure(
        curves, [4, 8], curves, [20.0, 40.0], metric="NMSE", floors={"exact": 1e-28, "linear": 0.3},
        captions=("", ""),
    )  # fmt: skip
    left, right = figure.axes
    assert left.get_ylim()[0] > 1e-3
    assert [text.get_text() for text in right.texts] == ["exact (below)", "linear"]
    looks = {(line.get_color(), line.get_marker()) for line in left.get_lines()[:10]}
    assert len(looks) == 10


def test_capacities_are_drawn_at_their_delays() -> None:
    """Memory as a line, degrees as bars on top of each other, layers as shares of their power."""
    memory, by_delay, spectra = [1.0, 0.5, 0.0], {1: [1.0, 0.5], 2: [0.25]}, [[1.0, 3], [2.0, 2]]
    figure = plot.metrics_figure([1, 2, 3], memory, 0.01, by_delay, [0.0, 0.5], spectra)
    axes: list[Any] = figure.axes
    assert axes[0].lines[1].get_xydata().tolist() == [[1, 1.0], [2, 0.5], [3, 0.0]]
    bars = [[(bar.get_y(), bar.get_height()) for bar in group] for group in axes[1].containers]
    assert bars == [[(0, 1.0), (0, 0.5)], [(1.0, 0.25), (0.5, 0.0)]]
    assert [line.get_ydata().tolist() for line in axes[2].lines] == [[0.75], [0.5]]
    with pytest.raises(
        DesignError, match=r"^memory must have one capacity for each of one or more"
    ):
        plot.metrics_figure([], [], 0.0, {1: [1.0]}, [0.0], [[1.0]])
    with pytest.raises(DesignError, match=r"^power must have 2 frequencies, not 1$"):
        plot.metrics_figure([1], [1.0], 0.0, {1: [1.0]}, [0.0, 0.5], [[1.0]])


def test_a_front_is_drawn_as_what_it_can_do() -> None:
    """Cells that are more than a design needs serve it too, and so do rates below its own."""
    left, right = FIGURES["front"]().axes
    (cells,) = [line for line in left.get_lines() if line.get_label() == "front, validation"]
    (rates,) = [line for line in right.get_lines() if line.get_label() == "front, validation"]
    assert cells.get_drawstyle() == "steps-post" and rates.get_drawstyle() == "steps-pre"
    assert max(np.asarray(cells.get_xdata())) > 900 and min(np.asarray(rates.get_xdata())) < 4e5
    assert [text.get_text() for text in right.texts] == ["NVAR (below)", "linear floor"]


@pytest.mark.parametrize("error", [np.nan, -0.1])
def test_a_front_of_what_is_no_error_is_refused(error: float) -> None:
    with pytest.raises(DesignError, match=r"^errors and costs must be finite, from 0, and of at"):
        plot.front_figure(
            {"cycle": [[error, 10]]}, [[(10, 0.1)]], [[]], ["cells"], error="NMSE", floors={}
        )
    with pytest.raises(DesignError, match=r"^errors and costs must be finite, from 0, and of at"):
        plot.front_figure({}, [[]], [[]], ["cells"], error="NMSE", floors={})


def test_learning_shows_its_windows_and_averages() -> None:
    """Training, its end and the run alone from the arrays; errors as means over groups."""
    target = np.sin(np.arange(300.0))
    samples = np.arange(0, 200, 2)
    before = np.where(np.arange(100) < 50, 3.0, 1.0)
    shown = plot.learning_figure(
        target, target / 2, samples, before, before / 2, before * 0, window=80
    )
    windows, curves = shown.axes[:3], shown.axes[3:]
    times = [np.asarray(axis.lines[0].get_xdata()) for axis in windows]
    spans = [(int(time[0]), int(time[-1])) for time in times]
    assert spans == [(0, 79), (119, 198), (199, 278)]
    for axis, (first, last) in zip(windows, spans, strict=True):
        assert np.array_equal(axis.lines[0].get_ydata(), target[first : last + 1])
        assert np.array_equal(axis.lines[1].get_ydata(), target[first : last + 1] / 2)
    assert np.allclose(curves[0].lines[0].get_ydata(), before)
    assert np.allclose(curves[0].lines[1].get_ydata(), before / 2)
    with pytest.raises(DesignError, match=r"^target and output must have one length, and errors"):
        plot.learning_figure(target, target[1:], samples, before, before, before)
    with pytest.raises(DesignError, match=r"^training and run alone must have 2 samples or more"):
        plot.learning_figure(target[:199], target[:199], samples, before, before, before)
