"""A parallel circuit that answers once per sequence: an answer may wait while samples pass by.

The last sample of a sequence puts its answer into the register at the output. While it waits there
the pipeline moves on until the next such sample is at its end, and then stands still. So for every
moment it is known whether an answer waits, and every way out of it is one of a gap, a sample
without an answer, or one with an answer at the end of the pipeline.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rchw.sim.prove.circuit import Bits, Contents
from rchw.sim.prove.forms import Atom, Form
from rchw.sim.prove.names import Role
from rchw.sim.prove.pipeline import Fill, Pipeline
from rchw.sim.prove.reach import Breach, Known, known
from rchw.sim.prove.running import COUNTED, Running

__all__ = ["Answering"]

_ANSWERS = ("y", "class")  # kinds of roles that an answer at the output has


class Answering(Pipeline):
    """Follows such a circuit through everything it can be.

    In a `Fill` the age of what is shown at the output tells whether an answer waits there. The age
    of an answer is that one as long as it waits.
    """

    def __init__(self, *tools: Any) -> None:
        super().__init__(*tools)
        readout = self.design.readout
        self._running = None
        if self.expected.spans is not None:
            levels = readout.argmax * (self.design.n_outputs - 1).bit_length()
            counts = self._ages[-1] + 1 if self._ages else 1
            tools = (self.forms, self.circuit, self.expected, self.questions)
            self._running = Running(*tools, counts, self.end - 1 - levels)
        self._ends: tuple[int, int] = (0, 0)
        self._summed = False  # of the moment that is left

    def later_age(self, role: Role, kept: bool) -> int | None:
        """Age after a clock; `kept`: in which an answer waits, and no other takes its place."""
        if kept and role.age >= self.end - 1 and role.kind in _ANSWERS:
            return role.age if role.age == self.end else None
        return role.age + 1

    def _steps(
        self,
        moment: Fill,
        before: Contents,
        valid: tuple[int | None, ...],
        firsts: Sequence[int | None],
    ) -> Iterator[tuple[Fill, dict[str, Known]]]:
        waits, age, self._summed = valid[-1], self.end - 1, moment.summed
        for here, last in ((0, 0), (1, 0), (1, 1)):
            if valid[age] == 1 - here:
                continue
            now = self._given(before, self.expected.valid(age), here)
            if here:
                now = self._given(now, self.expected.last(age), last)
            after = self._go(now, valid, moment)
            passed = None if after is None else self._passed(now, after, valid, last, moment)
            if after is None or passed is None:
                return
            self._ends = here, last
            fill = replace(
                self.later(Fill(valid, moment.begun)), summed=self.adds_up(moment, valid, here)
            )
            shown = (*fill.valid[:-1], last)
            carried = self._carried(now, after, firsts, moment.begun, fill.begun)
            yield replace(fill, valid=shown), self._by_sums(carried, valid, moment.summed)
            if waits and not last:
                shown = (*fill.valid[:-1], 1)
                carried = self._carried(now, passed, firsts, moment.begun, fill.begun, True)
                yield replace(fill, valid=shown), self._by_sums(carried, valid, moment.summed)

    def _passed(
        self,
        now: Contents,
        after: Contents,
        valid: tuple[int | None, ...],
        last: int,
        moment: Fill,
    ) -> Contents | None:
        """Contents after a clock in which the output is not taken; none if something is wrong.

        They are those of before if an answer waits and another is at the end of the pipeline, and
        those of a clock in which the output is taken if none waits.
        """
        stands = bool(valid[-1] and last)
        self._settled(now, 0)
        if self.circuit.bits("s_axis_tready") != (int(not stands),):
            sentence = "an input beat must be taken unless two answers wait for the output"
            self.breach = Breach(sentence, moment)
            return None
        self.circuit.clock()
        found = self.circuit.contents
        if (stands and found != now) or (not valid[-1] and found != after):
            sentence = "a beat that waits must stop every register, and nothing else may"
            self.breach = Breach(sentence, moment)
            return None
        return found

    def adds_up(self, moment: Fill, valid: Sequence[int | None], here: int) -> bool:
        """Whether a sample may have been added up after a clock; `here`: one is at the end."""
        if self._running is None or moment.summed:
            return moment.summed
        age = self._running.sums
        return bool(here) if age == self.end - 1 else valid[age] != 0

    def renamed(self, bits: Bits, taken: bool, limit: int, kept: bool = False) -> Known:
        """Contents after a clock by the names that hold then; see `Reach.renamed`.

        What the first sample after a reset adds by itself is the sum up to it.
        """
        later = super().renamed(bits, taken, limit + 1, kept)
        if self._running is None or self._summed:
            return later
        names, age = dict[Atom, Form](), self._running.sums + 1
        for output in range(self.design.n_outputs):
            alone = self.expected.summed(age, output, None, 1).atom
            assert alone is not None
            names[alone] = self.expected.summed(age, output)
        done: dict[Form, Form] = {}
        return tuple(
            (self.forms.renamed(bit[0], names, done), bit[1]) if isinstance(bit, tuple) else bit
            for bit in later
        )

    def _by_sums(
        self, carried: dict[str, Known], valid: tuple[int | None, ...], summed: bool
    ) -> dict[str, Known]:
        """Contents in which sums over samples have their names, without what is gone."""
        running, roles = self._running, self.expected.roles
        if running is not None:
            ends = self._ends if running.sums == self.end - 1 else None
            for key, what in running.registers.items():
                bits = known(carried[key])
                if bits is not None:
                    carried[key] = running.matched(what, bits, valid, ends, summed)
        gone = {
            atom
            for bits in carried.values()
            for bit in bits
            if isinstance(bit, tuple)
            for atom in bit[0].unknowns()
            if atom in roles and self._is_gone(roles[atom])
        }
        return {
            key: tuple(
                None if isinstance(bit, tuple) and bit[0].unknowns() & gone else bit for bit in bits
            )
            for key, bits in carried.items()
        }

    def _is_gone(self, role: Role) -> bool:
        """Whether what has a role is in the pipeline no more."""
        if role.kind in COUNTED:
            assert self._running is not None
            return role.age > self._running.sums + 1
        return role.age >= self.end + (role.kind in _ANSWERS)
