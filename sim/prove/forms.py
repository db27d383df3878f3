"""Exact integers that depend on unknowns, in a normal form in which equal sums look equal.

A `Form` is a sum of products of atoms with integer coefficients. An atom is an unknown, or what is
no sum: the floor of a form over a power of two, a comparison, a choice, an entry of a table. Bits
of a circuit become forms with floors: the lowest k bits of V are ``V - 2**k floor(V / 2**k)``. So
an adder that is cut into parts, with carries between them, gives the form of the plain sum again,
and the solver is left with what really is no arithmetic: roundings, clips and tables.

Every form has bounds, from its atoms and from how it came about. A floor that they decide is a
number.
"""

from collections.abc import Mapping
from math import gcd
from typing import Any

__all__ = ["Atom", "Form", "Forms", "Monomial", "number"]

_LARGEST_PRODUCT = 16  # terms; beyond, a product is an atom of its own


class Atom:
    """What forms are made of.

    Attributes
    ----------
    number : int
        Order of creation.
    kind : str
        ``unknown``, ``floor``, ``atleast`` (of zero), ``zero``, ``choice``, ``entry`` or
        ``product``.
    parts : tuple
        What it is made of: names, numbers and forms.
    low, high : int
        Bounds.
    unknowns : frozenset of Atom
        All unknowns inside.
    """

    __slots__ = ("high", "kind", "low", "number", "parts", "unknowns")

    def __init__(self, number: int, kind: str, parts: tuple[Any, ...], low: int, high: int) -> None:
        self.number, self.kind, self.parts = number, kind, parts
        self.low, self.high = low, high
        inside = [part.unknowns() for part in parts if isinstance(part, Form)]
        self.unknowns: frozenset[Atom] = frozenset().union(*inside)
        if kind == "unknown":
            self.unknowns = frozenset([self])

    @property
    def name(self) -> str:
        """Name of an unknown."""
        return str(self.parts[0])

    def __lt__(self, other: "Atom") -> bool:
        return self.number < other.number

    def __repr__(self) -> str:
        return self.name if self.kind == "unknown" else f"{self.kind}{self.parts}"


Monomial = tuple[Atom, ...]


class Form:
    """A sum of products of atoms; equal sums are equal forms."""

    __slots__ = ("_hash", "_unknowns", "terms")

    def __init__(self, terms: dict[Monomial, int]) -> None:
        self.terms = terms
        self._hash: int | None = None
        self._unknowns: frozenset[Atom] | None = None

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(frozenset(self.terms.items()))
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Form) and hash(self) == hash(other) and self.terms == other.terms
        )

    def __repr__(self) -> str:
        return " + ".join(
            "*".join([str(factor), *map(repr, monomial)]) for monomial, factor in self.terms.items()
        ) or "0"  # fmt: skip

    @property
    def constant(self) -> int:
        """The part that depends on nothing."""
        return self.terms.get((), 0)

    @property
    def number(self) -> int | None:
        """The value, if it depends on nothing."""
        if not self.terms:
            return 0
        return self.terms.get(()) if len(self.terms) == 1 else None

    @property
    def atom(self) -> Atom | None:
        """The atom that this is and nothing else."""
        if len(self.terms) == 1:
            ((monomial, factor),) = self.terms.items()
            if factor == 1 and len(monomial) == 1:
                return monomial[0]
        return None

    def unknowns(self) -> frozenset[Atom]:
        """Return all unknowns inside."""
        if self._unknowns is None:
            self._unknowns = frozenset().union(
                *(atom.unknowns for monomial in self.terms for atom in monomial)
            )
        return self._unknowns

    def __add__(self, other: "Form") -> "Form":
        a, b = self, other
        if len(a.terms) < len(b.terms):
            a, b = b, a
        if not b.terms:
            return a
        terms = dict(a.terms)
        for monomial, factor in b.terms.items():
            total = terms.get(monomial, 0) + factor
            if total:
                terms[monomial] = total
            else:
                del terms[monomial]
        return Form(terms)

    def __sub__(self, other: "Form") -> "Form":
        return self + other.scaled(-1)

    def scaled(self, factor: int) -> "Form":
        """Multiply by a number."""
        if factor == 1:
            return self
        return Form({m: c * factor for m, c in self.terms.items()} if factor else {})

    def reduced(self, width: int) -> "Form":
        """A form that is equal modulo ``2**width``, with the least factors."""
        size, half = 1 << width, 1 << (width - 1)
        terms = {m: half - (half - c) % size for m, c in self.terms.items()}
        if () in terms:
            terms[()] %= size
        return Form({m: c for m, c in terms.items() if c})

    def plus(self, value: int) -> "Form":
        """Add a number."""
        return self + number(value) if value else self


def number(value: int) -> Form:
    """Form of a number."""
    return Form({(): value} if value else {})


class Forms:
    """Makes atoms, each once, and knows the bounds of forms."""

    def __init__(self) -> None:
        self._atoms: dict[tuple[Any, ...], Atom] = {}
        self._bounds: dict[Form, tuple[int, int]] = {}

    def unknown(self, name: str, low: int, high: int) -> Form:
        """An unknown integer that keeps to its bounds."""
        return self._made("unknown", (name,), low, high)

    def _made(self, kind: str, parts: tuple[Any, ...], low: int, high: int) -> Form:
        atom = self._atoms.get((kind, *parts))
        if atom is None:
            atom = self._atoms[kind, *parts] = Atom(len(self._atoms), kind, parts, low, high)
        return Form({(atom,): 1})

    def bounds(self, form: Form) -> tuple[int, int]:
        """Least and greatest value, as far as known."""
        known = self._bounds.get(form)
        if known is None:
            low = high = 0
            for monomial, factor in form.terms.items():
                bottom, top = _monomial_bounds(monomial)
                low += factor * (bottom if factor > 0 else top)
                high += factor * (top if factor > 0 else bottom)
            known = self._bounds[form] = (low, high)
        return known

    def within(self, form: Form, low: int, high: int) -> Form:
        """Return the form, of which these bounds are known as well; a number if they meet."""
        before = self.bounds(form)
        low, high = max(low, before[0]), min(high, before[1])
        if low == high:
            return number(low)
        if (low, high) != before:
            self._bounds[form] = (low, high)
        return form

    def add(self, a: Form, b: Form) -> Form:
        """Sum."""
        (a0, a1), (b0, b1) = self.bounds(a), self.bounds(b)
        return self.within(a + b, a0 + b0, a1 + b1)

    def subtract(self, a: Form, b: Form) -> Form:
        """Difference."""
        (a0, a1), (b0, b1) = self.bounds(a), self.bounds(b)
        return self.within(a - b, a0 - b1, a1 - b0)

    def multiply(self, a: Form, b: Form) -> Form:
        """Product; an atom of its own if it would have many terms."""
        (a0, a1), (b0, b1) = self.bounds(a), self.bounds(b)
        corners = (a0 * b0, a0 * b1, a1 * b0, a1 * b1)
        low, high = min(corners), max(corners)
        if a == b and a0 <= 0 <= a1:
            low = 0
        for one, other in ((a, b), (b, a)):
            if one.number is not None:
                return self.within(other.scaled(one.number), low, high)
        if len(a.terms) * len(b.terms) > _LARGEST_PRODUCT and not (_is_bit(a) or _is_bit(b)):
            return self._made("product", tuple(sorted((a, b), key=hash)), low, high)
        terms: dict[Monomial, int] = {}
        for m, c in a.terms.items():
            for n, d in b.terms.items():
                monomial = _times(m, n)
                terms[monomial] = terms.get(monomial, 0) + c * d
        return self.within(Form({m: c for m, c in terms.items() if c}), low, high)

    def floor(self, form: Form, shift: int) -> Form:
        """``floor(form / 2**shift)``, for shifts of either sign."""
        if shift <= 0:
            return self.multiply(form, number(1 << -shift))
        low, high = self.bounds(form)
        low, high = low >> shift, high >> shift
        if low == high:
            return number(low)
        for monomial, factor in form.terms.items():
            if factor == 1 and len(monomial) == 1 and monomial[0].kind == "floor":
                # The floor of a sum that has a floor in it is the floor of one sum.
                inner, extra = monomial[0].parts
                outer = form - Form({monomial: 1})
                form, shift = inner + outer.scaled(1 << extra), shift + extra
                break
        rest = form.reduced(shift)
        whole = Form({m: c >> shift for m, c in (form - rest).terms.items()})
        return self.within(whole + self._floor_of_rest(rest, shift), low, high)

    def _floor_of_rest(self, rest: Form, shift: int) -> Form:
        """Floor of a form of which no multiple of ``2**shift`` can be taken away."""
        low, high = self.bounds(rest)
        low, high = low >> shift, high >> shift
        if low == high:
            return number(low)
        if high == low + 1:
            return self.at_least_zero(rest.plus(-(high << shift))).plus(low)
        # What is below the coarsest step of the sum cannot matter.
        step = min((factor & -factor).bit_length() - 1 for m, factor in rest.terms.items() if m)
        if step:
            rest = Form({m: c >> step for m, c in rest.terms.items() if c >> step})
        shift -= step
        if shift == 1 and rest.constant:
            # The halves of two neighbours, rounded down, add up to the first (Hermite).
            plain = rest.plus(-rest.constant)
            half = self._floor_of_rest(plain, 1)
            return self.within(plain - half, low, high)
        return self._made("floor", (rest, shift), low, high)

    def at_least_zero(self, form: Form) -> Form:
        """1 if the form is 0 or above, else 0."""
        low, high = self.bounds(form)
        if low >= 0 or high < 0:
            return number(int(low >= 0))
        form = _coarser(form)
        lead = min(m for m in form.terms if m)
        if form.terms[lead] < 0:
            return number(1) - self._at_least_zero(form.scaled(-1).plus(-1))
        return self._at_least_zero(form)

    def _at_least_zero(self, form: Form) -> Form:
        rest = form.plus(-form.constant)
        if form.constant == -1 and self.bounds(rest) == (0, 1):
            return rest
        return self._made("atleast", (form,), 0, 1)

    def is_zero(self, form: Form) -> Form:
        """1 if the form is 0, else 0."""
        low, high = self.bounds(form)
        if low > 0 or high < 0 or not form.terms:
            return number(int(not form.terms))
        if low == 0 and high == 1:
            return number(1) - form
        if low == -1 and high == 0:
            return form.plus(1)
        lead = min(m for m in form.terms if m)
        return self._made("zero", (form.scaled(-1) if form.terms[lead] < 0 else form,), 0, 1)

    def choose(self, condition: Form, yes: Form, no: Form) -> Form:
        """`yes` where the condition is 1, `no` where it is 0."""
        if condition.number is not None:
            return yes if condition.number else no
        if yes == no:
            return yes
        (a0, a1), (b0, b1) = self.bounds(yes), self.bounds(no)
        low, high = min(a0, b0), max(a1, b1)
        negated = number(1) - condition
        if condition.atom is None and negated.atom is not None:
            condition, yes, no = negated, no, yes
        plain = condition.atom is not None and condition.atom.kind == "unknown"
        if plain or (yes.number is not None and no.number is not None):
            # A choice among sums by an unknown bit is a sum again.
            chosen = self.add(no, self.multiply(condition, self.subtract(yes, no)))
            return self.within(chosen, low, high)
        return self._made("choice", (condition, yes, no), low, high)

    def entry(self, entries: tuple[int, ...], index: Form) -> Form:
        """Entry of a table at an index that is inside."""
        if index.number is not None:
            return number(entries[index.number])
        low, high = self.bounds(index)
        inside = entries[low : high + 1]
        assert low >= 0 and high < len(entries)
        return self._made("entry", (entries, index), min(inside), max(inside))

    def renamed(self, form: Form, names: Mapping[Atom, Form], done: dict[Form, Form]) -> Form:
        """Put forms with the same bounds for unknowns.

        Parameters
        ----------
        form : Form
        names : mapping of Atom to Form
            Unknowns that are not in it stay.
        done : dict
            What has been renamed by these names; filled.
        """
        if form.unknowns().isdisjoint(names):
            return form
        result = done.get(form)
        if result is None:
            result = number(0)
            for monomial, factor in form.terms.items():
                product = number(factor)
                for atom in monomial:
                    product = self.multiply(product, self._renamed_atom(atom, names, done))
                result = result + product
            done[form] = result = self.within(result, *self.bounds(form))
        return result

    def _renamed_atom(self, atom: Atom, names: Mapping[Atom, Form], done: dict[Form, Form]) -> Form:
        if atom.kind == "unknown":
            return names.get(atom) or Form({(atom,): 1})
        parts: list[Any] = [
            self.renamed(part, names, done) if isinstance(part, Form) else part
            for part in atom.parts
        ]
        if atom.kind == "floor":
            return self.floor(*parts)
        if atom.kind == "atleast":
            return self.at_least_zero(*parts)
        if atom.kind == "zero":
            return self.is_zero(*parts)
        if atom.kind == "choice":
            return self.choose(*parts)
        if atom.kind == "entry":
            return self.entry(*parts)
        return self.multiply(*parts)


def _is_bit(form: Form) -> bool:
    """Whether a form is one unknown bit, of which every term of a sum may have its own."""
    atom = form.atom
    return atom is not None and atom.kind == "unknown" and (atom.low, atom.high) == (0, 1)


def _times(m: Monomial, n: Monomial) -> Monomial:
    """Product of two monomials, in which a bit counts once."""
    atoms = sorted((*m, *n))
    return tuple(
        atom
        for k, atom in enumerate(atoms)
        if not (k and atom is atoms[k - 1] and atom.low >= 0 and atom.high <= 1)
    )


def _monomial_bounds(monomial: Monomial) -> tuple[int, int]:
    low = high = 1
    for atom in monomial:
        corners = (low * atom.low, low * atom.high, high * atom.low, high * atom.high)
        low, high = min(corners), max(corners)
    if len(monomial) == 2 and monomial[0] is monomial[1]:
        low = max(low, 0)
    return low, high


def _coarser(form: Form) -> Form:
    """Form with the same sign whose factors have no common divisor."""
    divisor = gcd(*(factor for monomial, factor in form.terms.items() if monomial))
    if divisor == 1:
        return form
    return Form({m: c // divisor for m, c in form.terms.items() if c // divisor})
