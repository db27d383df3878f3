"""A circuit held against the reference, for every state, every input, every pause and every reset.

What is shown, if the verdict is ``proved``: from whatever state, after one clock of reset, each
beat that goes in comes out once and in order, with the last flag it had and the output codes that
``rchw.reference`` says, whatever the codes and last flags of all beats, and however both sides
pause; a beat that waits at the output stays what it is. Where a sequence has one answer, each beat
with its last flag set gives one beat, in order, with the codes that the reference says of all
samples of its sequence, and no other beat gives one. What is assumed: a source that keeps a beat
until it is taken, as the stream rules demand; one clock; and, trusted, Yosys' reading of the
Verilog, the normal form of `rchw.sim.prove.forms`, and z3.
"""

from dataclasses import dataclass
from pathlib import Path

from rchw.design import Design
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.prove.answering import Answering
from rchw.sim.prove.answers import Answers
from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.clocks import flowing, longest_wait, period
from rchw.sim.prove.cone import data_inputs, split
from rchw.sim.prove.expected import Expected, units_of
from rchw.sim.prove.explore import Exploration
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.matching import Matching
from rchw.sim.prove.pipeline import Pipeline
from rchw.sim.prove.questions import Questions
from rchw.sim.prove.reach import Breach, Progress
from rchw.sim.prove.replay import Clock, failing_run
from rchw.sim.prove.sums import Sum, held_sums
from rchw.sim.prove.trial import Trial
from rchw.sim.prove.witness import Witness, meet
from rchw.sim.prove.words import Words, elaborate

__all__ = ["Proof", "explored", "is_pipeline", "prove", "prove_words"]

_TRIALS = 8
_PUSHED = 2  # units that are wrong, at most, that are pushed to their ends in search of a run


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
    start : int
        Seed of what its registers held before.
    shown : str or None
        What is wrong in it.
    sentence : str or None
        What is wrong, or could not be decided.
    units : tuple of int
        Whose new state is not the reference's, where that is the reason; counted over all layers.
    given : dict of str to int
        Inputs and states for which circuit and reference differ, by name: ``u_0_3`` is the input
        code of channel 3 of the sample, ``x_1_7`` the state of unit 7 before it, counted likewise.
    step : bool
        Whether these are states after a sample, each within what its unit can have, at which the
        output of the circuit is not the reference's, though no run was found that leads there.
    moments, steps : int
        States of the control that there are, and how often one was left.
    asked, tried, repeated : int
        Questions that went to the solver, that were answered by trying all values, and that were
        the same as an earlier one.
    remembered : int
        Questions that an earlier run had asked.
    latency : int
        Most clocks from an input beat to its output beat, if the output never pauses.
    sums : tuple of Sum
        Sums of the reference that registers were shown to hold.
    witness : Witness or None
        The run that met what the proof says; None if nothing is proved, or none was asked for.
    """

    verdict: str
    run: tuple[Clock, ...]
    start: int
    shown: str | None
    sentence: str | None
    units: tuple[int, ...]
    given: dict[str, int]
    step: bool
    moments: int
    steps: int
    asked: int
    tried: int
    repeated: int
    remembered: int
    latency: int
    sums: tuple[Sum, ...]
    witness: Witness | None

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
    seed: int | None = None,
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
        Called with (states of the control left behind, those there are).
    seed : int, optional
        Of the run that meets what is proved; none is made without it.

    Raises
    ------
    ToolError
        If Yosys fails, or the circuit holds what the prover cannot follow.
    """
    source = verilog or write_verilog(design, folder)
    words = elaborate(source, design.name, folder)
    return prove_words(design, words, timeout, progress, seed=seed)


def prove_words(
    design: Design,
    words: Words,
    timeout: float = 60.0,
    progress: Progress | None = None,
    *,
    seed: int | None = None,
    answers: Answers | None = None,
    count: bool = True,
) -> Proof:
    """Prove that an elaborated circuit is the reference; see `prove`.

    Answers of the solver are taken from, and added to, those that are given. Without a count the
    states of the control that there are, which in a wrong circuit may be very many, are told as 0.
    """
    reach = explored(design, words, timeout, progress, answers, count)
    breach, most = reach.breach, latency(design)
    if breach is None and isinstance(reach, Exploration):
        breach, most = _timing(design, reach)
    witness = None if breach is not None or seed is None else meet(reach, words, seed)
    if witness is not None and witness.sentence is not None:
        breach = Breach(witness.sentence, None)
    units = () if breach is None else _differing(design, breach, reach.matching)
    # What the proof stumbles over may be a state that no input leads to, or its own limit.
    run = None if breach is None else failing_run(design, words, 1, units=units[:_PUSHED])
    clocks, start, shown = ((), 0, None) if run is None else run
    return Proof(
        "proved" if breach is None else "undecided" if run is None else "refuted",
        tuple(clocks),
        start,
        shown,
        None if breach is None else _sentence(design, breach, units, reach.matching, run is None),
        units,
        {} if breach is None else {atom.name: value for atom, value in breach.given.items()},
        breach is not None and breach.step and run is None,
        len(reach.contents),
        reach.steps,
        reach.questions.asked,
        reach.questions.tried,
        reach.questions.repeated,
        reach.questions.remembered,
        most,
        held_sums(reach) if breach is None else (),
        witness,
    )


def explored(
    design: Design,
    words: Words,
    timeout: float = 60.0,
    progress: Progress | None = None,
    answers: Answers | None = None,
    count: bool = True,
) -> Pipeline | Exploration:
    """Everything a circuit can be; see `prove_words`. Latency and period are not looked at."""
    forms, parallel = Forms(), is_pipeline(design)
    expected = Expected(design, forms, pipelined=parallel)
    circuit = Circuit(words, forms, expected.named)
    trial = Trial(_TRIALS, 1, expected.meaning)
    questions = Questions(forms, trial, timeout, answers)
    matching = Matching(forms, circuit, expected, questions, trial)
    tools = (forms, circuit, expected, questions, matching)
    reach: Pipeline | Exploration
    if parallel:
        reach = (Answering if design.readout.pooled else Pipeline)(*tools)
    else:
        reach = Exploration(split(words, data_inputs(design)), *tools)
    reach.run(progress, count)
    return reach


def is_pipeline(design: Design) -> bool:
    """Whether a sample follows the other through the circuit, and no control but that."""
    return schedule(design).parallel and not design.feedback


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


def _sentence(
    design: Design, breach: Breach, units: tuple[int, ...], matching: Matching, unseen: bool
) -> str:
    text = breach.sentence
    if breach.step and unseen:
        text += (
            ", but differs at states that the ranges of the units allow; no run was found to them"
        )
    elif matching.unanswered:
        text += f"; the solver could not tell of {matching.unanswered[0]} in time"
    elif units and len(units) < design.n_units:
        text += f"; the new state differs in unit {_told(design, units)}"
    return f"{text} [design {design.name}]"


def _told(design: Design, units: tuple[int, ...]) -> str:
    """Numbers of units; of layers in series of the first of them, as those behind only follow."""
    layer, own = next(
        pair
        for pair in zip(design.layers, units_of(design), strict=True)
        if not set(units).isdisjoint(pair[1])
    )
    numbers = [i - own.start for i in units if i in own]
    told = ", ".join(map(str, numbers[:5])) + (" and others" if len(numbers) > 5 else "")
    return f"{told} of layer {layer.name}" if len(design.layers) > 1 else told
