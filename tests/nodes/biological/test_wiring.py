"""Geometry and wiring of a culture against what the probabilities say."""

from collections.abc import Callable

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.biological import Wiring


def test_array_of_sixty() -> None:
    wiring = Wiring(10)
    places = wiring.electrodes()
    assert wiring.n_electrodes == len(places) == 60
    assert len(np.unique(places.round(9), axis=0)) == 60
    assert np.abs(places - 0.8e-3).max() == pytest.approx(0.7e-3)
    corners = np.abs(places - 0.8e-3).sum(axis=1).max()
    assert corners == pytest.approx(1.2e-3)  # the corners would be 1.4 mm away
    assert [Wiring(10, rows=rows).n_electrodes for rows in (1, 2, 3)] == [1, 4, 5]
    assert [len(Wiring(10, rows=rows).electrodes()) for rows in (1, 2, 3)] == [1, 4, 5]


def test_heard_by_the_nearest_within_the_radius() -> None:
    wiring = Wiring(300, seed=2)
    heard, places, electrodes = wiring.heard(), wiring.places(), wiring.electrodes()
    for i, electrode in enumerate(heard):
        apart = np.sqrt(((electrodes - places[i]) ** 2).sum(axis=1))
        if electrode < 0:
            assert apart.min() > wiring.radius
        else:
            assert apart[electrode] == apart.min() <= wiring.radius
    # Sixty circles of the squares that they fill, as a share of the area.
    share = 60 * np.pi * wiring.radius**2 / (8 * wiring.pitch) ** 2
    assert (heard >= 0).mean() == pytest.approx(share, abs=3 * np.sqrt(0.25 / 300))


def test_synapses_are_as_likely_as_is_said() -> None:
    wiring = Wiring(600, seed=1)
    first, targets = wiring.synapses()
    sources = np.repeat(np.arange(600), np.diff(first))
    assert first[0] == 0 and first[-1] == len(targets)
    assert (sources != targets).all()
    assert (np.diff(targets)[np.diff(sources) == 0] > 0).all()
    places = wiring.places()
    apart = np.sqrt(((places[:, None] - places) ** 2).sum(axis=2))
    joined = np.zeros((600, 600), dtype=bool)
    joined[sources, targets] = True
    for low in (0.0, 0.3e-3, 0.6e-3, 0.9e-3):
        near = (apart > low) & (apart < low + 0.1e-3)
        expected = 0.5 * np.exp(-apart[near] / 300e-6)
        spread = np.sqrt((expected * (1 - expected)).sum()) / near.sum()
        assert joined[near].mean() == pytest.approx(expected.mean(), abs=4 * spread)


def test_seed_and_kinds() -> None:
    one, same, other = Wiring(50, seed=3), Wiring(50, seed=3), Wiring(50, seed=4)
    assert one.places().tobytes() == same.places().tobytes()
    assert one.synapses()[1].tobytes() == same.synapses()[1].tobytes()
    assert (one.places() != other.places()).all()
    assert (one.n_excitatory, Wiring(50, inhibitory=0.0).n_excitatory) == (40, 50)
    assert len(Wiring(50, peak=0.0).synapses()[1]) == 0


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "neurons": (lambda: Wiring(0), r"neurons must be at least 1, not 0"),
    "rows": (lambda: Wiring(5, rows=0), r"rows must be at least 1, not 0"),
    "seed": (lambda: Wiring(5, seed=-2), r"seed of the wiring must be at least 0, not -2"),
    "inhibitory": (
        lambda: Wiring(5, inhibitory=1.1),
        r"inhibitory share must be from 0 to 1, not 1\.1",
    ),
    "peak": (lambda: Wiring(5, peak=-0.1), r"peak probability must be from 0 to 1, not -0\.1"),
    "pitch": (lambda: Wiring(5, pitch=0.0), r"pitch must be finite and above 0 m, not 0\.0"),
    "scale": (lambda: Wiring(5, scale=np.inf), r"scale must be finite and above 0 m, not inf"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
