"""Circuits that feed outputs back: every code and every clock, pauses, sequences, teachers."""

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from amaranth.sim import Simulator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rchw import reference
from rchw.design import Design, Feedback
from rchw.errors import RchwError
from rchw.fixed import QFormat
from rchw.hdl.feedback import core_of
from rchw.hdl.top import AxiTop
from rchw.schedule import latency, schedule
from rchw.sim.lanes import pack, unpack
from rchw.sim.pauses import parse
from rchw.sim.scoreboard import assert_same
from rchw.sim.stream import StreamTrace, trace_stream
from tests.boards.test_of_design import ring
from tests.designs import stimulus
from tests.examples import FEEDBACK
from tests.hdl.kinds import families
from tests.hdl.test_generated import PAIRS
from tests.loops import feedback_designs, without_channels

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def check(
    design: Design,
    drawn: int,
    paces: tuple[str, str] = ("never", "never"),
    built: Design | None = None,
) -> StreamTrace:
    """The circuit of a design, or of another, gives the codes of the reference."""
    codes, last = stimulus(design, np.random.default_rng(drawn), 10)
    last[[3, 6]] = True, False
    want = reference.run(design, codes, last).outputs
    names = [lane.name for lane in design.beat]
    payloads = [
        {**dict(zip(names, row, strict=True)), "last": int(flag)}
        for row, flag in zip(codes.tolist(), last, strict=True)
    ]
    full = str(latency(design) + 3 * schedule(design).clocks)
    pauses = [parse(pace.replace("FULL", full), drawn) for pace in paces]
    trace = trace_stream(
        core_of(built or design), payloads, pauses_in=pauses[0], pauses_out=pauses[1]
    )
    outputs = design.readout.outputs
    got = [[int(payload[output.name]) for output in outputs] for payload in trace.payloads]
    assert_same(want, got, what="output", names=[output.name for output in outputs])
    assert [bool(payload["last"]) for payload in trace.payloads] == last.tolist()
    return trace


def check_clocks(design: Design, drawn: int) -> None:
    trace = check(design, drawn)
    assert set(np.diff(trace.clocks_in).tolist()) == {schedule(design).clocks}
    assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(feedback_designs(max_units=5), st.integers(0, 2**32 - 1))
def test_any_design_to_the_clock(
    tally: dict[str, Counter[str]], design: Design, drawn: int
) -> None:
    check_clocks(design, drawn)
    tally["outputs fed back in Amaranth's simulator, clock for clock"].update(families(design))


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(feedback_designs(max_units=4), st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_any_design_with_gaps_and_stalls(
    tally: dict[str, Counter[str]], design: Design, drawn: int, paces: tuple[str, str]
) -> None:
    check(design, drawn, paces)
    tally["outputs fed back in Amaranth's simulator, gaps and stalls"].update(families(design))


def looped(n_units: int, lanes: int, multipliers: int) -> Design:
    """A cycle whose output returns with a weight of its own for every unit."""
    design = ring("looped", n_units, lanes=lanes, multipliers=multipliers)
    weights = tuple(3 * unit % 7 - 3 for unit in range(n_units))
    output = design.readout.outputs[0].name
    return replace(
        design, feedback=(Feedback(QFormat(4, 3), weights, output, design.layer.name, 1),)
    )


def test_a_register_behind_the_memories_costs_its_clock() -> None:
    plain = looped(16, 2, 1)
    for design in (plain, without_channels(plain)):
        plan = schedule(design)
        assert plan.read_register and plan.clocks == latency(design) + 3
        check_clocks(design, 1)


def test_the_example_in_both_forms() -> None:
    multipliers = FEEDBACK.n_products * FEEDBACK.n_outputs
    gates = replace(
        FEEDBACK,
        layers=(replace(FEEDBACK.driven, lanes=5),),
        readout=replace(FEEDBACK.readout, multipliers=multipliers),
    )
    assert not schedule(FEEDBACK).parallel and schedule(gates).parallel
    for design in (FEEDBACK, gates):
        check_clocks(design, 2)
        check(design, 3, ("random:50:4", "every:3:FULL"))


def restarted(top: AxiTop, words: list[int], lasts: list[bool], cuts: list[int]) -> list[list[int]]:
    """Words that come out between resets, which come so many clocks after the one before."""
    found: list[list[int]] = []

    async def bench(ctx: Any) -> None:
        ctx.set(top.m_axis_tready, 1)
        for clocks in cuts:
            ctx.set(top.aresetn, 0)
            ctx.set(top.s_axis_tvalid, 0)
            await ctx.posedge(top.aclk)
            ctx.set(top.aresetn, 1)
            found.append([])
            sent = 0
            for _ in range(clocks):
                ctx.set(top.s_axis_tvalid, 1)
                ctx.set(top.s_axis_tdata, words[sent])
                ctx.set(top.s_axis_tlast, lasts[sent])
                _, ready, valid, data = await ctx.posedge(top.aclk).sample(
                    top.s_axis_tready, top.m_axis_tvalid, top.m_axis_tdata
                )
                sent += ready
                if valid:
                    found[-1].append(data)

    async def clock(ctx: Any) -> None:
        while True:
            await ctx.delay(1e-6)
            ctx.set(top.aclk, ~ctx.get(top.aclk) & 1)

    simulator = Simulator(top)
    simulator.add_testbench(clock, background=True)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def test_a_reset_at_any_clock_starts_over() -> None:
    """With a sample on its way, one that has just come out, one that has just gone in."""
    codes, last = stimulus(FEEDBACK, np.random.default_rng(5), 12)
    codes[:, -1] = [0, 1] * 6
    want = reference.run(FEEDBACK, codes, last).outputs
    top = AxiTop(FEEDBACK)
    period = schedule(FEEDBACK).clocks
    cuts = [3 * period + step for step in range(0, period, 2)] + [6 * period]
    words = pack(codes, [lane.format for lane in FEEDBACK.beat])
    formats = [output.format for output in FEEDBACK.readout.outputs]
    pieces = restarted(top, words, last.tolist(), cuts)
    assert {len(piece) for piece in pieces} == {3, 6}
    for piece in pieces:
        assert_same(want[: len(piece)], unpack(piece, formats), what="output")


def test_a_fault_is_seen() -> None:
    """Circuits of a neighbouring design; the second and third do not come back to the start."""
    first, second = FEEDBACK.feedback
    for built in (
        replace(FEEDBACK, feedback=(replace(first, weights=(3, -2, 1, 1, 5)), second)),
        replace(FEEDBACK, feedback=(replace(first, initial=-8), second)),
        replace(FEEDBACK, reset_on_last=False),
        replace(FEEDBACK, feedback=(replace(first, format=QFormat(4, 3)), second)),
    ):
        with pytest.raises(RchwError, match=r"output \d .*must be code"):
            check(FEEDBACK, 2, built=built)
