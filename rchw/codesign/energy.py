"""Energy per sample of a circuit, item by item: a model, from counts and published figures.

    static      power of the configured device x the period of a sample
    clock       clocks in it x (network of the clock + flip-flops)
    switching   changes of nets x energy of a change; operands of multipliers apart
    memory      accesses of block RAM x energy of an access
    I/O         changes of the bits of the streams x energy of a pin

What changes is counted on the netlist (`rchw.boards.activity`), or taken as usual for such circuits
(`USUAL`). Every figure has a range (`rchw.codesign.power`); the range of the sum takes all of them
at the same end, so it is wide. Regulators, oscillators and the rest of the board are not in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rchw.boards.activity import Activity
from rchw.codesign.power import Figure, power_of
from rchw.design import Design
from rchw.devices import Board
from rchw.document import digest
from rchw.errors import DesignError
from rchw.schedule import schedule

__all__ = ["LABEL", "SLOW", "USUAL", "Energy", "Item", "Usual", "energy"]

LABEL = "model, not a measurement"
SLOW = 1000.0
"""Samples per second at which the energy is given beside that at the highest rate."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Changes per clock that are usual, and their range over measured designs.

    Attributes
    ----------
    lut, flip_flop : tuple of float
        Changes of the outputs of LUTs and carries per LUT, and of flip-flops per flip-flop: low,
        typical, high.
    dsp : tuple of float
        Changes of operand bits per multiplier.
    block_ram : tuple of float
        Accesses per block.
    """

    lut: tuple[float, float, float]
    flip_flop: tuple[float, float, float]
    dsp: tuple[float, float, float]
    block_ram: tuple[float, float, float]


USUAL = Usual(
    lut=(0.19, 0.36, 0.66),
    flip_flop=(0.13, 0.27, 0.46),
    dsp=(6.1, 13.0, 14.0),
    block_ram=(1.0, 1.2, 1.4),
)
"""From ``python -m benchmarks.energy``: the extremes and the median of its designs."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line: joules per sample, typical and from low to high, and where the figure is from."""

    name: str
    low: float
    joules: float
    high: float
    basis: str
    source: str


@dataclass(frozen=True)
class Energy:
    """Energy per sample of a design on a device.

    Attributes
    ----------
    items : tuple of Item
        ``static``, ``clock``, ``switching``, ``multipliers``, ``memory`` and ``I/O``.
    rate : float
        Samples per second.
    clock_hz : float
        At which the circuit runs: that of the highest rate, or what the rate asks for.
    measured : bool
        Whether the activity was counted on the netlist.
    """

    items: tuple[Item, ...]
    rate: float
    clock_hz: float
    measured: bool

    @property
    def joules(self) -> float:
        """Sum of the items."""
        return sum(item.joules for item in self.items)

    @property
    def low(self) -> float:
        """Sum of their lower ends."""
        return sum(item.low for item in self.items)

    @property
    def high(self) -> float:
        """Sum of their upper ends."""
        return sum(item.high for item in self.items)

    @property
    def watts(self) -> float:
        """Power at this rate."""
        return self.joules * self.rate

    def item(self, name: str) -> Item:
        """The line of that name."""
        return next(item for item in self.items if item.name == name)

    def facts(self) -> dict[str, Any]:
        """As a record has it."""
        return {
            "label": LABEL,
            "joules": self.joules,
            "low": self.low,
            "high": self.high,
            "rate": self.rate,
            "clock_hz": self.clock_hz,
            "activity": "counted on the netlist" if self.measured else "usual",
            "items": [
                {
                    "name": item.name,
                    "joules": item.joules,
                    "low": item.low,
                    "high": item.high,
                    "basis": item.basis,
                    "source": item.source,
                }
                for item in self.items
            ],
        }


def energy(
    design: Design,
    board: Board,
    resources: Mapping[str, float],
    *,
    clock_hz: float,
    rate: float | None = None,
    activity: Activity | None = None,
    free_running: bool = False,
) -> Energy:
    """Energy per sample of a design on a board.

    Parameters
    ----------
    design : Design
    board : Board
    resources : mapping
        ``lut``, ``ff``, ``block_ram`` and ``dsp``, as of a build or an estimate.
    clock_hz : float
        Clock that the circuit reaches.
    rate : float, optional
        Samples per second; the most that the clock allows.
    activity : Activity, optional
        Counted on the netlist; what is usual.
    free_running : bool
        Below the highest rate the clock still runs at `clock_hz`; otherwise it runs as slowly as
        the rate allows. Nothing but the clock counts in the clocks in between.

    Raises
    ------
    DesignError
        If the power of the device is not known, the rate is more than the clock allows, or the
        activity is of another design or device.
    """
    power = power_of(board.device)
    clocks = schedule(design).clocks
    if not clock_hz > 0:
        raise DesignError(f"clock must be above 0 Hz, not {clock_hz:g}")
    most = clock_hz / clocks
    rate = most if rate is None else rate
    if not 0 < rate <= most * (1 + 1e-9):
        raise DesignError(
            f"rate must be above 0 and at most {most:.6g} samples per second at {clock_hz:g} Hz, "
            f"not {rate:g}"
        )
    if activity is not None:
        _check(activity, design, board)
    running = clock_hz / rate if free_running else clocks
    flip_flops = resources["ff"]
    nets, operands, accesses, pins = _changes(design, resources, activity)
    items = (
        _item("static", power.static, _sharp(1 / rate)),
        _clock(power.clock_tree, power.flip_flop, running, flip_flops),
        _item("switching", power.net, nets),
        _item("multipliers", power.operand, operands),
        _item("memory", power.block_ram, accesses),
        _item("I/O", power.pin, pins),
    )
    return Energy(items, rate, running * rate, activity is not None)


def _check(activity: Activity, design: Design, board: Board) -> None:
    if activity.digest != digest(design):
        raise DesignError(
            f"activity must be of design {digest(design)[:12]}, not of {activity.digest[:12]}"
        )
    if activity.device != board.device.name:
        raise DesignError(f"activity must be of {board.device.name}, not of {activity.device}")


_Range = tuple[float, float, float]


def _item(name: str, figure: Figure, counts: _Range) -> Item:
    low, typical, high = counts
    return Item(
        name, low * figure.low, typical * figure.typical, high * figure.high, figure.basis,
        figure.source,
    )  # fmt: skip


def _sharp(count: float) -> _Range:
    return count, count, count


def _clock(tree: Figure, flip_flop: Figure, clocks: float, flip_flops: float) -> Item:
    return Item(
        "clock",
        clocks * (tree.low + flip_flops * flip_flop.low),
        clocks * (tree.typical + flip_flops * flip_flop.typical),
        clocks * (tree.high + flip_flops * flip_flop.high),
        tree.basis,
        tree.source,
    )


def _changes(
    design: Design, resources: Mapping[str, float], activity: Activity | None
) -> tuple[_Range, _Range, _Range, _Range]:
    """Changes of nets and operands, accesses, changes of pins; per sample, each in a range."""
    clocks = schedule(design).clocks
    if activity is not None:
        logic = sum(activity.changes[kind] for kind in ("lut", "carry", "ff"))
        scale = activity.clocks / activity.samples
        return (
            _sharp(logic * scale),
            _sharp(activity.dsp_operand_changes * scale),
            _sharp(activity.block_ram_accesses * scale),
            _sharp(activity.pin_changes * scale),
        )
    lut, ff = resources["lut"] * clocks, resources["ff"] * clocks
    nets = [a * lut + b * ff for a, b in zip(USUAL.lut, USUAL.flip_flop, strict=True)]
    dsp, ram = resources["dsp"] * clocks, resources["block_ram"] * clocks
    bits = sum(channel.format.width for channel in design.beat)
    bits += sum(output.format.width for output in design.readout.answers)
    return (
        (nets[0], nets[1], nets[2]),
        (USUAL.dsp[0] * dsp, USUAL.dsp[1] * dsp, USUAL.dsp[2] * dsp),
        (USUAL.block_ram[0] * ram, USUAL.block_ram[1] * ram, USUAL.block_ram[2] * ram),
        (0.25 * bits, 0.5 * bits, 1.0 * bits),
    )
