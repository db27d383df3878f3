"""Intervals of counts against a published table, a closed form, and scipy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from rchw.errors import DesignError
from rchw.metrics import count_interval


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
