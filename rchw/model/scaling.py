"""Matrices drawn at random, and the three conventions by which papers scale them.

``radius``: the spectral radius of W. ``leaky-radius``: that of ``(1 - a) I + a W``, a being the
leak rate, from which W is then recovered. ``circular``: entries uniform with the deviation that
gives the radius by the circular law, in the limit of many units; no eigenvalue is computed. They
differ, so a number for a radius means nothing without the name of its convention.

Source: ``radius``, H. Jaeger, GMD Report 148, 2001; ``leaky-radius``, the published code of
C. Gallicchio, A. Micheli, L. Pedrelli, Neurocomputing 268, 2017; ``circular``, the published code
of arXiv 2203.09382.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.model.matrix import square_matrix
from rchw.model.recurrence import per_unit

__all__ = [
    "SCALINGS",
    "circular",
    "matrix_radius",
    "random_antisymmetric",
    "random_connections",
    "random_dense",
    "random_sparse",
    "scale_leaky_radius",
    "scale_radius",
]

Values = NDArray[np.float64]
SCALINGS = ("radius", "leaky-radius", "circular")


def matrix_radius(weights: ArrayLike) -> float:
    """Spectral radius of a matrix (N, N); exactly 0 if its connections form no closed path.

    >>> round(matrix_radius([[0.0, 4.0], [-1.0, 0.0]]), 9), matrix_radius([[0.0, 4.0], [0.0, 0.0]])
    (2.0, 0.0)
    """
    # LAPACK permutes first: what is triangular in some order of the units is read off its diagonal.
    return float(np.abs(np.linalg.eigvals(square_matrix(weights))).max())


def _scaled(matrix: Values, radius: float, what: str) -> Values:
    if not 0 <= radius < math.inf:
        raise DesignError(f"radius must be at least 0 and finite, not {radius}")
    found = matrix_radius(matrix)
    if not found > 0:
        raise DesignError(f"spectral radius of {what} must be above 0 to be scaled, not {found}")
    return matrix * (radius / found)


def scale_radius(weights: ArrayLike, radius: float) -> Values:
    """Convention ``radius``: W (N, N) times a number, so that its spectral radius is `radius`.

    Raises
    ------
    DesignError
        If `radius` is below 0, or W has a spectral radius of 0, as without a closed path.
    """
    return _scaled(square_matrix(weights), radius, "the matrix")


def scale_leaky_radius(weights: ArrayLike, radius: float, leak_rate: ArrayLike) -> Values:
    """Convention ``leaky-radius``: W for which ``(1 - a) I + a W`` has this spectral radius.

    ``M = (1 - a) I + a W`` is multiplied by a number, and W recovered as ``(M - (1 - a) I) / a``.
    Its diagonal moves by that, and is no longer 0 where it was.

    Parameters
    ----------
    weights : array (N, N)
        How large they are matters, unlike with `scale_radius`: against ``(1 - a) I``.
    radius : float
        At least 0.
    leak_rate : array (N,) or float
        a, above 0 and at most 1.

    Returns
    -------
    float64 array (N, N)

    Raises
    ------
    DesignError
        If a number is out of range, or the spectral radius of M is 0.
    """
    matrix = square_matrix(weights)
    rate = per_unit(leak_rate, len(matrix), "leak rate")
    wrong = rate[~((rate > 0) & (rate <= 1))]
    if wrong.size:
        raise DesignError(f"leak rate must be above 0 and at most 1, not {wrong[0]}")
    kept = np.diag(1.0 - rate)
    leaky = _scaled(kept + rate[:, None] * matrix, radius, "(1 - a) I + a W")
    return (leaky - kept) / rate[:, None]


def circular(
    n_units: int, radius: float, rng: np.random.Generator, *, connections: int | None = None
) -> Values:
    """Convention ``circular``: a matrix (N, N) whose spectral radius is about `radius`.

    Entries are uniform in ``(-v, v)`` with ``v = radius sqrt(3 / M)`` for M connections per unit:
    their deviation is ``radius / sqrt(M)``. The spectral radius itself is off by some 5 % at 100
    units, and by less the more there are.

    Parameters
    ----------
    n_units : int
        N, at least 1.
    radius : float
        At least 0.
    rng : numpy.random.Generator
    connections : int, optional
        M, units that each unit reads; all by default.

    Raises
    ------
    DesignError
        If a number is out of range.
    """
    if not 0 <= radius < math.inf:
        raise DesignError(f"radius must be at least 0 and finite, not {radius}")
    read = n_units if connections is None else connections
    scale = radius * math.sqrt(3.0 / max(read, 1))
    if connections is None:
        return random_dense(n_units, rng, scale)
    return random_connections(n_units, connections, rng, scale)


# --- Drawn at random -----------------------------------------------------------------------------


def _check(n_units: int, scale: float) -> None:
    if n_units < 1:
        raise DesignError(f"number of units must be at least 1, not {n_units}")
    if not 0 <= scale < math.inf:
        raise DesignError(f"scale must be at least 0 and finite, not {scale}")


def random_dense(n_units: int, rng: np.random.Generator, scale: float = 1.0) -> Values:
    """Matrix (N, N) of entries uniform in ``(-scale, scale)``.

    Raises
    ------
    DesignError
        If there is no unit, or the scale is below 0.
    """
    _check(n_units, scale)
    return rng.uniform(-scale, scale, (n_units, n_units))


def random_connections(
    n_units: int, connections: int, rng: np.random.Generator, scale: float = 1.0
) -> Values:
    """Matrix (N, N) in which every unit reads as many units, itself perhaps among them.

    Weights are uniform in ``(-scale, scale)``.

    Raises
    ------
    DesignError
        If `connections` is not from 1 to N, or another number is out of range.
    """
    _check(n_units, scale)
    if not 1 <= connections <= n_units:
        raise DesignError(f"connections must be from 1 to {n_units}, not {connections}")
    matrix = np.zeros((n_units, n_units))
    for row in matrix:
        sources = rng.choice(n_units, connections, replace=False)
        row[sources] = rng.uniform(-scale, scale, connections)
    return matrix


def random_sparse(
    n_units: int,
    density: float,
    rng: np.random.Generator,
    scale: float = 1.0,
    *,
    mutual: bool = False,
) -> Values:
    """Matrix (N, N) in which each connection exists with the same chance (Erdos and Renyi).

    Parameters
    ----------
    n_units : int
        N, at least 1.
    density : float
        The chance, above 0 and at most 1.
    rng : numpy.random.Generator
    scale : float
        Weights are uniform in ``(-scale, scale)``.
    mutual : bool
        Two units read each other or not at all, each with a weight of its own, and none reads
        itself.

    Raises
    ------
    DesignError
        If a number is out of range.
    """
    _check(n_units, scale)
    if not 0 < density <= 1:
        raise DesignError(f"density must be above 0 and at most 1, not {density}")
    present = rng.random((n_units, n_units)) < density
    if mutual:
        present = np.triu(present, 1)
        present |= present.T
    return np.where(present, rng.uniform(-scale, scale, (n_units, n_units)), 0.0)


def random_antisymmetric(n_units: int, rng: np.random.Generator, scale: float = 1.0) -> Values:
    """``W - W'`` of a W uniform in ``(-scale, scale)``: (N, N), antisymmetric to the bit.

    This is the recurrent matrix of an Euler state network; `EulerModel` takes W itself.

    Raises
    ------
    DesignError
        If there is no unit, or the scale is below 0.
    """
    matrix = random_dense(n_units, rng, scale)
    return matrix - matrix.T
