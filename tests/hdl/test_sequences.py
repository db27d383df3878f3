"""Circuits that answer once per sequence, or with a class: drawn designs, and faults."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Mux, Signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rchw import reference
from rchw.design import Design, Segments
from rchw.errors import RchwError
from rchw.hdl import answers, totals
from rchw.schedule import latency, schedule
from rchw.sim.pauses import parse
from rchw.sim.scoreboard import assert_same
from rchw.sim.stream import StreamTrace, trace_stream
from tests.designs import stimulus
from tests.examples import CLASSES, SEGMENTS
from tests.hdl.test_generated import PAIRS, core_of
from tests.sequences import marks, sequence_designs

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

SAMPLES = 30
SLOW = settings(max_examples=20, suppress_health_check=list(HealthCheck))


def made_parallel(design: Design) -> Design:
    """The same codes in one clock per sample."""
    layer = replace(design.layer, lanes=design.n_units)
    products = design.n_products * design.n_outputs
    return replace(design, layer=layer, readout=replace(design.readout, multipliers=products))


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

    @SLOW
    @given(ANY, st.integers(0, 2**32 - 1))
    def some(design: Design, drawn: int) -> None:
        check(design, drawn, "never", "never")
        counts.update(kinds(design))

    some()
    tally["designs with an answer per sequence in Amaranth's simulator"] = counts
    assert min(counts.values()) > 0


@SLOW
@given(ANY, st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_drawn_designs_under_pauses(design: Design, drawn: int, pair: tuple[str, str]) -> None:
    check(design, drawn, *pair)
