"""Ridge regression in floating point, for many strengths of the ridge from one decomposition.

The features themselves are decomposed, not their products: squared, the directions that a ridge of
1e-14 still keeps would be lost in float64. Unlike `rchw.train.ridge` the digits depend on the
linear algebra library; no design depends on them.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["ridge_path"]

Values = NDArray[np.float64]


def ridge_path(
    features: ArrayLike, targets: ArrayLike, lambdas: Sequence[float]
) -> tuple[Values, Values]:
    """Ridge weights for a list of lambdas from one decomposition.

    Minimises ``mean (y - Z w)**2 + lambda w'w`` for every output, with y centred by the caller.

    Parameters
    ----------
    features : float64 array (T, F)
        Z; standardised, so that lambda is relative to the variance of a feature.
    targets : float64 array (T, L)
    lambdas : sequence of float
        Above 0; accurate down to about 1e-24, for the features are not squared.

    Returns
    -------
    weights : float64 array (len(lambdas), F, L)
    singular : float64 array (min(T, F),)
        Singular values of ``Z / sqrt(T)``.
    """
    z, y = np.asarray(features, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    q, r = np.linalg.qr(z)
    u, s, vt = np.linalg.svd(r, full_matrices=False)
    moment = u.T @ (q.T @ y)
    square = len(z) * np.asarray(lambdas, dtype=np.float64)
    shrink = s / (s**2 + square[:, None])
    weights = np.einsum("kf,lk,ko->lfo", vt, shrink, moment, optimize=True)
    return weights, s / math.sqrt(len(z))
