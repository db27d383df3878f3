"""One call from Verilog to a bitstream with a report; earlier results survive every failure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rchw import tools
from rchw.boards.check import CHECKS
from rchw.boards.place import Placement, median_clock, pack, place_seeds
from rchw.boards.synth import Synthesis, synthesize_core, synthesize_wrapper
from rchw.devices import Board
from rchw.devices import board as find_board
from rchw.errors import DesignError
from rchw.files import sha256_of, together, write_atomic
from rchw.process import check_timeout

__all__ = ["build"]

_REPORT_VERSION = 1
_SYNTHESIS = 900.0  # seconds that Yosys has at least


def _check_expected(expected: Mapping[str, int], board: Board) -> None:
    for kind in expected:
        if kind not in ("block_ram", "dsp"):
            raise DesignError(f"expected must name block_ram or dsp, not {kind!r}")
    capacity = board.device.capacity
    for kind, count in expected.items():
        if count > capacity[kind] and (kind != "dsp" or capacity[kind]):
            raise DesignError(
                f"the design needs {count} {kind.replace('_', ' ')}, but {board.name} "
                f"({board.device.name}) has {capacity[kind]}"
            )


def _report(
    board: Board, core: Synthesis, placements: Sequence[Placement], best: Placement, bitstream: Path
) -> dict[str, Any]:
    capacity = {**best.available, "lut": board.device.luts, "ff": board.device.flip_flops}
    used = {"lut": core.resources["lut"], "carry": core.resources["carry"]}
    used = {**used, "ff": core.resources["ff"], **best.used}
    return {
        "report_version": _REPORT_VERSION,
        "board": board.name,
        "device": board.device.name,
        "package": board.package,
        "core": core.resources,  # the design alone, before packing
        "used": best.used,  # with the wrapper, as placed
        "capacity": {key: capacity[key] for key in (*best.available, "lut", "ff")},
        "percent": {
            key: round(100 * used[key] / capacity[key], 2) for key in used if capacity.get(key)
        },
        "clock": {
            "board_mhz": board.clock / 1e6,
            "target_mhz": board.target / 1e6,
            "mhz_per_seed": {str(p.seed): round(p.clock / 1e6, 2) for p in placements},
            "median_mhz": round(median_clock(placements) / 1e6, 2),
            "meets_board_clock": best.clock >= board.clock,
            "bitstream_seed": best.seed,
            "given_up_seeds": [seed for p in placements for seed in p.given_up],
        },
        "critical_path": best.critical_path,
        "synthesis": {
            "command": core.command,
            "fallback": core.fallback,
            "absorbed_registers": core.absorbed,
            "checks": list(CHECKS),
        },
        "netlist": {"file": core.verilog.name, "sha256": sha256_of(core.verilog)},
        "bitstream": {"file": bitstream.name, "sha256": sha256_of(bitstream)},
        "tools": {
            "yosys": core.yosys,
            f"nextpnr-{board.device.family}": tools.find(f"nextpnr-{board.device.family}").version,
        },
    }


def build(
    verilog: Path,
    name: str,
    board: str,
    out: Path,
    *,
    digest: str,
    seeds: Sequence[int] = (1,),
    expected: Mapping[str, int] | None = None,
    clocks_per_sample: int = 1,
    wrapper: str | None = None,
    native: bool = False,
    timeout: float = 600.0,
    progress: tools.Progress | None = None,
) -> dict[str, Any]:
    """Synthesise, place, route and pack a design for a board, and write ``report.json``.

    Files are put in place together at the end, so an earlier result stays until there is a better
    one, and other files of the folder stay as they are. What a failed build leaves is kept in
    ``OUT.failed``.

    Parameters
    ----------
    verilog : Path
        The core, with the stream ports of the project.
    name : str
        Its module name.
    board : str
        A key of `rchw.devices.BOARDS`.
    out : Path
        Folder for the results.
    digest : str
        Of the design; copied into the report.
    seeds : sequence of int
        Of the placer; the bitstream is made from the fastest.
    expected : mapping, optional
        Least counts of ``block_ram`` and ``dsp`` that synthesis must infer.
    clocks_per_sample : int
        Of the design; the report turns clocks into samples per second with it.
    wrapper : str, optional
        Verilog to take in place of `rchw.boards.wrapper`, with the same ports.
    native : bool
        Use a `yosys` on ``PATH`` when it is new enough.
    timeout : float
        Seconds for one run of the placer; Yosys has as many, and 900 at least.
    progress : callable, optional
        Receives one line per step.

    Returns
    -------
    dict
        What ``report.json`` holds.

    Raises
    ------
    DesignError
        If the board is unknown, the design too large, or the Verilog cannot be read.
    ToolError
        If a tool is missing, fails, or gives a netlist that does not pass the checks.
    RchwError
        If the folder cannot be written.
    """
    target = find_board(board)
    _check_expected(expected or {}, target)
    if not seeds:
        raise DesignError("seeds must be at least one number, not none")
    check_timeout(timeout)
    try:
        source = verilog.read_bytes()
    except OSError as error:
        raise DesignError(f"{verilog} cannot be read: {error.strerror}") from None
    with together(out, keep_logs=True) as work:
        (work / f"{name}.v").write_bytes(source)
        core = synthesize_core(
            name, target.device, work, expected=expected, native=native,
            timeout=max(timeout, _SYNTHESIS), progress=progress,
        )  # fmt: skip
        synthesize_wrapper(core, target.device, work, wrapper=wrapper, native=native)
        placements = place_seeds(
            f"{name}_board",
            target,
            work,
            seeds,
            needs=core.resources,
            timeout=timeout,
            progress=progress,
        )
        best = max(placements, key=lambda placement: placement.clock)
        if best.clock < target.clock:
            raise DesignError(
                f"the design reaches {best.clock / 1e6:.1f} MHz, but {target.name} runs at "
                f"{target.clock / 1e6:g} MHz"
            )
        bitstream = pack(best, target, work, name)
        report = {
            "digest": digest,
            "verilog": {"file": f"{name}.v", "sha256": hashlib.sha256(source).hexdigest()},
            **_report(target, core, placements, best, bitstream),
            "clocks_per_sample": clocks_per_sample,
            "samples_per_second": {
                "at_median_clock": round(median_clock(placements) / clocks_per_sample),
                "at_board_clock": round(target.clock / clocks_per_sample),
            },
        }
        if wrapper is not None:
            text = hashlib.sha256(wrapper.encode()).hexdigest()
            report["wrapper"] = {"file": f"{name}_board.v", "sha256": text}
        write_atomic(work / "report.json", json.dumps(report, indent=2) + "\n")
    return report
