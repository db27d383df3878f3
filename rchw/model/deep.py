"""Reservoirs in series: every layer is driven by the states of the layer before it.

``h_1(t) = F_1(h_1(t-1), u(t))`` and ``h_l(t) = F_l(h_l(t-1), h_(l-1)(t))``: a layer sees what the
layer before it has become in the same sample, so that an input reaches all layers at once. The
states of all layers, side by side, are those of the whole.

Source: C. Gallicchio, A. Micheli, L. Pedrelli, "Deep reservoir computing: a critical experimental
analysis", Neurocomputing 268, 2017.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.model.recurrence import FloatModel, LastState
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
class DeepModel(LastState):
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
        start = self._start(state)
        first = self.layers[0].n_units
        signal = np.asarray(inputs, dtype=np.float64)
        parts = [self.layers[0].run(signal, start[:first])]
        signal = signal.reshape(len(signal), self.n_inputs)  # the first layer took it
        for layer, sees in zip(self.layers[1:], self._sees_inputs[1:], strict=True):
            drive = np.concatenate([parts[-1], signal], axis=1) if sees else parts[-1]
            parts.append(layer.run(drive, start[first : first + layer.n_units]))
            first += layer.n_units
        return np.concatenate(parts, axis=1)

    def jacobians(
        self, inputs: ArrayLike, state: ArrayLike | None = None
    ) -> Iterator[tuple[Values, Values]]:
        """What a small change would become, sample by sample; blocks above the diagonal are 0.

        Parameters
        ----------
        inputs, state
            As of `run`.

        Yields
        ------
        float64 arrays (N, N) and (N, K)
            Derivatives of ``h(t)`` by ``h(t-1)`` and by ``u(t)``.

        Raises
        ------
        DesignError
            If a layer does not know its own.
        """
        layers = []
        for number, layer in enumerate(self.layers, 1):
            if not isinstance(layer, FloatModel | DeepModel):
                raise DesignError(
                    f"layer {number} must be a model in floating point to have derivatives, not "
                    f"{type(layer).__name__}"
                )
            layers.append(layer)
        states = np.split(self.run(inputs, state), self._edges, axis=1)
        signal = np.asarray(inputs, dtype=np.float64).reshape(len(states[0]), self.n_inputs)
        starts = [None] * len(states) if state is None else np.split(np.asarray(state), self._edges)
        alone = []
        for number, layer in enumerate(layers):
            drive = signal if number == 0 else states[number - 1]
            if self._sees_inputs[number]:
                drive = np.concatenate([drive, signal], axis=1)
            alone.append(layer.jacobians(drive, starts[number]))
        for parts in zip(*alone, strict=True):
            yield self._joined(parts)

    @property
    def _edges(self) -> list[int]:
        """First unit of each layer but the first."""
        return [int(edge) for edge in np.cumsum([layer.n_units for layer in self.layers[:-1]])]

    def _joined(self, parts: Sequence[tuple[Values, Values]]) -> tuple[Values, Values]:
        """Derivatives of the whole from those of every layer by its own states and inputs."""
        states, inputs = parts[0]
        whole = np.zeros((self.n_units, self.n_units))
        first = len(states)
        whole[:first, :first] = states
        by_input = [inputs]
        for (own, read), sees in zip(parts[1:], self._sees_inputs[1:], strict=True):
            before, size = len(by_input[-1]), len(own)
            # A layer reads what the one before it has become in the same sample.
            whole[first : first + size] = read[:, :before] @ whole[first - before : first]
            whole[first : first + size, first : first + size] += own
            direct = read[:, before:] if sees else 0.0
            by_input.append(read[:, :before] @ by_input[-1] + direct)
            first += size
        return whole, np.concatenate(by_input)
