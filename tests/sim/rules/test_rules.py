"""The stream rules are proved of right circuits and refuted of wrong ones, with a trace."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rchw.activation import tanh_table
from rchw.design import Design
from rchw.hdl.emit import emit
from rchw.schedule import schedule
from rchw.sim.prove.words import Words
from rchw.sim.rules import command
from rchw.sim.rules.checker import FAULTS, bounds, checker, groups
from rchw.sim.rules.command import prove_rules
from rchw.sim.rules.control import Control, follow
from rchw.sim.rules.engine import Found, run_task
from rchw.sim.rules.script import Task, sby
from rchw.sim.rules.tables import connections, exposed, table
from tests.boards.test_of_design import PAIRED, ring
from tests.examples import EXAMPLE
from tests.sim.rules.test_structure import read

FOLDED = ring("folded", 4, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 6, lanes=6, multipliers=6)


def check_proved(record: dict[str, Any], design: Design) -> None:
    assert record["verdict"] == "pass" and record["proof"] == "proved", record["sentence"]
    rules = {rule for group in groups(design).values() for rule in group}
    assert set(record["rules"]) == rules | {"reset", "paths"}
    for entry in record["rules"].values():
        assert entry["proof"] == "proved" and entry["trace"] is None and entry["says"]
    assert record["rules"]["reset"]["registers"] > 5
    methods = {task["method"] for task in record["tasks"].values()}
    if schedule(design).parallel:
        assert methods == {"pdr"} and record["control_states"] == 0
        assert all(task["clauses"] > 20 for task in record["tasks"].values())
    else:
        assert methods == {"induction"} and record["control_states"] > 20
    assert record["planted"]["proof"] == "refuted" and record["planted"]["sentence"]


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3, 4))])
def test_a_parallel_circuit_is_proved_and_every_fault_is_found(seed: int, tmp_path: Path) -> None:
    said: list[str] = []
    record = prove_rules(PARALLEL, tmp_path, seed=seed, say=said.append)
    check_proved(record, PARALLEL)
    fault = list(FAULTS.values())[seed % len(FAULTS)]
    assert record["planted"]["fault"] == fault and said[-1] == f"planted fault: {fault}"
    left = {path.name for path in tmp_path.iterdir() if path.suffix != ".log"}
    names = ("parallel.v", "parallel.json", "parallel_rules.v", "parallel_rules.sby", "rules.json")
    assert left == set(names)


@pytest.mark.parametrize(
    "design",
    [
        FOLDED,
        *(
            pytest.param(design, id=name, marks=pytest.mark.slow)
            for name, design in {
                "lanes do not divide units": ring("third", 10, lanes=3, multipliers=3),
                "one lane": ring("one", 6),
                "outputs in turn": ring("turns", 6, outputs=2),
                "two units": ring("two", 2, lanes=2),
                "example": EXAMPLE,
                "squares and a table": replace(PAIRED, name="squares"),
                "state runs on": replace(ring("on", 8), reset_on_last=False),
                "tabled": ring("tabled", 9, activation=tanh_table(FOLDED.layer.state, 6)[0]),
            }.items()
        ),
    ],
)
def test_a_folded_circuit_is_proved(design: Design, tmp_path: Path) -> None:
    check_proved(prove_rules(design, tmp_path, seed=3), design)


@pytest.mark.slow
@pytest.mark.parametrize("lanes", [1, 4, 100])
def test_a_hundred_units_are_proved(lanes: int, tmp_path: Path) -> None:
    design = ring("hundred", 100, lanes=lanes, multipliers=lanes)
    check_proved(prove_rules(design, tmp_path, seed=lanes), design)


def edited(design: Design, pattern: str, new: str) -> str:
    text, count = re.subn(pattern, new, emit(design), flags=re.DOTALL)
    assert count == 1, count
    return text


def test_a_wrong_circuit_is_refuted_with_a_trace(tmp_path: Path) -> None:
    """The pipeline moves though the output waits."""
    wrong = tmp_path / "wrong.v"
    wrong.write_text(edited(PARALLEL, r"(assign go = )[^;]*;", r"\1 1'h1;"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out/order.vcd").write_text("of an earlier run")
    record = prove_rules(PARALLEL, tmp_path / "out", verilog=wrong)
    assert record["verdict"] == "fail" and record["proof"] == "refuted"
    (rule,) = (name for name, entry in record["rules"].items() if entry["trace"])
    entry = record["rules"][rule]
    assert entry["proof"] == "refuted" and re.search(r"at clock \d+$", entry["sentence"])
    assert record["sentence"].endswith("[design parallel]")
    others = [name for name in groups(PARALLEL)["beats"] if name != rule]
    assert all(record["rules"][name]["proof"] == "undecided" for name in others)
    assert "$enddefinitions" in (tmp_path / "out" / entry["trace"]).read_text()
    assert (tmp_path / "out/order.vcd").exists() is (rule == "order")


def test_a_wrong_folded_circuit_is_refuted_with_a_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples begin though the queue has no place for what comes out."""
    wrong = tmp_path / "wrong.v"
    monkeypatch.setattr(command, "groups", lambda design: {"beats": groups(design)["beats"]})
    wrong.write_text(edited(FOLDED, r"(assign free = used != )[^;]*;", r"\1 2'h3;"))
    record = prove_rules(FOLDED, tmp_path / "out", verilog=wrong)
    assert record["verdict"] == "fail" and record["proof"] == "refuted"
    assert record["tasks"]["search_beats"]["method"] == "search"
    (rule,) = (name for name in groups(FOLDED)["beats"] if record["rules"][name]["trace"])
    assert re.search(r"at clock \d+$", record["rules"][rule]["sentence"])
    assert "$enddefinitions" in (tmp_path / "out" / f"{rule}.vcd").read_text()


def shortened(control: Control) -> Control:
    """One clock less of silence than there is, in the state with the most."""
    states = {code: replace(state) for code, state in control.states.items()}
    max(states.values(), key=lambda state: state.silent).silent -= 1
    return replace(control, states=states)


def shifted(control: Control) -> Control:
    """A beat is a clock older than it is, in one state."""
    states = {code: replace(state) for code, state in control.states.items()}
    state = next(state for state in states.values() if state.ages)
    state.ages = {ahead: age + 1 for ahead, age in state.ages.items()}
    return replace(control, states=states)


def misplaced(control: Control) -> Control:
    """A last flag is looked for where it is not, in one state."""
    states = {code: replace(state) for code, state in control.states.items()}
    state = next(state for state in states.values() if state.count == 1)
    (other, *_) = ((n, 0) for n in control.flags if (n, 0) != state.lasts[0])
    state.lasts = {0: other}
    return replace(control, states=states)


def without_one(control: Control) -> Control:
    """A state is missing."""
    *most, _ = control.states
    return replace(control, states={code: control.states[code] for code in most})


def test_without_a_table_nothing_is_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "follow", lambda words, design: None)
    monkeypatch.setattr(command, "groups", lambda design: {"period": ("period",)})
    monkeypatch.setattr("rchw.sim.rules.script.depth", lambda design: 2)
    record = prove_rules(FOLDED, tmp_path)
    assert record["proof"] == "undecided" and record["control_states"] == 0
    assert record["tasks"].keys() == {"search_period"}
    assert record["rules"]["period"]["sentence"].startswith("no counterexample of up to ")


def test_a_fault_that_the_induction_proves_too_is_no_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def proved(design: Design, words: Words, folder: Path, task: Task, timeout: float) -> Found:
        if task.fault and task.method == "induction":
            return Found("proved", None, None, None, 0, 0.0)
        return run_task(design, words, folder, task, timeout)

    monkeypatch.setattr(command, "run_task", proved)
    monkeypatch.setattr(command, "groups", lambda design: {"period": ("period",)})
    record = prove_rules(FOLDED, tmp_path)
    assert record["planted"]["proof"] == "proved" and record["verdict"] == "fail"
    assert str(record["sentence"]).startswith("the planted fault was not found: ")


WRONG = {"beats": [shortened, misplaced, without_one], "latency": [shifted]}


@pytest.mark.parametrize(
    ("group", "spoil"),
    [
        pytest.param(g, s, marks=() if s is shortened else pytest.mark.slow)
        for g, found in WRONG.items()
        for s in found
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_wrong_table_proves_nothing(
    group: str,
    spoil: Callable[[Control], Control],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoiled(words: Words, design: Design) -> Control:
        control = follow(words, design)
        assert control is not None
        return spoil(control)

    monkeypatch.setattr(command, "follow", spoiled)
    monkeypatch.setattr(command, "groups", lambda design: {group: groups(design)[group]})
    monkeypatch.setattr("rchw.sim.rules.script.depth", lambda design: 2)
    record = prove_rules(FOLDED, tmp_path, timeout=100)
    assert record["verdict"] == "fail" and record["proof"] == "undecided"
    told = "the table of the control does not prove it by induction; no counterexample of up to "
    for rule in groups(FOLDED)[group]:
        entry = record["rules"][rule]
        assert entry["proof"] == "undecided" and entry["sentence"].startswith(told)
        assert entry["sentence"].endswith(" clocks was found within 100 s")


@pytest.mark.parametrize("design", [FOLDED, PARALLEL, EXAMPLE], ids=lambda design: design.name)
def test_the_files_are_for_reading(design: Design, tmp_path: Path) -> None:
    text, tasks = checker(design), sby(design, 60)
    if not schedule(design).parallel:
        control = follow(read(design, tmp_path), design)
        assert control is not None
        text = checker(design, connections(control), table(control))
        tasks = sby(design, 60, exposed(control), control.memories)
        assert text.count(": row = ") == len(control.states)
    assert "@" not in text.replace("@(", "").replace("@*", "") and "NAME" not in text
    for group, rules in groups(design).items():
        assert f"`ifdef {group.upper()}" in text and f"\n{group} " in tasks
        for rule in rules:
            assert f"{rule}: assert" in text
    for fault in FAULTS:
        assert f"`ifdef FAULT_{fault}" in text and f"fault_{fault.lower()}" in tasks
        proof = f"fault_{fault.lower()}_proof: read_verilog -formal -DBEATS -DTABLE"
        assert (proof in tasks) is not schedule(design).parallel
    assert f"{bounds(design).latency}" in text and max(map(len, text.splitlines())) <= 100
