"""The page of co-design: what its record holds, and that nothing else is on it."""

import copy
import json
from typing import Any

import pytest

from benchmarks.accuracy import TESTS
from benchmarks.codesign import BITS, CELLS, FOLDER, RESULTS, SEARCHES, UNITS
from benchmarks.codesign_page import markdown, picture, targets

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


def test_a_missed_target_is_printed_as_missed() -> None:
    worse = copy.deepcopy(RECORD)
    for found in worse["searches"].values():
        found["rows"]["best"]["mean"] = 0.5
    assert len(targets(worse)) == 3
    assert markdown(worse).count("**missed**") == 3
