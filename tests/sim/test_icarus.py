"""The benches in a simulator that knows unknown bits: right circuits pass, and an X is named."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rchw.design import Design
from rchw.errors import DesignError, ToolError
from rchw.hdl.emit import emit
from rchw.sim.icarus import without_start
from rchw.sim.verify import compare, verify
from tests.boards.test_of_design import PAIRED, ring
from tests.examples import EXAMPLE

QUEUED = ring("queued", 4, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 6, lanes=6, multipliers=6)
LOST_RESET = (r"(_core_sequencer  sequencer \([^;]*\.rst\()rst", r"\g<1>1'h0")


def test_memories_that_are_written_start_unknown_and_tables_do_not() -> None:
    text = emit(QUEUED)
    lost = without_start(text)
    assert text.count("initial begin") > lost.count("initial begin") > 0
    assert re.search(r"storage\[0\] = ", text) and not re.search(r"storage\[0\] = ", lost)
    assert re.search(r"units\[0\] = ", lost)


def test_what_is_missing_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(ToolError, match=r"^iverilog \(.*\) is missing: install it with `your"):
        verify(QUEUED, tmp_path / "out", samples=48, simulator="icarus")
    assert not (tmp_path / "out").exists()


@pytest.mark.icarus
@pytest.mark.parametrize(
    "design",
    [QUEUED, PARALLEL, EXAMPLE, replace(PAIRED, name="squares"), ring("third", 10, lanes=3)],
    ids=lambda design: design.name,
)
def test_right_circuits(design: Design, tmp_path: Path) -> None:
    record = verify(design, tmp_path, samples=200, simulator="icarus")
    assert record["verdict"] == "pass", record["sentence"]
    assert record["kind"] == "icarus" and (tmp_path / "icarus.json").is_file()
    assert record["tools"]["iverilog"] and "verilator" not in record["tools"]
    assert record["checked"] > 200


def run(design: Design, folder: Path, pattern: str, new: str) -> dict[str, Any]:
    text, found = re.subn(pattern, new, emit(design))
    assert found
    (folder / "wrong.v").write_text(text)
    return compare(
        design, [folder / "wrong.v"], folder, samples=60, seed=1, simulator="icarus", states=False
    )


@pytest.mark.icarus
def test_a_lost_reset_is_seen_as_unknown_bits(tmp_path: Path) -> None:
    record = run(QUEUED, tmp_path, *LOST_RESET)
    assert record["verdict"] == "fail"
    assert "must have known bits, but some are unknown" in record["sentence"]
    assert Path(record["waves"]).stat().st_size > 1000


@pytest.mark.icarus
def test_states_read_before_they_are_written_are_seen(tmp_path: Path) -> None:
    """The first pass takes its states from the memory instead of the initial ones."""
    record = run(QUEUED, tmp_path, r"\bfirst <= [^;]*;", "first <= 1'h0;")
    assert record["verdict"] == "fail"
    assert "must have known bits, but some are unknown" in record["sentence"]


def test_another_simulator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="simulator must be verilator or icarus, not 'vcs'"):
        verify(QUEUED, tmp_path, samples=48, simulator="vcs")
