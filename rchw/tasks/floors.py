"""Floors of a task: what predictors without a nonlinear reservoir reach on it.

A result above its floor shows nothing. What a floor leaves open is chosen on the validation
samples, weights are fitted on the training samples after the washout, and the test samples are read
once, for the number returned. It is all float64, so that last digits may differ between machines;
no design depends on them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.model import RingModel
from rchw.tasks.nvar import MOST_FEATURES, n_features, nvar
from rchw.tasks.regression import best_of, delayed, standardized
from rchw.tasks.task import Task
from rchw.topology import auto_signs, cycle

__all__ = [
    "FEEDBACKS",
    "TAPS",
    "floors",
    "linear",
    "memoryless",
    "most_products",
    "persistence",
]

Values = NDArray[np.float64]

TAPS = 60  # of the linear filter, per input channel
FEEDBACKS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)  # of the linear ring


def floors(task: Task, n_units: int) -> dict[str, float]:
    """Test errors of the predictors that a reservoir of `n_units` must beat to show anything.

    ``persistence``
        The target's last known value, see `persistence`.
    ``linear``
        A finite impulse response filter of 60 taps on every input channel, with a bias.
    ``quadratic_ring``
        A *linear* cycle of N units (signs of `rchw.topology.auto_signs`, a feedback of
        `FEEDBACKS`), read out from its states, their squares and a bias: 2 N + 1 features.
    ``volterra``
        An order-2 Volterra filter of as many features: all products of two of the m latest inputs
        (channels count one by one), with the largest m that fits, a bias, and inputs for the rest.
    ``nvar``
        The nonlinear vector autoregression of `rchw.tasks.nvar.nvar`: of at most 300 features
        whatever N is, so perhaps of more than the reservoir has.

    Parameters
    ----------
    task : Task
    n_units : int
        N, at least 1.

    Returns
    -------
    dict of str to float
        In the metric of the task; of more than 23 input channels ``nvar`` is nan, since their
        products of two alone are too many.

    Raises
    ------
    DesignError
        If `n_units` is out of range.
    """
    if n_units < 1:
        raise DesignError(f"units must be at least 1, not {n_units}")
    return {
        "persistence": task.error(persistence(task)[task.test], task.targets[task.test]),
        "linear": linear(task),
        "quadratic_ring": best_of(task, _ring_features(task, n_units)).error,
        "volterra": best_of(task, [_volterra_features(task, n_units)]).error,
        "nvar": nvar(task)[0] if n_features(task.n_inputs, 2) <= MOST_FEATURES else np.nan,
    }


def persistence(task: Task) -> Values:
    """Predict every target by the last one that is known when it is due, (T, L).

    ``prediction[t] = targets[t - max(horizon, 1)]``. Forecasting a series `horizon` samples ahead,
    this is the latest input (santa-fe, sunspots, mackey-glass, henon); for narma it is the latest
    output of the system; for channel, whose targets are past symbols, the symbol before the one
    that is asked for. Before the first known target it is that first target.
    """
    lag = max(task.horizon, 1)
    known = np.maximum(np.arange(len(task.targets)) - lag, 0)
    return np.asarray(task.targets[known])


def linear(task: Task) -> float:
    """Test error of a finite impulse response filter of 60 taps on every input channel."""
    return best_of(task, [delayed(task.inputs, TAPS * task.n_inputs)]).error


def memoryless(task: Task) -> float:
    """Test error of a cubic of each present input: what needs neither memory nor a reservoir."""
    now = standardized(task.inputs, task)
    return best_of(task, [np.hstack([now, now**2, now**3])]).error


def most_products(count: int) -> int:
    """Find the most inputs m that with their m (m + 1) / 2 products are at most `count`.

    >>> [most_products(count) for count in (2, 4, 5, 100)]
    [1, 1, 2, 12]
    """
    m = 1
    while (m + 1) + (m + 1) * (m + 2) // 2 <= count:
        m += 1
    return m


def _volterra_features(task: Task, n_units: int) -> Values:
    """Collect 2 N inputs and products of two, (T, 2 N)."""
    first, second = np.triu_indices(most_products(2 * n_units))
    inputs = delayed(standardized(task.inputs, task), 2 * n_units - len(first))
    features: Values = np.hstack([inputs, inputs[:, first] * inputs[:, second]])
    return features


def _ring_features(task: Task, n_units: int) -> Iterator[Values]:
    """Yield states and squares of a linear cycle, for every feedback."""
    inputs = standardized(task.inputs, task)
    for feedback in FEEDBACKS:
        ring = RingModel(
            cycle(n_units, feedback), auto_signs(n_units, task.n_inputs), activation="linear"
        )
        states = ring.run(inputs)
        yield np.hstack([states, states**2])
