"""Whole imports: the integers come near the network, the record says the truth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.document import digest, load
from rchw.errors import DesignError
from rchw.importing import Imported, ImportOptions, NetworkModel, drawn_task, import_network
from rchw.reference import run
from rchw.sim.reservoir import CircuitReservoir
from tests.importing.networks import KINDS, Quiet, arrays_of, network_of, small_task

TASK = small_task()
WIDE = ImportOptions(state_bits=16, weight_bits=12, input_bits=16, readout_bits=16)


def imported(network: Any, options: ImportOptions = WIDE, task: Any = TASK) -> Imported:
    return import_network(network, task, options, Quiet(), source={}, data=("x", 0, (None, None)))


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_come_near_those_of_the_network(kind: str) -> None:
    network = network_of(kind)
    found = imported(network)
    states = NetworkModel(network).run(TASK.inputs)
    wanted = network.outputs(states, TASK.inputs)[TASK.test]
    design = found.design
    outputs = design.decode(run(design, design.encode(TASK.inputs)).outputs)[TASK.test]
    error = float(np.mean((outputs - wanted) ** 2) / np.var(wanted))
    assert error < (1e-2 if "step" in arrays_of(kind) else 1e-3)  # steps add up what they round
    assert found.record["errors"]["test"]["outputs"] == pytest.approx(error, rel=1e-9)
    assert found.record["errors"]["test"]["states"] < 0.02


def test_more_bits_come_nearer() -> None:
    network = network_of("dense")
    errors = []
    for bits in (5, 8, 12):
        options = ImportOptions(
            state_bits=bits, input_bits=bits, weight_bits=bits, activation="pwl"
        )  # fmt: skip
        errors.append(imported(network, options).record["errors"]["test"]["outputs"])
    assert errors[0] > 4 * errors[1] > 4 * errors[2]


def test_readouts() -> None:
    """Kept weights are the network's; a matched readout is nearer to it, a new one to targets."""
    network = network_of("dense")
    found = {
        readout: imported(network, ImportOptions(readout=readout))
        for readout in ("keep", "match", "retrain")
    }
    tests = {readout: one.record["errors"]["test"] for readout, one in found.items()}
    assert tests["match"]["outputs"] <= tests["keep"]["outputs"] < 0.05
    assert tests["retrain"]["integers"] < 0.01 < tests["keep"]["integers"]
    design = found["keep"].design
    held = design.readout.weight_format.resolution * np.array(design.readout.weights[0][:-1])
    real = held * design.readout.outputs[0].scale
    assert network.output_weights is not None
    assert np.abs(real - network.output_weights[0]).max() < 0.01


def test_inputs_of_the_readout_are_features() -> None:
    network = network_of("sparse", 2, W_out_inputs=np.array([[0.5, -1.0]]))
    for readout in ("keep", "match"):
        record = imported(network, ImportOptions(readout=readout), small_task(2)).record
        assert record["errors"]["test"]["outputs"] < 0.01


def test_no_choice_reads_test_samples() -> None:
    network = network_of("sparse")
    other = small_task()
    targets, inputs = other.targets.copy(), other.inputs.copy()
    targets[other.test] *= -1
    inputs[other.test] = np.clip(inputs[other.test] * 1.1, inputs.min(), inputs.max())
    changed = type(other)(**{**vars(other), "inputs": inputs, "targets": targets})
    for readout in ("match", "retrain"):
        options = ImportOptions(readout=readout)
        first, second = imported(network, options), imported(network, options, changed)
        assert digest(first.design) == digest(second.design)
        assert first.record["errors"]["test"] != second.record["errors"]["test"]


def test_the_record_names_what_is_not_the_same() -> None:
    network = network_of("dense", leak_rate=0.3)
    record = imported(network, ImportOptions(activation="table")).record
    text = "\n".join(record["approximated"])
    assert "leak rate 0.3 became 0." in text and "tanh became a table of 1024 entries" in text
    assert "input 0 is limited to the range of its training samples" in text
    assert {row["name"] for row in record["mapped"]} == {"W", "W_in", "bias", "leak_rate"}
    leak = next(row for row in record["mapped"] if row["name"] == "leak_rate")
    assert leak["largest_error"] == pytest.approx(0.05) or leak["largest_error"] == pytest.approx(
        0.2
    )
    json.dumps(record, allow_nan=False)


def test_linear_units_get_room() -> None:
    network = network_of("sparse", activation="linear")
    found = imported(network)
    assert "linear units are limited to" in "\n".join(found.record["approximated"])
    assert found.record["errors"]["test"]["outputs"] < 1e-3
    states = NetworkModel(network).run(TASK.inputs)
    assert found.design.layer.state.max * found.design.layer.state.resolution > np.abs(states).max()


def test_the_circuit_gives_the_same_codes() -> None:
    for kind in ("ring", "sparse", "antisymmetric"):
        options = ImportOptions(lanes=10, activation="pwl")
        design = imported(network_of(kind), options).design
        codes = design.encode(TASK.inputs[:12])
        assert np.array_equal(CircuitReservoir(design).run(codes), run(design, codes).states)


def test_without_data_a_series_is_drawn(tmp_path: Path) -> None:
    network = network_of("dense")
    task = drawn_task(network, 0.0, 6.0)
    found = import_network(network, task, ImportOptions(), Quiet(), source={})
    assert found.record["drawn"] and found.record["cost"].startswith("no data:")
    assert found.record["errors"]["test"]["outputs"] < 0.05
    assert task.inputs.min() >= 0.0 and task.inputs.max() <= 6.0
    files = found.write(tmp_path)
    assert load(files["design"]) == found.design
    stored = json.loads(files["record"].read_text())
    assert stored["digest"] == digest(found.design)
    assert stored["files"]["design"]["file"] == "imported.json"


@pytest.mark.parametrize(
    ("more", "options", "channels", "sentence"),
    [
        ({"W_out": None, "b_out": None}, "match", 1, "network must have a readout, W_out, for"),
        ({}, "match", 2, "data must have 1 input columns, as the network has, not 2"),
        ({"W_out": np.ones((2, 10))}, "keep", 1, "data must have 2 target columns"),
    ],
)
def test_task_and_network_must_fit(
    more: dict[str, Any], options: str, channels: int, sentence: str
) -> None:
    with pytest.raises(DesignError, match=sentence):
        imported(network_of("dense", **more), ImportOptions(readout=options), small_task(channels))


def test_a_network_without_a_readout_gets_one() -> None:
    network = network_of("dense", W_out=None, b_out=None)
    record = imported(network, ImportOptions(readout="retrain")).record
    assert record["errors"]["test"]["network"] is None
    assert record["errors"]["test"]["integers"] < 0.01


def test_a_drawn_series_cannot_train() -> None:
    network = network_of("dense")
    task, options = drawn_task(network, 0.0, 6.0), ImportOptions(readout="retrain")
    with pytest.raises(DesignError, match="data must be given for readout retrain"):
        import_network(network, task, options, Quiet(), source={})


def test_a_range_must_rise() -> None:
    with pytest.raises(DesignError, match="input range must rise from LOW to HIGH, not 1 to 1"):
        drawn_task(network_of("dense"), 1.0, 1.0)
