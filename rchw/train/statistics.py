"""Exact sums of products: ``X'X`` and ``X'y`` as integers that never wrap.

The products run through the floating-point matrix multiplication, which is used as an adder of
integers: rows are taken in blocks so short that every partial sum, in whatever order the library
forms it, is an integer below 2**53 and so exact. Codes too wide for that are split into limbs of
20 bits first. Blocks are added in int64 while the bound of the grand total fits 63 bits, and in
unbounded Python integers beyond.
"""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["Statistics", "exact_products"]

Integers = NDArray[Any]

_EXACT = 1 << 53
_LIMB = 20


def _largest(array: Integers) -> int:
    return max(abs(int(array.max())), abs(int(array.min()))) if array.size else 0


def _limbs(array: Integers) -> list[tuple[int, NDArray[np.float64]]]:
    """Digits in base 2**20 with the sign of the code, as (shift, float64 array); one if narrow."""
    largest = _largest(array)
    if largest < 1 << (_LIMB + 2):
        return [(0, array.astype(np.float64))]
    if largest >= 1 << 62:
        array = array.astype(object)
    sign = np.where(array < 0, -1, 1)
    magnitude: Integers = abs(array)
    mask = (1 << _LIMB) - 1
    return [
        (shift, (sign * ((magnitude >> shift) & mask)).astype(np.float64))
        for shift in range(0, largest.bit_length(), _LIMB)
    ]


def exact_products(left: Integers, right: Integers) -> Integers:
    """``left.T @ right`` in exact integers.

    Parameters
    ----------
    left : integer array (T, A)
    right : integer array (T, B)
        int64 or object.

    Returns
    -------
    int64 array (A, B), or object (Python integers) where ``T * max|left| * max|right|`` reaches
    2**62.
    """
    bound = len(left) * _largest(left) * _largest(right)
    wide = bound >= 1 << 62
    total: Integers = np.zeros((left.shape[1], right.shape[1]), dtype=object if wide else np.int64)
    for shift_a, a in _limbs(left):
        for shift_b, b in _limbs(right):
            largest = max(1, int(np.abs(a).max(initial=0)) * int(np.abs(b).max(initial=0)))
            rows = max(1, (_EXACT - 1) // largest)
            part: Integers = np.zeros(total.shape, dtype=total.dtype)
            for start in range(0, len(a), rows):
                block = a[start : start + rows].T @ b[start : start + rows]
                part += block.astype(np.int64).astype(total.dtype)
            total += part * (1 << (shift_a + shift_b))
    return total


@dataclass(frozen=True)
class Statistics:
    """Sufficient statistics of a linear readout; ``a + b`` is that of both sets of samples.

    Attributes
    ----------
    count : int
        T, samples.
    gram : integer array (F, F)
        ``X'X``.
    moment : integer array (F, L)
        ``X'y``.
    power : integer array (L,)
        ``y'y`` of each output.
    sums : integer array (F,)
        Sum of every feature.
    target_sums : integer array (L,)
        Sum of every target.
    """

    count: int
    gram: Integers
    moment: Integers
    power: Integers
    sums: Integers
    target_sums: Integers

    @classmethod
    def of(cls, features: ArrayLike, targets: ArrayLike) -> "Statistics":
        """Statistics of integer features (T, F) and integer-encoded targets (T, L).

        Raises
        ------
        DesignError
            If an array is not of integers or the shapes do not fit.
        """
        x, y = np.asarray(features), np.asarray(targets)
        if x.dtype.kind not in "iuO" or y.dtype.kind not in "iuO":
            raise DesignError(f"features and targets must be integers, not {x.dtype} and {y.dtype}")
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or not len(x):
            raise DesignError(
                f"features and targets must have shapes (T, F) and (T, L), not {x.shape}, {y.shape}"
            )
        x, y = _whole(x), _whole(y)
        ones = np.ones((len(x), 1), dtype=np.int64)
        power = [exact_products(y[:, [k]], y[:, [k]])[0, 0] for k in range(y.shape[1])]
        found = (
            exact_products(x, x),
            exact_products(x, y),
            np.array([int(p) for p in power], dtype=object),
            exact_products(x, ones)[:, 0],
            exact_products(y, ones)[:, 0],
        )
        return cls(len(x), *(_narrowest(array) for array in found))

    def __add__(self, other: "Statistics") -> "Statistics":
        if self.gram.shape != other.gram.shape or self.moment.shape != other.moment.shape:
            raise DesignError(
                f"statistics must have the same shape to be added, {self.moment.shape}, "
                f"not {other.moment.shape}"
            )
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        return Statistics(
            self.count + other.count,
            *(_narrowest(a.astype(object) + b.astype(object)) for a, b in pairs),
        )

    def _arrays(self) -> tuple[Integers, ...]:
        return self.gram, self.moment, self.power, self.sums, self.target_sums

    def part(self, columns: ArrayLike, shift: int = 0) -> "Statistics":
        """Statistics of some features alone, in steps that are ``2**shift`` times as large.

        Parameters
        ----------
        columns : int array (A,)
            Which features.
        shift : int
            Every code of them must be a multiple of ``2**shift``.
        """
        kept = np.asarray(columns)
        found = (
            self.gram[np.ix_(kept, kept)] >> 2 * shift,
            self.moment[kept] >> shift,
            self.power,
            self.sums[kept] >> shift,
            self.target_sums,
        )
        return Statistics(self.count, *(_narrowest(array) for array in found))

    def centred(self) -> tuple[Integers, Integers]:
        """``T X'X - s s'`` and ``T X'y - s sum(y)``: exact, so nothing cancels.

        Returns
        -------
        gram : integer array (F, F)
        moment : integer array (F, L)
        """
        most = _largest(self.sums)
        largest = max(
            self.count * max(_largest(self.gram), _largest(self.moment)),
            max(most, 1) * max(most, _largest(self.target_sums)),
        )
        dtype: Any = np.int64 if 2 * largest < 1 << 63 else object
        gram, moment, _, sums, targets = (a.astype(dtype) for a in self._arrays())
        return (
            self.count * gram - sums[:, None] * sums,
            self.count * moment - sums[:, None] * targets,
        )

    def squared_error(self, weights: ArrayLike, output: int, unit: int = 0) -> int:
        """Exact ``sum (2**unit y - X w)**2`` of integer weights (F,), an int.

        `unit` is the number of bits by which a product's step is finer than the target's; negative
        values scale the products up instead, and the error is in the finer of the two steps.
        """
        w = np.array([int(v) for v in np.asarray(weights)], dtype=object) << max(-unit, 0)
        scale = 1 << max(unit, 0)
        quadratic = _times(self.gram, w).astype(object)
        return int(
            (quadratic * w).sum()
            - 2 * scale * (self.moment[:, output].astype(object) * w).sum()
            + scale * scale * int(self.power[output])
        )


def _times(matrix: Integers, w: Integers) -> Integers:
    """Exact product of integers (F, F) and (F,), of any size."""
    if matrix.dtype != object and _largest(matrix) * sum(abs(int(v)) for v in w) < 1 << 63:
        product: Integers = matrix @ w.astype(np.int64)
        return product
    return exact_products(matrix, _narrowest(w)[:, None])[:, 0]


def _whole(array: Integers) -> Integers:
    """Codes of any integer type as int64, or as Python integers where that is too narrow."""
    if array.dtype == object:
        try:
            found: Any = np.frompyfunc(operator.index, 1, 1)(array)
        except TypeError:
            raise DesignError("features and targets must be integers, not objects") from None
        return np.asarray(found, dtype=object)
    return array.astype(np.int64 if _largest(array) < 1 << 63 else object)


def _narrowest(array: Integers) -> Integers:
    """int64 where all values fit, so that equal statistics have equal types."""
    fits = _largest(array) < 1 << 63
    return array.astype(np.int64) if fits else array
