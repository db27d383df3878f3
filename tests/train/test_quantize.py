"""Integer weights: exact errors, never above nearest rounding, near the optimum of all codes."""

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train import quantize as module
from rchw.train.quantize import QuantizedRow, largest_exponent, quantize
from rchw.train.ridge import Normal
from rchw.train.statistics import Statistics

Integers = NDArray[np.int64]


def problem(seed: int, features: int = 3, samples: int = 60) -> tuple[Integers, Integers]:
    """Draw correlated integer features and one noisy target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, features)) @ rng.normal(size=(features, features))
    x = np.round(100 * x)
    y = 8 * (x @ rng.normal(size=(features, 1)) + 20 * rng.normal(size=(samples, 1)))
    return x.astype(np.int64), np.round(y).astype(np.int64)


def correlated(seed: int, features: int = 20, samples: int = 300) -> tuple[Integers, Integers]:
    """Draw features that are a slow series at delays, as states of a reservoir are."""
    rng = np.random.default_rng(seed)
    series = np.convolve(rng.normal(size=samples + features), np.hanning(15), mode="same")
    delayed = [series[k : samples + k] for k in range(features)]
    x = np.round(1000 * np.stack(delayed, axis=1) + 20 * rng.normal(size=(samples, features)))
    y = np.round(3000 * np.tanh(x[:, :1] / 900 - x[:, -1:] / 1500))
    return x.astype(np.int64), y.astype(np.int64)


def error_of(row: QuantizedRow, x: Integers, y: Integers) -> Fraction:
    """Mean squared error sample by sample, in rationals."""
    step = Fraction(1) / Fraction(2) ** row.exponent
    errors = (
        (int(t) - step * sum(int(w) * int(v) for w, v in zip(row.weights, values, strict=True)))
        ** 2
        for t, values in zip(y[:, 0], x, strict=True)
    )
    return sum(errors, Fraction(0)) / len(x)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(2, 16), st.integers(-6, 6), st.booleans())
def test_the_stated_error_is_exact(seed: int, width: int, power: int, constant: bool) -> None:
    """Also where weights are far above or below 1, so that exponents take both signs."""
    x, y = problem(seed)
    if power > 0:
        x = x << (2 * power)
    else:
        y = y << (-2 * power)
    if constant:
        x = np.column_stack([x, np.full(len(x), 16)])
    normal = Normal.of(Statistics.of(x, y), constant)
    found = quantize(normal, normal.solve(1e-9), width)
    limit = (1 << (width - 1)) - 1
    for row in (*found.rows, *found.compensated, *found.nearest):
        assert float(error_of(row, x, y)) == pytest.approx(row.error, rel=1e-12)
        assert np.abs(row.weights).max() <= limit


def test_what_is_kept_is_never_worse_than_nearest() -> None:
    """The better of both is kept: nearly always the compensated row, once in a while the other."""
    ratios = []
    for seed in (*range(40), 64, 143, 265):
        x, y = correlated(seed, features=8, samples=80)
        normal = Normal.of(Statistics.of(x, y), constant=False)
        found = quantize(normal, normal.solve(1e-9), 3 + seed % 12)
        kept, compensated, nearest = (
            rows[0].error for rows in (found.rows, found.compensated, found.nearest)
        )
        assert kept == min(compensated, nearest)
        ratios.append(compensated / nearest)
    assert 0 < np.mean(np.array(ratios) > 1) < 0.1
    assert np.exp(np.mean(np.log(ratios))) < 0.9


@pytest.mark.parametrize("width", [6, 8, 10])
def test_compensation_is_worth_a_lot_on_correlated_features(width: int) -> None:
    """What rounding adds to the error of the real weights falls to less than a quarter."""
    x, y = correlated(1)
    normal = Normal.of(Statistics.of(x, y), constant=False)
    solution = normal.solve(1e-9)
    found = quantize(normal, solution, width)
    real = float(np.mean((x @ solution.weights - y) ** 2))
    added = [row.error - real for row in (found.compensated[0], found.nearest[0])]
    assert 0 < added[0] < 0.25 * added[1]


def test_the_nearest_plane_is_worth_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """With 40 features descent from the nearest codes alone adds more than twice the error."""

    def added() -> Any:
        found = []
        for normal, solution, real in problems:
            found.append(quantize(normal, solution, 8).compensated[0].error - real)
        return np.array(found)

    problems = []
    for seed in range(6):
        x, y = correlated(seed, features=40)
        normal = Normal.of(Statistics.of(x, y), constant=False)
        solution = normal.solve(1e-9)
        problems.append((normal, solution, float(np.mean((x @ solution.weights - y) ** 2))))
    both = added()
    monkeypatch.setattr(module, "_nearest_plane", lambda s, scale, real, limit: np.round(real))
    descent = added()
    assert np.exp(np.mean(np.log(both / descent))) < 0.5


def test_it_is_near_the_best_of_all_codes() -> None:
    """All 15**3 weights of 4 bits at both exponents, 40 problems: the best in 6 of 10."""
    ratios = []
    for seed in range(40):
        x, y = problem(seed)
        normal = Normal.of(Statistics.of(x, y), constant=False)
        solution = normal.solve(1e-11)
        found = quantize(normal, solution, 4)
        codes = np.array(list(product(range(-7, 8), repeat=3)), dtype=float)
        exponent = largest_exponent(solution.weights[:, 0], 4)
        best = min(
            float(np.min(np.mean((codes * 2.0**-e @ x.T - y[:, 0]) ** 2, axis=1)))
            for e in (exponent, exponent + 1)
        )
        ratios.append(found.compensated[0].error / best)
    assert min(ratios) > 1 - 1e-9
    assert np.mean(np.array(ratios) < 1 + 1e-9) >= 0.6
    assert np.median(ratios) < 1 + 1e-9 and max(ratios) < 4


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), st.integers(2, 24))
def test_the_exponent_is_the_largest_that_fits(weights: list[float], width: int) -> None:
    limit = (1 << (width - 1)) - 1
    array = np.array(weights)
    exponent = largest_exponent(array, width)
    largest = float(np.abs(array).max())
    if largest == 0:
        assert exponent == 0
        return
    assert np.floor(np.ldexp(largest, exponent) + 0.5) <= limit
    assert np.floor(np.ldexp(largest, exponent + 1) + 0.5) > limit


def test_outputs_are_quantised_one_by_one() -> None:
    x, y = problem(3)
    both = np.column_stack([y, 1000 * y + 7])
    normal = Normal.of(Statistics.of(x, both), constant=False)
    together = quantize(normal, normal.solve(1e-9), 8).rows
    for k in range(2):
        one = Normal.of(Statistics.of(x, both[:, [k]]), constant=False)
        alone = quantize(one, one.solve(1e-9), 8).rows[0]
        assert together[k].weights.tolist() == alone.weights.tolist()
        assert together[k].exponent == alone.exponent and together[k].error == alone.error


def test_wrong_compensation_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the sign of what is asked of the others turned, the test of its worth fails."""

    def wrong(solution: Any, scale: Any, real: Any, limit: int) -> Any:
        codes, asked = np.empty(len(real)), np.zeros(len(real))
        for i in range(len(real) - 1, -1, -1):
            codes[i] = np.clip(np.floor(real[i] - asked[i] / scale[i] + 0.5), -limit, limit)
            asked[:i] += solution.lower[i, :i] * (scale[i] * (real[i] - codes[i]))
        return codes

    monkeypatch.setattr(module, "_nearest_plane", wrong)
    monkeypatch.setattr(module, "_descend", lambda s, scale, real, codes, limit: codes)
    with pytest.raises(AssertionError):
        test_compensation_is_worth_a_lot_on_correlated_features(8)


@pytest.mark.parametrize("width", [1, 25])
def test_a_width_out_of_range_is_refused(width: int) -> None:
    x, y = problem(0)
    normal = Normal.of(Statistics.of(x, y), constant=False)
    sentence = f"^width of readout weights must be from 2 to 24, not {width}$"
    with pytest.raises(DesignError, match=sentence):
        quantize(normal, normal.solve(1e-6), width)


def test_weights_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DesignError, match=r"^readout weights must be finite, not inf$"):
        largest_exponent(np.array([1.0, np.inf]), 8)
