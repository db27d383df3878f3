"""Phase-transition adaptation comes to the largest exponent that the inputs allow."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.adapt import phase_transition
from rchw.adapt.transition import _loop
from rchw.errors import DesignError
from rchw.metrics.lyapunov import local_lyapunov
from rchw.model import DeepModel, MatrixModel, RingModel
from rchw.topology import cycle, delay_line
from tests.adapt.reservoirs import matrix, noise, ring

Values = NDArray[np.float64]


def exponent(model: Any, inputs: Values) -> float:
    """Largest true exponent, by the Jacobians along a run."""
    return float(local_lyapunov(model, inputs, "qr", n_exponents=1)[0])


@pytest.mark.parametrize("start", [0.5, 2.0])
@pytest.mark.parametrize("scaling", [0.1, 0.4, 1.0])
def test_a_driven_ring_comes_to_its_maximum(scaling: float, start: float) -> None:
    """Within 0.05 of the largest exponent that any common gain gives, from below and from above.

    It is not 0: gains beyond the maximum saturate the units that they were to make alive.
    """
    model, inputs = ring(24, 1.0, input_scaling=scaling, gain=start), noise(1000)
    unseen = noise(700, seed=1)
    adapted, history = phase_transition(model, inputs, epochs=60)
    grid = [exponent(replace(model, gain=g), unseen) for g in np.linspace(0.5, 2.0, 16)]
    found = exponent(adapted, unseen)
    assert found > max(grid) - 0.05
    assert exponent(model, unseen) < max(grid) - 0.05, "the start must not be there already"
    growth = history.layers[0].values["growth"]
    assert growth[-1] == pytest.approx(found, abs=0.05), "on a cycle growth is the exponent"
    assert history.reached == (abs(growth[-1]) <= 0.05)


def test_strong_inputs_keep_a_ring_from_the_edge() -> None:
    """And the history says so."""
    model = ring(24, 1.0, input_scaling=1.0)
    _, history = phase_transition(model, noise(1000))
    assert history.reached is False


@pytest.mark.parametrize("start", [0.5, 2.5])
def test_a_weakly_driven_matrix_comes_to_the_edge(start: float) -> None:
    """From forgetting and from chaos alike, to a true exponent within 0.05 of 0."""
    drawn = matrix(40, 1.0, seed=3)
    model = MatrixModel(drawn.weights, 0.2 * np.asarray(drawn.input_weights), gain=start)
    inputs = noise(1000)
    assert abs(exponent(model, inputs)) > 0.1
    adapted, history = phase_transition(model, inputs, epochs=40)
    assert abs(exponent(adapted, noise(700, seed=1))) < 0.05
    assert history.reached


def test_linear_units_come_to_a_radius_of_one() -> None:
    """Of a linear cycle the exponent is the logarithm of its radius, whatever drives it."""
    model = ring(10, 0.6, activation="linear")
    adapted, history = phase_transition(model, noise(1000), learning_rate=5e-3, tolerance=1e-5)
    assert history.layers[0].values["radius"][[0, -1]] == pytest.approx([0.6, 1.0], abs=0.005)
    assert exponent(adapted, noise(300)) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("activation", ["tanh", "fermi"])
def test_leaks_and_fermi_come_to_their_maximum_too(activation: str) -> None:
    """On a leaky cycle the largest eigenvalue of a Jacobian is about ``1 - a + a g rho f'``."""
    model = ring(16, 1.0, leak_rate=0.5, activation=activation)
    inputs, unseen = noise(1000), noise(500, seed=1)
    adapted, history = phase_transition(model, inputs, learning_rate=5e-3, epochs=60)
    grid = [exponent(replace(model, gain=g), unseen) for g in np.linspace(0.5, 6.0, 23)]
    assert exponent(adapted, unseen) > max(grid) - 0.05
    growth = history.layers[0].values["growth"]
    assert growth[-1] > growth[0]


def test_without_what_units_send_along_it_overshoots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slope at a fixed net input is the wrong one: gains run past the maximum of a ring."""
    model, inputs = ring(24, 1.0, compiled=False), noise(400)
    good = phase_transition(model, inputs, learning_rate=3e-3)[1].layers[0].values["growth"][-1]
    monkeypatch.setattr("rchw.adapt.transition._STEEPEST", 0.0)
    bad = phase_transition(model, inputs, learning_rate=3e-3)[1].layers[0].values
    assert bad["growth"][-1] < good - 0.1
    assert bad["gain_median"][-1] > 1.2


@pytest.mark.parametrize("activation", ["tanh", "linear", "fermi"])
def test_compiled_and_plain_loops_agree(activation: str) -> None:
    model = matrix(12, 0.7, density=0.4, leak_rate=0.6, activation=activation)
    plain = replace(model, compiled=False)
    found = [
        phase_transition(one, noise(200), epochs=2, tolerance=0.0)[0].run(noise(50))
        for one in (model, plain)
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_gain_does_not_collapse_in_saturation(compiled: bool) -> None:
    """Far in it slopes are huge and the mean lags: a sample moves ln a by 10 eta at most."""
    gain, one = np.array([5.0]), np.ones(1)
    _loop(compiled)(
        np.full((100, 1), 20.0), one.copy(), 10 * one, -27 * one, np.zeros((1, 1), dtype=np.int64),
        np.ones((1, 1)), one, 0, gain, 0 * one, 1.0, 1e-3, 0.01, np.zeros((3, 1)),
    )  # fmt: skip
    assert gain[0] == pytest.approx(5 * np.exp(-100 * 10 * 1e-3), rel=1e-9)


def test_layers_in_series_are_adapted_one_by_one() -> None:
    reads = np.diag(np.full(12, 0.3))
    deep = DeepModel([ring(12, 0.6), RingModel(cycle(12, 0.6), reads)])
    _, history = phase_transition(deep, noise(500), epochs=40)
    assert len(history.layers) == 2
    for layer in history.layers:
        assert layer.values["growth"][-1] > layer.values["growth"][0] + 0.1


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "clip": (
        ring(activation="clip"), {},
        "activation must be tanh, linear or fermi, of integers pwl or table, for phase-transition, "
        "not clip",
    ),
    "open": (
        RingModel(delay_line(5, 0.5), np.ones((1, 5))), {},
        "spectral radius to adapt must be above 0, not 0",
    ),
    "gain": (ring(gain=0.0), {}, "gain must be above 0 to be adapted, not 0"),
    "averaging": (ring(), {"averaging": 2.0}, "averaging must be at most 1, not 2"),
    "rate": (ring(), {"learning_rate": -1.0}, "learning rate must be above 0 and finite, not -1"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    model, more, words = BAD[case]
    with pytest.raises(DesignError, match=f"^{re.escape(words)}$"):
        phase_transition(model, noise(20), **more)
