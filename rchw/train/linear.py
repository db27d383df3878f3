"""A readout in floating point, for states of any origin: by it reservoirs are compared.

Ridge regression on standardised states and a constant. Regularisation is chosen on the validation
samples; the test samples are for `LinearReadout.error`, once. The digits depend on the linear
algebra library: this is a yardstick, not a design (see `rchw.train.external` for that).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.train.ridge_path import ridge_path
from rchw.train.search import TrainingTask, training_rows

__all__ = ["FLOAT_LAMBDAS", "LinearReadout", "moments", "train_linear"]

Values = NDArray[np.float64]

FLOAT_LAMBDAS = tuple(10.0**exponent for exponent in range(-14, 2))
"""Of the variance of a state: from what float64 resolves to more than any noise asks for."""


def moments(features: Values) -> tuple[Values, Values]:
    """Mean and deviation of every feature, (T, F) -> (F,) each; the deviation is never 0."""
    deviation = features.std(axis=0)
    # A constant feature has rounding for its deviation: it gets 1, a column of about 0.
    constant = deviation <= 1e-13 * np.abs(features).max(axis=0)
    deviation[constant] = 1.0
    return features.mean(axis=0), deviation


@dataclass(frozen=True)
class LinearReadout:
    """Weights of states.

    Attributes
    ----------
    mean, deviation : float64 arrays (N,)
        Of the states over the training samples.
    weights : float64 array (N, L)
        Of the standardised states.
    intercept : float64 array (L,)
    regularisation : float
        Of the variance of a state.
    validation : float
        Error on the validation samples, in the task's metric.
    """

    mean: Values
    deviation: Values
    weights: Values
    intercept: Values
    regularisation: float
    validation: float

    def predict(self, states: ArrayLike) -> Values:
        """Outputs (T, L) of states (T, N)."""
        z = (np.asarray(states, dtype=np.float64) - self.mean) / self.deviation
        return np.asarray(z @ self.weights + self.intercept)

    def error(self, task: TrainingTask, states: ArrayLike) -> float:
        """Error on the test samples of states (T, N), to be called once, after every choice."""
        rows = task.test
        wanted = task.targets[rows]
        return float(task.error(self.predict(np.asarray(states)[rows]), wanted))


def train_linear(
    task: TrainingTask, states: ArrayLike, lambdas: Sequence[float] = FLOAT_LAMBDAS
) -> LinearReadout:
    """Fit the readout on the training samples, its regularisation on the validation samples.

    Where two of them err alike, as symbol errors do, the one with the least squared error is taken.

    Parameters
    ----------
    task : Task
    states : array (T, N)
        Up to the end of the validation samples at least; later ones are not read.
    lambdas : sequence of float

    Raises
    ------
    DesignError
        If there are too few states, or one of them is not finite.
    """
    x, check = np.asarray(states, dtype=np.float64), task.validation
    end = check.indices(len(task.inputs))[1]
    if x.ndim != 2 or not x.shape[1] or len(x) < end:
        raise DesignError(
            f"states must have shape (T, N) with T at least {end} and N at least 1, not {x.shape}"
        )
    if not np.isfinite(x[:end]).all():
        raise DesignError("states must be finite, not NaN or infinite")
    rows = training_rows(task)
    mean, deviation = moments(x[rows])
    centre = task.targets[rows].mean(axis=0)
    weights, _ = ridge_path((x[rows] - mean) / deviation, task.targets[rows] - centre, lambdas)
    z, wanted = (x[check] - mean) / deviation, task.targets[check]
    scores = []
    for each in weights:
        guess = z @ each + centre
        scores.append((float(task.error(guess, wanted)), float(np.mean((guess - wanted) ** 2))))
    best = min(range(len(scores)), key=scores.__getitem__)
    return LinearReadout(mean, deviation, weights[best], centre, lambdas[best], scores[best][0])
