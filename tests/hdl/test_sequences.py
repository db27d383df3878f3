"""Circuits that answer once per sequence, or with a class: drawn designs, and faults."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Const, Mux, Value
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from rchw import reference
from rchw.design import Design, Segments
from rchw.errors import MismatchError
from rchw.hdl import answers, parallel
from rchw.schedule import latency, schedule
from rchw.sim.pauses import parse
from rchw.sim.scoreboard import assert_same
from rchw.sim.stream import StreamTrace, trace_stream
from tests.designs import stimulus
from tests.examples import CLASSES, EXTERNAL, SEGMENTS
from tests.hdl.test_generated import PAIRS, core_of
from tests.sequences import marks, sequence_designs

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

SAMPLES = 30
SLOW = settings(max_examples=6, suppress_health_check=list(HealthCheck))


def made_parallel(design: Design) -> Design:
    """The same codes in one clock per sample."""
    layer = replace(design.layer, lanes=design.n_units)
    products = design.n_products * design.n_outputs
    return replace(design, layers=(layer,), readout=replace(design.readout, multipliers=products))


ANY = st.one_of(sequence_designs(), sequence_designs(), sequence_designs().map(made_parallel))


def check(
    design: Design, drawn: int, source: str, sink: str, samples: int = SAMPLES
) -> StreamTrace:
    """Answers equal the reference, and each comes with its last flag."""
    rng = np.random.default_rng(drawn)
    codes, _ = stimulus(design, rng, samples)
    last = marks(design, rng, samples)
    want = reference.run(design, codes, last).outputs
    names = [channel.name for channel in design.beat]
    payloads = [
        {**dict(zip(names, row, strict=True)), "last": int(flag)}
        for row, flag in zip(codes.tolist(), last, strict=True)
    ]
    full = str(latency(design) + 3 * schedule(design).clocks)
    pauses = [parse(pace.replace("FULL", full), drawn + k) for k, pace in enumerate((source, sink))]
    trace = trace_stream(
        core_of(design), payloads, pauses_in=pauses[0], pauses_out=pauses[1], count=len(want)
    )
    outputs = design.readout.answers
    got = [[int(payload[output.name]) for output in outputs] for payload in trace.payloads]
    assert_same(want, got, what="output", names=[output.name for output in outputs])
    answered = design.answered(last)
    assert [bool(payload["last"]) for payload in trace.payloads] == last[answered].tolist()
    if source == sink == "never":
        taken = np.array(trace.clocks_in)
        assert set(np.diff(taken).tolist()) == {schedule(design).clocks}
        late = np.array(trace.clocks_out) - taken[answered[: len(taken)]][: len(want)]
        assert set(late.tolist()) <= {latency(design)}
    return trace


def kinds(design: Design) -> dict[str, bool]:
    plan, readout = schedule(design), design.readout
    return {
        readout.accumulate: True,
        "argmax": readout.argmax,
        "parallel sums": plan.parallel and readout.sums,
        "folded sums": not plan.parallel and readout.sums,
        "outputs in turn": plan.hold > 1 and readout.sums,
        "several segments": readout.n_segments > 1,
        "sums of squares": design.features.squares is not None and readout.sums,
    }


def test_drawn_designs_to_the_clock(tally: dict[str, Counter[str]]) -> None:
    counts: Counter[str] = Counter()

    @seed(15)  # meets every kind with few designs
    @SLOW
    @given(ANY, st.integers(0, 2**32 - 1))
    def some(design: Design, drawn: int) -> None:
        check(design, drawn, "never", "never")
        counts.update({"designs": 1, **kinds(design)})

    some()
    tally["designs with an answer per sequence in Amaranth's simulator"] = counts
    assert min(counts.values()) > 0
    assert {"each", "last", "sum", "segments"} <= set(counts)


@SLOW
@given(ANY, st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_drawn_designs_under_pauses(design: Design, drawn: int, pair: tuple[str, str]) -> None:
    check(design, drawn, *pair)


@pytest.mark.slow
@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(ANY, st.integers(0, 2**32 - 1), st.sampled_from([("never", "never"), *PAIRS]))
def test_many_drawn_designs(design: Design, drawn: int, pair: tuple[str, str]) -> None:
    check(design, drawn, *pair)


SUMS = replace(
    EXTERNAL,
    readout=replace(EXTERNAL.readout, accumulate="sum", segments=Segments(3), multipliers=2),
)
TIES = replace(CLASSES, readout=replace(CLASSES.readout, weights=CLASSES.readout.weights[:1] * 2))
BOTH = pytest.mark.parametrize(
    "design", [SEGMENTS, made_parallel(SEGMENTS)], ids=["folded", "parallel"]
)


def fails(design: Design) -> None:
    with pytest.raises(MismatchError, match="output"):
        check(design, 1, "never", "never", 60)


@BOTH
def test_a_segment_that_is_a_sample_too_long_is_seen(
    design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(design, 1, "never", "never", 60)
    places = answers.places
    for module in (answers, parallel):
        monkeypatch.setattr(
            module, "places", lambda m, held, *more: places(m, Segments(4, held.count), *more)
        )
    fails(design)


@BOTH
def test_a_place_that_outlives_its_sequence_is_seen(
    design: Design, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = answers.places
    for module in (answers, parallel):
        monkeypatch.setattr(
            module, "places", lambda m, held, moves, last: places(m, held, moves, Const(0))
        )
    fails(design)


def test_a_sum_that_is_not_cleared_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    design = made_parallel(SUMS)
    check(design, 1, "never", "never", 60)

    def kept(condition: Value, first: Value | int, second: Value | int) -> Value:
        # Only where sums start again a number stands first.
        return Mux(condition, second if isinstance(first, int) else first, second)

    monkeypatch.setattr(parallel, "Mux", kept)
    fails(design)


def test_a_tie_that_goes_to_the_highest_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    check(TIES, 1, "never", "never")

    def later(a: tuple[Value, Value], b: tuple[Value, Value] | None = None) -> tuple[Value, Value]:
        better = b is not None and b[0] >= a[0]
        return a if b is None else (Mux(better, b[0], a[0]), Mux(better, b[1], a[1]))

    monkeypatch.setattr(answers, "_better", later)
    fails(TIES)


def test_unmarked_samples_pass_by_an_answer_that_waits() -> None:
    """A sink that stands still holds up no sample but the next marked one."""
    for design in (SUMS, made_parallel(SUMS)):
        lengths = 8
        last = np.arange(2 * lengths) % lengths == lengths - 1
        codes, _ = stimulus(design, np.random.default_rng(1), 2 * lengths)
        names = [channel.name for channel in design.beat]
        payloads = [
            {**dict(zip(names, row, strict=True)), "last": int(flag)}
            for row, flag in zip(codes.tolist(), last, strict=True)
        ]
        # The first answer waits for less than what the samples of a sequence take.
        clocks = schedule(design).clocks
        waits = parse(f"always:{(lengths - 1) * clocks}", 1)
        trace = trace_stream(core_of(design), payloads, pauses_out=waits, count=2)
        assert set(np.diff(trace.clocks_in).tolist()) == {clocks}
