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

The junctions of a device are alike, so that their number in a state is all there is to know of
them: of the K antiparallel ones as many leave as a binomial law of K and ``1 - q(t)`` says, with
q(0) = 1, and of the others as many come as one of q(t) says, with q(0) = 0. Each is drawn by one
uniform number, which is spent on the outcomes from the likeliest outwards.

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
_DRAWS = 2  # of a device in each voltage: how many junctions leave either state


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
        """How many junctions of each device are antiparallel, and the number of the next sample.

        With infinitely many junctions: the probability of each device.
        """
        return self.n_devices + 1

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
        """Before sample 0, at no voltage: half of the junctions antiparallel, or all probabilities.

        Of an odd number one more is parallel.
        """
        half = 0.5 if self.members is None else float(self.members // 2)
        return np.append(np.full(self.n_devices, half), 0.0)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Conductances in siemens after each voltage; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a voltage exceeds the critical one, or a probability is none.
        """
        voltages, now = self._checked(drives, state)
        p, factorials = self._parameters, self._log_factorials
        inside, shares = now[:-1], np.empty_like(voltages)
        for part, numbers in self._draws(int(now[-1]) * self.n_virtual, len(voltages)):
            _SWITCH(
                voltages[part], shares[part], inside, numbers, factorials, self.interval,
                p["attempt_time"], p["barrier"], p["critical"],
            )  # fmt: skip
        return self._readings(shares, now, len(drives))

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of the master equation, with the same draws.

        The binomial laws are those of `scipy.stats`.
        """
        from scipy.integrate import solve_ivp

        voltages, now = self._checked(drives, state)
        inside, shares = now[:-1], np.empty_like(voltages)
        for part, numbers in self._draws(int(now[-1]) * self.n_virtual, len(voltages)):
            for row in range(part.start, part.stop):
                leaving = 1 / self.dwell_times(voltages[row])

                def slope(_: float, flat: Values, leaving: Values = leaving) -> Values:
                    q = flat.reshape(-1, self.n_devices)
                    return np.asarray((1 - q) * leaving[0] - q * leaving[1]).ravel()

                begin = np.stack([np.zeros(self.n_devices), np.ones(self.n_devices)])
                if self.members is None:
                    begin = inside[None]
                end = solve_ivp(
                    slope, (0.0, self.interval), begin.ravel(), "LSODA", rtol=1e-12, atol=1e-14
                ).y[:, -1].reshape(begin.shape)  # fmt: skip
                if self.members is None:
                    inside[:] = end[0]
                else:
                    chances = np.stack([1 - end[1], end[0]])
                    drawn = numbers[row - part.start]
                    for d, (leave, come) in enumerate(chances.T):
                        count = int(inside[d])
                        inside[d] -= _spent(drawn[d, 0], count, leave)
                        inside[d] += _spent(drawn[d, 1], self.members - count, come)
                shares[row] = inside / (self.members or 1)
        return self._readings(shares, now, len(drives))

    @cached_property
    def _log_factorials(self) -> Values:
        """Logarithms of the factorials of all numbers of junctions, (members + 1,)."""
        from scipy.special import gammaln

        return np.asarray(gammaln(np.arange((self.members or 0) + 1) + 1.0))

    def _draws(self, first: int, rows: int) -> Iterator[tuple[slice, Values]]:
        """Parts of the rows, each with its uniform numbers (part, devices, 2), or none."""
        if self.members is None:
            yield slice(0, rows), np.empty((0, 0, 0))
            return
        count = self.n_devices * _DRAWS
        length = max(1, _NUMBERS // count)
        for row in range(0, rows, length):
            part = slice(row, min(row + length, rows))
            drawn = uniforms(part.stop - row, count, first + row, self.seed)
            yield part, drawn.reshape(-1, self.n_devices, _DRAWS)

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        voltages = by_time(checked_drives(drives, self, -self.limit, self.limit), self.n_devices)
        now = checked_state(state, self)
        inside = now[:-1]
        if self.members is None:
            allowed, rule = (inside >= 0) & (inside <= 1), "probabilities must be from 0 to 1"
        else:
            allowed = (inside >= 0) & (inside <= self.members) & (inside == np.floor(inside))
            rule = f"antiparallel junctions must be whole numbers from 0 to {self.members}"
        if not allowed.all():
            raise DesignError(f"{rule}, not {inside[~allowed][0]:g}")
        if now[-1] < 0:
            raise DesignError(f"number of the sample must be at least 0, not {now[-1]:g}")
        return voltages, now

    def _readings(self, shares: Values, now: Values, samples: int) -> tuple[Values, Values]:
        p = self._parameters
        now[-1] += samples
        change = p["antiparallel"] - p["parallel"]
        return by_device(p["parallel"] + change * shares, self.n_virtual), now


def _spent(number: float, count: int, chance: float) -> int:
    """Outcome of a binomial law at which a uniform number is spent, as in the fast map."""
    from scipy.stats import binom

    outcomes = np.arange(count + 1)
    likeliest = min(int((count + 1) * chance), count)
    # Of two that are as far from it the greater one comes first.
    order = np.lexsort((-outcomes, np.abs(outcomes - likeliest)))
    spent = np.cumsum(binom.pmf(outcomes[order], count, chance))
    return int(order[min(int(np.searchsorted(spent, number, "right")), count)])


def _switch(
    voltages: Values,
    shares: Values,
    inside: Values,
    numbers: Values,
    factorials: Values,
    interval: float,
    attempt_time: Values,
    barrier: Values,
    critical: Values,
) -> None:
    """(T M, devices) twice, (devices,), (T M, devices, 2) or none, (members + 1,).

    Shares and `inside` are written in place.
    """
    rows, devices = voltages.shape
    members = factorials.shape[0] - 1
    over = 1.0 / np.arange(1, members + 2)  # divisions are slow
    for row in range(rows):
        for d in range(devices):
            shift = voltages[row, d] / critical[d]
            leave_p = np.exp(-barrier[d] * (1.0 - shift)) / attempt_time[d]
            leave_ap = np.exp(-barrier[d] * (1.0 + shift)) / attempt_time[d]
            rate = leave_p + leave_ap
            reach = -np.expm1(-rate * interval)
            come, leave = leave_p / rate * reach, leave_ap / rate * reach
            if members == 0:
                inside[d] = come + inside[d] * np.exp(-rate * interval)
                shares[row, d] = inside[d]
                continue
            before = int(inside[d])
            after = before
            for draw in range(2):
                if draw == 0:
                    count, chance, sign = before, leave, -1
                else:
                    count, chance, sign = members - before, come, 1
                if count == 0 or chance <= 0.0:
                    continue
                if chance >= 1.0:
                    after += sign * count
                    continue
                likeliest = min(int((count + 1) * chance), count)
                if count == 1:  # as below, sooner
                    share = chance if likeliest == 1 else 1.0 - chance
                else:
                    share = np.exp(
                        factorials[count] - factorials[likeliest] - factorials[count - likeliest]
                        + likeliest * np.log(chance) + (count - likeliest) * np.log1p(-chance)
                    )  # fmt: skip
                odds = chance / (1.0 - chance)
                inverse = 1.0 / odds
                left = numbers[row, d, draw] - share
                found, above, below = likeliest, likeliest, likeliest
                share_above, share_below = share, share
                # Rounding may leave a little at the end of all outcomes: it is the likeliest's.
                while left >= 0.0 and (above < count or below > 0):
                    if above < count:
                        share_above *= odds * (count - above) * over[above]
                        above += 1
                        left -= share_above
                        if left < 0.0:
                            found = above
                            break
                    if below > 0:
                        share_below *= inverse * below * over[count - below]
                        below -= 1
                        left -= share_below
                        if left < 0.0:
                            found = below
                after += sign * found
            inside[d] = after
            shares[row, d] = after / members


_SWITCH = Kernel(_switch)
