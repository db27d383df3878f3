"""Leaky echo state networks in floating point: any matrix, leaks and gains of each unit.

``x_i(t) = (1 - a_i) x_i(t-1) + a_i f(g_i (sum_j W[i, j] x_j(t-1) + sum_c V[c, i] u_c(t)) + b_i)``
with leak rates ``a``, gains ``g`` and ``f`` one of tanh, clip to [-1, 1], linear, or fermi.

Source: H. Jaeger, "The echo state approach to analysing and training recurrent neural networks",
GMD Report 148, 2001; with one leak rate per unit, G. Tanaka et al., "Reservoir computing with
diverse timescales for prediction of multiscale dynamics", Phys. Rev. Research 4, L032014, 2022.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.model.recurrence import (
    FloatModel,
    Update,
    checked_terms,
    finish_row,
    jitted,
    per_unit,
)

__all__ = ["MatrixModel", "Rows", "square_matrix"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MatrixModel(FloatModel):
    """A leaky echo state network in float64; a `rchw.reservoir.Reservoir`.

    Parameters
    ----------
    weights : array (N, N)
        W: unit ``i`` reads unit ``j`` times ``W[i, j]``. Where most are 0 only the others are
        computed, with the same states.
    input_weights : array (K, N)
        One row per channel.
    bias : array (N,) or float
        Added before the activation, beyond the gain.
    leak_rate : array (N,) or float
        a, above 0 and at most 1; 1 is no leak.
    gain : array (N,) or float
        Multiplies what a unit reads of units and inputs. Here it is multiplied into the weights.
    activation : str
        ``"tanh"``, ``"clip"``, ``"linear"`` or ``"fermi"``.
    compiled : bool
        Use numba if it can be imported. Linear and clip give the same bits either way, tanh the
        same to 1e-12.

    Raises
    ------
    DesignError
        If a shape, a leak rate or the activation is out of range.
    """

    weights: ArrayLike
    input_weights: ArrayLike
    bias: ArrayLike = 0.0
    leak_rate: ArrayLike = 1.0
    gain: ArrayLike = 1.0
    activation: str = "tanh"
    compiled: bool = True
    _rows: "Rows" = field(init=False, repr=False)
    _update: Update = field(init=False, repr=False)
    _input_weights: Values = field(init=False, repr=False)
    _bias: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        inputs, bias = checked_terms(self.input_weights, self.bias)
        n_units = inputs.shape[1]
        gain = per_unit(self.gain, n_units, "gain")
        matrix = square_matrix(self.weights, n_units)
        object.__setattr__(self, "_rows", Rows.of(gain[:, None] * matrix))
        object.__setattr__(self, "_update", Update.leaky(self.leak_rate, n_units, self.activation))
        object.__setattr__(self, "_input_weights", inputs * gain)
        object.__setattr__(self, "_bias", bias)

    @property
    def recurrent_weights(self) -> Values:
        """What unit ``i`` reads of unit ``j``, (N, N)."""
        return self._rows.dense()

    def _fill(self, drive: Values, state: Values) -> None:
        self._rows.fill(drive, state, self._update, self.compiled)


def square_matrix(weights: ArrayLike, n_units: int | None = None) -> Values:
    """A matrix (N, N) as float64; `n_units` is N where it is known.

    Raises
    ------
    DesignError
        If the shape is another or a weight is not finite.
    """
    matrix = np.asarray(weights, dtype=np.float64)
    size = f"{n_units}, {n_units}" if n_units is not None else "N, N"
    fits = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 0
    if not fits or n_units not in (None, len(matrix)):
        raise DesignError(f"weights must have shape ({size}), not {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise DesignError("weights and bias must be finite, not NaN or infinite")
    return matrix


@dataclass(frozen=True, eq=False)
class Rows:
    """A matrix by the order in which its products are added, and the recurrence through it.

    Unit ``i`` adds ``weights[m, i]`` times unit ``sources[m, i]`` for one m after the other, its
    columns from left to right. So a state does not depend on how many samples a run has, as it
    would with a matrix product of a library, and units can be computed side by side.

    Attributes
    ----------
    sources : int64 array (M, N), or (0, N) of a dense matrix
        A dense matrix has unit ``m`` at every place of row ``m``.
    weights : float64 array (M, N)
    """

    sources: NDArray[np.int64]
    weights: Values

    @classmethod
    def of(cls, matrix: Values) -> "Rows":
        """Rows of a matrix (N, N), without its zeros if no unit has more than N / 2 others."""
        n_units = len(matrix)
        present = matrix != 0
        most = int(present.sum(axis=1).max())
        if 2 * most > n_units:
            return cls(np.zeros((0, n_units), dtype=np.int64), np.ascontiguousarray(matrix.T))
        # Stable: what is there comes first and keeps its order; what fills up has weight 0.
        columns = np.argsort(~present, axis=1, kind="stable")[:, :most]
        values = np.take_along_axis(matrix, columns, axis=1)
        return cls(np.ascontiguousarray(columns.T), np.ascontiguousarray(values.T))

    def dense(self) -> Values:
        """The same as a matrix (N, N)."""
        n_units = self.weights.shape[1]
        if not len(self.sources):
            return self.weights.T.copy()
        matrix = np.zeros((n_units, n_units))
        np.add.at(matrix, (np.arange(n_units), self.sources), self.weights)
        return matrix

    def fill(self, drive: Values, state: Values, update: Update, compiled: bool) -> None:
        """Turn drives (T, N) into states in place, from a state (N,)."""
        kernel = _compiled_steps() if compiled else None
        loop = _numpy_steps if kernel is None else kernel
        loop(drive, state, self.sources, self.weights, *update.arguments)


def _numpy_steps(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    keep: Values,
    rate: Values,
    blend: bool,
    activation: int,
) -> None:
    """Turn drives (T, N) into states in place, all units side by side."""
    for row in drive:
        if len(sources):
            for source, table in zip(sources, weights, strict=True):
                row += table * state[source]
        else:
            for value, table in zip(state, weights, strict=False):
                row += table * value
        finish_row(row, state, keep, rate, blend, activation)
        state = row


def _scalar_steps(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    keep: Values,
    rate: Values,
    blend: bool,
    activation: int,
) -> None:
    """Do the same unit by unit, for a compiler."""
    n_units = state.size
    dense = sources.shape[0] == 0
    total = np.empty(n_units)
    for t in range(drive.shape[0]):
        for i in range(n_units):
            total[i] = drive[t, i]
        for m in range(weights.shape[0]):
            if dense:
                value = state[m]
                for i in range(n_units):
                    total[i] += weights[m, i] * value
            else:
                for i in range(n_units):
                    total[i] += weights[m, i] * state[sources[m, i]]
        for i in range(n_units):
            value = total[i]
            if activation == 0:
                value = np.tanh(value)
            elif activation == 1:
                value = min(max(value, -1.0), 1.0)
            elif activation == 3:
                value = 0.5 + 0.5 * np.tanh(0.5 * value)
            if blend:
                value = keep[i] * state[i] + rate[i] * value
            drive[t, i] = value
        state = drive[t]


@lru_cache(maxsize=1)
def _compiled_steps() -> Callable[..., Any] | None:
    """`_scalar_steps` through numba, or None where numba is not installed."""
    return jitted(_scalar_steps)
