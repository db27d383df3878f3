"""Prove the stream rules of a design, show that each proof could have failed, write the record."""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import save
from rchw.files import together, write_atomic
from rchw.hdl.emit import write_verilog
from rchw.sim.prove.ports import check_ports
from rchw.sim.prove.words import Words, elaborate
from rchw.sim.record import heading, versions, write_record
from rchw.sim.rules.checker import FAULTS, RULES, belt, bounds, checker, groups
from rchw.sim.rules.control import follow
from rchw.sim.rules.engine import Found, run_task
from rchw.sim.rules.script import Task, sby, tasks
from rchw.sim.rules.structure import paths, reset_state
from rchw.sim.rules.tables import connections, exposed, table

__all__ = ["prove_rules"]

ASSUMED = (
    "the source keeps tvalid until a beat is taken, and holds it low in a reset",
    "one clock; aresetn is low for at least one clock at the start",
    "Yosys reads the Verilog rightly; SymbiYosys asks what is written; z3 answers rightly",
)


def prove_rules(
    design: Design,
    out: Path,
    *,
    verilog: Path | None = None,
    timeout: float = 600.0,
    seed: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Prove the rules of `docs/stream.md` with SymbiYosys.

    Parameters
    ----------
    design : Design
    out : Path
        Folder for ``NAME.v``, ``NAME.json``, ``NAME_rules.v``, ``NAME_rules.sby``, the traces
        ``RULE.vcd`` of refutations and the record ``rules.json``. What is there stays until all of
        it is complete.
    verilog : Path, optional
        A file to hold against the rules in place of what is emitted for the design.
    timeout : float
        Seconds for each group of rules.
    seed : int
        Chooses the planted fault.
    say : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        The record: ``verdict`` (``"pass"`` only if all rules are proved and the planted fault is
        refuted), ``proof`` (``"proved"``, ``"refuted"`` or ``"undecided"``), ``sentence``,
        ``rules`` (of each: what it says, ``proof``, ``sentence``, ``trace``), ``reset``, ``tasks``
        (method, clauses and seconds of each), ``control_states`` (of the table; 0 without one),
        ``bounds``, ``planted``, ``assumed``, ``seconds``.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    start, name = time.monotonic(), design.name
    with together(out, keep_logs=True) as work:
        source = work / f"{name}.v"
        if verilog is None:
            write_verilog(design, work)
        else:
            write_atomic(source, verilog.read_bytes())
        save(design, work / f"{name}.json")
        words = elaborate(source, name, work / "words")
        check_ports(words, design)
        control = None if belt(design) else follow(words, design)
        if control is None:
            rules, task_list = checker(design), sby(design, timeout)
        else:
            rules = checker(design, connections(control), table(control))
            task_list = sby(design, timeout, exposed(control), control.memories)
        write_atomic(work / f"{name}_rules.v", rules)
        write_atomic(work / f"{name}_rules.sby", task_list)
        tools = versions(["z3-solver"], ["yosys"])
        record = heading("rules", design, source, tools, seed)
        record["bounds"] = vars(bounds(design))
        record["rules"], record["tasks"] = {}, {}
        record["control_states"] = 0 if control is None else len(control.states)
        listed = tasks(design, control is not None)
        for group, names in groups(design).items():
            say(f"rules: {', '.join(names)}")
            mine = [task for task in listed if task.group == group and task.fault is None]
            found, told = _found(design, words, work, mine, timeout)
            record["tasks"] |= told
            for rule in names:
                record["rules"][rule] = _entry(rule, found, work)
        record["rules"] |= {"reset": reset_state(words), "paths": paths(words, design)}
        fault = list(FAULTS)[seed % len(FAULTS)]
        say(f"planted fault: {FAULTS[fault]}")
        planted = [task for task in listed if task.fault == fault]
        tried = [run_task(design, words, work, task, timeout) for task in planted]
        record["planted"] = _planted(tried, fault)
        record |= _verdict(record)
        record["assumed"] = list(ASSUMED)
        for folder in [*work.glob(f"{name}_rules*/"), work / "words"]:
            shutil.rmtree(folder)  # thousands of lines of Yosys; the .sby makes them again
        record["seconds"] = round(time.monotonic() - start, 2)
        write_record(record, work / "rules.json", out)
    for rule, entry in record["rules"].items():
        if not entry["trace"]:
            (out / f"{rule}.vcd").unlink(missing_ok=True)  # of an earlier run
    return record


def _found(
    design: Design, words: Words, work: Path, listed: Sequence[Task], timeout: float
) -> tuple[Found, dict[str, Any]]:
    """What the tasks of a group say, one after the other until one tells, and their entries."""
    sentences, entries = [], {}
    for task in listed:
        found = run_task(design, words, work, task, timeout)
        entries[task.name] = {
            "method": task.method,
            "clauses": found.clauses,
            "seconds": found.seconds,
        }
        if found.proof != "undecided":
            return found, entries
        sentences.append(str(found.sentence))
    return replace(found, sentence="; ".join(sentences)), entries


def _entry(rule: str, found: Found, work: Path) -> dict[str, Any]:
    """Of a group that is refuted only the rule that the trace breaks; the others are open."""
    if found.proof == "proved":
        return {"says": RULES[rule], "proof": "proved", "sentence": None, "trace": None}
    if found.rule not in (None, rule):
        told = f"not decided: {found.rule} is broken, which is proved with it"
        return {"says": RULES[rule], "proof": "undecided", "sentence": told, "trace": None}
    trace = None
    if found.trace is not None:
        trace = f"{rule}.vcd"
        shutil.copyfile(found.trace, work / trace)
    return {"says": RULES[rule], "proof": found.proof, "sentence": found.sentence, "trace": trace}


def _planted(told: Sequence[Found], fault: str) -> dict[str, Any]:
    """What became of a fault: the first task refutes it, and none may prove the rules with it."""
    found = told[0]
    proved = any(each.proof == "proved" for each in told)
    return {
        "fault": FAULTS[fault],
        "proof": "proved" if proved else found.proof,
        "rule": found.rule,
        "sentence": found.sentence,
        "seconds": round(sum(each.seconds for each in told), 2),
    }


def _verdict(record: dict[str, Any]) -> dict[str, Any]:
    rules, planted = record["rules"], record["planted"]
    for proof in ("refuted", "undecided"):
        for rule, entry in rules.items():
            if entry["proof"] == proof:
                told = f"{entry['sentence']}".removeprefix(f"{rule}: ")
                sentence = f"{rule}: {told} [design {record['design']}]"
                return {"verdict": "fail", "proof": proof, "sentence": sentence}
    if planted["proof"] != "refuted":
        sentence = f"the planted fault was not found: {planted['fault']}"
        return {"verdict": "fail", "proof": "proved", "sentence": sentence}
    return {"verdict": "pass", "proof": "proved", "sentence": None}
