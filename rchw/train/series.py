"""Layers in series: the options of each, and what a layer reads of the one before.

All layers are of one kind and share the hyperparameters, but each has a matrix and signs of its
own, and a leak: the shift rises from layer to layer, so that later layers are slower. The first
reads the inputs, a later one the states of the layer before, after the same sample. A matrix layer
reads them through a matrix drawn at random, a ring unit by unit; `inter_scaling` is the 2-norm of
either.

Source: C. Gallicchio, A. Micheli, L. Pedrelli, "Deep reservoir computing: a critical experimental
analysis", Neurocomputing 268, 2017.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rchw import topology
from rchw.design import (
    InputChannel,
    LevelInput,
    LinearInput,
    MatrixInput,
    MatrixLayer,
    RingLayer,
    Tap,
    TapsInput,
)
from rchw.fixed import QFormat
from rchw.train.drawn import WEIGHT_BITS, drawn_feed, spread_shifts
from rchw.train.families import EULERS, MATRICES
from rchw.train.layer import Bias, dyadic, make_layer
from rchw.train.matrices import dense_codes, sparse_codes
from rchw.train.options import Hyperparameters, TrainOptions

__all__ = ["in_series", "layer_options", "layer_signs"]

_STATE_BITS = 12  # of rings too, as they leak
_SLOWEST = 15


def layer_options(options: TrainOptions, hyper: Hyperparameters) -> tuple[TrainOptions, ...]:
    """Options of every layer by itself, leaks included; of one layer the options as they are."""
    if options.reservoir != "deep":
        return (options,)
    shifts = _leak_shifts(options, hyper, len(options.layer_units))
    return tuple(
        replace(
            options, reservoir=options.kind, layers=None, layer_reservoir=None, units=units,
            lanes=lanes, leak_shift=shift, leak_shifts=None,
            state_bits=options.state_bits or _STATE_BITS,
        )
        for units, lanes, shift in zip(
            options.layer_units, options.layer_lanes, shifts, strict=True
        )
    )  # fmt: skip


def _leak_shifts(options: TrainOptions, hyper: Hyperparameters, layers: int) -> list[int]:
    """S of every layer."""
    if options.kind in EULERS:
        return [0] * layers
    if options.leak_range is not None:
        return spread_shifts(layers, options.leak_range)
    if options.leak_shift is not None:
        return [options.leak_shift] * layers
    return [min(hyper.leak_shift + place * hyper.leak_rise, _SLOWEST) for place in range(layers)]


def layer_signs(sizes: Sequence[int], place: int, window: int) -> NDArray[np.int64]:
    """Signs (N,) of a later layer: digits of pi, behind those of earlier layers.

    Parameters
    ----------
    sizes : sequence of int
        Units of all layers.
    place : int
        Of which the layer is this one.
    window : int
        Leaves out this many times the units of all layers.
    """
    return topology.pi_signs(sizes[place], window * sum(sizes) + sum(sizes[:place]))


def in_series(
    parts: Sequence[TrainOptions],
    hyper: Hyperparameters,
    channels: Sequence[InputChannel],
    inputs: Sequence[LinearInput | LevelInput],
    bias: Bias,
) -> tuple[RingLayer | MatrixLayer, ...]:
    """Make all layers.

    Parameters
    ----------
    parts : sequence of TrainOptions
        Of every layer, as of `layer_options`.
    hyper : Hyperparameters
    channels, inputs, bias
        Of the first layer.

    Raises
    ------
    DesignError
        If a hyperparameter or a width is out of range.
    """
    if len(parts) == 1:
        return (make_layer(parts[0], hyper, inputs, bias),)
    named = [
        replace(entry, source=channel.name) for entry, channel in zip(inputs, channels, strict=True)
    ]
    layers = [make_layer(parts[0], hyper, named, bias, name="layer1")]
    sizes = [part.units for part in parts]
    for place, part in enumerate(parts[1:], start=1):
        signs = layer_signs(sizes, place, hyper.window)
        read = _feed(part, hyper, layers[-1], signs, place)
        own = _bias(hyper, signs, layer_signs(sizes, place, hyper.window + 1))
        layers.append(make_layer(part, hyper, [read], own, place, name=f"layer{place + 1}"))
    return tuple(layers)


def _feed(
    options: TrainOptions,
    hyper: Hyperparameters,
    before: RingLayer | MatrixLayer,
    signs: NDArray[np.int64],
    place: int,
) -> MatrixInput | TapsInput:
    """What a later layer reads."""
    if options.reservoir not in MATRICES:
        codes, fmt = dyadic(signs * hyper.inter_scaling, "inter scaling")
        return TapsInput(before.name, fmt, (Tap(0, tuple(codes.tolist())),))
    values = drawn_feed(
        options.units, before.n_units, hyper.inter_scaling, density=options.density or 1.0,
        seed=options.seed, window=hyper.window, place=place,
    )  # fmt: skip
    make = dense_codes if options.density in (None, 1) else sparse_codes
    width = options.weight_bits or WEIGHT_BITS
    return MatrixInput(before.name, make(values, width, columns=before.n_units))


def _bias(hyper: Hyperparameters, signs: NDArray[np.int64], others: NDArray[np.int64]) -> Bias:
    """Signs of the layer, or of their own, times the magnitude that all layers share."""
    if hyper.bias == 0 or hyper.bias_signs == "none":
        return (0,) * len(signs), QFormat(2, 0)
    chosen = others if hyper.bias_signs == "independent" else signs
    codes, fmt = dyadic(chosen * hyper.bias, "bias")
    return tuple(codes.tolist()), fmt
