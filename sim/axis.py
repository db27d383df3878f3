"""Runs inside the simulator: AXI4-Stream source, sink and monitor for one design of the harness.

Nothing here wakes at every clock. The probe of `rchw.sim.harness` changes a counter when a beat
moves; source and monitor wait for that, and what they drive then is seen by the next clock edge.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Event, ReadWrite, RisingEdge, ValueChange

__all__ = ["PERIOD", "Monitor", "Port", "Sink", "Source"]

PERIOD = 10  # ns, of every design's clock


class Port:
    """Handles of design ``d<index>`` of the harness; `drive` and `read` by short names."""

    def __init__(self, dut: Any, index: int) -> None:
        self._dut, self._prefix = dut, f"d{index}_"
        self._handles: dict[str, Any] = {}

    def handle(self, name: str) -> Any:
        """Return the simulator handle of a harness port."""
        if name not in self._handles:
            self._handles[name] = getattr(self._dut, self._prefix + name)
        return self._handles[name]

    def drive(self, name: str, value: int) -> None:
        """Set an input after the current clock edge."""
        self.handle(name).value = value

    def read(self, name: str) -> int:
        """Value of a port as an unsigned integer; 0 if a bit is unknown, which the probe notes."""
        value = self.handle(name).value
        return int(value) if value.is_resolvable else 0

    def quiet(self) -> None:
        """Idle levels on every input."""
        for name in ("s_valid", "s_last", "s_data", "m_ready"):
            self.drive(name, 0)

    def start_clock(self) -> None:
        """Let the clock run in the simulator, without Python."""
        self.quiet()
        self.drive("aresetn", 0)
        Clock(self.handle("aclk"), PERIOD, unit="ns", impl="gpi").start()

    async def clocks(self, count: int) -> None:
        """Wait for `count` rising edges."""
        if count > 0:
            await ClockCycles(self.handle("aclk"), count, RisingEdge)

    async def reset(self, clocks: int = 2) -> None:
        """Hold ``aresetn`` low for `clocks` edges."""
        self.drive("aresetn", 0)
        await self.clocks(clocks)
        self.drive("aresetn", 1)

    def breach(self) -> dict[str, Any] | None:
        """First breach of the stream rules since the last reset, or None."""
        rule = self.read("breach")
        if rule == 0:
            return None
        return {"kind": "protocol", "rule": rule, "beat": self.read("breach_beat")}


class Source:
    """Sends words; between beats ``tdata`` and ``tlast`` carry rubbish, never a repeated beat."""

    def __init__(self, port: Port, pauses: Iterator[int]) -> None:
        self.port, self.pauses = port, pauses
        self.clocks: list[int] = []

    async def send(self, words: Sequence[int], lasts: Sequence[bool], mask: int) -> None:
        """Send one beat per word.

        Parameters
        ----------
        words, lasts
            Payload of each beat.
        mask : int
            All ones of ``tdata``.
        """
        port, moved = self.port, ValueChange(self.port.handle("s_count"))
        for word, last, pause in zip(words, lasts, self.pauses, strict=False):
            if pause:
                port.drive("s_valid", 0)
                port.drive("s_data", word ^ mask)
                port.drive("s_last", not last)
                await port.clocks(pause)
            port.drive("s_data", word)
            port.drive("s_last", bool(last))
            port.drive("s_valid", 1)
            await moved
            self.clocks.append(port.read("s_clock"))
        port.drive("s_valid", 0)
        port.drive("s_data", mask)


class Sink:
    """Drives ``tready``; a paused beat waits with ``tvalid`` high for its number of clocks."""

    def __init__(self, port: Port, pauses: Iterator[int]) -> None:
        self.port, self.pauses = port, pauses
        self.waits_for_valid = False
        self.breach: dict[str, Any] | None = None

    async def run(self) -> None:
        """Accept beats until cancelled."""
        port = self.port
        moved, rises = ValueChange(port.handle("m_count")), RisingEdge(port.handle("m_valid"))
        beats = 0
        for pause in self.pauses:
            if pause:
                port.drive("m_ready", 0)
                await ReadWrite()  # m_valid may change in the same instant, and later than m_count
                if not port.read("m_valid"):
                    self.waits_for_valid = True
                    await rises
                    self.waits_for_valid = False
                await port.clocks(pause)
                if not port.read("m_valid") and self.breach is None:
                    self.breach = {"kind": "protocol", "rule": 6, "beat": beats}
            port.drive("m_ready", 1)
            await moved
            beats += 1


class Monitor:
    """Records each output beat: word, last flag, clock; sets `reached` at `target` beats."""

    def __init__(self, port: Port, target: int) -> None:
        self.port, self.target = port, target
        self.reached = Event()
        self.words: list[int] = []
        self.lasts: list[bool] = []
        self.clocks: list[int] = []

    async def run(self) -> None:
        """Record until cancelled."""
        port, moved = self.port, ValueChange(self.port.handle("m_count"))
        while True:
            await moved
            self.words.append(port.read("m_word"))
            self.lasts.append(bool(port.read("m_word_last")))
            self.clocks.append(port.read("m_clock"))
            if len(self.words) == self.target:
                self.reached.set()
