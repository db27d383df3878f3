"""Put a synthesised core into its synthesised wrapper, without synthesising anything again.

The cells of the core stay exactly as they were when its netlist was simulated: what is placed is
what was verified.
"""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rchw.boards.check import Netlist
from rchw.errors import ToolError

__all__ = ["join", "write_netlist"]


def _highest(module: Netlist) -> int:
    connections = [
        bits for cell in module["cells"].values() for bits in cell["connections"].values()
    ]
    ports = [port["bits"] for port in module["ports"].values()]
    return max(
        (bit for bits in connections + ports for bit in bits if isinstance(bit, int)), default=1
    )


def join(wrapper: Netlist, core: Netlist, core_name: str) -> Netlist:
    """Replace the one cell of type `core_name` in `wrapper` by the cells of `core`.

    Parameters
    ----------
    wrapper, core : Netlist
        Mapped modules as written by Yosys.
    core_name : str
        The type of the cell, and the prefix of the names of what replaces it.

    Returns
    -------
    Netlist
        A new module; the arguments are left as they are.

    Raises
    ------
    ToolError
        If the wrapper does not hold the core exactly once with its ports.
    """
    places = [name for name, cell in wrapper["cells"].items() if cell["type"] == core_name]
    if len(places) != 1:
        raise ToolError(f"the wrapper must hold {core_name} once, not {len(places)} times")
    joined: Netlist = copy.deepcopy(wrapper)
    outside: Mapping[str, list[Any]] = joined["cells"].pop(places[0])["connections"]
    if {k: len(v) for k, v in outside.items()} != {
        k: len(p["bits"]) for k, p in core["ports"].items()
    }:
        raise ToolError(f"the wrapper must connect every port of {core_name}, and does not")

    # Inputs: a core bit takes the wrapper's bit. Outputs: likewise, and what is left (a constant or
    # an input passed straight through, or one bit on two outputs) renames the wrapper's bit.
    offset = _highest(joined)
    bits: dict[int, Any] = {}
    renamed: dict[int, Any] = {}

    def inside(bit: Any) -> Any:
        return bits.get(bit, bit + offset) if isinstance(bit, int) else bit

    for direction in ("input", "output"):
        for name, port in core["ports"].items():
            if port["direction"] != direction:
                continue
            for bit, at in zip(port["bits"], outside[name], strict=True):
                if isinstance(bit, int) and bit not in bits:
                    bits[bit] = at
                elif isinstance(at, int):
                    renamed[at] = inside(bit)
    for name, cell in core["cells"].items():
        moved = copy.deepcopy(cell)
        moved["connections"] = {
            pin: [inside(bit) for bit in ends] for pin, ends in cell["connections"].items()
        }
        joined["cells"][f"{core_name}.{name}"] = moved
    for cell in joined["cells"].values():
        for pin, ends in cell["connections"].items():
            cell["connections"][pin] = [
                renamed.get(bit, bit) if isinstance(bit, int) else bit for bit in ends
            ]
    for name, net in core.get("netnames", {}).items():
        joined["netnames"][f"{core_name}.{name}"] = {
            **net,
            "bits": [inside(bit) for bit in net["bits"]],
        }
    return joined


def write_netlist(path: Path, name: str, module: Netlist) -> None:
    """Write one module as a Yosys JSON netlist, as its top."""
    module = {**module, "attributes": {**module.get("attributes", {}), "top": f"{1:032b}"}}
    document = {"creator": "rchw", "modules": {name: module}}
    path.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
