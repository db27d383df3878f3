"""A macrospin: the free layer of a magnetic tunnel junction as one unit vector m.

The equation of Landau, Lifshitz and Gilbert with the torque of Slonczewski, for a current density j
and a polariser p::

    (1 + al^2) dm/dt = -g0 [m x H + al m x (m x H)]
                       - g0 aj eta m x (m x p) + g0 aj eta be m x p
    aj  = hbar j / (e mu0 Ms t)
    eta = P L^2 / (L^2 + 1 + (L^2 - 1) m.p)
    H   = H_ext + 2 K / (mu0 Ms) (m.n) n - Ms (Nx mx, Ny my, Nz mz) + H_th

A positive current drives m towards p. The conventions, and so the meaning of every parameter, are
those of the public code cmtj (core/junction.hpp), which takes mu0 Ms in tesla for its Ms.

At a temperature T the thermal field H_th has in each component and each step h the deviation
``sqrt(2 al kB T / (mu0 g0 Ms V h))``. The factor 2 is that of that code, and the one that leads to
Boltzmann's law; its manual has another. The product with m is that of Stratonovich. The step is
then that of Heun, of order 2 without noise and of order 1 in the law with it; without temperature
it is the classical one of Runge and Kutta, of order 4, or that of Dormand and Prince, of order 8,
whose steps may be five times as long. Each step ends with m scaled to length 1.

The reading is the resistance ``R_p + (R_ap - R_p) (1 - m.p) / 2``.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.noise import normals
from rchw.nodes.parameters import Parameters, Quantity, quantity
from rchw.nodes.spintronic.layout import by_device, by_time, check_node, whole_steps
from rchw.nodes.spintronic.llg import SPIN, scheme

__all__ = ["SOLVERS", "Macrospin", "MacrospinParameters"]

Values = NDArray[np.float64]
Vector = tuple[float, float, float]

SOLVERS = ("auto", "heun", "rk4", "dop853")
_CODATA = "CODATA 2018"
_KUBOTA = "public code oscillator_kubota.m (Stuart-Z/code_matlab), of a perpendicular free layer"
_SAME_TORQUE = f"{_KUBOTA}: eta = x / (2 (1 + x^2 m.p)) with x = 0.54, rewritten"
_HBAR, _CHARGE, _BOLTZMANN = 6.62607015e-34 / (2 * math.pi), 1.602176634e-19, 1.380649e-23
_ANGLES = {"heun": 0.25, "rk4": 0.25, "dop853": 1.25}  # radians in one step, at most
_KICK = 0.1  # radians of one step's thermal kick, in one component, at most
_NOISE = 2**21  # normal numbers that are held at a time


@dataclass(frozen=True)
class MacrospinParameters(Parameters):
    """Of the macrospin; each one value, or one per device."""

    saturation: Quantity = quantity(1.448e6, "A/m", _KUBOTA, above=0)
    anisotropy: Quantity = quantity(
        1.34664e6, "J/m^3", f"{_KUBOTA}: mu0 Hk = 1.86 T, along the axis"
    )
    demag_x: Quantity = quantity(0.0, "1", "thin film", least=0, most=1)
    demag_y: Quantity = quantity(0.0, "1", "thin film", least=0, most=1)
    demag_z: Quantity = quantity(1.0, "1", "thin film", least=0, most=1)
    field_x: Quantity = quantity(0.0, "A/m", _KUBOTA)
    field_y: Quantity = quantity(0.0, "A/m", _KUBOTA)
    field_z: Quantity = quantity(1.59155e5, "A/m", f"{_KUBOTA}: 0.20 T")
    damping: Quantity = quantity(0.005, "1", _KUBOTA, above=0)
    polarisation: Quantity = quantity(0.41808, "1", _SAME_TORQUE, least=0, most=1)
    asymmetry: Quantity = quantity(1.35029, "1", _SAME_TORQUE, above=0)
    field_like: Quantity = quantity(0.0, "1", "chosen: none", loose=True)
    area: Quantity = quantity(math.pi * 60e-9**2, "m^2", _KUBOTA, above=0)
    thickness: Quantity = quantity(2e-9, "m", _KUBOTA, above=0)
    temperature: Quantity = quantity(0.0, "K", "chosen: no thermal noise", loose=True, least=0)
    parallel: Quantity = quantity(300.0, "ohm", "chosen", loose=True, above=0)
    antiparallel: Quantity = quantity(600.0, "ohm", "chosen", loose=True, above=0)
    gyromagnetic: Quantity = quantity(
        2.21276147e5, "m/(A s)", f"{_CODATA}, of the free electron, times mu0", above=0
    )
    permeability: Quantity = quantity(1.25663706212e-6, "N/A^2", _CODATA, above=0)


@dataclass(frozen=True)
class Macrospin:
    """An array of macrospins that do not see each other, each driven by its own currents.

    Parameters
    ----------
    n_devices : int
    n_virtual : int
        Currents, and readings, per sample, M.
    parameters : MacrospinParameters
    interval : float
        Seconds that each current is held, a multiple of the step.
    step : float
        Seconds. A step in which m would turn by more than 0.25 rad, of ``dop853`` 1.25 rad, or
        thermally by more than 0.1 rad, is refused.
    limit : float
        Largest magnitude of a current, in ampere.
    axis, polariser, initial : tuple of 3 floats
        Directions of the anisotropy, of the polariser and of m before sample 0; of any length.
    solver : str
        ``heun``, ``rk4`` or ``dop853`` (without temperature alone), or ``auto``: ``heun`` with a
        temperature, ``rk4`` without.
    seed : int
        Of the thermal field.
    """

    n_devices: int
    n_virtual: int
    parameters: MacrospinParameters = field(default_factory=MacrospinParameters)
    interval: float = 1e-9
    step: float = 1e-12
    limit: float = 10e-3
    axis: Vector = (0.0, 0.0, 1.0)
    polariser: Vector = (1.0, 0.0, 0.0)
    initial: Vector = (0.1, 0.0, 1.0)
    solver: str = "auto"
    seed: int = 0
    drive_unit: str = field(default="A", init=False)
    reading_unit: str = field(default="ohm", init=False)

    def __post_init__(self) -> None:
        check_node(
            self.n_devices, self.n_virtual, self.seed,
            interval=self.interval, step=self.step, limit=self.limit,
        )  # fmt: skip
        whole_steps(self.interval, self.step)
        for name in ("axis", "polariser", "initial"):
            vector = np.asarray(getattr(self, name), dtype=np.float64)
            if vector.shape != (3,) or not np.isfinite(vector).all() or not vector.any():
                raise DesignError(f"{name} must be 3 finite numbers, not all 0, not {vector}")
        allowed = SOLVERS[:2] if self._hot else SOLVERS
        if self.solver not in allowed:
            raise DesignError(f"solver must be one of {', '.join(allowed)}, not {self.solver!r}")
        self._check_step()

    @property
    def n_drives(self) -> int:
        """One current per device and virtual node."""
        return self.n_devices * self.n_virtual

    @property
    def n_state(self) -> int:
        """Three components of each device, and the number of the next sample."""
        return 3 * self.n_devices + 1

    @cached_property
    def _parameters(self) -> dict[str, Values]:
        return self.parameters.of_devices(self.n_devices)

    @property
    def _hot(self) -> bool:
        return bool(self._parameters["temperature"].any())

    @property
    def _solver(self) -> str:
        """The solver, chosen where it is ``auto``."""
        return self.solver if self.solver != "auto" else "heun" if self._hot else "rk4"

    def start(self) -> Values:
        """All devices along `initial`, before sample 0; (3 devices + 1,)."""
        return np.append(np.tile(_unit(self.initial), self.n_devices), 0.0)

    def torque_field(self) -> Values:
        """What one ampere stands for, ``hbar j / (e mu0 Ms t)`` in A/m, (devices,)."""
        p = self._parameters
        layer = p["permeability"] * p["saturation"] * p["thickness"] * p["area"]
        return np.asarray(_HBAR / (_CHARGE * layer))

    def thermal_field(self) -> Values:
        """Deviation of a component of the thermal field in one step, in A/m, (devices,)."""
        p = self._parameters
        energy = 2 * p["damping"] * _BOLTZMANN * p["temperature"]
        moment = p["permeability"] * p["saturation"] * p["area"] * p["thickness"]
        return np.sqrt(energy / (moment * p["gyromagnetic"] * self.step))

    def stiffness(self) -> Values:
        """Matrices A (devices, 3, 3) of the field ``H_ext + A m`` without noise, in A/m."""
        p, axis = self._parameters, _unit(self.axis)
        uniaxial = 2 * p["anisotropy"] / (p["permeability"] * p["saturation"])
        demag = np.stack([p[f"demag_{name}"] for name in "xyz"], axis=1)
        shape = p["saturation"][:, None, None] * demag[:, :, None] * np.eye(3)
        return np.asarray(uniaxial[:, None, None] * np.outer(axis, axis) - shape)

    def external_field(self) -> Values:
        """Field from outside, (devices, 3), in A/m."""
        return np.stack([self._parameters[f"field_{name}"] for name in "xyz"], axis=1)

    def _check_step(self) -> None:
        p = self._parameters
        # The part of A that is the same in all directions is along m and turns nothing.
        values = np.linalg.eigvalsh(self.stiffness())
        square = p["asymmetry"] ** 2
        efficiency = p["polarisation"] * square / (2 * np.minimum(square, 1.0))
        field_like = np.hypot(1.0, p["field_like"])
        strength = (
            np.linalg.norm(self.external_field(), axis=1)
            + (values[:, -1] - values[:, 0])
            + self.torque_field() * self.limit * efficiency * field_like
        )
        rate, kick = p["gyromagnetic"] * self.step, self.thermal_field()
        angle = _ANGLES[self._solver]
        if not (rate * strength <= angle).all():
            raise DesignError(
                f"step must be at most {angle / (p['gyromagnetic'] * strength).max():.3g} s "
                f"for these fields and currents, not {self.step:g} s"
            )
        if not (rate * kick <= _KICK).all():
            # The kick goes with the root of the step.
            least = (self.step * (_KICK / (rate * kick)) ** 2)[kick > 0].min()
            raise DesignError(
                f"step must be at most {least:.3g} s for this temperature, not {self.step:g} s"
            )

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Resistances in ohm at the end of each current in ampere; (T, D), (S,) -> (T, D), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a current is outside the range, or m is not of length 1.
        """
        currents, now = self._checked(drives, state)
        p = self._parameters
        hot, steps = self._hot, whole_steps(self.interval, self.step)
        m, towards = now[:-1].reshape(self.n_devices, 3), np.empty_like(currents)
        rows = max(1, _NOISE // (3 * self.n_devices * steps)) if hot else max(1, len(currents))
        first = int(now[-1]) * self.n_virtual
        for row in range(0, len(currents), rows):
            part = slice(row, row + rows)
            noise = self._noise(first + row, len(currents[part]), steps) if hot else _NONE
            SPIN(
                currents[part], towards[part], m, noise, steps, self.step, *scheme(self._solver),
                self.external_field(), self.stiffness(), _unit(self.polariser),
                self.torque_field(), p["gyromagnetic"], p["damping"], p["polarisation"],
                p["asymmetry"] ** 2, p["field_like"],
            )  # fmt: skip
        return self._readings(towards, now, len(drives))

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of Gilbert's implicit form.

        The thermal field of each step is held during it; by the theorem of Wong and Zakai that is
        Stratonovich's equation when the step goes to 0.
        """
        from scipy.integrate import solve_ivp

        currents, now = self._checked(drives, state)
        p, polariser = self._parameters, _unit(self.polariser)
        hot, steps = self._hot, whole_steps(self.interval, self.step)
        outside, stiffness = self.external_field(), self.stiffness()
        towards, square = np.empty_like(currents), p["asymmetry"] ** 2
        first = int(now[-1]) * self.n_virtual
        for row, current in enumerate(currents):
            noise = self._noise(first + row, 1, steps) if hot else _NONE
            strength = p["gyromagnetic"] * self.torque_field() * current / (1 + p["damping"] ** 2)

            def slope(
                _: float, flat: Values, thermal: Values, strength: Values = strength
            ) -> Values:
                m = flat.reshape(-1, 3)
                h = outside + np.einsum("dij,dj->di", stiffness, m) + thermal
                right = -p["gyromagnetic"][:, None] * np.cross(m, h)
                # dm/dt - al m x dm/dt = right: the columns of the matrix are m x (unit vectors).
                turn = np.cross(m[:, None, :], np.eye(3)).transpose(0, 2, 1)
                matrix = np.eye(3) - p["damping"][:, None, None] * turn
                dm = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
                spin = np.cross(m, np.broadcast_to(polariser, m.shape))
                eta = p["polarisation"] * square / (square + 1 + (square - 1) * (m @ polariser))
                torque = p["field_like"][:, None] * spin - np.cross(m, spin)
                return np.asarray(dm + (strength * eta)[:, None] * torque).ravel()

            spans = steps if hot else 1
            for span in range(spans):
                thermal = noise[span] if hot else np.zeros((self.n_devices, 3))
                now[:-1] = solve_ivp(
                    slope, (0, self.interval / spans), now[:-1], "DOP853", rtol=1e-11, atol=1e-13,
                    args=(thermal,),
                ).y[:, -1]  # fmt: skip
            towards[row] = now[:-1].reshape(-1, 3) @ polariser
        return self._readings(towards, now, len(drives))

    def _noise(self, first: int, rows: int, steps: int) -> Values:
        """Thermal fields (rows steps, devices, 3) in A/m from a row on, step by step."""
        white = normals(rows * steps, 3 * self.n_devices, first * steps, self.seed)
        return white.reshape(-1, self.n_devices, 3) * self.thermal_field()[:, None]

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        currents = by_time(checked_drives(drives, self, -self.limit, self.limit), self.n_devices)
        now = checked_state(state, self)
        if now[-1] < 0:
            raise DesignError(f"number of the sample must be at least 0, not {now[-1]:g}")
        lengths = np.linalg.norm(now[:-1].reshape(-1, 3), axis=1)
        worst = lengths[np.abs(lengths - 1).argmax()]
        if abs(worst - 1) > 1e-6:
            raise DesignError(f"length of m must be 1, not {worst:g}")
        return currents, now

    def _readings(self, towards: Values, now: Values, samples: int) -> tuple[Values, Values]:
        p = self._parameters
        now[-1] += samples
        change = p["antiparallel"] - p["parallel"]
        return by_device(p["parallel"] + change * (1 - towards) / 2, self.n_virtual), now


_NONE = np.empty((0, 0, 0))


def _unit(vector: Vector) -> Values:
    values = np.asarray(vector, dtype=np.float64)
    return np.asarray(values / np.linalg.norm(values))
