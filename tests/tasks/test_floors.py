"""Floors against closed forms and the magnitudes that others have measured."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import Task, load_task
from rchw.tasks.floors import (
    _volterra_features,
    floors,
    memoryless,
    most_products,
    persistence,
)
from rchw.tasks.nvar import MOST_FEATURES, n_features, nvar
from rchw.tasks.regression import delayed
from rchw.tasks.task import split_slices

KEYS = ["persistence", "linear", "quadratic_ring", "volterra", "nvar"]


def synthetic(targets: np.ndarray, inputs: np.ndarray, **changes: Any) -> Task:
    """600, 300 and 300 samples after a washout of 100."""
    train, validation, test = split_slices((600, 300, 300))
    task = Task("t", inputs, targets, 100, train, validation, test, "nmse", "a test")
    return replace(task, **changes)


def noise(columns: int = 1) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1.0, 1.0, (1200, columns))


def test_persistence_by_hand() -> None:
    u = noise()
    for horizon, lag in ((1, 1), (5, 5), (0, 1), (-2, 1)):
        guess = persistence(synthetic(u, u, horizon=horizon))
        assert np.array_equal(guess[lag:], u[:-lag])
        assert np.array_equal(guess[:lag], np.repeat(u[:1], lag, axis=0))


@pytest.mark.parametrize("name", ["mackey-glass", "santa-fe"])
def test_persistence_of_a_forecast_is_the_input(name: str) -> None:
    task = load_task(name)
    assert np.array_equal(persistence(task)[task.test], task.inputs[task.test])


def test_persistence_of_fair_independent_symbols() -> None:
    """The symbol before is wrong three times of four, within 4 standard errors."""
    task = load_task("channel")
    found = task.error(persistence(task)[task.test], task.targets[task.test])
    assert abs(found - 0.75) < 4 * (0.75 * 0.25 / 3000) ** 0.5


def test_a_filter_is_found_by_the_filters_and_a_product_by_volterra_alone() -> None:
    """Exact laws: delays 3 and 59 are within 60 taps; a product of delays 2 and 4 is no filter."""
    u = noise(2)
    past = delayed(u, 2 * 64)
    filtered = past[:, [2 * 3]] - 2 * past[:, [2 * 59 + 1]]
    assert floors(synthetic(filtered, u), 5)["linear"] < 1e-20
    late = past[:, [2 * 60]]
    assert floors(synthetic(late, u), 5)["linear"] > 0.9
    product = past[:, [2 * 2]] * past[:, [2 * 4 + 1]]
    found = floors(synthetic(product, u), 40)
    assert found["volterra"] < 1e-20 and found["linear"] > 0.9
    assert found["nvar"] < 1e-15  # 5 delays of 2 channels and their products are 66 features


def test_a_cubic_needs_no_memory_and_has_none() -> None:
    u = noise()
    cubic, past = 2 * u**3 - u**2, np.roll(u, 1, axis=0)
    for targets, least, most in ((cubic, 0, 1e-20), (cubic + u**5, 1e-4, 0.05), (past, 0.9, 1.1)):
        assert least <= memoryless(synthetic(targets, u)) <= most


def test_ring_recalls_and_squares() -> None:
    """A linear ring of N units holds N delays; a square of one state is one of its features."""
    u = noise()
    past = delayed(u, 20)
    assert floors(synthetic(past[:, [4]], u), 20)["quadratic_ring"] < 1e-6
    squared = floors(synthetic(u**2, u), 20)
    assert squared["quadratic_ring"] < 0.2 < 0.9 < squared["linear"]


def test_several_outputs_and_inputs() -> None:
    u = noise(3)
    targets = np.hstack([delayed(u, 9)[:, [4]], u[:, [2]] * u[:, [0]]])
    found = floors(synthetic(targets, u), 12)
    assert list(found) == KEYS and all(np.isfinite(list(found.values())))
    assert found["volterra"] < 1e-20
    assert 0.4 < found["linear"] < 0.8  # one output of two is a filter


@pytest.mark.parametrize("n_units", [1, 2, 3, 50, 100])
def test_equal_feature_count(n_units: int) -> None:
    """2 N features beside the bias, products included."""
    u = noise(2)
    assert _volterra_features(synthetic(u, u), n_units).shape == (1200, 2 * n_units)
    m = most_products(2 * n_units)
    assert m * (m + 3) // 2 <= 2 * n_units < (m + 1) * (m + 4) // 2


def test_more_features_than_samples() -> None:
    train, validation, test = split_slices((100, 40, 40))
    u = noise()[:180]
    task = Task("t", u, u, 10, train, validation, test, "nmse", "a test")
    assert all(np.isfinite(list(floors(task, 70).values())))


def test_short_series() -> None:
    """Sixty taps on forty samples."""
    u = noise()[:40]
    train, validation, test = split_slices((20, 10, 10))
    task = Task("t", u[:, 0], np.roll(u[:, 0], 1), 2, train, validation, test, "nmse", "a test")
    assert all(np.isfinite(list(floors(task, 3).values())))


def test_choices_do_not_read_the_test_samples() -> None:
    """Other test targets change the error, by what the same prediction makes of them."""
    u = noise()
    targets = delayed(u, 4)[:, [1]] + 0.3 * delayed(u, 4)[:, [3]] ** 2
    changed = targets.copy()
    changed[900:] = 7.0 * targets[900:] + 3.0
    before = synthetic(targets, u)
    after = synthetic(changed, u)
    for key in KEYS[1:]:
        # A close model of the old targets misses the new ones by 6 targets + 3.
        assert floors(before, 30)[key] < 0.05
        miss = np.mean((6 * targets[900:] + 3) ** 2) / changed[900:].var()
        assert abs(floors(after, 30)[key] / miss - 1) < 0.05


def test_magnitudes_on_narma10() -> None:
    """Linear .157 and ring .043 (N = 50) are means over streams that scatter by a third."""
    found = [floors(load_task("narma10", seed=seed), 50) for seed in (0, 1)]
    mean = {key: np.mean([one[key] for one in found]) for key in KEYS}
    assert 0.6 < mean["persistence"] < 0.9
    assert 0.13 < mean["linear"] < 0.18
    assert 0.03 < mean["quadratic_ring"] < 0.065
    assert 0.03 < mean["volterra"] < 0.065


def test_magnitudes_elsewhere() -> None:
    """NARMA-20 .126 linear; Henon by squares down to its noise, 0.05**2 / variance = .0047."""
    assert 0.11 < floors(load_task("narma20"), 5)["linear"] < 0.14
    henon = floors(load_task("henon"), 50)
    assert 0.0044 < henon["volterra"] < 0.006 and henon["linear"] > 0.5
    channel = floors(load_task("channel"), 50)
    assert channel["linear"] < 0.02 and channel["volterra"] < channel["linear"]


def test_nvar_is_the_one_of_its_own_module_and_misses_where_channels_are_many() -> None:
    """24 channels have 325 features without any past sample, 23 have 300."""
    u = noise(24)
    targets = u[:, [0]] * u[:, [1]]
    few, many = (floors(synthetic(targets, u[:, :n]), 3)["nvar"] for n in (3, 24))
    assert few == nvar(synthetic(targets, u[:, :3]))[0] < 1e-15 and np.isnan(many)
    assert n_features(23, 2) == MOST_FEATURES < n_features(24, 2)


def test_refuses() -> None:
    with pytest.raises(DesignError, match=r"^units must be at least 1, not 0$"):
        floors(synthetic(noise(), noise()), 0)
