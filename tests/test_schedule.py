"""Clocks per sample against a simulation of every read and write, and every count of features."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw import topology
from rchw.activation import Clip, tanh_table
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    Output,
    Readout,
    RingLayer,
    Tap,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.schedule import Schedule, default_multipliers, possible_multipliers, schedule
from tests.designs import designs
from tests.examples import EXAMPLE


def ring(
    n_units: int, lanes: int, taps: topology.TapTable | None = None, outputs: int = 1
) -> Design:
    """Make a clipped cycle, or other taps, with P L multipliers."""
    table = taps or topology.cycle(n_units, 1)
    return Design(
        name="ring",
        inputs=(InputChannel("u", QFormat(4)),),
        layers=(
            RingLayer(
                n_units=n_units,
                state=QFormat(4),
                tap_format=QFormat(2),
                taps=tuple(Tap(offset, tuple(weights.tolist())) for offset, weights in table),
                inputs=(LinearInput(QFormat(2), (1,) * n_units),),
                bias_format=QFormat(2),
                bias=(0,) * n_units,
                activation=Clip(-8, 7),
                lanes=lanes,
            ),
        ),
        features=Features(one=None),
        readout=Readout(
            tuple(Output(f"y{k}", QFormat(4)) for k in range(outputs)),
            QFormat(2),
            ((1,) * n_units,) * outputs,
            multipliers=default_multipliers(n_units, lanes, outputs, n_units),
        ),
    )


def passes(design: Design) -> Iterator[tuple[int, int]]:
    """Word and clocks it lasts, in order: features are counted one group after the other."""
    n, lanes, features = design.n_units, design.layer.lanes, design.features
    outputs, multipliers = design.n_outputs, design.readout.multipliers
    kinds = features.states + (features.squares is not None)
    if multipliers > outputs * lanes:  # a unit's state and square in one clock
        group, hold, kinds = lanes, 1, 1
    elif multipliers >= outputs:
        group, hold = multipliers // outputs, 1
    else:
        group, hold = 1, outputs // multipliers
    for word in range(ceil(n / lanes) - 1, -1, -1):
        units = range(word * lanes, min((word + 1) * lanes, n))
        yield word, sum(kinds * hold for _ in units[::group])
    if features.inputs:
        yield -1, sum(hold for _ in range(design.n_inputs)[::group])


def reads_are_right(design: Design, period: int, loop: int, samples: int = 5) -> bool:
    """Whether every tap finds the state of the sample before, with two memories in turn.

    A pass reads one half and writes the other, `loop` clocks after it has read.
    """
    begin, clock = {}, 0
    for word, clocks in passes(design):
        begin[word], clock = clock, clock + clocks
    start = [begin[unit // design.layer.lanes] for unit in range(design.n_units)]
    taps = [(tap.offset, tap.weights) for tap in design.ring.taps]
    if design.ring.remembers:
        taps.append((0, (1,) * design.n_units))
    for sample in range(1, samples):
        for offset, weights in taps:
            for unit, weight in enumerate(weights):
                if weight == 0:
                    continue
                now = sample * period + start[unit]
                source = (unit - offset) % design.n_units
                written = [
                    other
                    for other in range(samples)
                    if other % 2 != sample % 2 and other * period + start[source] + loop <= now
                ]
                if max(written, default=None) != sample - 1:
                    return False
    return True


def least_period(design: Design, loop: int) -> int:
    """Try periods one by one, from the busy time on; a pass must not overtake the one before."""
    busy = sum(clocks for _, clocks in passes(design))
    settled = schedule(design).hold + 2  # the first output stays until the last is complete
    return next(p for p in count(max(busy, loop, settled)) if reads_are_right(design, p, loop))


@settings(max_examples=200)
@given(designs())
def test_clocks_are_the_least_period_without_a_wrong_read(design: Design) -> None:
    plan = schedule(design)
    if plan.parallel:
        assert plan.clocks == plan.busy == plan.words == 1
        assert design.readout.multipliers == design.n_products * design.n_outputs
        return
    assert plan.busy == sum(clocks for _, clocks in passes(design))
    assert plan.clocks == least_period(design, plan.loop_latency)
    assert plan.clocks - plan.busy < plan.loop_latency


def test_a_clock_less_is_seen() -> None:
    """The simulation fails wherever the loop is what decides the period."""
    seen = 0
    for offset in range(1, 8):
        weights = topology.cycle(8, 1)[0][1]
        for lanes in (1, 2, 3, 4):
            design = ring(8, lanes, [(offset, weights)])
            plan = schedule(design)
            assert reads_are_right(design, plan.clocks, plan.loop_latency)
            if plan.clocks > max(plan.busy, plan.loop_latency):
                assert not reads_are_right(design, plan.clocks - 1, plan.loop_latency)
                seen += 1
            assert not reads_are_right(design, plan.clocks, plan.loop_latency + plan.clocks)
    assert seen > 5


@pytest.mark.parametrize("lanes", [1, 2, 4, 5, 8])
@pytest.mark.parametrize("words", [6, 7, 20])
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_cycle_longer_than_the_pipeline_waits_for_nothing(
    lanes: int, words: int, outputs: int
) -> None:
    """Clocks per sample are N / P, which is F L / M: no constant is added."""
    design = ring(words * lanes, lanes, outputs=outputs)
    ideal = max(words, ceil(design.n_features * outputs / design.readout.multipliers))
    assert schedule(design).clocks == ideal == words


@settings(max_examples=100)
@given(designs())
def test_busy_is_the_ideal_up_to_the_rounding_of_each_kind(design: Design) -> None:
    """At most one clock of H more per word and kind of feature, and one for the inputs."""
    plan = schedule(design)
    if plan.parallel:
        return
    ideal = max(plan.words, ceil(design.n_products * design.n_outputs / design.readout.multipliers))
    kinds = 1 if plan.paired else design.features.per_unit
    # Padding of the highest word, of the last group of inputs, and of pairs that inputs lack.
    padding = plan.hold * (kinds * ceil(design.layer.lanes / plan.group) + 1)
    padding += plan.input_clocks * plan.paired
    assert ideal <= plan.busy <= ideal + padding


@settings(max_examples=100)
@given(designs())
def test_exactly_the_possible_multipliers_are_built(design: Design) -> None:
    possible = possible_multipliers(design.layer.lanes, design)
    largest = max(possible)
    for multipliers in range(min(largest, 40) + 2):
        changed = replace(design, readout=replace(design.readout, multipliers=multipliers))
        if multipliers in possible:
            assert isinstance(schedule(changed), Schedule)
        else:
            with pytest.raises(DesignError, match=r"^multipliers must be one of .* not \d+$"):
                schedule(changed)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 8))
def test_default_multipliers_keep_the_pace_of_the_state_pass(
    n_units: int, lanes: int, outputs: int
) -> None:
    design = ring(n_units, min(lanes, n_units), outputs=outputs)
    plan = schedule(design)
    assert plan.busy == plan.words


def test_the_sentence_names_what_is_possible() -> None:
    readout = replace(EXAMPLE.readout, multipliers=3)
    with pytest.raises(
        DesignError,
        match=r"^multipliers must be one of 1, 2, 4, 8 for 2 lanes and 2 outputs, not 3$",
    ):
        schedule(replace(EXAMPLE, readout=readout))


def test_the_loop_grows_with_what_stands_in_it() -> None:
    """Five stages with clip; a table and a leak take one more, a gain and a step two."""
    plain = ring(4, 1)
    table = replace(plain.ring, activation=tanh_table(QFormat(4, 3), 4)[0], state=QFormat(4, 3))
    leaky = replace(table, leak_shift=1)
    scaled = replace(plain.ring, gain=UnitCodes(QFormat(2), (1,) * 4))
    steps = replace(scaled, step=UnitCodes(QFormat(2), (1,) * 4))
    layers = (plain.ring, table, leaky, scaled, steps)
    loops = [schedule(replace(plain, layers=(layer,))) for layer in layers]
    assert [plan.loop_latency for plan in loops] == [5, 6, 7, 7, 9]
    assert [plan.clocks for plan in loops] == [6, 7, 8, 8, 10]
