"""A circuit held against the reference, for every state, every input, every pause and every reset.

What is shown, if the verdict is ``proved``: from whatever state, after one clock of reset, each
beat that goes in comes out once and in order, with the last flag it had and the output codes that
``rchw.reference`` says, whatever the codes and last flags of all beats, and however both sides
pause; a beat that waits at the output stays what it is. What is assumed: a source that keeps a beat
until it is taken, as the stream rules demand; one clock; and, trusted, Yosys' reading of the
Verilog, the normal form of `rchw.sim.prove.forms`, and z3.
"""

from dataclasses import dataclass
from pathlib import Path

from rchw.design import Design
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.clocks import flowing, longest_wait, period
from rchw.sim.prove.cone import split
from rchw.sim.prove.expected import Expected
from rchw.sim.prove.explore import Exploration
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.matching import Matching
from rchw.sim.prove.pipeline import Pipeline
from rchw.sim.prove.questions import Questions
from rchw.sim.prove.reach import Breach, Progress
from rchw.sim.prove.replay import Clock, failing_run
from rchw.sim.prove.trial import Trial
from rchw.sim.prove.words import Words, elaborate

__all__ = ["Proof", "prove", "prove_words"]

_TRIALS = 8


@dataclass(frozen=True)
class Proof:
    """What was found.

    Attributes
    ----------
    verdict : str
        ``proved``; ``refuted`` where a run from a reset shows that it does not hold; else
        ``undecided``.
    run : tuple of Clock
        That run, for `rchw.sim.prove.replay.replay`; empty if it is not refuted.
    shown : str or None
        What is wrong in it.
    sentence : str or None
        What is wrong, or could not be decided.
    units : tuple of int
        Whose new state is not the reference's, where that is the reason.
    given : dict of str to int
        Inputs and states for which circuit and reference differ, by name: ``u_0_3`` is the input
        code of channel 3 of the sample, ``x_1_7`` the state of unit 7 before it.
    moments, steps : int
        States of the control that there are, and how often one was left.
    asked, repeated : int
        Questions that went to the solver, and that were the same as an earlier one.
    latency : int
        Most clocks from an input beat to its output beat, if the output never pauses.
    """

    verdict: str
    run: tuple[Clock, ...]
    shown: str | None
    sentence: str | None
    units: tuple[int, ...]
    given: dict[str, int]
    moments: int
    steps: int
    asked: int
    repeated: int
    latency: int

    @property
    def holds(self) -> bool:
        """Whether it is proved."""
        return self.verdict == "proved"


def prove(
    design: Design,
    folder: Path,
    *,
    verilog: Path | None = None,
    timeout: float = 60.0,
    progress: Progress | None = None,
) -> Proof:
    """Prove that a circuit is the reference.

    Parameters
    ----------
    design : Design
    folder : Path
        For what Yosys reads and writes.
    verilog : Path, optional
        Held against the design instead of what is emitted for it.
    timeout : float
        Seconds for one question to the solver.
    progress : callable, optional
        Called with (moments left behind, moments that wait).

    Raises
    ------
    ToolError
        If Yosys fails, or the circuit holds what the prover cannot follow.
    """
    source = verilog or write_verilog(design, folder)
    return prove_words(design, elaborate(source, design.name, folder), timeout, progress)


def prove_words(
    design: Design, words: Words, timeout: float = 60.0, progress: Progress | None = None
) -> Proof:
    """Prove that an elaborated circuit is the reference; see `prove`."""
    forms, parallel = Forms(), schedule(design).parallel
    expected = Expected(design, forms, pipelined=parallel)
    circuit = Circuit(words, forms, expected.named)
    trial = Trial(_TRIALS, 1)
    questions = Questions(forms, trial, timeout)
    matching = Matching(forms, circuit, expected, questions, trial)
    tools = (forms, circuit, expected, questions, matching)
    breach: Breach | None
    if parallel:
        pipeline = Pipeline(*tools)
        pipeline.run(progress)
        breach, most = pipeline.breach, latency(design)
        counts = len(pipeline.contents), pipeline.steps
    else:
        exploration = Exploration(split(words, ["s_axis_tdata", "s_axis_tlast"]), *tools)
        exploration.run(progress)
        breach, most = exploration.breach, 0
        if breach is None:
            breach, most = _timing(design, exploration)
        counts = len(exploration.contents), exploration.steps
    units = () if breach is None else _differing(design, breach, matching)
    verdict, run = "proved", None
    if breach is not None:
        # What the proof stumbles over may be a state that no input leads to, or its own limit.
        run = failing_run(design, words, 1)
        verdict = "undecided" if run is None else "refuted"
    return Proof(
        verdict,
        () if run is None else tuple(run[0]),
        None if run is None else run[1],
        None if breach is None else _sentence(design, breach, units, matching),
        units,
        {} if breach is None else {atom.name: value for atom, value in breach.given.items()},
        *counts,
        questions.asked,
        questions.repeated,
        most,
    )


def _timing(design: Design, exploration: Exploration) -> tuple[Breach | None, int]:
    """Compare latency and period with the formulas."""
    edges = exploration.edges
    moment = next(iter(edges))
    most = longest_wait(edges, flowing(edges))
    if most is None or longest_wait(edges, edges) is None:
        return Breach("every input beat must be answered, but there is a way without", moment), 0
    if most > latency(design):
        sentence = f"a beat must take at most {latency(design)} clocks, but can take {most}"
        return Breach(sentence, moment), most
    clocks = schedule(design).clocks
    for taken, samples in period(exploration.edges):
        if taken != clocks * samples:
            sentence = f"a sample must take {clocks} clocks, not {taken} for {samples}"
            return Breach(sentence, moment), most
    return None, most


def _differing(design: Design, breach: Breach, matching: Matching) -> tuple[int, ...]:
    """Units whose states were not found to be right, in samples like the one that is wrong."""
    right = {i for kind, i, first in matching.proved if kind == "x" and first == breach.first}
    return tuple(sorted(set(range(design.n_units)) - right))


def _sentence(design: Design, breach: Breach, units: tuple[int, ...], matching: Matching) -> str:
    text = breach.sentence
    if matching.unanswered:
        text += f"; the solver could not tell of {matching.unanswered[0]} in time"
    elif units and len(units) < design.n_units:
        told = ", ".join(map(str, units[:5])) + (" and others" if len(units) > 5 else "")
        text += f"; the new state differs in unit {told}"
    return f"{text} [design {design.name}]"
