"""A sequence task: labelled sequences of any lengths, cut into training and test sequences.

Beside `Task`, which is one long series, this is what classification is learnt from: one label for
a whole sequence. There are no validation sequences: what is left open is chosen by folds of the
training sequences, since such data sets are small.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.tasks.task import finite_rows

__all__ = ["SequenceTask", "stratified_split"]

Values = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SequenceTask:
    """Sequences, their labels, and which of them teach; checks itself and is never changed.

    Parameters
    ----------
    name : str
    sequences : sequence of arrays (T_i, K), or (T_i,) for one channel
        Kept as a tuple of read-only float64 arrays, in the units of the source.
    labels : array of int (S,)
        Index into `classes` for every sequence.
    classes : tuple of str
        Names of the classes, all different, at least 2.
    train, test : array of int
        Indices of sequences, each ascending; no sequence is in both, and every class is in `train`.
    source, licence : str
        Where the data come from, with every choice that was made, and who may use them.
    complete : bool
        Whether every sequence must be in `train` or `test`.

    Raises
    ------
    DesignError
        If there are no sequences; if one is ragged, empty, of other channels than the first, or
        not finite; if a label is unknown, a class is missing in training, or the splits overlap.
    """

    name: str
    sequences: tuple[Values, ...]
    labels: Indices
    classes: tuple[str, ...]
    train: Indices
    test: Indices
    source: str
    licence: str
    complete: bool = True

    def __post_init__(self) -> None:
        sequences = _sequences(self.sequences)
        object.__setattr__(self, "sequences", sequences)
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(set(self.classes)) < max(len(self.classes), 2):
            raise DesignError(
                f"classes must be at least 2 different names, not {', '.join(self.classes)}"
            )
        for what in ("labels", "train", "test"):
            object.__setattr__(self, what, _whole(getattr(self, what), what))
        if len(self.labels) != len(sequences):
            raise DesignError(
                f"labels must be {len(sequences)}, one per sequence, not {len(self.labels)}"
            )
        unknown = np.flatnonzero((self.labels < 0) | (self.labels >= len(self.classes)))
        if len(unknown):
            raise DesignError(
                f"labels must be from 0 to {len(self.classes) - 1}, the number of a class, not "
                f"{self.labels[unknown[0]]} at sequence {unknown[0]}"
            )
        self._check_splits()

    def _check_splits(self) -> None:
        count = len(self.sequences)
        for what in ("train", "test"):
            rows = getattr(self, what)
            if not len(rows):
                raise DesignError(f"{what} must hold at least 1 sequence, not 0")
            outside = rows[(rows < 0) | (rows >= count)]
            if len(outside):
                raise DesignError(f"{what} must be from 0 to {count - 1}, not {outside[0]}")
            falls = np.flatnonzero(np.diff(rows) <= 0)
            if len(falls):
                first = rows[falls[0]]
                raise DesignError(
                    f"{what} must be ascending, not {rows[falls[0] + 1]} after {first}"
                )
        shared = np.intersect1d(self.train, self.test)
        if len(shared):
            raise DesignError(f"train and test must share no sequence, not {shared[0]}")
        left = np.setdiff1d(np.arange(count), np.r_[self.train, self.test])
        if self.complete and len(left):
            raise DesignError(f"train and test must hold every sequence, not lack {left[0]}")
        missing = np.setdiff1d(np.arange(self.n_classes), self.labels[self.train])
        if len(missing):
            raise DesignError(
                f"train must hold sequences of every class, not lack {self.classes[missing[0]]!r}"
            )

    @property
    def n_inputs(self) -> int:
        """Number of channels K."""
        return int(self.sequences[0].shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.classes)

    def errors(self, predicted: ArrayLike, rows: ArrayLike) -> int:
        """Count the sequences `rows` whose predicted label (int, one per row) is not theirs.

        Raises
        ------
        DesignError
            If there is not one prediction for each row.
        """
        guess, wanted = np.asarray(predicted), self.labels[np.asarray(rows, dtype=np.int64)]
        if guess.shape != wanted.shape:
            raise DesignError(
                f"predictions must be {len(wanted)}, one per sequence, not {guess.shape}"
            )
        return int(np.count_nonzero(guess != wanted))

    def hashes(self) -> dict[str, str]:
        """SHA-256, in hexadecimal, of each split and of which sequences are in which.

        ``train`` and ``test``: the values of their sequences as little-endian float64 in the order
        of the indices, then the lengths, then the labels, both as little-endian int64. ``split``:
        the number of training sequences, their indices and those of the test sequences, as
        little-endian int64.
        """
        found = {}
        for what in ("train", "test"):
            rows = getattr(self, what)
            digest = hashlib.sha256()
            for row in rows:
                digest.update(self.sequences[row].astype("<f8").tobytes())
            lengths = np.array([len(self.sequences[row]) for row in rows])
            for numbers in (lengths, self.labels[rows]):
                digest.update(numbers.astype("<i8").tobytes())
            found[what] = digest.hexdigest()
        indices = np.r_[len(self.train), self.train, self.test].astype("<i8")
        found["split"] = hashlib.sha256(indices.tobytes()).hexdigest()
        return found

    def folds(self, k: int, seed: int) -> tuple[tuple[Indices, Indices], ...]:
        """Cut the training sequences into k parts of nearly equal size and mix of classes.

        The training sequences of one class after the other, in the order of `classes`, each class
        ascending and then shuffled by ``numpy.random.default_rng(seed).permutation``, are dealt
        out one by one to fold 0, 1, ..., k - 1, 0 and so on; the next class goes on where the last
        one ended.

        Parameters
        ----------
        k : int
            From 2 to the number of training sequences.
        seed : int

        Returns
        -------
        tuple of (rest, held)
            For each fold the ascending int64 indices of the sequences to learn from, and of those
            held out; test sequences are in none of them.

        Raises
        ------
        DesignError
            If `k` is out of range, or a class has one training sequence only, which could not be
            held out and learnt from.
        """
        if not 2 <= k <= len(self.train):
            raise DesignError(f"folds must be from 2 to {len(self.train)}, not {k}")
        counts = np.bincount(self.labels[self.train], minlength=self.n_classes)
        if counts.min() < 2:
            raise DesignError(
                f"training sequences of every class must be at least 2 for folds, not 1 of "
                f"{self.classes[int(counts.argmin())]!r}"
            )
        dealt = np.concatenate(_shuffled(self.labels, self.train, self.n_classes, seed))
        parts = [np.sort(dealt[fold::k]) for fold in range(k)]
        return tuple((np.setdiff1d(self.train, held), held) for held in parts)


def stratified_split(labels: ArrayLike, fraction: float, seed: int) -> tuple[Indices, Indices]:
    """Draw test sequences, the same fraction of every class.

    Of each class, in the order of the labels, the sequences in ascending order are shuffled by
    ``numpy.random.default_rng(seed).permutation``, and the first ``fraction`` of them, rounded
    half to even, are test sequences.

    Parameters
    ----------
    labels : array of int (S,), each from 0
    fraction : float
        Between 0 and 1.
    seed : int
        At least 0.

    Returns
    -------
    train, test : int64 arrays, ascending

    Raises
    ------
    DesignError
        If the fraction leaves no training or no test sequence.

    >>> [rows.tolist() for rows in stratified_split([0, 0, 0, 0, 1, 1], 0.5, 0)]
    [[1, 3, 4], [0, 2, 5]]
    """
    known = _whole(labels, "labels")
    if not 0 < fraction < 1:
        raise DesignError(f"test fraction must be between 0 and 1, not {fraction}")
    groups = _shuffled(known, np.arange(len(known)), int(known.max(initial=-1)) + 1, seed)
    chosen = [group[: round(fraction * len(group))] for group in groups]
    test = np.sort(np.concatenate([*chosen, np.empty(0, np.int64)]))
    train = np.setdiff1d(np.arange(len(known)), test)
    if not len(test) or not len(train):
        raise DesignError(
            f"test fraction must leave training and test sequences, not be {fraction} of "
            f"{len(known)}"
        )
    return train, test


def _shuffled(labels: Indices, rows: Indices, n_classes: int, seed: int) -> list[Indices]:
    """Shuffle the rows of each class, one class after the other."""
    if seed < 0:
        raise DesignError(f"seed must be at least 0, not {seed}")
    rng = np.random.default_rng(seed)
    return [rng.permutation(rows[labels[rows] == label]) for label in range(n_classes)]


def _sequences(given: Sequence[Any]) -> tuple[Values, ...]:
    """Read-only copies (T_i, K), all of the channels of the first."""
    if not len(given):
        raise DesignError("sequences must be at least 1, not 0")
    found: list[Values] = []
    for number, sequence in enumerate(given):
        if not len(sequence):
            raise DesignError(f"sequence {number} must hold at least 1 sample, not 0")
        found.append(finite_rows(sequence, f"sequence {number}"))
        if found[-1].shape[1] != found[0].shape[1]:
            raise DesignError(
                f"sequence {number} must have {found[0].shape[1]} channels, as sequence 0 has, "
                f"not {found[-1].shape[1]}"
            )
    return tuple(found)


def _whole(values: ArrayLike, what: str) -> Indices:
    """Read-only int64 copy (S,) of whole numbers."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise DesignError(f"{what} must have shape (S,), not {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise DesignError(f"{what} must be whole numbers, not {array.dtype}")
    found = array.astype(np.int64)
    found.flags.writeable = False
    return found
