"""Random numbers that depend on a seed and on the number of a sample, and on nothing that lives on.

A counter-based generator (Philox) gives every sample its own counters. So a run can be cut into
chunks anywhere: what a sample sees is the same, and only its number has to be remembered.
"""

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["codes", "normals", "uniforms"]

Values = NDArray[np.float64]
_WORDS = 4  # of 64 bits that one count of the generator gives
_BITS = (16, 32, 52)
_STREAM = 2**192  # counts between two streams: no run is that long


def codes(
    samples: int, count: int, first: int, seed: int, *, stream: int = 1, bits: int = 52
) -> NDArray[np.unsignedinteger]:
    """Whole numbers, each of ``2**bits`` as likely as any other; see `uniforms`.

    Returns
    -------
    uint16, uint32 or, of 52 bits, uint64 array (T, C)
    """
    if bits not in _BITS:
        raise DesignError(f"bits of a random number must be 16, 32 or 52, not {bits}")
    for name, value in (
        ("samples", samples),
        ("numbers per sample", count),
        ("number of the first sample", first),
        ("seed of the noise", seed),
        ("stream of the noise", stream),
    ):
        if value < 0:
            raise DesignError(f"{name} must be at least 0, not {value}")
    held = 64 // bits  # numbers in a word
    blocks = -(-count // (_WORDS * held))
    generator = np.random.Philox(key=seed, counter=stream * _STREAM + first * blocks)
    raw = generator.random_raw(samples * blocks * _WORDS)
    return _parts(raw, bits).reshape(samples, blocks * _WORDS * held)[:, :count]


def uniforms(
    samples: int, count: int, first: int, seed: int, *, stream: int = 1, bits: int = 52
) -> Values:
    """Numbers uniform between 0 and 1, both excluded: the middles of ``2**bits`` equal parts.

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
    bits : int
        16, 32 or 52; fewer are drawn sooner.

    Returns
    -------
    float64 array (T, C)

    Raises
    ------
    DesignError
        If an argument is negative, or the number of bits another.
    """
    return _middles(codes(samples, count, first, seed, stream=stream, bits=bits), bits)


def normals(samples: int, count: int, first: int, seed: int, *, stream: int = 1) -> Values:
    """Standard normal numbers, float64 array (T, C); see `uniforms` for the arguments."""
    from scipy.special import ndtri

    return np.asarray(ndtri(uniforms(samples, count, first, seed, stream=stream)))


def _parts(raw: NDArray[np.uint64], bits: int) -> NDArray[np.unsignedinteger]:
    """Words of 64 bits as whole numbers of fewer."""
    if bits == 52:
        return raw >> np.uint64(12)
    return raw.astype("<u8", copy=False).view(f"<u{bits // 8}")


def _middles(parts: NDArray[np.unsignedinteger], bits: int) -> Values:
    """Middles of ``2**bits`` equal parts of the unit interval.

    With 2**53 parts the last middle would be rounded to 1, whose normal number is infinite.
    """
    found = parts.astype(np.float64)
    found += 0.5
    found *= 2.0**-bits
    return found
