"""The emitted Verilog as cells on words: what Yosys makes of it before any mapping to gates."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rchw import tools
from rchw.errors import ToolError

__all__ = ["Bit", "Cell", "Memory", "Words", "elaborate", "gathered", "words_of"]

Bit = int | str  # number of a wire of one bit; "0", "1", "x"

# Enables and resets of registers become choices in front of them, memories stay whole.
_SCRIPT = (
    "read_verilog {file}; hierarchy -top {top}; proc; flatten; opt_expr; opt_clean; "
    "memory_collect; dffunmap; opt_expr; opt_clean; write_json {out}"
)


@dataclass(frozen=True)
class Cell:
    """A cell: its kind without the dollar, its pins, and what of its parameters is a number."""

    name: str
    kind: str
    pins: Mapping[str, tuple[Bit, ...]]
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class Memory:
    """A memory whose reads follow their address at once.

    Attributes
    ----------
    rows : tuple of int or None
        Contents, for ever; None where the file gives none, and where they can be written: a reset
        may come at any time.
    reads : tuple of (address, data)
    writes : tuple of (enable per bit, address, data)
    """

    name: str
    width: int
    rows: tuple[int | None, ...]
    reads: tuple[tuple[tuple[Bit, ...], tuple[Bit, ...]], ...]
    writes: tuple[tuple[tuple[Bit, ...], tuple[Bit, ...], tuple[Bit, ...]], ...]


@dataclass(frozen=True)
class Words:
    """A flat module.

    Attributes
    ----------
    inputs, outputs : mapping of str to bits
    names : mapping of str to bits
        Every named signal, inside by its path.
    registers : tuple of (output bits, input bits)
        All of one clock, without enable or reset.
    memories : tuple of Memory
    logic : tuple of Cell or (Memory, int)
        Combinational cells and read ports, each after what it depends on.
    """

    inputs: Mapping[str, tuple[Bit, ...]]
    outputs: Mapping[str, tuple[Bit, ...]]
    names: Mapping[str, tuple[Bit, ...]]
    registers: tuple[tuple[tuple[Bit, ...], tuple[Bit, ...]], ...]
    memories: tuple[Memory, ...]
    logic: tuple[Cell | tuple[Memory, int], ...]


def elaborate(verilog: Path, top: str, folder: Path) -> Words:
    """Let Yosys elaborate a file of Verilog.

    Parameters
    ----------
    verilog : Path
    top : str
        Top module.
    folder : Path
        For what Yosys reads, writes and logs.

    Raises
    ------
    ToolError
        If Yosys is missing or fails, or the circuit holds what this reader does not know.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source, out = folder / f"{top}_words.v", folder / f"{top}_words.json"
    source.write_bytes(verilog.read_bytes())
    script = _SCRIPT.format(file=source.name, top=top, out=out.name)
    yosys = tools.find("yosys")
    tools.run(yosys, ["-q", "-p", script], cwd=folder, log=folder / f"{top}_words.log")
    try:
        module = json.loads(out.read_text(encoding="utf-8"))["modules"][top]
    except (OSError, ValueError, KeyError) as error:
        raise ToolError(f"yosys did not write the whole of {out.name}: {error}") from None
    return words_of(module)


def words_of(module: Mapping[str, Any]) -> Words:
    """Read a module of a JSON netlist of Yosys; see `elaborate`."""
    cells: list[Cell] = []
    registers, memories = [], []
    clocks: set[Bit] = set()
    for name, raw in module["cells"].items():
        cell = _cell(name, raw)
        if cell.kind == "dff":
            clocks.update(cell.pins["CLK"])
            if not cell.numbers["CLK_POLARITY"]:
                raise ToolError(f"registers must follow the rising edge, not {name}")
            registers.append((cell.pins["Q"], cell.pins["D"]))
        elif cell.kind == "mem_v2":
            memories.append(_memory(cell, raw["parameters"]["INIT"]))
            clocks.update(cell.pins["WR_CLK"] if memories[-1].writes else ())
        elif cell.kind != "scopeinfo":
            cells.append(cell)
    if len(clocks) > 1:
        raise ToolError(f"the circuit must have one clock, not {len(clocks)}")
    ports = {
        kind: {
            name: tuple(port["bits"])
            for name, port in module["ports"].items()
            if port["direction"] == kind
        }
        for kind in ("input", "output")
    }
    names = {name: tuple(net["bits"]) for name, net in module["netnames"].items()}
    logic = _ordered(cells, memories)
    return Words(ports["input"], ports["output"], names, tuple(registers), tuple(memories), logic)


def gathered(words: Words, names: Iterable[str]) -> Words:
    """Return the module with registers whole again that Yosys took apart.

    It does so where some bits of a register are reset or held by others than the rest. The prover
    looks for what a whole register holds.

    Parameters
    ----------
    words : Words
    names : iterable of str
        Of the registers as they were. One that is not there with all of its bits is left in parts.
    """
    sources = {q: d for output, data in words.registers for q, d in zip(output, data, strict=True)}
    whole = []
    for name in names:
        bits = words.names.get(name, ())
        if bits and len(set(bits)) == len(bits) and all(bit in sources for bit in bits):
            whole.append((bits, tuple(sources.pop(bit) for bit in bits)))
    for output, _ in words.registers:
        rest = tuple(bit for bit in output if bit in sources)
        if rest:
            whole.append((rest, tuple(sources[bit] for bit in rest)))
    return replace(words, registers=tuple(whole))


def _cell(name: str, raw: Mapping[str, Any]) -> Cell:
    numbers = {}
    for key, value in raw["parameters"].items():
        if isinstance(value, int):
            numbers[key] = value
        elif len(value) <= 32 and value.strip("01") == "":
            numbers[key] = int(value or "0", 2)
    pins = {pin: tuple(bits) for pin, bits in raw["connections"].items()}
    return Cell(name, raw["type"].removeprefix("$"), pins, numbers)


def _memory(cell: Cell, contents: str) -> Memory:
    numbers, pins = cell.numbers, cell.pins
    width, address = numbers["WIDTH"], numbers["ABITS"]
    if numbers["RD_CLK_ENABLE"] or numbers["OFFSET"]:
        raise ToolError(f"memory {cell.name} must be read without a clock, from address 0 on")

    def part(pin: str, port: int, size: int) -> tuple[Bit, ...]:
        return pins[pin][port * size : (port + 1) * size]

    rows: list[int | None] = []
    for row in range(numbers["SIZE"]):
        text = contents[::-1][row * width : (row + 1) * width][::-1]
        # What is written holds anything at a reset, whatever it held when power came.
        known = not numbers["WR_PORTS"] and len(text) == width and text.strip("01") == ""
        rows.append(int(text, 2) if known else None)
    reads = tuple(
        (part("RD_ADDR", port, address), part("RD_DATA", port, width))
        for port in range(numbers["RD_PORTS"])
    )
    writes = tuple(
        (part("WR_EN", port, width), part("WR_ADDR", port, address), part("WR_DATA", port, width))
        for port in range(numbers["WR_PORTS"])
    )
    return Memory(cell.name, width, tuple(rows), reads, writes)


def _ordered(cells: list[Cell], memories: list[Memory]) -> tuple[Cell | tuple[Memory, int], ...]:
    """Everything combinational, each after its sources."""
    nodes: list[tuple[Cell | tuple[Memory, int], tuple[Bit, ...], tuple[Bit, ...]]] = [
        (cell, tuple(b for pin in cell.pins if pin != "Y" for b in cell.pins[pin]), cell.pins["Y"])
        for cell in cells
    ]
    for memory in memories:
        nodes += [((memory, port), *read) for port, read in enumerate(memory.reads)]
    drivers = {bit: index for index, (_, _, driven) in enumerate(nodes) for bit in driven}
    ordered: list[Cell | tuple[Memory, int]] = []
    state: dict[int, int] = {}
    for root in range(len(nodes)):
        stack = [root]
        while stack:
            index = stack[-1]
            if state.get(index) == 2:
                stack.pop()
                continue
            if state.get(index) == 1:
                state[index] = 2
                ordered.append(nodes[index][0])
                stack.pop()
                continue
            state[index] = 1
            sources = {drivers[bit] for bit in nodes[index][1] if bit in drivers}
            if any(state.get(source) == 1 for source in sources):
                raise ToolError("the circuit must have no combinational loop, but has one")
            stack += [source for source in sources if state.get(source) != 2]
    return tuple(ordered)
