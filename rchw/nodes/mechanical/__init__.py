"""Mechanical substrates: networks of springs, and a soft arm in water."""

from rchw.nodes.mechanical.arm import ArmParameters, SoftArm
from rchw.nodes.mechanical.lattice import ANCHORS, Lattice, MassParameters, SpringParameters
from rchw.nodes.mechanical.springs import SpringNetwork

__all__ = [
    "ANCHORS",
    "ArmParameters",
    "Lattice",
    "MassParameters",
    "SoftArm",
    "SpringNetwork",
    "SpringParameters",
]
