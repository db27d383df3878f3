"""The stream rules where a sequence has one answer, and where outputs are fed back."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from rchw.design import Design
from rchw.schedule import latency, schedule
from rchw.sim.rules.checker import belt
from rchw.sim.rules.command import prove_rules
from rchw.sim.rules.control import follow
from rchw.sim.rules.replay import Offer, Seen, broken_rule, rerun
from tests.examples import CLASSES, FEEDBACK, SEGMENTS
from tests.sim.rules.test_rules import edited
from tests.sim.rules.test_structure import read
from tests.sim.test_feedback import GATES, IDLE

SHORT = replace(
    SEGMENTS,
    name="short",
    readout=replace(
        SEGMENTS.readout,
        accumulate="last",
        segments=None,
        weights=tuple(row[:13] for row in SEGMENTS.readout.weights),
    ),
)


def proved(design: Design, folder: Path, seed: int = 1) -> None:
    record = prove_rules(design, folder, seed=seed)
    assert record["verdict"] == "pass" and record["proof"] == "proved", record["sentence"]
    assert all(entry["proof"] == "proved" for entry in record["rules"].values())
    methods = {task["method"] for task in record["tasks"].values()}
    assert methods == ({"pdr"} if belt(design) else {"induction"})


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 4))])
def test_a_pipeline_of_sequences_is_proved(seed: int, tmp_path: Path) -> None:
    proved(CLASSES, tmp_path, seed)


@pytest.mark.slow
@pytest.mark.parametrize("design", [SEGMENTS, SHORT, FEEDBACK, GATES, IDLE], ids=lambda d: d.name)
def test_others_are_proved(design: Design, tmp_path: Path) -> None:
    proved(design, tmp_path, seed=3)


WRONG = {
    "what has no answer pushes one out": (CLASSES, r"(assign i__ready = \w+ \| )\w+;"),
    "samples go in before the output is out": (GATES, r"(assign i__ready = \S+ +& )\w+;"),
}


@pytest.mark.parametrize(
    "fault", [pytest.param(f, marks=[pytest.mark.slow] * (k > 0)) for k, f in enumerate(WRONG)]
)
def test_a_wrong_circuit_is_refuted(fault: str, tmp_path: Path) -> None:
    design, pattern = WRONG[fault]
    wrong = tmp_path / "wrong.v"
    wrong.write_text(edited(design, pattern, r"\1 1'h1;"))
    record = prove_rules(design, tmp_path / "out", verilog=wrong)
    assert record["verdict"] == "fail" and record["proof"] == "refuted", record["sentence"]
    assert re.search(r"at clock \d+ \[design \w+\]$", record["sentence"])


def test_tables_of_loops(tmp_path: Path) -> None:
    """One beat under way, and its flag where it is put out in the end; the period as scheduled."""
    for design in (GATES, FEEDBACK):
        control = follow(read(design, tmp_path / design.name), design)
        assert control is not None
        states = list(control.states.values())
        assert {state.count for state in states} == {0, 1}
        assert max(age for state in states for age in state.ages.values()) == latency(design)
        assert max(state.since for state in states) == schedule(design).clocks
        if design is GATES:
            (place,) = {s.lasts[0][0] for s in states if s.ages.get(0) == latency(design)}
            assert place == "core.o__payload", "of two that are equal the one that is put out"


@pytest.mark.slow
def test_tables_of_sequences(tmp_path: Path) -> None:
    """Under way are answers, of which any number of samples between two has none."""
    control = follow(read(SHORT, tmp_path), SHORT)
    assert control is not None and not control.flags
    states = list(control.states.values())
    assert {0, 1, 2} <= {state.count for state in states}
    assert max(age for state in states for age in state.ages.values()) == latency(SHORT)
    assert all(state.since <= schedule(SHORT).clocks for state in states)


def played(design: Design, folder: Path) -> tuple[list[Offer], list[Seen]]:
    """Some sequences of one to three samples, under pauses of the output."""
    words = read(design, folder)
    offers = [Offer(0, 0, 0, 0, 0)]
    offers += [Offer(1, 1, int(k % 4 != 1), 0, int(k % 5 < 2)) for k in range(160)]
    return offers, rerun(words, offers)


@pytest.mark.parametrize("design", [CLASSES, SHORT], ids=lambda design: str(design.name))
def test_the_second_reading_knows_sequences(design: Design, tmp_path: Path) -> None:
    """A right run breaks no rule; one answer less, or one without its flag, breaks one."""
    offers, seen = played(design, tmp_path)
    assert broken_rule(design, offers, seen) is None
    shown = [k for k, out in enumerate(seen) if k and out.m_axis_tvalid]
    assert len(shown) > 4
    changes: list[tuple[dict[str, int], str]] = [({"m_axis_tlast": 0}, "order")]
    if belt(design):
        changes.append(({"m_axis_tvalid": 0}, "once"))
    at = next(k for k in shown if offers[k].m_axis_tready)
    for change, rule in changes:
        wrong = [replace(out, **change) if k == at else out for k, out in enumerate(seen)]
        told = broken_rule(design, offers, wrong)
        assert told is not None and told.startswith(rule)
    early = [replace(out, m_axis_tvalid=1, m_axis_tlast=1) if k == 2 else out
             for k, out in enumerate(seen)]  # fmt: skip
    told = broken_rule(design, offers, early)
    assert told is not None and told.startswith("once")
