"""The fixed-order solve against numpy, its limit against least squares, its refusals."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train import ridge
from rchw.train.ridge import LAMBDAS, Normal, factor, solve_factored
from rchw.train.statistics import Statistics
from tests.reference.test_laws import solve

Integers = NDArray[np.int64]
Values = NDArray[np.float64]
SEEDS = st.integers(0, 2**32 - 1)


def problem(seed: int, samples: int = 300, features: int = 6, outputs: int = 2) -> Any:
    """Draw integer features of unlike scales and means, and targets that depend on them."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(samples, features)) @ rng.normal(size=(features, features))
    x = np.round(mixed * 10.0 ** rng.uniform(1, 4, features) + rng.normal(size=features) * 100)
    y = x @ rng.normal(size=(features, outputs)) + 50 * rng.normal(size=(samples, outputs))
    return x.astype(np.int64), np.round(y + 1000).astype(np.int64)


def with_one(x: Integers, code: int = 64) -> Integers:
    return np.column_stack([x, np.full(len(x), code)])


@given(st.integers(1, 12), SEEDS)
def test_the_factor_is_the_matrix(size: int, seed: int) -> None:
    """``L diag(d) L'`` with a unit lower triangle; solving agrees with numpy."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(size, size + 3))
    matrix = root @ root.T + 0.1 * np.eye(size)
    lower, diagonal = factor(matrix)
    assert np.array_equal(lower, np.tril(lower)) and np.all(np.diagonal(lower) == 1)
    assert np.allclose(lower * diagonal @ lower.T, matrix, rtol=1e-12, atol=1e-12)
    right = rng.normal(size=(size, 3))
    want = np.linalg.solve(matrix, right)
    assert np.allclose(solve_factored(lower, diagonal, right), want, rtol=1e-8, atol=1e-8)


@settings(max_examples=60)
@given(SEEDS, st.sampled_from([1e-8, 1e-4, 1e-2, 1.0]))
def test_ridge_with_a_constant_is_that_of_centred_data(seed: int, regularisation: float) -> None:
    """Lambda times the variance of each feature on its weight, nothing on the constant."""
    x, y = problem(seed)
    normal = Normal.of(Statistics.of(with_one(x), y), constant=True)
    weights = normal.solve(regularisation).weights
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    gram = xc.T @ xc
    penalty = regularisation * np.diag(np.diagonal(gram))
    want = np.linalg.solve(gram + penalty, xc.T @ yc)
    assert np.allclose(weights[:-1], want, rtol=1e-5, atol=1e-8 * np.abs(want).max())
    error = with_one(x) @ weights - y
    assert np.abs(error.mean(axis=0)).max() < 1e-8 * np.abs(y).max()


@settings(max_examples=60)
@given(SEEDS, st.sampled_from([1e-8, 1e-4, 1e-2, 1.0]))
def test_ridge_without_a_constant_takes_the_data_as_they_are(seed: int, value: float) -> None:
    x, y = problem(seed)
    weights = Normal.of(Statistics.of(x, y), constant=False).solve(value).weights
    gram = (x.T @ x).astype(float)
    want = np.linalg.solve(gram + value * np.diag(np.diagonal(gram)), (x.T @ y).astype(float))
    assert np.allclose(weights, want, rtol=1e-5, atol=1e-8 * np.abs(want).max())


def test_it_becomes_least_squares_as_lambda_vanishes() -> None:
    """The distance falls in proportion to lambda, down to the rounding of the solve."""
    x, y = problem(4)
    want = np.linalg.lstsq(with_one(x).astype(float), y.astype(float), rcond=None)[0]
    normal = Normal.of(Statistics.of(with_one(x), y), constant=True)
    lambdas = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
    away = [np.linalg.norm((normal.solve(v).weights - want)[:-1]) for v in lambdas]
    slopes = np.diff(np.log10(away))
    assert np.all(np.abs(slopes[1:] + 1) < 0.05), slopes
    assert away[-1] < 1e-4 * np.linalg.norm(want)


def test_the_error_grows_and_the_weights_shrink_with_lambda() -> None:
    x, y = problem(5, samples=20, features=12, outputs=1)
    normal = Normal.of(Statistics.of(with_one(x), y), constant=True)
    found = [solution.weights for solution in normal.solve_all()]
    assert len(found) == len(LAMBDAS)
    errors = [float(np.mean((with_one(x) @ w - y) ** 2)) for w in found]
    sizes = [float(np.sum((w[:-1, 0] * x.std(axis=0)) ** 2)) for w in found]
    assert errors == sorted(errors) and sizes == sorted(sizes, reverse=True)


def test_features_that_do_not_vary_get_no_weight() -> None:
    """A constant among the features, and one that is all zero."""
    x, y = problem(6, outputs=1)
    x[:, 2], x[:, 4] = 0, 77
    normal = Normal.of(Statistics.of(with_one(x), y), constant=True)
    assert normal.active.tolist() == [0, 1, 3, 5]
    weights = normal.solve(1e-6).weights
    assert weights[2, 0] == 0 and weights[4, 0] == 0
    kept = x[:, [0, 1, 3, 5]]
    alone = Normal.of(Statistics.of(with_one(kept), y), constant=True).solve(1e-6).weights
    assert np.array_equal(weights[[0, 1, 3, 5, 6]], alone)


def test_wide_statistics_are_solved_like_narrow_ones() -> None:
    """All features times 2**40: beyond 63 bits, and exactly the weights divided by 2**40."""
    x, y = problem(7)
    narrow = Normal.of(Statistics.of(with_one(x), y), True).solve(1e-6).weights
    wide = Statistics.of(with_one(x).astype(object) << 40, y)
    assert wide.gram.dtype == object
    assert np.array_equal(Normal.of(wide, True).solve(1e-6).weights * 2.0**40, narrow)


@pytest.mark.parametrize("regularisation", [1e-12, 1e-8, 1e-4])
def test_the_solve_loses_no_more_than_the_condition_explains(regularisation: float) -> None:
    """Nearly equal features, against the same matrix solved in rationals."""
    x, y = problem(9, features=5, outputs=1)
    twin = x[:, 0] + (np.arange(len(x)) % 50 == 0)
    normal = Normal.of(Statistics.of(np.column_stack([x, twin]), y), constant=False)
    found = normal.solve(regularisation)
    rows = zip(found.matrix.tolist(), normal.moment[:, 0].tolist(), strict=True)
    exact = solve([[*map(Fraction, row), Fraction(right)] for row, right in rows])
    want = np.array([float(value) for value in exact]) / normal.scale
    error = np.linalg.norm((found.weights[:, 0] - want) * normal.scale)
    condition = np.linalg.cond(found.matrix)
    assert condition > 0.5 / (regularisation + 1e-7)
    limit = 4 * condition * np.finfo(np.float64).eps
    assert error <= limit * np.linalg.norm(want * normal.scale)


def test_equal_features_share_their_weight_and_need_a_lambda() -> None:
    x, y = problem(8, features=3, outputs=1)
    twice = np.column_stack([x, x[:, 0]])
    normal = Normal.of(Statistics.of(with_one(twice), y), constant=True)
    weights = normal.solve(1e-6).weights
    assert weights[0, 0] == pytest.approx(weights[3, 0], rel=1e-6)
    with pytest.raises(DesignError, match=r"^regularisation must be large enough for pivot 3, not"):
        normal.solve(1e-30)
    assert [s.regularisation for s in normal.solve_all((1e-30, 1e-6))] == [1e-6]
    with pytest.raises(DesignError, match=r"^regularisation must be larger than \[1e-30\]$"):
        normal.solve_all((1e-30,))


def test_a_wrong_order_of_elimination_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A factor that forgets to divide by the pivot, or a missing intercept, fails the laws."""

    def careless(matrix: Values) -> tuple[Values, Values]:
        lower, diagonal = factor(matrix)
        lower[-1, 0] *= 1.001
        return lower, diagonal

    monkeypatch.setattr(ridge, "factor", careless)
    monkeypatch.setattr(ridge, "_product", lambda matrix, x: np.zeros_like(x))
    x, y = problem(10)
    gram = (x.T @ x).astype(float)
    found = Normal.of(Statistics.of(x, y), constant=False).solve(1e-6).weights
    want = np.linalg.solve(gram * (1 + 1e-6 * np.eye(6)), (x.T @ y).astype(float))
    assert not np.allclose(found, want, rtol=1e-5, atol=1e-8 * np.abs(want).max())


X, Y = problem(0)

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "nothing varies": (
        lambda: Normal.of(Statistics.of(with_one(X * 0 + 5), Y), constant=True),
        r"^features must vary over the training samples, not all be constant$",
    ),
    "zero": (
        lambda: Normal.of(Statistics.of(X, Y), constant=False).solve(0.0),
        r"^regularisation must be above 0, not 0\.0$",
    ),
    "negative": (
        lambda: Normal.of(Statistics.of(X, Y), constant=False).solve(-1.0),
        r"^regularisation must be above 0, not -1\.0$",
    ),
    "nan": (
        lambda: Normal.of(Statistics.of(X, Y), constant=False).solve(float("nan")),
        r"^regularisation must be above 0, not nan$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
