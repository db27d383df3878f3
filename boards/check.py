"""Checks on what Yosys wrote, because its exit code alone proves nothing.

Miscompiled netlists have been seen with exit code 0: bits driven by two flip-flops, a datapath that
vanished, files cut short. Each check raises a sentence of its own.
"""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rchw.errors import ToolError

__all__ = [
    "CHECKS",
    "Netlist",
    "cell_counts",
    "cell_kind",
    "check_drivers",
    "check_expected",
    "check_log",
    "load_netlist",
    "module_ports",
    "resources",
]

Netlist = dict[str, Any]

CHECKS = (
    "exit code 0 and the whole script ran",
    "no driver conflict in the log",
    "netlist complete, ports as in the source",
    "every used bit has exactly one driver",
    "expected block RAM and DSP inferred",
)

_HINT = " (on UP5K a product followed by two registers needs (* keep *) on the first)"

_CLASSES: dict[str, dict[str, tuple[str, ...]]] = {
    "ice40": {
        "lut": ("SB_LUT4",),
        "carry": ("SB_CARRY",),
        "ff": ("SB_DFF",),
        "block_ram": ("SB_RAM40_4K",),
        "dsp": ("SB_MAC16",),
    },
    "ecp5": {
        "lut": ("LUT4",),
        "carry": ("CCU2C",),
        "ff": ("TRELLIS_FF",),
        "block_ram": ("DP16KD", "PDPW16KD"),
        "dsp": ("MULT18X18D",),
    },
    "gowin": {
        "lut": ("LUT",),
        "carry": ("ALU",),
        "ff": ("DFF",),
        "block_ram": ("SP", "SDPB", "SDPX9B", "DPB", "DPX9B"),
        "dsp": ("MULT",),
    },
}


def load_netlist(path: Path, top: str) -> Netlist:
    """Read a Yosys JSON netlist and return its module `top`.

    Raises
    ------
    ToolError
        If the file is missing, cut short, or has no such module or no cells in it.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ToolError(f"yosys wrote no netlist {path.name}") from None
    except ValueError as error:
        raise ToolError(f"the netlist {path.name} of yosys is incomplete: {error}") from None
    modules = document.get("modules") if isinstance(document, dict) else None
    module = modules.get(top) if isinstance(modules, dict) else None
    if not isinstance(module, dict) or not module.get("cells") or not module.get("ports"):
        raise ToolError(f"the netlist {path.name} of yosys has no cells in module {top}")
    return module


def module_ports(module: Netlist) -> dict[str, tuple[str, int]]:
    """Direction and width of every port."""
    return {
        name: (str(port["direction"]), len(port["bits"])) for name, port in module["ports"].items()
    }


def cell_counts(module: Netlist) -> Counter[str]:
    """Count cells by type."""
    return Counter(str(cell["type"]) for cell in module["cells"].values())


def cell_kind(cell: str, family: str) -> str | None:
    """Kind of a cell, by the names of `resources`; None of what is no logic, as pads."""
    for kind, names in _CLASSES[family].items():
        if cell.startswith(names):
            return kind
    return None


def resources(module: Netlist, family: str) -> dict[str, int]:
    """Count LUTs, carries, flip-flops, block RAMs and DSPs in a mapped netlist.

    A carry of ECP5 (CCU2C) is two LUTs with their carries, one of Gowin (ALU) is one; they are not
    in ``lut``.
    """
    counts = cell_counts(module)
    return {
        kind: sum(n for cell, n in counts.items() if cell.startswith(names))
        for kind, names in _CLASSES[family].items()
    }


def check_drivers(module: Netlist, name: str) -> None:
    """Refuse a netlist in which a used bit has no driver, or a bit has two.

    Raises
    ------
    ToolError
        Naming one of the bits and what drives it.
    """
    drivers: dict[int, list[str]] = {}
    used: dict[int, str] = {}
    ends = [
        (f"port {port}", content["direction"] == "input", bit)
        for port, content in module["ports"].items()
        for bit in content["bits"]
    ]
    for cell, content in module["cells"].items():
        directions = content["port_directions"]
        ends += [
            (f"{cell}.{port}", directions[port] == "output", bit)
            for port, bits in content["connections"].items()
            for bit in bits
        ]
    for end, drives, bit in ends:
        if drives and bit in ("0", "1"):
            raise ToolError(f"the netlist of {name} is wrong: {end} drives the constant {bit}")
        if isinstance(bit, int) and drives:
            drivers.setdefault(bit, []).append(end)
        elif isinstance(bit, int):
            used[bit] = end
    for bit, by in drivers.items():
        if len(by) > 1:
            raise ToolError(
                f"the netlist of {name} is wrong: bit {bit} is driven by {by[0]} and {by[1]}"
            )
    for bit, end in used.items():
        if bit not in drivers:
            raise ToolError(f"the netlist of {name} is wrong: bit {bit} at {end} has no driver")


def check_expected(found: Mapping[str, int], expected: Mapping[str, int], name: str) -> None:
    """Refuse a netlist with fewer block RAMs or DSPs than the design must have.

    Raises
    ------
    ToolError
        Naming the resource and both counts.
    """
    for kind, least in expected.items():
        if found.get(kind, 0) < least:
            raise ToolError(
                f"the netlist of {name} is wrong: {kind} must be at least {least}, "
                f"not {found.get(kind, 0)}"
            )


def check_log(text: str, name: str) -> None:
    """Refuse a synthesis whose log tells of a driver conflict or does not reach its end.

    Raises
    ------
    ToolError
        Quoting the line.
    """
    for line in text.splitlines():
        if "river-driver conflict" in line or "multiple conflicting drivers" in line:
            raise ToolError(f"yosys miscompiled {name}: {line.strip()[:200]}{_HINT}")
    if "End of script." not in text:
        raise ToolError(f"yosys stopped in the middle of {name} without a message")
