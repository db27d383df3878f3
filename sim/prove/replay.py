"""Counterexamples as numbers: a run from a reset whose outputs are not the reference's.

The circuit runs as the prover reads it, clock by clock, on codes and handshakes that are drawn, or
that a test names.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design
from rchw.schedule import latency, schedule
from rchw.sim.lanes import pack, unpack
from rchw.sim.prove.numbers import Numbers
from rchw.sim.prove.words import Words, elaborate
from rchw.sim.stimulus import output_drive, sequence_lengths, unit_drive

__all__ = ["Clock", "as_test", "failing_run", "replay"]

Clock = tuple[int, int, int, tuple[int, ...]]  # tvalid, tready, tlast, input codes


_OUTPUTS = 4  # that are pushed, at most
_LONGEST = 200  # samples of a drawn run, at most, where a sequence has one answer


class _Bench:
    """The circuit on numbers after one clock of reset, and the beats that went in and came out."""

    def __init__(self, design: Design, words: Words, start: int) -> None:
        self._design, self._circuit = design, Numbers(words, start)
        self._codes: list[tuple[int, ...]] = []
        self._last: list[int] = []
        self._out: list[tuple[int, int]] = []
        self._circuit.settle({})
        self._circuit.clock()

    def step(self, clock: Clock) -> bool:
        """Let a clock pass; tell whether the input beat was taken."""
        circuit, (valid, ready, last, codes) = self._circuit, clock
        formats = [channel.format for channel in self._design.beat]
        word = pack(np.array([codes]), formats)[0]
        handshakes = {"aresetn": 1, "s_axis_tvalid": valid, "m_axis_tready": ready}
        circuit.settle(handshakes | {"s_axis_tlast": last, "s_axis_tdata": word})
        taken = bool(valid and circuit.number("s_axis_tready"))
        if taken:
            self._codes.append(codes)
            self._last.append(last)
        if ready and circuit.number("m_axis_tvalid"):
            self._out.append((circuit.number("m_axis_tdata"), circuit.number("m_axis_tlast")))
        circuit.clock()
        return taken

    def difference(self) -> str | None:
        """Sentence on the first output beat that is not the reference's."""
        design = self._design
        codes = np.array(self._codes, dtype=np.int64).reshape(-1, design.n_lanes)
        marks = np.array(self._last, dtype=bool)
        want = reference.run(design, codes, marks).outputs
        ends = marks[design.answered(marks)].tolist()
        answers = design.readout.answers
        formats = [output.format for output in answers]
        what = "sequence" if design.readout.pooled else "sample"
        got = unpack([word for word, _ in self._out], formats)
        for sample, (row, found) in enumerate(zip(want.tolist(), got.tolist(), strict=False)):
            for output, right, code in zip(answers, row, found, strict=True):
                if right != code:
                    return f"output {output.name} of {what} {sample} must be {right}, not {code}"
            last, end = int(ends[sample]), self._out[sample][1]
            if last != end:
                return f"m_axis_tlast of {what} {sample} must be {last}, not {end}"
        if len(got) != len(want):
            whose = "sequences" if design.readout.pooled else "input beats"
            return f"{len(want)} {whose} must give as many output beats, not {len(got)}"
        return None


def replay(design: Design, verilog: Path, clocks: Sequence[Clock], start: int = 0) -> str | None:
    """Sentence on the first output beat of a run that is not the reference's; None if all are.

    Parameters
    ----------
    design : Design
    verilog : Path
    clocks : sequence of Clock
        After one clock of reset; the last of them must leave time for all beats to come out.
    start : int
        Seed of what the registers hold before the reset.
    """
    with TemporaryDirectory() as folder:
        bench = _Bench(design, elaborate(verilog, design.name, Path(folder)), start)
    for clock in clocks:
        bench.step(clock)
    return bench.difference()


def failing_run(
    design: Design,
    words: Words,
    seed: int,
    tries: int = 12,
    samples: int = 5,
    units: Sequence[int] = (),
) -> tuple[list[Clock], int, str] | None:
    """A run with a wrong output beat, its start and what is wrong in it, if one is found.

    Codes and handshakes are drawn; then some outputs and units are pushed toward both ends.

    Parameters
    ----------
    design : Design
    words : Words
    seed, tries : int
        Of the drawing, and how often.
    samples : int
        For how many of them a drawn run is long, if nothing pauses; for more where those of a
        sequence are summed up.
    units : sequence of int
        To be pushed.
    """
    rng = np.random.default_rng(seed)
    if design.readout.segments is not None:
        samples = min(samples + 2 * design.readout.segments.samples, _LONGEST)
    ways: list[Callable[[Design, _Bench], list[Clock]]]
    ways = [partial(_drawn, rng=rng, samples=samples)] * tries
    for upper in (True, False):
        some = range(min(design.n_outputs, _OUTPUTS))
        pushes = [output_drive(design, output, upper) for output in some]
        pushes += [unit_drive(design, unit, upper) for unit in units]
        ways += [partial(_pushed, codes=codes) for codes in pushes]
    for start, way in enumerate(ways):
        bench = _Bench(design, words, start)
        clocks = way(design, bench)
        sentence = bench.difference()
        if sentence is not None:
            return clocks, start, sentence
    return None


def _pushed(design: Design, bench: _Bench, codes: NDArray[np.int64]) -> list[Clock]:
    """Send codes (T, K) without a pause."""
    clocks: list[Clock] = []
    period = schedule(design).clocks
    stall = latency(design) + 3 * period
    for place, row in enumerate(codes.tolist(), 1):
        taken, last = False, int(design.readout.pooled and place == len(codes))
        while not taken and len(clocks) < len(codes) * period + stall:
            clocks.append((1, 1, last, tuple(row)))
            taken = bench.step(clocks[-1])
    return clocks + _waited(bench, clocks[-1][3], stall)


def _waited(bench: _Bench, codes: tuple[int, ...], count: int) -> list[Clock]:
    """Let so many clocks pass without a beat."""
    clocks: list[Clock] = [(0, 1, 0, codes)] * count
    for clock in clocks:
        bench.step(clock)
    return clocks


def _drawn(design: Design, bench: _Bench, rng: np.random.Generator, samples: int) -> list[Clock]:
    """Run a bench on handshakes of one character and drawn codes, until all has come out."""
    period = schedule(design).clocks
    stall = latency(design) + 3 * period
    gaps, stalls = (rng.random(2) < 0.5).tolist()
    clocks: list[Clock] = []
    marks = _marks(design, rng)
    valid, last, codes, paused = 0, 0, _codes(design, rng), 0
    for clock in range(samples * period + 2 * stall):
        draining = clock >= samples * period + stall
        if not valid and not draining and not (gaps and rng.random() < 0.8):
            valid, last, codes = 1, next(marks), _codes(design, rng)
        if draining:
            paused = 0
        elif paused:
            paused -= 1
        elif stalls and rng.random() < 0.03:
            paused = stall
        clocks.append((valid, int(not paused), last, codes))
        if bench.step(clocks[-1]):
            valid = 0
    while valid:  # the source keeps a beat until it is taken, and then waits for the answer
        clocks.append((1, 1, last, codes))
        valid = int(not bench.step(clocks[-1]) and len(clocks) < 20 * stall)
    return clocks + _waited(bench, codes, stall)


def _marks(design: Design, rng: np.random.Generator) -> Iterator[int]:
    """Last flags of sequences of any lengths."""
    segments = design.readout.segments
    while segments is None:
        yield int(rng.random() < 0.2)
    for length in sequence_lengths(segments, 16 * _LONGEST, rng).tolist():
        yield from [0] * (length - 1) + [1]


def _codes(design: Design, rng: np.random.Generator) -> tuple[int, ...]:
    """Input codes, at random or at an end of their format."""
    return tuple(
        int(rng.integers(fmt.min, fmt.max, endpoint=True))
        if rng.random() < 0.7
        else int(rng.choice([fmt.min, fmt.max]))
        for fmt in (channel.format for channel in design.beat)
    )


def as_test(design: Design, clocks: Sequence[Clock], start: int, sentence: str) -> str:
    """Python file with a test that fails as long as the circuit beside it is wrong; see `replay`.

    ``NAME.json`` and ``NAME.v`` lie in the same folder.
    """
    lines = "".join(f"    {clock},\n" for clock in clocks)
    return f'''"""Counterexample to {design.name}: {sentence}.

Run it with ``pytest``; it fails until circuit and design agree.
"""

from pathlib import Path

from rchw.document import load
from rchw.sim.prove.replay import replay

HERE = Path(__file__).parent
# s_axis_tvalid, m_axis_tready, s_axis_tlast and the input codes, clock by clock after a reset
CLOCKS = [
{lines}]


def test_the_circuit_is_the_reference() -> None:
    design = load(HERE / "{design.name}.json")
    assert replay(design, HERE / "{design.name}.v", CLOCKS, {start}) is None
'''
