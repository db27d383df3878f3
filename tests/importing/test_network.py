"""Networks of arrays: their equations, their names, and what is refused."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from rchw.errors import DesignError
from rchw.importing import Network, NetworkModel

N, K, L = 4, 2, 3
RNG = np.random.default_rng(3)
W = RNG.normal(size=(N, N)) / N
W_IN = RNG.normal(size=(N, K))
W_OUT = RNG.normal(size=(L, N))
W_OUT_INPUTS = RNG.normal(size=(L, K))
INPUTS = RNG.normal(size=(20, K))


def by_hand(arrays: dict[str, Any], increment: bool = False) -> tuple[Any, Any]:
    """The equations of the page, sample by sample."""
    x, states, outputs = np.zeros(N), [], []
    for u in INPUTS:
        v = (u - arrays.get("input_offset", 0.0)) * arrays.get("input_scaling", 1.0)
        f = np.tanh(arrays["W"] @ x + arrays["W_in"] @ v + arrays.get("bias", 0.0))
        a = arrays.get("leak_rate", 1.0)
        x = x + arrays["step"] * f if increment else (1 - a) * x + a * f
        y = arrays["W_out"] @ x + arrays.get("b_out", 0.0)
        if "W_out_inputs" in arrays:
            y = y + arrays["W_out_inputs"] @ v
        states.append(x)
        outputs.append(y * arrays.get("output_scaling", 1.0) + arrays.get("output_offset", 0.0))
    return np.stack(states), np.stack(outputs)


ALL: dict[str, Any] = {
    "W": W, "W_in": W_IN, "bias": RNG.normal(size=N), "leak_rate": np.array([1.0, 0.5, 0.3, 0.9]),
    "W_out": W_OUT, "W_out_inputs": W_OUT_INPUTS, "b_out": RNG.normal(size=L),
    "input_offset": np.array([0.5, -1.0]), "input_scaling": np.array([2.0, 0.3]),
    "output_offset": np.array([1.0, 2.0, 3.0]), "output_scaling": 0.7,
}  # fmt: skip


@pytest.mark.parametrize("left_out", [(), *((name,) for name in ALL if name not in ("W", "W_in"))])
def test_states_and_outputs_are_those_of_the_equations(left_out: tuple[str, ...]) -> None:
    arrays = {name: value for name, value in ALL.items() if name not in left_out}
    if left_out == ("W_out",):
        arrays = {"W": W, "W_in": W_IN, "bias": ALL["bias"]}
        assert Network.of(arrays).n_outputs is None
        arrays |= {"W_out": W_OUT}
    states, outputs = by_hand(arrays)
    network = Network.of(arrays)
    found = NetworkModel(network).run(INPUTS)
    assert np.abs(found - states).max() < 1e-12
    assert np.abs(network.outputs(found, INPUTS) - outputs).max() < 1e-12


def test_a_step_of_euler() -> None:
    arrays = {"W": W - W.T, "W_in": W_IN, "step": 0.1, "W_out": W_OUT}
    states, _ = by_hand(arrays, increment=True)
    assert np.abs(NetworkModel(Network.of(arrays)).run(INPUTS) - states).max() < 1e-12


def test_compressed_rows_are_the_matrix() -> None:
    rows: Any = sparse.random_array((N, N), density=0.4, rng=np.random.default_rng(1), format="csr")
    arrays = {
        "W_data": rows.data,
        "W_indices": rows.indices,
        "W_indptr": rows.indptr,
        "W_shape": np.array(rows.shape),
        "W_in": W_IN,
    }
    network = Network.of(arrays)
    assert np.array_equal(network.weights, rows.toarray())


@pytest.mark.parametrize("name", [np.array("tanh"), b"tanh", np.array([b"tanh"]), "tanh"])
def test_a_text_of_an_archive(name: Any) -> None:
    assert Network.of({"W": W, "W_in": W_IN, "activation": name}).activation == "tanh"


def damaged(array: Any, value: float) -> Any:
    array = np.array(array)
    array[1, 2 % array.shape[1]] = value
    return array


PARTS = {
    "W_data": np.ones(2), "W_indices": np.array([0, 1]), "W_indptr": np.array([0, 1, 2]),
    "W_shape": np.array([2, 2]), "W_in": np.ones(2),
}  # fmt: skip
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "not square": ({"W": W[:3]}, r"W must be square, not of shape \(3, 4\)"),
    "a row": ({"W": W[0]}, r"W must be square, not of shape \(4,\)"),
    "empty": ({"W": np.zeros((0, 0))}, "W must be square"),
    "not a number": ({"W": damaged(W, np.nan)}, r"W must be finite, not nan at \(1, 2\)"),
    "infinite": ({"W_in": damaged(W_IN, np.inf)}, r"W_in must be finite, not inf at \(1, 0\)"),
    "complex": ({"W": W * 1j}, "W must hold real numbers, not complex128"),
    "words": ({"W": np.array([["a"]])}, "W must hold real numbers"),
    "too many": ({"W": np.zeros((4097, 4097))}, "W must have at most 4096 units, not 4097"),
    "W_in aside": ({"W_in": W_IN.T}, r"W_in must have shape \(4, K\), not \(2, 4\)"),
    "bias": ({"bias": np.ones(3)}, r"bias must have shape \(\) or \(4,\), not \(3,\)"),
    "W_out aside": ({"W_out": W_OUT.T}, r"W_out must have shape \(L, 4\), not \(4, 3\)"),
    "W_out_inputs": ({"W_out_inputs": np.ones((2, K))}, r"W_out_inputs must have shape \(3, 2\)"),
    "leak 0": ({"leak_rate": 0.0}, "leak_rate must be above 0 and at most 1, not 0"),
    "leak 2": ({"leak_rate": 1.5}, "leak_rate must be above 0 and at most 1, not 1.5"),
    "both updates": ({"step": 0.1}, "leak_rate must be left out beside step"),
    "activation": ({"activation": "relu"}, "activation must be one of tanh, clip, linear, not"),
    "unknown": ({"Wfb": W}, "arrays must be named W, .*, not 'Wfb'"),
    "twice": (PARTS, "W must be given once, not beside W_data"),
    "overflow": ({"W_in": W_IN * 1e300, "input_scaling": 1e300}, "weights times their scaling"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_one_sentence(name: str) -> None:
    change, sentence = REFUSED[name]
    with pytest.raises(DesignError, match=sentence):
        Network.of(ALL | change)


@pytest.mark.parametrize("missing", ["W", "W_in"])
def test_what_must_be_there(missing: str) -> None:
    arrays = {name: value for name, value in ALL.items() if name != missing}
    with pytest.raises(DesignError, match=f"{missing} must be given, not left out"):
        Network.of(arrays)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"W_indptr": np.array([0, 2])}, "must have rows that are compressed"),
        ({"W_indices": np.array([0, 2])}, "must have rows that are compressed"),
        ({"W_indices": np.array([0, -1])}, "must have rows that are compressed"),
        ({"W_indptr": np.array([0, 2, 1])}, "must have rows that are compressed"),
        ({"W_indptr": np.array([1, 1, 2])}, "must have rows that are compressed"),
        ({"W_indices": np.array([0.0, 1.0])}, "W_indices must hold integers"),
        ({"W_shape": np.array([2, 3])}, "W must be square"),
        ({"W_shape": np.array([2**40, 2**40])}, "W must be square of at most 4096"),
    ],
)
def test_parts_that_do_not_fit(change: dict[str, Any], sentence: str) -> None:
    assert Network.of(PARTS).weights.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    with pytest.raises(DesignError, match=sentence):
        Network.of(PARTS | change)


def test_a_missing_part() -> None:
    arrays = {name: value for name, value in PARTS.items() if name != "W_shape"}
    with pytest.raises(DesignError, match="W_shape must be given beside W_data, not left out"):
        Network.of(arrays)


def test_b_out_needs_w_out() -> None:
    with pytest.raises(DesignError, match="b_out must be left out where there is no W_out"):
        Network.of({"W": W, "W_in": W_IN, "b_out": 1.0})
