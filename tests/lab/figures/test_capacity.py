"""Capacities: their targets, the number itself, and that feedback is what remembers."""

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.lab.figures.capacity import CONDITIONS, DELAYS, bits_task, capacities, capacity, means_of
from rchw.nodes import Drive, Mask, PhysicalReservoir
from rchw.nodes.photonic import SineIkeda, SineIkedaParameters
from rchw.nodes.presets import Preset, Size

Values = NDArray[np.float64]
SPLIT = (300, 150, 250)


def test_targets_are_those_of_the_definition() -> None:
    memory = bits_task(SPLIT, 3, parity=False)
    parity = bits_task(SPLIT, 3, parity=True)
    bits = memory.inputs[:, 0].astype(int)
    assert set(bits) == {0, 1} and np.array_equal(memory.inputs, parity.inputs)
    assert memory.targets.shape == parity.targets.shape == (700, DELAYS)
    for t in (20, 21, 345, 699):
        for delay in range(1, DELAYS + 1):
            assert memory.targets[t, delay - 1] == bits[t - delay]
            assert parity.targets[t, delay - 1] == bits[t - delay : t + 1].sum() % 2


def test_seeds_give_other_bits() -> None:
    assert bits_task(SPLIT, 0, parity=False).hashes() != bits_task(SPLIT, 1, parity=False).hashes()


def test_capacity_counts_outputs() -> None:
    """Scale and sign do not matter, a constant knows nothing, chance gives L / T."""
    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 2, (4000, 5)).astype(np.float64)
    assert capacity(wanted, wanted) == pytest.approx(5)
    assert capacity(3 - 7 * wanted, wanted) == pytest.approx(5)
    assert capacity(np.ones_like(wanted), wanted) == 0
    assert capacity(rng.standard_normal(wanted.shape), wanted) < 0.01
    noisy = wanted + rng.standard_normal(wanted.shape) / 2  # as much noise as signal
    assert capacity(noisy, wanted) == pytest.approx(2.5, rel=0.05)


def build(size: Size, feedback: float) -> PhysicalReservoir:
    """A loop whose bits stay so small that its sine is a straight line."""
    small = SineIkedaParameters(feedback=feedback, input_gain=0.01)
    return PhysicalReservoir(
        SineIkeda(size.units, parameters=small), Drive(-1.0, 1.0), Mask("none")
    )


def test_a_loop_with_feedback_remembers_and_one_without_does_not() -> None:
    """The best point is chosen on validation samples for each condition."""
    preset = Preset("line", "", "", 4, build, {"feedback": (0.9, 0.0)})
    found, trials = capacities(preset, 0, SPLIT, parity=False)
    lost, _ = capacities(preset, 0, SPLIT, parity=False, point={"feedback": 0.0})
    assert found["no noise"] > found["40 dB"] > found["30 dB"] > 2 > 0.5 > lost["no noise"]
    assert [trial.point["feedback"] for trial in trials] == [0.9] * len(CONDITIONS)
    assert set(found["points"]["40 dB"]) == {"feedback", "regularisation"}
    assert means_of([{"a": found}, {"a": lost}], "a")["40 dB"] == pytest.approx(
        (found["40 dB"] + lost["40 dB"]) / 2
    )
    json.dumps(found, allow_nan=False)


def test_noise_has_the_seed_of_the_bits() -> None:
    preset = Preset("line", "", "", 4, build, {"feedback": (0.9,)})
    _, first = capacities(preset, 0, SPLIT, parity=False)
    _, second = capacities(preset, 1, SPLIT, parity=False)
    seeds = [trials[1].reservoir.observation.seed for trials in (first, second)]
    assert seeds == [0, 1]
