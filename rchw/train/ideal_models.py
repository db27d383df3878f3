"""Float reservoirs of a point that a search has chosen, layers in series among them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rchw import topology
from rchw.model.deep import DeepModel
from rchw.model.euler import EulerModel, EulerRingModel
from rchw.model.matrix import MatrixModel
from rchw.model.recurrence import FloatModel
from rchw.model.ring import RingModel
from rchw.reservoir import Reservoir
from rchw.train.drawn import drawn_connections, drawn_feed, spread_rates
from rchw.train.families import MATRICES, OPEN, parse_range
from rchw.train.ideal_options import IdealOptions, IdealPoint
from rchw.train.series import layer_signs

__all__ = ["float_model"]

Values = NDArray[np.float64]
Driven = tuple[Values, Values]  # input weights (K, N) and bias (N,)


def float_model(options: IdealOptions, point: IdealPoint, n_inputs: int) -> Reservoir:
    """Make the reservoir of K channels."""
    sizes = options.layer_units
    first = replace(
        options, reservoir=options.kind, n_units=sizes[0], layers=None, layer_reservoir=None
    )
    driven = _driven(first, point, n_inputs)
    if options.reservoir != "deep":
        return _layer(first, point, driven, _rate(options, point))
    alone = replace(first, leak_shifts=None)
    rates = _layer_rates(options, point)
    layers = [_layer(alone, point, driven, rates[0])]
    for place in range(1, len(sizes)):
        part = replace(alone, n_units=sizes[place])
        fed = _fed(part, point, sizes, place)
        layers.append(_layer(part, point, fed, rates[place], place))
    return DeepModel(layers)


def _rate(options: IdealOptions, point: IdealPoint) -> Values | float:
    """Leak rates of one layer, or their one."""
    if options.reservoir != "leaky":
        return 1.0
    if options.leak_shifts is None:
        return point.leak_rate
    return spread_rates(options.n_units, parse_range(options.leak_shifts))


def _layer_rates(options: IdealOptions, point: IdealPoint) -> list[float]:
    """Leak rates of layers in series."""
    layers = len(options.layer_units)
    if options.leak_shifts is not None:
        return list(map(float, spread_rates(layers, parse_range(options.leak_shifts))))
    return [point.leak_rate * point.leak_ratio**place for place in range(layers)]


def _layer(
    options: IdealOptions,
    point: IdealPoint,
    driven: Driven,
    rate: Values | float,
    place: int = 0,
) -> FloatModel:
    """Make one layer; ``rate`` means nothing to those that take steps."""
    if options.reservoir in MATRICES:
        matrix = drawn_connections(
            options.reservoir, options.n_units, options.scaling or "radius", point.radius,
            density=options.density or 1.0, leak_rate=rate, seed=options.seed,
            window=point.window, place=place,
        )  # fmt: skip
        if options.reservoir == "euler":  # of half of it the model takes the difference
            return EulerModel(matrix / 2, *driven, point.step, point.diffusion, options.activation)
        return MatrixModel(matrix, *driven, leak_rate=rate, activation=options.activation)
    if options.reservoir == "euler-ring":
        return EulerRingModel(
            point.feedback, *driven, point.step, point.diffusion, options.activation
        )
    n = options.n_units
    if options.reservoir == "delay-line":
        taps = topology.delay_line(n, point.feedback)
    elif options.reservoir == "delay-line-feedback":
        taps = topology.delay_line_feedback(n, point.feedback, point.backward)
    elif options.reservoir == "cycle-jumps":
        length = min(point.jump_length, n // 2)
        taps = topology.cycle_jumps(n, point.feedback, length, point.jump_weight)
    else:
        taps = topology.cycle(n, point.feedback)
    return RingModel(taps, *driven, leak_rate=float(rate), activation=options.activation)


def _driven(options: IdealOptions, point: IdealPoint, n_inputs: int) -> Driven:
    """What a layer gets from the inputs."""
    n, skip = options.n_units, point.window * options.n_units * n_inputs
    if n == 2 and options.reservoir in OPEN:
        signs = topology.pi_signs(n * n_inputs, skip).reshape(n_inputs, n)
    else:
        signs = topology.auto_signs(n, n_inputs, skip)
    weights = signs.astype(np.float64)
    if point.levels:
        weights = topology.level_weights(signs, skip=skip)
    bias_signs = signs[0]
    if point.bias_signs == "independent":
        bias_signs = topology.pi_signs(n, (n_inputs + 1) * n)
    return weights * point.input_scaling, bias_signs.astype(np.float64) * point.bias


def _fed(options: IdealOptions, point: IdealPoint, sizes: tuple[int, ...], place: int) -> Driven:
    """What a later layer gets from the layer before."""
    signs, n_source = layer_signs(sizes, place, point.window), sizes[place - 1]
    if options.reservoir in MATRICES:
        read: Values = drawn_feed(
            options.n_units, n_source, point.inter_scaling, density=options.density or 1.0,
            seed=options.seed, window=point.window, place=place,
        )  # fmt: skip
    else:
        read = np.zeros((options.n_units, n_source))
        np.fill_diagonal(read, signs * point.inter_scaling)
    if point.bias_signs == "independent":
        signs = layer_signs(sizes, place, point.window + 1)
    return read.T, signs.astype(np.float64) * point.bias
