"""Real matrices as integers: format by the largest weight, nearest codes, what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.matrix import Matrix, Scaling
from rchw.train.matrices import (
    antisymmetric_codes,
    dense_codes,
    sparse_codes,
    weight_format,
)

Maker = Callable[..., Matrix]
MAKERS: tuple[Maker, ...] = (dense_codes, sparse_codes, antisymmetric_codes)


def drawn(n: int, seed: int, scale: float) -> Any:
    """Antisymmetric but for its diagonal, with holes: a matrix that every kind takes."""
    rng = np.random.default_rng(seed)
    half = np.tril(rng.uniform(-scale, scale, (n, n)) * (rng.random((n, n)) < 0.6), -1)
    return half - half.T - np.diag(rng.uniform(0.0, scale, n))


@given(st.integers(1, 6), st.integers(0, 99), st.integers(-20, 20), st.integers(2, 24))
def test_codes_are_nearest_in_the_format_with_the_most_fraction_bits(
    n: int, seed: int, exponent: int, width: int
) -> None:
    matrix = drawn(n, seed, 2.0 ** min(exponent, width - 2))
    for make in MAKERS:
        found = make(matrix, width)
        found.check(n, n)
        step = found.format.resolution
        assert np.abs(found.dense(n) * step - matrix).max() <= step / 2
        finer = np.floor(matrix * 2 / step + 0.5)
        whole = QFormat(width)
        if make is antisymmetric_codes:
            finer = np.tril(finer)
        room = whole.min <= finer.min() and finer.max() <= whole.max
        assert not room or found.format.frac == 48 or not matrix.any()


def test_a_weight_that_rounds_up_to_the_end_takes_the_coarser_format() -> None:
    assert weight_format([127.4 / 128], 8) == QFormat(8, 7)
    assert weight_format([127.6 / 128], 8) == QFormat(8, 6)
    assert weight_format([-1.0], 8) == QFormat(8, 7)
    assert weight_format([[0.0, 0.0]], 8) == QFormat(8, 7)


def test_sparse_rows_hold_no_zero_and_antisymmetric_ones_what_is_below_the_diagonal() -> None:
    matrix = [[-0.25, 0.0, -1.5], [0.0, 0.001, 0.0], [1.5, 0.0, 0.5]]
    sparse = sparse_codes(matrix, 6, Scaling("radius", 1.5))
    assert sparse.codes == ((-4, -24), (), (24, 8))
    assert sparse.columns == ((0, 2), (), (0, 2))
    assert sparse.scaling == Scaling("radius", 1.5)
    square = antisymmetric_codes(matrix, 6)
    assert square.codes == ((), (0,), (24, 0))
    assert square.diagonal == (-4, 0, 8)
    assert dense_codes(matrix, 6).full.tolist() == square.full.tolist() == sparse.full.tolist()


@pytest.mark.parametrize(
    ("make", "matrix", "width", "sentence"),
    [
        (dense_codes, [[1.0]], 1, "weight bits must be from 2 to 24, not 1"),
        (sparse_codes, [[1.0]], 25, "weight bits must be from 2 to 24, not 25"),
        (dense_codes, [[8.0]], 4, "matrix weights must fit 4 bits, not be as large as 8"),
        (sparse_codes, [[-9.0]], 4, "matrix weights must fit 4 bits, not be as large as -9"),
        (
            dense_codes,
            [[float("nan")]],
            8,
            "weights and bias must be finite, not NaN or infinite",
        ),
        (dense_codes, [[1.0, 2.0]], 8, r"weights must have shape \(N, N\), not \(1, 2\)"),
        (
            antisymmetric_codes,
            [[0.0, 0.5], [-0.25, 0.0]],
            8,
            r"matrix must be antisymmetric but for its diagonal, not -0.25 at \(1, 0\) and 0.5 at "
            r"\(0, 1\)",
        ),
    ],
)
def test_what_no_integers_hold_is_refused(
    make: Maker, matrix: Any, width: int, sentence: str
) -> None:
    with pytest.raises(DesignError, match=f"^{sentence}$"):
        make(matrix, width)
