"""``rchw train --adapt``: a rule on the way to integers, in every kind of training."""

import json
import shlex
from pathlib import Path

import pytest

from rchw.document import load
from rchw.report.commands import train_command_line
from tests.cli.command_line import call, small_series, train_small

RULE = ("--adapt", "intrinsic-plasticity", "--adapt-with", "std=0.15,epochs=3", "--gain-bits", "6")


def test_the_design_and_its_record_tell_of_the_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command of the report makes the same design again."""
    done = train_small(capsys, tmp_path, *RULE)
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert "intrinsic-plasticity: spectral radius " in words
    design = load(tmp_path / "small.json")
    gain = design.driven.gain
    assert gain is not None and gain.format.width == 6 and len(set(gain.codes)) > 1
    record = json.loads((tmp_path / "small.train.json").read_text())
    assert record["adaptation"] == design.provenance["adaptation"]
    assert record["adaptation"]["parameters"]["std"] == 0.15
    assert record["adaptation"]["layers"][0]["samples"] > 0
    assert record["layers"][0]["gain"]["format"] == str(gain.format)
    line = train_command_line(record, str(tmp_path / "again.json"))
    again = shlex.split(line.replace("small.csv", str(tmp_path / "small.csv")))
    assert call(capsys, *again[1:]).code == 0
    assert load(tmp_path / "again.json") == design


def test_the_report_tells_of_the_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_small(capsys, tmp_path, *RULE).code == 0
    done = call(capsys, "report", tmp_path)
    assert done.code == 0, done.err
    page = next(tmp_path.rglob("*.html")).read_text(encoding="utf-8")
    assert "intrinsic-plasticity: spectral radius" in page
    assert "--adapt-with std=0.15,epochs=3" in page


def test_plasticity_stops_early(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says which epoch was kept, and the command of the report makes the same design."""
    rule = ("--adapt", "hebbian", "--adapt-with", "learning_rate=1e-2,epochs=5")
    words = (*rule, "--adapt-stop", "patience=2,washout=5", "--reservoir", "leaky")
    done = train_small(capsys, tmp_path, *words)
    assert done.code == 0, done.err
    assert "epochs; weights of epoch " in " ".join(done.out.split())
    record = json.loads((tmp_path / "small.train.json").read_text())
    layer = record["adaptation"]["layers"][0]
    assert layer["after"]["error"] <= layer["before"]["error"]
    line = train_command_line(record, str(tmp_path / "again.json"))
    again = shlex.split(line.replace("small.csv", str(tmp_path / "small.csv")))
    assert "--adapt-stop" in again and call(capsys, *again[1:]).code == 0
    assert load(tmp_path / "again.json") == load(tmp_path / "small.json")


def test_a_generator_is_adapted_to_its_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = small_series(tmp_path / "small.csv")
    words = ("--target-columns", "x", "--units", "8", "--search", "none", "--steps", "20")
    done = call(capsys, "train", data, "-o", tmp_path / "g.json", "--feedback", *words, *RULE)
    assert done.code == 0, done.err
    design = load(tmp_path / "g.json")
    assert design.driven.gain is not None
    assert design.provenance["adaptation"]["rule"] == "intrinsic-plasticity"


BAD = {
    "rule": (("--adapt", "magic"), "rule of adaptation must be one of intrinsic-plasticity"),
    "parameters": ((*RULE[:2], "--adapt-with", "std"), "must be NAME=NUMBER,... such as epochs=5"),
    "alone": (("--gain-bits", "6"), "gain bits must be left out for no adapt, not 6"),
    "stopping": (
        ("--adapt", "flow-control", "--adapt-stop", "patience=2"),
        "stopping must be left out for flow-control, and is there for hebbian, anti-hebbian, oja, "
        "anti-oja, bcm",
    ),
    "samples": (
        ("--adapt", "oja", "--adapt-stop", "patience=2,washout=5000", "--reservoir", "leaky"),
        "washout must leave at least 2 of the",
    ),
    "clip": (
        ("--adapt", "phase-transition"),
        "activation must be tanh, linear or fermi, of integers pwl or table, for phase-transition, "
        "not clip",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_words_are_one_sentence(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words, sentence = BAD[case]
    done = train_small(capsys, tmp_path, *words)
    assert done.code == 2 and sentence in " ".join(done.err.split())
    assert not (tmp_path / "small.json").exists()
