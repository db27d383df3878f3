"""Quantiles of chi-square against scipy, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from rchw.errors import DesignError
from rchw.metrics import chi_square_quantile


@given(st.integers(1, 5000), st.sampled_from([1e-4, 0.01, 0.5, 0.95, 0.999, 1 - 1e-6]))
def test_quantiles_are_those_of_scipy(degrees: int, probability: float) -> None:
    want = chi2.ppf(probability, degrees)
    assert chi_square_quantile(degrees, probability) == pytest.approx(want, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(("degrees", "probability", "sentence"), [
    (0, 0.5, "^degrees of freedom must be above 0, not 0$"),
    (3, 1.0, r"^probability must be between 0 and 1, not 1\.0$"),
])  # fmt: skip
def test_refused_with_the_reason(degrees: float, probability: float, sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        chi_square_quantile(degrees, probability)
