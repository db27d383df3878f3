"""Digital reservoirs in the frame of the devices, as presets: what devices are compared with."""

import numpy as np
from numpy.typing import NDArray

from rchw import topology
from rchw.model import EulerModel, EulerRingModel, MatrixModel, RingModel
from rchw.nodes.digital import ReservoirNode
from rchw.nodes.drive import Drive
from rchw.nodes.mask import Mask
from rchw.nodes.physical import PhysicalReservoir
from rchw.nodes.presets.preset import NodeInfo, Preset, Size, whole
from rchw.reference import ReferenceReservoir
from rchw.train import Hyperparameters, TrainOptions, build_design
from rchw.train.drawn import drawn_connections
from rchw.train.ideal_models import float_model
from rchw.train.ideal_options import IdealOptions, IdealPoint

__all__ = ["NODES"]

Values = NDArray[np.float64]

_FEEDBACK = (0.9, 0.75, 0.5, 0.96875)
_SCALING = (0.25, 0.125, 0.5)
_BIAS = (0.125, 0.0, 0.25)
_RADIUS = (0.9, 0.5, 1.1)
_LEAK_RATE = (1.0, 0.5, 0.125)
_EULER_RADIUS = (1.0, 0.25, 3.0)
_STEP = (0.25, 0.0625, 1.0)
_DIFFUSION = (0.25, 1.0)
_INTER_SCALING = (1.0, 0.5, 2.0)
_LAYERS = 3


def _driven(size: Size, scaling: float, bias: float) -> tuple[Values, Values]:
    signs = topology.auto_signs(size.units, size.inputs).astype(np.float64)
    return signs * scaling, signs[0] * bias


def _cycle(size: Size, feedback: float, scaling: float, bias: float) -> PhysicalReservoir:
    taps = topology.cycle(size.units, feedback)
    return _framed(ReservoirNode(RingModel(taps, *_driven(size, scaling, bias))), size)


def _leaky(
    size: Size, radius: float, leak_rate: float, scaling: float, bias: float
) -> PhysicalReservoir:
    matrix = drawn_connections("leaky", size.units, "radius", radius, seed=size.seed)
    model = MatrixModel(matrix, *_driven(size, scaling, bias), leak_rate=leak_rate)
    return _framed(ReservoirNode(model), size)


def _euler(
    size: Size, radius: float, step: float, diffusion: float, scaling: float, bias: float
) -> PhysicalReservoir:
    matrix = drawn_connections("euler", size.units, "radius", radius, seed=size.seed)
    model = EulerModel(matrix / 2, *_driven(size, scaling, bias), step, diffusion)
    return _framed(ReservoirNode(model), size)


def _euler_ring(
    size: Size, feedback: float, step: float, diffusion: float, scaling: float, bias: float
) -> PhysicalReservoir:
    model = EulerRingModel(feedback, *_driven(size, scaling, bias), step, diffusion)
    return _framed(ReservoirNode(model), size)


def _deep(
    size: Size, radius: float, leak_rate: float, inter_scaling: float, scaling: float, bias: float
) -> PhysicalReservoir:
    options = IdealOptions(
        reservoir="deep", n_units=size.units, layers=min(_LAYERS, size.units), seed=size.seed
    )
    point = IdealPoint(
        radius=radius,
        leak_rate=leak_rate,
        inter_scaling=inter_scaling,
        input_scaling=scaling,
        bias=bias,
    )
    return _framed(ReservoirNode(float_model(options, point, size.inputs)), size)


def _integer(
    size: Size, feedback: float, scaling: float, bias: float, state_bits: float
) -> PhysicalReservoir:
    options = _options("cycle", size, state_bits)
    hyper = Hyperparameters(feedback=feedback, input_scaling=scaling, bias=bias)
    return _integers(options, hyper, size)


def _integer_leaky(
    size: Size, radius: float, leak_shift: float, scaling: float, bias: float, state_bits: float
) -> PhysicalReservoir:
    options = _options("leaky", size, state_bits)
    shift = whole("leak_shift", leak_shift, 0)
    hyper = Hyperparameters(radius=radius, leak_shift=shift, input_scaling=scaling, bias=bias)
    return _integers(options, hyper, size)


def _integer_euler(
    size: Size,
    radius: float,
    step: float,
    diffusion: float,
    scaling: float,
    bias: float,
    state_bits: float,
) -> PhysicalReservoir:
    options = _options("euler", size, state_bits)
    hyper = Hyperparameters(
        radius=radius, step=step, diffusion=diffusion, input_scaling=scaling, bias=bias
    )
    return _integers(options, hyper, size)


def _integer_euler_ring(
    size: Size,
    feedback: float,
    step: float,
    diffusion: float,
    scaling: float,
    bias: float,
    state_bits: float,
) -> PhysicalReservoir:
    options = _options("euler-ring", size, state_bits)
    hyper = Hyperparameters(
        feedback=feedback, step=step, diffusion=diffusion, input_scaling=scaling, bias=bias
    )
    return _integers(options, hyper, size)


def _integer_deep(
    size: Size,
    radius: float,
    leak_shift: float,
    inter_scaling: float,
    scaling: float,
    bias: float,
    state_bits: float,
) -> PhysicalReservoir:
    options = _options("deep", size, state_bits, layers=min(_LAYERS, size.units))
    hyper = Hyperparameters(
        radius=radius,
        leak_shift=whole("leak_shift", leak_shift, 0),
        inter_scaling=inter_scaling,
        input_scaling=scaling,
        bias=bias,
    )
    return _integers(options, hyper, size)


def _options(
    reservoir: str, size: Size, state_bits: float, layers: int | None = None
) -> TrainOptions:
    return TrainOptions(
        reservoir=reservoir,
        units=size.units,
        layers=layers,
        input_bits=8,
        state_bits=whole("state_bits", state_bits),
        seed=size.seed,
    )


def _integers(options: TrainOptions, hyper: Hyperparameters, size: Size) -> PhysicalReservoir:
    ends = np.array([[-1.0], [1.0]])
    design = build_design(options, hyper, np.repeat(ends, size.inputs, axis=1), ends)
    node = ReservoirNode(
        ReferenceReservoir(design), design.inputs[0].format, design.layers[0].state
    )
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
    NodeInfo(
        "leaky",
        "leaky echo state network with a dense matrix, in floating point",
        (
            Preset(
                "jaeger",
                "tanh, one leak rate, matrix scaled to its spectral radius",
                "H. Jaeger, GMD Report 148 (2001)",
                100,
                _leaky,
                {"radius": _RADIUS, "leak_rate": _LEAK_RATE, "scaling": _SCALING, "bias": _BIAS},
            ),
        ),
    ),
    NodeInfo(
        "integer-leaky",
        "leaky echo state network with a dense matrix, in integers, as the circuit computes it",
        (
            Preset(
                "clip",
                "matrix of 8-bit weights, leaks by shifts, states clipped",
                "the design of `rchw train --reservoir leaky`",
                100,
                _integer_leaky,
                {
                    "radius": _RADIUS,
                    "leak_shift": (0.0, 1.0, 3.0),
                    "scaling": _SCALING,
                    "bias": _BIAS,
                    "state_bits": (16.0,),
                },
                "state_bits",
            ),
        ),
    ),
    NodeInfo(
        "euler",
        "Euler state network with a dense antisymmetric matrix, in floating point",
        (
            Preset(
                "gallicchio",
                "tanh, small steps along a flow that neither grows nor fades",
                "C. Gallicchio, arXiv 2203.09382 (2022)",
                100,
                _euler,
                {
                    "radius": _EULER_RADIUS,
                    "step": _STEP,
                    "diffusion": _DIFFUSION,
                    "scaling": _SCALING,
                    "bias": _BIAS[:2],
                },
            ),
        ),
    ),
    NodeInfo(
        "euler-ring",
        "Euler state network on a ring, in floating point",
        (
            Preset(
                "gallicchio",
                "tanh, one weight and one diffusion for all units",
                "C. Gallicchio, arXiv 2203.09382 (2022)",
                100,
                _euler_ring,
                {
                    "feedback": (0.5, 0.125, 1.5),
                    "step": _STEP,
                    "diffusion": _DIFFUSION,
                    "scaling": _SCALING,
                    "bias": _BIAS[:2],
                },
            ),
        ),
    ),
    NodeInfo(
        "integer-euler",
        "Euler state network with an antisymmetric matrix, in integers, as the circuit computes it",
        (
            Preset(
                "clip",
                "matrix of 8-bit weights, target clipped, states saturate",
                "the design of `rchw train --reservoir euler`",
                100,
                _integer_euler,
                {
                    "radius": _EULER_RADIUS,
                    "step": _STEP,
                    "diffusion": _DIFFUSION,
                    "scaling": _SCALING,
                    "bias": _BIAS[:2],
                    "state_bits": (16.0,),
                },
                "state_bits",
            ),
        ),
    ),
    NodeInfo(
        "integer-euler-ring",
        "Euler state network on a ring, in integers, as the circuit computes it",
        (
            Preset(
                "clip",
                "shift-add weights, target clipped, states saturate",
                "the design of `rchw train --reservoir euler-ring`",
                100,
                _integer_euler_ring,
                {
                    "feedback": (0.5, 0.125, 1.5),
                    "step": _STEP,
                    "diffusion": _DIFFUSION,
                    "scaling": _SCALING,
                    "bias": _BIAS[:2],
                    "state_bits": (16.0,),
                },
                "state_bits",
            ),
        ),
    ),
    NodeInfo(
        "deep",
        "three leaky echo state networks in series, in floating point",
        (
            Preset(
                "gallicchio",
                "tanh, dense matrices, leak rates halved from layer to layer",
                "Gallicchio, Micheli and Pedrelli, Neurocomputing 268, 87 (2017)",
                100,
                _deep,
                {
                    "radius": _RADIUS,
                    "leak_rate": _LEAK_RATE[:2],
                    "inter_scaling": _INTER_SCALING,
                    "scaling": _SCALING,
                    "bias": _BIAS[:2],
                },
            ),
        ),
    ),
    NodeInfo(
        "integer-deep",
        "three leaky echo state networks in series, in integers, as the circuit computes them",
        (
            Preset(
                "clip",
                "matrices of 8-bit weights, leaks by shifts that rise by one, states clipped",
                "the design of `rchw train --reservoir deep`",
                100,
                _integer_deep,
                {
                    "radius": _RADIUS,
                    "leak_shift": (0.0, 1.0),
                    "inter_scaling": _INTER_SCALING,
                    "scaling": _SCALING,
                    "bias": _BIAS[:2],
                    "state_bits": (16.0,),
                },
                "state_bits",
            ),
        ),
    ),
)
