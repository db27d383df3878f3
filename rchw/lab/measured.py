"""Readings from a laboratory, recorded while a series was played, as a reservoir."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.tasks.files import SUFFIXES, read_table

__all__ = ["RecordedReservoir", "read_states"]

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RecordedReservoir:
    """Gives the states that were recorded for the inputs that were played, and refuses others.

    Its state is the number of the next sample.

    Parameters
    ----------
    inputs : array (T, K)
        What was played.
    states : array (T, N)
        What was read after each sample.
    """

    inputs: Values
    states: Values

    def __post_init__(self) -> None:
        for name in ("inputs", "states"):
            values = np.array(getattr(self, name), dtype=np.float64)
            if values.ndim != 2 or not values.size:
                raise DesignError(f"{name} must have shape (T, channels), not {values.shape}")
            if not np.isfinite(values).all():
                raise DesignError(f"{name} must be finite, not NaN or infinite")
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        if len(self.inputs) != len(self.states):
            raise DesignError(
                f"states must be one row per sample played, {len(self.inputs)}, not "
                f"{len(self.states)}"
            )

    @property
    def n_units(self) -> int:
        """Number of states N."""
        return int(self.states.shape[1])

    @property
    def n_inputs(self) -> int:
        """Number of input channels K."""
        return int(self.inputs.shape[1])

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """States recorded for these inputs; (T', K) -> (T', N)."""
        return self.advance(inputs, state)[0]

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """The states of `run`, and the number of the next sample as array (1,).

        Raises
        ------
        DesignError
            If the inputs are not those that were played from there on.
        """
        asked = np.asarray(inputs, dtype=np.float64)
        if asked.ndim != 2 or asked.shape[1] != self.n_inputs:
            raise DesignError(f"inputs must have shape (T, {self.n_inputs}), not {asked.shape}")
        first = 0 if state is None else int(np.asarray(state, dtype=np.float64)[0])
        last = first + len(asked)
        if last > len(self.inputs) or not np.array_equal(asked, self.inputs[first:last]):
            raise DesignError(
                f"inputs must be those that were played from sample {first} on, "
                f"{len(self.inputs) - first} at most, not others"
            )
        return self.states[first:last].copy(), np.array([float(last)])


def read_states(path: Path) -> Values:
    """Read recorded states (T, N): one file with a row per sample, or a folder of a file for each.

    The files of a folder are taken in the order of their names, in which 10 comes after 9; each
    holds one row of readings, or one column.

    Raises
    ------
    DesignError
        If nothing is there, a file cannot be read, rows differ in length, or a number is left out.
    """
    if not path.is_dir():
        if not path.exists():
            raise DesignError(f"{path} must be an existing file or folder, not missing")
        table = read_table(path)
        known = {*table.inputs, *table.targets}  # what an .npz file declares is no state
        return table.values(tuple(k for k in range(len(table.names)) if k not in known))
    files = sorted((p for p in path.iterdir() if p.suffix.lower() in SUFFIXES), key=_natural)
    if not files:
        raise DesignError(f"{path} must hold {', '.join(SUFFIXES)} files of states, not none")
    _check_numbers(files)
    rows: list[Values] = []
    for file in files:
        row = read_states(file)
        if 1 not in row.shape:
            raise DesignError(f"{file} must hold one row or one column, not {row.shape}")
        if rows and row.size != rows[0].size:
            raise DesignError(
                f"{file} must hold {rows[0].size} readings as {files[0].name} does, not {row.size}"
            )
        rows.append(row.ravel())
    return np.stack(rows)


def _check_numbers(files: list[Path]) -> None:
    """Refuse a gap where every name ends with a number: all samples behind it would be shifted."""
    found = [re.search(r"(\d+)\D*$", file.stem) for file in files]
    numbers = [int(each[1]) for each in found if each is not None]
    if len(numbers) < len(files):
        return
    for before, number, file in zip(numbers, numbers[1:], files[1:], strict=False):
        if number != before + 1:
            raise DesignError(f"{file} must have the number {before + 1}, not {number}")


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order of names: runs of digits by their value."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
