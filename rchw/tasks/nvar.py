"""Nonlinear vector autoregression: products of delayed inputs, without a reservoir, as a baseline.

D. J. Gauthier, E. Bollt, A. Griffith and W. A. S. Barbosa, "Next generation reservoir computing",
Nature Communications 12 (2021) 5564: the features of a sample are a constant, the inputs at k
delays that lie s samples apart, and all their different products of a degree; a ridge regression
reads them. It is all float64, as the floors are.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks.floors import best_of, delayed, standardized
from rchw.tasks.task import Task

__all__ = ["DEGREES", "DELAYS", "SPACINGS", "NvarChoice", "n_features", "nvar", "nvar_features"]

Values = NDArray[np.float64]

DELAYS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40)  # k, the present input included
SPACINGS = (1, 2, 3, 5, 8)  # s, samples
DEGREES = (2, 3)


@dataclass(frozen=True)
class NvarChoice:
    """What was chosen on the validation samples.

    Attributes
    ----------
    delays, spacing, degree : int
        k, s and the highest degree of a product; of degree 3 are all products of two and of three.
    regularization : float
        Of `rchw.tasks.floors.REGULARIZATIONS`.
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
    most_features: int = 2000,
) -> tuple[float, NvarChoice]:
    """Test error of the autoregression with the least validation error.

    Weights are fitted on the training samples after the washout, everything else is chosen on the
    validation samples, and the test samples are read once. The channels of the input are scaled to
    mean 0 and variance 1 first, and so are the features; without ridge this changes nothing, since
    constant, inputs and products together span the same functions. The paper predicts the change
    from the present input, which is one of the features here.

    Parameters
    ----------
    task : Task
    delays, spacings, degrees : tuple of int
        To choose from; a degree is 2 or 3. Spacings are not told apart for one delay.
    most_features : int
        Sets of more features, constant included, are left out. The largest take nearly all of the
        time: of 8000 samples with one input about a minute at 2000, and seven seconds at 500.

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
    sets = [
        (k, s, degree)
        for degree in degrees
        for k in delays
        for s in (spacings if k > 1 else spacings[:1])
        if n_features(k * task.n_inputs, degree) <= most_features
    ]
    if not sets:
        least = n_features(min(delays) * task.n_inputs, min(degrees))
        raise DesignError(f"most features must be at least {least}, not {most_features}")

    def candidates() -> Iterator[Values]:
        inputs = standardized(task.inputs, task)
        for k, s, degree in sets:
            yield nvar_features(inputs, k, s, degree)

    best = best_of(task, candidates())
    assert best.candidate is not None  # any finite error is less than none
    k, s, degree = sets[best.candidate]
    count = n_features(k * task.n_inputs, degree)
    return best.error, NvarChoice(k, s, degree, best.regularization, count, best.validation)


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
        `itertools.combinations_with_replacement`; then those of three.
    """
    n_features(delays * inputs.shape[1], degree)  # for its check
    linear = delayed(inputs, delays * inputs.shape[1], spacing)
    parts = [linear]
    for order in range(2, degree + 1):
        chosen = np.array(list(combinations_with_replacement(range(linear.shape[1]), order)))
        products = linear[:, chosen[:, 0]]
        for column in chosen.T[1:]:
            products *= linear[:, column]
        parts.append(products)
    return np.hstack(parts)
