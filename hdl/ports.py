"""Payloads of the streams, and the queue that holds results until they leave."""

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.fifo import SyncFIFO
from amaranth.lib.wiring import In, Out

from rchw.design import Design
from rchw.fixed import QFormat

__all__ = ["OutputQueue", "input_layout", "output_layout", "shape_of"]


def shape_of(fmt: QFormat) -> Shape:
    """Amaranth shape of a code."""
    return Shape(fmt.width, fmt.signed)


def input_layout(design: Design) -> data.StructLayout:
    """Payload of the input stream: one field per channel, and ``last``."""
    fields = {channel.name: shape_of(channel.format) for channel in design.inputs}
    return data.StructLayout({**fields, "last": 1})


def output_layout(design: Design) -> data.StructLayout:
    """Payload of the output stream: one field per output, and ``last``."""
    fields = {output.name: shape_of(output.format) for output in design.readout.outputs}
    return data.StructLayout({**fields, "last": 1})


class OutputQueue(wiring.Component):
    """As many results as can be under way, reserved before they are begun.

    Members
    -------
    reserve : In(1), free : Out(1)
        Take room; allowed while `free`.
    push : In(1), payload : In(output_layout)
        A result arrives; there is room, since it was reserved.
    o : Out(stream)

    Parameters
    ----------
    latency : int
        Clocks from `reserve` to the earliest clock in which the result can leave.
    period : int
        Clocks between results; one slot does where a result is gone before the next is begun.
    """

    def __init__(self, design: Design, latency: int, period: int) -> None:
        self._layout = output_layout(design)
        self._slots = latency // period + 1
        super().__init__(
            {
                "reserve": In(1),
                "free": Out(1),
                "push": In(1),
                "payload": In(self._layout),
                "o": Out(stream.Signature(self._layout)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        used = Signal(range(self._slots + 1))
        pop = self.o.valid & self.o.ready
        m.d.comb += self.free.eq(used != self._slots)
        m.d.sync += used.eq(used + self.reserve - pop)
        if self._slots == 1:
            with m.If(self.push):
                m.d.sync += [self.o.payload.eq(self.payload), self.o.valid.eq(1)]
            with m.Elif(self.o.ready):
                m.d.sync += self.o.valid.eq(0)
            return m
        width = self._layout.size
        m.submodules.fifo = fifo = SyncFIFO(width=width, depth=self._slots)
        m.d.comb += [
            fifo.w_data.eq(self.payload),
            fifo.w_en.eq(self.push),
            self.o.payload.eq(fifo.r_data),
            self.o.valid.eq(fifo.r_rdy),
            fifo.r_en.eq(self.o.ready),
        ]
        return m
