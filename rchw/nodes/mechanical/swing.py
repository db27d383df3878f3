"""The motion of a chain of rods in water: the loop of `rchw.nodes.mechanical.arm`."""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel

__all__ = ["swing"]

Values = NDArray[np.float64]
# Taylor's coefficients of sine and cosine in r * r, to 1e-16 where |r| is at most pi / 2: unlike
# the functions of the library a compiler takes several at a time.
_SIN = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(11))
_COS = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(12))
_PI = 3.140625, 0.0009676535897932385  # the sum is pi, and whole multiples of the first are exact


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

    Joint i lies between rod i - 1, or the base, and rod i; end i is the far end of rod i. Of rods
    and ends number i has the place i + 1: the base, and what lies beyond the tip, are places like
    any other. The number of the sample at which the guard stops the run is given back, or -1.
    """
    n = length.shape[0]
    middle = n // 2
    q, w = state[:n].copy(), state[n : 2 * n].copy()
    to, by, turned = np.zeros(n), np.zeros(n), np.zeros(n)
    at, rate = np.zeros(n + 2), np.zeros(n + 2)
    bending, losing = np.zeros(n + 1), np.zeros(n + 1)
    bending[:n], losing[:n] = rigidity, damping
    cos, sin = np.zeros(n + 2), np.zeros(n + 2)
    over, bare = 1.0 / length, 1.0 / mass  # divisions are slow
    light = np.zeros(n + 1)
    light[1:] = bare
    centre = light[1:] + light[:-1]
    couple = np.zeros(n + 1)
    x, z, drag = np.zeros(n), np.zeros(n), np.zeros(n)
    # Accelerations of the ends without the pulls; down and across.
    down, across = np.zeros(n + 1), np.zeros(n + 1)
    side, bend, value, along = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n), np.zeros(n)
    pivot, right, pull = np.zeros(n), np.zeros(n), np.zeros(n + 2)
    for t in range(commands.shape[0]):
        last = state[2 * n]
        turn = (commands[t] - last) / (step * steps)
        for s in range(steps):
            to[:], by[:] = q, w
            for stage in range(4):
                ahead = 0.0 if stage == 0 else (step if stage == 3 else 0.5 * step)
                share = step / 3.0 if stage == 1 or stage == 2 else step / 6.0
                for i in range(n):
                    at[i + 1] = q[i] + ahead * rate[i + 1]
                    rate[i + 1] = w[i] + ahead * turned[i]
                at[0], rate[0] = last + turn * (s * step + ahead), turn
                for i in range(1, n + 1):
                    half = np.floor(at[i] * (1.0 / math.pi) + 0.5)
                    sign = 1.0 - 2.0 * (half - 2.0 * np.floor(0.5 * half))
                    r = (at[i] - half * _PI[0]) - half * _PI[1]
                    r2 = r * r
                    sine, cosine = _SIN[10], _COS[11]
                    sine = _SIN[9] + r2 * sine
                    sine = _SIN[8] + r2 * sine
                    sine = _SIN[7] + r2 * sine
                    sine = _SIN[6] + r2 * sine
                    sine = _SIN[5] + r2 * sine
                    sine = _SIN[4] + r2 * sine
                    sine = _SIN[3] + r2 * sine
                    sine = _SIN[2] + r2 * sine
                    sine = _SIN[1] + r2 * sine
                    sine = _SIN[0] + r2 * sine
                    cosine = _COS[10] + r2 * cosine
                    cosine = _COS[9] + r2 * cosine
                    cosine = _COS[8] + r2 * cosine
                    cosine = _COS[7] + r2 * cosine
                    cosine = _COS[6] + r2 * cosine
                    cosine = _COS[5] + r2 * cosine
                    cosine = _COS[4] + r2 * cosine
                    cosine = _COS[3] + r2 * cosine
                    cosine = _COS[2] + r2 * cosine
                    cosine = _COS[1] + r2 * cosine
                    cosine = _COS[0] + r2 * cosine
                    sin[i], cos[i] = sign * r * sine, sign * cosine
                # The couple on a rod without mass is a pair of forces across, at its two ends.
                for i in range(n):
                    couple[i] = bending[i + 1] * (at[i + 2] - at[i + 1])
                    couple[i] += losing[i + 1] * (rate[i + 2] - rate[i + 1])
                    couple[i] -= bending[i] * (at[i + 1] - at[i])
                    couple[i] -= losing[i] * (rate[i + 1] - rate[i])
                    couple[i] *= over[i]
                # Unit vector along the rod (cos, sin), across it (-sin, cos).
                down_to, across_to = 0.0, 0.0
                for i in range(n):
                    down_to -= length[i] * rate[i + 1] * sin[i + 1]
                    across_to += length[i] * rate[i + 1] * cos[i + 1]
                    x[i], z[i] = down_to, across_to
                for i in range(n):
                    drag[i] = viscous[i] + quadratic[i] * np.sqrt(x[i] * x[i] + z[i] * z[i])
                if stage == 0:
                    for i in range(n):
                        stiff = (2.0 * drag[i] - viscous[i]) * step * bare[i]
                        if not stiff < 1.0:
                            worst[0] = stiff
                            return t
                for i in range(n):
                    down[i + 1] = weight[i] - drag[i] * x[i] - couple[i] * sin[i + 1]
                    down[i + 1] += couple[i + 1] * sin[i + 2]
                    down[i + 1] *= bare[i]
                for i in range(n):
                    across[i + 1] = couple[i] * cos[i + 1] - drag[i] * z[i]
                    across[i + 1] -= couple[i + 1] * cos[i + 2]
                    across[i + 1] *= bare[i]
                for i in range(n):
                    side[i] = -(cos[i] * cos[i + 1] + sin[i] * sin[i + 1]) * light[i]
                    bend[i] = (cos[i] * sin[i + 1] - sin[i] * cos[i + 1]) * light[i]
                for i in range(n):
                    along[i] = cos[i + 1] * (across[i + 1] - across[i])
                    along[i] -= sin[i + 1] * (down[i + 1] - down[i])
                for i in range(n):
                    value[i] = length[i] * rate[i + 1] * rate[i + 1]
                    value[i] += cos[i + 1] * (down[i + 1] - down[i])
                    value[i] += sin[i + 1] * (across[i + 1] - across[i])
                # Pulls along the rods: a symmetric tridiagonal system, positive definite. It is
                # solved from both ends at once, so that half as many divisions wait in line.
                one, other, up, low = 0.0, 0.0, 0.0, 0.0
                for i in range(middle):
                    up = value[i] - side[i] * one * up
                    one = 1.0 / (centre[i] - side[i] * side[i] * one)
                    pivot[i], right[i] = one, up
                    j = n - 1 - i
                    if j > middle:
                        low = value[j] - side[j + 1] * other * low
                        other = 1.0 / (centre[j] - side[j + 1] * side[j + 1] * other)
                        pivot[j], right[j] = other, low
                above, below = side[middle], side[middle + 1]
                found = value[middle] - above * one * up - below * other * low
                found /= centre[middle] - above * above * one - below * below * other
                pull[middle + 1] = found
                up, low = found, found
                for i in range(middle - 1, -1, -1):
                    up = pivot[i] * right[i] - pivot[i] * side[i + 1] * up
                    pull[i + 1] = up
                    k = 2 * middle - i
                    if k < n:
                        low = pivot[k] * right[k] - pivot[k] * side[k] * low
                        pull[k + 1] = low
                for i in range(n):
                    turned[i] = along[i] + pull[i + 2] * bend[i + 1] - pull[i] * bend[i]
                    turned[i] *= over[i]
                for i in range(n):
                    to[i] += share * rate[i + 1]
                    by[i] += share * turned[i]
            q[:], w[:] = to, by
        angles[t, 0] = commands[t]
        for i in range(n):
            angles[t, i + 1], state[i], state[n + i] = q[i], q[i], w[i]
        state[2 * n] = commands[t]
    return -1


swing = Kernel(_swing, contract=True)
