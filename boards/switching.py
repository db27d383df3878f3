"""Count what switches in a design's netlist: how often its nets change on inputs of its task.

The netlist is the one that is placed. Every net gets a name of its own for the count, so that it
counts once, whatever names it has in the circuit, and is told by the kind of cell that drives it.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import tools
from rchw.boards.activity import KINDS, Activity
from rchw.boards.check import Netlist, cell_kind, load_netlist, resources
from rchw.boards.join import write_netlist
from rchw.boards.modelled import check_modelled, modelled_cells
from rchw.boards.netlist import VERILATOR_WAIVERS, netlist_sources
from rchw.boards.of_design import circuit_needs
from rchw.boards.synth import synthesize_core
from rchw.design import Design
from rchw.devices import Device
from rchw.document import digest
from rchw.errors import DesignError, ToolError
from rchw.hdl.emit import write_verilog
from rchw.process import Progress
from rchw.sim.lanes import pack
from rchw.sim.toggles.count import Toggles, count_toggles

__all__ = ["activity_of", "check_counted", "count_netlist", "measure_activity", "numbered"]

_ALLOW = tuple(flag.removeprefix("-Wno-") for flag in VERILATOR_WAIVERS)
# Pins that tell whether a block RAM is at work in a clock: ports by the pins that must all be high.
_ACCESS: dict[str, tuple[tuple[str, ...], ...]] = {
    "SB_RAM40_4K": (("RE", "RCLKE"), ("WE", "WCLKE")),
    "DP16KD": (("CEA",), ("CEB",)),
    "PDPW16KD": (("CER",), ("CEW",)),
}


def numbered(module: Netlist) -> Netlist:
    """The same netlist, whose nets are called n2, n3 and so on, by their numbers in it."""
    driven = {
        bit
        for cell in module["cells"].values()
        for port, bits in cell["connections"].items()
        if cell["port_directions"][port] == "output"
        for bit in bits
        if isinstance(bit, int)
    }
    driven |= {
        bit
        for port in module["ports"].values()
        if port["direction"] == "input"
        for bit in port["bits"]
    }
    names = {f"n{bit}": {"hide_name": 0, "bits": [bit], "attributes": {}} for bit in sorted(driven)}
    cells = {f"c{k}": {**cell, "hide_name": 0} for k, cell in enumerate(module["cells"].values())}
    return {**module, "netnames": names, "cells": cells}


def count_netlist(
    module: Netlist,
    name: str,
    device: Device,
    words: Sequence[int],
    last: NDArray[np.bool_],
    folder: Path,
    *,
    skip: int,
    native: bool = False,
    progress: Progress | None = None,
) -> Toggles:
    """Simulate a netlist and count how often every net changes; nets are called by `numbered`.

    Parameters
    ----------
    module : Netlist
        With the ports of `rchw.hdl.top.AxiTop`.
    name : str
        Of the module.
    device : Device
        Whose family has the cell models.
    words, last, folder, skip
        As for `rchw.sim.toggles.count.count_toggles`.
    native : bool
        Use a `yosys` on ``PATH`` when it is new enough.

    Raises
    ------
    ToolError
        If a tool is missing or fails, no model covers a cell, or a net was not counted.
    """
    source, verilog = folder / f"{name}_numbered.json", folder / f"{name}_numbered.v"
    given = numbered(module)
    write_netlist(source, name, given)
    script = folder / f"{name}_numbered.ys"
    script.write_text(f"read_json {source.name}\nwrite_verilog -noattr {verilog.name}\n")
    yosys = tools.find("yosys", native=native)
    tools.run(
        yosys, ["-q", "-s", script.name], cwd=folder, log=folder / f"{name}_numbered.log",
        timeout=600.0,
    )  # fmt: skip
    made = netlist_sources(verilog, name, device.family, folder)
    models = "".join(path.read_text(encoding="utf-8") for path in made.sources[1:])
    check_modelled(module, name, modelled_cells(models))
    toggles = count_toggles(
        made.sources, name, words, last, folder / "toggles", skip=skip, allow=_ALLOW,
        progress=progress,
    )  # fmt: skip
    check_counted(given, toggles)
    return toggles


def check_counted(module: Netlist, toggles: Toggles) -> None:
    """Check that every net of a numbered netlist was counted; else it would count as still.

    Raises
    ------
    ToolError
        If one was not.
    """
    missing = [net for net in module["netnames"] if net not in toggles.changes]
    if missing:
        raise ToolError(
            f"the simulator must count all {len(module['netnames'])} nets of the netlist, but "
            f"left out {len(missing)}, such as {missing[0]}"
        )


def activity_of(
    module: Netlist, device: Device, toggles: Toggles, digest: str, source: str
) -> Activity:
    """Sum the counts of nets by the kind of cell that drives them."""
    changes: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    nets: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    ports = [
        bit
        for port, content in module["ports"].items()
        if content["direction"] == "input" and port != "aclk"
        for bit in content["bits"]
    ]
    _add(ports, "input", toggles, changes, nets)
    operands = accesses = 0.0
    for cell in module["cells"].values():
        kind = cell_kind(cell["type"], device.family)
        if kind is None:
            continue
        pins, directions = cell["connections"], cell["port_directions"]
        for pin, bits in pins.items():
            if directions[pin] == "output":
                _add(bits, kind, toggles, changes, nets)
            elif kind == "dsp" and pin.rstrip("0123456789") in ("A", "B"):
                operands += sum(toggles.changes.get(f"n{bit}", 0) for bit in bits)
        if kind == "block_ram":
            accesses += _accesses(cell, toggles)
    outputs = [
        bit
        for content in module["ports"].values()
        if content["direction"] == "output"
        for bit in content["bits"]
    ]
    pins_changed = changes["input"] + sum(toggles.changes.get(f"n{bit}", 0) for bit in outputs)
    return Activity(
        digest=digest,
        device=device.name,
        samples=toggles.samples,
        clocks=toggles.clocks,
        changes={kind: changes[kind] / toggles.clocks for kind in KINDS},
        nets={kind: nets[kind] for kind in KINDS},
        resources=resources(module, device.family),
        dsp_operand_changes=operands / toggles.clocks,
        block_ram_accesses=accesses / toggles.clocks,
        pin_changes=pins_changed / toggles.clocks,
        source=source,
    )


def _add(
    bits: Sequence[Any], kind: str, toggles: Toggles, changes: Counter[str], nets: Counter[str]
) -> None:
    for bit in bits:
        name = f"n{bit}"
        if name in toggles.changes:
            nets[kind] += 1
            changes[kind] += toggles.changes[name]


def _accesses(cell: dict[str, Any], toggles: Toggles) -> float:
    """Clocks in which the ports of a block RAM were enabled; of two enables the rarer counts."""
    found = 0.0
    for pins in _ACCESS.get(cell["type"], ()):
        high = []
        for pin in pins:
            bit = cell["connections"].get(pin, ["1"])[0]
            always = toggles.clocks if bit in ("1", "x") else 0
            high.append(toggles.high.get(f"n{bit}", always))
        found += min(high)
    return found


def measure_activity(
    design: Design,
    codes: NDArray[np.int64],
    device: Device,
    folder: Path,
    *,
    last: NDArray[np.bool_] | None = None,
    skip: int | None = None,
    source: str = "input codes",
    native: bool = False,
    progress: Progress | None = None,
) -> Activity:
    """Synthesise a design, run its netlist on inputs, and count what switches.

    Parameters
    ----------
    design : Design
    codes : int64 array (T, K)
        Input codes of the task; not those of its test, as a search may read the result.
    device : Device
    folder : Path
        For the netlist and the simulation.
    last : bool array (T,), optional
        Samples that end a sequence; none.
    skip : int, optional
        First samples that do not count; a fifth of them.
    source : str
        What the codes are, for the record.

    Raises
    ------
    DesignError
        If the codes cannot be those of the design.
    ToolError
        If a tool is missing or fails.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.shape[1] != design.n_lanes or codes.dtype.kind not in "iu":
        raise DesignError(
            f"input codes must be integers of shape (T, {design.n_lanes}), not {codes.dtype} of "
            f"shape {codes.shape}"
        )
    flags = np.zeros(len(codes), dtype=bool) if last is None else np.asarray(last, dtype=bool)
    formats = [channel.format for channel in design.beat]
    verilog = write_verilog(design, folder)
    needs = circuit_needs(verilog.read_text(encoding="utf-8"), device)
    core = synthesize_core(
        design.name, device, folder, expected=needs, native=native, progress=progress
    )
    module = load_netlist(core.netlist, core.name)
    toggles = count_netlist(
        module, core.name, device, pack(codes, formats), flags, folder,
        skip=len(codes) // 5 if skip is None else skip, native=native, progress=progress,
    )  # fmt: skip
    return activity_of(module, device, toggles, digest(design), source)
