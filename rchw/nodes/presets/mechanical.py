"""Springs, a soft arm and a culture of neurons, as presets."""

import math

from rchw.nodes.biological import Culture, Wiring
from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.mechanical import SoftArm, SpringNetwork
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.presets.preset import NodeInfo, Preset, Size, whole

__all__ = ["NODES"]


def _hauser(size: Size, force: float, interval: float) -> PhysicalReservoir:
    """About three springs per mass."""
    masses = max(4, round(size.units / 2.6))
    node = SpringNetwork.drawn(masses, size.seed, interval)
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(-force, force), mask, n_inputs=size.inputs)


def _nakajima(size: Size, angle: float, interval: float) -> PhysicalReservoir:
    """Steps of 2.5 ms: curvatures are right to 2e-4 of the largest when commands jump at random."""
    steps = max(1, math.ceil(interval / 2.5e-3))
    node = SoftArm(2 * size.units, size.units, interval=interval, steps=steps)
    drive = Drive(-angle, angle)
    return PhysicalReservoir(node, drive, Mask("none"), n_inputs=size.inputs)


def _culture(size: Size, high: float, steps: float) -> PhysicalReservoir:
    rows = max(2, round(math.sqrt(size.units + 4)))
    wiring = Wiring(16 * rows**2, rows=rows, seed=size.seed)
    node = Culture(wiring, steps=whole("steps", steps), seed=size.seed)
    mask = Mask("analog", size.seed)
    return PhysicalReservoir(node, Drive(0.0, high), mask, n_inputs=size.inputs)


NODES = (
    NodeInfo(
        "mechanical",
        "masses, cubic springs and dampers; the springs are read",
        (
            Preset(
                "hauser",
                "a random triangulation, a fifth of the masses pushed",
                "after Hauser et al., Biol. Cybern. 105, 355 (2011), and the author's toolbox",
                78,
                _hauser,
                {"force": (1.0, 5.0, 20.0), "interval": (0.05, 0.1, 0.2)},
            ),
        ),
    ),
    NodeInfo(
        "mechanical-arm",
        "planar soft arm in water, turned at its base; the curvature is read",
        (
            Preset(
                "nakajima",
                "two segments per bend sensor",
                "after Nakajima et al. (2013, 2015); constants chosen, no figure confirmed",
                10,
                _nakajima,
                {"angle": (0.5, 1.0), "interval": (0.1, 0.2, 0.5)},
            ),
        ),
    ),
    NodeInfo(
        "biological",
        "cultured network on an electrode array; spikes are counted",
        (
            Preset(
                "izhikevich",
                "16 neurons per electrode; every electrode stimulates and is read",
                "model of Izhikevich with depressing synapses; constants quoted from memory",
                60,
                _culture,
                {"high": (1.0, 0.5), "steps": (40.0, 20.0)},
            ),
        ),
    ),
)
