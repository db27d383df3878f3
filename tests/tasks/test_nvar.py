"""The autoregression has the features that its paper writes down, and finds what they span."""

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import Task, load_task
from rchw.tasks.nvar import _compared, n_features, nvar, nvar_features
from rchw.tasks.regression import REGULARIZATIONS, delayed
from rchw.tasks.task import split_slices


def synthetic(targets: np.ndarray, inputs: np.ndarray, **changes: Any) -> Task:
    """600, 300 and 300 samples after a washout of 100."""
    train, validation, test = split_slices((600, 300, 300))
    task = Task("t", inputs, targets, 100, train, validation, test, "nmse", "a test")
    return replace(task, **changes)


def noise(columns: int = 1) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1.0, 1.0, (1200, columns))


@pytest.mark.parametrize("degree", [2, 3])
@pytest.mark.parametrize(("channels", "delays", "spacing"), [(1, 3, 1), (2, 2, 4), (3, 1, 2)])
def test_features_by_hand(channels: int, delays: int, spacing: int, degree: int) -> None:
    """By loops, sample by sample: delayed values, then products of two, then of three."""
    u = noise(channels)[:40]
    found = nvar_features(u, delays, spacing, degree)
    assert found.shape == (40, n_features(delays * channels, degree) - 1)
    for t in (0, 3, 39):
        past = [
            u[t - step * spacing, channel] if t >= step * spacing else 0.0
            for step in range(delays)
            for channel in range(channels)
        ]
        expected = list(past)
        for order in range(2, degree + 1):
            expected += [np.prod(some) for some in combinations_with_replacement(past, order)]
        assert np.allclose(found[t], expected)


def test_number_of_features_of_the_paper() -> None:
    """Lorenz, 3 channels at 2 delays, degree 2: 28 features with the constant."""
    assert n_features(3 * 2, 2) == 28


def test_finds_delay_spacing_and_degree() -> None:
    """A product over two spacings of 3 needs k = 3 and s = 3; one of three needs degree 3."""
    u = noise()
    past = delayed(u, 12)
    clean = past[:, [0]] * past[:, [6]] + past[:, [3]]
    assert nvar(synthetic(clean, u), most_features=50)[0] < 1e-15
    # With noise, sets that contain the right one are worse than it.
    noisy = clean + 0.01 * np.random.default_rng(5).normal(size=clean.shape)
    error, choice = nvar(synthetic(noisy, u), most_features=50)
    assert (choice.delays, choice.spacing, choice.degree, choice.features) == (3, 3, 2, 10)
    assert choice.regularization in REGULARIZATIONS and 1e-4 < error < 5e-4
    cubic = synthetic(past[:, [0]] * past[:, [2]] ** 2, u)
    error, choice = nvar(cubic, most_features=50)
    assert error < 1e-15 and (choice.spacing, choice.degree) in {(1, 3), (2, 3)}
    assert nvar(cubic, degrees=(2,), most_features=50)[0] > 0.1


def test_choices_do_not_read_the_test_samples() -> None:
    u = noise()
    targets = delayed(u, 4)[:, [1]] + 0.3 * delayed(u, 4)[:, [3]] ** 2 + 0.1 * np.roll(u, 500)
    changed = targets.copy()
    changed[900:] = 7.0 * targets[900:] + 3.0
    before = nvar(synthetic(targets, u), most_features=60)
    after = nvar(synthetic(changed, u), most_features=60)
    assert before[1] == after[1] and before[0] < 0.2 < after[0]


def test_the_coarse_comparison_is_that_of_separate_fits() -> None:
    """Sets that are parts of one Gram matrix, against a solve of each set's own equations."""
    u = noise(2)
    mixed = delayed(u, 12)
    targets = np.hstack([mixed[:, [2]] * mixed[:, [5]], mixed[:, [0]] * 0.5 + mixed[:, [9]] ** 2])
    targets += 0.1 * np.random.default_rng(4).normal(size=targets.shape)
    task = synthetic(targets, u)
    for degree in (2, 3):
        found = _compared(task, u, [1, 2, 3], 2, degree)
        for k, (score, choice) in zip((1, 2, 3), found, strict=True):
            assert choice == (k, 2, degree)
            features = nvar_features(u, k, 2, degree)
            part = features[100:600]
            columns = (features - part.mean(axis=0)) / part.std(axis=0)
            mean, errors = targets[100:600].mean(axis=0), []
            for strength in 500 * np.array([1e-11, 1e-8, 1e-5, 1e-2]):
                x = columns[100:600]
                gram = x.T @ x + strength * np.eye(x.shape[1])
                weights = np.linalg.solve(gram, x.T @ (targets[100:600] - mean))
                guess = columns[600:900] @ weights + mean
                errors.append(task.error(guess, targets[600:900]))
            assert np.isclose(score[0], min(errors), rtol=1e-6)


def test_the_choice_is_that_of_the_least_validation_error() -> None:
    """Of the laser, where many sets are close: one fit through singular values for every set."""
    task = load_task("santa-fe", split=(700, 300, 300))
    error, choice = nvar(task, delays=(2, 4, 6), spacings=(1, 2), degrees=(2,))
    single = {
        (k, s): nvar(task, delays=(k,), spacings=(s,), degrees=(2,))
        for k in (2, 4, 6)
        for s in (1, 2)
    }
    best = min(single, key=lambda pair: single[pair][1].validation)
    assert (choice.delays, choice.spacing) == best and error == single[best][0]


def test_henon_is_a_product_of_two_delays() -> None:
    """Down to the noise, 0.05**2 / variance = .0047, with the two delays of the map."""
    error, choice = nvar(load_task("henon"), delays=(1, 2, 3), spacings=(1,), degrees=(2,))
    assert 0.0044 < error < 0.0052 and choice.delays == 2 and choice.features == 6


def test_narma10_is_better_than_linear() -> None:
    """Linear filters reach .15; ten delays and their products leave what NARMA remembers longer."""
    error, _ = nvar(load_task("narma10"), delays=(10, 20), spacings=(1,), degrees=(2,))
    assert 0.03 < error < 0.06


@pytest.mark.parametrize(("options", "sentence"), [
    ({"delays": (0, 2)}, r"^delays must be one or more numbers from 1, not \[0, 2\]$"),
    ({"spacings": ()}, r"^spacings must be one or more numbers from 1, not \[\]$"),
    ({"degrees": (4,)}, "^degree must be 2 or 3, not 4$"),
    ({"most_features": 2}, "^most features must be at least 3, not 2$"),
])  # fmt: skip
def test_refuses(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        nvar(synthetic(noise(), noise()), **options)
