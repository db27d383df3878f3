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
    places: Values,
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
    """Write lengths (T, springs), displacements and velocities (masses, 2) in place.

    `light` is one over each mass, 0 where it is fixed. The number of the sample at which a guard
    stops the run is given back, or -1; `worst` then holds which guard, and its value.
    """
    samples, masses, springs = forces.shape[0], moved.shape[0], ends.shape[0]
    at, rate, pull = np.zeros((masses, 2)), np.zeros((masses, 2)), np.zeros((masses, 2))
    to, by = np.zeros((masses, 2)), np.zeros((masses, 2))
    tangent = np.zeros((masses, 2))
    for t in range(samples):
        for _ in range(steps):
            for stage in range(4):
                ahead = 0.0 if stage == 0 else (step if stage == 3 else 0.5 * step)
                share = step / 3.0 if stage == 1 or stage == 2 else step / 6.0
                for i in range(masses):
                    for c in range(2):
                        # at, rate and pull still hold the stage before.
                        new = speed[i, c] + ahead * pull[i, c]
                        at[i, c] = moved[i, c] + ahead * rate[i, c]
                        rate[i, c] = new
                        pull[i, c] = 0.0
                        if stage == 0:
                            to[i, c] = moved[i, c]
                            by[i, c] = speed[i, c]
                            tangent[i, c] = 0.0
                for e in range(springs):
                    i, j = ends[e, 0], ends[e, 1]
                    dx = places[j, 0] - places[i, 0] + at[j, 0] - at[i, 0]
                    dy = places[j, 1] - places[i, 1] + at[j, 1] - at[i, 1]
                    length = math.sqrt(dx * dx + dy * dy)
                    if not length > SHORTEST * rest[e]:
                        worst[0], worst[1] = -1.0, length / rest[e]
                        return t
                    dx, dy = dx / length, dy / length
                    x = length - rest[e]
                    v = dx * (rate[j, 0] - rate[i, 0]) + dy * (rate[j, 1] - rate[i, 1])
                    pulled = x * (k1[e] + k3[e] * x * x) + v * (d1[e] + d3[e] * v * v)
                    pull[i, 0] += pulled * dx
                    pull[i, 1] += pulled * dy
                    pull[j, 0] -= pulled * dx
                    pull[j, 1] -= pulled * dy
                    if stage == 0:
                        stiff, damped = k1[e] + 3.0 * k3[e] * x * x, d1[e] + 3.0 * d3[e] * v * v
                        tangent[i, 0] += stiff
                        tangent[j, 0] += stiff
                        tangent[i, 1] += damped
                        tangent[j, 1] += damped
                for d in range(driven.shape[0]):
                    pull[driven[d], 0] += forces[t, d]
                for i in range(masses):
                    if stage == 0:
                        # The greatest eigenvalue is at most twice the greatest sum at one mass, and
                        # the method is stable up to 2.7: below 1 here is below 2 there.
                        stiff = tangent[i, 0] * light[i] * step * step
                        damped = tangent[i, 1] * light[i] * step
                        if not (stiff < 1.0 and damped < 1.0):
                            worst[0] = 2.0 if damped < 1.0 else 1.0
                            worst[1] = stiff if damped < 1.0 else damped
                            return t
                    for c in range(2):
                        pull[i, c] *= light[i]
                        to[i, c] += share * rate[i, c]
                        by[i, c] += share * pull[i, c]
            for i in range(masses):
                for c in range(2):
                    moved[i, c], speed[i, c] = to[i, c], by[i, c]
        for e in range(springs):
            i, j = ends[e, 0], ends[e, 1]
            dx = places[j, 0] - places[i, 0] + moved[j, 0] - moved[i, 0]
            dy = places[j, 1] - places[i, 1] + moved[j, 1] - moved[i, 1]
            lengths[t, e] = math.sqrt(dx * dx + dy * dy)
    return -1


motion = Kernel(_motion)
