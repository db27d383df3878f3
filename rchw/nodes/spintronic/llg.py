"""The loop of the macrospin: explicit steps of the equation of Landau, Lifshitz and Gilbert.

All schemes are tables of Runge and Kutta, so that one loop does for any. The equation is in
`rchw.nodes.spintronic.macrospin`.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel

__all__ = ["SPIN", "scheme"]

Values = NDArray[np.float64]


@lru_cache
def scheme(solver: str) -> tuple[Values, Values]:
    """Shares of earlier slopes in the place of a stage (stages, stages), weights of all (stages,).

    ``heun`` is of order 2, ``rk4`` of order 4, and ``dop853`` that of Dormand and Prince of order
    8, in 12 stages.
    """
    if solver == "dop853":
        from scipy.integrate import DOP853

        return np.ascontiguousarray(DOP853.A), np.ascontiguousarray(DOP853.B)
    ahead, weights = {
        "heun": ([1.0], [1 / 2, 1 / 2]),
        "rk4": ([1 / 2, 1 / 2, 1.0], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
    }[solver]
    return np.diag(ahead, -1), np.array(weights)  # from the slope before it alone


def _spin(
    currents: Values,
    towards: Values,
    state: Values,
    noise: Values,
    steps: int,
    step: float,
    shares: Values,
    weights: Values,
    outside: Values,
    stiffness: Values,
    polariser: Values,
    torque_field: Values,
    gyromagnetic: Values,
    damping: Values,
    polarisation: Values,
    square: Values,
    field_like: Values,
) -> None:
    """(T M, devices) twice, (devices, 3), (T M steps, devices, 3); the second and third change.

    A step waits for the one before it, so what does not depend on m is taken out of it, and within
    it what the division is for does not wait for the division.
    """
    rows, devices = currents.shape
    hot = noise.size > 0
    px, py, pz = polariser[0], polariser[1], polariser[2]
    slopes = np.empty((weights.size, 3))
    for d in range(devices):
        x, y, z = state[d, 0], state[d, 1], state[d, 2]
        al, pull, base, gain = damping[d], field_like[d], square[d] + 1.0, square[d] - 1.0
        # Fields as the angle of a step in each of them; a slope is that of a whole step.
        scale = -step * gyromagnetic[d] / (1.0 + al * al)
        a, out = scale * stiffness[d], scale * outside[d]
        xx, xy, xz = a[0, 0], a[0, 1], a[0, 2]
        yx, yy, yz = a[1, 0], a[1, 1], a[1, 2]
        zx, zy, zz = a[2, 0], a[2, 1], a[2, 2]
        for row in range(rows):
            strength = scale * torque_field[d] * currents[row, d] * polarisation[d] * square[d]
            for s in range(steps):
                ex, ey, ez = out[0], out[1], out[2]
                if hot:
                    ex += scale * noise[row * steps + s, d, 0]
                    ey += scale * noise[row * steps + s, d, 1]
                    ez += scale * noise[row * steps + s, d, 2]
                nx, ny, nz = x, y, z
                for stage in range(weights.size):
                    u, v, w = x, y, z  # where the slope is taken
                    for before in range(stage):
                        u += shares[stage, before] * slopes[before, 0]
                        v += shares[stage, before] * slopes[before, 1]
                        w += shares[stage, before] * slopes[before, 2]
                    hx = ex + xx * u + xy * v + xz * w
                    hy = ey + yx * u + yy * v + yz * w
                    hz = ez + zx * u + zy * v + zz * w
                    eta = strength / (base + gain * (u * px + v * py + w * pz))
                    # m x h, m x p, and what m x does to each of them.
                    fx, fy, fz = v * hz - w * hy, w * hx - u * hz, u * hy - v * hx
                    gx, gy, gz = v * pz - w * py, w * px - u * pz, u * py - v * px
                    fx, fy, fz = (
                        fx + al * (v * fz - w * fy),
                        fy + al * (w * fx - u * fz),
                        fz + al * (u * fy - v * fx),
                    )
                    gx, gy, gz = (
                        v * gz - w * gy - pull * gx,
                        w * gx - u * gz - pull * gy,
                        u * gy - v * gx - pull * gz,
                    )
                    kx, ky, kz = fx + eta * gx, fy + eta * gy, fz + eta * gz
                    slopes[stage, 0], slopes[stage, 1], slopes[stage, 2] = kx, ky, kz
                    nx += weights[stage] * kx
                    ny += weights[stage] * ky
                    nz += weights[stage] * kz
                over = 1.0 / np.sqrt(nx * nx + ny * ny + nz * nz)
                x, y, z = nx * over, ny * over, nz * over
            towards[row, d] = x * px + y * py + z * pz
        state[d, 0], state[d, 1], state[d, 2] = x, y, z


SPIN = Kernel(_spin, contract=True)
