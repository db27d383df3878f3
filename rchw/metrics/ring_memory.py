"""The exact memory of a linear cycle, to which every estimate can be held."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.metrics.memory import MemoryCapacity

__all__ = ["linear_ring_memory_capacity_exact", "linear_ring_memory_function"]

Values = NDArray[np.float64]


def _ring(feedback: float, input_weights: ArrayLike) -> tuple[Values, int]:
    """Share of each delay 0..N-1 inside the reachable space, and the rank."""
    if not 0 < abs(feedback) < 1:
        raise DesignError(f"feedback must lie between 0 and 1 in magnitude, not {feedback}")
    spectrum = np.fft.fft(np.asarray(input_weights, dtype=np.float64).reshape(-1))
    n_units = spectrum.size
    magnitude = np.abs(spectrum)
    lost = np.flatnonzero(magnitude <= 1e-9 * max(float(np.linalg.norm(magnitude)), 1e-300))
    if lost.size == n_units:
        raise DesignError("input weights must not all be 0 for a memory capacity")
    # The controllability columns are A_k = r^k P^k v, k < N. Vectors z with sum_k z_k A_k = 0 have
    # z_k = r^-k exp(2 pi i j k / N) for the zero bins j; what they span is not remembered.
    steps = np.arange(n_units)
    kernel = np.abs(feedback) ** (n_units - 1.0 - steps)[:, None] * np.exp(
        2j * np.pi * np.outer(steps, lost) / n_units
    )
    if feedback < 0:
        kernel = kernel * ((-1.0) ** steps)[:, None]
    basis = np.linalg.qr(kernel)[0]
    share = 1.0 - np.sum(np.abs(basis) ** 2, axis=1)
    return np.asarray(share, dtype=np.float64), n_units - lost.size


def linear_ring_memory_function(
    feedback: float, input_weights: ArrayLike, delays: Iterable[int]
) -> MemoryCapacity:
    """Exact memory of a linear cycle, per delay, from its controllability matrix.

    With ``A_k = (r P)^k v`` and ``P^N = 1`` the stationary covariance is
    ``sum_(k<N) A_k A_k' / (1 - r^(2N))``, so that ``MC_k = (1 - r^(2N)) r^(2N floor(k / N)) s_k``,
    where ``s_k`` is 1 for regular input weights and otherwise the part of delay ``k mod N`` that
    the lost Fourier bins leave.

    Parameters
    ----------
    feedback : float
        r, magnitude between 0 and 1.
    input_weights : array (N,)
    delays : iterable of int, from 0

    Returns
    -------
    MemoryCapacity

    Source: Rodan and Tino, 2011, appendix theorem, for regular weights; extended here to singular
    ones.
    """
    share, _ = _ring(feedback, input_weights)
    n_units = share.size
    lags = np.asarray(tuple(delays), dtype=np.int64)
    if lags.size == 0 or lags.min() < 0:
        raise DesignError(f"delays must be one or more numbers from 0, not {lags.tolist()}")
    decay = feedback ** (2 * n_units)
    per_delay = (1 - decay) * decay ** (lags // n_units) * share[lags % n_units]
    return MemoryCapacity(tuple(lags.tolist()), per_delay)


def linear_ring_memory_capacity_exact(feedback: float, input_weights: ArrayLike) -> float:
    """Exact total memory capacity over all delays from 1 of a linear cycle.

    ``rank - (1 - r^(2N)) s_0``; for regular input weights this is ``N - 1 + r^(2N)``.

    >>> round(linear_ring_memory_capacity_exact(0.9, [1.0] + [0.0] * 19), 6)
    19.014781
    """
    share, rank = _ring(feedback, input_weights)
    return float(rank - (1 - feedback ** (2 * share.size)) * share[0])
