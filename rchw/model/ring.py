"""The ring engine in floating point: cycles, delay lines and jumps as one recurrence.

``x_i(t) = (1 - a) x_i(t-1) + a f(sum_k w_k[i] x_(i - o_k)(t-1) + sum_c V[c, i] u_c(t) + b_i)``
with taps ``(o_k, w_k)``, leak rate ``a`` and ``f`` one of tanh, clip to [-1, 1], or linear.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["ACTIVATIONS", "RingModel"]

Values = NDArray[np.float64]
ACTIVATIONS = ("tanh", "clip", "linear")


@dataclass(frozen=True, eq=False)
class RingModel:
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
        ``"tanh"``, ``"clip"`` or ``"linear"``.
    compiled : bool
        Use numba if it can be imported. Linear and clip give the same bits either way, tanh the
        same to 1e-12.

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
    _offsets: NDArray[np.int64] = field(init=False, repr=False)
    _tap_weights: Values = field(init=False, repr=False)
    _input_weights: Values = field(init=False, repr=False)
    _bias: Values = field(init=False, repr=False)

    def __post_init__(self) -> None:
        weights = np.array(self.input_weights, dtype=np.float64)
        if weights.ndim != 2 or weights.size == 0:
            raise DesignError(f"input weights must have shape (K, N), not {weights.shape}")
        n_units = weights.shape[1]
        tables = [np.asarray(table, dtype=np.float64) for _, table in self.taps]
        for (offset, _), table in zip(self.taps, tables, strict=True):
            if table.shape != (n_units,):
                raise DesignError(
                    f"weights of tap {offset} must have shape ({n_units},), not {table.shape}"
                )
        bias = np.array(self.bias, dtype=np.float64)
        if bias.shape not in ((), (n_units,)):
            raise DesignError(f"bias must have shape () or ({n_units},), not {bias.shape}")
        if not 0 < self.leak_rate <= 1:
            raise DesignError(f"leak rate must be above 0 and at most 1, not {self.leak_rate}")
        if self.activation not in ACTIVATIONS:
            names = ", ".join(ACTIVATIONS)
            raise DesignError(f"activation must be one of {names}, not {self.activation!r}")
        offsets = np.array([offset % n_units for offset, _ in self.taps], dtype=np.int64)
        stacked = np.stack(tables) if tables else np.zeros((0, n_units))
        if not all(np.isfinite(a).all() for a in (weights, bias, stacked)):
            raise DesignError("weights and bias must be finite, not NaN or infinite")
        object.__setattr__(self, "_offsets", offsets)
        object.__setattr__(self, "_tap_weights", stacked)
        object.__setattr__(self, "_input_weights", weights)
        object.__setattr__(self, "_bias", np.broadcast_to(bias, (n_units,)).copy())

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return int(self._input_weights.shape[1])

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        return int(self._input_weights.shape[0])

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """Drive the ring; ``states[t]`` is the state after ``inputs[t]``.

        Parameters
        ----------
        inputs : array (T, K), or (T,) if K is 1
        state : array (N,), optional
            State before the first input; zero by default.

        Returns
        -------
        float64 array (T, N)

        Raises
        ------
        DesignError
            If a shape does not fit or an input is not finite.
        """
        signal = np.asarray(inputs, dtype=np.float64)
        if signal.ndim == 1:
            signal = signal[:, None]
        if signal.ndim != 2 or signal.shape[1] != self.n_inputs:
            raise DesignError(f"inputs must have shape (T, {self.n_inputs}), not {signal.shape}")
        if not np.isfinite(signal).all():
            raise DesignError("inputs must be finite, not NaN or infinite")
        start = np.zeros(self.n_units) if state is None else np.array(state, dtype=np.float64)
        if start.shape != (self.n_units,):
            raise DesignError(f"state must have shape ({self.n_units},), not {start.shape}")
        # Row by row in a fixed order (no BLAS): a chunk gives the same bits as the whole.
        drive = np.broadcast_to(self._bias, (len(signal), self.n_units)).copy()
        for channel in range(self.n_inputs):
            drive += signal[:, channel, None] * self._input_weights[channel]
        kernel = _compiled_steps() if self.compiled else None
        if kernel is None:
            _numpy_steps(drive, start, self._offsets, self._tap_weights, *self._law)
        else:
            kernel(drive, start, self._offsets, self._tap_weights, *self._law)
        return drive

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """The states of `run`, and the last of them."""
        states = self.run(inputs, state)
        if len(states):
            return states, states[-1]
        return states, np.zeros(self.n_units) if state is None else np.array(state, np.float64)

    @property
    def _law(self) -> tuple[float, int]:
        return float(self.leak_rate), ACTIVATIONS.index(self.activation)


def _numpy_steps(
    drive: Values,
    state: Values,
    offsets: NDArray[np.int64],
    weights: Values,
    leak_rate: float,
    activation: int,
) -> None:
    """Turn drives (T, N) into states in place, one line of the recurrence after the other."""
    units = np.arange(state.size)
    sources = [(units - offset) % state.size for offset in offsets]
    for row in drive:
        for source, table in zip(sources, weights, strict=True):
            row += table * state[source]
        if activation == 0:
            np.tanh(row, out=row)
        elif activation == 1:
            np.clip(row, -1.0, 1.0, out=row)
        if leak_rate != 1.0:
            row[:] = (1.0 - leak_rate) * state + leak_rate * row
        state = row


def _scalar_steps(
    drive: Values,
    state: Values,
    offsets: NDArray[np.int64],
    weights: Values,
    leak_rate: float,
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
            if leak_rate != 1.0:
                value = (1.0 - leak_rate) * state[i] + leak_rate * value
            drive[t, i] = value
        state = drive[t]


@lru_cache(maxsize=1)
def _compiled_steps() -> Callable[..., Any] | None:
    """`_scalar_steps` through numba, or None where numba is not installed."""
    try:
        numba: Any = importlib.import_module("numba")
    except ImportError:
        return None
    kernel: Callable[..., Any] = numba.njit(cache=True)(_scalar_steps)
    return kernel
