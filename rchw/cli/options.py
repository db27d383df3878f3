"""Options that several commands have, and what their texts mean."""

import re
from typing import Annotated

import typer

from rchw.errors import DesignError
from rchw.names import KEYWORDS

__all__ = [
    "Accumulate",
    "Horizon",
    "InputColumns",
    "Json",
    "LabelColumn",
    "SegmentLength",
    "Segments",
    "SequenceColumn",
    "Source",
    "Split",
    "TargetColumns",
    "TrainColumn",
    "Washout",
    "name_of",
    "parse_each",
    "parse_lanes",
    "parse_split",
]

Source = Annotated[str, typer.Argument(help="A task (see `rchw tasks`) or a .csv/.npy/.npz.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON record on stdout.")]
Horizon = Annotated[int | None, typer.Option(help="Samples ahead; the task's.")]
Washout = Annotated[
    int | None, typer.Option(help="First training samples that teach nothing; the task's.")
]
InputColumns = Annotated[str | None, typer.Option(help="Of a file: names or numbers, by commas.")]
TargetColumns = Annotated[
    str | None, typer.Option(help="Of a file; without them, the input ahead.")
]
Split = Annotated[
    str | None, typer.Option(help="A,B,C: training, validation, test samples; the task's.")
]
Accumulate = Annotated[
    str | None, typer.Option(help="Of labelled sequences: last, sum or segments; sum.")
]
Segments = Annotated[int | None, typer.Option(help="How many, with segments; 4.")]
SegmentLength = Annotated[
    int | None, typer.Option(help="Samples; what the longest training sequence takes.")
]
LabelColumn = Annotated[
    str | None, typer.Option(help="Of a file of sequences, as sequence-column, train-column.")
]
SequenceColumn = Annotated[str | None, typer.Option(help="Number of the sequence.")]
TrainColumn = Annotated[
    str | None, typer.Option(help="1 where a sequence teaches; train, or a fifth is for testing.")
]


def parse_split(text: str | None) -> tuple[int, int, int] | None:
    """Three numbers of samples of a text such as ``2000,3000,3000``.

    Raises
    ------
    DesignError
        If it is none.
    """
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 3 or not all(re.fullmatch(r"\s*\d{1,18}\s*", part) for part in parts):
        raise DesignError(
            f"split must be three numbers of samples such as 2000,3000,3000, not {text[:60]!r}"
        )
    first, second, third = (int(part) for part in parts)
    return first, second, third


def parse_lanes(text: str) -> int | tuple[int, ...]:
    """One number of lanes, or one for each layer.

    Raises
    ------
    DesignError
        If it is neither.

    >>> parse_lanes("4"), parse_lanes("4,2,2")
    (4, (4, 2, 2))
    """
    if not re.fullmatch(r"\s*\d{1,9}\s*(,\s*\d{1,9}\s*)*", text):
        raise DesignError(
            f"lanes must be a number, or one for each layer such as 4,2,2, not {text[:60]!r}"
        )
    numbers = tuple(int(part) for part in text.split(","))
    return numbers if len(numbers) > 1 else numbers[0]


def parse_each(what: str, text: str) -> int | tuple[int, ...]:
    """One number, or one for each output.

    Raises
    ------
    DesignError
        If it is neither.

    >>> parse_each("readout bits", "12"), parse_each("readout bits", "12,8")
    (12, (12, 8))
    """
    if not re.fullmatch(r"\s*-?\d{1,9}\s*(,\s*-?\d{1,9}\s*)*", text):
        raise DesignError(
            f"{what} must be a number, or one for each output such as 12,8, not {text[:60]!r}"
        )
    numbers = tuple(int(part) for part in text.split(","))
    return numbers if len(numbers) > 1 else numbers[0]


def name_of(stem: str) -> str:
    """Make a design name of a file name, as far as that goes; its law is checked later."""
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in stem.lower())
    return f"{name}_" if name in KEYWORDS else name
