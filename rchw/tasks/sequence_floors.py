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
from rchw.tasks.nvar import n_features, nvar_features
from rchw.tasks.regression import REGULARIZATIONS
from rchw.tasks.sequences import SequenceTask
from rchw.train.ridge_path import ridge_path

__all__ = [
    "DELAYS",
    "FOLDS",
    "FOLD_SEED",
    "MOST_FEATURES",
    "SEGMENTS",
    "SequenceFloor",
    "end_to_end",
    "laid_out",
    "majority",
    "segment_means",
    "segment_products",
    "segmented",
    "sequence_floors",
]

Values = NDArray[np.float64]
Indices = NDArray[np.int64]

SEGMENTS = (1, 2, 3, 4, 5)  # into which a sequence may be cut
DELAYS = (1, 2, 3)  # whose products are averaged, the present sample included
MOST_FEATURES = 500  # of a sequence, where products are averaged
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
    delays : int
        Whose products are averaged; 0 where none are.
    regularization : float
        Ridge, times the number of training sequences, for features of unit variance.
    fold_errors : int
        Training sequences that were wrong while held out, with this choice.
    """

    errors: int
    of: int
    segments: int = 0
    delays: int = 0
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
    ``nvar``
        Ridge regression on the means of G segments of delayed inputs and their products of two, see
        `segment_products`; left out of more than 30 input channels, whose products are too many.
    ``end_to_end``
        Ridge regression on all samples of a sequence, laid end to end, see `end_to_end`.

    Raises
    ------
    DesignError
        If the training sequences are too few for `FOLDS` folds, see `SequenceTask.folds`.
    """
    found = {"majority": majority(task), "segment_means": segmented(task)}
    if _product_choices(task):
        found["nvar"] = segment_products(task)
    return found | {"end_to_end": end_to_end(task)}


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
    return _means(task, [(g, 0) for g in SEGMENTS], _all(task))


def segment_products(task: SequenceTask) -> SequenceFloor:
    """Ridge regression from the means of G segments of products, G, k and the ridge by folds.

    As `segmented`, but of the nonlinear vector autoregression of `rchw.tasks.nvar.nvar_features`:
    the channels at the k latest samples, zero before the first, and all their products of two. The
    mean of a product is a correlation of two channels at two times, so this floor sees what the
    means of a segment do not: how its samples follow each other. Products of three would be too
    many features for the few sequences there are.

    Raises
    ------
    DesignError
        If the fewest features, of one segment and no past sample, are more than `MOST_FEATURES`.
    """
    choices = _product_choices(task)
    if not choices:
        least = n_features(task.n_inputs, 2) - 1
        raise DesignError(f"features must be at most {MOST_FEATURES}, not {least}")
    return _means(task, choices, _all(task))


def _product_choices(task: SequenceTask) -> list[tuple[int, int]]:
    """Segments and delays of at most `MOST_FEATURES`."""
    return [
        (g, k)
        for k in DELAYS
        for g in SEGMENTS
        if g * (n_features(k * task.n_inputs, 2) - 1) <= MOST_FEATURES
    ]


def end_to_end(task: SequenceTask) -> SequenceFloor:
    """Ridge regression from the samples of a sequence laid end to end, the ridge chosen by folds.

    As `segmented`, but of every channel at every sample, see `laid_out`: what a readout without
    memory and without pooling knows. It can see when things happen, but not that they were shifted.
    """
    length = max(len(task.sequences[row]) for row in task.train)
    return _best_of(task, [(0, 0)], lambda _g, _k: _laid_out_all(task, length))


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


def _means(
    task: SequenceTask, choices: list[tuple[int, int]], sequences: list[Values]
) -> SequenceFloor:
    """The floor of means over segments, of the channels themselves or of products of k delays."""

    def features_of(g: int, k: int) -> Values:
        series = [nvar_features(s, k, 1, 2) for s in sequences] if k else sequences
        return np.array([segment_means(each, g) for each in series])

    return _best_of(task, choices, features_of)


def _laid_out_all(task: SequenceTask, length: int) -> Values:
    """Zeros stand for the mean of a channel, as it is shifted first."""
    return np.array([laid_out(sequence, length) for sequence in _all(task)])


def _best_of(
    task: SequenceTask, choices: list[tuple[int, int]], features_of: Callable[[int, int], Values]
) -> SequenceFloor:
    """Count the test errors of the segments, delays and ridge with fewest held-out errors."""
    folds = task.folds(FOLDS, FOLD_SEED)
    least = (len(task.train) + 1, np.inf)
    chosen = (choices[0], 0)
    for choice in choices:
        features = features_of(*choice)
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
    outputs = _outputs(task, features_of(*choice), task.train, task.test)[index]
    return SequenceFloor(
        errors=task.errors(outputs.argmax(axis=1), task.test),
        of=len(task.test),
        segments=choice[0],
        delays=choice[1],
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
    weights = ridge_path(columns[rows], taught - middle, REGULARIZATIONS)[0]
    return np.asarray(columns[asked] @ weights + middle)
