"""Digital reservoirs as nodes: driven, observed and read like a device, so that both compare."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.fixed import QFormat, decode, encode
from rchw.nodes.node import checked_drives, checked_state
from rchw.reservoir import Reservoir

__all__ = ["ReservoirNode"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ReservoirNode:
    """A reservoir whose inputs are the drives, from -1 to 1, and whose states are the readings.

    Parameters
    ----------
    reservoir : Reservoir
        Its state is its last row of states, as of every ring.
    input_format, state_format : QFormat, optional
        Of an integer reservoir, which takes and gives codes; both or none.
    interval : float
        Seconds per sample.
    """

    reservoir: Reservoir
    input_format: QFormat | None = None
    state_format: QFormat | None = None
    interval: float = 1e-6
    drive_unit: str = field(default="1", init=False)
    reading_unit: str = field(default="1", init=False)

    def __post_init__(self) -> None:
        if (self.input_format is None) != (self.state_format is None):
            raise DesignError(
                f"formats must be given of inputs and states, or of none, not "
                f"{self.input_format} and {self.state_format}"
            )
        if not 0 < self.interval < math.inf:
            raise DesignError(f"interval must be finite and above 0 s, not {self.interval}")

    @property
    def n_devices(self) -> int:
        """Units."""
        return self.reservoir.n_units

    @property
    def n_virtual(self) -> int:
        """One reading per unit and sample."""
        return 1

    @property
    def n_drives(self) -> int:
        """One drive per input channel."""
        return self.reservoir.n_inputs

    @property
    def n_state(self) -> int:
        """One number per unit."""
        return self.reservoir.n_units

    def start(self) -> Values:
        """As the reservoir starts, (N,)."""
        empty = self._codes(np.zeros((0, self.n_drives)), self.input_format)
        return self._values(self.reservoir.advance(empty)[1])

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """States after each sample; (T, K), (N,) -> (T, N), (N,)."""
        values, now = checked_drives(drives, self, -1.0, 1.0), checked_state(state, self)
        inputs, start = self._codes(values, self.input_format), self._codes(now, self.state_format)
        states, after = self.reservoir.advance(inputs, start)
        return self._values(states), self._values(after)

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same sample by sample: a digital reservoir is its own reference."""
        rows, now = [np.zeros((0, self.n_devices))], state
        for row in np.asarray(drives, dtype=np.float64):
            states, now = self.run(row[None], now)
            rows.append(states)
        return np.concatenate(rows), checked_state(now, self)

    @staticmethod
    def _codes(values: Values, to: QFormat | None) -> NDArray[Any]:
        """Codes of an integer reservoir, nearest and limited; else the values themselves."""
        if to is None:
            return values
        return encode(values, to)

    def _values(self, states: NDArray[Any]) -> Values:
        if self.state_format is None:
            return np.array(states, dtype=np.float64)
        return decode(states, self.state_format)
