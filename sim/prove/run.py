"""A circuit on drawn numbers, with what the reference says of the samples of this very run."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.schedule import latency
from rchw.sim.lanes import lane_bytes, unpack
from rchw.sim.prove.circuit import Contents, Value
from rchw.sim.prove.expected import Expected, units_of
from rchw.sim.prove.forms import Atom, Form
from rchw.sim.prove.names import Role
from rchw.sim.prove.numbers import Numbers
from rchw.sim.prove.running import COUNTED
from rchw.sim.prove.trial import value_of
from rchw.sim.prove.words import Words

__all__ = ["Run", "RunSample"]


@dataclass(frozen=True)
class RunSample:
    """A beat on the wires, and what the reference says after it; of a gap, ``valid`` is 0.

    `place` is its number in its sequence, `sums` are those of its features, or over the samples of
    the sequence up to it; `codes_out` is what they become, and `outputs` what an answer holds.
    `alone` is what the sample adds by itself. `fed` is fed back to the next sample, `after` is its
    place, and `held` the sums that it goes on from.
    """

    codes: tuple[int, ...]
    above: tuple[int, ...]
    last: int
    valid: int
    begins: int
    states: tuple[int, ...]
    fed: tuple[int, ...]
    squares: tuple[int, ...]
    place: int
    sums: tuple[int, ...]
    alone: tuple[int, ...]
    after: int
    held: tuple[int, ...]
    codes_out: tuple[int, ...]
    outputs: tuple[int, ...]


class Run:
    """The circuit after a reset, and the samples that went in, the latest first."""

    def __init__(
        self, design: Design, words: Words, expected: Expected, rng: np.random.Generator
    ) -> None:
        self.design, self.expected, self._rng = design, expected, rng
        self.circuit = Numbers(words, int(rng.integers(1 << 30)))
        self.samples: list[RunSample] = []
        self._waiting: list[RunSample] = []  # whose answers wait, and which are in work no more
        self.clocks = self.held = 0
        self.answering = expected.pipelined and design.readout.pooled
        self.answer: RunSample | None = None  # that waits at the output of a parallel circuit
        names = words.inputs
        self.circuit.settle({name: int(rng.integers(2)) for name in names} | {"aresetn": 0})
        self.circuit.clock()
        self.draw()

    def sample(self, age: int) -> RunSample | None:
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
        fed = np.zeros(0, dtype=np.int64)
        start = None if initial or before is None else np.array(before.states + before.fed)
        if not design.stages:
            states = codes[0, design.n_inputs :]
            codes = codes[:, : design.n_inputs]
        elif valid:
            marks = np.array([bool(self._last)])
            trace = reference.run(design, codes, marks, start)
            states, fed = trace.states[0], trace.final_state[design.n_units :]
            codes = codes[:, : design.n_inputs]  # teachers are no features
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
        sample = RunSample(
            self._codes, self._above, self._last, valid, self._last if valid else begins,
            tuple(states.tolist()), tuple(fed.tolist()), tuple(squares.tolist()), place,
            tuple(sums[0].tolist()), tuple((sums[0] - self._held()).tolist()),
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

    def __init__(self, run: Run) -> None:
        super().__init__()
        self._run = run
        self._end = latency(run.design) - 1

    def __missing__(self, atom: Atom) -> int:
        self[atom] = value = self._value(atom, self._run.expected.roles[atom])
        return value

    def _value(self, atom: Atom, role: Role) -> int:
        expected = self._run.expected
        sample = self._run.sample(role.age + (role.kind == "fed"))  # by the one before
        if self._run.answering and role.kind in ("y", "class") and role.age == self._end:
            sample = self._run.answer
        if role.kind in COUNTED:
            return self._counted(role, sample)
        if role.kind == "t" and expected.spans is not None and expected.pipelined:
            assert sample is not None
            return (sample.sums if role.first is None else sample.alone)[role.index]
        if role.kind == "t" and expected.spans is not None:
            assert sample is not None and role.first is not None
            return sample.sums[role.index] - expected.spans.of(role.index, role.first)[2]
        if role.kind in ("p", "t"):
            return value_of(expected.plain(Form({(atom,): 1})), self)
        if sample is None:  # before the first sample after the reset
            if role.kind == "x":
                return _initial(self._run.design)[role.index]
            if role.kind == "fed":
                return self._run.design.feedback[role.index].initial
            return int(role.kind == "f")
        row = {
            "u": sample.codes, "above": sample.above, "x": sample.states,
            "fed": sample.fed, "square": sample.squares, "y": sample.codes_out,
            "class": sample.outputs,
            "last": (sample.last,), "v": (sample.valid,), "f": (sample.begins,),
        }[role.kind]  # fmt: skip
        return row[role.index]

    def _counted(self, role: Role, sample: RunSample | None) -> int:
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
