"""When a readout answers: places of samples in their sequences, and the index of the greatest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.utils import ceil_log2

from rchw.design import Readout, Segments
from rchw.hdl.arith import select
from rchw.hdl.counter import place

__all__ = ["NOWHERE", "Place", "greatest", "held_place", "places", "segment_address"]


def places(m: Module, segments: Segments, moves: Value, last: Value) -> tuple[Signal, Signal]:
    """Follow the samples of a sequence.

    Parameters
    ----------
    m : Module
    segments : Segments
    moves : Value
        The sample at hand gives way to the next one.
    last : Value
        It was the last of its sequence.

    Returns
    -------
    adds, segment : Signal
        Whether the sample at hand is one of the G C that are added, and the number of its segment.
    """
    left = Signal(range(max(segments.length, 2)), init=segments.length - 1, name="samples_left")
    segment = Signal(range(max(segments.count, 2)), name="segment")
    adds = Signal(init=1, name="adds")
    with m.If(moves & last):
        m.d.sync += [left.eq(segments.length - 1), segment.eq(0), adds.eq(1)]
    with m.Elif(moves & left.any()):
        m.d.sync += left.eq(left - 1)
    with m.Elif(moves & (segment != segments.count - 1)):
        m.d.sync += [left.eq(segments.length - 1), segment.eq(segment + 1)]
    with m.Elif(moves):
        m.d.sync += adds.eq(0)
    return adds, segment


@dataclass(frozen=True)
class Place:
    """What a folded readout knows of a sample as a whole, from its first products on.

    Attributes
    ----------
    answers : Value
        It is the last of its sequence.
    adds, segment : Value
        As from `places`.
    following : Value
        Segment of the next sample, long before that.
    """

    answers: Value
    adds: Value
    segment: Value
    following: Value


NOWHERE = Place(Const(1), Const(1), Const(0), Const(0))


def held_place(m: Module, readout: Readout, arrives: Value, last: Value) -> Place:
    """Hold the place of a sample from the clock `arrives` until that of the next sample."""
    answers = Signal(name="answers")
    with m.If(arrives):
        m.d.sync += answers.eq(last)
    if readout.segments is None:
        return replace(NOWHERE, answers=answers)
    adds, segment = places(m, readout.segments, arrives, last)
    held, mine = Signal(name="adds_held"), Signal.like(segment, name="segment_held")
    with m.If(arrives):
        m.d.sync += [held.eq(adds), mine.eq(segment)]
    return Place(answers, held, mine, segment)


def segment_address(
    m: Module, segments: int, count: int, following: Value, step: Value, ends: Value
) -> Value:
    """Address of weights, counting down as `rchw.hdl.counter.place` tells; segment 0 on top.

    Parameters
    ----------
    m : Module
    segments : int
        C, at least 2.
    count : int
        Words of a segment, those of one sample.
    following : Value
        Segment of the next sample, two clocks before its first `step` at the latest.
    step, ends : Value
        A word is taken; it is the sample's last.
    """
    words = segments * count
    bits = ceil_log2(words)
    tops = [place((segments - k) * count - 1, words) for k in range(segments)]
    top = Signal(bits, name="segment_top", init=tops[0])
    m.d.sync += top.eq(select(m, following, [Const(k, bits) for k in tops], "segment_start"))
    begins, where = Signal(init=1, name="address_begins"), Signal(bits, name="address_within")
    address = Mux(begins, top, where)
    with m.If(step):
        m.d.sync += [begins.eq(ends), where.eq(address - 1)]
    return address


def greatest(
    codes: Sequence[Value],
    register: Callable[[Value, str], Value],
    step: Callable[[], None],
) -> Value:
    """Index of the greatest code, the lowest of equals.

    Parameters
    ----------
    codes : sequence of L Value
    register : callable
        Makes a register of a value, by name.
    step : callable
        Called after each row of registers, ``ceil(log2(L))`` in all: codes are registered before
        they are compared, and what is left of them after each comparison but the last.
    """
    level: list[tuple[Value, Value]] = [(code, Const(k)) for k, code in enumerate(codes)]
    depth = 0
    while len(level) > 1:
        level = [
            (register(code, f"score_{depth}_{k}"), _held(index, register, f"class_{depth}_{k}"))
            for k, (code, index) in enumerate(level)
        ]
        step()
        level = [_better(*level[k : k + 2]) for k in range(0, len(level), 2)]
        depth += 1
    return level[0][1]


def _held(index: Value, register: Callable[[Value, str], Value], name: str) -> Value:
    return index if isinstance(index, Const) else register(index, name)


def _better(a: tuple[Value, Value], b: tuple[Value, Value] | None = None) -> tuple[Value, Value]:
    """The one with the greater code; of equals the first, whose index is lower."""
    if b is None:
        return a
    later = b[0] > a[0]
    return Mux(later, b[0], a[0]), Mux(later, b[1], a[1])
