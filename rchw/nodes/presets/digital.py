"""Digital rings in the frame of the devices, as presets: what every device is compared with."""

import numpy as np

from rchw import topology
from rchw.model import RingModel
from rchw.nodes.digital import ReservoirNode
from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.presets.preset import NodeInfo, Preset, Size, whole
from rchw.reference import ReferenceReservoir
from rchw.train import Hyperparameters, TrainOptions, build_design

__all__ = ["NODES"]

_FEEDBACK = (0.9, 0.75, 0.5, 0.96875)
_SCALING = (0.25, 0.125, 0.5)
_BIAS = (0.125, 0.0, 0.25)


def _cycle(size: Size, feedback: float, scaling: float, bias: float) -> PhysicalReservoir:
    signs = topology.auto_signs(size.units, size.inputs)
    taps = topology.cycle(size.units, feedback)
    model = RingModel(taps, signs * scaling, signs[0] * bias)
    return _framed(ReservoirNode(model), size)


def _integer(
    size: Size, feedback: float, scaling: float, bias: float, state_bits: float
) -> PhysicalReservoir:
    bits = whole("state_bits", state_bits)
    options = TrainOptions(units=size.units, input_bits=8, state_bits=bits)
    hyper = Hyperparameters(feedback=feedback, input_scaling=scaling, bias=bias)
    ends = np.array([[-1.0], [1.0]])
    design = build_design(options, hyper, np.repeat(ends, size.inputs, axis=1), ends)
    node = ReservoirNode(ReferenceReservoir(design), design.inputs[0].format, design.layer.state)
    return _framed(node, size)


def _framed(node: ReservoirNode, size: Size) -> PhysicalReservoir:
    return PhysicalReservoir(node, Drive(-1.0, 1.0), Mask("direct"), n_inputs=size.inputs)


NODES = (
    NodeInfo(
        "cycle",
        "simple cycle in floating point, its states observed like those of a device",
        (
            Preset(
                "rodan-tino",
                "tanh, signs of the digits of pi",
                "Rodan and Tino, IEEE Trans. Neural Netw. 22, 131 (2011)",
                100,
                _cycle,
                {"feedback": _FEEDBACK, "scaling": _SCALING, "bias": _BIAS},
            ),
        ),
    ),
    NodeInfo(
        "integer-cycle",
        "simple cycle in integers, as the circuit computes it",
        (
            Preset(
                "clip",
                "shift-add weights, states clipped",
                "the design of `rchw train`",
                100,
                _integer,
                {
                    "feedback": (0.90625, 0.75, 0.5, 0.96875),
                    "scaling": _SCALING,
                    "bias": _BIAS,
                    "state_bits": (16.0,),
                },
                "state_bits",
            ),
        ),
    ),
)
