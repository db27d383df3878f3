"""The bill of the folded readout: weights, squares, products, accumulators, queue."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Bill, Path
from rchw.codesign.memories import Product, Table, width_of
from rchw.design import Design
from rchw.fixed import Rounding
from rchw.ranges import Interval, ReadoutRanges, readout_ranges
from rchw.schedule import Schedule, answer_clocks

__all__ = ["fold_readout", "output_width"]

Codes = NDArray[np.int64]
_PARTS = 3  # of an accumulator
_STATES, _SQUARES, _INPUTS = 0, 1, 2


@dataclass(frozen=True)
class _Clocks:
    """What the readout does in each clock: `rchw.hdl.clocks` as arrays, -1 where there is nothing.

    Attributes
    ----------
    features : (T, operands)
    source, group, hold, layer : (T,)
    """

    features: Codes
    source: Codes
    group: Codes
    hold: Codes
    layer: Codes


def output_width(design: Design, ranges: ReadoutRanges, output: int) -> int:
    """Bits of the sums of an output, with the half that rounding adds."""
    shift = ranges.frac - design.readout.outputs[output].format.frac
    half = 0 if shift <= 0 or design.readout.rounding is Rounding.TRUNCATE else 1 << (shift - 1)
    ends = ranges.accumulators[output]
    return width_of(ends.low + half, ends.high + half)


def _clocks(design: Design, plan: Schedule, passes: tuple[Schedule, ...]) -> _Clocks:
    starts = {block.key: block.start for block in design.blocks}
    rows: list[list[int]] = []
    marks: list[tuple[int, int, int]] = []
    for number, (layer, part) in enumerate(zip(design.layers, passes, strict=True)):
        n, lanes, seen = layer.n_units, layer.lanes, design.features.of_layers[number]
        suffix = f"_{number}" if number else ""
        states, squares = starts.get(f"states{suffix}", 0), starts.get(f"squares{suffix}", 0)
        for word in range(part.words - 1, -1, -1):
            if not seen.per_unit:
                rows.append([-1] * plan.operands)
                marks.append((2 * number, 0, number))
                continue
            for group in range(-(-min(n - word * lanes, lanes) // plan.group) - 1, -1, -1):
                first = word * lanes + group * plan.group
                units = [u if u < n else None for u in range(first, first + plan.group)]
                plain = [-1 if u is None else states + u for u in units]
                squared = [-1 if u is None else squares + u for u in units]
                if plan.paired:
                    rows.append(plain + squared)
                    marks.append((2 * number + _STATES, group, number))
                    continue
                if seen.states:
                    rows.append(plain)
                    marks.append((2 * number + _STATES, group, number))
                if seen.squares is not None:
                    rows.append(squared)
                    marks.append((2 * number + _SQUARES, group, number))
    if design.features.inputs:
        last = len(passes) - 1
        for turn, first in enumerate(range(0, design.n_inputs, plan.group)):
            channels = [
                starts["inputs"] + k if k < design.n_inputs else -1
                for k in range(first, first + plan.group)
            ]
            rows.append(channels + [-1] * plan.group * plan.paired)
            marks.append((2 * last + _INPUTS + turn, 0, last))
    features = np.repeat(np.array(rows, dtype=np.int64), plan.hold, axis=0)
    source, group_of, layer_of = np.repeat(np.array(marks, dtype=np.int64), plan.hold, axis=0).T
    hold = np.tile(np.arange(plan.hold, dtype=np.int64), len(rows))
    return _Clocks(features, source, group_of, hold, layer_of)


def _weights(design: Design, plan: Schedule, clocks: _Clocks, table: Table) -> list[int]:
    """Bits of every weight field: by operand, then the outputs served in one clock."""
    rows = np.array(design.readout.by_segment, dtype=np.int64)  # segment, output, feature
    per_clock, widths = design.n_outputs // plan.hold, []
    for slot in range(plan.operands):
        feature = clocks.features[:, slot]
        for position in range(per_clock):
            outputs = clocks.hold * per_clock + position
            column = np.where(feature < 0, 0, rows[:, outputs, feature])
            widths.append(max(table.add(column.reshape(-1)), 1))
    return widths


def _operand(design: Design, ranges: ReadoutRanges) -> int:
    """Bits of an operand of the multipliers."""
    hull = Interval(0, 0)
    for number, layer in enumerate(design.layers):
        shift = ranges.shifts.get(f"states_{number}" if number else "states", 0)
        hull = hull.hull(Interval.of(layer.state).scale(1 << shift))
    for block in design.blocks:
        if block.kind in ("squares", "inputs"):
            hull = hull.hull(ranges.features[block.key].scale(1 << ranges.shifts[block.key]))
    return hull.width


def fold_readout(bill: Bill, design: Design, plan: Schedule, passes: tuple[Schedule, ...]) -> None:
    """Add the readout of a folded design, with its schedule and those of its layers."""
    ranges = readout_ranges(design)
    clocks = _clocks(design, plan, passes)
    count = len(clocks.hold)
    readout, segments = design.readout, design.readout.n_segments
    groups = Table(count)
    groups.add(clocks.group)
    groups.add(clocks.layer)
    bill.memories += groups.memory()
    bill.add("plain", groups.width)
    table = Table(segments * count)
    widths = _weights(design, plan, clocks, table)
    for column in (clocks.hold, clocks.source):
        table.add(np.tile(column, segments))
    if plan.hold > 1:
        table.add(np.tile(np.arange(count) < plan.hold, segments).astype(np.int64))
    if readout.sums:
        table.add(np.tile(np.arange(count) >= count - plan.hold, segments).astype(np.int64))
    bill.memories += table.memory()
    bill.add("absorbed", table.width)
    squares = [block for block in design.blocks if block.kind == "squares"]
    for _ in range(1 + bool(squares) + readout.pooled):
        bill.counter(count)
    _squares(bill, design, plan)
    operand = _operand(design, ranges)
    width = design.layers[0].state.width
    wide_groups = max(layer.lanes // plan.group for layer in design.layers)
    bill.add("choice", plan.group * (wide_groups - 1) * width)
    bill.add("choice", plan.group * (len(design.layers) - 1) * width)
    kinds = len({*clocks.source.tolist()})
    bill.add("choice", plan.operands * (kinds - 1) * operand)
    bill.add("held" if kinds + wide_groups > 2 else "absorbed", plan.operands * operand)
    levels = float((kinds - 1).bit_length() + (wide_groups - 1).bit_length())
    levels += (len(design.layers) - 1).bit_length()
    bill.path("feature", Path(levels + 2 * bool(squares)))
    for wide in widths:
        bill.add("absorbed", wide)
        bill.products.append(Product(operand, wide, operand + wide))
        bill.add("absorbed", operand + wide)
    bill.path("readout product", Path(0, 0, False, (operand, max(widths)), "registered product"))
    term = operand + max(widths)
    per_clock = len(widths) // plan.operands
    for level in range(plan.sum_levels):
        term += 1
        pairs = -(-plan.operands >> (level + 1))
        bill.add("add", per_clock * pairs * term, per_clock * pairs)
        bill.add("held", per_clock * pairs * term)
        bill.path("sum of products", Path(1, term, chains=1))
    _accumulators(bill, design, plan, ranges, term)
    _queue(bill, design, plan, passes[-1])


def _squares(bill: Bill, design: Design, plan: Schedule) -> None:
    for block in design.blocks:
        if block.kind == "squares":
            layer = design.layers[block.layer]
            bits = layer.state.width
            limited = 2 * bits - 2 * layer.state.frac + block.format.frac - block.format.width
            rounds = design.features.of_layers[block.layer].square_rounding is not Rounding.TRUNCATE
            bill.add("clip", plan.group * block.format.width * (limited > 0))
            bill.add("add", plan.group * rounds * 2 * bits, plan.group * rounds)
            bill.add("plain", plan.group * bits)
            bill.path("square", Path(0, 0, False, (bits, bits), "square"))
            if limited > 0:
                levels = 3.0 + (plan.group > 1)
                bill.path("limit of a square", Path(levels, 2 * bits, chains=1))
            if block.layer == 0:
                bill.add("plain", plan.group * bits)
                bill.add("absorbed", plan.group * 3 * bits)
                for _ in range(plan.group):
                    bill.products.append(Product(bits, bits, 3 * bits))
    if design.features.inputs:
        bits = sum(channel.format.width for channel in design.inputs)
        bill.add("plain", bits)


def _accumulators(
    bill: Bill, design: Design, plan: Schedule, ranges: ReadoutRanges, term: int
) -> None:
    readout = design.readout
    for output in range(design.n_outputs):
        width = max(output_width(design, ranges, output), _PARTS)
        bill.add("sum", width, _PARTS)
        bill.add("plain", width)
        part = width // _PARTS
        bill.add("plain", max(term - part, 0) + max(term - 2 * part, 0))
        bill.path("accumulator", Path(2.0 + (plan.hold > 1), part, chains=1))
        answer = readout.outputs[output].format
        shift = ranges.frac - answer.frac
        bill.add("clip", answer.width)
        dropped = width - max(shift, 0) - answer.width
        bill.path("answer", Path(2.0 + (max(dropped, 1)).bit_length() / 2))
        if readout.rounding is Rounding.HALF_EVEN:
            bill.add("clip", max(shift, 0))
    if readout.sums:
        bill.add("held", design.n_outputs // plan.hold * term)
        several = design.n_outputs // plan.hold
        bill.add("add", several * term, several)
        bill.counter(readout.segments.length if readout.segments else 1)
    if readout.argmax:
        bits = readout.outputs[0].format.width
        bill.add("compare", (design.n_outputs - 1) * bits, design.n_outputs - 1)
        bill.add("choice", (design.n_outputs - 1) * bits)
        bill.add("held", 2 * design.n_outputs * bits)
        bill.path("greatest", Path(2, bits, chains=1))


def _queue(bill: Bill, design: Design, plan: Schedule, last: Schedule) -> None:
    inputs = last.input_clocks if last.waits else 0
    if last.steps:
        word = last.word_clocks if last.words > 1 else last.top_clocks
        inputs = last.input_clocks + word - 1
    late = 2 * any(block.kind == "squares" for block in design.blocks)
    waits = inputs + last.loop_latency + 5 + late + last.sum_levels + answer_clocks(design)
    slots = waits // plan.pass_clocks + 1
    bits = sum(output.format.width for output in design.readout.answers)
    if slots == 1:
        bill.add("held", bits)
    else:
        bill.add("queue", slots * (bits + 1))
        bill.path("queue", Path(3.0 + slots.bit_length()))
