"""Bursts of a culture: when all of it fires at once."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["burst_starts"]


def burst_starts(readings: ArrayLike, level: float, gap: int) -> NDArray[np.int64]:
    """Samples at which bursts begin.

    A burst begins where the spikes of a sample, summed over the electrodes, come to `level` after
    at least `gap` samples below it. The samples before the first one count as silent.

    Parameters
    ----------
    readings : array (T, electrodes)
        Spikes per sample.
    level : float
        Spikes.
    gap : int
        Samples, at least 1.

    Returns
    -------
    int64 array (bursts,)

    Raises
    ------
    DesignError
        If the shape is wrong, or the level or the gap is too low.
    """
    counts = np.asarray(readings, dtype=np.float64)
    if counts.ndim != 2:
        raise DesignError(f"readings must have shape (T, electrodes), not {counts.shape}")
    if not level > 0:
        raise DesignError(f"level of a burst must be above 0 spikes, not {level}")
    if gap < 1:
        raise DesignError(f"gap between bursts must be at least 1 sample, not {gap}")
    loud = np.flatnonzero(counts.sum(axis=1) >= level)
    return loud[np.diff(loud, prepend=-gap - 1) > gap].astype(np.int64)
