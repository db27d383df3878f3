"""Payloads of the streams, and the queue that holds results until they leave."""

from amaranth.hdl import Const, Module, Shape, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from rchw.design import Design
from rchw.fixed import QFormat

__all__ = ["OutputQueue", "beat_layout", "input_layout", "output_layout", "shape_of"]


def shape_of(fmt: QFormat) -> Shape:
    """Amaranth shape of a code."""
    return Shape(fmt.width, fmt.signed)


def beat_layout(design: Design) -> data.StructLayout:
    """Payload of the input stream: one field per lane of a beat, and ``last``."""
    fields = {channel.name: shape_of(channel.format) for channel in design.beat}
    return data.StructLayout({**fields, "last": 1})


def input_layout(design: Design) -> data.StructLayout:
    """What a core without its loop takes: in place of teachers the codes that are fed back."""
    if not design.feedback:
        return beat_layout(design)
    fields = {channel.name: shape_of(channel.format) for channel in design.inputs + design.fed}
    return data.StructLayout({**fields, "last": 1})


def output_layout(design: Design) -> data.StructLayout:
    """Payload of the output stream: one field per answer, and ``last``."""
    fields = {output.name: shape_of(output.format) for output in design.readout.answers}
    return data.StructLayout({**fields, "last": 1})


class OutputQueue(wiring.Component):
    """As many results as can be under way, reserved before they are begun.

    Members
    -------
    reserve : In(1), free : Out(1)
        Take room, allowed while `free`.
    keep : In(1), last : In(1)
        Of the sample for which room was taken, in the same clock or later: it waits here. Where a
        sequence has one answer, every result is the last and these do nothing.
    push : In(1), codes : In(output_layout without last)
        A result arrives, in the order of the reservations.
    o : Out(stream)

    Parameters
    ----------
    latency : int
        Clocks from `reserve` to the earliest clock in which the result can leave.
    period : int
        Clocks between results; one slot does where a result is gone before the next is begun.
    """

    reserve: Signal
    free: Signal
    keep: Signal
    last: Signal
    push: Signal
    codes: data.View
    o: stream.Interface

    def __init__(self, design: Design, latency: int, period: int) -> None:
        self._layout = output_layout(design)
        self._pooled = design.readout.pooled
        self._slots = latency // period + 1
        codes = {name: field.shape for name, field in self._layout if name != "last"}
        super().__init__(
            {
                "reserve": In(1),
                "free": Out(1),
                "keep": In(1),
                "last": In(1),
                "push": In(1),
                "codes": In(data.StructLayout(codes)),
                "o": Out(stream.Signature(self._layout)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        pop = Signal()
        m.d.comb += pop.eq(self.o.valid & self.o.ready)
        used = Signal(range(self._slots + 1))
        m.d.sync += used.eq(used + self.reserve - pop)
        m.d.comb += self.free.eq(used != self._slots)
        last: Value = Const(1)  # every answer to a sequence is
        if self._slots == 1:
            last, codes = Signal(), Signal.like(self.codes, reset_less=True)
            with m.If(self.push):
                m.d.sync += [codes.eq(self.codes), self.o.valid.eq(1)]
            with m.Elif(self.o.ready):
                m.d.sync += self.o.valid.eq(0)
            with m.If(self.keep):
                m.d.sync += last.eq(self.last)
        else:
            if not self._pooled:
                m.submodules.last_fifo = lasts = SyncFIFO(width=1, depth=self._slots)
            width = self.codes.shape().size
            m.submodules.code_fifo = queue = SyncFIFO(width=width, depth=self._slots)
            codes = data.View(self.codes.shape(), queue.r_data)
            if not self._pooled:
                last = lasts.r_data
                m.d.comb += [
                    lasts.w_data.eq(self.last),
                    lasts.w_en.eq(self.keep),
                    lasts.r_en.eq(pop),
                ]
            m.d.comb += [
                queue.w_data.eq(self.codes),
                queue.w_en.eq(self.push),
                queue.r_en.eq(self.o.ready),
                self.o.valid.eq(queue.r_rdy),
            ]
        m.d.comb += self.o.payload.last.eq(1 if self._pooled else last)
        for name, _ in self.codes.shape():
            m.d.comb += self.o.payload[name].eq(codes[name])
        return m
