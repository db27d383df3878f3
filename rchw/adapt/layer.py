"""One layer taken apart, as every rule works on it, and put together again.

Rings and matrices become the same tables: unit ``i`` adds ``weights[m, i]`` times unit
``sources[m, i]``, for one m after the other. A rule changes copies of weights, gains or biases and
puts them back; layers in series are adapted one after the other, each driven by the adapted layers
before it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt.history import LayerHistory
from rchw.errors import DesignError
from rchw.model.deep import DeepModel
from rchw.model.matrix import MatrixModel
from rchw.model.recurrence import per_unit
from rchw.model.ring import RingModel
from rchw.model.scaling import matrix_radius
from rchw.reservoir import Reservoir

__all__ = ["Layer", "each_layer", "float_inputs"]

Values = NDArray[np.float64]
AdaptLayer = Callable[["Layer", Values], tuple["Layer", LayerHistory]]


@dataclass(frozen=True, eq=False)
class Layer:
    """A `rchw.model.MatrixModel` or `rchw.model.RingModel` taken apart; arrays are copies.

    ``x_i(t) = (1 - a_i) x_i(t-1) + a_i f(g_i s_i(t) + b_i)`` with the net input
    ``s_i(t) = sum_m weights[m, i] x[sources[m, i]](t-1) + sum_c V[c, i] u_c(t)``.

    Attributes
    ----------
    sources : int64 array (M, N)
    weights : float64 array (M, N)
        Without gain.
    present : bool array (M, N)
        Where there is a connection; the others only fill up the table, with weight 0.
    input_weights : float64 array (K, N)
        V, without gain.
    gain, bias, leak_rate : float64 arrays (N,)
    activation : str
    compiled : bool
    model : MatrixModel or RingModel
        What it was taken from.
    """

    sources: NDArray[np.int64]
    weights: Values
    present: NDArray[np.bool_]
    input_weights: Values
    gain: Values
    bias: Values
    leak_rate: Values
    activation: str
    compiled: bool
    model: MatrixModel | RingModel

    @classmethod
    def of(cls, model: Reservoir) -> "Layer":
        """Take a model apart.

        Raises
        ------
        DesignError
            If it is neither a matrix nor a ring with leaks.
        """
        if isinstance(model, MatrixModel):
            sources, weights, present = _matrix_table(np.array(model.weights, dtype=np.float64))
        elif isinstance(model, RingModel):
            sources, weights = _ring_table(model)
            present = weights != 0
        else:
            raise DesignError(
                f"reservoir to adapt must be a MatrixModel, a RingModel or a DeepModel of those, "
                f"not a {type(model).__name__}"
            )
        n_units = model.n_units
        return cls(
            sources,
            weights,
            present,
            np.array(model.input_weights, dtype=np.float64),
            per_unit(model.gain, n_units, "gain"),
            per_unit(model.bias, n_units, "bias"),
            per_unit(model.leak_rate, n_units, "leak rate"),
            model.activation,
            model.compiled,
            model,
        )

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return int(self.weights.shape[1])

    def with_(self, **changed: Any) -> "Layer":
        """Return the layer with other `weights`, `gain` or `bias`."""
        return replace(self, **changed)

    def drive(self, inputs: Values) -> Values:
        """What the units get of inputs (T, K), without gain and bias: (T, N)."""
        drive = np.zeros((len(inputs), self.n_units))
        for channel, row in enumerate(self.input_weights):  # no BLAS: a fixed order of sums
            read = np.flatnonzero(row)  # where every unit has an input of its own it is one of many
            drive[:, read] += inputs[:, channel, None] * row[read]
        return drive

    def matrix(self) -> Values:
        """W, (N, N), without gain."""
        full = np.zeros((self.n_units, self.n_units))
        place, unit = np.nonzero(self.present)
        full[unit, self.sources[place, unit]] = self.weights[place, unit]
        return full

    def radius(self) -> float:
        """Spectral radius of ``diag(gain) W``."""
        if isinstance(self.model, RingModel) and len(self.weights) == 1:
            if gcd(self.model.taps[0][0], self.n_units) == 1:  # one closed path through all units
                around = np.abs(self.gain * self.weights[0])
                return float(np.exp(np.log(around).mean())) if around.all() else 0.0
        return matrix_radius(self.gain[:, None] * self.matrix())

    def rebuild(self) -> MatrixModel | RingModel:
        """Put the model together with the weights, gains and biases that the layer has now."""
        if isinstance(self.model, RingModel):
            offsets = [offset for offset, _ in self.model.taps]
            taps = list(zip(offsets, self.weights, strict=True))
            return replace(self.model, taps=taps, gain=self.gain, bias=self.bias)
        return replace(self.model, weights=self.matrix(), gain=self.gain, bias=self.bias)


def _matrix_table(matrix: Values) -> tuple[NDArray[np.int64], Values, NDArray[np.bool_]]:
    """Columns from left to right, those without a connection last."""
    present = matrix != 0
    most = max(int(present.sum(axis=1).max()), 1)
    columns = np.argsort(~present, axis=1, kind="stable")[:, :most]
    values = np.take_along_axis(matrix, columns, axis=1)
    there = np.take_along_axis(present, columns, axis=1)
    return (
        np.ascontiguousarray(columns.T),
        np.ascontiguousarray(values.T),
        np.ascontiguousarray(there.T),
    )


def _ring_table(model: RingModel) -> tuple[NDArray[np.int64], Values]:
    units = np.arange(model.n_units)
    sources = [(units - offset) % model.n_units for offset, _ in model.taps]
    tables = [np.array(weights, dtype=np.float64) for _, weights in model.taps]
    shape = (len(tables), model.n_units)
    return (
        np.array(sources, dtype=np.int64).reshape(shape),
        np.array(tables, dtype=np.float64).reshape(shape),
    )


def float_inputs(inputs: ArrayLike, n_inputs: int) -> Values:
    """Inputs as (T, K) float64.

    Raises
    ------
    DesignError
        If the shape is another, there is no sample, or a number is not finite.
    """
    signal = np.asarray(inputs, dtype=np.float64)
    if signal.ndim == 1:
        signal = signal[:, None]
    if signal.ndim != 2 or signal.shape[1] != n_inputs or not len(signal):
        raise DesignError(f"inputs must have shape (T, {n_inputs}), not {signal.shape}")
    if not np.isfinite(signal).all():
        raise DesignError("inputs must be finite, not NaN or infinite")
    return signal


def each_layer(
    reservoir: Reservoir, inputs: ArrayLike, adapt: AdaptLayer
) -> tuple[Reservoir, tuple[LayerHistory, ...]]:
    """Adapt a reservoir, or its layers in series from the first to the last.

    Parameters
    ----------
    reservoir : MatrixModel, RingModel or DeepModel of those
    inputs : array (T, K), or (T,) if K is 1
    adapt : callable
        From a `Layer` and its inputs (T, K') to the adapted layer and its history.

    Raises
    ------
    DesignError
        If the reservoir is none of these, inputs do not fit, or the rule refuses.
    """
    signal = float_inputs(inputs, reservoir.n_inputs)
    if not isinstance(reservoir, DeepModel):
        layer, history = adapt(Layer.of(reservoir), signal)
        return layer.rebuild(), (history,)
    models: list[Reservoir] = []
    histories: list[LayerHistory] = []
    drive = signal
    for model in reservoir.layers:
        if models:
            states = models[-1].run(drive)
            sees_inputs = model.n_inputs > states.shape[1]
            drive = np.concatenate([states, signal], axis=1) if sees_inputs else states
        layer, history = adapt(Layer.of(model), drive)
        models.append(layer.rebuild())
        histories.append(history)
    return DeepModel(models), tuple(histories)
