"""The accuracy benchmark: its page follows from its record, its loop from the reference."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest

from benchmarks.accuracy import FOLDER, SEARCHES, TESTS, TUNING
from benchmarks.accuracy_loop import free_run, rounding_floor_row
from benchmarks.accuracy_page import markdown, targets
from benchmarks.accuracy_rows import (
    FLOORS,
    Row,
    Streams,
    float_row,
    floor_rows,
    measure,
    nvar_row,
)
from rchw.reference import run
from rchw.tasks import Task
from rchw.tasks.floors import floors
from rchw.train import TrainOptions, train
from rchw.train.ideal import IdealOptions

RECORD: dict[str, Any] = json.loads((FOLDER / "results" / "accuracy.json").read_text())
ROWS: dict[str, dict[str, Any]] = RECORD["rows"]


def test_the_page_is_that_of_the_record() -> None:
    assert (FOLDER / "accuracy.md").read_text(encoding="utf-8") == markdown(RECORD)


def test_streams_of_choices_and_of_tests_are_apart_and_recorded() -> None:
    assert not set(TUNING) & set(TESTS) and len(TESTS) == 10
    for seed in (*TUNING, *TESTS):
        hashes = RECORD["streams"][f"narma10, seed {seed}"]
        assert hashes.keys() == {"train", "validation", "test"}
    streams = Streams("narma10", TUNING[:1], TESTS[:1])
    for name, hashes in streams.hashes().items():
        assert RECORD["streams"][name] == hashes


def test_means_and_medians_are_those_of_the_streams() -> None:
    for key, row in ROWS.items():
        assert math.isclose(row["mean"], float(np.mean(row["errors"])), rel_tol=1e-12), key
        assert math.isclose(row["median"], float(np.median(row["errors"])), rel_tol=1e-12), key
    assert all(len(ROWS[f"narma/{n}/linear"]["errors"]) == 10 for n in SEARCHES)


def test_the_floors_stand_in_every_table() -> None:
    """Beside rows of models stand all floors; in the loop, where no filter tells, one of them."""
    prefixes = {key.rpartition("/")[0] for key in ROWS} - {"loop"}
    assert len(prefixes) == 14
    for prefix in prefixes:
        assert {f"{prefix}/{floor}" for floor in FLOORS} <= ROWS.keys()
    assert ROWS["loop/nvar"]["title"] == FLOORS["nvar"]
    page = markdown(RECORD)
    assert page.count(f"| {FLOORS['nvar']} | ") == 5, "one line of each table"
    changed = {key: dict(row) for key, row in ROWS.items()}
    changed["tasks/narma20/nvar"]["mean"] = 1.0
    told = re.search(r"^- narma20: .*", markdown(RECORD | {"rows": changed}), re.MULTILINE)
    assert told is not None and told.group().endswith("Not below the autoregression: none.")


def test_floors_are_measured_on_the_test_streams() -> None:
    streams = Streams("henon", (2000,), (3000, 3001))
    found = floor_rows(streams, 5)
    known = [floors(task, 5) for task in streams.load((3000, 3001))]
    for key, row in found.items():
        assert row["errors"] == [errors[key] for errors in known]
    assert nvar_row(streams)["errors"] == found["nvar"]["errors"]


def test_a_missed_target_is_told_as_missed() -> None:
    found = {what: met for what, _, _, met in targets(ROWS)}
    assert len(found) >= 11 and any(found.values())
    by_what = {what: (bound, mean) for what, bound, mean, _ in targets(ROWS)}
    for kind, title in (("float-classic-squares", "signs of pi"), ("float-squares", "searched")):
        bound, mean = by_what[f"16 bits, [x, x², 1], N = 200: at most 1.05 times float ({title})"]
        assert bound == 1.05 * ROWS[f"narma/200/{kind}"]["mean"], "within 5 % of float"
        assert mean == ROWS["narma/200/int16-squares"]["mean"]
    assert by_what["8 bits, [x, x², 1], N = 200: at most"][0] == 0.035
    worse = {key: row | {"mean": row["mean"] * 10} for key, row in ROWS.items() if "int" in key}
    told = [met for what, _, _, met in targets(ROWS | worse) if "bits" in what]
    assert len(told) >= 5 and not any(told)
    assert markdown(RECORD | {"rows": ROWS | worse}).count("**missed**") >= len(told)


def wave() -> Task:
    series = np.sin(0.2 * np.arange(701))
    return Task(
        "wave", series[:-1], series[1:], 60, slice(0, 400), slice(400, 550), slice(550, 700),
        "nmse", "a law",
    )  # fmt: skip


def test_the_closed_loop_is_a_run_on_its_own_outputs() -> None:
    task = wave()
    design = train(task, TrainOptions(units=8, state_bits=12, input_bits=12, search="none"))
    looped = free_run(design, task.inputs[:300], 40)
    fed = np.concatenate([task.inputs[:300], looped[:-1]])
    whole = run(design, design.encode(fed))
    np.testing.assert_array_equal(looped, design.decode(whole.outputs[299:]))


def test_rounding_alone_costs_a_twelfth_of_a_squared_step() -> None:
    streams = Streams("mackey-glass", (2000,), (2000,), 1)
    row = rounding_floor_row(streams, 10)
    (task,) = streams.load((2000,))
    low, high = task.targets[task.train].min(), task.targets[task.train].max()
    step = (high - low) / 2 * 1.25 * 2.0**-9
    law = step**2 / 12 / task.targets[task.test].var()
    assert math.isclose(row["mean"], law, rel_tol=0.05)


@pytest.mark.parametrize("squares", [False, True])
def test_a_row_is_tuned_on_one_stream_and_tested_on_another(squares: bool) -> None:
    streams = Streams("henon", (2000,), (2001, 2002))
    row = float_row("float", 10, "none", squares=squares)
    assert isinstance(row.options, IdealOptions) and row.options.windows == 16
    found = measure(row, streams)
    assert len(found["errors"]) == 2 and found["candidates"] == 1
    whole = measure(Row("int", TrainOptions(units=10, squares=squares, search="none")), streams)
    assert 0 < found["mean"] < 1 and 0 < whole["mean"] < 1 and whole["validation_nearest"] > 0
