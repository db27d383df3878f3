"""Activations as integer tables: clip, piecewise-linear with shifts, table.

Each is data: the reference evaluates it in `rchw.reference`, the circuit in `rchw.hdl`.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import tanh

from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding

__all__ = ["Activation", "Clip", "PiecewiseLinear", "Table", "tanh_pwl", "tanh_table"]

MAX_INDEX_WIDTH = 10
MAX_SEGMENTS = 16


def _check_limits(low: int, high: int, state: QFormat) -> None:
    if not state.min <= low < high <= state.max:
        raise DesignError(
            f"activation limits must satisfy {state.min} <= low < high <= {state.max}, "
            f"not {low} and {high}"
        )


@dataclass(frozen=True)
class Clip:
    """``min(max(z, low), high)`` of the pre-activation at the state's fraction."""

    low: int
    high: int

    @property
    def ends(self) -> tuple[int, int]:
        """Least and greatest code."""
        return self.low, self.high

    def check(self, state: QFormat) -> None:
        """Refuse limits that the state format cannot hold."""
        _check_limits(self.low, self.high, state)


@dataclass(frozen=True)
class PiecewiseLinear:
    """``clip(offset_j + z * 2**-shift_j)`` with j the last segment whose start is <= z.

    Segments are (start, shift, offset); the first start is None, minus infinity.
    """

    low: int
    high: int
    segments: tuple[tuple[int | None, int, int], ...]

    @property
    def ends(self) -> tuple[int, int]:
        """Least and greatest code that it may give."""
        return self.low, self.high

    def check(self, state: QFormat) -> None:
        """Refuse limits, an order or a shift that the law does not define."""
        _check_limits(self.low, self.high, state)
        starts = [start for start, _, _ in self.segments]
        if not 1 <= len(starts) <= MAX_SEGMENTS:
            raise DesignError(f"segments must number 1 to {MAX_SEGMENTS}, not {len(starts)}")
        known = [start for start in starts[1:] if start is not None]
        increasing = all(a < b for a, b in pairwise(known))
        if starts[0] is not None or len(known) != len(starts) - 1 or not increasing:
            raise DesignError(
                f"segment starts must be null, then strictly increasing codes, not {starts}"
            )
        for start, shift, offset in self.segments:
            if not 0 <= shift <= 24:
                raise DesignError(f"segment shift must be from 0 to 24, not {shift}")
            if abs(offset) > 1 << 26 or abs(start or 0) > 1 << 26:
                raise DesignError(
                    f"segment start and offset must be within 2**26, not {start} and {offset}"
                )


@dataclass(frozen=True)
class Table:
    """``entries[index - index.min]`` of the pre-activation requantised to `index`, saturating."""

    index: QFormat
    entries: tuple[int, ...]

    @property
    def ends(self) -> tuple[int, int]:
        """Least and greatest code."""
        return min(self.entries), max(self.entries)

    def check(self, state: QFormat) -> None:
        """Refuse an index over 10 bits, a wrong length or an entry the state cannot hold."""
        if self.index.width > MAX_INDEX_WIDTH or not self.index.signed:
            raise DesignError(
                f"table index must be signed with at most {MAX_INDEX_WIDTH} bits, not {self.index}"
            )
        if len(self.entries) != 1 << self.index.width:
            raise DesignError(
                f"table must have {1 << self.index.width} entries, not {len(self.entries)}"
            )
        for position, entry in enumerate(self.entries):
            if not state.min <= entry <= state.max:
                raise DesignError(
                    f"table entry {position} must be from {state.min} to {state.max} ({state}), "
                    f"not {entry}"
                )


Activation = Clip | PiecewiseLinear | Table


def tanh_table(
    state: QFormat,
    index_width: int = MAX_INDEX_WIDTH,
    rounding: Rounding = Rounding.TRUNCATE,
    index_frac: int | None = None,
) -> tuple[Table, float]:
    """Build the table of tanh and prove its error.

    Entry k stands for all pre-activations that round to index k: with truncation the interval
    [k, k + 1), with rounding to nearest [k - 1/2, k + 1/2). It is the middle of what tanh makes of
    that interval, rounded to the state format.

    Parameters
    ----------
    state : QFormat
    index_width : int
        Bits of the index, 1 to 10.
    rounding : Rounding
        Of the layer that will use the table.
    index_frac : int, optional
        Fraction bits of the index. Without them its range is [-4, 4) from 3 bits on, beyond which
        tanh is within 7e-4 of 1; below it is [-1, 1) or [-2, 2).

    Returns
    -------
    table : Table
    bound : float
        No pre-activation value z (before it is rounded to the index) has
        ``abs(entry - tanh(z)) > bound``. Tanh is monotone, so the largest distance of an interval
        is at one of its ends; the outermost intervals end at infinity.
    """
    frac = max(index_width - 3, 0) if index_frac is None else index_frac
    index = QFormat(index_width, frac)
    start = 0.0 if rounding is Rounding.TRUNCATE else -0.5
    entries, bound = [], 0.0
    for code in range(index.min, index.max + 1):
        left, right = (tanh((code + start + side) * index.resolution) for side in (0.0, 1.0))
        entry = min(max(round((left + right) / 2 / state.resolution), -state.max), state.max)
        ends = [left, right]
        if code == index.min:
            ends.append(-1.0)
        if code == index.max:
            ends.append(1.0)
        bound = max(bound, *(abs(entry * state.resolution - end) for end in ends))
        entries.append(entry)
    return Table(index, tuple(entries)), bound


@lru_cache(maxsize=32)  # a search asks for the same again and again
def tanh_pwl(state: QFormat) -> tuple[PiecewiseLinear, float]:
    """Build a continuous approximation of tanh with slopes 1, 1/2, 1/4, 1/8 and a clip at 1.

    Returns
    -------
    activation : PiecewiseLinear
    bound : float
        No real z has ``abs(f(z) - tanh(z)) > bound``: the largest distance over a grid of codes,
        plus one grid step, since neither function grows faster than its argument, plus the
        rounding of one state step.
    """
    one = 1 << state.frac
    high = min(one - 1, state.max)
    starts = [Fraction(0), Fraction(5, 8), Fraction(9, 8), Fraction(13, 8)]  # slopes 1 to 1/8
    upper: list[tuple[int, int, int]] = []
    value = 0
    for shift, start in enumerate(starts):
        begin = int(start * one)
        if upper:
            previous, previous_shift, _ = upper[-1]
            value += (begin - previous) >> previous_shift
        upper.append((begin, shift, value - (begin >> shift)))
    lower = [(-begin, shift, -offset) for begin, shift, offset in upper]
    segments: list[tuple[int | None, int, int]] = [(None, lower[-1][1], lower[-1][2])]
    for position in range(len(lower) - 2, -1, -1):
        segments.append((lower[position + 1][0], *lower[position][1:]))
    segments.extend(upper[1:])
    activation = PiecewiseLinear(-high, high, tuple(segments))
    return activation, _distance_to_tanh(activation, state)


def _evaluate(activation: PiecewiseLinear, code: int) -> int:
    _, shift, offset = next(
        s for s in reversed(activation.segments) if s[0] is None or s[0] <= code
    )
    return min(max((code >> shift) + offset, activation.low), activation.high)


def _distance_to_tanh(activation: PiecewiseLinear, state: QFormat) -> float:
    reach = 8 << state.frac
    stride = max(reach >> 12, 1)
    worst = max(
        abs(_evaluate(activation, code) * state.resolution - tanh(code * state.resolution))
        for code in range(-reach, reach + 1, stride)
    )
    return worst + (stride + 1) * state.resolution
