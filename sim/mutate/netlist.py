"""The emitted Verilog as a netlist that faults can be planted in, one at a time or all at once.

The faults are edits of Yosys' JSON. Every edit is behind a bit of its own: in the simulator that is
``mutant == number``, so that one program holds all faults; for the prover it is the constant 1.
"""

import json
from collections.abc import Iterable, Mapping
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

from rchw import tools
from rchw.errors import ToolError
from rchw.sim.prove.words import Bit, Words, gathered, words_of

__all__ = ["Netlist", "read_netlist", "select_of", "to_verilog", "to_words"]

# Enables and resets stay at their registers and memories stay whole: faults are planted there.
_READ = (
    "read_verilog {name}.v; hierarchy -top {name}; proc; flatten; opt_expr; opt_clean; "
    "memory_collect; write_json {name}_plain.json; "
    "opt_dff -simple-dffe; opt_expr; opt_clean; write_json {name}_netlist.json"
)
_WORDS = (
    "read_json mutant.json; opt_expr; opt_clean; {narrow}dffunmap; opt_expr; opt_clean; "
    "write_json words.json"
)
# A fault in a bit that nothing reads is found to be none by taking such bits away.
_NARROW = "wreduce; opt_expr; opt_clean; wreduce; opt_clean; "
_VERILOG = "read_json mutants.json; write_verilog -noattr mutants.v"


class Netlist:
    """A flat module of Yosys' JSON that can be edited.

    Parameters
    ----------
    module : mapping
        Of the file; it is copied.
    registers : iterable of str
        Names of what is one register in the Verilog.
    """

    def __init__(self, module: Mapping[str, Any], registers: Iterable[str] = ()) -> None:
        self.module: dict[str, Any] = deepcopy(dict(module))
        self.registers = tuple(registers)
        self.cells: dict[str, Any] = self.module["cells"]
        wires = [bit for net in self.module["netnames"].values() for bit in net["bits"]]
        wires += [
            b for c in self.cells.values() for bits in c["connections"].values() for b in bits
        ]
        self._next = max((bit for bit in wires if isinstance(bit, int)), default=1) + 1
        self._count = 0

    def copy(self) -> "Netlist":
        """Return another that can be edited alone."""
        return Netlist(self.module, self.registers)

    def wire(self) -> int:
        """Return a new wire of one bit."""
        self._next += 1
        return self._next - 1

    def add(self, kind: str, width: int, **inputs: list[Bit]) -> list[Bit]:
        """Add a cell on unsigned words and return the `width` bits of its output ``Y``."""
        output: list[Bit] = [self.wire() for _ in range(width)]
        numbers: dict[str, int] = {}
        if kind == "$mux":
            numbers["WIDTH"] = width
        else:
            for pin, bits in inputs.items():
                numbers |= {f"{pin}_WIDTH": len(bits), f"{pin}_SIGNED": 0}
            numbers["Y_WIDTH"] = width
        pins = {**inputs, "Y": output}
        self.cells[f"$planted${self._count}"] = {
            "hide_name": 1,
            "type": kind,
            "parameters": {key: f"{value:032b}" for key, value in numbers.items()},
            "attributes": {},
            "port_directions": {pin: "output" if pin == "Y" else "input" for pin in pins},
            "connections": pins,
        }
        self._count += 1
        return output

    def choose(self, hit: Bit, wrong: list[Bit], right: list[Bit]) -> list[Bit]:
        """Return the wrong bits if `hit`, else the right ones."""
        return self.add("$mux", len(right), A=right, B=wrong, S=[hit])

    @cached_property
    def names(self) -> dict[Bit, str]:
        """Name of every wire that has one, with its bit; the shortest path where there are more."""
        found: dict[Bit, str] = {}
        nets = self.module["netnames"].items()
        for name, net in sorted(nets, key=lambda item: (item[1]["hide_name"], len(item[0]))):
            for place, bit in enumerate(net["bits"]):
                found.setdefault(bit, f"{name}[{place}]" if len(net["bits"]) > 1 else name)
        return found


def read_netlist(verilog: Path, top: str, folder: Path) -> Netlist:
    """Let Yosys read a file of Verilog.

    Raises
    ------
    ToolError
        If Yosys is missing or fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{top}.v").write_bytes(verilog.read_bytes())
    module = _run(_READ.format(name=top), folder, f"{top}_netlist.json", top)
    plain = _module(folder / f"{top}_plain.json", top)
    names = {tuple(net["bits"]): name for name, net in plain["netnames"].items()}
    cells = plain["cells"].values()
    outputs = [tuple(cell["connections"]["Q"]) for cell in cells if cell["type"] == "$dff"]
    return Netlist(module, (names[output] for output in outputs if output in names))


def _run(script: str, folder: Path, out: str, top: str) -> dict[str, Any]:
    log = folder / f"{Path(out).stem}.log"
    tools.run(tools.find("yosys"), ["-q", "-p", script], cwd=folder, log=log)
    return _module(folder / out, top)


def _module(file: Path, top: str) -> dict[str, Any]:
    try:
        module: dict[str, Any] = json.loads(file.read_text())["modules"][top]
    except (OSError, ValueError, KeyError) as error:
        raise ToolError(f"yosys did not write the whole of {file.name}: {error}") from None
    return module


def _save(netlist: Netlist, top: str, file: Path) -> None:
    whole = {"creator": "rchw", "modules": {top: netlist.module}}
    file.write_text(json.dumps(whole))


def select_of(netlist: Netlist, width: int) -> list[Bit]:
    """Give the module an input ``mutant`` of some bits."""
    bits: list[Bit] = [netlist.wire() for _ in range(width)]
    netlist.module["ports"]["mutant"] = {"direction": "input", "bits": bits}
    net = {"hide_name": 0, "bits": bits, "attributes": {}}
    netlist.module["netnames"]["mutant"] = net
    return bits


def to_verilog(netlist: Netlist, top: str, folder: Path) -> Path:
    """Write the netlist as Verilog of module `top`."""
    _save(netlist, top, folder / "mutants.json")
    log = folder / "mutants.log"
    tools.run(tools.find("yosys"), ["-q", "-p", _VERILOG], cwd=folder, log=log)
    if not (folder / "mutants.v").is_file():
        raise ToolError("yosys did not write mutants.v")
    return folder / "mutants.v"


def to_words(netlist: Netlist, top: str, folder: Path, narrow: bool = False) -> Words:
    """Elaborate the netlist for the prover; see `rchw.sim.prove.words`.

    Parameters
    ----------
    netlist : Netlist
    top : str
    folder : Path
        For what Yosys reads and writes.
    narrow : bool
        Whether bits that nothing reads are taken away.
    """
    _save(netlist, top, folder / "mutant.json")
    script = _WORDS.format(narrow=_NARROW if narrow else "")
    return gathered(words_of(_run(script, folder, "words.json", top)), netlist.registers)
