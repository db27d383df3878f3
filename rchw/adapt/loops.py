"""What the loops of the rules share: which of two is taken, and the sums over connections.

Every rule has its loop twice: unit by unit for a compiler, and over whole arrays where numba is not
installed, where the first would take minutes.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.model.recurrence import jitted

__all__ = ["add_connections", "one_of_two"]

Values = NDArray[np.float64]
Loop = Callable[..., Any]


def one_of_two(scalar: Loop, plain: Loop, compiled: bool) -> Loop:
    """The compiled `scalar` loop, or `plain` where that is asked for or numba is not installed."""
    kernel = _kernel(scalar) if compiled else None
    return plain if kernel is None else kernel


@lru_cache(maxsize=8)
def _kernel(scalar: Loop) -> Loop | None:
    return jitted(scalar)


def add_connections(
    total: Values, sources: NDArray[np.int64], weights: Values, state: Values
) -> None:
    """Add what every unit reads of others to sums (N,), one connection (M, N) after the other."""
    for source, table in zip(sources, weights, strict=True):
        total += table * state[source]
