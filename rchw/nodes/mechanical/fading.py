"""How long a mechanical substrate remembers: the slowest mode of its small motions."""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["slowest_time", "washout_samples"]

_LEAST = 1e-9  # rate of a mode that counts as fading, as a share of the fastest
_TIMES = 5.0  # slowest times that a washout lasts


def slowest_time(matrix: NDArray[np.float64]) -> float:
    """Seconds in which the slowest mode of ``ds/dt = matrix s`` falls to 1/e.

    Raises
    ------
    DesignError
        If a mode does not fade.
    """
    modes = np.linalg.eigvals(matrix)
    rate = -float(modes.real.max())
    if not rate > _LEAST * float(np.abs(modes).max()):
        raise DesignError(f"damping must make every mode fade, not leave a rate of {rate:.3g}/s")
    return 1 / rate


def washout_samples(slowest: float, interval: float) -> int:
    """Samples in which five of the slowest times pass."""
    return math.ceil(_TIMES * slowest / interval)
