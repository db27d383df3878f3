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
from rchw.train import ExternalOptions


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
        "memoryless", "persistence", "linear", "quadratic_ring", "volterra", "nvar", "noiseless",
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
    assert record["condition"] == {"snr_decibels": None, "adc_bits": 8}
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
    with pytest.raises(DesignError, match=r"^node must have parameters to vary, not be a Res"):
        emulated("cycle", variations=spread)
    with pytest.raises(DesignError, match=r"^variation must be of one of pulse, .*, not 'size'$"):
        emulated("memristive", variations=(Variation("size", 0.1),))


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("memristive-nanowire", "low_conductance"),
        ("mechanical-arm", "length"),
        ("mechanical", "mass"),
        ("biological", "weight"),
    ],
)
def test_what_has_parameters_need_not_be_what_is_read(name: str, parameter: str) -> None:
    """Edges of a network, segments of an arm, masses between springs, neurons."""
    record = emulated(name, variations=(Variation(parameter, 0.02),)).record
    rows = [row for row in record["parameters"] if row["name"] == parameter]
    assert rows and all(row["least"] < row["greatest"] for row in rows)


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


def test_units_of_measure_do_not_matter() -> None:
    """Two channels with one information, one of them in thousands: the same states."""
    u = np.random.default_rng(5).uniform(0, 1, (550, 2))
    targets = np.roll(u[:, :1], 1, axis=0) * u[:, 1:]
    rows = (slice(0, 300), slice(300, 400), slice(400, 550))
    found = []
    for scale in (1.0, 1000.0):
        inputs = u * [1.0, scale] + [0.0, scale]
        two = Task("two", inputs, targets, 30, *rows, "nmse", "drawn")
        options = EmulateOptions(units=12, tune=False)
        found.append(emulate(two, node("cycle"), node("cycle").preset(), options, Screen(True)))
    first, second = (each.states for each in found)
    assert np.allclose(first, second, rtol=0, atol=1)
    assert found[0].record["limited"] == pytest.approx(found[1].record["limited"])


def test_without_an_integer_readout_the_rest_stands(tmp_path: Path) -> None:
    """Recorded states of which one is far larger: no code of the others ever moves."""
    states = np.random.default_rng(1).normal(size=(550, 3)) * 1e-6 + [0.0, 0.0, 1e6]
    options = EmulateOptions(condition=Condition(None, 4))
    found = emulate_recorded(task(), states, options, Screen(True), name="odd")
    assert "integer" not in found.record["test"]["errors"] and found.readout is None
    assert found.record["readout_refused"].startswith("features must vary over the training")
    assert "readout.json" not in {path.name for path in found.write(tmp_path)}


def test_impossible_lanes_are_refused_before_the_work() -> None:
    with pytest.raises(DesignError, match=r"^lanes must be from 1 to 12, not 13$"):
        emulated(readout=ExternalOptions(lanes=13))


def test_too_few_recorded_states_are_refused() -> None:
    with pytest.raises(
        DesignError,
        match=r"^states must be one row per sample of the task henon, 550 to 551, not 549",
    ):
        emulate_recorded(task(), np.zeros((549, 3)), EmulateOptions(), Screen(True), name="x")
    with pytest.raises(DesignError, match=r"550 to 551, not 552$"):
        emulate_recorded(task(), np.zeros((552, 3)), EmulateOptions(), Screen(True), name="x")


def test_targets_in_the_past_leave_out_the_first_samples() -> None:
    """A recording begins with what was played first."""
    channel = load_task("channel", split=(300, 100, 150), washout=30)
    assert channel.horizon < 0
    played = np.random.default_rng(2).normal(size=(550 - channel.horizon, 4))
    kept = emulate_recorded(channel, played, EmulateOptions(), Screen(True), name="x")
    other = played.copy()
    other[: -channel.horizon] = 99.0
    same = emulate_recorded(channel, other, EmulateOptions(), Screen(True), name="x")
    assert kept.record["test"] == same.record["test"]
    aligned = emulate_recorded(
        channel, played[-channel.horizon :], EmulateOptions(), Screen(True), name="x"
    )
    assert aligned.record["test"] == kept.record["test"]
    with pytest.raises(
        DesignError, match=r"^states must be one row .* channel, 550 or 552, not 551$"
    ):
        emulate_recorded(channel, played[:551], EmulateOptions(), Screen(True), name="x")
