"""A trial: chosen on validation samples, read once on test samples, whatever the condition."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.fixed import decode
from rchw.lab.trial import Condition, try_preset
from rchw.nodes import Observation, PhysicalReservoir
from rchw.nodes.presets import Preset, Size, node
from rchw.tasks import Task, load_task
from rchw.train.linear import train_linear

SMALL = node("spintronic").preset()


def task(seed: int = 0) -> Task:
    """Take a short series."""
    return load_task("henon", split=(300, 100, 150), washout=30, seed=seed)


def test_the_best_point_is_the_best_on_validation_samples() -> None:
    (found,) = try_preset(task(), SMALL, Size(12), [Condition()])
    errors = {}
    for point in SMALL.points():
        made = SMALL.reservoir(Size(12), point).fitted(task().inputs[task().train])
        states = made.run(task().inputs)
        readout = train_linear(task(), states)
        errors[tuple(point.values())] = (readout.validation, readout.error(task(), states))
    best = min(errors.values())
    assert (found.measurement.readout.validation, found.error) == pytest.approx(best, rel=1e-12)
    assert found.candidates == len(errors) and not found.refused
    assert tuple(found.point.values()) == min(errors, key=lambda key: errors[key])


def test_nothing_is_chosen_by_test_samples() -> None:
    """Other test samples change the test error and nothing else."""
    whole = task()
    inputs, targets = whole.inputs.copy(), whole.targets.copy()
    inputs[400:], targets[400:] = 3 * inputs[250:400], -targets[250:400]
    other = replace(whole, inputs=inputs, targets=targets)
    conditions = [Condition(), Condition(30.0, 6)]
    for first, second in zip(
        try_preset(whole, SMALL, Size(12), conditions),
        try_preset(other, SMALL, Size(12), conditions),
        strict=True,
    ):
        assert first.point == second.point and first.reservoir == second.reservoir
        assert np.array_equal(first.measurement.readout.weights, second.measurement.readout.weights)
        assert first.error != second.error


def test_a_reservoir_of_a_trial_gives_the_states_of_the_trial() -> None:
    """Noise and converter as `PhysicalReservoir.fitted` sets them."""
    (found,) = try_preset(
        task(), SMALL, Size(12), [Condition(30.0, 6)], tune=False, observation=Observation(seed=7)
    )
    seen, _ = found.reservoir.observe(task().inputs)
    assert seen.codes is not None and found.measurement.states.codes is not None
    assert np.array_equal(seen.codes, found.measurement.states.codes)
    bare = replace(SMALL.reservoir(Size(12)), observation=Observation(seed=7))
    fitted = bare.fitted(task().inputs[task().train], snr_decibels=30.0, adc_bits=6)
    assert np.array_equal(fitted.run(task().inputs), seen.values)


def test_noise_and_bits_cost_accuracy() -> None:
    conditions = [Condition(), Condition(60.0, 12), Condition(20.0, 12), Condition(20.0, 3)]
    errors = [found.error for found in try_preset(task(), SMALL, Size(24), conditions)]
    assert errors == sorted(errors) and errors[3] > 3 * errors[0]


def test_an_integer_reservoir_is_read_exactly() -> None:
    preset = node("integer-cycle").preset()
    conditions = [Condition(20.0, 6), Condition(60.0, 6), Condition(20.0, 10)]
    six, same, ten = try_preset(task(), preset, Size(12), conditions, tune=False)
    assert same.error == six.error != ten.error
    assert six.measurement.condition == Condition(None, 6) and same.point["state_bits"] == 6
    assert ten.measurement.condition == Condition(None, 10)
    with pytest.raises(DesignError, match=r"^state_bits must be left to the bits of the converter"):
        try_preset(task(), preset, Size(12), conditions, point={"state_bits": 6.0})
    states = six.measurement.states
    assert states.codes is not None and states.clipped == 0
    readings = six.reservoir.readings(task().inputs)
    assert np.array_equal(decode(states.codes, six.reservoir.observation.format), readings)


def test_points_that_a_node_refuses_are_left_out() -> None:
    def build(size: Size, high: float) -> PhysicalReservoir:
        made = node("memristive-vteam").preset().reservoir(Size(8), {"high": 0.2})
        return replace(made, drive=replace(made.drive, low=-high, high=high))

    preset = Preset(
        "odd", "some points are out of range", "made up", 8, build, {"high": (5.0, 0.2)}
    )
    told: list[tuple[int, int, float]] = []
    (found,) = try_preset(
        task(), preset, Size(8), [Condition()], progress=lambda *line: told.append(line)
    )
    assert [line[:2] for line in told] == [(1, 2), (2, 2)] and math.isinf(told[0][2])
    assert (found.candidates, found.refused, found.point) == (2, 1, {"high": 0.2})
    with pytest.raises(DesignError, match=r"^drive must be from -1 to 1 V, where the model is"):
        try_preset(task(), preset, Size(8), [Condition()], tune=False)


def test_what_is_set_is_not_tuned() -> None:
    (found,) = try_preset(task(), SMALL, Size(12), [Condition()], point={"swing": 1e-3})
    assert found.point["swing"] == 1e-3 and found.candidates == 3
    with pytest.raises(DesignError, match=r"must be swing, relaxation, not 'swung'$"):
        try_preset(task(), SMALL, Size(12), [Condition()], point={"swung": 1e-3})


def test_progress_is_told() -> None:
    told: list[tuple[int, int, float]] = []
    bits = [Condition(None, 4), Condition(None, 6)]
    preset = node("integer-cycle").preset()
    try_preset(task(), preset, Size(12), bits, tune=False, progress=lambda *line: told.append(line))
    assert [line[:2] for line in told] == [(1, 2), (2, 2)]
    told.clear()
    try_preset(task(), SMALL, Size(12), [Condition()], progress=lambda *line: told.append(line))
    assert [line[:2] for line in told] == [(k, 9) for k in range(1, 10)]
    assert all(math.isfinite(best) for _, _, best in told)
    assert str(Condition(40.0, 8)) == "40 dB, 8 bits" and "no noise" in str(Condition())
