"""Matrices and leaks that a search draws: one draw for the integers and for their float ideal.

A matrix is drawn from a seed and the number of a window, scaled by the convention that was asked
for, and only then becomes codes.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.matrix import Matrix, Scaling
from rchw.model.scaling import (
    circular,
    random_antisymmetric,
    random_connections,
    random_dense,
    scale_leaky_radius,
    scale_radius,
)
from rchw.train.matrices import antisymmetric_codes, dense_codes, sparse_codes
from rchw.train.options import Hyperparameters, TrainOptions

__all__ = [
    "WEIGHT_BITS",
    "drawn_codes",
    "drawn_connections",
    "drawn_feed",
    "leak_shifts",
    "spread_rates",
    "spread_shifts",
]

Values = NDArray[np.float64]
WEIGHT_BITS = 8
_STREAM = 1  # apart from the draw of input weights, which has the same seed and window
_FEEDS = 2  # what layers read of each other


def drawn_connections(
    reservoir: str,
    n_units: int,
    rule: str,
    radius: float,
    *,
    density: float = 1.0,
    leak_rate: Values | float = 1.0,
    seed: int = 0,
    window: int = 0,
    place: int = 0,
) -> Values:
    """Matrix (N, N) of a ``leaky`` or ``euler`` reservoir, scaled and not yet integers.

    Parameters
    ----------
    reservoir : str
        ``leaky``: weights uniform about 0. ``euler``: ``W - W'`` of such a W, without diffusion.
    n_units : int
        N; at least 2 for ``euler``.
    rule : str
        ``radius``, ``leaky-radius`` or ``circular``, as of `rchw.model.scaling`. For ``euler`` the
        radius is that of ``W - W'``, and ``circular`` scales W, as published.
    radius : float
        At least 0.
    density : float
        Below 1 every unit reads ``density N`` units, rounded, and at least one. For ``leaky``.
    leak_rate : float64 array (N,) or float
        For ``leaky-radius``.
    seed, window, place : int
        Together they name the draw; `place` is that of the layer, where there are several.

    Raises
    ------
    DesignError
        If a number is out of range.
    """
    rng = np.random.default_rng([seed, window, _STREAM, *[place] * (place > 0)])
    if reservoir == "euler":
        if rule == "circular":
            half = circular(n_units, radius, rng)
            return half - half.T
        return scale_radius(random_antisymmetric(n_units, rng), radius)
    read = None if density == 1 else max(math.floor(density * n_units + 0.5), 1)
    if rule == "circular":
        return circular(n_units, radius, rng, connections=read)
    if read is None:
        matrix = random_dense(n_units, rng)
    else:
        matrix = random_connections(n_units, read, rng)
    if rule == "radius":
        return scale_radius(matrix, radius)
    return scale_leaky_radius(matrix, radius, leak_rate)


def drawn_feed(
    n_units: int,
    n_source: int,
    norm: float,
    *,
    density: float = 1.0,
    seed: int = 0,
    window: int = 0,
    place: int = 1,
) -> Values:
    """Matrix (N, N') by which a layer reads the layer before, not yet integers.

    Weights are uniform about 0, and then scaled.

    Parameters
    ----------
    n_units, n_source : int
        N and N'.
    norm : float
        The 2-norm of the matrix.
    density : float
        Below 1 every unit reads ``density N'`` units, rounded, and at least one.
    seed, window, place : int
        Together they name the draw; the first layer has place 0.
    """
    rng = np.random.default_rng([seed, window, _FEEDS, place])
    matrix = rng.uniform(-1, 1, (n_units, n_source))
    read = max(math.floor(density * n_source + 0.5), 1)
    for row in matrix:
        row[rng.permutation(n_source)[read:]] = 0.0
    return matrix * (norm / float(np.linalg.norm(matrix, 2)))


def drawn_codes(options: TrainOptions, hyper: Hyperparameters, place: int = 0) -> Matrix:
    """Draw the matrix of a candidate, as integers; `place` is that of its layer."""
    n, density = options.units, options.density or 1.0
    rule = options.scaling or "radius"
    rates = 2.0 ** -np.array(leak_shifts(options, hyper), dtype=np.float64)
    values = drawn_connections(
        options.reservoir, n, rule, hyper.radius, density=density, leak_rate=rates,
        seed=options.seed, window=hyper.window, place=place,
    )  # fmt: skip
    width, scaling = options.weight_bits or WEIGHT_BITS, Scaling(rule, hyper.radius)
    if options.reservoir == "euler":
        return antisymmetric_codes(values - hyper.diffusion * np.eye(n), width, scaling)
    make = dense_codes if density == 1 else sparse_codes
    return make(values, width, scaling)


def leak_shifts(options: TrainOptions, hyper: Hyperparameters) -> tuple[int, ...]:
    """S of every unit, (N,).

    Of a range ``A..B`` unit i has ``A + i mod (B - A + 1)``. In a folded circuit a lane then has
    one shift only, where the lanes are a multiple of the shifts.
    """
    n, ends = options.units, options.leak_range
    if ends is not None:
        least, most = ends
        return tuple(least + i % (most - least + 1) for i in range(n))
    shift = options.leak_shift
    if shift is None:
        shift = hyper.leak_shift if options.reservoir == "leaky" else 0
    return (shift,) * n


def spread_rates(n_units: int, ends: tuple[int, int]) -> Values:
    """Real leak rates (N,) from ``2**-A`` to ``2**-B``, their logarithms evenly spread.

    >>> spread_rates(3, (0, 2)).tolist()
    [1.0, 0.5, 0.25]
    """
    return 2.0 ** -np.linspace(float(ends[0]), float(ends[1]), n_units)


def spread_shifts(layers: int, ends: tuple[int, int]) -> list[int]:
    """S of every layer, evenly from A in the first to B in the last, halves up.

    >>> spread_shifts(4, (0, 2)), spread_shifts(1, (3, 3))
    ([0, 1, 1, 2], [3])
    """
    first, gaps = ends[0], max(layers - 1, 1)
    rise = ends[1] - first
    return [first + (2 * place * rise + gaps) // (2 * gaps) for place in range(layers)]
