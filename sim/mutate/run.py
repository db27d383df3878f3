"""Plant faults in a design and its circuit, count which the checks catch, and write the record."""

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.files import together
from rchw.hdl.emit import write_verilog
from rchw.sim.mutate.draw import Drawn, Mutant, draw_mutants
from rchw.sim.mutate.gates import GATES
from rchw.sim.mutate.judge import Fate, decide, run_mutant
from rchw.sim.mutate.netlist import Netlist, read_netlist
from rchw.sim.mutate.numbers import NUMBERS
from rchw.sim.mutate.program import batches, build_program
from rchw.sim.prove.words import Bit
from rchw.sim.record import heading, versions, write_record
from rchw.sim.soak.judge import judge
from rchw.sim.soak.program import Program
from rchw.sim.stimulus import pushes

__all__ = ["AIM", "LONG", "mutate"]

AIM = 0.99
"""Of the mutants that are not equivalent, this share must be caught."""

LONG = 100_000
"""Samples of the run of a mutant that survives a quick one, if nothing else is asked for."""

_QUICK = 4096  # samples of the quick run
_ROUNDS = 4  # of pushes
_LEAST, _TIMES = 30.0, 4.0  # seconds of a proof, and how often that of the circuit without a fault
_WORTH = 20.0  # seconds of long runs for which an optimised program is built
_MOST = 10_000

Say = Callable[[str], None]
Fates = dict[int, Fate]  # by the number of the mutant


def mutate(
    design: Design,
    out: Path,
    *,
    mutants: int,
    seed: int = 1,
    samples: int = LONG,
    proof_seconds: float | None = None,
    all_proofs_seconds: float = 3600.0,
    say: Say = lambda line: None,
) -> dict[str, Any]:
    """Plant faults and report which of them the checks catch.

    Parameters
    ----------
    design : Design
    out : Path
        Folder for ``NAME.v`` and the record ``mutants.json``; what is there stays until both are
        complete.
    mutants : int
        Faults, drawn evenly over the operators of `NUMBERS` and `GATES`.
    seed : int
        Of the drawing and of the stimulus.
    samples : int
        Of the run of a mutant that survives a quick one.
    proof_seconds : float, optional
        Of the processor, for the proof of each that survives all runs. Four times of what the
        circuit without a fault takes, and 30 at least, if not given.
    all_proofs_seconds : float
        Likewise, for all proofs together; of those that are left over then the mutants are missed.
    say : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        The record: ``verdict``, ``sentence``; ``wanted``, ``made``, ``caught``, ``equivalent``,
        ``missed``, ``share``; ``by`` what they were caught; ``stages``; ``operators``, each with
        the same counts and ``not_built``; ``mutants``, all of them; ``samples``; seconds;
        ``proof_limit`` of each and ``circuit_proof``: what the prover says of the circuit itself,
        if it was asked and cannot prove that.

    Raises
    ------
    DesignError
        If mutants, samples or seed are out of range.
    ToolError
        If a tool is missing or fails.
    """
    if not 1 <= mutants <= _MOST:
        raise DesignError(f"mutants must be from 1 to {_MOST}, not {mutants}")
    if not 1 <= samples < 1 << 63:
        raise DesignError(f"samples must be from 1 to 2**63 - 1, not {samples}")
    if not 0 <= seed < 1 << 63:
        raise DesignError(f"seed must be from 0 to 2**63 - 1, not {seed}")
    start = time.monotonic()
    with together(out, keep_logs=True) as work:
        source, place = write_verilog(design, work), work / "mutants"
        netlist = read_netlist(source, design.name, place / "netlist")
        drawn = draw_mutants(design, netlist, mutants, seed, place / "designs", say)
        fates: Fates = {}
        wrong, spent = None, {"runs": 0.0, "proofs": 0.0}
        push = pushes(design)
        # Blocks begin anywhere in the pushes, so they are sent several times.
        lengths = {
            "quick": min(_QUICK, samples),
            "pushed": min(_ROUNDS * len(push[0]), samples),
            "long": samples,
        }
        begin = time.monotonic()
        for number, batch in enumerate(batches(drawn.mutants)):
            tools = (design, netlist, lengths, push, seed, place / f"program{number}", say)
            wrong, caught = _run(batch, *tools)
            fates |= caught
            if wrong is not None:
                break
        spent["runs"] = time.monotonic() - begin
        begin = time.monotonic()
        proofs = _Proofs(design, netlist, source, place, proof_seconds, all_proofs_seconds)
        if wrong is None:
            fates |= proofs.decide(drawn, fates, say)
        spent["proofs"] = time.monotonic() - begin
        record = heading(
            "mutants", design, source, versions(["z3-solver"], ["yosys", "verilator", "c++"]), seed
        )
        record |= _judged(wrong, drawn, fates) | {"wanted": mutants} | _counted(drawn, fates)
        record |= {"circuit_proof": proofs.circuit, "proof_limit": proofs.limit}
        record["samples"] = lengths
        record |= {f"{what}_seconds": round(took, 2) for what, took in spent.items()}
        record["seconds"] = round(time.monotonic() - start, 2)
        shutil.rmtree(place)  # hundreds of megabytes that a seed makes again
        write_record(record, work / "mutants.json", out)
    return record


def _no_fault(netlist: Netlist, hit: Bit) -> None:
    """Plant nothing."""
    del netlist, hit


def _jobs() -> int:
    return os.cpu_count() or 1


def _faultless(
    design: Design, program: Program, samples: int, seed: int
) -> tuple[str | None, float]:
    """Sentence if the circuit itself fails: then nothing can be said of its mutants; seconds."""
    heard = program.run(samples, seed, _jobs(), plus=["+mutant=0"])
    found = judge(design, program, heard, seed)
    seconds = heard.done["seconds"]
    if found is None:
        return None, seconds
    return f"the circuit must pass without a fault, but {found['sentence']}", seconds


def _run(
    batch: list[Mutant],
    design: Design,
    netlist: Netlist,
    lengths: Mapping[str, int],
    push: tuple[NDArray[np.int64], NDArray[np.bool_]],
    seed: int,
    folder: Path,
    say: Say,
) -> tuple[str | None, Fates]:
    """What is wrong with the circuit itself, and the fates of those that are caught by a run."""
    program = build_program(design, netlist, batch, folder / "quick", say)
    wrong, took = _faultless(design, program, lengths["quick"], seed)
    fates, left = Fates(), batch
    for stage, samples in lengths.items():
        if not left:
            break
        if stage == "pushed":
            program = program.fed(*push)
            wrong, _ = _faultless(design, program, samples, seed)
        elif stage == "long":
            program = replace(program, data=None)
            # Worth a program of its own, optimised, only where the runs would take longer than it.
            if took * len(left) * samples / lengths["quick"] > _WORTH:
                program = build_program(design, netlist, left, folder / "long", say, "-O2")
            wrong, _ = _faultless(design, program, samples, seed)
        if wrong is not None:
            return wrong, {}
        jobs = 1 if stage == "quick" else _jobs()
        for mutant in left:
            say(f"{stage} runs: {len(fates)} of {len(batch)} caught, {mutant.operator}")
            fate = run_mutant(program, mutant, samples, seed, jobs, stage)
            if fate is not None:
                fates[mutant.number] = fate
        left = [mutant for mutant in left if mutant.number not in fates]
    return None, fates


class _Proofs:
    """The proofs of those that survive all runs, and how long they may take.

    Attributes
    ----------
    limit : float or None
        Seconds of the processor for one; None while there is none to make.
    circuit : str or None
        What the prover says of the circuit without a fault, if it cannot prove that.
    """

    def __init__(
        self,
        design: Design,
        netlist: Netlist,
        source: Path,
        place: Path,
        each: float | None,
        whole: float,
    ) -> None:
        self._given = (design, netlist, source)
        self._place, self._left = place, whole
        self.limit = each
        self.circuit: str | None = None

    def _decide(self, mutant: Mutant, limit: float) -> tuple[Fate, float]:
        begin = time.process_time()
        folder = self._place / f"proof{mutant.number}"
        fate = decide(*self._given, mutant, folder, min(limit, self._left))
        took = time.process_time() - begin
        self._left = max(self._left - took, 0.0)
        return fate, took

    def decide(self, drawn: Drawn, fates: Fates, say: Say) -> Fates:
        """Fates of those that have none yet."""
        left = [mutant for mutant in drawn.mutants if mutant.number not in fates]
        if left and self._left > 0 and self.limit != 0:
            say("proof of the circuit without a fault")
            limit = self._left if self.limit is None else self.limit
            fate, took = self._decide(Mutant(0, "", "", edit=_no_fault), limit)
            self.circuit = fate.sentence
            if self.limit is None:
                self.limit = round(max(_LEAST, _TIMES * took), 1)
        decided: Fates = {}
        for mutant in left:
            told = f"{mutant.operator}: {mutant.where}"
            say(f"proofs: {len(decided)} of {len(left)} survivors, {told}")
            fate, _ = self._decide(mutant, self.limit or 0.0)
            if fate.by == "step" and self.circuit is not None:  # so is the right circuit, then
                fate = Fate("missed", None, "proof", fate.sentence)
            decided[mutant.number] = fate
        return decided


def _judged(wrong: str | None, drawn: Drawn, fates: Fates) -> dict[str, Any]:
    """Verdict, its sentence, and the share that was caught of those that make a difference."""
    results = Counter(fate.result for fate in fates.values())
    real = results["caught"] + results["missed"]
    share = results["caught"] / real if real else None
    sentence = wrong
    if wrong is None and share is None:
        sentence = f"none of {len(drawn.mutants)} mutants makes a difference that could be caught"
    elif wrong is None and share is not None and share < AIM:
        first = next(m for m in drawn.mutants if fates[m.number].result == "missed")
        sentence = (
            f"{results['missed']} of {real} mutants that are not equivalent were missed, first "
            f"{first.operator}: {first.where}"
        )
    return {
        "verdict": "pass" if sentence is None else "fail",
        "sentence": sentence,
        "share": None if share is None else round(share, 4),
    }


def _counts(fates: list[Fate]) -> dict[str, Any]:
    results = Counter(fate.result for fate in fates)
    return {
        "made": len(fates),
        **{result: results[result] for result in ("caught", "equivalent", "missed")},
        "by": dict(Counter(fate.by for fate in fates if fate.result == "caught")),
    }


def _counted(drawn: Drawn, fates: Fates) -> dict[str, Any]:
    known = [mutant for mutant in drawn.mutants if mutant.number in fates]
    operators = {
        name: _counts([fates[m.number] for m in known if m.operator == name])
        | {"not_built": drawn.not_built[name]}
        for name in (*NUMBERS, *GATES)
    }
    rows = [
        {"number": m.number, "operator": m.operator, "where": m.where} | vars(fates[m.number])
        for m in known
    ]
    return {
        **_counts([fates[m.number] for m in known]),
        "not_built": drawn.not_built.total(),
        "stages": dict(Counter(fate.stage for fate in fates.values())),
        "operators": operators,
        "mutants": rows,
    }
