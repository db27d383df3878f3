"""Random numbers that depend on a seed and on the number of a sample, and on nothing that lives on.

A counter-based generator (Philox) gives every sample its own counters. So a run can be cut into
chunks anywhere: what a sample sees is the same, and only its number has to be remembered.
"""

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["normals", "uniforms"]

Values = NDArray[np.float64]
_WORDS = 4  # of 64 bits that one count of the generator gives
_STREAM = 2**192  # counts between two streams: no run is that long


def uniforms(samples: int, count: int, first: int, seed: int, *, stream: int = 1) -> Values:
    """Numbers uniform between 0 and 1, both excluded.

    Parameters
    ----------
    samples : int
        T.
    count : int
        Numbers per sample, C. Another count gives other numbers.
    first : int
        Number of the first sample.
    seed : int
        At least 0.
    stream : int
        Streams of one seed are independent. Stream 0 is that of the detectors, in
        `rchw.nodes.observe`; a device that draws twice draws from 1 and 2.

    Returns
    -------
    float64 array (T, C)

    Raises
    ------
    DesignError
        If an argument is negative.
    """
    for name, value in (
        ("samples", samples),
        ("numbers per sample", count),
        ("number of the first sample", first),
        ("seed of the noise", seed),
        ("stream of the noise", stream),
    ):
        if value < 0:
            raise DesignError(f"{name} must be at least 0, not {value}")
    blocks = -(-count // _WORDS)
    generator = np.random.Philox(key=seed, counter=stream * _STREAM + first * blocks)
    raw = generator.random_raw(samples * blocks * _WORDS)
    return _between(raw.reshape(samples, blocks * _WORDS)[:, :count])


def normals(samples: int, count: int, first: int, seed: int, *, stream: int = 1) -> Values:
    """Standard normal numbers, float64 array (T, C); see `uniforms` for the arguments."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniforms(samples, count, first, seed, stream=stream)))


def _between(raw: NDArray[np.uint64]) -> Values:
    """From words of 64 bits to the middles of 2**52 equal parts of the unit interval.

    With 2**53 parts the last middle would be rounded to 1, whose normal number is infinite.
    """
    return np.asarray(((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)
