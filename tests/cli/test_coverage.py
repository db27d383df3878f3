"""`verify --coverage` at the command line: what it shows, exit codes, bad input."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import call, contents, refused

Capture = pytest.CaptureFixture[str]

RECORD: dict[str, Any] = {
    "verdict": "pass", "sentence": None, "checked": 1234, "digest": "d",
    **{name: {"points": 4321, "hit": 321} for name in ("line", "branch", "toggle")},
    "cases": [{"case": "a tie", "count": 0, "status": "hole", "reason": "so"}],
    "holes": [
        {"type": "toggle", "module": "m", "line": line, "what": f"x{line}", "missed": ["[1]:0->1"]}
        for line in range(25)
    ],
}  # fmt: skip


def words(folder: Path, *more: str) -> list[str | Path]:
    return ["verify", folder / "small.json", "--coverage", *more, "-o", folder / "out"]


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_what_it_shows(
    verdict: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = RECORD | {"verdict": verdict, "sentence": None if verdict == "pass" else "wrong"}
    monkeypatch.setattr("rchw.sim.coverage.cover", lambda *a, **k: record)
    done = call(capsys, *words(folder))
    assert done.code == (verdict == "fail")
    assert "321 of 4,321 points hit" in done.out and "a tie" in done.out and "hole" in done.out
    assert "toggle x19" in done.out and "toggle x20" not in done.out
    assert "5 more holes, which the record has" in done.out
    assert ("wrong" in done.out) == (verdict == "fail")
    done = call(capsys, *words(folder), "--json")
    assert done.code == (verdict == "fail") and done.record == record


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("--soak", "must be given, not --soak, --coverage"),
        ("--netlist ice40", "must be given, not --netlist, --coverage"),
        ("--samples 3", "samples must be at least 48, not 3"),
        ("--seed -1", "seed must be at least 0, not -1"),
        ("--jobs 2", "jobs must be left out without --soak, not 2"),
    ],
)
def test_bad_input(more: str, sentence: str, folder: Path, capsys: Capture) -> None:
    before = contents(folder)
    refused(capsys, words(folder, *more.split()), sentence)
    assert contents(folder) == before
