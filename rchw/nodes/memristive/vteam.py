"""VTEAM: a non-volatile memristor that moves only beyond a threshold voltage.

With w from w_on to w_off the position of the boundary, and x its share from 0 to 1 of that way::

    dw/dt = k_off (v / v_off - 1)^a_off f_off(x)   for v > v_off > 0
            k_on  (v / v_on  - 1)^a_on  f_on(x)    for v < v_on < 0,  k_on < 0
            0                                      between
    i = v / R,    R = Ron + (Roff - Ron) x    (linear)
                  R = Ron (Roff / Ron)^x      (exponential)

Without windows (f = 1) the speed is constant while the voltage is: w moves on a straight line up to
a stop at either end, and that is what the map computes, exactly. The other windows here are
Biolek's, ``f_off = 1 - x^(2 p)`` and ``f_on = 1 - (1 - x)^(2 p)``; the map then takes Runge-Kutta
steps of fourth order and refuses those in which x would move by more than `largest`.

Source: after S. Kvatinsky et al., "VTEAM: A General Model for Voltage-Controlled Memristors", IEEE
Trans. Circuits Syst. II 62, 786 (2015), of which the abstract was read; constants and linear law as
in MemTorch, which has no windows, and the exponential law as in a public SPICE model.
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

__all__ = ["LAWS", "WINDOWS", "VteamMemristor", "VteamParameters"]

LAWS = ("linear", "exponential")
WINDOWS = ("none", "biolek")
Values = NDArray[np.float64]
_CODE = "VTEAM defaults of MemTorch"


@dataclass(frozen=True)
class VteamParameters(Parameters):
    """Of VTEAM; each one value, or one per device."""

    step: Quantity = quantity(1e-10, "s", _CODE, above=0)
    low_resistance: Quantity = quantity(50.0, "ohm", _CODE, above=0)
    high_resistance: Quantity = quantity(1000.0, "ohm", _CODE, above=0)
    travel: Quantity = quantity(3e-9, "m", _CODE + " (w_off - w_on)", above=0)
    on_speed: Quantity = quantity(-10.0, "m/s", _CODE + " (k_on)", below=0)
    off_speed: Quantity = quantity(5e-4, "m/s", _CODE + " (k_off)", above=0)
    on_power: Quantity = quantity(3.0, "1", _CODE + " (a_on)", above=0)
    off_power: Quantity = quantity(1.0, "1", _CODE + " (a_off)", above=0)
    on_threshold: Quantity = quantity(-0.2, "V", _CODE + " (v_on)", below=0)
    off_threshold: Quantity = quantity(0.02, "V", _CODE + " (v_off)", above=0)
    initial: Quantity = quantity(0.5, "1", "chosen: half-way", least=0, most=1)
    exponent: Quantity = quantity(1.0, "1", "window, chosen (p)", loose=True, least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rising("resistance", "ohm", self.low_resistance, self.high_resistance)


@dataclass(frozen=True)
class VteamMemristor(MemristorArray):
    """An array of VTEAM devices, each driven by the voltages of its own mask.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Voltages per sample, M; each is held for one step, and the current read at its end.
    parameters : VteamParameters
    law : str
        Of the resistance: ``linear`` or ``exponential``.
    window : str
        ``none``, with stops at both ends, or ``biolek``.
    substeps : int
        Runge-Kutta steps in the time that a voltage is held; without windows none are needed.
    largest : float
        Largest move of x in one of them.
    limit : float
        Largest magnitude of a voltage, in volts.
    """

    n_devices: int
    n_virtual: int
    parameters: VteamParameters = field(default_factory=VteamParameters)
    law: str = "linear"
    window: str = "none"
    substeps: int = 4
    largest: float = 0.02
    limit: float = 1.0
    memory: ClassVar[str] = "the share of the way from on to off"

    def __post_init__(self) -> None:
        self._check_array()
        if self.substeps < 1:
            raise DesignError(f"substeps must be at least 1, not {self.substeps}")
        if self.law not in LAWS:
            raise DesignError(f"law must be one of {', '.join(LAWS)}, not {self.law!r}")
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
            voltages, currents, now, p["step"], p["on_speed"] / p["travel"],
            p["off_speed"] / p["travel"], p["on_power"], p["off_power"], p["on_threshold"],
            p["off_threshold"], p["low_resistance"], p["high_resistance"], p["exponent"],
            self.law == "exponential", self.substeps if self.window == "biolek" else 0, worst,
        )  # fmt: skip
        check_move(worst[0], self.largest, self.substeps)
        return currents.reshape(len(currents), self.n_drives), now

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of eighth order, on w in metres."""
        from scipy.integrate import solve_ivp

        voltages, now = self._checked(drives, state)
        p, currents = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)
        for d in range(self.n_devices):
            q = {name: float(values[d]) for name, values in p.items()}
            w, windowed = now[d] * q["travel"], self.window == "biolek"
            for t in range(len(voltages)):
                for k in range(self.n_virtual):
                    v = float(voltages[t, d, k])
                    speed, end = 0.0, 0.0
                    if v > q["off_threshold"]:
                        speed = q["off_speed"] * (v / q["off_threshold"] - 1) ** q["off_power"]
                    elif v < q["on_threshold"]:
                        speed = q["on_speed"] * (v / q["on_threshold"] - 1) ** q["on_power"]
                        end = 1.0

                    def slope(
                        _: float, y: Values, s: float = speed, e: float = end,
                        q: dict[str, float] = q, windowed: bool = windowed,
                    ) -> Values:  # fmt: skip
                        x = y / q["travel"]
                        inside = (y > 0) if s < 0 else (y < q["travel"])
                        f = 1 - np.abs(x - e) ** (2 * q["exponent"]) if windowed else inside
                        return np.asarray(s * f)

                    if speed:
                        longest = q["step"] if windowed else q["step"] / 100
                        found = solve_ivp(
                            slope, (0.0, q["step"]), [w], "DOP853", max_step=longest,
                            rtol=1e-11, atol=1e-13 * q["travel"],
                        )  # fmt: skip
                        w = min(max(float(found.y[0, -1]), 0.0), q["travel"])
                    x = w / q["travel"]
                    linear = q["low_resistance"] + (q["high_resistance"] - q["low_resistance"]) * x
                    ratio = q["high_resistance"] / q["low_resistance"]
                    curved = q["low_resistance"] * np.exp(np.log(ratio) * x)
                    currents[t, d, k] = v / (linear if self.law == "linear" else curved)
            now[d] = w / q["travel"]
        return currents.reshape(len(currents), self.n_drives), now


def _steps(
    voltages: Values,
    currents: Values,
    state: Values,
    step: Values,
    on_speed: Values,
    off_speed: Values,
    on_power: Values,
    off_power: Values,
    on_threshold: Values,
    off_threshold: Values,
    low: Values,
    high: Values,
    exponent: Values,
    exponential: bool,
    substeps: int,
    worst: Values,
) -> None:
    """Shapes (T, devices, M) twice, then (devices,); currents, state and worst are written.

    Speeds are those of x; no substeps stand for the straight line with stops.
    """
    samples, devices, virtual = voltages.shape
    for t in range(samples):
        for d in range(devices):
            x, p = state[d], exponent[d]
            for k in range(virtual):
                v = voltages[t, d, k]
                speed, end = 0.0, 0.0
                if v > off_threshold[d]:
                    speed = off_speed[d] * (v / off_threshold[d] - 1.0) ** off_power[d]
                elif v < on_threshold[d]:
                    speed = on_speed[d] * (v / on_threshold[d] - 1.0) ** on_power[d]
                    end = 1.0
                if speed != 0.0 and substeps == 0:
                    x = min(max(x + speed * step[d], 0.0), 1.0)
                elif speed != 0.0:
                    h = step[d] / substeps
                    for _ in range(substeps):
                        total, slope = 0.0, 0.0
                        for stage in range(4):
                            reach = 0.0 if stage == 0 else (h if stage == 3 else 0.5 * h)
                            y = x + reach * slope - end
                            slope = speed * (1.0 - (y * y) ** p)
                            total += slope if stage == 0 or stage == 3 else 2.0 * slope
                            worst[0] = max(worst[0], abs(h * slope))
                        x += h / 6.0 * total
                        if max(-x, x - 1.0) > 1e-12:  # no rounding: the window was overrun
                            worst[0] = math.inf
                        x = min(max(x, 0.0), 1.0)
                if exponential:
                    currents[t, d, k] = v / (low[d] * (high[d] / low[d]) ** x)
                else:
                    currents[t, d, k] = v / (low[d] + (high[d] - low[d]) * x)
            state[d] = x


_STEPS = Kernel(_steps)
