"""Optimisers: the same proposals from the same seed, and better ones than chance makes."""

from statistics import fmean
from unittest.mock import patch

import pytest

from benchmarks.explore_optimisers import hypervolume
from rchw.codesign.optimiser import OPTIMISERS, study_of, tell
from rchw.errors import DesignError

TRIALS, SIZE = 120, 6


def found(optimiser: str, seed: int, trials: int = TRIALS) -> list[float]:
    """How far proposals for ZDT1 are from its front (E. Zitzler et al., Evol. Comp. 8, 2000).

    What is told has a worse one with the same parameters beside it.
    """
    study, distances = study_of(optimiser, 2, seed), []
    for _ in range(trials // 10):
        asked = [study.ask() for _ in range(10)]
        for trial in asked:
            first, *others = (trial.suggest_int(f"x{k}", 0, 50) / 50 for k in range(SIZE))
            g = 1 + 9 * sum(others) / len(others)
            pair = first, g * (1 - (first / g) ** 0.5)
            tell(study, trial, [pair, (pair[0] + 0.1, pair[1] + 0.1)])
            distances.append(g - 1)
    return distances


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_proposals_hang_on_the_seed_alone(optimiser: str) -> None:
    with (
        patch("rchw.codesign.optimiser.RANDOM", 20),
        patch("rchw.codesign.optimiser._POPULATION", 20),
    ):
        once = found(optimiser, 1, 40)
        assert once == found(optimiser, 1, 40) != found(optimiser, 2, 40)


def test_what_is_told_leads_to_the_front() -> None:
    """The last third of the proposals; chance stays at 4.5 on average."""
    for seed in range(2):
        with (
            patch("rchw.codesign.optimiser.RANDOM", 40),
            patch("rchw.codesign.optimiser._POPULATION", 30),
        ):
            last = {name: fmean(found(name, seed)[-40:]) for name in OPTIMISERS}
        assert max(last["tpe"], last["nsga2"]) < 3.0 < 4.0 < last["random"]


def test_a_generation_counts_designs() -> None:
    """All readouts of a reservoir are of its generation: of 4 reservoirs with 3 there are 12."""
    with patch("rchw.codesign.optimiser._POPULATION", 12):
        study = study_of("nsga2", 1, 0)
    seen = []
    for _ in range(9):
        trial = study.ask()
        value = trial.suggest_int("x", 0, 50) / 50
        tell(study, trial, [[value], [value + 1], [value + 2]])
        (generation,) = (
            value
            for key, value in study.trials[trial.number].system_attrs.items()
            if key.endswith(":generation")
        )
        seen.append(generation)
    assert seen == [0, 0, 0, 0, 1, 1, 1, 1, 2]


def test_the_area_is_that_of_the_front() -> None:
    """In decades, of rectangles that overlap; what lies beyond the corner adds nothing."""
    corner = (1.0, 1000.0)
    assert hypervolume([(0.1, 10.0)], corner) == pytest.approx(2.0)
    assert hypervolume([(0.1, 10.0), (0.01, 100.0)], corner) == pytest.approx(3.0)
    more = [(0.01, 100.0), (0.1, 10.0), (0.1, 10.0), (0.2, 20.0), (1.5, 1.0), (1e-9, 2000.0)]
    assert hypervolume(more, corner) == pytest.approx(3.0)
    assert hypervolume([], corner) == 0.0


def test_an_unknown_optimiser_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^optimiser must be one of tpe, nsga2, random, not 'x'"):
        study_of("x", 2, 0)
