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
        If nothing is there, a file cannot be read, or rows differ in length.
    """
    if not path.is_dir():
        table = read_table(path)
        return table.values(tuple(range(len(table.names))))
    files = sorted((p for p in path.iterdir() if p.suffix.lower() in SUFFIXES), key=_natural)
    if not files:
        raise DesignError(f"{path} must hold {', '.join(SUFFIXES)} files of states, not none")
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


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order of names: runs of digits by their value."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
