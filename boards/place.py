"""Place-and-route with nextpnr and packing into a bitstream.

nextpnr can run very long on some seeds, so each run is bounded in time and a seed that did not end
is replaced by another; the record says which seeds were used.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rchw import tools
from rchw.devices import Board, check_fits
from rchw.errors import DesignError, ToolError

__all__ = ["Placement", "constraints", "median_clock", "pack", "place", "place_seeds"]

_DEVICE = {
    "iCE40UP5K": "--up5k",
    "iCE40HX8K": "--hx8k",
    "LFE5U-25F": "--25k",
    "LFE5U-85F": "--85k",
}
_NAMES = {  # nextpnr's names of what build reports call cells, ff, block_ram, dsp
    "ice40": {"cells": "ICESTORM_LC", "block_ram": "ICESTORM_RAM", "dsp": "ICESTORM_DSP"},
    "ecp5": {
        "cells": "TRELLIS_COMB",
        "ff": "TRELLIS_FF",
        "block_ram": "DP16KD",
        "dsp": "MULT18X18D",
    },
}
_OVER = re.compile(r"(\w+):\s+(\d+)\s*/\s*(\d+)\s+\d+%")
_RETRY = 1000  # added to a seed that did not end


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One placed and routed design."""

    seed: int
    clock: float  # highest clock, Hz
    used: dict[str, int]
    available: dict[str, int]
    critical_path: dict[str, Any]
    seconds: float
    routed: Path  # .asc or .config
    given_up: tuple[int, ...]  # seeds that did not end in time


def constraints(board: Board) -> str:
    """Return the pin constraints of the wrapper's ports, PCF or LPF."""
    lines = []
    for port, pin in board.pins.items():
        pulled = port in board.pulls_up
        if board.device.family == "ice40":
            lines.append(f"set_io {'-pullup yes ' if pulled else ''}{port} {pin}")
        else:
            pull = " PULLMODE=UP" if pulled else ""
            lines.append(f'LOCATE COMP "{port}" SITE "{pin}";')
            lines.append(f'IOBUF PORT "{port}" IO_TYPE=LVCMOS33{pull};')
    return "\n".join(lines) + "\n"


def _arguments(board: Board, top: str, seed: int, stem: str) -> list[str]:
    arguments = [
        _DEVICE[board.device.name],
        *("--package", board.package),
        *("--json", f"{top}.json", "--report", f"{stem}_nextpnr.json"),
        *("--seed", str(seed), "--freq", f"{board.target / 1e6:g}", "--timing-allow-fail"),
    ]
    if board.device.family == "ice40":
        return [*arguments, "--pcf", f"{top}.pcf", "--asc", f"{stem}.asc"]
    return [
        *arguments,
        "--speed",
        board.speed,
        "--lpf",
        f"{top}.lpf",
        "--textcfg",
        f"{stem}.config",
    ]


def _critical(report: dict[str, Any]) -> dict[str, Any]:
    """Summarise the slowest path from a clock edge to a clock edge."""

    def total(path: dict[str, Any]) -> float:
        return sum(float(segment["delay"]) for segment in path["path"])

    inner = [p for p in report.get("critical_paths", []) if p["from"] == p["to"] and p["path"]]
    if not inner:
        return {}
    path = max(inner, key=total)["path"]
    return {
        "from": path[0]["from"]["cell"],
        "to": path[-1]["to"]["cell"],
        "delay_ns": round(sum(float(s["delay"]) for s in path), 2),
        "logic_ns": round(sum(float(s["delay"]) for s in path if s["type"] != "routing"), 2),
        "routing_ns": round(sum(float(s["delay"]) for s in path if s["type"] == "routing"), 2),
        "stages": sum(s["type"] == "logic" for s in path),
    }


def _too_large(log: Path, board: Board) -> None:
    """Raise the sentence on the exceeded resource if the log shows one."""
    if not log.exists():
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    over = [(int(n) / max(1, int(c)), name, n, c) for name, n, c in _OVER.findall(text)]
    worst = max(over, default=(0.0, "", "", ""))
    if worst[0] > 1:
        words = {v: k.replace("_", " ") for k, v in _NAMES[board.device.family].items()}
        words[_NAMES[board.device.family]["cells"]] = "logic cells"
        raise DesignError(
            f"the design needs {worst[2]} {words.get(worst[1], worst[1])}, but {board.name} "
            f"({board.device.name}) has {worst[3]}"
        ) from None


def place(
    top: str,
    board: Board,
    folder: Path,
    seed: int = 1,
    *,
    timeout: float = 600.0,
    retries: int = 2,
    progress: tools.Progress | None = None,
) -> Placement:
    """Place and route ``TOP.json`` in `folder`.

    Parameters
    ----------
    top : str
        The wrapper's module name.
    board : Board
        Device, package, pins, and the clock aimed at.
    folder : Path
        Receives ``TOP_sSEED.asc`` or ``.config``, the report of nextpnr and its log.
    seed : int
        Of the placer.
    timeout : float
        Seconds for one run.
    retries : int
        How many other seeds are tried when the time is over.
    progress : callable, optional
        Receives one line per run.

    Raises
    ------
    DesignError
        If the device is too small.
    ToolError
        If nextpnr fails, or no seed ends in time.
    """
    family = board.device.family
    nextpnr = tools.find(f"nextpnr-{family}")
    suffix = "pcf" if family == "ice40" else "lpf"
    (folder / f"{top}.{suffix}").write_text(constraints(board), encoding="utf-8")
    given_up: list[int] = []
    while True:
        stem = f"{top}_s{seed}"
        log = folder / f"{stem}_nextpnr.log"
        if progress:
            progress(f"{top}: nextpnr-{family}, seed {seed}")
        try:
            done = tools.run(
                nextpnr,
                _arguments(board, top, seed, stem),
                cwd=folder,
                log=log,
                timeout=timeout,
            )
            break
        except ToolError as error:
            _too_large(log, board)
            given_up.append(seed)
            if "did not finish" not in str(error) or len(given_up) > retries:
                raise
            seed += _RETRY
    try:
        report = json.loads((folder / f"{stem}_nextpnr.json").read_text(encoding="utf-8"))
        clock = min(float(entry["achieved"]) for entry in report["fmax"].values()) * 1e6
        table = report["utilization"]
        names = _NAMES[family]
        used = {key: int(table[name]["used"]) for key, name in names.items() if name in table}
        capacity = {key: int(table[n]["available"]) for key, n in names.items() if n in table}
        critical = _critical(report)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolError(f"nextpnr-{family} wrote no usable report: {error!r}") from None
    return Placement(
        seed=seed,
        clock=clock,
        used=used,
        available=capacity,
        critical_path=critical,
        seconds=done.seconds,
        routed=folder / f"{stem}.{'asc' if family == 'ice40' else 'config'}",
        given_up=tuple(given_up),
    )


def place_seeds(
    top: str,
    board: Board,
    folder: Path,
    seeds: Sequence[int] = (1,),
    *,
    needs: dict[str, int] | None = None,
    timeout: float = 600.0,
    progress: tools.Progress | None = None,
) -> list[Placement]:
    """Place with several seeds, after refusing what cannot fit; see `place`."""
    if not seeds:
        raise DesignError("seeds must be at least one number, not none")
    check_fits(needs or {}, board)
    return [place(top, board, folder, seed, timeout=timeout, progress=progress) for seed in seeds]


def median_clock(placements: Sequence[Placement]) -> float:
    """Return the median over seeds of the highest clock, Hz."""
    return float(median(placement.clock for placement in placements))


def pack(placement: Placement, board: Board, folder: Path, name: str) -> Path:
    """Write the bitstream of a placement and return its path, ``NAME.bin`` or ``NAME.bit``."""
    ice40 = board.device.family == "ice40"
    packer = tools.find("icepack" if ice40 else "ecppack")
    bitstream = folder / f"{name}.{'bin' if ice40 else 'bit'}"
    bitstream.unlink(missing_ok=True)
    flags = [] if ice40 else ["--compress"]
    arguments = [*flags, placement.routed.name, bitstream.name]
    tools.run(packer, arguments, cwd=folder, log=folder / f"{name}_pack.log", timeout=120)
    if not bitstream.exists() or bitstream.stat().st_size < 1000:
        raise ToolError(f"{packer.tool.name} wrote no complete bitstream {bitstream.name}")
    return bitstream
