"""Conditions on weights in their implications, counterexamples, and runs from several states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import (
    SchurStability,
    echo_conditions,
    echo_index,
    local_lyapunov,
    schur_stability,
)
from rchw.model import MatrixModel, RingModel
from rchw.model.scaling import random_dense, scale_radius

Values = NDArray[np.float64]
# Three attractors at rest, though the spectral radius is 0.81: its norm is 3.9.
TWISTED = np.array([[2.0, 0.5], [-3.3, -0.5]])


def drawn(seed: int, n: int, size: float) -> tuple[Values, Values]:
    """A matrix of a spectral radius, and leak rates; the matrix from flat to full."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, n)) * (rng.random((n, n)) < rng.uniform(0.3, 1)) + 0.1 * np.eye(n)
    return scale_radius(matrix, size), rng.uniform(0.05, 1.0, n)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.05, 1.3))
def test_conditions_imply_one_another(seed: int, n: int, size: float) -> None:
    """Singular value or absolute radius -> Schur -> radius, with leaks and without."""
    weights, rates = drawn(seed, n, size)
    for leak_rate in (1.0, 0.3, rates):
        found = echo_conditions(weights, leak_rate)
        schur = found.schur.stable
        if found.largest_singular < 0.999 or found.absolute_radius < 0.999:
            assert schur and found.sufficient
        if schur:
            assert found.radius < 1 and found.stable_at_rest
        if found.radius > 1.001:
            assert schur is False and not found.stable_at_rest
        check_certificate(weights, found.schur)


def check_certificate(weights: Values, schur: SchurStability) -> None:
    """Each block of P is what it is said to be, and blocks read one another one way only."""
    smallest = []
    for block in range(schur.blocks.max() + 1):
        units = schur.blocks == block
        p, own = np.diag(schur.weights[units]), weights[np.ix_(units, units)]
        smallest.append(np.linalg.eigvalsh(p - own.T @ p @ own)[0])
        assert np.trace(p) == pytest.approx(len(p)) and (np.diag(p) > 0).all()
    assert min(smallest) == pytest.approx(schur.margin, abs=1e-12)
    assert schur.margin <= schur.bound
    count = int(schur.blocks.max()) + 1
    joined = np.zeros((count, count))
    for i, j in zip(*np.nonzero(weights), strict=True):
        joined[schur.blocks[i], schur.blocks[j]] += schur.blocks[i] != schur.blocks[j]
    assert not np.linalg.matrix_power(joined, count).any()  # no way leads back


def test_schur_is_the_smallest_scaled_singular_value() -> None:
    """An independent search: scipy minimises the largest singular value of ``D W D^-1``."""
    rng, verdicts = np.random.default_rng(7), []

    def scaled(logarithms: Values, weights: Values) -> float:
        d = np.exp(np.append(logarithms, 0.0))
        return float(np.linalg.norm(d[:, None] * weights / d, 2))

    for _ in range(20):
        weights = scale_radius(rng.normal(size=(3, 3)), rng.uniform(0.5, 0.99))
        smallest = minimize(
            scaled,
            np.zeros(2),
            (weights,),
            method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-9},
        ).fun
        assert abs(smallest - 1) > 1e-4  # no draw on the edge
        verdicts.append(schur_stability(weights).stable)
        assert verdicts[-1] is bool(smallest < 1)
    assert True in verdicts and False in verdicts


def test_no_sufficient_condition_but_schur_is_the_weakest() -> None:
    """Matrices on which they differ, by hand."""
    # Rotations by 45 degrees, shrunk: the norm is 0.9, the absolute radius 0.9 times the root of 2.
    turn = np.array([[1, -1], [1, 1]]) * (0.9 / np.sqrt(2))
    found = echo_conditions(turn)
    assert found.largest_singular == pytest.approx(0.9)
    assert found.absolute_radius == pytest.approx(0.9 * np.sqrt(2))
    assert found.schur.stable and found.sufficient
    # One strong connection forward: the absolute radius is 0.5, the norm is above 3.
    chain = np.array([[0.5, 3.0], [0.0, 0.5]])
    found = echo_conditions(chain)
    assert found.largest_singular > 3 and found.absolute_radius == pytest.approx(0.5)
    assert found.schur.stable and found.sufficient
    assert schur_stability(np.array([[0.5, 1e9], [0.0, 0.5]])).stable
    # Both at once in two blocks: Schur alone sees it.
    blocks = np.block([[turn, np.zeros((2, 2))], [np.zeros((2, 2)), chain]])
    found = echo_conditions(blocks)
    assert found.largest_singular > 1 and found.absolute_radius > 1
    assert found.schur.stable and found.sufficient


def test_a_cycle_is_stable_below_one_and_on_the_edge_at_one() -> None:
    assert schur_stability(topology.dense(topology.cycle(12, 0.99))).stable
    assert schur_stability(topology.dense(topology.cycle(12, 1.01))).stable is False
    assert schur_stability(np.eye(3)).stable is None
    # Without a search only the norm is seen: of a chain it is large, of the cycle it is the weight.
    chain = np.array([[0.5, 3.0], [0.0, 0.5]])
    assert schur_stability(chain, search=False).stable is None
    assert echo_conditions(chain, search=False).sufficient  # by its absolute radius
    assert schur_stability(0.9 * np.eye(3)[[1, 2, 0]], search=False).stable


def test_a_large_random_matrix_of_radius_below_one_is_usually_not() -> None:
    """Of independent entries the norm is twice the radius; scaling helps little."""
    weights = scale_radius(np.random.default_rng(1).normal(size=(40, 40)), 0.9)
    found = echo_conditions(weights)
    assert found.stable_at_rest and not found.sufficient and found.schur.stable is False
    assert echo_conditions(weights / 2.5).sufficient


def test_a_spectral_radius_below_one_is_not_sufficient() -> None:
    """Without input, 0 attracts, and so do two states far from it."""
    found = echo_conditions(TWISTED)
    assert found.radius == pytest.approx(np.sqrt(0.65)) and found.stable_at_rest
    assert not found.sufficient and found.schur.stable is False
    model = MatrixModel(TWISTED, np.zeros((1, 2)))
    starts = np.array([[0.0, 0.1], [0.8, -0.9], [-0.8, 0.9], [0.05, 0.0]])
    index = echo_index(model, np.zeros((400, 1)), starts)
    assert index.count == 3 and index.distance > 0.5
    at_rest = local_lyapunov(model, np.zeros((300, 1)), "eig", state=starts[0])
    assert at_rest[0] == pytest.approx(np.log(found.radius), abs=1e-6)


def test_nor_is_it_necessary() -> None:
    """A strong input saturates units of a radius of 1.6 until all runs are one."""
    rng = np.random.default_rng(3)
    weights = scale_radius(random_dense(20, rng), 1.6)
    signal, starts = rng.uniform(-1, 1, (300, 1)), rng.uniform(-1, 1, (6, 20))
    weak, strong = (
        MatrixModel(weights, rng.uniform(-s, s, (1, 20)), compiled=False) for s in (0.01, 8.0)
    )
    assert not echo_conditions(weights).stable_at_rest
    apart, together = (echo_index(model, signal, starts) for model in (weak, strong))
    assert apart.count > 1 and apart.distance > 0.1
    assert together.count == 1 and together.distance < 1e-6
    # Two responses, each of which is stable: exponents do not see how many there are.
    for model in (weak, strong):
        assert local_lyapunov(model, signal, n_exponents=1)[0] < -0.02


def test_chaos_leaves_no_two_runs_together() -> None:
    """Above 0 the exponent and the index agree: as many responses as runs."""
    rng = np.random.default_rng(5)
    weights = scale_radius(rng.normal(size=(40, 40)), 2.5)
    model = MatrixModel(weights, rng.uniform(-0.1, 0.1, (1, 40)))
    signal = rng.uniform(-1, 1, (400, 1))
    assert local_lyapunov(model, signal, n_exponents=1)[0] > 0.02
    assert echo_index(model, signal, n_starts=5).count == 5


def test_distances_of_a_linear_cycle_shrink_as_its_weight() -> None:
    model = RingModel(topology.cycle(5, 0.9), np.ones((1, 5)), activation="linear")
    starts = np.array([[0, 0, 0, 0, 0], [1.0, 2, 3, 4, 5]])
    found = echo_index(model, np.sin(np.arange(60.0))[:, None], starts)
    assert found.distances[1:] / found.distances[:-1] == pytest.approx(np.full(59, 0.9))
    assert found.distance == pytest.approx(found.distances[-20:].mean())
    assert found.count == 2 and found.tolerance == 1e-3
    assert echo_index(model, np.ones((400, 1)) * np.arange(400)[:, None] % 3).count == 1


@pytest.mark.parametrize(("weights", "leak_rate", "sentence"), [
    (np.zeros((2, 3)), 1.0, r"^weights must have shape \(N, N\), not \(2, 3\)$"),
    (np.full((2, 2), np.nan), 1.0, "^weights must be finite, not NaN or infinite$"),
    (np.eye(2), np.ones(3), r"^leak rate must have shape \(\) or \(2,\), not \(3,\)$"),
    (np.eye(2), 0.0, "^leak rate must be above 0 and at most 1, not 0.0$"),
])  # fmt: skip
def test_conditions_refuse(weights: Values, leak_rate: float, sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        echo_conditions(weights, leak_rate)


def test_an_index_refuses() -> None:
    model = RingModel(topology.cycle(3, 0.5), np.ones((1, 3)))
    signal = np.sin(np.arange(30.0))[:, None]
    for options, sentence in (
        ({"tail": 30}, "^tail must be from 1 to 29 samples, not 30$"),
        ({"n_starts": 1}, "^starts must be at least 2, not 1$"),
        ({"tolerance": 0.0}, r"^tolerance must be above 0, not 0\.0$"),
    ):
        with pytest.raises(DesignError, match=sentence):
            echo_index(model, signal, **options)
    with pytest.raises(DesignError, match=r"^states must vary for an echo index"):
        echo_index(model, np.zeros((30, 1)))
