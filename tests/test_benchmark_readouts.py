"""The page of the benchmark of readouts is that of its record, which keeps what it says."""

import json
from typing import Any

import numpy as np

from benchmarks import readouts
from benchmarks.readouts_page import page, picture


def record() -> dict[str, Any]:
    text = (readouts.FOLDER / "results" / "readouts.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_page_and_picture_are_those_of_the_record() -> None:
    found, images = record(), readouts.FOLDER.parent / "docs" / "images"
    again = "python -m benchmarks.readouts --page"
    assert (readouts.FOLDER / "readouts.md").read_text(encoding="utf-8") == page(found), again
    assert (images / "readouts.svg").read_text(encoding="utf-8") == picture(found), again


def test_no_budget_is_exceeded() -> None:
    tasks = record()["tasks"]
    assert [task["task"] for task in tasks] == list(readouts.TASKS)
    for task in tasks:
        rows = task["rows"]
        asked = {
            kind: [r["asked"] for r in rows if r["kind"] == kind]
            for kind in ("adders", "nonzeros", "bits")
        }
        assert asked == {
            "adders": list(readouts.ADDERS),
            "nonzeros": list(readouts.NONZEROS),
            "bits": list(readouts.BITS),
        }
        for row in rows:
            assert row["kind"] == "bits" or row[row["kind"]] <= row["asked"]
        assert len({row["digest"] for row in rows}) > len(rows) / 2


def test_fewer_adders_are_fewer_luts() -> None:
    """Row by row, and each adder is worth some bits of a sum."""
    rows = sorted(record()["circuits"]["rows"], key=lambda row: row["adders"])
    luts, adders = (
        np.array(x) for x in zip(*((r["resources"]["lut"], r["adders"]) for r in rows), strict=True)
    )
    assert (np.diff(luts) > 0).all() and (np.diff(adders) > 0).all()
    assert 4 < (luts[-1] - luts[0]) / (adders[-1] - adders[0]) < 24


def test_what_the_online_rules_are_said_to_do() -> None:
    found = record()["online"]
    rows = {(row["rule"].split(",")[0], row["passes"]): row for row in found["rows"]}
    exact = next(row for row in found["rows"] if row["rule"] == "RLS, forget 1")
    assert exact["distance"] < 1e-6
    assert exact["validation"] < rows["NLMS", 1]["validation"]
    assert rows["NLMS", 100]["distance"] < rows["NLMS", 1]["distance"]
    assert found["spread"] > 1e3
