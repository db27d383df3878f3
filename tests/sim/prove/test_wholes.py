"""The reference on unknowns says what it says of numbers, and never leaves its bounds."""

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from rchw.design import Design
from rchw.fixed import Overflow, QFormat, Rounding, requantize
from rchw.ranges import state_interval
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.reference.ring import RingReference
from rchw.sim.prove.forms import Form, Forms
from rchw.sim.prove.trial import value_of
from rchw.sim.prove.wholes import Wholes
from tests.designs import designs


def drawn(rng: Any, low: int, high: int) -> int:
    """An end as often as anything else."""
    return int((low, high, rng.integers(low, high, endpoint=True))[rng.integers(3)])


def value(forms: Forms, form: Form, given: dict[str, int]) -> int:
    number = value_of(form, {atom: given[atom.name] for atom in form.unknowns()})
    low, high = forms.bounds(form)
    assert low <= number <= high
    return number


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(designs(max_units=6), st.integers(0, 1000))
def test_a_step_on_unknowns_is_the_step_on_numbers(design: Design, number: int) -> None:
    rng = default_rng(number)
    layer, interval = design.layer, state_interval(design.layer)
    forms = Forms()
    states = [forms.unknown(f"x{i}", interval.low, interval.high) for i in range(layer.n_units)]
    formats = [channel.format for channel in design.inputs]
    inputs = [forms.unknown(f"u{k}", fmt.min, fmt.max) for k, fmt in enumerate(formats)]
    ring: Any = RingReference(design, object)
    readout: Any = ReadoutReference(design)
    after = ring.step(Wholes(forms, states), Wholes(forms, inputs))
    matrices: Any = [Wholes(forms, [row]) for row in (states, inputs)]
    features = feature_codes(design, *matrices)
    shown = readout.rounded(*readout.totals(features))
    for _ in range(3):
        x = [drawn(rng, interval.low, interval.high) for _ in states]
        u = [drawn(rng, fmt.min, fmt.max) for fmt in formats]
        given = {f"x{i}": v for i, v in enumerate(x)} | {f"u{k}": v for k, v in enumerate(u)}
        expected = ring.step(np.array(x, dtype=object), np.array(u, dtype=object))
        assert [value(forms, after.form(i), given) for i in range(len(x))] == expected.tolist()
        codes = readout.outputs(np.array([x]), np.array([u]))
        found = [value(forms, shown.form(0, k), given) for k in range(design.n_outputs)]
        assert found == codes[0].tolist()


@given(st.integers(-3, 6), st.sampled_from(Rounding), st.sampled_from(Overflow), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_requantize_on_unknowns(
    shift: int, rounding: Rounding, overflow: Overflow, width: int
) -> None:
    """All codes of 6 bits."""
    codes, to, forms = np.arange(-32, 32), QFormat(width), Forms()
    unknown: Any = Wholes(forms, [forms.unknown("c", -32, 31)])
    symbolic: Any = requantize(unknown, shift, to, rounding, overflow)
    found = [value(forms, symbolic.form(0), {"c": int(code)}) for code in codes]
    assert found == requantize(codes, shift, to, rounding, overflow).tolist()


@given(st.lists(st.integers(-2, 2), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_the_greatest_of_unknowns(codes: list[int]) -> None:
    """Few codes: most rows have equals among the greatest."""
    forms = Forms()
    unknown = Wholes(forms, [[forms.unknown(f"c{k}", -2, 2) for k in range(len(codes))]])
    found = value(forms, unknown.argmax(axis=1).form(0), {f"c{k}": c for k, c in enumerate(codes)})
    assert found == np.array([codes]).argmax(axis=1)[0]
