"""What the arrays of separate memristors share: their counts, their voltages, their checks."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.node import check_counts, checked_drives, checked_state
from rchw.nodes.parameters import Parameters, Quantity

__all__ = ["MemristorArray", "check_move", "check_rising"]

Values = NDArray[np.float64]


class MemristorArray:
    """Base of arrays of devices that do not see each other, with one number of memory in each.

    A class that derives from it is a dataclass with `n_devices`, `n_virtual`, `parameters` and
    `limit`, the largest magnitude of a voltage in volts.
    """

    n_devices: int
    n_virtual: int
    parameters: Parameters
    limit: float
    memory: ClassVar[str]
    """What the number in the state is, in words."""

    @property
    def n_drives(self) -> int:
        """One voltage per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """The memory of each device."""
        return self.n_devices

    @property
    def drive_unit(self) -> str:
        """Volt."""
        return "V"

    @property
    def reading_unit(self) -> str:
        """Ampere."""
        return "A"

    def _check_array(self) -> None:
        check_counts(self.n_devices, self.n_virtual)
        if not 0 < self.limit < np.inf:
            raise DesignError(f"limit must be finite and above 0 V, not {self.limit}")
        self.parameters.of_devices(self.n_devices)

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Voltages (T, devices, M) and a copy of the state."""
        node: Any = self  # which is a `Node` once it is derived from
        voltages = checked_drives(drives, node, -self.limit, self.limit)
        now = checked_state(state, node)
        if not ((now >= 0) & (now <= 1)).all():
            raise DesignError(f"state must be from 0 to 1, {self.memory}")
        return voltages.reshape(len(voltages), self.n_devices, self.n_virtual), now


def check_rising(what: str, unit: str, low: Quantity, high: Quantity) -> None:
    """Refuse a high value that is not above the low one, in any device.

    Raises
    ------
    DesignError
    """
    least, most = np.atleast_1d(low), np.atleast_1d(high)
    if 1 not in (least.size, most.size) and least.size != most.size:
        return  # `of_devices` says so, knowing how many there are
    if not (least < most).all():
        raise DesignError(
            f"high {what} must be above the low one, not {most.min():g} {unit} beside "
            f"{least.max():g} {unit}"
        )


def check_move(worst: float, largest: float, substeps: int) -> None:
    """Refuse a Runge-Kutta step in which the memory moved too far, or is no number.

    Raises
    ------
    DesignError
    """
    if not worst <= largest:
        raise DesignError(
            f"move of x in a Runge-Kutta step must be at most {largest:g}, not {worst:.3g}: take "
            f"more substeps than {substeps}, or a shorter step"
        )
