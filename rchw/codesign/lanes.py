"""The bill of one layer of the folded circuit: `rchw.hdl.passes` and `rchw.hdl.unit`."""

import numpy as np
from numpy.typing import NDArray

from rchw import activation
from rchw.codesign.bill import Bill, Path
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
    levels, carries = (before.levels, before.carries) if before else (0.0, 0.0)
    if shift > 0 and rounds:
        bill.add("add", width)
        levels, carries = levels + 1, carries + width
    kept = max(width - max(shift, 0), 1)
    if isinstance(kind, activation.PiecewiseLinear):
        parts = len(kind.segments)
        pieces = [(1 + (rounds and s > 0)) * max(kept - s, 1) for _, s, _ in kind.segments]
        bill.add("add", sum(pieces))
        bill.add("clip", (parts - 1) * kept)
        bill.add("choice", (parts - 1) * kept)
        # One comparison, then its choice and all behind it.
        levels, carries = levels + parts, carries + kept
        if before is None:
            bill.add("held", kept + 1)
            bill.path("segments", Path(levels, carries))
            levels = carries = 0
    if isinstance(kind, activation.Table):
        bill.memories.append(Memory(1 << target.width, bits, 1 << target.width, single=True))
        bill.add("clip", target.width)
        bill.path("index of a table", Path(levels + 3, carries))
        bill.path("table", Path(1 + layer.remembers, 0, before is None))
    else:
        low, high = kind.ends
        whole = high == layer.state.max and low - layer.state.min in (0, 1)
        bill.add("clip", (1 if whole else 2) * max(kept, bits))
        behind = 2.0 if whole else 3.0
        bill.path("activation", Path(levels + behind, carries + (0 if whole else kept)))


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
    bill.add("add", total)
    bill.path("sum of a lane", Path(1, total))
    delay = 3
    if layer.gain is not None:
        gains = np.array(layer.gain.codes, dtype=np.int64)
        part.times(total, gains[column])
        bill.add("plain", 2 * layer.gain.format.width)
        wide = width_of(*part.sums.accumulator.of(column))
        bill.add("held", wide)
        bill.add("add", wide)
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
        bill.add("add", (2 + rounds * len(shifts)) * (width + 1))
        bill.add("choice", (len(shifts) - 1) * (width + 1))
        levels = 2.0 + len(shifts).bit_length() + rounds
        bill.path("leak", Path(levels, (2 + rounds) * width))
        return
    bill.add("plain", (delay + 1) * width)
    bill.add("held", width)
    part.times(width, np.array(layer.step.codes, dtype=np.int64)[column])
    product, rounds = width + layer.step.format.width, layer.rounding is not Rounding.TRUNCATE
    bill.add("held", product)
    bill.add("add", (1 + rounds) * product)
    bill.add("clip", 2 * width)
    bill.path("step", Path(4.0 + rounds, product + (1 + rounds) * width))
