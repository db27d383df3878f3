"""The loop of the macrospin: explicit steps of the equation of Landau, Lifshitz and Gilbert.

Both schemes take each slope from the state and the slope before it alone, so that one loop does
for either. The equation is in `rchw.nodes.spintronic.macrospin`.
"""

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.kernel import Kernel

__all__ = ["SPIN", "TABLES"]

Values = NDArray[np.float64]

TABLES = {  # shares of the step at which the later slopes are taken, and weights of all slopes
    "heun": (np.array([1.0]), np.array([1 / 2, 1 / 2])),
    "rk4": (np.array([1 / 2, 1 / 2, 1.0]), np.array([1 / 6, 1 / 3, 1 / 3, 1 / 6])),
}


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
    """(T M, devices) twice, (devices, 3), (T M steps, devices, 3); the second and third change."""
    rows, devices = currents.shape
    hot = noise.size > 0
    px, py, pz = polariser[0], polariser[1], polariser[2]
    for d in range(devices):
        x, y, z = state[d, 0], state[d, 1], state[d, 2]
        a, scale = stiffness[d], gyromagnetic[d] / (1.0 + damping[d] * damping[d])
        for row in range(rows):
            strength = torque_field[d] * currents[row, d] * polarisation[d] * square[d]
            for s in range(steps):
                ex, ey, ez = outside[d, 0], outside[d, 1], outside[d, 2]
                if hot:
                    ex += noise[row * steps + s, d, 0]
                    ey += noise[row * steps + s, d, 1]
                    ez += noise[row * steps + s, d, 2]
                u, v, w = x, y, z  # where the slope is taken
                sx, sy, sz = 0.0, 0.0, 0.0  # weighted sum of the slopes
                for stage in range(weights.size):
                    hx = ex + a[0, 0] * u + a[0, 1] * v + a[0, 2] * w
                    hy = ey + a[1, 0] * u + a[1, 1] * v + a[1, 2] * w
                    hz = ez + a[2, 0] * u + a[2, 1] * v + a[2, 2] * w
                    along = u * px + v * py + w * pz
                    eta = strength / (square[d] + 1.0 + (square[d] - 1.0) * along)
                    # Both torques are m x (b + m x c): b acts like a field, c damps.
                    cx, cy, cz = (
                        damping[d] * hx + eta * px,
                        damping[d] * hy + eta * py,
                        damping[d] * hz + eta * pz,
                    )
                    pull = eta * field_like[d]
                    bx = hx - pull * px + v * cz - w * cy
                    by = hy - pull * py + w * cx - u * cz
                    bz = hz - pull * pz + u * cy - v * cx
                    kx = -scale * (v * bz - w * by)
                    ky = -scale * (w * bx - u * bz)
                    kz = -scale * (u * by - v * bx)
                    sx += weights[stage] * kx
                    sy += weights[stage] * ky
                    sz += weights[stage] * kz
                    if stage < shares.size:
                        part = shares[stage] * step
                        u, v, w = x + part * kx, y + part * ky, z + part * kz
                x, y, z = x + step * sx, y + step * sy, z + step * sz
                length = np.sqrt(x * x + y * y + z * z)
                x, y, z = x / length, y / length, z / length
            towards[row, d] = x * px + y * py + z * pz
        state[d, 0], state[d, 1], state[d, 2] = x, y, z


SPIN = Kernel(_spin)
