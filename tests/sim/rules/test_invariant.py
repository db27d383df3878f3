"""An invariant that does not hold at the start, does not go on or does not suffice is refused."""

from pathlib import Path

import pytest
import z3

from rchw.errors import ToolError
from rchw.sim.rules.abc import main, rewritten
from rchw.sim.rules.invariant import Problem, prove_by, read_aiger, read_invariant

# Two bits that count 0, 1, 2, 0, ...: 3 must not be reached. Variables: bits 1 and 2.
#   first' = !first & !second (gate 3), second' = first & !second (gate 4), wrong = both (gate 5)
COUNTER = Problem(0, ((6, 0), (8, 0)), (10,), ((5, 3), (5, 2), (4, 2)))
BOTH = {0: True, 1: True}


def test_what_proves_and_what_does_not() -> None:
    assert prove_by(COUNTER, [BOTH]) == (None, 1)
    insufficient = "what goes on of the invariant does not rule out a broken rule"
    assert prove_by(COUNTER, []) == (insufficient, 0)
    told, _ = prove_by(COUNTER, [BOTH, {0: False, 1: False}])
    assert told == "the invariant does not hold at the start"
    free = Problem(0, ((6, None), (8, 0)), (10,), COUNTER.gates)
    assert prove_by(free, [BOTH]) == (None, 1)


def test_what_does_not_go_on_is_no_part_of_the_proof() -> None:
    """The first bit becomes 1, and only then the second: both cubes that say never are left out."""
    never = [{0: True}, {1: True}]
    assert prove_by(COUNTER, [*never, BOTH]) == (None, 1)
    # Nothing is left where both bits are 1 after the first clock: second' = !(first & !second).
    wrong = Problem(0, ((6, 0), (9, 0)), (10,), COUNTER.gates)
    told = "what goes on of the invariant does not rule out a broken rule"
    assert prove_by(wrong, [BOTH, *never]) == (told, 0)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "problem.aig"
    # The differences of each gate: 6-5, 5-3; 8-5, 5-2; 10-4, 4-2.
    path.write_bytes(b"aig 5 0 2 1 3\n6\n8 4\n10\n" + bytes([1, 2, 3, 3, 6, 2]) + b"c\n")
    assert read_aiger(path) == Problem(0, ((6, 0), (8, None)), (10,), COUNTER.gates)
    path.write_bytes(b"aig 5 0 2 0 3 1 1\n6\n8\n10\n4\n" + bytes([1, 2, 3, 3, 6, 2]))
    with pytest.raises(ToolError, match="must be an AIGER file without constraints"):
        read_aiger(path)

    path = tmp_path / "invariant.pla"
    path.write_text(
        "# Inductive invariant for x\n.i 2\n.o 1\n.ilb lo00 lo12\n.ob inv\n1- 1\n01 1\n.e\n"
    )
    assert read_invariant(path) == [{0: True}, {0: False, 12: True}]
    path.write_text("# Clauses of the last timeframe\n.ilb lo00\n1 1\n")
    with pytest.raises(ToolError, match="must hold an inductive invariant, but does not say so"):
        read_invariant(path)


def test_commands_of_abc(capsys: pytest.CaptureFixture[str]) -> None:
    for words in ("read_aiger a; sim3; write_cex -a e/trace.aiw", "read_aiger a; bmc3"):
        assert main(["-c", words]) == 1
        assert f"ABC's commands must be of pdr or bmc3, not {words!r}" in capsys.readouterr().err
    assert main(["--version"]) == 1 and "not '--version'" in capsys.readouterr().err
    assert rewritten("a; pdr; write_cex -a engine_3/trace.aiw")[1] == Path("engine_3")
    assert "invariant" not in rewritten("a; bmc3 -F 9; write_cex -a engine_3/trace.aiw")[0]


def test_a_question_without_an_answer_proves_nothing() -> None:
    """z3 that may not say anything leaves the invariant open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rchw.sim.rules.invariant.checked", lambda solver: z3.unknown)
        told, _ = prove_by(COUNTER, [BOTH], 5.0)
    assert told is not None and told.startswith("z3 could not tell within 5 s whether")
