"""Names of what the reference says of samples: unknowns, and what they stand for."""

from dataclasses import dataclass

from rchw.sim.prove.forms import Atom, Form, Forms

__all__ = ["Definition", "Names", "Role"]


@dataclass(frozen=True)
class Role:
    """What an unknown stands for: a quantity of a sample.

    Attributes
    ----------
    kind : str
        ``u``, ``last``, ``x``, ``p``, ``square``, ``t``, ``y``; ``class``: the place of the
        greatest output; ``fed``: a code that is fed back to the sample; ``v``, see
        `Expected.valid`; ``f``, see `Expected.flag`; ``q``, ``adds``, ``segment``, ``r``: see
        `rchw.sim.prove.running`; or ``above``: the bits of an input lane above its code.
    age : int
        Of the sample; -1 for what waits at the input.
    index : int
        Channel, unit of all layers, or output.
    first : int or None
        Whether the sample is the first of its sequence; None if the flag of the one before tells.
        Of what is summed up over samples the place of the last, as in `Expected.outputs`.
    """

    kind: str
    age: int
    index: int
    first: int | None = None


@dataclass(frozen=True)
class Definition:
    """A quantity of the reference.

    Attributes
    ----------
    role : Role
    name : Form
        Its unknown; the number that it is if it never is another.
    form : Form
        What the reference says it is.
    width : int
        Bits of its code in the circuit.
    """

    role: Role
    name: Form
    form: Form
    width: int


class Names:
    """Unknowns by their roles, and sums that have a name.

    Parameters
    ----------
    forms : Forms

    Attributes
    ----------
    roles : dict of Atom to Role
    samples : set of (int, int or None)
        Ages and first flags of those whose sums are to be named.
    """

    def __init__(self, forms: Forms) -> None:
        self._forms = forms
        self.roles: dict[Atom, Role] = {}
        self.samples: frozenset[tuple[int, int | None]] = frozenset()
        self._sums: dict[Form, Form] = {}
        self._plain: dict[Atom, Form] = {}
        self._unfolded: dict[Form, Form] = {}
        self._facts: dict[Atom, Form] = {}
        self._owners: dict[Form, set[tuple[int, int | None]]] = {}

    def name(self, role: Role, low: int, high: int) -> Form:
        """Unknown of a role."""
        words = (role.kind, role.age, role.index, "" if role.first is None else role.first)
        form = self._forms.unknown("_".join(map(str, words)).rstrip("_"), low, high)
        assert form.atom is not None
        self.roles[form.atom] = role
        return form

    def named(self, form: Form) -> Form:
        """Short name of a sum of one of the samples, whatever number is added to it."""
        if len(form.terms) < 2:
            return form
        constant = form.constant
        plain = self.plain(form).plus(-constant)
        owners = self._owners.get(plain)
        if owners is None or owners.isdisjoint(self.samples):
            return form
        return self._sums[plain].plus(constant)

    def plain(self, form: Form) -> Form:
        """A form in which sums and outputs are formulas again, and have no names."""
        return self._forms.renamed(form, self._plain, self._unfolded)

    def meaning(self, atom: Atom) -> Form | None:
        """What a sum or an output is the name of; none of another unknown."""
        return self._plain.get(atom, self._facts.get(atom))

    def known(self, name: Form, form: Form) -> Form:
        """Keep what a name stands for, though formulas go on with the name."""
        assert name.atom is not None
        self._facts[name.atom] = form
        return name

    def facts(self, form: Form) -> Form:
        """A form in which names are what is `known` of them."""
        return self._forms.renamed(form, self._facts, {})

    def bind(self, name: Form, form: Form) -> None:
        """Call a sum by a name that has bounds which it never leaves."""
        whole = self.plain(form)
        plain = whole.plus(-whole.constant)
        assert name.atom is not None
        self._sums[plain], self._plain[name.atom] = name.plus(-whole.constant), whole
        age = self.roles[name.atom].age
        self._owners.setdefault(plain, set()).update((age, first) for first in (None, 0, 1))

    def _call(self, role: Role, form: Form, least: int = 2) -> Form:
        """Name a sum of `least` terms: one is a multiple of what has a name already."""
        constant = form.constant
        plain = form.plus(-constant)
        if role.kind == "t":
            plain = self.plain(plain)  # in it is the sum over the samples before
        if len(plain.terms) < least:
            return form
        if plain not in self._sums:
            low, high = self._forms.bounds(form)
            name = self._sums[plain] = self.name(role, low - constant, high - constant)
            assert name.atom is not None
            self._plain[name.atom] = plain
        firsts = (role.first,) if role.kind == "p" else (None, 0, 1)
        self._owners.setdefault(plain, set()).update((role.age, first) for first in firsts)
        return self._sums[plain].plus(constant)
