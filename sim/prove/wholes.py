"""Integers that depend on unknowns, for the reference: it runs on them as it stands.

A `Whole` is a two's complement term of z3 and the range it cannot leave, as wide as that range
needs and no wider: no operation overflows, so these are the full integers that the reference
computes in. `Wholes` is an array of them that numpy's functions accept, so that
``RingReference.step`` on unknown states is the very code that runs on numbers.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import z3
from numpy.lib.mixins import NDArrayOperatorsMixin

from rchw.ranges import Interval

__all__ = ["Whole", "Wholes", "unknown"]


@dataclass(frozen=True, eq=False)
class Whole:
    """An integer.

    Attributes
    ----------
    term : z3 bit-vector
        Two's complement, of ``range.width`` bits.
    range : Interval
    """

    term: Any
    range: Interval

    def extended(self, width: int) -> Any:
        """The term with at least this many bits."""
        return z3.SignExt(width - self.range.width, self.term)


def unknown(name: str, low: int, high: int) -> Whole:
    """An integer of which nothing is known but its range, all codes of its width."""
    interval = Interval(low, high)
    assert (low, high) == (
        -(1 << (interval.width - 1)),
        (1 << (interval.width - 1)) - 1,
    ) or low == 0
    if low == 0:  # unsigned: the sign bit is a zero
        return Whole(z3.ZeroExt(1, z3.BitVec(name, interval.width - 1)), interval)
    return Whole(z3.BitVec(name, interval.width), interval)


def _whole(value: Any) -> Whole:
    if isinstance(value, Whole):
        return value
    number = operator.index(value)
    interval = Interval(number, number)
    return Whole(z3.BitVecVal(number, interval.width), interval)


def _fitted(term: Any, width: int, interval: Interval) -> Whole:
    """Cut a term, exact at `width`, to what its range needs."""
    assert width >= interval.width
    return Whole(z3.Extract(interval.width - 1, 0, term), interval)


def _linear(combine: Callable[[Any, Any], Any], interval: Interval, a: Whole, b: Whole) -> Whole:
    width = max(interval.width, a.range.width, b.range.width)
    return _fitted(combine(a.extended(width), b.extended(width)), width, interval)


def _add(a: Any, b: Any) -> Whole:
    a, b = _whole(a), _whole(b)
    return _linear(operator.add, a.range + b.range, a, b)


def _subtract(a: Any, b: Any) -> Whole:
    a, b = _whole(a), _whole(b)
    return _linear(operator.sub, a.range + b.range.scale(-1), a, b)


def _multiply(a: Any, b: Any) -> Whole:
    a, b = _whole(a), _whole(b)
    interval = a.range.scale(b.range.low).hull(a.range.scale(b.range.high))
    return _linear(operator.mul, interval, a, b)


def _shift(a: Any, count: Any) -> Whole:
    a, count = _whole(a), operator.index(count)
    interval = Interval(a.range.low >> count, a.range.high >> count)
    return _fitted(a.term >> count, a.range.width, interval)


def _mask(a: Any, ones: Any) -> Whole:
    a, ones = _whole(a), operator.index(ones)
    bits = ones.bit_length()
    assert ones == (1 << bits) - 1
    term = a.extended(max(bits, a.range.width))
    return Whole(z3.ZeroExt(1, z3.Extract(bits - 1, 0, term)), Interval(0, ones))


def _at_least(a: Any, b: Any) -> Any:
    a, b = _whole(a), _whole(b)
    width = max(a.range.width, b.range.width)
    return a.extended(width) >= b.extended(width)


def _where(condition: Any, a: Any, b: Any) -> Whole:
    a, b = _whole(a), _whole(b)
    interval = a.range.hull(b.range)
    width = interval.width
    return Whole(z3.If(condition, a.extended(width), b.extended(width)), interval)


def _maximum(a: Any, b: Any) -> Whole:
    a, b = _whole(a), _whole(b)
    low, high = max(a.range.low, b.range.low), max(a.range.high, b.range.high)
    chosen = _where(_at_least(a, b), a, b)
    return _fitted(chosen.term, chosen.range.width, Interval(low, high))


def _minimum(a: Any, b: Any) -> Whole:
    a, b = _whole(a), _whole(b)
    low, high = min(a.range.low, b.range.low), min(a.range.high, b.range.high)
    chosen = _where(_at_least(a, b), b, a)
    return _fitted(chosen.term, chosen.range.width, Interval(low, high))


def _entry(entries: Sequence[int], index: Any) -> Whole:
    """Entry of a table, as a tree of choices by the bits of the index."""
    index = _whole(index)
    assert 0 <= index.range.low and index.range.high < len(entries)
    level = [_whole(entry) for entry in entries]
    for bit in range(index.range.width - 1):
        chosen = z3.Extract(bit, bit, index.term) == 1
        odd = [*level[1::2], level[-1]]
        level = [
            even if even is other else _where(chosen, other, even)
            for even, other in zip(level[::2], odd, strict=False)
        ]
    return level[0]


_UFUNCS: dict[Any, Callable[[Any, Any], Any]] = {
    np.add: _add,
    np.subtract: _subtract,
    np.multiply: _multiply,
    np.right_shift: _shift,
    np.bitwise_and: _mask,
    np.greater_equal: _at_least,
    np.maximum: _maximum,
    np.minimum: _minimum,
}


class Wholes(NDArrayOperatorsMixin):
    """Array of integers, or of conditions, that numpy's functions work on.

    Parameters
    ----------
    items : object array
        Of `Whole`, int or z3 conditions.
    """

    def __init__(self, items: Any) -> None:
        self.items = np.asarray(items, dtype=object)

    def __array_ufunc__(self, ufunc: Any, method: str, *values: Any, **options: Any) -> Any:
        if ufunc not in _UFUNCS or method != "__call__" or options:
            return NotImplemented
        combined = np.frompyfunc(_UFUNCS[ufunc], 2, 1)(*map(_items, values))
        return Wholes(combined)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        values = [_items(value) for value in args]
        if function is np.where:
            return Wholes(np.frompyfunc(_where, 3, 1)(*values))
        if function is np.roll:
            return Wholes(np.roll(*values, **kwargs))
        if function is np.take_along_axis:
            entries = [int(entry) for entry in values[0]]
            return Wholes(np.frompyfunc(lambda index: _entry(entries, index), 1, 1)(values[1]))
        return NotImplemented

    def __getitem__(self, key: Any) -> "Wholes":
        return Wholes(self.items[key])

    def astype(self, dtype: Any) -> "Wholes":
        """The same: these integers have no type to change."""
        return self

    def whole(self, *index: int) -> Whole:
        """One of the integers."""
        return _whole(self.items[index])


def _items(value: Any) -> Any:
    return value.items if isinstance(value, Wholes) else np.asarray(value, dtype=object)
