"""Read a short VCD and cut out the life of one sample, for a plot."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import ToolError

__all__ = ["Signal", "Wave", "read_vcd", "sample_life"]

_VARIABLE = re.compile(r"\$var\s+\S+\s+(\d+)\s+(\S+)\s+(\S+)")
_SCOPE = re.compile(r"\$scope\s+\S+\s+(\S+)")


@dataclass(frozen=True)
class Signal:
    """One signal as its changes.

    Attributes
    ----------
    name : str
        With its scopes, joined by dots.
    width : int
    times : int64 array
        In time steps of the VCD, ascending.
    values : object array
        Unsigned integers; -1 where a bit is unknown.
    """

    name: str
    width: int
    times: NDArray[np.int64]
    values: NDArray[Any]

    def at(self, times: NDArray[np.int64]) -> NDArray[Any]:
        """Values just before the given times; -1 before the first change."""
        index = np.searchsorted(self.times, times, side="left") - 1
        found = self.values[np.maximum(index, 0)] if len(self.values) else np.zeros(0, object)
        result: NDArray[Any] = np.where(index >= 0, found, -1)
        return result


@dataclass(frozen=True)
class Wave:
    """All signals of a VCD by full name."""

    signals: dict[str, Signal]

    def signal(self, name: str) -> Signal:
        """Return the signal with this full name, or the shortest that ends with it after a dot.

        Raises
        ------
        ToolError
            If there is none.
        """
        if name in self.signals:
            return self.signals[name]
        found = [full for full in self.signals if full.endswith(f".{name}")]
        if not found:
            raise ToolError(f"waveform must hold the signal {name!r}, but it does not")
        return self.signals[min(found, key=lambda full: (full.count("."), full))]


def _value(bits: str) -> int:
    return int(bits, 2) if set(bits) <= {"0", "1"} else -1


def read_vcd(path: Path, wanted: Callable[[str], bool] | None = None) -> Wave:
    """Read signals of a VCD; meant for the short ones of a failing window or one sample.

    Parameters
    ----------
    path : Path
    wanted : callable, optional
        Tells from the full name of a signal whether it is read; all are by default.

    Raises
    ------
    ToolError
        If the file is not a VCD.
    """
    names: dict[str, list[tuple[str, int]]] = {}
    changes: dict[str, tuple[list[int], list[int]]] = {}
    scopes: list[str] = []
    time = 0
    with path.open() as lines:
        for line in lines:
            text = line.strip()
            if not text:
                continue
            lead = text[0]
            if lead == "#":
                time = int(text[1:])
            elif lead in "01xzXZ" and text[1:] in changes:
                times, values = changes[text[1:]]
                times.append(time)
                values.append(_value(lead))
            elif lead in "bB":
                bits, _, code = text[1:].partition(" ")
                if code in changes:
                    changes[code][0].append(time)
                    changes[code][1].append(_value(bits))
            elif found := _SCOPE.match(text):
                scopes.append(found.group(1))
            elif text.startswith("$upscope") and scopes:
                scopes.pop()
            elif found := _VARIABLE.match(text):
                width, code, name = found.groups()
                full = ".".join([*(scope for scope in scopes if scope != "TOP"), name])
                if wanted is None or wanted(full):
                    names.setdefault(code, []).append((full, int(width)))
                    changes.setdefault(code, ([], []))
    if not names:
        raise ToolError(f"{path} must be a VCD with signals, but it has none")
    signals = {}
    for code, places in names.items():
        when = np.array(changes[code][0], dtype=np.int64)
        what = np.array(changes[code][1], dtype=object)
        for full, width in places:
            signals[full] = Signal(full, width, when, what)
    return Wave(signals)


def sample_life(
    wave: Wave, index: int, sample: int, *, extra: Sequence[str] = (), margin: int = 2
) -> dict[str, Any]:
    """Signals at every clock from the input transfer of one sample to its output transfer.

    Parameters
    ----------
    wave : Wave
        Of a run from `rchw.sim.runner.Build.write_waves`.
    index : int
        Of the design in the harness.
    sample : int
        Counted from the first transfer in the wave.
    extra : sequence of str
        More signals, by name within the design.
    margin : int
        Clocks shown before and after.

    Returns
    -------
    dict
        ``clock`` (numbers, int array), one array for each of ``s_axis_tvalid, s_axis_tready,
        s_axis_tdata, s_axis_tlast`` and the same for ``m_axis``, those of `extra`, and
        ``clock_in``, ``clock_out``: where the sample goes in and comes out. A value is what the
        circuit sees at that clock edge.

    Raises
    ------
    ToolError
        If the wave has no such signal or sample.
    """
    d = f"d{index}"
    clock = wave.signal(f"{d}_aclk")
    edges = clock.times[[i for i in range(len(clock.values)) if clock.values[i] == 1]]
    table = {
        f"{side}_axis_t{name}": wave.signal(f"{d}.{side}_axis_t{name}").at(edges)
        for side in ("s", "m")
        for name in ("valid", "ready", "data", "last")
    }
    table |= {name: wave.signal(f"{d}.{name}").at(edges) for name in extra}
    running = wave.signal(f"{d}_aresetn").at(edges) == 1
    moved = {
        side: np.flatnonzero(
            running & (table[f"{side}_axis_tvalid"] == 1) & (table[f"{side}_axis_tready"] == 1)
        )
        for side in ("s", "m")
    }
    if sample >= min(len(moved["s"]), len(moved["m"])):
        raise ToolError(f"waveform must hold sample {sample}, but it ends before")
    first, last = int(moved["s"][sample]), int(moved["m"][sample])
    shown = np.arange(max(first - margin, 0), min(last + margin + 1, len(edges)))
    life: dict[str, Any] = {name: values[shown] for name, values in table.items()}
    return life | {"clock": shown, "clock_in": first, "clock_out": last}
