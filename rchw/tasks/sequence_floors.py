"""Floors of a sequence task: what classifiers without a reservoir reach on it, as counts of errors.

A result above its floor shows nothing. What a floor leaves open is chosen by folds of the training
sequences; then its weights are fitted on all of them and the test sequences are read once, for the
count returned. It is all float64, so that a sequence near a border between two classes may fall to
the other side on another machine; no design depends on it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.metrics import count_interval
from rchw.tasks.floors import REGULARIZATIONS, ridge
from rchw.tasks.sequences import SequenceTask

__all__ = [
    "FOLDS",
    "FOLD_SEED",
    "SEGMENTS",
    "SequenceFloor",
    "end_to_end",
    "laid_out",
    "majority",
    "segment_means",
    "segmented",
    "sequence_floors",
]

Values = NDArray[np.float64]
Indices = NDArray[np.int64]

SEGMENTS = (1, 2, 3, 4, 5)  # into which a sequence may be cut
FOLDS, FOLD_SEED = 5, 0  # by which segments and regularisation are chosen


@dataclass(frozen=True)
class SequenceFloor:
    """How many test sequences a classifier gets wrong.

    Attributes
    ----------
    errors, of : int
        Wrong ones, and all.
    segments : int
        What was chosen; 0 where a sequence is not cut.
    regularization : float
        Ridge, times the number of training sequences, for features of unit variance.
    fold_errors : int
        Training sequences that were wrong while held out, with this choice.
    """

    errors: int
    of: int
    segments: int = 0
    regularization: float = 0.0
    fold_errors: int = 0

    @property
    def accuracy(self) -> float:
        """Fraction of the test sequences that are right."""
        return 1 - self.errors / self.of

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Exact interval of the error rate, see `rchw.metrics.count_interval`."""
        return count_interval(self.errors, self.of, confidence)


def sequence_floors(task: SequenceTask) -> dict[str, SequenceFloor]:
    """Test errors of the classifiers that a reservoir must beat to show anything.

    ``majority``
        Always the class with most training sequences, see `majority`.
    ``segment_means``
        Ridge regression on the means of G segments of a sequence, see `segmented`.
    ``end_to_end``
        Ridge regression on all samples of a sequence, laid end to end, see `end_to_end`.

    Raises
    ------
    DesignError
        If the training sequences are too few for `FOLDS` folds, see `SequenceTask.folds`.
    """
    return {
        "majority": majority(task),
        "segment_means": segmented(task),
        "end_to_end": end_to_end(task),
    }


def majority(task: SequenceTask) -> SequenceFloor:
    """Answer with the class that has most training sequences, the first of equals."""
    counts = np.bincount(task.labels[task.train], minlength=task.n_classes)
    guess = np.full(len(task.test), int(counts.argmax()))
    return SequenceFloor(
        errors=task.errors(guess, task.test),
        of=len(task.test),
        fold_errors=int(counts.sum() - counts.max()),
    )


def segmented(task: SequenceTask) -> SequenceFloor:
    """Ridge regression from the means of G segments, G and the ridge chosen by folds.

    One output per class, taught 1 for its own sequences and 0 for others; the largest output
    decides, and of equal ones the first. The least number of held-out errors decides on G of
    `SEGMENTS` and the ridge, then the least squared error.
    """
    return _best_of(task, SEGMENTS, lambda g: np.array([segment_means(s, g) for s in _all(task)]))


def end_to_end(task: SequenceTask) -> SequenceFloor:
    """Ridge regression from the samples of a sequence laid end to end, the ridge chosen by folds.

    As `segmented`, but of every channel at every sample, see `laid_out`: what a readout without
    memory and without pooling knows. It can see when things happen, but not that they were shifted.
    """
    length = max(len(task.sequences[row]) for row in task.train)
    return _best_of(task, (0,), lambda _: _laid_out_all(task, length))


def segment_means(sequence: Values, segments: int) -> Values:
    """Means of each channel over segments of nearly equal length, (segments * K,).

    Segment g of a sequence of T samples begins at sample ``g T // segments`` and ends before the
    next one, but holds one sample at least, so that short sequences repeat some.

    Parameters
    ----------
    sequence : float64 array (T, K)
    segments : int
        At least 1.

    Returns
    -------
    float64 array (segments * K,)
        All channels of the first segment, then of the second, and so on.

    >>> segment_means(np.array([[1.0], [3.0], [5.0], [6.0], [10.0]]), 2).tolist()
    [2.0, 7.0]
    """
    if segments < 1:
        raise DesignError(f"segments must be at least 1, not {segments}")
    edges = np.arange(segments + 1) * len(sequence) // segments
    parts = [sequence[a : max(a + 1, b)] for a, b in pairwise(edges.tolist())]
    return np.concatenate([part.mean(axis=0) for part in parts])


def laid_out(sequence: Values, length: int) -> Values:
    """Samples end to end, (length * K,); cut off at `length`, zeros where there are none.

    >>> laid_out(np.array([[1.0, 2.0], [3.0, 4.0]]), 3).tolist()
    [1.0, 2.0, 3.0, 4.0, 0.0, 0.0]
    """
    found = np.zeros((length, sequence.shape[1]))
    found[: len(sequence)] = sequence[:length]
    return found.ravel()


def _all(task: SequenceTask) -> list[Values]:
    """Sequences, with channels of mean 0 and variance 1 over the training samples."""
    samples = np.concatenate([task.sequences[row] for row in task.train])
    spread = samples.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    mean = samples.mean(axis=0)
    return [(sequence - mean) / scale for sequence in task.sequences]


def _laid_out_all(task: SequenceTask, length: int) -> Values:
    """Zeros stand for the mean of a channel, as it is shifted first."""
    return np.array([laid_out(sequence, length) for sequence in _all(task)])


def _best_of(
    task: SequenceTask, choices: tuple[int, ...], features_of: Callable[[int], Values]
) -> SequenceFloor:
    """Count the test errors of the features and regularisation with fewest held-out errors."""
    folds = task.folds(FOLDS, FOLD_SEED)
    least = (len(task.train) + 1, np.inf)
    chosen = (choices[0], 0)
    for choice in choices:
        features = features_of(choice)
        wrong = np.zeros(len(REGULARIZATIONS), dtype=np.int64)
        squared = np.zeros(len(REGULARIZATIONS))
        for rest, held in folds:
            outputs = _outputs(task, features, rest, held)
            wanted = _taught(task, held)
            wrong += [task.errors(one.argmax(axis=1), held) for one in outputs]
            squared += ((outputs - wanted) ** 2).sum(axis=(1, 2))
        for index, score in enumerate(zip(wrong.tolist(), squared.tolist(), strict=True)):
            if score < least:
                least, chosen = score, (choice, index)
    choice, index = chosen
    outputs = _outputs(task, features_of(choice), task.train, task.test)[index]
    return SequenceFloor(
        errors=task.errors(outputs.argmax(axis=1), task.test),
        of=len(task.test),
        segments=choice,
        regularization=REGULARIZATIONS[index],
        fold_errors=least[0],
    )


def _taught(task: SequenceTask, rows: Indices) -> Values:
    """One column per class, 1 for the class of the sequence, (rows, classes)."""
    return np.eye(task.n_classes)[task.labels[rows]]


def _outputs(task: SequenceTask, features: Values, rows: Indices, asked: Indices) -> Values:
    """Outputs (lambdas, asked, classes) of what is learnt from `rows` for every ridge."""
    part = features[rows]
    mean, spread = part.mean(axis=0), part.std(axis=0)
    columns = (features - mean) / np.where(spread > 0, spread, 1.0)
    taught = _taught(task, rows)
    middle = taught.mean(axis=0)
    weights = ridge(columns[rows], taught - middle)
    return np.asarray(columns[asked] @ weights + middle)
