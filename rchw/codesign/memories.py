"""Block RAMs and multipliers of a circuit, counted as synthesis maps them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product as product_of
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.devices import Device

__all__ = ["PIECE", "SMALL", "Memory", "Product", "Table", "block_rams", "dsps", "width_of"]

PIECE = 16  # bits of a memory: a wider word is spread over several (`rchw.hdl.rom`)
SMALL = 16  # words of a memory that LUTs may hold
_BLOCK = 512  # words of a block of iCE40 at 8 bits of width
# Words and bits of one block, by family: the shapes that Yosys 0.65 knows.
_SHAPES = {
    "ice40": ((256, 16), (512, 8), (1024, 4), (2048, 2)),
    "ecp5": ((1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)),
}
_LEAST_PRODUCT = {"ice40": 11, "ecp5": 0}  # bits, below which Yosys 0.65 takes LUTs
_LEAST_OPERAND = 2
_WORTH = 64  # bits of registers that Yosys 0.65 holds a block of iCE40 to be worth


@dataclass(frozen=True)
class Memory:
    """A memory with one word of `width` bits per address.

    Attributes
    ----------
    depth : int
        Words that are there.
    width : int
    used : int
        Words that matter; they decide whether it must be in block RAM.
    reads : int
        Read ports; each takes a copy.
    written : bool
    single : bool
        Whether it is one memory, not spread over pieces of 16 bits, and nothing is asked for it.
    whole : int
        Bits of the word that it is a piece of, if it is one.
    """

    depth: int
    width: int
    used: int
    reads: int = 1
    written: bool = False
    single: bool = False
    whole: int = 0

    def blocks(self, family: str) -> bool:
        """Whether it is in block RAM.

        Where its attributes ask for that (`rchw.hdl.rom.memory_attributes`), and on iCE40, which
        has no RAM in its LUTs, where registers would take more than a block is worth.
        """
        if self.used > SMALL or self.used * (self.whole or self.width) >= 1024:
            return True
        return family == "ice40" and self.written and self.depth * self.width > _WORTH * self.reads


@dataclass(frozen=True)
class Product:
    """A product of two variables of so many bits; `registers` are those around it."""

    left: int
    right: int
    registers: int = 0


def width_of(low: int, high: int) -> int:
    """Bits of the smallest two's complement number that holds both."""
    low, high = int(low), int(high)
    return max((value if value >= 0 else ~value).bit_length() for value in (low, high)) + 1


@dataclass
class Table:
    """Columns of constants by word, as `rchw.hdl.rom.Fields` keeps them."""

    words: int
    columns: dict[bytes, int] = field(default_factory=dict)

    def add(self, column: NDArray[Any] | Sequence[int], signed: bool = False) -> int:
        """Bits of a column in the memory: none of a constant one, none twice of equal ones."""
        values = np.asarray(column, dtype=np.int64)
        low, high = int(values.min()), int(values.max())
        if low == high:
            return 0
        width = width_of(low, high) if low < 0 or signed else high.bit_length()
        key = values.tobytes() + bytes([low < 0 or signed])
        self.columns.setdefault(key, width)
        return width

    @property
    def width(self) -> int:
        """Bits of a word."""
        return sum(self.columns.values())

    def memory(self) -> list[Memory]:
        """The memory, if there is a column."""
        if not self.width:
            return []
        depth = 1 << (self.words - 1).bit_length()
        if (depth - 1) // _BLOCK > (self.words - 1) // _BLOCK:
            depth = self.words
        return [Memory(depth, self.width, self.words)]


def _blocks(depth: int, width: int, family: str) -> int:
    """Blocks of one piece; upper bits of the address choose among words that lie side by side."""
    return min(ceil(ceil(depth / words) * width / bits) for words, bits in _SHAPES[family])


def block_rams(memories: Iterable[Memory], device: Device) -> int:
    """Block RAMs that the memories take."""
    found = 0
    for memory in memories:
        step = memory.width if memory.single else PIECE
        widths = [min(step, memory.width - k) for k in range(0, memory.width, step)]
        if not memory.blocks(device.family):
            continue
        found += memory.reads * sum(_blocks(memory.depth, width, device.family) for width in widths)
    return found


def dsps(product: Product, device: Device) -> int:
    """Multipliers of a product: none without multipliers, or where LUTs are taken instead.

    As `mul2dsp` of Yosys splits it: a wider operand into parts, of which the lower are unsigned.
    """
    narrow = min(product.left, product.right) < _LEAST_OPERAND
    if not device.dsps or narrow or product.left + product.right < _LEAST_PRODUCT[device.family]:
        return 0
    parts = [_parts(width, device.dsp_width) for width in (product.left, product.right)]
    least = _LEAST_PRODUCT[device.family]
    return sum(
        min(one, other) >= _LEAST_OPERAND and one + other >= least
        for one, other in product_of(*parts)
    )


def _parts(width: int, most: int) -> list[int]:
    """Bits of the parts of an operand: the lower ones whole."""
    whole = max(ceil(width / most) - 1, 0)
    return [most] * whole + [width - most * whole]
