"""Memristors and networks of them, as presets."""

import math

from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.memristive import (
    BalanceMemristor,
    BalanceParameters,
    DriftMemristor,
    DynamicMemristor,
    DynamicParameters,
    NanowireNetwork,
    OxideMemristor,
    OxideParameters,
    VteamMemristor,
    Wiring,
)
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.presets.preset import NodeInfo, Preset, Size, devices

__all__ = ["NODES"]


def _zhong(
    size: Size, low: float, high: float, retention: float, n_virtual: int = 4
) -> PhysicalReservoir:
    node = DynamicMemristor(
        devices(size, n_virtual), n_virtual, DynamicParameters(retention=retention)
    )
    mask = Mask("binary", size.seed)
    return PhysicalReservoir(node, Drive(low, high), mask, n_inputs=size.inputs)


def _du(size: Size, high: float, relaxation: float) -> PhysicalReservoir:
    """Ten pulse widths, over and over, make the memristors differ."""
    widths = tuple(0.2e-3 * (1 + k % 10) for k in range(size.units))
    parameters = OxideParameters(pulse=widths, relaxation=relaxation)
    node = OxideMemristor(size.units, 1, parameters, read_voltage=0.6)
    return PhysicalReservoir(
        node, Drive(0.0, high), Mask("analog", size.seed), n_inputs=size.inputs
    )


def _balance(size: Size, high: float, step: float) -> PhysicalReservoir:
    node = BalanceMemristor(devices(size, 4), 4, BalanceParameters(step=step))
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(0.0, high), mask, n_inputs=size.inputs)


def _drift(size: Size, high: float) -> PhysicalReservoir:
    node = DriftMemristor(devices(size, 4), 4, substeps=8)
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(-high, high), mask, n_inputs=size.inputs)


def _vteam(size: Size, high: float) -> PhysicalReservoir:
    node = VteamMemristor(devices(size, 4), 4)
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(-high, high), mask, n_inputs=size.inputs)


def _nanowire(size: Size, across: float, step: float) -> PhysicalReservoir:
    """A square grid with random diagonals, driven at one corner, grounded at the other.

    The drive grows with the side, so that an edge sees about `across` volts in a network of any
    size.
    """
    side = max(2, math.ceil(math.sqrt(size.units + 2)))
    wiring = Wiring.grid(side, side, diagonals=size.seed)
    last = side * side - 1
    probes, high = tuple(range(1, last))[: size.units], 1.4 * across * (side - 1)
    node = NanowireNetwork(
        wiring,
        (0,),
        (last,),
        probes=probes,
        parameters=BalanceParameters(step=step),
        limit=1.01 * high,
    )
    return PhysicalReservoir(node, Drive(0.0, high), Mask("none"), n_inputs=size.inputs)


NODES = (
    NodeInfo(
        "memristive",
        "volatile dynamic memristors, pulse by pulse",
        (
            Preset(
                "zhong",
                "25 devices with 4 pulses per sample, masks of signs",
                "Zhong et al., Nat. Commun. 12, 408 (2021), published code",
                100,
                _zhong,
                {"low": (-0.8, 0.0, -2.0), "high": (2.5, 1.5, 3.5), "retention": (0.99, 0.9, 0.7)},
            ),
        ),
    ),
    NodeInfo(
        "memristive-oxide",
        "tungsten-oxide memristors with exponential relaxation",
        (
            Preset(
                "du",
                "ten pulse widths, read at 0.6 V after the pulse",
                "after Du et al., Nat. Commun. 8, 2204 (2017); constants loose",
                90,
                _du,
                {"high": (1.2, 0.8, 1.5), "relaxation": (50e-3, 5e-3, 15e-3)},
            ),
        ),
    ),
    NodeInfo(
        "memristive-balance",
        "potentiation and depression in balance",
        (
            Preset(
                "connectome",
                "25 devices with 4 voltages per sample",
                "constants of Milano et al., Neural Networks 150, 137 (2022), published code",
                100,
                _balance,
                {"high": (1.5, 1.0, 2.0), "step": (0.05, 0.01, 0.2)},
            ),
        ),
    ),
    NodeInfo(
        "memristive-drift",
        "ion drift in a window; does not forget, so a weak reservoir",
        (
            Preset(
                "hp",
                "25 devices with 4 voltages per sample, window of Biolek",
                "HP device as in public SPICE models",
                100,
                _drift,
                {"high": (1.0, 0.5)},
            ),
        ),
    ),
    NodeInfo(
        "memristive-vteam",
        "voltage thresholds; does not forget, so a weak reservoir",
        (
            Preset(
                "memtorch",
                "25 devices with 4 voltages per sample",
                "defaults of MemTorch",
                100,
                _vteam,
                {"high": (0.3, 0.2)},
            ),
        ),
    ),
    NodeInfo(
        "memristive-nanowire",
        "a network of such edges, its node voltages read",
        (
            Preset(
                "grid",
                "a square grid with random diagonals between two corners",
                "constants of Milano et al., Neural Networks 150, 137 (2022), published code",
                60,
                _nanowire,
                {"across": (0.5, 0.3, 0.7), "step": (0.05, 0.2)},
            ),
        ),
    ),
)
