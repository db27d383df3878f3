"""Corners decide what a solver would not: sums of many products at a rail."""

import numpy as np
import pytest

from rchw.sim.prove.corners import corners
from rchw.sim.prove.forms import Form, Forms, number
from rchw.sim.prove.questions import Answer, Questions
from rchw.sim.prove.trial import Trial, value_of

N = 100
WEIGHTS = [1, *np.random.default_rng(5).integers(-2048, 2048, N - 1).tolist()]


def long_sum(forms: Forms) -> Form:
    total = number(7)
    for k, weight in enumerate(WEIGHTS):
        total += forms.unknown(f"x{k}", -127, 127).scaled(weight)
    return total


def clipped(forms: Forms, form: Form, high: int) -> Form:
    return forms.choose(forms.at_least_zero(form.plus(-high)), number(high), form)


def without_solver(forms: Forms, a: Form, b: Form) -> Answer:
    """Answer of questions whose solver may not be asked, and whose drawn values do not tell."""
    questions = Questions(forms, Trial(4, 0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Questions, "_ask", lambda self, *_, **__: Answer(None, {}))
        return questions.equal(a, b)


def test_a_rail_that_only_one_corner_passes_is_found() -> None:
    forms = Forms()
    total = long_sum(forms)
    high = forms.bounds(total)[1]
    assert high == 127 * sum(map(abs, WEIGHTS)) + 7
    answer = without_solver(forms, clipped(forms, total, high - 1), total)
    assert answer.equal is False and value_of(total, answer.given) == high
    # Nothing is told of what is equal: the corners only find differences.
    assert without_solver(forms, clipped(forms, total, high), total).equal is None


@pytest.mark.parametrize("turn", [0, 1, -100_000, 3_000_001])
def test_a_comparison_that_is_off_by_one_is_found(turn: int) -> None:
    forms = Forms()
    total = long_sum(forms)
    a, b = (forms.at_least_zero(total.plus(-place)) for place in (turn, turn + 1))
    answer = without_solver(forms, a, b)
    assert answer.equal is False and value_of(total, answer.given) == turn


def test_every_unknown_has_a_value_in_its_range() -> None:
    forms = Forms()
    x, y = forms.unknown("x", 3, 9), forms.unknown("y", -4, -1)
    condition = forms.multiply(forms.at_least_zero(x.plus(-5)), forms.is_zero(y.plus(2)))
    found = [*corners(condition)]
    assert {value[x.atom] for value in found if x.atom} == {3, 4, 5, 9}
    assert all(value[y.atom] == -1 for value in found if y.atom)
    assert [*corners(number(1))] == []
