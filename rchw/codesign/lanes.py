"""The bill of one layer of the folded circuit: `rchw.hdl.passes` and `rchw.hdl.unit`."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rchw import activation
from rchw.codesign.bill import Bill, Path
from rchw.codesign.clamp import clamp
from rchw.codesign.columns import feed_sums, matrix_sums
from rchw.codesign.drives import drives
from rchw.codesign.memories import Memory, Table, width_of
from rchw.codesign.part import Part
from rchw.codesign.rings import ring_states
from rchw.codesign.sums import layer_sums
from rchw.design import Stage, UnitLayer
from rchw.fixed import Rounding
from rchw.schedule import Schedule

__all__ = ["activate", "fold_layer"]

Codes = NDArray[np.int64]
_GROWN = 4  # bits by which a segment's line is wider than what it is of


def _segments(bill: Bill, kind: activation.PiecewiseLinear, kept: int, rounds: bool) -> int:
    """Pieces and choices of a value of `kept` bits; how many of the segments it can reach."""
    half = 1 << (kept - 1)
    ends = [start for start, _, _ in kind.segments[1:]]
    reached = [
        segment
        for segment, end in zip(kind.segments, [*ends, None], strict=True)
        if (segment[0] is None or segment[0] < half) and (end is None or end > -half)
    ]
    for _, shift, offset in reached:
        wide = max(kept - shift, abs(offset).bit_length() + 1)
        bill.add("add", (wide - _zeros(offset)) * (offset != 0), offset != 0)
        bill.add("add", max(kept - shift, 1) * (rounds and shift > 0), rounds and shift > 0)
    for start, _, _ in reached[1:]:
        assert start is not None
        bill.add("compare", max(kept - _zeros(start), 1), 1)
    bill.add("choice", (len(reached) - 1) * kept)
    return len(reached)


def _zeros(code: int) -> int:
    """Zeros at the end of a code."""
    return (code & -code).bit_length() - 1 if code else 0


def activate(bill: Bill, layer: UnitLayer, width: int, frac: int, before: Path | None) -> None:
    """One activation of a sum of `width` bits.

    Parameters
    ----------
    bill : Bill
    layer : UnitLayer
    width, frac : int
        Bits of the sum, and how many of them are a fraction.
    before : Path or None
        What comes before it in the same clock, all of it one way: the parallel form. The folded one
        has a register in front, and another in the middle where there is no clip.
    """
    kind, bits = layer.activation, layer.state.width
    target = kind.index if isinstance(kind, activation.Table) else layer.state
    shift = frac - target.frac
    rounds = layer.rounding is not Rounding.TRUNCATE
    levels, carries, chains = 0.0, 0.0, 0.0
    if before:
        levels, carries, chains = before.levels, before.carries, before.chains
    if shift > 0 and rounds:
        bill.add("add", width, 1)
        levels, carries, chains = levels + 1, max(carries, width) + 1, chains + 1
    kept = max(width - max(shift, 0), 1)
    if isinstance(kind, activation.PiecewiseLinear):
        parts = _segments(bill, kind, kept, rounds)
        # One comparison, then a choice among all.
        levels, carries = levels + 2 + (parts - 1).bit_length(), max(carries, kept) + 1
        chains += 1
        kept += _GROWN
        if before is None:
            bill.add("held", kept)
            bill.path("segments", Path(levels, carries, chains=chains))
            levels = carries = chains = 0
    if isinstance(kind, activation.Table):
        bill.memories.append(Memory(1 << target.width, bits, 1 << target.width, single=True))
        ends = (target.min, target.max)
        limited = clamp(bill, kept, *ends, Path(levels + 1, carries, chains=chains))
        bill.path("index of a table", limited)
        bill.path("table", Path(1 + layer.remembers))
    else:
        limited = clamp(bill, kept, *kind.ends, Path(levels, carries, chains=chains))
        if before and limited.chains > chains:  # the first state is chosen before a comparison
            limited = replace(limited, levels=limited.levels + 1)
        bill.path("activation", limited)


def fold_layer(bill: Bill, stage: Stage, plan: Schedule) -> None:
    """Add one layer to a bill."""
    layer = stage.layer
    words = np.arange(plan.words)[:, None] * layer.lanes + np.arange(layer.lanes)
    units = np.minimum(words, layer.n_units - 1).T
    part = Part(bill, stage, plan, layer_sums(stage), units, Table(plan.words))
    bill.add("held", layer.lanes * layer.state.width)
    if stage.stepwise:
        matrix_sums(part)
    else:
        ring_states(part)
    for number in range(len(stage.feeds)):
        feed_sums(part, number)
    drives(part)
    for lane in range(layer.lanes):
        _lane(part, units[lane])
    if plan.read_register:
        bill.add("plain", part.table.width)
    bill.memories += part.table.memory()
    bill.counter(plan.words * max(plan.steps, 1))
    if not plan.steps:
        bill.counter(max(plan.word_clocks, plan.top_clocks))
    bill.counter(plan.pass_clocks - plan.busy + plan.input_clocks)


def _lane(part: Part, column: Codes) -> None:
    """`rchw.hdl.unit.Lane.update`."""
    bill, layer = part.bill, part.stage.layer
    width = layer.state.width
    bill.add("held", width_of(*part.sums.taps.of(column)))
    bill.add("held", width_of(*part.sums.drive.of(column)))
    total = width_of(*part.sums.summed.of(column))
    bill.add("add", total, 1)
    bill.path("sum of a lane", Path(1, total, chains=1))
    delay = 3
    if layer.gain is not None:
        gains = np.array(layer.gain.codes, dtype=np.int64)
        part.times(total, gains[column])
        bill.add("plain", 2 * layer.gain.format.width)
        wide = width_of(*part.sums.accumulator.of(column))
        bill.add("held", wide)
        bill.add("add", wide, 1)
        part.table.add(np.array(layer.bias, dtype=np.int64)[column])
        bill.add("plain", 3 * layer.bias_format.width)
        total, delay = wide, delay + 2
    activate(bill, layer, total, part.sums.frac, None)
    if not layer.remembers:
        return
    delay += not isinstance(layer.activation, activation.Clip)
    start = np.array(layer.initial_state, dtype=np.int64)
    bill.add("choice", width * bool(part.table.add(start[column])))
    _remembered(part, column, delay)


def _remembered(part: Part, column: Codes, delay: int) -> None:
    bill, layer = part.bill, part.stage.layer
    width = layer.state.width
    if layer.step is None:
        shifts, where = np.unique(np.array(layer.leak_shifts), return_inverse=True)
        bits = part.table.add(where.reshape(-1)[column])
        bill.add("plain", delay * (width + bits))
        bill.add("held", width)
        rounds = layer.rounding is not Rounding.TRUNCATE
        chains = 2 + rounds * len(shifts)
        bill.add("add", chains * (width + 1), chains)
        bill.add("choice", (len(shifts) - 1) * (width + 1))
        levels = 2.0 + (len(shifts) - 1).bit_length() + rounds
        longest = width + int(shifts.max()) + 1 + rounds
        bill.path("leak", Path(levels, longest, chains=2.0 + rounds))
        return
    bill.add("plain", (delay + 1) * width)
    bill.add("held", width)
    part.times(width, np.array(layer.step.codes, dtype=np.int64)[column])
    product, rounds = width + layer.step.format.width, layer.rounding is not Rounding.TRUNCATE
    bill.add("held", product)
    bill.add("add", (1 + rounds) * product, 1 + rounds)
    bill.add("clip", 2 * width)
    bill.path("step", Path(3.0 + rounds, product + rounds, chains=1.0 + rounds))
