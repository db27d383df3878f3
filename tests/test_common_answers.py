"""One contract for whole designs: what they answer, by the reference and by simulated circuits.

It is that of `tests.test_common` where no states are to be seen, and for designs whose states come
from outside or whose readout answers once per sequence: chunks are cut where sequences end.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import reference
from rchw.activation import Clip
from rchw.design import Design, Readout, Segments
from rchw.fixed import QFormat
from rchw.hdl.feedback import core_of
from rchw.sim.stream import run_stream
from tests.contract import kept_design
from tests.examples import CLASSES, EXAMPLE, EXTERNAL, FEEDBACK, SEGMENTS

Array = NDArray[Any]
LAST = np.isin(np.arange(24), (0, 4, 15, 20, 23))  # one sample, and more than all segments


@dataclass(frozen=True)
class ByReference:
    """Answers (A, L) to codes (T, n_lanes) and last flags (T,)."""

    design: Design
    compiled: bool = True

    def __call__(self, codes: Array, last: Array) -> Array:
        """Run the reference from the initial state."""
        return reference.run(self.design, codes, last, compiled=self.compiled).outputs


@dataclass(frozen=True)
class ByCircuit:
    """The same of a circuit in Amaranth's simulator, from its reset."""

    design: Design

    def __call__(self, codes: Array, last: Array) -> Array:
        """Send beats through a circuit that was just made."""
        names = [channel.name for channel in self.design.beat]
        payloads = [
            {**dict(zip(names, row, strict=True)), "last": int(flag)}
            for row, flag in zip(codes.tolist(), last, strict=True)
        ]
        count = int(self.design.answered(last).sum())
        beats = run_stream(core_of(self.design), payloads, count=count)
        answers = self.design.readout.answers
        rows = [[int(beat[answer.name]) for answer in answers] for beat in beats]
        return np.array(rows, dtype=np.int64).reshape(count, len(answers))


Answers = ByReference | ByCircuit


def fading(design: Design) -> Design:
    """Make the states forget: taps of 3/8 and 1/8, clip, no leak, and little of what is fed."""
    layer = replace(
        EXAMPLE.ring, activation=Clip(-31, 31), leak_shift=0, lanes=1, tap_format=QFormat(4, 3)
    )
    feedback = tuple(replace(entry, format=QFormat(5, 8)) for entry in design.feedback)
    readout = replace(design.readout, multipliers=1)
    return replace(design, layers=(layer,), feedback=feedback, readout=readout)


def pooled(accumulate: str) -> Design:
    """Make the example answer with the last sample of a sequence, or with a sum of six."""
    segments = Segments(6) if accumulate == "sum" else None
    readout = replace(EXAMPLE.readout, accumulate=accumulate, segments=segments)
    return fading(replace(EXAMPLE, readout=readout))


def each_class() -> Design:
    """Make the example answer every sample, with a class."""
    readout: Readout = replace(SEGMENTS.readout, accumulate="each", segments=None, argmax=True)
    rows = tuple(row[:13] for row in readout.weights)
    return fading(replace(EXAMPLE, readout=replace(readout, weights=rows)))


DESIGNS: dict[str, Callable[[], Design]] = {
    "external": lambda: EXTERNAL,
    "external, segments": lambda: replace(EXTERNAL, readout=replace(
        SEGMENTS.readout, weights=tuple(row[:36] for row in SEGMENTS.readout.weights))),
    "feedback": lambda: fading(FEEDBACK),
    "segments": lambda: fading(SEGMENTS),
    "last": lambda: pooled("last"),
    "sum": lambda: pooled("sum"),
    "class of every sample": each_class,
    "class of a sequence": lambda: CLASSES,
}  # fmt: skip
SECOND = {"external, segments", "feedback", "last", "sum", "class of every sample"}
REALISATIONS: dict[str, Callable[[Design], Answers]] = {
    "reference": ByReference,
    "reference, plain": lambda design: ByReference(design, compiled=False),
    "circuit": ByCircuit,
}


def beats(design: Design, seed: int = 1) -> Array:
    rng = np.random.default_rng(seed)
    formats = [channel.format for channel in design.beat]
    low, high = [fmt.min for fmt in formats], [fmt.max + 1 for fmt in formats]
    return rng.integers(low, high, (len(LAST), len(formats)))


def check_determinism(answers: Answers) -> None:
    """Equal beats, equal answers, as many as there must be, and nothing is changed of the beats."""
    codes = beats(answers.design)
    before = codes.copy()
    first = answers(codes, LAST)
    assert np.array_equal(first, answers(codes, LAST)) and np.array_equal(codes, before)
    assert first.shape[1] == len(answers.design.readout.answers)
    assert len(first) == (5 if answers.design.readout.pooled else 24)
    assert len(np.unique(first, axis=0)) > 1


def check_chunks(answers: Answers) -> None:
    """Runs that are cut where a sequence ends give what the whole gives."""
    codes = beats(answers.design)
    parts = zip(np.split(codes, [5, 21]), np.split(LAST, [5, 21]), strict=True)
    pieces = np.concatenate([answers(*part) for part in parts])
    assert np.array_equal(pieces, answers(codes, LAST))


def check_reset(answers: Answers) -> None:
    """A sequence has the same answers wherever it stands, behind whatever was."""
    codes = beats(answers.design)
    codes[16:21] = codes[:5]
    last = LAST.copy()
    last[16:21] = LAST[:5]
    got = answers(codes, last)
    first, again = (2, 3) if answers.design.readout.pooled else (5, 16)
    assert np.array_equal(got[again : again + first], got[:first])


def check_washout(answers: Answers, differing: int = 4) -> None:
    """Where ends do not reset the states, what was before is forgotten all the same."""
    kept = replace(answers, design=replace(answers.design, reset_on_last=False))
    codes = beats(answers.design)
    other = codes.copy()
    other[:differing] = beats(answers.design, 2)[:differing]
    assert np.array_equal(kept(codes, LAST)[-1], kept(other, LAST)[-1])


def check_keeping(answers: Answers) -> None:
    """What was saved and loaded is the same design, and answers the same."""
    again = replace(answers, design=kept_design(answers.design))
    assert again.design == answers.design
    codes = beats(answers.design)
    assert np.array_equal(again(codes, LAST), answers(codes, LAST))


CHECKS = (check_determinism, check_chunks, check_reset, check_washout, check_keeping)


CASES = [
    pytest.param(made, name, marks=[pytest.mark.slow] * (made == "circuit" and name in SECOND))
    for name in DESIGNS
    for made in REALISATIONS
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__[6:])
@pytest.mark.parametrize("made, name", CASES)
def test_contract(made: str, name: str, check: Callable[[Answers], None]) -> None:
    check(REALISATIONS[made](DESIGNS[name]()))


def test_the_contract_can_be_broken() -> None:
    """Sums that go on over the ends of sequences, and states that do."""

    class Endless(ByReference):
        def __call__(self, codes: Array, last: Array) -> Array:
            only = np.zeros_like(last)
            only[-1] = True
            runs = [super(Endless, self).__call__(codes[: end + 1], only[-end - 1 :])
                    for end in np.flatnonzero(last)]  # fmt: skip
            return np.concatenate(runs)

    for check in (check_chunks, check_reset):
        check(ByReference(pooled("sum")))
        with pytest.raises(AssertionError):
            check(Endless(pooled("sum")))
        with pytest.raises(AssertionError):
            check(ByReference(replace(fading(FEEDBACK), reset_on_last=False)))
    with pytest.raises(AssertionError):
        check_washout(ByReference(pooled("last")), 22)
