"""Faults in the netlist of the emitted Verilog.

The first five are those of Yosys' own pass ``mutate``, with its names: a bit of a pin of a cell is
inverted, constant, or inverted if another bit of the same pin is 0 or 1.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rchw.sim.mutate.netlist import Netlist
from rchw.sim.prove.words import Bit

__all__ = ["GATES", "Edit", "Plant"]

Edit = Callable[[Netlist, Bit], None]
"""Changes a netlist so that it has the fault if a bit is 1."""

Plant = Callable[[Netlist, np.random.Generator], tuple[str, Edit] | None]
"""Draws where to plant a fault, in words, and gives the edit; or nothing."""

Wrong = Callable[[Netlist, Bit, Bit], Bit]  # from a bit and another of its pin

_CLOCKS = ("CLK", "RD_CLK", "WR_CLK")
_UNUSED = ("RD_EN", "RD_ARST", "RD_SRST")  # of memories whose reads have no clock
_ORDERED = ("$sub", "$lt", "$le", "$gt", "$ge")
_REGISTERS = ("$dff", "$dffe", "$sdff", "$sdffe", "$sdffce")


def _one(rng: np.random.Generator, names: list[str]) -> str | None:
    return names[int(rng.integers(len(names)))] if names else None


def _of_kind(netlist: Netlist, *kinds: str, pin: str = "") -> list[str]:
    cells = netlist.cells.items()
    return [n for n, c in cells if c["type"] in kinds and (not pin or pin in c["connections"])]


def _number(cell: Mapping[str, Any], key: str) -> int:
    value = cell["parameters"][key]
    return value if isinstance(value, int) else int(value, 2)


def _told(netlist: Netlist, cell: str, pin: str, bit: int) -> str:
    """Name a bit of a pin by the signals that the cell drives."""
    names, raw = netlist.names, netlist.cells[cell]
    output = next(p for p, way in raw["port_directions"].items() if way == "output")
    driven = raw["connections"][output]
    place = driven[bit if pin == output else 0]
    target = names.get(place, cell)
    return f"{pin}[{bit}] of the {raw['type']} that drives {target}"


def _bit(wrong: Wrong, same: str = "") -> Plant:
    """Operator on one bit of any pin but a clock; of a bit that is `same` nothing would change."""

    def draw(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
        cell = _one(rng, [n for n, c in netlist.cells.items() if c["type"] != "$scopeinfo"])
        if cell is None:
            return None
        raw = netlist.cells[cell]
        hidden = (*_CLOCKS, *_UNUSED)
        pin = _one(rng, [p for p, bits in raw["connections"].items() if bits and p not in hidden])
        if pin is None:
            return None
        count = len(raw["connections"][pin])
        bit, other = int(rng.integers(count)), int(rng.integers(count))
        bits = raw["connections"][pin]
        if "x" in (bits[bit], bits[other]) or bits[bit] == same:
            return None
        return _told(netlist, cell, pin, bit), _on_pin(cell, pin, bit, other, wrong)

    return draw


def _on_pin(cell: str, pin: str, bit: int, other: int, wrong: Wrong) -> Edit:
    def edit(netlist: Netlist, hit: Bit) -> None:
        raw = netlist.cells[cell]
        bits = raw["connections"][pin]
        if raw["port_directions"][pin] == "input":
            new = wrong(netlist, bits[bit], bits[other])
            raw["connections"][pin] = list(bits)
            raw["connections"][pin][bit] = netlist.choose(hit, [new], [bits[bit]])[0]
            return
        outside = bits[bit]
        raw["connections"][pin] = inside = list(bits)
        inside[bit] = netlist.wire()
        new = wrong(netlist, inside[bit], inside[other])
        _drive(netlist, outside, netlist.choose(hit, [new], [inside[bit]])[0])

    return edit


def _drive(netlist: Netlist, outside: Bit, new: Bit) -> None:
    """Let the cell that drives `new` drive `outside` in its place: it has just been added."""
    for raw in reversed(netlist.cells.values()):
        if raw["connections"].get("Y") == [new]:
            raw["connections"]["Y"] = [outside]
            return
    raise AssertionError("the new bit has a driver")


def _inverted(netlist: Netlist, bit: Bit, other: Bit) -> Bit:
    del other
    return netlist.add("$not", 1, A=[bit])[0]


def _constant(value: str) -> Wrong:
    return lambda netlist, bit, other: value


def _controlled(value: str) -> Wrong:
    def wrong(netlist: Netlist, bit: Bit, other: Bit) -> Bit:
        acts = other if value == "1" else netlist.add("$not", 1, A=[other])[0]
        return netlist.add("$xor", 1, A=[bit], B=[acts])[0]

    return wrong


def _stuck(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
    """One bit of a register stays what it is at one of the two values, whatever it should be."""
    cell = _one(rng, _of_kind(netlist, *_REGISTERS))
    if cell is None:
        return None
    bit, value = int(rng.integers(len(netlist.cells[cell]["connections"]["Q"]))), rng.integers(2)
    where = f"{_told(netlist, cell, 'Q', bit)}, at {value}"
    return where, _on_pin(cell, "Q", bit, bit, _constant(str(value)))


def _lost(pin: str, polarity: str, acts: bool) -> Plant:
    """Operator on the reset or enable of a register: it never acts, or always."""

    def draw(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
        cell = _one(rng, _of_kind(netlist, *_REGISTERS, pin=pin))
        if cell is None:
            return None
        raw = netlist.cells[cell]
        level = str(int(acts == bool(_number(raw, polarity))))
        return _told(netlist, cell, pin, 0), _on_pin(cell, pin, 0, 0, _constant(level))

    return draw


def _address(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
    """Count a read or write address of a memory one up."""
    cell = _one(rng, _of_kind(netlist, "$mem_v2"))
    if cell is None:
        return None
    raw = netlist.cells[cell]
    size = _number(raw, "ABITS")
    pins = [pin for pin in ("RD_ADDR", "WR_ADDR") if raw["connections"][pin]]
    pin = _one(rng, pins)
    if pin is None:
        return None
    port = int(rng.integers(len(raw["connections"][pin]) // size))

    def edit(netlist: Netlist, hit: Bit) -> None:
        pins = netlist.cells[cell]["connections"]
        old = pins[pin][port * size : (port + 1) * size]
        new = netlist.choose(hit, netlist.add("$add", size, A=old, B=["1"]), old)
        pins[pin] = [*pins[pin][: port * size], *new, *pins[pin][(port + 1) * size :]]

    return f"{pin} of port {port} of {cell}", edit


def _content(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
    """Invert one bit of one row of a memory, wherever it is read."""
    cell = _one(rng, _of_kind(netlist, "$mem_v2"))
    if cell is None:
        return None
    raw = netlist.cells[cell]
    size, width = _number(raw, "ABITS"), _number(raw, "WIDTH")
    row, bit = int(rng.integers(_number(raw, "SIZE"))), int(rng.integers(width))

    def edit(netlist: Netlist, hit: Bit) -> None:
        pins = netlist.cells[cell]["connections"]
        number: list[Bit] = list(f"{row:0{size}b}"[::-1])
        for port in range(len(pins["RD_ADDR"]) // size):
            address = pins["RD_ADDR"][port * size : (port + 1) * size]
            here = netlist.add("$eq", 1, A=address, B=number)
            both = netlist.add("$and", 1, A=here, B=[hit])
            place = port * width + bit
            outside, inside = pins["RD_DATA"][place], netlist.wire()
            pins["RD_DATA"] = [*pins["RD_DATA"][:place], inside, *pins["RD_DATA"][place + 1 :]]
            _drive(netlist, outside, netlist.add("$xor", 1, A=[inside], B=both)[0])

    return f"bit {bit} of row {row} of {cell}", edit


def _operands(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
    """Swap the operands of a subtraction or of a comparison by size."""
    cell = _one(rng, _of_kind(netlist, *_ORDERED))
    if cell is None:
        return None
    raw = netlist.cells[cell]
    if raw["parameters"]["A_SIGNED"] != raw["parameters"]["B_SIGNED"]:
        return None

    def edit(netlist: Netlist, hit: Bit) -> None:
        raw = netlist.cells[cell]
        pins, numbers = raw["connections"], raw["parameters"]
        width, signed = max(len(pins["A"]), len(pins["B"])), _number(raw, "A_SIGNED")
        wide = {}
        for pin in ("A", "B"):
            fill = pins[pin][-1] if signed else "0"
            wide[pin] = [*pins[pin], *[fill] * (width - len(pins[pin]))]
        pins["A"] = netlist.choose(hit, wide["B"], wide["A"])
        pins["B"] = netlist.choose(hit, wide["A"], wide["B"])
        numbers["A_WIDTH"] = numbers["B_WIDTH"] = f"{width:032b}"

    return _told(netlist, cell, "A", 0).replace("A[0]", "A and B"), edit


def _bits(netlist: Netlist, rng: np.random.Generator) -> tuple[str, Edit] | None:
    """Swap two neighbouring bits of a word that a cell reads."""
    found = [
        (name, pin)
        for name, cell in netlist.cells.items()
        for pin, bits in cell["connections"].items()
        if pin in ("A", "B", "D") and len(bits) > 1 and cell["type"] != "$scopeinfo"
    ]
    if not found:
        return None
    cell, pin = found[int(rng.integers(len(found)))]
    bits = netlist.cells[cell]["connections"][pin]
    low = int(rng.integers(len(bits) - 1))
    if bits[low] == bits[low + 1]:
        return None

    def edit(netlist: Netlist, hit: Bit) -> None:
        pins = netlist.cells[cell]["connections"]
        two = pins[pin][low : low + 2]
        pins[pin] = [*pins[pin][:low], *netlist.choose(hit, two[::-1], two), *pins[pin][low + 2 :]]

    return f"{_told(netlist, cell, pin, low)} and the bit above", edit


GATES: Mapping[str, Plant] = {
    "inv": _bit(_inverted),
    "const0": _bit(_constant("0"), same="0"),
    "const1": _bit(_constant("1"), same="1"),
    "cnot0": _bit(_controlled("0")),
    "cnot1": _bit(_controlled("1")),
    "stuck register": _stuck,
    "lost reset": _lost("SRST", "SRST_POLARITY", acts=False),
    "lost enable": _lost("EN", "EN_POLARITY", acts=True),
    "address": _address,
    "memory content": _content,
    "operands swapped": _operands,
    "bits swapped": _bits,
}
"""Operators by name. The list is fixed; it does not depend on what the checks catch."""
