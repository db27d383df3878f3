"""How untrained states are organised by the end of what came before: distances by common suffix.

A contractive reservoir puts histories that end alike close to each other, the closer the longer
their common end, before anything is trained. The states of such a reservoir are those of a Markov
model of variable length, and a reservoir that is no better than this organisation has learnt
nothing from its structure.

Source: P. Tino, M. Cernansky, L. Benuskova, "Markovian architectural bias of recurrent neural
networks", IEEE Trans. Neural Networks 15 (2004) 6; P. Tino and B. Hammer, "Architectural bias in
recurrent neural networks: fractal analysis", Neural Computation 15 (2003) 1931; P. Tino and
G. Dorffner, "Predicting the future of discrete sequences from fractal representations of the past",
Machine Learning 45 (2001) 187, where ``|u - v| <= k^L sqrt(D)``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["SuffixOrganisation", "suffix_organisation"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class SuffixOrganisation:
    """Distances of states by the length of the common suffix of their histories.

    Attributes
    ----------
    lengths : int64 array (M,)
        Symbols, the last included, that two histories have in common, and no more.
    mean, largest, smallest : float64 arrays (M,)
        Euclidean distances of pairs, in the unit of the states.
    pairs : int64 array (M,)
        Pairs that were found.
    """

    lengths: NDArray[np.int64]
    mean: Values
    largest: Values
    smallest: Values
    pairs: NDArray[np.int64]

    @property
    def rate(self) -> float:
        """Slope of ln(mean) against the length: below 0 where the end of a history decides.

        NaN where only one length was found or states coincide.
        """
        kept = self.mean > 0
        if kept.sum() < 2:
            return float("nan")
        return float(np.polyfit(self.lengths[kept], np.log(self.mean[kept]), 1)[0])


def suffix_organisation(
    states: ArrayLike,
    symbols: ArrayLike,
    *,
    longest: int = 6,
    pairs: int = 2000,
    washout: int = 20,
    rng: np.random.Generator | None = None,
) -> SuffixOrganisation:
    """Distances of pairs of states, for common suffixes of 0 to `longest` symbols.

    Parameters
    ----------
    states : array (T, N)
        ``states[t]`` has seen ``symbols[t]``; values or codes.
    symbols : integer array (T,)
        What drove the reservoir: one input value, or row of values, per symbol.
    longest : int
        At least 1.
    pairs : int
        To draw for each length; those whose histories agree further are left out.
    washout : int
        First samples left out.
    rng : numpy.random.Generator, optional
        Draws pairs; seed 0 by default.

    Raises
    ------
    DesignError
        If a shape does not fit, a number is out of range, or no two histories differ.
    """
    state = np.asarray(states, dtype=np.float64)
    drive = np.asarray(symbols)
    if drive.ndim != 1 or state.ndim != 2 or len(state) != len(drive):
        raise DesignError(f"states must have shape ({drive.size}, N), not {state.shape}")
    if longest < 1 or pairs < 1:
        raise DesignError(f"longest and pairs must be at least 1, not {longest} and {pairs}")
    first = max(washout, longest)
    if len(drive) < first + 2:
        raise DesignError(f"run must have at least {first + 2} samples, not {len(drive)}")
    draw = np.random.default_rng(0) if rng is None else rng
    # Histories of one length are numbered; those that are one symbol longer get new numbers.
    alike = np.zeros(len(drive), dtype=np.int64)
    rows = []
    for length in range(longest + 1):
        older = np.r_[np.full(length, -1), np.unique(drive, return_inverse=True)[1]][: len(drive)]
        one, other = _pairs(alike[first:], older[first:], pairs, draw)
        if len(one):
            apart = np.linalg.norm(state[first:][one] - state[first:][other], axis=1)
            rows.append((length, apart.mean(), apart.max(), apart.min(), len(apart)))
        alike = np.unique(np.stack([alike, older]), axis=1, return_inverse=True)[1].reshape(-1)
    if not rows:
        raise DesignError("symbols must vary, not be one symbol all the time")
    table = np.array(rows, dtype=np.float64).T
    counts = table[[0, 4]].astype(np.int64)
    return SuffixOrganisation(counts[0], table[1], table[2], table[3], counts[1])


def _pairs(
    alike: NDArray[np.int64], older: NDArray[np.int64], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places whose histories are alike, and differ in the symbol before."""
    order = np.argsort(alike, kind="stable")
    begins = np.searchsorted(alike[order], alike)
    sizes = np.bincount(alike, minlength=int(alike.max()) + 1)[alike]
    one = rng.integers(0, len(alike), 4 * count)
    other = order[begins[one] + rng.integers(0, sizes[one])]
    kept = np.flatnonzero(older[one] != older[other])[:count]
    return one[kept], other[kept]
