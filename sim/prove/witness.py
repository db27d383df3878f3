"""What a proof says of a circuit's registers, held against a run on numbers.

A proof from assumptions that nothing meets says nothing. So the circuit runs from drawn contents,
through one clock of reset, into the states of the control that the proof knows, with drawn codes;
and in each of them every register must hold what the proof says it does, by the values that the
reference gives for the samples of this very run.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from rchw.sim.prove.answering import Answering
from rchw.sim.prove.explore import Exploration
from rchw.sim.prove.moments import Edge, Moment
from rchw.sim.prove.pipeline import Fill, Pipeline
from rchw.sim.prove.run import Run
from rchw.sim.prove.words import Words

__all__ = ["Witness", "meet"]

_CLOCKS = 50_000  # of all runs; they end sooner where every state of the control was met
_ROUNDS = 6  # of a pipeline's depth


@dataclass(frozen=True)
class Witness:
    """What was met.

    Attributes
    ----------
    met, moments : int
        States of the control in which the run was, and how many there are.
    clocks : int
        How long it was.
    held : int
        Bits of registers that were compared.
    sentence : str or None
        What the proof says otherwise than the run; then the proof is wrong.
    """

    met: int
    moments: int
    clocks: int
    held: int
    sentence: str | None


def meet(reach: Exploration | Pipeline, words: Words, seed: int) -> Witness:
    """Run a circuit through the states of its control that a proof knows.

    Parameters
    ----------
    reach : Exploration or Pipeline
        Of a proof that holds.
    words : Words
    seed : int
        Of the contents before the reset, the codes and the handshakes.
    """
    rng = np.random.default_rng(seed)
    if isinstance(reach, Exploration):
        met, clocks, held, sentence = _folded(reach, words, rng)
    else:
        met, clocks, held, sentence = _parallel(reach, words, rng)
    return Witness(met, len(reach.contents), clocks, held, sentence)


def _folded(
    reach: Exploration, words: Words, rng: np.random.Generator
) -> tuple[int, int, int, str | None]:
    start = next(iter(reach.edges))
    met, clocks, held = set[Moment](), 0, 0
    sentence: str | None = None
    while sentence is None and clocks < _CLOCKS:
        run, moment = Run(reach.design, words, reach.expected, rng), start
        way: list[Edge] | None = []
        while way is not None and sentence is None and run.clocks < _CLOCKS:
            for edge in way:
                sentence = sentence or _step(run, moment, edge, rng)
                moment = edge.to
            if moment not in met:
                met.add(moment)
                sentence = sentence or run.differs(reach.contents[moment])
            way = _way(reach, moment, met)
        clocks, held = clocks + run.clocks, held + run.held
        if _way(reach, start, met) is None:
            break
    return len(met), clocks, held, sentence


def _step(run: Run, moment: Moment, edge: Edge, rng: np.random.Generator) -> str | None:
    """Go one way on; a sentence if the circuit does otherwise."""
    valid, ready, last = edge.handshakes[int(rng.integers(len(edge.handshakes)))]
    run.settle(valid, ready, last if run.expected.window is not None else None)
    shown, takes = (run.circuit.number(name) for name in ("m_axis_tvalid", "s_axis_tready"))
    found = (bool(valid and takes), bool(shown))
    if found != (edge.taken, edge.valid):
        return f"a beat must be (taken, given) {(edge.taken, edge.valid)}, not {found}, in the run"
    sentence = run.shown(moment.owed[0].age) if shown else None
    run.clock()
    if edge.taken:
        run.enter(1, any(s.answers and s.age == run.expected.window for s in moment.samples))
    if edge.taken or not valid:
        run.draw()
    return sentence


def _way(reach: Exploration, start: Moment, met: set[Moment]) -> list[Edge] | None:
    """Shortest way to a state that was not met."""
    came: dict[Moment, tuple[Moment, Edge] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        moment = waiting.popleft()
        if moment not in met:
            way: list[Edge] = []
            while (step := came[moment]) is not None:
                moment, edge = step
                way.insert(0, edge)
            return way
        for edge in reach.edges[moment]:
            if edge.to not in came:
                came[edge.to] = (moment, edge)
                waiting.append(edge.to)
    return None


def _parallel(
    reach: Pipeline, words: Words, rng: np.random.Generator
) -> tuple[int, int, int, str | None]:
    run, end = Run(reach.design, words, reach.expected, rng), reach.end
    fill, met = Fill((0,) * (end + 1), 0), set[Fill]()
    sentence: str | None = None
    while sentence is None and run.clocks < _ROUNDS * (end + 1):
        met.add(fill)
        if fill not in reach.contents:
            sentence = f"{fill} must be a state of the control that the proof knows"
            break
        sentence = run.differs(reach.contents[fill])
        valid, ready = int(rng.random() < 0.7), int(rng.random() < 0.7)
        run.settle(valid, ready)
        shown = run.circuit.number("m_axis_tvalid")
        if shown:
            sentence = sentence or run.shown(end)
        run.clock()
        before = run.sample(end - 1)
        ends = before is not None and before.valid and before.last
        waits = shown and not ready
        if not waits or (run.answering and not ends):
            at, place = list(fill.valid), reach.awaited(fill)
            if place is not None and at[place] is None:
                at[place] = run.samples[place].valid
            was, fill = fill, reach.later(Fill(tuple(at), fill.begun))
            if isinstance(reach, Answering):
                summed = reach.adds_up(was, at, bool(before and before.valid))
                shown = int(waits or bool(ends))
                fill = replace(fill, valid=(*fill.valid[:-1], shown), summed=summed)
                run.answer = before if ends else run.answer
            run.enter(valid)
            run.draw()
    return len(met), run.clocks, run.held, sentence
