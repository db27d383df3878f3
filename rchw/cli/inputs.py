"""Input codes of a design from a file of the user's, as ``run`` and ``verify --soak`` take them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.tasks.files import Table, read_table

__all__ = ["MARKS", "read_inputs", "read_sequences"]

MARKS = "tlast"
"""Name of the column that marks ends of sequences, where it is no input."""


def read_inputs(
    design: Design, data: Path, wanted: str | None = None, codes: bool = False
) -> NDArray[np.int64]:
    """Codes (T, n_lanes) of the beats from a .csv, .npy or .npz file.

    A file without a column for the bits of the teachers has them all set: its rows are taught.

    Parameters
    ----------
    design : Design
    data : Path
    wanted : str, optional
        Names or numbers of columns, by commas; by the design's names, else all.
    codes : bool
        Whether the file holds codes, not real values.

    Raises
    ------
    DesignError
        If the file cannot be read, its columns are not those of the design, or an entry is no
        number, or no integer where it must be a code. The range of codes is for who runs them.
    """
    table = read_table(data)
    return _codes(design, table, _columns(design, table, wanted), codes)


def read_sequences(
    design: Design, data: Path, wanted: str | None = None, codes: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Input codes as from `read_inputs`, and the last flags (T,) if the file has them.

    They are those of the column ``tlast``, if there is one that is no input.

    Raises
    ------
    DesignError
        As `read_inputs`, and if a flag is not 0 or 1.
    """
    table = read_table(data)
    chosen = _columns(design, table, wanted, MARKS)
    found = _codes(design, table, chosen, codes)
    marks = [c for c, name in enumerate(table.names) if name == MARKS and c not in chosen]
    if not marks:
        return found, None
    flags = table.values((marks[0],))[:, 0]
    wrong = (flags != 0) & (flags != 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DesignError(f"{MARKS} in {data} must be 0 or 1, not {flags[row]:g} at sample {row}")
    return found, flags == 1


def _columns(
    design: Design, table: Table, wanted: str | None, marks: str | None = None
) -> tuple[int, ...]:
    if wanted is not None:
        indices = table.find(wanted, "input columns")
    else:
        lanes = [channel.name for channel in design.beat]
        named = table.named(lanes) or table.named(lanes[: len(lanes) - _taught(design)])
        every = tuple(c for c, name in enumerate(table.names) if name != marks)
        indices = named or table.inputs or every
    if not design.inputs and not _taught(design) and design.feedback:
        raise DesignError(f"input must be left out for {design.name}, whose beats hold nothing")
    if not design.n_lanes - _taught(design) <= len(indices) <= design.n_lanes:
        names = ", ".join(channel.name for channel in design.beat)
        raise DesignError(
            f"{table.path} must give {design.n_lanes} input columns, as the design has ({names}), "
            f"not {len(indices)} (see --input-columns)"
        )
    return indices


def _taught(design: Design) -> bool:
    """Whether the last lane of a beat is that of the teachers' bits."""
    return any(entry.teacher for entry in design.feedback)


def _codes(design: Design, table: Table, chosen: tuple[int, ...], codes: bool) -> NDArray[np.int64]:
    values = table.values(chosen)
    if len(chosen) < design.n_lanes:
        every = np.full((len(values), 1), float(design.beat[-1].format.max))
        values = np.concatenate([values, every], axis=1)
    return _whole(values, table.path) if codes else design.encode(values)


def _whole(values: NDArray[np.float64], data: Path) -> NDArray[np.int64]:
    codes = np.clip(np.floor(values), -(2.0**53), 2.0**53).astype(np.int64)
    wrong = np.argwhere(codes != values)
    if len(wrong):
        row, column = wrong[0]
        raise DesignError(
            f"codes in {data} must be integers, not {float(values[row, column])} at sample {row}"
        )
    return codes
