"""Models of reservoirpy: what is imported runs as they do, and what cannot be is named."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import reservoirpy
from reservoirpy.nodes import (
    LIF,
    RLS,
    Input,
    IPReservoir,
    Output,
    Reservoir,
    Ridge,
    Softmax,
)
from scipy import sparse

from rchw.errors import DesignError
from rchw.importing import Network, NetworkModel, from_reservoirpy
from rchw.importing.pickles import read_pickle
from tests.importing.make_old_model import PLACE

N = 12
STEPS = np.arange(160)
SERIES = np.stack([np.sin(STEPS / 4.0), np.cos(STEPS / 7.0) ** 3], axis=1)


def reservoir(**more: Any) -> Any:
    return Reservoir(**{"units": N, "lr": 0.5, "sr": 0.9, "rc_connectivity": 0.3, "seed": 1} | more)


def by_columns() -> Any:
    rng = np.random.default_rng(2)
    weights = sparse.random_array((N, N), density=0.3, rng=rng, format="csc")
    return Reservoir(W=weights, Win=rng.normal(size=(N, 2)), bias=rng.normal(size=N))


MODELS: dict[str, Callable[[], Any]] = {
    "sparse": lambda: reservoir() >> Ridge(ridge=1e-4),
    "without a bias": lambda: reservoir() >> Ridge(ridge=1e-4, fit_bias=False),
    "leaks": lambda: reservoir(lr=np.linspace(0.1, 1.0, N)) >> Ridge(ridge=1e-4),
    "linear": lambda: reservoir(activation="identity", sr=0.5) >> Ridge(ridge=1e-4),
    "numpy": lambda: reservoir(activation=np.tanh) >> Ridge(ridge=1e-4),
    "by columns": lambda: by_columns() >> Ridge(ridge=1e-4),
    "inputs last": lambda: reservoirpy.ESN(units=N, input_to_readout=True, ridge=1e-4, seed=4),
    "recursive": lambda: reservoir() >> RLS(alpha=1e-2),
    "plastic": lambda: (
        IPReservoir(N, sr=0.8, epochs=2, seed=5, name="a") >> Ridge(ridge=1e-4, name="b")
    ),
}


def inputs_first() -> Any:
    source, states = Input(), reservoir()
    return [source, source >> states] >> Ridge(ridge=1e-4)


MODELS["inputs first"] = inputs_first


def fitted(name: str) -> Any:
    model = MODELS[name]()
    if name == "plastic":  # each by itself: a model of both asks for targets of both
        plastic, readout = model.nodes
        readout.fit(plastic.fit(SERIES).run(SERIES[:-1]), SERIES[1:])
        return model
    model.fit(SERIES[:-1], SERIES[1:], warmup=20)
    return model


def run_of(model: Any) -> tuple[Any, Any]:
    """States and outputs of a model from states of 0."""
    for node in model.nodes:
        node.reset()
    outputs = model.run(SERIES)
    inner = next(node for node in model.nodes if isinstance(node, Reservoir | IPReservoir))
    inner.reset()
    return inner.run(SERIES), outputs


def same(network: Network, states: Any, outputs: Any) -> None:
    found = NetworkModel(network).run(SERIES)
    assert np.abs(found - states).max() < 1e-9
    given = network.outputs(found, SERIES)
    assert network.output_weights is not None
    assert np.abs(given - outputs).max() < 1e-9 * max(1.0, np.abs(network.output_weights).max())


@pytest.mark.parametrize("name", MODELS)
def test_an_imported_model_runs_as_its_own(name: str) -> None:
    model = fitted(name)
    states, outputs = run_of(model)
    same(from_reservoirpy(model), states, outputs)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        content = pickle.dumps(model, protocol=protocol)
        same(from_reservoirpy(read_pickle(content, "model")), states, outputs)


def test_a_reservoir_alone() -> None:
    model = reservoir()
    states = model.run(SERIES)
    network = from_reservoirpy(model)
    assert network.n_outputs is None
    assert np.abs(NetworkModel(network).run(SERIES) - states).max() < 1e-12


def test_a_model_of_an_old_version() -> None:
    with np.load(PLACE) as stored:
        network = from_reservoirpy(read_pickle(stored["model"].tobytes(), "old"))
        found = network.outputs(NetworkModel(network).run(stored["inputs"]), stored["inputs"])
        assert network.output_input_weights is not None
        assert np.abs(found - stored["outputs"]).max() < 1e-9


def test_what_is_left_out_is_listed() -> None:
    states = reservoir()
    model = (states >> RLS(alpha=1e-2, name="readout")) & (states >> Output(name="probe"))
    model.fit(SERIES[:-1], SERIES[1:])
    left_out = from_reservoirpy(model).left_out
    assert [text.split(":")[0] for text in left_out] == [
        "learning of the RLS", "an Output node", "the state in which the model was left"
    ]  # fmt: skip


def own(values: Any) -> Any:
    return np.tanh(values)


def feedback() -> Any:
    states, readout = reservoir(), Ridge(ridge=1e-4)
    return (states >> readout) & (states << readout)


FAULTS: dict[str, tuple[Callable[[], Any], str]] = {
    "feedback": (feedback, "feedback from readout to reservoir"),
    "sigmoid": (lambda: reservoir(activation="sigmoid") >> Ridge(), "the activation sigmoid"),
    "own function": (lambda: reservoir(activation=own) >> Ridge(), "the activation own"),
    "spikes": (lambda: LIF(N, seed=1) >> Ridge(), "a node LIF, 0 reservoirs"),
    "in series": (lambda: reservoir() >> reservoir() >> Ridge(), "2 reservoirs"),
    "softmax": (lambda: reservoir() >> Ridge() >> Softmax(), "a node Softmax"),
    "a leak inside": (
        lambda: IPReservoir(N, lr=0.5, seed=1, name="a") >> Ridge(name="b"),
        "a leak before the",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_mapped_is_named(name: str) -> None:
    make, sentence = FAULTS[name]
    model = make()
    with pytest.raises(DesignError, match=f"model must be one that can be mapped.*{sentence}"):
        from_reservoirpy(model)
    with pytest.raises(DesignError, match=sentence):
        from_reservoirpy(read_pickle(pickle.dumps(model), "model"))


def test_everything_that_cannot_be_mapped_is_named_at_once() -> None:
    model = reservoir(activation="relu") >> reservoir() >> Ridge() >> Softmax()
    with pytest.raises(DesignError, match=r"Softmax, 2 reservoirs.*the activation relu"):
        from_reservoirpy(model)


@pytest.mark.parametrize("model", [reservoir() >> Ridge(), reservoir()])
def test_a_model_that_never_ran(model: Any) -> None:
    with pytest.raises(DesignError, match="W of the Reservoir must be there, as it is once"):
        from_reservoirpy(model)


@pytest.mark.parametrize("thing", [3, None, np.ones(3), Ridge(), {"nodes": [], "edges": []}])
def test_what_is_no_model(thing: Any) -> None:
    with pytest.raises(DesignError, match="model must be"):
        from_reservoirpy(thing)
