"""Recursive least squares for recurrent training: one gain for many outputs, in a fixed order.

    u = P r,   s = 1 / (1 + r'u),   w <- w - s u e_-,   P <- P - s u u'

``e_-`` is the error before the update, and the gain is made of P before it; then the error of the
same sample after the update is ``e_+ = s e_-`` exactly. `rchw.train.rls` is the same rule, with
forgetting, through a matrix library. Here every sum is formed in one order, compiled or not,
because a chaotic network would carry the last bit of a library into all its weights. Only the lower
triangle of P is kept; the upper one is its mirror image by construction.

Sources: D. Sussillo and L. F. Abbott, Neuron 63 (2009) 544, equations 2 to 5; S. Haykin, "Adaptive
Filter Theory".
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.model.recurrence import jitted

__all__ = ["SharedGain", "weighted_sums"]

Values = NDArray[np.float64]


class SharedGain:
    """P, and the weights that it changes.

    Parameters
    ----------
    n_features : int
        F.
    alpha : float
        ``P(0) = I / alpha``; it is the strength of the ridge that the weights solve.
    compiled : bool
        Use numba if it can be imported: the same bits, sooner.

    Attributes
    ----------
    triangle : float64 array (F, F)
        P on and below the diagonal; what is above it is not read.

    Raises
    ------
    DesignError
        If `alpha` is not above 0 and finite.
    """

    def __init__(self, n_features: int, alpha: float, compiled: bool = True) -> None:
        if not 0 < alpha < np.inf:
            raise DesignError(f"alpha must be above 0 and finite, not {alpha:g}")
        self.triangle: Values = np.eye(n_features) / alpha
        self._update = (_compiled("update") if compiled else None) or _numpy_update

    @property
    def inverse(self) -> Values:
        """P, float64 array (F, F)."""
        lower = np.tril(self.triangle)
        return lower + np.tril(lower, -1).T

    def update(self, features: Values, weights: Values, errors: Values) -> tuple[float, float]:
        """Change P and, in place, weights (F, L) by one sample (F,) and its errors (L,).

        Returns
        -------
        ratio : float
            s, the share of every error that is left.
        move : float
            Euclidean norm of the change of all weights.

        Raises
        ------
        DesignError
            If P is positive no longer, so that the errors would grow.
        """
        gain = np.empty(len(features))
        with np.errstate(over="ignore", invalid="ignore"):  # which is told of below
            ratio = float(self._update(self.triangle, features, weights, errors, gain))
            move = ratio * float(np.linalg.norm(gain)) * float(np.linalg.norm(errors))
        if not (0.0 < ratio <= 1.0 and np.isfinite(move)):
            raise DesignError(
                f"alpha must leave recursive least squares positive in double precision, not let "
                f"an update multiply the error by {ratio:g}: take a larger one"
            )
        return ratio, move


def weighted_sums(columns: Values, state: Values, compiled: bool = True) -> Values:
    """Sums (C,) of columns (F, C) weighted by a state (F,), added from the first to the last."""
    total = np.zeros(columns.shape[1])
    kernel = _compiled("sums") if compiled else None
    (kernel or _numpy_sums)(columns, state, total)
    return total


def _numpy_sums(columns: Values, state: Values, total: Values) -> None:
    """Add to `total`, one row after the other."""
    for row, value in zip(columns, state, strict=True):
        total += row * value


def _scalar_sums(columns: Values, state: Values, total: Values) -> None:
    """Do the same entry by entry, for a compiler."""
    for j in range(columns.shape[0]):
        value = state[j]
        for i in range(columns.shape[1]):
            total[i] += columns[j, i] * value


def _numpy_update(
    triangle: Values, features: Values, weights: Values, errors: Values, gain: Values
) -> float:
    """One update in place; `gain` becomes P r."""
    gain[:] = 0.0
    whole = np.tril(triangle) + np.tril(triangle, -1).T
    for row, value in zip(whole, features, strict=True):
        gain += row * value
    ratio = 1.0 / (1.0 + float(np.add.accumulate(features * gain)[-1]))
    scaled = ratio * gain
    triangle -= np.tril(scaled[:, None] * gain)
    weights -= scaled[:, None] * errors
    return ratio


def _scalar_update(
    triangle: Values, features: Values, weights: Values, errors: Values, gain: Values
) -> float:
    """Do the same entry by entry, for a compiler; row j of the triangle is also its column j."""
    n = features.size
    for i in range(n):
        value, total = features[i], 0.0
        for j in range(i):
            total += triangle[i, j] * features[j]
            gain[j] += triangle[i, j] * value
        gain[i] = total + triangle[i, i] * value
    total = 0.0
    for i in range(n):
        total += features[i] * gain[i]
    ratio = 1.0 / (1.0 + total)
    for i in range(n):
        scaled = ratio * gain[i]
        for j in range(i + 1):
            triangle[i, j] -= scaled * gain[j]
        for k in range(weights.shape[1]):
            weights[i, k] -= scaled * errors[k]
    return ratio


@lru_cache(maxsize=2)
def _compiled(which: str) -> Callable[..., Any] | None:
    """A loop through numba, or None where numba is not installed."""
    return jitted(_scalar_sums if which == "sums" else _scalar_update)
