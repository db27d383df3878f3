"""What every reservoir is, whatever it is made of: a function from inputs to states."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["Reservoir", "drop_washout"]


@runtime_checkable
class Reservoir(Protocol):
    """Anything driven by a series that leaves a series of states.

    Float models, integer references, physical nodes, simulated circuits and boards all have this
    shape. Contract: equal inputs and equal initial states give equal states; running two chunks,
    with what `advance` gives after the first handed to the second, equals running the whole. Of a
    ring that is its last state; a physical reservoir remembers more than what is read of it.
    """

    @property
    def n_units(self) -> int:
        """Number of states N."""
        ...

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        ...

    def run(self, inputs: NDArray[Any], state: NDArray[Any] | None = None) -> NDArray[Any]:
        """Drive the reservoir.

        Parameters
        ----------
        inputs : array (T, K)
            Values or codes, as the realisation says.
        state : array, optional
            Before the first input, (N,) for a ring; by default the realisation's initial state.

        Returns
        -------
        array (T, N)
            ``states[t]`` is the state after ``inputs[t]``.
        """
        ...

    def advance(
        self, inputs: NDArray[Any], state: NDArray[Any] | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """The states of `run`, and what another run goes on from."""
        ...


def drop_washout(series: NDArray[Any], washout: int) -> NDArray[Any]:
    """Leave out the first `washout` samples, which still remember the initial state.

    Raises
    ------
    DesignError
        If nothing would be left.
    """
    if not 0 <= washout < len(series):
        raise DesignError(f"washout must be from 0 to {len(series) - 1}, not {washout}")
    return np.asarray(series)[washout:]
