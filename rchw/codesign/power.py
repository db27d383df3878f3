"""What the devices are known to take: figures of power with range, source and basis.

Static currents are those of data sheets at 25 degrees. What switching takes no data sheet tells; it
is derived from currents that others have measured on an iCE40 UltraPlus, with our own counts of
what switches in circuits of the same function (``python -m benchmarks.power``), and scaled to the
other devices. Glitches are in it as far as they are in those circuits.
"""

from dataclasses import dataclass

from rchw.devices import Device
from rchw.errors import DesignError

__all__ = ["BASES", "POWER", "DevicePower", "Figure", "power_of"]

BASES = ("data sheet", "measured elsewhere", "scaled", "assumed", "recalled")
"""How well a figure is known, the best first."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its range.

    Parameters
    ----------
    low, typical, high : float
        In W or J.
    basis : str
        One of `BASES`.
    source : str

    Raises
    ------
    DesignError
        If the three are not ascending, or below 0, or the basis is unknown.
    """

    low: float
    typical: float
    high: float
    basis: str
    source: str

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.typical <= self.high:
            raise DesignError(
                f"figure must ascend from 0, not {self.low:g}, {self.typical:g}, {self.high:g}"
            )
        if self.basis not in BASES:
            raise DesignError(f"basis must be one of {', '.join(BASES)}, not {self.basis!r}")

    def scaled(self, factor: float, spread: float, source: str) -> "Figure":
        """Times a factor, in a range that is `spread` times wider on each side."""
        return Figure(
            self.low * factor / spread, self.typical * factor, self.high * factor * spread,
            "scaled", source,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePower:
    """Power of one device.

    Attributes
    ----------
    static : Figure
        W, configured, clock at rest.
    clock_tree : Figure
        J per clock: the clock's network, whatever hangs on it.
    flip_flop : Figure
        J per clock and flip-flop.
    net : Figure
        J per change of a net that a LUT, a carry or a flip-flop drives, with its wires.
    operand : Figure
        J per change of an operand bit of a multiplier, for the product it makes.
    block_ram : Figure
        J per access of one port of one block.
    pin : Figure
        J per change of a pin.
    """

    static: Figure
    clock_tree: Figure
    flip_flop: Figure
    net: Figure
    operand: Figure
    block_ram: Figure
    pin: Figure


_MEASURED = (
    "github.com/tinyvision-ai-inc/ice40_power, currents of an iCE40UP5K-SG48 at 12 MHz, with "
    "toggles counted here"
)
_UP5K = DevicePower(
    static=Figure(
        90e-6, 96e-6, 146e-6, "data sheet",
        "Lattice FPGA-DS-02008, table 4.6: 75 uA at 1.2 V and the other supplies; above, what "
        "tinyvision-ai-inc/ice40_power measured on all rails with a clock at rest; below, the core "
        "alone",
    ),
    clock_tree=Figure(51.7e-12, 52.1e-12, 52.6e-12, "measured elsewhere", _MEASURED),
    flip_flop=Figure(
        0.0, 7.2e-15, 240e-15, "measured elsewhere",
        f"{_MEASURED}: half of what counters add; above, 1536 flip-flops at 10 kHz",
    ),
    net=Figure(
        80.7e-15, 202e-15, 503e-15, "measured elsewhere",
        f"{_MEASURED}: counters below, a multiplier of LUTs with its glitches above, and their "
        "geometric mean",
    ),
    operand=Figure(
        2.16e-12, 3.11e-12, 3.49e-12, "measured elsewhere",
        f"{_MEASURED}: an 8-bit product in a multiplier, less the other nets",
    ),
    block_ram=Figure(
        2.5e-12, 5e-12, 20e-12, "assumed",
        "no measurement found; below, a quarter of the 10 pJ of a 64-bit access to 8 KB, 45 nm, "
        "Horowitz, ISSCC 2014",
    ),
    pin=Figure(
        27e-12, 54e-12, 163e-12, "assumed", "half C V^2 at 3.3 V and 10 pF, from 5 to 30 pF"
    ),
)  # fmt: skip


def _like_up5k(
    static: Figure, volts: float, flip_flops: int, spread: float, net: Figure | None = None
) -> DevicePower:
    """Power of a device of the same 40 nm: energies by V^2, the clock's network by its area."""
    told = f"iCE40UP5K by V^2, a factor of {spread:g} to each side assumed"
    factor = (volts / 1.2) ** 2
    size = factor * flip_flops / 5280
    return DevicePower(
        static=static,
        clock_tree=_UP5K.clock_tree.scaled(size, spread, f"{told}, and by flip-flops"),
        flip_flop=_UP5K.flip_flop.scaled(factor, spread, told),
        net=net or _UP5K.net.scaled(factor, spread, told),
        operand=_UP5K.operand.scaled(factor, spread, told),
        block_ram=_UP5K.block_ram.scaled(factor, spread, told),
        pin=_UP5K.pin,
    )


_ECP5_NET = _UP5K.net.scaled(
    1.017, 1.5,
    "iCE40UP5K times 1.02: what a register takes that changes, at the USB plugs of boards with "
    "LFE5U-25F and LFE5U-85F (github.com/targeted/fpga-reg-power), 85 % of it at the core, over "
    "the same in a counter of iCE40UP5K; a factor of 1.5 to each side assumed",
)  # fmt: skip
POWER: dict[str, DevicePower] = {
    "iCE40UP5K": _UP5K,
    "iCE40HX8K": _like_up5k(
        Figure(
            1.37e-3, 1.43e-3, 1.79e-3, "data sheet",
            "Lattice FPGA-DS-02029, static supply current of HX devices: 1140 uA at 1.2 V, and the "
            "banks; up to 25 % more in other modes",
        ),
        1.2, 7680, 1.5,
    ),
    "LFE5U-25F": _like_up5k(
        Figure(
            85e-3, 138e-3, 207e-3, "data sheet",
            "Lattice FPGA-DS-02012, section 3.10, read where it is quoted: 77 mA at 1.1 V, 16 mA "
            "at 2.5 V, 0.5 mA per bank; below, the core alone; above, half as much again, assumed",
        ),
        1.1, 24288, 2.0, _ECP5_NET,
    ),
    "LFE5U-85F": _like_up5k(
        Figure(
            75e-3, 150e-3, 202e-3, "measured elsewhere",
            "github.com/targeted/fpga-reg-power: a whole ULX3S in reset takes 202 mW from USB; 50 "
            "mW of it are assumed to be other parts; below, half of the rest",
        ),
        1.1, 83640, 2.0, _ECP5_NET,
    ),
}  # fmt: skip
"""By the name of the device."""
_LACKING = {
    "GW2A-18": ", of which no source of the static power was found",
}


def power_of(device: Device) -> DevicePower:
    """Figures of a device.

    Raises
    ------
    DesignError
        If none are known.
    """
    if device.name not in POWER:
        raise DesignError(
            f"device must be one whose power is known ({', '.join(POWER)}), not {device.name}"
            f"{_LACKING.get(device.name, '')}"
        )
    return POWER[device.name]
