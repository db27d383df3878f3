"""``train --feedback --teaching``: a network is taught as it runs, left alone, or refused."""

import json
import shlex
from pathlib import Path

import pytest

from rchw.document import load
from rchw.report.commands import train_command_line
from tests.cli.command_line import call, refused


def words(place: Path, *more: str) -> tuple[str | Path, ...]:
    split = ("--split", "1500,100,400", "--units", "60", "--density", "0.2")
    return ("train", "sine", "--feedback", *split, "-o", place, *more)


@pytest.mark.parametrize(("rule", "trained"), [
    ("force", None), ("full-force", None), ("partial-force", 30),
])  # fmt: skip
def test_every_rule_makes_a_design_that_runs(
    rule: str, trained: int | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its record tells of training and free runs; the reset goes on behind the training."""
    place = tmp_path / "wave.json"
    done = call(capsys, *words(place, "--teaching", rule, "--json"))
    record = done.record
    assert done.code == 0 and record["kind"] == "train-recurrent"
    options = record["options"]
    assert (options["teaching"], options["trained_units"]) == (rule, trained)
    assert record["test"]["held"] and record["steps"] == record["test"]["steps"] == 500
    assert record["integer_samples"] == (325 if rule == "force" else 0)
    assert (record["tuning"] is None) == (rule != "force")
    assert record["history"]["last_ratio"] > record["history"]["first_ratio"]
    stored = json.loads((tmp_path / "wave.train.json").read_text())
    assert record == stored | {"files": record["files"]}
    ran = call(capsys, "run", place, "--steps", "500", "--json").record
    assert ran["digest"] == record["digest"]
    lines = (tmp_path / "wave.test.csv").read_text().splitlines()[1:]
    shown = [float(line.split(",")[2]) for line in lines]
    assert [row[0] for row in ran["rows"]] == shown


def test_what_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In words, and of a network that is hardly taught that its design is lost."""
    place = tmp_path / "wave.json"
    out = call(capsys, *words(place, "--teaching", "force", "--every", "300")).out
    for part in ("integer design", "float network", "after over before", "lost: left alone, the"):
        assert part in " ".join(out.split()), part


def test_a_task_with_a_cue_is_driven_by_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its design has a channel; what it does is told from cue to cue, and by the report's command.

    So few units lose it, which is said.
    """
    place = tmp_path / "chirp.json"
    given = ("--split", "1600,100,1600", "--units", "20", "--density", "0.5", "--leak-shift", "3")
    line = ("train", "chirp", "--feedback", "--teaching", "full-force", *given)
    done = call(capsys, *line, "--input-scaling", "0.5", "--input-bits", "4", "-o", place)
    for part in ("repetitions within 0.1", "0 of 2", "lost: under its inputs, the design does not"):
        assert part in " ".join(done.out.split()), part
    record = json.loads((tmp_path / "chirp.train.json").read_text())
    assert record["channels"]["inputs"] == ["u0"] and record["steps"] == 1700
    assert len(record["test"]["repetitions"]) == len(record["float"]["repetitions"]) == 2
    design = load(place)
    assert [(c.name, c.format.width) for c in design.inputs] == [("u0", 4)]
    again = shlex.split(train_command_line(record, str(tmp_path / "again.json")))
    assert call(capsys, *again[1:]).code == 0 and load(tmp_path / "again.json").layers == (
        design.layers
    )
    assert call(capsys, "report", tmp_path).code == 0
    page = next(tmp_path.rglob("*.html")).read_text(encoding="utf-8")
    assert "under the inputs of the task" in page and "largest of a cue" in page
    plain = [*words(place, "--teaching", "force"), "--input-scaling", "2"]
    dense = [word for word in plain if word not in ("--density", "0.2")]
    refused(capsys, dense, "input scaling must be left out for sine, whose inputs are the outputs'")


def test_what_means_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "wave.json"
    force = ("--teaching", "force")
    for more, sentence in (
        (("--teaching", "hebb"), "teaching must be one of ridge, force, full-force, partial-force"),
        (("--gain", "1.2"), "gain must be left out without --teaching force, not 1.2"),
        ((*force, "--reservoir", "cycle"), "reservoir must be leaky for force, which needs a matr"),
        ((*force, "--squares"), "squares must be left out for force, not True"),
        ((*force, "--lanes", "2,2"), "lanes must be one number, not 2"),
        ((*force, "--trained-units", "3"), "trained units must be left out for force, not 3"),
        ((*force, "--alpha", "0"), "alpha must be above 0 and finite, not 0.0"),
        ((*force, "--alpha", "1e-300"), "alpha must leave recursive least squares positive"),
        ((*force, "--steps", "501"), "steps must be from 20 to the 500 samples behind the train"),
        ((*force, "--integer-samples", "1300"), "integer samples must be from 0 to below the 1300"),
        (
            ("--teaching", "full-force", "--integer-samples", "9"),
            "integer samples must be left out for full-force, whose matrix is trained, not 9",
        ),
    ):
        dense = [word for word in words(place, *more) if word not in ("--density", "0.2")]
        refused(capsys, dense, sentence)
    plain = [word for word in words(place, *force) if word != "--feedback"]
    refused(capsys, plain, "teaching must be left out without --feedback, not force")
    assert not place.exists()
