"""Everything a folded circuit can be: its control states, and what its registers hold in each.

From the state after a reset, every way on is followed: with and without an input waiting, with and
without an output taken. States with the same numbers in the control registers are one, and hold
what all the ways into them agree on; where they do not, nothing is known. This ends, for there are
finitely many numbers, and what is known only shrinks. Nothing of the circuit's schedule is assumed:
a register holds a state of the reference because it was shown to be equal to it, whichever register
and whenever it is.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from rchw.schedule import latency, schedule
from rchw.sim.prove.circuit import Bits, Contents, bits_of
from rchw.sim.prove.cone import Split, carriers, holders
from rchw.sim.prove.expected import units_of
from rchw.sim.prove.forms import Atom, Form
from rchw.sim.prove.matching import Sample
from rchw.sim.prove.moments import Edge, Following, Handshake, Moment
from rchw.sim.prove.reach import Breach, Known, Progress, Reach, known
from rchw.sim.prove.words import Bit

__all__ = ["Exploration"]

_COUNTED = 1 << 17  # states, for the bar; the circuits that are right have fewer


class Exploration(Reach):
    """Follows a folded circuit through everything it can be.

    Attributes
    ----------
    edges : dict of Moment to list of Edge
    steps : int
        Moments that were left, those included that were left again since less was known of them.
    """

    def __init__(self, parts: Split, *tools: Any) -> None:
        super().__init__(*tools)
        self._parts = parts
        self.edges: dict[Moment, list[Edge]] = {}
        self.steps = 0
        self._groups: dict[tuple[Bits, ...], list[tuple[Handshake, ...]]] = {}
        self._marked = (0, 1) if self.design.readout.pooled else (0,)
        words = self.circuit.words
        next_of = {outputs: inputs for outputs, inputs in words.registers}
        self._next_control = [next_of[outputs] for outputs in parts.registers]
        self._lanes = {
            key: (place, lane)
            for place, layer in enumerate(self.design.layers)
            for key, lane in self.lanes(place, layer.lanes).items()
        }
        # A state that no other state depends on is none by its place in the circuit.
        self._states = {str(bit) for bit in carriers(words)} | set(self._lanes)
        self._units = units_of(self.design)
        steps = any(stage.layer.step is not None for stage in self.design.stages)
        self._early = bool(self.design.feedback) or len(self._units) > 1 or steps
        self._first_words: list[int] = []
        self._codes = holders(words, "m_axis_tdata")
        feeds = [words.names.get(f"core.fed_{k}") for k in range(len(self.design.feedback))]
        self._feeds = {str(wires[0]): k for k, wires in enumerate(feeds) if wires}
        if not set(self._lanes) <= set(self.circuit.contents):
            self._lanes = {}  # a lane without a register: nothing is known of their order
        period = schedule(self.design).clocks
        self._most = latency(self.design) // period + 4
        self._following = Following(self.expected)

    def run(self, progress: Progress | None = None, count: bool = True) -> None:
        """Follow all ways until nothing changes, or something is wrong."""
        start = self._after_reset()
        total = self._moments(start) if count and progress is not None else 0
        waiting, queued = deque([start]), {start}
        while waiting:
            moment = waiting.popleft()
            queued.discard(moment)
            edges = []
            for edge, changed in self._ways(moment):
                edges.append(edge)
                if changed and edge.to not in queued:
                    waiting.append(edge.to)
                    queued.add(edge.to)
            self.edges[moment] = edges
            self.steps += 1
            if self.breach is not None:
                return
            if progress is not None:
                progress(len(self.edges), total)

    def _moments(self, start: Moment) -> int:
        """How many there are, for which their control is enough; of a wrong circuit maybe some."""
        circuit, registers = self.circuit, self._parts.registers
        before = circuit.contents
        found, waiting = {start}, deque([start])
        while waiting and len(found) < _COUNTED:
            moment = waiting.popleft()
            circuit.contents = before | {
                str(outputs[0]): bits
                for outputs, bits in zip(registers, moment.control, strict=True)
            }
            for group in self._grouped(moment):
                pairs = self._possible(moment, group)
                if not pairs:
                    continue
                circuit.settle(self._inputs(*pairs[0]), self._parts.control)
                valid, ready, last = pairs[0]
                taken = bool(valid and circuit.number("s_axis_tready"))
                given = bool(ready and circuit.number("m_axis_tvalid"))
                control = tuple(circuit.at(inputs) for inputs in self._next_control)
                after = self._following.after(moment, control, taken, given, last)
                for offered in {bool(pair[0] and not taken) for pair in pairs}:
                    after = replace(after, offered=offered)
                    if len(after.owed) <= self._most and after not in found:
                        found.add(after)
                        waiting.append(after)
        circuit.contents = before
        return len(found)

    def _possible(self, moment: Moment, group: Sequence[Handshake]) -> list[Handshake]:
        """Those in which the source keeps its beat."""
        return [way for way in group if way[0] or not moment.offered]

    def _after_reset(self) -> Moment:
        self.reset()
        self._first_words = [self._word(place) for place in range(len(self._units))]
        moment = Moment(self._control(), (), 1, None if self.expected.spans is None else 0, False)
        self.arrive(moment, dict(self.circuit.contents))
        return moment

    def _control(self) -> tuple[Bits, ...]:
        return tuple(self.circuit.at(outputs) for outputs in self._parts.registers)

    def _inputs(self, valid: int, ready: int, last: int) -> dict[str, Bits]:
        inputs = self.beat() | {"s_axis_tvalid": (valid,), "m_axis_tready": (ready,)}
        return inputs | {"s_axis_tlast": (last,)} if self.design.readout.pooled else inputs

    def _grouped(self, moment: Moment) -> list[tuple[Handshake, ...]]:
        """Handshakes, of which those are together that do the same to all registers."""
        groups = self._groups.get(moment.control)
        if groups is None:
            circuit, same = self.circuit, dict[Any, list[Handshake]]()
            for valid, ready, last in product((0, 1), (0, 1), self._marked):
                circuit.settle(self._inputs(valid, ready, last), self._parts.control)
                key = (
                    circuit.at(self._parts.seen),
                    tuple(circuit.at(inputs) for inputs in self._next_control),
                    circuit.bits("s_axis_tready") if valid else (0,),
                    circuit.bits("m_axis_tvalid"),
                    circuit.bits("m_axis_tvalid") if ready else (0,),
                    valid and circuit.bits("s_axis_tready") == (1,) and last,
                )
                same.setdefault(key, []).append((valid, ready, last))
            groups = self._groups[moment.control] = [tuple(group) for group in same.values()]
        return groups

    def _ways(self, moment: Moment) -> Iterator[tuple[Edge, bool]]:
        """Ways out of a moment, and whether less is known where they lead to."""
        circuit, before = self.circuit, self.contents[moment]
        names = frozenset((sample.age, sample.first) for sample in moment.samples)
        self.expected.samples = circuit.context = names
        for sample in moment.samples if self._early else ():
            # Where all units are at work at once, or a layer begins when nothing else is under
            # way, their sums come before any state is looked for. And a step of Euler is hard to
            # tell unless its sum is one unknown, for the old state stands in both.
            self.expected.states(sample.age, sample.first)
        circuit.contents = before
        for group in self._grouped(moment):
            handshakes = self._possible(moment, group)
            if not handshakes:
                continue
            circuit.contents = before
            valid, ready, last = group[0]
            circuit.settle(self._inputs(valid, ready, last), circuit.words.logic)
            shown, takes = circuit.number("m_axis_tvalid"), circuit.number("s_axis_tready")
            if shown:
                if not moment.owed:
                    self.breach = Breach(
                        "every output beat must follow its input beat, but one more came out "
                        "than went in",
                        moment,
                    )
                    return
                self.check_output(moment.owed[0], moment)
                if self.breach is not None:
                    return
            taken, given = bool(takes and valid), bool(shown and ready)
            circuit.clock()
            kept = taken and self._following.kept(moment.samples)
            after = self._following.after(moment, self._control(), taken, given, last)
            if len(after.owed) > self._most:
                self.breach = Breach(
                    f"every input beat must be answered, but {len(after.owed)} are in work", moment
                )
                return
            contents = self._carried(before, after.samples, taken, kept)
            contents = self._without_places(contents, self._following.found(moment, taken, kept))
            for offered in {bool(way[0] and not taken) for way in handshakes}:
                after = replace(after, offered=offered)
                pairs = tuple(w for w in handshakes if bool(w[0] and not taken) == offered)
                edge = Edge(pairs, taken, given, bool(shown), after)
                yield edge, self.arrive(after, contents)

    def _carried(
        self, before: Contents, samples: tuple[Sample, ...], taken: bool, kept: bool
    ) -> dict[str, Known]:
        """Contents after the clock by their new names."""
        limit = max((sample.age for sample in samples), default=0) + 1
        contents = self.circuit.contents
        result = {key: self.renamed(bits, taken, limit, kept) for key, bits in contents.items()}
        if self.expected.window is not None:
            samples = tuple(each for each in samples if each.left)

        def held() -> Iterator[Atom]:
            for bits in result.values():
                for bit in bits:
                    if isinstance(bit, tuple) and bit[1] == 0 and bit[0].atom is not None:
                        yield bit[0].atom

        lanes = self._lanes
        for key in (*lanes, *(key for key in contents if key not in lanes)):
            renamed = known(result[key])
            # A state that equals the one before looks as if nothing had come.
            fresh = contents[key] != before[key] or key in lanes
            if renamed is not None and fresh and not self._is_state(renamed):
                result[key] = self.matching.replaced(
                    renamed,
                    samples,
                    state=key in self._states,
                    kinds=self._kinds(key),
                    units=self._likely(*lanes[key]) if key in lanes else (),
                    held=held,
                )
        for key, index in self._feeds.items():
            renamed = known(result[key])
            if renamed is not None and contents[key] != before[key]:
                result[key] = self._of_feedback(index, renamed)
        return self._without_silence(result, samples)

    def _of_feedback(self, index: int, bits: Bits) -> Bits:
        """What the next sample is fed, by its name, if that is what the bits are."""
        found = self.expected.feeds(-1)[index]
        held = self.circuit.whole(bits, self.forms.bounds(found.name)[0] < 0)
        if held != found.form and not self.questions.equal(held, found.form).equal:
            return bits
        return bits_of(self.forms, found.name, len(bits))

    def _without_silence(
        self, contents: dict[str, Known], samples: tuple[Sample, ...]
    ) -> dict[str, Known]:
        """Sums to which later samples added nothing, by the names of these."""
        spans, names = self.expected.spans, dict[Atom, Form]()
        for sample in samples if spans is not None else ():
            assert spans is not None
            for output in range(self.design.n_outputs):
                if sample.place and spans.silent(output, sample.place):
                    late = self.expected.summed(sample.age, output, sample.place)
                    for place in {sample.place - 1, sample.place}:
                        early = self.expected.summed(sample.age + 1, output, place)
                        atom = early.plus(-early.constant).atom
                        if atom is not None:
                            names[atom] = late.plus(-late.constant)
        while any(form.unknowns() & names.keys() for form in names.values()):
            names = {atom: self.forms.renamed(form, names, {}) for atom, form in names.items()}
        return self._put(contents, names)

    def _without_places(
        self, contents: dict[str, Known], samples: Sequence[Sample]
    ) -> dict[str, Known]:
        """Outputs of these samples by names that do not tell how many were summed up."""
        names: dict[Atom, Form] = {}
        for sample in samples:
            found = self.expected.outputs(sample.age, sample.place)
            later = self.expected.outputs(sample.age)
            for old, new in zip(found, later, strict=True):
                if sample.place is not None and old.role.kind == "y" and old.name.atom is not None:
                    names[old.name.atom] = new.name
        return self._put(contents, names)

    def _put(self, contents: dict[str, Known], names: dict[Atom, Form]) -> dict[str, Known]:
        """Contents in which unknowns have other names."""
        done: dict[Form, Form] = {}
        return (
            contents
            if not names
            else {
                key: tuple(
                    bit
                    if bit is None or isinstance(bit, int)
                    else (self.forms.renamed(bit[0], names, done), bit[1])
                    for bit in bits
                )
                for key, bits in contents.items()
            }
        )

    def _kinds(self, key: str) -> frozenset[str]:
        """What a register may hold: one of few bits equals much, which leads astray."""
        kinds = {"square"}
        if key in self._states:
            kinds.add("x")
        if key in self._codes:
            kinds.add("y")
        return frozenset(kinds)

    def _is_state(self, bits: Bits) -> bool:
        first = bits[0]
        atom = first[0].atom if isinstance(first, tuple) and first[1] == 0 else None
        role = None if atom is None else self.expected.roles.get(atom)
        return role is not None and role.kind == "x"

    def _likely(self, place: int, lane: int) -> Sequence[int]:
        """Units whose state a lane may have received: where several are equal, this helps.

        Words come down from the highest, and the address at which they are written tells which; a
        circuit without taps writes none.
        """
        units, lanes = self._units[place], self.design.layers[place].lanes
        words = -(-len(units) // lanes)
        if words > 1 and not self._write_word(place):
            return units[lane::lanes]
        below = (self._first_words[place] - self._word(place)) % words
        return [units.start + (words - 1 - below) * lanes + lane]

    def _write_word(self, place: int) -> tuple[Bit, ...]:
        part = f"layer_{place}." if len(self._units) > 1 else ""
        return self.wires(f"{part}write_word")

    def _word(self, place: int) -> int:
        """Where the next word of a layer is written, at the clock that was left."""
        wires = self._write_word(place)
        value = sum(
            bit << k for k, bit in enumerate(self.circuit.at(wires)) if isinstance(bit, int)
        )
        return value - (value >> (len(wires) - 1) << len(wires)) if wires else 0
