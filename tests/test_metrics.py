"""Errors by hand, memory measured against its exact value, and the refusals."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import (
    count_interval,
    linear_ring_memory_capacity_exact,
    linear_ring_memory_function,
    memory_capacity,
    nmse,
    nrmse,
    saturation_fraction,
    symbol_error_rate,
    valid_prediction_time,
)
from rchw.model import RingModel


def test_nmse_by_hand() -> None:
    """Variances 1 and 4, squared errors 1 and 2: (1 + 1/2) / 2."""
    target = np.array([[1.0, 2.0], [-1.0, -2.0]])
    prediction = target + np.array([[1.0, 2.0], [-1.0, 0.0]])
    assert nmse(prediction, target) == 0.75
    assert nrmse(prediction, target) == np.sqrt(0.75)
    assert nmse(prediction[:, 1], target[:, 1]) == 0.5
    assert nmse(target, target) == 0.0


@given(st.integers(0, 1000), st.floats(0.01, 100), st.floats(-100, 100))
def test_nmse_knows_neither_unit_nor_origin(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    target, prediction = rng.normal(size=(2, 50, 3))
    assert nmse(scale * prediction + shift, scale * target + shift) == pytest.approx(
        nmse(prediction, target), rel=1e-6
    )
    assert nmse(np.broadcast_to(target.mean(axis=0), target.shape), target) == pytest.approx(1.0)


def test_symbol_errors_by_hand() -> None:
    """Edges are at -2, 0 and 2; a tie goes to the lower symbol."""
    target = [-3, -1, 1, 3, 3]
    assert symbol_error_rate([-9, -1.9, 0.1, 2.1, 9], target) == 0.0
    assert symbol_error_rate([-2.0, 0.0, 2.0, 2.0, 2.1], target) == 0.2
    assert symbol_error_rate([0.4, 0.6], [0, 1], symbols=(0, 1, 5)) == 0.0
    assert symbol_error_rate(np.array([[0.0, 9.0]]), np.array([[0.0, 0.0]]), (0, 9)) == 0.5


@pytest.mark.parametrize(("errors", "of", "low", "high"), [
    (81, 263, 0.2527, 0.3676),
    (15, 148, 0.0578, 0.1617),
    (0, 20, 0.0, 0.1684),
    (1, 29, 0.0009, 0.1776),
])  # fmt: skip
def test_intervals_are_the_published_ones(errors: int, of: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 5."""
    found = count_interval(errors, of)
    assert found == pytest.approx((low, high), abs=5.1e-5)


def test_intervals_in_closed_form() -> None:
    """No error of n: the upper end has (1 - p)^n = tail; and errors mirror what is right."""
    for of in (1, 7, 370):
        upper = 1 - 0.05 ** (1 / of)
        assert count_interval(0, of, 0.9) == pytest.approx((0.0, upper), abs=1e-14)
    low, high = count_interval(3, 40)
    assert count_interval(37, 40) == pytest.approx((1 - high, 1 - low))


@given(st.integers(1, 700), st.floats(0, 1), st.floats(0.01, 0.999))
def test_intervals_are_quantiles_of_beta(of: int, share: float, confidence: float) -> None:
    """By an independent route: scipy's incomplete beta function."""
    errors = round(share * of)
    low, high = count_interval(errors, of, confidence)
    tail = (1 - confidence) / 2
    assert low == pytest.approx(beta.ppf(tail, errors, of - errors + 1) if errors else 0, abs=1e-9)
    right = beta.ppf(1 - tail, errors + 1, of - errors) if errors < of else 1
    assert high == pytest.approx(right, abs=1e-9)


@pytest.mark.parametrize(("numbers", "sentence"), [
    ((0, 0, 0.9), "^trials must be at least 1, not 0$"),
    ((-1, 5, 0.9), "^errors must be from 0 to 5, not -1$"),
    ((6, 5, 0.9), "^errors must be from 0 to 5, not 6$"),
    ((1, 5, 1.0), "^confidence must be between 0 and 1, not 1.0$"),
])  # fmt: skip
def test_intervals_refuse(numbers: tuple[int, int, float], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        count_interval(*numbers)


def test_valid_prediction_time_by_hand() -> None:
    truth = np.array([1.0, -1.0, 1.0, -1.0])
    assert valid_prediction_time(truth + np.array([0, 0.4, 0.41, 0]), truth) == 2
    assert valid_prediction_time(truth, truth) == 4
    assert valid_prediction_time(truth + 1, truth) == 0
    two = np.stack([truth, truth], axis=1)  # the spread of both is the root of 2
    off = np.array([[0, 0], [0.3, 0.3], [0.5, 0.5], [0, 0]])
    assert valid_prediction_time(two + off, two, 0.4) == 2


def test_saturation_by_hand() -> None:
    assert saturation_fraction([[-8, 7], [6, 9]], -8, 7) == 0.75


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
    "shapes": (
        lambda: nmse([1.0], [1.0, 2.0]),
        r"prediction must have the shape of the target, \(2,\), not \(1,\)",
    ),
    "empty": (lambda: nmse([], []), r"target must have shape \(T,\) or \(T, L\), not \(0,\)"),
    "nan": (lambda: nmse([np.nan, 1.0], [1.0, 2.0]), r"must be finite, not NaN or infinite"),
    "constant": (lambda: nmse([1.0, 2.0], [1.0, 1.0]), r"target must vary in every output"),
    "symbols": (
        lambda: symbol_error_rate([1.0], [2.0], (1, 3)),
        r"target must consist of the symbols \[1\.0, 3\.0\], not others",
    ),
    "rails": (lambda: saturation_fraction([1], 3, 3), r"low must be below high, not \(1,\), 3, 3"),
    "no states": (lambda: saturation_fraction([], 0, 1), r"states must not be empty"),
    "threshold": (
        lambda: valid_prediction_time([1.0, 2.0], [1.0, 2.0], 0.0),
        r"threshold must be above 0, not 0\.0",
    ),
    "still": (
        lambda: valid_prediction_time([1.0, 2.0], [1.0, 1.0]),
        r"truth must vary for a valid prediction time",
    ),
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
