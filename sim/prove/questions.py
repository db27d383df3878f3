"""What the normal form leaves open is asked of a solver: whether two integers can differ.

Questions that are the same up to the names of their unknowns are asked once: the clip of every
unit of a ring is one question.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import z3

from rchw.ranges import Interval
from rchw.sim.prove.answers import Answers
from rchw.sim.prove.corners import corners
from rchw.sim.prove.exhaust import exhaust, is_small
from rchw.sim.prove.forms import Atom, Form, Forms, Monomial
from rchw.sim.prove.trial import Trial, value_of
from rchw.sim.solver import checked

__all__ = ["Answer", "Questions"]

_GLANCE = 0.5  # seconds for a question whose values can all be tried


@dataclass(frozen=True)
class Answer:
    """What the solver found.

    Attributes
    ----------
    equal : bool or None
        None if it did not answer in time.
    given : dict of Atom to int
        Values for which they differ.
    """

    equal: bool | None
    given: dict[Atom, int]


class Questions:
    """Asks, and remembers.

    Parameters
    ----------
    forms : Forms
    trial : Trial
        What fails in it needs no solver.
    timeout : float
        Seconds for one question.
    answers : Answers, optional
        What the solver said in earlier runs; what it says now is added.

    Attributes
    ----------
    asked, tried, repeated, remembered : int
        Questions that went to the solver, that were answered by trying all values, that were the
        same as an earlier one, and that an earlier run had asked.
    """

    def __init__(
        self, forms: Forms, trial: Trial, timeout: float = 60.0, answers: Answers | None = None
    ) -> None:
        self._forms, self._trial, self._timeout = forms, trial, timeout
        self._answers: dict[Any, tuple[list[Atom], Answer]] = {}
        self._kept = answers or Answers()
        self.asked = self.tried = self.repeated = self.remembered = 0

    def equal(self, a: Form, b: Form) -> Answer:
        """Whether two forms are equal for all values of their unknowns within their bounds."""
        difference = a - b
        if difference.number is not None:
            return Answer(not difference.number, {})
        return self.always(self._forms.is_zero(difference))

    def inside(self, form: Form, low: int, high: int) -> Answer:
        """Whether a form never leaves these bounds."""
        forms = self._forms
        above = forms.at_least_zero(form.plus(-low))
        below = forms.at_least_zero(form.scaled(-1).plus(high))
        return self.always(forms.multiply(above, below))

    def always(self, condition: Form) -> Answer:
        """Whether a form of 0 and 1 is always 1."""
        if condition.number is not None:
            return Answer(bool(condition.number), {})
        values = self._trial.values(condition)
        if 0 in values:
            return Answer(False, self._trial.case(condition, values.index(0)))
        order: list[Atom] = []
        key = _shape(condition, {}, order)
        if key in self._answers:
            self.repeated += 1
            names, answer = self._answers[key]
            places = {name: k for k, name in enumerate(names)}
            given = {order[places[atom]]: value for atom, value in answer.given.items()}
            return Answer(answer.equal, given)
        for given in corners(condition):
            if not value_of(condition, given):
                self._answers[key] = (order, Answer(False, given))
                return Answer(False, given)
        answer = self._found(condition, order)
        self._answers[key] = (order, answer)
        return answer

    def _found(self, condition: Form, order: list[Atom]) -> Answer:
        """What the solver says, or the values themselves where they are few."""
        small = is_small(self._forms, condition, order)
        seconds = min(self._timeout, _GLANCE) if small else self._timeout
        # Products are hard, and often it does not matter what they are.
        product = _has_product(condition)
        answer = self._ask(condition, order, not product, seconds)
        if answer.equal is not True and product and not small:
            answer = self._ask(condition, order, True, seconds)
        if small and (answer.equal is None or (product and not answer.equal)):
            try:
                given = exhaust(condition, order, self._timeout)
            except TimeoutError:
                return Answer(None, {})
            self.tried += 1
            answer = Answer(given is None, given or {})
        return answer

    def _ask(self, condition: Form, order: list[Atom], exact: bool, seconds: float) -> Answer:
        solver = z3.SolverFor("QF_BV")
        solver.set("timeout", max(1, round(1000 * seconds)))
        terms = _Terms(self._forms, order, exact)
        solver.add(terms.of(condition, 2) == 0)
        unknowns = {atom: terms.unknown(atom) for atom in order}
        for atom, term in unknowns.items():
            solver.add(term >= atom.low, term <= atom.high)
        for term, low, high in terms.products.values():
            solver.add(term >= low, term <= high)
        text = solver.sexpr()
        kept = self._kept.get(text)
        if kept is None:
            self.asked += 1
            found = checked(solver)
            if found not in (z3.sat, z3.unsat):
                return Answer(None, {})
            values: list[int] = []
            if found == z3.sat:
                model = solver.model()
                values = [
                    model.eval(term, model_completion=True).as_signed_long()
                    for term in unknowns.values()
                ]
            kept = found == z3.unsat, values
            self._kept.add(text, *kept)
        else:
            self.remembered += 1
        return Answer(kept[0], dict(zip(order, kept[1], strict=False)))


def _has_product(form: Form) -> bool:
    """Whether unknowns are multiplied with each other somewhere in a form."""
    return any(
        sum(atom.low < 0 or atom.high > 1 for atom in monomial) > 1
        or any(isinstance(part, Form) and _has_product(part) for a in monomial for part in a.parts)
        for monomial in form.terms
    )


def _shape(form: Form, places: dict[Atom, Any], order: list[Atom]) -> Any:
    """What a form is but for the names of its unknowns, which are put in order."""
    terms = []
    for monomial in sorted(form.terms, key=lambda m: [atom.number for atom in m]):
        atoms = []
        for atom in monomial:
            if atom not in places:
                if atom.kind == "unknown":
                    places[atom] = (len(order), atom.low, atom.high)
                    order.append(atom)
                else:
                    places[atom] = (
                        atom.kind,
                        *(
                            _shape(part, places, order) if isinstance(part, Form) else part
                            for part in atom.parts
                        ),
                    )
            atoms.append(places[atom])
        terms.append((tuple(atoms), form.terms[monomial]))
    return tuple(terms)


class _Terms:
    """Forms as bit-vectors of z3, each as wide as its bounds need.

    Parameters
    ----------
    forms : Forms
    order : sequence of Atom
        The unknowns; they are called by their places here.
    exact : bool
        Whether products of unknowns are what they are, or unknowns themselves.
    """

    def __init__(self, forms: Forms, order: Sequence[Atom], exact: bool = True) -> None:
        self._forms, self._exactly = forms, exact
        self._places = {atom: place for place, atom in enumerate(order)}
        self.products: dict[Monomial, tuple[Any, int, int]] = {}
        self._atoms: dict[Atom, Any] = {}

    def unknown(self, atom: Atom) -> Any:
        """Bit-vector of an unknown."""
        return self._atom(atom)

    def of(self, form: Form, width: int) -> Any:
        """Lowest bits of a form, or more than it needs."""
        total, rest = self._bits(form, width)
        for monomial, factor in rest.terms.items():
            product = z3.BitVecVal(factor, width)
            wide = tuple(atom for atom in monomial if atom.low < 0 or atom.high > 1)
            if len(wide) > 1 and not self._exactly:
                product = product * _resized(self._unknown_product(wide), width)
                monomial = tuple(atom for atom in monomial if atom not in wide)
            for atom in monomial:
                product = product * _resized(self._atom(atom), width)
            total = total + product
        return total

    def _bits(self, form: Form, width: int) -> tuple[Any, Form]:
        """Single bits with powers of two as factors, put together without adding, and the rest."""
        bits: dict[int, Monomial] = {}
        for monomial, factor in form.terms.items():
            place = factor.bit_length() - 1
            if (
                len(monomial) == 1
                and (monomial[0].low, monomial[0].high) == (0, 1)
                and factor == 1 << place
                and place < width
            ):
                bits.setdefault(place, monomial)
        if len(bits) < 2:
            return z3.BitVecVal(0, width), form
        used = set(bits.values())
        parts = [
            z3.Extract(0, 0, self._atom(bits[k][0])) if k in bits else z3.BitVecVal(0, 1)
            for k in reversed(range(width))
        ]
        rest = Form({m: c for m, c in form.terms.items() if m not in used})
        return (z3.Concat(*parts) if width > 1 else parts[0]), rest

    def _unknown_product(self, atoms: Monomial) -> Any:
        if atoms not in self.products:
            low, high = self._forms.bounds(Form({atoms: 1}))
            width = Interval(low, high).width
            self.products[atoms] = (z3.BitVec(f"product{len(self.products)}", width), low, high)
        return self.products[atoms][0]

    def _exact(self, form: Form, low: int = 0, high: int = 0) -> Any:
        """All bits of a form, enough for these numbers too."""
        return self.of(form, Interval(*self._forms.bounds(form)).hull(Interval(low, high)).width)

    def _atom(self, atom: Atom) -> Any:
        term = self._atoms.get(atom)
        if term is None:
            term = self._atoms[atom] = self._made(atom)
        return term

    def _made(self, atom: Atom) -> Any:
        width, parts = Interval(atom.low, atom.high).width, atom.parts
        if atom.kind == "unknown":
            return z3.BitVec(f"v{self._places[atom]}", width)
        if atom.kind == "floor":
            return _resized(self._exact(parts[0]) >> parts[1], width)
        if atom.kind in ("atleast", "zero"):
            term = self._exact(parts[0])
            holds = term >= 0 if atom.kind == "atleast" else term == 0
            return z3.If(holds, z3.BitVecVal(1, 2), z3.BitVecVal(0, 2))
        if atom.kind == "choice":
            condition, yes, no = parts
            return z3.If(self.of(condition, 2) == 1, self.of(yes, width), self.of(no, width))
        if atom.kind == "entry":
            return self._entry(parts[0], parts[1], width)
        return self.of(parts[0], width) * self.of(parts[1], width)

    def _entry(self, entries: tuple[int, ...], index: Form, width: int) -> Any:
        """Entry of a table, as a tree of choices by the bits of the index."""
        term = self._exact(index, 0, len(entries))
        level = [z3.BitVecVal(entry, width) for entry in entries]
        bit = 0
        while len(level) > 1:
            chosen = z3.Extract(bit, bit, term) == 1
            odd = [*level[1::2], level[-1]]
            level = [
                even if even is other or even.eq(other) else z3.If(chosen, other, even)
                for even, other in zip(level[::2], odd, strict=False)
            ]
            bit += 1
        return level[0]


def _resized(term: Any, width: int) -> Any:
    own = term.size()
    if own < width:
        return z3.SignExt(width - own, term)
    return term if own == width else z3.Extract(width - 1, 0, term)
