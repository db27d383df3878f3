"""Adaptation on the way to a design: a rule works in floating point, its result becomes codes.

The float model has the weights of the codes that were drawn (`rchw.train.twin`). A rule of
`rchw.adapt` changes it on the training inputs, as the input codes say them; validation and test
samples are never read. What has changed is coded anew, each with as many fraction bits as its width
leaves room for: gains and biases of each unit, and the weights between units. The readout is
trained behind that, on states of the integers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt import RULES, History, Stopping, parse_parameters
from rchw.adapt.layer import Layer
from rchw.design import InputChannel, MatrixLayer, RingLayer, UnitCodes
from rchw.fixed import QFormat, decode, encode
from rchw.model.deep import DeepModel
from rchw.reservoir import Reservoir
from rchw.train.matrices import dense_codes, sparse_codes, weight_format
from rchw.train.twin import float_twin

__all__ = ["GAIN_BITS", "adapted_layers"]

GAIN_BITS = 8  # of gains and biases, if nothing is said
_TAP_BITS = 8


def adapted_layers(
    layers: Sequence[RingLayer | MatrixLayer],
    channels: Sequence[InputChannel],
    inputs: ArrayLike,
    rule: str,
    parameters: str | None = None,
    *,
    gain_bits: int | None = None,
    weight_bits: int | None = None,
    stopping: Stopping | None = None,
) -> tuple[tuple[RingLayer | MatrixLayer, ...], History]:
    """Adapt the layers of a design and code what has changed.

    Parameters
    ----------
    layers : sequence of RingLayer or MatrixLayer
        In series; later ones read the one before.
    channels : sequence of InputChannel
    inputs : array (T, K)
        Real inputs of the training samples.
    rule : str
        One of `rchw.adapt.RULES`.
    parameters : str, optional
        Of the rule, as of `rchw.adapt.parse_parameters`.
    gain_bits, weight_bits : int, optional
        Of gains and biases, and of weights that the rule changes; 8 if not given.
    stopping : Stopping, optional
        Of a rule that may stop early, with a target for each of the inputs.

    Returns
    -------
    layers : tuple of the same
    history : History
        Of the float model.

    Raises
    ------
    DesignError
        If the rule refuses, or a value does not fit its width.
    """
    values = np.asarray(inputs, dtype=np.float64)
    codes = [
        decode(channel.encoder.encode(values[:, k], channel.format), channel.format)
        for k, channel in enumerate(channels)
    ]
    twin = float_twin(layers)
    signal = np.stack(codes, axis=1)
    given: dict[str, Any] = dict(parse_parameters(rule, parameters))
    if stopping is not None:
        given["stopping"] = stopping
    model, history = RULES[rule](twin, signal, **given)
    pairs = zip(layers, _parts(twin), _parts(model), strict=True)
    return tuple(
        _coded(layer, before, after, gain_bits or GAIN_BITS, weight_bits or _TAP_BITS)
        for layer, before, after in pairs
    ), history


def _parts(model: Reservoir) -> list[Layer]:
    return [Layer.of(part) for part in (model.layers if isinstance(model, DeepModel) else [model])]


def _coded(
    layer: RingLayer | MatrixLayer, before: Layer, after: Layer, gain_bits: int, weight_bits: int
) -> RingLayer | MatrixLayer:
    """The layer with codes for what the rule has changed, and the others as they were."""
    changes: dict[str, Any] = {}
    if not np.array_equal(after.gain, before.gain):
        changes["gain"] = UnitCodes(*_codes(after.gain, gain_bits, "gains")[::-1])
    if not np.array_equal(after.bias, before.bias):
        changes["bias"], changes["bias_format"] = _codes(after.bias, gain_bits, "biases")
    if not np.array_equal(after.weights, before.weights):
        if isinstance(layer, MatrixLayer):
            make = dense_codes if layer.matrix.kind == "dense" else sparse_codes
            changes["matrix"] = make(after.matrix(), weight_bits)
        else:
            fmt = weight_format(after.weights, weight_bits)
            rows = encode(after.weights, fmt).tolist()
            changes["tap_format"] = fmt
            changes["taps"] = tuple(
                replace(tap, weights=tuple(row)) for tap, row in zip(layer.taps, rows, strict=True)
            )
    return replace(layer, **changes)


def _codes(values: NDArray[np.float64], width: int, what: str) -> tuple[tuple[int, ...], QFormat]:
    fmt = weight_format(values, width, what)
    return tuple(encode(values, fmt).tolist()), fmt
