"""Ridge and pseudo-inverse from samples that come in chunks, in any order, from anywhere.

What is kept are sums of products of integers, which are exact. So the weights are the same, bit for
bit, however the samples were cut, in which order they came, and on how many machines they were
added up. One Gram matrix serves all outputs and every strength of the ridge.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.train.ridge import Normal
from rchw.train.statistics import Statistics

__all__ = ["IncrementalRidge", "pseudo_inverse"]

Values = NDArray[np.float64]


def pseudo_inverse(normal: Normal, rank_tolerance: float = 1e-12) -> Values:
    """Least-squares weights (F, L) without a ridge; of many such ones those of the least norm.

    The norm is that of weights of standardised features. Directions whose share of the variance is
    below the tolerance, relative to the largest, count as not there: products of features are
    squared, so that float64 does not resolve singular values below 1e-8 of the largest. Digits
    depend on the linear algebra library.

    Raises
    ------
    DesignError
        If the tolerance is not between 0 and 1.
    """
    if not 0 < rank_tolerance < 1:
        raise DesignError(f"rank tolerance must be between 0 and 1, not {rank_tolerance:g}")
    values, vectors = np.linalg.eigh(normal.correlation)
    seen = values > rank_tolerance * values[-1]
    vectors = vectors[:, seen]
    standard = vectors @ ((vectors.T @ normal.moment) / values[seen, None])
    weights = np.zeros(normal.statistics.moment.shape)
    weights[normal.active] = standard / normal.scale[:, None]
    if normal.constant:
        weights[-1] = normal.intercept(weights)
    return weights


class IncrementalRidge:
    """Ridge regression of integer codes that grows by chunks.

    Parameters
    ----------
    n_features, n_outputs : int
        F and L.
    regularisation : float or sequence of float
        lambda, of all outputs or of each; relative to the variance of a feature times the samples,
        as in `rchw.train.ridge`, so it does not depend on how many samples there are. 0 is the
        pseudo-inverse.
    constant : bool
        The last feature is the constant one, which is not regularised.

    Raises
    ------
    DesignError
        If a number is out of range.
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int = 1,
        *,
        regularisation: float | Sequence[float] = 1e-6,
        constant: bool = False,
    ) -> None:
        for what, value in (("features", n_features), ("outputs", n_outputs)):
            if value < 1:
                raise DesignError(f"{what} must be at least 1, not {value}")
        self._shape, self._constant = (n_features, n_outputs), constant
        self._statistics: Statistics | None = None
        self._solved: dict[tuple[float, ...], Values] = {}
        self._regularisation = self._each(regularisation)

    def _each(self, regularisation: float | Sequence[float]) -> tuple[float, ...]:
        n_outputs = self._shape[1]
        if isinstance(regularisation, Sequence):
            found = tuple(regularisation)
        else:
            found = (regularisation,) * n_outputs
        if len(found) != n_outputs:
            raise DesignError(
                f"regularisation must be one number, or one for each of {n_outputs} outputs, not "
                f"{len(found)}"
            )
        for value in found:
            if not 0 <= value < np.inf:
                raise DesignError(f"regularisation must be at least 0 and finite, not {value:g}")
        return found

    @property
    def statistics(self) -> Statistics:
        """Sums of all samples so far.

        Raises
        ------
        DesignError
            If there was none.
        """
        if self._statistics is None:
            raise DesignError("weights must be asked for after an update, not before the first")
        return self._statistics

    @property
    def count(self) -> int:
        """Samples so far."""
        return 0 if self._statistics is None else self._statistics.count

    def update(self, features: ArrayLike, targets: ArrayLike) -> None:
        """Add samples: integer codes (T, F) and (T, L); no samples change nothing.

        Raises
        ------
        DesignError
            If a value is not an integer, or shapes do not fit.
        """
        x, y = np.asarray(features), np.asarray(targets)
        if x.shape[1:] != self._shape[:1] or y.shape[1:] != self._shape[1:] or len(x) != len(y):
            raise DesignError(
                f"features and targets must have shapes (T, {self._shape[0]}) and "
                f"(T, {self._shape[1]}), not {x.shape}, {y.shape}"
            )
        if len(x):
            self._add(Statistics.of(x, y))

    def merge(self, other: "IncrementalRidge") -> None:
        """Add the samples of another readout, of a client for instance.

        Raises
        ------
        DesignError
            If it has other shapes.
        """
        if other._shape != self._shape:
            raise DesignError(f"readouts must have the shape {self._shape}, not {other._shape}")
        if other._statistics is not None:
            self._add(other._statistics)

    def _add(self, found: Statistics) -> None:
        self._statistics = found if self._statistics is None else self._statistics + found
        self._solved = {}

    @property
    def weights(self) -> Values:
        """Real weights (F, L) of all samples so far: target steps per step of a feature.

        Raises
        ------
        DesignError
            If there is no sample, no feature varies, or lambda is too small for them.
        """
        return self.weights_with(self._regularisation)

    def weights_with(self, regularisation: float | Sequence[float]) -> Values:
        """Weights (F, L) with another lambda, or one for each output, from the same sums."""
        each = self._each(regularisation)
        if each not in self._solved:
            normal = Normal.of(self.statistics, self._constant)
            weights = np.empty(self._shape)
            for value in dict.fromkeys(each):
                found = normal.solve(value).weights if value else pseudo_inverse(normal)
                mine = [k for k, other in enumerate(each) if other == value]
                weights[:, mine] = found[:, mine]
            self._solved[each] = weights
        return self._solved[each].copy()

    def predict(self, features: ArrayLike) -> Values:
        """Outputs (T, L) of feature codes (T, F), in target steps."""
        return np.asarray(np.asarray(features, dtype=np.float64) @ self.weights)
