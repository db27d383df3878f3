"""The bench of Amaranth's simulator: right circuits pass at any pace, broken ones are named."""

from itertools import product
from typing import Any

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.errors import MismatchError
from rchw.sim.pauses import parse
from rchw.sim.stream import run_stream, trace_stream

INPUTS = [5, -3, 100, 7, -128, 127] * 8


class Leaky(wiring.Component):
    """``x <- x - (x >> 2) + u``, three clocks per sample, with a fault by name."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        wide = {"i": In(stream.Signature(signed(8))), "o": Out(stream.Signature(signed(12)))}
        super().__init__(wide)

    def elaborate(self, platform: object) -> Module:
        """Build a machine of three steps."""
        m = Module()
        step, beats = Signal(2), Signal(8)
        x, stalled = Signal(signed(12)), Signal()
        m.d.sync += stalled.eq(self.o.valid & ~self.o.ready)
        m.d.comb += [
            self.i.ready.eq(step == 0),
            self.o.valid.eq(step == 2),
            self.o.payload.eq(x),
        ]
        if self.fault == "drops valid":
            m.d.comb += self.o.valid.eq((step == 2) & ~stalled)
        if self.fault == "changes payload":
            m.d.comb += self.o.payload.eq(x ^ stalled)
        if self.fault == "waits for ready":
            m.d.comb += self.o.valid.eq((step == 2) & self.o.ready)
        lost = (beats == 20) if self.fault == "loses a sample" else 0
        with m.Switch(step):
            with m.Case(0):
                with m.If(self.i.valid):
                    m.d.sync += [x.eq(x - (x >> 2) + self.i.payload), step.eq(1)]
            with m.Case(1):
                with m.If(lost):
                    m.d.sync += [step.eq(0), beats.eq(0)]
                with m.Else():
                    m.d.sync += [step.eq(2), beats.eq(beats + 1)]
            with m.Case(2), m.If(self.o.ready):
                m.d.sync += step.eq(3 if self.fault == "sticks" else 0)
        return m


class Edge(wiring.Component):
    """`Leaky` behind the AXI4-Stream names, with its own clock and reset."""

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

    def __init__(self) -> None:
        ports = {"aclk": In(1), "aresetn": In(1), "s_axis_tdata": In(8), "m_axis_tdata": Out(16)}
        ports |= {name: In(1) for name in ("s_axis_tvalid", "s_axis_tlast", "m_axis_tready")}
        ports |= {name: Out(1) for name in ("s_axis_tready", "m_axis_tvalid", "m_axis_tlast")}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        """Connect the core."""
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.core = core = Leaky()
        last, word = Signal(), Signal(signed(16))
        with m.If(core.i.valid & core.i.ready):
            m.d.sync += last.eq(self.s_axis_tlast)
        m.d.comb += [
            ClockSignal().eq(self.aclk),
            ResetSignal().eq(~self.aresetn),
            core.i.valid.eq(self.s_axis_tvalid),
            core.i.payload.eq(self.s_axis_tdata),
            core.o.ready.eq(self.m_axis_tready),
            word.eq(core.o.payload),
            self.s_axis_tready.eq(core.i.ready),
            self.m_axis_tvalid.eq(core.o.valid),
            self.m_axis_tdata.eq(word),
            self.m_axis_tlast.eq(last),
        ]
        return m


class Increment(wiring.Component):
    """A stage without any register."""

    i: stream.Interface
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        """Connect."""
        m = Module()
        m.d.comb += [
            self.o.payload.eq(self.i.payload + 1),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def reference(inputs: list[int]) -> list[int]:
    x, outputs = 0, []
    for u in inputs:
        x += u - (x >> 2)
        outputs.append(x)
    return outputs


PACES = ["never", "every:4:3", "random:50:4", "bursts:3:2", "always:5"]


@pytest.mark.parametrize(("source", "sink"), list(product(PACES, repeat=2)))
def test_any_pace_gives_the_same_codes(source: str, sink: str) -> None:
    got = run_stream(Leaky(), INPUTS, pauses_in=parse(source, 1), pauses_out=parse(sink, 2))
    assert got == reference(INPUTS)


def test_clocks_are_measured() -> None:
    trace = trace_stream(Leaky(), INPUTS)
    assert trace.clocks_in == tuple(3 * n for n in range(len(INPUTS)))
    assert trace.clocks_out == tuple(3 * n + 2 for n in range(len(INPUTS)))


def test_axi_names_with_own_clock() -> None:
    words = [(u & 0xFF, n % 5 == 4) for n, u in enumerate(INPUTS)]
    got = run_stream(Edge(), words, pauses_out=parse("every:3:2"))
    assert got == [(y & 0xFFFF, n % 5 == 4) for n, y in enumerate(reference(INPUTS))]


def test_combinational_stage() -> None:
    assert run_stream(Increment(), [1, 2, 255], pauses_out=parse("always:2")) == [2, 3, 0]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("drops valid", "m_axis_tvalid must stay high until m_axis_tready, but it dropped"),
        ("changes payload", "m_axis_tdata must stay stable while m_axis_tready is low"),
        ("waits for ready", "m_axis_tvalid must not wait for m_axis_tready"),
        ("loses a sample", "48 output beats must come, but after 48 input beats only 46 did"),
        ("sticks", "i.ready must rise within 300 clocks, but beat 1 still waits"),
    ],
)
def test_fault_is_named(fault: str, sentence: str) -> None:
    def run(dut: Any) -> None:
        run_stream(dut, INPUTS, pauses_out=parse("every:2:3"), limit=300)

    with pytest.raises(MismatchError, match=sentence):
        run(Leaky(fault))
