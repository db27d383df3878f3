"""Memory measured against its exact value, and the refusals."""

from collections.abc import Callable

import numpy as np
import pytest

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import (
    linear_ring_memory_capacity_exact,
    linear_ring_memory_function,
    memory_capacity,
)
from rchw.model import RingModel


@pytest.mark.parametrize("feedback", [0.5, 0.9, -0.8])
def test_measured_memory_is_the_exact_one(feedback: float) -> None:
    """A regression on a long run of a regular and of a singular linear ring, delay by delay."""
    n, samples = 8, 60_000
    inputs = np.random.default_rng(3).uniform(-1, 1, samples)
    singular = np.array([1, -1, 1, 1, -1, 1, -1, -1.0])  # its sum is a lost Fourier bin
    for weights in (topology.auto_signs(n)[0].astype(float), singular):
        model = RingModel(topology.cycle(n, feedback), weights[None], activation="linear")
        states = model.run(inputs)
        delays = range(3 * n)
        found = memory_capacity(states, inputs, delays)
        exact = linear_ring_memory_function(feedback, weights, delays)
        # A correlation of T samples has a standard error below 1 / sqrt(T).
        assert np.abs(found.per_delay - exact.per_delay).max() < 4 / np.sqrt(samples / 2)
        assert found.total == pytest.approx(exact.total, abs=4 * np.sqrt(3 * n * 2 / samples))
        total = exact.total - exact.per_delay[0]
        beyond = linear_ring_memory_capacity_exact(feedback, weights) - total
        assert 0 <= beyond < n * feedback ** (2 * 3 * n) + 1e-9


def test_memory_is_scored_on_samples_it_was_not_trained_on() -> None:
    """States of noise remember nothing; on their training samples they would seem to."""
    rng = np.random.default_rng(0)
    states, inputs = rng.normal(size=(400, 20)), rng.normal(size=400)
    assert memory_capacity(states, inputs, range(1, 41)).total < 40 * 0.02


def test_a_delay_line_remembers_what_it_holds_and_noise_nothing() -> None:
    """Taps u(t-1) to u(t-30) hold 30 delays, whatever else is asked for; white noise holds none."""
    rng = np.random.default_rng(4)
    u = rng.uniform(-1, 1, 4000)
    taps = np.column_stack([np.roll(u, k) for k in range(1, 31)])
    found = memory_capacity(taps, u, range(1, 61))
    assert found.significant == pytest.approx(30, abs=1e-9)
    assert found.per_delay[30:].max() < found.chance < 0.02
    assert memory_capacity(taps, u).total == pytest.approx(30, abs=0.1)
    for seed in range(20):
        noise = np.random.default_rng(seed).normal(size=(4000, 30))
        nothing = memory_capacity(noise, u, range(1, 61))
        assert nothing.significant == 0.0 and 0 < nothing.total < 0.1


def test_a_memory_off_by_one_is_seen() -> None:
    """States shifted by one sample lose the delay 0 and have one more at the other end."""
    inputs = np.random.default_rng(1).normal(size=5000)
    model = RingModel(topology.delay_line(5, 1.0), np.eye(5)[:1], activation="linear")
    states = model.run(inputs)
    delays = range(8)
    right = memory_capacity(states, inputs, delays).per_delay
    late = memory_capacity(np.roll(states, 1, axis=0), inputs, delays).per_delay
    assert np.round(right).tolist() == [1, 1, 1, 1, 1, 0, 0, 0]
    assert np.round(late).tolist() == [0, 1, 1, 1, 1, 1, 0, 0]


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "states": (
        lambda: memory_capacity(np.zeros((5, 2)), np.zeros(6)),
        r"states must have shape \(6, N\), not \(5, 2\)",
    ),
    "delays": (
        lambda: memory_capacity(np.zeros((5, 2)), np.zeros(5), np.array([-1])),
        r"delays must be one or more numbers from 0, not \(-1,\)",
    ),
    "short": (
        lambda: memory_capacity(np.zeros((50, 2)), np.zeros(50), [1]),
        r"run must have at least \d+ samples for these delays and units, not 50",
    ),
    "feedback": (
        lambda: linear_ring_memory_capacity_exact(1.0, [1.0]),
        r"feedback must lie between 0 and 1 in magnitude, not 1\.0",
    ),
    "no input": (
        lambda: linear_ring_memory_function(0.5, [0.0, 0.0], [1]),
        r"input weights must not all be 0",
    ),
    "no numbers": (
        lambda: memory_capacity(np.full((500, 2), np.nan), np.zeros(500)),
        "^states and inputs must be finite, not NaN or infinite$",
    ),
    "exact delays": (
        lambda: linear_ring_memory_function(0.5, [1.0], []),
        r"delays must be one or more numbers from 0, not \[\]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
