"""Oscillators, a macrospin and stochastic junctions, as presets."""

from dataclasses import replace

from rchw.errors import DesignError
from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.presets.preset import NodeInfo, Preset, Size, devices
from rchw.nodes.spintronic import (
    AutoOscillator,
    AutoOscillatorParameters,
    Macrospin,
    OscillatorArray,
    SpinWaveRing,
    Superparamagnetic,
)

__all__ = ["NODES"]


def _torrejon(size: Size, swing: float, relaxation: float) -> PhysicalReservoir:
    """The relaxation time is that of the power at twice the threshold."""
    if not relaxation > 0:
        raise DesignError(f"relaxation must be above 0 s, not {relaxation:g}")
    parameters = AutoOscillatorParameters(damping=1 / (2 * relaxation))
    node = AutoOscillator(1, size.units, parameters)
    drive = Drive(6e-3 - swing, 6e-3 + swing)
    return PhysicalReservoir(node, drive, Mask("binary", size.seed), n_inputs=size.inputs)


def _macrospin(size: Size, swing: float, step: float) -> PhysicalReservoir:
    node = Macrospin(1, size.units, interval=0.2e-9, step=step, solver="dop853")
    drive = Drive(2e-3, 2e-3 + swing)
    return PhysicalReservoir(node, drive, Mask("binary", size.seed), n_inputs=size.inputs)


def _array(size: Size, swing: float, coupling: float) -> PhysicalReservoir:
    node = OscillatorArray(devices(size, 4), 4, coupling=coupling)
    drive = Drive(6e-3 - swing, 6e-3 + swing)
    return PhysicalReservoir(node, drive, Mask("binary", size.seed), n_inputs=size.inputs)


def _watt(size: Size, gain: float, swing: float) -> PhysicalReservoir:
    """Both in decibel: of the ring without input, and how far the input changes it."""
    bare = SpinWaveRing(1, size.units)
    loss = float((bare.parameters.of_devices(1)["amplification"] - bare.ring_gain)[0])
    ring = replace(bare, parameters=replace(bare.parameters, amplification=gain + loss))
    mask = Mask("binary", size.seed)
    return PhysicalReservoir(ring, Drive(-swing, swing), mask, n_inputs=size.inputs)


def _telegraph(size: Size, swing: float, interval: float) -> PhysicalReservoir:
    node = Superparamagnetic(devices(size, 4), 4, members=1000, interval=interval, seed=size.seed)
    high = swing * node.limit
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(-high, high), mask, n_inputs=size.inputs)


NODES = (
    NodeInfo(
        "spintronic",
        "vortex auto-oscillator, its amplitude read",
        (
            Preset(
                "torrejon",
                "one oscillator, 100 ns per virtual node",
                "after Torrejon et al., Nature 547, 428 (2017); numbers not confirmed",
                24,
                _torrejon,
                {"swing": (2.5e-3, 1.5e-3, 4e-3), "relaxation": (410e-9, 250e-9, 1000e-9)},
            ),
        ),
    ),
    NodeInfo(
        "spintronic-macrospin",
        "one magnetisation with spin torque",
        (
            Preset(
                "kubota",
                "0.2 ns per virtual node, steps of 20 ps, of order 8",
                "constants of public code after Kubota et al.",
                24,
                _macrospin,
                {"swing": (4e-3, 2e-3), "step": (20e-12,)},
            ),
        ),
    ),
    NodeInfo(
        "spintronic-array",
        "coupled auto-oscillators",
        (
            Preset(
                "square",
                "a square of oscillators, 4 currents per sample",
                "model of Slavin and Tiberkevich; constants chosen",
                64,
                _array,
                {"swing": (2e-3, 1e-3, 3e-3), "coupling": (10e6, 3e6, 30e6)},
            ),
        ),
    ),
    NodeInfo(
        "spintronic-ring",
        "spin waves in an active ring, changed by its gain",
        (
            Preset(
                "watt",
                "one ring, round trip of 14 intervals of 10 ns",
                "after Watt and Kostylev, arXiv 2005.12557 (2020); equation and numbers chosen",
                40,
                _watt,
                {"gain": (0.7, 0.2, 2.0), "swing": (0.5, 0.2, 1.0)},
            ),
        ),
    ),
    NodeInfo(
        "spintronic-superparamagnetic",
        "ensembles of junctions that switch by heat",
        (
            Preset(
                "telegraph",
                "1,000 junctions per reading, 4 voltages per sample",
                "two-state model; constants chosen",
                40,
                _telegraph,
                {"swing": (0.5, 0.25, 0.9), "interval": (1e-7, 1e-6, 1e-5)},
            ),
        ),
    ),
)
