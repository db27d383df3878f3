"""A proof that was stopped goes on with the answers that it had."""

from pathlib import Path

import pytest

from rchw.errors import RchwError
from rchw.hdl.emit import write_verilog
from rchw.sim.prove.answers import Answers
from rchw.sim.prove.proof import prove_words
from rchw.sim.prove.words import elaborate
from tests.sim.prove.test_proof import RIGHT


def test_a_stopped_proof_does_not_ask_again(tmp_path: Path) -> None:
    design, kept = RIGHT["parallel with a table"], tmp_path / "answers.jsonl"
    words = elaborate(write_verilog(design, tmp_path), design.name, tmp_path)

    def stopped(done: int, total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prove_words(design, words, progress=stopped, answers=Answers(kept))
    had = len(kept.read_text().splitlines())
    kept.write_text(kept.read_text() + '["torn')
    whole = prove_words(design, words)
    rest = prove_words(design, words, answers=Answers(kept))
    assert whole.holds and rest.holds
    assert rest.remembered == had > 0 and rest.asked == whole.asked - had


def test_answers_are_those_of_their_question(tmp_path: Path) -> None:
    kept = tmp_path / "answers.jsonl"
    Answers(kept).add("x = 1", False, [3, -4])
    answers = Answers(kept)
    assert answers.get("x = 1") == (False, [3, -4])
    assert answers.get("x = 2") is None
    assert Answers().get("x = 1") is None


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(RchwError, match="cannot be written: No such file or directory"):
        Answers(tmp_path / "missing" / "answers.jsonl").add("x", True, [])
    with pytest.raises(RchwError, match="cannot be read: Is a directory"):
        Answers(tmp_path)
