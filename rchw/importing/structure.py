"""Which engine a matrix goes to: ring, antisymmetric, sparse or dense; and its integers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Matrix, MatrixLayer, RingLayer, Tap
from rchw.errors import DesignError
from rchw.fixed import QFormat, decode, encode
from rchw.importing.network import Network
from rchw.train.matrices import antisymmetric_codes, dense_codes, sparse_codes, weight_format

__all__ = ["MOST_TAPS", "SPARSE_BELOW", "Structure", "finer_format"]

Values = NDArray[np.float64]

MOST_TAPS = 4
"""Diagonals around the ring, at most, that the ring engine is given."""

SPARSE_BELOW = 0.5
"""Fraction of entries that are not 0, below which rows are stored without their zeros."""


@dataclass(frozen=True)
class Structure:
    """What joins the units of a network.

    Attributes
    ----------
    kind : str
        ``"ring"``, ``"antisymmetric"``, ``"sparse"`` or ``"dense"``.
    offsets : tuple of int
        Of the taps of a ring.
    """

    kind: str
    offsets: tuple[int, ...] = ()

    @classmethod
    def of(cls, network: Network) -> "Structure":
        """A ring where every weight lies on one of a few taps, and they are half of N at most.

        Raises
        ------
        DesignError
            If there is a step and the matrix is neither that nor antisymmetric.
        """
        weights, n = network.weights, network.n_units
        rows, columns = np.nonzero(weights)
        offsets = tuple(np.unique((rows - columns) % n).tolist())
        if len(offsets) <= MOST_TAPS and 2 * len(offsets) <= n:
            return cls("ring", offsets)
        if network.step is None:
            return cls("sparse" if network.density < SPARSE_BELOW else "dense")
        wrong = np.argwhere(np.tril(weights + weights.T, -1))
        if len(wrong):
            i, j = wrong[0].tolist()
            raise DesignError(
                f"W must be antisymmetric but for its diagonal where there is a step, not "
                f"{weights[i, j]:g} at ({i}, {j}) and {weights[j, i]:g} at ({j}, {i})"
            )
        return cls("antisymmetric")

    def layer(
        self, weights: Values, width: int, finer: int, **rest: Any
    ) -> tuple[RingLayer | MatrixLayer, Values]:
        """A layer of integers, and the matrix (N, N) that they stand for.

        Parameters
        ----------
        weights : float64 array (N, N)
        width : int
            Of all weights, in bits.
        finer : int
            Fraction bits beyond those that leave room for the largest weight.
        rest
            What else a layer has.
        """
        fmt, n = finer_format(weights, width, finer), len(weights)
        limited = weights
        if finer:  # alike on both sides, or what is antisymmetric would not be so any more
            limited = np.clip(weights, -fmt.max * fmt.resolution, fmt.max * fmt.resolution)
        if self.kind == "ring":
            units = np.arange(n)
            taps = []
            held = np.zeros((n, n))
            for offset in self.offsets:
                sources = (units - offset) % n
                codes = encode(limited[units, sources], fmt)
                held[units, sources] = decode(codes, fmt)
                taps.append(Tap(offset, tuple(codes.tolist())))
            return RingLayer(tap_format=fmt, taps=tuple(taps), n_units=n, **rest), held
        make = {"antisymmetric": antisymmetric_codes, "sparse": sparse_codes, "dense": dense_codes}
        matrix: Matrix = make[self.kind](limited, width)
        layer = MatrixLayer(matrix=matrix, n_units=n, **rest)
        return layer, decode(matrix.full, matrix.format)


def finer_format(values: Values, width: int, finer: int) -> QFormat:
    """Format of `width` bits with more fraction bits than hold every value; some then saturate."""
    fmt = weight_format(values, width)
    return QFormat(width, min(fmt.frac + finer, 48))
