"""A float reservoir whose outputs return to its sums.

``x(t) = F(x(t-1), [u(t), y(t-1)])`` and ``y(t) = G(x(t))``: the inputs of F are channels, and
behind them what was read of the states at the sample before.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = ["FeedbackModel"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeedbackModel:
    """A loop around a model; a `rchw.reservoir.Reservoir`.

    Parameters
    ----------
    inner : Reservoir
        A float model with K + L inputs, of which the last L are what is fed back.
    read : callable
        Outputs of states, float64 arrays (T, N) -> (T, L), as they are fed back.
    n_outputs : int
        L.

    Raises
    ------
    DesignError
        If the model has fewer than L inputs, or L is below 1.
    """

    inner: Reservoir
    read: Callable[[Values], Values]
    n_outputs: int

    def __post_init__(self) -> None:
        if not 1 <= self.n_outputs <= self.inner.n_inputs:
            raise DesignError(
                f"outputs that are fed back must be from 1 to the {self.inner.n_inputs} inputs of "
                f"the model, not {self.n_outputs}"
            )

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return self.inner.n_units

    @property
    def n_inputs(self) -> int:
        """Number of channels K; with none the model runs alone."""
        return self.inner.n_inputs - self.n_outputs

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """Close the loop; ``states[t]`` is the state after ``inputs[t]``.

        Parameters
        ----------
        inputs : array (T, K)
        state : array (N + L,), optional
            States before the first input, then what is fed to it; zero by default.

        Returns
        -------
        float64 array (T, N)

        Raises
        ------
        DesignError
            If a shape does not fit or an input is not finite.
        """
        return self.advance(inputs, state)[0]

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """The states of `run`, and what another run goes on from."""
        signal = np.asarray(inputs, dtype=np.float64)
        if signal.ndim != 2 or signal.shape[1] != self.n_inputs:
            raise DesignError(f"inputs must have shape (T, {self.n_inputs}), not {signal.shape}")
        size = self.n_units + self.n_outputs
        start = np.zeros(size) if state is None else np.array(state, dtype=np.float64)
        if start.shape != (size,):
            raise DesignError(f"state must have shape ({size},), not {start.shape}")
        x, y = np.split(start, [self.n_units])
        states = np.empty((len(signal), self.n_units))
        for t, sample in enumerate(signal):
            x = self.inner.run(np.concatenate([sample, y])[None], x)[0]
            y = self.read(x[None])[0]
            states[t] = x
        return states, np.concatenate([x, y])
