"""Hold what synthesis makes of a design against the reference, gate by gate.

The bench is that of `rchw.sim.verify`: the netlist has the stream ports of its source. What the
gates do is told by models of the cells, see `rchw.boards.netlist`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rchw import tools
from rchw.boards.check import cell_counts
from rchw.boards.modelled import check_modelled, modelled_cells
from rchw.boards.netlist import VERILATOR_WAIVERS, netlist_sources
from rchw.boards.of_design import circuit_needs
from rchw.boards.synth import Synthesis, synthesize_core
from rchw.design import Design
from rchw.devices import DEVICES, Device
from rchw.errors import DesignError
from rchw.files import sha256_of, together, write_atomic
from rchw.hdl.emit import write_verilog
from rchw.sim.record import heading, versions, write_record
from rchw.sim.verify import check_request, compare

__all__ = ["FAMILIES", "netlist_device", "verify_netlist"]

# The device that stands for its family: of iCE40 the one with multipliers.
FAMILIES = {"ice40": "iCE40UP5K", "ecp5": "LFE5U-25F", "gowin": "GW2A-18"}
_LARGE = 4000  # cells; above, compiling with -O1 takes longer than it saves in the simulation
_ALLOW = tuple(flag.removeprefix("-Wno-") for flag in VERILATOR_WAIVERS)


def netlist_device(target: str) -> Device:
    """Device of a family, or the one of that name.

    Raises
    ------
    DesignError
        If there is none.
    """
    name = FAMILIES.get(target, target)
    if name not in DEVICES:
        known = f"{', '.join(FAMILIES)} or a device ({', '.join(sorted(DEVICES))})"
        raise DesignError(f"netlist must be one of {known}, not {target!r}")
    return DEVICES[name]


def verify_netlist(
    design: Design,
    target: str,
    out: Path,
    *,
    samples: int = 2000,
    seed: int = 1,
    verilog: Path | None = None,
    native: bool = False,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Synthesise a design, simulate the netlist and compare every output code.

    Parameters
    ----------
    design : Design
        The reference that the netlist is held against.
    target : str
        A key of `FAMILIES` or of `rchw.devices.DEVICES`.
    out : Path
        Folder for ``NAME.v``, the record ``netlist-TARGET.json`` and, in ``netlist-TARGET``, the
        netlist, the logs and the simulation; what is there stays until all of it is complete.
    samples : int
        Of the longest phase.
    seed : int
    verilog : Path, optional
        A file to synthesise in place of what `rchw.hdl.emit.write_verilog` writes.
    native : bool
        Use a `yosys` on ``PATH`` when it is new enough.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        The record: all that the one of `rchw.sim.verify.verify` tells of a run, and ``target``,
        ``family``, ``device``, ``command`` of Yosys, ``fallback``, ``absorbed_registers``,
        ``cells`` by type, ``resources``, ``needs``, ``capacity`` of the device, ``netlist`` and its
        hash, and the hash of each file of ``models``.

    Raises
    ------
    DesignError
        If the target is unknown, or samples or seed cannot be.
    ToolError
        If a tool is missing or fails, or the netlist does not pass the checks or has a cell that no
        model covers.
    """
    start = time.monotonic()
    device = netlist_device(target)
    check_request(samples, seed)
    for tool in ("yosys", "verilator", "c++", "make"):  # before the work, not in the middle of it
        tools.find(tool, native=native)
    kind = f"netlist-{target}"
    with together(out, start_from=[f"{kind}/simulation"], keep_logs=True) as work:
        folder = work / kind
        folder.mkdir(parents=True, exist_ok=True)
        source = verilog or write_verilog(design, work)
        text = source.read_text(encoding="utf-8")
        write_atomic(folder / f"{design.name}.v", text)
        needs = circuit_needs(text, device)
        core = synthesize_core(
            design.name, device, folder, expected=needs, native=native, progress=progress
        )
        made = netlist_sources(core.verilog, core.name, device.family, folder)
        models = "".join(path.read_text(encoding="utf-8") for path in made.sources[1:])
        check_modelled(core.module, core.name, modelled_cells(models))
        found = compare(
            design, made.sources, folder / "simulation", samples=samples, seed=seed, allow=_ALLOW,
            states=False, optimize="-O0" if len(core.module["cells"]) > _LARGE else "-O1",
            progress=progress,
        )  # fmt: skip
        used = versions(["cocotb"], ["verilator", "c++"]) | {"yosys": core.yosys}
        record = {
            **heading("netlist", design, source, used, seed),
            "target": target,
            "family": device.family,
            "device": device.name,
            **_of_synthesis(core, needs),
            "capacity": device.capacity,
            "models": {path.name: sha256_of(path) for path in made.sources[1:]},
            **found,
            "seconds": round(time.monotonic() - start, 2),
        }
        return write_record(record, work / f"{kind}.json", out)


def _of_synthesis(core: Synthesis, needs: dict[str, int]) -> dict[str, Any]:
    """What a record says of the netlist."""
    return {
        "command": core.command,
        "fallback": core.fallback,
        "absorbed_registers": core.absorbed,
        "needs": needs,
        "resources": core.resources,
        "cells": dict(sorted(cell_counts(core.module).items())),
        "netlist": core.verilog.name,
        "netlist_sha256": sha256_of(core.verilog),
    }
