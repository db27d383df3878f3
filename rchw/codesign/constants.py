"""Products with constants, and the additions that `rchw.hdl.arith.times` makes of them."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log

__all__ = ["Additions", "additions", "digits", "saved"]

_KNOWN = 1 << 16


def saved(rows: int) -> int:
    """LUTs one behind the other that turn so many rows of bits into two, three into two at a time.

    >>> [saved(rows) for rows in (1, 2, 3, 4, 6)]
    [0, 0, 1, 2, 3]
    """
    return ceil(log(rows / 2) / log(1.5)) if rows > 2 else 0


@dataclass(frozen=True)
class Additions:
    """What a product with a constant takes.

    Attributes
    ----------
    count : int
        Additions, one behind the other.
    bits : int
        Of all of them: what lies below both operands' overlap is wire.
    joined : int
        Of those which synthesis joins with one before to a sum of three or more.
    chains : int
        Additions that are not joined to another.
    """

    count: int
    bits: int
    joined: int
    chains: int

    @property
    def depth(self) -> int:
        """LUTs one behind the other: sums that wait for one another, and rows that are joined."""
        return self.chains + saved(2 + self.count - self.chains)


@lru_cache(maxsize=_KNOWN)
def digits(code: int) -> tuple[tuple[int, int], ...]:
    """Signs and exponents of the powers of two that a code is the sum of, in order of addition.

    The fewer of binary ones and canonic signed digits; first those added, then those subtracted.
    """
    sign, rest, place = (-1 if code < 0 else 1), abs(code), 0
    binary = [(sign, k) for k in range(rest.bit_length()) if rest >> k & 1]
    canonic = []
    while rest:
        if rest & 1:
            digit = 2 - (rest & 3)
            canonic.append((sign * digit, place))
            rest -= digit
        rest >>= 1
        place += 1
    chosen = canonic if len(canonic) < len(binary) else binary
    return tuple(sorted(chosen, key=lambda term: (-term[0], term[1])))


@lru_cache(maxsize=_KNOWN)
def additions(code: int, width: int) -> Additions:
    """Additions of the product of a code with a variable of `width` bits."""
    terms = digits(code)
    if not terms:
        return Additions(0, 0, 0, 0)
    first, exponent = terms[0]
    widest, top = width + abs(code).bit_length(), exponent + width
    count, bits, joined, chains, before = 0, 0, 0, 0, False
    if first < 0:  # a negation
        count, bits, chains = 1, width, 1
    for sign, exponent in terms[1:]:
        top = min(max(top, exponent + width) + 1, widest)
        count, bits = count + 1, bits + top - exponent
        # Sums are built from slices, which nothing is joined to; differences are not.
        joined += (top - exponent) * (sign < 0 and before)
        chains += not (sign < 0 and before)
        before = sign < 0
    if first < 0 and len(terms) > 1:  # the negation is part of the first difference
        count, bits, chains = count - 1, bits - width, chains - 1
    return Additions(count, bits, joined, chains)
