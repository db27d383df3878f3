"""`emulate`: what it finds, what it writes, and that its readout is the design of an FPGA."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.cli.console import Screen
from rchw.document import digest, load
from rchw.errors import DesignError
from rchw.lab.emulate import FILES, Emulated, EmulateOptions, emulate, emulate_recorded
from rchw.lab.trial import Condition
from rchw.nodes import Variation
from rchw.nodes.presets import Size, node
from rchw.reference import run
from rchw.tasks import Task, load_task


def task() -> Task:
    """Take a short series."""
    return load_task("henon", split=(300, 100, 150), washout=30)


def emulated(name: str = "spintronic", **changes: Any) -> Emulated:
    options = EmulateOptions(units=12, tune=False, **changes)
    return emulate(task(), node(name), node(name).preset(), options, Screen(True))


def test_the_record_says_it_all() -> None:
    record = emulated().record
    json.dumps(record, allow_nan=False)
    errors = record["test"]["errors"]
    assert list(errors) == [
        "memoryless", "persistence", "linear", "quadratic_ring", "volterra", "noiseless",
        "observed", "integer",
    ]  # fmt: skip
    assert errors["noiseless"] < errors["observed"] < errors["linear"]
    assert errors["integer"] == pytest.approx(errors["observed"], rel=0.2)
    assert record["condition"] == {"snr_decibels": 40.0, "adc_bits": 8}
    assert {row["name"] for row in record["parameters"]} >= {"damping", "threshold"}
    assert all(row["source"] and row["unit"] for row in record["parameters"])
    assert record["converters"]["dac"]["unit"] == "A"
    assert 0 < record["memory_capacity"]["total"] < 12
    assert record["energy"]["joules"] > record["energy_of_a_ring"]["joules"] > 0


def test_the_files_hold_together(tmp_path: Path) -> None:
    found = emulated()
    written = found.write(tmp_path / "out")
    assert sorted(path.name for path in written) == sorted(FILES)
    design = load(tmp_path / "out/readout.json")
    assert found.readout is not None and digest(design) == found.record["readout"]["digest"]
    codes = np.loadtxt(tmp_path / "out/states.csv", delimiter=",", skiprows=1, dtype=np.int64)
    assert codes.shape == (550, 12) and abs(codes).max() <= 128
    outputs = design.decode(run(design, codes[400:]).outputs)
    assert task().error(outputs, task().targets[400:]) == found.record["test"]["errors"]["integer"]
    table = np.loadtxt(tmp_path / "out/test.csv", delimiter=",", skiprows=1)
    assert np.array_equal(table[:, :1], task().targets[400:])
    assert task().error(table[:, 1:], table[:, :1]) == found.record["test"]["errors"]["observed"]
    assert (tmp_path / "out/emulate.svg").read_text().startswith("<svg")


def test_an_integer_reservoir_has_no_noise() -> None:
    record = emulated("integer-cycle").record
    errors = record["test"]["errors"]
    assert record["preset"]["point"]["state_bits"] == 8
    assert record["preset"]["noiseless_point"]["state_bits"] == 16
    assert errors["observed"] != errors["noiseless"]


def test_converter_bits_before_the_device() -> None:
    coarse, fine = (emulated(dac_bits=bits).record for bits in (2, 12))
    assert coarse["converters"]["dac"]["bits"] == 2
    assert coarse["test"]["errors"]["noiseless"] > 2 * fine["test"]["errors"]["noiseless"]


def test_devices_may_differ() -> None:
    spread = (Variation("retention", 0.05), Variation("sensitivity", 0.2, "lognormal"))
    record = emulated("memristive", variations=spread).record
    rows = {row["name"]: row for row in record["parameters"]}
    assert rows["retention"]["least"] < rows["retention"]["greatest"] < 1
    assert rows["rest"]["least"] == rows["rest"]["greatest"]
    assert [each["parameter"] for each in record["variations"]] == ["retention", "sensitivity"]
    assert record["test"] != emulated("memristive").record["test"]
    with pytest.raises(DesignError, match=r"^node must have parameters to vary, not be a rodan"):
        emulated("cycle", variations=spread)
    with pytest.raises(DesignError, match=r"^variation must be of one of pulse, .*, not 'size'$"):
        emulated("memristive", variations=(Variation("size", 0.1),))


def test_recorded_states_go_the_same_way(tmp_path: Path) -> None:
    """States of an emulation without noise, recorded, give what the emulation gave."""
    whole = emulated("cycle", condition=Condition(None, 8))
    made = node("cycle").preset().reservoir(Size(12)).fitted(task().inputs[task().train])
    states = made.run(task().inputs)
    recorded = emulate_recorded(task(), states, EmulateOptions(), Screen(True), name="day1.csv")
    for key in ("noiseless", "observed", "integer", "linear"):
        assert recorded.record["test"]["errors"][key] == whole.record["test"]["errors"][key]
    assert recorded.record["measured"] == "day1.csv" and recorded.record["node"] is None
    assert recorded.write(tmp_path)[-1].name == "readout.json"


def test_too_few_recorded_states_are_refused() -> None:
    with pytest.raises(
        DesignError, match=r"^states must be one row per sample of the task henon, "
    ):
        emulate_recorded(task(), np.zeros((549, 3)), EmulateOptions(), Screen(True), name="x")
