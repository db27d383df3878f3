"""Resets that leave something unknown, and outputs that follow an input at once, are named."""

import re
from pathlib import Path

import pytest

from rchw.design import Design
from rchw.hdl.emit import emit
from rchw.sim.prove.words import Words, elaborate
from rchw.sim.rules.structure import control_registers, paths, reset_state
from tests.boards.test_of_design import ring

FOLDED = ring("folded", 4, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 3, lanes=3, multipliers=3)


def read(design: Design, folder: Path, pattern: str = "", new: str = "", count: int = 0) -> Words:
    text, found = re.subn(pattern, new, emit(design), count=count) if pattern else (emit(design), 1)
    assert found
    folder.mkdir(exist_ok=True)
    (folder / "edited.v").write_text(text)
    return elaborate(folder / "edited.v", design.name, folder / "words")


@pytest.mark.parametrize("design", [FOLDED, PARALLEL], ids=["folded", "parallel"])
def test_right_circuits(design: Design, tmp_path: Path) -> None:
    words = read(design, tmp_path)
    reset, through = reset_state(words), paths(words, design)
    assert reset["proof"] == through["proof"] == "proved" and reset["sentence"] is None
    assert reset["registers"] == len(control_registers(words)) < len(words.registers)


def test_a_register_without_its_reset(tmp_path: Path) -> None:
    lost = (r"(_core_sequencer  sequencer \([^;]*\.rst\()rst", r"\g<1>1'h0")
    words = read(FOLDED, tmp_path, *lost)
    found = reset_state(words)
    assert found["proof"] == "refuted"
    assert re.search(r"register \S+ is unknown after a clock of reset", found["sentence"])


def test_an_output_that_follows_an_input(tmp_path: Path) -> None:
    words = read(PARALLEL, tmp_path)
    assert paths(words, FOLDED)["sentence"] == (
        "s_axis_tready depends on m_axis_tready within the clock"
    )
    (tmp_path / "b").mkdir()
    wrong = (r"assign m_axis_tlast = ", "assign m_axis_tlast = s_axis_tlast & ")
    found = paths(read(FOLDED, tmp_path / "b", *wrong), FOLDED)
    assert found["sentence"] == "m_axis_tlast depends on s_axis_tlast within the clock"
