"""The linear ion drift memristor of HP, with the windows in use: non-volatile, a poor reservoir.

With x from 0 to 1 the share of the film that is doped, i the current and f the window::

    v = M(x) i,    M(x) = Ron x + Roff (1 - x)
    dx/dt = k i f(x),    k = mobility Ron / D^2

Windows, with s = 1 for i < 0 and 0 otherwise::

    none         1, and x stops at 0 and 1
    strukov      x (1 - x)
    joglekar     1 - (2 x - 1)^(2 p)
    biolek       1 - (x - s)^(2 p)
    prodromakis  j (1 - ((x - 1/2)^2 + 3/4)^p)

All but Biolek's are 0 at both ends: a device that is there never leaves (terminal-state lock).
Without a window the memristance obeys a law of the flux phi, the integral of v::

    M^2 = M0^2 - 2 a phi,    a = k (Roff - Ron)

Source: after D. Strukov et al., Nature 453, 80 (2008), not read; constants as in MemTorch and in
public SPICE models, where Joglekar's and Biolek's windows were read as well. Strukov's and
Prodromakis' windows are from memory and not confirmed (MemTorch's Prodromakis differs: it is not 0
at the ends). The voltage is held for a step; the map takes Runge-Kutta steps of fourth order and
refuses those in which x would move by more than `largest`.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.memristive.array import MemristorArray, check_move, check_rising
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["WINDOWS", "DriftMemristor", "DriftParameters"]

WINDOWS = ("none", "strukov", "joglekar", "biolek", "prodromakis")
Values = NDArray[np.float64]
_CODE = "HP device as in MemTorch and public SPICE models"
_WINDOW = "window, chosen"


@dataclass(frozen=True)
class DriftParameters(Parameters):
    """Of the HP memristor; each one value, or one per device."""

    step: Quantity = quantity(1e-3, "s", "chosen: 1 V switches the device in 0.8 s", above=0)
    low_resistance: Quantity = quantity(100.0, "ohm", _CODE, above=0)
    high_resistance: Quantity = quantity(16e3, "ohm", _CODE, above=0)
    thickness: Quantity = quantity(10e-9, "m", _CODE, above=0)
    mobility: Quantity = quantity(1e-14, "m^2/(V s)", _CODE, above=0)
    initial: Quantity = quantity(5.0 / 15.9, "1", _CODE + ": 11 kohm at the start", least=0, most=1)
    exponent: Quantity = quantity(1.0, "1", _WINDOW + " (p)", loose=True, least=1)
    height: Quantity = quantity(1.0, "1", _WINDOW + " (j of Prodromakis)", loose=True, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rising("resistance", "ohm", self.low_resistance, self.high_resistance)


@dataclass(frozen=True)
class DriftMemristor(MemristorArray):
    """An array of HP memristors, each driven by the voltages of its own mask.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Voltages per sample, M; each is held for one step, and the current read at its end.
    parameters : DriftParameters
    window : str
        One of `WINDOWS`.
    substeps : int
        Runge-Kutta steps in the time that a voltage is held.
    largest : float
        Largest move of x in one of them.
    limit : float
        Largest magnitude of a voltage, in volts.
    """

    n_devices: int
    n_virtual: int
    parameters: DriftParameters = field(default_factory=DriftParameters)
    window: str = "biolek"
    substeps: int = 4
    largest: float = 1e-3
    limit: float = 2.0
    memory: ClassVar[str] = "the share of the film that is doped"

    def __post_init__(self) -> None:
        self._check_array()
        if self.substeps < 1:
            raise DesignError(f"substeps must be at least 1, not {self.substeps}")
        if self.window not in WINDOWS:
            raise DesignError(f"window must be one of {', '.join(WINDOWS)}, not {self.window!r}")
        if not 0 < self.largest <= 0.1:
            raise DesignError(f"largest move must be above 0 and at most 0.1, not {self.largest}")

    @property
    def interval(self) -> float:
        """Seconds from voltage to voltage, of the slowest device."""
        return float(self.parameters.of_devices(self.n_devices)["step"].max())

    def start(self) -> Values:
        """All devices as they are made, (devices,)."""
        return self.parameters.of_devices(self.n_devices)["initial"]

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Currents in ampere after each voltage in volt; (T, D), (devices,) -> (T, D), (devices,).

        Raises
        ------
        DesignError
            If a shape, a drive or the state is wrong, or x moves too far in a Runge-Kutta step.
        """
        voltages, now = self._checked(drives, state)
        p, currents = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)
        worst = np.zeros(1)
        _STEPS(
            voltages, currents, now, p["step"] / self.substeps,
            p["mobility"] * p["low_resistance"] / p["thickness"] ** 2,
            p["low_resistance"], p["high_resistance"], p["exponent"], p["height"],
            WINDOWS.index(self.window), self.substeps, worst,
        )  # fmt: skip
        check_move(worst[0], self.largest, self.substeps)
        return currents.reshape(len(currents), self.n_drives), now

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of eighth order, to 1e-12."""
        from scipy.integrate import solve_ivp

        voltages, now = self._checked(drives, state)
        p, currents = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)
        for d in range(self.n_devices):
            q = {name: float(values[d]) for name, values in p.items()}
            speed = q["mobility"] * q["low_resistance"] / q["thickness"] ** 2
            for t in range(len(voltages)):
                for k in range(self.n_virtual):
                    v = float(voltages[t, d, k])

                    def slope(
                        _: float, x: Values, v: float = v, q: dict[str, float] = q, s: float = speed
                    ) -> Values:
                        resistance = q["low_resistance"] * x + q["high_resistance"] * (1 - x)
                        return np.asarray(s * v / resistance * self._window(x, v, q))

                    stop = 1.0 if v > 0 else 0.0

                    if v != 0 and now[d] != stop:
                        events = _Stop(stop) if self.window == "none" else None
                        found = solve_ivp(
                            slope, (0.0, q["step"]), [now[d]], "DOP853",
                            events=events, rtol=1e-12, atol=1e-14,
                        )  # fmt: skip
                        now[d] = stop if found.status == 1 else found.y[0, -1]
                    held = q["low_resistance"] * now[d] + q["high_resistance"] * (1 - now[d])
                    currents[t, d, k] = v / held
        return currents.reshape(len(currents), self.n_drives), now

    def _window(self, x: Values, v: float, q: dict[str, float]) -> Values:
        """f(x) of the slow integrator."""
        p = q["exponent"]
        values = {
            "none": np.ones_like(x),
            "strukov": x * (1 - x),
            "joglekar": 1 - np.abs(2 * x - 1) ** (2 * p),
            "biolek": 1 - np.abs(x - (v < 0)) ** (2 * p),
            "prodromakis": q["height"] * (1 - ((x - 0.5) ** 2 + 0.75) ** p),
        }
        return np.asarray(values[self.window])


@dataclass(frozen=True)
class _Stop:
    """Where the slow integrator ends without a window."""

    where: float
    terminal: bool = True
    direction: float = 0.0

    def __call__(self, _: float, x: Values) -> float:
        return float(x[0]) - self.where


def _steps(
    voltages: Values,
    currents: Values,
    state: Values,
    step: Values,
    speed: Values,
    low: Values,
    high: Values,
    exponent: Values,
    height: Values,
    window: int,
    substeps: int,
    worst: Values,
) -> None:
    """Shapes (T, devices, M) twice, then (devices,); currents, state and worst are written."""
    samples, devices, virtual = voltages.shape
    for t in range(samples):
        for d in range(devices):
            x, p, h = state[d], exponent[d], step[d]
            for k in range(virtual):
                v = voltages[t, d, k]
                side = 1.0 if v < 0.0 else 0.0
                for _ in range(substeps):
                    if window == 0 and ((x == 1.0 and v >= 0.0) or (x == 0.0 and v <= 0.0)):
                        break  # held at the stop
                    total, slope = 0.0, 0.0
                    for stage in range(4):
                        reach = 0.0 if stage == 0 else (h if stage == 3 else 0.5 * h)
                        y = x + reach * slope
                        f = 1.0
                        if window == 1:
                            f = y * (1.0 - y)
                        elif window != 0:
                            base = (y - side) * (y - side)
                            if window == 2:
                                base = (2.0 * y - 1.0) * (2.0 * y - 1.0)
                            elif window == 4:
                                base = (y - 0.5) * (y - 0.5) + 0.75
                            f = 1.0 - (base if p == 1.0 else base**p)
                            if window == 4:
                                f *= height[d]
                        slope = speed[d] * v / (low[d] * y + high[d] * (1.0 - y)) * f
                        total += slope if stage == 0 or stage == 3 else 2.0 * slope
                        worst[0] = max(worst[0], abs(h * slope))
                    x += h / 6.0 * total
                    if window != 0 and max(-x, x - 1.0) > 1e-12:
                        worst[0] = math.inf  # no rounding: the window was overrun
                    x = min(max(x, 0.0), 1.0)
                currents[t, d, k] = v / (low[d] * x + high[d] * (1.0 - x))
            state[d] = x


_STEPS = Kernel(_steps)
