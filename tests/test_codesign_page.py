"""The page of co-design: what its record holds, and that nothing else is on it."""

import copy
import json
from typing import Any

import pytest

from benchmarks import codesign
from benchmarks.accuracy import TESTS
from benchmarks.codesign import BITS, CELLS, FOLDER, RESULTS, SEARCHES, UNITS
from benchmarks.codesign_page import markdown, picture, targets
from rchw.codesign.front import Found, Front

UNUSED: Any = None  # stands for what these tests never read
RECORD: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_page_and_picture_are_those_of_the_record() -> None:
    assert (FOLDER / "codesign.md").read_text(encoding="utf-8") == markdown(RECORD)
    assert (FOLDER / "codesign.svg").read_text(encoding="utf-8") == picture(RECORD)


def test_every_search_is_there_with_all_streams() -> None:
    assert set(RECORD["searches"]) == set(SEARCHES)
    for found in RECORD["searches"].values():
        assert all(len(row["errors"]) == len(TESTS) for row in found["rows"].values())


@pytest.mark.parametrize("name", ["all", "linear"])
def test_rows_keep_to_their_limits(name: str) -> None:
    rows = RECORD["searches"][name]["rows"]
    for units in UNITS:
        assert rows[f"units/{units}"]["design"]["options"]["units"] <= units
    for bits in BITS:
        if f"bits/{bits}" in rows:
            assert rows[f"bits/{bits}"]["design"]["options"]["state_bits"] <= bits
    for cells in CELLS:
        if f"cells/{cells}" in rows:
            assert rows[f"cells/{cells}"]["design"]["figures"]["cells"] <= cells


def test_the_smallest_within_5_percent_is_chosen_by_validation() -> None:
    """Of all rows of all searches; test errors are told and choose nothing."""
    made = copy.deepcopy(RECORD)
    rows = [row for found in made["searches"].values() for row in found["rows"].values()]
    for row in rows:
        row |= {"validation": 2 * made["bound"], "mean": 0.001}
    assert "- No design was found within 5 %" in markdown(made)
    rows[0] |= {"validation": 1.05 * made["bound"], "cells": 4321, "mean": 0.5}
    rows[-1] |= {"validation": 0.1 * made["bound"], "cells": 4322}
    assert "- The smallest of all that were found" in markdown(made)
    assert "4,321 cells, 0.5000" in markdown(made)
    rows[0]["validation"] = 1.06 * made["bound"]
    assert ": 4,322 cells, 0.0010" in markdown(made)


def found(trial: int, error: float, **given: Any) -> Found:
    options = {"units": 60, "state_bits": 9, "squares": True, "readout_bits": 8, "output_bits": 16}
    cells = given.pop("cells", 700)
    options |= {key: value for key, value in given.items() if key in options}
    return Found(
        trial, given.get("fidelity", "full"), options, {}, {"error": error, "cells": cells},
        given.get("broken", 0.0),
    )  # fmt: skip


class Judged(codesign.Judge):
    """Knows the mean error of every trial: that of the search and as much more."""

    def __init__(self, front: Front) -> None:
        self.more = {2: 0.5}

    def error(self, found: Found) -> float:
        return found.figures["error"] + self.more.get(found.trial, 0.0)


def test_designs_are_chosen_within_their_limits_by_the_error_of_all_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    designs = (
        found(0, 0.001, fidelity="short"),
        found(1, 0.002, broken=1.0),
        found(2, 0.10),  # the best of the search's stream, and of no other
        found(3, 0.11, units=150, state_bits=12),
        found(3, 0.12, units=150, state_bits=12, readout_bits=6, cells=240),
        found(4, 0.20, units=50, state_bits=4, cells=1000),
        found(5, 0.30, cells=250),
        found(6, 0.125, units=160, state_bits=13, cells=230),  # smaller, and just too bad
    )
    front = Front(("error", "cells"), designs, {}, UNUSED, {})
    monkeypatch.setattr(codesign, "Judge", Judged)
    rows = {key: d for key, (d, _) in codesign.chosen(front, 0.12 / 1.05).items()}
    named = {key: (d.trial, d.options["readout_bits"]) for key, d in rows.items()}
    assert named == {
        "best": (3, 8), "near": (3, 6),
        "units/50": (4, 8), "units/100": (4, 8), "units/200": (3, 8),
        "bits/4": (4, 8), "bits/6": (4, 8), "bits/8": (4, 8), "bits/10": (4, 8),
        "bits/12": (3, 8), "bits/16": (3, 8),
        "cells/250": (3, 6), "cells/500": (3, 6),
        **{f"cells/{cells}": (3, 8) for cells in CELLS if cells >= 1000},
    }  # fmt: skip


def test_only_the_closest_of_a_search_are_judged_one_of_each_reservoir() -> None:
    judge = Judged(UNUSED)
    judge.more = {0: 1.0, 1: 1.0, 8: -1.0}
    many = [found(trial, 0.1 + trial / 1000, readout_bits=bits) for bits in (8, 6)
            for trial in range(10)]  # fmt: skip
    best = judge.best(many)
    assert best is not None and best.trial == 2, "trial 8 is the ninth"
    judge.more = {7: -1.0}
    best = judge.best(many)
    assert best is not None and best.trial == 7
    assert judge.best([]) is None


def test_a_missed_target_is_printed_as_missed() -> None:
    worse = copy.deepcopy(RECORD)
    for found in worse["searches"].values():
        found["rows"]["best"]["mean"] = 0.5
    assert len(targets(worse)) == 3
    assert markdown(worse).count("**missed**") == 3
