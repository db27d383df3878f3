"""One pass of the folded circuit over the units of a layer, word by word or column by column."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from rchw.design import RingLayer, Stage, TapsInput
from rchw.hdl.arith import add_tree
from rchw.hdl.counter import countdown, delayed, later
from rchw.hdl.drive import lane_drives
from rchw.hdl.gather import Written, feed_sums, gather
from rchw.hdl.matrix import MatrixSums, paced
from rchw.hdl.rom import Fields
from rchw.hdl.sequencer import Sequencer
from rchw.hdl.states import StateMemory, plan_reads
from rchw.hdl.unit import Lane
from rchw.ranges import layer_ranges
from rchw.schedule import Schedule

__all__ = ["Pass"]


@dataclass(frozen=True)
class Pass:
    """One pass over the units of a layer.

    Attributes
    ----------
    m : Module
    stage : Stage
    plan : Schedule
    sequencer : Sequencer
    taken : Value
        High while the inputs of the sample can be taken.
    first : Value
        The states start afresh.
    sources : sequence of Written
        One for each layer that is read.
    tag : str
        In the names of its states and of their writing: of layers in series each has its own, as a
        layer has those of the layers that it reads among its ports.
    """

    m: Module
    stage: Stage
    plan: Schedule
    sequencer: Sequencer
    taken: Value
    first: Value
    sources: Sequence[Written] = ()
    tag: str = ""

    @property
    def columns(self) -> list[list[int]]:
        """Of every lane its unit in each word; of a word that is not full the last unit again."""
        lanes, n_units = self.stage.layer.lanes, self.stage.n_units
        words = range(self.plan.words)
        return [[min(word * lanes + lane, n_units - 1) for word in words] for lane in range(lanes)]

    @property
    def _issued(self) -> str:
        return f"issued_{self.tag}".removesuffix("_")

    def by_words(self, inputs: Sequence[Value]) -> tuple[Written, Value]:
        """Pipeline: address (registered word), taps, sum (gain, bias), activation, update.

        What stands in brackets, the second clock of the activation, and the clocks of the update
        are there only where the design has them; then follows the write. What earlier layers feed
        takes three clocks to read, and the layer's own states wait for it.
        """
        m, stage, plan, sequencer = self.m, self.stage, self.plan, self.sequencer
        layer, columns, taken, first = stage.layer, self.columns, self.taken, self.first
        assert isinstance(layer, RingLayer)
        ranges = layer_ranges(stage)
        lead = 2 - plan.read_register if stage.feeds else 0
        word = later(m, sequencer.word, lead, "word_late")
        fields = Fields(plan.words, plan.read_register)
        stages = plan.loop_latency - 1
        issued = delayed(m, sequencer.issue, stages, self._issued)
        token = delayed(m, sequencer.product, stages - 2, "token")

        width = layer.state.width
        word_data = [
            Signal(signed(width), name=f"x{self.tag}{lane}", reset_less=True)
            for lane in range(layer.lanes)
        ]
        taps = [(tap.offset, tap.weights) for tap in layer.taps]
        if layer.remembers:
            taps.append((0, (1,) * layer.n_units))
        memory = StateMemory(
            plan.words, layer.lanes, width, plan_reads(layer.n_units, layer.lanes, taps)
        )
        reads = memory.build(
            m,
            word=word,
            step=later(m, sequencer.next_word, lead, "step_late"),
            half=later(m, sequencer.half, lead, "half_late"),
            write=issued[-1],
            data=word_data,
            registered=plan.read_register,
        )
        feeds = self._gathered()
        drives = lane_drives(m, stage, ranges, inputs, taken, fields, columns, mirrored=True)
        for lane, column in enumerate(columns):
            sources = {
                offset: self._source(reads, fields, lane, column, offset)
                for offset, weights in dict(taps).items()
                if any(weights[unit] for unit in column)
            }
            unit = Lane(m, stage, lane, column, fields)
            fed = self._fed(unit, sources, first)
            for number, shift in enumerate(ranges.feed_shifts):
                fed = fed + (self._fed_by(unit, number, feeds[number]) << shift)
            state = unit.update(fed, sources.get(0, Const(0, 1)), drives[lane], first)
            with m.If(issued[-2]):
                m.d.sync += word_data[lane].eq(state)
        fields.build(m, "units", word)
        return Written(plan.words, word_data, issued[-1]), token[-1]

    def _gathered(self) -> list[list[list[Value]]]:
        """Of every feed, of every tap, of every lane the state that it reads, three clocks late."""
        m, plan, found = self.m, self.plan, []
        for number, (feed, source) in enumerate(zip(self.stage.feeds, self.sources, strict=True)):
            assert isinstance(feed.entry, TapsInput)
            n_source = feed.layer.n_units
            taps = [
                [[(unit - tap.offset) % n_source for unit in column] for column in self.columns]
                for tap in feed.entry.taps
            ]
            ports = [column for lanes in taps for column in lanes]
            name = f"fed_{number}"
            address = self.sequencer.word
            values = gather(m, name, source, plan.words, address, ports)
            held = [later(m, value, 1, f"{name}_{k}_held") for k, value in enumerate(values)]
            lanes = self.stage.layer.lanes
            found.append([held[k : k + lanes] for k in range(0, len(held), lanes)])
        return found

    def _fed_by(self, unit: Lane, number: int, taps: Sequence[Sequence[Value]]) -> Value:
        """Sum of the products of what an earlier layer feeds."""
        entry, parts = self.stage.feeds[number].entry, []
        assert isinstance(entry, TapsInput)
        for tap, lanes in zip(entry.taps, taps, strict=True):
            weights = [tap.weights[i] for i in unit.column]
            if any(weights):
                name = f"fed_{number}_{tap.offset}"
                parts.append(unit.times(lanes[unit.number], weights, name))
        return add_tree(parts)

    def by_columns(self, inputs: Sequence[Value]) -> tuple[Written, Value, Value | None, Value]:
        """Pipeline: step, weights and column, state, product, accumulator; then as for a ring.

        Words end S clocks apart. What belongs to a word behind its last step, the next sample must
        not touch: its inputs and its first flag come three clocks later than they are taken.
        """
        m, stage, plan, sequencer = self.m, self.stage, self.plan, self.sequencer
        layer, columns, taken, first = stage.layer, self.columns, self.taken, self.first
        ranges = layer_ranges(stage)
        sums = MatrixSums(layer, plan)
        m.submodules.sums = sums
        over = sums.over
        issued = delayed(m, over, plan.loop_latency - 1, self._issued)
        word_data = [
            Signal(signed(layer.state.width), name=f"x{self.tag}{lane}", reset_less=True)
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
            for channel in stage.inputs
        ]
        with m.If(taken):
            m.d.sync += [code.eq(given) for code, given in zip(held, inputs, strict=True)]
        kept = [
            code.as_signed() if channel.format.signed else code
            for code, channel in zip(held, stage.inputs, strict=True)
        ]
        fed_sums = [
            feed_sums(m, number, feed, source, stage, plan, sequencer.issue, over, sequencer.word)
            for number, (feed, source) in enumerate(zip(stage.feeds, self.sources, strict=True))
        ]
        drives = lane_drives(m, stage, ranges, kept, late, fields, columns, mirrored=True)
        for lane, column in enumerate(columns):
            unit = Lane(m, stage, lane, column, fields)
            fed = Mux(begun, unit.initial(), sums.sums[lane]) << ranges.tap_shift
            for part, shift in zip(fed_sums, ranges.feed_shifts, strict=True):
                fed = fed + (part[lane] << shift)
            state = unit.update(fed, sums.old[lane], drives[lane], begun)
            with m.If(issued[-2]):
                m.d.sync += word_data[lane].eq(state)
        fields.build(m, "units", word)
        m.d.comb += sums.word.eq(word)
        token, top = paced(m, plan, issued[-3])
        written = Written(plan.words, word_data, issued[-1])
        if stage.named or not stage.n_inputs:
            return written, token, None, top
        shown = Signal(
            sum(channel.format.width for channel in stage.inputs[: stage.n_inputs]), name="inputs"
        )
        with m.If(top):
            m.d.sync += shown.eq(Cat(*held[: stage.n_inputs]))
        return written, token, shown, top

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
        layer, column, parts = self.stage.layer, unit.column, []
        assert isinstance(layer, RingLayer)
        for tap in layer.taps:
            weights = [tap.weights[i] for i in column]
            if tap.offset in sources and any(weights):
                parts.append(unit.times(sources[tap.offset], weights, f"tap_{tap.offset}"))
        # A constant here becomes the set or reset of the register, and costs no multiplexer.
        fed = Mux(first, unit.initial(), add_tree(parts))
        return fed << layer_ranges(self.stage).tap_shift
