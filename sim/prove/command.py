"""Prove a design, show that the proof could have failed, and write the record."""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import save
from rchw.files import together, write_atomic
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.prove.answers import Answers
from rchw.sim.prove.planted import FAULTS, searched
from rchw.sim.prove.ports import check_ports
from rchw.sim.prove.proof import Proof, is_pipeline, prove_words
from rchw.sim.prove.replay import as_test
from rchw.sim.prove.words import elaborate
from rchw.sim.record import heading, versions, write_record

__all__ = ["prove_design"]

ASSUMED = (
    "the source keeps a beat until it is taken, and its data with it",
    "one clock; aresetn is low for at least one clock at the start",
    "Yosys reads the Verilog rightly; the normal form of rchw.sim.prove.forms and z3 are right",
)
_ANSWERS = "prove.answers.jsonl"  # only while a proof is not at its end
_TEST = "counterexample_test.py"


def prove_design(
    design: Design,
    out: Path,
    *,
    verilog: Path | None = None,
    timeout: float = 60.0,
    seed: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
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
        Of the planted fault, and of the run that meets what is proved.
    progress : callable, optional
        Called with (states of the control left behind, those there are, what is being done).

    Returns
    -------
    dict
        The record: ``verdict`` (``"pass"`` only if ``proof`` is ``"proved"``, and the planted
        fault was found), ``proof`` (``"proved"``, ``"refuted"`` or ``"undecided"``), ``sentence``,
        ``units`` and ``given`` of a refutation, ``moments``, ``steps``, questions that were
        ``asked``, ``tried``, ``repeated`` and ``remembered``, ``latency`` and ``clocks`` as they
        were proved, ``sums`` and ``witness`` (see `rchw.sim.prove.sums` and
        `rchw.sim.prove.witness`), ``planted``: the
        fault, what was said of it and how many before it made no difference, ``assumed``,
        ``seconds``.

    Raises
    ------
    DesignError
        If a file of Verilog has not the ports of the design.
    ToolError
        If a tool is missing or fails, or the circuit holds what the prover cannot follow.
    """
    start = time.monotonic()
    show = progress or (lambda done, total, words: None)
    with together(out, keep_logs=True) as work:
        answers = Answers(out / _ANSWERS)
        source, file = work / f"{design.name}.v", work / f"{design.name}.json"
        if verilog is None:
            write_verilog(design, work)
        else:
            write_atomic(source, verilog.read_bytes())
        save(design, file)
        words = elaborate(source, design.name, work / "words")
        check_ports(words, design)
        with searched(file, source, work / "planted", timeout, seed) as search:
            proof = prove_words(
                design,
                words,
                timeout,
                lambda done, total: show(done, total, "states of the control"),
                seed=seed,
                answers=answers,
            )
            record = heading("prove", design, source, versions(["z3-solver"], ["yosys"]), seed)
            record |= _found(proof, design)
            if proof.holds:
                show(proof.moments, proof.moments, "waiting for the planted fault")
                record["planted"] = search.result()
        shutil.rmtree(work / "planted")
        if proof.holds and record["planted"]["proof"] != "refuted":
            record["verdict"] = "fail"
            record["sentence"] = f"none of {FAULTS} planted faults was found"
        elif proof.verdict == "refuted":
            assert proof.shown is not None
            test = as_test(design, proof.run, proof.start, proof.shown)
            written = write_atomic(work / _TEST, test)
            record["run"] = {
                "sentence": proof.shown,
                "clocks": len(proof.run),
                "file": written.name,
            }
        record["seconds"] = round(time.monotonic() - start, 2)
        write_record(record, work / "prove.json", out)
    (out / _ANSWERS).unlink(missing_ok=True)  # the next proof stands on its own
    if not record.get("run"):
        (out / _TEST).unlink(missing_ok=True)  # of an earlier run: it shows nothing any more
    return record


def _found(proof: Proof, design: Design) -> dict[str, Any]:
    return {
        "verdict": "pass" if proof.holds else "fail",
        "proof": proof.verdict,
        "sentence": proof.sentence,
        "units": list(proof.units),
        "given": proof.given,
        "step": proof.step,
        "method": "pipeline" if is_pipeline(design) else "states of the control",
        "moments": proof.moments,
        "steps": proof.steps,
        "asked": proof.asked,
        "tried": proof.tried,
        "repeated": proof.repeated,
        "remembered": proof.remembered,
        "latency": proof.latency,
        "latency_formula": latency(design),
        "clocks": schedule(design).clocks,
        "sums": [asdict(each) for each in proof.sums],
        "witness": None if proof.witness is None else asdict(proof.witness),
        "assumed": list(ASSUMED),
    }
