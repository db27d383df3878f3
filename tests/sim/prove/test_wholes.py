"""The reference on unknowns says what it says of numbers, and never leaves its ranges."""

from typing import Any

import numpy as np
import z3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from rchw.activation import Table
from rchw.design import Design
from rchw.fixed import Overflow, QFormat, Rounding, requantize
from rchw.ranges import state_interval
from rchw.reference.ring import RingReference
from rchw.sim.prove.wholes import Whole, Wholes, unknown
from tests.designs import designs


def drawn(rng: Any, low: int, high: int) -> int:
    """An end as often as anything else."""
    return int((low, high, rng.integers(low, high, endpoint=True))[rng.integers(3)])


def value(whole: Whole, given: list[tuple[Any, Any]]) -> int:
    number = z3.simplify(z3.substitute(whole.term, *given)).as_signed_long()
    assert whole.range.low <= number <= whole.range.high
    return int(number)


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(designs(max_units=6), st.integers(0, 1000))
def test_a_step_on_unknowns_is_the_step_on_numbers(design: Design, number: int) -> None:
    rng = default_rng(number)
    layer, interval = design.layer, state_interval(design.layer)
    if isinstance(layer.activation, Table) and layer.activation.index.width > 8:
        return  # a tree of a thousand choices takes its time
    width = interval.width
    full = (-(1 << (width - 1)), (1 << (width - 1)) - 1)
    states = [unknown(f"x{i}", *full) for i in range(layer.n_units)]
    formats = [channel.format for channel in design.inputs]
    inputs = [unknown(f"u{k}", fmt.min, fmt.max) for k, fmt in enumerate(formats)]
    reference: Any = RingReference(design, object)
    after = reference.step(Wholes(states), Wholes(inputs))
    for _ in range(3):
        x = [drawn(rng, *full) for _ in states]
        u = [drawn(rng, fmt.min, fmt.max) for fmt in formats]
        given = [(z3.BitVec(f"x{i}", width), z3.BitVecVal(v, width)) for i, v in enumerate(x)]
        given += [
            (z3.BitVec(f"u{k}", f.width), z3.BitVecVal(v, f.width))
            for k, (v, f) in enumerate(zip(u, formats, strict=True))
        ]
        expected = reference.step(np.array(x, dtype=object), np.array(u, dtype=object))
        assert [value(after.whole(i), given) for i in range(len(x))] == expected.tolist()


@given(st.integers(-3, 6), st.sampled_from(Rounding), st.sampled_from(Overflow), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_requantize_on_unknowns(
    shift: int, rounding: Rounding, overflow: Overflow, width: int
) -> None:
    """All codes of 6 bits."""
    codes, to = np.arange(-32, 32), QFormat(width)
    terms: Any = Wholes([unknown("c", -32, 31)])
    symbolic: Any = requantize(terms, shift, to, rounding, overflow)
    found = [
        value(symbolic.whole(0), [(z3.BitVec("c", 6), z3.BitVecVal(int(code), 6))])
        for code in codes
    ]
    assert found == requantize(codes, shift, to, rounding, overflow).tolist()
