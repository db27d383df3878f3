"""Constants as sums of signed powers of two, as a circuit without multipliers takes them.

A product with a constant of d signed digits takes d - 1 additions of shifted copies, and the sum of
all products one addition more for each product but the first. So the sum of an output takes one
addition less than its weights have digits. The constant weight is where the sum starts and takes
none. Canonic signed digits, of which no two neighbours are both non-zero, are the fewest there are:
about a third of the bits (G. W. Reitwiesner, "Binary Arithmetic", Advances in Computers 1, 1960).
Nothing that products have in common is counted as shared.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["MAX_TABLE_WIDTH", "DigitTable", "count_adders", "digit_count", "digit_table"]

Codes = NDArray[np.int64]
MAX_TABLE_WIDTH = 16
"""Bits of the widest codes that there are tables of."""


def digit_count(codes: ArrayLike) -> Codes:
    """Fewest signed powers of two that add up to each code, same shape.

    >>> digit_count([0, 7, -11, 96]).tolist()
    [0, 2, 3, 2]
    """
    magnitude = np.abs(np.asarray(codes, dtype=np.int64))
    found: Codes = np.bitwise_count(magnitude ^ (3 * magnitude)).astype(np.int64)
    return found


def count_adders(weights: ArrayLike, constant: bool) -> Codes:
    """Additions and subtractions of sums with these weights (..., F); the constant weight is last.

    >>> count_adders([7, 0, -4, 100], constant=True).tolist()
    2
    """
    codes = np.asarray(weights, dtype=np.int64)
    digits = digit_count(codes[..., :-1] if constant else codes).sum(axis=-1)
    return np.asarray(np.maximum(digits - 1, 0))


@dataclass(frozen=True)
class DigitTable:
    """Codes of a width by their digits.

    Attributes
    ----------
    count : int64 array (limit + 1,)
        Digits of every magnitude, up to ``limit = 2**(width - 1) - 1``.
    below, above : int64 array (D + 1, limit + 1)
        Of every magnitude n and number of digits d: the greatest magnitude of at most d digits that
        is at most n, and the least one that is above n, or the greatest of all.
    """

    count: Codes
    below: Codes
    above: Codes

    def nearest_of(self, values: NDArray[np.float64], most: Codes) -> NDArray[np.float64]:
        """Nearest codes of at most so many digits, of two the lesser magnitude; shapes broadcast.

        Whole codes as doubles.
        """
        magnitude = np.abs(values)
        floor = np.minimum(magnitude, len(self.count) - 1).astype(np.int64)
        below, above = self.below[most, floor], self.above[most, floor]
        found = np.where(above - magnitude < magnitude - below, above, below)
        return np.where(values < 0, -found, found).astype(np.float64)

    def nearest(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Nearest codes (D + 1, T) of values (T,) with at most 0, 1, ... D digits."""
        return self.nearest_of(values, np.arange(len(self.below))[:, None])


@lru_cache(maxsize=4)
def digit_table(width: int) -> DigitTable:
    """Table of the codes of `width` bits, 2 to `MAX_TABLE_WIDTH`, sign included."""
    magnitudes = np.arange(1 << (width - 1))
    count = digit_count(magnitudes)
    below, above = [], []
    for digits in range(int(count.max()) + 1):
        fits = count <= digits
        below.append(np.maximum.accumulate(np.where(fits, magnitudes, 0)))
        # The least that fits from n + 1 on: from the right, shifted by one.
        ahead: Any = np.minimum.accumulate(np.where(fits, magnitudes, len(count))[::-1])[::-1]
        ahead = np.append(ahead[1:], len(count))
        above.append(np.where(ahead < len(count), ahead, below[-1][-1]))
    return DigitTable(count, np.array(below), np.array(above))
