"""The bill of one layer of the folded circuit: state memory, lanes, matrix, drives."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw import activation
from rchw.codesign.bill import Bill, adders
from rchw.codesign.memories import PIECE, Memory, Product, Table, width_of
from rchw.codesign.sums import LayerSums, layer_sums
from rchw.design import (
    LevelInput,
    LinearInput,
    MatrixInput,
    MatrixLayer,
    RingLayer,
    Stage,
    TapsInput,
    UnitLayer,
)
from rchw.fixed import Rounding
from rchw.ranges import Interval, state_interval
from rchw.schedule import Schedule

__all__ = ["LayerBill", "activate", "drive_kinds"]

Codes = NDArray[np.int64]
_MUXED = 4  # weights of a lane that are chosen among; more are a field and a product
_SHARED = 16  # sums of inputs that lanes share


def activate(bill: Bill, layer: UnitLayer, width: int, frac: int, clocked: bool) -> None:
    """One activation of a sum of `width` bits."""
    kind, bits = layer.activation, layer.state.width
    target = kind.index if isinstance(kind, activation.Table) else layer.state
    shift = frac - target.frac
    if shift > 0 and layer.rounding is not Rounding.TRUNCATE:
        bill.add("add", width)
        bill.path("carry", 2 * width)
    kept = max(width - max(shift, 0), 1)
    if isinstance(kind, activation.PiecewiseLinear):
        parts = len(kind.segments)
        rounds = layer.rounding is not Rounding.TRUNCATE
        bill.add(
            "add", sum((1 + (rounds and s > 0)) * max(kept - s, 1) for _, s, _ in kind.segments)
        )
        bill.add("clip", (parts - 1) * kept)
        bill.add("choice", (parts - 1) * kept)
        bill.add("held", clocked * (kept + 1))
        bill.path("segments", parts)
    if isinstance(kind, activation.Table):
        bill.memories.append(Memory(1 << target.width, bits, 1 << target.width, single=True))
        bill.path("table", 1)
    low, high = kind.ends
    whole = high == layer.state.max and low - layer.state.min in (0, 1)
    if isinstance(kind, activation.Table):
        bill.add("clip", target.width)
    else:
        bill.add("clip", (1 if whole else 2) * max(kept, bits))


def drive_kinds(stage: Stage, mirrored: bool) -> tuple[Codes, Codes, Codes]:
    """Different rows of input weights and bias; of every unit its row, and whether it is negated.

    Arrays (kinds, K + 1), (N,) and (N,). Inputs with levels are left out.
    """
    layer = stage.layer
    columns = [
        np.array(entry.weights, dtype=np.int64)
        for entry in stage.entries
        if isinstance(entry, LinearInput)
    ]
    if layer.gain is None:
        columns.append(np.array(layer.bias, dtype=np.int64))
    rows = np.stack([*columns, np.zeros(layer.n_units, dtype=np.int64)], axis=1)
    flipped = np.zeros(layer.n_units, dtype=np.int64)
    if mirrored:
        known = {row.tobytes() for row in rows}
        for unit, row in enumerate(rows):
            least = next((value for value in row.tolist() if value), 0)
            if least < 0 and (-row).tobytes() in known:
                rows[unit], flipped[unit] = -row, 1
    kinds, where = np.unique(rows, axis=0, return_inverse=True)
    return kinds, where.reshape(-1), flipped


@dataclass(frozen=True)
class LayerBill:
    """Adds one layer to a bill."""

    bill: Bill
    stage: Stage
    plan: Schedule

    def build(self) -> None:
        """Count everything."""
        layer, plan, bill = self.stage.layer, self.plan, self.bill
        sums = layer_sums(self.stage)
        words = np.arange(plan.words)[:, None] * layer.lanes + np.arange(layer.lanes)
        units = np.minimum(words, layer.n_units - 1).T  # lane, word
        table = Table(plan.words)
        bill.add("held", layer.lanes * layer.state.width)
        if self.stage.stepwise:
            self._matrix(sums, units)
        else:
            self._ring(sums, units, table)
        for number in range(len(self.stage.feeds)):
            self._feed(number, sums, units, table)
        self._drives(sums, units, table)
        for lane in range(layer.lanes):
            self._lane(sums, units[lane], table)
        if plan.read_register:
            bill.add("plain", table.width)
        bill.memories += table.memory()
        bill.counter(plan.words * max(plan.steps, 1))
        if not plan.steps:
            bill.counter(max(plan.word_clocks, plan.top_clocks))
        bill.counter(plan.pass_clocks - plan.busy + plan.input_clocks)

    # States

    def _ring(self, sums: LayerSums, units: Codes, table: Table) -> None:
        layer, bill = self.stage.layer, self.bill
        assert isinstance(layer, RingLayer)
        n, lanes, width = layer.n_units, layer.lanes, layer.state.width
        ones = np.ones(n, dtype=np.int64)
        taps = [(tap.offset, np.array(tap.weights, dtype=np.int64)) for tap in layer.taps]
        taps += [(0, ones)] if layer.remembers else []
        reads = self._reads(dict(taps))
        self._banks(reads, units)
        for offset, weights in dict(taps).items():
            both = sum(key[0] == offset for key in reads) == 2
            for lane in range(lanes if both else 0):
                if weights[units[lane]].any():
                    table.add((units[lane] < offset).astype(np.int64))
                    bill.add("choice", width)
        for lane in range(lanes):
            column, parts = units[lane], 0
            for offset, weights in taps[: len(layer.taps)]:
                del offset
                if weights[column].any():
                    self._times(width, weights[column], table)
                    parts += 1
            self._fed(sums, column, table, max(parts - 1, 0))

    def _fed(self, sums: LayerSums, column: Codes, table: Table, additions: int) -> None:
        layer, bill = self.stage.layer, self.bill
        width = width_of(*sums.taps.of(column))
        bill.add("add", additions * (width - sums.tap_shift))
        bill.path("taps", additions)
        start = np.array(layer.initial_state, dtype=np.int64)
        if start.any():
            firsts = [
                sum(int(start[j]) * weight for j, weight in layer.connections[unit])
                for unit in column.tolist()
            ]
            bill.add("choice", width * (table.add(np.array(firsts)) > 0))

    def _times(self, width: int, weights: Codes, table: Table) -> None:
        """A product with the weight of the word."""
        kinds, where = np.unique(weights, return_inverse=True)
        if len(kinds) > _MUXED:
            bits = table.add(weights)
            self.bill.products.append(Product(width, bits))
            self.bill.path("product", width + bits)
            return
        table.add(where)
        wide = width + int(np.abs(kinds).max()).bit_length()
        bits = sum(adders(int(kind)) for kind in kinds) * wide
        self.bill.add("add", bits)
        self.bill.add("choice", (len(kinds) - 1) * wide)
        self.bill.path("weights", max(adders(int(kind)) for kind in kinds))
        self.bill.path("choices", len(kinds))

    def _reads(self, taps: dict[int, Codes]) -> list[tuple[int, bool]]:
        """Ports: offset, and whether it is of wrapped units (`rchw.hdl.states.plan_reads`)."""
        layer, found = self.stage.layer, []
        for offset, weights in taps.items():
            direct, wraps = bool(weights[offset:].any()), bool(weights[:offset].any())
            if layer.n_units % layer.lanes == 0:
                direct, wraps = direct or wraps, False
            found += [(offset, False)] * direct + [(offset, True)] * wraps
        return found

    def _banks(self, reads: list[tuple[int, bool]], units: Codes) -> None:
        """Memories of the states, and the counters of their addresses."""
        layer, plan, bill = self.stage.layer, self.plan, self.bill
        n, lanes, width = layer.n_units, layer.lanes, layer.state.width
        if plan.words == 1:
            return
        deltas, needed = [], []
        for offset, wrapped in reads:
            shift = offset - n if wrapped else offset
            banks = [(lane - shift) % lanes for lane in range(lanes)]
            below = [(shift - lane + bank) // lanes % plan.words for lane, bank in enumerate(banks)]
            deltas.append([below[banks.index(bank)] for bank in range(lanes)])
            both = (offset, not wrapped) in reads
            wanted = [
                bool(((units[lane] < offset) == wrapped).any()) or not both for lane in range(lanes)
            ]
            needed.append([wanted[banks.index(bank)] for bank in range(lanes)])
        distances = list(zip(*deltas, strict=True)) if deltas else [()] * lanes
        counts = Counter(delta for bank in distances for delta in bank)
        for _ in range(max(len(counts) - 1, 0) + 1):
            bill.counter(plan.words)
        groups: dict[tuple[int, ...], list[int]] = {}
        for bank, together in enumerate(distances):
            groups.setdefault(together, []).append(bank)
        depth = 2 << (plan.words - 1).bit_length()
        for together, banks in groups.items():
            for first in range(0, width * len(banks), PIECE):
                last = min(first + PIECE, width * len(banks))
                inside = banks[first // width : (last - 1) // width + 1]
                ports = {
                    delta
                    for number, delta in enumerate(together)
                    if any(needed[number][bank] for bank in inside)
                }
                whole = width * len(banks)
                bill.memories.append(
                    Memory(depth, last - first, 2 * plan.words, len(ports), True, whole=whole)
                )
        if plan.read_register:
            bill.add("absorbed", len(reads) * lanes * width)

    # Columns

    def _matrix(self, sums: LayerSums, units: Codes) -> None:
        """`rchw.hdl.matrix`: weights, the memory of states, products and sums."""
        layer, plan, bill = self.stage.layer, self.plan, self.bill
        n, lanes, width = layer.n_units, layer.lanes, layer.state.width
        steps, count = plan.steps, plan.words * plan.steps
        bill.counter(steps)
        bill.counter(plan.words)
        bill.counter(plan.words)
        kind = layer.matrix.kind if isinstance(layer, MatrixLayer) else "taps"
        ports = 1
        widths = [1] * lanes
        if kind == "antisymmetric":
            widths = self._triangle(sums.matrix)
        elif kind == "dense":
            assert sums.matrix is not None
            ports, weights = 1, Table(count)
            padded = np.zeros((n, steps), dtype=np.int64)
            padded[:, steps - n :] = sums.matrix
            widths = [max(weights.add(padded[column], True), 1) for column in units]
            bill.memories += weights.memory()
            columns = Table(steps)
            places = np.arange(steps)
            columns.add(places // lanes % max(plan.words, 2))
            columns.add(places % lanes)
            bill.memories += columns.memory()
        else:
            ports, widths = self._rows(units)
        if kind != "antisymmetric":
            choices = (lanes - 1) * width * ports
            bill.add("choice", choices)
            bill.path("bank", (lanes - 1).bit_length())
        read = ports + layer.remembers
        depth = 2 << (plan.words - 1).bit_length()
        bill.memories.append(Memory(depth, lanes * width, 2 * plan.words, read, written=True))
        state = state_interval(layer)
        for lane in range(lanes):
            bill.add("plain", widths[lane])
            bill.products.append(Product(width, widths[lane], width + widths[lane]))
            bill.add("absorbed", width + widths[lane])
            total = sums.taps.of(units[lane])
            wide = max(width_of(*total) - sums.tap_shift, width + widths[lane])
            bill.add("sum", wide)
            bill.path("sum", wide)
            self._start(sums, units[lane])
        bill.path("multiply", width + max(widths))
        bill.path("state", state.width)

    def _start(self, sums: LayerSums, column: Codes) -> None:
        layer = self.stage.layer
        if any(layer.initial_state):
            self.bill.add("choice", width_of(*sums.taps.of(column)))

    def _rows(self, units: Codes) -> tuple[int, list[int]]:
        """Sparse rows: every lane has a port, columns and weights of its own."""
        layer, plan = self.stage.layer, self.plan
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
        self.bill.memories += [*weights.memory(), *places.memory()]
        return len(ports), widths

    def _triangle(self, matrix: Codes | None) -> list[int]:
        """`rchw.hdl.triangle`: half of the weights, turned in a ring of lanes."""
        layer, plan, bill = self.stage.layer, self.plan, self.bill
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
        bill.add("add", 4 * address)
        levels = (lanes - 1).bit_length()
        bill.add("choice", lanes * (levels * width + 2 * width))
        bill.add("held", lanes * (width + 1))
        if lanes > 1:
            bill.add("choice", lanes * layer.state.width)
            bill.add("held", lanes * layer.state.width)
        bill.path("turns", levels)
        return [width + 1] * lanes

    # Earlier layers

    def _feed(self, number: int, sums: LayerSums, units: Codes, table: Table) -> None:
        """`rchw.hdl.gather`: what an earlier layer feeds, by columns or by words."""
        stage, plan, bill = self.stage, self.plan, self.bill
        feed, lanes = stage.feeds[number], stage.layer.lanes
        source, width = feed.layer, feed.layer.state.width
        source_words = -(-source.n_units // source.lanes)
        bill.counter(source_words)
        codes = sums.fed[number]
        if codes is None:
            assert isinstance(feed.entry, TapsInput)
            for tap in feed.entry.taps:
                weights = np.array(tap.weights, dtype=np.int64)
                for lane in range(lanes):
                    bill.add("plain", width)
                    self._times(width, weights[units[lane]], table)
            self._gathered(
                source_words, source.lanes, width, lanes * len(feed.entry.taps), plan.words
            )
            return
        count = plan.words * plan.steps
        weights_of = Table(count)
        padded = np.zeros((stage.n_units, plan.steps), dtype=np.int64)
        padded[:, plan.steps - codes.shape[1] :] = codes
        widths = [max(weights_of.add(padded[units[lane]], True), 1) for lane in range(lanes)]
        bill.memories += weights_of.memory()
        assert isinstance(feed.entry, MatrixInput)
        dense = feed.entry.matrix.kind == "dense"
        self._gathered(source_words, source.lanes, width, 1 if dense else lanes, count)
        state = state_interval(source)
        for lane in range(lanes):
            bill.add("plain", widths[lane])
            bill.products.append(Product(width, widths[lane], width + widths[lane]))
            bill.add("absorbed", width + widths[lane])
            wide = _sum_width(codes[units[lane]], state)
            bill.add("sum", wide)
            bill.add("add", wide)

    def _gathered(self, words: int, source_lanes: int, width: int, ports: int, count: int) -> None:
        bill = self.bill
        address, bank = (words - 1).bit_length(), (source_lanes - 1).bit_length()
        if words > 1:
            memory = Memory(1 << address, width * source_lanes, words, written=True)
            bill.memories += [memory] * ports
        bill.add("choice", ports * (source_lanes - 1) * width)
        if (address + bank) * ports:
            depth = count if count > 512 else 1 << (count - 1).bit_length()
            bill.memories.append(Memory(depth, (address + bank) * ports, count))

    # What a unit gets from outside, and how it comes to its new state

    def _drives(self, sums: LayerSums, units: Codes, table: Table) -> None:
        stage, bill, layer = self.stage, self.bill, self.stage.layer
        linear = all(isinstance(entry, LinearInput) for entry in stage.entries)
        kinds, where, flipped = drive_kinds(stage, mirrored=True)
        if linear and len(kinds) <= _SHARED:
            widths = []
            for number, row in enumerate(kinds):
                unit = int(np.argmax(where == number))
                width = width_of(int(sums.drive.low[unit]), int(sums.drive.high[unit]))
                widths.append(width)
                used = [int(code) for code in row if code]
                additions = sum(adders(code) for code in used) + max(len(used) - 1, 0)
                bill.add("add", additions * width)
                bill.add("held", width)
            for column in units:
                bits = table.add(where[column])
                bill.add("choice", (min(len(kinds), 1 << bits) - 1) * max(widths) if bits else 0)
                bill.add("choice", max(widths) if table.add(flipped[column]) else 0)
            bill.path("drives", len(kinds))
            return
        for channel, entry in zip(stage.inputs, stage.entries, strict=True):
            bits = channel.format.width
            bill.add("held", bits)
            if isinstance(entry, LevelInput):
                for column in units:
                    wide = 0
                    for values in (entry.thresholds, entry.low, entry.high):
                        wide = table.add(np.array(values, dtype=np.int64)[column])
                    bill.add("clip", bits)
                    bill.add("choice", max(wide, entry.format.width))
                bill.path("levels", bits)
                continue
            weights = np.array(entry.weights, dtype=np.int64)
            found, which = np.unique(weights, return_inverse=True)
            if len(found) > _SHARED:
                for column in units:
                    wide = table.add(weights[column])
                    bill.products.append(Product(bits, max(wide, 1)))
                    bill.path("input product", bits + wide)
                continue
            for code in found.tolist():
                wide = bits + abs(code).bit_length()
                bill.add("add", adders(code) * wide)
                bill.add("held", wide)
            for column in units:
                table.add(which.reshape(-1)[column])
                bill.add("choice", (len(found) - 1) * (bits + entry.format.width))
        parts = len(stage.entries)
        if layer.gain is None:
            biases = np.array(layer.bias, dtype=np.int64)
            for column in units:
                table.add(biases[column])
            parts += bool(biases.any())
        for column in units:
            bill.add("add", max(parts - 1, 0) * width_of(*sums.drive.of(column)))

    def _lane(self, sums: LayerSums, column: Codes, table: Table) -> None:
        """`rchw.hdl.unit.Lane.update`."""
        bill, layer = self.bill, self.stage.layer
        width = layer.state.width
        bill.add("held", width_of(*sums.taps.of(column)))
        bill.add("held", width_of(*sums.drive.of(column)))
        total = width_of(*sums.summed.of(column))
        bill.add("add", total)
        bill.path("carry", total)
        delay = 3
        if layer.gain is not None:
            gains = np.array(layer.gain.codes, dtype=np.int64)
            self._times(total, gains[column], table)
            bill.add("plain", 2 * layer.gain.format.width)
            wide = width_of(*sums.accumulator.of(column))
            bill.add("held", wide)
            bill.add("add", wide)
            table.add(np.array(layer.bias, dtype=np.int64)[column])
            bill.add("plain", 3 * layer.bias_format.width)
            total, delay = wide, delay + 2
        activate(bill, layer, total, sums.frac, clocked=True)
        if not layer.remembers:
            return
        delay += not isinstance(layer.activation, activation.Clip)
        start = np.array(layer.initial_state, dtype=np.int64)
        bill.add("choice", width * bool(table.add(start[column])))
        self._remembered(column, table, delay)

    def _remembered(self, column: Codes, table: Table, delay: int) -> None:
        bill, layer = self.bill, self.stage.layer
        width = layer.state.width
        if layer.step is None:
            shifts, where = np.unique(np.array(layer.leak_shifts), return_inverse=True)
            bits = table.add(where.reshape(-1)[column])
            bill.add("plain", delay * (width + bits))
            bill.add("held", width)
            rounds = layer.rounding is not Rounding.TRUNCATE
            bill.add("add", (2 + rounds * len(shifts)) * (width + 1))
            bill.add("choice", (len(shifts) - 1) * (width + 1))
            bill.path("update", 2 * width)
            return
        bill.add("plain", (delay + 1) * width)
        bill.add("held", width)
        self._times(width, np.array(layer.step.codes, dtype=np.int64)[column], table)
        product = width + layer.step.format.width
        bill.add("held", product)
        bill.add("add", (1 + (layer.rounding is not Rounding.TRUNCATE)) * product)
        bill.add("clip", 2 * width)
        bill.path("update", 2 * width)


def _sum_width(codes: Codes, state: Interval) -> int:
    """Bits of sums of products of rows of codes with states."""
    positive = int(np.maximum(codes, 0).sum(axis=1).max())
    negative = int(np.minimum(codes, 0).sum(axis=1).min())
    most = max(positive, -negative) * max(state.high, -state.low)
    return width_of(-most, most)
