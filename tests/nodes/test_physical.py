"""A physical reservoir as a whole: what goes through it, and in which order."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.metrics import memory_capacity
from rchw.nodes import Drive, Mask, Observation, PhysicalReservoir
from rchw.nodes.memristive import DynamicMemristor, DynamicParameters
from rchw.nodes.variation import Variation, vary


def reservoir(**changes: Any) -> PhysicalReservoir:
    """Four devices with three pulses each."""
    made = PhysicalReservoir(DynamicMemristor(4, 3), Drive(-0.8, 2.5), Mask("binary", 2))
    return replace(made, **changes)


def inputs(samples: int = 200, seed: int = 0) -> np.ndarray:
    """Draw one channel."""
    return np.random.default_rng(seed).uniform(-1, 1, (samples, 1))


def test_the_parts_stand_in_their_order() -> None:
    made = reservoir(
        drive=Drive(-0.8, 2.5, bits=3), observation=Observation(bits=6, low=0.0, high=1e-4)
    )
    values = inputs(30)
    masked = made.drive.scaled(values) * Mask("binary", 2).weights(12, 1).T
    readings, _ = made.node.run(made.drive.played(masked), made.node.start())
    assert np.array_equal(made.readings(values), readings)
    assert np.array_equal(
        made.run(values), made.observation.observe(readings, 1e-3, np.zeros(4), 0).values
    )


def test_fitting_reads_the_samples_that_it_is_given_and_no_others() -> None:
    values = inputs()
    made = reservoir().fitted(values[:100], snr_decibels=30.0, adc_bits=8)
    again = reservoir().fitted(values[:100].copy(), snr_decibels=30.0, adc_bits=8)
    assert made.drive == again.drive and made.observation == again.observation
    changed = reservoir().fitted(3 * values[:100], snr_decibels=30.0, adc_bits=8)
    assert changed.drive != made.drive
    seen, _ = made.observe(values[:100])
    assert seen.clipped == 0 and seen.codes is not None
    assert seen.codes.max() - seen.codes.min() > 200


def test_the_noise_is_that_which_was_asked_for() -> None:
    values = inputs(2000)
    quiet = reservoir().fitted(values)
    noisy = reservoir().fitted(values, snr_decibels=20.0)
    error = noisy.run(values) - quiet.run(values)
    assert abs(10 * np.log10(quiet.run(values).var(axis=0).mean() / error.var()) - 20) < 0.15


def test_noise_costs_memory() -> None:
    """What is remembered falls with the signal-to-noise ratio: the reason for an observation."""
    values = inputs(3000, 1)
    node = DynamicMemristor(6, 4, DynamicParameters(retention=0.9))
    made = reservoir(node=node, drive=Drive(-0.8, 2.5))
    totals = [
        memory_capacity(
            made.fitted(values[:1000], snr_decibels=decibels).run(values), values, range(1, 30)
        ).total
        for decibels in (80.0, 40.0, 10.0)
    ]
    assert totals[0] > totals[1] + 0.1 and totals[1] > totals[2] + 0.1


def test_devices_that_differ_give_other_states() -> None:
    parameters = vary(DynamicParameters(), [Variation("sensitivity", 0.2)], 4, 1)
    same, other = reservoir(), reservoir(node=DynamicMemristor(4, 3, parameters))
    assert not np.array_equal(same.run(inputs()), other.run(inputs()))


def test_bad_input_is_refused() -> None:
    made = reservoir()
    with pytest.raises(DesignError, match=r"^inputs must have shape \(T, 1\), not \(3, 2\)$"):
        made.run(np.zeros((3, 2)))
    with pytest.raises(DesignError, match=r"^inputs must be finite, not NaN or infinite$"):
        made.run(np.full((3, 1), np.nan))
    with pytest.raises(DesignError, match=r"^state must have shape \(9,\), not \(4,\)$"):
        made.run(inputs(), np.zeros(4))
    with pytest.raises(DesignError, match=r"^input channels must be at least 1, not 0$"):
        reservoir(n_inputs=0)
    strong = reservoir(drive=Drive(-8.0, 2.5))
    with pytest.raises(
        DesignError, match=r"^drive must be from -4 to 4 V, where the model is valid"
    ):
        strong.run(np.ones((1, 1)) * [[-1.0]])


def test_the_ratio_holds_behind_a_slow_detector() -> None:
    """What the detector does not let through is no signal."""
    values = inputs(3000)
    slow = reservoir(observation=Observation(bandwidth=20.0))
    quiet, noisy = slow.fitted(values), slow.fitted(values, snr_decibels=20.0)
    signal = quiet.run(values).var(axis=0).mean()
    error = noisy.run(values) - quiet.run(values)
    assert abs(10 * np.log10(signal / error.var()) - 20) < 0.15
    assert signal < 0.5 * reservoir().fitted(values).run(values).var(axis=0).mean()


def test_a_state_is_finite_and_counts_samples() -> None:
    made = reservoir()
    for place, value in ((-1, np.nan), (-1, 0.5), (-1, -1.0), (5, np.inf)):
        state = made.start()
        state[place] = value
        with pytest.raises(
            DesignError, match=r"^state must be finite and end with the number of a "
        ):
            made.run(inputs(), state)
