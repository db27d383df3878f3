"""A delay loop with a response of first order, integrated slowly, to hold fast maps against.

With T the response time, tau = N intervals the delay and f what happens between delay line and
filter (the drive is part of it)::

    T dx/dt = -x(t) + f(x(t - tau), drive(t))

The drive is constant in each interval. There are two loops. In the sampled one the delay line is
digital: what it plays is constant in each interval too, and is x at the end of that interval one
delay ago. In the continuous one it is x(t - tau) itself.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.node import check_counts, checked_drives, checked_state
from rchw.nodes.parameters import Parameters

__all__ = [
    "Between",
    "DelayLoops",
    "SlowLoops",
    "continuous_loop",
    "rest_point",
    "sampled_loop",
]

Values = NDArray[np.float64]
Between = Callable[[Values, Values], Values]
"""Signal from the delay line (devices,), drive (devices,) -> what drives the filter."""


def sampled_loop(
    between: Between, drives: Values, state: Values, ratios: Values, steps: int
) -> tuple[Values, Values]:
    """Integrate the sampled loop by Runge and Kutta's method of order 4.

    Parameters
    ----------
    between : callable
    drives : float64 array (T, devices, N)
    state : float64 array (devices, N)
        x at the ends of the N intervals before the first sample.
    ratios : float64 array (devices,)
        Interval over response time.
    steps : int
        Of the integrator in each interval.

    Returns
    -------
    readings : float64 array (T, devices, N)
    state : float64 array (devices, N)
    """
    line, x = state.copy(), state[:, -1].copy()
    readings, h = np.empty_like(drives), ratios / steps
    for now, drive in enumerate(drives):
        for i in range(line.shape[1]):
            held = between(line[:, i], drive[:, i])
            for _ in range(steps):
                k1 = held - x
                k2 = held - (x + h / 2 * k1)
                k3 = held - (x + h / 2 * k2)
                k4 = held - (x + h * k3)
                x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            line[:, i] = x
        readings[now] = line
    return readings, line


def continuous_loop(between: Between, drives: Values, line: Values, ratios: Values) -> Values:
    """Integrate the continuous loop by the same method.

    What the method needs in the middle of a step, one delay ago, is the cubic through both ends of
    that step and its slopes there. The step never crosses the end of an interval, where the slope
    jumps, so the order stays 4.

    Parameters
    ----------
    between, drives, ratios
        As in `sampled_loop`.
    line : float64 array (devices, N, steps, 3)
        x in the N intervals before the first sample, at the beginning, the middle and the end of
        each step of the integrator.

    Returns
    -------
    readings : float64 array (T, devices, N)
    """
    line, x = line.copy(), line[:, -1, -1, -1]
    _, nodes, steps, _ = line.shape
    readings, h = np.empty_like(drives), ratios / steps
    for now in range(len(drives)):
        for i in range(nodes):
            for step in range(steps):
                first, middle, last = (
                    between(line[:, i, step, point], drives[now, :, i]) for point in range(3)
                )
                k1 = first - x
                k2 = middle - (x + h / 2 * k1)
                k3 = middle - (x + h / 2 * k2)
                k4 = last - (x + h * k3)
                after = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
                line[:, i, step, 0] = x
                line[:, i, step, 1] = (x + after) / 2 + h / 8 * (k1 - (last - after))
                line[:, i, step, 2] = after
                x = after
            readings[now, :, i] = x
    return readings


def rest_point(between: Between, low: Values, high: Values) -> Values:
    """Where the loop without drive rests: x = f(x, 0) between `low` and `high`, (devices,).

    There f must be at least `low` at the low end and at most `high` at the high end.
    """
    low, high, still = low.copy(), high.copy(), np.zeros_like(low)
    for _ in range(100):
        middle = (low + high) / 2
        rises = between(middle, still) > middle
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return (low + high) / 2


class DelayLoops:
    """Base of loops that are driven by the masked input of their virtual nodes.

    A class that derives from it is a dataclass with `n_devices`, `n_virtual`, `parameters` and
    `limit`, the largest magnitude of a drive.
    """

    n_devices: int
    n_virtual: int
    parameters: Parameters
    limit: float

    @property
    def n_drives(self) -> int:
        """One value per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """What is in the delay lines."""
        return self.n_devices * self.n_virtual

    @property
    def drive_unit(self) -> str:
        """None."""
        return "1"

    @property
    def reading_unit(self) -> str:
        """None."""
        return "1"

    def _check_loops(self, *positive: str) -> None:
        check_counts(self.n_devices, self.n_virtual)
        for name in (*positive, "limit"):
            if not 0 < getattr(self, name) < np.inf:
                raise DesignError(f"{name} must be finite and above 0, not {getattr(self, name)}")
        self.parameters.of_devices(self.n_devices)

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values, dict[str, Values]]:
        """Drives (T, devices, N), a copy of the lines (devices, .), parameters (devices,)."""
        node: Any = self  # which is a `Node` once it is derived from
        masked = checked_drives(drives, node, -self.limit, self.limit)
        line = checked_state(state, node).reshape(self.n_devices, -1)
        shape = (len(masked), self.n_devices, self.n_virtual)
        return masked.reshape(shape), line, self.parameters.of_devices(self.n_devices)


class SlowLoops(DelayLoops):
    """Base of loops with a response time, of which an interval is the share `theta`."""

    theta: float

    @property
    def interval(self) -> float:
        """Seconds between virtual nodes, the same for all devices."""
        return self.theta * float(self.parameters.of_devices(self.n_devices)["response"].mean())
