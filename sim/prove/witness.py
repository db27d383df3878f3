"""What a proof says of a circuit's registers, held against a run on numbers.

A proof from assumptions that nothing meets says nothing. So the circuit runs from drawn contents,
through one clock of reset, into the states of the control that the proof knows, with drawn codes;
and in each of them every register must hold what the proof says it does, by the values that the
reference gives for the samples of this very run.
"""

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.schedule import latency
from rchw.sim.lanes import lane_bytes, unpack
from rchw.sim.prove.answering import Answering
from rchw.sim.prove.circuit import Contents, Value
from rchw.sim.prove.expected import Expected, units_of
from rchw.sim.prove.explore import Exploration
from rchw.sim.prove.forms import Atom, Form
from rchw.sim.prove.moments import Edge, Moment
from rchw.sim.prove.names import Role
from rchw.sim.prove.numbers import Numbers
from rchw.sim.prove.pipeline import Fill, Pipeline
from rchw.sim.prove.running import COUNTED
from rchw.sim.prove.trial import value_of
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


@dataclass(frozen=True)
class _Sample:
    """A beat on the wires, and what the reference says after it; of a gap, ``valid`` is 0.

    `place` is its number in its sequence, `sums` are those of its features, or over the samples of
    the sequence up to it; `codes_out` is what they become, and `outputs` what an answer holds.
    `after` and `held` are the place of the next sample, and the sums that it goes on from.
    """

    codes: tuple[int, ...]
    above: tuple[int, ...]
    last: int
    valid: int
    begins: int
    states: tuple[int, ...]
    squares: tuple[int, ...]
    place: int
    sums: tuple[int, ...]
    after: int
    held: tuple[int, ...]
    codes_out: tuple[int, ...]
    outputs: tuple[int, ...]


class _Run:
    """The circuit after a reset, and the samples that went in, the latest first."""

    def __init__(
        self, design: Design, words: Words, expected: Expected, rng: np.random.Generator
    ) -> None:
        self.design, self.expected, self._rng = design, expected, rng
        self.circuit = Numbers(words, int(rng.integers(1 << 30)))
        self.samples: list[_Sample] = []
        self._waiting: list[_Sample] = []  # whose answers wait, and which are in work no more
        self.clocks = self.held = 0
        self.answering = expected.pipelined and design.readout.pooled
        self.answer: _Sample | None = None  # that waits at the output of a parallel circuit
        names = words.inputs
        self.circuit.settle({name: int(rng.integers(2)) for name in names} | {"aresetn": 0})
        self.circuit.clock()
        self.draw()

    def sample(self, age: int) -> _Sample | None:
        """The sample of an age as in `rchw.sim.prove.expected.Role`; None before the first."""
        window = self.expected.window
        if window is None or age <= window + 1:
            return self.samples[age] if age < len(self.samples) else None
        return self._waiting[age - window - 2]

    def draw(self) -> None:
        """Another beat at the input."""
        codes, above, self._word, start = [], [], 0, 0
        for channel in self.design.beat:
            fmt, width = channel.format, 8 * lane_bytes(channel.format)
            code = int(self._rng.integers(fmt.min, fmt.max, endpoint=True))
            if self._rng.random() < 0.2:
                code = int(self._rng.choice([fmt.min, fmt.max]))
            junk = int(self._rng.integers(1 << (width - fmt.width)))
            lane = code & ((1 << fmt.width) - 1) | junk << fmt.width
            self._word |= lane << start
            codes.append(code)
            above.append(junk)
            start += width
        self._codes, self._above = tuple(codes), tuple(above)
        self._last = int(self._rng.random() < 0.3)

    def settle(self, valid: int, ready: int, last: int | None = None) -> None:
        """Set the input, with another last flag than that which was drawn, if one is given."""
        self._last = self._last if last is None else last
        handshakes = {"aresetn": 1, "s_axis_tvalid": valid, "m_axis_tready": ready}
        self.circuit.settle(handshakes | {"s_axis_tdata": self._word, "s_axis_tlast": self._last})

    def enter(self, valid: int, kept: bool = False) -> None:
        """Let what is at the input be the latest sample, or a gap.

        `kept`: an answer waits of the sample that leaves the window of those in work.
        """
        if kept:
            assert self.expected.window is not None
            self._waiting.insert(0, self.samples[self.expected.window])
        design, before = self.design, self.samples[0] if self.samples else None
        codes = np.array([self._codes], dtype=np.int64)
        begins = 1 if before is None else before.begins
        initial = before is None or (begins and design.reset_on_last)
        start = None if initial or before is None else np.array(before.states)
        if not design.stages:
            states = codes[0, design.n_inputs :]
            codes = codes[:, : design.n_inputs]
        elif valid:
            states = reference.run(design, codes, state=start).states[0]
        else:
            states = np.array(_initial(design) if before is None else before.states)
        rows = states[None, :]
        squares = np.zeros(design.n_units, dtype=np.int64)  # of layers that have none
        units, blocks = units_of(design), feature_codes(design, rows, codes)
        for block, (_, found) in zip(design.blocks, blocks, strict=True):
            if block.kind == "squares":
                squares[units[block.layer]] = found[0]
        place = 0 if before is None else before.after
        frac, sums = self._summed(place, blocks)
        held = self._held() if not valid else sums[0] * (1 - self._last)
        rounded = ReadoutReference(design).rounded(frac, sums)
        answer = [int(rounded[0].argmax())] if design.readout.argmax else rounded[0].tolist()
        sample = _Sample(
            self._codes, self._above, self._last, valid, self._last if valid else begins,
            tuple(states.tolist()), tuple(squares.tolist()), place, tuple(sums[0].tolist()),
            place if not valid else 0 if self._last else place + 1, tuple(held.tolist()),
            tuple(rounded[0].tolist()), tuple(answer),
        )  # fmt: skip
        self.samples.insert(0, sample)
        del self.samples[64:]

    def _summed(
        self, place: int, features: list[tuple[int, NDArray[np.int64]]]
    ) -> tuple[int, NDArray[np.int64]]:
        """Fraction bits and sums (1, L) of a sample, with those before it in its sequence."""
        readout, spans = ReadoutReference(self.design), self.expected.spans
        if spans is None:
            return readout.totals(features)
        frac, sums = readout.totals(features, spans.segment(place))
        if place >= spans.cap:
            sums = 0 * sums
        return frac, sums + self._held()

    def _held(self) -> NDArray[np.int64]:
        """Sums (L,) that a sample goes on from."""
        nothing = (0,) * self.design.n_outputs
        return np.array(self.samples[0].held if self.samples else nothing, dtype=object)

    def clock(self) -> None:
        """Let a clock pass."""
        self.circuit.clock()
        self.clocks += 1

    def shown(self, age: int) -> str | None:
        """Sentence on the beat at the output, which must be the sample of this age."""
        formats = [output.format for output in self.design.readout.answers]
        sample = self.answer if self.answering else self.sample(age)
        assert sample is not None
        got = tuple(unpack([self.circuit.number("m_axis_tdata")], formats)[0].tolist())
        if got != sample.outputs:
            return f"outputs must be {sample.outputs} in the run of the proof, not {got}"
        if self.circuit.number("m_axis_tlast") != sample.last:
            return f"m_axis_tlast must be {sample.last} in the run of the proof"
        return None

    def differs(self, contents: Contents) -> str | None:
        """Sentence on a register that does not hold what the proof says, if there is one."""
        values, known, free = _Values(self), dict[Atom, int](), dict[Value, int]()
        held, roles = self.circuit.contents, self.expected.roles
        for key, bits in contents.items():
            whole: dict[Form, int] = {}
            for place, bit in enumerate(bits):
                got = held[key] >> place & 1
                if isinstance(bit, int):
                    want = bit
                elif bit[0].atom is not None and bit[0].atom not in roles:
                    want = free.setdefault(bit, got)  # anything, but the same wherever it stands
                elif roles.keys() >= bit[0].unknowns():
                    if bit[0] not in whole:
                        whole[bit[0]] = value_of(bit[0], values, known)
                    want = whole[bit[0]] >> bit[1] & 1
                else:
                    continue  # computed from what a reset left
                self.held += 1
                if want != got:
                    return f"bit {place} of {key} must be {want} in the run of the proof"
        return None


class _Values(dict[Atom, int]):
    """Values of what has a role, in one state of a run."""

    def __init__(self, run: _Run) -> None:
        super().__init__()
        self._run = run
        self._end = latency(run.design) - 1

    def __missing__(self, atom: Atom) -> int:
        self[atom] = value = self._value(atom, self._run.expected.roles[atom])
        return value

    def _value(self, atom: Atom, role: Role) -> int:
        expected, sample = self._run.expected, self._run.sample(role.age)
        if self._run.answering and role.kind in ("y", "class") and role.age == self._end:
            sample = self._run.answer
        if role.kind in COUNTED:
            return self._counted(role, sample)
        if role.kind == "t" and expected.spans is not None and expected.pipelined:
            assert sample is not None
            return sample.sums[role.index]
        if role.kind == "t" and expected.spans is not None:
            assert sample is not None and role.first is not None
            return sample.sums[role.index] - expected.spans.of(role.index, role.first)[2]
        if role.kind in ("p", "t"):
            return value_of(expected.plain(Form({(atom,): 1})), self)
        if sample is None:  # before the first sample after the reset
            if role.kind == "x":
                return _initial(self._run.design)[role.index]
            return int(role.kind == "f")
        row = {
            "u": sample.codes, "above": sample.above, "x": sample.states,
            "square": sample.squares, "y": sample.codes_out, "class": sample.outputs,
            "last": (sample.last,), "v": (sample.valid,), "f": (sample.begins,),
        }[role.kind]  # fmt: skip
        return row[role.index]

    def _counted(self, role: Role, sample: _Sample | None) -> int:
        """What is counted and added up in a pipeline, after a sample or a gap."""
        spans = self._run.expected.spans
        assert spans is not None
        if role.kind == "r":
            return 0 if sample is None else sample.held[role.index]
        place = 0 if sample is None else min(sample.after, spans.cap)
        if role.kind == "q":
            return place
        if role.kind == "adds":
            return int(place < spans.cap)
        return spans.segment(place) >> role.index & 1


def _initial(design: Design) -> list[int]:
    """States of all layers before the first sample."""
    return [code for stage in design.stages for code in stage.layer.initial_state]


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
        run, moment = _Run(reach.design, words, reach.expected, rng), start
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


def _step(run: _Run, moment: Moment, edge: Edge, rng: np.random.Generator) -> str | None:
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
    run, end = _Run(reach.design, words, reach.expected, rng), reach.end
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
