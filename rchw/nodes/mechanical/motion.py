"""The motion of masses, springs and dampers: the loop of `rchw.nodes.mechanical.springs`."""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel

__all__ = ["SHORTEST", "fault", "motion"]

Values = NDArray[np.float64]
SHORTEST = 0.05  # least length of a spring, as a share of its length at rest


def fault(sample: int, worst: Values) -> str:
    """Say what stopped the kernel at a sample."""
    if worst[0] < 0:
        return (
            f"length of a spring must stay above {SHORTEST:g} of its length at rest, "
            f"not be {worst[1]:.3g} of it at sample {sample}"
        )
    thing = "damping times step over mass" if worst[0] == 1 else "stiffness times step^2 over mass"
    return f"{thing} must be below 1 for a stable step, not {worst[1]:.3g} at sample {sample}"


def _motion(
    forces: Values,
    lengths: Values,
    moved: Values,
    speed: Values,
    spans: Values,
    ends: NDArray[np.int64],
    rest: Values,
    k1: Values,
    k3: Values,
    d1: Values,
    d3: Values,
    light: Values,
    driven: NDArray[np.int64],
    step: float,
    steps: int,
    worst: Values,
) -> int:
    """Write lengths (T, springs), displacements and velocities (2, masses) in place.

    `spans` (2, springs) leads from the first end of each spring to the second, at rest; `ends` is
    (2, springs); `light` is one over each mass, 0 where it is fixed. The number of the sample at
    which a guard stops the run is given back, or -1; `worst` then holds which guard, and its value.
    """
    samples, masses, springs = forces.shape[0], moved.shape[1], ends.shape[1]
    at, rate, pull = np.zeros((2, masses)), np.zeros((2, masses)), np.zeros((2, masses))
    to, by = np.zeros((2, masses)), np.zeros((2, masses))
    dx, dy, vx, vy = np.zeros(springs), np.zeros(springs), np.zeros(springs), np.zeros(springs)
    tangent = np.zeros((2, masses))
    for t in range(samples):
        for _ in range(steps):
            for stage in range(4):
                ahead = 0.0 if stage == 0 else (step if stage == 3 else 0.5 * step)
                share = step / 3.0 if stage == 1 or stage == 2 else step / 6.0
                for c in range(2):
                    for i in range(masses):
                        # at, rate and pull still hold the stage before.
                        new = speed[c, i] + ahead * pull[c, i]
                        at[c, i] = moved[c, i] + ahead * rate[c, i]
                        rate[c, i] = new
                        pull[c, i] = 0.0
                        if stage == 0:
                            to[c, i] = moved[c, i]
                            by[c, i] = speed[c, i]
                            tangent[c, i] = 0.0
                # Collected, worked on and handed out in turn: the loop in the middle has no
                # branches and no places to look up, so that a compiler takes several at a time.
                for e in range(springs):
                    i, j = ends[0, e], ends[1, e]
                    dx[e] = spans[0, e] + at[0, j] - at[0, i]
                    dy[e] = spans[1, e] + at[1, j] - at[1, i]
                    vx[e] = rate[0, j] - rate[0, i]
                    vy[e] = rate[1, j] - rate[1, i]
                for e in range(springs):
                    length = math.sqrt(dx[e] * dx[e] + dy[e] * dy[e])
                    over = 1.0 / length
                    x = length - rest[e]
                    v = (dx[e] * vx[e] + dy[e] * vy[e]) * over
                    pulled = x * (k1[e] + k3[e] * x * x) + v * (d1[e] + d3[e] * v * v)
                    dx[e] = pulled * over * dx[e]
                    dy[e] = pulled * over * dy[e]
                    vx[e] = length
                    vy[e] = v
                for e in range(springs):
                    if not vx[e] > SHORTEST * rest[e]:
                        worst[0], worst[1] = -1.0, vx[e] / rest[e]
                        return t
                for e in range(springs):
                    i, j = ends[0, e], ends[1, e]
                    pull[0, i] += dx[e]
                    pull[1, i] += dy[e]
                    pull[0, j] -= dx[e]
                    pull[1, j] -= dy[e]
                    if stage == 0:
                        x = vx[e] - rest[e]
                        stiff = k1[e] + 3.0 * k3[e] * x * x
                        damped = d1[e] + 3.0 * d3[e] * vy[e] * vy[e]
                        tangent[0, i] += stiff
                        tangent[0, j] += stiff
                        tangent[1, i] += damped
                        tangent[1, j] += damped
                for d in range(driven.shape[0]):
                    pull[0, driven[d]] += forces[t, d]
                if stage == 0:
                    for i in range(masses):
                        # The greatest eigenvalue is at most twice the greatest sum at one mass, and
                        # the method is stable up to 2.7: below 1 here is below 2 there.
                        stiff = tangent[0, i] * light[i] * step * step
                        damped = tangent[1, i] * light[i] * step
                        if not (stiff < 1.0 and damped < 1.0):
                            worst[0] = 2.0 if damped < 1.0 else 1.0
                            worst[1] = stiff if damped < 1.0 else damped
                            return t
                for c in range(2):
                    for i in range(masses):
                        pull[c, i] *= light[i]
                        to[c, i] += share * rate[c, i]
                        by[c, i] += share * pull[c, i]
            for c in range(2):
                for i in range(masses):
                    moved[c, i], speed[c, i] = to[c, i], by[c, i]
        for e in range(springs):
            i, j = ends[0, e], ends[1, e]
            x = spans[0, e] + moved[0, j] - moved[0, i]
            y = spans[1, e] + moved[1, j] - moved[1, i]
            lengths[t, e] = math.sqrt(x * x + y * y)
    return -1


motion = Kernel(_motion)
