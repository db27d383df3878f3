"""Trying all values agrees with one at a time, finds the only one that differs, and has limits."""

import numpy as np
import pytest

from rchw.sim.prove import exhaust as module
from rchw.sim.prove.exhaust import MOST, exhaust, is_small
from rchw.sim.prove.forms import Atom, Form, Forms, number
from rchw.sim.prove.questions import Answer, Questions
from rchw.sim.prove.trial import Trial, value_of

BOUNDS = [(-8, 7), (-3, 12), (0, 1)]


def unknowns(*forms: Form) -> list[Atom]:
    return sorted({atom for form in forms for atom in form.unknowns()})


def everything(forms: Forms) -> Form:
    """A form with an atom of every kind."""
    x, y, bit = (forms.unknown(n, *b) for n, b in zip("xyb", BOUNDS, strict=True))
    total = forms.multiply(x, y) + x.scaled(27) - y.plus(3)
    rounded = forms.floor(total.plus(4), 3)
    clipped = forms.choose(forms.at_least_zero(rounded.plus(-20)), number(20), rounded)
    entry = forms.entry((5, -7, 2, 9, 1, 0, 3, -2, 8, 4, 6, -1, 7, -5, -3, -9), x.plus(8))
    chosen = forms.choose(bit, entry, forms.is_zero(x - y))
    return forms.multiply(clipped + entry, chosen) + chosen


@pytest.mark.parametrize("at_once", [1, 100, 1 << 18])
def test_each_value_is_that_of_one_at_a_time(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    forms = Forms()
    form = everything(forms)
    order = unknowns(form)
    assert len(order) == 3 and is_small(forms, form, order)
    cases = [
        {order[0]: a, order[1]: b, order[2]: c}
        for a in range(order[0].low, order[0].high + 1)
        for b in range(order[1].low, order[1].high + 1)
        for c in range(order[2].low, order[2].high + 1)
    ]
    values = [value_of(form, case) for case in cases]
    rng = np.random.default_rng(3)
    absent = next(n for n in range(-9999, 9999) if n not in values)
    for value in [*rng.choice(values, 20).tolist(), absent]:
        differs = number(1) - forms.is_zero(form.plus(-value))
        given = exhaust(differs, order)
        assert (given is None) == (value not in values)
        assert given is None or value_of(form, given) == value


def test_numbers_of_62_bits_are_exact_and_longer_ones_are_left_alone() -> None:
    forms = Forms()
    x = forms.unknown("x", 0, 255)
    order = unknowns(x)

    def differs(bits: int) -> Form:
        """Of 255 only, whose half more is 382."""
        more = forms.floor(x.scaled((3 << bits) + 1), bits + 1)
        return number(1) - forms.is_zero(more.plus(-382))

    assert is_small(forms, differs(51), order)
    assert exhaust(differs(51), order) == {order[0]: 255}
    assert not is_small(forms, differs(55), order)


def test_only_few_values_are_tried() -> None:
    forms = Forms()
    x, y = forms.unknown("x", 0, 4095), forms.unknown("y", 1, MOST // 4096)
    z = forms.unknown("z", 0, 1)
    assert is_small(forms, x + y, unknowns(x, y))
    assert not is_small(forms, x + y + z, unknowns(x, y, z))


@pytest.mark.parametrize("off", [0, 1])
def test_what_the_solver_does_not_tell_is_tried(off: int, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = Forms()
    x = forms.unknown("x", -128, 127)
    size = forms.choose(forms.at_least_zero(x), x, x.scaled(-1))
    a, b = forms.multiply(size, size), forms.multiply(x, x) + forms.is_zero(x.plus(99)).scaled(off)
    monkeypatch.setattr(Questions, "_ask", lambda self, *_: Answer(None, {}))
    questions = Questions(forms, Trial(1, 0))
    answer = questions.equal(a, b)
    assert answer.equal is not bool(off) and questions.tried == 1
    assert answer.given == ({x.atom: -99} if off else {})
