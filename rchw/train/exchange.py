"""Move signed digits between integer weights as long as the error of the output falls.

Of weights with few digits the best are not found one by one: where a digit is taken from one weight
another may put it to better use. A move gives one weight the nearest code of fewer digits, and the
digits that this frees to the weight that gains most by them; or it lets one weight move alone to a
code of as many digits as it has. The best move of all is made, until none lowers the cost. Sums are
formed in a fixed order by elementwise operations, so that the moves are the same on any machine.
"""

import numpy as np
from numpy.typing import NDArray

from rchw.train.digits import DigitTable
from rchw.train.ridge import Solution

__all__ = ["exchange"]

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

_MOVES = 64
_LEAST = 1e-9  # of the curvature: less than what rounding leaves is no gain


def exchange(
    solution: Solution, scale: Values, real: Values, codes: Values, table: DigitTable
) -> Values:
    """Better codes with no more digits in all.

    Parameters
    ----------
    solution : Solution
        Its matrix is the metric of the cost.
    scale, real, codes : float64 arrays (A,)
        Step of each feature, real weights of the least cost, and the codes to begin with.
    table : DigitTable
        Of the width of the codes.

    Returns
    -------
    float64 array (A,)
        Whole codes.
    """
    metric = solution.matrix * scale[:, None] * scale
    curvature = np.diagonal(metric).copy()
    found, gradient = codes.copy(), np.zeros(len(codes))
    for j in range(len(codes)):
        gradient += metric[j] * (codes[j] - real[j])
    for _ in range(_MOVES):
        count = _count(found, table)
        moved = [_alone(found, gradient, curvature, count, table)]
        for less in (1, len(table.below)):
            moved.append(_pair(found, gradient, metric, curvature, count, less, table))
        gain, places, values = min(moved, key=lambda move: move[0])
        if not gain < -_LEAST * curvature.min():
            break
        for place, value in zip(places, values, strict=True):
            gradient += metric[place] * (value - found[place])
            found[place] = value
    return found


_Move = tuple[float, tuple[int, ...], tuple[float, ...]]  # change of the cost, places, new codes


def _count(codes: Values, table: DigitTable) -> Codes:
    return np.asarray(table.count[np.abs(codes).astype(np.int64)])


def _alone(
    codes: Values, gradient: Values, curvature: Values, count: Codes, table: DigitTable
) -> _Move:
    """Best move of one weight to a code of as many digits."""
    wanted = table.nearest_of(codes - gradient / curvature, count)
    step = wanted - codes
    change = step * (2.0 * gradient + curvature * step)
    best = int(np.argmin(change))
    return float(change[best]), (best,), (float(wanted[best]),)


def _pair(
    codes: Values,
    gradient: Values,
    metric: Values,
    curvature: Values,
    count: Codes,
    less: int,
    table: DigitTable,
) -> _Move:
    """Best move of so many digits, or of all there are, from one weight to another."""
    givers = np.flatnonzero(codes)
    if not givers.size:
        return 0.0, (), ()
    wanted = (codes - gradient / curvature)[givers]
    left = table.nearest_of(wanted, np.maximum(count[givers] - less, 0))
    step = left - codes[givers]
    given = step * (2.0 * gradient[givers] + curvature[givers] * step)
    freed = count[givers] - _count(left, table)
    slope = gradient + metric[givers] * step[:, None]  # after the first weight has moved
    most = np.minimum(count + freed[:, None], len(table.below) - 1)
    taken = table.nearest_of(codes - slope / curvature, most)
    step = taken - codes
    change = given[:, None] + step * (2.0 * slope + curvature * step)
    change[np.arange(len(givers)), givers] = np.inf
    giver, taker = divmod(int(np.argmin(change)), len(codes))
    places = (int(givers[giver]), taker)
    return float(change[giver, taker]), places, (float(left[giver]), float(taken[giver, taker]))
