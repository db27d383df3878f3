"""Tasks from the user's own files: .csv, .npy and .npz.

A file is a table: rows are samples in time order, columns have names or numbers from 0. Only the
columns that are used are read as numbers, so a column of dates does no harm.
"""

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.names import identifier, unique
from rchw.tasks.task import Task, aligned, split_slices

__all__ = ["SUFFIXES", "Table", "load_file", "read_arrays", "read_table"]

Values = NDArray[np.float64]
Column = str | int
SUFFIXES = (".csv", ".npy", ".npz")
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Table:
    """Columns of one length, not yet checked to be numbers.

    Attributes
    ----------
    path : Path
    names : tuple of str
        One per column; a column without a name is called by its number.
    columns : tuple of sequence
        Of str (from text) or of numbers.
    rows : sequence of int
        Number of each row in messages: the line of a text file, the index of an array.
    inputs, targets : tuple of int
        Columns that the file itself declares as such.
    """

    path: Path
    names: tuple[str, ...]
    columns: tuple[Sequence[Any] | NDArray[Any], ...]
    rows: Sequence[int]
    inputs: tuple[int, ...] = ()
    targets: tuple[int, ...] = ()

    def find(self, wanted: str | Sequence[Column], what: str) -> tuple[int, ...]:
        """Find the indices of columns given by name or number; names go first.

        Raises
        ------
        DesignError
            If a column does not exist, has the name of another, or is given twice.
        """
        items = wanted.split(",") if isinstance(wanted, str) else list(wanted)
        found = tuple(self._index(item, what) for item in items)
        if not found or len(set(found)) < len(found):
            raise DesignError(f"{what} must be different columns of {self.path}, not {wanted!r}")
        return found

    def _index(self, item: Column, what: str) -> int:
        name = str(item).strip()
        matches = [index for index, known in enumerate(self.names) if known == name]
        if len(matches) > 1 and not isinstance(item, int):
            raise DesignError(
                f"{what} must name one column of {self.path}, not {name!r}, which {len(matches)} "
                f"columns are called"
            )
        if matches and not isinstance(item, int):
            return matches[0]
        if re.fullmatch(r"\d{1,9}", name) and int(name) < len(self.names):
            return int(name)
        raise DesignError(
            f"{what} must be columns of {self.path} (0 to {len(self.names) - 1}: "
            f"{_listed(self.names)}), not {name[:60]!r}"
        )

    @property
    def identifiers(self) -> tuple[str | None, ...]:
        """Names of channels made of those of the columns, each another; None where it has none.

        What a file declares as inputs or targets has none of its own.
        """
        made: list[str | None] = []
        for index, heading in enumerate(self.names):
            declared = index in self.inputs or index in self.targets
            bare = "" if declared or heading == str(index) else identifier(heading)
            made.append(unique(bare, [name for name in made if name]) if bare else None)
        return tuple(made)

    def named(self, names: Sequence[str]) -> tuple[int, ...] | None:
        """Find the columns from which channels have their names; None unless all are there."""
        known = {name: index for index, name in enumerate(self.identifiers) if name}
        found = tuple(known[name] for name in names if name in known)
        return found if len(found) == len(names) else None

    def values(self, indices: tuple[int, ...]) -> Values:
        """Chosen columns as float64 (T, columns).

        Raises
        ------
        DesignError
            If an entry is not a finite number; it is named by row and column.
        """
        table = np.empty((len(self.rows), len(indices)))
        for position, index in enumerate(indices):
            column = self.columns[index]
            if isinstance(column, np.ndarray):  # numbers already: checked all at once
                with np.errstate(over="ignore"):
                    table[:, position] = column
                if np.isfinite(table[:, position]).all():
                    continue
            for row, entry in enumerate(column):
                value = _number(entry)
                if value is None or not math.isfinite(value):
                    shown = entry if isinstance(entry, str) else f"{entry}"
                    raise DesignError(
                        f"{self.path} row {self.rows[row]}, column {self.names[index]!r} must be "
                        f"a finite number, not {shown!r}"
                    )
                table[row, position] = value
        return table


def read_table(path: str | Path) -> Table:
    """Read a .csv, .npy or .npz file.

    A .csv file is UTF-8 text whose cells are separated by commas, semicolons or tabs (whichever its
    first line has most of); its first line is a header if no cell of it is a number; empty lines
    are skipped. A .npy file holds an array (T,) or (T, C). An .npz file holds such arrays of one
    length; their names are those of the columns (``name[0]``, ``name[1]`` for C > 1), and the names
    ``inputs`` and ``targets`` declare themselves.

    Raises
    ------
    DesignError
        If the file is missing, unreadable, empty, ragged or of another kind.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DesignError(f"file must be one of {', '.join(SUFFIXES)}, not {path.name!r}")
    try:
        if not path.exists():
            raise DesignError(f"{path} must be an existing file, not missing")
        return _read_text(path) if suffix == ".csv" else _table_of_arrays(path, suffix)
    except OSError as error:
        raise DesignError(f"{path} must be readable, not refused: {error.strerror}") from None


def _read_text(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DesignError(f"{path} must be UTF-8 text, not bytes of another encoding") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        numbered = [(reader.line_num, cells) for cells in reader if any(c.strip() for c in cells)]
    except csv.Error as error:
        raise DesignError(f"{path} must be comma-separated text ({error})") from None
    if not numbered:
        raise DesignError(f"{path} must hold rows of numbers, not be empty")
    width = len(numbered[0][1])
    names = tuple(str(index) for index in range(width))
    if all(_number(cell) is None for cell in numbered[0][1]):
        names = tuple(cell.strip().lstrip("# ") or str(i) for i, cell in enumerate(numbered[0][1]))
        numbered = numbered[1:]
    if not numbered:
        raise DesignError(f"{path} must hold rows of numbers, not a header alone")
    for line, cells in numbered:
        if len(cells) != width:
            raise DesignError(f"{path} row {line} must have {width} cells, not {len(cells)}")
    columns = tuple(zip(*(cells for _, cells in numbered), strict=True))
    return Table(path, names, columns, [line for line, _ in numbered])


def read_arrays(path: Path, suffix: str) -> dict[str, NDArray[Any]]:
    """Read every array of a .npz file by its name, or that of a .npy file by the empty name.

    Raises
    ------
    DesignError
        If the bytes are not those of numbers, texts or their like as numpy saves them.
    OSError
        If the file cannot be read.
    """
    content = path.read_bytes()  # numpy would leave a file open that it refuses
    try:
        return _arrays_of(io.BytesIO(content), suffix)
    except Exception:  # numpy, zipfile, zlib and tokenize each have their own
        raise DesignError(
            f"{path} must hold arrays of numbers as numpy saves them, not other bytes"
        ) from None


def _table_of_arrays(path: Path, suffix: str) -> Table:
    arrays = read_arrays(path, suffix)
    names: list[str] = []
    columns: list[NDArray[Any]] = []
    declared: dict[str, tuple[int, ...]] = {}
    for name, array in arrays.items():
        what = f"array {name!r} of {path}" if name else f"{path}"
        if array.dtype.kind not in "biuf":
            raise DesignError(f"{what} must hold real numbers, not {array.dtype}")
        if array.ndim not in (1, 2):
            raise DesignError(f"{what} must have shape (T,) or (T, C), not {array.shape}")
        table = array[:, None] if array.ndim == 1 else array
        if columns and len(table) != len(columns[0]):
            raise DesignError(
                f"{what} must have as many rows as the arrays before it, {len(columns[0])}, not "
                f"{len(table)}"
            )
        width = table.shape[1]
        declared[name] = tuple(range(len(columns), len(columns) + width))
        columns.extend(table.T)
        if name:
            names.extend([name] if width == 1 else [f"{name}[{c}]" for c in range(width)])
        else:
            names.extend(str(c) for c in range(width))
    if not columns or not len(columns[0]):
        raise DesignError(f"{path} must hold rows of numbers, not be empty")
    return Table(
        path, tuple(names), tuple(columns), range(len(columns[0])),
        declared.get("inputs", ()), declared.get("targets", ()),
    )  # fmt: skip


def _arrays_of(stream: io.BytesIO, suffix: str) -> dict[str, NDArray[Any]]:
    if suffix == ".npy":
        return {"": np.lib.format.read_array(stream, allow_pickle=False)}
    with np.lib.npyio.NpzFile(stream, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise ValueError("numpy gives the bytes of what does not begin as an array")
    return arrays


def _channel_names(
    table: Table, inputs: tuple[int, ...], targets: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of inputs and outputs; a target that is an input too is that column, ahead."""
    columns = table.identifiers
    others = [name for name in columns if name]  # no channel has the name of another column
    given = tuple(columns[c] or unique(f"u{k}", others) for k, c in enumerate(inputs))
    wanted = []
    for k, index in enumerate(targets):
        name = columns[index] or unique(f"y{k}", others)
        ahead = index in inputs and columns[index]
        wanted.append(unique(f"{name}_ahead", others) if ahead else name)
    return given, tuple(wanted)


def load_file(
    path: str | Path,
    *,
    horizon: int | None = None,
    washout: int | None = None,
    split: tuple[int, int, int] | None = None,
    input_columns: str | Sequence[Column] | None = None,
    target_columns: str | Sequence[Column] | None = None,
) -> Task:
    """Build a task from a file; its metric is nmse.

    Parameters
    ----------
    path : str or Path
        See `read_table`.
    horizon : int, optional
        Rows from an input to its target, at least 0. By default 0 when targets are given and 1
        when they are not.
    washout : int, optional
        By default 200, but at most a tenth of the training samples.
    split : tuple of int, optional
        Numbers of training, validation and test samples from the first row on; by default 50, 25
        and 25 percent of all.
    input_columns : optional
        Names or numbers from 0, as a list or separated by commas. By default what an .npz file
        calls ``inputs``, else all that are not targets.
    target_columns : optional
        Likewise. By default what an .npz file calls ``targets``, else the first input column,
        `horizon` rows ahead.

    Returns
    -------
    Task
        Its channels are called after the columns, made into identifiers; the output for a column
        that is an input too, ``NAME_ahead``. Without column names they are ``u0``, ``y0`` and so
        on.

    Raises
    ------
    DesignError
        If the file, a column or an entry breaks a rule.
    """
    table = read_table(path)
    targets = table.targets
    if target_columns is not None:
        targets = table.find(target_columns, "target columns")
    inputs = table.inputs or tuple(c for c in range(len(table.names)) if c not in targets)
    if input_columns is not None:
        inputs = table.find(input_columns, "input columns")
    if not inputs:
        raise DesignError(f"input columns must be left in {path}, not all be targets")
    known = bool(targets)
    targets = targets or inputs[:1]
    horizon = (0 if known else 1) if horizon is None else horizon
    shared = sorted(set(inputs) & set(targets))
    if horizon < (1 if shared else 0):
        raise DesignError(
            f"horizon must be at least 1, not {horizon}, as column "
            f"{table.names[shared[0]]!r} is input and target"
            if shared
            else f"horizon must be at least 0, not {horizon}"
        )
    given, wanted = aligned(table.values(inputs), table.values(targets), horizon)
    lengths = _default_split(len(given), table.path) if split is None else split
    train, validation, test = split_slices(lengths)
    total = test.stop
    if total > len(given):
        raise DesignError(
            f"split must add up to at most {len(given)}, the rows of {path} less the horizon, not "
            f"{total}"
        )
    names = [", ".join(table.names[c] for c in chosen) for chosen in (inputs, targets)]
    called = _channel_names(table, inputs, targets)
    return Task(
        name=table.path.stem,
        inputs=given[:total],
        targets=wanted[:total],
        washout=min(200, train.stop // 10) if washout is None else washout,
        train=train,
        validation=validation,
        test=test,
        metric="nmse",
        source=f"file {table.path.name}; inputs {names[0]}; targets {names[1]}; horizon {horizon}",
        horizon=horizon,
        input_names=called[0],
        output_names=called[1],
    )


def _default_split(count: int, path: Path) -> tuple[int, int, int]:
    first, second = count // 2, count // 4
    if second < 2:
        raise DesignError(
            f"{path} must hold at least 8 samples after the horizon to be split, not {count}"
        )
    return first, second, count - first - second


def _number(entry: Any) -> float | None:
    """Read the entry as a float, which may be NaN or infinite, or None if it is no number."""
    if isinstance(entry, str) and "_" in entry:
        return None  # Python's own notation, no file's
    try:
        return float(entry)
    except ValueError:
        return None


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return shown if len(names) <= 8 else f"{shown}, ..."
