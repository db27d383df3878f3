"""`compare`: one table whose entries are those of single trials."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rchw.cli.console import Screen
from rchw.errors import DesignError
from rchw.lab.compare import FILES, CompareOptions, compare
from rchw.lab.trial import Condition, try_preset
from rchw.nodes import Observation
from rchw.nodes.presets import Size, node
from rchw.tasks import load_task

OPTIONS = CompareOptions(
    ("integer-cycle", "cycle", "photonic-ikeda:larger"),
    bits=(4, 8),
    decibels=(20.0, 60.0),
    units=12,
    runs=2,
    tune=False,
)


def test_the_table_holds_every_trial_once(tmp_path: Path) -> None:
    task = load_task("henon", split=(300, 100, 150), washout=30)
    found = compare(task, OPTIONS, Screen(True))
    json.dumps(found.record, allow_nan=False)
    rows = list(csv.DictReader(found.table.splitlines()))
    assert len(rows) == 3 * 5 * 2
    keys = {(r["reservoir"], r["snr_decibels"], r["adc_bits"], r["run"]) for r in rows}
    assert len(keys) == len(rows)
    (trial,) = try_preset(
        task,
        node("photonic-ikeda").preset("larger"),
        Size(12, 1, 1),
        [Condition(20.0, 4)],
        tune=False,
        observation=Observation(seed=1),
    )
    wanted = ("photonic-ikeda:larger", "20", "4", "1")
    row = next(
        r for r in rows if (r["reservoir"], r["snr_decibels"], r["adc_bits"], r["run"]) == wanted
    )
    assert float(row["test"]) == trial.error
    assert float(row["validation"]) == trial.measurement.readout.validation
    entry = found.record["reservoirs"][2]["conditions"][1]
    assert (entry["snr_decibels"], entry["adc_bits"]) == (20.0, 4)
    assert entry["test"][1] == trial.error
    assert found.record["task"]["split_sha256"] == task.hashes()
    levels = ["memoryless cubic", "linear floor", "Volterra filter", "NVAR"]
    assert list(found.record["floors"]) == levels and found.record["floors"]["NVAR"] < 0.01
    assert float(row["clipped"]) == trial.measurement.clipped
    assert [path.name for path in found.write(tmp_path)] == list(FILES)
    assert (tmp_path / "compare.svg").read_text().count("photonic-ikeda:larger") == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"reservoirs": ("cycle", "cycle")}, "reservoirs must be distinct and at least one, not"),
        ({"reservoirs": ("valve",)}, "node must be one of "),
        ({"bits": (1,)}, "ADC bits must be from 2 to 24, not 1"),
        ({"decibels": ()}, "decibels must be distinct and at least one, not"),
        (
            {"decibels": (float("inf"),)},
            "signal-to-noise ratio must be from -100 to 300 dB, not inf",
        ),
        ({"runs": 0}, "runs must be from 1 to 200, not 0"),
        ({"units": 0}, "units must be from 1 to 4096, not 0"),
        ({"bits": tuple(range(2, 25)), "decibels": tuple(range(20))}, "conditions must be at most"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], sentence: str) -> None:
    every: dict[str, Any] = {"reservoirs": ("cycle",)} | changes
    with pytest.raises(DesignError, match=f"^{sentence}"):
        CompareOptions(**every)


def test_energy_is_that_of_the_most_bits() -> None:
    task = load_task("henon", split=(300, 100, 150), washout=30)
    joules = [
        compare(task, replace(OPTIONS, reservoirs=("spintronic",), bits=bits), Screen(True)).record[
            "reservoirs"
        ][0]["joules"]
        for bits in ((4, 12), (12, 4))
    ]
    assert joules[0] == joules[1] > 12 * 50e-15 * 2**12
