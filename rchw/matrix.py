"""Connections between units as a matrix of integers: dense, sparse by rows, or antisymmetric."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.fixed import QFormat

__all__ = ["KINDS", "RULES", "Matrix", "Scaling"]

KINDS = ("dense", "sparse", "antisymmetric")
RULES = ("radius", "leaky-radius", "circular")
_MAX_WIDTH = 24


@dataclass(frozen=True)
class Scaling:
    """What a float matrix was scaled to before it became codes; it changes no code.

    Parameters
    ----------
    rule : str
        ``radius``: the spectral radius of W; ``leaky-radius``: that of ``(1 - a) I + a W`` with the
        leak rate a; ``circular``: entries are uniform with the standard deviation that gives this
        radius by the circular law.
    value : float
    """

    rule: str
    value: float

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise DesignError(f"scaling rule must be one of {', '.join(RULES)}, not {self.rule!r}")
        if not math.isfinite(self.value):
            raise DesignError(f"scaling value must be finite, not {self.value}")


@dataclass(frozen=True)
class Matrix:
    """Integers W[i][j], by which unit i takes the state of unit j.

    Parameters
    ----------
    format : QFormat
        Of all codes; 1 to 24 bits.
    kind : str
        One of `KINDS`.
    codes : tuple of tuples of int
        ``dense``: N rows of N codes. ``sparse``: in each row those at its `columns`. In an
        ``antisymmetric`` one row i holds W[i][0] to W[i][i-1], and ``W[j][i] = -W[i][j]``.
    columns : tuple of tuples of int
        Of a ``sparse`` matrix: where the codes of each row are, strictly increasing.
    diagonal : tuple of int
        Of an ``antisymmetric`` matrix: W[i][i].
    scaling : Scaling or None
    """

    format: QFormat
    kind: str
    codes: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[int, ...], ...] = ()
    diagonal: tuple[int, ...] = ()
    scaling: Scaling | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DesignError(f"matrix must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if not 1 <= self.format.width <= _MAX_WIDTH:
            raise DesignError(
                f"width of matrix weights must be from 1 to {_MAX_WIDTH}, not {self.format.width}"
            )
        for what, given, owner in (
            ("columns", self.columns, "sparse"),
            ("diagonal", self.diagonal, "antisymmetric"),
        ):
            if given and self.kind != owner:
                raise DesignError(f"{what} must be left out of a matrix of kind {self.kind}")

    def check(self, rows: int, columns: int) -> None:
        """Refuse a shape other than (rows, columns), and codes that the format does not hold.

        Raises
        ------
        DesignError
        """
        if len(self.codes) != rows:
            raise DesignError(f"matrix must have {rows} rows, not {len(self.codes)}")
        lengths = [columns] * rows
        if self.kind == "antisymmetric":
            lengths = list(range(rows))
            self._check_row("diagonal of the matrix", self.diagonal, rows)
        if self.kind == "sparse":
            self._check_columns(rows, columns)
            lengths = [len(row) for row in self.columns]
        for index, (row, length) in enumerate(zip(self.codes, lengths, strict=True)):
            self._check_row(f"row {index} of the matrix", row, length)

    def _check_row(self, what: str, row: tuple[int, ...], length: int) -> None:
        if len(row) != length:
            raise DesignError(f"{what} must have {length} codes, not {len(row)}")
        low, high = self.format.min, self.format.max
        for place, code in enumerate(row):
            if type(code) is not int:
                raise DesignError(f"{what}[{place}] must be a Python integer, not {code!r}")
            if not low <= code <= high:
                raise DesignError(
                    f"{what}[{place}] must be from {low} to {high} ({self.format}), not {code}"
                )

    def _check_columns(self, rows: int, columns: int) -> None:
        if len(self.columns) != rows:
            raise DesignError(
                f"columns of the matrix must have {rows} rows, not {len(self.columns)}"
            )
        for index, row in enumerate(self.columns):
            whole = all(type(column) is int for column in row)
            rising = whole and all(a < b for a, b in pairwise(row))
            if not rising or (row and not 0 <= row[0] <= row[-1] < columns):
                raise DesignError(
                    f"columns of row {index} of the matrix must rise within 0 to {columns - 1}, "
                    f"not be {list(row)[:8]}"
                )

    @cached_property
    def rows(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Of every row its (column, weight) that are not 0, by rising columns."""
        if self.kind == "sparse":
            rows = zip(self.columns, self.codes, strict=True)
            found = [list(zip(places, row, strict=True)) for places, row in rows]
        else:
            square = self._square() if self.kind == "antisymmetric" else self.codes
            found = [list(enumerate(row)) for row in square]
        return tuple(tuple((j, weight) for j, weight in row if weight) for row in found)

    def _square(self) -> list[list[int]]:
        """An antisymmetric matrix in full."""
        n = len(self.codes)
        full = [[0] * n for _ in range(n)]
        for i, row in enumerate(self.codes):
            full[i][i] = self.diagonal[i]
            for j, weight in enumerate(row):
                full[i][j], full[j][i] = weight, -weight
        return full

    @cached_property
    def full(self) -> NDArray[np.int64]:
        """All entries of a matrix with as many columns as rows; read only."""
        found = self.dense(len(self.codes))
        found.flags.writeable = False
        return found

    def dense(self, columns: int) -> NDArray[np.int64]:
        """All entries, int64 array (rows, columns)."""
        found = np.zeros((len(self.codes), columns), dtype=np.int64)
        for i, row in enumerate(self.rows):
            for j, weight in row:
                found[i, j] = weight
        return found
