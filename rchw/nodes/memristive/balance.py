"""A memristive edge in rate balance: conductance that is built up and decays at rates set by V.

With V the voltage and g from 0 to 1 the normalised memory::

    dg/dt = kp (1 - g) - kd g,    kp = kp0 exp(up |V|),    kd = kd0 exp(-down |V|)
    Y = Ymin (1 - g) + Ymax g,    I = Y V

While the voltage is constant the rates are, and the update over any time h is exact::

    g(t + h) = g_end + (g(t) - g_end) exp(-(kp + kd) h),    g_end = kp / (kp + kd)

Source: E. Miranda's balance of potentiation and depression as used by G. Milano et al., "Connectome
of memristive nanowire networks through graph theory", Neural Networks 150, 137 (2022). The paper
was not read, but the code that was published with it, and the constants of their grid-graph model.
"""

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.memristive.array import MemristorArray, check_rising
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["GRID_FIT", "TWO_TERMINAL_FIT", "BalanceMemristor", "BalanceParameters"]

Values = NDArray[np.float64]
_CODE = "Milano et al., Neural Networks 150, 137 (2022), published code"
_LARGEST_EXPONENT = 500.0  # beyond it a rate is no finite number of any use
_SUBSTEPS = 200  # of the slow integrator, at least
_SMALL = 0.02  # product of rate and step of the slow integrator, at most


@dataclass(frozen=True)
class BalanceParameters(Parameters):
    """Of the edge; each one value, or one per device. Defaults are those of the connectome."""

    step: Quantity = quantity(0.05, "s", _CODE, above=0)
    build_rate: Quantity = quantity(1e-4, "1/s", _CODE, above=0)
    build_slope: Quantity = quantity(10.0, "1/V", _CODE, least=0)
    decay_rate: Quantity = quantity(0.5, "1/s", _CODE, above=0)
    decay_slope: Quantity = quantity(1.0, "1/V", _CODE, least=0)
    low_conductance: Quantity = quantity(1e-3, "S", _CODE, above=0)
    high_conductance: Quantity = quantity(0.1, "S", _CODE, above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rising("conductance", "S", self.low_conductance, self.high_conductance)


GRID_FIT = BalanceParameters(
    build_rate=2.555e-6,
    build_slope=34.92,
    decay_rate=64.88,
    decay_slope=5.591,
    low_conductance=1.0147e-3,
    high_conductance=2.723e-3,
)
TWO_TERMINAL_FIT = BalanceParameters(
    build_rate=3.933e-8,
    build_slope=38.0,
    decay_rate=7.5e-3,
    decay_slope=0.03,
    low_conductance=1.097e-3,
    high_conductance=14e-3,
)


@dataclass(frozen=True)
class BalanceMemristor(MemristorArray):
    """An array of separate edges, each driven by the voltages of its own mask.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Voltages per sample, M; each is held for one step, and the current read at its end.
    parameters : BalanceParameters
    limit : float
        Largest magnitude of a voltage, in volts.
    """

    n_devices: int
    n_virtual: int
    parameters: BalanceParameters = field(default_factory=BalanceParameters)
    limit: float = 2.0
    memory: ClassVar[str] = "the normalised memory of each edge"

    def __post_init__(self) -> None:
        self._check_array()
        p = self.parameters.of_devices(self.n_devices)
        most = _LARGEST_EXPONENT / max(p["build_slope"].max(), p["decay_slope"].max(), 1.0)
        if not 0 < self.limit <= most:
            raise DesignError(
                f"limit must be above 0 and at most {most:g} V, where rates are still finite, "
                f"not {self.limit:g}"
            )

    @property
    def interval(self) -> float:
        """Seconds from voltage to voltage, of the slowest device."""
        return float(self.parameters.of_devices(self.n_devices)["step"].max())

    def start(self) -> Values:
        """All devices in balance without voltage, (devices,)."""
        p = self.parameters.of_devices(self.n_devices)
        return np.asarray(p["build_rate"] / (p["build_rate"] + p["decay_rate"]))

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Currents in ampere after each voltage in volt; (T, D), (devices,) -> (T, D), (devices,).

        Raises
        ------
        DesignError
            If a shape, a drive or the state is wrong.
        """
        voltages, now = self._checked(drives, state)
        p, currents = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)
        _STEPS(
            voltages, currents, now, p["step"], p["build_rate"], p["build_slope"],
            p["decay_rate"], p["decay_slope"], p["low_conductance"], p["high_conductance"],
        )  # fmt: skip
        return currents.reshape(len(currents), self.n_drives), now

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by Runge-Kutta steps of fourth order on dg/dt, short beside the rates."""
        voltages, now = self._checked(drives, state)
        p, currents = self.parameters.of_devices(self.n_devices), np.empty_like(voltages)
        for t in range(len(voltages)):
            for k in range(self.n_virtual):
                v = voltages[t, :, k]
                build = p["build_rate"] * np.exp(p["build_slope"] * np.abs(v))
                decay = p["decay_rate"] * np.exp(-p["decay_slope"] * np.abs(v))
                fastest = float(((build + decay) * p["step"]).max())
                count = max(_SUBSTEPS, math.ceil(fastest / _SMALL))
                h = p["step"] / count
                for _ in range(count):
                    a = build * (1 - now) - decay * now
                    b = build * (1 - now - h / 2 * a) - decay * (now + h / 2 * a)
                    c = build * (1 - now - h / 2 * b) - decay * (now + h / 2 * b)
                    d = build * (1 - now - h * c) - decay * (now + h * c)
                    now = now + h / 6 * (a + 2 * b + 2 * c + d)
                conductance = p["low_conductance"] * (1 - now) + p["high_conductance"] * now
                currents[t, :, k] = conductance * v
        return currents.reshape(len(currents), self.n_drives), now


def _steps(
    voltages: Values,
    currents: Values,
    state: Values,
    step: Values,
    build_rate: Values,
    build_slope: Values,
    decay_rate: Values,
    decay_slope: Values,
    low: Values,
    high: Values,
) -> None:
    """Shapes (T, devices, M) twice, then (devices,); currents and state are written in place."""
    samples, devices, virtual = voltages.shape
    for t in range(samples):
        for d in range(devices):
            g = state[d]
            for k in range(virtual):
                v = voltages[t, d, k]
                build = build_rate[d] * math.exp(build_slope[d] * abs(v))
                total = build + decay_rate[d] * math.exp(-decay_slope[d] * abs(v))
                end = build / total
                g = end + (g - end) * math.exp(-total * step[d])
                currents[t, d, k] = (low[d] * (1.0 - g) + high[d] * g) * v
            state[d] = g


_STEPS = Kernel(_steps)
