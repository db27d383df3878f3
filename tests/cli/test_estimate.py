"""The command ``estimate``."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.size import circuit
from rchw.codesign.estimate import estimate
from rchw.devices import BOARDS
from rchw.document import digest, save
from tests.cli.command_line import call, refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Write a design with squares and 8 lanes."""
    path = tmp_path / "design.json"
    save(circuit(100, 8, squares=True), path)
    return path


def test_the_record_is_what_the_estimator_says(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = circuit(100, 8, squares=True)
    record = call(capsys, "estimate", file, "--json").record
    assert record["kind"] == "estimate" and record["digest"] == digest(design)
    assert [entry["board"] for entry in record["boards"]] == list(BOARDS)
    for entry, found in zip(record["boards"], estimate(design), strict=True):
        assert entry["cells"] == found.cells and entry["clock_hz"] == found.clock_hz
        assert tuple(entry["why_not"]) == found.why_not
        assert entry["energy_per_sample"] == found.energy_per_sample
    only = call(capsys, "estimate", file, "--board", "ulx3s", "--json").record
    assert only["boards"] == [record["boards"][list(BOARDS).index("ulx3s")]]


def test_the_table_tells_what_is_short_and_what_is_extrapolated(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = call(capsys, "estimate", file)
    assert done.code == 0  # nothing was checked that could fail
    line = next(line for line in done.out.splitlines() if "iCE40UP5K" in line)
    found = estimate(circuit(100, 8, squares=True), "icebreaker")
    assert re.findall(r"\b\d+\b", line)[0] == str(found.cells) and "no" in line.split()
    assert "the design needs 16 DSP multipliers, but icebreaker" in " ".join(done.out.split())
    assert "ulx3s-85f: extrapolated" in done.out


def test_bad_input_is_refused_in_a_sentence(
    file: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    refused(capsys, ["estimate", file, "--board", "nano"], "board must be one of hx8k")
    refused(capsys, ["estimate", tmp_path / "none.json"], "none.json")
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"name": "x"}), encoding="utf-8")
    refused(capsys, ["estimate", other], "")
