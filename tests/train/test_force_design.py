"""From a trained network to a design: the same run but for rounding, tuned on its own integers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.design import Design, MatrixLayer
from rchw.errors import DesignError
from rchw.hdl.emit import write_verilog
from rchw.reference import free_beats, run
from rchw.sim.rtl import run_rtl
from rchw.tasks import Task, load_task
from rchw.train.force import ForceOptions
from rchw.train.force_design import Widths, full_scales, real_values, tune
from rchw.train.recurrent import left_alone, train_recurrent
from rchw.train.shared_gain import SharedGain

FORCE = ForceOptions(units=80, density=0.2, seed=1)
RULES = {
    "force": FORCE,
    "full-force": replace(FORCE, teaching="full-force"),
    "partial-force": replace(FORCE, teaching="partial-force", trained_units=40),
}
Values = np.ndarray[Any, np.dtype[np.float64]]


def sine() -> Task:
    """Samples of a period of 60."""
    return load_task("sine", split=(2500, 200, 1300))


def alone(design: Design, steps: int) -> Values:
    return design.decode(run(design, free_beats(design, steps)).outputs)


@pytest.mark.parametrize("rule", RULES)
def test_a_wide_design_is_the_network(rule: str) -> None:
    """With 24 bits throughout, a free run is that of the network to 1e-4 for 300 samples.

    W and v are what the network has, exactly, unless they were trained.
    """
    task, options = sine(), replace(RULES[rule], weight_bits=24)
    made = train_recurrent(task, options, Widths(24, 24, 24))
    design, network = made.design, made.network
    layer = design.driven
    assert isinstance(layer, MatrixLayer) and made.begins == 2500
    assert np.abs(alone(design, 300) - made.float_run(300)).max() < 1e-4
    weights = layer.matrix.full * layer.matrix.format.resolution
    entry = design.feedback[0]
    fed = np.array(entry.weights) * entry.format.resolution
    if rule == "force":
        assert layer.matrix.kind == "sparse" and np.array_equal(weights, network.weights)
        assert np.array_equal(fed, network.feedback[0]) and fed.any()
    else:
        assert np.abs(weights - network.weights).max() <= layer.matrix.format.resolution / 2
        assert not fed.any()
    assert (layer.matrix.kind == "dense") == (rule != "force")


@pytest.mark.parametrize("rule", RULES)
def test_integers_of_16_bits_keep_a_sine(rule: str) -> None:
    """For 1500 samples behind the training, from the reset; what a design is not taught is lost."""
    task = sine()
    made = train_recurrent(task, RULES[rule], Widths())
    truth = task.targets[2500:]
    measured = left_alone(made.integer_run(1500), truth)
    assert measured.held and measured.whole < 0.2 and measured.steps == 1500
    known = made.design.provenance
    assert known["options"]["teaching"] == rule and known["history"]["last_ratio"] > 0.9
    row = (0,) * 81
    silent = replace(made.design, readout=replace(made.design.readout, weights=(row,)))
    assert not left_alone(alone(silent, 1500), truth).held


def test_tuning_makes_up_for_rounding() -> None:
    """The error of the codes halves, and the design that is left alone stays nearer by far."""
    task, widths = sine(), Widths(14, 14, 16)
    plain = train_recurrent(task, FORCE, widths)
    tuned = train_recurrent(task, FORCE, widths, 600)
    assert tuned.tuning is not None and (plain.begins, tuned.begins) == (2500, 1900)
    assert len(tuned.tuning.samples) == 300 and tuned.tuning.outputs.shape == (600, 1)
    facts = tuned.tuning.facts()
    assert facts["last_before"] < 0.7 * facts["first_before"]
    runs = [left_alone(made.integer_run(1300), task.targets[2500:3800]) for made in (plain, tuned)]
    assert runs[1].whole < 0.5 * runs[0].whole


def test_the_loop_of_tuning_is_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a gain that moves nothing, every output of the loop is that of `run`, code for code."""
    task = sine()
    widths = Widths(12, 12, 12)
    made = train_recurrent(task, FORCE, widths)
    outputs = made.design.readout.outputs
    scaled = full_scales(outputs, task.targets[2500:2600])
    monkeypatch.setattr(SharedGain, "update", lambda *_: (1.0, 0.0))
    design, history = tune(made.design, made.network.readout, scaled, FORCE)
    begun = replace(
        design,
        layers=made.design.layers,
        feedback=made.design.feedback,
    )
    trace = run(begun, free_beats(begun, 100))
    assert np.array_equal(real_values(outputs, history.outputs), design.decode(trace.outputs))
    assert trace.final_state.tolist() == [
        *design.driven.initial_state,
        *[entry.initial for entry in design.feedback],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_the_verilog_gives_the_same_codes(rule: str, tmp_path: Path) -> None:
    """Left alone for 200 samples, with feedback or with weights of 0 in its place."""
    trained = 10 if rule == "partial-force" else None
    options = replace(RULES[rule], units=20, density=0.4, trained_units=trained)
    design = train_recurrent(sine(), options, Widths(12, 12, 12, lanes=4)).design
    beats = free_beats(design, 200)
    made = run_rtl(design, write_verilog(design, tmp_path), beats, tmp_path / "simulation")
    want = run(design, beats).outputs
    assert np.array_equal(made.outputs, want) and len(np.unique(want)) > 10


def test_no_choice_reads_later_samples() -> None:
    task = sine()
    changed = task.targets.copy()
    changed[2500:] = changed[2500:][::-1] * 0.5
    options = replace(FORCE, units=30)
    one = train_recurrent(task, options, Widths(), 100).design
    assert train_recurrent(replace(task, targets=changed), options, Widths(), 100).design == one


def test_refusals() -> None:
    task = sine()
    with pytest.raises(DesignError, match=r"^integer samples must be left out for full-force, who"):
        train_recurrent(task, RULES["full-force"], Widths(), 10)
    with pytest.raises(
        DesignError, match=r"^integer samples must be from 0 to below the 2300 trai"
    ):
        train_recurrent(task, FORCE, Widths(), 2300)
    with pytest.raises(
        DesignError, match=r"^state bits must be at least 4 for activation pwl, not"
    ):
        train_recurrent(task, replace(FORCE, units=20), Widths(3))
    with pytest.raises(DesignError, match=r"^output bits must be from 2 to 24, not 30"):
        train_recurrent(task, FORCE, Widths(output_bits=30))
    with pytest.raises(DesignError, match=r"^steps must be at least 20 to be measured, not 5"):
        left_alone(task.targets[:5], task.targets[:5])
