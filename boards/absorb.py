"""Move registers behind ECP5 block RAM and multipliers into them.

Yosys infers DP16KD and MULT18X18D without their output registers. Where every bit that such a cell
drives goes to the data input of one plain flip-flop and nowhere else, those flip-flops are the
output register: the cell is told to use its own (REGMODE "OUTREG", REG_OUTPUT_CLK) and takes over
their outputs. A multiplier takes a second row of flip-flops as its pipeline register, and the rows
in front of both operands as its input registers, if nothing else reads them.
Nothing else changes, no clock of latency is added or removed.

A flip-flop is plain when it has no set or reset, the clock of the cell and, if any, one common
enable. Both start at zero: the flip-flop by its bitstream, the cell by the global reset at the end
of configuration. A RAM port must never write, be always enabled, and have no reset.
"""

import copy
from collections.abc import Iterable
from typing import Any

from rchw.boards.check import Netlist

__all__ = ["absorb_registers"]

Bit = int | str
Cell = dict[str, Any]


class _Netlist:
    """A module with an index from every bit to where it goes."""

    def __init__(self, module: Netlist) -> None:
        self.module: Netlist = copy.deepcopy(module)
        self.cells: dict[str, Cell] = self.module["cells"]
        self.sinks: dict[Bit, list[tuple[str, str]]] = {}
        self.drivers: dict[Bit, str] = {}  # flip-flops only
        for name, cell in self.cells.items():
            for pin, bits in cell["connections"].items():
                if cell["port_directions"][pin] == "input":
                    for bit in bits:
                        self.sinks.setdefault(bit, []).append((name, pin))
            if cell["type"] == "TRELLIS_FF":
                self.drivers[cell["connections"]["Q"][0]] = name
        for name, port in self.module["ports"].items():
            if port["direction"] == "output":
                for bit in port["bits"]:
                    self.sinks.setdefault(bit, []).append(("", name))

    def registers(self, driver: Cell, pins: Iterable[str], clock: Bit) -> dict[str, str] | None:
        """Return the flip-flop behind each used pin, or none if they cannot be absorbed."""
        found: dict[str, str] = {}
        enables: set[Bit] = set()
        for pin in pins:
            for bit in driver["connections"].get(pin, []):
                sinks = self.sinks.get(bit, [])
                if not sinks:
                    continue
                name, at = sinks[0]
                flip_flop = self.cells.get(name, {})
                if len(sinks) > 1 or at != "DI" or not _is_plain(flip_flop, clock):
                    return None
                found[pin] = name
                enables.add(_enable(flip_flop))
        return found if found and len(enables) == 1 else None

    def absorb(self, driver: Cell, found: dict[str, str]) -> Bit:
        """Let the driver drive what the flip-flops drove, and return their common enable."""
        enable: Bit = "1"
        for pin, name in found.items():
            enable = _enable(self.cells[name])
            driver["connections"][pin] = self.cells[name]["connections"]["Q"]
            self.remove(name)
        return enable

    def remove(self, name: str) -> None:
        """Remove a flip-flop."""
        flip_flop = self.cells.pop(name)
        for pin, bits in flip_flop["connections"].items():
            for bit in bits:
                if pin == "Q":
                    self.drivers.pop(bit, None)
                else:
                    self.sinks[bit] = [sink for sink in self.sinks[bit] if sink[0] != name]


def _is_plain(cell: Cell, clock: Bit) -> bool:
    if cell.get("type") != "TRELLIS_FF":
        return False
    parameters, connections = cell["parameters"], cell["connections"]
    mode = {name: str(value).strip() for name, value in parameters.items()}
    return (
        connections["CLK"] == [clock]
        and connections.get("LSR", ["0"]) in (["0"], ["x"])
        and mode.get("CLKMUX", "CLK") == "CLK"
        and mode.get("LSRMUX", "LSR") == "LSR"
        and mode.get("REGSET", "RESET") == "RESET"
        and mode.get("CEMUX", "1") in ("1", "CE")
        and "M" not in connections
    )


def _enable(cell: Cell) -> Bit:
    if str(cell["parameters"].get("CEMUX", "1")).strip() == "1":
        return "1"
    bit: Bit = cell["connections"]["CE"][0]
    return bit


def _connect(net: _Netlist, name: str, pin: str, bit: Bit) -> None:
    cell = net.cells[name]
    for old in cell["connections"].get(pin, []):
        net.sinks[old] = [sink for sink in net.sinks[old] if sink != (name, pin)]
    cell["connections"][pin] = [bit]
    cell["port_directions"][pin] = "input"
    net.sinks.setdefault(bit, []).append((name, pin))


def _block_ram(net: _Netlist, name: str, side: str) -> bool:
    """Absorb the register behind one port of a DP16KD, if there is one."""
    cell = net.cells[name]
    pins, parameters = cell["connections"], cell["parameters"]
    clock = f"CLK{side}"
    if (
        parameters.get(f"REGMODE_{side}", "NOREG") != "NOREG"
        or parameters.get(f"{clock}MUX", clock) != clock
        or pins.get(f"WE{side}") != ["0"]
        or pins.get(f"CE{side}") != ["1"]
        or pins.get(f"RST{side}") != ["0"]
        or any(_number(parameters.get(f"DATA_WIDTH_{s}", 18)) > 18 for s in "AB")
    ):
        return False
    found = net.registers(cell, [f"DO{side}{i}" for i in range(18)], pins[clock][0])
    if found is None:
        return False
    _connect(net, name, f"OCE{side}", net.absorb(cell, found))
    parameters[f"REGMODE_{side}"] = "OUTREG"
    return True


def _number(value: int | str) -> int:
    return value if isinstance(value, int) else int(value, 2)


def _behind(net: _Netlist, name: str) -> int:
    """Absorb up to two rows of registers behind a MULT18X18D; return the flip-flops saved."""
    cell = net.cells[name]
    pins = [f"P{i}" for i in range(36)]
    saved = 0
    for row, enable in (("OUTPUT", "CE3"), ("PIPELINE", "CE2")):
        clocks = {
            net.cells[sink]["connections"]["CLK"][0]
            for pin in pins
            for bit in cell["connections"].get(pin, [])
            for sink, at in net.sinks.get(bit, [])
            if at == "DI" and net.cells[sink]["type"] == "TRELLIS_FF"
        }
        known = cell["connections"].get("CLK0", list(clocks))
        found = net.registers(cell, pins, known[0]) if known and list(clocks) == known else None
        if found is None:
            break
        if row == "PIPELINE":  # the first row keeps its enable, which must be that of the second
            second = {_enable(net.cells[at]) for at in found.values()}
            if second != set(cell["connections"]["CE3"]):
                break
        _clocked(net, name, row, enable, known[0], net.absorb(cell, found))
        saved += len(found)
    return saved


def _clocked(net: _Netlist, name: str, row: str, pin: str, clock: Bit, enable: Bit) -> None:
    """Switch one row of registers of a multiplier on."""
    for at, bit in (("CLK0", clock), (pin, enable), ("RST0", "0")):
        _connect(net, name, at, bit)
    net.cells[name]["parameters"].update(
        {f"REG_{row}_CLK": "CLK0", f"REG_{row}_CE": pin, f"REG_{row}_RST": "RST0"}
    )


def _before(net: _Netlist, name: str) -> int:
    """Absorb the registers in front of both operands; return the flip-flops saved."""
    cell = net.cells[name]
    sources: dict[str, str] = {}  # pin: flip-flop
    enables: dict[str, Bit] = {}
    clock: Bit | None = cell["connections"].get("CLK0", [None])[0]
    for operand in "AB":
        rows = set()
        for pin in (f"{operand}{i}" for i in range(18)):
            bit = cell["connections"][pin][0]
            if bit in ("0", "x"):
                continue
            at = net.drivers.get(bit, "")
            if not at:
                return 0
            clock = clock if clock is not None else net.cells[at]["connections"]["CLK"][0]
            others = [sink for sink in net.sinks[bit] if sink[0] != name]
            if others or not _is_plain(net.cells[at], clock):
                return 0
            sources[pin] = at
            rows.add(_enable(net.cells[at]))
        if len(rows) != 1:
            return 0
        enables[operand] = rows.pop()
    assert clock is not None
    for pin, at in sources.items():
        _connect(net, name, pin, net.cells[at]["connections"]["DI"][0])
    _clocked(net, name, "INPUTA", "CE0", clock, enables["A"])
    _clocked(net, name, "INPUTB", "CE1", clock, enables["B"])
    for at in set(sources.values()):
        net.remove(at)
    return len(set(sources.values()))


def _multiplier(net: _Netlist, name: str) -> int:
    """Absorb the registers around a MULT18X18D without any; return the flip-flops saved."""
    cell = net.cells[name]
    registers = [v for k, v in cell["parameters"].items() if k.startswith("REG_") and "CLK" in k]
    if any(value != "NONE" for value in registers) or "CLK0" in cell["connections"]:
        return 0
    return _behind(net, name) + _before(net, name)


def absorb_registers(module: Netlist) -> tuple[Netlist, dict[str, int]]:
    """Use the output registers of block RAM and multipliers where flip-flops stand behind them.

    Parameters
    ----------
    module : Netlist
        Mapped to ECP5 cells; left as it is.

    Returns
    -------
    tuple
        The new module, and counts: ``block_ram`` and ``dsp`` cells changed, ``ff`` saved.
    """
    net = _Netlist(module)
    counts = {"block_ram": 0, "dsp": 0, "ff": 0}
    before = len(net.cells)
    for name in [n for n, cell in net.cells.items() if cell["type"] == "DP16KD"]:
        counts["block_ram"] += any([_block_ram(net, name, side) for side in "AB"])
    for name in [n for n, cell in net.cells.items() if cell["type"] == "MULT18X18D"]:
        _multiplier(net, name)
        counts["dsp"] += "CLK0" in net.cells[name]["connections"]
    counts["ff"] = before - len(net.cells)
    return net.module, counts
