"""Light: delay loops, lasers, resonators, waveguide networks and meshes of interferometers."""

from rchw.nodes.photonic.ikeda import (
    LowPassIkeda,
    LowPassIkedaParameters,
    SineIkeda,
    SineIkedaParameters,
)
from rchw.nodes.photonic.lang_kobayashi import LaserParameters
from rchw.nodes.photonic.laser import SemiconductorLaser
from rchw.nodes.photonic.mackey_glass import MackeyGlass, MackeyGlassParameters
from rchw.nodes.photonic.mesh import (
    MziMesh,
    OpticalWeights,
    fidelity,
    rectangle,
    triangle,
    weights_in_light,
)
from rchw.nodes.photonic.microring import Microring, MicroringParameters
from rchw.nodes.photonic.swirl import Swirl, SwirlParameters

__all__ = [
    "LaserParameters",
    "LowPassIkeda",
    "LowPassIkedaParameters",
    "MackeyGlass",
    "MackeyGlassParameters",
    "Microring",
    "MicroringParameters",
    "MziMesh",
    "OpticalWeights",
    "SemiconductorLaser",
    "SineIkeda",
    "SineIkedaParameters",
    "Swirl",
    "SwirlParameters",
    "fidelity",
    "rectangle",
    "triangle",
    "weights_in_light",
]
