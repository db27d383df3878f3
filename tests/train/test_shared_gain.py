"""The RLS core: the ridge of the same samples, the error after an update, the same bits."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.train.rls import RecursiveLeastSquares
from rchw.train.shared_gain import SharedGain, weighted_sums

Drawn = tuple[np.ndarray, np.ndarray]


def _samples(seed: int = 3) -> Drawn:
    rng = np.random.default_rng(seed)
    states = rng.uniform(-1, 1, (120, 9))
    return states, states @ rng.standard_normal((9, 4)) + 0.1 * rng.standard_normal((120, 4))


@pytest.mark.parametrize("compiled", [True, False])
def test_the_weights_are_those_of_the_ridge_over_the_same_samples(compiled: bool) -> None:
    """``(R'R + alpha I) w = R'f``, and P the inverse of the first factor."""
    states, targets = _samples()
    gain, weights = SharedGain(9, 0.7, compiled), np.zeros((9, 4))
    for state, target in zip(states, targets, strict=True):
        gain.update(state, weights, state @ weights - target)
    matrix = states.T @ states + 0.7 * np.eye(9)
    assert np.allclose(weights, np.linalg.solve(matrix, states.T @ targets), rtol=0, atol=1e-12)
    assert np.allclose(gain.inverse, np.linalg.inv(matrix), rtol=0, atol=1e-12)
    assert np.array_equal(gain.inverse, gain.inverse.T)


def test_it_is_the_rule_of_the_readouts_without_forgetting() -> None:
    states, targets = _samples()
    gain, weights = SharedGain(9, 0.7), np.zeros((9, 4))
    other = RecursiveLeastSquares(9, 4, ridge=0.7)
    for state, target in zip(states, targets, strict=True):
        gain.update(state, weights, state @ weights - target)
    other.update(states, targets)
    assert np.allclose(weights, other.weights, rtol=0, atol=1e-12)


def test_the_error_after_an_update_is_the_one_before_times_the_ratio() -> None:
    """``e_+ = e_- / (1 + r'Pr)`` with P before the update; the change of the weights likewise."""
    states, targets = _samples()
    gain, weights = SharedGain(9, 0.01), np.zeros((9, 4))
    for state, target in zip(states, targets, strict=True):
        expected = 1 / (1 + state @ gain.inverse @ state)
        errors, old = state @ weights - target, weights.copy()
        ratio, move = gain.update(state, weights, errors)
        assert ratio == pytest.approx(expected, rel=1e-12)
        assert np.allclose(state @ weights - target, errors * ratio, rtol=0, atol=1e-13)
        assert move == pytest.approx(np.linalg.norm(weights - old), rel=1e-9)


def test_compiled_and_not_give_the_same_bits() -> None:
    states, targets = _samples()
    found = []
    for compiled in (True, False):
        gain, weights = SharedGain(9, 1.0, compiled), np.zeros((9, 4))
        for state, target in zip(states, targets, strict=True):
            errors = weighted_sums(weights, state, compiled) - target
            gain.update(state, weights, errors)
        found.append((weights, gain.inverse))
    assert np.array_equal(found[0][0], found[1][0]) and np.array_equal(found[0][1], found[1][1])


def test_what_cannot_be_positive_is_refused() -> None:
    for alpha in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(DesignError, match=r"^alpha must be above 0 and finite, not"):
            SharedGain(3, alpha)
    gain = SharedGain(3, 1.0)
    gain.triangle *= -1
    with pytest.raises(DesignError, match=r"^alpha must leave recursive least squares positive"):
        gain.update(np.ones(3), np.zeros((3, 1)), np.ones(1))
