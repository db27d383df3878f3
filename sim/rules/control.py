"""The states of a circuit's control, and what the rules' counters can be in each: a certificate.

Control never depends on data, so the handshakes alone lead from state to state, and following them
finds every state; where a sequence has one answer, tlast is one of them. What was found is not
believed: it becomes assertions beside the rules (`rchw.sim.rules.tables`), and SymbiYosys proves
all of them together by induction over one clock. A state that was missed, or a counter that goes
further, breaks that proof and nothing else.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from rchw.design import Design
from rchw.errors import ToolError
from rchw.sim.prove.circuit import Bits, Contents
from rchw.sim.prove.cone import split
from rchw.sim.prove.words import Words
from rchw.sim.rules.checker import bounds
from rchw.sim.rules.part import Register, after_reset, name_of, needed
from rchw.sim.rules.structure import depends

__all__ = ["MOST", "Control", "Place", "State", "follow"]

MOST = 1 << 16  # states; a file with more takes Yosys longer to read than anybody waits


Place = tuple[str, int]  # a register, or a row of a memory as ``NAME[row]``, and a bit of it
_Flags = dict[Place, int]  # how many beats go before the one whose last flag is there


@dataclass
class State:
    """What holds in a state of the control.

    Attributes
    ----------
    count : int
        Beats under way; where a sequence has one answer, those with tlast.
    offered : bool
        Whether it is met only while the source keeps a beat that it has offered.
    silent, refused : int
        Most that the counters of these names in the rules can be.
    lasts : dict of int to Place
        Where the last flag of a beat under way is kept, by how many beats go before it; none where
        only beats with tlast are answered.
    flows : bool
        Whether it is met while the output never pauses.
    ages : dict of int to int
        If so: the age of a beat under way, by how many go before it.
    since : int
        If so, and the source does not pause: clocks since a beat was taken; 0 if there was none.
    """

    count: int
    offered: bool = True
    silent: int = 0
    refused: int = 0
    lasts: dict[int, Place] = field(default_factory=dict)
    flows: bool = False
    ages: dict[int, int] = field(default_factory=dict)
    since: int = 0


@dataclass(frozen=True)
class Control:
    """All states of the control.

    Attributes
    ----------
    registers, flags : dict of str to int
        Names and widths: of the registers that tell a state, the lowest of its code first, and of
        the registers and rows that keep last flags.
    memories : tuple of str
        Those of the rows.
    states : dict of int to State
        By their codes.
    """

    registers: Mapping[str, int]
    flags: Mapping[str, int]
    memories: tuple[str, ...]
    states: Mapping[int, State]


@dataclass(frozen=True)
class _Moment:
    control: tuple[Bits, ...]
    count: int
    offered: bool


@dataclass(frozen=True)
class _Way:
    valid: int
    ready: int
    taken: int
    asked: int
    shown: int
    to: _Moment

    @property
    def given(self) -> int:
        return self.shown & self.ready


def follow(words: Words, design: Design) -> Control | None:
    """Follow the handshakes of a folded circuit from the reset on, wherever they lead.

    Parameters
    ----------
    words : Words
        Of ``NAME.v``.
    design : Design

    Returns
    -------
    Control or None
        None if there is no such table: the control depends on data, has more than `MOST` states,
        or lets more beats in than it may, or its state does not tell what the rules are about.
        Then a rule is broken, or its proof needs more than a table.
    """
    try:
        return _Walk(words, design).control()
    except (ToolError, _NoTable):
        return None


class _NoTable(Exception):
    pass


class _Walk:
    """Moments, the ways between them, and what is carried along."""

    def __init__(self, words: Words, design: Design) -> None:
        self._bounds, self._pooled = bounds(design), design.readout.pooled
        data = ["s_axis_tdata"] if self._pooled else ["s_axis_tdata", "s_axis_tlast"]
        control = set(split(words, data).registers)
        # What no reset sets, and no data reaches, tells no state: the register of a constant code.
        circuit = after_reset(words)
        control = {
            held for held in control if all(isinstance(bit, int) for bit in circuit.at(held))
        }
        words = needed(words, control)
        stored = dict(words.registers)
        self._registers = [held for held in stored if held in control]
        self._next = [stored[held] for held in self._registers]
        self._names = {str(held[0]): _named(words, held) for held in stored}
        # What keeps last flags is among the rest of what is left.
        self._widths = {str(held[0]): len(held) for held in stored if held not in control}
        self._memories = [memory.name for memory in words.memories if memory.writes]
        if self._pooled:  # every answer has the same flag
            self._widths, self._memories = {}, []
        for memory in words.memories:
            if memory.name in self._memories:
                rows = [f"{memory.name}[{row}]" for row in range(len(memory.rows))]
                self._widths |= dict.fromkeys(rows, memory.width)
                self._names |= {row: row for row in rows}
        seen = depends(words, words.outputs["m_axis_tlast"], later=False)
        self._put_out = {
            (self._names[str(held[0])], bit)
            for held in stored
            for bit, wire in enumerate(held)
            if wire in seen
        }
        self._circuit = circuit = after_reset(words)
        self._start = _Moment(tuple(circuit.at(held) for held in self._registers), 0, False)
        self._inputs = {name: circuit.unknown(len(bits)) for name, bits in words.inputs.items()}
        self._inputs["aresetn"] = (1,)
        self._unknown = circuit.unknown(1)[0]
        self._new, *self._under_way = (circuit.unknown(1)[0] for _ in range(self._bounds.room + 1))
        self._ways: dict[_Moment, list[_Way]] = {}
        self._states: dict[int, State] = {}

    def control(self) -> Control:
        self._explore()
        for moment in self._ways:
            state = self._states.setdefault(_code(moment), State(moment.count))
            if state.count != moment.count:
                raise _NoTable
            state.offered &= moment.offered
        self._wait()
        if not self._pooled:
            self._keep()
        self._flow()
        names = self._names
        return Control(
            {names[str(held[0])]: len(held) for held in self._registers},
            {names[key]: width for key, width in self._widths.items()},
            tuple(self._memories),
            self._states,
        )

    def _at(self, moment: _Moment) -> State:
        return self._states[_code(moment)]

    def _enter(self, moment: _Moment, flags: _Flags) -> None:
        """Set the registers to what they are in a moment."""
        contents: Contents = {}
        for held, bits in zip(self._registers, moment.control, strict=True):
            contents[str(held[0])] = bits
        for key, width in self._widths.items():
            places = (flags.get((key, bit)) for bit in range(width))
            contents[key] = tuple(
                self._unknown if ahead is None else self._under_way[ahead] for ahead in places
            )
        self._circuit.contents = contents

    def _settle(self, valid: int, ready: int, last: Bits) -> None:
        given = {"s_axis_tvalid": (valid,), "m_axis_tready": (ready,), "s_axis_tlast": last}
        self._circuit.settle(self._inputs | given, self._circuit.words.logic)

    def _explore(self) -> None:
        circuit, waiting = self._circuit, deque([self._start])
        self._ways[self._start] = []
        while waiting:
            moment = waiting.popleft()
            self._enter(moment, {})
            lasts = (0, 1) if self._pooled else (1,)
            for valid, ready, last in product((0, 1), (0, 1), lasts):
                if moment.offered and not valid:  # the source keeps what it offers
                    continue
                self._settle(valid, ready, (last,) if self._pooled else (self._new,))
                takes, shown = circuit.number("s_axis_tready"), circuit.number("m_axis_tvalid")
                taken = valid & takes
                count = moment.count + (taken & last) - (shown & ready)
                if not 0 <= count <= self._bounds.room:
                    raise _NoTable
                control = tuple(circuit.at(bits) for bits in self._next)
                after = _Moment(control, count, bool(valid and not taken))
                self._ways[moment].append(_Way(valid, ready, taken, taken & last, shown, after))
                if after not in self._ways:
                    if len(self._ways) == MOST:
                        raise _NoTable
                    self._ways[after] = []
                    waiting.append(after)

    def _wait(self) -> None:
        """How long the output can have been silent, and a beat refused."""
        most = {moment: (0, 0) for moment in self._ways}
        waiting = deque(self._ways)
        while waiting:
            moment = waiting.popleft()
            silent, refused = most[moment]
            for way in self._ways[moment]:
                longer = (
                    silent + 1 if way.ready and moment.count and not way.shown else 0,
                    refused + 1 if way.ready and way.valid and not way.taken else 0,
                )
                known = most[way.to]
                after = max(known[0], longer[0]), max(known[1], longer[1])
                if after[0] >= self._bounds.latency or after[1] >= self._bounds.wait:
                    raise _NoTable
                if after != known:
                    most[way.to] = after
                    waiting.append(way.to)
        for moment, (silent, refused) in most.items():
            state = self._at(moment)
            state.silent, state.refused = max(state.silent, silent), max(state.refused, refused)

    def _keep(self) -> None:
        """Where last flags are: what all ways into a moment agree on."""
        kept: dict[_Moment, _Flags] = {self._start: {}}
        waiting = deque([self._start])
        while waiting:
            moment = waiting.popleft()
            for way in self._ways[moment]:
                self._enter(moment, kept[moment])
                self._settle(way.valid, way.ready, (self._new,))
                self._circuit.clock()
                flags = dict(self._carried(moment, way))
                known = kept.get(way.to)
                if known is not None:
                    flags = {place: k for place, k in known.items() if flags.get(place) == k}
                if flags != known:
                    kept[way.to] = flags
                    waiting.append(way.to)
        found: dict[int, set[tuple[Place, int]]] = {}
        for moment, flags in kept.items():
            items = {((self._names[key], bit), k) for (key, bit), k in flags.items()}
            code = _code(moment)
            found[code] = found[code] & items if code in found else items
        for code, items in found.items():
            state = self._states[code]
            # Of several the one that is put out: that the others are equal is not to be proved.
            state.lasts = {
                ahead: place
                for place, ahead in sorted(items, key=lambda item: (item[0] in self._put_out, item))
            }
            if len(state.lasts) < state.count:
                raise _NoTable

    def _carried(self, moment: _Moment, way: _Way) -> Iterator[tuple[Place, int]]:
        contents = self._circuit.contents
        ahead = {bit: k - way.given for k, bit in enumerate(self._under_way)}
        if way.taken:
            ahead[self._new] = moment.count - way.given
        for key in self._widths:
            for bit, value in enumerate(contents[key]):
                if ahead.get(value, -1) >= 0:
                    yield (key, bit), ahead[value]

    def _flow(self) -> None:
        """Ages while the output never pauses, and clocks since a beat was taken if nothing does."""
        flowing, waiting = {self._start}, deque([self._start])
        while waiting:
            moment = waiting.popleft()
            self._at(moment).flows = True
            for way in self._ways[moment]:
                if way.ready and way.to not in flowing:
                    flowing.add(way.to)
                    waiting.append(way.to)
        ages = [
            (way.to, moment.count - way.given, 1)
            for moment in flowing
            for way in self._ways[moment]
            if way.ready and way.asked
        ]
        sinces = [
            (way.to, 1)
            for moment in flowing
            for way in self._ways[moment]
            if way.ready and way.taken
        ]
        self._grow_old(ages)
        self._go_on(sinces)

    def _grow_old(self, waiting: list[tuple[_Moment, int, int]]) -> None:
        """Follow beats that were just taken to where they come out."""
        found: set[tuple[_Moment, int, int]] = set()
        while waiting:
            moment, ahead, age = waiting.pop()
            if self._at(moment).ages.setdefault(ahead, age) != age or age > self._bounds.latency:
                raise _NoTable
            for way in self._ways[moment]:
                after = (way.to, ahead - way.given, age + 1)
                if way.ready and after[1] >= 0 and after not in found:
                    found.add(after)
                    waiting.append(after)

    def _go_on(self, waiting: list[tuple[_Moment, int]]) -> None:
        """Count clocks since a beat was taken, as long as the next one is offered."""
        found: set[tuple[_Moment, int]] = set()
        while waiting:
            moment, since = waiting.pop()
            state = self._at(moment)
            if state.since not in (0, since) or since > self._bounds.clocks:
                raise _NoTable
            state.since = since
            for way in self._ways[moment]:
                after = (way.to, 1 if way.taken else since + 1)
                if way.ready and way.valid and after not in found:
                    found.add(after)
                    waiting.append(after)


def _named(words: Words, held: Register) -> str:
    name = name_of(words, held)
    if name is None:
        raise _NoTable
    return name


def _code(moment: _Moment) -> int:
    """Code of a state: the bits of all its registers."""
    code = place = 0
    for bits in moment.control:
        for bit in bits:
            if not isinstance(bit, int):
                raise _NoTable
            code |= bit << place
            place += 1
    return code
