"""The ring engine in floating point: cycles, delay lines and jumps as one recurrence.

``x_i(t) = (1 - a) x_i(t-1)
+ a f(g_i (sum_k w_k[i] x_(i - o_k)(t-1) + sum_c V[c, i] u_c(t)) + b_i)``
with taps ``(o_k, w_k)``, leak rate ``a``, gains ``g`` and ``f`` one of tanh, clip to [-1, 1],
linear, or fermi.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.model.recurrence import (
    ACTIVATIONS,
    FloatModel,
    Update,
    checked_terms,
    finish_row,
    jitted,
    per_unit,
)

__all__ = ["ACTIVATIONS", "RingModel", "Taps"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RingModel(FloatModel):
    """A ring reservoir in float64; a `rchw.reservoir.Reservoir`.

    Parameters
    ----------
    taps : sequence of (int, array (N,))
        As made by `rchw.topology`: unit ``i`` reads unit ``(i - offset) mod N``.
    input_weights : array (K, N)
        One row per channel.
    bias : array (N,) or float
        Added before the activation.
    leak_rate : float
        a, above 0 and at most 1; 1 is no leak.
    activation : str
        ``"tanh"``, ``"clip"``, ``"linear"`` or ``"fermi"``.
    compiled : bool
        Use numba if it can be imported. Linear and clip give the same bits either way, tanh the
        same to 1e-12.
    gain : array (N,) or float
        Multiplies what a unit reads of units and inputs. Here it is multiplied into the weights.

    Raises
    ------
    DesignError
        If a shape, the leak rate or the activation is out of range.
    """

    taps: Sequence[tuple[int, ArrayLike]]
    input_weights: ArrayLike
    bias: ArrayLike = 0.0
    leak_rate: float = 1.0
    activation: str = "tanh"
    compiled: bool = True
    gain: ArrayLike = 1.0
    _taps: "Taps" = field(init=False, repr=False)
    _update: Update = field(init=False, repr=False)
    _input_weights: Values = field(init=False, repr=False)
    _bias: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        weights, bias = checked_terms(self.input_weights, self.bias)
        n_units = weights.shape[1]
        gain = per_unit(self.gain, n_units, "gain")
        object.__setattr__(self, "_taps", Taps.of(self.taps, n_units).times(gain))
        object.__setattr__(self, "_update", Update.leaky(self.leak_rate, n_units, self.activation))
        object.__setattr__(self, "_input_weights", weights * gain)
        object.__setattr__(self, "_bias", bias)

    @property
    def recurrent_weights(self) -> Values:
        """What unit ``i`` reads of unit ``j``, (N, N)."""
        return self._taps.dense()

    def _fill(self, drive: Values, state: Values) -> None:
        self._taps.fill(drive, state, self._update, self.compiled)


@dataclass(frozen=True, eq=False)
class Taps:
    """Taps as arrays, and the recurrence through them.

    Attributes
    ----------
    offsets : int64 array (K,)
    weights : float64 array (K, N)
    """

    offsets: NDArray[np.int64]
    weights: Values

    @classmethod
    def of(cls, taps: Sequence[tuple[int, ArrayLike]], n_units: int) -> "Taps":
        """Taps (offset, array (N,)) of a ring of so many units.

        Raises
        ------
        DesignError
            If a shape does not fit or a weight is not finite.
        """
        tables = [np.asarray(table, dtype=np.float64) for _, table in taps]
        for (offset, _), table in zip(taps, tables, strict=True):
            if table.shape != (n_units,):
                raise DesignError(
                    f"weights of tap {offset} must have shape ({n_units},), not {table.shape}"
                )
        offsets = np.array([offset % n_units for offset, _ in taps], dtype=np.int64)
        weights = np.stack(tables) if tables else np.zeros((0, n_units))
        if not np.isfinite(weights).all():
            raise DesignError("weights and bias must be finite, not NaN or infinite")
        return cls(offsets, weights)

    def dense(self) -> Values:
        """The same as a matrix (N, N)."""
        if not len(self.offsets):
            return np.zeros((self.weights.shape[1],) * 2)
        return topology.dense(list(zip(self.offsets.tolist(), self.weights, strict=True)))

    def times(self, gain: Values) -> "Taps":
        """Return the same taps, with what each unit reads times its gain, (N,)."""
        return Taps(self.offsets, self.weights * gain)

    def fill(self, drive: Values, state: Values, update: Update, compiled: bool) -> None:
        """Turn drives (T, N) into states in place, from a state (N,)."""
        kernel = _compiled_steps() if compiled else None
        loop = _numpy_steps if kernel is None else kernel
        loop(drive, state, self.offsets, self.weights, *update.arguments)


def _numpy_steps(
    drive: Values,
    state: Values,
    offsets: NDArray[np.int64],
    weights: Values,
    keep: Values,
    rate: Values,
    blend: bool,
    activation: int,
) -> None:
    """Turn drives (T, N) into states in place, one line of the recurrence after the other."""
    units = np.arange(state.size)
    sources = [(units - offset) % state.size for offset in offsets]
    for row in drive:
        for source, table in zip(sources, weights, strict=True):
            row += table * state[source]
        finish_row(row, state, keep, rate, blend, activation)
        state = row


def _scalar_steps(
    drive: Values,
    state: Values,
    offsets: NDArray[np.int64],
    weights: Values,
    keep: Values,
    rate: Values,
    blend: bool,
    activation: int,
) -> None:
    """Do the same unit by unit, for a compiler."""
    n_units = state.size
    for t in range(drive.shape[0]):
        for k in range(offsets.size):
            offset = offsets[k]
            for i in range(offset):
                drive[t, i] += weights[k, i] * state[n_units - offset + i]
            for i in range(offset, n_units):
                drive[t, i] += weights[k, i] * state[i - offset]
        for i in range(n_units):
            value = drive[t, i]
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
