"""Distances by common suffix: the bound of iterated maps, and linear rings in closed form."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import suffix_organisation
from rchw.model import MatrixModel, RingModel
from rchw.model.scaling import scale_radius

Values = NDArray[np.float64]


def symbols(samples: int, alphabet: int, seed: int = 0) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, alphabet, samples)


def iterated(drive: NDArray[np.int64], corners: Values, k: float) -> Values:
    """States of the maps ``x -> k x + (1 - k) corner``."""
    now, states = np.full(corners.shape[1], 0.5), []
    for symbol in drive:
        now = k * now + (1 - k) * corners[symbol]
        states.append(now)
    return np.array(states)


@pytest.mark.parametrize("k", [0.5, 0.3])
def test_iterated_maps_keep_to_the_bound(k: float) -> None:
    """``|u - v| <= k^L sqrt(D)``; and no closer than ``k^L (1 - 2 k)``, for maps do not overlap."""
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
    drive = symbols(6000, 4)
    found = suffix_organisation(iterated(drive, corners, k), drive, longest=5)
    assert found.lengths.tolist() == [0, 1, 2, 3, 4, 5]
    assert (found.pairs > 200).all()
    assert (found.largest <= k**found.lengths * np.sqrt(2) + 1e-12).all()
    assert (found.smallest >= k**found.lengths * (1 - 2 * k) - 1e-12).all()
    assert found.rate == pytest.approx(np.log(k), abs=0.03)


def test_a_linear_cycle_keeps_distances_but_for_its_weight() -> None:
    """What is left of a difference L symbols ago is its rotation times ``r^L``."""
    model = RingModel(topology.cycle(12, 0.7), topology.auto_signs(12), activation="linear")
    drive = symbols(6000, 2)
    found = suffix_organisation(model.run(2.0 * drive - 1), drive, longest=6)
    assert found.rate == pytest.approx(np.log(0.7), abs=0.02)
    assert found.largest[6] < 0.7**6 * 1.2 * found.largest[0]


def test_states_that_do_not_know_the_past_are_not_organised() -> None:
    drive = symbols(3000, 3)
    noise = np.random.default_rng(1).normal(size=(3000, 5))
    assert suffix_organisation(noise, drive, longest=4).rate == pytest.approx(0, abs=0.02)


def test_the_last_symbol_belongs_to_the_suffix() -> None:
    """States off by one sample: with no symbol in common they can already be one."""
    drive = symbols(2000, 2)
    states = np.stack([drive, np.roll(drive, 1)], axis=1).astype(np.float64)
    right = suffix_organisation(states, drive, longest=3)
    assert right.smallest[0] >= 1 and right.mean[1] == 1 and (right.mean[2:] == 0).all()
    late = suffix_organisation(np.roll(states, 1, axis=0), drive, longest=3)
    assert late.smallest[0] == 0 and late.mean[2] == 1


def test_untrained_networks_are_organised_and_chaotic_ones_are_not() -> None:
    rng = np.random.default_rng(2)
    weights = scale_radius(rng.normal(size=(30, 30)), 1.0)
    drive = symbols(3000, 2)
    into = rng.uniform(-0.3, 0.3, (1, 30))
    calm, wild = (
        suffix_organisation(MatrixModel(r * weights, into).run(2.0 * drive - 1), drive)
        for r in (0.5, 3.0)
    )
    assert calm.rate < np.log(0.7) and wild.rate > -0.1


def test_few_symbols_leave_lengths_out() -> None:
    """A period of two never differs after one symbol in common; nor does one symbol at all."""
    drive = np.tile([0, 1], 50)
    found = suffix_organisation(drive[:, None], drive, longest=3)
    assert found.lengths.tolist() == [] or found.pairs.min() > 0
    assert np.isnan(found.rate)


def test_refused_with_the_reason() -> None:
    with pytest.raises(DesignError, match=r"^states must have shape \(5, N\), not \(4, 2\)$"):
        suffix_organisation(np.zeros((4, 2)), np.zeros(5))
    with pytest.raises(DesignError, match=r"^longest and pairs must be at least 1, not 0 and 9$"):
        suffix_organisation(np.zeros((5, 2)), np.zeros(5), longest=0, pairs=9)
    with pytest.raises(DesignError, match=r"^run must have at least 22 samples, not 5$"):
        suffix_organisation(np.zeros((5, 2)), np.zeros(5))
    with pytest.raises(DesignError, match=r"^symbols must vary, not be one symbol all the time$"):
        suffix_organisation(np.zeros((50, 2)), np.zeros(50))
