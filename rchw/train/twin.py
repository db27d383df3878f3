"""The float model with the weights of a design: what its integers come near to.

Weights, biases, gains and leaks are the real values of the codes; states are not rounded. A clip
stays a clip at -1 and 1; segments and tables, which training makes from tanh, become tanh.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rchw.activation import Clip
from rchw.errors import DesignError
from rchw.fixed import decode
from rchw.layers import LinearInput, MatrixInput, TapsInput
from rchw.model.deep import DeepModel
from rchw.model.matrix import MatrixModel
from rchw.model.ring import RingModel
from rchw.units import MatrixLayer, RingLayer

__all__ = ["float_twin"]

Values = NDArray[np.float64]


def float_twin(layers: Sequence[RingLayer | MatrixLayer]) -> MatrixModel | RingModel | DeepModel:
    """Make the float model of layers as `rchw.train.build_design` makes them.

    Its inputs are the real values of the input codes, (T, K).

    Raises
    ------
    DesignError
        If a layer takes steps of Euler or reads thresholds, which no float model of leaks has.
    """
    models: list[MatrixModel | RingModel] = []
    for layer in layers:
        before = models[-1].n_units if models else 0
        models.append(_model(layer, before))
    return models[0] if len(models) == 1 else DeepModel(models)


def _model(layer: RingLayer | MatrixLayer, n_before: int) -> MatrixModel | RingModel:
    if layer.step is not None:
        raise DesignError(f"layer to have a float model must leak, not be of {layer.family}")
    n_units = layer.n_units
    read = np.concatenate([_read(entry, n_units, n_before) for entry in layer.inputs])
    bias = decode(layer.bias, layer.bias_format)
    gain = np.ones(n_units) if layer.gain is None else decode(layer.gain.codes, layer.gain.format)
    leak = 2.0 ** -np.array(layer.leak_shifts, dtype=np.float64)
    activation = "clip" if isinstance(layer.activation, Clip) else "tanh"
    if isinstance(layer, RingLayer):
        taps = [(tap.offset, decode(tap.weights, layer.tap_format)) for tap in layer.taps]
        return RingModel(taps, read, bias, float(leak[0]), activation, gain=gain)
    matrix = _dense(layer.connections, n_units) * layer.connection_format.resolution
    return MatrixModel(matrix, read, bias, leak, gain, activation)


def _read(entry: object, n_units: int, n_before: int) -> Values:
    """Weights (K, N) of one channel, or of the layer before."""
    if isinstance(entry, LinearInput):
        return decode(entry.weights, entry.format)[None]
    if isinstance(entry, MatrixInput | TapsInput):
        rows = entry.rows(n_units, n_before)
        return _dense(rows, n_before).T * entry.format.resolution
    raise DesignError("inputs of a float model must have weights, not thresholds")


def _dense(rows: Sequence[Sequence[tuple[int, int]]], columns: int) -> Values:
    """Codes (N, columns) of what every unit reads."""
    matrix = np.zeros((len(rows), columns))
    for unit, row in enumerate(rows):
        for source, code in row:
            matrix[unit, source] = code
    return matrix
