"""Nonlinear vector autoregression: products of delayed inputs, without a reservoir, as a baseline.

D. J. Gauthier, E. Bollt, A. Griffith and W. A. S. Barbosa, "Next generation reservoir computing",
Nature Communications 12 (2021) 5564: the features of a sample are a constant, the inputs at k
delays that lie s samples apart, and all their different products of a degree; a ridge regression
reads them. It is all float64, as the floors are.
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks.regression import best_of, delayed, standardized
from rchw.tasks.task import Task

__all__ = [
    "DEGREES",
    "DELAYS",
    "MOST_FEATURES",
    "SPACINGS",
    "NvarChoice",
    "n_features",
    "nvar",
    "nvar_features",
]

Values = NDArray[np.float64]
_Set = tuple[int, int, int]  # k, s and the degree

DELAYS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40)  # k, the present input included
SPACINGS = (1, 2, 3, 5, 8)  # s, samples
DEGREES = (2, 3)
MOST_FEATURES = 300  # constant included; fitted in a few percent of the time of `rchw train`
# Ridge of the first, coarse comparison. A Gram matrix in float64 resolves none that is much less.
_COARSE = np.array([1e-11, 1e-8, 1e-5, 1e-2])


@dataclass(frozen=True)
class NvarChoice:
    """What was chosen on the validation samples.

    Attributes
    ----------
    delays, spacing, degree : int
        k, s and the highest degree of a product; of degree 3 are all products of two and of three.
    regularization : float
        Of `rchw.tasks.regression.REGULARIZATIONS`.
    features : int
        Number of features, constant included.
    validation : float
        Error on the validation samples.
    """

    delays: int
    spacing: int
    degree: int
    regularization: float
    features: int
    validation: float


def nvar(
    task: Task,
    *,
    delays: tuple[int, ...] = DELAYS,
    spacings: tuple[int, ...] = SPACINGS,
    degrees: tuple[int, ...] = DEGREES,
    most_features: int = MOST_FEATURES,
) -> tuple[float, NvarChoice]:
    """Test error of the autoregression that does best on the validation samples.

    Weights are fitted on the training samples after the washout, everything else is chosen on the
    validation samples, and the test samples are read once. Delays, spacing and degree are those of
    the least validation error over four ridges a thousand times apart, fitted through one Gram
    matrix per spacing and degree, of which smaller sets are parts. Then the ridge is chosen among
    all, as of the floors. The channels of the input are scaled to mean 0 and variance 1 first, and
    so are the features; without ridge this changes nothing, since constant, inputs and products
    together span the same functions. The paper predicts the change from the present input, which is
    one of the features here.

    Parameters
    ----------
    task : Task
    delays, spacings, degrees : tuple of int
        To choose from; a degree is 2 or 3. Spacings are not told apart for one delay.
    most_features : int
        Sets of more features, constant included, are left out. It decides the time: 500 take twice
        as long as 300 and may find less error.

    Returns
    -------
    error : float
        In the metric of the task, on the test samples.
    choice : NvarChoice

    Raises
    ------
    DesignError
        If a number is out of range, or every set has more than `most_features`.
    """
    for what, numbers in (("delays", delays), ("spacings", spacings)):
        if not numbers or min(numbers) < 1:
            raise DesignError(f"{what} must be one or more numbers from 1, not {list(numbers)}")
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for degree in degrees:
        for k in delays:
            if n_features(k * task.n_inputs, degree) <= most_features:
                for s in spacings if k > 1 else spacings[:1]:
                    groups[s, degree].append(k)
    if not groups:
        least = n_features(min(delays) * task.n_inputs, min(degrees))
        raise DesignError(f"most features must be at least {least}, not {most_features}")
    inputs = standardized(task.inputs, task)
    _, (k, s, degree) = min(
        found
        for (s, degree), members in groups.items()
        for found in _compared(task, inputs, members, s, degree)
    )
    best = best_of(task, [nvar_features(inputs, k, s, degree)])
    count = n_features(k * task.n_inputs, degree)
    return best.error, NvarChoice(k, s, degree, best.regularization, count, best.validation)


def _compared(
    task: Task, inputs: Values, delays: list[int], spacing: int, degree: int
) -> list[tuple[tuple[float, float], _Set]]:
    """Least error on the validation samples, and squared error, for every number of delays."""
    most = max(delays) * task.n_inputs
    learnt = slice(0, task.validation.stop)
    columns = standardized(nvar_features(inputs[learnt], max(delays), spacing, degree), task)
    rows = slice(task.washout, task.train.stop)
    part, asked, wanted = columns[rows], columns[task.validation], task.targets[task.validation]
    mean = task.targets[rows].mean(axis=0)
    gram, moments = part.T @ part, part.T @ (task.targets[rows] - mean)
    # The features of fewer delays are those whose latest factor is among them.
    last = np.concatenate([each[:, -1] for each in _factors(most, degree)])
    ridges = (_COARSE * len(part))[:, None, None]
    outputs = moments.shape[1]
    weights = np.zeros((len(columns.T), len(delays), len(_COARSE), outputs))
    for number, k in enumerate(delays):
        kept = np.flatnonzero(last < k * task.n_inputs)
        square = gram[np.ix_(kept, kept)] + ridges * np.eye(len(kept))
        weights[kept, number] = np.linalg.solve(square, moments[kept]).swapaxes(0, 1)
    # All at once: the columns are read from memory one time, not once for each of the guesses.
    guessed = (asked @ weights.reshape(len(weights), -1)).reshape(-1, *weights.shape[1:]) + mean
    found = []
    for number, k in enumerate(delays):
        guesses = [guessed[:, number, index] for index in range(len(_COARSE))]
        score = min((task.error(g, wanted), float(np.mean((g - wanted) ** 2))) for g in guesses)
        found.append((score, (k, spacing, degree)))
    return found


def _factors(values: int, degree: int) -> list[NDArray[np.int64]]:
    """Which delayed values a feature is a product of, (features, order), for orders 1 to degree."""
    return [
        np.array(list(combinations_with_replacement(range(values), order)), dtype=np.int64)
        for order in range(1, degree + 1)
    ]


def n_features(values: int, degree: int) -> int:
    """Number of features of m delayed values: the products of at most `degree` of them and 1.

    >>> [n_features(6, 2), n_features(6, 3)]
    [28, 84]
    """
    if degree not in (2, 3):
        raise DesignError(f"degree must be 2 or 3, not {degree}")
    return math.comb(values + degree, degree)


def nvar_features(inputs: Values, delays: int, spacing: int, degree: int) -> Values:
    """Collect delayed inputs and their different products, (T, F), without the constant.

    Parameters
    ----------
    inputs : float64 array (T, K)
        Zero before the first sample.
    delays, spacing, degree : int
        k, s and the highest degree, 2 or 3.

    Returns
    -------
    float64 array (T, F)
        The k K delayed values, all channels at delay 0 first; the products of two in the order of
        `itertools.combinations_with_replacement`; then those of three. In Fortran order: a feature
        is contiguous.
    """
    values = delays * inputs.shape[1]
    features = np.empty((n_features(values, degree) - 1, len(inputs)))
    linear = np.ascontiguousarray(delayed(inputs, values, spacing).T)
    first = 0
    for factors in _factors(values, degree):
        products = features[first : first + len(factors)]
        np.take(linear, factors[:, 0], axis=0, out=products)
        for column in factors.T[1:]:
            products *= linear[column]
        first += len(factors)
    return features.T
