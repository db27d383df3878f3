"""Derivatives of every model against differences, and the blocks of layers in series."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.importing.network import Network, NetworkModel
from rchw.model import (
    DeepModel,
    EulerModel,
    EulerRingModel,
    FeedbackModel,
    MatrixModel,
    RingModel,
)
from rchw.model.recurrence import FloatModel
from rchw.model.scaling import random_dense, random_sparse

Values = NDArray[np.float64]
RNG = np.random.default_rng(5)


def into(n_inputs: int, n: int) -> Values:
    return RNG.normal(size=(n_inputs, n))


def leaky(n: int, n_inputs: int, activation: str = "tanh") -> MatrixModel:
    rates, gains = RNG.uniform(0.2, 1, n), RNG.uniform(0.5, 2, n)
    weights = random_dense(n, RNG, 0.6)
    return MatrixModel(weights, into(n_inputs, n), 0.1, rates, gains, activation)


def network() -> NetworkModel:
    arrays = {"W": random_dense(4, RNG), "W_in": into(4, 2), "bias": RNG.normal(size=4)}
    return NetworkModel(Network.of(arrays))


MODELS: dict[str, FloatModel | DeepModel] = {
    "ring": RingModel(topology.cycle_jumps(6, 0.8, 2, 0.3), into(2, 6), 0.2, 0.5),
    "no taps": RingModel([], into(1, 3)),
    "clip": leaky(5, 1, "clip"),
    "linear": leaky(5, 2, "linear"),
    "fermi": leaky(5, 2, "fermi"),
    "leaky": leaky(5, 2),
    "sparse": MatrixModel(random_sparse(12, 0.15, RNG), into(1, 12), leak_rate=0.7),
    "euler": EulerModel(random_dense(5, RNG), into(2, 5), 0.1, RNG.uniform(0.1, 1, 5), 0.2),
    "euler ring": EulerRingModel(0.7, into(1, 5), step=0.3),
    "network": network(),
    "deep": DeepModel([leaky(4, 2), RingModel(topology.cycle(3, 0.9), into(4, 3)), leaky(2, 5)]),
    "deep of deep": DeepModel([DeepModel([leaky(2, 1), leaky(3, 2)]), leaky(2, 5 + 1)]),
}


@pytest.mark.parametrize("name", MODELS)
def test_derivatives_are_limits_of_differences(name: str) -> None:
    """Central differences of one sample, along a run from any state."""
    model, step = MODELS[name], 1e-6
    n, k = model.n_units, model.n_inputs
    start, inputs = RNG.uniform(-0.5, 0.5, n), RNG.normal(size=(4, k)) * 0.4
    states = np.concatenate([start[None], model.run(inputs, start)])
    found = list(model.jacobians(inputs, start))
    assert len(found) == 4
    for t, (by_state, by_input) in enumerate(found):
        assert by_state.shape == (n, n) and by_input.shape == (n, k)
        for i, move in enumerate(np.eye(n) * step):
            up, down = (model.run(inputs[t : t + 1], states[t] + s * move)[0] for s in (1, -1))
            assert (up - down) / (2 * step) == pytest.approx(by_state[:, i], abs=1e-8)
        for c, move in enumerate(np.eye(k) * step):
            up, down = (model.run(inputs[t : t + 1] + s * move, states[t])[0] for s in (1, -1))
            assert (up - down) / (2 * step) == pytest.approx(by_input[:, c], abs=1e-8)


def test_a_clipped_unit_has_no_derivative() -> None:
    model = RingModel([], [[1.0, 1.0]], [0.0, 2.0], 0.25, "clip")
    by_state, by_input = next(model.jacobians([[0.5]]))
    assert np.array_equal(by_state, np.diag([0.75, 0.75]))
    assert np.array_equal(by_input, [[0.25], [0.0]])


def test_layers_in_series_are_triangular_in_blocks() -> None:
    """Eigenvalues of the whole are those of the layers."""
    model = MODELS["deep"]
    assert isinstance(model, DeepModel)
    for by_state, _ in model.jacobians(RNG.normal(size=(3, 2))):
        assert not by_state[:4, 4:].any() and not by_state[4:7, 7:].any()
        blocks = [by_state[:4, :4], by_state[4:7, 4:7], by_state[7:, 7:]]
        apart = np.concatenate([np.linalg.eigvals(block) for block in blocks])
        whole = np.linalg.eigvals(by_state)
        assert np.sort(np.abs(whole)) == pytest.approx(np.sort(np.abs(apart)), abs=1e-12)


def test_no_sample_has_no_derivative() -> None:
    assert list(leaky(3, 1).jacobians(np.zeros((0, 1)))) == []
    assert list(MODELS["deep"].jacobians(np.zeros((0, 2)))) == []


def test_recurrent_weights_are_those_that_act() -> None:
    weights = random_dense(4, RNG)
    gain = np.array([1.0, 2.0, 3.0, 4.0])
    assert np.array_equal(
        MatrixModel(weights, into(1, 4), gain=gain).recurrent_weights, gain[:, None] * weights
    )
    taps = topology.cycle_jumps(6, 0.8, 2, 0.3)
    assert np.array_equal(RingModel(taps, into(1, 6)).recurrent_weights, topology.dense(taps))


def test_a_loop_in_series_is_refused() -> None:
    loop = FeedbackModel(leaky(3, 2), lambda states: states[:, :1], 1)
    with pytest.raises(
        DesignError,
        match=r"layer 1 must be a model in floating point to have derivatives, not FeedbackModel",
    ):
        list(DeepModel([loop]).jacobians(np.zeros((1, 1))))
