"""Energy per sample, item by item: the device, its converters and the readout, never one alone.

Every figure is an estimate of an order of magnitude, and says where it is from. What the table
leaves out (clocks, memories of signals, amplifiers, cooling, the host) only adds to it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.nodes import PhysicalReservoir
from rchw.nodes.digital import ReservoirNode

__all__ = ["Item", "energy", "ring_energy", "total"]

Values = NDArray[np.float64]

_STEP = 50e-15  # J per conversion step
_STEP_SOURCE = (
    "50 fJ per conversion step, assumed: published ones reach 2 to 10 fJ, fast ones need more"
)
_BITS = 8  # of a converter that the emulation leaves out
_PRODUCT = 14 * (0.2e-12 + 10e-12 / 8)  # J, of one weight with its fetch
_FPGA = (
    "0.2 pJ per product, 1.25 pJ per weight from SRAM: 8 bits, 45 nm, Horowitz, ISSCC 2014; 14 "
    "times that in an FPGA: Kuon and Rose, IEEE TCAD 26, 203 (2007)"
)

# Watts of a whole node, and where the figure is from.
_POWER: dict[str, tuple[float, str]] = {
    "photonic-ikeda": (50e-3, "laser of 10 mW at an efficiency of 20 %; recalled, not confirmed"),
    "photonic-mackey-glass": (10e-3, "an analog circuit of a few amplifiers; assumed"),
    "photonic-swirl": (
        5e-3,
        "light of 1 mW from a laser of 20 %; the network itself takes none; recalled",
    ),
    "photonic-microring": (10e-3, "heater of 1 to 10 mW, its upper end; recalled, not confirmed"),
    "photonic-laser": (50e-3, "laser of 10 mW at an efficiency of 20 %; recalled, not confirmed"),
    "spintronic": (1e-3, "order of the bias power of a vortex oscillator; recalled"),
    "spintronic-macrospin": (1e-3, "order of the bias power of an oscillator; recalled"),
}
_PER_DEVICE: dict[str, tuple[float, str]] = {
    "spintronic-array": (1e-3, "order of the bias power of an oscillator; recalled"),
}


@dataclass(frozen=True)
class Item:
    """One line of the table.

    Attributes
    ----------
    name : str
    joules : float or None
        Per sample; None where no figure is known.
    source : str
    """

    name: str
    joules: float | None
    source: str

    def facts(self) -> dict[str, Any]:
        """As a record has it."""
        return {"name": self.name, "joules": self.joules, "source": self.source}


def energy(
    name: str,
    reservoir: PhysicalReservoir,
    drives: Values,
    readings: Values,
    outputs: int,
) -> tuple[Item, ...]:
    """Itemise the energy per sample.

    Parameters
    ----------
    name : str
        Of the node, as in `rchw.nodes.presets.NODES`.
    reservoir : PhysicalReservoir
    drives, readings : float64 arrays (T, D), (T, N)
        Of a run; a memristor's power is voltage times current.
    outputs : int
        L.
    """
    node, n_units = reservoir.node, reservoir.n_units
    if isinstance(node, ReservoirNode):
        return ring_energy(n_units, reservoir.n_inputs, outputs)
    readout = Item("readout", n_units * outputs * _PRODUCT, _FPGA)
    dac, adc = reservoir.drive.bits or _BITS, reservoir.observation.bits or _BITS
    return (
        _bias(name, reservoir, drives, readings),
        Item("DAC", node.n_drives * _STEP * 2**dac, f"{dac} bits, as an ADC; {_STEP_SOURCE}"),
        Item("ADC", n_units * _STEP * 2**adc, f"{adc} bits; {_STEP_SOURCE}"),
        readout,
    )


def ring_energy(n_units: int, n_inputs: int, outputs: int) -> tuple[Item, ...]:
    """Itemise the energy per sample of a digital cycle in an FPGA, as `energy` does.

    Its one tap and its weights of K channels count as products; in shifts and additions they cost
    less.
    """
    return (
        Item("reservoir", n_units * (1 + n_inputs) * _PRODUCT, _FPGA),
        Item("readout", n_units * outputs * _PRODUCT, _FPGA),
    )


def total(items: tuple[Item, ...]) -> float | None:
    """Sum in joules; None if a part of it is not known."""
    parts = [item.joules for item in items]
    return None if None in parts else float(sum(part for part in parts if part is not None))


def _bias(name: str, reservoir: PhysicalReservoir, drives: Values, readings: Values) -> Item:
    """What the device itself takes."""
    node = reservoir.node
    seconds = node.interval * node.n_virtual
    if getattr(node, "read_voltage", None) is not None:
        return Item("device", None, "no figure: the current of the pulses is not read")
    if node.drive_unit == "V" and node.reading_unit == "A" and drives.shape == readings.shape:
        power = float(np.abs(drives * readings).mean()) * node.n_devices
        return Item("device", power * seconds, "mean voltage times current of the emulation")
    if name in _PER_DEVICE:
        watts, source = _PER_DEVICE[name]
        return Item("device", watts * node.n_devices * seconds, source)
    if name in _POWER:
        watts, source = _POWER[name]
        return Item("device", watts * seconds, source)
    return Item("device", None, "no figure known")
