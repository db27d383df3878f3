"""A circuit on numbers, clock by clock: its cells as Python's own arithmetic, compiled once.

What nothing has set yet is a number too, drawn at the start: so a register that a reset forgets
shows. It shares no code with `rchw.sim.prove.circuit`, which reads the same cells for the proof.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rchw.errors import ToolError
from rchw.sim.prove.words import Bit, Cell, Memory, Words

__all__ = ["Numbers"]

_WORDS = {"add": "+", "sub": "-", "mul": "*", "and": "&", "or": "|", "xor": "^"}
_COMPARISONS = {"eq": "==", "ne": "!=", "ge": ">=", "lt": "<", "le": "<=", "gt": ">"}


class Numbers:
    """A circuit whose signals are integers without sign.

    Parameters
    ----------
    words : Words
    start : int
        Seed of what registers and memories without given contents hold, and of ``x``.

    Raises
    ------
    ToolError
        If a cell is of a kind that the prover does not know.
    """

    def __init__(self, words: Words, start: int = 0) -> None:
        self._words = words
        self._rng = np.random.default_rng(start)
        self._rows = [
            [self._drawn(memory.width) if row is None else row for row in memory.rows]
            for memory in words.memories
        ]
        self._places: dict[Bit, tuple[int, int]] = {}  # of a bit: its driver, and where in it
        drivers = [outputs for outputs, _ in words.registers]
        drivers += list(words.inputs.values())
        drivers += [self._driven(node) for node in words.logic]
        for driver, bits in enumerate(drivers):
            self._places.update((bit, (driver, place)) for place, bit in enumerate(bits))
        self._x = self._drawn(1)
        self._values = [self._drawn(len(bits)) for bits in drivers]
        first = len(words.registers)
        self._inputs = {name: first + k for k, name in enumerate(words.inputs)}
        self._logic = self._compiled(first + len(words.inputs))
        self._next = self._read([held for _, held in words.registers])
        ports = [port for memory in words.memories for write in memory.writes for port in write]
        self._written = self._read(ports)
        self._named: dict[tuple[Bit, ...], Callable[[list[int]], tuple[int, ...]]] = {}

    def settle(self, inputs: Mapping[str, int]) -> None:
        """Set inputs, and work out every signal; an input that is not named becomes 0."""
        for name, place in self._inputs.items():
            self._values[place] = inputs.get(name, 0)
        self._logic(self._values, self._rows, self._drawn)

    def clock(self) -> None:
        """Let the edge pass; signals other than registers are those of before until `settle`."""
        after, ports = self._next(self._values), iter(self._written(self._values))
        for memory, rows in zip(self._words.memories, self._rows, strict=True):
            for _ in memory.writes:
                enable, address, data = next(ports), next(ports), next(ports)
                if address < len(rows):
                    rows[address] = rows[address] & ~enable | data & enable
        self._values[: len(after)] = after

    def number(self, name: str) -> int:
        """Value of a named signal."""
        return self.at(self._words.names[name])

    def at(self, wires: Sequence[Bit]) -> int:
        """Value of these wires, the lowest first."""
        key = tuple(wires)
        if key not in self._named:
            self._named[key] = self._read([key])
        return self._named[key](self._values)[0]

    @property
    def contents(self) -> dict[str, int]:
        """What registers and memories that can be written hold, as in `Circuit.contents`."""
        registers = zip(self._words.registers, self._values, strict=False)
        held = {str(outputs[0]): value for (outputs, _), value in registers}
        for memory, rows in zip(self._words.memories, self._rows, strict=True):
            if memory.writes:
                held |= {f"{memory.name}[{row}]": value for row, value in enumerate(rows)}
        return held

    def _drawn(self, width: int) -> int:
        return int.from_bytes(self._rng.bytes(width // 8 + 1), "little") & ((1 << width) - 1)

    def _driven(self, node: Cell | tuple[Memory, int]) -> tuple[Bit, ...]:
        return node.pins["Y"] if isinstance(node, Cell) else node[0].reads[node[1]][1]

    def _read(self, groups: Sequence[tuple[Bit, ...]]) -> Callable[[list[int]], tuple[int, ...]]:
        """What returns the values of groups of wires."""
        items = "".join(f"{self._value(bits)}, " for bits in groups)
        return _made(f"def made(v):\n    return ({items})\n")

    def _compiled(self, first: int) -> Callable[..., None]:
        lines = ["def made(v, rows, drawn):"]
        memories = {memory.name: k for k, memory in enumerate(self._words.memories)}
        for place, node in enumerate(self._words.logic):
            if isinstance(node, Cell):
                value = self._cell(node)
            else:
                memory, port = node
                lines.append(f"    a = {self._value(memory.reads[port][0])}")
                row = f"rows[{memories[memory.name]}][a]"
                value = f"{row} if a < {len(memory.rows)} else drawn({memory.width})"
            lines.append(f"    v[{first + place}] = {value}")
        return _made("\n".join([*lines, "    return None\n"]))

    def _value(self, bits: Sequence[Bit]) -> str:
        """Expression of the value of wires."""
        constant, parts, k = 0, [], 0
        while k < len(bits):
            known = {"0": 0, "1": 1, "x": self._x}.get(str(bits[k]))
            if known is not None:
                constant |= known << k
                k += 1
                continue
            driver, low = self._places[bits[k]]
            length = 1
            while k + length < len(bits) and self._places.get(bits[k + length]) == (
                driver,
                low + length,
            ):
                length += 1
            part = f"(v[{driver}] >> {low} & {(1 << length) - 1})"
            parts.append(f"{part} << {k}" if k else part)
            k += length
        return "(" + " | ".join([*parts, str(constant)]) + ")"

    def _integer(self, bits: Sequence[Bit], signed: bool) -> str:
        half = 1 << (len(bits) - 1)
        value = self._value(bits)
        return f"(({value} ^ {half}) - {half})" if signed else value

    def _cell(self, cell: Cell) -> str:
        """Expression of what a cell puts out."""
        kind, pins, numbers = cell.kind, cell.pins, cell.numbers
        mask = (1 << len(pins["Y"])) - 1
        if kind == "mux":
            a, b, select = (self._value(pins[pin]) for pin in "ABS")
            return f"{b} if {select} else {a}"
        if kind.startswith("reduce_") or kind.startswith("logic_"):
            return f"int({self._condition(kind, pins)})"
        signed = bool(numbers.get("A_SIGNED", 0)) and bool(numbers.get("B_SIGNED", 1))
        a = self._integer(pins["A"], signed)
        if kind in ("not", "neg"):
            return f"{'~' if kind == 'not' else '-'}{a} & {mask}"
        b = self._integer(pins["B"], signed)
        if kind in _WORDS:
            return f"({a} {_WORDS[kind]} {b}) & {mask}"
        if kind in _COMPARISONS:
            return f"int({a} {_COMPARISONS[kind]} {b})"
        raise ToolError(f"cells must be of a kind that the prover knows, not ${kind}")

    def _condition(self, kind: str, pins: Mapping[str, tuple[Bit, ...]]) -> str:
        a = self._value(pins["A"])
        if kind in ("reduce_or", "reduce_bool"):
            return f"{a} != 0"
        if kind == "logic_not":
            return f"{a} == 0"
        if kind == "reduce_and":
            return f"{a} == {(1 << len(pins['A'])) - 1}"
        if kind in ("logic_and", "logic_or"):
            return f"{a} != 0 {kind.removeprefix('logic_')} {self._value(pins['B'])} != 0"
        raise ToolError(f"cells must be of a kind that the prover knows, not ${kind}")


def _made(source: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {}
    exec(
        compile(source, "<circuit>", "exec"), scope
    )  # of numbers of wires, not of text from a file
    made: Callable[..., Any] = scope["made"]
    return made
