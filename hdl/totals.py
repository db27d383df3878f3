"""Exact sums of the readout: where they start, how they grow, how they become codes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from dataclasses import fields as members

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from rchw.design import Design
from rchw.hdl.arith import add_apart, drop_bits, fit, rounding_offset, select
from rchw.ranges import Interval, ReadoutRanges

__all__ = [
    "PARTS",
    "Flags",
    "accumulate",
    "constant",
    "counted",
    "output_interval",
    "output_start",
    "round_outputs",
]

PARTS = 3  # of an accumulator
FROM_MEMORY = ("turn", "ending", "opening")


@dataclass(frozen=True)
class Flags:
    """What accompanies a clock of the readout down its pipeline."""

    valid: Value
    done: Value  # the sample's last clock
    turn: Value  # which of the H sets of outputs
    ending: Value  # that set's last clock of the sample
    opening: Value = field(
        default_factory=lambda: Const(0)
    )  # its first one; this and the others only where samples are summed up
    adds: Value = field(default_factory=lambda: Const(0))  # whether the sample is added
    segment: Value = field(default_factory=lambda: Const(0))  # to which segment it belongs

    def delayed(self, m: Module, name: str, fields: bool = True) -> "Flags":
        """Copies one clock later; unused ones vanish in synthesis.

        `fields`: so are those which come from memory, and are late by themselves.
        """
        copies = {}
        for key in (entry.name for entry in members(self)):
            value = getattr(self, key)
            if isinstance(value, Const) or (key in FROM_MEMORY and not fields):
                copies[key] = value
                continue
            copy = Signal(len(value), name=f"{key}_{name}")
            m.d.sync += copy.eq(value)
            copies[key] = copy
        return Flags(**copies)


def output_start(design: Design, ranges: ReadoutRanges, output: int) -> int:
    """Where an output's sum starts: the constant feature, and the half that rounding needs.

    A sum over samples starts from the half alone: the feature counts in every sample.
    """
    readout = design.readout
    start = rounding_offset(ranges.frac - readout.outputs[output].format.frac, readout.rounding)
    if design.features.one is not None and not readout.sums:
        start += readout.weights[output][-1] << ranges.shifts["one"]
    return start


def output_interval(design: Design, ranges: ReadoutRanges, output: int) -> Interval:
    """All sums of an output that began with `output_start`."""
    readout = design.readout
    half = rounding_offset(ranges.frac - readout.outputs[output].format.frac, readout.rounding)
    return ranges.accumulators[output] + Interval(half, half)


def constant(
    m: Module, design: Design, ranges: ReadoutRanges, output: int, segment: Value
) -> Value:
    """What the constant feature adds to an output in a sample of a segment."""
    shift = ranges.shifts.get("one", 0)
    codes = [
        rows[output][-1] << shift if design.features.one is not None else 0
        for rows in design.readout.by_segment
    ]
    if len(set(codes)) == 1:
        return Const(codes[0], signed(Interval(codes[0], codes[0]).width))
    width = max(Interval(code, code).width for code in codes)
    values = [Const(code, signed(width)) for code in codes]
    return select(m, segment, values, f"constant_{output}").as_signed()


def round_outputs(
    m: Module, design: Design, ranges: ReadoutRanges, totals: Sequence[Value]
) -> list[Value]:
    """Output codes of the sums that began with `output_start`."""
    readout = design.readout
    codes: list[Value] = []
    for total, output in zip(totals, readout.outputs, strict=True):
        rounded = drop_bits(total, ranges.frac - output.format.frac, readout.rounding)
        codes.append(fit(m, rounded, output.format, readout.overflow, f"round_{output.name}"))
    return codes


def counted(
    m: Module, design: Design, ranges: ReadoutRanges, sums: Sequence[Value], flags: Flags
) -> tuple[list[Value], Flags]:
    """Add the constant feature to the first products of a sample; nothing of one that is not added.

    One clock; parameters as of `accumulate`.
    """
    found: list[Value] = []
    for position, products in enumerate(sums):
        mine = range(position, design.n_outputs, len(sums))
        constants = [constant(m, design, ranges, k, flags.segment) for k in mine]
        one = select(m, flags.turn, constants, f"constants_{position}")
        total = add_apart(products, Mux(flags.opening, one, 0))
        register = Signal(total.shape(), name=f"counted_{position}", reset_less=True)
        m.d.sync += register.eq(Mux(flags.adds, total, 0))
        found.append(register)
    bare = Flags(flags.valid, flags.done, flags.turn, flags.ending)
    return found, bare.delayed(m, "counted")


def accumulate(
    m: Module, design: Design, ranges: ReadoutRanges, sums: Sequence[Value], flags: Flags
) -> tuple[list[Value], Flags]:
    """Add up; with the last product hand the total over and start again.

    Each part of the sum follows one clock after the part below, to keep the carry chains short.

    Parameters
    ----------
    m : Module
    design : Design
    ranges : ReadoutRanges
    sums : sequence of Value
        What is added in this clock to the outputs of its turn.
    flags : Flags
        That belong to `sums`.

    Returns
    -------
    totals, flags
        Sums of a sample, one per output, and the flags of the clock in which they are complete.

    Latency
    -------
    `PARTS` clocks.
    """
    clocks = [flags]
    for part in range(1, PARTS):
        clocks.append(clocks[-1].delayed(m, f"part_{part}"))
    totals: list[Value] = []
    for output in range(design.n_outputs):
        hold, position = divmod(output, len(sums))
        start = output_start(design, ranges, output)
        width = max(output_interval(design, ranges, output).width, PARTS)
        term: Value = sums[position]
        carry: Value = Const(0, 1)
        parts = []
        for part, active in enumerate(clocks):
            bits = (width + part) // PARTS
            name = f"sum_{output}_{part}"
            wide = Signal(signed(max(bits, len(term))), name=f"{name}_term")
            m.d.comb += wide.eq(term)
            total, grown = _part(m, name, wide[:bits], carry, start, active, hold)
            parts.append(total)
            start >>= bits
            if part == PARTS - 1:
                break
            carry = Signal(name=f"{name}_carry", reset_less=True)
            m.d.sync += carry.eq(grown)
            rest = term[min(bits, len(term) - 1) :].as_signed()
            term = Signal(rest.shape(), name=f"{name}_rest", reset_less=True)
            m.d.sync += term.eq(rest)
        totals.append(Cat(*parts).as_signed())
    return totals, clocks[-1].delayed(m, "total")


def _part(
    m: Module,
    name: str,
    term: Value,
    carry: Value,
    start: int,
    flags: Flags,
    hold: int,
) -> tuple[Signal, Value]:
    """One part of an accumulator: the register that takes its totals, and the carry out."""
    width = len(term)
    accumulator = Signal(width, name=f"{name}_sum", init=start % (1 << width))
    total = Signal(width, name=f"{name}_total", reset_less=True)
    grown = Signal(width + 1, name=f"{name}_grown")
    if isinstance(carry, Const):
        m.d.comb += grown.eq(accumulator + term)
    else:
        m.d.comb += grown.eq((Cat(Const(1, 1), accumulator) + Cat(carry, term)) >> 1)
    mine = Signal(name=f"{name}_turn")
    m.d.comb += mine.eq(flags.turn == hold)
    with m.If(flags.ending & mine):
        # The start is the value of the reset too: both become one synchronous set and reset.
        m.d.sync += [accumulator.eq(start % (1 << width)), total.eq(grown)]
    with m.Elif(flags.valid & mine):
        m.d.sync += accumulator.eq(grown)
    return total, grown[width]
