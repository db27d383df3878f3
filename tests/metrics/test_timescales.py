"""Time scales and spectra of layers whose decay and power are known."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.metrics import layer_spectra, layer_timescales
from rchw.model import DeepModel, MatrixModel
from rchw.model.scaling import random_dense, scale_radius

Values = NDArray[np.float64]


def noise(samples: int, seed: int = 0) -> Values:
    return np.random.default_rng(seed).uniform(-1, 1, (samples, 1))


def integrators(leaks: list[float]) -> MatrixModel:
    """Units that read the input alone, each a layer of its own."""
    n = len(leaks)
    return MatrixModel(np.zeros((n, n)), np.ones((1, n)), leak_rate=leaks, activation="linear")


def deep(layers: int, n: int = 20) -> DeepModel:
    rng, models = np.random.default_rng(1), []
    for before, size in pairwise((1, *[n] * layers)):
        weights = scale_radius(random_dense(size, rng), 0.9)
        into = rng.uniform(-1, 1, (before, size)) / np.sqrt(before)
        models.append(MatrixModel(weights, into, leak_rate=0.5))
    return DeepModel(models)


def test_integrators_forget_as_their_leak() -> None:
    """A change is ``(1 - a)^h`` h samples later: below 1 % from ``ln 0.01 / ln(1 - a)`` on."""
    leaks = [0.1, 0.5, 0.8]
    found = layer_timescales(integrators(leaks), noise(200), [1, 1, 1], horizon=80)
    for column, leak in zip(found.distances.T, leaks, strict=True):
        assert column == pytest.approx((1 - leak) ** np.arange(80), abs=1e-9)
    want = [np.ceil(np.log(0.01) / np.log(1 - leak)) for leak in leaks]
    assert found.samples.tolist() == pytest.approx(want)
    assert want == [44, 7, 3]
    short = layer_timescales(integrators([0.1]), noise(200), horizon=10)
    assert short.samples.tolist() == [10]


def test_later_layers_feel_a_change_longer() -> None:
    """Gallicchio, Micheli, Pedrelli 2017: time scales grow from layer to layer."""
    found = layer_timescales(deep(4), noise(400), [20] * 4, horizon=200, threshold=0.05)
    assert (np.diff(found.samples) > 0).all()
    # The first layer has its peak at once, later ones the later.
    peaks = np.argmax(found.distances, axis=0)
    assert (np.diff(peaks) >= 0).all() and peaks[-1] > peaks[0]


def test_later_layers_are_slower() -> None:
    signal = noise(4200)
    found = layer_spectra(deep(4).run(signal)[200:], [20] * 4)
    assert (np.diff(found.centroids) < 0).all()


def test_power_adds_up_to_the_variance() -> None:
    states = np.random.default_rng(2).normal(size=(20_000, 3)) * [1.0, 2.0, 2.0]
    found = layer_spectra(states, [1, 2])
    assert found.power.sum(axis=1) == pytest.approx([1, 4], rel=0.05)
    assert found.frequencies[[0, -1]].tolist() == [0, 0.5]
    assert found.centroids == pytest.approx([0.25, 0.25], abs=0.01)  # white


def test_a_sine_is_found_at_its_frequency() -> None:
    states = np.sin(2 * np.pi * 0.125 * np.arange(2000))[:, None]
    found = layer_spectra(states)
    assert found.frequencies[np.argmax(found.power[0])] == 0.125
    assert found.power.sum() == pytest.approx(0.5, rel=0.01)


def test_an_integrator_filters_white_noise() -> None:
    """Power of ``x(t) = (1 - a) x(t-1) + a u(t)``: ``a^2 / |1 - (1 - a) exp(-i w)|^2``."""
    signal = noise(60_000, 4)
    found = layer_spectra(integrators([0.3]).run(signal)[100:], segment=64)
    w = 2 * np.pi * found.frequencies
    want = 0.09 / np.abs(1 - 0.7 * np.exp(-1j * w)) ** 2 * (1 / 3) * (2 / 64)
    assert found.power[0][2:-1] == pytest.approx(want[2:-1], rel=0.15)


def test_refused_with_the_reason() -> None:
    model, signal = integrators([0.5, 0.5]), noise(50)
    with pytest.raises(DesignError, match=r"^units of layers must add up to 2, not be \(1, 2\)$"):
        layer_timescales(model, signal, [1, 2])
    with pytest.raises(DesignError, match=r"^threshold must lie between 0 and 1"):
        layer_timescales(model, signal, threshold=1.0)
    with pytest.raises(DesignError, match=r"^run must have at least 200 samples, not 50$"):
        layer_timescales(model, signal)
    with pytest.raises(DesignError, match=r"^inputs must vary for a time scale"):
        layer_timescales(model, np.ones((200, 1)))
    deaf = MatrixModel(np.eye(2), [[1.0, 0.0]])
    with pytest.raises(DesignError, match=r"^layer 2 must feel a change of the input, not none$"):
        layer_timescales(deaf, noise(200), [1, 1])
    with pytest.raises(DesignError, match=r"^states must have shape \(T, N\) and a segment from 4"):
        layer_spectra(signal)
    with pytest.raises(DesignError, match=r"^layer 1 must vary for a spectrum"):
        layer_spectra(np.ones((300, 2)))
