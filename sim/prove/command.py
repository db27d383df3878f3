"""Prove a design, show that the proof could have failed, and write the record."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import save
from rchw.files import together, write_atomic
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.prove.faults import stuck_bits
from rchw.sim.prove.proof import Proof, prove_words
from rchw.sim.prove.replay import as_test
from rchw.sim.prove.words import Words, elaborate
from rchw.sim.record import heading, versions, write_record

__all__ = ["prove_design"]

ASSUMED = (
    "the source keeps a beat until it is taken, and its data with it",
    "one clock; aresetn is low for at least one clock at the start",
    "Yosys reads the Verilog rightly; the normal form of rchw.sim.prove.forms and z3 are right",
)
_DATA = ("s_axis_tdata", "s_axis_tlast")
_FAULTS = 8  # tried until one is found
_TEST = "counterexample_test.py"


def prove_design(
    design: Design,
    out: Path,
    *,
    verilog: Path | None = None,
    timeout: float = 60.0,
    seed: int = 1,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Prove that the Verilog of a design is the reference; see `rchw.sim.prove.proof`.

    Parameters
    ----------
    design : Design
    out : Path
        Folder for ``NAME.v``, ``NAME.json`` and the record ``prove.json``; after a refutation
        also for ``counterexample_test.py``. What is there stays until all of it is complete.
    verilog : Path, optional
        A file to hold against the design in place of what is emitted for it.
    timeout : float
        Seconds for one question to the solver.
    seed : int
        Of the planted fault.
    say : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        The record: ``verdict`` (``"pass"`` only if ``proof`` is ``"proved"``, and the planted
        fault was found), ``proof`` (``"proved"``, ``"refuted"`` or ``"undecided"``), ``sentence``,
        ``units`` and ``given`` of a refutation, ``moments``, ``steps``, ``asked`` and ``repeated``
        questions, ``latency`` and ``clocks`` as they were proved, ``planted``: the fault, what was
        said of it and how many before it made no difference, ``assumed``, ``seconds``.

    Raises
    ------
    ToolError
        If a tool is missing or fails, or the circuit holds what the prover cannot follow.
    """
    start = time.monotonic()
    with together(out, keep_logs=True) as work:
        source = work / f"{design.name}.v"
        if verilog is None:
            write_verilog(design, work)
        else:
            write_atomic(source, verilog.read_bytes())
        save(design, work / f"{design.name}.json")
        words = elaborate(source, design.name, work / "words")
        proof = prove_words(design, words, timeout, _counted(say, "proof"))
        record = heading("prove", design, source, versions(["z3-solver"], ["yosys"]), seed)
        record |= _found(proof, design)
        if proof.holds:
            record["planted"] = _planted(design, words, timeout, seed, say)
            if record["planted"]["proof"] != "refuted":
                record["verdict"] = "fail"
                record["sentence"] = f"none of {_FAULTS} planted faults was found"
        elif proof.verdict == "refuted":
            assert proof.shown is not None
            test = as_test(design, proof.run, proof.shown)
            file = write_atomic(work / _TEST, test)
            record["run"] = {"sentence": proof.shown, "clocks": len(proof.run), "file": file.name}
        record["seconds"] = round(time.monotonic() - start, 2)
        write_record(record, work / "prove.json", out)
    if not record.get("run"):
        (out / _TEST).unlink(missing_ok=True)  # of an earlier run: it shows nothing any more
    return record


def _counted(say: Callable[[str], None], what: str) -> Callable[[int, int], None]:
    def progress(done: int, waiting: int) -> None:
        if done % 100 == 0:
            say(f"{what}: {done} states of the control left behind, {waiting} waiting")

    return progress


def _found(proof: Proof, design: Design) -> dict[str, Any]:
    return {
        "verdict": "pass" if proof.holds else "fail",
        "proof": proof.verdict,
        "sentence": proof.sentence,
        "units": list(proof.units),
        "given": proof.given,
        "method": "pipeline" if schedule(design).parallel else "states of the control",
        "moments": proof.moments,
        "steps": proof.steps,
        "asked": proof.asked,
        "repeated": proof.repeated,
        "latency": proof.latency,
        "latency_formula": latency(design),
        "clocks": schedule(design).clocks,
        "assumed": list(ASSUMED),
    }


def _planted(
    design: Design, words: Words, timeout: float, seed: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Plant faults until one is refuted: not every stuck bit makes a difference."""
    start, harmless = time.monotonic(), 0
    record: dict[str, Any] = {"fault": None, "proof": "proved", "sentence": None}
    for fault, wrong in stuck_bits(words, _DATA, seed):
        say(f"planted fault: {fault}")
        proof = prove_words(design, wrong, timeout, _counted(say, "planted fault"))
        record = {"fault": fault, "proof": proof.verdict, "sentence": proof.sentence}
        if proof.verdict == "refuted" or harmless + 1 == _FAULTS:
            break
        harmless += 1
    return record | {"harmless": harmless, "seconds": round(time.monotonic() - start, 2)}
