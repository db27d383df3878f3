"""The motion of a chain of rods in water: the loop of `rchw.nodes.mechanical.arm`."""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel

__all__ = ["swing"]

Values = NDArray[np.float64]


def _swing(
    commands: Values,
    angles: Values,
    state: Values,
    length: Values,
    rigidity: Values,
    damping: Values,
    mass: Values,
    weight: Values,
    viscous: Values,
    quadratic: Values,
    step: float,
    steps: int,
    worst: Values,
) -> int:
    """Write angles (T, 1 + rods), base first, and the state (S,) in place.

    Joint i lies between rod i - 1, or the base, and rod i; end i is the far end of rod i. The
    number of the sample at which the guard stops the run is given back, or -1.
    """
    n = length.shape[0]
    q, w = state[:n].copy(), state[n : 2 * n].copy()
    at, rate, turned = np.zeros(n), np.zeros(n), np.zeros(n)
    to, by = np.zeros(n), np.zeros(n)
    cos, sin = np.zeros(n), np.zeros(n)
    light, over = 1.0 / mass, 1.0 / length  # divisions are slow
    moment = np.zeros(n + 1)
    # Accelerations of the ends without, then with the pulls; down and across. Entry 0 is the base.
    down, across = np.zeros(n + 1), np.zeros(n + 1)
    pull, upper, right = np.zeros(n + 2), np.zeros(n), np.zeros(n)
    for t in range(commands.shape[0]):
        last = state[2 * n]
        turn = (commands[t] - last) / (step * steps)
        for s in range(steps):
            for stage in range(4):
                ahead = 0.0 if stage == 0 else (step if stage == 3 else 0.5 * step)
                share = step / 3.0 if stage == 1 or stage == 2 else step / 6.0
                base = last + turn * (s * step + ahead)
                for i in range(n):
                    new = w[i] + ahead * turned[i]
                    at[i] = q[i] + ahead * rate[i]
                    rate[i] = new
                    cos[i], sin[i] = math.cos(at[i]), math.sin(at[i])
                moment[0] = rigidity[0] * (at[0] - base) + damping[0] * (rate[0] - turn)
                for i in range(1, n):
                    moment[i] = rigidity[i] * (at[i] - at[i - 1])
                    moment[i] += damping[i] * (rate[i] - rate[i - 1])
                x, z = 0.0, 0.0
                for i in range(n):
                    # Unit vector along the rod (cos, sin), across it (-sin, cos).
                    x -= length[i] * rate[i] * sin[i]
                    z += length[i] * rate[i] * cos[i]
                    speed = math.sqrt(x * x + z * z)
                    drag = viscous[i] + quadratic[i] * speed
                    if stage == 0:
                        stiff = (viscous[i] + 2.0 * quadratic[i] * speed) * step * light[i]
                        if not stiff < 1.0:
                            worst[0] = stiff
                            return t
                    # The couple on a rod without mass is a pair of forces across, at its two ends.
                    mine = (moment[i + 1] - moment[i]) * over[i]
                    down[i + 1] = weight[i] - drag * x - mine * sin[i]
                    across[i + 1] = -drag * z + mine * cos[i]
                    if i + 1 < n:
                        beyond = (moment[i + 2] - moment[i + 1]) * over[i + 1]
                        down[i + 1] += beyond * sin[i + 1]
                        across[i + 1] -= beyond * cos[i + 1]
                    down[i + 1] *= light[i]
                    across[i + 1] *= light[i]
                # Pulls along the rods: a symmetric tridiagonal system, positive definite.
                for i in range(n):
                    centre = light[i] + (light[i - 1] if i > 0 else 0.0)
                    value = length[i] * rate[i] * rate[i]
                    value += cos[i] * (down[i + 1] - down[i]) + sin[i] * (across[i + 1] - across[i])
                    if i > 0:
                        side = -(cos[i - 1] * cos[i] + sin[i - 1] * sin[i]) * light[i - 1]
                        centre -= side * upper[i - 1]
                        value -= side * right[i - 1]
                    beside = 0.0
                    if i + 1 < n:
                        beside = -(cos[i] * cos[i + 1] + sin[i] * sin[i + 1]) * light[i]
                    centre = 1.0 / centre
                    upper[i], right[i] = beside * centre, value * centre
                for i in range(n - 1, -1, -1):
                    # Number 0 and number n + 1 stay 0: there is no rod.
                    pull[i + 1] = right[i] - upper[i] * pull[i + 2]
                for i in range(n):
                    down[i + 1] -= pull[i + 1] * cos[i] * light[i]
                    across[i + 1] -= pull[i + 1] * sin[i] * light[i]
                    if i + 1 < n:
                        down[i + 1] += pull[i + 2] * cos[i + 1] * light[i]
                        across[i + 1] += pull[i + 2] * sin[i + 1] * light[i]
                for i in range(n):
                    turned[i] = cos[i] * (across[i + 1] - across[i])
                    turned[i] -= sin[i] * (down[i + 1] - down[i])
                    turned[i] *= over[i]
                    to[i] = (q[i] if stage == 0 else to[i]) + share * rate[i]
                    by[i] = (w[i] if stage == 0 else by[i]) + share * turned[i]
            for i in range(n):
                q[i], w[i] = to[i], by[i]
        angles[t, 0] = commands[t]
        for i in range(n):
            angles[t, i + 1], state[i], state[n + i] = q[i], q[i], w[i]
        state[2 * n] = commands[t]
    return -1


swing = Kernel(_swing)
