"""Opto-electronic loops of Ikeda's kind: laser, modulator, fibre, photodiode, amplifier.

A Mach-Zehnder modulator turns a voltage into ``sin^2`` of it. Two forms are in use.

`LowPassIkeda`, where the electronics are slower than the mask. With T the response time, tau = N
intervals the delay, u the masked input::

    T dx/dt + x = beta sin^2(mu x(t - tau) + rho u(t) + phi0)

What the delay line plays is held in each interval (see `rchw.nodes.photonic.mackey_glass`), so with
``k = exp(-interval / T)``, n the sample and i the virtual node::

    x_i(n) = k x_(i-1)(n) + (1 - k) beta sin^2(mu x_i(n-1) + rho u_i(n) + phi0)

`SineIkeda`, where the electronics follow at once, so that virtual nodes would not know of each
other; they do because the loop is k intervals longer than the mask of N::

    x_i(n) = sin(alpha x_(i-k)(n-1) + beta u_i(n) + phi),  x_(N+i-k)(n-2) in the place of i < k

Its noise is white and is added to x in each interval, before x goes round the loop.

Sources: L. Larger et al., Opt. Express 20, 3241 (2012), whose times are in public code; Y. Paquot
et al., Sci. Rep. 2, 287 (2012), whose recursion is not confirmed. The papers were not read.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import check_counts, checked_state
from rchw.nodes.noise import normals
from rchw.nodes.parameters import Parameters, Quantity, quantity
from rchw.nodes.photonic.loop import (
    Between,
    DelayLoops,
    SlowLoops,
    continuous_loop,
    rest_point,
    sampled_loop,
)

__all__ = ["LowPassIkeda", "LowPassIkedaParameters", "SineIkeda", "SineIkedaParameters"]

Values = NDArray[np.float64]
_FINEST = 0.01  # largest step of the reference, in response times: its error is below 1e-10
_LARGER = "public code after Larger et al., Opt. Express 20, 3241 (2012)"
_PAQUOT = "chosen near the best of a scan on NARMA10, after Paquot et al., Sci. Rep. 2, 287 (2012)"


@dataclass(frozen=True)
class LowPassIkedaParameters(Parameters):
    """Of the slow loop; each one value, or one per device."""

    response: Quantity = quantity(240e-9, "s", _LARGER, above=0)
    strength: Quantity = quantity(
        1.6, "1", "beta of public code with an Ikeda node, not of one device", loose=True, above=0
    )
    feedback: Quantity = quantity(1.0, "1", "mu, chosen: beta sets the strength", loose=True)
    input_gain: Quantity = quantity(
        0.9, "1", "rho of public code with an Ikeda node, not of one device", loose=True
    )
    bias: Quantity = quantity(
        0.2, "1", "phi0 of public code with an Ikeda node, not of one device", loose=True
    )


@dataclass(frozen=True)
class LowPassIkeda(SlowLoops):
    """Slow loops, each driven by the masked input of its virtual nodes.

    Parameters
    ----------
    n_virtual : int
        Virtual nodes N of each loop.
    n_devices : int
        Loops.
    parameters : LowPassIkedaParameters
    theta : float
        Interval over the response time; over the mean of the response times where they differ.
        The default is that of a delay of 20.87 us with N = 400.
    limit : float
        Largest magnitude of a drive.
    """

    n_virtual: int
    n_devices: int = 1
    parameters: LowPassIkedaParameters = field(default_factory=LowPassIkedaParameters)
    theta: float = 20.87e-6 / 400 / 240e-9
    limit: float = 1.0

    def __post_init__(self) -> None:
        self._check_loops("theta")

    def start(self) -> Values:
        """Delay lines at a fixed point of the loops without drive, (devices * N,)."""
        p = self.parameters.of_devices(self.n_devices)
        rest = rest_point(_squared_sine(p), np.zeros(self.n_devices), p["strength"])
        return np.repeat(rest, self.n_virtual)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Values of x at the end of each interval; (T, D), (S,) -> (T, D), (S,)."""
        masked, line, p = self._checked(drives, state)
        readings = np.empty_like(masked)
        _SLOW(
            masked, readings, line, np.exp(-self.interval / p["response"]),
            p["strength"], p["feedback"], p["input_gain"], p["bias"],
        )  # fmt: skip
        return readings.reshape(-1, self.n_drives), line.ravel()

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by integration of the sampled loop with steps of at most T / 100."""
        masked, line, p = self._checked(drives, state)
        ratios = self.interval / p["response"]
        steps = max(1, math.ceil(ratios.max() / _FINEST))
        readings, line = sampled_loop(_squared_sine(p), masked, line, ratios, steps)
        return readings.reshape(-1, self.n_drives), line.ravel()

    def continuous(self, drives: Values, steps: int) -> Values:
        """Readings of the loop whose delay line does not sample, from rest; (T, D) -> (T, D).

        Parameters
        ----------
        drives : float64 array (T, D)
        steps : int
            Of the integrator in each interval.
        """
        masked, rest, p = self._checked(drives, self.start())
        line = np.repeat(rest, 3 * steps, axis=1).reshape(*rest.shape, steps, 3)
        ratios = self.interval / p["response"]
        readings = continuous_loop(_squared_sine(p), masked, line, ratios)
        return readings.reshape(-1, self.n_drives)


def _squared_sine(p: dict[str, Values]) -> Between:
    def between(delayed: Values, drive: Values) -> Values:
        phase = p["feedback"] * delayed + p["input_gain"] * drive + p["bias"]
        return np.asarray(p["strength"] * np.sin(phase) ** 2)

    return between


def _slow(
    drives: Values,
    readings: Values,
    line: Values,
    keep: Values,
    strength: Values,
    feedback: Values,
    input_gain: Values,
    bias: Values,
) -> None:
    """Shapes (T, devices, N) twice, (devices, N), then (devices,); fills readings and line."""
    samples, devices, nodes = drives.shape
    for t in range(samples):
        for d in range(devices):
            x = line[d, nodes - 1]
            for i in range(nodes):
                s = math.sin(feedback[d] * line[d, i] + input_gain[d] * drives[t, d, i] + bias[d])
                x = keep[d] * x + (1.0 - keep[d]) * (strength[d] * s * s)
                line[d, i] = x
                readings[t, d, i] = x


_SLOW = Kernel(_slow)


@dataclass(frozen=True)
class SineIkedaParameters(Parameters):
    """Of the fast loop; each one value, or one per device."""

    feedback: Quantity = quantity(0.8, "1", _PAQUOT, loose=True)
    input_gain: Quantity = quantity(0.1, "1", _PAQUOT, loose=True)
    bias: Quantity = quantity(0.0, "1", _PAQUOT, loose=True)


@dataclass(frozen=True)
class SineIkeda(DelayLoops):
    """Fast loops, each driven by the masked input of its virtual nodes.

    Parameters
    ----------
    n_virtual : int
        Virtual nodes N of each loop.
    n_devices : int
        Loops.
    parameters : SineIkedaParameters
    desynchronisation : int
        k: by how many intervals the loop is longer than the mask. With N it may have no divisor in
        common, or else the virtual nodes fall into groups that know nothing of each other.
    loop : float
        Delay of the loop in seconds; the default is that of Paquot et al. (2012).
    limit : float
        Largest magnitude of a drive.
    noise : float
        Standard deviation of the noise in the loops, of which x is at most 1.
    seed : int
        Of that noise.
    """

    n_virtual: int
    n_devices: int = 1
    parameters: SineIkedaParameters = field(default_factory=SineIkedaParameters)
    desynchronisation: int = 1
    loop: float = 8.5e-6
    limit: float = 1.0
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_counts(self.n_devices, self.n_virtual)
        if not 0 <= self.noise < math.inf:
            raise DesignError(f"noise must be finite and at least 0, not {self.noise}")
        if self.seed < 0:
            raise DesignError(f"seed of the noise must be at least 0, not {self.seed}")
        if self.desynchronisation < 0 or math.gcd(self.desynchronisation, self.n_virtual) != 1:
            raise DesignError(
                f"desynchronisation must have no divisor in common with {self.n_virtual} virtual "
                f"nodes, not be {self.desynchronisation}"
            )
        self._check_loops("loop")

    @property
    def n_state(self) -> int:
        """What is in the loops, N + k values of each; with noise also the number of a sample."""
        return self.n_devices * (self.n_virtual + self.desynchronisation) + (self.noise > 0)

    @property
    def interval(self) -> float:
        """Seconds between virtual nodes."""
        return self.loop / (self.n_virtual + self.desynchronisation)

    def start(self) -> Values:
        """Loops at a fixed point without drive, before sample 0, (`n_state`,)."""
        p = self.parameters.of_devices(self.n_devices)

        def between(delayed: Values, drive: Values) -> Values:
            return np.asarray(np.sin(p["feedback"] * delayed + drive + p["bias"]))

        edge = np.ones(self.n_devices)
        rest = rest_point(between, -edge, edge)
        lines = np.repeat(rest, self.n_virtual + self.desynchronisation)
        return np.append(lines, 0.0) if self.noise else lines

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Values of x in each interval; (T, D), (S,) -> (T, D), (S,)."""
        masked, line, p = self._checked(drives, state)
        flat = masked.transpose(1, 0, 2).reshape(self.n_devices, len(masked) * self.n_virtual)
        values = np.concatenate([line, np.empty_like(flat)], axis=1)
        kicks = self._kicks(state, len(masked))
        kicks = kicks.transpose(1, 0, 2).reshape(self.n_devices, -1)
        _FAST(flat, values, kicks, line.shape[1], p["feedback"], p["input_gain"], p["bias"])
        readings = values[:, line.shape[1] :].reshape(self.n_devices, -1, self.n_virtual)
        end = values[:, values.shape[1] - line.shape[1] :].ravel()
        return (
            readings.transpose(1, 0, 2).reshape(-1, self.n_drives),
            self._after(end, state, len(masked)),
        )

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same as the recursion is written, sample by sample and node by node."""
        masked, line, p = self._checked(drives, state)
        nodes, k = self.n_virtual, self.desynchronisation
        rounds = 1 + -(-k // nodes)  # the longest memory, in samples
        lost = rounds * nodes - line.shape[1]  # nodes of the oldest sample, which nothing reads
        padded = np.concatenate([np.zeros((self.n_devices, lost)), line], axis=1)
        x = list(padded.reshape(self.n_devices, rounds, nodes).transpose(1, 0, 2))
        kicks = self._kicks(state, len(masked)) if self.noise else np.zeros_like(masked)
        for drive, kick in zip(masked, kicks, strict=True):
            now = np.empty((self.n_devices, nodes))
            for i in range(nodes):
                before, node = divmod(i - k, nodes)
                delayed = x[before - 1][:, node]
                now[:, i] = np.sin(
                    p["feedback"] * delayed + p["input_gain"] * drive[:, i] + p["bias"]
                )
            x.append(now + kick)
        readings = np.array(x[rounds:]).reshape(-1, self.n_drives)
        end = np.concatenate(x[-rounds:], axis=1)[:, lost:]
        return readings, self._after(end.ravel(), state, len(masked))

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values, dict[str, Values]]:
        """As without noise; the number of a sample is checked, and left to `_kicks`."""
        if not self.noise:
            return super()._checked(drives, state)
        now = checked_state(state, self)
        if now[-1] < 0 or now[-1] % 1:
            raise DesignError(f"state must end with the number of a sample, not {now[-1]:g}")
        return replace(self, noise=0.0)._checked(drives, now[:-1])

    def _kicks(self, state: Values, samples: int) -> Values:
        """Noise of the next samples, (T, devices, N), or none of them."""
        if not self.noise:
            return np.empty((0, self.n_devices, self.n_virtual))
        white = normals(samples, self.n_drives, int(state[-1]), self.seed)
        return self.noise * white.reshape(samples, self.n_devices, self.n_virtual)

    def _after(self, lines: Values, state: Values, samples: int) -> Values:
        """State from what is in the loops, (S,)."""
        return np.append(lines, state[-1] + samples) if self.noise else lines


def _fast(
    drives: Values,
    values: Values,
    kicks: Values,
    delay: int,
    feedback: Values,
    input_gain: Values,
    bias: Values,
) -> None:
    """Shapes (devices, intervals), (devices, delay + intervals), then as drives, then (devices,).

    Fills values. Kicks may be empty.
    """
    devices, intervals = drives.shape
    noisy = kicks.size > 0
    for d in range(devices):
        for m in range(intervals):
            x = math.sin(feedback[d] * values[d, m] + input_gain[d] * drives[d, m] + bias[d])
            if noisy:
                x += kicks[d, m]
            values[d, delay + m] = x


_FAST = Kernel(_fast)
