"""Capacities of the FPGA devices, and the boards that carry them, as data.

Counts are those of the data sheets and of the place-and-route databases, which agree; the tests
compare them with what nextpnr reports as available.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rchw.errors import DesignError

__all__ = ["BOARDS", "DEVICES", "Board", "Device", "board", "check_fits"]

_UP5K = "Lattice FPGA-DS-02008, iCE40 UltraPlus family data sheet"
_HX8K = "Lattice FPGA-DS-02029, iCE40 LP/HX family data sheet"
_GW2A = "Gowin DS102, GW2A series data sheet"
_LFE5U = "Lattice FPGA-DS-02012, ECP5 and ECP5-5G family data sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An FPGA: how much of everything it has.

    One logic cell of iCE40 is a 4-input LUT with a carry and a flip-flop; on ECP5 `luts` counts
    the 4-input LUTs and `flip_flops` as many flip-flops; on Gowin both count what there is.
    """

    name: str
    family: str  # "ice40", "ecp5" or "gowin"
    luts: int
    flip_flops: int
    block_rams: int
    block_ram_bits: int  # of one block RAM
    block_ram_width: int  # widest port of one block RAM
    dsps: int
    dsp_width: int  # a DSP multiplies two signed numbers of this many bits; 0 without DSP
    source: str

    @property
    def capacity(self) -> dict[str, int]:
        """Counts by the names used in build reports."""
        return {
            "lut": self.luts,
            "ff": self.flip_flops,
            "block_ram": self.block_rams,
            "dsp": self.dsps,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A board: its device and the pins that the wrapper needs."""

    name: str
    title: str
    device: Device
    package: str
    speed: str  # speed grade; empty where the family has one
    clock: float  # Hz
    target: float  # Hz that place-and-route aims at; above what designs reach
    pins: Mapping[str, str]  # of the wrapper's ports: clk, reset_n, serial_in, serial_out, led
    pulls_up: tuple[str, ...]  # inputs that need the weak pull-up
    note: str


DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        Device(
            name="iCE40UP5K",
            family="ice40",
            luts=5280,
            flip_flops=5280,
            block_rams=30,
            block_ram_bits=4096,
            block_ram_width=16,
            dsps=8,
            dsp_width=16,
            source=_UP5K,
        ),
        Device(
            name="iCE40HX8K",
            family="ice40",
            luts=7680,
            flip_flops=7680,
            block_rams=32,
            block_ram_bits=4096,
            block_ram_width=16,
            dsps=0,
            dsp_width=0,
            source=_HX8K,
        ),
        Device(
            name="LFE5U-25F",
            family="ecp5",
            luts=24288,
            flip_flops=24288,
            block_rams=56,
            block_ram_bits=18432,
            block_ram_width=36,
            dsps=28,
            dsp_width=18,
            source=_LFE5U,
        ),
        Device(
            name="LFE5U-85F",
            family="ecp5",
            luts=83640,
            flip_flops=83640,
            block_rams=208,
            block_ram_bits=18432,
            block_ram_width=36,
            dsps=156,
            dsp_width=18,
            source=_LFE5U,
        ),
        Device(
            name="GW2A-18",
            family="gowin",
            luts=20736,
            flip_flops=15552,
            block_rams=46,
            block_ram_bits=18432,
            block_ram_width=36,
            dsps=48,
            dsp_width=18,
            source=_GW2A,
        ),
    )
}

_ULX3S_PINS = {"clk": "G2", "reset_n": "D6", "serial_in": "M1", "serial_out": "L4", "led": "B2"}

BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        Board(
            name="icebreaker",
            title="iCEBreaker V1.0",
            device=DEVICES["iCE40UP5K"],
            package="sg48",
            speed="",
            clock=12e6,
            target=60e6,
            pins={"clk": "35", "reset_n": "10", "serial_in": "6", "serial_out": "9", "led": "37"},
            pulls_up=("reset_n", "serial_in"),
            note="reset is the button beside the USB plug, the LED lights when low",
        ),
        Board(
            name="hx8k",
            title="iCE40-HX8K breakout board",
            device=DEVICES["iCE40HX8K"],
            package="ct256",
            speed="",
            clock=12e6,
            target=150e6,
            pins={
                "clk": "J3",
                "reset_n": "A16",
                "serial_in": "B10",
                "serial_out": "B12",
                "led": "B5",
            },
            pulls_up=("reset_n", "serial_in"),
            note="a bench target for comparison: without DSP, reset on the USB bridge's DTR",
        ),
        Board(
            name="ulx3s",
            title="ULX3S with LFE5U-25F",
            device=DEVICES["LFE5U-25F"],
            package="CABGA381",
            speed="6",
            clock=25e6,
            target=200e6,
            pins=_ULX3S_PINS,
            pulls_up=("reset_n", "serial_in"),
            note="the 25F variant; reset is the power button",
        ),
        Board(
            name="ulx3s-85f",
            title="ULX3S with LFE5U-85F",
            device=DEVICES["LFE5U-85F"],
            package="CABGA381",
            speed="6",
            clock=25e6,
            target=200e6,
            pins=_ULX3S_PINS,
            pulls_up=("reset_n", "serial_in"),
            note="the 85F variant; reset is the power button",
        ),
    )
}

_WORDS = {
    "lut": "LUTs",
    "ff": "flip-flops",
    "block_ram": "block RAMs",
    "dsp": "DSP multipliers",
}


def board(name: str) -> Board:
    """Return the board of that name.

    Raises
    ------
    DesignError
        If there is none.
    """
    if name not in BOARDS:
        raise DesignError(f"board must be one of {', '.join(sorted(BOARDS))}, not {name!r}")
    return BOARDS[name]


def check_fits(needs: Mapping[str, int], target: Board) -> None:
    """Refuse a design that needs more of something than the board's device has.

    Parameters
    ----------
    needs : mapping
        Counts by the keys of `Device.capacity`; other keys are ignored.
    target : Board

    Raises
    ------
    DesignError
        Naming the resource that is exceeded most, the need and the capacity.
    """
    capacity = target.device.capacity
    over = {
        key: needs[key] / max(1, capacity[key])
        for key in capacity
        if needs.get(key, 0) > capacity[key]
    }
    if over:
        worst = max(over, key=lambda key: over[key])
        raise DesignError(
            f"the design needs {needs[worst]} {_WORDS[worst]}, but {target.name} "
            f"({target.device.name}) has {capacity[worst]}"
        )
