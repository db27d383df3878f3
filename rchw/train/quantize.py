"""Readout weights as integers, so that the error of the output, not of the weights, is minimal.

Rounding one weight is compensated in those not yet rounded. With the regularised Gram matrix
``A = L D L'`` the cost of an error e (in standardised weights) is ``sum_j d_j ((L'e)_j)**2``; going
from the last weight to the first, each is rounded to the nearest integer of what the earlier errors
ask of it. This is Babai's nearest plane, and the same as optimal brain quantisation with a fixed
order. Afterwards single weights move by one step as long as the cost falls. Every sum is formed in
a fixed order by elementwise operations, so the integers are the same on any machine.

Sources: L. Babai, "On Lovasz' lattice reduction and the nearest lattice point problem",
Combinatorica 6, 1986; E. Frantar et al., "GPTQ", arXiv 2210.17323.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.compiled import kernels
from rchw.train.ridge import Normal, Solution

__all__ = ["QuantizedReadout", "QuantizedRow", "largest_exponent", "quantize", "quantize_row"]

Values = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class QuantizedRow:
    """Integer weights of one output.

    Attributes
    ----------
    weights : int64 array (F,)
    exponent : int
        ``weights * 2**-exponent`` approximate the real weights.
    error : float
        Mean squared error on the training samples in squared target steps, exact up to the last
        division; the rounding of the output is not in it.
    method : str
        ``"compensated"``, ``"nearest"``, or ``"budget"`` (`rchw.train.frontier`).
    """

    weights: Codes
    exponent: int
    error: float
    method: str


@dataclass(frozen=True)
class QuantizedReadout:
    """The rows that were kept, and both methods for comparison, per output."""

    rows: tuple[QuantizedRow, ...]
    compensated: tuple[QuantizedRow, ...]
    nearest: tuple[QuantizedRow, ...]


def quantize(
    normal: Normal, solution: Solution, width: int | Sequence[int], *, shared: bool = False
) -> QuantizedReadout:
    """Integer weights of `width` bits for every output.

    Parameters
    ----------
    normal : Normal
    solution : Solution
        Of `normal`.
    width : int or sequence of int
        Bits of a weight, of all outputs or of each, sign included; at least 2.
    shared : bool
        All outputs have the same step, so that they can be compared with each other; then they
        have one width.

    Returns
    -------
    QuantizedReadout
        Per output the method with the smaller exact error on the training samples.

    Raises
    ------
    DesignError
        If a width is out of range, there is not one for each output, or a weight is not finite.
    """
    n_outputs = solution.weights.shape[1]
    widths = [width] * n_outputs if isinstance(width, int) else list(width)
    if len(widths) != n_outputs:
        raise DesignError(f"readout bits must be {n_outputs} for as many outputs, not {widths}")
    for each in widths:
        if not 2 <= each <= 24:
            raise DesignError(f"width of readout weights must be from 2 to 24, not {each}")
    if shared:
        if len(set(widths)) > 1:
            raise DesignError(f"readout bits must be one number for a shared step, not {widths}")
        return _shared(normal, solution, widths[0])
    rows = [quantize_row(normal, solution, k, each) for k, each in enumerate(widths)]
    kept = tuple(min(best, plain, key=lambda row: row.error) for best, plain in rows)
    return QuantizedReadout(kept, tuple(row[0] for row in rows), tuple(row[1] for row in rows))


def quantize_row(
    normal: Normal, solution: Solution, output: int, width: int
) -> tuple[QuantizedRow, QuantizedRow]:
    """Integer weights of one output: compensated, and nearest."""
    exponent = largest_exponent(solution.weights[:, output], width)
    # One bit more makes every step finer at the price of limiting the few largest weights.
    tried = [_row(normal, solution, output, exponent + extra, width, True) for extra in (0, 1)]
    plain = _row(normal, solution, output, exponent, width, False)
    return min(tried, key=lambda row: row.error), plain


def _shared(normal: Normal, solution: Solution, width: int) -> QuantizedReadout:
    outputs = range(solution.weights.shape[1])
    exponent = min(largest_exponent(solution.weights[:, k], width) for k in outputs)

    def rows(extra: int, compensate: bool) -> tuple[QuantizedRow, ...]:
        step = exponent + extra
        return tuple(_row(normal, solution, k, step, width, compensate) for k in outputs)

    def error(found: tuple[QuantizedRow, ...]) -> float:
        return sum(row.error for row in found)

    best, plain = min(rows(0, True), rows(1, True), key=error), rows(0, False)
    return QuantizedReadout(min(best, plain, key=error), best, plain)


def largest_exponent(weights: Values, width: int) -> int:
    """Largest p so that no ``weight * 2**p`` rounds beyond ``2**(width - 1) - 1``."""
    largest = float(np.abs(weights).max())
    if not np.isfinite(largest):
        raise DesignError(f"readout weights must be finite, not {largest}")
    limit = (1 << (width - 1)) - 1
    if largest == 0.0:
        return 0
    exponent = width - 1 - int(np.frexp(largest)[1])
    return exponent if np.floor(np.ldexp(largest, exponent) + 0.5) <= limit else exponent - 1


def _row(
    normal: Normal, solution: Solution, output: int, exponent: int, width: int, compensate: bool
) -> QuantizedRow:
    limit = (1 << (width - 1)) - 1
    real = np.ldexp(solution.weights[:, output], exponent)
    codes = np.clip(np.floor(real + 0.5), -limit, limit)
    active = normal.active
    if compensate:
        codes[active] = _nearest_plane(solution, normal.scale, real[active], limit)
        codes[active] = _descend(solution, normal.scale, real[active], codes[active], limit)
    if normal.constant:
        offset = float(normal.intercept(np.ldexp(codes, -exponent)[:, None])[output])
        codes[-1] = min(max(np.floor(np.ldexp(offset, exponent) + 0.5), -limit), limit)
    weights = codes.astype(np.int64)
    exact = normal.statistics.squared_error(weights, output, exponent)
    finer = max(exponent, 0)
    error = exact / (normal.statistics.count << (2 * finer))
    return QuantizedRow(weights, exponent, error, "compensated" if compensate else "nearest")


def _nearest_plane(solution: Solution, scale: Values, real: Values, limit: int) -> Values:
    """Round the last weight first; what its error asks of the others goes into their targets."""
    compiled = kernels()
    if compiled is not None:
        rounded: Values = compiled[3](solution.lower, scale, real, limit)
        return rounded
    codes = np.empty(len(real))
    asked = np.zeros(len(real))  # sum over rounded i of L[i, j] * scale_i * error_i
    for i in range(len(real) - 1, -1, -1):
        target = real[i] + asked[i] / scale[i]
        codes[i] = min(max(np.floor(target + 0.5), -limit), limit)
        asked[:i] += solution.lower[i, :i] * (scale[i] * (real[i] - codes[i]))
    return codes


def _descend(solution: Solution, scale: Values, real: Values, codes: Values, limit: int) -> Values:
    """Move one weight by one step, always the move that lowers the cost most, until none does."""
    compiled = kernels()
    if compiled is not None:
        moved: Values = compiled[4](solution.matrix, scale, real, codes, limit)
        return moved
    matrix, codes = solution.matrix, codes.copy()
    error = scale * (codes - real)
    gradient = np.zeros(len(codes))
    for j in range(len(codes)):
        gradient += matrix[j] * error[j]
    curvature = scale * scale * np.diagonal(matrix)
    for _ in range(4 * len(codes)):
        step = np.where(gradient > 0, -1.0, 1.0)
        change = curvature - 2.0 * np.abs(scale * gradient)
        change[np.abs(codes + step) > limit] = np.inf
        best = int(np.argmin(change))
        if not change[best] < -1e-9 * curvature[best]:
            break
        codes[best] += step[best]
        gradient += matrix[best] * (scale[best] * step[best])
    return codes
