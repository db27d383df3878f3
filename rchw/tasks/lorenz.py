"""Two Lorenz systems of different speeds that drive each other, slow X, Y, Z and fast x, y, z."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["coupled_lorenz"]

Values = NDArray[np.float64]
_State = tuple[float, float, float, float, float, float]


def coupled_lorenz(
    length: int,
    rng: np.random.Generator,
    *,
    interval: float = 0.01,
    steps: int = 5,
    a: float = 10.0,
    b: float = 8.0 / 3.0,
    c: float = 10.0,
    slow: float = 28.0,
    fast: float = 45.0,
    to_slow: float = 0.01,
    to_fast: float = 10.0,
) -> Values:
    """Two Lorenz systems, of which one is c times as fast, from a state near their attractor.

    ::

        X' = a (Y - X)                      x' = c a (y - x)
        Y' = r_s X - X Z - Y - e_s x y      y' = c (r_f x - x z - y) + e_f Y x
        Z' = X Y - b Z                      z' = c (x y - b z)

    by the classical Runge-Kutta method of fourth order, with `steps` equal steps per sample. The
    state at time 0 is normal, X and Y, x and y with deviation 1 about 0, Z and z about ``r - 1``;
    nothing is dropped, so that what comes before the attractor is the caller's to leave out.

    Parameters
    ----------
    length : int
        Samples, at least 1; the first is the state at time 0.
    rng : numpy.random.Generator
    interval : float
        Time from sample to sample, above 0.
    steps : int
        Runge-Kutta steps per sample.
    a, b, c : float
        a and b of both systems; c, how much faster the second is.
    slow, fast : float
        r_s and r_f.
    to_slow, to_fast : float
        e_s and e_f, by which each drives the other.

    Returns
    -------
    float64 array (length, 6)
        X, Y, Z, x, y, z.

    Raises
    ------
    DesignError
        If length, steps or interval is out of range, or the steps are too long for the systems.

    Source: G. Boffetta et al., "An extension of the Lyapunov analysis for the predictability
    problem", J. Atmos. Sci. 55, 1998, with the values of G. Tanaka et al., Phys. Rev. Research 4,
    L032014, 2022. The place of the coupling terms is recalled, not read there.
    """
    if length < 1:
        raise DesignError(f"length must be at least 1, not {length}")
    if steps < 1:
        raise DesignError(f"steps must be at least 1, not {steps}")
    if not 0 < interval < math.inf:
        raise DesignError(f"interval must be above 0 and finite, not {interval}")

    def slope(s: _State) -> _State:
        big_x, big_y, big_z, x, y, z = s
        return (
            a * (big_y - big_x),
            slow * big_x - big_x * big_z - big_y - to_slow * x * y,
            big_x * big_y - b * big_z,
            c * a * (y - x),
            c * (fast * x - x * z - y) + to_fast * big_y * x,
            c * (x * y - b * z),
        )

    h = interval / steps
    drawn = rng.standard_normal(6) + np.array([0.0, 0.0, slow - 1.0, 0.0, 0.0, fast - 1.0])
    x1, y1, z1, x2, y2, z2 = drawn.tolist()
    state = (x1, y1, z1, x2, y2, z2)
    rows = [state]
    for _ in range(length - 1):
        for _ in range(steps):
            state = _step(slope, state, h)
        if not math.isfinite(sum(state)):
            raise DesignError(
                f"interval must be short enough for {steps} steps to stay finite, not {interval}"
            )
        rows.append(state)
    return np.array(rows)


def _step(slope: Callable[[_State], _State], state: _State, h: float) -> _State:
    """One step of the classical Runge-Kutta method."""
    first = slope(state)
    second = slope(_moved(state, first, h / 2))
    third = slope(_moved(state, second, h / 2))
    fourth = slope(_moved(state, third, h))
    mean = (
        (k1 + 2.0 * (k2 + k3) + k4) / 6.0
        for k1, k2, k3, k4 in zip(first, second, third, fourth, strict=True)
    )
    return _moved(state, tuple(mean), h)


def _moved(state: _State, slope: tuple[float, ...], h: float) -> _State:
    s, k = state, slope
    return (
        s[0] + h * k[0],
        s[1] + h * k[1],
        s[2] + h * k[2],
        s[3] + h * k[3],
        s[4] + h * k[4],
        s[5] + h * k[5],
    )
