"""Draws of a place and of what is changed there: one bit of a code, or two that change places."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from rchw.design import Matrix
from rchw.fixed import QFormat

__all__ = ["flip", "pick", "put", "row_flipped", "swapped", "two"]

Item = TypeVar("Item")


def pick(rng: np.random.Generator, count: int) -> int:
    """Draw a place."""
    return int(rng.integers(count))


def put(row: Sequence[Item], place: int, code: Item) -> tuple[Item, ...]:
    """Replace one item."""
    return (*row[:place], code, *row[place + 1 :])


def flip(rng: np.random.Generator, row: Sequence[int], fmt: QFormat) -> tuple[str, tuple[int, ...]]:
    """Flip one bit of one code; tell which."""
    place, bit = pick(rng, len(row)), pick(rng, fmt.width)
    return f"[{place}], bit {bit}", put(row, place, _flipped(row[place], bit, fmt))


def _flipped(code: int, bit: int, fmt: QFormat) -> int:
    raw = (code ^ 1 << bit) & ((1 << fmt.width) - 1)
    return raw - (1 << fmt.width) if fmt.signed and raw > fmt.max else raw


def two(rng: np.random.Generator, count: int) -> tuple[int, int]:
    """Draw two places, the first below the second."""
    first, second = sorted(rng.choice(count, 2, replace=False).tolist())
    return first, second


def swapped(row: Sequence[Item], first: int, second: int) -> tuple[Item, ...]:
    """Let two items change places."""
    new = list(row)
    new[first], new[second] = new[second], new[first]
    return tuple(new)


def row_flipped(matrix: Matrix, rng: np.random.Generator) -> tuple[str, Matrix] | None:
    """Flip one bit of one code; tell which. There is none in a matrix of empty rows."""
    filled = [i for i, row in enumerate(matrix.codes) if row]
    if not filled:
        return None
    i = filled[pick(rng, len(filled))]
    where, row = flip(rng, matrix.codes[i], matrix.format)
    codes = (*matrix.codes[:i], row, *matrix.codes[i + 1 :])
    return f"row {i} of the matrix{where}", replace(matrix, codes=codes)
