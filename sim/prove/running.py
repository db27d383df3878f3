"""Sums over samples in a pipeline with gaps: which sample is in which place is unknown there."""

from collections.abc import Sequence

from rchw.sim.prove.circuit import Bits, Circuit, bits_of
from rchw.sim.prove.expected import Expected
from rchw.sim.prove.forms import Form, Forms, number
from rchw.sim.prove.names import Role
from rchw.sim.prove.questions import Questions

__all__ = ["COUNTED", "Running"]

COUNTED = ("q", "adds", "segment", "r")  # kinds of roles of what a sample finds and leaves


class Running:
    """The registers that count and add up, by what the reference says of them.

    They are found by their names; what they hold is asked. ``q`` is the place of the next sample,
    ``adds`` whether it counts, ``segment`` the bits of its segment, and ``r`` an unfinished sum.

    Parameters
    ----------
    forms : Forms
    circuit : Circuit
    expected : Expected
    questions : Questions
    counts, sums : int
        Ages of the sample that is counted with the next clock, and of the one that is added.
    """

    def __init__(
        self,
        forms: Forms,
        circuit: Circuit,
        expected: Expected,
        questions: Questions,
        counts: int,
        sums: int,
    ) -> None:
        assert expected.spans is not None
        self._forms, self._circuit = forms, circuit
        self._expected, self._questions, self._spans = expected, questions, expected.spans
        self.counts, self.sums = counts, sums
        outputs = range(expected.design.n_outputs)
        names = {"samples_left": "left", "segment": "segment", "adds": "adds"}
        names |= {f"held_out_{k}": f"r{k}" for k in outputs}
        wires = {what: circuit.words.names.get(f"core.{name}") for name, what in names.items()}
        held = {outputs for outputs, _ in circuit.words.registers}
        self.registers = {str(bits[0]): what for what, bits in wires.items() if bits in held}
        for age in range(counts, sums + 3):
            self._choices(age)  # so that all that comes of age is known
        for k in outputs:
            expected.bind(expected.summed(sums, k, None, 1), self._added(sums, k))
            total = forms.add(self._held(sums + 1, k), self._added(sums, k))
            expected.bind(expected.summed(sums, k), total)

    def _place(self, age: int) -> Form:
        """Place of the sample after this one, or after this gap."""
        return self._expected.name(Role("q", age, 0), 0, self._spans.cap)

    def _adds(self, place: Form) -> Form:
        return self._forms.at_least_zero(place.scaled(-1).plus(self._spans.cap - 1))

    def _segment(self, place: Form) -> Form:
        length, total = self._spans.segments.length, number(0)
        for start in range(1, self._spans.segments.count):
            total = self._forms.add(total, self._forms.at_least_zero(place.plus(-start * length)))
        return self._forms.within(total, 0, self._spans.segments.count - 1)

    def _left(self, place: Form) -> Form:
        """Samples that follow in the segment; none of those that do not count."""
        forms, length = self._forms, self._spans.segments.length
        inside = forms.subtract(place, self._segment(place).scaled(length))
        left = forms.subtract(inside.scaled(-1).plus(length), self._adds(place))
        return forms.within(left, 0, length - 1)

    def _bit(self, kind: str, age: int, index: int, form: Form) -> Form:
        """Name of a bit that the place decides."""
        if form.number is not None:
            return form
        return self._expected.known(self._expected.name(Role(kind, age, index), 0, 1), form)

    def _choices(self, age: int) -> tuple[Form, list[Form]]:
        """Whether the sample after an age counts, and the bits of its segment."""
        place = self._place(age)
        segment, bits = self._segment(place), []
        for index in range((self._spans.segments.count - 1).bit_length()):
            above = self._forms.floor(segment, index + 1).scaled(2)
            bit = self._forms.subtract(self._forms.floor(segment, index), above)
            bits.append(self._bit("segment", age, index, self._forms.within(bit, 0, 1)))
        return self._bit("adds", age, 0, self._adds(place)), bits

    def _added(self, age: int, output: int) -> Form:
        """What a sample adds to an output."""
        adds, bits = self._choices(age + 1)
        level = [self._expected.added(age, g)[output] for g in range(self._spans.segments.count)]
        for bit in bits:
            pairs = zip(level[::2], [*level[1::2], level[-1]], strict=False)
            level = [self._forms.choose(bit, odd, even) for even, odd in pairs]
        return self._forms.choose(adds, level[0], number(0))

    def _held(self, age: int, output: int) -> Form:
        """Sum of the sequence after a sample or a gap; 0 where the sequence has ended."""
        twin = self._spans.twin(output, self._spans.cap)
        return self._expected.name(Role("r", age, twin), *self._spans.reach(twin))

    def matched(
        self,
        what: str,
        bits: Bits,
        valid: Sequence[int | None],
        ends: tuple[int, int] | None,
        begun: bool,
    ) -> Bits:
        """Contents of a register after a clock, by their names if they are what they must be.

        Parameters
        ----------
        what : str
            As in `registers`.
        bits : Bits
            By the names after the clock.
        valid : sequence of int or None
            As in `Fill`, before the clock.
        ends : tuple of int, optional
            Whether a sample was added, and its last flag; not given where both are unknown.
        begun : bool
            Whether a sample may have been added before.
        """
        if what.startswith("r"):
            return self._of_sum(int(what[1:]), bits, valid[self.sums], ends, begun)
        return self._of_place(what, bits, valid)

    def _of_sum(
        self,
        output: int,
        bits: Bits,
        valid: int | None,
        ends: tuple[int, int] | None,
        begun: bool,
    ) -> Bits:
        forms, expected, age = self._forms, self._expected, self.sums + 1
        here = expected.valid(age) if valid is None else number(valid)
        last = expected.last(age)
        if ends is not None:
            here, last = map(number, ends)
        before = self._held(age + 1, output) if begun else number(0)
        total = forms.choose(last, number(0), expected.summed(age, output))
        want = forms.choose(here, total, before)
        if want.number is not None and not begun and ends != (1, 1):
            return bits  # nothing was added yet
        found = self._circuit.whole(bits, True)
        for start in (0, expected.half(output)):
            if found == want.plus(start):
                return bits_of(forms, self._held(age, output).plus(start), len(bits))
        return bits

    def _of_place(self, what: str, bits: Bits, valid: Sequence[int | None]) -> Bits:
        forms, expected, age = self._forms, self._expected, self.counts + 1
        begun = any(there != 0 for there in valid[age:-1])
        here = expected.valid(age)
        if valid[self.counts] is not None:
            here = number(valid[self.counts] or 0)
        meaning = {"left": self._left, "segment": self._segment, "adds": self._adds}[what]
        held = expected.facts(self._circuit.whole(bits, False))
        # After a reset the place is 0, and stands there as a number before it has its name.
        if not any(
            self._questions.equal(held, meaning(self._onward(before, here, age))).equal
            for before in [self._place(age + 1), *[number(0)] * (not begun)]
        ):
            return bits
        adds, segment = self._choices(age)
        if what == "adds":
            return bits_of(forms, adds, 1)
        if what == "left":
            return bits_of(forms, self._left(self._place(age)), len(bits))
        found = tuple(bits_of(forms, bit, 1)[0] for bit in segment)
        return found + (0,) * (len(bits) - len(found))

    def _onward(self, before: Form, here: Form, age: int) -> Form:
        """Place of the next sample, after one of this age if there is one."""
        forms, cap = self._forms, self._spans.cap
        onward = forms.within(forms.add(before, self._adds(before)), 0, cap)
        after = forms.choose(self._expected.last(age), number(0), onward)
        return forms.within(forms.choose(here, after, before), 0, cap)
