"""Networks with inputs: a cue starts what they do, as floats, as codes and in the Verilog."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.design import MatrixLayer
from rchw.errors import DesignError
from rchw.hdl.emit import write_verilog
from rchw.reference import run
from rchw.sim.rtl import run_rtl
from rchw.tasks import Task, load_task
from rchw.tasks.cued import chirp
from rchw.train.force import ForceOptions
from rchw.train.force_design import Widths, full_scales, real_values, tune
from rchw.train.recurrent import HELD, alone, left_alone, train_recurrent
from rchw.train.shared_gain import SharedGain

SWEEP = 120
FORCE = ForceOptions(units=100, density=0.2, seed=1, every=1)
RULES = {
    "force": FORCE,
    "full-force": replace(FORCE, teaching="full-force"),
    "partial-force": replace(FORCE, teaching="partial-force", trained_units=60),
}
Values = np.ndarray[Any, np.dtype[np.float64]]


def cued(sweeps: int = 60, rest: int = 0) -> Task:
    """About so many sweeps to learn from, and behind them samples for twelve."""
    end = sweeps * (SWEEP + rest // 2)
    inputs, targets = chirp(
        end + 12 * SWEEP, np.random.default_rng(0), sweep=SWEEP, cue=8, periods=(60.0, 24.0),
        rest=rest,
    )  # fmt: skip
    return Task(
        name="cued", inputs=inputs, targets=targets, washout=SWEEP,
        train=slice(0, end), validation=slice(end, end + SWEEP),
        test=slice(end + SWEEP, end + 12 * SWEEP), metric="nmse", source="", horizon=0,
        input_names=("go",),
    )  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_held_out_cues_start_the_target(rule: str) -> None:
    """Every one of twelve cues behind the training, to 0.15, at float and at 16 bits.

    Without its cues the same design makes something else.
    """
    task = cued()
    made = train_recurrent(task, RULES[rule], Widths())
    begin, steps = task.train.stop, 12 * SWEEP
    truth, inputs = task.targets[begin:], task.inputs[begin:]
    for found in (made.float_run(steps, inputs), made.integer_run(steps, inputs)):
        measured = left_alone(found, truth, inputs)
        assert len(measured.repetitions) == 12 and max(measured.repetitions) < 0.15
        assert measured.shift == 0 and measured.held == (max(measured.repetitions) < HELD)
    deaf = alone(made.design, steps, np.zeros((steps, 1)))
    assert left_alone(deaf, truth, inputs).whole > 0.5
    facts = made.history.facts()
    assert facts["last_move"] < 0.2 * facts["first_move"]
    assert facts["last_ratio"] > facts["first_ratio"]
    assert made.design.provenance["inputs"] == ["go"]


def test_it_waits_for_a_cue_that_nothing_foretells() -> None:
    """With rests of random length every held-out repetition is in time, to 0.2."""
    task, options = cued(rest=60), replace(RULES["full-force"], units=200, input_scaling=4.0)
    made = train_recurrent(task, options, Widths())
    truth, inputs = (series[task.train.stop :] for series in (task.targets, task.inputs))
    measured = left_alone(made.integer_run(12 * SWEEP, inputs), truth, inputs)
    assert len(measured.repetitions) >= 8 and max(measured.repetitions) < 0.2


@pytest.mark.parametrize("rule", RULES)
def test_a_wide_design_is_the_network(rule: str) -> None:
    """With 24 bits, to 1e-4 over a sweep; input weights are those of the network, exactly."""
    task = cued(20)
    made = train_recurrent(
        task, replace(RULES[rule], weight_bits=24), Widths(24, 24, 24, input_bits=6)
    )
    inputs = task.inputs[task.train.stop :]
    difference = made.integer_run(SWEEP, inputs) - made.float_run(SWEEP, inputs)
    assert np.abs(difference).max() < 1e-4
    layer = made.design.driven
    assert isinstance(layer, MatrixLayer) and [c.name for c in made.design.inputs] == ["go"]
    table = layer.inputs[0]
    assert hasattr(table, "weights") and hasattr(table, "format")
    weights = np.array(table.weights) * table.format.resolution
    assert np.array_equal(weights, made.network.into[0]) and weights.any()
    assert made.design.inputs[0].format.width == 6


def test_the_loop_of_tuning_is_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a gain that moves nothing, every output of the loop is that of `run`, under inputs."""
    task = cued(20)
    made = train_recurrent(task, FORCE, Widths(12, 12, 12))
    later = slice(task.train.stop, task.train.stop + 150)
    outputs = made.design.readout.outputs
    scaled = full_scales(outputs, task.targets[later])
    monkeypatch.setattr(SharedGain, "update", lambda *_: (1.0, 0.0))
    design, history = tune(
        made.design, made.network.readout, scaled, FORCE, inputs=task.inputs[later]
    )
    begun = replace(design, layers=made.design.layers, feedback=made.design.feedback)
    trace = run(begun, begun.encode(task.inputs[later]))
    assert np.array_equal(real_values(outputs, history.outputs), design.decode(trace.outputs))
    assert trace.final_state[:100].tolist() == list(design.driven.initial_state)


def test_tuning_begins_where_training_ended() -> None:
    """The last samples teach the integers; what they are given are the inputs of those samples."""
    task = cued(70)
    tuned = train_recurrent(task, FORCE, Widths(14, 14, 16), 10 * SWEEP)
    assert tuned.begins == task.train.stop - 10 * SWEEP and tuned.tuning is not None
    found = tuned.integer_run(6 * SWEEP, task.inputs[task.train.stop :])
    rows = slice(task.train.stop, task.train.stop + 6 * SWEEP)
    assert left_alone(found, task.targets[rows], task.inputs[rows]).whole < 0.3


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
def test_the_verilog_gives_the_same_codes(rule: str, tmp_path: Path) -> None:
    """Under two cues, code for code."""
    trained = 10 if rule == "partial-force" else None
    options = replace(RULES[rule], units=20, density=0.4, trained_units=trained)
    task = cued(20)
    design = train_recurrent(task, options, Widths(12, 12, 12, lanes=4)).design
    beats = design.encode(task.inputs[task.train.stop :][: 2 * SWEEP])
    made = run_rtl(design, write_verilog(design, tmp_path), beats, tmp_path / "simulation")
    want = run(design, beats).outputs
    assert np.array_equal(made.outputs, want) and len(np.unique(want)) > 10


def test_no_choice_reads_later_samples() -> None:
    task = cued(20)
    inputs, targets = task.inputs.copy(), task.targets.copy()
    end = task.train.stop
    inputs[end:], targets[end:] = 3 * inputs[end:][::-1], targets[end:][::-1] * 0.5
    options = replace(FORCE, units=30)
    one = train_recurrent(task, options, Widths(), 100).design
    other = replace(task, inputs=inputs, targets=targets)
    assert train_recurrent(other, options, Widths(), 100).design.layers == one.layers


def test_repetitions_are_from_cue_to_cue() -> None:
    """The error of each over the deviation of all; a cut end counts only if it is long enough."""
    task = cued(20, rest=50)
    truth, inputs = task.targets[2400:3400], task.inputs[2400:3400]
    begins = [t for t in range(1000) if inputs[t, 0] and (t == 0 or not inputs[t - 1, 0])]
    wrong = truth.copy()
    wrong[begins[2] : begins[3]] += 0.5
    found = left_alone(wrong, truth, inputs).repetitions
    want = [0.0] * len(found)
    want[2] = 0.5 / truth.std()
    assert np.allclose(found, want)
    cut = slice(0, begins[3] + 20)
    assert len(left_alone(wrong[cut], truth[cut], inputs[cut]).repetitions) == 3
    assert left_alone(truth, truth, inputs).held and not left_alone(wrong, truth, inputs).held
    noise = np.random.default_rng(0).normal(size=(1000, 1))
    drifting = left_alone(np.roll(truth, 3), truth, noise)
    assert drifting.repetitions == () and drifting.shift == 0 and not drifting.held


@pytest.mark.parametrize(("options", "widths", "sentence"), [
    ({"input_scaling": 2.0}, Widths(), "input scaling must be left out for sine, whose inputs "),
    ({}, Widths(input_bits=9), "input bits must be left out for sine, whose inputs are the "),
])  # fmt: skip
def test_what_means_nothing_without_inputs_is_refused(
    options: dict[str, Any], widths: Widths, sentence: str
) -> None:
    task = load_task("sine", split=(300, 50, 50), washout=10)
    with pytest.raises(DesignError, match=f"^{re.escape(sentence)}"):
        train_recurrent(task, replace(FORCE, units=20, **options), widths)


def test_a_run_must_be_given_its_inputs() -> None:
    task = cued(20)
    made = train_recurrent(task, replace(FORCE, units=20), Widths())
    with pytest.raises(DesignError, match=r"^inputs must be 50 finite samples, as many as targets"):
        made.integer_run(50, task.inputs[:40])
