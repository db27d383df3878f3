"""What a circuit that tests itself sends and must get: the twin of ``rchw.boards.self_test``.

Numbers of 64 bits come from xorshift generators, ``x ^= x << 13; x ^= x >> 7; x ^= x << 17``
(Marsaglia, "Xorshift RNGs", Journal of Statistical Software 8(14), 2003, table of 64-bit triples);
signatures are registers of 64 bits with the feedback of CRC-64 (ECMA-182, annex B).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design
from rchw.errors import DesignError
from rchw.sim.lanes import lane_bytes, pack, unpack, word_bytes
from rchw.sim.soak.stimulus import draw

__all__ = ["FEEDBACK", "HELD", "MARK_BITS", "Plan", "beats", "plan_test"]

FEEDBACK = 0x42F0E1EBA9EA3693
MARK_BITS = 6  # behind the data: all zero marks the last sample of a sequence
HELD = 32  # samples for which a rail is held
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Plan:
    """A test of one design.

    Attributes
    ----------
    samples : int
        Of one block, a power of two from 64; every second block holds rails.
    starts : tuple of int
        Where each generator starts; together they give the bits of an input beat.
    signatures : tuple of tuples of int
        After each block, one number of 64 bits for every 64 bits of an output beat with its flag.
    answers : int
        Output beats of a block, a power of two: its samples, but where a sequence has one answer.
        There the blocks of output beats have a length of their own, and the test ends with the
        last whole one.
    """

    samples: int
    starts: tuple[int, ...]
    signatures: tuple[tuple[int, ...], ...]
    answers: int


def _next(word: int) -> int:
    word ^= word << 13 & _MASK
    word ^= word >> 7
    return word ^ (word << 17 & _MASK)


def beats(
    design: Design, starts: tuple[int, ...], samples: int, blocks: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Input codes (T, K) and last flags (T,) of all blocks, one after the other."""
    formats = [channel.format for channel in design.beat]
    wide = 8 * word_bytes(formats)
    mark = (1 << MARK_BITS) - 1
    state, words, last = list(starts), [], []
    for beat in range(samples * blocks):
        whole = sum(word << 64 * place for place, word in enumerate(state))
        goes_on = not (beat // samples) % 2 or beat % HELD == HELD - 1
        words.append(whole & ((1 << wide) - 1))
        last.append(goes_on and not (whole >> wide) & mark)
        if goes_on:
            state = [_next(word) for word in state]
    # The bits of a lane above its code are not read, so they may be anything.
    codes = unpack(words, formats)
    for k, fmt in enumerate(formats):
        cut = codes[:, k] & ((1 << fmt.width) - 1)
        codes[:, k] = cut - ((cut > fmt.max) << fmt.width if fmt.signed else 0)
    rails = (np.arange(len(codes)) // samples) % 2 == 1
    for k, fmt in enumerate(formats):
        top = codes[:, k] < 0 if fmt.signed else codes[:, k] > fmt.max // 2
        rail = np.where(top, fmt.min, fmt.max) if fmt.signed else np.where(top, fmt.max, fmt.min)
        codes[:, k] = np.where(rails, rail, codes[:, k])
    return codes, np.array(last, dtype=bool)


def plan_test(design: Design, *, samples: int = 4096, blocks: int = 16, seed: int = 1) -> Plan:
    """Compute the signatures of a design by the reference.

    Parameters
    ----------
    design : Design
    samples : int
        Of one block, a power of two from 64.
    blocks : int
        A power of two from 2.
    seed : int

    Raises
    ------
    DesignError
        If samples or blocks are no such powers, or there are too few answers for as many blocks.
    """
    for what, value, least in (("samples", samples, 64), ("blocks", blocks, 2)):
        if value < least or value & (value - 1):
            raise DesignError(f"{what} must be a power of two from {least}, not {value}")
    wide = 8 * word_bytes([channel.format for channel in design.beat])
    count = -(-(wide + MARK_BITS) // 64)
    starts = tuple(int(word) | 1 for word in draw(seed, np.arange(count)))
    codes, last = beats(design, starts, samples, blocks)
    outputs = reference.run(design, codes, last).outputs
    answered = last[design.answered(last)]
    each = samples
    if design.readout.pooled:
        if len(answered) < 2 * blocks:
            raise DesignError(
                f"samples must be enough for {2 * blocks} sequences to end in {blocks} blocks, not "
                f"{samples}, in which {len(answered)} do"
            )
        each = 1 << (len(answered) // blocks).bit_length() - 1
    formats = [answer.format for answer in design.readout.answers]
    bits = 8 * sum(lane_bytes(fmt) for fmt in formats)
    sums, signatures = [0] * (bits // 64 + 1), []
    for place, word in enumerate(pack(outputs[: each * blocks], formats)):
        whole = word | int(answered[place]) << bits
        for k, value in enumerate(sums):
            shifted = (value << 1 & _MASK) ^ (FEEDBACK if value >> 63 else 0)
            sums[k] = shifted ^ (whole >> 64 * k & _MASK)
        if place % each == each - 1:
            signatures.append(tuple(sums))
    return Plan(samples, starts, tuple(signatures), each)
