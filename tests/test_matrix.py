"""Matrices of integers: what their rows hold, and what is refused."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from rchw.design import Matrix, Scaling
from rchw.errors import DesignError
from rchw.fixed import QFormat

FMT = QFormat(4, 2)


def test_rows_of_every_kind() -> None:
    dense = Matrix(FMT, "dense", ((1, 0, -8), (0, 0, 0), (7, 2, 3)))
    assert dense.rows == (((0, 1), (2, -8)), (), ((0, 7), (1, 2), (2, 3)))
    sparse = Matrix(FMT, "sparse", ((1, -8), (), (7, 2, 3)), ((0, 2), (), (0, 1, 2)))
    assert sparse.rows == dense.rows
    assert np.array_equal(sparse.dense(3), dense.dense(3))
    assert dense.dense(3).tolist() == [[1, 0, -8], [0, 0, 0], [7, 2, 3]]


def test_an_antisymmetric_matrix_is_minus_its_transpose() -> None:
    """But for the diagonal; the negative of the least code is no code, and counts all the same."""
    matrix = Matrix(FMT, "antisymmetric", ((), (-8,), (3, 5)), diagonal=(-1, 0, 2))
    full = matrix.dense(3)
    assert full.tolist() == [[-1, 8, -3], [-8, 0, -5], [3, 5, 2]]
    off = full - np.diag(np.diag(full))
    assert np.array_equal(off, -off.T)
    # Its eigenvalues are imaginary, and so the flow along it keeps the length of a state.
    assert np.allclose(np.linalg.eigvals(off).real, 0, atol=1e-12)


def checked(matrix: Matrix, n: int = 2) -> Callable[[], None]:
    return lambda: matrix.check(n, n)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "kind": (
        lambda: Matrix(FMT, "band", ()),
        r"matrix must be one of dense, sparse, antisymmetric, not 'band'",
    ),
    "width": (
        lambda: Matrix(QFormat(25), "dense", ()),
        r"width of matrix weights must be from 1 to 24, not 25",
    ),
    "columns": (
        lambda: Matrix(FMT, "dense", ((1,),), ((0,),)),
        r"columns must be left out of a matrix of kind dense",
    ),
    "diagonal": (
        lambda: Matrix(FMT, "sparse", ((1,),), ((0,),), diagonal=(1,)),
        r"diagonal must be left out of a matrix of kind sparse",
    ),
    "rule": (
        lambda: Scaling("norm", 1.0),
        r"scaling rule must be one of radius, leaky-radius, circular, not 'norm'",
    ),
    "value": (
        lambda: Scaling("radius", float("nan")),
        r"scaling value must be finite, not nan",
    ),
    "rows": (checked(Matrix(FMT, "dense", ((1, 2),))), r"matrix must have 2 rows, not 1"),
    "not square": (
        checked(Matrix(FMT, "dense", ((1, 2), (1,)))),
        r"row 1 of the matrix must have 2 codes, not 1",
    ),
    "large": (
        checked(Matrix(FMT, "dense", ((1, 2), (1, 8)))),
        r"row 1 of the matrix\[1\] must be from -8 to 7 \(sfix4_en2\), not 8",
    ),
    "real": (
        checked(Matrix(FMT, "dense", ((1, 2), (1, cast(Any, 0.5))))),
        r"row 1 of the matrix\[1\] must be a Python integer, not 0\.5",
    ),
    "triangle": (
        checked(Matrix(FMT, "antisymmetric", ((1,), (1,)), diagonal=(0, 0))),
        r"row 0 of the matrix must have 0 codes, not 1",
    ),
    "no diagonal": (
        checked(Matrix(FMT, "antisymmetric", ((), (1,)))),
        r"diagonal of the matrix must have 2 codes, not 0",
    ),
    "fewer columns": (
        checked(Matrix(FMT, "sparse", ((1,), (1,)), ((0,),))),
        r"columns of the matrix must have 2 rows, not 1",
    ),
    "falling columns": (
        checked(Matrix(FMT, "sparse", ((1,), (1, 2)), ((0,), (1, 0)))),
        r"columns of row 1 of the matrix must rise within 0 to 1, not be \[1, 0\]",
    ),
    "far column": (
        checked(Matrix(FMT, "sparse", ((1,), (1,)), ((0,), (2,)))),
        r"columns of row 1 of the matrix must rise within 0 to 1, not be \[2\]",
    ),
    "codes and columns": (
        checked(Matrix(FMT, "sparse", ((1,), (1, 2)), ((0,), (1,)))),
        r"row 1 of the matrix must have 1 codes, not 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    make, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=f"^{sentence}$"):
        make()
