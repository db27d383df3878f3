"""What the models share: checked inputs and states, the update of a unit, and the compiler.

Every model computes ``x(t) = keep * x(t-1) + rate * f(s(t))``, unit by unit; ``s`` is the sum of
its recurrent terms, its inputs and its bias. Leaky integration keeps ``1 - a`` and has the rate
``a``; an Euler step keeps all and has its step size for a rate. ``fermi`` is the logistic function
``1 / (1 + exp(-s))``, computed as ``(1 + tanh(s / 2)) / 2``, which never overflows.
"""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = [
    "ACTIVATIONS",
    "FloatModel",
    "LastState",
    "Update",
    "checked_terms",
    "finish_row",
    "jitted",
    "per_unit",
]

Values = NDArray[np.float64]
ACTIVATIONS = ("tanh", "clip", "linear", "fermi")


def checked_terms(input_weights: ArrayLike, bias: ArrayLike) -> tuple[Values, Values]:
    """Copies of input weights (K, N) and bias, one per unit; float64.

    Raises
    ------
    DesignError
        If a shape does not fit or a number is not finite.
    """
    weights = np.array(input_weights, dtype=np.float64)
    if weights.ndim != 2 or weights.size == 0:
        raise DesignError(f"input weights must have shape (K, N), not {weights.shape}")
    if not np.isfinite(weights).all():
        raise DesignError("weights and bias must be finite, not NaN or infinite")
    return weights, per_unit(bias, weights.shape[1], "bias")


def per_unit(value: ArrayLike, n_units: int, what: str) -> Values:
    """One float64 per unit, (N,), of a number or of N numbers.

    Raises
    ------
    DesignError
        If the shape is neither, or a number is not finite.
    """
    array = np.array(value, dtype=np.float64)
    if array.shape not in ((), (n_units,)):
        raise DesignError(f"{what} must have shape () or ({n_units},), not {array.shape}")
    if not np.isfinite(array).all():
        raise DesignError(f"{what} must be finite, not NaN or infinite")
    return np.broadcast_to(array, (n_units,)).copy()


@dataclass(frozen=True, eq=False)
class Update:
    """How the sum of a unit becomes its state.

    Attributes
    ----------
    keep, rate : float64 arrays (N,)
        What stays of the state, and how much of the activation is added.
    activation : int
        Place in `ACTIVATIONS`.
    """

    keep: Values
    rate: Values
    activation: int

    @classmethod
    def leaky(cls, leak_rate: ArrayLike, n_units: int, activation: str) -> "Update":
        """``x + a (f - x)`` as ``(1 - a) x + a f``; a is a number or one per unit.

        Raises
        ------
        DesignError
            If a leak rate is not above 0 and at most 1, or there is no such activation.
        """
        rate = per_unit(leak_rate, n_units, "leak rate")
        wrong = rate[~((rate > 0) & (rate <= 1))]
        if wrong.size:
            raise DesignError(f"leak rate must be above 0 and at most 1, not {wrong[0]}")
        return cls(1.0 - rate, rate, _index(activation))

    @classmethod
    def increment(cls, step: ArrayLike, n_units: int, activation: str) -> "Update":
        """``x + step f``; the step is a number or one per unit.

        Raises
        ------
        DesignError
            If a step is not above 0, or there is no such activation.
        """
        rate = per_unit(step, n_units, "step")
        if not (rate > 0).all():
            raise DesignError(f"step must be above 0, not {rate[~(rate > 0)][0]}")
        return cls(np.ones(n_units), rate, _index(activation))

    @property
    def arguments(self) -> tuple[Values, Values, bool, int]:
        """What a compiled loop takes; the third is False where the activation is the state."""
        blend = bool(self.keep.any() or (self.rate != 1.0).any())
        return self.keep, self.rate, blend, self.activation

    def slopes(self, sums: Values) -> Values:
        """Derivative of the new state by its sum, ``rate f'(s)``; (T, N) -> (T, N).

        Where clip has a corner, that of the clipped side, 0.
        """
        if self.activation == 0:
            return self.rate * (1.0 - np.tanh(sums) ** 2)
        if self.activation == 1:
            return self.rate * (np.abs(sums) < 1.0)
        if self.activation == 3:
            return self.rate * 0.25 * (1.0 - np.tanh(0.5 * sums) ** 2)
        return np.broadcast_to(self.rate, sums.shape)


def _index(activation: str) -> int:
    if activation not in ACTIVATIONS:
        names = ", ".join(ACTIVATIONS)
        raise DesignError(f"activation must be one of {names}, not {activation!r}")
    return ACTIVATIONS.index(activation)


def finish_row(
    row: Values, state: Values, keep: Values, rate: Values, blend: bool, activation: int
) -> None:
    """Turn the sums (N,) of one sample into states, in place; for loops without a compiler."""
    if activation == 0:
        np.tanh(row, out=row)
    elif activation == 1:
        np.clip(row, -1.0, 1.0, out=row)
    elif activation == 3:
        row[:] = 0.5 + 0.5 * np.tanh(0.5 * row)
    if blend:
        row[:] = keep * state + rate * row


def jitted(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """A loop through numba, or None where numba is not installed."""
    try:
        numba: Any = importlib.import_module("numba")
    except ImportError:
        return None
    kernel: Callable[..., Any] = numba.njit(cache=True)(loop)
    return kernel


class LastState(ABC):
    """A reservoir that goes on from the last row of its states; a `rchw.reservoir.Reservoir`."""

    @property
    @abstractmethod
    def n_units(self) -> int:
        """Number of units N."""

    @abstractmethod
    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """Drive the reservoir; ``states[t]`` is the state after ``inputs[t]``."""

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """The states of `run`, and the last of them."""
        states = self.run(inputs, state)
        return states, states[-1] if len(states) else self._start(state)

    def _start(self, state: ArrayLike | None) -> Values:
        """A state (N,) to begin with; zero by default."""
        start = np.zeros(self.n_units) if state is None else np.array(state, dtype=np.float64)
        if start.shape != (self.n_units,):
            raise DesignError(f"state must have shape ({self.n_units},), not {start.shape}")
        return start


class FloatModel(LastState):
    """A reservoir in float64, all of whose units follow one law.

    A model has its terms, and says how drives become states.
    """

    _input_weights: Values
    _bias: Values
    _update: Update

    @property
    @abstractmethod
    def recurrent_weights(self) -> Values:
        """What unit ``i`` reads of unit ``j``, gains multiplied in; float64 array (N, N)."""

    @property
    def leak_rates(self) -> Values | None:
        """Leak rate of each unit, (N,); None of Euler steps, which keep the whole state."""
        update = self._update
        return update.rate if np.array_equal(update.keep, 1.0 - update.rate) else None

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return int(self._input_weights.shape[1])

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        return int(self._input_weights.shape[0])

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """Drive the reservoir; ``states[t]`` is the state after ``inputs[t]``.

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
        signal, start = self._checked(inputs, state)
        drive = self._drives(signal)
        self._fill(drive, start)
        return drive

    def jacobians(
        self, inputs: ArrayLike, state: ArrayLike | None = None
    ) -> Iterator[tuple[Values, Values]]:
        """What a small change would become, sample by sample along a run.

        Parameters
        ----------
        inputs, state
            As of `run`.

        Yields
        ------
        float64 arrays (N, N) and (N, K)
            Derivatives of ``x(t)`` by ``x(t-1)`` and by ``u(t)``.
        """
        signal, start = self._checked(inputs, state)
        drive = self._drives(signal)
        states = self.run(signal, start)
        before = np.concatenate([start[None], states[:-1]])[: len(states)]
        weights, kept = self.recurrent_weights, np.diag(self._update.keep)
        for slope in self._update.slopes(before @ weights.T + drive):
            yield kept + slope[:, None] * weights, slope[:, None] * self._input_weights.T

    def _checked(self, inputs: ArrayLike, state: ArrayLike | None) -> tuple[Values, Values]:
        """Inputs (T, K) and the state before them (N,)."""
        signal = np.asarray(inputs, dtype=np.float64)
        if signal.ndim == 1:
            signal = signal[:, None]
        if signal.ndim != 2 or signal.shape[1] != self.n_inputs:
            raise DesignError(f"inputs must have shape (T, {self.n_inputs}), not {signal.shape}")
        if not np.isfinite(signal).all():
            raise DesignError("inputs must be finite, not NaN or infinite")
        return signal, self._start(state)

    def _drives(self, signal: Values) -> Values:
        """What units get of inputs (T, K) and bias, a new array (T, N)."""
        # Row by row in a fixed order (no BLAS): a chunk gives the same bits as the whole.
        drive = np.broadcast_to(self._bias, (len(signal), self.n_units)).copy()
        for channel in range(self.n_inputs):
            drive += signal[:, channel, None] * self._input_weights[channel]
        return drive

    @abstractmethod
    def _fill(self, drive: Values, state: Values) -> None:
        """Turn drives (T, N) into states in place, from a state (N,)."""
