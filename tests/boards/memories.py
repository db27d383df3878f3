"""What the guides of Lattice and Gowin say of a block RAM with two ports, in Python, bit by bit.

The contents are one row of bits. A port of some width sees them as words one after the other; the
8 or 9 bits of a lane are the smallest unit of which a narrower port leaves some out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Access", "Bits", "Memory", "Port"]

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Access:
    """What a port is asked to do in one clock."""

    enable: int
    write: int
    reset: int
    address: int
    data: int
    output_enable: int = 1


class Port:
    """One side of a memory: how it is set up, and what it shows.

    Parameters
    ----------
    width : int
    shows : str
        What the output does at a write: ``hold``, ``new`` or ``old``.
    registered : bool
        Whether a register stands behind the output.
    """

    def __init__(self, width: int, shows: str = "hold", registered: bool = False) -> None:
        self.width, self.shows, self.registered = width, shows, registered
        self.value = np.zeros(width, dtype=np.uint8)
        self.known = np.zeros(width, dtype=np.uint8)
        self.behind = self.value.copy(), self.known.copy()

    @property
    def output(self) -> tuple[int, int]:
        """The code shown, and which bits of it the guide tells."""
        value, known = self.behind if self.registered else (self.value, self.known)
        return _number(value), _number(known)


class Memory:
    """The contents between two ports.

    Parameters
    ----------
    lane : int
        Bits of a lane, 8 or 9.
    contents : uint8 array (2048 * lane,)
    ports : tuple of two Port
    """

    def __init__(self, lane: int, contents: Bits, ports: tuple[Port, Port]) -> None:
        self.lane, self.contents, self.ports = lane, contents.copy(), ports

    def span(self, width: int, address: int) -> slice:
        """Where a word is: addresses count the smallest words, of one bit each."""
        if width < self.lane:
            start = self.lane * (address >> 3) + (address & 7) // width * width
        else:
            start = (address >> 3) // (width // self.lane) * width
        return slice(start, start + width)

    def written(self, port: Port, access: Access) -> Bits:
        """Which bits of a word are written, 0 or 1 each."""
        if not (access.enable and access.write):
            return np.zeros(port.width, dtype=np.uint8)
        lanes = port.width // self.lane
        if lanes < 2:
            return np.ones(port.width, dtype=np.uint8)
        enables = [access.address >> k & 1 for k in range(lanes)]
        return np.repeat(np.array(enables, dtype=np.uint8), self.lane)

    def clock(self, accesses: tuple[Access, Access]) -> None:
        """Let one edge pass; reading what the other port writes is not told by the guide."""
        spans = [
            self.span(port.width, access.address)
            for port, access in zip(self.ports, accesses, strict=True)
        ]
        masks = [
            self.written(port, access) for port, access in zip(self.ports, accesses, strict=True)
        ]
        after, forbidden = self.contents.copy(), []
        for port, access, span, mask in zip(self.ports, accesses, spans, masks, strict=True):
            part = after[span]
            part[mask == 1] = _bits(access.data, port.width)[mask == 1]
            touched = np.zeros(len(after), dtype=np.uint8)
            touched[span] = mask
            forbidden.append(touched)
        for k, (port, access) in enumerate(zip(self.ports, accesses, strict=True)):
            if port.registered and (access.output_enable or access.reset):
                port.behind = (port.value.copy(), port.known.copy())
            if access.reset:
                port.value[:], port.known[:] = 0, 1
                port.behind = (port.value.copy(), port.known.copy())
            elif access.enable and not (access.write and port.shows == "hold"):
                new = access.write and port.shows == "new"
                port.value = (after if new else self.contents)[spans[k]].copy()
                port.known = 1 - forbidden[1 - k][spans[k]]
        self.contents = after


def _bits(number: int, width: int) -> Bits:
    return np.array([number >> k & 1 for k in range(width)], dtype=np.uint8)


def _number(bits: Bits) -> int:
    return sum(int(bit) << k for k, bit in enumerate(bits.tolist()))
