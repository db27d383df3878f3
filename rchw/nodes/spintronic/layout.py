"""What the spintronic nodes share: their counts, and values in the order of time."""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.node import check_counts

__all__ = ["by_device", "by_time", "check_node", "whole_steps"]

Values = NDArray[np.float64]
_SLACK = 1e-9  # relative, of a quotient of two times in decimal numbers


def check_node(n_devices: int, n_virtual: int, seed: int, **positive: float) -> None:
    """Refuse counts below 1, a negative seed, and other values that are not finite or not above 0.

    Raises
    ------
    DesignError
    """
    check_counts(n_devices, n_virtual)
    if seed < 0:
        raise DesignError(f"seed of the node must be at least 0, not {seed}")
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise DesignError(f"{name} must be finite and above 0, not {value}")


def whole_steps(interval: float, step: float) -> int:
    """Integration steps in the interval between two readings.

    Raises
    ------
    DesignError
        If they do not fill it.
    """
    steps = round(interval / step)
    if steps < 1 or abs(steps * step - interval) > _SLACK * interval:
        raise DesignError(f"interval must be a multiple of the step {step:g} s, not {interval:g} s")
    return steps


def by_time(drives: Values, devices: int) -> Values:
    """Drives (T, devices M), device by device, in the order of time (T M, devices)."""
    samples, count = drives.shape
    virtual = count // devices
    split = drives.reshape(samples, devices, virtual).transpose(0, 2, 1)
    return np.ascontiguousarray(split.reshape(samples * virtual, devices))


def by_device(readings: Values, virtual: int) -> Values:
    """Readings (T M, devices) in the order of time, device by device (T, devices M)."""
    rows, devices = readings.shape
    split = readings.reshape(rows // virtual, virtual, devices).transpose(0, 2, 1)
    return np.ascontiguousarray(split.reshape(rows // virtual, devices * virtual))
