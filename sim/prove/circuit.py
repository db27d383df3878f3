"""A circuit run clock by clock on unknowns: numbers stay numbers, the rest becomes terms.

What controls a circuit of this project never depends on data. So when it is run from a reset with
known handshakes and unknown data, every counter, address and enable stays a number, and terms arise
only where data are combined: one sample of a hundred units takes a second.
"""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from rchw.errors import ToolError
from rchw.sim.prove.words import Bit, Cell, Memory, Words

__all__ = ["Circuit", "Term", "bits_of", "term_of"]


@dataclass(frozen=True, eq=False)
class Term:
    """A bit-vector; its bits are named by position."""

    value: Any
    width: int


Value = int | tuple[Term, int]  # of one bit
Bits = list[Value]


def bits_of(value: Any, width: int) -> Bits:
    """Bits of a number or a z3 bit-vector, lowest first."""
    if isinstance(value, int):
        return [(value >> k) & 1 for k in range(width)]
    term = Term(value, width)
    return [(term, k) for k in range(width)]


def _number(bits: Sequence[Value]) -> int | None:
    number = 0
    for k, bit in enumerate(bits):
        if not isinstance(bit, int):
            return None
        number |= bit << k
    return number


def term_of(bits: Sequence[Value]) -> Any:
    """The z3 bit-vector of these bits, whose neighbours are taken together where they can be."""
    parts: list[Any] = []
    k = 0
    while k < len(bits):
        first, start = bits[k], k
        if isinstance(first, int):
            number = 0
            bit: Value = first
            while isinstance(bit, int):
                number |= bit << (k - start)
                k += 1
                if k == len(bits):
                    break
                bit = bits[k]
            parts.append(z3.BitVecVal(number, k - start))
            continue
        term, low = first
        while k < len(bits) and bits[k] == (term, low + k - start):
            k += 1
        whole = k - start == term.width
        parts.append(term.value if whole else z3.Extract(low + k - start - 1, low, term.value))
    return parts[0] if len(parts) == 1 else z3.Concat(*reversed(parts))


class Circuit:
    """State of a circuit whose data may be unknown.

    Parameters
    ----------
    words : Words
        Registers and memory rows without contents begin as unknowns.
    """

    def __init__(self, words: Words) -> None:
        self.words = words
        self._unknowns = 0
        self._values: dict[Bit, Value] = {"0": 0, "1": 1}
        self._rows: dict[str, list[Bits]] = {}
        for memory in words.memories:
            self._rows[memory.name] = [
                self._unknown(memory.width) if row is None else bits_of(row, memory.width)
                for row in memory.rows
            ]
        for outputs, _ in words.registers:
            self._set(outputs, self._unknown(len(outputs)))
        self._values["x"] = self._unknown(1)[0]

    def settle(self, inputs: Mapping[str, Any]) -> None:
        """Set inputs, numbers or z3 bit-vectors, and work out all signals of this clock."""
        for name, value in inputs.items():
            bits = self.words.inputs[name]
            self._set(bits, bits_of(value, len(bits)))
        for node in self.words.logic:
            if isinstance(node, Cell):
                self._set(node.pins["Y"], self._evaluate(node))
            else:
                self._read(*node)

    def clock(self) -> None:
        """Let the edge pass; signals other than registers are those of before until `settle`."""
        changes = [(outputs, self._get(inputs)) for outputs, inputs in self.words.registers]
        for memory in self.words.memories:
            for enable, address, data in memory.writes:
                self._write(memory, self._get(enable), self._get(address), self._get(data))
        for outputs, bits in changes:
            self._set(outputs, bits)

    def bits(self, name: str) -> Bits:
        """Value of a named signal."""
        return self._get(self.words.names[name])

    def number(self, name: str) -> int:
        """Value of a signal that must be a number.

        Raises
        ------
        ToolError
            If it depends on unknowns.
        """
        number = _number(self.bits(name))
        if number is None:
            raise ToolError(f"{name} must not depend on data, but does")
        return number

    def term(self, name: str) -> Any:
        """Value of a named signal as a z3 bit-vector."""
        return term_of(self.bits(name))

    def cut(self, name: str, value: Any) -> None:
        """Replace the contents of a register by a number or a z3 bit-vector."""
        bits = self.words.names[name]
        self._set(bits, bits_of(value, len(bits)))

    def _unknown(self, width: int) -> Bits:
        self._unknowns += 1
        return bits_of(z3.BitVec(f"unknown{self._unknowns}", width), width)

    def _get(self, bits: Sequence[Bit]) -> Bits:
        return [self._values[bit] for bit in bits]

    def _set(self, bits: Sequence[Bit], values: Sequence[Value]) -> None:
        for bit, value in zip(bits, values, strict=True):
            self._values[bit] = value

    def _read(self, memory: Memory, port: int) -> None:
        wires, data = memory.reads[port]
        address, rows = self._get(wires), self._rows[memory.name]
        row = _number(address)
        if row is not None and row < len(rows):
            self._set(data, rows[row])
        elif row is None and not memory.writes:
            self._set(data, _looked_up(rows, address))
        else:  # beyond the memory, or of a memory before a reset
            self._set(data, self._unknown(memory.width))

    def _write(self, memory: Memory, enable: Bits, address: Bits, data: Bits) -> None:
        rows, row, mask = self._rows[memory.name], _number(address), _number(enable)
        if mask == 0:
            return
        if row is None or mask is None:  # before a reset: anything may be anywhere
            rows[:] = [self._unknown(memory.width) for _ in rows]
            return
        rows[row] = [
            new if mask >> k & 1 else old
            for k, (old, new) in enumerate(zip(rows[row], data, strict=True))
        ]

    def _evaluate(self, cell: Cell) -> Bits:
        width = len(cell.pins["Y"])
        a = self._get(cell.pins["A"])
        b = self._get(cell.pins["B"]) if "B" in cell.pins else None
        signed = bool(cell.numbers["A_SIGNED"]) if "A_SIGNED" in cell.numbers else False
        if b is not None and "B_SIGNED" in cell.numbers:
            signed = signed and bool(cell.numbers["B_SIGNED"])
        if cell.kind == "mux":
            assert b is not None
            return _choose(self._get(cell.pins["S"])[0], a, b)
        if cell.kind in ("and", "or", "xor", "not"):
            other = None if b is None else _extended(b, width, signed)
            return _bitwise(cell.kind, _extended(a, width, signed), other)
        if cell.kind in _ARITHMETIC and b is not None:
            a, b = _extended(a, width, signed), _extended(b, width, signed)
            return _arithmetic(_ARITHMETIC[cell.kind], a, b)
        if cell.kind in ("reduce_and", "reduce_or", "reduce_bool", "logic_not"):
            return _extended(_reduce(cell.kind, a), width, False)
        if cell.kind in ("logic_and", "logic_or") and b is not None:
            pair = _reduce("reduce_bool", a) + _reduce("reduce_bool", b)
            kind = "reduce_and" if cell.kind == "logic_and" else "reduce_or"
            return _extended(_reduce(kind, pair), width, False)
        if cell.kind == "neg":
            zero: Bits = [0] * width
            return _arithmetic(operator.sub, zero, _extended(a, width, signed))
        if cell.kind in _COMPARISONS and b is not None:
            wide = max(len(a), len(b))
            a, b = _extended(a, wide, signed), _extended(b, wide, signed)
            return _extended(_compare(cell.kind, a, b, signed), width, False)
        raise ToolError(f"cells must be of a kind that the prover knows, not ${cell.kind}")


_ARITHMETIC = {"add": operator.add, "sub": operator.sub, "mul": operator.mul}
_COMPARISONS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_UNSIGNED = {"lt": z3.ULT, "le": z3.ULE, "gt": z3.UGT, "ge": z3.UGE}


def _extended(bits: Bits, width: int, signed: bool) -> Bits:
    if len(bits) >= width:
        return bits[:width]
    fill: Value = bits[-1] if signed else 0
    return bits + [fill] * (width - len(bits))


def _condition(bit: Value) -> Any:
    return term_of([bit]) == 1


def _bit(condition: Any) -> Bits:
    return bits_of(z3.If(condition, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)), 1)


def _choose(select: Value, a: Bits, b: Bits) -> Bits:
    if isinstance(select, int):
        return b if select else a
    if a == b:
        return a
    return bits_of(z3.If(_condition(select), term_of(b), term_of(a)), len(a))


def _looked_up(rows: Sequence[Bits], address: Bits) -> Bits:
    """Row of a table at an unknown address, as a tree of choices by its bits."""
    level = list(rows)
    for bit in address:
        odd = [*level[1::2], level[-1]]
        level = [
            even if even is other else _choose(bit, even, other)
            for even, other in zip(level[::2], odd, strict=False)
        ]
    return level[0]


def _bitwise(kind: str, a: Bits, b: Bits | None) -> Bits:
    """Bit by bit where a number decides, as one term where none does."""
    result: Bits = []
    for k, x in enumerate(a):
        y: Value = 1 if b is None else b[k]
        if isinstance(y, int):
            x, y = y, x
        if not isinstance(x, int):
            result.append(_both(kind, x, y))
        elif kind == "and":
            result.append(y if x else 0)
        elif kind == "or":
            result.append(1 if x else y)
        elif x == 0:  # xor; a complement is the exclusive or with one
            result.append(y)
        else:
            result.append(1 - y if isinstance(y, int) else bits_of(~term_of([y]), 1)[0])
    return result


def _both(kind: str, x: Value, y: Value) -> Value:
    a, b = term_of([x]), term_of([y])
    return bits_of(a & b if kind == "and" else a | b if kind == "or" else a ^ b, 1)[0]


def _arithmetic(combine: Any, a: Bits, b: Bits) -> Bits:
    width, x, y = len(a), _number(a), _number(b)
    if x is not None and y is not None:
        return bits_of(combine(x, y) & ((1 << width) - 1), width)
    return bits_of(combine(term_of(a), term_of(b)), width)


def _reduce(kind: str, a: Bits) -> Bits:
    decisive = 0 if kind == "reduce_and" else 1
    unknown = [bit for bit in a if not isinstance(bit, int)]
    if any(bit == decisive for bit in a if isinstance(bit, int)):
        result: Bits = [decisive]
    elif not unknown:
        result = [1 - decisive]
    else:
        rest = z3.BitVecVal(-1 if decisive == 0 else 0, len(unknown))
        equal = term_of(unknown) == rest
        result = _bit(equal if decisive == 0 else z3.Not(equal))
    return _bitwise("not", result, None) if kind == "logic_not" else result


def _compare(kind: str, a: Bits, b: Bits, signed: bool) -> Bits:
    x, y = _number(a), _number(b)
    if x is not None and y is not None:
        half = 1 << (len(a) - 1)
        if signed:
            x, y = (x ^ half) - half, (y ^ half) - half
        return [int(_COMPARISONS[kind](x, y))]
    if kind in _UNSIGNED and not signed:
        return _bit(_UNSIGNED[kind](term_of(a), term_of(b)))
    return _bit(_COMPARISONS[kind](term_of(a), term_of(b)))
