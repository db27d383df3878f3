"""The folded circuit: P units per clock, one sample in `schedule(design).clocks`.

States of a ring are in memory; those that come from outside are shifted out of their beat.
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.activation import Clip
from rchw.design import Design, ExternalLayer, Tap, UnitCodes
from rchw.hdl.activation import activate, increment, leak, leak_kinds
from rchw.hdl.arith import add_tree, select, times
from rchw.hdl.counter import delayed
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
    """Layer and readout with `lanes` P below N, or with fewer multipliers than products.

    Members
    -------
    i : In(stream of `input_layout`)
    o : Out(stream of `output_layout`)

    Latency
    -------
    `rchw.schedule.latency`: from an input beat to its output beat ``busy`` and 9 to 11 clocks, two
    more with squares, and one more per level of the sum where several products are added per clock.

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
        m.d.comb += [
            sequencer.available.eq(self.i.valid),
            self.i.ready.eq(taken),
            sequencer.free.eq(readout.free),
            readout.reserve.eq(sequencer.reserve),
            readout.last.eq(ended if design.reset_on_last else last),
        ]

        if isinstance(layer, ExternalLayer):
            word_data, token = self._shifted(m, sequencer, taken)
        else:
            columns = [
                [min(word * layer.lanes + lane, layer.n_units - 1) for word in range(plan.words)]
                for lane in range(layer.lanes)
            ]
            word_data, token = self._state_pass(m, sequencer, taken, first, columns)
        m.d.comb += [
            readout.advance.eq(token),
            readout.states.eq(Cat(*(value[: layer.state.width] for value in word_data))),
        ]
        if design.inputs:  # a signal without bits would be one of two in Verilog
            inputs = [self.i.payload[channel.name] for channel in design.inputs]
            held = Signal(len(readout.inputs), name="inputs", reset_less=True)
            with m.If(taken):
                m.d.sync += held.eq(Cat(*inputs))
            m.d.comb += readout.inputs.eq(held)
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
        inputs = [self.i.payload[channel.name] for channel in design.inputs]
        drives = lane_drives(m, design, ranges, inputs, taken, fields, columns, mirrored=True)
        for lane, column in enumerate(columns):
            sources = {
                offset: self._source(reads, fields, lane, column, offset)
                for offset, weights in dict(taps).items()
                if any(weights[unit] for unit in column)
            }
            self._unit(
                m, lane, column, sources, drives[lane], fields, word_data[lane], first, issued
            )
        fields.build(m, "units", sequencer.word)
        return word_data, token[-1]

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

    def _initial(
        self, fields: Fields, name: str, column: Sequence[int], taps: Sequence[Tap]
    ) -> Value:
        """Sum of the taps' products with the initial state."""
        layer = self.design.ring
        return fields.add(
            name,
            [
                sum(
                    layer.initial_state[(unit - tap.offset) % layer.n_units] * tap.weights[unit]
                    for tap in taps
                )
                for unit in column
            ],
        )

    def _unit(
        self,
        m: Module,
        lane: int,
        column: Sequence[int],
        sources: dict[int, Value],
        drive: tuple[Value, Value],
        fields: Fields,
        result: Signal,
        first: Value,
        issued: Sequence[Value],
    ) -> None:
        """From the words that were read to the end of the loop for one lane."""
        layer, ranges = self.design.ring, layer_ranges(self.design)
        parts = []
        for tap in layer.taps:
            if tap.offset not in sources or not any(tap.weights[unit] for unit in column):
                continue
            weights = [tap.weights[unit] for unit in column]
            name = f"tap_{tap.offset}_{lane}"
            parts.append(_times(m, fields, sources[tap.offset], weights, name))
        initial = self._initial(fields, f"initial_{lane}", column, layer.taps)
        # A constant here becomes the set or reset of the register, and costs no multiplexer.
        fed = Mux(first, initial, add_tree(parts)) << ranges.tap_shift
        units = sorted(set(column))
        taps = _register(m, fed, _hull(ranges.taps, units), f"taps_{lane}")
        value, carry = drive
        driving = _hull(ranges.drive, units)
        if not (isinstance(carry, Const) and carry.value == 0):
            driving = Interval(driving.low - 1, driving.high)  # as the carry is not in it yet
        driven = _register(m, value, driving, f"driven_{lane}")
        if not isinstance(carry, Const):
            held = Signal(name=f"carry_{lane}", reset_less=True)
            m.d.sync += held.eq(carry)
            carry = held
        # The carry enters below the lowest bit: one addition, where a sum of three would be two.
        summed = (Cat(Const(1, 1), taps).as_signed() + Cat(carry, driven).as_signed()) >> 1
        total: Value = _register(m, summed, _hull(ranges.summed, units), f"total_{lane}")
        delay = 3  # clocks from the word to the target
        if layer.gain is not None:
            total = self._biased(m, lane, column, total, fields, layer.gain)
            delay += 2
        target = activate(m, layer, total, ranges.frac, f"unit_{lane}", clocked=True)
        delay += not isinstance(layer.activation, Clip)
        if layer.remembers:
            target = self._updated(m, lane, column, sources[0], target, fields, first, delay)
        with m.If(issued[-2]):
            m.d.sync += result.eq(target)

    def _updated(
        self,
        m: Module,
        lane: int,
        column: Sequence[int],
        source: Value,
        target: Value,
        fields: Fields,
        first: Value,
        delay: int,
    ) -> Value:
        """New state from the old one, which waits for its target."""
        layer, ranges = self.design.ring, layer_ranges(self.design)
        start = self._initial(fields, f"old_{lane}", column, [Tap(0, (1,) * layer.n_units)])
        delay += layer.step is not None
        old: Value = Mux(first, start, source)
        for stage in range(delay):
            held = Signal(signed(layer.state.width), name=f"old_{lane}_{stage}")
            m.d.sync += held.eq(old)
            old = held
        if layer.step is None:
            kinds = [leak_kinds(layer).index(layer.leak_shifts[unit]) for unit in column]
            kind = _later(m, fields.add(f"leak_{lane}", kinds), delay, f"leak_{lane}")
            target = _register(m, target, ranges.state, f"target_{lane}")
            return leak(m, layer, old, target, kind, f"unit_{lane}")
        reached = Interval(*layer.activation.ends)
        target = _register(m, target, reached, f"target_{lane}")
        sizes = [layer.step.codes[unit] for unit in column]
        moves = [reached.scale(size) for size in sizes]
        moved = _times(m, fields, target, sizes, f"step_{lane}", delay - 1)
        product = _register(m, moved, _hull(moves, range(len(moves))), f"moved_{lane}")
        return increment(m, layer, old, product, f"unit_{lane}")

    def _biased(
        self,
        m: Module,
        lane: int,
        column: Sequence[int],
        total: Value,
        fields: Fields,
        gain: UnitCodes,
    ) -> Value:
        """Sum times gain, and the bias: two registers behind that of the sum."""
        ranges, layer = layer_ranges(self.design), self.design.ring
        gains = [gain.codes[unit] for unit in column]
        products = [
            ranges.summed[unit].scale(code) for unit, code in zip(column, gains, strict=True)
        ]
        scaled = _register(
            m,
            _times(m, fields, total, gains, f"gain_{lane}", 2),
            _hull(products, range(len(products))),
            f"scaled_{lane}",
        )
        name = f"bias_{lane}"
        bias = _later(m, fields.add(name, [layer.bias[unit] for unit in column]), 3, name)
        biased = (scaled << ranges.gain_shift) + (bias << ranges.bias_shift)
        interval = _hull(ranges.accumulator, sorted(set(column)))
        return _register(m, biased, interval, f"biased_{lane}")


def _times(
    m: Module, fields: Fields, value: Value, weights: Sequence[int], name: str, late: int = 0
) -> Value:
    """Product with the weight of the word, which is as many clocks late as the value is."""
    kinds = sorted(set(weights))
    if len(kinds) > MAX_MUXED_WEIGHTS:
        return value * _later(m, fields.add(name, weights), late, name)
    places = [kinds.index(weight) for weight in weights]
    index = _later(m, fields.add(name, places), late, name)
    return select(m, index, [times(value, weight) for weight in kinds], f"product_{name}")


def _later(m: Module, field: Value, clocks: int, name: str) -> Value:
    """Delay a field of the word, which the next word replaces; a constant stays as it is."""
    if isinstance(field, Const):
        return field
    for clock in range(clocks):
        held = Signal(field.shape(), name=f"{name}_{clock}", reset_less=True)
        m.d.sync += held.eq(field)
        field = held
    return field


def _hull(intervals: Sequence[Interval], units: Sequence[int]) -> Interval:
    hull = intervals[units[0]]
    for unit in units[1:]:
        hull = hull.hull(intervals[unit])
    return hull


def _register(m: Module, value: Value, interval: Interval, name: str) -> Signal:
    register = Signal(signed(interval.width), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register
