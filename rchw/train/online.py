"""What readouts share that learn sample by sample: shapes, checks, predictions, and the loop.

A rule has weights (F, L), predicts with them, and changes them by one sample at a time. All outputs
read the same features, so what a rule knows of the features it knows for all of them.
"""

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["GrowingReadout", "OnlineReadout", "checked", "mirror"]

Values = NDArray[np.float64]


class GrowingReadout(Protocol):
    """A readout that more samples make better: `OnlineReadout`, or `rchw.train.incremental`."""

    @property
    def weights(self) -> Values:
        """Real weights (F, L)."""
        ...

    def update(self, features: ArrayLike, targets: ArrayLike) -> object:
        """Learn from samples (T, F) and (T, L)."""
        ...

    def predict(self, features: ArrayLike) -> Values:
        """Outputs (T, L) of features (T, F)."""
        ...


def checked(features: ArrayLike, targets: ArrayLike, shape: tuple[int, int]) -> tuple[Values, ...]:
    """Finite doubles (T, F) and (T, L), for weights of a shape (F, L).

    Raises
    ------
    DesignError
        If shapes do not fit or a value is not finite.
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or (x.shape[1], y.shape[1]) != shape:
        raise DesignError(
            f"features and targets must have shapes (T, {shape[0]}) and (T, {shape[1]}), not "
            f"{x.shape}, {y.shape}"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DesignError("features and targets must be finite, not NaN or infinite")
    return x, y


def mirror(matrix: Values) -> None:
    """Copy what is above the diagonal to below it, in place.

    In exact numbers an update of a symmetric matrix is symmetric; rounded, its two triangles drift
    apart, and with forgetting the difference grows until the matrix is no longer positive.
    """
    np.copyto(matrix.T, matrix, where=_above(len(matrix)))


@lru_cache(maxsize=8)
def _above(size: int) -> NDArray[np.bool_]:
    """Where a square matrix is above its diagonal."""
    return np.triu(np.ones((size, size), dtype=bool), 1)


class OnlineReadout(ABC):
    """A rule that learns from one sample at a time.

    Parameters
    ----------
    n_features, n_outputs : int
        F and L; a constant feature, where one is wanted, is one of the F.

    Attributes
    ----------
    weights : float64 array (F, L)
        0 at first.

    Raises
    ------
    DesignError
        If a number is below 1.
    """

    weights: Values

    def __init__(self, n_features: int, n_outputs: int = 1) -> None:
        for what, value in (("features", n_features), ("outputs", n_outputs)):
            if value < 1:
                raise DesignError(f"{what} must be at least 1, not {value}")
        self.weights = np.zeros((n_features, n_outputs))

    def predict(self, features: ArrayLike) -> Values:
        """Outputs (T, L) of features (T, F)."""
        return np.asarray(np.asarray(features, dtype=np.float64) @ self.weights)

    def update(self, features: ArrayLike, targets: ArrayLike) -> Values:
        """Learn from samples in their order.

        Parameters
        ----------
        features : array (T, F)
        targets : array (T, L)

        Returns
        -------
        float64 array (T, L)
            What was predicted of every sample before it was learnt.

        Raises
        ------
        DesignError
            If shapes do not fit, a value is not finite, or the weights do not stay finite.
        """
        x, y = checked(features, targets, self.weights.shape)
        before = np.empty_like(y)
        with np.errstate(over="ignore", invalid="ignore"):
            for t in range(len(x)):
                before[t] = x[t] @ self.weights
                self._learn(x[t], y[t] - before[t])
        if not np.isfinite(self.weights).all():
            finite = np.isfinite(before).all(axis=1)  # the last sample may be what does it
            lost = len(x) - 1 if finite.all() else int(np.argmin(finite))
            raise DesignError(
                f"weights must stay finite over {len(x)} samples, not diverge by sample {lost}"
            )
        return before

    @abstractmethod
    def _learn(self, features: Values, errors: Values) -> None:
        """Change the weights by one sample: its features (F,), and its errors (L,) before."""
