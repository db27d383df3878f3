"""An array of spin-torque auto-oscillators that see each other by their stray fields.

With c_i the complex amplitude of oscillator i, p_i = |c_i|^2, and I_i its current, in the frame
that turns at the carrier::

    dc_i/dt = -i (2 pi f_i + N p_i) c_i - [G0 (1 + Q p_i) - G0 (I_i / I_th) (1 - p_i)] c_i
              + sum over j of W (1 / r_ij)^3 exp(i beta) c_j + F

f_i is the distance of the oscillator's own frequency from the carrier, N its nonlinear shift. The
oscillators sit on a square grid, `columns` to a row, at distances r_ij in units of the nearest one,
where the coupling has the rate W. A dipolar field changes the frequency, not the loss, so its phase
beta is -pi / 2; with beta = 0 the coupling exchanges power. F is an injected signal at the carrier,
which all of them see alike; f_i is then the detuning from it. The reading is the envelope
``sensitivity * |c_i|``. There is no thermal noise in this node.

Two oscillators that differ by the angular frequency delta and are coupled weakly lock when::

    |delta| < 2 W |cos(beta) + nu sin(beta)|,   nu = N / (G0 (I / I_th + Q))

which is Adler's equation with the power eliminated; `locking_range` gives the right-hand side. In
the same way one oscillator locks to a weak injected signal, p the power of its limit cycle, when::

    |2 pi f + N p| < F sqrt((1 + nu^2) / p)

of which `injection_range` gives the right-hand side.

The step is the classical one of Runge and Kutta, of order 4.

Source: the equation is that of A. Slavin and V. Tiberkevich, IEEE Trans. Magn. 45, 1875 (2009), in
the form common to public code, with the coupling of their theory of phase locking; the articles
themselves were not read, and the locking range is derived from the equation. Arrays of this kind as
reservoirs: T. Kanao et al., arXiv 1905.07937 (2019), of which only the abstract was read. So all
defaults are chosen, of the order usual for such devices.
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
from rchw.nodes.spintronic.layout import by_device, by_time, check_node, whole_steps

__all__ = ["OscillatorArray", "OscillatorArrayParameters"]

Values = NDArray[np.float64]
_GOLDEN = math.pi * (3 - math.sqrt(5))  # radians between the phases of neighbours at the start
_ANGLE = 0.25  # of a rate times the step, at most
_POWER = 1.0  # at most; beyond it the torque would no longer drive


@dataclass(frozen=True)
class OscillatorArrayParameters(Parameters):
    """Of the oscillators; each one value, or one per device."""

    frequency: Quantity = quantity(0.0, "Hz", "chosen: at the carrier", loose=True)
    nonlinear_shift: Quantity = quantity(2e8, "1/s", "chosen", loose=True)
    damping: Quantity = quantity(5e7, "1/s", "chosen", loose=True, above=0)
    nonlinear_damping: Quantity = quantity(2.0, "1", "chosen", loose=True, least=0)
    threshold: Quantity = quantity(3e-3, "A", "chosen", loose=True, above=0)
    bias: Quantity = quantity(6e-3, "A", "chosen", loose=True, above=0)
    sensitivity: Quantity = quantity(20e-3, "V", "chosen", loose=True, above=0)


@dataclass(frozen=True)
class OscillatorArray:
    """Coupled auto-oscillators, each driven by its own currents.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Currents, and readings, per sample, M.
    parameters : OscillatorArrayParameters
        The bias is the current before the first sample, and above the threshold.
    coupling : float
        Rate W of the coupling of nearest neighbours, in 1/s.
    phase : float
        Of the coupling, beta, in radians.
    columns : int, optional
        Oscillators in a row of the grid; all of them, as a chain, by default.
    interval : float
        Seconds that each current is held, a multiple of the step.
    step : float
        Seconds. A step in which an amplitude would turn or change by more than 0.25 is refused.
    limit : float
        Largest current in ampere; the least is 0.
    injection : float
        Rate F of an injected signal at the carrier, in 1/s; none by default.
    """

    n_devices: int
    n_virtual: int
    parameters: OscillatorArrayParameters = field(default_factory=OscillatorArrayParameters)
    coupling: float = 1e7
    phase: float = -math.pi / 2
    columns: int | None = None
    interval: float = 5e-9
    step: float = 0.25e-9
    limit: float = 10e-3
    injection: float = 0.0
    drive_unit: str = field(default="A", init=False)
    reading_unit: str = field(default="V", init=False)

    def __post_init__(self) -> None:
        check_node(
            self.n_devices, self.n_virtual, 0,
            interval=self.interval, step=self.step, limit=self.limit,
        )  # fmt: skip
        whole_steps(self.interval, self.step)
        for name in ("coupling", "phase", "injection"):
            if not math.isfinite(getattr(self, name)):
                raise DesignError(f"{name} must be finite, not {getattr(self, name)}")
        if self.columns is not None and self.columns < 1:
            raise DesignError(f"columns must be at least 1, not {self.columns}")
        self.start()
        p = self._parameters
        torque = p["damping"] * self.limit / p["threshold"]
        rate = (
            np.abs(2 * math.pi * p["frequency"]) + np.abs(p["nonlinear_shift"]) * _POWER
            + np.maximum(p["damping"] * (1 + p["nonlinear_damping"]), torque)
            + np.abs(self.matrix).sum(axis=1) + abs(self.injection)
        )  # fmt: skip
        if not (rate * self.step <= _ANGLE).all():
            raise DesignError(
                f"step must be at most {_ANGLE / rate.max():.3g} s for these rates, "
                f"not {self.step:g} s"
            )

    @property
    def n_drives(self) -> int:
        """One current per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """Real and imaginary part of each amplitude."""
        return 2 * self.n_devices

    @cached_property
    def _parameters(self) -> dict[str, Values]:
        return self.parameters.of_devices(self.n_devices)

    @cached_property
    def matrix(self) -> NDArray[np.complex128]:
        """Rates of the coupling of each oscillator (row) to each other, complex (devices, devices).

        The diagonal is 0.
        """
        row, column = np.divmod(np.arange(self.n_devices), self.columns or self.n_devices)
        squared = (row[:, None] - row) ** 2.0 + (column[:, None] - column) ** 2
        np.fill_diagonal(squared, np.inf)
        turned = complex(math.cos(self.phase), math.sin(self.phase))
        return np.asarray(self.coupling * turned * squared**-1.5, dtype=np.complex128)

    def start(self) -> Values:
        """All devices at the power of the bias, without coupling, at phases of a golden angle.

        They are spread, so that no two are in step at first; (2 devices,), real part first.
        """
        p = self._parameters
        ratio = p["bias"] / p["threshold"]
        if not (ratio > 1).all():
            raise DesignError(f"bias must be above the threshold, not {ratio.min():g} times it")
        amplitude = np.sqrt((ratio - 1) / (ratio + p["nonlinear_damping"]))
        phases = _GOLDEN * np.arange(self.n_devices)
        parts = np.stack([amplitude * np.cos(phases), amplitude * np.sin(phases)], axis=1)
        return np.asarray(parts.ravel())

    def locking_range(self, current: float | Values) -> Values:
        """Largest distance of two such oscillators that lock, in rad/s, (devices,).

        Parameters
        ----------
        current : float or array (devices,)
            In ampere, above the threshold. The law is that of nearest neighbours and weak coupling.
        """
        p = self._parameters
        restoring = p["damping"] * (current / p["threshold"] + p["nonlinear_damping"])
        shift = p["nonlinear_shift"] / restoring
        return np.abs(2 * self.coupling * (math.cos(self.phase) + shift * math.sin(self.phase)))

    def injection_range(self, current: float | Values) -> Values:
        """Largest distance from the injected signal at which an oscillator locks, in rad/s.

        Parameters
        ----------
        current : float or array (devices,)
            In ampere, above the threshold. The law is that of weak injection without coupling.

        Returns
        -------
        float64 array (devices,)
        """
        p = self._parameters
        ratio = current / p["threshold"]
        power = (ratio - 1) / (ratio + p["nonlinear_damping"])
        shift = p["nonlinear_shift"] / (p["damping"] * (ratio + p["nonlinear_damping"]))
        return np.asarray(np.abs(self.injection) * np.sqrt((1 + shift**2) / power))

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Envelopes in volt at the end of each current in ampere; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a current is outside the range, or a power exceeds 1.
        """
        currents, now = self._checked(drives, state)
        p, envelopes = self._parameters, np.empty_like(currents)
        _TURN(
            currents, envelopes, now.reshape(-1, 2), whole_steps(self.interval, self.step),
            self.step, 2 * math.pi * p["frequency"], p["nonlinear_shift"], p["damping"],
            p["nonlinear_damping"], p["threshold"], self.injection,
            np.ascontiguousarray(self.matrix.real), np.ascontiguousarray(self.matrix.imag),
        )  # fmt: skip
        return self._readings(envelopes, now)

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator, with the sums over neighbours as products."""
        from scipy.integrate import solve_ivp

        currents, now = self._checked(drives, state)
        p, envelopes = self._parameters, np.empty_like(currents)
        real, imaginary = self.matrix.real, self.matrix.imag
        for row, current in enumerate(currents):

            def slope(_: float, flat: Values, current: Values = current) -> Values:
                x, y = flat.reshape(-1, 2).T
                power = x * x + y * y
                turn = 2 * np.pi * p["frequency"] + p["nonlinear_shift"] * power
                loss = p["damping"] * (1 + p["nonlinear_damping"] * power)
                gain = p["damping"] * current / p["threshold"] * (1 - power) - loss
                dx = gain * x + turn * y + real @ x - imaginary @ y + self.injection
                dy = gain * y - turn * x + real @ y + imaginary @ x
                return np.stack([dx, dy], axis=1).ravel()

            span = (0.0, self.interval)
            now = solve_ivp(slope, span, now, "DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
            envelopes[row] = np.hypot(*now.reshape(-1, 2).T)
        return self._readings(envelopes, now)

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        currents = by_time(checked_drives(drives, self, 0.0, self.limit), self.n_devices)
        now = checked_state(state, self)
        self._check_powers(np.hypot(*now.reshape(-1, 2).T))
        return currents, now

    def _readings(self, envelopes: Values, now: Values) -> tuple[Values, Values]:
        self._check_powers(envelopes)
        return by_device(self._parameters["sensitivity"] * envelopes, self.n_virtual), now

    @staticmethod
    def _check_powers(envelopes: Values) -> None:
        if not (envelopes**2 <= _POWER).all():
            raise DesignError(
                f"power must be at most {_POWER:g}, where the model is valid, "
                f"not {(envelopes**2).max():.3g}"
            )


def _turn(
    currents: Values,
    envelopes: Values,
    state: Values,
    steps: int,
    step: float,
    frequency: Values,
    shift: Values,
    damping: Values,
    nonlinear: Values,
    threshold: Values,
    injection: float,
    real: Values,
    imaginary: Values,
) -> None:
    """(T M, devices) twice, (devices, 2); envelopes and state are written in place."""
    rows, devices = currents.shape
    at, total, slopes = state.copy(), np.zeros_like(state), np.zeros_like(state)
    for row in range(rows):
        for _ in range(steps):
            for i in range(devices):
                at[i, 0], at[i, 1] = state[i, 0], state[i, 1]
                total[i, 0], total[i, 1] = state[i, 0], state[i, 1]
            for stage in range(4):
                weight = step / 6.0 if stage == 0 or stage == 3 else step / 3.0
                share = step if stage == 2 else step / 2.0
                for i in range(devices):
                    x, y = at[i, 0], at[i, 1]
                    power = x * x + y * y
                    gain = damping[i] * (
                        currents[row, i] / threshold[i] * (1.0 - power) - 1.0 - nonlinear[i] * power
                    )
                    turn = frequency[i] + shift[i] * power
                    dx, dy = gain * x + turn * y + injection, gain * y - turn * x
                    for j in range(devices):
                        dx += real[i, j] * at[j, 0] - imaginary[i, j] * at[j, 1]
                        dy += real[i, j] * at[j, 1] + imaginary[i, j] * at[j, 0]
                    slopes[i, 0], slopes[i, 1] = dx, dy
                for i in range(devices):
                    for part in range(2):
                        total[i, part] += weight * slopes[i, part]
                        at[i, part] = state[i, part] + share * slopes[i, part]
            for i in range(devices):
                state[i, 0], state[i, 1] = total[i, 0], total[i, 1]
        for i in range(devices):
            envelopes[row, i] = np.sqrt(state[i, 0] * state[i, 0] + state[i, 1] * state[i, 1])


_TURN = Kernel(_turn)
