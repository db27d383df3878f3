"""The folded circuit: P units per clock, one sample in `schedule(design).clocks`.

States of a ring or a matrix are in memory; those from outside are shifted out of their beat.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design, ExternalLayer, MatrixLayer
from rchw.hdl.arith import add_tree
from rchw.hdl.counter import countdown, delayed
from rchw.hdl.drive import lane_drives
from rchw.hdl.matrix import MatrixSums, paced
from rchw.hdl.ports import input_layout, output_layout
from rchw.hdl.readout import FoldedReadout
from rchw.hdl.rom import Fields
from rchw.hdl.sequencer import Sequencer
from rchw.hdl.states import StateMemory, plan_reads
from rchw.hdl.unit import Lane
from rchw.ranges import layer_ranges
from rchw.schedule import schedule

__all__ = ["FoldedCore"]


class FoldedCore(wiring.Component):
    """Layer and readout with `lanes` P below N, or with fewer multipliers than products.

    Members
    -------
    i : In(stream of `input_layout`)
    o : Out(stream of `output_layout`)

    Latency
    -------
    `rchw.schedule.latency`: from an input beat to its output beat the busy clocks and the loop, a
    few for the readout, two more with squares, and one more per level of its sum.

    Throughput
    ----------
    One sample per ``schedule(design).clocks``.

    Reference
    ---------
    `rchw.reference.run`
    """

    i: stream.Interface
    o: stream.Interface

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

        # A pass begins when an input waits, and takes it when the first word has been read.
        taken = delayed(m, sequencer.begin, 1 + plan.read_register, "begin")[-1]
        last, ended, first = Signal(), Signal(init=1), Signal()
        with m.If(taken):
            # `ended` still belongs to the sample before, and is set by a reset.
            m.d.sync += [
                last.eq(self.i.payload.last),
                ended.eq(self.i.payload.last if design.reset_on_last else 0),
                first.eq(ended),
            ]
        marked = ended if design.reset_on_last else last
        told = marked
        free: Value = readout.free
        reserve: Value = sequencer.reserve
        if design.readout.pooled:
            # The last sample of a sequence alone needs a place; the question may come in the very
            # clock that takes the sample.
            answers = Mux(taken, self.i.payload.last, marked)
            free, reserve = free | ~answers, reserve & answers
            if isinstance(layer, MatrixLayer):
                told = Signal(name="told")
        m.d.comb += [
            sequencer.available.eq(self.i.valid),
            self.i.ready.eq(taken),
            sequencer.free.eq(free),
            readout.reserve.eq(reserve),
            readout.last.eq(told),
        ]

        held: Value | None = None
        columns = [
            [min(word * layer.lanes + lane, layer.n_units - 1) for word in range(plan.words)]
            for lane in range(layer.lanes)
        ]
        if isinstance(layer, ExternalLayer):
            word_data, token = self._shifted(m, sequencer, taken)
        elif isinstance(layer, MatrixLayer):
            word_data, token, held, top = self._matrix_pass(m, sequencer, taken, first, columns)
            if told is not marked:  # the next sample may be taken before the readout asks
                with m.If(top):
                    m.d.sync += told.eq(marked)
        else:
            word_data, token = self._state_pass(m, sequencer, taken, first, columns)
        m.d.comb += [
            readout.advance.eq(token),
            readout.states.eq(Cat(*(value[: layer.state.width] for value in word_data))),
        ]
        if held is not None:
            m.d.comb += readout.inputs.eq(held)
        elif design.inputs:  # a signal without bits would be one of two in Verilog
            inputs = [self.i.payload[channel.name] for channel in design.inputs]
            kept = Signal(len(readout.inputs), name="inputs", reset_less=True)
            with m.If(taken):
                m.d.sync += kept.eq(Cat(*inputs))
            m.d.comb += readout.inputs.eq(kept)
        wiring.connect(m, readout.o, wiring.flipped(self.o))
        return m

    def _shifted(self, m: Module, sequencer: Sequencer, taken: Value) -> tuple[list[Signal], Value]:
        """States of the beat, shifted out word by word, the highest first."""
        design, plan = self.design, schedule(self.design)
        width, lanes = design.layer.state.width, design.layer.lanes
        word = lanes * width
        beat = Signal(plan.words * word, name="beat", reset_less=True)
        states = Cat(*(self.i.payload[c.name] for c in design.beat[design.n_inputs :]))
        with m.If(taken):
            m.d.sync += beat.eq(states)
        with m.Elif(sequencer.issue):
            m.d.sync += beat.eq(beat << word)
        data = [Signal(signed(width), name=f"x{lane}", reset_less=True) for lane in range(lanes)]
        top = beat[-word:]
        for lane, code in enumerate(data):
            m.d.sync += code.eq(top[lane * width : (lane + 1) * width].as_signed())
        return data, sequencer.product

    def _state_pass(
        self,
        m: Module,
        sequencer: Sequencer,
        taken: Value,
        first: Value,
        columns: Sequence[Sequence[int]],
    ) -> tuple[list[Signal], Value]:
        """Pipeline: address (registered word), taps, sum (gain, bias), activation, update.

        What stands in brackets, the second clock of the activation, and the clocks of the update
        are there only where the design has them; then follows the write.
        """
        design, layer = self.design, self.design.ring
        plan = schedule(design)
        ranges = layer_ranges(design)
        fields = Fields(plan.words, plan.read_register)
        stages = plan.loop_latency - 1
        issued = delayed(m, sequencer.issue, stages, "issued")
        token = delayed(m, sequencer.product, stages - 2, "token")

        width = layer.state.width
        word_data = [
            Signal(signed(width), name=f"x{lane}", reset_less=True) for lane in range(layer.lanes)
        ]
        taps = [(tap.offset, tap.weights) for tap in layer.taps]
        if layer.remembers:
            taps.append((0, (1,) * layer.n_units))
        memory = StateMemory(
            plan.words, layer.lanes, width, plan_reads(layer.n_units, layer.lanes, taps)
        )
        reads = memory.build(
            m,
            word=sequencer.word,
            step=sequencer.next_word,
            half=sequencer.half,
            write=issued[-1],
            data=word_data,
            registered=plan.read_register,
        )
        inputs = [self.i.payload[channel.name] for channel, _ in design.drives]
        drives = lane_drives(m, design, ranges, inputs, taken, fields, columns, mirrored=True)
        for lane, column in enumerate(columns):
            sources = {
                offset: self._source(reads, fields, lane, column, offset)
                for offset, weights in dict(taps).items()
                if any(weights[unit] for unit in column)
            }
            unit = Lane(m, design, lane, column, fields)
            fed = self._fed(unit, sources, first)
            state = unit.update(fed, sources.get(0, Const(0, 1)), drives[lane], first)
            with m.If(issued[-2]):
                m.d.sync += word_data[lane].eq(state)
        fields.build(m, "units", sequencer.word)
        return word_data, token[-1]

    def _matrix_pass(
        self,
        m: Module,
        sequencer: Sequencer,
        taken: Value,
        first: Value,
        columns: Sequence[Sequence[int]],
    ) -> tuple[list[Signal], Value, Value | None, Value]:
        """Pipeline: step, weights and column, state, product, accumulator; then as for a ring.

        Words end S clocks apart. What belongs to a word behind its last step, the next sample must
        not touch: its inputs and its first flag come three clocks later than they are taken.
        """
        design, layer = self.design, self.design.driven
        plan, ranges = schedule(design), layer_ranges(design)
        sums = MatrixSums(design)
        m.submodules.sums = sums
        over = sums.over
        issued = delayed(m, over, plan.loop_latency - 1, "issued")
        word_data = [
            Signal(signed(layer.state.width), name=f"x{lane}", reset_less=True)
            for lane in range(layer.lanes)
        ]
        m.d.comb += [
            sums.step.eq(sequencer.issue),
            sums.address.eq(sequencer.word),
            sums.half.eq(sequencer.half),
            sums.write.eq(issued[-1]),
            sums.written.eq(Cat(*word_data)),
        ]
        fields = Fields(plan.words)
        word, _ = countdown(m, "word_behind", plan.words, issued[4])
        late = delayed(m, taken, 3, "late")[-1]
        begun = delayed(m, first, 3, "begun")[-1]
        held = [
            Signal(channel.format.width, name=f"held_{channel.name}", reset_less=True)
            for channel, _ in design.drives
        ]
        with m.If(taken):
            m.d.sync += [
                code.eq(self.i.payload[channel.name])
                for code, (channel, _) in zip(held, design.drives, strict=True)
            ]
        inputs = [
            code.as_signed() if channel.format.signed else code
            for code, (channel, _) in zip(held, design.drives, strict=True)
        ]
        drives = lane_drives(m, design, ranges, inputs, late, fields, columns, mirrored=True)
        for lane, column in enumerate(columns):
            unit = Lane(m, design, lane, column, fields)
            fed = Mux(begun, unit.initial(), sums.sums[lane]) << ranges.tap_shift
            state = unit.update(fed, sums.old[lane], drives[lane], begun)
            with m.If(issued[-2]):
                m.d.sync += word_data[lane].eq(state)
        fields.build(m, "units", word)
        m.d.comb += sums.word.eq(word)
        token, top = paced(m, plan, issued[-3])
        if not design.inputs:
            return word_data, token, None, top
        shown = Signal(sum(channel.format.width for channel in design.inputs), name="inputs")
        with m.If(top):
            m.d.sync += shown.eq(Cat(*held[: design.n_inputs]))
        return word_data, token, shown, top

    def _source(
        self,
        reads: dict[tuple[int, bool], list[Value]],
        fields: Fields,
        lane: int,
        column: Sequence[int],
        offset: int,
    ) -> Value:
        """State that the lane's unit reads through the tap of this offset."""
        direct, wrapped = reads.get((offset, False)), reads.get((offset, True))
        if direct is None or wrapped is None:
            return (direct or wrapped or [Const(0, 1)])[lane]
        wraps = fields.add(f"wraps_{offset}_{lane}", [int(unit < offset) for unit in column])
        return Mux(wraps, wrapped[lane], direct[lane])

    def _fed(self, unit: Lane, sources: dict[int, Value], first: Value) -> Value:
        """Sum of the taps' products for the word that was read."""
        layer, column, parts = self.design.ring, unit.column, []
        for tap in layer.taps:
            weights = [tap.weights[i] for i in column]
            if tap.offset in sources and any(weights):
                parts.append(unit.times(sources[tap.offset], weights, f"tap_{tap.offset}"))
        # A constant here becomes the set or reset of the register, and costs no multiplexer.
        fed = Mux(first, unit.initial(), add_tree(parts))
        return fed << layer_ranges(self.design).tap_shift
