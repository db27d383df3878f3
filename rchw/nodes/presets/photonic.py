"""Delay loops, a network on a chip, a ring and a laser, as presets."""

from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.photonic import (
    LaserParameters,
    LowPassIkeda,
    LowPassIkedaParameters,
    MackeyGlass,
    MackeyGlassParameters,
    Microring,
    MicroringParameters,
    SemiconductorLaser,
    SineIkeda,
    SineIkedaParameters,
    Swirl,
)
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.presets.preset import NodeInfo, Preset, Size, whole

__all__ = ["NODES"]

_SWIRL = 16  # nodes of the network, four by four
_FIELD = 1e-3**0.5  # of a source of 1 mW


def _appeltant(size: Size, strength: float, input_gain: float) -> PhysicalReservoir:
    parameters = MackeyGlassParameters(strength=strength, input_gain=input_gain)
    node = MackeyGlass(size.units, parameters=parameters)
    mask = Mask("mls", size.seed)
    return PhysicalReservoir(node, Drive(-1.0, 1.0), mask, n_inputs=size.inputs)


def _paquot(size: Size, strength: float, input_gain: float, bias: float) -> PhysicalReservoir:
    parameters = SineIkedaParameters(feedback=strength, input_gain=input_gain, bias=bias)
    node = SineIkeda(size.units, parameters=parameters)
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(-1.0, 1.0), mask, n_inputs=size.inputs)


def _larger(size: Size, strength: float, input_gain: float, bias: float) -> PhysicalReservoir:
    parameters = LowPassIkedaParameters(strength=strength, input_gain=input_gain, bias=bias)
    node = LowPassIkeda(size.units, parameters=parameters)
    mask = Mask("binary", size.seed)
    return PhysicalReservoir(node, Drive(-1.0, 1.0), mask, n_inputs=size.inputs)


def _vandoorne(size: Size, hops: float) -> PhysicalReservoir:
    """All 16 powers are read every so many delays, as often as gives the units."""
    n_virtual = max(1, round(size.units / _SWIRL))
    node = Swirl(4, 4, n_virtual=n_virtual, hops=whole("hops", hops), seed=size.seed)
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(0.0, _FIELD), mask, n_inputs=size.inputs)


def _ring(size: Size, high: float, detuning: float) -> PhysicalReservoir:
    node = Microring(size.units, parameters=MicroringParameters(detuning=detuning))
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(0.0, high), mask, n_inputs=size.inputs)


def _laser(size: Size, high: float, pump: float) -> PhysicalReservoir:
    """The feedback comes back one virtual node after the mask has begun anew."""
    interval = 20e-12
    node = SemiconductorLaser(
        size.units,
        parameters=LaserParameters(pump=pump, injection=1e11),
        interval=interval,
        delay=interval * (size.units + 1),
    )
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(0.0, high), mask, n_inputs=size.inputs)


NODES = (
    NodeInfo(
        "photonic-ikeda",
        "opto-electronic loop with a sine",
        (
            Preset(
                "paquot",
                "instantaneous, desynchronised by one node",
                "after Paquot et al., Sci. Rep. 2, 287 (2012); recursion not confirmed",
                50,
                _paquot,
                {
                    "strength": (0.9, 0.8, 0.7, 0.95),
                    "input_gain": (0.2, 0.1, 0.4),
                    "bias": (0.0, 0.2, 0.4),
                },
            ),
            Preset(
                "larger",
                "slow electronics, sine squared",
                "after Larger et al., Opt. Express 20, 3241 (2012); times of public code",
                400,
                _larger,
                {
                    "strength": (0.8, 1.2, 1.6),
                    "input_gain": (0.5, 0.9, 0.2),
                    "bias": (0.2, 0.7854, -0.7854),
                },
            ),
        ),
    ),
    NodeInfo(
        "photonic-mackey-glass",
        "delay loop with a Mackey-Glass node",
        (
            Preset(
                "appeltant",
                "exponent 1, maximum-length mask",
                "after Appeltant et al., Nat. Commun. 2, 468 (2011) and public code",
                400,
                _appeltant,
                {
                    "strength": (0.5, 0.4, 0.6, 0.7, 0.8),
                    "input_gain": (0.05, 0.02, 0.01, 0.1),
                },
            ),
        ),
    ),
    NodeInfo(
        "photonic-swirl",
        "passive silicon network of four by four nodes, with detectors",
        (
            Preset(
                "vandoorne",
                "6.25 ps between nodes",
                "after Vandoorne et al., Nat. Commun. 5, 3541 (2014), and public code",
                64,
                _vandoorne,
                {"hops": (1.0, 2.0, 3.0)},
            ),
        ),
    ),
    NodeInfo(
        "photonic-microring",
        "silicon ring resonator with carriers and heat",
        (
            Preset(
                "silicon",
                "radius of 50 um, drop port, no delay loop",
                "constants of public code on coupled modes; couplings and loss chosen",
                50,
                _ring,
                {"high": (1e-3, 1e-4, 3e-3), "detuning": (0.0, -1e9, 1e9)},
            ),
        ),
    ),
    NodeInfo(
        "photonic-laser",
        "semiconductor laser with feedback and injected light",
        (
            Preset(
                "lang-kobayashi",
                "20 ps between nodes, feedback desynchronised by one node",
                "constants of public code; injection chosen",
                50,
                _laser,
                {"high": (1e10, 3e9, 3e10), "pump": (1.11, 1.0, 1.3)},
            ),
        ),
    ),
)
