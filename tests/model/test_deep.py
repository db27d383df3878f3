"""Layers in series: the recurrence by hand, one sample for all layers, and the spectrum."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.model import DeepModel, EulerRingModel, MatrixModel, RingModel, split_units
from rchw.model.scaling import random_dense, scale_radius

Values = NDArray[np.float64]


def layer(n: int, n_inputs: int, seed: int, activation: str = "tanh") -> MatrixModel:
    """Make a layer with a leak of its own."""
    rng = np.random.default_rng(seed)
    weights = scale_radius(random_dense(n, rng), 0.8)
    into = rng.normal(size=(n_inputs, n)) / np.sqrt(n_inputs)
    return MatrixModel(weights, into, leak_rate=rng.uniform(0.3, 1.0), activation=activation)


def deep(sizes: tuple[int, ...], n_inputs: int, activation: str = "tanh") -> DeepModel:
    """Make layers of some sizes, each of which reads the one before."""
    layers = [layer(sizes[0], n_inputs, 1, activation)]
    layers += [
        layer(size, before, seed, activation)
        for seed, (before, size) in enumerate(pairwise(sizes), 2)
    ]
    return DeepModel(layers)


def test_layers_read_the_same_sample() -> None:
    """Sample by sample: what a layer has become drives the next one at once."""
    model = deep((5, 4, 3), 2)
    inputs = np.random.default_rng(3).normal(size=(20, 2))
    now = [np.zeros(5), np.zeros(4), np.zeros(3)]
    want = []
    for u in inputs:
        drive = u
        for index, each in enumerate(model.layers):
            now[index] = each.run(drive[None], now[index])[0]
            drive = now[index]
        want.append(np.concatenate(now))
    assert np.array_equal(model.run(inputs), want)
    assert model.n_units == 12 and model.n_inputs == 2


def test_an_input_reaches_the_last_layer_at_once() -> None:
    states = deep((5, 4, 3), 1).run([1.0, 0.0])
    assert (states[0] != 0).all()


def test_one_layer_is_that_layer() -> None:
    one = layer(6, 2, 4)
    inputs, state = np.random.default_rng(5).normal(size=(20, 2)), np.full(6, 0.5)
    assert np.array_equal(DeepModel([one]).run(inputs, state), one.run(inputs, state))


def test_layers_may_read_the_inputs_too_and_be_of_any_kind() -> None:
    ring = RingModel(topology.cycle(5, 0.8), np.ones((1, 5)) * 0.5)
    wide = layer(4, 6, 6)  # five units before it, and the input
    last = EulerRingModel(0.5, np.ones((4, 3)) * 0.1)
    inputs = np.random.default_rng(7).normal(size=30)
    first = ring.run(inputs)
    second = wide.run(np.column_stack([first, inputs]))
    want = np.concatenate([first, second, last.run(second)], axis=1)
    assert np.array_equal(DeepModel([ring, wide, last]).run(inputs), want)
    nested = DeepModel([DeepModel([ring, wide]), EulerRingModel(0.5, np.ones((9, 3)) * 0.1)])
    assert np.array_equal(nested.run(inputs)[:, :9], want[:, :9])


@pytest.mark.parametrize("sizes", [(6,), (5, 4), (4, 4, 4), (7, 2, 5)])
def test_spectrum_is_the_union_of_those_of_the_layers(sizes: tuple[int, ...]) -> None:
    """Of the linear map of all states, read off the model one unit at a time."""
    model = deep(sizes, 1, "linear")
    n = model.n_units
    jacobian = np.column_stack([model.run([0.0], unit)[0] for unit in np.eye(n)])
    assert not np.triu(jacobian, max(sizes)).any()
    found = list(np.linalg.eigvals(jacobian))
    for each in model.layers:
        assert isinstance(each, MatrixModel)
        leak = float(np.asarray(each.leak_rate))
        for value in np.linalg.eigvals(
            (1 - leak) * np.eye(each.n_units) + leak * np.asarray(each.weights)
        ):
            nearest = min(range(len(found)), key=lambda k: abs(found[k] - value))
            assert abs(found.pop(nearest) - value) < 1e-8
    assert not found


@given(st.integers(1, 500), st.integers(1, 30))
def test_units_are_split_and_the_rest_is_in_front(n: int, layers: int) -> None:
    if n < layers:
        with pytest.raises(DesignError, match=f"^number of units must be at least {layers}, not "):
            split_units(n, layers)
        return
    sizes = split_units(n, layers)
    assert len(sizes) == layers and sum(sizes) == n
    assert set(sizes[1:]) <= {n // layers}


def test_the_rest_is_not_spread() -> None:
    assert split_units(11, 4) == (5, 2, 2, 2)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no layers": (lambda: DeepModel([]), r"^layers must be one or more, not none$"),
    "no split": (lambda: split_units(5, 0), r"^number of layers must be at least 1, not 0$"),
    "inputs": (
        lambda: DeepModel([layer(5, 2, 1), layer(4, 6, 2)]),
        r"^inputs of layer 2 must be 5, or 7 with those of the first, not 6$",
    ),
    "channels": (
        lambda: deep((5, 4), 2).run(np.zeros((3, 1))),
        r"^inputs must have shape \(T, 2\), not \(3, 1\)$",
    ),
    "state": (
        lambda: deep((5, 4), 2).run(np.zeros((3, 2)), np.zeros(5)),
        r"^state must have shape \(9,\), not \(5,\)$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
