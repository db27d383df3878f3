"""A semiconductor laser with delayed feedback and injected light: the Lang-Kobayashi equations.

E is the slowly varying field, scaled so that ``|E|^2`` is the density of photons; N is the density
of carriers; u is the injected field, constant in each interval::

    dE/dt = (1 + i a) / 2 (G - 1/tau_p) E + kappa E(t - tau) exp(-i w0 tau)
            + kappa_i u(t) exp(-2 pi i df t)
    dN/dt = J - N / tau_s - G |E|^2,    G = G_N (N - N0) / (1 + s |E|^2)
    kappa = (1 - r2^2) r3 / (r2 tau_in),    w0 = 2 pi c / wavelength

J is given as a multiple of its threshold ``(N0 + 1 / (G_N tau_p)) / tau_s``. There is no
spontaneous emission. Both E and N take steps of Runge and Kutta's method of order 4. The delayed
field in the middle of a step is the cubic through its ends and slopes, so that the order is 4 with
feedback, too. For sources see `rchw.nodes.photonic.lang_kobayashi`.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import check_counts, checked_drives, checked_state
from rchw.nodes.photonic.lang_kobayashi import LIGHT, LaserParameters, solved

__all__ = ["SemiconductorLaser"]

Values = NDArray[np.float64]
_LONGEST, _LONGEST_INJECTED = 5e-12, 1e-12  # steps in seconds
_FASTEST = 0.2  # largest rate times step: beyond it the error is no longer that of a fine step


@dataclass(frozen=True)
class SemiconductorLaser:
    """Lasers, each with the injected fields of its virtual nodes; the photon density is read.

    Parameters
    ----------
    n_virtual : int
        Virtual nodes of each laser.
    n_devices : int
    parameters : LaserParameters
    interval : float
        Seconds between virtual nodes: a multiple of `step`.
    delay : float
        Of the feedback in seconds: a multiple of `step`, at least twice it.
    step : float
        Of the integrator, in seconds: at most 1 ps where light is injected, 5 ps elsewhere.
    limit : float
        Largest magnitude of a drive.
    """

    n_virtual: int
    n_devices: int = 1
    parameters: LaserParameters = field(default_factory=LaserParameters)
    interval: float = 10e-12
    delay: float = 1.5e-9
    step: float = 1e-12
    limit: float = 1e11
    drive_unit: str = field(default="m^-1.5", init=False)
    reading_unit: str = field(default="m^-3", init=False)

    def __post_init__(self) -> None:
        check_counts(self.n_devices, self.n_virtual)
        if not 0 < self.limit < np.inf:
            raise DesignError(f"limit must be finite and above 0, not {self.limit}")
        p = self.parameters.of_devices(self.n_devices)
        longest = _LONGEST_INJECTED if p["injection"].any() else _LONGEST
        if not 0 < self.step <= longest:
            raise DesignError(f"step must be above 0 and at most {longest:g} s, not {self.step:g}")
        _whole(self.interval, self.step, "interval", 1)
        _whole(self.delay, self.step, "delay", 2)
        rates = (self.feedback, p["injection"], 2 * math.pi * np.abs(p["detuning"]))
        fastest = float(np.max(rates))
        if not fastest * self.step <= _FASTEST:
            raise DesignError(
                f"step must be at most {_FASTEST / fastest:g} s for a rate of {fastest:g} /s, "
                f"not {self.step:g}"
            )

    @property
    def n_drives(self) -> int:
        """One injected field per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def _line(self) -> int:
        return _whole(self.delay, self.step, "delay", 2)

    @property
    def n_state(self) -> int:
        """N and E of each device, E twice in each step of its delay, and the number of a sample."""
        return self.n_devices * (3 + 4 * self._line) + 1

    # What follows from the parameters, each of shape (devices,).

    @property
    def threshold(self) -> Values:
        """Carrier density at threshold, N0 + 1 / (G_N tau_p), per cubic metre."""
        p = self.parameters.of_devices(self.n_devices)
        return p["transparency"] + 1 / (p["gain"] * p["photon_lifetime"])

    @property
    def feedback(self) -> Values:
        """Rate kappa of the feedback, per second."""
        p = self.parameters.of_devices(self.n_devices)
        return (1 - p["facet"] ** 2) * p["mirror"] / (p["facet"] * p["round_trip"])

    @property
    def photons(self) -> Values:
        """Photon density without feedback and injection, per cubic metre; 0 below threshold."""
        p = self.parameters.of_devices(self.n_devices)
        excess = (p["pump"] - 1) * self.threshold / p["carrier_lifetime"]
        loss = 1 / p["photon_lifetime"]
        loss = loss * (1 + p["saturation"] / (p["gain"] * p["carrier_lifetime"]))
        return np.maximum(excess / loss, 0.0)

    @property
    def relaxation(self) -> Values:
        """Frequency of the relaxation oscillation in hertz, without damping and saturation."""
        p = self.parameters.of_devices(self.n_devices)
        return np.asarray(np.sqrt(p["gain"] * self.photons / p["photon_lifetime"]) / (2 * math.pi))

    def start(self) -> Values:
        """Each laser as it shines without feedback and injection; the delay line holds the same."""
        p = self.parameters.of_devices(self.n_devices)
        carriers = self.threshold + p["saturation"] * self.photons / (
            p["gain"] * p["photon_lifetime"]
        )
        below = self.photons == 0
        pumped = p["pump"] * self.threshold
        carriers = np.where(below, pumped, carriers)
        each = np.zeros((self.n_devices, 3 + 4 * self._line))
        each[:, 0] = carriers
        each[:, 1::2] = np.sqrt(self.photons)[:, None]
        return np.append(each, 0.0)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Photon densities after each interval; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a drive too large, or the steps too long to stay finite.
        """
        injected, now, p = self._checked(drives, state)
        each = now[:-1].reshape(self.n_devices, -1)
        carriers, fields = each[:, 0].copy(), each[:, 1:3].copy()
        line = each[:, 3:].reshape(self.n_devices, self._line, 4).copy()
        steps = _whole(self.interval, self.step, "interval", 1)
        readings = np.empty_like(injected)
        _STEPS(
            injected, readings, carriers, fields, line, self.step, steps, int(now[-1]),
            p["gain"], p["transparency"], 1 / p["photon_lifetime"], 1 / p["carrier_lifetime"],
            p["linewidth_factor"], p["saturation"],
            p["pump"] * self.threshold / p["carrier_lifetime"],
            self._turned(p), p["injection"], p["detuning"],
        )  # fmt: skip
        if not np.isfinite(readings).all():
            raise DesignError(f"step must be short enough to stay finite, not {self.step:g} s")
        moved = np.roll(line, -(len(injected) * self.n_virtual * steps % self._line), axis=1)
        each = np.concatenate(
            [carriers[:, None], fields, moved.reshape(self.n_devices, -1)], axis=1
        )
        after = np.append(each, now[-1] + len(injected))
        return readings.reshape(-1, self.n_drives), after

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by scipy's method of order 8, delay after delay, with its dense output."""
        injected, now, p = self._checked(drives, state)
        each, readings = now[:-1].reshape(self.n_devices, -1), np.empty_like(injected)
        for d in range(self.n_devices):
            own = {name: float(values[d]) for name, values in p.items()}
            readings[:, d], each[d] = solved(
                own, injected[:, d], each[d], self.step, self.interval, self.delay,
                now[-1] * self.n_virtual * self.interval,
            )  # fmt: skip
        after = np.append(each, now[-1] + len(injected))
        return readings.reshape(-1, self.n_drives), after

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values, dict[str, Values]]:
        injected = checked_drives(drives, self, -self.limit, self.limit)
        shape = (len(injected), self.n_devices, self.n_virtual)
        return (
            injected.reshape(shape),
            checked_state(state, self),
            self.parameters.of_devices(self.n_devices),
        )

    def _turned(self, p: dict[str, Values]) -> Values:
        """Rate of the feedback with its phase, as real and imaginary part, (devices, 2)."""
        phase = 2 * math.pi * np.fmod(LIGHT / p["wavelength"] * self.delay, 1.0)
        turn = np.stack([np.cos(phase), -np.sin(phase)], axis=1)
        return np.asarray(self.feedback[:, None] * turn)


def _whole(long: float, step: float, name: str, least: int) -> int:
    """How many steps fit, refused unless they fit without a rest."""
    count = round(long / step) if 0 < long < math.inf else 0
    if count < least or not math.isclose(count * step, long, rel_tol=1e-6):
        raise DesignError(
            f"{name} must be a multiple of the step of {step:g} s and at least {least} of it, "
            f"not {long:g} s"
        )
    return count


def _steps(
    injected: Values,
    readings: Values,
    carriers: Values,
    fields: Values,
    line: Values,
    h: float,
    steps: int,
    samples_before: int,
    gain: Values,
    transparency: Values,
    loss: Values,
    decay: Values,
    linewidth: Values,
    saturation: Values,
    pump: Values,
    turned: Values,
    injection: Values,
    detuning: Values,
) -> None:
    """Shapes (T, devices, M) twice, (devices,), (devices, 2), (devices, K, 4), then of devices.

    The line holds real and imaginary part of E at the beginning and in the middle of each of the
    last K steps, from place 0 in a ring. Fills readings, carriers, fields and line.
    """
    samples, devices, nodes = injected.shape
    length = line.shape[1]
    for d in range(devices):
        er, ei, n = fields[d, 0], fields[d, 1], carriers[d]
        fr, fi = turned[d, 0], turned[d, 1]
        place, number = 0, samples_before * nodes * steps
        for t in range(samples):
            for i in range(nodes):
                light = injection[d] * injected[t, d, i]
                for _ in range(steps):
                    after = place + 1 if place + 1 < length else 0
                    sr, si, sn = 0.0, 0.0, 0.0  # weighted sum of slopes
                    kr, ki, kn = 0.0, 0.0, 0.0  # the last slope
                    br, bi = 0.0, 0.0  # slope at the beginning
                    xr, xi, xn = er, ei, n
                    for stage in range(5):  # the fifth is the slope at the end, for the middle
                        if stage == 0:
                            dr, di, share = line[d, place, 0], line[d, place, 1], 0.0
                        elif stage < 3:
                            dr, di, share = line[d, place, 2], line[d, place, 3], 0.5
                            xr, xi = er + h * 0.5 * kr, ei + h * 0.5 * ki
                            xn = n + h * 0.5 * kn
                        else:
                            dr, di, share = line[d, after, 0], line[d, after, 1], 1.0
                            if stage == 3:
                                xr, xi, xn = er + h * kr, ei + h * ki, n + h * kn
                            else:
                                xr, xi = er + h / 6.0 * sr, ei + h / 6.0 * si
                                xn = n + h / 6.0 * sn
                        power = xr * xr + xi * xi
                        g = gain[d] * (xn - transparency[d]) / (1.0 + saturation[d] * power)
                        net = 0.5 * (g - loss[d])
                        kr = net * (xr - linewidth[d] * xi) + fr * dr - fi * di
                        ki = net * (xi + linewidth[d] * xr) + fr * di + fi * dr
                        kn = pump[d] - decay[d] * xn - g * power
                        if detuning[d] == 0.0:
                            kr += light
                        else:
                            turn = detuning[d] * h * (number + share)
                            angle = 2.0 * math.pi * (turn - math.floor(turn))
                            kr += light * math.cos(angle)
                            ki -= light * math.sin(angle)
                        if stage == 0:
                            br, bi = kr, ki
                        if stage < 4:
                            weight = 1.0 if stage == 0 or stage == 3 else 2.0
                            sr, si, sn = sr + weight * kr, si + weight * ki, sn + weight * kn
                    line[d, place, 0], line[d, place, 1] = er, ei
                    line[d, place, 2] = 0.5 * (er + xr) + h / 8.0 * (br - kr)
                    line[d, place, 3] = 0.5 * (ei + xi) + h / 8.0 * (bi - ki)
                    er, ei, n = xr, xi, xn
                    place, number = after, number + 1
                readings[t, d, i] = er * er + ei * ei
        fields[d, 0], fields[d, 1], carriers[d] = er, ei, n


_STEPS = Kernel(_steps)
