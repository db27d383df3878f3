"""Fixed-point formats and the only rounding in the project.

A *value* is a real number, a *code* the integer that stands for it: ``value = code * 2**-frac``.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["Overflow", "QFormat", "Rounding", "decode", "encode", "requantize", "shift_round"]

Codes = NDArray[np.int64]
Integers = NDArray[Any]  # int64, or object: Python integers without bound

_MAX_WIDTH = 48
_NAME = re.compile(r"([su])fix([1-9][0-9]?)_en(0|[1-9][0-9]?)")  # one spelling for each


class Rounding(Enum):
    """How dropped fraction bits are rounded."""

    TRUNCATE = "truncate"  # toward minus infinity: the arithmetic right shift
    HALF_UP = "half-up"  # to nearest, ties toward plus infinity
    HALF_EVEN = "half-even"  # to nearest, ties to the even code


class Overflow(Enum):
    """What happens to a code outside the target format."""

    SATURATE = "saturate"  # the nearest code of the format
    WRAP = "wrap"  # the low bits are kept


@dataclass(frozen=True, slots=True)
class QFormat:
    """A fixed-point format; prints as ``sfix16_en12`` (signed, 16 bits, 12 fraction bits).

    Parameters
    ----------
    width : int
        Number of bits, the sign included; 1 to 48.
    frac : int
        Fraction bits; 0 to 48, may exceed `width`.
    signed : bool
        Two's complement if true.

    Raises
    ------
    DesignError
        If a field is out of range.
    """

    width: int
    frac: int = 0
    signed: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.width <= _MAX_WIDTH:
            raise DesignError(f"format width must be from 1 to {_MAX_WIDTH}, not {self.width}")
        if not 0 <= self.frac <= _MAX_WIDTH:
            raise DesignError(f"format frac must be from 0 to {_MAX_WIDTH}, not {self.frac}")

    @classmethod
    def parse(cls, name: str) -> "QFormat":
        """Read a format from its printed name.

        >>> QFormat.parse("sfix8_en7").max
        127
        """
        match = _NAME.fullmatch(name) if isinstance(name, str) else None
        if match is None:
            raise DesignError(f"format must look like 'sfix16_en12' or 'ufix8_en0', not {name!r}")
        sign, width, frac = match.groups()
        return cls(int(width), int(frac), sign == "s")

    @property
    def min(self) -> int:
        """Smallest code."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def max(self) -> int:
        """Largest code."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def resolution(self) -> float:
        """Value of one code step."""
        return 2.0**-self.frac

    def __str__(self) -> str:
        return f"{'s' if self.signed else 'u'}fix{self.width}_en{self.frac}"


def shift_round(codes: Integers, shift: int, rounding: Rounding) -> Integers:
    """Divide by ``2**shift`` with the given rounding, in full integers; a negative shift is exact.

    Parameters
    ----------
    codes : int64 or object array, any shape
    shift : int
        Fraction bits to drop; negative adds zero bits.
    rounding : Rounding

    Returns
    -------
    Array of the same dtype and shape, not yet limited to a format.
    """
    result: Integers
    if shift <= 0:
        result = codes * (1 << -shift)
    elif rounding is Rounding.TRUNCATE:
        result = codes >> shift
    elif rounding is Rounding.HALF_UP:
        result = (codes + (1 << (shift - 1))) >> shift
    else:
        # A tie goes up only when the code below it is odd: half less one, plus the kept bit.
        result = (codes + ((1 << (shift - 1)) - 1) + ((codes >> shift) & 1)) >> shift
    return result


def requantize(
    codes: Integers,
    shift: int,
    to: QFormat,
    rounding: Rounding = Rounding.TRUNCATE,
    overflow: Overflow = Overflow.SATURATE,
) -> Integers:
    """Drop `shift` fraction bits and fit into `to`; the only rounding in the project.

    Parameters
    ----------
    codes : int64 or object array, any shape
        Accumulator codes.
    shift : int
        Fraction bits to drop; negative adds zero bits and is exact.
    to : QFormat
    rounding : Rounding
    overflow : Overflow

    Returns
    -------
    Array of the same dtype and shape, codes in ``[to.min, to.max]``.

    >>> requantize(np.array([-3, 3, 300]), 1, QFormat(8)).tolist()
    [-2, 1, 127]
    """
    rounded = shift_round(codes, shift, rounding)
    if overflow is Overflow.SATURATE:
        limited: Integers = np.minimum(np.maximum(rounded, to.min), to.max)
        return limited
    wrapped: Integers = ((rounded - to.min) & ((1 << to.width) - 1)) + to.min
    return wrapped


def encode(values: ArrayLike, to: QFormat) -> Codes:
    """Nearest codes of real values: ``floor(value * 2**frac + 0.5)``, saturated to the format.

    Parameters
    ----------
    values : array of float, any shape
    to : QFormat

    Returns
    -------
    int64 array, same shape.

    Raises
    ------
    DesignError
        If a value is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array)):
        raise DesignError("values to encode must be finite, not NaN or infinite")
    with np.errstate(over="ignore"):  # what exceeds the doubles exceeds the format
        scaled = np.floor(array * 2.0**to.frac + 0.5)
    limited: Codes = np.clip(scaled, to.min, to.max).astype(np.int64)
    return limited


def decode(codes: ArrayLike, of: QFormat) -> NDArray[np.float64]:
    """Real values of codes: ``code * 2**-frac``."""
    return np.asarray(codes, dtype=np.float64) * of.resolution
