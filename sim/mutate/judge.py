"""Whether a mutant is caught: by a run, by a longer one, or by the prover; or is equivalent."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rchw.design import Design
from rchw.errors import ToolError
from rchw.sim.mutate.draw import Mutant, module_of
from rchw.sim.mutate.netlist import Netlist, to_words
from rchw.sim.prove.proof import prove_words
from rchw.sim.prove.words import Words, elaborate
from rchw.sim.soak.program import Program

__all__ = ["CHECKS", "Fate", "decide", "run_mutant"]

CHECKS = ("code", "last", "protocol", "stuck", "lost", "late", "slow")
"""What the soak finds, by which a mutant counts as caught; see `rchw.sim.soak.judge`."""
_QUESTIONS = (
    10.0,
    60.0,
)  # seconds for one question to the solver, at first and if that was not enough


@dataclass(frozen=True)
class Fate:
    """What became of a mutant.

    Attributes
    ----------
    result : str
        ``caught``, ``equivalent`` or ``missed``.
    by : str or None
        One of `CHECKS`; ``proof`` where the prover found a run, ``step`` where it found states at
        which an output is wrong, each within its range, but no run to them. Of an equivalent one
        ``proof`` or ``same Verilog``.
    stage : str
        ``quick``, ``pushed`` or ``long`` run, or ``proof``.
    sentence : str or None
        Of the prover, where it had a say.
    """

    result: str
    by: str | None
    stage: str
    sentence: str | None = None


def run_mutant(
    program: Program, mutant: Mutant, samples: int, seed: int, jobs: int, stage: str
) -> Fate | None:
    """Run a mutant under the checks of the soak; None if it survives."""
    heard = program.run(samples, seed, jobs, plus=[f"+mutant={mutant.number}"])
    if heard.failure is None or heard.failure["kind"] not in CHECKS:
        return None
    return Fate("caught", heard.failure["kind"], stage)


class _TooLong(Exception):
    """The time for a proof is over."""


def decide(
    design: Design, netlist: Netlist, verilog: Path, mutant: Mutant, folder: Path, seconds: float
) -> Fate:
    """Let the prover decide on a mutant that has survived its runs.

    Parameters
    ----------
    design : Design
    netlist : Netlist
        Of its circuit.
    verilog : Path
        Of its circuit.
    mutant : Mutant
    folder : Path
        For what Yosys reads and writes.
    seconds : float
        Of the processor, for one proof: a mutant that is hard to tell is read in two ways, and
        what a question leaves open is proved again with more time for each. With 0 there is none.
    """
    if mutant.verilog is not None and _body(verilog, design.name) == _body(
        mutant.verilog, module_of(design, mutant.number)
    ):
        return Fate("equivalent", "same Verilog", "proof")
    if seconds <= 0:
        return Fate("missed", None, "proof", "there was no time for a proof")
    folder.mkdir(parents=True, exist_ok=True)
    fate = Fate("missed", None, "proof", "there was no time for a proof")
    readings: Iterable[Words] = _readings(design, netlist, mutant, folder)
    try:
        for question in _QUESTIONS:
            undecided: list[Words] = []
            for words in readings:
                fate, again = _proved(design, words, min(seconds, question), seconds)
                if fate.result != "missed":
                    return fate
                undecided += [words] * (again and seconds > question)
            readings = undecided
    except ToolError as error:
        return Fate("missed", None, "proof", str(error))
    return fate


def _proved(design: Design, words: Words, question: float, seconds: float) -> tuple[Fate, bool]:
    """What the prover says of one reading of a mutant, and whether longer questions may help."""
    end = time.process_time() + seconds  # not of the clock on the wall: the machine may be busy

    def watch(done: int, total: int) -> None:
        del total
        if time.process_time() > end:
            raise _TooLong(f"{done} states of the control left behind")

    try:
        proof = prove_words(design, words, question, watch, count=False)
    except _TooLong as reached:
        told = f"the proof took over {seconds:g} seconds: {reached}"
        return Fate("missed", None, "proof", told), False
    if proof.verdict == "refuted":
        return Fate("caught", "proof", "proof", proof.shown), False
    if proof.verdict == "proved":
        return Fate("equivalent", "proof", "proof"), False
    if proof.step:
        return Fate("caught", "step", "proof", proof.sentence), False
    return Fate("missed", None, "proof", proof.sentence), True


def _readings(design: Design, netlist: Netlist, mutant: Mutant, folder: Path) -> Iterator[Words]:
    """A mutant as the prover may see it: it decides on some only in one way, or in the other."""
    if mutant.edit is None:
        assert mutant.verilog is not None
        yield elaborate(mutant.verilog, module_of(design, mutant.number), folder)
        return
    whole = netlist.copy()
    mutant.edit(whole, "1")
    yield to_words(whole, design.name, folder)
    yield to_words(whole, design.name, folder, narrow=True)


def _body(verilog: Path, top: str) -> str:
    """Verilog without its header, and without the name of its design."""
    text = verilog.read_text()
    return re.sub(rf"\b{top}(?=_[a-z]|\b)", "", text[text.index("\nmodule ") :])
