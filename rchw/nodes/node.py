"""What every emulated device is: a pure function of drives and a state."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["Node", "check_counts", "checked_drives", "checked_state"]

Values = NDArray[np.float64]


@runtime_checkable
class Node(Protocol):
    """One device, or an array of them, with its parameters.

    A device is read `n_virtual` times per sample, every `interval` seconds: its virtual nodes. The
    readings of a sample are those of the first device in the order of time, then of the second, and
    so on; `n_units` is their number N. A node has no memory of its own: all that it remembers is in
    the state that it is given.
    """

    @property
    def n_devices(self) -> int:
        """Devices that are read."""
        ...

    @property
    def n_virtual(self) -> int:
        """Readings of each device per sample."""
        ...

    @property
    def n_drives(self) -> int:
        """Drive values D per sample."""
        ...

    @property
    def n_state(self) -> int:
        """Numbers S in the state."""
        ...

    @property
    def interval(self) -> float:
        """Seconds between two readings of a device."""
        ...

    @property
    def drive_unit(self) -> str:
        """SI unit of the drive."""
        ...

    @property
    def reading_unit(self) -> str:
        """SI unit of the readings."""
        ...

    def start(self) -> Values:
        """State at rest, float64 array (S,)."""
        ...

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Drive the devices by the fast map; (T, D), (S,) -> readings (T, N), state (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, or a drive lies where the model is not valid.
        """
        ...

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by a slow integrator of the equations themselves."""
        ...


def check_counts(n_devices: int, n_virtual: int) -> None:
    """Refuse a node without devices or virtual nodes.

    Raises
    ------
    DesignError
    """
    for words, count in (("devices", n_devices), ("virtual nodes", n_virtual)):
        if count < 1:
            raise DesignError(f"{words} must be at least 1, not {count}")


def checked_drives(drives: Values, node: Node, low: float, high: float) -> Values:
    """Drives (T, D) as float64, refused outside the range in which the model is valid.

    Raises
    ------
    DesignError
    """
    values = np.ascontiguousarray(drives, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != node.n_drives:
        raise DesignError(f"drives must have shape (T, {node.n_drives}), not {values.shape}")
    wrong = np.argwhere(~((values >= low) & (values <= high)))
    if len(wrong):
        row, column = wrong[0]
        raise DesignError(
            f"drive must be from {low:g} to {high:g} {node.drive_unit}, where the model is valid, "
            f"not {values[row, column]:g} at sample {row}, value {column}"
        )
    return values


def checked_state(state: Values, node: Node) -> Values:
    """State (S,) as a new float64 array.

    Raises
    ------
    DesignError
        If it has another shape, or a number that is not finite.
    """
    values = np.array(state, dtype=np.float64)
    if values.shape != (node.n_state,):
        raise DesignError(f"state must have shape ({node.n_state},), not {values.shape}")
    if not np.isfinite(values).all():
        raise DesignError("state must be finite, not NaN or infinite")
    return values
