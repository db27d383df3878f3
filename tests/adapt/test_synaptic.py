"""Synaptic plasticity: the algebra of every rule, and what the literature says of their ends."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.adapt.stopping import Stopping
from rchw.adapt.synaptic import anti_hebbian, anti_oja, bcm, hebbian, oja
from rchw.errors import DesignError
from rchw.model import DeepModel, MatrixModel
from tests.adapt.reservoirs import matrix, noise, ring, weights_of

Values = NDArray[np.float64]
APPLY: dict[str, Callable[[Values], Values]] = {
    "tanh": np.tanh,
    "clip": lambda s: np.clip(s, -1, 1),
    "linear": lambda s: s,
    "fermi": lambda s: 1 / (1 + np.exp(-s)),
}
RULES: dict[str, tuple[Callable[..., Any], Callable[[Values, Values, Values], Values]]] = {
    "hebbian": (hebbian, lambda x, y, w: np.outer(y, x)),
    "anti-hebbian": (anti_hebbian, lambda x, y, w: -np.outer(y, x)),
    "oja": (oja, lambda x, y, w: y[:, None] * (x[None, :] - y[:, None] * w)),
    "anti-oja": (anti_oja, lambda x, y, w: -y[:, None] * (x[None, :] - y[:, None] * w)),
    "bcm": (bcm, lambda x, y, w: np.outer(y * (y - 0.3), x)),
}


def by_hand(model: MatrixModel, inputs: Values, name: str, rate: float, keep: bool) -> Values:
    """Weights after one pass, by the formulas as they are printed, with matrix products."""
    weights, into = weights_of(model), np.asarray(model.input_weights)
    gain, leak = np.asarray(model.gain), np.asarray(model.leak_rate)
    there, norms = weights != 0, np.linalg.norm(weights, axis=1)
    state = np.zeros(len(weights))
    for u in inputs:
        target = APPLY[model.activation](gain * (weights @ state + u @ into) + model.bias)
        new = (1 - leak) * state + leak * target
        weights = np.where(there, weights + rate * RULES[name][1](state, new, weights), 0.0)
        if keep:
            weights *= (norms / np.linalg.norm(weights, axis=1))[:, None]
        state = new
    return weights


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("activation", APPLY)
@pytest.mark.parametrize("compiled", [True, False])
def test_a_pass_is_the_formula(name: str, activation: str, compiled: bool) -> None:
    """With leaks and gains of every unit, sparse connections, and rows that keep their norm or not.

    Connections that do not exist do not come to be.
    """
    keep = activation in ("clip", "fermi")
    model = matrix(
        12, 0.8, 0.4, seed=3, gain=np.linspace(0.6, 1.2, 12), bias=0.05,
        leak_rate=np.linspace(0.3, 1.0, 12), activation=activation, compiled=compiled,
    )  # fmt: skip
    inputs, more = noise(40, 7), {"threshold": 0.3} if name == "bcm" else {}
    adapted, history = RULES[name][0](model, inputs, learning_rate=0.02, normalise=keep, **more)
    found = weights_of(adapted)
    want = by_hand(model, inputs, name, 0.02, keep)
    np.testing.assert_allclose(found, want, rtol=1e-9, atol=1e-12)
    assert np.abs(found - weights_of(model)).max() > 1e-4
    assert np.array_equal(found != 0, weights_of(model) != 0)
    assert history.rule == name and history.layers[0].steps.tolist() == [0, 40]


def test_opposite_rules_take_opposite_steps() -> None:
    """While weights hardly change, an anti-rule goes as far as the rule, the other way."""
    model, inputs = matrix(10, 0.9, 0.5, seed=1), noise(30, 5)
    before = weights_of(model)
    for rule, other in ((hebbian, anti_hebbian), (oja, anti_oja)):
        there, back = (
            (weights_of(r(model, inputs, learning_rate=1e-7)[0]) - before) / 1e-7
            for r in (rule, other)
        )
        np.testing.assert_allclose(there, -back, rtol=0, atol=1e-5 * np.abs(there).max())
        assert np.abs(there).max() > 0.1


def relays(weights: Values, activation: str = "linear") -> MatrixModel:
    """Unit 0 reads units that only repeat an input each; it has none of its own."""
    n = len(weights)
    square = np.zeros((n + 1, n + 1))
    square[0, 1:] = weights
    return MatrixModel(square, np.eye(n, n + 1, 1), activation=activation)


def test_oja_finds_the_principal_component() -> None:
    """Weights of norm 1 along the first eigenvector of the correlations (Oja 1982)."""
    rng = np.random.default_rng(2)
    axes = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    inputs = rng.normal(size=(20_000, 4)) * [2.0, 1.0, 0.7, 0.4] @ axes.T
    adapted, history = oja(relays(np.full(4, 0.3)), inputs, learning_rate=1e-3)
    found = weights_of(adapted)[0, 1:]
    first = np.linalg.eigh(inputs.T @ inputs)[1][:, -1]
    assert abs(found @ first) == pytest.approx(1, abs=2e-3)
    assert np.linalg.norm(found) == pytest.approx(1, abs=0.02)
    assert history.layers[0].reached is None


def test_hebbian_weights_grow_with_the_variance() -> None:
    """``w = (1 + e x**2)**t`` under an input of constant square; anti-Hebbian weights fade so."""
    inputs = np.random.default_rng(0).choice([-0.5, 0.5], (201, 1))  # the first pair is too early
    for rule, sign in ((hebbian, 1), (anti_hebbian, -1)):
        adapted, _ = rule(relays(np.array([0.1])), inputs, learning_rate=0.05)
        want = 0.1 * (1 + sign * 0.05 * 0.25) ** 200
        assert weights_of(adapted)[0, 1] == pytest.approx(want, rel=1e-9)


def test_anti_oja_runs_away_from_the_norm_that_oja_keeps() -> None:
    inputs = np.random.default_rng(0).choice([-1.0, 1.0], (2000, 1))
    for start in (0.7, 1.5):
        stable = weights_of(oja(relays(np.array([start])), inputs, learning_rate=0.01)[0])
        assert stable[0, 1] == pytest.approx(1, abs=1e-6)
    fading, _ = anti_oja(relays(np.array([0.7])), inputs, learning_rate=0.01)
    assert abs(weights_of(fading)[0, 1]) < 1e-6
    with pytest.raises(DesignError, match=r"^learning rate of anti-oja must keep the weights fin"):
        anti_oja(relays(np.array([1.5])), inputs, learning_rate=0.01)


def test_bcm_becomes_selective() -> None:
    """Of two orthogonal inputs, each half of the time, one is answered with 2 and one with 0.

    The threshold slides with the mean square: at its fixed point ``y (y - theta) = 0`` for each
    input and ``theta = mean(y**2) = 1 / p`` (Intrator and Cooper 1992). Under one constant input
    the answer is 1.
    """
    rng = np.random.default_rng(4)
    patterns = np.eye(2)[rng.integers(0, 2, 40_000)]
    adapted, _ = bcm(relays(np.array([0.6, 0.5])), patterns, learning_rate=2e-3,
                     threshold_rate=2e-2)  # fmt: skip
    np.testing.assert_allclose(weights_of(adapted)[0, 1:], [2, 0], atol=0.05)
    one, _ = bcm(relays(np.array([0.4])), np.ones((5000, 1)), learning_rate=1e-2,
                 threshold_rate=0.1)  # fmt: skip
    assert weights_of(one)[0, 1] == pytest.approx(1, abs=1e-6)


def test_the_threshold_slides_from_the_mean_square_with_the_square() -> None:
    """By hand, and without a compiler as with one."""
    inputs = noise(60, 2)
    found = []
    for compiled in (True, False):
        model = matrix(8, 0.9, seed=6, compiled=compiled)
        adapted, _ = bcm(model, inputs, learning_rate=0.05, threshold_rate=0.1)
        found.append(weights_of(adapted))
    theta, weights = (model.run(inputs) ** 2).mean(axis=0), weights_of(model)
    x = np.zeros(8)
    for u in inputs:
        y = np.tanh(weights @ x + u @ np.asarray(model.input_weights))
        weights = weights + 0.05 * np.outer(y * (y - theta), x)
        theta, x = theta + 0.1 * (y**2 - theta), y
    for each in found:
        np.testing.assert_allclose(each, weights, rtol=1e-9, atol=1e-12)


def test_a_fixed_threshold_parts_growth_from_decay() -> None:
    for start, grows in ((0.4, False), (0.6, True)):
        model = relays(np.array([start]), "tanh")
        adapted, _ = bcm(model, np.full((50, 1), 0.8), learning_rate=0.01, threshold=0.32)
        assert (weights_of(adapted)[0, 1] > start) == grows


# --- Stopping ------------------------------------------------------------------------------------


def test_stopping_keeps_the_best_epoch_and_reads_no_more_than_it_was_given() -> None:
    model, inputs = matrix(20, 0.9, 0.3, seed=2), noise(600, 3)
    targets = np.roll(inputs, 4, axis=0)
    rule = Stopping(targets, patience=2)
    adapted, history = hebbian(model, inputs, learning_rate=2e-4, epochs=12, stopping=rule)
    (layer,) = history.layers
    errors = layer.values["error"]
    kept = int(np.argmin(errors))
    assert layer.stopped.endswith(f"weights of epoch {kept}")
    assert len(errors) == min(kept + 2, 12) + 1
    assert rule.error(adapted.run(inputs)) == pytest.approx(errors[kept], rel=1e-9)
    # The rule learnt from the first 450 samples alone.
    if kept:
        alone, _ = hebbian(model, inputs[:450], learning_rate=2e-4, epochs=kept)
        assert np.array_equal(weights_of(adapted), weights_of(alone))


def test_what_does_not_help_is_left_out() -> None:
    """Where every epoch makes it worse the reservoir comes back as it was."""
    model, inputs = matrix(20, 0.9, 0.3, seed=2), noise(600, 3)
    rule = Stopping(np.roll(inputs, 6, axis=0), patience=1)
    adapted, history = hebbian(model, inputs, learning_rate=1.0, epochs=5, stopping=rule)
    assert history.layers[0].stopped == "no less error in 1 epochs; weights of epoch 0"
    assert np.array_equal(weights_of(adapted), weights_of(model))


def test_the_error_is_that_of_least_squares_on_the_held_out_part() -> None:
    """States that hold the target to a rotation leave no error; noise alone leaves all of it."""
    rng = np.random.default_rng(1)
    states = rng.normal(size=(400, 5))
    rule = Stopping(states @ [1.0, -2.0, 0.5, 0.0, 1.0] + 3.0, washout=0)
    assert rule.error(states) < 1e-20
    assert 0.8 < rule.error(rng.normal(size=(400, 5))) < 1.3
    turned = states.copy()
    turned[300:] *= -1  # what is held out is not fitted: the readout says the opposite
    rule = Stopping(states @ [1.0, -2.0, 0.5, 0.0, 1.0], washout=0)
    assert rule.error(turned) == pytest.approx(4, rel=0.05)


def test_layers_in_series_and_rings_are_adapted_too() -> None:
    deep = DeepModel([ring(10), MatrixModel(np.eye(6) * 0.5, np.ones((10, 6)) * 0.2)])
    inputs = noise(300, 1)
    adapted, history = oja(deep, inputs, learning_rate=1e-3, epochs=2)
    assert isinstance(adapted, DeepModel) and len(history.layers) == 2
    assert [type(layer) for layer in adapted.layers] == [type(layer) for layer in deep.layers]
    assert not np.allclose(adapted.run(inputs), deep.run(inputs))
    first, second = history.layers
    assert first.values["radius"][0] == pytest.approx(0.9)
    assert second.values["norm"][0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m, u: oja(m, u, learning_rate=0),
         "learning rate must be above 0 and finite, not 0"),
        (lambda m, u: oja(m, u, epochs=0), "epochs must be at least 1 and finite, not 0"),
        (lambda m, u: oja(m, u[:, [0, 0]]), "inputs must have shape (T, 1), not (50, 2)"),
        (lambda m, u: bcm(m, u, threshold=np.nan), "threshold must be finite, not nan"),
        (lambda m, u: bcm(m, u, threshold_rate=2), "threshold rate must be at most 1, not 2"),
        (lambda m, u: oja(m, u, stopping=Stopping(u[1:])),
         "targets must be one per input, 50, not 49"),
        (lambda m, u: oja(m, u, stopping=Stopping(u)),
         "washout must leave at least 2 of the 38 samples that are learnt from, and 2 must be held "
         "out of 50, not 100 and 12"),
        (lambda m, u: Stopping(u, held_out=1), "held_out must be between 0 and 1, not 1"),
        (lambda m, u: Stopping(u, patience=0), "patience must be at least 1, not 0"),
    ],
)  # fmt: skip
def test_refused(call: Callable[..., Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=f"^{re.escape(sentence)}$"):
        call(matrix(10), noise(50))
