"""Ridge regression of a task's targets on features: what is open is chosen on validation samples.

It is all float64, so that last digits may differ between machines; no design depends on them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.tasks.task import Task
from rchw.train.ridge_path import ridge_path

__all__ = ["REGULARIZATIONS", "Best", "best_of", "delayed", "standardized"]

Values = NDArray[np.float64]

# Ridge, times the number of training samples, for features of unit variance; the first is the floor
# to state beside a result. The fit goes through singular values, which resolve it in float64.
REGULARIZATIONS = tuple(10.0**exponent for exponent in range(-14, 1))


@dataclass(frozen=True)
class Best:
    """What was chosen on the validation samples, and what it comes to on the test samples.

    Attributes
    ----------
    error, validation : float
        Errors on the test and on the validation samples, in the metric of the task.
    candidate : int or None
        Which of the features; None if the mean of the training targets was best.
    regularization : float
        Of `REGULARIZATIONS`; 0 where there is no candidate.
    """

    error: float
    validation: float
    candidate: int | None
    regularization: float


def best_of(task: Task, candidates: Iterable[Values]) -> Best:
    """Choose features (T, F) and regularisation with the least validation error.

    Equal symbol error rates are told apart by their squared error. The first of equals is taken.
    """
    rows = slice(task.washout, task.train.stop)
    mean = task.targets[rows].mean(axis=0)
    wanted = task.targets[task.validation]
    least = (np.inf, np.inf)
    chosen: tuple[int | None, float] = (None, 0.0)
    prediction = np.broadcast_to(mean, task.targets[task.test].shape)
    for number, features in enumerate(candidates):
        columns = standardized(features, task)
        weights = ridge_path(columns[rows], task.targets[rows] - mean, REGULARIZATIONS)[0]
        guesses = columns[task.validation] @ weights + mean
        for index, guess in enumerate(guesses):
            score = task.error(guess, wanted), float(np.mean((guess - wanted) ** 2))
            if score < least:
                least, chosen = score, (number, REGULARIZATIONS[index])
                prediction = columns[task.test] @ weights[index] + mean
    error = task.error(prediction, task.targets[task.test])
    return Best(error, least[0], *chosen)


def delayed(inputs: Values, count: int, spacing: int = 1) -> Values:
    """Collect the `count` latest input values at every sample, (T, count), zero before the first.

    All channels at delay 0 come first, then all at delay `spacing`, and so on.
    """
    n_inputs = inputs.shape[1]
    found = np.zeros((len(inputs), count))
    for column in range(count):
        step, channel = divmod(column, n_inputs)
        delay = step * spacing
        found[delay:, column] = inputs[: max(len(inputs) - delay, 0), channel]
    return found


def standardized(values: Values, task: Task) -> Values:
    """Shift and scale columns to mean 0 and variance 1 over the samples that are learnt from."""
    part = values[task.washout : task.train.stop]
    spread = part.std(axis=0)
    scaled: Values = (values - part.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled
