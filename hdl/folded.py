"""The folded ring: P units per clock, states in memory, one sample in `schedule(design).clocks`."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.activation import Clip
from rchw.design import Design
from rchw.hdl.activation import activate, leak
from rchw.hdl.arith import add_tree, select, times
from rchw.hdl.drive import lane_drives
from rchw.hdl.ports import input_layout, output_layout
from rchw.hdl.readout import FoldedReadout
from rchw.hdl.rom import Fields
from rchw.hdl.sequencer import Sequencer
from rchw.hdl.states import StateMemory, plan_reads
from rchw.ranges import Interval, layer_ranges
from rchw.schedule import schedule

__all__ = ["FoldedCore"]

MAX_MUXED_WEIGHTS = 4


class FoldedCore(wiring.Component):
    """Ring layer and readout with `lanes` P below N, or with fewer multipliers than products.

    Members
    -------
    i : In(stream of `input_layout`)
    o : Out(stream of `output_layout`)

    Latency
    -------
    `rchw.schedule.latency`: from an input beat to its output beat ``busy + loop_latency + 3``, one
    more with squares, and one more where several products are added per clock.

    Throughput
    ----------
    One sample per ``schedule(design).clocks``.

    Reference
    ---------
    `rchw.reference.run`
    """

    def __init__(self, design: Design) -> None:
        self.design = design
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(design))),
                "o": Out(stream.Signature(output_layout(design))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        design, layer = self.design, self.design.layer
        plan = schedule(design)
        m.submodules.sequencer = sequencer = Sequencer(plan)
        m.submodules.readout = readout = FoldedReadout(design)
        columns = [
            [min(word * layer.lanes + lane, layer.n_units - 1) for word in range(plan.words)]
            for lane in range(layer.lanes)
        ]

        inputs: list[Value] = []
        last = Signal()
        first = Signal(init=1)
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += last.eq(self.i.payload.last)
            # `last` still belongs to the sample before.
            m.d.sync += first.eq(last if design.reset_on_last else 0)
        begun = Signal()
        with m.If(self.i.valid & self.i.ready & ~begun):
            m.d.sync += [begun.eq(1), first.eq(1)]
        for channel in design.inputs:
            field = self.i.payload[channel.name]
            held = Signal.like(field, name=channel.name, reset_less=True)
            with m.If(self.i.valid & self.i.ready):
                m.d.sync += held.eq(field)
            inputs.append(held)
        m.d.comb += [
            sequencer.available.eq(self.i.valid),
            self.i.ready.eq(sequencer.ready),
            sequencer.free.eq(readout.free),
            readout.reserve.eq(sequencer.reserve),
        ]

        word_data, write, token = self._state_pass(m, sequencer, inputs, first, columns)
        m.d.comb += [
            readout.advance.eq(token),
            readout.states.eq(Cat(*(value[: layer.state.width] for value in word_data))),
            readout.inputs.eq(Cat(*inputs)),
            readout.last.eq(last),
        ]
        wiring.connect(m, readout.o, wiring.flipped(self.o))
        return m

    def _state_pass(
        self,
        m: Module,
        sequencer: Sequencer,
        inputs: Sequence[Value],
        first: Value,
        columns: Sequence[Sequence[int]],
    ) -> tuple[list[Signal], Signal, Signal]:
        """Pipeline: 0 address, 1 taps and drive, 2 sum, 3 activation (4, leak 5), then write."""
        design, layer = self.design, self.design.layer
        plan = schedule(design)
        ranges = layer_ranges(design)
        fields = Fields(plan.words)
        stages = plan.loop_latency - 1
        issued = _delayed(m, sequencer.issue, stages, "issued")
        token = _delayed(m, sequencer.product, stages - 1, "token")
        fresh = Signal()  # `first`, as the word that was addressed one clock ago must see it
        m.d.sync += fresh.eq(first)

        width = layer.state.width
        word_data = [
            Signal(signed(width), name=f"x{lane}", reset_less=True) for lane in range(layer.lanes)
        ]
        taps = [(tap.offset, tap.weights) for tap in layer.taps]
        if layer.leak_shift:
            taps.append((0, (1,) * layer.n_units))
        memory = StateMemory(
            plan.words, layer.lanes, width, plan_reads(layer.n_units, layer.lanes, taps)
        )
        reads = memory.build(
            m,
            word=sequencer.word,
            restart=sequencer.restart,
            step=sequencer.next_word,
            half=sequencer.half,
            write=issued[-1],
            data=word_data,
        )
        drives = lane_drives(m, design, ranges, inputs, Const(1), fields, columns)
        for lane, column in enumerate(columns):
            sources = {
                offset: self._source(m, reads, fields, lane, column, offset, fresh)
                for offset, weights in dict(taps).items()
                if any(weights[unit] for unit in column)
            }
            self._unit(m, lane, column, sources, drives[lane], fields, word_data[lane], issued)
        fields.build(m, "units", sequencer.word)
        return word_data, issued[-1], token[-1]

    def _source(
        self,
        m: Module,
        reads: dict[tuple[int, bool], list[Value]],
        fields: Fields,
        lane: int,
        column: Sequence[int],
        offset: int,
        fresh: Value,
    ) -> Value:
        """State that the lane's unit reads through the tap of this offset."""
        layer = self.design.layer
        direct, wrapped = reads.get((offset, False)), reads.get((offset, True))
        name = f"{offset}_{lane}"
        if direct is None or wrapped is None:
            chosen = (direct or wrapped or [Const(0, 1)])[lane]
        else:
            wraps = fields.add(f"wraps_{name}", [int(unit < offset) for unit in column])
            chosen = Mux(wraps, wrapped[lane], direct[lane])
        initial = fields.add(
            f"initial_{name}",
            [layer.initial_state[(unit - offset) % layer.n_units] for unit in column],
        )
        source = Signal(signed(layer.state.width), name=f"source_{name}")
        m.d.comb += source.eq(Mux(fresh, initial, chosen))
        return source

    def _unit(
        self,
        m: Module,
        lane: int,
        column: Sequence[int],
        sources: dict[int, Value],
        drive: Value,
        fields: Fields,
        result: Signal,
        issued: Sequence[Value],
    ) -> None:
        """Clock 1 to the end of the loop for one lane."""
        layer, ranges = self.design.layer, layer_ranges(self.design)
        parts = []
        for tap in layer.taps:
            if tap.offset not in sources or not any(tap.weights[unit] for unit in column):
                continue
            weights = [tap.weights[unit] for unit in column]
            kinds = sorted(set(weights))
            name = f"tap_{tap.offset}_{lane}"
            if len(kinds) <= MAX_MUXED_WEIGHTS:
                index = fields.add(name, [kinds.index(weight) for weight in weights])
                products = [times(sources[tap.offset], weight) for weight in kinds]
                product = select(m, index, products, f"product_{name}")
            else:
                product = sources[tap.offset] * fields.add(name, weights)
            parts.append(product << ranges.tap_shift)
        units = sorted(set(column))
        tap_sum = _register(m, add_tree(parts), _hull(ranges.taps, units), f"taps_{lane}")
        driven = _register(m, drive, _hull(ranges.drive, units), f"driven_{lane}")
        total = _register(
            m, tap_sum + driven, _hull(ranges.accumulator, units), f"total_{lane}"
        )
        target = activate(m, layer, total, ranges.frac, f"unit_{lane}", clocked=True)
        if layer.leak_shift:
            # The old state waits for its target: the sum, the activation and the target register.
            old: Value = sources[0]
            delay = 3 if isinstance(layer.activation, Clip) else 4
            for stage in range(delay):
                held = Signal(signed(layer.state.width), name=f"old_{lane}_{stage}")
                m.d.sync += held.eq(old)
                old = held
            target = _register(m, target, ranges.state, f"target_{lane}")
            target = leak(layer, old, target)
        with m.If(issued[-2]):
            m.d.sync += result.eq(target)


def _hull(intervals: Sequence[Interval], units: Sequence[int]) -> Interval:
    hull = intervals[units[0]]
    for unit in units[1:]:
        hull = hull.hull(intervals[unit])
    return hull


def _register(m: Module, value: Value, interval: Interval, name: str) -> Signal:
    register = Signal(signed(interval.width), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register


def _delayed(m: Module, bit: Value, clocks: int, name: str) -> list[Value]:
    """The bit itself and its delayed copies: index k is k clocks late."""
    copies = [bit]
    for clock in range(1, clocks + 1):
        copy = Signal(name=f"{name}_{clock}")
        m.d.sync += copy.eq(copies[-1])
        copies.append(copy)
    return copies
