"""``train --feedback`` and ``run --steps``: a generator is taught, left alone, or refused."""

import json
from pathlib import Path

import pytest

from tests.cli.command_line import call, refused


def test_a_generator_is_taught_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its record tells of free runs; the reset of what is written goes on behind the training."""
    place = tmp_path / "sines.json"
    words = (
        "train", "multi-sine", "--feedback", "--units", "12", "--search", "none", "--split",
        "300,200,200", "--washout", "50", "-o", place,
    )  # fmt: skip
    done = call(capsys, *words, "--steps", "100", "--json")
    assert done.code == 0 and done.record["kind"] == "generate"
    assert len(done.record["test"]["times"]) == len(done.record["validation"]["errors"]) == 5
    assert done.record == json.loads((tmp_path / "sines.train.json").read_text()) | {
        "files": done.record["files"]
    }
    ran = call(capsys, "run", place, "--steps", "100", "--json").record
    assert ran["digest"] == done.record["digest"] and len(ran["rows"]) == 100
    rows = (tmp_path / "sines.test.csv").read_text().splitlines()
    assert rows[0] == "sample,target_0,prediction_0" and len(rows) == 101
    assert "mean on test samples" in call(capsys, *words, "--steps", "100").out
    refused(capsys, (*words, "--steps", "500"), "must be at most the 200 validation samples, not")
    plain = [word for word in words if word != "--feedback"]
    refused(capsys, (*plain, "--steps", "9"), "steps must be left out without --feedback, not 9")
