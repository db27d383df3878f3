"""The bill of a whole design, folded or parallel, with its streams."""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Bill, Path
from rchw.codesign.constants import saved
from rchw.codesign.drives import drive_kinds
from rchw.codesign.lanes import activate, fold_layer
from rchw.codesign.memories import Product, width_of
from rchw.codesign.readout import fold_readout, output_width
from rchw.codesign.sums import LayerSums, layer_sums
from rchw.design import Design, ExternalLayer, LinearInput, Stage, UnitLayer
from rchw.fixed import QFormat, Rounding
from rchw.ranges import readout_ranges
from rchw.schedule import Schedule, layer_passes, schedule

__all__ = ["bill_of"]

Codes = NDArray[np.int64]


def bill_of(design: Design, plan: Schedule | None = None) -> Bill:
    """Count a design.

    Parameters
    ----------
    design : Design
    plan : Schedule, optional
        Its schedule, where that is at hand.

    Raises
    ------
    DesignError
        As `rchw.schedule.schedule`.
    """
    bill, plan = Bill(), plan or schedule(design)
    beat = [channel.format for channel in design.beat]
    answers = [output.format for output in design.readout.answers]
    bill.add("port", sum(8 * _bytes(fmt) for fmt in (*beat, *answers)))
    codes = sum(channel.format.width for channel in design.inputs)
    if plan.parallel:
        _parallel(bill, design)
    else:
        if isinstance(design.layers[0], ExternalLayer):
            _shifted(bill, design.layers[0], plan)
        passes = layer_passes(design, plan)
        for stage, part in zip(design.stages, passes, strict=False):  # none of outside states
            fold_layer(bill, stage, part)
        bill.add("plain", codes)
        fold_readout(bill, design, plan, passes)
    for entry, channel in zip(design.feedback, design.fed, strict=True):
        bill.add("held", channel.format.width)
        bill.add("choice", (1 + entry.teacher) * channel.format.width)
    return bill


def _bytes(fmt: QFormat) -> int:
    return (fmt.width + 7) // 8


def _shifted(bill: Bill, layer: ExternalLayer, plan: Schedule) -> None:
    """States of the beat in a shift register, shifted out word by word."""
    bits = plan.words * layer.lanes * layer.state.width
    bill.add("choice", bits)
    bill.add("held", bits)
    bill.add("plain", layer.lanes * layer.state.width)
    bill.counter(plan.words)


def _parallel(bill: Bill, design: Design) -> None:
    bits = sum(channel.format.width for channel in (*design.inputs, *design.fed))
    depth = 1 + 2 * len(design.stages)
    bill.add("plain", depth * bits)
    if isinstance(design.layers[0], ExternalLayer):
        bill.add("plain", 2 * design.n_units * design.layers[0].state.width)
    for number, stage in enumerate(design.stages):
        sums = layer_sums(stage.expanded)
        _driven(bill, stage.expanded, sums)
        _units(bill, stage, sums)
        later = len(design.stages) - 1 - number
        bill.add("plain", 2 * later * stage.n_units * stage.layer.state.width)
    _constants(bill, design)


def _widths(low: Codes, high: Codes) -> Codes:
    """Bits of each pair of ends."""
    most = np.maximum(np.where(low < 0, ~low, low), np.where(high < 0, ~high, high))
    return np.asarray(np.frexp(most.astype(np.float64))[1] + 1, dtype=np.int64)


def _driven(bill: Bill, stage: Stage, sums: LayerSums) -> None:
    """Sums of inputs and bias, one register for each different one."""
    kinds, where, _ = drive_kinds(stage, mirrored=False)
    widths = _widths(sums.drive.low, sums.drive.high)
    if not all(isinstance(entry, LinearInput) for entry in stage.entries):
        compared = sum(channel.format.width for channel in stage.inputs) * stage.n_units
        bill.add("compare", compared, len(stage.inputs) * stage.n_units)
        bill.add("held", sum(channel.format.width for channel in stage.inputs))
        bill.add("add", int(widths.sum()), len(widths))
        return
    first = np.array([int(np.argmax(where == number)) for number in range(len(kinds))])
    parts = (kinds != 0).sum(axis=1)
    for row in kinds[:, : len(stage.inputs)].tolist():
        for code, channel in zip(row, stage.inputs, strict=True):
            bill.times(code, channel.format.width)
    bill.add("add", float((np.maximum(parts - 1, 0) * widths[first]).sum()), int((parts > 1).sum()))
    bill.add("joined", float((np.maximum(parts - 2, 0) * widths[first]).sum()))
    bill.add("held", float(widths[first].sum()))
    most = max(int(parts.max()), 1)
    bill.path("drive", Path(2.0 + saved(most), float(widths[first].max()), chains=1))


def _units(bill: Bill, stage: Stage, sums: LayerSums) -> None:
    """The loop that closes in one clock."""
    layer, width = stage.layer, stage.layer.state.width
    totals = _widths(sums.summed.low, sums.summed.high)
    taps = _widths(sums.taps.low, sums.taps.high)
    start = any(layer.initial_state)
    for unit in range(layer.n_units):
        weights = [weight for _, weight in layer.connections[unit]]
        products = [bill.times(weight, width) for weight in weights]
        own = max(int(taps[unit]) - sums.tap_shift, 1)
        bill.add("add", max(len(weights) - 1, 0) * own, len(weights) > 1)
        bill.add("joined", max(len(weights) - 2, 0) * own)
        additions = max((product.depth for product in products), default=0)
        additions += (max(len(weights), 1) - 1).bit_length()
        bill.add("add", int(totals[unit]) * bool(weights), bool(weights))
        bill.add("choice", int(taps[unit]) * (start or additions > 0))
        total = int(totals[unit])
        levels, carries, chains = 1.0 + additions, float(total + 2 * additions), 1.0 + additions
        if layer.gain is not None:
            code = layer.gain.codes[unit]
            wide = width_of(int(sums.accumulator.low[unit]), int(sums.accumulator.high[unit]))
            scaled = bill.times(code, total)
            bill.add("add", (layer.bias[unit] != 0) * wide, layer.bias[unit] != 0)
            levels, chains = levels + 1 + scaled.count, chains + 1 + scaled.count
            total, carries = wide, max(carries, wide) + scaled.count
        if layer.remembers:
            further = _updated(bill, layer, unit)
            levels, carries = levels + further.levels, carries + further.carries
            chains += further.chains
        activate(bill, layer, total, sums.frac, Path(levels, carries, chains=chains))
    bill.add("held", layer.n_units * width)


def _updated(bill: Bill, layer: UnitLayer, unit: int) -> Path:
    """The way from a target to the new state."""
    width, rounds = layer.state.width, layer.rounding is not Rounding.TRUNCATE
    if layer.step is None:
        leaks = layer.leak_shifts[unit] > 0
        bill.add("add", (2 + rounds) * (width + 1) * leaks, (2 + rounds) * leaks)
        chains = (2.0 + rounds) * leaks
        return Path(chains, chains + layer.leak_shifts[unit], chains=chains)
    code = layer.step.codes[unit]
    moved = bill.times(code, width)
    bill.add("add", (1 + rounds) * width, 1 + rounds)
    bill.add("clip", 2 * width)
    chains = 1.0 + rounds + moved.count
    return Path(2.0 + chains, width + chains, chains=chains)


def _constants(bill: Bill, design: Design) -> None:
    """Products with constants, each a register, and the tree that adds four at a time."""
    ranges, readout = readout_ranges(design), design.readout
    columns = []
    for block in design.blocks:
        layer, width = design.layers[block.layer], block.format.width
        if block.kind == "squares":
            bits = layer.state.width
            limited = 2 * bits - 2 * layer.state.frac + block.format.frac - width
            bill.add("clip", block.count * width * (limited > 0))
            bill.add("held", block.count * width)
            bill.products += [Product(bits, bits, width)] * block.count
            bill.path("square", Path(2, 0, False, (bits, bits)))
        elif block.kind != "one":
            bill.add("plain", block.count * width)
        if block.kind != "one":
            columns.append(np.full(block.count, width + ranges.shifts[block.key]))
    features = np.concatenate(columns)
    rows = np.array(readout.by_segment, dtype=np.int64)[:, :, : len(features)]
    for output in range(design.n_outputs):
        weights = rows[:, output]
        same = (weights == weights[0]).all(axis=0)
        used = weights.any(axis=0)
        wide = features + _widths(-np.abs(weights).max(axis=0), np.abs(weights).max(axis=0)) - 1
        fixed = zip(weights[0].tolist(), features.tolist(), same.tolist(), strict=True)
        found = [bill.times(code, width) for code, width, one in fixed if one]
        counts = np.zeros(len(features), dtype=np.int64)
        counts[same] = [product.count for product in found]
        bill.add("held", float((wide * used * (counts > 0)).sum()))
        bill.add("plain", float((wide * used * (counts == 0)).sum()))
        deepest = max((product.depth for product in found), default=0)
        chains = max((product.chains for product in found), default=0)
        longest = float((wide * used).max(initial=1))
        bill.path("product with a constant", Path(1.0 + deepest, longest, chains=chains))
        for k in np.flatnonzero(~same & used).tolist():
            bill.products.append(Product(int(features[k]), int(wide[k] - features[k]) + 1))
        terms, term = int(used.sum()), float(wide[used].mean()) if used.any() else 1.0
        while terms > 1:
            left = ceil(terms / 4)
            bill.add("add", (terms - left) * (term + 1), left)
            beyond = terms // 4 * 2 + max(terms % 4 - 2, 0)
            bill.add("joined", beyond * (term + 1))
            term += 2
            bill.add("held", left * term)
            bill.path("sum of four", Path(1.0 + saved(min(terms, 4)), term, chains=1))
            terms = left
        width = output_width(design, ranges, output)
        bill.add("add", width, 1)
        bill.add("clip", readout.outputs[output].format.width)
        bill.add("held", readout.outputs[output].format.width)
        bill.path("answer", Path(3, width, chains=1))
        if readout.sums:
            bill.add("sum", width, 1)
            bill.add("held", width)
