"""Stimulus of a soak, block by block: the twin in numpy of ``cpp/stimulus.h``.

Every number is ``draw(key, n)``, the n-th output of a SplitMix64 whose seed is `key` (Steele, Lea,
Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), so any sample of any block
can be computed alone. Block b of a seed has ``key = draw(mix(seed), b)``. Bits are counted from 0.

====================  ==========================================================================
``draw(key, 0)``      of the block. Bits 0-3: its length, from 512 to 65,536 samples. Bit 4:
                      whether its first ``1 + bits 8-13`` samples are also sent before it, and end
                      in a reset ``(bits 32-63) mod (2 c + 8)`` clocks after the last has gone in,
                      c being the clocks per sample.
``draw(key, 1 + j)``  of its j-th stretch of 512 samples. Bits 0-2: kind of the codes. Bits 3-4:
                      ``tlast`` never, or in 1 of 256, 32 or 4 samples. Bits 5-7: see the kinds.
                      Bits 8-10: 5 pauses the source, 6 the sink, 7 both. Bits 11-13: e, a pause
                      comes in ``128 >> e`` of 256 beats and has 1 to ``2**e`` clocks.
``draw(D, ...)``      D = ``draw(key, 2**32)``: of sample t and channel k the number
                      ``t (K + 1) + k``; k = K is for ``tlast``.
``draw(P, ...)``      P = ``draw(key, 2**32 + 1)``: before beat t the numbers ``2 t`` of the
                      source and ``2 t + 1`` of the sink, whose beats are answers.
``draw(key, S)``      S = ``2**32 + 2``, with data of R rows: of the block, modulo R its first row.
====================  ==========================================================================

Kinds of codes: 2 corners; 3 rails, held for ``2**(7 + bits 5-6)`` samples each; 4 corners in one of
four samples, else uniform; 5 ramps up and down that take ``2**(12 - bits 5-7)`` samples; 6 half the
width of the format; 0, 1 and 7 uniform over the format.

With data the codes of sample t are those of row ``(first + t) mod R``, of whatever kind its stretch
is, and so is ``tlast`` where the data mark ends of sequences. All else is drawn as without them.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.fixed import QFormat
from rchw.sim.soak.data import Data

__all__ = ["Block", "block", "digest", "draw", "mix"]

Words = NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_LENGTHS = (512,) * 8 + (2048,) * 4 + (8192,) * 3 + (65536,)
_STRETCH = 512
_DATA, _PAUSES, _START = 1 << 32, (1 << 32) + 1, (1 << 32) + 2
_ODDS = np.array([0, 1 << 24, 1 << 27, 1 << 30], dtype=np.uint64)  # of 2**32


@dataclass(frozen=True)
class Block:
    """One block: from the power-up of the circuit to its last output.

    Attributes
    ----------
    index : int
    codes : int64 array (T, K)
    last : bool array (T,)
    source, sink : int64 array (T,)
        Clocks of pause before each beat.
    before : int
        So many of its first samples are also sent before it, and end in a reset.
    clocks : int
        From the last of them to the reset.
    row : int or None
        Of the data, that of the first sample; None if the codes are drawn.
    """

    index: int
    codes: NDArray[np.int64]
    last: NDArray[np.bool_]
    source: NDArray[np.int64]
    sink: NDArray[np.int64]
    before: int
    clocks: int
    row: int | None = None

    def first(self, samples: int) -> "Block":
        """Return the block cut short."""
        return replace(
            self,
            codes=self.codes[:samples],
            last=self.last[:samples],
            source=self.source[:samples],
            sink=self.sink[:samples],
        )


def mix(words: Words) -> Words:
    """Mix the bits of every word: the last step of SplitMix64."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def draw(key: int, numbers: NDArray[np.int64] | int) -> Words:
    """Outputs of the SplitMix64 with seed `key`; the first has the number 0.

    >>> [hex(word) for word in draw(0, np.arange(2)).tolist()]
    ['0xe220a8397b1dcdaf', '0x6e789e6aa1b965f4']
    """
    counts = np.atleast_1d(np.asarray(numbers)).astype(np.uint64) + np.uint64(1)
    return mix(np.uint64(key) + counts * _GOLDEN)


def _one(key: int, number: int) -> int:
    return int(draw(key, number)[0])


def _bits(words: Words, start: int, count: int) -> NDArray[np.int64]:
    return ((words >> np.uint64(start)) & np.uint64((1 << count) - 1)).astype(np.int64)


def block(
    design: Design,
    seed: int,
    index: int,
    clocks: int,
    samples: int | None = None,
    fed: Data | None = None,
) -> Block:
    """One block of a seed.

    Parameters
    ----------
    design : Design
        Its input formats are read.
    seed : int
    index : int
    clocks : int
        Clocks per sample of the circuit.
    samples : int, optional
        Where the block was cut short: the last one of a run.
    fed : Data, optional
        Rows that are sent in place of drawn codes.
    """
    key = _one(int(mix(np.array([seed], dtype=np.uint64))[0]), index)
    head = _one(key, 0)
    length = _LENGTHS[head & 15]
    t = np.arange(length if samples is None else min(length, samples))
    heads = draw(key, 1 + t // _STRETCH)
    data, pauses = _one(key, _DATA), _one(key, _PAUSES)
    lanes = design.n_lanes + 1
    ends = draw(data, t * lanes + design.n_lanes) >> np.uint64(32)
    last, row = ends < _ODDS[_bits(heads, 3, 2)], None
    if fed is None:
        formats = [channel.format for channel in design.beat]
        columns = [_codes(fmt, heads, t, data, lanes, k) for k, fmt in enumerate(formats)]
        codes = np.stack(columns, axis=1)
    else:
        row = _one(key, _START) % len(fed.codes)
        taken = (row + t) % len(fed.codes)
        codes = fed.codes[taken]
        last = last if fed.last is None else fed.last[taken]
    pace = _bits(heads, 8, 3)
    return Block(
        index=index,
        codes=codes,
        last=last,
        source=np.where((pace == 5) | (pace == 7), _pause(heads, draw(pauses, 2 * t)), 0),
        sink=np.where((pace == 6) | (pace == 7), _pause(heads, draw(pauses, 2 * t + 1)), 0),
        before=min(1 + (head >> 8 & 63), len(t)) if head >> 4 & 1 else 0,
        clocks=(head >> 32) % (2 * clocks + 8),
        row=row,
    )


def _pause(heads: Words, words: Words) -> NDArray[np.int64]:
    size = _bits(heads, 11, 3)
    clocks = 1 + (_bits(words, 8, 16) & ((1 << size) - 1))
    return np.where(_bits(words, 0, 8) < 128 >> size, clocks, 0)


def _codes(
    fmt: QFormat, heads: Words, t: NDArray[np.int64], data: int, lanes: int, channel: int
) -> NDArray[np.int64]:
    """Codes of one channel, shape (T,)."""
    extra = _bits(heads, 5, 3)

    def uniform(words: Words) -> NDArray[np.int64]:
        return fmt.min + (words >> np.uint64(64 - fmt.width)).astype(np.int64)

    words = draw(data, t * lanes + channel)
    codes, kind = uniform(words), _bits(heads, 0, 3)
    codes = np.where(kind == 6, codes >> (fmt.width // 2), codes)
    corners = np.array(sorted({fmt.min, max(-1, fmt.min), 0, min(1, fmt.max), fmt.max}))
    corner = corners[_bits(words, 8, 16) % len(corners)]
    codes = np.where((kind == 2) | ((kind == 4) & (_bits(words, 0, 2) == 0)), corner, codes)
    held = draw(data, (t >> (7 + (extra & 3))) * lanes + channel) >> np.uint64(63)
    codes = np.where(kind == 3, np.where(held == 1, fmt.max, fmt.min), codes)
    start = _one(data, channel) & 0xFFFFFFFF
    phase = (start + (t << (20 + extra))) & 0xFFFFFFFF
    up = (np.where(phase >> 31, ~phase, phase) << 1) & 0xFFFFFFFF
    return np.where(kind == 5, fmt.min + (up >> (32 - fmt.width)), codes)


def digest(stimulus: Block, outputs: NDArray[np.int64]) -> int:
    """Digest of 64 bits of all codes, flags, pauses and answers (T, L) of a block.

    Answers are 0 where a sample has none. The sum over all of them, row by row, of each mixed with
    its place: a code that changes or moves changes the sum.
    """
    one = [stimulus.last, stimulus.source, stimulus.sink]
    columns = [stimulus.codes, *(np.asarray(a, dtype=np.int64)[:, None] for a in one), outputs]
    table = np.ascontiguousarray(np.concatenate(columns, axis=1)).view(np.uint64).ravel()
    places = np.arange(1, table.size + 1, dtype=np.uint64) * _GOLDEN
    return int(mix(table + places).sum(dtype=np.uint64))
