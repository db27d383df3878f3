"""The emitted top: a core behind AXI4-Stream names, whole bytes per lane, one clock, one reset."""

from collections.abc import Sequence

from amaranth.hdl import ClockDomain, ClockSignal, Const, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design
from rchw.fixed import QFormat
from rchw.hdl.feedback import core_of

__all__ = ["AxiTop", "lane_bytes", "lane_map"]


def lane_bytes(fmt: QFormat) -> int:
    """Bytes of one lane: ``ceil(width / 8)``."""
    return (fmt.width + 7) // 8


def lane_map(formats: Sequence[QFormat]) -> list[tuple[int, int]]:
    """First bit and width in bits of every lane, the first format in the lowest byte.

    >>> lane_map([QFormat(12), QFormat(8)])
    [(0, 16), (16, 8)]
    """
    lanes, start = [], 0
    for fmt in formats:
        width = 8 * lane_bytes(fmt)
        lanes.append((start, width))
        start += width
    return lanes


class AxiTop(wiring.Component):
    """A design with the ports of `docs/stream.md`.

    Members
    -------
    aclk : In(1)
    aresetn : In(1)
        Synchronous, active low.
    s_axis_tdata, s_axis_tvalid, s_axis_tready, s_axis_tlast
        One beat per sample; lanes as in `lane_map`, of which the low bits of each are read.
    m_axis_tdata, m_axis_tvalid, m_axis_tready, m_axis_tlast
        One beat per input beat, or per sequence where it has one answer, in order; lanes are
        extended by sign, or by zeros if unsigned.

    Latency, Throughput
    -------------------
    Those of the core: `rchw.hdl.folded.FoldedCore`, `rchw.hdl.parallel.ParallelCore`, or
    `rchw.hdl.feedback.FeedbackCore` around either.
    """

    aclk: Signal
    aresetn: Signal
    s_axis_tdata: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    m_axis_tdata: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal

    def __init__(self, design: Design) -> None:
        self.design = design
        self._inputs = lane_map([channel.format for channel in design.beat])
        self._outputs = lane_map([output.format for output in design.readout.answers])
        super().__init__(
            {
                "aclk": In(1),
                "aresetn": In(1),
                "s_axis_tdata": In(sum(self._inputs[-1])),
                "s_axis_tvalid": In(1),
                "s_axis_tready": Out(1),
                "s_axis_tlast": In(1),
                "m_axis_tdata": Out(sum(self._outputs[-1])),
                "m_axis_tvalid": Out(1),
                "m_axis_tready": In(1),
                "m_axis_tlast": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Connect the core."""
        m = Module()
        m.domains.sync = ClockDomain()
        design = self.design
        core = core_of(design)
        m.submodules.core = core
        m.d.comb += [
            ClockSignal().eq(self.aclk),
            ResetSignal().eq(~self.aresetn),
            core.i.valid.eq(self.s_axis_tvalid),
            core.i.payload.last.eq(self.s_axis_tlast),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tvalid.eq(core.o.valid),
            self.m_axis_tlast.eq(core.o.payload.last),
            core.o.ready.eq(self.m_axis_tready),
        ]
        for channel, (start, _) in zip(design.beat, self._inputs, strict=True):
            lane = self.s_axis_tdata[start : start + channel.format.width]
            m.d.comb += core.i.payload[channel.name].eq(lane)
        for output, (start, width) in zip(design.readout.answers, self._outputs, strict=True):
            code = core.o.payload[output.name]
            # Adding a zero of the full width extends by the code's own sign.
            wide = (code + Const(0, width))[:width]
            m.d.comb += self.m_axis_tdata[start : start + width].eq(wide)
        return m
