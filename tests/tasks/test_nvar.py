"""The autoregression has the features that its paper writes down, and finds what they span."""

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import Task, load_task
from rchw.tasks.floors import REGULARIZATIONS, delayed
from rchw.tasks.nvar import n_features, nvar, nvar_features
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
    error, choice = nvar(synthetic(past[:, [0]] * past[:, [6]] + past[:, [3]], u), most_features=50)
    assert error < 1e-15 and (choice.delays, choice.spacing, choice.degree) == (3, 3, 2)
    assert choice.features == 10 and choice.validation < 1e-15
    assert choice.regularization == REGULARIZATIONS[0]
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
