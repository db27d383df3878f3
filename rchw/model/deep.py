"""Reservoirs in series: every layer is driven by the states of the layer before it.

``h_1(t) = F_1(h_1(t-1), u(t))`` and ``h_l(t) = F_l(h_l(t-1), h_(l-1)(t))``: a layer sees what the
layer before it has become in the same sample, so that an input reaches all layers at once. The
states of all layers, side by side, are those of the whole.

Source: C. Gallicchio, A. Micheli, L. Pedrelli, "Deep reservoir computing: a critical experimental
analysis", Neurocomputing 268, 2017.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = ["DeepModel", "split_units"]

Values = NDArray[np.float64]


def split_units(n_units: int, n_layers: int) -> tuple[int, ...]:
    """Units of each layer: ``floor(N / D)``, and what remains beyond goes to the first.

    Raises
    ------
    DesignError
        If there is no layer, or a layer would have no unit.

    >>> split_units(100, 3)
    (34, 33, 33)
    """
    if n_layers < 1:
        raise DesignError(f"number of layers must be at least 1, not {n_layers}")
    if n_units < n_layers:
        raise DesignError(f"number of units must be at least {n_layers}, not {n_units}")
    size, rest = divmod(n_units, n_layers)
    return (size + rest, *[size] * (n_layers - 1))


@dataclass(frozen=True, eq=False)
class DeepModel:
    """Layers in series; a `rchw.reservoir.Reservoir`.

    Parameters
    ----------
    layers : sequence of Reservoir
        Models in floating point, whose state is their last row; a `DeepModel` may be one of them.
        The first reads the inputs, K channels. A later one has as many inputs as the layer before
        it has units; if it has K more, it also reads the inputs, in its last K channels.

    Raises
    ------
    DesignError
        If there is no layer, or the inputs of a layer are not as many.
    """

    layers: Sequence[Reservoir]
    _sees_inputs: tuple[bool, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.layers:
            raise DesignError("layers must be one or more, not none")
        sees = [False]
        for number in range(1, len(self.layers)):
            before, has = self.layers[number - 1].n_units, self.layers[number].n_inputs
            if has not in (before, before + self.n_inputs):
                raise DesignError(
                    f"inputs of layer {number + 1} must be {before}, or {before + self.n_inputs} "
                    f"with those of the first, not {has}"
                )
            sees.append(has != before)
        object.__setattr__(self, "_sees_inputs", tuple(sees))

    @property
    def n_units(self) -> int:
        """Units of all layers, N."""
        return sum(layer.n_units for layer in self.layers)

    @property
    def n_inputs(self) -> int:
        """Channels of the first layer, K."""
        return self.layers[0].n_inputs

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """Drive all layers; ``states[t]`` is the state after ``inputs[t]``.

        Parameters
        ----------
        inputs : array (T, K), or (T,) if K is 1
        state : array (N,), optional
            Of all layers before the first input; zero by default.

        Returns
        -------
        float64 array (T, N)
            Layer by layer.

        Raises
        ------
        DesignError
            If a shape does not fit or an input is not finite.
        """
        start = np.zeros(self.n_units) if state is None else np.array(state, dtype=np.float64)
        if start.shape != (self.n_units,):
            raise DesignError(f"state must have shape ({self.n_units},), not {start.shape}")
        first = self.layers[0].n_units
        signal = np.asarray(inputs, dtype=np.float64)
        parts = [self.layers[0].run(signal, start[:first])]
        signal = signal.reshape(len(signal), self.n_inputs)  # the first layer took it
        for layer, sees in zip(self.layers[1:], self._sees_inputs[1:], strict=True):
            drive = np.concatenate([parts[-1], signal], axis=1) if sees else parts[-1]
            parts.append(layer.run(drive, start[first : first + layer.n_units]))
            first += layer.n_units
        return np.concatenate(parts, axis=1)

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """The states of `run`, and the last of them."""
        states = self.run(inputs, state)
        if len(states):
            return states, states[-1]
        return states, np.zeros(self.n_units) if state is None else np.array(state, np.float64)
