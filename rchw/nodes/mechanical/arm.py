"""A soft arm in water, turned at its base and read by its bending: a planar chain of rods.

Rod i has a length l and an absolute angle q_i; half of its mass, water that moves along included,
sits at each end. With the base angle q_0, accelerations a_i of the ends and unit vectors e_i along
the rods::

    moment of a joint = k (q_(i+1) - q_i) + c (dq_(i+1)/dt - dq_i/dt),  k = EI / l, c = damping / l
    force at an end   = weight l - viscous l v - quadratic l |v| v

The rods do not stretch; the pulls T_i along them follow from that, one linear equation per rod, so
that a step costs a number of operations in proportion to the number of rods::

    e_i . (a_i - a_(i-1)) = -l (dq_i/dt)^2,  a_i = (forces at i) / m_i,  a_0 = 0

The motor turns the base at constant speed from one command to the next, during one sample. At angle
0 the arm hangs down. The fast map is the Runge-Kutta method of fourth order at a fixed step.

Source: the arm of K. Nakajima et al., "A soft body as a reservoir", Front. Comput. Neurosci. 7, 91
(2013), in 20 segments, and the silicone arm of arXiv 1406.4929, which is turned at its base and
read by bend sensors; of both only excerpts were read. The model is reduced: drag is the same in all
directions, and every constant is chosen for its order. No figure of the papers was confirmed.
At the default step curvatures are right to 1e-4 of the largest when commands jump at random.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.mechanical.fading import slowest_time, washout_samples
from rchw.nodes.mechanical.swing import swing
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["ArmParameters", "SoftArm"]

Values = NDArray[np.float64]
_SILICONE = "chosen: silicone of 100 kPa and 1070 kg/m^3, 10 mm in radius, in water"
_STABLE = 2.0  # least radius of the half disc in which the method is stable, with a margin


@dataclass(frozen=True)
class ArmParameters(Parameters):
    """Of the segments, from the base to the tip; each one value, or one per segment."""

    length: Quantity = quantity(
        0.0225, "m", "chosen: 20 segments of an arm of 45 cm", loose=True, above=0
    )
    rigidity: Quantity = quantity(7.9e-4, "N m^2", _SILICONE, loose=True, above=0)
    damping: Quantity = quantity(
        7.9e-6, "N m^2 s", "chosen: the rigidity times 10 ms", loose=True, least=0
    )
    mass: Quantity = quantity(
        0.65, "kg/m", f"{_SILICONE}; the water moved along is as much as displaced", loose=True,
        above=0,
    )  # fmt: skip
    weight: Quantity = quantity(0.22, "N/m", f"{_SILICONE}; less the buoyancy", loose=True)
    viscous: Quantity = quantity(
        0.5, "N s/m^2", "chosen: bending of the whole arm fades in seconds", loose=True, least=0
    )
    quadratic: Quantity = quantity(
        10.0, "N s^2/m^3", "chosen: a cylinder of 20 mm with a drag coefficient of 1", loose=True,
        least=0,
    )  # fmt: skip


@dataclass(frozen=True)
class SoftArm:
    """An arm whose mean curvature is read in stretches of equal numbers of segments.

    Its state is the angle of each segment, then their angular velocities, then the last command.

    Parameters
    ----------
    n_segments : int
    n_sensors : int
        A divisor of the number of segments.
    parameters : ArmParameters
    interval : float
        Seconds per sample.
    steps : int
        Of the integrator per sample.
    limit : float
        Largest magnitude of a command, in radians.

    Raises
    ------
    DesignError
        If the step is too long for the fastest motion of the straight arm.
    """

    n_segments: int = 20
    n_sensors: int = 10
    parameters: ArmParameters = field(default_factory=ArmParameters)
    interval: float = 0.1
    steps: int = 50
    limit: float = 1.5
    drive_unit: str = field(default="rad", init=False)
    reading_unit: str = field(default="1/m", init=False)

    def __post_init__(self) -> None:
        if self.n_segments < 2:
            raise DesignError(f"segments must be at least 2, not {self.n_segments}")
        if self.n_sensors < 1 or self.n_segments % self.n_sensors:
            raise DesignError(
                f"sensors must divide the {self.n_segments} segments, not be {self.n_sensors}"
            )
        if not 0 < self.interval < math.inf:
            raise DesignError(f"interval must be finite and above 0 s, not {self.interval}")
        if self.steps < 1:
            raise DesignError(f"steps must be at least 1, not {self.steps}")
        step, rate = (
            self.interval / self.steps,
            float(np.abs(np.linalg.eigvals(self.linear())).max()),
        )
        if step * rate > _STABLE:
            raise DesignError(f"step must be at most {_STABLE / rate:.3g} s here, not {step:.3g}")

    @property
    def n_devices(self) -> int:
        """Bend sensors."""
        return self.n_sensors

    @property
    def parts(self) -> dict[str, int]:
        """Segments, which have the parameters."""
        return {"parameters": self.n_segments}

    @property
    def n_virtual(self) -> int:
        """One reading per sensor and sample."""
        return 1

    @property
    def n_drives(self) -> int:
        """The command of the base."""
        return 1

    @property
    def n_state(self) -> int:
        """Two numbers per segment, and the last command."""
        return 2 * self.n_segments + 1

    @cached_property
    def _chain(self) -> dict[str, Values]:
        """Constants of rods, of joints (the first is that of the base) and of the ends of rods."""
        p = self.parameters.of_devices(self.n_segments)
        halves = p["length"] / 2
        chain = {"length": p["length"]}
        for name in ("rigidity", "damping"):
            # Half a segment bends on either side of a joint, one behind the other. With damping in
            # proportion, or equal segments, that is exact for it too.
            soft = halves / np.maximum(p[name], 1e-300)
            chain[name] = 1 / np.concatenate([soft[:1], soft[:-1] + soft[1:]])
        for name in ("mass", "weight", "viscous", "quadratic"):
            held = p[name] * halves
            chain[name] = held + np.concatenate([held[1:], [0.0]])
        return chain

    def _inertia(self) -> Values:
        """Mass beyond each pair of rods times their lengths, (segments, segments)."""
        chain = self._chain
        beyond = np.cumsum(chain["mass"][::-1])[::-1]
        numbers = np.arange(self.n_segments)
        both = np.maximum(numbers[:, None], numbers)
        return np.asarray(beyond[both] * np.outer(chain["length"], chain["length"]))

    def linear(self) -> Values:
        """Matrix of small motions of the arm that hangs straight down, (S - 1, S - 1)."""
        chain, n = self._chain, self.n_segments
        bend = np.eye(n) - np.eye(n, k=-1)
        beyond = chain["length"] * np.cumsum(chain["weight"][::-1])[::-1]
        ahead = np.cumsum(chain["viscous"][::-1])[::-1]
        numbers = np.arange(n)
        drag = ahead[np.maximum(numbers[:, None], numbers)]
        drag = drag * np.outer(chain["length"], chain["length"])
        stiff = (bend.T * chain["rigidity"]) @ bend + np.diag(beyond)
        damped = (bend.T * chain["damping"]) @ bend + drag
        both = np.linalg.solve(self._inertia(), np.hstack([-stiff, -damped]))
        return np.vstack([np.hstack([np.zeros((n, n)), np.eye(n)]), both])

    @cached_property
    def slowest(self) -> float:
        """Seconds in which the slowest mode falls to 1/e; refused if a mode does not fade."""
        return slowest_time(self.linear())

    @property
    def washout(self) -> int:
        """Samples after which five of the slowest times have passed."""
        return washout_samples(self.slowest, self.interval)

    def energy(self, state: Values) -> float:
        """Kinetic energy, that of bending and that of the weight, in joules; (S,) -> number."""
        now, chain, n = checked_state(state, self), self._chain, self.n_segments
        angles, turns = now[:n], now[n:-1]
        down = np.cumsum(chain["length"] * np.cos(angles))
        speed = [
            np.cumsum(chain["length"] * turns * part) for part in (np.cos(angles), np.sin(angles))
        ]
        bent = np.diff(angles, prepend=now[-1])
        energy = (chain["mass"] / 2 * (speed[0] ** 2 + speed[1] ** 2)).sum()
        energy += (chain["rigidity"] / 2 * bent**2).sum()
        return float(energy - (chain["weight"] * down).sum())

    def start(self) -> Values:
        """The arm at rest, straight down, (S,)."""
        return np.zeros(self.n_state)

    def curvatures(self, state: Values) -> Values:
        """Mean curvature of each stretch in 1/m; (S,) -> (sensors,)."""
        now = checked_state(state, self)
        angles = np.concatenate([now[-1:], now[: self.n_segments]])
        return np.asarray(self._curvatures(angles[None])[0])

    def _curvatures(self, angles: Values) -> Values:
        """Angles of the base and of all segments, (T, 1 + segments) -> (T, sensors)."""
        middles = np.cumsum(self._chain["length"]) - self._chain["length"] / 2
        places = np.concatenate([[0.0], middles])[:: self.n_segments // self.n_sensors]
        bent = np.diff(angles[:, :: self.n_segments // self.n_sensors], axis=1)
        return np.asarray(bent / np.diff(places))

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Curvatures in 1/m after each sample; commands (T, 1) in radians, (S,) -> (T, N), (S,).

        Raises
        ------
        DesignError
            If a shape is wrong, a command beyond the limit, or the motion too fast for the step.
        """
        commands = checked_drives(drives, self, -self.limit, self.limit)
        now, chain = checked_state(state, self), self._chain
        angles, worst = np.empty((len(commands), 1 + self.n_segments)), np.zeros(1)
        stopped = swing(
            commands[:, 0], angles, now, chain["length"], chain["rigidity"], chain["damping"],
            chain["mass"], chain["weight"], chain["viscous"], chain["quadratic"],
            self.interval / self.steps, self.steps, worst,
        )  # fmt: skip
        if stopped >= 0:
            raise DesignError(
                f"drag times step over mass must be below 1 for a stable step, not {worst[0]:.3g} "
                f"at sample {stopped}"
            )
        return self._curvatures(angles), now

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by Lagrange's equations in the angles and `scipy.integrate.solve_ivp`."""
        from scipy.integrate import solve_ivp

        commands = checked_drives(drives, self, -self.limit, self.limit)
        now, chain, n = checked_state(state, self), self._chain, self.n_segments
        inertia, length = self._inertia(), chain["length"]
        below = np.tril(np.ones((n, n))) * length  # which rods lead to which end

        def slope(time: float, y: Values, last: float, turn: float) -> Values:
            q, w = y[:n], y[n:]
            across, along = np.cos(q), np.sin(q)
            x, z = below @ (across * w), below @ (along * w)
            drag = chain["viscous"] + chain["quadratic"] * np.hypot(x, z)
            # Across is the direction in which the angle 0 swings; along the weight it moves up.
            effort = across * (below.T @ (-drag * x))
            effort += along * (below.T @ (-drag * z - chain["weight"]))
            bent, turned = np.diff(q, prepend=last + turn * time), np.diff(w, prepend=turn)
            moment = chain["rigidity"] * bent + chain["damping"] * turned
            effort += np.append(moment[1:], 0.0) - moment
            apart = q[:, None] - q
            effort -= (inertia * np.sin(apart)) @ w**2
            return np.concatenate([w, np.linalg.solve(inertia * np.cos(apart), effort)])

        angles = np.empty((len(commands), 1 + n))
        for t, command in enumerate(commands[:, 0]):
            motor = (now[-1], (command - now[-1]) / self.interval)
            found = solve_ivp(
                slope, (0, self.interval), now[:-1], "DOP853", args=motor, rtol=1e-11, atol=1e-12
            )
            now = np.append(found.y[:, -1], command)
            angles[t] = np.concatenate([[command], now[:n]])
        return self._curvatures(angles), now
