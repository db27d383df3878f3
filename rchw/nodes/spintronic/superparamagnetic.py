"""Superparamagnetic tunnel junctions: telegraph switches whose dwell times a voltage shifts.

A junction is parallel or antiparallel, and leaves either state at random. Its mean dwell times, by
the law of Neel and Brown, are::

    tau_p  = tau0 exp(Delta (1 - V / Vc))
    tau_ap = tau0 exp(Delta (1 + V / Vc))

so that a positive voltage favours the antiparallel state. A voltage that is held for the time t is
solved exactly, for the master equation of two states is linear. With q the probability of the
antiparallel state::

    q(t) = q_inf + (q(0) - q_inf) exp(-(1 / tau_p + 1 / tau_ap) t)
    q_inf = 1 / (1 + exp(-2 Delta V / Vc))

Switches to and fro between two readings are in that law. A device is an ensemble of junctions side
by side; with infinitely many of them it is the master equation itself. The reading is the mean
conductance of its junctions at the end of each voltage.

Source: the rates as in public models of such junctions. The attempt time of 1 ns is what is usually
assumed, says L. Soumah et al., arXiv 2402.03452 (2024), whose measured prefactors are down to
femtoseconds; so the defaults are loose.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.noise import uniforms
from rchw.nodes.parameters import Parameters, Quantity, quantity
from rchw.nodes.spintronic.layout import by_device, by_time, check_node

__all__ = ["Superparamagnetic", "SuperparamagneticParameters"]

Values = NDArray[np.float64]
_NUMBERS = 2**17  # uniform numbers that are held at a time


@dataclass(frozen=True)
class SuperparamagneticParameters(Parameters):
    """Of the junctions; each one value, or one per device: the junctions of a device are alike."""

    attempt_time: Quantity = quantity(
        1e-9, "s", "usually assumed, see arXiv 2402.03452", loose=True, above=0
    )
    barrier: Quantity = quantity(6.0, "1", "chosen: a dwell time of 0.4 us", loose=True, above=0)
    critical: Quantity = quantity(0.5, "V", "chosen", loose=True, above=0)
    parallel: Quantity = quantity(2e-4, "S", "chosen", loose=True, above=0)
    antiparallel: Quantity = quantity(1e-4, "S", "chosen", loose=True, above=0)


@dataclass(frozen=True)
class Superparamagnetic:
    """Ensembles of superparamagnetic junctions, each driven by its own voltages.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Voltages, and readings, per sample, M.
    members : int, optional
        Junctions of a device. None stands for infinitely many: the mean, without chance.
    parameters : SuperparamagneticParameters
        Voltages must not exceed the least critical one, where a barrier vanishes.
    interval : float
        Seconds that each voltage is held.
    seed : int
        Of the switching.
    """

    n_devices: int
    n_virtual: int
    members: int | None = None
    parameters: SuperparamagneticParameters = field(default_factory=SuperparamagneticParameters)
    interval: float = 100e-9
    seed: int = 0
    drive_unit: str = field(default="V", init=False)
    reading_unit: str = field(default="S", init=False)

    def __post_init__(self) -> None:
        check_node(self.n_devices, self.n_virtual, self.seed, interval=self.interval)
        if self.members is not None and self.members < 1:
            raise DesignError(f"members must be at least 1, not {self.members}")
        # Loads the parameters, whose number of values is checked there.
        if not np.isfinite(self.dwell_times(self.limit)).all():
            raise DesignError("barrier must leave a finite dwell time, not an infinite one")

    @property
    def n_drives(self) -> int:
        """One voltage per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """How far each junction is antiparallel, 0 or 1, and the number of the next sample.

        With infinitely many junctions: the probability of each device.
        """
        return self.n_devices * (self.members or 1) + 1

    @cached_property
    def _parameters(self) -> dict[str, Values]:
        return self.parameters.of_devices(self.n_devices)

    @property
    def limit(self) -> float:
        """Largest magnitude of a voltage, in volts."""
        return float(self._parameters["critical"].min())

    def dwell_times(self, voltage: float | Values) -> Values:
        """Mean times in the parallel and the antiparallel state, in seconds, (2, devices).

        Parameters
        ----------
        voltage : float or array (devices,)
        """
        p = self._parameters
        shift = voltage / p["critical"]
        barriers = p["barrier"] * np.stack([1 - shift, 1 + shift])
        with np.errstate(over="ignore"):  # infinite is refused when the node is made
            return np.asarray(p["attempt_time"] * np.exp(barriers))

    def correlation_time(self, voltage: float | Values) -> Values:
        """Time constant of the autocorrelation, 1 / (1 / tau_p + 1 / tau_ap), (devices,)."""
        return np.asarray(1 / (1 / self.dwell_times(voltage)).sum(axis=0))

    def antiparallel_probability(self, voltage: float | Values) -> Values:
        """Stationary probability of the antiparallel state, (devices,)."""
        p = self._parameters
        return np.asarray(1 / (1 + np.exp(-2 * p["barrier"] * voltage / p["critical"])))

    def start(self) -> Values:
        """Before sample 0, at no voltage: every other junction antiparallel, all probabilities 1/2.

        A single junction of a device is parallel.
        """
        if self.members is None:
            return np.append(np.full(self.n_devices, 0.5), 0.0)
        return np.append(np.tile(np.arange(self.members) % 2, self.n_devices), 0.0)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Conductances in siemens after each voltage; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a voltage exceeds the critical one, or a probability is none.
        """
        voltages, now = self._checked(drives, state)
        p = self._parameters
        inside, shares = now[:-1].reshape(self.n_devices, -1), np.empty_like(voltages)
        for part, numbers in self._draws(int(now[-1]) * self.n_virtual, len(voltages)):
            _SWITCH(
                voltages[part], shares[part], inside, numbers, self.interval,
                p["attempt_time"], p["barrier"], p["critical"],
            )  # fmt: skip
        return self._readings(shares, now, len(drives))

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of the master equation, with the same draws."""
        from scipy.integrate import solve_ivp

        voltages, now = self._checked(drives, state)
        inside, shares = now[:-1].reshape(self.n_devices, -1), np.empty_like(voltages)
        for part, numbers in self._draws(int(now[-1]) * self.n_virtual, len(voltages)):
            for row in range(part.start, part.stop):
                leaving = 1 / self.dwell_times(voltages[row])

                def slope(_: float, flat: Values, leaving: Values = leaving) -> Values:
                    q = flat.reshape(-1, self.n_devices)
                    return np.asarray((1 - q) * leaving[0] - q * leaving[1]).ravel()

                span, begin = (0.0, self.interval), np.ascontiguousarray(inside.T).ravel()
                end = solve_ivp(slope, span, begin, "LSODA", rtol=1e-12, atol=1e-14).y[:, -1]
                inside[:] = end.reshape(-1, self.n_devices).T
                if numbers.size:
                    inside[:] = numbers[row - part.start] < inside
                shares[row] = inside.mean(axis=1)
        return self._readings(shares, now, len(drives))

    def _draws(self, first: int, rows: int) -> Iterator[tuple[slice, Values]]:
        """Parts of the rows, each with its uniform numbers (part, devices, members), or none."""
        if self.members is None:
            yield slice(0, rows), np.empty((0, 0, 0))
            return
        count = self.n_devices * self.members
        length = max(1, _NUMBERS // count)
        for row in range(0, rows, length):
            part = slice(row, min(row + length, rows))
            drawn = uniforms(part.stop - row, count, first + row, self.seed, bits=32)
            yield part, drawn.reshape(-1, self.n_devices, self.members)

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        voltages = by_time(checked_drives(drives, self, -self.limit, self.limit), self.n_devices)
        now = checked_state(state, self)
        inside = now[:-1]
        if self.members is None:
            allowed, rule = (inside >= 0) & (inside <= 1), "from 0 to 1"
        else:
            allowed, rule = (inside == 0) | (inside == 1), "0 or 1"
        if not allowed.all():
            raise DesignError(f"states of junctions must be {rule}, not {inside[~allowed][0]:g}")
        if now[-1] < 0:
            raise DesignError(f"number of the sample must be at least 0, not {now[-1]:g}")
        return voltages, now

    def _readings(self, shares: Values, now: Values, samples: int) -> tuple[Values, Values]:
        p = self._parameters
        now[-1] += samples
        change = p["antiparallel"] - p["parallel"]
        return by_device(p["parallel"] + change * shares, self.n_virtual), now


def _switch(
    voltages: Values,
    shares: Values,
    inside: Values,
    numbers: Values,
    interval: float,
    attempt_time: Values,
    barrier: Values,
    critical: Values,
) -> None:
    """(T M, devices) twice, (devices, members), (T M, devices, members) or none.

    Shares and `inside` are written in place.
    """
    rows, devices = voltages.shape
    members = inside.shape[1]
    chance = numbers.size > 0
    for row in range(rows):
        for d in range(devices):
            shift = voltages[row, d] / critical[d]
            leave_p = np.exp(-barrier[d] * (1.0 - shift)) / attempt_time[d]
            leave_ap = np.exp(-barrier[d] * (1.0 + shift)) / attempt_time[d]
            rate = leave_p + leave_ap
            keep, reach = np.exp(-rate * interval), -np.expm1(-rate * interval)
            rest = leave_p / rate
            total = 0.0
            for k in range(members):
                q = rest * reach + inside[d, k] * keep
                if chance:
                    q = 1.0 if numbers[row, d, k] < q else 0.0
                inside[d, k] = q
                total += q
            shares[row, d] = total / members


_SWITCH = Kernel(_switch)
