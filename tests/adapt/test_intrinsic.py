"""Intrinsic plasticity: its slope is that of the divergence, and its targets are reached."""

import re
from typing import Any

import numpy as np
import pytest

from rchw.adapt import intrinsic_plasticity
from rchw.adapt.intrinsic import _numpy_pass, intrinsic_slope
from rchw.errors import DesignError
from rchw.model import DeepModel, MatrixModel
from rchw.model.recurrence import jitted
from tests.adapt.reservoirs import matrix, noise, ring

ACTIVATIONS: dict[str, tuple[Any, Any]] = {  # f, and the logarithm of f'
    "tanh": (np.tanh, lambda z: np.log(1 - np.tanh(z) ** 2)),
    "linear": (lambda z: z, lambda z: 0.0 * z),
    "fermi": (lambda z: 1 / (1 + np.exp(-z)), lambda z: -z - 2 * np.log1p(np.exp(-z))),
}


def divergence(activation: str, a: float, b: float, s: float, mu: float, sigma: float) -> float:
    """What a net input s adds to the divergence, up to what no gain or bias changes.

    The density of y = f(a s + b) is that of s over ``a f'``; its target is a Gaussian, of fermi an
    exponential: ``-ln(a f') - ln target(y)``.
    """
    function, log_slope = ACTIVATIONS[activation]
    y = function(a * s + b)
    surprise = y / mu if activation == "fermi" else (y - mu) ** 2 / (2 * sigma**2)
    return float(-np.log(a) - log_slope(a * s + b) + surprise)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_steps_follow_the_slope_of_the_divergence(activation: str) -> None:
    """One sample moves gain and bias of a unit down the numerical derivative, times the rate."""
    rng = np.random.default_rng(5)
    for _ in range(50):
        a, b, s = rng.uniform(0.3, 2), rng.uniform(-0.5, 0.5), rng.uniform(-1.5, 1.5)
        mu = rng.uniform(0.1, 0.4) if activation == "fermi" else rng.uniform(-0.3, 0.3)
        sigma, tiny, rate = float(rng.uniform(0.2, 0.6)), 1e-6, 1e-3
        gain, bias = np.array([a]), np.array([b])
        code = ["tanh", "clip", "linear", "fermi"].index(activation)
        table = np.zeros((1, 1))
        _numpy_pass(
            np.array([[s]]), np.zeros(1), table.astype(int), table, np.ones(1), code, gain, bias,
            rate, mu, sigma, 1e-3, np.zeros((2, 1)),
        )  # fmt: skip
        down = [
            -(divergence(activation, a + da, b + db, s, mu, sigma)
              - divergence(activation, a - da, b - db, s, mu, sigma)) / (2 * tiny)
            for da, db in ((tiny, 0.0), (0.0, tiny))
        ]  # fmt: skip
        np.testing.assert_allclose([gain[0] - a, bias[0] - b], rate * np.array(down), rtol=1e-5)


def deviations(model: Any, inputs: Any) -> Any:
    """Of every unit over a run, without its first samples."""
    return model.run(inputs)[200:].std(axis=0)


@pytest.mark.parametrize("activation", ["tanh", "clip"])
@pytest.mark.parametrize("std", [0.1, 0.2, 0.3])
def test_deviations_are_reached(std: float, activation: str) -> None:
    """Within 5 % on samples that the rule has not seen; too small and too large states alike."""
    model = matrix(60, activation=activation)
    adapted, history = intrinsic_plasticity(model, noise(2000), std=std)
    assert history.reached
    found = deviations(adapted, noise(4000, seed=1))
    assert found.mean() == pytest.approx(std, rel=0.05)
    assert found.std() < deviations(model, noise(4000, seed=1)).std() * std / 0.2 + 0.02
    assert abs(adapted.run(noise(4000, seed=1)).mean()) < 0.02
    values = history.layers[0].values
    assert values["std"][-1] == pytest.approx(found.mean(), rel=0.03)
    assert values["radius"][0] == pytest.approx(0.9, rel=1e-9)


def test_a_deviation_out_of_reach_is_said_to_be() -> None:
    """No gain makes tanh a Gaussian of deviation 0.8, for tanh is bounded by 1."""
    adapted, history = intrinsic_plasticity(matrix(), noise(1000), std=0.8)
    assert history.reached is False
    assert deviations(adapted, noise(2000, seed=1)).mean() < 0.7


@pytest.mark.parametrize("mean", [0.1, 0.2, 0.3])
def test_means_of_fermi_are_reached(mean: float) -> None:
    """Within 25 %; gains grow far above 1 where the inputs are weak, and the radius with them."""
    model = matrix(60, activation="fermi")
    adapted, history = intrinsic_plasticity(model, noise(2000), mean=mean)
    assert history.reached
    assert adapted.run(noise(4000, seed=1)).mean() == pytest.approx(mean, rel=0.25)
    assert history.layers[0].values["radius"][-1] > 2


def test_gains_do_not_fall_below_the_least() -> None:
    """A rate that overshoots is held at the clamp, from which gains come back."""
    model = matrix(20)
    strong = MatrixModel(model.weights, 20 * np.asarray(model.input_weights))
    adapted, history = intrinsic_plasticity(
        strong, noise(400), std=0.1, learning_rate=0.02, epochs=1, least_gain=0.05
    )
    assert isinstance(adapted, MatrixModel)
    gain = np.asarray(adapted.gain)
    assert gain.min() >= 0.05
    assert history.layers[0].values["gain_min"][-1] == gain.min()


@pytest.mark.parametrize("activation", ["tanh", "clip", "linear", "fermi"])
def test_compiled_and_plain_loops_agree(activation: str) -> None:
    if jitted(lambda: None) is None:
        pytest.fail("the tests need numba")
    model = matrix(15, density=0.4, leak_rate=0.6, activation=activation, radius=0.6)
    plain = MatrixModel(
        model.weights, model.input_weights, leak_rate=0.6, activation=activation, compiled=False
    )
    found = [
        intrinsic_plasticity(one, noise(200), epochs=2, tolerance=0.0)[0].run(noise(50))
        for one in (model, plain)
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-9)


def test_small_changes_end_it_early() -> None:
    _, history = intrinsic_plasticity(ring(), noise(500), tolerance=0.01)
    layer = history.layers[0]
    assert len(layer.steps) < 22 and "at most 0.01" in layer.stopped
    _, history = intrinsic_plasticity(ring(), noise(500), epochs=2, tolerance=0.0)
    assert history.layers[0].stopped == "all 2 epochs"
    assert history.layers[0].steps.tolist() == [0, 500, 1000]
    assert history.parameters["std"] == 0.2


def test_layers_in_series_each_reach_their_target() -> None:
    second = MatrixModel(matrix(30).weights, np.random.default_rng(3).uniform(-0.3, 0.3, (20, 30)))
    deep = DeepModel([ring(20), second])
    adapted, history = intrinsic_plasticity(deep, noise(1500), std=0.25, epochs=40)
    assert len(history.layers) == 2 and history.reached
    found = deviations(adapted, noise(3000, seed=2))
    for part in (found[:20], found[20:]):
        assert part.mean() == pytest.approx(0.25, rel=0.05)


def test_the_slope_vanishes_where_a_gaussian_is_met() -> None:
    """Mean of slopes over activations drawn from the target itself is 0, of clip and fermi."""
    rng = np.random.default_rng(2)
    y = rng.normal(0.1, 0.2, 400000)
    assert abs(intrinsic_slope("linear", y, 0.1, 0.2).mean()) < 0.03


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "rate": ({"learning_rate": 0.0}, "tanh", "learning rate must be above 0 and finite, not 0"),
    "std": ({"std": -0.1}, "tanh", "std must be above 0 and finite, not -0.1"),
    "mean": ({"mean": 1.0}, "tanh", "mean must be between -1 and 1, not 1"),
    "fermi mean": (
        {"mean": 0.0}, "fermi", "mean must be between 0 and 1 for activation fermi, not 0",
    ),
    "fermi std": ({"std": 0.1}, "fermi", "std must be left out for activation fermi, not 0.1"),
    "epochs": ({"epochs": 0}, "tanh", "epochs must be at least 1 and finite, not 0"),
    "tolerance": ({"tolerance": -1.0}, "tanh", "tolerance must be at least 0 and finite, not -1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters_are_refused(case: str) -> None:
    more, activation, words = BAD[case]
    with pytest.raises(DesignError, match=f"^{re.escape(words)}$"):
        intrinsic_plasticity(ring(activation=activation), noise(20), **more)


def test_divergence_of_gains_is_refused() -> None:
    with pytest.raises(DesignError, match=r"^adaptation must stay finite, not diverge in epoch 1$"):
        intrinsic_plasticity(matrix(activation="linear"), noise(500), learning_rate=1e3)
