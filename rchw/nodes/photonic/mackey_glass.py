"""A nonlinearity of Mackey and Glass with delayed feedback: many virtual nodes on one device.

With T the response time, tau = N intervals the delay, J the masked input::

    T dx/dt = -x(t) + f(x(t - tau) + g J(t)),    f(a) = eta a / (1 + a^p)

An input is held for one delay, and masked anew in each interval. The delay line is digital: what it
plays is constant in each interval, and is x at the end of that interval one delay ago. So x relaxes
to a constant and one exponential carries it through an interval, without error. With ``k =
exp(-interval / T)``, n the sample and i the virtual node::

    x_i(n) = k x_(i-1)(n) + (1 - k) f(x_i(n-1) + g J_i(n)),    x_0(n) = x_N(n-1)

A delay line without sample and hold is another loop; `MackeyGlass.continuous` integrates it.

Source: L. Appeltant et al., "Information processing using a single dynamical node as complex
system", Nat. Commun. 2, 468 (2011), as quoted in public texts and code; the paper was not read.

``a^p`` is the power itself and not that of ``|a|``: with p = 1 the even part of ``a / (1 + a)`` is
what makes squares, and a network with ``|a|`` lacks it. So there is a pole at a = -1 for every odd
p, which a may not reach. With a broken p, a may not be negative.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.parameters import Parameters, Quantity, quantity
from rchw.nodes.photonic.loop import Between, SlowLoops, continuous_loop, sampled_loop

__all__ = ["MackeyGlass", "MackeyGlassParameters"]

Values = NDArray[np.float64]
_FINEST = 0.01  # largest step of the reference, in response times: its error is below 1e-10


@dataclass(frozen=True)
class MackeyGlassParameters(Parameters):
    """Of the Mackey-Glass node; each one value, or one per device."""

    response: Quantity = quantity(
        10e-3, "s", "electronic node of Appeltant et al. (2011), not confirmed", loose=True, above=0
    )
    strength: Quantity = quantity(
        0.5, "1", "eta of Appeltant et al. (2011), as quoted in public texts", loose=True, above=0
    )
    input_gain: Quantity = quantity(
        0.05, "1", "g of public code after Appeltant et al. (2011)", loose=True, above=0
    )
    exponent: Quantity = quantity(
        1.0, "1", "p of Appeltant et al. (2011) for NARMA10, as quoted in public texts", above=0
    )


@dataclass(frozen=True)
class MackeyGlass(SlowLoops):
    """Delay loops, each driven by the masked input of its virtual nodes.

    Parameters
    ----------
    n_virtual : int
        Virtual nodes N of each loop.
    n_devices : int
        Loops.
    parameters : MackeyGlassParameters
    theta : float
        Interval over the response time; over the mean of the response times where they differ.
    limit : float
        Largest magnitude of a drive.
    """

    n_virtual: int
    n_devices: int = 1
    parameters: MackeyGlassParameters = field(default_factory=MackeyGlassParameters)
    theta: float = 0.2
    limit: float = 1.0

    def __post_init__(self) -> None:
        self._check_loops("theta")

    def start(self) -> Values:
        """Empty delay lines, (devices * N,): without drive, the loops stay there."""
        return np.zeros(self.n_state)

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Values of x at the end of each interval; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a drive is too large, or what enters the nonlinearity lies at or
            beyond its pole.
        """
        masked, line, p = self._checked(drives, state)
        readings = np.empty_like(masked)
        keep, least, whole = np.exp(-self._ratios(p)), self._least(p), self._whole(p)
        wrong = _INTERVALS(
            masked, readings, line,
            keep, p["strength"], p["input_gain"], p["exponent"], whole, least,
        )  # fmt: skip
        if wrong >= 0:
            raise DesignError(_beyond(readings.flat[wrong]))
        return readings.reshape(-1, self.n_drives), line.ravel()

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by integration of the sampled loop with steps of at most T / 100."""
        masked, line, p = self._checked(drives, state)
        ratios = self._ratios(p)
        steps = max(1, int(np.ceil(ratios.max() / _FINEST)))
        readings, line = sampled_loop(self._between(p), masked, line, ratios, steps)
        return readings.reshape(-1, self.n_drives), line.ravel()

    def continuous(self, drives: Values, steps: int) -> Values:
        """Readings of the loop whose delay line does not sample, from rest; (T, D) -> (T, D).

        Parameters
        ----------
        drives : float64 array (T, D)
        steps : int
            Of the integrator in each interval.
        """
        masked, _, p = self._checked(drives, self.start())
        line = np.zeros((self.n_devices, self.n_virtual, steps, 3))
        readings = continuous_loop(self._between(p), masked, line, self._ratios(p))
        return readings.reshape(-1, self.n_drives)

    def _ratios(self, p: dict[str, Values]) -> Values:
        return self.interval / p["response"]

    def _whole(self, p: dict[str, Values]) -> NDArray[np.int64]:
        """The exponent as a whole number, or -1 where it is broken."""
        exponent = p["exponent"]
        return np.where(exponent == np.round(exponent), exponent, -1).astype(np.int64)

    def _least(self, p: dict[str, Values]) -> Values:
        """What a must be above."""
        whole = self._whole(p)
        below_zero = -np.finfo(np.float64).tiny  # so that 0 itself is above it
        return np.where(whole < 0, below_zero, np.where(whole % 2 == 1, -1.0, -np.inf))

    def _between(self, p: dict[str, Values]) -> Between:
        least = self._least(p)

        def between(delayed: Values, drive: Values) -> Values:
            a = delayed + p["input_gain"] * drive
            if not (a > least).all():
                raise DesignError(_beyond(a[~(a > least)][0]))
            return np.asarray(p["strength"] * a / (1.0 + a ** p["exponent"]))

        return between


def _beyond(argument: float) -> str:
    return (
        f"argument of the nonlinearity must be above -1 for an odd exponent, whose pole is there, "
        f"and at least 0 for a broken one, not {argument:g}"
    )


def _intervals(
    drives: Values,
    readings: Values,
    line: Values,
    keep: Values,
    strength: Values,
    input_gain: Values,
    exponent: Values,
    whole: NDArray[np.int64],
    least: Values,
) -> int:
    """Shapes (T, devices, N) twice, (devices, N), then (devices,); fills readings and line.

    Gives -1, or the number of the reading at which a device reached its pole; the reading is then
    the argument of the nonlinearity.
    """
    samples, devices, nodes = drives.shape
    for t in range(samples):
        for d in range(devices):
            x = line[d, nodes - 1]
            for i in range(nodes):
                a = line[d, i] + input_gain[d] * drives[t, d, i]
                if not a > least[d]:
                    readings[t, d, i] = a
                    return int((t * devices + d) * nodes + i)
                if whole[d] >= 0:
                    power = 1.0
                    for _ in range(whole[d]):
                        power *= a
                else:
                    power = a ** exponent[d]
                x = keep[d] * x + (1.0 - keep[d]) * (strength[d] * a / (1.0 + power))
                line[d, i] = x
                readings[t, d, i] = x
    return -1


_INTERVALS = Kernel(_intervals)
