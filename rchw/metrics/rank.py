"""How many directions states use: kernel and generalisation rank, and effective rank.

A readout tells streams apart as far as the states they leave are linearly independent (kernel
rank), and treats streams alike that should be treated alike as far as those are not (generalisation
rank). Singular values are never exactly 0, so a rank is nothing without the floor above which one
counts. The floor here is what noise of a known deviation brings about in a matrix of S states of N
units, ``noise (sqrt(S) + sqrt(N))``.

Source: R. Legenstein and W. Maass, "Edge of chaos and prediction of computational performance for
neural circuit models", Neural Networks 20 (2007) 323 (both ranks); L. Buesing, B. Schrauwen,
R. Legenstein, Neural Computation 22 (2010) 1272 (streams that share their end); K. Davidson and
S. Szarek, Handbook of the Geometry of Banach Spaces, 2001 (the floor); O. Roy and M. Vetterli, "The
effective rank", EUSIPCO 2007.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = ["StateRank", "StreamRanks", "effective_rank", "state_rank", "stream_ranks"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class StateRank:
    """Singular values of states, from the largest, and how many are above the floor."""

    rank: int
    floor: float
    singular_values: Values


@dataclass(frozen=True)
class StreamRanks:
    """Ranks of states that streams leave.

    Attributes
    ----------
    kernel : StateRank
        Of unrelated streams: the more, the more are told apart.
    generalisation : StateRank
        Of streams with one end in common: the fewer, the more are taken as one.
    """

    kernel: StateRank
    generalisation: StateRank

    @property
    def difference(self) -> int:
        """Kernel less generalisation rank, which is to be large."""
        return self.kernel.rank - self.generalisation.rank


def _matrix(states: ArrayLike) -> Values:
    array = np.asarray(states, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise DesignError(f"states must have shape (S, N), not {array.shape}")
    if not np.isfinite(array).all():
        raise DesignError("states must be finite, not NaN or infinite")
    return array


def state_rank(states: ArrayLike, noise: float | None = None) -> StateRank:
    """Rank of states above a floor.

    Parameters
    ----------
    states : array (S, N)
        Values, or integer codes.
    noise : float, optional
        Deviation of the noise of one state. By default that of rounding, ``1 / sqrt(12)`` codes,
        of codes, and none of values, whose floor is then that of float64.

    Raises
    ------
    DesignError
        If the shape is wrong, a state is not finite, or the noise is below 0.
    """
    matrix = _matrix(states)
    if noise is None:
        noise = 1 / np.sqrt(12) if np.asarray(states).dtype.kind in "iu" else 0.0
    if not 0 <= noise < np.inf:
        raise DesignError(f"noise must be at least 0 and finite, not {noise}")
    values = np.asarray(np.linalg.svd(matrix, compute_uv=False), dtype=np.float64)
    count, n_units = matrix.shape
    least = values[0] * max(count, n_units) * np.finfo(np.float64).eps
    floor = max(noise * (np.sqrt(count) + np.sqrt(n_units)), least)
    return StateRank(int((values > floor).sum()), float(floor), values)


def stream_ranks(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    length: int,
    shared: int,
    noise: float | None = None,
) -> StreamRanks:
    """Kernel and generalisation rank of a reservoir of any kind.

    Inputs are cut into streams of equal length that follow each other, in one run; the state after
    each is what it leaves. For the generalisation rank, the last samples of all are those of the
    first. The first stream is washout.

    Parameters
    ----------
    reservoir : Reservoir
    inputs : array (T, K)
        Independent samples; as many streams as units, and one, should fit: ``T / length > N``.
    length : int
        Samples of a stream.
    shared : int
        Samples at the end that all streams share, from 1 to `length`; with all of them the rank is
        of one stream.
    noise : float, optional
        As of `state_rank`.

    Raises
    ------
    DesignError
        If a number is out of range or there are fewer than 3 streams.
    """
    signal = np.asarray(inputs)
    if not 1 <= shared <= length:
        raise DesignError(f"shared samples must be from 1 to {length}, not {shared}")
    count = len(signal) // length
    if count < 3:
        raise DesignError(f"streams must be at least 3, not {count} of {length} samples")
    signal = signal[: count * length]
    alike = signal.reshape(count, length, -1).copy()
    alike[:, length - shared :] = alike[0, length - shared :]
    ends = np.arange(2 * length - 1, count * length, length)
    kernel, general = (
        state_rank(reservoir.run(part)[ends], noise)
        for part in (signal, alike.reshape(signal.shape))
    )
    return StreamRanks(kernel, general)


def effective_rank(states: ArrayLike) -> float:
    """Directions that states use, each by its share: ``exp`` of the entropy of singular values.

    From 1, where all states lie on a line, to the smaller of S and N, where all directions are used
    alike. No floor is needed. States are centred.

    Parameters
    ----------
    states : array (S, N)

    Raises
    ------
    DesignError
        If the shape is wrong, a state is not finite, or states do not vary.
    """
    matrix = _matrix(states)
    values = np.linalg.svd(matrix - matrix.mean(axis=0), compute_uv=False)
    if values[0] <= 1e-12 * max(1.0, float(np.abs(matrix).max())):
        raise DesignError("states must vary for an effective rank, not stay where they are")
    share = values[values > 0] / values.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
