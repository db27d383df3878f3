"""Find what a register holds among the quantities of the reference, and prove that it does."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from rchw.ranges import Interval
from rchw.sim.prove.circuit import Bits, Circuit, Value, bits_of
from rchw.sim.prove.expected import Expected
from rchw.sim.prove.forms import Atom, Form, Forms
from rchw.sim.prove.names import Definition
from rchw.sim.prove.questions import Answer, Questions
from rchw.sim.prove.trial import Trial

__all__ = ["Matching", "Sample"]

_SUMS = ("p", "t")
_CHOICES = ("choice", "entry")


class Sample(NamedTuple):
    """A sample that a circuit has taken.

    Attributes
    ----------
    age : int
    first : int or None
        Whether its states start afresh; None if the last flag of the one before tells.
    place : int or None
        Its number in its sequence, as in `Expected.outputs`; None where nothing is summed up, or
        its outputs are found.
    answers : bool
        Whether an output beat will come of it.
    left : int
        Where a sequence has one answer: clocks in which it may still be in work.
    """

    age: int
    first: int | None
    place: int | None = None
    answers: bool = True
    left: int = 0


class Matching:
    """Puts the names of states, squares and outputs where they were shown to be.

    Candidates are found by their values in a few trials; equality is then proved, or the contents
    stay what they are.

    Parameters
    ----------
    forms : Forms
    circuit : Circuit
    expected : Expected
    questions : Questions
    trial : Trial

    Attributes
    ----------
    proved : set of (str, int, int or None)
        Kind, index and first flag of what was found and proved.
    unanswered : list of str
        Names of what the solver could not tell in time.
    unmatched : list of Form
        What should have been a state, and is none; in the order in which they came.
    """

    def __init__(
        self,
        forms: Forms,
        circuit: Circuit,
        expected: Expected,
        questions: Questions,
        trial: Trial,
    ) -> None:
        self._forms, self._circuit, self._expected = forms, circuit, expected
        self._questions, self._trial = questions, trial
        self._tables: dict[
            tuple[tuple[Sample, ...], frozenset[str]],
            dict[tuple[int, tuple[int, ...]], list[Definition]],
        ] = {}
        self._found: dict[
            tuple[Bits, tuple[Sample, ...], frozenset[str]], list[Bits | list[Definition]]
        ] = {}
        self._parts: dict[tuple[Bits, tuple[Sample, ...]], Bits] = {}
        self._cuts: dict[
            tuple[tuple[Sample, ...], int], dict[tuple[int, ...], list[tuple[Form, Form, int]]]
        ] = {}
        self._curious: dict[Form, bool] = {}
        self._squares: dict[Form, bool] = {}
        self.proved: set[tuple[str, int, int | None]] = set()
        self.unanswered: list[str] = []
        self.unmatched: list[Form] = []

    def replaced(
        self,
        bits: Bits,
        samples: tuple[Sample, ...],
        *,
        state: bool = False,
        kinds: frozenset[str] = frozenset({"x", "square", "y"}),
        units: Collection[int] = (),
        held: Callable[[], Iterable[Atom]] = tuple,
    ) -> Bits:
        """Contents in which quantities of these samples have their names.

        Parameters
        ----------
        bits : Bits
        samples : tuple of Sample
        state : bool
            Whether the register holds states, which may look like states of the sample before.
        kinds : frozenset of str
            Of the quantities that are looked for; see `rchw.sim.prove.expected.Role`.
        units : collection of int
            Whose state it may be, where several are equal.
        held : callable
            Names that are in use: where several are equal, another is meant.
        """
        forms = {bit[0] for bit in bits if not isinstance(bit, int)}
        if not samples or not (forms or state):
            return bits
        bits = self._with_short_sums(bits)
        named = self._of_a_sum(bits, samples)
        curious = any(map(self._is_curious, forms))
        # An output may be a part of its sum, and yet be known by its own name further on.
        if (named != bits and "y" not in kinds) or not (state or curious):
            return named
        key = (bits, samples, kinds)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._searched(bits, samples, kinds)
            if state and curious and all(isinstance(part, tuple) for part in found):
                self.unmatched.append(self._circuit.whole(bits, True))
        if named != bits and all(isinstance(part, tuple) for part in found):
            return named
        result: Bits = ()
        names: dict[Value, Value] = {}
        for part in found:
            if isinstance(part, tuple):
                result += part
                continue
            chosen = self._chosen(part, units, result, held)
            end = len(result) + part[0].width
            role = chosen.role
            self.proved.add((role.kind, role.index, role.first))
            named = bits_of(self._forms, chosen.name, chosen.width)
            for old, new in zip(bits[len(result) : end], named, strict=True):
                names.setdefault(old, new)
            result += named
        # Further on, bits of what now has a name are its sign.
        return tuple(bit if isinstance(bit, int) else names.get(bit, bit) for bit in result)

    def _with_short_sums(self, bits: Bits) -> Bits:
        """Contents in which a sum that came without an addition has its name as well."""
        first = bits[0]
        if isinstance(first, int) or first[1] or bits != bits_of(self._forms, first[0], len(bits)):
            return bits
        named = self._expected.named(first[0])
        return bits if named is first[0] else bits_of(self._forms, named, len(bits))

    def _of_a_sum(self, bits: Bits, samples: tuple[Sample, ...]) -> Bits:
        """Bits of the sum of a readout, by its name, if that is what they are."""
        key = (bits, samples)
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = self._part_of_a_sum(bits, samples) or bits
        return found

    def _part_of_a_sum(self, bits: Bits, samples: tuple[Sample, ...]) -> Bits | None:
        forms, width = self._forms, len(bits)
        found = {bit[0] for bit in bits if not isinstance(bit, int)}
        if not found:
            return None
        if len(found) == 1:
            (form,) = found
            if form.atom is not None and bits == bits_of(forms, form, width):
                if width > _sign(forms, form):
                    return None  # a whole code: it may be the lowest bits of a sum as well
        table = self._slices(samples, width)
        unfolded = tuple(
            bit if isinstance(bit, int) else (self._expected.plain(bit[0]), bit[1]) for bit in bits
        )
        for plain, name, low in table.get(tuple(self._words(unfolded)), ()):
            above = forms.floor(plain, low + width)
            part = forms.floor(plain, low) - above.scaled(1 << width)
            if part == self._expected.plain(self._circuit.whole(bits, False)):
                return tuple((name, min(low + k, _sign(forms, name))) for k in range(width))
        return None

    def _slices(
        self, samples: tuple[Sample, ...], width: int
    ) -> dict[tuple[int, ...], list[tuple[Form, Form, int]]]:
        """Sums of readouts by the values, in every trial, of so many of their bits."""
        table = self._cuts.get((samples, width))
        if table is None:
            table = self._cuts[samples, width] = {}
            for sample in samples:
                for plain, name in self._expected.totals(sample.age, sample.place):
                    for low in range(_sign(self._forms, name) + 1):
                        values = self._trial.values(plain)
                        key = tuple(value >> low & ((1 << width) - 1) for value in values)
                        table.setdefault(key, []).append((plain, name, low))
        return table

    def _chosen(
        self,
        equal: list[Definition],
        units: Collection[int],
        earlier: Bits,
        held: Callable[[], Iterable[Atom]],
    ) -> Definition:
        """One of several that are equal: of states the last unit's, of outputs the next."""
        if len(equal) == 1:
            return equal[0]
        if equal[0].role.kind != "x":
            names = {bit[0].atom for bit in earlier if not isinstance(bit, int)}
            return next((d for d in equal if d.name.atom not in names), equal[0])
        equal = [definition for definition in equal if definition.role.index in units] or equal
        used = set(held())
        free = [definition for definition in equal if definition.name.atom not in used]
        return max(free or equal, key=lambda d: d.role.index)

    def _is_curious(self, form: Form) -> bool:
        """Whether a form has something in it that only a rounding or a product leaves."""
        known = self._curious.get(form)
        if known is None:
            roles = self._expected.roles
            kinds = {role.kind for role in map(roles.get, form.unknowns()) if role is not None}
            known = self._curious[form] = (
                not kinds.isdisjoint(_SUMS)
                or any(atom.kind in _CHOICES for monomial in form.terms for atom in monomial)
                or self._has_square(form)
            )
        return known

    def _has_square(self, form: Form) -> bool:
        known = self._squares.get(form)
        if known is None:
            known = self._squares[form] = any(
                (k and atom is monomial[k - 1])
                or any(isinstance(part, Form) and self._has_square(part) for part in atom.parts)
                for monomial in form.terms
                for k, atom in enumerate(monomial)
            )
        return known

    def _searched(
        self, bits: Bits, samples: tuple[Sample, ...], kinds: frozenset[str]
    ) -> list[Bits | list[Definition]]:
        """Bits in pieces: those that are no quantity, and the quantities that the others are."""
        table = self._table(samples, kinds)
        widths = sorted({width for width, _ in table}, reverse=True)
        words = self._words(bits)
        result: list[Bits | list[Definition]] = []
        place = 0
        while place < len(bits):
            for width in widths:
                if place + width > len(bits):
                    continue
                mask = (1 << width) - 1
                key = (width, tuple((word >> place) & mask for word in words))
                candidates = table.get(key)
                if candidates is None:
                    continue
                # A code may have more bits than it needs, up to the end.
                rest = [word >> place for word in words]
                long = [d for d in candidates if self._fills(d, rest, len(bits) - place)]
                equal = self._proved(bits[place:], long) if len(bits) - place > width else []
                length = len(bits) - place if equal else width
                equal = equal or self._proved(bits[place : place + width], candidates)
                if equal:
                    result.append([replace(d, width=length) for d in equal])
                    place += length
                    break
            else:
                result.append(bits[place : place + 1])
                place += 1
        return result

    def _fills(self, definition: Definition, words: Sequence[int], width: int) -> bool:
        """Whether a quantity has these bits in every trial, extended to so many."""
        mask = (1 << width) - 1
        values = self._trial.values(definition.form)
        return all(value & mask == word for value, word in zip(values, words, strict=True))

    def _words(self, bits: Bits) -> list[int]:
        """Value of the bits in every trial."""
        words = [0] * self._trial.count
        for place, bit in enumerate(bits):
            for case in range(self._trial.count):
                value = bit if isinstance(bit, int) else self._trial.values(bit[0])[case] >> bit[1]
                words[case] |= (value & 1) << place
        return words

    def _table(
        self, samples: tuple[Sample, ...], kinds: frozenset[str]
    ) -> dict[tuple[int, tuple[int, ...]], list[Definition]]:
        table = self._tables.get((samples, kinds))
        if table is None:
            table = self._tables[samples, kinds] = {}
            for age, first, place, *_ in samples:
                definitions = self._expected.outputs(age, place)
                found = first is None and self._expected.window is not None
                if "x" in kinds and not found:
                    definitions = self._expected.states(age, first) + definitions
                for definition in definitions:
                    if definition.role.kind not in kinds:
                        continue
                    mask = (1 << definition.width) - 1
                    values = tuple(v & mask for v in self._trial.values(definition.form))
                    table.setdefault((definition.width, values), []).append(definition)
        return table

    def _proved(self, bits: Bits, candidates: Sequence[Definition]) -> list[Definition]:
        """Those of the candidates that the bits are."""
        equal = []
        for definition in candidates:
            low, high = self._forms.bounds(definition.name)
            held = self._circuit.whole(bits, low < 0)
            if held == definition.name and held.number is None:
                return [definition]  # of several that are this number, it may be any
            plain = self._expected.plain
            if plain(held) == plain(definition.form):
                answer = Answer(True, {})
            else:
                answer = self._questions.equal(held, definition.form)
                if answer.equal is False:  # a sum is not any number that it could be by its range
                    answer = self._questions.equal(plain(held), plain(definition.form))
            if answer.equal and self._questions.inside(definition.form, low, high).equal:
                equal.append(definition)
            elif answer.equal is None:
                self.unanswered.append(repr(definition.name))
        return equal


def _sign(forms: Forms, form: Form) -> int:
    """Number of the bit that is a form's sign."""
    return Interval(*forms.bounds(form)).width - 1
