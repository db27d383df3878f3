"""Readouts of fewer and fewer features, by backward elimination on the exact Gram matrix.

The feature without which the cost rises least goes first, and the weights of the others take over
what they can: with ``C = (R + lambda I)**-1`` and weights v the cost of leaving out j is
``v_j**2 / C_jj``. The features in the order in which they go, read backwards, make supports of
every size each of which contains the smaller ones. So one factor ``L D L'`` in that order serves
all sizes: its first K rows and columns are the factor of the best K found.

Where features are as correlated as states of a reservoir are, this is far ahead of adding features
one by one, the one that lowers the cost most first (orthogonal matching pursuit), but for the very
smallest supports, for which both are there. Sums are formed in a fixed order by elementwise
operations, so that the order is the same on any machine.

Source of the second: S. Chen, S. A. Billings, W. Luo, "Orthogonal least squares methods and their
application to non-linear system identification", International Journal of Control 50, 1989.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.train.ridge import Normal, Solution, factor, solve_factored

__all__ = ["Nested", "add_greedily", "eliminate"]

Values = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Nested:
    """Supports of all sizes up to M of one output; features stand in order of their worth.

    Attributes
    ----------
    order : int array (M,)
        Places among the active features.
    lower, diagonal : float64 arrays (M, M), (M,)
        Factor of ``R + lambda I`` in this order.
    projected : float64 array (M,)
        ``L**-1`` times the moment in this order, over the diagonal.
    """

    order: Places
    lower: Values
    diagonal: Values
    projected: Values

    def weights(self, sizes: Places) -> Values:
        """Standardised weights (len(sizes), M) of the ridge on the first so many features."""
        size = len(self.order)
        found = np.where(np.arange(size) < np.asarray(sizes)[:, None], self.projected, 0.0)
        for i in range(size - 1, 0, -1):
            found[:, :i] -= found[:, i, None] * self.lower[i, :i]
        return found


def eliminate(normal: Normal, solution: Solution, output: int) -> Nested:
    """Supports of all sizes for one output, from all features down.

    Parameters
    ----------
    normal : Normal
    solution : Solution
        Of `normal`; its lambda is that of all sizes.
    output : int
    """
    size = len(normal.active)
    inverse = solve_factored(solution.lower, solution.diagonal, np.eye(size))
    weights = solution.weights[normal.active, output] * normal.scale
    left = np.ones(size, dtype=bool)
    gone: list[int] = []
    for _ in range(size):
        spread = np.where(left, np.diagonal(inverse), 1.0)
        cost = np.where(left, weights * weights / spread, np.inf)
        worst = int(np.argmin(cost))
        column = inverse[worst] / inverse[worst, worst]
        weights = weights - column * weights[worst]
        inverse = inverse - column[:, None] * inverse[worst]
        left[worst] = False
        gone.append(worst)
    return _nested(normal, solution, output, np.array(gone[::-1], dtype=np.int64))


def add_greedily(normal: Normal, solution: Solution, output: int, most: int) -> Nested:
    """Supports of 1 to `most` features for one output, from no features up."""
    size = len(normal.active)
    rest, moment = solution.matrix.copy(), normal.moment[:, output].copy()
    left = np.ones(size, dtype=bool)
    order: list[int] = []
    for _ in range(min(most, size)):
        spread = np.where(left, np.diagonal(rest), 1.0)
        gain = np.where(left, moment * moment / spread, -1.0)
        best = int(np.argmax(gain))
        column = rest[best] / rest[best, best]
        moment = moment - column * moment[best]
        rest = rest - column[:, None] * rest[best]
        left[best] = False
        order.append(best)
    return _nested(normal, solution, output, np.array(order, dtype=np.int64))


def _nested(normal: Normal, solution: Solution, output: int, order: Places) -> Nested:
    """Factor and projection in an order."""
    lower, diagonal = factor(solution.matrix[np.ix_(order, order)])
    forward = np.array(normal.moment[order, output])
    for j in range(len(order)):
        forward[j + 1 :] -= lower[j + 1 :, j] * forward[j]
    return Nested(order, lower, diagonal, forward / diagonal)
