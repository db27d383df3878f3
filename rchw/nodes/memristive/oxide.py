"""A tungsten-oxide memristor that forgets: a filament that grows with voltage and relaxes.

With V the voltage, w the share of the electrode that conducts by tunnelling::

    dw/dt = lambda sinh(eta V) - (w - rest) / tau,    0 <= w <= 1
    I     = (1 - w) alpha (1 - exp(-beta V)) + w gamma sinh(delta V)

The first term of I is the Schottky barrier, the second the tunnelling filament. Under a constant
voltage w runs monotonically to ``rest + lambda tau sinh(eta V)``, so its value after any time is
known exactly, with the stops at 0 and 1 as well: a monotone trajectory meets one stop, and stays::

    w(t + h) = limited to [0, 1] of  w_end + (w(t) - w_end) exp(-h / tau)

Source: after T. Chang et al. (2011) and C. Du et al., Nat. Commun. 8, 2204 (2017), neither of which
was read; the constants are those that public code quotes as table 1 of the supplement of Du et al.
Not confirmed: above all the unit of lambda, taken as 1/s here, for which a pulse of 1.5 V and
0.5 ms moves w by 0.04.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.memristive.array import MemristorArray
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["OxideMemristor", "OxideParameters"]

Values = NDArray[np.float64]
_QUOTED = "Du et al. (2017), supplement, as quoted in public code; not confirmed"
_FRAMES = "Du et al. (2017), from memory; not confirmed"
_SUBSTEPS = 64  # of the slow integrator, in a pulse and in the pause after it


@dataclass(frozen=True)
class OxideParameters(Parameters):
    """Of the tungsten-oxide memristor; each one value, or one per device."""

    pulse: Quantity = quantity(0.5e-3, "s", _FRAMES, loose=True, above=0)
    pause: Quantity = quantity(2.5e-3, "s", _FRAMES, loose=True, least=0)
    barrier_current: Quantity = quantity(1e-8, "A", _QUOTED, loose=True, least=0)
    barrier_slope: Quantity = quantity(0.5, "1/V", _QUOTED, loose=True, above=0)
    tunnel_current: Quantity = quantity(1e-5, "A", _QUOTED, loose=True, above=0)
    tunnel_slope: Quantity = quantity(4.0, "1/V", _QUOTED, loose=True, above=0)
    growth: Quantity = quantity(1e-3, "1/s", _QUOTED + ", nor is its unit", loose=True, above=0)
    growth_slope: Quantity = quantity(8.0, "1/V", _QUOTED, loose=True, above=0)
    relaxation: Quantity = quantity(50e-3, "s", _QUOTED, loose=True, above=0)
    rest: Quantity = quantity(0.1, "1", _QUOTED, loose=True, least=0, most=1)


@dataclass(frozen=True)
class OxideMemristor(MemristorArray):
    """An array of tungsten-oxide memristors, each driven by the pulses of its own mask.

    A pulse holds its voltage, then a pause at 0 V follows.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Pulses per sample, M.
    parameters : OxideParameters
    read_voltage : float, optional
        Voltage of a short read after the pause, which leaves w as it is. By default the current is
        read at the end of the pulse, at the voltage of the pulse.
    stops : bool
        Whether w stays at 0 or 1 when it arrives there; if not, such a drive is refused.
    limit : float
        Largest magnitude of a voltage, in volts, for which the model stands.
    """

    n_devices: int
    n_virtual: int
    parameters: OxideParameters = field(default_factory=OxideParameters)
    read_voltage: float | None = None
    stops: bool = True
    limit: float = 2.0
    memory: ClassVar[str] = "the share that conducts by tunnelling"

    def __post_init__(self) -> None:
        self._check_array()
        if self.read_voltage is not None and not abs(self.read_voltage) <= self.limit:
            raise DesignError(
                f"read voltage must be from {-self.limit:g} to {self.limit:g} V, "
                f"not {self.read_voltage}"
            )

    @property
    def interval(self) -> float:
        """Seconds from pulse to pulse, of the slowest device."""
        p = self.parameters.of_devices(self.n_devices)
        return float((p["pulse"] + p["pause"]).max())

    def start(self) -> Values:
        """All devices at rest, (devices,)."""
        return self.parameters.of_devices(self.n_devices)["rest"]

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Currents in ampere, one per pulse in volt; (T, D), (devices,) -> (T, D), (devices,).

        Raises
        ------
        DesignError
            If a shape or a drive is wrong, or w leaves 0 to 1 and there are no stops.
        """
        voltages, now = self._checked(drives, state)
        p, currents = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)
        left = np.zeros(1)
        _PULSES(
            voltages, currents, now, np.exp(-p["pulse"] / p["relaxation"]),
            np.exp(-p["pause"] / p["relaxation"]), p["rest"],
            p["growth"] * p["relaxation"], p["growth_slope"],
            p["barrier_current"], p["barrier_slope"], p["tunnel_current"], p["tunnel_slope"],
            self.read_voltage is not None, self.read_voltage or 0.0, left,
        )  # fmt: skip
        self._refuse(left[0])
        return currents.reshape(len(currents), self.n_drives), now

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by Runge-Kutta steps of fourth order on dw/dt, with stops after each."""
        voltages, now = self._checked(drives, state)
        p, shares = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)

        def slope(w: Values, v: Values) -> Values:
            grow = p["growth"] * np.sinh(p["growth_slope"] * v)
            return np.asarray(grow - (w - p["rest"]) / p["relaxation"])

        for t in range(len(voltages)):
            for k in range(self.n_virtual):
                parts = ((voltages[t, :, k], p["pulse"]), (np.zeros(self.n_devices), p["pause"]))
                for part, (v, time) in enumerate(parts):
                    h = time / _SUBSTEPS
                    for _ in range(_SUBSTEPS):
                        a = slope(now, v)
                        b = slope(now + h / 2 * a, v)
                        c = slope(now + h / 2 * b, v)
                        d = slope(now + h * c, v)
                        now = now + h / 6 * (a + 2 * b + 2 * c + d)
                        self._refuse(float(((now < 0) | (now > 1)).any()))
                        now = np.minimum(np.maximum(now, 0.0), 1.0)
                    if part == 0 or self.read_voltage is not None:
                        shares[t, :, k] = now
        return self._currents(voltages, shares), now

    def _refuse(self, outside: float) -> None:
        if outside and not self.stops:
            raise DesignError(
                "drives must leave w between 0 and 1 where there are no stops, not push it beyond"
            )

    def _currents(self, voltages: Values, shares: Values) -> Values:
        """Currents of w, both (T, devices, M) -> (T, D)."""
        p = {k: v[:, None] for k, v in self.parameters.of_devices(self.n_devices).items()}
        v = voltages if self.read_voltage is None else np.full_like(voltages, self.read_voltage)
        barrier = p["barrier_current"] * -np.expm1(-p["barrier_slope"] * v)
        tunnel = p["tunnel_current"] * np.sinh(p["tunnel_slope"] * v)
        return np.asarray((1 - shares) * barrier + shares * tunnel).reshape(
            len(voltages), self.n_drives
        )


def _pulses(
    voltages: Values,
    currents: Values,
    state: Values,
    keep_pulse: Values,
    keep_pause: Values,
    rest: Values,
    reach: Values,
    reach_slope: Values,
    barrier: Values,
    barrier_slope: Values,
    tunnel: Values,
    tunnel_slope: Values,
    late: bool,
    read_voltage: float,
    outside: Values,
) -> None:
    """Shapes (T, devices, M) twice, then (devices,); currents, state and outside are written."""
    samples, devices, pulses = voltages.shape
    for t in range(samples):
        for d in range(devices):
            w = state[d]
            for k in range(pulses):
                v = voltages[t, d, k]
                end = rest[d] + reach[d] * math.sinh(reach_slope[d] * v)
                w = end + (w - end) * keep_pulse[d]
                if w < 0.0 or w > 1.0:
                    outside[0] = 1.0
                    w = min(max(w, 0.0), 1.0)
                after = rest[d] + (w - rest[d]) * keep_pause[d]
                if late:
                    v = read_voltage
                    w = after
                currents[t, d, k] = w * tunnel[d] * math.sinh(tunnel_slope[d] * v) - (
                    1.0 - w
                ) * barrier[d] * math.expm1(-barrier_slope[d] * v)
                w = after
            state[d] = w


_PULSES = Kernel(_pulses)
