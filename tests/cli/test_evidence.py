"""`evidence` over checks that were really made, by the commands that it names itself."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from rchw.document import load, save
from tests.cli.command_line import call

Capture = pytest.CaptureFixture[str]

MADE = ("verify", "prove", "soak", "netlist", "mutants", "coverage")


def _smaller(command: str) -> str:
    """Of a command what takes a test's time."""
    samples = command.replace("--samples 10000000", "--samples 20000")
    return samples.replace("--mutants 200", "--mutants 10")


@pytest.mark.slow
def test_the_commands_it_names_make_what_is_missing(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    words = ("verify", "small.json", "--samples", "48", "-o", "verify")
    assert call(capsys, *words, "--json").code == 0
    missing = {
        entry["kind"]: entry["command"]
        for entry in call(capsys, "evidence", ".", "--json").record["missing"]
    }
    for kind in MADE[1:]:
        words_of = shlex.split(_smaller(missing[kind]))[1:]
        assert call(capsys, *words_of, "--json").code == 0, missing[kind]

    done = call(capsys, "evidence", ".", "--json")
    assert done.code == 0, done.record["sentence"]
    checks = {check["kind"]: check for check in done.record["checks"]}
    assert set(checks) == set(MADE)
    for check in checks.values():
        assert check["status"] == "pass" and None not in check["numbers"].values(), check
    assert checks["prove"]["numbers"]["proof"] == "proved"
    assert checks["verify"]["again"] == ("rchw verify small.json --samples 48 --seed 1 -o verify")
    again = shlex.split(checks["coverage"]["again"])[1:]
    assert call(capsys, *again, "--json").code == 0

    path = folder / "small.json"
    design = load(path)
    row = design.readout.weights[0]
    weights = ((row[0] ^ 1, *row[1:]), *design.readout.weights[1:])
    save(replace(design, readout=replace(design.readout, weights=weights)), path)
    done = call(capsys, "evidence", ".", "--json")
    assert done.code == 1 and {check["status"] for check in done.record["checks"]} == {"stale"}
