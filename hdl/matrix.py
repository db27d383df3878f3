"""Sums of the folded matrix: one column per clock, for all lanes of a word at a time."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from rchw.columns import matrix_columns
from rchw.design import MatrixLayer, RingLayer
from rchw.hdl.arith import select
from rchw.hdl.counter import countdown, later, place
from rchw.hdl.rom import Fields, memory_attributes, pieces
from rchw.hdl.triangle import Triangle, circled
from rchw.ranges import Interval, state_interval
from rchw.schedule import Schedule

__all__ = ["MatrixSums", "paced"]


class MatrixSums(wiring.Component):
    """State memory of a matrix layer, its weights, and an accumulator for each lane.

    The memory has two halves, as that of a ring, and a word of all lanes in each place. Dense rows
    take the same column in every lane, by one read port; sparse rows have a port for each lane. An
    antisymmetric matrix reads a word at once and turns it in a ring (`rchw.hdl.triangle`).

    Members
    -------
    step : In(1)
        A step begins; `address` shows its number, as `rchw.hdl.counter.place` tells.
    address : In(range(W S))
    half : In(1)
        Half of the memory that is read.
    over : Out(1)
        The step is the last of its word.
    sums : P signals
        Of a word, four clocks after its last step.
    word : In(range(W))
        Of which `old` is wanted one clock later.
    old : P signals
    write : In(1), written : In(P * width)
        The new states of the next word.
    """

    step: Signal
    address: Signal
    half: Signal
    over: Signal
    word: Signal
    write: Signal
    written: Signal

    def __init__(self, layer: RingLayer | MatrixLayer, plan: Schedule) -> None:
        self._layer, self._plan = layer, plan
        self._columns = matrix_columns(layer)
        self._kind = layer.matrix.kind if isinstance(layer, MatrixLayer) else "sparse"
        ranges = self._intervals()
        self.sums = [
            Signal(signed(interval.width), name=f"sum_{lane}", reset_less=True)
            for lane, interval in enumerate(ranges)
        ]
        self.old = [
            Signal(signed(layer.state.width), name=f"read_old_{lane}")
            for lane in range(layer.lanes)
        ]
        super().__init__(
            {
                "step": In(1),
                "address": In(range(max(plan.words * plan.steps, 2))),
                "half": In(1),
                "over": Out(1),
                "word": In(range(max(plan.words, 2))),
                "write": In(1),
                "written": In(layer.lanes * layer.state.width),
            }
        )

    def _unit(self, lane: int, word: int) -> int | None:
        unit = word * self._layer.lanes + lane
        return unit if unit < self._layer.n_units else None

    def _row(self, lane: int, word: int) -> list[tuple[int | None, int]]:
        """Column and weight of every step, padded to S."""
        unit = self._unit(lane, word)
        row = [] if unit is None else self._columns[unit]
        return [*row, *[(None, 0)] * (self._plan.steps - len(row))]

    def _intervals(self) -> list[Interval]:
        """Of every lane what a sum can be on its way, whatever the order of the columns."""
        state, found = state_interval(self._layer), []
        for lane in range(self._layer.lanes):
            hull = Interval(0, 0)
            for word in range(self._plan.words):
                low = high = 0
                for _, weight in self._row(lane, word):
                    part = state.scale(weight)
                    low, high = low + min(part.low, 0), high + max(part.high, 0)
                hull = hull.hull(Interval(low, high))
            found.append(hull)
        return found

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        layer, plan = self._layer, self._plan
        step, ends = countdown(m, "step", plan.steps, self.step)
        m.d.comb += self.over.eq(self.step & ends)
        triangle = self._kind == "antisymmetric"
        takes, factors, states = self._triangle(m) if triangle else self._rows(m, step)
        begins = Signal(init=1, name="begins")
        with m.If(self.step):
            m.d.sync += begins.eq(ends)
        fresh = later(m, begins & self.step, 3, "fresh")
        live = later(m, takes, 3, "live")
        for lane in range(layer.lanes):
            factor = factors[lane] if triangle else later(m, factors[lane], 1, f"factor_{lane}")
            value = states[lane] * factor
            product = Signal(value.shape(), name=f"product_{lane}", reset_less=True)
            m.d.sync += product.eq(value)
            with m.If(live):
                m.d.sync += self.sums[lane].eq(Mux(fresh, product, self.sums[lane] + product))
        return m

    def _rows(self, m: Module, step: Value) -> tuple[Value, list[Value], list[Value]]:
        """Weights one clock after their steps, and states two clocks after them."""
        layer, plan = self._layer, self._plan
        weights = Fields(plan.words * plan.steps)
        factors = [
            weights.add(f"weight_{lane}", self._by_step(lane, 1), is_signed=True)
            for lane in range(layer.lanes)
        ]
        weights.build(m, "weights", self.address)
        places = self._places(m, step)
        ports = list(dict.fromkeys((id(word), id(bank)) for word, bank in places))
        by_port = {(id(word), id(bank)): (word, bank) for word, bank in places}
        found = self._read(m, [by_port[key][0] for key in ports])
        states: dict[tuple[int, int], Value] = {}
        for number, key in enumerate(ports):
            bank = later(m, by_port[key][1], 1, f"bank_{number}")
            states[key] = select(m, bank, found[number], f"state_{number}")
        return self.step, factors, [states[id(word), id(bank)] for word, bank in places]

    def _triangle(self, m: Module) -> tuple[Value, list[Value], list[Value]]:
        """Which steps take columns; weights and states two clocks after them."""
        layer, plan = self._layer, self._plan
        assert isinstance(layer, MatrixLayer)
        m.submodules.triangle = triangle = Triangle(layer, plan.words, plan.steps)
        m.d.comb += [triangle.step.eq(self.step), triangle.over.eq(self.over)]
        (states,) = self._read(m, [triangle.tile])
        now = later(m, triangle.live, 2, "now")
        return triangle.live, triangle.factors, circled(m, states, triangle.first, now)

    def _by_step(self, lane: int, part: int) -> list[int]:
        """Column or weight of a lane for all steps, the last word first and its last step first."""
        found = []
        for word in range(self._plan.words):
            row = self._row(lane, word)
            found += [int(entry[part] or 0) for entry in reversed(row)]
        return found

    def _places(self, m: Module, step: Value) -> list[tuple[Value, Value]]:
        """Word and lane of the column that each lane reads, one clock after the step."""
        layer, plan = self._layer, self._plan
        lanes = range(layer.lanes)
        shared = self._kind != "sparse"
        if shared:
            fields = Fields(plan.steps)
            columns = [[entry[0] or 0 for entry in reversed(self._row(0, 0))]]
        else:
            fields = Fields(plan.words * plan.steps)
            columns = [self._by_step(lane, 0) for lane in lanes]
        found = []
        for lane, column in enumerate(columns):
            words = [place(j // layer.lanes, plan.words) for j in column]
            word = fields.add(f"word_{lane}", words)
            bank = fields.add(f"bank_{lane}", [j % layer.lanes for j in column])
            found.append((word, bank))
        fields.build(m, "columns", step if shared else self.address)
        return found * layer.lanes if shared else found

    def _read(self, m: Module, words: Sequence[Value]) -> list[list[Value]]:
        """Of each word the states of all lanes, one clock after it, and `old`."""
        layer, plan = self._layer, self._plan
        width, bits = layer.state.width, ceil_log2(plan.words)
        half = later(m, self.half, 1, "half_read")
        behind = later(m, self.half, 3, "half_behind")
        where, ends = countdown(m, "write_word", plan.words, self.write)
        written = Signal(name="write_half")
        with m.If(self.write & ends):
            m.d.sync += written.eq(~written)
        total = layer.lanes * width
        found: list[list[Value]] = [[] for _ in words]
        old: list[Value] = []
        for part, piece in pieces("states", total).items():
            memory: Memory = Memory(
                shape=piece.stop - piece.start,
                depth=2 << bits,
                init=[],
                attrs=memory_attributes(2 * plan.words, total, written=True),
            )
            m.submodules[part] = memory
            port = memory.write_port()
            m.d.comb += [
                port.addr.eq(Cat(where, written) if bits else written),
                port.en.eq(self.write),
                port.data.eq(self.written[piece]),
            ]
            for word, data in zip(words, found, strict=True):
                read = memory.read_port()
                m.d.comb += read.addr.eq(_joined(word, half, bits))
                data.append(read.data)
            if layer.remembers:
                read = memory.read_port()
                m.d.comb += read.addr.eq(_joined(self.word, behind, bits))
                old.append(read.data)
        fields = [slice(lane * width, (lane + 1) * width) for lane in range(layer.lanes)]
        for lane, field in enumerate(fields if old else ()):
            m.d.comb += self.old[lane].eq(Cat(*old)[field])
        return [[Cat(*data)[field].as_signed() for field in fields] for data in found]


def _joined(word: Value, half: Value, bits: int) -> Value:
    """Address of a word in one of the halves."""
    if not bits:
        return half
    return Cat(word[:bits] if not isinstance(word, Const) else Const(word.value, bits), half)


def paced(m: Module, plan: Schedule, start: Value) -> tuple[Value, Value]:
    """Clocks of the readout after the `start` of every word, and whether that was the top word.

    As many as the word has features, and those of the inputs after the last one.
    """
    _, ends = countdown(m, "paced_word", plan.words, start)
    top = Signal(init=1, name="paced_top")
    with m.If(start):
        m.d.sync += top.eq(ends)
    lengths = [plan.word_clocks, plan.top_clocks, plan.word_clocks + plan.input_clocks]
    if plan.words == 1:
        lengths = [plan.top_clocks + plan.input_clocks] * 3
    left = Signal(range(max(lengths) + 1), name="paced_left")
    length = Mux(top, lengths[1], Mux(ends, lengths[2], lengths[0]))
    with m.If(start):
        m.d.sync += left.eq(length - 1)
    with m.Elif(left != 0):
        m.d.sync += left.eq(left - 1)
    return start | (left != 0), start & top
