"""Forms mean what was put into them, equal sums look equal, and the solver reads them rightly."""

from collections.abc import Callable
from typing import Any

import z3
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from rchw.sim.prove.forms import Form, Forms, number
from rchw.sim.prove.questions import Questions, _Terms
from rchw.sim.prove.trial import Trial, value_of

FORMS = Forms()
UNKNOWNS = [
    FORMS.unknown("a", -8, 7), FORMS.unknown("b", 0, 9), FORMS.unknown("c", -3, 3),
    FORMS.unknown("d", 0, 1), FORMS.unknown("e", 0, 1),
]  # fmt: skip
ENTRIES = (3, -2, 7, 0, 5, 5, -8, 1)
Meaning = tuple[Form, Callable[[dict[str, int]], int]]


def leaf(choice: int | Form) -> Meaning:
    if isinstance(choice, int):
        return number(choice), lambda values: choice
    assert choice.atom is not None
    name = choice.atom.name
    return choice, lambda values: values[name]


def combined(parts: tuple[str, Meaning, Meaning, Meaning, int]) -> Meaning:
    kind, (a, x), (b, y), (c, z), k = parts
    if kind == "add":
        return FORMS.add(a, b), lambda v: x(v) + y(v)
    if kind == "subtract":
        return FORMS.subtract(a, b), lambda v: x(v) - y(v)
    if kind == "multiply":
        return FORMS.multiply(a, b), lambda v: x(v) * y(v)
    if kind == "floor":
        return FORMS.floor(a, k), lambda v: x(v) >> k
    if kind == "at least zero":
        return FORMS.at_least_zero(a), lambda v: int(x(v) >= 0)
    if kind == "is zero":
        return FORMS.is_zero(a), lambda v: int(x(v) == 0)
    if kind == "choose":
        chosen = FORMS.choose(FORMS.at_least_zero(a), b, c)
        return chosen, lambda v: y(v) if x(v) >= 0 else z(v)
    if kind == "choose by a bit":
        bit = UNKNOWNS[3]
        return FORMS.choose(bit, b, c), lambda v: y(v) if v["d"] else z(v)
    low = FORMS.within(FORMS.subtract(a, FORMS.floor(a, 3).scaled(8)), 0, 7)
    return FORMS.entry(ENTRIES, low), lambda v: ENTRIES[x(v) % 8]


KINDS = ["add", "subtract", "multiply", "floor", "at least zero", "is zero", "choose",
         "choose by a bit", "entry"]  # fmt: skip
TREES: st.SearchStrategy[Meaning] = st.recursive(
    st.one_of(st.integers(-20, 20), st.sampled_from(UNKNOWNS)).map(leaf),
    lambda inner: st.tuples(st.sampled_from(KINDS), inner, inner, inner, st.integers(0, 5)).map(
        combined
    ),
    max_leaves=8,
)


def drawn(seed: int) -> dict[str, int]:
    rng = default_rng(seed)
    atoms = [form.atom for form in UNKNOWNS]
    return {a.name: int(rng.integers(a.low, a.high, endpoint=True)) for a in atoms if a}


@settings(max_examples=400, deadline=None)
@given(TREES, st.integers(0, 10**6))
def test_a_form_has_the_value_of_what_it_was_made_of(tree: Meaning, seed: int) -> None:
    form, meaning = tree
    low, high = FORMS.bounds(form)
    for k in range(5):
        given_values = drawn(seed + k)
        found = value_of(form, {a: given_values[a.name] for a in form.unknowns()})
        assert found == meaning(given_values)
        assert low <= found <= high


@settings(max_examples=150, deadline=None)
@given(TREES, st.integers(0, 10**6))
def test_the_solver_reads_the_same_value(tree: Meaning, seed: int) -> None:
    form, meaning = tree
    values = drawn(seed)
    terms: Any = _Terms(FORMS, list(form.unknowns()))
    low, high = FORMS.bounds(form)
    width = max(abs(low), abs(high)).bit_length() + 1
    term = terms.of(form, width)
    given_terms = []
    for atom in form.unknowns():
        unknown = terms.unknown(atom)
        given_terms.append((unknown, z3.BitVecVal(values[atom.name], unknown.size())))
    found = z3.simplify(z3.substitute(term, *given_terms))
    assert found.as_signed_long() == meaning(values)


@settings(max_examples=150, deadline=None)
@given(TREES, st.integers(0, 10**6))
def test_renaming_puts_other_unknowns_in(tree: Meaning, seed: int) -> None:
    form, meaning = tree
    names: dict[Any, Form] = {}
    for unknown in UNKNOWNS:
        assert unknown.atom is not None
        names[unknown.atom] = FORMS.unknown(
            f"other {unknown.atom.name}", unknown.atom.low, unknown.atom.high
        )
    renamed = FORMS.renamed(form, names, {})
    values = drawn(seed)
    given_values = {a: values[a.name.removeprefix("other ")] for a in renamed.unknowns()}
    assert all(atom.name.startswith("other ") for atom in renamed.unknowns())
    assert value_of(renamed, given_values) == meaning(values)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-100, 100), min_size=2, max_size=5), st.integers(1, 8), st.data())
def test_a_sum_cut_into_parts_with_carries_is_the_sum(
    factors: list[int], low: int, data: st.DataObject
) -> None:
    """Low parts added, their carries added to the sum of the high parts: the plain sum again."""
    terms = [FORMS.multiply(UNKNOWNS[k % 3], number(factor)) for k, factor in enumerate(factors)]
    parts, rests = number(0), number(0)
    for term in terms:
        rest = FORMS.floor(term, low)
        part = FORMS.within(FORMS.subtract(term, rest.scaled(1 << low)), 0, (1 << low) - 1)
        grown = FORMS.add(parts, part)
        carry = FORMS.floor(grown, low)
        parts = FORMS.within(FORMS.subtract(grown, carry.scaled(1 << low)), 0, (1 << low) - 1)
        rests = FORMS.add(rests, FORMS.add(rest, carry))
    plain = number(0)
    for term in terms:
        plain = plain + term
    assert FORMS.add(parts, rests.scaled(1 << low)) == plain


def test_what_is_equal_is_told_from_what_is_not() -> None:
    questions = Questions(FORMS, Trial(4, 1), 20.0)
    a = UNKNOWNS[0]
    clipped = FORMS.choose(FORMS.at_least_zero(a.plus(-5)), number(5), a)
    other = FORMS.choose(FORMS.at_least_zero(number(5) - a), a, number(5))
    assert questions.equal(clipped, other).equal and questions.asked == 1
    wrong = FORMS.choose(FORMS.at_least_zero(a.plus(-4)), number(5), a)
    answer = questions.equal(clipped, wrong)
    assert answer.equal is False
    assert {atom.name: value for atom, value in answer.given.items()} == {"a": 4}
    assert questions.inside(clipped, -8, 5).equal
    assert questions.inside(clipped, -8, 4).equal is False
    shifted = FORMS.unknown("z", -8, 7)
    clipped = FORMS.choose(FORMS.at_least_zero(shifted.plus(-5)), number(5), shifted)
    other = FORMS.choose(FORMS.at_least_zero(number(5) - shifted), shifted, number(5))
    asked = questions.asked
    assert questions.equal(clipped, other).equal
    assert questions.asked == asked and questions.repeated == 1
