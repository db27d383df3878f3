"""Everything a parallel circuit can be: a pipeline that moves as one, with gaps between samples.

Whether there is a sample at a stage is unknown like the data, so a handful of moments is all there
is: those after a reset, until the first sample has passed each stage, and the one in which anything
may be anywhere. A gap leaves the states what they were; it has a name for them all the same.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from rchw.schedule import latency
from rchw.sim.prove.circuit import Bits, Contents, bits_of
from rchw.sim.prove.cone import holders
from rchw.sim.prove.expected import units_of
from rchw.sim.prove.forms import Atom, Form, number
from rchw.sim.prove.matching import Sample
from rchw.sim.prove.reach import Breach, Known, Progress, Reach, known

__all__ = ["Fill", "Pipeline"]

RING = 2  # age of a sample when its states stand in their registers
LAYER = 2  # how much older it is when those of the next layer do


@dataclass(frozen=True)
class Fill:
    """What distinguishes a moment.

    Attributes
    ----------
    valid : tuple of int or None
        Whether there is a sample of each age; None if that is unknown.
    begun : int
        How many layers a sample has reached the states of since the reset.
    summed : bool
        Whether one may have been added up, where samples are.
    """

    valid: tuple[int | None, ...]
    begun: int
    summed: bool = False


class Pipeline(Reach):
    """Follows a parallel circuit through everything it can be.

    Attributes
    ----------
    steps : int
        Moments that were left.
    end : int
        Age of a sample that is shown at the output.
    """

    def __init__(self, *tools: Any) -> None:
        super().__init__(*tools)
        self.steps = 0
        self.end = latency(self.design) - 1
        self._flags: set[str] = set()
        self._units = {
            key: (place, units[lane])
            for place, units in enumerate(units_of(self.design))
            for key, lane in self.lanes(place, len(units)).items()
        }
        self._codes = holders(self.circuit.words, "m_axis_tdata")
        layers = len(self.design.stages)
        self._ages = [RING + LAYER * place for place in range(layers)]  # of states
        self._sources = {"t", "square", "x" if layers else "u"}
        # Of whose states something is made that is no state of a layer.
        self._youngest = self._ages[-1] if layers else 1
        for age in range(self._youngest, self.end + 1):
            self.expected.outputs(age)
        for age in self._ages or [RING]:
            self.expected.call_flag(age - 1)

    def run(self, progress: Progress | None = None, count: bool = True) -> None:
        """Follow all ways until nothing changes, or something is wrong."""
        del count  # there are few
        self.reset()
        start = Fill((0,) * (self.end + 1), 0)
        contents = self.circuit.contents
        self._flags = {key for key, bits in contents.items() if bits == (1,)}
        self.arrive(start, dict(contents))
        waiting = deque([start])
        while waiting:
            moment = waiting.popleft()
            for after, carried in self._ways(moment):
                if self.arrive(after, carried) and after not in waiting:
                    waiting.append(after)
            self.steps += 1
            if self.breach is not None:
                return
            if progress is not None:
                progress(self.steps, self.steps + len(waiting))

    def awaited(self, fill: Fill) -> int | None:
        """Age at which the first sample since the reset comes to the next layer; none at the end.

        Until it does, all that is as old as the states of that layer is known: there was none.
        """
        return self._ages[fill.begun] - 1 if fill.begun < len(self._ages) else None

    def later(self, fill: Fill) -> Fill:
        """What a moment becomes when all moves on, if it is known whether the next layer begins."""
        place = self.awaited(fill)
        begins = place is not None and fill.valid[place] == 1
        return Fill((None, *fill.valid[:-1]), fill.begun + begins)

    def _ways(self, moment: Fill) -> Iterator[tuple[Fill, dict[str, Known]]]:
        """Where a moment leads to: with the first sample since the reset, or without it."""
        layers, begun = len(self._ages), moment.begun
        cases: list[int | None] = [None]
        place = self.awaited(moment)
        if place is not None and moment.valid[place] is None:
            cases = [0, 1]
        later: int | None = None if self.design.reset_on_last else 0
        firsts = [later if layer < begun else 1 for layer in range(layers)]
        for case in cases:
            before, valid = self.contents[moment], moment.valid
            if place is not None and case is not None:
                before = self._given(before, self.expected.valid(place), case)
                valid = (*valid[:place], case, *valid[place + 1 :])
            self.expected.samples = self.circuit.context = frozenset(
                product(range(self.end + 1), firsts or [later])
            )
            for age, first in zip(self._ages, firsts, strict=True):
                self.expected.states(age - 1, first)
            yield from self._steps(moment, before, valid, firsts)
            if self.breach is not None:
                return

    def _steps(
        self,
        moment: Fill,
        before: Contents,
        valid: tuple[int | None, ...],
        firsts: Sequence[int | None],
    ) -> Iterator[tuple[Fill, dict[str, Known]]]:
        """Where a moment leads to, once it is known whether the next layer begins."""
        after = self._go(before, valid, moment)
        if after is not None and self._waits(before, valid, after, moment):
            fill = self.later(Fill(valid, moment.begun))
            yield fill, self._carried(before, after, firsts, moment.begun, fill.begun)

    def _settled(self, contents: Contents, ready: int) -> None:
        self.circuit.contents = contents
        valid = bits_of(self.forms, self.expected.valid(-1), 1)
        handshakes = {"s_axis_tvalid": valid, "m_axis_tready": (ready,)}
        self.circuit.settle(self.beat() | handshakes, self.circuit.words.logic)

    def _go(self, before: Contents, valid: tuple[int | None, ...], moment: Fill) -> Contents | None:
        """Contents after a clock in which the output is taken; none if something is wrong."""
        circuit, shown = self.circuit, valid[-1]
        self._settled(before, 1)
        want = bits_of(self.forms, self.expected.valid(self.end), 1) if shown is None else (shown,)
        if circuit.bits("m_axis_tvalid") != want:
            self.breach = Breach("every input beat must be answered after the latency", moment)
        elif circuit.bits("s_axis_tready") != (1,):
            self.breach = Breach("an input beat must be taken where an output beat is", moment)
        elif shown != 0:
            later = None if self.design.reset_on_last else 0
            self.check_output(Sample(self.end, later if shown is None else 1), moment)
        circuit.clock()
        return circuit.contents if self.breach is None else None

    def _waits(
        self, before: Contents, valid: tuple[int | None, ...], after: Contents, moment: Fill
    ) -> bool:
        """Whether a beat that is not taken stops everything; and if there is none, nothing."""
        shown = self.expected.valid(self.end)
        for present in (0, 1):
            if valid[-1] == 1 - present:
                continue
            self._settled(self._given(before, shown, present), 0)
            if self.circuit.bits("s_axis_tready") != (1 - present,):
                self.breach = Breach("a full pipeline must take no input, any other must", moment)
                return False
            self.circuit.clock()
            want = self._given(before if present else after, shown, present)
            if self.circuit.contents != want:
                sentence = "a beat that waits must stop every register, and nothing else may"
                self.breach = Breach(sentence, moment)
                return False
        return True

    def _given(self, contents: Contents, unknown: Form, value: int) -> Contents:
        """Contents where an unknown is this number."""
        atom = unknown.atom
        assert atom is not None
        names, done = {atom: number(value)}, dict[Form, Form]()
        return {key: self._put(bits, names, done) for key, bits in contents.items()}

    def _put(self, bits: Bits, names: Mapping[Atom, Form], done: dict[Form, Form]) -> Bits:
        result: Bits = ()
        for bit in bits:
            if isinstance(bit, int) or bit[0].unknowns().isdisjoint(names):
                result += (bit,)
            else:
                form = self.forms.renamed(bit[0], names, done)
                result += bits_of(self.forms, form, bit[1] + 1)[bit[1] :]
        return result

    def _carried(
        self,
        before: Contents,
        after: Contents,
        firsts: Sequence[int | None],
        old: int,
        begun: int,
        kept: bool = False,
    ) -> dict[str, Known]:
        """Contents after the clock by their new names."""
        age = self._ages[old] if begun > old else 0  # of the first sample that comes to a layer
        starts = begun > old and self.design.reset_on_last
        last = bits_of(self.forms, self.expected.last(age), 1)
        result: dict[str, Known] = {}
        for key, bits in after.items():
            later = self.renamed(bits, True, self.end, kept)
            renamed = known(later)
            # The first sample may leave a state what it was; it has its name all the same.
            begins = begun > old and key in self._units and self._units[key][0] == old
            if renamed is not None and (begins or bits != before[key]):
                if starts and key in self._flags and renamed == last:
                    renamed = bits_of(self.forms, self.expected.flag(age), 1)
                if key not in self._units:
                    later = self._of_readout(renamed, key in self._codes)
                elif self._units[key][0] < begun:
                    later = self._of_layer(*self._units[key], renamed, firsts)
                else:
                    later = renamed
            result[key] = later
        return result

    def _of_layer(self, place: int, unit: int, bits: Bits, firsts: Sequence[int | None]) -> Bits:
        """Contents in which the states of a layer have their names."""
        age, width = self._ages[place], len(bits)
        samples = (Sample(age, firsts[place]),)
        valid = self.expected.valid(age).atom
        assert valid is not None
        if all(isinstance(bit, int) or valid not in bit[0].unknowns() for bit in bits):
            return self.matching.replaced(bits, samples, state=True, units=[unit])
        gap, sample = (self._put(bits, {valid: number(value)}, {}) for value in (0, 1))
        named = self.matching.replaced(sample, samples, state=True, units=[unit])
        before, now = (self.expected.state(at, unit) for at in (age + 1, age))
        # Where Yosys takes a register apart, its bits are those of parts, and whole the state.
        stays = self.circuit.whole(gap, self.forms.bounds(before)[0] < 0) == before
        return named if stays and named == bits_of(self.forms, now, width) else bits

    def _of_readout(self, bits: Bits, shown: bool) -> Bits:
        roles = self.expected.roles
        ages = {
            role.age
            for form in {bit[0] for bit in bits if not isinstance(bit, int)}
            for role in map(roles.get, form.unknowns())
            if role is not None and role.kind in self._sources and role.age >= self._youngest
        }
        samples = tuple(Sample(age, None) for age in sorted(ages))
        kinds = frozenset({"square", "y"} if shown else {"square"})
        return self.matching.replaced(bits, samples, kinds=kinds)
