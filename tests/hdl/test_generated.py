"""Whole designs drawn by Hypothesis: Amaranth's simulation of each equals the reference."""

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from amaranth.lib import wiring
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from rchw import reference
from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    Matrix,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Tap,
)
from rchw.errors import RchwError
from rchw.fixed import QFormat
from rchw.hdl.folded import FoldedCore
from rchw.hdl.parallel import ParallelCore
from rchw.schedule import Schedule, latency, schedule
from rchw.sim.pauses import parse
from rchw.sim.scoreboard import assert_same
from rchw.sim.stream import StreamTrace, trace_stream
from tests.boards.test_of_design import ring
from tests.designs import designs, matrix_designs, stimulus
from tests.examples import EXAMPLE, MATRIX
from tests.hdl.kinds import count_kinds, families, made_parallel, shape

# What a failed build leaves behind would be said at more length than its error.
pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

SAMPLES = 20
ROUNDS = 80  # at most
PACES = ["every:3:2", "random:50:4", "bursts:2:3", "always:1", "every:5:FULL"]
PAIRS = list(product(["never", *PACES], repeat=2))[1:]


def often_parallel(design: Design, parallel: bool) -> Design:
    return made_parallel(design) if parallel else design


ANY = st.builds(often_parallel, designs(), st.sampled_from([False] * 5 + [True]))


def core_of(design: Design) -> wiring.Component:
    return ParallelCore(design) if schedule(design).parallel else FoldedCore(design)


def many(few: int, all_of_them: int) -> pytest.MarkDecorator:
    """Few designs in every run, all of them in a slow one."""
    return pytest.mark.parametrize(
        "least", [few, pytest.param(all_of_them, marks=pytest.mark.slow)]
    )


def check(design: Design, drawn: int, source: str, sink: str) -> StreamTrace:
    """Outputs and last flags equal the reference; returns when the beats moved."""
    codes, last = stimulus(design, np.random.default_rng(drawn), SAMPLES)
    want = reference.run(design, codes, last).outputs
    names = [channel.name for channel in design.beat]
    payloads = [
        {**dict(zip(names, row, strict=True)), "last": int(flag)}
        for row, flag in zip(codes.tolist(), last, strict=True)
    ]
    # So long that everything under way has come out and waits.
    full = str(latency(design) + 3 * schedule(design).clocks)
    pauses_in, pauses_out = (
        parse(pace.replace("FULL", full), drawn + k) for k, pace in enumerate((source, sink))
    )
    trace = trace_stream(core_of(design), payloads, pauses_in=pauses_in, pauses_out=pauses_out)
    outputs = design.readout.outputs
    got = [[int(payload[output.name]) for output in outputs] for payload in trace.payloads]
    assert_same(want, got, what="output", names=[output.name for output in outputs])
    assert [bool(payload["last"]) for payload in trace.payloads] == last.tolist()
    return trace


def met(
    check_one: Callable[[Design, int, tuple[str, str]], None], least: int, of_each_kind: int
) -> list[Design]:
    """Draw designs in rounds, each afresh, until there are enough of every kind, all different."""
    found: dict[Hashable, Design] = {}
    for number in range(ROUNDS):

        @seed(number)
        @settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
        @given(ANY, st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
        def one_round(design: Design, drawn: int, pair: tuple[str, str]) -> None:
            if shape(design) not in found:
                check_one(design, drawn, pair)
                found[shape(design)] = design

        one_round()
        kinds = count_kinds(list(found.values()))
        if len(found) >= least and min(kinds.values()) >= of_each_kind:
            break
    rare = {kind: count for kind, count in kinds.items() if count < of_each_kind}
    assert len(found) >= least and not rare, rare
    return list(found.values())


@many(40, 200)
def test_designs_to_the_clock(least: int, tally: dict[str, Counter[str]]) -> None:
    """Neither side pauses, so that period and latency are the circuit's own, to the clock."""

    def check_clocks(design: Design, drawn: int, _: tuple[str, str]) -> None:
        trace = check(design, drawn, "never", "never")
        assert set(np.diff(trace.clocks_in).tolist()) == {schedule(design).clocks}
        assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}

    found = met(check_clocks, least, of_each_kind=3 if least > 100 else 0)
    tally[f"{len(found)} designs in Amaranth's simulator, clock for clock"] = count_kinds(found)


@many(20, 80)
def test_designs_under_pauses(least: int, tally: dict[str, Counter[str]]) -> None:
    """Gaps at the source, stalls at the sink, or both."""

    def check_pauses(design: Design, drawn: int, pair: tuple[str, str]) -> None:
        check(design, drawn, *pair)

    found = met(check_pauses, least, of_each_kind=0)
    tally[f"{len(found)} designs in Amaranth's simulator, gaps and stalls"] = count_kinds(found)


@pytest.mark.parametrize("n_units, lanes", [(2, 1), (4, 1), (4, 2), (7, 2)])
def test_a_period_that_waits_for_its_loop_loses_no_result(n_units: int, lanes: int) -> None:
    """The last product comes before the end of the period, and must not overtake the queue."""
    design = ring("waiting", n_units, lanes=lanes, multipliers=lanes)
    assert schedule(design).waits
    check(design, 3, "never", "every:5:FULL")


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(designs(), st.integers(0, 2**32 - 1))
def test_a_sink_that_stands_still(design: Design, drawn: int) -> None:
    """For so long that the last product of a sample is out before its result has a place."""
    assume(schedule(design).waits)
    check(design, drawn, "never", "every:5:FULL")


def test_a_result_ahead_of_its_place_would_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above see it: here the sequencer holds in the last clock of every period."""
    check(EXAMPLE, 1, "never", "every:5:60")
    monkeypatch.setattr(Schedule, "waits", False)
    with pytest.raises(RchwError, match="output"):
        check(EXAMPLE, 1, "never", "every:5:60")


@many(3, 10)
def test_larger_rings(least: int, tally: dict[str, Counter[str]]) -> None:
    """Forty units and more, where counters are wide and every memory has many words."""
    found: dict[Hashable, Design] = {}

    @seed(1)
    @settings(max_examples=2 * least, suppress_health_check=list(HealthCheck))
    @given(designs(max_units=130, max_lanes=9), st.integers(0, 2**32 - 1))
    def some(design: Design, drawn: int) -> None:
        assume(design.n_units >= 40 and schedule(design).clocks <= 300)
        if shape(design) not in found:
            check(design, drawn, "never", "never")
            found[shape(design)] = design

    some()
    tally[f"{len(found)} designs of 40 units and more in Amaranth's simulator"] = count_kinds(
        list(found.values())
    )
    assert len(found) >= least


def test_units_of_opposite_sign() -> None:
    """They share a sum and its complement, which reaches one code further than either."""
    patterns = [(1, -1, 1, -1), (1, -1, -1, 1)]  # one sign in each of the two lanes, and both
    for signs, width, bias, weight in product(patterns, (2, 4), (-1, 0, 1, 2), (1, 2)):
        layer = RingLayer(
            n_units=4,
            state=QFormat(8, 0),
            tap_format=QFormat(3, 0),
            taps=(Tap(1, (3, 3, -3, 3)),),
            inputs=(LinearInput(QFormat(3, 0), tuple(weight * s for s in signs)),),
            bias_format=QFormat(3, 0),
            bias=tuple(bias * s for s in signs),
            activation=Clip(-127, 127),
            lanes=2,
        )
        readout = Readout((Output("y", QFormat(14, 0)),), QFormat(5, 0), ((1, 3, 5, 7, 1),))
        channel = InputChannel("u", QFormat(width, 0))
        check(Design("mirror", (channel,), (layer,), Features(), readout), 1, "never", "never")


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(matrix_designs(max_units=6), st.integers(0, 2**32 - 1))
def test_matrices_to_the_clock(tally: dict[str, Counter[str]], design: Design, drawn: int) -> None:
    """Clocks per sample and latency are those of the formulas."""
    trace = check(design, drawn, "never", "never")
    assert set(np.diff(trace.clocks_in).tolist()) == {schedule(design).clocks}
    assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}
    tally["matrices in Amaranth's simulator, clock for clock"].update(families(design))


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(matrix_designs(max_units=6), st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_matrices_with_gaps_and_stalls(
    tally: dict[str, Counter[str]], design: Design, drawn: int, paces: tuple[str, str]
) -> None:
    check(design, drawn, *paces)
    tally["matrices in Amaranth's simulator, gaps and stalls"].update(families(design))


@pytest.mark.parametrize("n", [1, 3])
def test_a_matrix_without_connections_keeps_its_inputs(n: int) -> None:
    """Of one word, after which the next sample comes at once."""
    layer = MATRIX.driven
    assert isinstance(layer, MatrixLayer)
    tables = [
        LinearInput(QFormat(3, 1), (1, -1, 2)[:n]),
        LinearInput(QFormat(3, 1), (2, 1, -3)[:n]),
    ]
    alone = replace(
        layer,
        n_units=n,
        lanes=n,
        matrix=Matrix(QFormat(4, 2), "sparse", ((),) * n, ((),) * n),
        inputs=tuple(tables),
        bias=layer.bias[:n],
        leak_shift=0,
        initial_state=layer.initial_state[:n],
    )
    rows = tuple(row[: 2 * n + 3] for row in MATRIX.readout.weights)
    readout = replace(MATRIX.readout, weights=rows, multipliers=2)
    check(replace(MATRIX, layers=(alone,), readout=readout), 1, "never", "never")
