"""Sequence tasks from the user's own files: one .csv table, or one .npz archive.

In a table rows are samples; one column says which sequence a sample belongs to, one what the
sequence is, the others are channels. An archive holds all sequences end to end, and their lengths.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks.files import Table, read_arrays, read_table
from rchw.tasks.sequences import SequenceTask, stratified_split

__all__ = ["FRACTION", "SEQUENCE_SUFFIXES", "class_numbers", "load_sequence_file"]

Column = str | int
SEQUENCE_SUFFIXES = (".csv", ".npz")
FRACTION = 0.2  # of the sequences of each class that are test sequences, where no file says which
_TRAIN = "train"
_UNKNOWN = "licence of the user's own file"


def load_sequence_file(
    path: str | Path,
    *,
    seed: int = 0,
    sequence_column: Column | None = None,
    label_column: Column | None = None,
    train_column: Column | None = None,
    input_columns: str | Sequence[Column] | None = None,
) -> SequenceTask:
    """Build a sequence task from a file.

    A .csv file is a table as `rchw.tasks.files.read_table` reads it. The rows of a sequence follow
    each other in time order, with one label throughout.

    An .npz file holds ``inputs`` (T, K), all sequences end to end, with T the sum of ``lengths``
    (S,), their ``labels`` (S,), numbers or texts, and, if wanted, ``train`` (S,): true or 1 for
    training sequences, false or 0 for test sequences.

    Parameters
    ----------
    path : str or Path
    seed : int
        Where the file does not say which are test sequences, a fifth of every class is drawn by
        `rchw.tasks.sequences.stratified_split`.
    sequence_column, label_column : str or int, optional
        Name or number of a column of a .csv file, by default ``sequence`` and ``label``.
    train_column : str or int, optional
        Column with 1 in the rows of training sequences and 0 in those of test sequences; by
        default ``train``, if there is such a column and it is not among the input columns.
    input_columns : optional
        Names or numbers, as a list or separated by commas; by default all others.

    Returns
    -------
    SequenceTask
        Its classes are the distinct labels, in the order of numbers if all are numbers and of text
        otherwise.

    Raises
    ------
    DesignError
        If the file, a column or an entry breaks a rule.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    columns = (sequence_column, label_column, train_column, input_columns)
    if suffix not in SEQUENCE_SUFFIXES:
        raise DesignError(f"file must be one of {', '.join(SEQUENCE_SUFFIXES)}, not {path.name!r}")
    if suffix == ".csv":
        table = read_table(path)
        inputs, lengths, labels, teaches = _from_table(
            table,
            "sequence" if sequence_column is None else sequence_column,
            "label" if label_column is None else label_column,
            train_column,
            input_columns,
        )
    elif any(column is not None for column in columns):
        raise DesignError(f"columns must be given for .csv files only, not for {path}")
    else:
        inputs, lengths, labels, teaches = _from_arrays(path)
    classes, numbers = class_numbers(labels)
    if teaches is None:
        train, test = stratified_split(numbers, FRACTION, seed)
        how = f"a fifth of every class for testing by seed {seed}"
    else:
        train, test = np.flatnonzero(teaches), np.flatnonzero(~teaches)
        how = "training and test sequences as the file says"
    try:
        return SequenceTask(
            name=path.stem,
            sequences=tuple(np.split(inputs, np.cumsum(lengths)[:-1])),
            labels=numbers,
            classes=classes,
            train=train,
            test=test,
            source=f"file {path.name}; {how}",
            licence=_UNKNOWN,
        )
    except DesignError as error:
        raise DesignError(f"{path}: {error}") from None


def class_numbers(labels: Sequence[Any]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Distinct labels in order, as text, and the number of its class for every label (S,).

    >>> [list(found) for found in class_numbers(["10", "9", "10"])]
    [['9', '10'], [np.int64(1), np.int64(0), np.int64(1)]]
    """
    texts = [str(label).strip() for label in labels]
    try:
        known = sorted(set(texts), key=lambda text: (float(text), text))
    except ValueError:
        known = sorted(set(texts))
    place = {text: number for number, text in enumerate(known)}
    return tuple(known), np.array([place[text] for text in texts], dtype=np.int64)


_Parts = tuple[NDArray[Any], list[int], list[Any], NDArray[np.bool_] | None]


def _from_table(
    table: Table,
    sequence_column: Column,
    label_column: Column,
    train_column: Column | None,
    input_columns: str | Sequence[Column] | None,
) -> _Parts:
    (which,) = table.find([sequence_column], "sequence column")
    (what,) = table.find([label_column], "label column")
    special = [which, what]
    if train_column is None and _TRAIN in table.names:
        wanted = () if input_columns is None else table.find(input_columns, "input columns")
        train_column = None if table.names.index(_TRAIN) in wanted else _TRAIN
    if train_column is not None:
        special += table.find([train_column], "train column")
    if len(set(special)) < len(special):
        names = ", ".join(repr(table.names[index]) for index in special)
        raise DesignError(f"sequence, label and train columns must be different, not {names}")
    inputs = tuple(index for index in range(len(table.names)) if index not in special)
    if input_columns is not None:
        inputs = table.find(input_columns, "input columns")
        taken = sorted(set(inputs) & set(special))
        if taken:
            raise DesignError(
                f"input columns must be channels of {table.path}, not {table.names[taken[0]]!r}, "
                f"which tells sequence, label or split"
            )
    if not inputs:
        raise DesignError(f"input columns must be left in {table.path}, not none")
    starts = _starts(table, which)
    for index in special[1:]:
        _check_constant(table, index, starts)
    labels = [table.columns[what][start].strip() for start in starts]
    if "" in labels:
        raise DesignError(
            f"{table.path} row {table.rows[starts[labels.index('')]]}, column "
            f"{table.names[what]!r} must be a label, not empty"
        )
    teaches = None
    if train_column is not None:
        column, texts = special[2], {"0": False, "1": True}
        for start in starts:
            if table.columns[column][start].strip() not in texts:
                raise DesignError(
                    f"{table.path} row {table.rows[start]}, column {table.names[column]!r} must "
                    f"be 0 or 1, not {table.columns[column][start]!r}"
                )
        teaches = np.array([texts[table.columns[column][start].strip()] for start in starts])
    lengths = [after - start for start, after in pairwise([*starts, len(table.rows)])]
    return table.values(inputs), lengths, labels, teaches


def _starts(table: Table, column: int) -> list[int]:
    """Find the first row of every sequence; no sequence may go on after another has begun."""
    starts: list[int] = []
    begun: set[str] = set()
    current = None
    for row, entry in enumerate(table.columns[column]):
        name = entry.strip()
        if name == current:
            continue
        if not name:
            raise DesignError(
                f"{table.path} row {table.rows[row]}, column {table.names[column]!r} must name a "
                f"sequence, not be empty"
            )
        if name in begun:
            raise DesignError(
                f"{table.path} row {table.rows[row]}, column {table.names[column]!r} must go on "
                f"with a new sequence, not with {name!r} again"
            )
        begun.add(name)
        starts.append(row)
        current = name
    return starts


def _check_constant(table: Table, column: int, starts: list[int]) -> None:
    """One entry throughout a sequence."""
    entries = table.columns[column]
    for start, after in pairwise([*starts, len(table.rows)]):
        for row in range(start + 1, after):
            if entries[row].strip() != entries[start].strip():
                raise DesignError(
                    f"{table.path} row {table.rows[row]}, column {table.names[column]!r} must be "
                    f"{entries[start]!r} throughout its sequence, not {entries[row]!r}"
                )


def _from_arrays(path: Path) -> _Parts:
    try:
        if not path.exists():
            raise DesignError(f"{path} must be an existing file, not missing")
        arrays = read_arrays(path, ".npz")
    except OSError as error:
        raise DesignError(f"{path} must be readable, not refused: {error.strerror}") from None
    for name in ("inputs", "lengths", "labels"):
        if name not in arrays:
            held = ", ".join(arrays) or "no array"
            raise DesignError(f"{path} must hold an array {name!r}, not only {held}")
    inputs, lengths, labels = (arrays[name] for name in ("inputs", "lengths", "labels"))
    if inputs.ndim not in (1, 2) or inputs.dtype.kind not in "biuf":
        raise DesignError(
            f"array 'inputs' of {path} must be numbers (T, K), not {inputs.dtype} {inputs.shape}"
        )
    if lengths.ndim != 1 or lengths.dtype.kind not in "iu":
        raise DesignError(
            f"array 'lengths' of {path} must be whole numbers (S,), not {lengths.dtype} "
            f"{lengths.shape}"
        )
    if lengths.size and lengths.min() < 1:
        number = int(lengths.argmin())
        raise DesignError(
            f"array 'lengths' of {path} must be at least 1, not {lengths[number]} at sequence "
            f"{number}"
        )
    if int(lengths.sum()) != len(inputs):
        raise DesignError(
            f"array 'lengths' of {path} must add up to {len(inputs)}, the rows of 'inputs', not "
            f"{int(lengths.sum())}"
        )
    if labels.shape != lengths.shape or labels.dtype.kind not in "biuSU":
        raise DesignError(
            f"array 'labels' of {path} must be {len(lengths)} whole numbers or texts, not "
            f"{labels.dtype} {labels.shape}"
        )
    teaches = arrays.get(_TRAIN)
    if teaches is not None:
        if teaches.shape != lengths.shape or not np.isin(teaches, (0, 1)).all():
            raise DesignError(
                f"array 'train' of {path} must be {len(lengths)} times 0 or 1, not "
                f"{teaches.dtype} {teaches.shape}"
            )
        teaches = teaches.astype(np.bool_)
    texts = labels.astype(np.str_).tolist()
    return inputs, lengths.tolist(), texts, teaches
