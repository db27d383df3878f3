"""The readout in floating point: exact where it can be, chosen without the test samples."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.tasks import Task
from rchw.train.linear import FLOAT_LAMBDAS, moments, train_linear

Values = NDArray[np.float64]


def task(targets: Values, metric: str = "nmse") -> Task:
    """Cut a series of 300 samples into 150, 50 and 100."""
    inputs = np.random.default_rng(0).uniform(-1, 1, 300)
    symbols = (0.0, 1.0) if metric == "ser" else None
    return Task(
        "drawn", inputs, targets, 20, slice(0, 150), slice(150, 200), slice(200, 300), metric,
        "drawn", symbols,
    )  # fmt: skip


def states() -> Values:
    """Draw six states of very different size."""
    return np.random.default_rng(1).normal(3.0, 1.0, (300, 6)) * 10.0 ** np.arange(-6, 0)


def test_a_linear_target_is_found() -> None:
    x = states()
    wanted = x @ np.array([1e6, 0, -2e4, 0, 30.0, 1.0]) + 7.0
    readout = train_linear(task(wanted), x)
    assert readout.regularisation == FLOAT_LAMBDAS[0]
    assert readout.validation < 1e-20 and readout.error(task(wanted), x) < 1e-20
    assert np.allclose(readout.predict(x)[:, 0], wanted, rtol=1e-9)


def test_noise_asks_for_regularisation() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(300, 100))
    wanted = x[:, 0] + 2 * rng.normal(size=300)
    readout = train_linear(task(wanted), x)
    assert readout.regularisation >= 1e-2
    assert readout.validation < train_linear(task(wanted), x, [1e-14]).validation


def test_test_samples_are_not_read() -> None:
    x = states()
    wanted = x[:, 3] + np.random.default_rng(3).normal(size=300)
    first = train_linear(task(wanted), x)
    x[200:] = np.nan
    wanted[200:] = np.arange(100)
    second = train_linear(task(wanted), x)
    assert np.array_equal(first.weights, second.weights)
    assert first.validation == second.validation
    assert np.array_equal(train_linear(task(wanted), x[:200]).weights, first.weights)


def test_equal_symbol_errors_are_told_apart_by_squared_error() -> None:
    x = states()
    wanted = (x[:, 5] > 3.0 * 0.1).astype(float)
    readout = train_linear(task(wanted, "ser"), x)
    same = [train_linear(task(wanted, "ser"), x, [each]) for each in FLOAT_LAMBDAS]
    least = min(each.validation for each in same)
    errors = [
        float(np.mean((each.predict(x)[150:200, 0] - wanted[150:200]) ** 2))
        for each in same
        if each.validation == least
    ]
    got = float(np.mean((readout.predict(x)[150:200, 0] - wanted[150:200]) ** 2))
    assert readout.validation == least and got == min(errors)


def test_constant_states_get_no_weight_that_matters() -> None:
    x = np.hstack([states(), np.full((300, 1), 1e9)])
    mean, deviation = moments(x)
    assert deviation[-1] == 1.0 and mean[-1] == 1e9
    wanted = x[:, 2]
    assert train_linear(task(wanted), x).validation < 1e-20


def test_what_is_wrong_is_refused() -> None:
    wanted = states()[:, 0]
    with pytest.raises(DesignError, match=r"^states must have shape \(T, N\) with T at least 200"):
        train_linear(task(wanted), states()[:199])
    broken = states()
    broken[170, 2] = np.inf
    with pytest.raises(DesignError, match=r"^states must be finite, not NaN or infinite$"):
        train_linear(task(wanted), broken)
    late = replace(task(wanted), washout=148)
    assert train_linear(late, states()).weights.shape == (6, 1)
