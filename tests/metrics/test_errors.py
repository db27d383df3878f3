"""Errors by hand, and the refusals."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rchw.errors import DesignError
from rchw.metrics import nmse, nrmse, symbol_error_rate, valid_prediction_time


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


def test_valid_prediction_time_by_hand() -> None:
    truth = np.array([1.0, -1.0, 1.0, -1.0])
    assert valid_prediction_time(truth + np.array([0, 0.4, 0.41, 0]), truth) == 2
    assert valid_prediction_time(truth, truth) == 4
    assert valid_prediction_time(truth + 1, truth) == 0
    two = np.stack([truth, truth], axis=1)  # the spread of both is the root of 2
    off = np.array([[0, 0], [0.3, 0.3], [0.5, 0.5], [0, 0]])
    assert valid_prediction_time(two + off, two, 0.4) == 2


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
    "threshold": (
        lambda: valid_prediction_time([1.0, 2.0], [1.0, 2.0], 0.0),
        r"threshold must be above 0, not 0\.0",
    ),
    "still": (
        lambda: valid_prediction_time([1.0, 2.0], [1.0, 1.0]),
        r"truth must vary for a valid prediction time",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
