"""Drive a component in Amaranth's own simulator; the simulator hides behind a function."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from rchw.errors import MismatchError
from rchw.sim.harness import BREACHES
from rchw.sim.pauses import never

__all__ = ["StreamTrace", "run_stream", "trace_stream"]


@dataclass(frozen=True)
class StreamTrace:
    """What came out, and when.

    Attributes
    ----------
    payloads : tuple
        Of the output beats; plain integers, or the constants of a structured payload.
    clocks_in, clocks_out : tuple of int
        Clock of each transfer, counted from the first clock after reset.
    """

    payloads: tuple[Any, ...]
    clocks_in: tuple[int, ...]
    clocks_out: tuple[int, ...]


@dataclass(frozen=True)
class _Ports:
    """The signals of either naming, a payload being a tuple of signals."""

    i_valid: Any
    i_ready: Any
    i_payload: tuple[Any, ...]
    o_valid: Any
    o_ready: Any
    o_payload: tuple[Any, ...]
    clock: Any
    reset_n: Any

    @classmethod
    def of(cls, dut: Any) -> "_Ports":
        if hasattr(dut, "s_axis_tdata"):
            return cls(
                dut.s_axis_tvalid,
                dut.s_axis_tready,
                (dut.s_axis_tdata, dut.s_axis_tlast),
                dut.m_axis_tvalid,
                dut.m_axis_tready,
                (dut.m_axis_tdata, dut.m_axis_tlast),
                getattr(dut, "aclk", None),
                getattr(dut, "aresetn", None),
            )
        i, o = dut.i, dut.o
        return cls(i.valid, i.ready, (i.payload,), o.valid, o.ready, (o.payload,), None, None)


def run_stream(dut: Any, payloads: Iterable[Any], **options: Any) -> list[Any]:
    """Payloads that a component gives for payloads; see `trace_stream` for the options."""
    return list(trace_stream(dut, payloads, **options).payloads)


def trace_stream(
    dut: Any,
    payloads: Iterable[Any],
    *,
    pauses_in: Iterator[int] | None = None,
    pauses_out: Iterator[int] | None = None,
    count: int | None = None,
    limit: int = 10_000,
    waves: str | None = None,
) -> StreamTrace:
    """Send payloads through a component, checking the stream rules at every clock.

    Parameters
    ----------
    dut : component
        With stream ports ``i`` and ``o``, or with the AXI4-Stream names; then a payload is the
        pair ``(tdata, tlast)``.
    payloads : iterable
        What a payload may be set to: integers, or dicts for a structure.
    pauses_in, pauses_out : iterator of int, optional
        As in `rchw.sim.pauses`.
    count : int, optional
        Output beats to wait for; as many as payloads by default.
    limit : int
        Clocks without any transfer after which the circuit counts as stuck.
    waves : str, optional
        File to write a VCD to.

    Returns
    -------
    StreamTrace

    Raises
    ------
    MismatchError
        If a rule of the stream is broken, or the circuit is stuck.
    """
    ports = _Ports.of(dut)
    words = [payload if len(ports.i_payload) > 1 else (payload,) for payload in payloads]
    bench = _Bench(
        ports,
        words,
        len(words) if count is None else count,
        pauses_in or never(),
        pauses_out or never(),
        limit,
    )
    module = Module()
    module.submodules.dut = dut
    if ports.clock is None:  # a combinational stage has no domain: the bench brings one
        module.domains.sync = ClockDomain()
    simulator = Simulator(module)
    if ports.clock is None:
        simulator.add_clock(1e-6)
    else:
        simulator.add_testbench(bench.toggle, background=True)
    simulator.add_testbench(bench.run)
    if waves is None:
        simulator.run()
    else:
        with simulator.write_vcd(waves):
            simulator.run()
    return StreamTrace(tuple(bench.got), tuple(bench.clocks_in), tuple(bench.clocks_out))


class _Bench:
    """One loop over the clocks: drive, wait for the edge, judge what the circuit saw."""

    def __init__(
        self,
        ports: _Ports,
        words: Sequence[tuple[Any, ...]],
        count: int,
        pauses_in: Iterator[int],
        pauses_out: Iterator[int],
        limit: int,
    ) -> None:
        self.ports, self.words, self.count, self.limit = ports, words, count, limit
        self.pauses_in, self.pauses_out = pauses_in, pauses_out
        self.one_to_one = count == len(words)
        self.got: list[Any] = []
        self.clocks_in: list[int] = []
        self.clocks_out: list[int] = []

    async def toggle(self, ctx: Any) -> None:
        """Clock of a component that has its clock as a port."""
        while True:
            await ctx.delay(0.5e-6)
            ctx.set(self.ports.clock, 1)
            await ctx.delay(0.5e-6)
            ctx.set(self.ports.clock, 0)

    async def _edge(self, ctx: Any, *signals: Any) -> tuple[Any, ...]:
        if self.ports.clock is None:
            _, _, *values = await ctx.tick().sample(*signals)
        else:
            _, *values = await ctx.posedge(self.ports.clock).sample(*signals)
        return tuple(values)

    def _fail(self, rule: int) -> MismatchError:
        return MismatchError(f"{BREACHES[rule]} (output beat {len(self.got)})")

    async def run(self, ctx: Any) -> None:
        """Until all beats have come."""
        p = self.ports
        if p.reset_n is not None:
            ctx.set(p.reset_n, 0)
            await self._edge(ctx)
            await self._edge(ctx)
            ctx.set(p.reset_n, 1)
        clock = idle = 0
        gap, stall = next(self.pauses_in), next(self.pauses_out)
        held: tuple[Any, ...] | None = None
        forced = False
        while len(self.got) < self.count:
            sending = len(self.clocks_in) < len(self.words) and gap == 0
            ctx.set(p.i_valid, sending)
            if sending:
                for signal, value in zip(p.i_payload, self.words[len(self.clocks_in)], strict=True):
                    ctx.set(signal, value)
            taking = stall == 0 or forced
            ctx.set(p.o_ready, taking)
            ready, valid, *payload = await self._edge(ctx, p.i_ready, p.o_valid, *p.o_payload)
            if held is not None and not valid:
                raise self._fail(1)
            if held is not None and tuple(payload) != held:
                raise self._fail(2 if payload[0] != held[0] else 3)
            held = tuple(payload) if valid and not taking else None
            entered, left = sending and ready, valid and taking
            if left:
                if forced:
                    raise self._fail(6)
                if self.one_to_one and len(self.got) >= len(self.clocks_in) + bool(entered):
                    raise self._fail(5)
                self.got.append(payload[0] if len(payload) == 1 else tuple(payload))
                self.clocks_out.append(clock)
                stall = next(self.pauses_out)
            elif valid and stall:
                stall -= 1
            if entered:
                self.clocks_in.append(clock)
                gap = next(self.pauses_in)
            elif gap:
                gap -= 1
            idle = 0 if entered or left or gap else idle + 1
            if idle > self.limit:
                if taking:
                    raise MismatchError(self._stuck())
                forced, idle = True, 0
            clock += 1

    def _stuck(self) -> str:
        sent, got = len(self.clocks_in), len(self.got)
        if sent < len(self.words) and got >= sent:
            return f"i.ready must rise within {self.limit} clocks, but beat {sent} still waits"
        return f"{self.count} output beats must come, but after {sent} input beats only {got} did"
