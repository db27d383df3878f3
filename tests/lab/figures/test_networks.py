"""Networks of diverse leak rates: how they are drawn, the error, and a short run."""

import json

import numpy as np
import pytest

from rchw.lab.figures import networks
from rchw.lab.figures.networks import FIGURES, lorenz_errors, timescales
from rchw.model.scaling import matrix_radius


def test_leak_rates_are_even_over_decades() -> None:
    model = timescales(400, 3.0, np.random.default_rng(0))
    leaks, weights = np.asarray(model.leak_rate), np.asarray(model.weights)
    assert 1e-3 < leaks.min() and leaks.max() <= 1 and (np.diff(leaks) >= 0).all()
    counts, _ = np.histogram(np.log10(leaks), bins=3, range=(-3, 0))
    assert counts.min() > 100
    assert matrix_radius(weights) == pytest.approx(0.1)
    assert (weights != 0).mean() == pytest.approx(0.1, abs=0.01)
    assert np.abs(np.asarray(model.input_weights)).max() <= 0.1
    assert (np.asarray(timescales(9, 0.0, np.random.default_rng(0)).leak_rate) == 1).all()
    rounded = timescales(400, 3.0, np.random.default_rng(0), shifts=True)
    shifts = -np.log2(np.asarray(rounded.leak_rate))
    assert np.array_equal(shifts, np.round(-np.log2(leaks)))
    assert shifts.min() == 0 and shifts.max() == 10
    assert np.array_equal(np.asarray(rounded.weights), weights)


def test_error_is_of_the_next_sample_and_of_the_test_alone() -> None:
    """Features that hold the answer; then those of the sample before it, then spoilt ones."""
    series = np.random.default_rng(1).normal(size=(901, 6))
    split, following = (100, 500, 300), series[1:]
    assert lorenz_errors(series, lambda _: following, split).max() < 1e-4
    assert lorenz_errors(series, lambda inputs: inputs, split).min() > 0.9
    spoilt = following.copy()
    spoilt[:100] = 1e3  # washed out
    assert lorenz_errors(series, lambda _: spoilt, split).max() < 1e-4
    half = following.copy()
    half[600:] = 0.0  # the means of what is tested are left, and nothing else
    assert lorenz_errors(series, lambda _: half, split).min() > 0.99


def test_the_best_constant_has_an_error_of_about_1() -> None:
    series = np.random.default_rng(2).normal(5.0, 3.0, size=(2001, 6))
    errors = lorenz_errors(series, lambda inputs: inputs[:, :0], (100, 1000, 900))
    assert np.allclose(errors, 1, rtol=0, atol=0.02)


def test_short_run() -> None:
    said: list[str] = []
    found = networks._tanaka_lorenz(said.append, seeds=2, units=40, split=(500, 1000, 500))
    details = json.loads(json.dumps(found.details, allow_nan=False))
    assert len(said) == 2 and found.noisy is None
    means, runs = details["means"], details["runs"]
    assert means["diverse"]["Z"] == pytest.approx(sum(r["diverse Z"] for r in runs) / 2)
    assert found.score == pytest.approx(
        max(abs(means["diverse"][k] / details["published"][k] - 1) for k in "XYZxyz")
    )
    # Few units and short as it is, the fast three are better seen than by a linear filter.
    assert all(means["diverse"][name] < means["linear"][name] for name in "xyz")


def test_one_far_value_is_a_miss() -> None:
    figure = FIGURES[0]
    published = dict(networks._PUBLISHED)
    assert networks._deviation(published) == 0
    for name in published:
        off = networks._deviation(published | {name: 1.31 * published[name]})
        assert off == pytest.approx(0.31) and not figure.band.holds(off)
        low = networks._deviation(published | {name: 0.69 * published[name]})
        assert low == pytest.approx(0.31) and not figure.band.holds(low)


def test_band_and_targets_are_those_that_were_set_beforehand() -> None:
    assert [figure.name for figure in FIGURES] == ["tanaka-lorenz", "tanaka-lorenz-shifts"]
    for figure in FIGURES:
        assert str(figure.band) == "at most 0.3"
        assert figure.target == "X 0.0691, Y 0.22, Z 0.408, x 0.0339, y 0.0912, z 0.0805"
