"""The threshold of capacities: published values, a closed form, and what it is a threshold of."""

import json
import math

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.lab.figures import theory
from rchw.lab.figures.theory import FIGURES
from rchw.metrics import capacity_threshold


@pytest.mark.parametrize(
    ("n_units", "published"), [(50, "1.7e-04"), (25, "1.1e-04"), (1, "2.2e-05")]
)
def test_published_thresholds(n_units: int, published: str) -> None:
    assert f"{capacity_threshold(n_units, 1_000_000):.1e}" == published


@pytest.mark.parametrize("samples", [1, 1000, 10**6])
def test_two_units_have_a_closed_form(samples: int) -> None:
    """With two degrees of freedom chi-squared is exponential: 1 - exp(-x / 2) = 0.999."""
    wanted = 4 * math.log(1000) / samples
    assert math.isclose(capacity_threshold(2, samples), wanted, rel_tol=1e-12)


def test_capacity_of_nothing_is_below_it() -> None:
    """Targets that have nothing to do with the states: T times their capacity is chi-squared."""
    rng = np.random.default_rng(0)
    q, _ = np.linalg.qr(rng.normal(size=(2000, 5)))
    targets = rng.normal(size=(2000, 2000))
    capacities = ((q.T @ targets) ** 2).sum(axis=0) / (targets**2).sum(axis=0)
    assert math.isclose(2000 * capacities.mean(), 5, rel_tol=0.05)
    threshold = capacity_threshold(5, 2000)
    assert 1 <= (capacities > threshold / 2).sum() <= 6, "one of a thousand lies above the quantile"
    assert (capacities < threshold).all()


@pytest.mark.parametrize(
    ("n_units", "samples", "words"),
    [(0, 10, "units must be at least 1, not 0"), (3, -1, "samples must be at least 1, not -1")],
)
def test_refusals(n_units: int, samples: int, words: str) -> None:
    with pytest.raises(DesignError, match=f"^{words}$"):
        capacity_threshold(n_units, samples)


def test_figure() -> None:
    (figure,) = FIGURES
    assert figure.run is not None and str(figure.band) == "at most 0"
    said: list[str] = []
    found = figure.run(said.append)
    assert found.score == 0 and figure.reached(found) and found.noisy is None
    assert len(said) == 3
    assert set(json.loads(json.dumps(found.details))["thresholds"]) == {"50", "25", "1"}


def test_one_wrong_value_is_a_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(theory._PUBLISHED, 25, 1e-4)
    (figure,) = FIGURES
    assert figure.run is not None
    found = figure.run(lambda _: None)
    assert math.isclose(found.score, 0.1) and not figure.reached(found)
