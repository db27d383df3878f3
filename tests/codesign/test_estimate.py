"""The estimator on designs whose place-and-route is stored, and on others."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import estimator
from benchmarks.size import circuit, ring
from rchw.codesign.estimate import coefficients, estimate
from rchw.design import Feedback
from rchw.devices import BOARDS
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.schedule import latency, schedule
from rchw.train import Hyperparameters, TrainOptions, build_design


def test_coefficients_are_those_of_the_calibration() -> None:
    stored = json.loads(estimator.COEFFICIENTS.read_text(encoding="utf-8"))
    assert stored == estimator.calibrated(), "python -m benchmarks.estimator"


def test_clocks_are_those_of_the_schedule() -> None:
    design = circuit(100, 4, squares=True)
    found = estimate(design, "ulx3s")
    assert found.clocks == schedule(design).clocks
    assert found.latency_clocks == latency(design)
    assert found.samples_per_second == pytest.approx(found.clock_hz / found.clocks)


def test_all_boards_are_answered_in_their_order() -> None:
    found = estimate(circuit(50, 2))
    assert [one.board for one in found] == list(BOARDS)
    assert found[0] == estimate(circuit(50, 2), "icebreaker")


@pytest.mark.parametrize("board", ["icebreaker", "ulx3s"])
def test_more_lanes_take_more_and_are_faster_per_sample(board: str) -> None:
    found = [estimate(circuit(96, lanes), board) for lanes in (1, 2, 4, 8)]
    for name in ("cells", "luts", "flip_flops", "block_rams", "multipliers"):
        values = [getattr(one, name) for one in found]
        assert values == sorted(values) and values[0] < values[-1], name
    rates = [one.samples_per_second for one in found]
    assert rates == sorted(rates)


@pytest.mark.parametrize("board", ["icebreaker", "ulx3s"])
def test_more_units_never_take_less(board: str) -> None:
    folded = [estimate(circuit(units, 1), board).cells for units in (20, 40, 100, 200, 400)]
    parallel = [estimate(circuit(units, units), board).cells for units in (10, 20, 40, 80)]
    assert folded == sorted(folded) and folded[-1] < 1.5 * folded[0]
    assert parallel == sorted(parallel) and parallel[-1] > 6 * parallel[0]


def test_what_was_never_calibrated_is_named() -> None:
    assert estimate(circuit(100, 4), "icebreaker").extrapolates == ()
    wide = estimate(circuit(1000, 1, state_bits=20), "icebreaker").extrapolates
    assert any(text.startswith("units 1000 (calibrated from ") for text in wide)
    assert any(text.startswith("state bits 20 (") for text in wide)
    design = circuit(100, 4)
    looped = replace(
        design,
        feedback=(Feedback(QFormat(2, 2), (1,) * 100, output="y", layer="ring"),),
    )
    assert "feedback" in estimate(looped, "ulx3s").extrapolates
    other = estimate(design, "ulx3s-85f").extrapolates
    assert other[-1] == "device LFE5U-85F (calibrated on LFE5U-25F)"


def test_weights_and_connections_beyond_the_calibration_are_named() -> None:
    inputs = np.linspace(0.0, 1.0, 200)[:, None]
    options = TrainOptions(reservoir="leaky", units=150, weight_bits=24, search="none")
    design = build_design(options, Hyperparameters(), inputs, inputs)
    told = estimate(design, "ulx3s").extrapolates
    assert any(text.startswith("weight bits 24 (calibrated from ") for text in told)
    assert any(text.startswith("units that a unit reads 150 (") for text in told)


def test_what_is_short_is_told() -> None:
    found = estimate(circuit(400, 8, squares=True), "icebreaker")
    assert not found.fits
    assert found.why_not == (
        "the design needs 16 DSP multipliers, but icebreaker (iCE40UP5K) has 8",
    )
    huge = estimate(ring(2000, (3,)), "icebreaker")
    assert not huge.fits and huge.why_not[0].startswith("the design needs about ")
    assert "cells, but icebreaker (iCE40UP5K) has 5280" in huge.why_not[0]
    assert estimate(circuit(50, 1), "icebreaker").why_not == ()


def test_unknown_boards_are_refused() -> None:
    with pytest.raises(DesignError, match=r"board must be one of .*, not 'nano'"):
        estimate(circuit(10, 1), "nano")


def test_models_say_how_many_designs_they_know() -> None:
    models = coefficients()
    assert all(set(forms) == {"folded", "parallel"} for forms in models["cells"].values())
    assert set(models["clocks"]) == {"iCE40HX8K", "iCE40UP5K", "LFE5U-25F"}
    folded = models["cells"]["ecp5"]["folded"]["designs"]
    parallel = models["cells"]["ecp5"]["parallel"]["designs"]
    assert folded + parallel == models["clocks"]["LFE5U-25F"]["designs"] > 40
