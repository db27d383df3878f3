"""Ranks of matrices that are known, and of reservoirs whose memory is."""

import numpy as np
import pytest

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import effective_rank, state_rank, stream_ranks
from rchw.model import MatrixModel, RingModel
from rchw.model.scaling import scale_radius


def test_rank_counts_what_is_above_the_floor() -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(60, 4)), rng.normal(size=(4, 30))
    assert state_rank(left @ right).rank == 4
    assert state_rank(np.zeros((5, 3))).rank == 0
    noisy = left @ right + 0.1 * rng.normal(size=(60, 30))
    assert state_rank(noisy).rank == 30
    found = state_rank(noisy, noise=0.1)
    assert found.rank == 4
    assert found.floor == pytest.approx(0.1 * (np.sqrt(60) + np.sqrt(30)))


def test_noise_alone_is_below_its_floor() -> None:
    """Its largest singular value is about noise times (sqrt(S) + sqrt(N)), seldom above by 5 %."""
    for seed in range(10):
        noise = np.random.default_rng(seed).normal(size=(200, 50))
        assert state_rank(noise, noise=1.05).rank == 0
        assert state_rank(noise, noise=0.5).rank > 10


def test_rounding_to_codes_adds_no_rank() -> None:
    rng = np.random.default_rng(1)
    smooth = rng.normal(size=(100, 3)) @ rng.normal(size=(3, 20)) * 100
    codes = np.rint(smooth).astype(np.int64)
    assert state_rank(codes.astype(np.float64)).rank == 20
    assert state_rank(codes).rank == 3


def test_a_delay_line_generalises_by_what_it_has_forgotten() -> None:
    """Six taps tell six directions apart; of streams that share 4 samples two taps still differ."""
    model = RingModel(topology.delay_line(6, 1.0), np.eye(6)[:1], activation="linear")
    inputs = np.random.default_rng(2).uniform(-1, 1, (300, 1))
    for shared in (1, 4, 6, 10):
        found = stream_ranks(model, inputs, length=10, shared=shared)
        # One direction more is what they share.
        assert found.kernel.rank == 6
        assert found.generalisation.rank == max(6 - shared, 0) + 1
        assert found.difference == found.kernel.rank - found.generalisation.rank


def test_chaos_generalises_nothing_and_order_something() -> None:
    """Legenstein and Maass: both ranks rise towards chaos, generalisation later."""
    rng = np.random.default_rng(3)
    weights = scale_radius(rng.normal(size=(30, 30)), 1.0)
    into = rng.uniform(-0.3, 0.3, (1, 30))
    inputs = rng.uniform(-1, 1, (50 * 40, 1))
    calm, wild = (
        stream_ranks(MatrixModel(r * weights, into), inputs, length=40, shared=30, noise=1e-6)
        for r in (0.3, 3.0)
    )
    assert calm.generalisation.rank < 3 < calm.kernel.rank
    assert wild.kernel.rank == wild.generalisation.rank == 30


def test_effective_rank_in_closed_form() -> None:
    """Equal directions count fully; shares 3/4 and 1/4 are exp of their entropy."""
    axes = np.concatenate([np.eye(5), -np.eye(5)])
    assert effective_rank(axes) == pytest.approx(5)
    assert effective_rank(axes[:, :1]) == pytest.approx(1)
    two = axes[:, :2] * [3.0, 1.0]
    assert effective_rank(two) == pytest.approx(
        np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    )
    assert effective_rank(two * 9 + 100) == pytest.approx(effective_rank(two))


def test_refused_with_the_reason() -> None:
    model = RingModel(topology.cycle(3, 0.5), np.ones((1, 3)))
    inputs = np.ones((30, 1))
    with pytest.raises(DesignError, match=r"^states must have shape \(S, N\), not \(3,\)$"):
        state_rank(np.zeros(3))
    with pytest.raises(DesignError, match=r"^noise must be at least 0 and finite, not -1$"):
        state_rank(np.zeros((3, 2)), noise=-1)
    with pytest.raises(DesignError, match=r"^states must be finite, not NaN or infinite$"):
        effective_rank(np.full((3, 2), np.nan))
    with pytest.raises(DesignError, match=r"^states must vary for an effective rank"):
        effective_rank(np.full((3, 2), 0.1))
    with pytest.raises(DesignError, match=r"^shared samples must be from 1 to 5, not 6$"):
        stream_ranks(model, inputs, length=5, shared=6)
    with pytest.raises(DesignError, match=r"^streams must be at least 3, not 2 of 12 samples$"):
        stream_ranks(model, inputs, length=12, shared=1)
