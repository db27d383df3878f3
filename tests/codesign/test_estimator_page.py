"""The page of the estimator is that of its record, and its targets are judged as written."""

import json
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import estimator
from benchmarks.estimator_designs import BOARDS, KINDS, LIST
from benchmarks.estimator_page import TARGETS, Judged, markdown
from benchmarks.size import circuit
from rchw.codesign.estimate import coefficients, estimate


def stored() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(estimator.RESULTS.read_text(encoding="utf-8"))["rows"]
    return found


def test_page_and_figure_are_those_of_the_record() -> None:
    text, drawing = estimator.page()
    assert (estimator.FOLDER / "estimator.md").read_text(encoding="utf-8") == text
    assert estimator.FIGURE.read_text(encoding="utf-8") == drawing


def test_rows_are_of_the_listed_designs() -> None:
    listed, rows = json.loads(LIST.read_text(encoding="utf-8"))["designs"], stored()
    assert rows and set(rows) <= set(listed)
    for key, row in rows.items():
        assert row["digest"] == listed[key]["digest"]
        assert key.split()[:2] == [row["board"], row["kind"]]
        if "missing" not in row:
            assert len(row["mhz_per_seed"]) == estimator.SEEDS[row["kind"]]


def test_held_out_rows_are_in_no_calibration() -> None:
    kinds = [kind for kind, seeds in estimator.SEEDS.items() if seeds > 1]
    held = {one.key for kind in kinds for one in estimator.measured(kind)}
    assert kinds == ["held-out", "fresh"] and held
    known = {one.key for one in (*estimator.earlier(), *estimator.drawn())}
    assert not held & known
    models = coefficients()
    counted = sum(form["designs"] for forms in models["cells"].values() for form in forms.values())
    assert counted == sum(model["designs"] for model in models["clocks"].values()) == len(known)


@pytest.mark.parametrize(
    "change, verdict",
    [
        ({}, "met"),
        ({"cells": 1.11}, "missed: cells"),
        ({"clock_hz": 0.79}, "missed: clock"),
        ({"multipliers": 2}, "missed: RAM or DSP"),
    ],
)
def test_what_misses_is_printed_as_missed(change: dict[str, float], verdict: str) -> None:
    found = estimate(circuit(50, 4), "icebreaker")
    row = {
        "cells": found.cells, "mhz": found.clock_hz / 1e6, "block_ram": found.block_rams,
        "dsp": found.multipliers, "mhz_per_seed": {"1": 50.0, "2": 60.0},
    }  # fmt: skip
    other = replace(found, **{name: type(getattr(found, name))(factor * getattr(found, name))
                              for name, factor in change.items()})  # fmt: skip
    judged = {"icebreaker": [Judged("a", "a ring", row, other)]}
    counts = dict.fromkeys(("earlier", "drawn", "listed", "held", "all_held"), 1)
    text = markdown({"rows": {}}, "0" * 64, counts, {"fresh": judged}, {}, coefficients())
    (line,) = (line for line in text.splitlines() if line.startswith("| a ring |"))
    assert line.endswith(f"| {verdict} |")
    assert "fastest of five seeds is 20 %" in text
    assert TARGETS == {"cells": 0.1, "clock": 0.2}


def test_boards_and_kinds_share_no_stream() -> None:
    assert len(set(BOARDS.values())) == len(BOARDS)
    assert len({stream for stream, _ in KINDS.values()}) == len(KINDS)
