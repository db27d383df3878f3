"""How units use their range: how far states saturate."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["saturation_fraction"]


def saturation_fraction(
    states: ArrayLike, low: float | NDArray[np.int64], high: float | NDArray[np.int64]
) -> float:
    """Fraction of states (values or codes) at or beyond the rails `low` and `high`.

    Rails are numbers, or one of each per unit, which is the last axis of the states.
    """
    array = np.asarray(states)
    if array.size == 0 or not np.all(np.less(low, high)):
        raise DesignError(
            f"states must not be empty and low must be below high, not {array.shape}, {low}, {high}"
        )
    return float(np.mean((array <= low) | (array >= high)))
