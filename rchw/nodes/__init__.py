"""Physical substrates, emulated: devices with SI parameters, their drives, masks and detectors."""

from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.node import Node
from rchw.nodes.observe import Observation
from rchw.nodes.parameters import Parameters
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.variation import Variation, vary, vary_node

__all__ = [
    "Drive",
    "Mask",
    "Node",
    "Observation",
    "Parameters",
    "PhysicalReservoir",
    "Variation",
    "vary",
    "vary_node",
]
