"""Constants that differ from word to word: read-only memories, fields by name."""

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib.memory import Memory
from amaranth.utils import ceil_log2

from rchw.hdl.counter import place

__all__ = ["Fields", "memory_attributes", "pieces", "stored"]

MEMORY_WIDTH = 16  # bits of a memory: a wider block of ECP5 has no output register of its own
_BLOCK = 9  # bits of an address within a block of iCE40 at 8 bits of width


def memory_attributes(depth: int, width: int, written: bool = False) -> dict[str, Any]:
    """Attributes for synthesis: block memory where logic would be slower or larger.

    A LUT holds 16 words of one bit: what is deeper, or very wide, goes into a block. Nothing for
    collisions: a read never needs the word written in the same clock, the schedule sees to it.
    """
    attributes: dict[str, Any] = {}
    if depth > 16 or depth * width >= 1024:
        attributes["ram_style"] = "block"
    if written:
        attributes["no_rw_check"] = 1
    return attributes


def pieces(name: str, width: int) -> dict[str, slice]:
    """Names of the memories that a wide word is spread over, and the bits of each."""
    bits = [slice(k, min(k + MEMORY_WIDTH, width)) for k in range(0, width, MEMORY_WIDTH)]
    return {f"{name}_{k}" if width > MEMORY_WIDTH else name: piece for k, piece in enumerate(bits)}


def stored(
    m: Module, name: str, rows: Sequence[int], width: int, address: Value, used: int | None = None
) -> Value:
    """What a read-only memory of these rows holds, one clock after the address.

    Parameters
    ----------
    m : Module
    name : str
        Of the memory; a number follows where it is in pieces.
    rows : sequence of int
        Unsigned numbers of `width` bits, at least two.
    width : int
    address : Value
    used : int, optional
        Rows that matter, if not all.
    """
    data: list[Value] = []
    for part, piece in pieces(name, width).items():
        size = piece.stop - piece.start
        memory: Memory = Memory(
            shape=size,
            depth=len(rows),
            init=[row >> piece.start & ((1 << size) - 1) for row in rows],
            attrs=memory_attributes(used or len(rows), width),
        )
        m.submodules[part] = memory
        port = memory.read_port()
        m.d.comb += port.addr.eq(address)
        data.append(port.data)
    return Cat(*data)


class Fields:
    """Collects constant columns, then builds their memories; constant columns cost no bit.

    Parameters
    ----------
    words : int
        Length of every column.
    registered : bool
        A register follows the memory.
    """

    def __init__(self, words: int, registered: bool = False) -> None:
        self._words, self._registered = words, registered
        self._columns: list[tuple[Signal, Sequence[int]]] = []

    def add(self, name: str, column: Sequence[int], is_signed: bool = False) -> Value:
        """Return a value that equals ``column[address]``, one or two clocks after the address."""
        assert len(column) == self._words
        if len(set(column)) == 1:
            return _constant(column[0])
        low, high = min(column), max(column)
        if low < 0 or is_signed:
            width = max((-low - 1).bit_length() if low < 0 else 0, high.bit_length()) + 1
            signal = Signal(signed(width), name=name, reset_less=True)
        else:
            signal = Signal(high.bit_length(), name=name, reset_less=True)
        for earlier, values in self._columns:
            if tuple(values) == tuple(column) and earlier.shape() == signal.shape():
                return earlier
        self._columns.append((signal, column))
        return signal

    def build(self, m: Module, name: str, address: Value) -> None:
        """Add the memories and connect every field to its bits.

        `address` shows the word as `rchw.hdl.counter.place` tells.
        """
        width = sum(len(signal) for signal, _ in self._columns)
        if not width:
            return
        top = (1 << ceil_log2(self._words)) - 1
        if top >> _BLOCK > self._words - 1 >> _BLOCK:
            # Blocks that would stay empty are left out. Count 0 shows as the highest address, and
            # is alone in the last of them: it takes the place behind the others.
            address = Mux(address[_BLOCK:].all(), self._words - 1, address)
            top = self._words - 1
        rows = [0] * (top + 1)
        for word in range(self._words):
            row = position = 0
            for signal, column in self._columns:
                row |= (column[word] & ((1 << len(signal)) - 1)) << position
                position += len(signal)
            rows[min(place(word, self._words), top)] = row
        data = stored(m, name, rows, width, address, self._words)
        position = 0
        for signal, _ in self._columns:
            field = data[position : position + len(signal)]
            m.d["sync" if self._registered else "comb"] += signal.eq(field)
            position += len(signal)


def _constant(value: int) -> Const:
    return Const(value, signed(value.bit_length() + 1)) if value < 0 else Const(value)
