"""Errors of a prediction: squared errors, wrong symbols, and how long a forecast holds.

Series have time on axis 0: shape ``(T,)`` or ``(T, L)`` for L outputs.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["nmse", "nrmse", "symbol_error_rate", "valid_prediction_time"]

Values = NDArray[np.float64]


def _pair(prediction: ArrayLike, target: ArrayLike) -> tuple[Values, Values]:
    """Both series as finite float64 of shape (T, L)."""
    first = np.asarray(prediction, dtype=np.float64)
    second = np.asarray(target, dtype=np.float64)
    if first.shape != second.shape:
        raise DesignError(
            f"prediction must have the shape of the target, {second.shape}, not {first.shape}"
        )
    if second.ndim not in (1, 2) or second.size == 0:
        raise DesignError(f"target must have shape (T,) or (T, L), not {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise DesignError("prediction and target must be finite, not NaN or infinite")
    return first.reshape(len(first), -1), second.reshape(len(second), -1)


def nmse(prediction: ArrayLike, target: ArrayLike) -> float:
    """Mean squared error over the variance of the target, averaged over outputs.

    Parameters
    ----------
    prediction, target : array (T,) or (T, L)

    Returns
    -------
    float
        0 for a perfect prediction, 1 for predicting the mean.

    Raises
    ------
    DesignError
        If shapes differ, a value is not finite, or an output of the target is constant.

    >>> nmse([0.0, 0.0, 0.0, 0.0], [1.0, -1.0, 1.0, -1.0])
    1.0
    """
    predicted, wanted = _pair(prediction, target)
    variance = wanted.var(axis=0)
    if np.any(wanted.max(axis=0) == wanted.min(axis=0)):
        raise DesignError(f"target must vary in every output, not have variance {variance.min()}")
    return float(np.mean(np.mean((predicted - wanted) ** 2, axis=0) / variance))


def nrmse(prediction: ArrayLike, target: ArrayLike) -> float:
    """Square root of `nmse`."""
    return float(np.sqrt(nmse(prediction, target)))


def symbol_error_rate(
    prediction: ArrayLike, target: ArrayLike, symbols: Sequence[float] | None = None
) -> float:
    """Fraction of samples whose nearest symbol is not the target's.

    Parameters
    ----------
    prediction, target : array (T,) or (T, L)
    symbols : sequence of float, optional
        The alphabet; by default the distinct values of `target`. A tie goes to the lower symbol.

    Returns
    -------
    float, 0 to 1

    >>> symbol_error_rate([0.9, -2.2, 3.5, -0.1], [1, -3, 3, 1], symbols=(-3, -1, 1, 3))
    0.25
    """
    predicted, wanted = _pair(prediction, target)
    alphabet = np.unique(wanted if symbols is None else np.asarray(symbols, dtype=np.float64))
    if not np.isin(wanted, alphabet).all():
        raise DesignError(f"target must consist of the symbols {alphabet.tolist()}, not others")
    edges = (alphabet[1:] + alphabet[:-1]) / 2
    decided = alphabet[np.searchsorted(edges, predicted, side="left")]
    return float(np.mean(decided != wanted))


def valid_prediction_time(prediction: ArrayLike, truth: ArrayLike, threshold: float = 0.4) -> int:
    """Samples until the error first exceeds `threshold` standard deviations of the truth.

    The error at time t is ``|prediction(t) - truth(t)|`` (Euclidean over outputs) divided by the
    root of the summed output variances of `truth`.

    Parameters
    ----------
    prediction, truth : array (T,) or (T, L)
        A closed-loop run and what really happened.
    threshold : float
        Above 0.

    Returns
    -------
    int, 0 to T
        Multiply by the sampling interval for time.
    """
    predicted, wanted = _pair(prediction, truth)
    if not threshold > 0:
        raise DesignError(f"threshold must be above 0, not {threshold}")
    spread = float(np.sqrt(wanted.var(axis=0).sum()))
    if spread == 0:
        raise DesignError("truth must vary for a valid prediction time, not be constant")
    beyond = np.linalg.norm(predicted - wanted, axis=1) > threshold * spread
    return int(np.argmax(beyond)) if beyond.any() else len(wanted)
