"""The bill of a folded matrix, and of what a layer reads of an earlier one.

They follow `rchw.hdl.matrix`, `rchw.hdl.triangle` and `rchw.hdl.gather`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Path
from rchw.codesign.memories import SMALL, Memory, Product, Table, width_of
from rchw.codesign.part import Part
from rchw.columns import feed_columns
from rchw.design import Layer, MatrixLayer, TapsInput
from rchw.ranges import Interval, state_interval

__all__ = ["feed_sums", "matrix_sums"]

Codes = NDArray[np.int64]


def matrix_sums(part: Part) -> None:
    """`rchw.hdl.matrix`: weights, the memory of states, products and part.sums."""
    layer, plan, bill = part.stage.layer, part.plan, part.bill
    n, lanes, width = layer.n_units, layer.lanes, layer.state.width
    steps, count = plan.steps, plan.words * plan.steps
    bill.counter(steps)
    bill.counter(plan.words)
    bill.counter(plan.words)
    kind = layer.matrix.kind if isinstance(layer, MatrixLayer) else "taps"
    ports = 1
    widths = [1] * lanes
    if kind == "antisymmetric":
        widths = _triangle(part, part.sums.matrix)
    elif kind == "dense":
        assert part.sums.matrix is not None
        ports, weights = 1, Table(count)
        padded = np.zeros((n, steps), dtype=np.int64)
        padded[:, steps - n :] = part.sums.matrix
        widths = [max(weights.add(padded[column], True), 1) for column in part.units]
        bill.memories += weights.memory()
        columns = Table(steps)
        places = np.arange(steps)
        columns.add(places // lanes % max(plan.words, 2))
        columns.add(places % lanes)
        bill.memories += columns.memory()
    else:
        ports, widths = _rows(part)
    if kind != "antisymmetric":
        choices = (lanes - 1) * width * ports
        bill.add("choice", choices)
    read = ports + layer.remembers
    depth = 2 << (plan.words - 1).bit_length()
    bill.memories.append(Memory(depth, lanes * width, 2 * plan.words, read, written=True))
    for lane in range(lanes):
        bill.add("plain", widths[lane])
        bill.products.append(Product(width, widths[lane], width + widths[lane]))
        bill.add("absorbed", width + widths[lane])
        total = part.sums.taps.of(part.units[lane])
        wide = max(width_of(*total) - part.sums.tap_shift, width + widths[lane])
        bill.add("sum", wide, 1)
        bill.path("sum of columns", Path(2, wide, chains=1))
        _start(part, part.units[lane])
    turned = bool(lanes > 1 and kind == "antisymmetric")
    levels = float(turned) if kind == "antisymmetric" else float((lanes - 1).bit_length())
    bill.path("product of a column", Path(levels, 0, plan.words > SMALL // 2, (width, max(widths))))


def _start(part: Part, column: Codes) -> None:
    layer = part.stage.layer
    if any(layer.initial_state):
        part.bill.add("choice", width_of(*part.sums.taps.of(column)))


def _rows(part: Part) -> tuple[int, list[int]]:
    """Sparse rows: every lane has a port, columns and weights of its own."""
    layer, plan = part.stage.layer, part.plan
    count, lanes = plan.words * plan.steps, layer.lanes
    weights, places = Table(count), Table(count)
    widths, ports = [], set()
    for lane in range(lanes):
        codes = np.zeros((plan.words, plan.steps), dtype=np.int64)
        columns = np.zeros((plan.words, plan.steps), dtype=np.int64)
        for word in range(plan.words):
            unit = word * lanes + lane
            row = layer.connections[unit] if unit < layer.n_units else ()
            for step, (column, weight) in enumerate(row):
                place = plan.steps - len(row) + step
                codes[word, place], columns[word, place] = weight, column
        widths.append(max(weights.add(codes.reshape(-1), True), 1))
        flat = columns.reshape(-1)
        where, bank = flat // lanes, flat % lanes
        places.add(where)
        places.add(bank)
        ports.add((where.tobytes(), bank.tobytes()))
    part.bill.memories += [*weights.memory(), *places.memory()]
    return len(ports), widths


def _triangle(part: Part, matrix: Codes | None) -> list[int]:
    """`rchw.hdl.triangle`: half of the weights, turned in a ring of lanes."""
    layer, plan, bill = part.stage.layer, part.plan, part.bill
    assert isinstance(layer, MatrixLayer) and matrix is not None
    lanes, words = layer.lanes, plan.words
    stored = words * (words - 1) // 2 * lanes + words * (lanes // 2) + (lanes == 1)
    lower = matrix[np.tril_indices(layer.n_units, -1)]
    width = width_of(min(int(lower.min(initial=0)), 0), max(int(lower.max(initial=0)), 0))
    if stored > 1:
        bill.memories.append(Memory(stored, lanes * width, stored))
    diagonal = Table(words)
    codes = np.array(layer.matrix.diagonal, dtype=np.int64)
    pad = np.concatenate([codes, np.full(words * lanes - layer.n_units, codes[-1])])
    for lane in range(lanes):
        diagonal.add(pad[lane::lanes], True)
    bill.memories += diagonal.memory()
    for clocks in (words, words, lanes):
        bill.counter(clocks)
    address = max(stored, 2).bit_length()
    bill.add("add", 4 * address, 4)
    levels = (lanes - 1).bit_length()
    bill.add("choice", lanes * (levels * width + 2 * width))
    bill.add("held", lanes * (width + 1))
    if lanes > 1:
        bill.add("choice", lanes * layer.state.width)
        bill.add("held", lanes * layer.state.width)
    bill.path("weight of a tile", Path(levels + 2, width, memory=stored > 1, chains=1))
    bill.path("place of a tile", Path(6.0 + (lanes > 1), address, chains=1))
    return [width + 1] * lanes


def feed_sums(part: Part, number: int) -> None:
    """`rchw.hdl.gather`: what an earlier layer feeds, by columns or by words."""
    stage, plan, bill = part.stage, part.plan, part.bill
    feed, lanes = stage.feeds[number], stage.layer.lanes
    source, width = feed.layer, feed.layer.state.width
    source_words = -(-source.n_units // source.lanes)
    bill.counter(source_words)
    codes = part.sums.fed[number]
    if codes is None:
        assert isinstance(feed.entry, TapsInput)
        ports = []
        for tap in feed.entry.taps:
            weights = np.array(tap.weights, dtype=np.int64)
            for lane in range(lanes):
                bill.add("plain", width)
                part.times(width, weights[part.units[lane]])
                ports.append((part.units[lane] - tap.offset) % source.n_units)
        _gathered(part, source, ports)
        return
    count = plan.words * plan.steps
    weights_of = Table(count)
    padded = np.zeros((stage.n_units, plan.steps), dtype=np.int64)
    taken = np.zeros((stage.n_units, plan.steps), dtype=np.int64)
    for unit, row in enumerate(feed_columns(feed)):  # of sparse rows what is there, alone
        padded[unit, plan.steps - len(row) :] = [weight for _, weight in reversed(row)]
        taken[unit, plan.steps - len(row) :] = [column or 0 for column, _ in reversed(row)]
    widths = [max(weights_of.add(padded[part.units[lane]], True), 1) for lane in range(lanes)]
    bill.memories += weights_of.memory()
    _gathered(part, source, [taken[part.units[lane]].reshape(-1) for lane in range(lanes)])
    state = state_interval(source)
    for lane in range(lanes):
        bill.add("plain", widths[lane])
        bill.products.append(Product(width, widths[lane], width + widths[lane]))
        bill.add("absorbed", width + widths[lane])
        wide = _sum_width(codes[part.units[lane]], state)
        bill.add("sum", wide, 1)
        bill.add("add", wide, 1)
        bill.path("sum of columns", Path(2, wide, chains=1))
    levels = float((source.lanes - 1).bit_length())
    bill.path("product of a column", Path(levels, 0, source_words > SMALL, (width, max(widths))))


def _gathered(part: Part, source: Layer, ports: Sequence[Codes]) -> None:
    """`rchw.hdl.gather.gather`: ports that go through the same words share a memory."""
    bill, lanes, width = part.bill, source.lanes, source.state.width
    if not ports:
        return
    words, fields = -(-source.n_units // lanes), Table(len(ports[0]))
    banks: dict[bytes, set[int]] = {}
    for units in ports:
        used = np.unique(units % lanes)
        banks.setdefault((units // lanes).tobytes(), set()).update(used.tolist())
        fields.add(np.searchsorted(used, units % lanes))
        bill.add("choice", (len(used) - 1) * width)
        if words > 1:
            fields.add((units // lanes - 1) % (1 << (words - 1).bit_length()))
    for together in banks.values() if words > 1 else ():
        depth = 1 << (words - 1).bit_length()
        bill.memories.append(Memory(depth, width * len(together), words, written=True))
    bill.memories += fields.memory()


def _sum_width(codes: Codes, state: Interval) -> int:
    """Bits of sums of products of rows of codes with states."""
    positive = int(np.maximum(codes, 0).sum(axis=1).max())
    negative = int(np.minimum(codes, 0).sum(axis=1).min())
    most = max(positive, -negative) * max(state.high, -state.low)
    return width_of(-most, most)
