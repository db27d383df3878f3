"""The integer layers of a design as a `rchw.reservoir.Reservoir`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import Design
from rchw.reference.pipeline import run

__all__ = ["ReferenceReservoir"]


@dataclass(frozen=True)
class ReferenceReservoir:
    """States of a design, its readout left aside where no output is fed back.

    Parameters
    ----------
    design : Design
    compiled : bool
        As in `rchw.reference.run`: the same states, sooner.

    Raises
    ------
    DesignError
        If the states come from outside.
    """

    design: Design
    compiled: bool = True

    def __post_init__(self) -> None:
        if not self.design.stages:
            _ = self.design.driven  # states from outside are no reservoir of the design

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return self.design.n_units

    @property
    def n_inputs(self) -> int:
        """Number of codes in a beat: the K input channels, and the lanes of teachers."""
        return self.design.n_lanes

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> NDArray[np.int64]:
        """Drive the ring with codes; ``states[t]`` is the state after ``inputs[t]``.

        Parameters
        ----------
        inputs : integer array (T, K)
            Codes of the design's beats; `rchw.design.Design.encode` makes them of values.
        state : integer array (N,), optional
            State codes before the first sample; by default the design's initial state. Behind them
            stand the codes of outputs that are fed back, if there are any.

        Returns
        -------
        int64 array (T, N)

        Raises
        ------
        DesignError
            If a shape is wrong, or a code lies outside its format.
        """
        return self.advance(inputs, state)[0]

    def advance(
        self, inputs: ArrayLike, state: ArrayLike | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The states of `run`, and what another run goes on from."""
        trace = run(self.design, inputs, state=state, compiled=self.compiled)
        return trace.states, trace.final_state
