"""Scaling: each convention holds its radius, and they differ; what is drawn has its structure."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.model import scaling
from rchw.model.scaling import (
    circular,
    matrix_radius,
    random_antisymmetric,
    random_connections,
    random_dense,
    random_sparse,
    scale_leaky_radius,
    scale_radius,
)

Draw = Callable[[np.random.Generator], NDArray[np.float64]]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@settings(max_examples=30)
@given(st.integers(1, 30), st.floats(0.01, 3.0), st.integers(0, 2**32 - 1))
def test_radius_holds(n: int, radius: float, seed: int) -> None:
    scaled = scale_radius(random_dense(n, rng(seed)), radius)
    assert np.abs(np.linalg.eigvals(scaled)).max() == pytest.approx(radius, rel=1e-9)


@settings(max_examples=30)
@given(st.integers(1, 30), st.floats(0.01, 3.0), st.booleans(), st.integers(0, 2**32 - 1))
def test_leaky_radius_holds(n: int, radius: float, diverse: bool, seed: int) -> None:
    """With one leak rate or many: what is scaled is what the leaky reservoir multiplies by."""
    leak = rng(seed).uniform(0.05, 1.0, n if diverse else None)
    scaled = scale_leaky_radius(random_dense(n, rng(seed)), radius, leak)
    rates = np.broadcast_to(leak, (n,))
    leaky = np.diag(1 - rates) + np.diag(rates) @ scaled
    assert np.abs(np.linalg.eigvals(leaky)).max() == pytest.approx(radius, rel=1e-9)


def test_circular_law() -> None:
    """The deviation is exact, the radius nearly: within 8 % at 400 units, dense and sparse."""
    dense, sparse = circular(400, 0.9, rng(1)), circular(400, 0.9, rng(2), connections=20)
    assert dense.std() == pytest.approx(0.9 / np.sqrt(400), rel=0.01)
    assert np.abs(dense).max() <= 0.9 / np.sqrt(400) * 6 / np.sqrt(12)
    assert sparse[sparse != 0].std() == pytest.approx(0.9 / np.sqrt(20), rel=0.02)
    for matrix in (dense, sparse):
        assert matrix_radius(matrix) == pytest.approx(0.9, rel=0.08)


def test_circular_computes_no_eigenvalue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(scaling, "matrix_radius")
    assert circular(5, 0.9, rng()).shape == (5, 5)


def test_conventions_differ() -> None:
    """And are the same without a leak."""
    matrix = random_dense(30, rng(3))
    by_radius, by_leak = scale_radius(matrix, 0.9), scale_leaky_radius(matrix, 0.9, 0.2)
    assert abs(matrix_radius(by_leak) - matrix_radius(by_radius)) > 0.05
    assert np.allclose(scale_leaky_radius(matrix, 0.9, 1.0), by_radius, rtol=1e-12, atol=0)


def test_radius_of_a_matrix_without_a_closed_path_is_0() -> None:
    """Exactly, in any order of the units: `scale_radius` must refuse it."""
    order = rng(4).permutation(60)
    upper = np.triu(random_dense(60, rng(5)), 1)[np.ix_(order, order)]
    assert matrix_radius(upper) == 0
    assert matrix_radius(topology.dense(topology.delay_line(20, 0.5))) == 0
    # One closed path of three units behind it; their part alone counts.
    looped = np.zeros((63, 63))
    looped[:60, :60], looped[60:, :60] = upper, 1.0
    looped[[60, 61, 62], [61, 62, 60]] = 0.5
    assert matrix_radius(looped) == pytest.approx(0.5, rel=1e-12)
    assert matrix_radius(topology.dense(topology.cycle(9, -0.75))) == pytest.approx(0.75)


def test_what_is_drawn() -> None:
    dense = random_dense(50, rng(6), 0.5)
    assert 0.49 < np.abs(dense).max() < 0.5 and abs(dense.mean()) < 0.02
    few = random_connections(50, 7, rng(6), 0.5)
    assert ((few != 0).sum(axis=1) == 7).all() and np.abs(few).max() < 0.5
    assert len({tuple(np.flatnonzero(row)) for row in few}) == 50
    sparse = random_sparse(200, 0.1, rng(6))
    assert (sparse != 0).mean() == pytest.approx(0.1, abs=0.01)
    assert not np.array_equal(sparse != 0, (sparse != 0).T)
    mutual = random_sparse(200, 0.1, rng(6), mutual=True)
    present = mutual != 0
    assert np.array_equal(present, present.T) and not present.diagonal().any()
    assert not np.allclose(mutual, mutual.T) and not np.allclose(mutual, -mutual.T)
    assert present.mean() == pytest.approx(0.1, abs=0.01)
    skew = random_antisymmetric(50, rng(6))
    assert np.array_equal(skew, -skew.T) and np.abs(skew).max() > 1


@pytest.mark.parametrize(
    "draw",
    [
        lambda g: random_dense(9, g),
        lambda g: random_connections(9, 3, g),
        lambda g: random_sparse(9, 0.5, g, mutual=True),
        lambda g: random_antisymmetric(9, g),
        lambda g: circular(9, 0.5, g),
    ],
)
def test_equal_generators_give_equal_matrices(draw: Draw) -> None:
    assert np.array_equal(draw(rng(8)), draw(rng(8)))
    assert not np.array_equal(draw(rng(8)), draw(rng(9)))


LINE = topology.dense(topology.delay_line(5, 0.5))

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "nilpotent": (
        lambda: scale_radius(LINE, 0.9),
        r"^spectral radius of the matrix must be above 0 to be scaled, not 0\.0$",
    ),
    "nilpotent without leak": (
        lambda: scale_leaky_radius(LINE, 0.9, 1.0),
        r"^spectral radius of \(1 - a\) I \+ a W must be above 0 to be scaled, not 0\.0$",
    ),
    "radius": (
        lambda: scale_radius(np.eye(3), -0.5),
        r"^radius must be at least 0 and finite, not -0\.5$",
    ),
    "circular radius": (
        lambda: circular(3, np.inf, rng()),
        r"^radius must be at least 0 and finite, not inf$",
    ),
    "leak": (
        lambda: scale_leaky_radius(np.eye(3), 0.9, 0.0),
        r"^leak rate must be above 0 and at most 1, not 0\.0$",
    ),
    "shape": (
        lambda: scale_radius(np.ones((2, 3)), 0.9),
        r"^weights must have shape \(N, N\), not \(2, 3\)$",
    ),
    "density": (
        lambda: random_sparse(5, 0.0, rng()),
        r"^density must be above 0 and at most 1, not 0\.0$",
    ),
    "connections": (
        lambda: random_connections(5, 6, rng()),
        r"^connections must be from 1 to 5, not 6$",
    ),
    "connections of the law": (
        lambda: circular(5, 0.9, rng(), connections=0),
        r"^connections must be from 1 to 5, not 0$",
    ),
    "units": (
        lambda: random_antisymmetric(0, rng()),
        r"^number of units must be at least 1, not 0$",
    ),
    "scale": (
        lambda: random_dense(5, rng(), -1.0),
        r"^scale must be at least 0 and finite, not -1\.0$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
