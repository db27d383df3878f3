"""Budgets of the readout on the command line."""

import json
from pathlib import Path

import pytest

from rchw.document import load
from rchw.report.commands import train_command_line
from rchw.train.tradeoff import tradeoff_rows
from tests.cli.command_line import call, train_small


def test_budgets_of_the_readout_reach_the_design_and_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--readout-bits 10 --readout-adders 9 --readout-nonzeros 5"
    done = train_small(capsys, tmp_path, *words.split())
    assert done.code == 0, done.err
    assert "readout: nmse on validation samples" in done.out and "18 adders" in done.out
    done = train_small(capsys, tmp_path, *words.split(), "--json")
    design, facts = load(tmp_path / "small.json"), done.record["readout"]
    assert facts == json.loads(json.dumps(design.provenance["readout"]))
    assert facts["adders"][0] <= 9 and facts["nonzeros"][0] <= 5
    assert design.readout.weight_format.width == 10
    assert words in train_command_line(done.record, "small.json")
    assert call(capsys, "report", tmp_path).code == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "What other budgets of the readout would cost" in page
    assert f"{facts['nonzeros'][0]} of 16 weights are not 0" in page
    for row in tradeoff_rows(facts):
        assert all(f">{cell}</td>" in page for cell in row)
