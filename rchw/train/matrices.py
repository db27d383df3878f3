"""From a matrix of real numbers to the integers of a design: one format, nearest codes.

The format has the width that is asked for and as many fraction bits as the largest weight leaves
room for. What a search draws and what a user brings from elsewhere become codes in the same way.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.fixed import QFormat, encode
from rchw.layers import MAX_WEIGHT_WIDTH, check_range
from rchw.matrix import Matrix, Scaling
from rchw.model.matrix import square_matrix

__all__ = ["antisymmetric_codes", "dense_codes", "sparse_codes", "weight_format"]

Values = NDArray[np.float64]
_MAX_FRAC = 48


def weight_format(values: ArrayLike, width: int, what: str = "matrix weights") -> QFormat:
    """Signed format of `width` bits with the most fraction bits that saturate no nearest code.

    Zeros alone get one bit less than the width.

    Parameters
    ----------
    values : array, any shape
    width : int
        2 to 24.
    what : str
        What they are, for errors.

    Raises
    ------
    DesignError
        If the width is out of range, a value is not finite, or too large for `width` bits without
        a fraction.

    >>> [str(weight_format(values, 8)) for values in ([0.5, -0.9], [0.01], [3])]
    ['sfix8_en7', 'sfix8_en13', 'sfix8_en5']
    """
    check_range("weight bits", width, 2, MAX_WEIGHT_WIDTH)
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise DesignError(f"{what} must be finite, not NaN or infinite")
    low, high = float(array.min(initial=0.0)), float(array.max(initial=0.0))
    if low == high:
        return QFormat(width, width - 1)
    for frac in range(_MAX_FRAC, -1, -1):
        fmt = QFormat(width, frac)
        nearest = np.floor(np.array([low, high]) * 2.0**frac + 0.5)
        if fmt.min <= nearest[0] and nearest[1] <= fmt.max:
            return fmt
    largest = low if -low > high else high
    raise DesignError(f"{what} must fit {width} bits, not be as large as {largest:g}")


def dense_codes(
    weights: ArrayLike, width: int, scaling: Scaling | None = None, columns: int | None = None
) -> Matrix:
    """Integer matrix of kind ``dense``.

    Parameters
    ----------
    weights : array (N, N)
        Unit i reads unit j times ``weights[i, j]``.
    width : int
        Of all codes, 2 to 24 bits; the format is that of `weight_format`.
    scaling : Scaling, optional
        What `weights` were scaled to.
    columns : int, optional
        N', where a layer reads another one: `weights` then are (N, N').

    Raises
    ------
    DesignError
        If the shape is another, or no format of this width holds the weights.

    >>> dense_codes([[0.5, -1.0], [0.26, 0.1]], 3).codes
    ((2, -4), (1, 0))
    """
    matrix = _matrix(weights, columns)
    fmt = weight_format(matrix, width)
    return Matrix(fmt, "dense", _rows(encode(matrix, fmt)), scaling=scaling)


def sparse_codes(
    weights: ArrayLike, width: int, scaling: Scaling | None = None, columns: int | None = None
) -> Matrix:
    """Integer matrix of kind ``sparse``: of every row the codes that are not 0.

    Parameters and errors are those of `dense_codes`. A weight that rounds to 0 is no connection.

    >>> sparse_codes([[0.5, 0.0], [0.001, -0.25]], 3).columns
    ((0,), (1,))
    """
    matrix = _matrix(weights, columns)
    fmt = weight_format(matrix, width)
    codes = encode(matrix, fmt)
    places = tuple(tuple(np.flatnonzero(row).tolist()) for row in codes)
    kept = tuple(tuple(row[row != 0].tolist()) for row in codes)
    return Matrix(fmt, "sparse", kept, columns=places, scaling=scaling)


def antisymmetric_codes(weights: ArrayLike, width: int, scaling: Scaling | None = None) -> Matrix:
    """Integer matrix of kind ``antisymmetric``: what is below the diagonal, and the diagonal.

    Parameters
    ----------
    weights : array (N, N)
        ``W[j, i] = -W[i, j]`` to the bit, but for the diagonal, which may hold anything.
    width, scaling
        As of `dense_codes`; the diagonal has the format of the rest.

    Raises
    ------
    DesignError
        As of `dense_codes`, and if the matrix is not antisymmetric.

    >>> found = antisymmetric_codes([[-0.25, -0.5], [0.5, -0.25]], 3)
    >>> found.codes, found.diagonal, str(found.format)
    (((), (2,)), (-1, -1), 'sfix3_en2')
    """
    matrix = square_matrix(weights)
    wrong = np.argwhere(np.tril(matrix + matrix.T, -1))
    if len(wrong):
        i, j = wrong[0].tolist()
        raise DesignError(
            f"matrix must be antisymmetric but for its diagonal, not {matrix[i, j]:g} at ({i}, "
            f"{j}) and {matrix[j, i]:g} at ({j}, {i})"
        )
    below = np.tril(matrix)  # W[j][i] is minus the code of W[i][j], which always fits the integers
    fmt = weight_format(below, width)
    codes = encode(below, fmt)
    triangle = tuple(tuple(row[:i].tolist()) for i, row in enumerate(codes))
    diagonal = tuple(np.diagonal(codes).tolist())
    return Matrix(fmt, "antisymmetric", triangle, diagonal=diagonal, scaling=scaling)


def _matrix(weights: ArrayLike, columns: int | None) -> Values:
    if columns is None:
        return square_matrix(weights)
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.ndim != 2 or not len(matrix) or matrix.shape[1] != columns:
        raise DesignError(f"weights must have shape (N, {columns}), not {matrix.shape}")
    return matrix


def _rows(codes: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(row) for row in codes.tolist())
