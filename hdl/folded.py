"""The folded circuit: P units per clock, one sample in `schedule(design).clocks`.

States of a ring or a matrix are in memory; those from outside are shifted out of their beat. Layers
in series take turns: each has a sequencer, a pass and lanes of its own, begins when the one before
is through, and keeps what it reads of that in a memory (`rchw.hdl.gather`).
"""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design, ExternalLayer
from rchw.hdl.counter import delayed
from rchw.hdl.gather import Written
from rchw.hdl.passes import Pass
from rchw.hdl.ports import input_layout, output_layout
from rchw.hdl.readout import FoldedReadout
from rchw.hdl.sequencer import Sequencer
from rchw.schedule import layer_passes, schedule

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
        design = self.design
        if len(design.layers) > 1:
            self._series(m)
            return m
        layer, plan = design.layer, schedule(design)
        m.submodules.sequencer = sequencer = Sequencer(plan)
        m.submodules.readout = readout = FoldedReadout(design)

        # A pass begins when an input waits, and takes it when the first word has been read.
        taken = delayed(m, sequencer.begin, 1 + plan.read_register, "begin")[-1]
        first, marked = self._sample(m, taken)
        told = marked
        free: Value = readout.free
        reserve: Value = sequencer.reserve
        if design.readout.pooled:
            # The last sample of a sequence alone needs a place; the question may come in the very
            # clock that takes the sample.
            answers = Mux(taken, self.i.payload.last, marked)
            free, reserve = free | ~answers, reserve & answers
            if design.stages and design.stage.stepwise:
                told = Signal(name="told")
        m.d.comb += [
            sequencer.available.eq(self.i.valid),
            self.i.ready.eq(taken),
            sequencer.free.eq(free),
            readout.reserve.eq(reserve),
            readout.last.eq(told),
        ]

        held: Value | None = None
        if isinstance(layer, ExternalLayer):
            word_data, token = self._shifted(m, sequencer, taken)
        else:
            pass_ = Pass(m, design.stage, plan, sequencer, taken, first)
            inputs = [self.i.payload[channel.name] for channel in design.stage.inputs]
            if design.stage.stepwise:
                written, token, held, top = pass_.by_columns(inputs)
                if told is not marked:  # the next sample may be taken before the readout asks
                    with m.If(top):
                        m.d.sync += told.eq(marked)
            else:
                written, token = pass_.by_words(inputs)
            word_data = written.data
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

    def _sample(self, m: Module, taken: Value) -> tuple[Signal, Signal]:
        """Whether the states of a sample start afresh, and whether it is the last."""
        resets = self.design.reset_on_last
        last, ended, first = Signal(), Signal(init=1), Signal()
        with m.If(taken):
            # `ended` still belongs to the sample before, and is set by a reset.
            m.d.sync += [
                last.eq(self.i.payload.last),
                ended.eq(self.i.payload.last if resets else 0),
                first.eq(ended),
            ]
        return first, ended if resets else last

    def _series(self, m: Module) -> None:
        """Layers that take turns."""
        design, plans = self.design, layer_passes(self.design)
        m.submodules.readout = readout = FoldedReadout(design)
        parts, sequencers = [], []
        for number, plan in enumerate(plans):
            m.submodules[f"layer_{number}"] = part = Module()
            part.submodules.sequencer = sequencer = Sequencer(plan, chained=True)
            parts.append(part)
            sequencers.append(sequencer)
        begin, done = sequencers[0].begin, sequencers[-1].done
        taken = delayed(m, begin, 1 + plans[0].read_register, "begin")[-1]
        first, marked = self._sample(m, taken)
        free: Value = readout.free
        reserve: Value = sequencers[-1].reserve
        if design.readout.pooled:
            # The last sample of a sequence alone needs a place.
            free, reserve = free | ~marked, reserve & marked
        under_way = Signal()
        with m.If(begin | done):
            m.d.sync += under_way.eq(begin)
        m.d.comb += [
            sequencers[0].available.eq(self.i.valid & (done | ~under_way)),
            self.i.ready.eq(taken),
            readout.reserve.eq(reserve),
            readout.last.eq(marked),
        ]
        codes = [
            Signal(channel.format.width, name=f"held_{channel.name}", reset_less=True)
            for channel in design.inputs
        ]
        with m.If(taken):
            m.d.sync += [
                code.eq(self.i.payload[channel.name])
                for code, channel in zip(codes, design.inputs, strict=True)
            ]
        m.d.comb += readout.inputs.eq(Cat(*codes))
        found: list[Written] = []
        tokens: list[Value] = []
        for number, stage in enumerate(design.stages):
            sequencer, ends = sequencers[number], number == len(plans) - 1
            m.d.comb += sequencer.free.eq(free if ends else 1)
            # The first takes the beat itself, the others what was kept of it.
            given = [self.i.payload[channel.name] for channel in stage.inputs]
            began = taken
            if number:
                given = [
                    codes[place].as_signed() if channel.format.signed else codes[place]
                    for place, channel in zip(stage.places, stage.inputs, strict=True)
                ]
                m.d.comb += sequencer.available.eq(sequencers[number - 1].done)
                began = delayed(parts[number], sequencer.begin, 1, "began")[-1]
            sources = [found[feed.source] for feed in stage.feeds]
            tools = (parts[number], stage, plans[number], sequencer, began, first, sources)
            pass_ = Pass(*tools, tag=f"{number}_")
            if stage.stepwise:
                written, token, _, _ = pass_.by_columns(given)
            else:
                written, token = pass_.by_words(given)
            found.append(written)
            tokens.append(token)
        words = (code for written in found for code in written.data)
        m.d.comb += [readout.advance.eq(Cat(*tokens).any()), readout.states.eq(Cat(*words))]
        wiring.connect(m, readout.o, wiring.flipped(self.o))

    def _shifted(
        self, m: Module, sequencer: Sequencer, taken: Value
    ) -> tuple[Sequence[Value], Value]:
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
