"""A core whose outputs return to it: the loop around a core that takes what is fed as inputs."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design
from rchw.hdl.folded import FoldedCore
from rchw.hdl.parallel import ParallelCore
from rchw.hdl.ports import beat_layout, output_layout, shape_of
from rchw.schedule import schedule

__all__ = ["Core", "FeedbackCore", "core_of"]

Core = FoldedCore | ParallelCore


class FeedbackCore(wiring.Component):
    """One sample at a time: the next beat goes in when the result of the last has left.

    A register per entry of `Design.feedback` holds what the next sample is fed: the initial code
    after a reset and after the end of a sequence that resets, else the teacher's code where its bit
    was set, else the output.

    Members
    -------
    i : In(stream of `beat_layout`)
    o : Out(stream of `output_layout`)

    Latency
    -------
    `rchw.schedule.latency`, as of the core inside.

    Throughput
    ----------
    One sample per ``schedule(design).clocks``, if the sink takes results as they come.

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
                "i": In(stream.Signature(beat_layout(design))),
                "o": Out(stream.Signature(output_layout(design))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        design = self.design
        m.submodules.open = core = _open_core(design)
        wiring.connect(m, core.o, wiring.flipped(self.o))
        busy, taken, left = Signal(), Signal(), Signal()
        m.d.comb += [
            core.i.valid.eq(self.i.valid & ~busy),
            self.i.ready.eq(core.i.ready & ~busy),
            core.i.payload.last.eq(self.i.payload.last),
            taken.eq(self.i.valid & self.i.ready),
            left.eq(self.o.valid & self.o.ready),
        ]
        with m.If(left):
            m.d.sync += busy.eq(0)
        with m.Elif(taken):
            m.d.sync += busy.eq(1)
        for channel in design.inputs:
            m.d.comb += core.i.payload[channel.name].eq(self.i.payload[channel.name])
        resets = self.o.payload.last & design.reset_on_last
        number = 0
        for k, (entry, channel) in enumerate(zip(design.feedback, design.fed, strict=True)):
            shape = shape_of(channel.format)
            code = self.o.payload[entry.output]
            if entry.teacher:
                lesson = Signal(shape, name=f"lesson_{k}", reset_less=True)
                teach = Signal(name=f"teach_{k}", reset_less=True)
                with m.If(taken):
                    m.d.sync += [
                        lesson.eq(self.i.payload[f"teacher{number}"]),
                        teach.eq(self.i.payload["teach"][number]),
                    ]
                code = Mux(teach, lesson, code)
                number += 1
            fed = Signal(shape, name=f"fed_{k}", init=entry.initial)
            with m.If(left):
                m.d.sync += fed.eq(Mux(resets, entry.initial, code))
            m.d.comb += core.i.payload[channel.name].eq(fed)
        return m


def _open_core(design: Design) -> Core:
    return ParallelCore(design) if schedule(design).parallel else FoldedCore(design)


def core_of(design: Design) -> Core | FeedbackCore:
    """The core of a design: folded or parallel, and with its loop where outputs are fed back."""
    return FeedbackCore(design) if design.feedback else _open_core(design)
