"""The loops of the ridge and of the rounding of weights, compiled: the same bits as in numpy.

Every element goes through the same operations in the same order as in `rchw.train.ridge` and
`rchw.train.quantize`, which stay the definition; a test holds these loops to them. Compiled without
any freedom to reorder or to fuse, a product is rounded before it is added, as it is in numpy. What
numpy does once for every column, on whole matrices, is done here row by row, while the row is in
the cache.
"""

import importlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["kernels"]


@lru_cache(maxsize=1)
def kernels() -> tuple[Callable[..., Any], ...] | None:
    """Factor, solve, product, nearest plane, descent, and what is left of totals; through numba.

    None where it is missing.

    Factor gives ``L``, ``d`` and the first pivot that is not above 0, or -1; the others are as the
    functions of their names.
    """
    loops = (_factor, _solve, _product, _nearest_plane, _descend, _less)
    try:
        numba: Any = importlib.import_module("numba")
        keep = numba.njit(cache=True)
        return tuple(keep(loop) for loop in loops)
    except ImportError:
        return None
    except RuntimeError:  # no folder to keep the machine code in
        return tuple(numba.njit(loop) for loop in loops)


def _factor(matrix: Any) -> Any:
    """Row i of the upper triangle takes all its products, of rows 0 to i - 1, one after another."""
    size = matrix.shape[0]
    upper = matrix.copy()
    lower = np.zeros((size, size))
    diagonal = np.empty(size)
    for i in range(size):
        row = upper[i]
        j = 0
        while j + 4 <= i:  # four at a time: the row is read and written once for them
            a, b, c, d = lower[i, j], lower[i, j + 1], lower[i, j + 2], lower[i, j + 3]
            for k in range(i, size):
                value = row[k] - a * upper[j, k]
                value = value - b * upper[j + 1, k]
                value = value - c * upper[j + 2, k]
                row[k] = value - d * upper[j + 3, k]
            j += 4
        while j < i:
            a = lower[i, j]
            for k in range(i, size):
                row[k] = row[k] - a * upper[j, k]
            j += 1
        pivot = row[i]
        diagonal[i] = pivot
        if not pivot > 0:
            return lower, diagonal, i
        lower[i, i] = 1.0
        for k in range(i + 1, size):
            lower[k, i] = row[k] / pivot
    return lower, diagonal, -1


def _solve(lower: Any, diagonal: Any, right: Any) -> Any:
    """Right sides (F, L); every element of x takes its products by rising, then falling j."""
    x = right.copy()
    size, outputs = x.shape
    for i in range(size):
        for j in range(i):
            for k in range(outputs):
                x[i, k] = x[i, k] - lower[i, j] * x[j, k]
    for i in range(size):
        for k in range(outputs):
            x[i, k] = x[i, k] / diagonal[i]
    for j in range(size - 1, 0, -1):
        for i in range(j):
            for k in range(outputs):
                x[i, k] = x[i, k] - lower[j, i] * x[j, k]
    return x


def _product(matrix: Any, x: Any) -> Any:
    size, outputs = x.shape
    total = np.zeros((size, outputs))
    for j in range(size):
        for i in range(size):
            for k in range(outputs):
                total[i, k] = total[i, k] + matrix[j, i] * x[j, k]
    return total


def _less(total: Any, sums: Any, weights: Any) -> Any:
    """Totals (L,) less ``sums[j] * weights[j]``, j after j; of sums (F,) and weights (F, L)."""
    left = total.copy()
    for j in range(sums.size):
        for k in range(left.size):
            left[k] = left[k] - sums[j] * weights[j, k]
    return left


def _nearest_plane(lower: Any, scale: Any, real: Any, limit: int) -> Any:
    size = real.size
    codes = np.empty(size)
    asked = np.zeros(size)
    for i in range(size - 1, -1, -1):
        target = real[i] + asked[i] / scale[i]
        codes[i] = min(max(np.floor(target + 0.5), -limit), limit)
        error = scale[i] * (real[i] - codes[i])
        for j in range(i):
            asked[j] = asked[j] + lower[i, j] * error
    return codes


def _descend(matrix: Any, scale: Any, real: Any, codes: Any, limit: int) -> Any:
    size = codes.size
    found = codes.copy()
    gradient = np.zeros(size)
    for j in range(size):
        error = scale[j] * (found[j] - real[j])
        for i in range(size):
            gradient[i] = gradient[i] + matrix[j, i] * error
    curvature = np.empty(size)
    for i in range(size):
        curvature[i] = scale[i] * scale[i] * matrix[i, i]
    for _ in range(4 * size):
        best, least = 0, np.inf
        for i in range(size):
            step = -1.0 if gradient[i] > 0 else 1.0
            change = curvature[i] - 2.0 * abs(scale[i] * gradient[i])
            if abs(found[i] + step) > limit:
                change = np.inf
            if np.isnan(change):
                return found
            if change < least:
                best, least = i, change
        if not least < -1e-9 * curvature[best]:
            break
        step = -1.0 if gradient[best] > 0 else 1.0
        found[best] = found[best] + step
        error = scale[best] * step
        for i in range(size):
            gradient[i] = gradient[i] + matrix[best, i] * error
    return found
