"""Masks: their levels, their sums, and what makes a maximum-length sequence one."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.mask import KINDS, Mask


@pytest.mark.parametrize("kind", KINDS)
def test_sums_stay_within_one(kind: str) -> None:
    for n_inputs in (1, 3):
        n_drives = n_inputs if kind == "direct" else 50
        weights = Mask(kind, 4).weights(n_drives, n_inputs)
        assert weights.shape == (n_drives, n_inputs)
        assert np.abs(weights).sum(axis=1).max() <= 1 + 1e-12
        assert np.array_equal(weights, Mask(kind, 4).weights(n_drives, n_inputs))


def test_levels() -> None:
    levels = {"binary": [-1, 1], "ternary": [-1, 0, 1], "mls": [-1, 1], "none": [1]}
    for kind, want in levels.items():
        assert np.unique(Mask(kind, 1).weights(200, 1)).tolist() == want
    assert len(np.unique(Mask("analog").weights(200, 1))) == 200


def test_another_seed_is_another_mask() -> None:
    for kind in ("binary", "ternary", "mls", "analog"):
        assert not np.array_equal(Mask(kind, 1).weights(40, 1), Mask(kind, 2).weights(40, 1))


def test_windows_of_a_maximum_length_sequence_are_distinct() -> None:
    """All but the window of one sign occur once: S. Golomb's property of these sequences."""
    sequence = Mask("mls").weights(63, 1).ravel() > 0
    turned = np.concatenate([sequence, sequence[:5]])
    windows = {tuple(turned[k : k + 6]) for k in range(63)}
    assert len(windows) == 63
    signs = 2.0 * sequence - 1
    products = [float(signs @ np.roll(signs, shift)) for shift in range(1, 63)]
    assert products == [-1.0] * 62  # two-level autocorrelation


def test_bad_masks_are_refused() -> None:
    with pytest.raises(DesignError, match=rf"^mask must be one of {', '.join(KINDS)}, not 'x'$"):
        Mask("x")
    with pytest.raises(DesignError, match=r"^seed of the mask must be at least 0, not -1$"):
        Mask("binary", -1)
