"""What is known of a circuit at each of its moments, and how it meets with what comes later."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from rchw.sim.lanes import lane_bytes
from rchw.sim.prove.circuit import Bits, Circuit, Contents, Value, bits_of
from rchw.sim.prove.expected import Expected
from rchw.sim.prove.forms import Atom, Form, Forms, number
from rchw.sim.prove.matching import Matching, Sample
from rchw.sim.prove.names import Role
from rchw.sim.prove.questions import Answer, Questions
from rchw.sim.prove.trial import value_of
from rchw.sim.prove.words import Bit

__all__ = ["Breach", "Known", "Progress", "Reach", "known"]

_FREE = ("x", "square", "above", "last")  # kinds of roles; a sample's codes decide its states too

Progress = Callable[[int, int], None]  # moments left behind, moments there are
Known = tuple[Value | None, ...]  # bits of a register; None where nothing is known


def known(bits: Known) -> Bits | None:
    """Return the bits if something is known of each."""
    whole = tuple(bit for bit in bits if bit is not None)
    return whole if len(whole) == len(bits) else None


@dataclass(frozen=True)
class Breach:
    """What was found wrong.

    Attributes
    ----------
    sentence : str
    moment : hashable
        Where.
    given : dict of Atom to int
        Values of unknowns for which it is.
    first : int or None
        Whether the sample that came out wrong is the first of its sequence, as in `Role`.
    answered : bool
        False if the solver could not tell in time whether it is wrong.
    step : bool
        Whether `given` are states after the sample, each of a code that its unit can have, for
        which the circuit's output is not the reference's.
    """

    sentence: str
    moment: Hashable
    given: dict[Atom, int] = field(default_factory=dict)
    first: int | None = None
    answered: bool = True
    step: bool = False


class Reach:
    """Moments of a circuit with all that its registers can hold in them.

    Parameters
    ----------
    forms : Forms
    circuit : Circuit
    expected : Expected
    questions : Questions
    matching : Matching

    Attributes
    ----------
    contents : dict of moment to Contents
    breach : Breach or None
        The first that was found; nothing was looked at after it.
    """

    def __init__(
        self,
        forms: Forms,
        circuit: Circuit,
        expected: Expected,
        questions: Questions,
        matching: Matching,
    ) -> None:
        self.forms, self.circuit, self.expected = forms, circuit, expected
        self.questions, self.matching = questions, matching
        self.design = expected.design
        self.contents: dict[Hashable, Contents] = {}
        self.breach: Breach | None = None
        self._places: dict[Hashable, int] = {}
        self._older: dict[bool, dict[Atom, Form]] = {False: {}, True: {}}
        self._aged: dict[bool, dict[Form, Form]] = {False: {}, True: {}}
        self._later: dict[tuple[Bits, bool, int, bool], Known] = {}
        self._widths = {key: len(bits) for key, bits in circuit.contents.items()}

    def beat(self) -> dict[str, Bits]:
        """An input beat of unknown codes; the bits above them are unknown as well."""
        data: Bits = ()
        for k, channel in enumerate(self.design.beat):
            data += bits_of(self.forms, self.expected.input(-1, k), channel.format.width)
            above = 8 * lane_bytes(channel.format) - channel.format.width
            if above:
                junk = self.expected.name(Role("above", -1, k), 0, (1 << above) - 1)
                data += bits_of(self.forms, junk, above)
        last = bits_of(self.forms, self.expected.last(-1), 1)
        return {"aclk": (0,), "aresetn": (1,), "s_axis_tdata": data, "s_axis_tlast": last}

    def lanes(self, place: int, count: int) -> dict[str, int]:
        """Registers of so many lanes of a layer, as in `contents`, and the number of each lane."""
        start = f"layer_{place}.x{place}_" if len(self.design.layers) > 1 else "x"
        names = ((lane, self.wires(f"{start}{lane}")) for lane in range(count))
        return {str(wires[0]): lane for lane, wires in names if wires}

    def wires(self, name: str) -> tuple[Bit, ...]:
        """Wires by their name in the core, or in the one that a loop of feedback is around."""
        part = "open." if self.design.feedback else ""
        return self.circuit.words.names.get(f"core.{part}{name}", ())

    def reset(self) -> None:
        """One clock of reset, whatever was there before."""
        circuit = self.circuit
        inputs = {name: circuit.unknown(len(bits)) for name, bits in circuit.words.inputs.items()}
        circuit.settle(inputs | {"aresetn": (0,)}, circuit.words.logic)
        circuit.clock()

    def check_output(self, sample: Sample, moment: Hashable) -> None:
        """Compare the output beat with what the reference says of a sample."""
        age, place = sample.age, sample.place
        circuit, forms = self.circuit, self.forms
        data, start = circuit.bits("m_axis_tdata"), 0
        last = number(1) if self.design.readout.pooled else self.expected.last(age)
        pairs = [("m_axis_tlast", circuit.bits("m_axis_tlast"), last, last)]
        answers = self.design.readout.answers
        for output, definition in zip(answers, self.expected.answers(age, place), strict=True):
            end = start + 8 * lane_bytes(output.format)
            names = (definition.name, definition.form)
            pairs.append((f"output {output.name}", data[start:end], *names))
            start = end
        for what, bits, name, form in pairs:
            if bits == bits_of(forms, name, len(bits)):
                continue
            held = circuit.whole(bits, forms.bounds(name)[0] < 0)
            if self.expected.plain(held) == self.expected.plain(form):
                continue
            answer = self.questions.equal(held, form)
            plain = self.expected.plain(held), self.expected.plain(form)
            if answer.equal is False:  # a sum is not any number that it could be by its range
                answer = self.questions.equal(*plain)
            difference = plain[0] - plain[1]
            step = self._is_step(difference, sample, answer)
            whole = [self.expected.spelled(part, age, place) for part in plain]
            if answer.equal is False and not step and whole != [*plain]:
                answer = self.questions.equal(*whole)  # nor is a square any number
                step = self._is_step(difference, sample, answer)
            if not answer.equal:
                sentence = f"{what} must be that of the reference"
                decided = answer.equal is not None
                self.breach = Breach(sentence, moment, answer.given, sample.first, decided, step)
                return

    def _is_step(self, difference: Form, sample: Sample, answer: Answer) -> bool:
        """Whether values of the states after a sample make a difference, and nothing else does."""
        if answer.equal is not False:
            return False
        given, unknowns = answer.given, difference.unknowns()
        roles = [self.expected.roles.get(atom) for atom in unknowns]
        if any(r is None or r.age != sample.age or r.kind not in _FREE for r in roles):
            return False
        values = {atom: given.get(atom, atom.low) for atom in unknowns}  # any, if none were needed
        for definition in self.expected.outputs(sample.age, sample.place):
            if definition.role.kind == "square" and definition.name.atom in values:
                values |= {a: values.get(a, a.low) for a in definition.form.unknowns()}
                values[definition.name.atom] = value_of(definition.form, values)
        return value_of(difference, values) != 0

    def arrive(self, moment: Hashable, contents: Mapping[str, Known]) -> bool:
        """Keep what the contents and the earlier ones agree on; tell whether that is less."""
        place = self._places.setdefault(moment, len(self._places))
        stored = self.contents.get(moment)
        if stored is None:
            self.contents[moment] = {
                key: self._or_anything(bits, place, key) for key, bits in contents.items()
            }
            return True
        changed = False
        for key, bits in contents.items():
            old = stored[key]
            if bits is old or bits == old:
                continue
            anything = self._anything(place, key)
            kept = tuple(
                before if self._agree(bit, before) else other
                for bit, before, other in zip(bits, old, anything, strict=True)
            )
            if old != kept:
                stored[key], changed = kept, True
        return changed

    def _agree(self, a: Value | None, b: Value) -> bool:
        """Whether two bits are the same, even if a sum has its name in one way and not in another.

        The inputs of a sample alone are the sum of the first sample of a sequence.
        """
        if a == b or not (isinstance(a, tuple) and isinstance(b, tuple)):
            return a == b
        return a[1] == b[1] and self.expected.plain(a[0]) == self.expected.plain(b[0])

    def _or_anything(self, bits: Known, place: int, key: str) -> Bits:
        whole = known(bits)
        if whole is not None:
            return whole
        anything = self._anything(place, key)
        return tuple(
            other if bit is None else bit for bit, other in zip(bits, anything, strict=True)
        )

    def _anything(self, place: int, key: str) -> Bits:
        """An unknown for what a register holds at a moment."""
        return self.circuit.unknown(self._widths[key], f"{key}@{place}")

    def renamed(self, bits: Bits, taken: bool, limit: int, kept: bool = False) -> Known:
        """Contents after a clock, by the names that hold then.

        Parameters
        ----------
        bits : Bits
        taken : bool
            Whether every sample is older by one now.
        limit : int
            Greatest age of what is still known.
        kept : bool
            Whether an answer waits of the sample that leaves the window of those in work.

        Returns
        -------
        tuple
            The bits; None for those of which nothing is known any more.
        """
        key = (bits, taken, limit, kept)
        if key not in self._later:
            forms = {bit[0]: None for bit in bits if not isinstance(bit, int)}
            names = {form: self._named_later(form, taken, limit, kept) for form in forms}
            result: list[Value | None] = []
            for bit in bits:
                form = None if isinstance(bit, int) else names[bit[0]]
                if isinstance(bit, int):
                    result.append(bit)
                else:
                    result.append(None if form is None else (form, bit[1]))
            self._later[key] = tuple(result)
        return self._later[key]

    def _named_later(self, form: Form, taken: bool, limit: int, kept: bool) -> Form | None:
        """A form by its new names; none if it depends on what is not known any more."""
        roles, changes = self.expected.roles, False
        for atom in form.unknowns():
            role = roles.get(atom)
            if role is None:
                if form.atom is not atom:
                    return None  # what is computed from nothing known is not known either
                continue
            age = self.later_age(role, kept) if taken else role.age
            if (
                age is None
                or (age < 0 and role.kind != "fed")
                or age > limit + (role.kind == "last")
            ):
                return None
            if taken and atom not in self._older[kept]:
                self._older[kept][atom] = self._aged_name(atom, role, age)
            changes = taken
        return self.forms.renamed(form, self._older[kept], self._aged[kept]) if changes else form

    def later_age(self, role: Role, kept: bool) -> int | None:
        """Age of what has a role after a sample was taken; see `renamed`."""
        return self.expected.aged(role.age, kept)

    def _aged_name(self, atom: Atom, role: Role, age: int) -> Form:
        older = Role(role.kind, age, role.index, role.first)
        if role.kind == "p":
            self.expected.states(older.age, role.first)  # so that the sum gets this name again
        if role.kind == "t" or (self.design.readout.pooled and role.kind in ("y", "class")):
            self.expected.outputs(older.age, role.first)
        return self.expected.name(older, atom.low, atom.high)
