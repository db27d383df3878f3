"""A spin-torque auto-oscillator, by its amplitude: the default spintronic node.

With p the power (the squared amplitude, relative) and I the current::

    dp/dt = 2 p (a - b p),   a = G0 (I / I_th - 1),   b = G0 (I / I_th + Q)

A constant current over the time t is solved exactly, since 1 / p obeys a linear equation. Above the
threshold, for a > 0, the power tends to a / b; below it, it dies out::

    p(t) = p / (E + p b (1 - E) / a),                  E = exp(-2 a t),   a > 0
    p(t) = p F / (1 + p b (1 - F) / |a|),              F = exp(-2 |a| t), a < 0

The reading is the envelope ``sensitivity * sqrt(p)``. Near its stationary value the power relaxes
with ``T_relax = 1 / (2 |a|)``; this is the time of the power and, for small deviations, also that
of the amplitude.

Thermal noise is that of the complex amplitude c, p = |c|^2: white, of the strength at which the
mean power without current is p_T. A step is half a kick, the exact flow, half a kick; each kick is
exact too, so the power stays positive, and the stationary law is of second order in the interval::

    density of p  ~  exp((a p - b p^2 / 2) / (G0 p_T))

Source: the equation is that of A. Slavin and V. Tiberkevich, IEEE Trans. Magn. 45, 1875 (2009), in
the form common to public code; the article itself was not read. The closed forms follow from it.
The device meant is the vortex oscillator of J. Torrejon et al., Nature 547, 428 (2017); its numbers
are not confirmed, so the defaults are loose.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.noise import normals
from rchw.nodes.parameters import Parameters, Quantity, quantity
from rchw.nodes.spintronic.layout import by_device, by_time, check_node

__all__ = ["AutoOscillator", "AutoOscillatorParameters"]

Values = NDArray[np.float64]
_CHOSEN = "chosen: a relaxation of 410 ns at twice the threshold; not measured"
_RECALLED = "of the order recalled for the vortex oscillator of Torrejon et al. 2017; not confirmed"
_LEAST = 1e-12  # of the power: below it an oscillator without noise hardly starts again
_NOISE = 2**21  # normal numbers that are held at a time


@dataclass(frozen=True)
class AutoOscillatorParameters(Parameters):
    """Of the auto-oscillator; each one value, or one per device."""

    damping: Quantity = quantity(1.22e6, "1/s", _CHOSEN, loose=True, above=0)
    nonlinear_damping: Quantity = quantity(2.0, "1", "chosen", loose=True, least=0)
    threshold: Quantity = quantity(3e-3, "A", _RECALLED, loose=True, above=0)
    bias: Quantity = quantity(6e-3, "A", _RECALLED, loose=True, above=0)
    sensitivity: Quantity = quantity(20e-3, "V", "chosen", loose=True, above=0)
    thermal_power: Quantity = quantity(0.0, "1", "chosen: no thermal noise", loose=True, least=0)


@dataclass(frozen=True)
class AutoOscillator:
    """An array of auto-oscillators that do not see each other, each driven by its own currents.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Currents, and readings, per sample, M.
    parameters : AutoOscillatorParameters
        The bias is the current before the first sample, and above the threshold.
    interval : float
        Seconds that each current is held.
    limit : float
        Largest current in ampere; the least is 0.
    seed : int
        Of the thermal noise.
    """

    n_devices: int
    n_virtual: int
    parameters: AutoOscillatorParameters = field(default_factory=AutoOscillatorParameters)
    interval: float = 100e-9
    limit: float = 15e-3
    seed: int = 0
    drive_unit: str = field(default="A", init=False)
    reading_unit: str = field(default="V", init=False)

    def __post_init__(self) -> None:
        check_node(
            self.n_devices, self.n_virtual, self.seed, interval=self.interval, limit=self.limit
        )
        self.stationary_power(self._parameters["bias"])

    @property
    def n_drives(self) -> int:
        """One current per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """The power of each device, and the number of the next sample."""
        return self.n_devices + 1

    @cached_property
    def _parameters(self) -> dict[str, Values]:
        return self.parameters.of_devices(self.n_devices)

    def start(self) -> Values:
        """All devices at the stationary power of the bias, before sample 0; (devices + 1,)."""
        return np.append(self.stationary_power(self._parameters["bias"]), 0.0)

    def relaxation_time(self, current: float | Values) -> Values:
        """Time constant of the power at a current in ampere, in seconds, (devices,).

        Parameters
        ----------
        current : float or array (devices,)
            Below the threshold it is the time in which the power dies out.

        Raises
        ------
        DesignError
            If it is the threshold itself, where the relaxation is no exponential.
        """
        p = self._parameters
        gain = p["damping"] * (current / p["threshold"] - 1)
        if not gain.all():
            raise DesignError(
                f"current must be off the threshold for a relaxation time, not {current} A"
            )
        return np.asarray(1 / (2 * np.abs(gain)))

    def stationary_power(self, current: float | Values) -> Values:
        """Power to which a constant current in ampere leads, without noise, (devices,).

        Raises
        ------
        DesignError
            If the current is not above the threshold: the power then dies out.
        """
        p = self._parameters
        ratio = current / p["threshold"]
        if not (ratio > 1).all():
            worst = float(p["threshold"].max())
            raise DesignError(
                f"current must be above the threshold {worst:g} A to oscillate, not {current} A"
            )
        return np.asarray((ratio - 1) / (ratio + p["nonlinear_damping"]))

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Envelopes in volt at the end of each current in ampere; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a current is outside the range, or a power falls below 1e-12.
        """
        currents, now = self._checked(drives, state)
        p, powers = self._parameters, np.empty_like(currents)
        for part, kicks in self._kicks(int(now[-1]) * self.n_virtual, len(currents)):
            _FLOW(
                currents[part], powers[part], now, kicks, self.interval,
                p["damping"], p["threshold"], p["nonlinear_damping"],
            )  # fmt: skip
        return self._readings(powers, now, len(drives))

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of the equation, with the same kicks."""
        from scipy.integrate import solve_ivp

        currents, now = self._checked(drives, state)
        p, powers = self._parameters, np.empty_like(currents)
        span = (0.0, self.interval)
        for part, kicks in self._kicks(int(now[-1]) * self.n_virtual, len(currents)):
            for row in range(part.start, part.stop):
                ratio = currents[row] / p["threshold"]

                def slope(_: float, power: Values, ratio: Values = ratio) -> Values:
                    positive = p["damping"] * (1 + p["nonlinear_damping"] * power)
                    negative = p["damping"] * ratio * (1 - power)
                    return np.asarray(-2 * (positive - negative) * power)

                kick = kicks[row - part.start] if kicks.size else np.zeros((self.n_devices, 4))
                begin = np.abs(np.sqrt(now[:-1]) + kick[:, 0] + 1j * kick[:, 1]) ** 2
                end = solve_ivp(slope, span, begin, "DOP853", rtol=1e-12, atol=1e-18).y[:, -1]
                now[:-1] = np.abs(np.sqrt(end) + kick[:, 2] + 1j * kick[:, 3]) ** 2
                powers[row] = now[:-1]
        return self._readings(powers, now, len(drives))

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        currents = by_time(checked_drives(drives, self, 0.0, self.limit), self.n_devices)
        now = checked_state(state, self)
        if not (now >= 0).all():
            raise DesignError(f"state must be at least 0, not {now.min():g}")
        return currents, now

    def _kicks(self, first: int, rows: int) -> Iterator[tuple[slice, Values]]:
        """Parts of the rows, each with its half kicks (part, devices, 4), or none."""
        p = self._parameters
        if not p["thermal_power"].any():
            yield slice(0, rows), np.empty((0, 0, 0))
            return
        half = np.sqrt(p["damping"] * p["thermal_power"] * self.interval / 2)
        count = 4 * self.n_devices
        length = max(1, _NOISE // count)
        for row in range(0, rows, length):
            part = slice(row, min(row + length, rows))
            noise = normals(part.stop - row, count, first + row, self.seed)
            yield part, noise.reshape(-1, self.n_devices, 4) * half[:, None]

    def _readings(self, powers: Values, now: Values, samples: int) -> tuple[Values, Values]:
        p = self._parameters
        lost = np.argwhere((powers < _LEAST) & (p["thermal_power"] == 0))
        if len(lost):
            row, device = lost[0]
            raise DesignError(
                f"power without thermal noise must be at least {_LEAST:g}, not "
                f"{powers[row, device]:.3g} at sample {row // self.n_virtual}, device {device}"
            )
        now[-1] += samples
        return by_device(p["sensitivity"] * np.sqrt(powers), self.n_virtual), now


def _flow(
    currents: Values,
    powers: Values,
    state: Values,
    kicks: Values,
    interval: float,
    damping: Values,
    threshold: Values,
    nonlinear: Values,
) -> None:
    """(T M, devices) twice; powers and state are written in place."""
    rows, devices = currents.shape
    noisy = kicks.size > 0
    for row in range(rows):
        for d in range(devices):
            p = state[d]
            if noisy:
                along = np.sqrt(p) + kicks[row, d, 0]
                p = along * along + kicks[row, d, 1] * kicks[row, d, 1]
            ratio = currents[row, d] / threshold[d]
            a, b = damping[d] * (ratio - 1.0), damping[d] * (ratio + nonlinear[d])
            # A power of 0 is at rest; the first form would divide 0 by 0 far above the threshold.
            if p > 0.0 and a > 0.0:
                faded = -np.expm1(-2.0 * a * interval)
                p = p / (np.exp(-2.0 * a * interval) + p * b * faded / a)
            elif p > 0.0 and a < 0.0:
                faded = -np.expm1(2.0 * a * interval)
                p = p * np.exp(2.0 * a * interval) / (1.0 - p * b * faded / a)
            elif p > 0.0:
                p = p / (1.0 + 2.0 * p * b * interval)
            if noisy:
                along = np.sqrt(p) + kicks[row, d, 2]
                p = along * along + kicks[row, d, 3] * kicks[row, d, 3]
            state[d] = powers[row, d] = p


_FLOW = Kernel(_flow)
