"""A network of masses, springs and dampers, pushed at some masses and read by its elongations.

A spring whose ends i and j lie a length l apart, at rest a length l0, pulls along their line with::

    x = l - l0,  v = dl/dt
    F = k1 x + k3 x^3 + d1 v + d3 v^3

and each free mass obeys ``m a = sum of its springs + horizontal force``; the force is held during a
sample. The fast map is the Runge-Kutta method of fourth order at a fixed step.

Source: H. Hauser et al., Biol. Cybern. 105, 355 (2011), as in the public code that descends from
the author's toolbox, which draws all four constants log-uniformly. Differences from that code: the
rate v is the exact one, not a difference quotient, and each driven mass has a drive value of its
own, so that an ``analog`` mask plays the part of the input weights. What a network remembers fades
slowly: a run is to be scored after `SpringNetwork.washout` samples. Its time is that of the linear
terms; a cubic damper at high speed may need longer.
"""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.mechanical.fading import slowest_time, washout_samples
from rchw.nodes.mechanical.lattice import Lattice, MassParameters, SpringParameters
from rchw.nodes.mechanical.motion import fault, motion
from rchw.nodes.node import checked_drives, checked_state

__all__ = ["SpringNetwork"]

Values = NDArray[np.float64]
_STEP = 0.5  # largest share of the shortest time of the network that a step may take


@dataclass(frozen=True)
class SpringNetwork:
    """Springs, each read once per sample, and the masses between them.

    Its state is the displacement (x, y) of each free mass in metres, then their velocities in m/s.

    Parameters
    ----------
    lattice : Lattice
    parameters : SpringParameters
    masses : MassParameters
    interval : float
        Seconds per sample.
    steps : int
        Of the integrator per sample.
    limit : float
        Largest magnitude of a force, in newtons.

    Raises
    ------
    DesignError
        If the step is longer than half the shortest of the times d1/k1 of a spring, m/d1 and
        sqrt(m/k1) of a mass with the sums over its springs.
    """

    lattice: Lattice
    parameters: SpringParameters = field(default_factory=SpringParameters)
    masses: MassParameters = field(default_factory=MassParameters)
    interval: float = 1e-3
    steps: int = 5
    limit: float = 100.0
    drive_unit: str = field(default="N", init=False)
    reading_unit: str = field(default="m", init=False)

    def __post_init__(self) -> None:
        if not 0 < self.interval < math.inf:
            raise DesignError(f"interval must be finite and above 0 s, not {self.interval}")
        if self.steps < 1:
            raise DesignError(f"steps must be at least 1, not {self.steps}")
        step = self.interval / self.steps
        if step > self.longest:
            raise DesignError(f"step must be at most {self.longest:.3g} s here, not {step:.3g}")

    @classmethod
    def drawn(
        cls, n_masses: int, seed: int, interval: float = 1e-3, steps: int | None = None
    ) -> "SpringNetwork":
        """Draw a network and all its constants from one seed; see `SpringParameters.drawn`.

        Without a number of steps it takes the fewest that are allowed.
        """
        lattice = Lattice(n_masses, seed=seed)
        springs = SpringParameters.drawn(len(lattice.springs()), seed)
        many = 10**9 if steps is None else steps
        network = cls(lattice, springs, interval=interval, steps=many)
        if steps is not None:
            return network
        return replace(network, steps=max(1, math.ceil(interval / network.longest)))

    @property
    def n_devices(self) -> int:
        """Springs."""
        return len(self._ends)

    @property
    def parts(self) -> dict[str, int]:
        """Springs and masses, which have the parameters."""
        return {"parameters": self.n_devices, "masses": self.lattice.n_masses}

    @property
    def n_virtual(self) -> int:
        """One reading per spring and sample."""
        return 1

    @property
    def n_drives(self) -> int:
        """Driven masses."""
        return len(self._driven)

    @property
    def n_state(self) -> int:
        """Two displacements and two velocities per free mass."""
        return 4 * len(self._free)

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        return self.lattice.springs()

    @cached_property
    def _free(self) -> NDArray[np.int64]:
        return self.lattice.free()

    @cached_property
    def _driven(self) -> NDArray[np.int64]:
        return self.lattice.driven()

    @cached_property
    def _places(self) -> Values:
        return self.lattice.places()

    @cached_property
    def _constants(self) -> dict[str, Values]:
        found = self.parameters.of_devices(self.n_devices)
        return found | self.masses.of_devices(self.lattice.n_masses)

    @cached_property
    def _spans(self) -> Values:
        """Vector along each spring at rest, (springs, 2)."""
        return np.asarray(self._places[self._ends[:, 1]] - self._places[self._ends[:, 0]])

    @cached_property
    def _rest(self) -> Values:
        return np.hypot(self._spans[:, 0], self._spans[:, 1])

    @cached_property
    def longest(self) -> float:
        """Longest step that is allowed, in seconds: half the shortest time of the linear terms."""
        p, count = self._constants, self.lattice.n_masses
        stiffness, damping = np.zeros((2, count))
        for end in self._ends.T:
            stiffness += np.bincount(end, p["stiffness"], count)
            damping += np.bincount(end, p["damping"], count)
        # Without dampers the first and the last kind of time do not exist.
        springs, masses = p["damping"] > 0, damping > 0
        times = [
            (p["damping"] / p["stiffness"])[springs],
            np.sqrt(p["mass"] / stiffness),
            p["mass"][masses] / damping[masses],
        ]
        return float(_STEP * np.concatenate(times).min())

    def linear(self) -> tuple[Values, Values, Values]:
        """The network at small amplitude: ``ds/dt = A s + B f``, readings ``C s``.

        Returns
        -------
        A : float64 array (S, S)
        B : float64 array (S, D)
        C : float64 array (springs, S)
        """
        p, size = self._constants, 2 * len(self._free)
        stretch = np.zeros((self.n_devices, self.lattice.n_masses, 2))
        along, rows = self._spans / self._rest[:, None], np.arange(self.n_devices)
        stretch[rows, self._ends[:, 1]] = along
        stretch[rows, self._ends[:, 0]] = -along
        lengths = stretch[:, self._free].reshape(-1, size)
        heavy = np.repeat(p["mass"][self._free], 2)[:, None]
        a, b = np.zeros((2 * size, 2 * size)), np.zeros((2 * size, self.n_drives))
        a[:size, size:] = np.eye(size)
        a[size:, :size] = -(lengths.T * p["stiffness"]) @ lengths / heavy
        a[size:, size:] = -(lengths.T * p["damping"]) @ lengths / heavy
        places = size + 2 * np.searchsorted(self._free, self._driven)
        b[places, np.arange(self.n_drives)] = 1 / p["mass"][self._driven]
        return a, b, np.hstack([lengths, np.zeros_like(lengths)])

    @cached_property
    def slowest(self) -> float:
        """Seconds in which the slowest mode falls to 1/e; refused if a mode does not fade."""
        return slowest_time(self.linear()[0])

    @property
    def washout(self) -> int:
        """Samples after which five of the slowest times have passed."""
        return washout_samples(self.slowest, self.interval)

    def energy(self, state: Values) -> float:
        """Kinetic energy and that of the springs, in joules; (S,) -> number."""
        p, (moved, speed) = self._constants, self._unpacked(checked_state(state, self))
        spans = self._spans + moved[self._ends[:, 1]] - moved[self._ends[:, 0]]
        x = np.hypot(spans[:, 0], spans[:, 1]) - self._rest
        springs = p["stiffness"] / 2 * x**2 + p["cubic_stiffness"] / 4 * x**4
        return float(springs.sum() + (p["mass"][:, None] / 2 * speed**2).sum())

    def start(self) -> Values:
        """All masses at rest where they were placed, (S,)."""
        return np.zeros(self.n_state)

    def _unpacked(self, state: Values) -> Values:
        """Displacements and velocities of all masses, (2, masses, 2)."""
        found = np.zeros((2, self.lattice.n_masses, 2))
        found[:, self._free] = state.reshape(2, -1, 2)
        return found

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Elongations in metres after each sample; forces (T, D) in newtons, (S,) -> (T, N), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a force beyond the limit, the motion too fast or too wide for the
            step, or a spring collapses.
        """
        forces = checked_drives(drives, self, -self.limit, self.limit)
        p, both = self._constants, self._unpacked(checked_state(state, self))
        moved, speed = np.ascontiguousarray(both.transpose(0, 2, 1))
        light = np.zeros(self.lattice.n_masses)
        light[self._free] = 1 / p["mass"][self._free]
        lengths, worst = np.empty((len(forces), self.n_devices)), np.zeros(2)
        stopped = motion(
            forces, lengths, moved, speed, np.ascontiguousarray(self._spans.T),
            np.ascontiguousarray(self._ends.T), self._rest,
            p["stiffness"], p["cubic_stiffness"], p["damping"], p["cubic_damping"],
            light, self._driven, self.interval / self.steps, self.steps, worst,
        )  # fmt: skip
        if stopped >= 0:
            raise DesignError(fault(int(stopped), worst))
        return lengths - self._rest, np.stack([moved.T, speed.T])[:, self._free].ravel()

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same with `scipy.integrate.solve_ivp` at a relative tolerance of 1e-11."""
        from scipy.integrate import solve_ivp

        forces = checked_drives(drives, self, -self.limit, self.limit)
        now, p, size = checked_state(state, self), self._constants, 2 * len(self._free)
        incidence = np.zeros((self.n_devices, self.lattice.n_masses))
        incidence[np.arange(self.n_devices), self._ends[:, 0]] = -1
        incidence[np.arange(self.n_devices), self._ends[:, 1]] = 1
        incidence = incidence[:, self._free]
        push = np.zeros((len(self._free), 2))

        def slope(_: float, y: Values) -> Values:
            spans = self._spans + incidence @ y[:size].reshape(-1, 2)
            length = np.sqrt((spans**2).sum(axis=1))
            x = length - self._rest
            v = (spans * (incidence @ y[size:].reshape(-1, 2))).sum(axis=1) / length
            pull = p["stiffness"] * x + p["cubic_stiffness"] * x**3
            pull += p["damping"] * v + p["cubic_damping"] * v**3
            force = push - incidence.T @ ((pull / length)[:, None] * spans)
            return np.concatenate([y[size:], (force / p["mass"][self._free, None]).ravel()])

        lengths = np.empty((len(forces), self.n_devices))
        for t, row in enumerate(forces):
            push[np.searchsorted(self._free, self._driven), 0] = row
            found = solve_ivp(slope, (0, self.interval), now, "DOP853", rtol=1e-11, atol=1e-13)
            now = np.asarray(found.y[:, -1])
            spans = self._spans + incidence @ now[:size].reshape(-1, 2)
            lengths[t] = np.sqrt((spans**2).sum(axis=1))
        return lengths - self._rest, now
