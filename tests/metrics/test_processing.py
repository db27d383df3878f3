"""Capacities of what is known exactly: taps, products, noise; and their sum against the rank."""

from collections.abc import Callable
from math import comb

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import information_processing_capacity, memory_capacity
from rchw.metrics.processing import targets
from rchw.model import RingModel

Values = NDArray[np.float64]
SMALL = {1: 15, 2: 8, 3: 4}


def uniform(samples: int, seed: int = 0) -> Values:
    return np.random.default_rng(seed).uniform(-1, 1, samples)


def taps(signal: Values, count: int) -> Values:
    return np.column_stack([np.roll(signal, k) for k in range(count)])


def test_targets_are_counted() -> None:
    """All multisets of delays: (K + d)! / (K! d!)."""
    for degree, longest in ((1, 5), (2, 7), (3, 4), (4, 3)):
        found = list(targets({degree: longest}))
        assert len(set(found)) == len(found) == comb(longest + degree, degree)
        assert all(sum(power for _, power in term) == degree for term in found)


def test_a_delay_line_has_as_much_linear_capacity_as_taps_and_no_other() -> None:
    signal = uniform(4000)
    found = information_processing_capacity(taps(signal, 10), signal, SMALL)
    assert found.per_degree == pytest.approx({1: 10.0, 2: 0.0, 3: 0.0}, abs=1e-9)
    assert found.total == pytest.approx(10) and found.rank == 10
    assert found.per_delay(1) == pytest.approx(np.r_[np.ones(10), np.zeros(6)], abs=1e-9)
    assert found.samples == 3900
    assert found.threshold == pytest.approx(2 * chi2.ppf(0.999, 10) / 3900)


def test_a_known_product_is_found_where_it_is() -> None:
    """u(t) u(t-2), the polynomial of degree 2 of u(t-3), and one of degree 3; scaled and mixed."""
    u = uniform(5000, 1)
    one, three = np.roll(u, 1), np.roll(u, 3)
    known = [u * np.roll(u, 2), (3 * three**2 - 1) / 2, one * (3 * u**2 - 1) / 2]
    mixed = np.column_stack(known) @ np.array([[1.0, 2, 3], [0, 1, 1], [5, 0, 1]]) + 7
    found = information_processing_capacity(mixed, u, SMALL)
    assert found.per_degree == pytest.approx({1: 0, 2: 2, 3: 1}, abs=1e-9)
    there = {
        term: value for term, value in zip(found.terms, found.significant, strict=True) if value
    }
    assert there == pytest.approx(
        {((0, 1), (2, 1)): 1.0, ((3, 2),): 1.0, ((0, 2), (1, 1)): 1.0}, abs=1e-9
    )


def test_white_noise_has_none() -> None:
    """The threshold is twice what one target exceeds by chance in one of 1,000 runs."""
    signal = uniform(3000)
    for seed in range(3):
        noise = np.random.default_rng(seed + 10).normal(size=(3000, 8))
        found = information_processing_capacity(noise, signal, SMALL)
        assert found.total == 0.0 and found.rank == 8
        assert found.capacities.mean() == pytest.approx(8 / 2900, rel=0.25)
    nothing = information_processing_capacity(np.ones((3000, 2)), signal, SMALL)
    assert nothing.total == 0.0 and nothing.rank == 0


def test_the_total_of_a_nonlinear_ring_comes_to_its_rank_and_not_beyond() -> None:
    """With fading memory and no noise, once degrees and delays are followed far enough."""
    signal = uniform(30_000)
    weights = np.random.default_rng(2).uniform(-2, 2, (1, 6))
    states = RingModel(topology.cycle(6, 0.5), weights, 0.5).run(signal)
    found = information_processing_capacity(states, signal, {1: 30, 2: 16, 3: 9, 4: 5})
    assert found.rank == 6
    # Beyond 6 by what chance adds to the capacities that count, rank / samples each and more.
    assert 5.7 < found.total < 6 * 1.02
    assert found.per_degree[2] > 0.5 and found.per_degree[4] > 0.1


def test_a_linear_reservoir_computes_nothing_beyond_memory() -> None:
    signal = uniform(6000)
    model = RingModel(topology.cycle(8, 0.8), topology.auto_signs(8), activation="linear")
    states = model.run(signal)
    found = information_processing_capacity(states, signal, SMALL | {1: 40})
    assert found.per_degree[2] == found.per_degree[3] == 0
    linear = memory_capacity(states, signal, range(41)).total
    assert found.per_degree[1] == pytest.approx(linear, abs=0.1)
    assert found.total < 8 * 1.01


def test_codes_have_the_capacity_of_their_values() -> None:
    codes = np.random.default_rng(3).integers(-128, 128, 4000)
    states = taps(codes.astype(float), 3)
    found = information_processing_capacity(states, codes, SMALL, low=-128, high=128)
    assert found.per_degree == pytest.approx({1: 3.0, 2: 0.0, 3: 0.0}, abs=1e-9)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "states": (
        lambda: information_processing_capacity(np.full((500, 2), np.nan), uniform(500)),
        "^states and inputs must be samples of finite numbers, not NaN or none$",
    ),
    "nothing": (
        lambda: information_processing_capacity(np.zeros((0, 2)), uniform(0)),
        "^states and inputs must be samples of finite numbers, not NaN or none$",
    ),
    "shape": (
        lambda: information_processing_capacity(np.zeros((5, 2)), uniform(6)),
        r"^states must have shape \(6, N\), not \(5, 2\)$",
    ),
    "degrees": (
        lambda: information_processing_capacity(np.zeros((5, 2)), uniform(5), {0: 1}),
        r"^degrees must be from 1, each with a delay from 0, not \{0: 1\}$",
    ),
    "range": (
        lambda: information_processing_capacity(np.zeros((5, 2)), 2 * np.ones(5), {1: 1}),
        "^inputs must lie between -1 and 1, not from 2 to 2$",
    ),
    "short": (
        lambda: information_processing_capacity(np.zeros((50, 2)), uniform(50), {1: 1}),
        "^run must have at least 106 samples for these delays and units, not 50$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
