"""A volatile dynamic memristor, pulse by pulse: the default memristive node.

With V(n) the voltage of pulse n and g the dimensionless conductance state::

    h(V) = a |V| / (a |V| + 1)
    g(n) = r g(n-1) + (1 - r) g0 + h(V(n)) (1[V(n) > 0] - g(n-1))
    I(n) = g(n) (kp max(V, 0)^3 + kn min(V, 0)^3)

Source: Y. Zhong et al., "Dynamic memristor-based reservoir computing for high-efficiency temporal
signal processing", Nat. Commun. 12, 408 (2021), and the code the authors published with it. The law
is per pulse; the retention r belongs to a time constant by ``r = exp(-pulse / tau)``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel
from rchw.nodes.memristive.array import MemristorArray
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["DynamicMemristor", "DynamicParameters"]

Values = NDArray[np.float64]
_PAPER = "Zhong et al., Nat. Commun. 12, 408 (2021), published code"


@dataclass(frozen=True)
class DynamicParameters(Parameters):
    """Of the dynamic memristor; each one value, or one per device."""

    pulse: Quantity = quantity(
        1e-3, "s", "chosen: the law is per pulse and gives no time", loose=True, above=0
    )
    retention: Quantity = quantity(0.99, "1", _PAPER, above=0, below=1)
    rest: Quantity = quantity(0.5, "1", _PAPER, least=0, most=1)
    sensitivity: Quantity = quantity(0.23, "1/V", _PAPER, above=0)
    positive: Quantity = quantity(9.13e-6, "A/V^3", _PAPER, above=0)
    negative: Quantity = quantity(0.32e-6, "A/V^3", _PAPER, above=0)


@dataclass(frozen=True)
class DynamicMemristor(MemristorArray):
    """An array of dynamic memristors, each driven by the pulses of its own mask.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Pulses per sample, M.
    parameters : DynamicParameters
    limit : float
        Largest magnitude of a voltage, in volts, for which the fit stands.
    """

    n_devices: int
    n_virtual: int
    parameters: DynamicParameters = field(default_factory=DynamicParameters)
    limit: float = 4.0

    def __post_init__(self) -> None:
        self._check_array()

    @property
    def interval(self) -> float:
        """Seconds from pulse to pulse, of the slowest device."""
        return float(self.parameters.of_devices(self.n_devices)["pulse"].max())

    def start(self) -> Values:
        """All devices at rest, (devices,)."""
        return self.parameters.of_devices(self.n_devices)["rest"]

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Currents in ampere after each pulse in volt; (T, D), (devices,) -> (T, D), (devices,)."""
        return self._run(drives, state, _PULSES)

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same without a compiler: the law itself is a map from pulse to pulse."""
        return self._run(drives, state, _pulses)

    def _run(
        self, drives: Values, state: Values, pulses: Callable[..., None]
    ) -> tuple[Values, Values]:
        voltages = checked_drives(drives, self, -self.limit, self.limit)
        now, p = checked_state(state, self), self.parameters.of_devices(self.n_devices)
        currents = np.empty_like(voltages)
        pulses(
            voltages.reshape(len(voltages), self.n_devices, self.n_virtual),
            currents.reshape(len(voltages), self.n_devices, self.n_virtual),
            now, p["retention"], p["rest"], p["sensitivity"], p["positive"], p["negative"],
        )  # fmt: skip
        return currents, now


def _pulses(
    voltages: Values,
    currents: Values,
    state: Values,
    retention: Values,
    rest: Values,
    sensitivity: Values,
    positive: Values,
    negative: Values,
) -> None:
    """Shapes (T, devices, M) twice, then (devices,); currents and state are written in place."""
    samples, devices, pulses = voltages.shape
    for t in range(samples):
        for d in range(devices):
            g = state[d]
            for k in range(pulses):
                v = voltages[t, d, k]
                share = sensitivity[d] * abs(v)
                share = share / (share + 1.0)
                towards = 1.0 if v > 0.0 else 0.0
                g = retention[d] * g + (1.0 - retention[d]) * rest[d] + share * (towards - g)
                scale = positive[d] if v > 0.0 else negative[d]
                currents[t, d, k] = g * scale * v * v * v
            state[d] = g


_PULSES = Kernel(_pulses)
