"""A spin-wave active ring: a wave that circulates through a magnetic film and an amplifier.

Two antennas on the film make a delay line; the amplifier closes it to a ring, which oscillates by
itself where its gain is more than its loss. The input changes the gain, and a diode reads the power
P behind the film. With tau the time of one round, g the drive in decibel, G the power gain of one
round of a weak wave::

    T dP/dt = -P(t) + G(t) (P(t - tau) + P_n) / (1 + P(t - tau) / P_s)
    G(t) = 10^((amplification - insertion loss + g(t)) / 10) exp(-2 Gamma tau)

Gamma is the relaxation rate of the amplitude of the waves, and the insertion loss that of the
antennas, whose pass band gives the response time T. P_n is the noise of the amplifier, by its mean
power, from which the ring starts. At the power P_s its gain is halved. Only the power counts, as if
there were one mode and no phase.

What leaves the film is taken to be constant in each interval, and to be P at the end of that
interval one round ago. So P relaxes to a constant, and one exponential carries it through an
interval without error. With ``k = exp(-interval / T)``, D intervals in a round, n their number::

    P(n) = k P(n-1) + (1 - k) G(n) (P(n-D) + P_n) / (1 + P(n-D) / P_s)

Source: the ring is that of S. Watt and M. Kostylev, arXiv 1912.05119 (2019) and 2005.12557 (2020),
of which the abstracts and introductions were read: input by the gain, reading by a diode, STM and
parity as tasks. The equation and all numbers are chosen.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.parameters import Parameters, Quantity, quantity
from rchw.nodes.photonic.loop import Between, sampled_loop
from rchw.nodes.spintronic.layout import check_node

__all__ = ["SpinWaveRing", "SpinWaveRingParameters"]

Values = NDArray[np.float64]
_FINEST = 0.01  # largest step of the reference, in response times: its error is below 1e-10
_NEPER = 10 / math.log(10)  # decibels of a factor e in power


@dataclass(frozen=True)
class SpinWaveRingParameters(Parameters):
    """Of the ring; each one value, or one per device."""

    amplification: Quantity = quantity(
        26.0, "dB", "chosen: the default ring is 0.7 dB above its threshold", loose=True
    )
    insertion_loss: Quantity = quantity(20.0, "dB", "chosen", loose=True, least=0)
    damping: Quantity = quantity(
        4.4e6, "1/s", "chosen: a linewidth of 0.5 Oe, usual for iron garnet", loose=True, least=0
    )
    saturation: Quantity = quantity(1e-3, "W", "chosen", loose=True, above=0)
    noise: Quantity = quantity(1e-7, "W", "chosen", loose=True, above=0)
    response: Quantity = quantity(10e-9, "s", "chosen: a pass band of 16 MHz", loose=True, above=0)


@dataclass(frozen=True)
class SpinWaveRing:
    """Rings that do not see each other, each driven by changes of its own gain.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Gains, and readings, per sample, M.
    parameters : SpinWaveRingParameters
    round_trip : int
        Intervals D in which the wave goes round once.
    interval : float
        Seconds that each gain is held.
    limit : float
        Largest change of the gain, up or down, in decibel.
    """

    n_devices: int
    n_virtual: int
    parameters: SpinWaveRingParameters = field(default_factory=SpinWaveRingParameters)
    round_trip: int = 14
    interval: float = 10e-9
    limit: float = 6.0
    drive_unit: str = field(default="dB", init=False)
    reading_unit: str = field(default="W", init=False)

    def __post_init__(self) -> None:
        check_node(self.n_devices, self.n_virtual, 0, interval=self.interval, limit=self.limit)
        if self.round_trip < 1:
            raise DesignError(f"round trip must be at least 1 interval, not {self.round_trip}")
        self.parameters.of_devices(self.n_devices)

    @property
    def n_drives(self) -> int:
        """One gain per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """What is on its way in each ring."""
        return self.n_devices * self.round_trip

    @cached_property
    def _parameters(self) -> dict[str, Values]:
        return self.parameters.of_devices(self.n_devices)

    @property
    def ring_gain(self) -> Values:
        """Of a weak wave in one round without drive, in decibel, (devices,); above 0 it grows."""
        p = self._parameters
        relaxed = 2 * p["damping"] * self.round_trip * self.interval
        return np.asarray(p["amplification"] - p["insertion_loss"] - _NEPER * relaxed)

    def start(self) -> Values:
        """All rings at rest without drive, (devices * D,).

        There ``P (1 + P / P_s) = G (P + P_n)``, a quadratic equation with one positive root.
        """
        p, gain = self._parameters, np.exp(self.ring_gain / _NEPER)
        excess, product = gain - 1, gain * p["noise"] / p["saturation"]
        root = np.sqrt(excess**2 + 4 * product)
        # Of two forms the one that adds numbers of one sign.
        rest = np.where(
            excess > 0, (root + excess) / 2, 2 * product / (root - np.minimum(excess, 0))
        )
        return np.repeat(p["saturation"] * rest, self.round_trip)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Powers in watt at the end of each interval; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a gain is outside the range, or a power is negative.
        """
        gains, line = self._checked(drives, state)
        p, length = self._parameters, gains.shape[1]
        powers = np.concatenate([line, np.empty_like(gains)], axis=1)
        _CIRCULATE(
            gains, powers, self.round_trip, np.exp(-self.interval / p["response"]),
            self.ring_gain, p["saturation"], p["noise"],
        )  # fmt: skip
        return self._readings(powers, length)

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by integration of the equation with steps of at most T / 100."""
        gains, line = self._checked(drives, state)
        p, length = self._parameters, gains.shape[1]
        ratios = self.interval / p["response"]
        steps = max(1, math.ceil(ratios.max() / _FINEST))
        # The integrator wants whole rounds; nothing of what is added shows before it.
        rounds = -(-length // self.round_trip)
        padded = np.zeros((self.n_devices, rounds * self.round_trip))
        padded[:, :length] = gains
        turns = padded.reshape(self.n_devices, rounds, self.round_trip).transpose(1, 0, 2)
        found, _ = sampled_loop(self._between(), turns, line, ratios, steps)
        flat = found.transpose(1, 0, 2).reshape(self.n_devices, -1)
        return self._readings(np.concatenate([line, flat[:, :length]], axis=1), length)

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Gains (devices, T M) in the order of time, and what is on its way (devices, D)."""
        values = checked_drives(drives, self, -self.limit, self.limit)
        split = values.reshape(len(values), self.n_devices, self.n_virtual)
        line = checked_state(state, self).reshape(self.n_devices, self.round_trip)
        if not (line >= 0).all():
            raise DesignError(f"state must be at least 0 W, not {line.min():g} W")
        gains = split.transpose(1, 0, 2).reshape(self.n_devices, len(values) * self.n_virtual)
        return np.ascontiguousarray(gains), line

    def _between(self) -> Between:
        p, ring = self._parameters, self.ring_gain

        def amplified(power: Values, drive: Values) -> Values:
            gain = 10 ** ((ring + drive) / 10)
            return np.asarray(gain * (power + p["noise"]) / (1 + power / p["saturation"]))

        return amplified

    def _readings(self, powers: Values, length: int) -> tuple[Values, Values]:
        """Readings (T, D) and state (S,) of all powers (devices, D + T M)."""
        new = powers[:, self.round_trip :].reshape(self.n_devices, -1, self.n_virtual)
        return new.transpose(1, 0, 2).reshape(-1, self.n_drives), powers[:, length:].ravel()


def _circulate(
    gains: Values,
    powers: Values,
    delay: int,
    keep: Values,
    ring: Values,
    saturation: Values,
    noise: Values,
) -> None:
    """Shapes (devices, intervals), (devices, delay + intervals), then (devices,); fills powers."""
    devices, intervals = gains.shape
    for d in range(devices):
        for n in range(intervals):
            old = powers[d, n]
            gain = math.exp((ring[d] + gains[d, n]) / _NEPER)
            fed = gain * (old + noise[d]) / (1.0 + old / saturation[d])
            powers[d, n + delay] = keep[d] * powers[d, n + delay - 1] + (1.0 - keep[d]) * fed


_CIRCULATE = Kernel(_circulate)
