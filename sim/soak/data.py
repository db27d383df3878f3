"""Data that a soak sends in place of drawn codes: checked, and as its program reads them."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import Design
from rchw.errors import DesignError

__all__ = ["Data"]

_DRAWN = -1  # in place of a flag, where the data mark no ends of sequences


@dataclass(frozen=True, eq=False)
class Data:
    """Rows that are sent in their order, and again from the first after the last.

    Attributes
    ----------
    codes : int64 array (R, K)
    last : bool array (R,) or None
        Rows that end a sequence; None where these are drawn.
    """

    codes: NDArray[np.int64]
    last: NDArray[np.bool_] | None

    @classmethod
    def of(cls, design: Design, codes: ArrayLike, last: ArrayLike | None = None) -> "Data":
        """Check the rows against the inputs of a design.

        Parameters
        ----------
        design : Design
        codes : integer array (R, K)
        last : array (R,) of bool or of 0 and 1, optional

        Raises
        ------
        DesignError
            If there is no row, a shape or type is wrong, or a code lies outside its format; in the
            words of `rchw.reference.run`.
        """
        rows = np.asarray(codes)
        if rows.ndim != 2 or rows.shape[1] != design.n_lanes:
            raise DesignError(
                f"input codes must have shape (T, {design.n_lanes}), not {rows.shape}"
            )
        if rows.dtype.kind not in "iu":
            raise DesignError(f"input codes must be integers, not {rows.dtype}")
        if not len(rows):
            raise DesignError("input codes must have at least one row, not 0")
        for k, channel in enumerate(design.beat):
            fmt = channel.format
            outside = (rows[:, k] < fmt.min) | (rows[:, k] > fmt.max)
            if outside.any():
                row = int(np.argmax(outside))
                raise DesignError(
                    f"input {channel.name} at sample {row} must be from {fmt.min} to {fmt.max} "
                    f"({fmt}), not {int(rows[row, k])}"
                )
        return cls(rows.astype(np.int64), None if last is None else _flags(last, len(rows)))

    def table(self) -> NDArray[np.int32]:
        """Rows as the program reads them, (R, K + 1): codes, then 0 or 1, or -1 if it is drawn."""
        rows, channels = self.codes.shape
        table = np.empty((rows, channels + 1), dtype=np.int32)
        table[:, :channels] = self.codes
        table[:, channels] = _DRAWN if self.last is None else self.last
        return table

    def sha256(self) -> str:
        """Hexadecimal SHA-256 of the table, little-endian: of all that is sent of the data."""
        return hashlib.sha256(self.table().astype("<i4").tobytes()).hexdigest()


def _flags(last: ArrayLike, rows: int) -> NDArray[np.bool_]:
    flags = np.asarray(last)
    if flags.shape != (rows,):
        raise DesignError(f"last flags must have shape ({rows},), not {flags.shape}")
    wrong = (flags != 0) & (flags != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DesignError(f"last flag at sample {row} must be 0 or 1, not {flags[row]}")
    return flags.astype(bool)
