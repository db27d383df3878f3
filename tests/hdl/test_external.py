"""Readouts of states from outside: drawn designs, clock for clock, and under pauses."""

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from amaranth.hdl import Cat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rchw.design import Design
from rchw.errors import MismatchError
from rchw.fixed import QFormat
from rchw.hdl import folded
from rchw.schedule import latency, possible_multipliers, schedule
from tests.designs import external_designs
from tests.examples import EXTERNAL
from tests.hdl.kinds import families
from tests.hdl.test_generated import PAIRS, check

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")


def made_parallel(design: Design) -> Design:
    """The same codes in one clock per sample."""
    layer = replace(design.layer, lanes=design.n_units)
    products = design.n_products * design.n_outputs
    return replace(design, layers=(layer,), readout=replace(design.readout, multipliers=products))


ANY = st.one_of(external_designs(), external_designs().map(made_parallel))
SLOW = settings(max_examples=25, suppress_health_check=list(HealthCheck))


@SLOW
@given(ANY, st.integers(0, 2**32 - 1))
def test_drawn_designs_to_the_clock(
    tally: dict[str, Counter[str]], design: Design, drawn: int
) -> None:
    trace = check(design, drawn, "never", "never")
    assert set(np.diff(trace.clocks_in).tolist()) == {schedule(design).clocks}
    assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}
    tally["states from outside in Amaranth's simulator, clock for clock"].update(families(design))


@SLOW
@given(ANY, st.integers(0, 2**32 - 1), st.sampled_from(PAIRS))
def test_drawn_designs_under_pauses(
    tally: dict[str, Counter[str]], design: Design, drawn: int, pair: tuple[str, str]
) -> None:
    check(design, drawn, *pair)
    tally["states from outside in Amaranth's simulator, gaps and stalls"].update(families(design))


def shapes() -> list[Design]:
    """All lanes and multipliers of five units, with and without channels and squares."""
    found = []
    for lanes, squares, channels in product(range(1, 6), (None, QFormat(7, 6, False)), (0, 1)):
        features = replace(EXTERNAL.features, squares=squares, inputs=channels > 0)
        count = 5 * features.per_unit + channels + 1
        rows = tuple(row[:count] for row in EXTERNAL.readout.weights)
        design = replace(
            EXTERNAL,
            inputs=EXTERNAL.inputs[:channels],
            layers=(replace(EXTERNAL.layer, lanes=lanes),),
            features=features,
            readout=replace(EXTERNAL.readout, weights=rows, multipliers=1),
        )
        for multipliers in possible_multipliers(lanes, design):
            readout = replace(design.readout, multipliers=multipliers)
            found.append(replace(design, readout=readout))
    return found


def test_every_shape() -> None:
    plans = []
    for design in shapes():
        plans.append(schedule(design))
        trace = check(design, 1, "never", "never")
        assert set(np.diff(trace.clocks_in).tolist()) == {plans[-1].clocks}
        assert set(np.subtract(trace.clocks_out, trace.clocks_in).tolist()) == {latency(design)}
    assert sum(plan.parallel for plan in plans) == 4 and sum(plan.paired for plan in plans) == 9
    assert len(plans) == 72


def test_units_in_the_wrong_order_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    check(EXTERNAL, 1, "never", "never")
    monkeypatch.setattr(folded, "Cat", lambda *parts: Cat(*reversed(parts)))
    with pytest.raises(MismatchError, match="output"):
        check(EXTERNAL, 1, "never", "never")
