"""Ridge regression in a fixed order of operations, the same bits on any BLAS and thread count.

``(R + lambda I) v = r`` is solved for standardised features: R is the correlation matrix where the
design has a constant feature (which is then not regularised: it is eliminated exactly, in
integers), and the normalised second moments where it has none. The factor is ``L D L'``, computed
column by column with elementwise products and differences only; those are single IEEE operations,
so no library may reorder or fuse them, unlike the sums inside a BLAS call. One column costs one
outer product: about 15 ms for 200 features. Two rounds of refinement against the matrix then take
out what the factor lost; unit diagonals keep ``lambda`` well above the rounding of either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.compiled import kernels
from rchw.train.statistics import Statistics

__all__ = ["LAMBDAS", "Normal", "Solution", "factor", "solve_factored"]

Values = NDArray[np.float64]

_BLOCK = 64  # rows updated together: half the work of whole matrices, and they stay in the cache

LAMBDAS = (1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


def factor(matrix: Values) -> tuple[Values, Values]:
    """``L`` (unit lower triangle) and ``d`` of a positive definite matrix ``L diag(d) L'``.

    Parameters
    ----------
    matrix : float64 array (F, F), symmetric

    Returns
    -------
    lower : float64 array (F, F)
    diagonal : float64 array (F,)

    Raises
    ------
    DesignError
        If a pivot is not above 0.
    """
    work = np.array(matrix, dtype=np.float64, order="C")
    compiled, size = kernels(), len(work)
    if compiled is not None:
        lower, diagonal, bad = compiled[0](work)
        if bad >= 0:
            raise _not_positive(bad, diagonal[bad])
        return lower, diagonal
    lower, diagonal = np.eye(size), np.empty(size)
    scratch = np.empty((_BLOCK, size))
    for j in range(size):
        pivot = work[j, j]
        if not pivot > 0:
            raise _not_positive(j, pivot)
        diagonal[j] = pivot
        row = work[j].copy()
        lower[j + 1 :, j] = row[j + 1 :] / pivot
        for start in range(j + 1, size, _BLOCK):  # only what is right of the diagonal is read
            rows, part = work[start : start + _BLOCK, start:], scratch[: size - start, start:]
            np.multiply(lower[start : start + _BLOCK, j, None], row[start:], out=part)
            np.subtract(rows, part, out=rows)
    return lower, diagonal


def _not_positive(number: int, pivot: float) -> DesignError:
    return DesignError(f"regularisation must be large enough for pivot {number}, not {pivot}")


def solve_factored(lower: Values, diagonal: Values, right: Values) -> Values:
    """Solve ``L diag(d) L' x = right`` for right sides of shape (F, L), column by column."""
    x = np.array(right, dtype=np.float64, order="C")
    compiled, size = kernels(), len(x)
    if compiled is not None:
        solved: Values = compiled[1](np.ascontiguousarray(lower), diagonal, x)
        return solved
    for j in range(size):
        x[j + 1 :] -= lower[j + 1 :, j, None] * x[j]
    x /= diagonal[:, None]
    for j in range(size - 1, 0, -1):
        x[:j] -= lower[j, :j, None] * x[j]
    return x


def _product(matrix: Values, x: Values) -> Values:
    """``matrix @ x`` with rows added one after the other; the matrix is symmetric."""
    compiled = kernels()
    if compiled is not None:
        product: Values = compiled[2](np.ascontiguousarray(matrix), np.ascontiguousarray(x))
        return product
    total = np.zeros_like(x)
    for j in range(len(x)):
        total += matrix[j][:, None] * x[j]
    return total


@dataclass(frozen=True)
class Solution:
    """Real weights for one lambda, and the metric in which rounding them costs output error.

    Attributes
    ----------
    regularisation : float
        lambda, relative to the variance of a feature times the samples.
    weights : float64 array (F, L)
        Target steps per feature step; the constant feature, where present, is the last.
    lower, diagonal : float64 arrays (A, A), (A,)
        Factor of ``R + lambda I`` over the active features.
    matrix : float64 array (A, A)
        ``R + lambda I`` itself.
    """

    regularisation: float
    weights: Values
    lower: Values
    diagonal: Values
    matrix: Values


@dataclass(frozen=True)
class Normal:
    """The standardised normal equations of exact statistics.

    Attributes
    ----------
    correlation : float64 array (A, A)
        R, unit diagonal, over the active features.
    moment : float64 array (A, L)
    scale : float64 array (A,)
        What a step of each active feature is worth.
    active : int array (A,)
        Features that vary; the others get weight 0.
    constant : bool
        Whether the last feature is constant and was eliminated.
    statistics : Statistics
    """

    correlation: Values
    moment: Values
    scale: Values
    active: NDArray[np.int64]
    constant: bool
    statistics: Statistics

    @classmethod
    def of(cls, statistics: Statistics, constant: bool) -> "Normal":
        """Standardise; `constant` says that the last feature is the constant one.

        Raises
        ------
        DesignError
            If no feature varies.
        """
        gram, moment = statistics.gram, statistics.moment
        if constant:
            gram, moment = statistics.centred()
            gram, moment = gram[:-1, :-1], moment[:-1]
        power = np.array([int(v) for v in np.diagonal(gram)], dtype=object)
        active = np.flatnonzero(power > 0)
        if not active.size:
            raise DesignError("features must vary over the training samples, not all be constant")
        scale = np.sqrt(_floats(power[active]))
        correlation = _floats(gram[np.ix_(active, active)]) / scale[:, None] / scale
        correlation[np.diag_indices(len(active))] = 1.0
        return cls(
            correlation, _floats(moment[active]) / scale[:, None], scale, active, constant,
            statistics,
        )  # fmt: skip

    def solve(self, regularisation: float) -> Solution:
        """Weights for one lambda.

        Raises
        ------
        DesignError
            If lambda is not above 0, or too small for a positive definite matrix.
        """
        if not regularisation > 0:
            raise DesignError(f"regularisation must be above 0, not {regularisation}")
        matrix = self.correlation.copy()
        matrix[np.diag_indices(len(matrix))] = 1.0 + regularisation
        lower, diagonal = factor(matrix)
        v = solve_factored(lower, diagonal, self.moment)
        for _ in range(2):
            v = v + solve_factored(lower, diagonal, self.moment - _product(matrix, v))
        n_features, n_outputs = self.statistics.moment.shape
        weights = np.zeros((n_features, n_outputs))
        weights[self.active] = v / self.scale[:, None]
        if self.constant:
            weights[-1] = self.intercept(weights)
        return Solution(regularisation, weights, lower, diagonal, matrix)

    def intercept(self, weights: Values) -> Values:
        """Weight of the constant feature that makes the mean error zero; (F, L) -> (L,)."""
        s = self.statistics
        total, sums = _floats(s.target_sums), _floats(s.sums)
        compiled = kernels()
        if compiled is not None:
            each = np.broadcast_to(
                weights[:-1], (len(weights) - 1, len(total))
            )  # one may do for all
            total = compiled[5](total, sums[:-1], np.ascontiguousarray(each))
        else:
            for j in range(len(weights) - 1):
                total = total - sums[j] * weights[j]
        result: Values = total / float(int(s.sums[-1]))
        return result

    def solve_all(self, regularisations: Sequence[float] = LAMBDAS) -> list[Solution]:
        """Solutions for a list of lambdas; those too small to factor are left out.

        Raises
        ------
        DesignError
            If none is left.
        """
        found = []
        for regularisation in regularisations:
            try:
                found.append(self.solve(regularisation))
            except DesignError:
                continue
        if not found:
            raise DesignError(f"regularisation must be larger than {list(regularisations)}")
        return found


def _floats(array: NDArray[Any]) -> Values:
    """Nearest doubles of integers of any size."""
    if array.dtype != object:
        return array.astype(np.float64)
    return np.array([float(int(v)) for v in array.ravel()], dtype=np.float64).reshape(array.shape)
