"""A layer taken apart computes what its model computes, and comes back as it was."""

import re
from typing import Any

import numpy as np
import pytest

from rchw.adapt.history import LayerHistory
from rchw.adapt.layer import Layer, each_layer
from rchw.errors import DesignError
from rchw.model import DeepModel, EulerModel, MatrixModel, RingModel
from rchw.topology import cycle_jumps
from tests.adapt.reservoirs import matrix, noise, ring

GAIN = np.linspace(0.5, 1.5, 20)
MODELS: dict[str, MatrixModel | RingModel] = {
    "dense": matrix(20, gain=GAIN, bias=0.1, leak_rate=0.5),
    "sparse": matrix(20, density=0.2, gain=GAIN, bias=-0.1),
    "ring": ring(20, gain=GAIN, bias=np.linspace(-0.2, 0.2, 20)),
    "jumps": RingModel(cycle_jumps(20, 0.7, 5, 0.2), np.ones((2, 20)), gain=GAIN),
    "delay": RingModel([], np.ones((1, 20)), bias=0.3),
}


def states(layer: Layer, inputs: Any) -> Any:
    """States by the law of `Layer`, one sample after the other."""
    x, rows = np.zeros(layer.n_units), []
    for row in layer.drive(inputs):
        net = row + (layer.weights * x[layer.sources]).sum(axis=0)
        x = x + layer.leak_rate * (np.tanh(layer.gain * net + layer.bias) - x)
        rows.append(x)
    return np.array(rows)


@pytest.mark.parametrize("name", MODELS)
def test_a_layer_is_its_model(name: str) -> None:
    model = MODELS[name]
    layer, inputs = Layer.of(model), noise(60, channels=model.n_inputs)
    np.testing.assert_allclose(states(layer, inputs), model.run(inputs), atol=1e-12)
    np.testing.assert_array_equal(layer.rebuild().run(inputs), model.run(inputs))


@pytest.mark.parametrize("name", MODELS)
def test_what_is_changed_comes_back(name: str) -> None:
    """Other weights, gains and biases in the table are those of the model that is rebuilt."""
    model = MODELS[name]
    layer, inputs = Layer.of(model), noise(60, channels=model.n_inputs)
    changed = layer.with_(
        weights=layer.weights * np.where(layer.present, -0.7, 1.0),
        gain=layer.gain + 0.1,
        bias=layer.bias - 0.05,
    )
    np.testing.assert_allclose(changed.rebuild().run(inputs), states(changed, inputs), atol=1e-12)
    assert np.abs(changed.rebuild().run(inputs) - model.run(inputs)).max() > 0.01


def test_absent_connections_stay_absent() -> None:
    """What only fills up the table of a sparse matrix is no connection, whatever is written."""
    layer = Layer.of(matrix(20, density=0.2))
    assert not layer.present.all()
    full = layer.with_(weights=np.ones_like(layer.weights)).matrix()
    np.testing.assert_array_equal(full != 0, layer.matrix() != 0)


def test_the_radius_counts_the_gains() -> None:
    """Of a ring it is the geometric mean of weights times gains."""
    layer = Layer.of(MODELS["ring"])
    assert layer.radius() == pytest.approx(0.9 * np.exp(np.log(GAIN).mean()), rel=1e-9)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("lost", [False, True])
def test_the_radius_is_that_of_the_eigenvalues(name: str, lost: bool) -> None:
    """On one closed path too, also where a weight is 0 and cuts it."""
    layer = Layer.of(MODELS[name])
    if lost:
        layer = layer.with_(weights=layer.weights * (np.arange(20) != 3))
    wanted = np.abs(np.linalg.eigvals(layer.gain[:, None] * layer.matrix())).max()
    assert layer.radius() == pytest.approx(wanted, rel=1e-9)


def test_a_tap_that_shares_a_divisor_closes_several_paths() -> None:
    """Of 20 units, every fourth: the radius is the largest of four geometric means."""
    gain = np.tile([0.5, 0.7, 0.9, 0.6], 5)
    layer = Layer.of(RingModel([(4, np.ones(20))], np.ones((1, 20)), gain=gain))
    assert layer.radius() == pytest.approx(0.9, rel=1e-9)


def test_layers_in_series_are_driven_by_adapted_ones() -> None:
    """The second layer gets the states of the first as it has become, and the inputs beside."""
    first = ring(6)
    second = matrix(6)
    reads = np.concatenate([np.eye(6), np.ones((1, 6))])
    deep = DeepModel([first, MatrixModel(second.weights, reads)])
    inputs, seen = noise(30), []

    def double(layer: Layer, signal: Any) -> tuple[Layer, LayerHistory]:
        seen.append(signal)
        one = np.ones(1)
        history = LayerHistory(np.zeros(1, dtype=np.int64), {"gain": one}, "at once", None)
        return layer.with_(gain=2 * layer.gain), history

    adapted, histories = each_layer(deep, inputs, double)
    doubled = RingModel(first.taps, first.input_weights, gain=2.0)
    np.testing.assert_array_equal(seen[0], inputs)
    np.testing.assert_array_equal(seen[1], np.concatenate([doubled.run(inputs), inputs], axis=1))
    assert isinstance(adapted, DeepModel) and len(histories) == 2
    np.testing.assert_array_equal(adapted.run(inputs)[:, :6], doubled.run(inputs))


BAD: dict[str, tuple[Any, Any, str]] = {
    "euler": (
        EulerModel(np.ones((3, 3)), np.ones((1, 3))), noise(5),
        "reservoir to adapt must be a MatrixModel, a RingModel or a DeepModel of those, not a "
        "EulerModel",
    ),
    "shape": (ring(), np.zeros((5, 2)), "inputs must have shape (T, 1), not (5, 2)"),
    "empty": (ring(), np.zeros((0, 1)), "inputs must have shape (T, 1), not (0, 1)"),
    "nan": (ring(), [0.0, np.nan], "inputs must be finite, not NaN or infinite"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str) -> None:
    reservoir, inputs, words = BAD[case]
    with pytest.raises(DesignError, match=f"^{re.escape(words)}$"):
        each_layer(reservoir, inputs, lambda layer, signal: pytest.fail("called"))
