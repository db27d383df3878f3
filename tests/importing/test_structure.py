"""Which engine a matrix goes to, and that its integers stand for it."""

from typing import Any

import numpy as np
import pytest

from rchw.design import MatrixLayer, RingLayer
from rchw.errors import DesignError
from rchw.fixed import decode
from rchw.importing.convert import Seen, convert, leak_shifts
from rchw.importing.options import ImportOptions, Scales
from rchw.importing.structure import Structure
from rchw.train.build import fit_outputs
from tests.importing.networks import KINDS, N, network_of, small_task

TASK = small_task()


def converted(kind: str, scales: Scales, **more: Any) -> Any:
    network = network_of(kind, **more)
    seen = Seen.of(network, TASK.inputs, TASK.train)
    outputs = tuple(fit_outputs(TASK.targets, 12))
    return convert(network, seen, Structure.of(network), outputs, ImportOptions(), scales)


@pytest.mark.parametrize("kind", KINDS)
def test_the_structure_of_a_matrix(kind: str) -> None:
    structure = Structure.of(network_of(kind))
    assert structure.kind == ("ring" if kind == "euler-ring" else kind)
    assert structure.offsets == {"ring": (1,), "euler-ring": (0, 1, N - 1)}.get(kind, ())
    layer = converted(kind, Scales()).design.layer
    family = {"ring": "ring", "euler-ring": "euler-ring", "antisymmetric": "euler"}
    assert layer.family == family.get(kind, "leaky")


@pytest.mark.parametrize("finer", [0, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_integers_stand_for_the_matrix(kind: str, finer: int) -> None:
    made = converted(kind, Scales(weights=finer))
    wanted, held, _ = made.held["W"]
    layer = made.design.layer
    assert isinstance(layer, RingLayer | MatrixLayer)
    found = np.zeros((N, N))
    for i, row in enumerate(layer.connections):
        for j, code in row:
            found[i, j] = decode(code, layer.connection_format)
    assert np.array_equal(found, held)
    step, top = layer.connection_format.resolution, layer.connection_format.max
    inside = np.abs(wanted) <= top * step
    assert np.abs(held - wanted)[inside].max() <= step / 2
    assert (np.abs(held)[~inside] == top * step).all()
    assert finer or np.abs(held - wanted).max() <= step / 2
    assert not finer or not inside.all()


def test_five_diagonals_are_no_ring() -> None:
    taps = sum(np.roll(np.eye(N), k, axis=0) for k in (1, 2, 3, 4))
    assert Structure.of(network_of("ring", W=0.1 * taps)).kind == "ring"
    assert Structure.of(network_of("ring", W=0.1 * (taps + np.eye(N)))).kind == "dense"
    fewer = np.where(np.arange(N)[:, None] % 2, taps + np.eye(N), 0.0)
    assert Structure.of(network_of("ring", W=0.1 * fewer)).kind == "sparse"


def test_a_step_needs_an_antisymmetric_matrix() -> None:
    with pytest.raises(DesignError, match=r"W must be antisymmetric but for its diagonal where"):
        Structure.of(network_of("dense", step=0.1, leak_rate=None))


def test_leak_shifts() -> None:
    rates = np.array([1.0, 0.5, 0.3, 0.06, 1e-9])
    assert leak_shifts(rates, "nearest") == (0, 1, 2, 4, 15)
    assert leak_shifts(rates, "faster") == (0, 1, 1, 4, 15)
    assert leak_shifts(rates, "slower") == (0, 1, 2, 5, 15)


@pytest.mark.parametrize("activation", ["table", "pwl", "clip"])
def test_the_input_codes_stand_for_the_inputs(activation: str) -> None:
    """``W_in u + b`` of real inputs is what input weights and bias make of their codes."""
    made = converted("dense", Scales(activation=activation))
    network = network_of("dense")
    codes = made.design.encode(TASK.inputs)
    values = codes * made.design.inputs[0].format.resolution
    wanted = TASK.inputs @ network.input_weights.T + network.bias
    weights, bias = made.held["W_in"][1], made.held["bias"][1]
    assert np.abs(values @ weights.T + bias - wanted).max() < 0.006
    exact = values @ made.held["W_in"][0].T + made.held["bias"][0]
    assert np.abs(exact - wanted).max() < 0.5 * 2.0**-11  # half a step of the input code


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"W_in": np.full((N, 1), 100.0)}, "W_in of input 0 times half the range of the input"),
        ({"W": np.eye(N) * 1000.0}, "matrix weights must fit 8 bits"),
    ],
)
def test_what_no_format_holds(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        converted("dense", Scales(), **more)


def test_states_that_grow() -> None:
    network = network_of("dense", activation="linear", W=np.eye(N) * 3.0, leak_rate=1.0)
    with pytest.raises(DesignError, match="states of the network must stay finite"):
        Seen.of(network, TASK.inputs, TASK.train)
