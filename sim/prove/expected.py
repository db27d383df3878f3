"""What the reference says of the samples in a circuit, each quantity under its own name.

Samples are counted backwards: 0 is the one taken last. Their inputs ``u``, last flags, states
``x``, pre-activation sums ``p``, squares, readout sums ``t`` and output codes ``y`` are unknowns;
what the reference says of them is kept beside. So a circuit that has computed a state and was shown
to have done it rightly goes on with the plain name of it, and no formula grows from sample to
sample.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from rchw.design import Design
from rchw.ranges import Interval, state_interval
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.reference.ring import RingReference
from rchw.sim.prove.forms import Atom, Form, Forms, number
from rchw.sim.prove.wholes import Wholes

__all__ = ["Definition", "Expected", "Role", "units_of"]

_TURNS = 3  # before intervals that still grow are made wide
_MOST = 200  # turns, before they are taken as wide as they can be


def units_of(design: Design) -> list[range]:
    """Of every layer the numbers of its units, which are counted over all layers."""
    ends = accumulate(layer.n_units for layer in design.layers)
    return [range(end - layer.n_units, end) for layer, end in zip(design.layers, ends, strict=True)]


@dataclass(frozen=True)
class Role:
    """What an unknown stands for: a quantity of a sample.

    Attributes
    ----------
    kind : str
        ``u``, ``last``, ``x``, ``p``, ``square``, ``t``, ``y``; ``class``: the place of the
        greatest output; ``v``, see `Expected.valid`; ``f``, see `Expected.flag`; or ``above``: the
        bits of an input lane above its code.
    age : int
        Of the sample; -1 for what waits at the input.
    index : int
        Channel, unit of all layers, or output.
    first : int or None
        Whether the sample is the first of its sequence; None if the flag of the one before tells.
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


class Expected:
    """The reference of a design on unknowns.

    Parameters
    ----------
    design : Design
    forms : Forms
    pipelined : bool
        There are gaps between the samples; see `flag`.

    Attributes
    ----------
    roles : dict of Atom to Role
    samples : set of (int, int or None)
        Ages and first flags of those whose sums are to be named.
    """

    def __init__(self, design: Design, forms: Forms, pipelined: bool = False) -> None:
        self.design, self._forms, self._pipelined = design, forms, pipelined
        self._rings = [RingReference(stage.expanded, object) for stage in design.stages]
        self._units = units_of(design)
        self._readout = ReadoutReference(design)
        self.roles: dict[Atom, Role] = {}
        self.samples: frozenset[tuple[int, int | None]] = frozenset()
        self._sums: dict[Form, Form] = {}
        self._plain: dict[Atom, Form] = {}
        self._unfolded: dict[Form, Form] = {}
        self._owners: dict[Form, set[tuple[int, int | None]]] = {}
        self.states = cache(self._states)
        self.outputs = cache(self._outputs)
        self._totals: dict[int, list[tuple[Form, Form]]] = {}
        self._intervals: list[Interval] = []
        for place in range(len(self._rings)):
            self._intervals += self._reached(place)

    def name(self, role: Role, low: int, high: int) -> Form:
        """Unknown of a role."""
        words = (role.kind, role.age, role.index, "" if role.first is None else role.first)
        form = self._forms.unknown("_".join(map(str, words)).rstrip("_"), low, high)
        assert form.atom is not None
        self.roles[form.atom] = role
        return form

    def state(self, age: int, unit: int) -> Form:
        """State of a unit after a sample; one from outside is a code of its beat."""
        if not self.design.stages:
            return self.input(age, self.design.n_inputs + unit)
        interval = self._intervals[unit]
        if interval.low == interval.high:
            return number(interval.low)
        return self.name(Role("x", age, unit), interval.low, interval.high)

    def input(self, age: int, channel: int) -> Form:
        """Input code of a sample: of a channel, or behind them a state from outside."""
        fmt = self.design.beat[channel].format
        return self.name(Role("u", age, channel), fmt.min, fmt.max)

    def last(self, age: int) -> Form:
        """Last flag of a sample."""
        return self.name(Role("last", age, 0), 0, 1)

    def valid(self, age: int) -> Form:
        """Whether there is a sample of this age, and no gap."""
        return self.name(Role("v", age, 0), 0, 1)

    def flag(self, age: int) -> Form:
        """Whether the sample after this one, or after this gap, is the first of its sequence."""
        return self.name(Role("f", age, 0), 0, 1)

    def call_flag(self, age: int) -> None:
        """Let the sum that is the flag of this age have its name."""
        after = self._forms.choose(self.valid(age), self.last(age), self.flag(age + 1))
        self._call(Role("f", age, 0), after)

    def output(self, age: int, index: int) -> Form:
        """Output code of a sample."""
        fmt = self.design.readout.outputs[index].format
        return self.name(Role("y", age, index), fmt.min, fmt.max)

    def answers(self, age: int) -> list[Definition]:
        """Definitions of what an output beat holds of a sample: the outputs, or the class."""
        kind = "class" if self.design.readout.argmax else "y"
        return [found for found in self.outputs(age) if found.role.kind == kind]

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

    def spelled(self, form: Form, age: int) -> Form:
        """A form in which the squares of a sample are formulas again."""
        names = {
            definition.name.atom: definition.form
            for definition in self.outputs(age)
            if definition.role.kind == "square" and definition.name.atom is not None
        }
        return self._forms.renamed(form, names, {})

    def meaning(self, atom: Atom) -> Form | None:
        """What a sum or an output is the name of; none of another unknown."""
        return self._plain.get(atom)

    def totals(self, age: int) -> list[tuple[Form, Form]]:
        """Readout sums of a sample that have a name, as sums and by their names.

        Where the reference rounds to nearest, the sums with one half added are there as well.
        """
        self.outputs(age)
        return self._totals[age]

    def _call(self, role: Role, form: Form) -> Form:
        """Name a sum, unless it is a multiple of something that has a name already."""
        constant = form.constant
        plain = form.plus(-constant)
        if len(plain.terms) < 2:
            return form
        if plain not in self._sums:
            low, high = self._forms.bounds(form)
            name = self._sums[plain] = self.name(role, low - constant, high - constant)
            assert name.atom is not None
            self._plain[name.atom] = plain
        firsts = (role.first,) if role.kind == "p" else (None, 0, 1)
        self._owners.setdefault(plain, set()).update((role.age, first) for first in firsts)
        return self._sums[plain].plus(constant)

    def _inputs(self, age: int) -> Wholes:
        channels = range(self.design.n_inputs)
        return Wholes(self._forms, [[self.input(age, k) for k in channels]])

    def _seen(self, age: int, place: int) -> Any:
        """What a layer reads of a sample: channels, and new states of layers before it."""
        rows: list[Any] = [
            Wholes(self._forms, [[self.state(age, i) for i in units]])
            for units in self._units[:place]
        ]
        return self.design.stages[place].seen(self._inputs(age), rows)[0]

    def _reached(self, place: int) -> list[Interval]:
        """What the state of each unit of a layer can be after a sample, closed under the step.

        In a ring of one tap it is what inputs do reach, if that is half of all codes or more. Some
        units stay on a rail for ever, and then the circuit knows it. States of earlier layers are
        any that those can have.
        """
        forms, ring, layer = self._forms, self._rings[place], self.design.stages[place].layer
        initial = [Interval(code, code) for code in layer.initial_state]
        reached: list[Interval | None] = [None] * len(initial)
        inputs = self._seen(0, place)
        whole = state_interval(layer)
        # No narrower than this once they grow: all bits of a code stay bits of its range.
        quarter = 1 << max(layer.state.width - 2, 0)
        least = Interval(max(whole.low, -quarter - 1), min(whole.high, quarter))
        for turn in range(_MOST):
            before = [
                own if known is None else own.hull(known)
                for own, known in zip(initial, reached, strict=True)
            ]
            names: Any = Wholes(
                forms,
                [
                    forms.unknown(f"reached_{place}_{turn}_{i}", own.low, own.high)
                    for i, own in enumerate(before)
                ],
            )
            after: Any = ring.step(names, inputs)
            wider = list(reached)
            for i, known in enumerate(reached):
                low, high = forms.bounds(after.form(i))
                found = Interval(max(low, whole.low), min(high, whole.high))
                new = found if known is None else known.hull(found)
                wider[i] = new.hull(least) if turn >= _TURNS and new != known else new
            if wider == reached:
                return [known or whole for known in reached]
            reached = wider
        return [whole] * len(initial)

    def _states(self, age: int, first: int | None) -> list[Definition]:
        """Definitions of the states after a sample, of all layers.

        Parameters
        ----------
        age : int
        first : int or None
            1 if the sample is the first of its sequence, 0 if not, None if the last flag of the
            sample before tells.

        States from outside are none: they are inputs.
        """
        begins = number(first or 0)
        if first is None:
            begins = self.flag(age + 1) if self._pipelined else self.last(age + 1)
        return [
            found
            for place in range(len(self._rings))
            for found in self._states_of(place, age, first, begins)
        ]

    def _states_of(
        self, place: int, age: int, first: int | None, begins: Form
    ) -> Iterator[Definition]:
        forms, ring, units = self._forms, self._rings[place], self._units[place]
        layer = self.design.stages[place].layer
        states = [
            forms.choose(begins, number(code), self.state(age + 1, i))
            for i, code in zip(units, layer.initial_state, strict=True)
        ]
        before: Any = Wholes(forms, states)
        sums: Any = ring.preactivation(before, self._seen(age, place))
        named: Any = Wholes(
            forms,
            [self._call(Role("p", age, i, first), sums.form(k)) for k, i in enumerate(units)],
        )
        after: Any = ring.update(before, ring.activate(named))
        for k, i in enumerate(units):
            role, form = Role("x", age, i, first), after.form(k)
            yield Definition(role, self.state(age, i), form, layer.state.width)

    def _outputs(self, age: int) -> list[Definition]:
        """Definitions of squares, output codes and class of a sample."""
        forms, design = self._forms, self.design
        states: Any = Wholes(forms, [[self.state(age, i) for i in range(design.n_units)]])
        inputs: Any = self._inputs(age)
        found: list[Definition] = []
        blocks: list[tuple[int, Any]] = []
        codes: Any
        features = feature_codes(design, states, inputs)
        for block, (frac, codes) in zip(design.blocks, features, strict=True):
            if block.kind == "squares":
                names = []
                for k, i in enumerate(self._units[block.layer]):
                    role = Role("square", age, i)
                    form = codes.form(0, k)
                    name = form
                    if form.number is None:
                        name = self.name(role, *forms.bounds(form))
                    # The circuit keeps no more bits of a square than it can have.
                    width = min(block.format.width, Interval(*forms.bounds(form)).width)
                    found.append(Definition(role, name, form, width))
                    names.append(name)
                codes = Wholes(forms, [names])
            blocks.append((frac, codes))
        total_frac, totals = self._readout.totals(blocks)
        plain: list[Form] = [Wholes(forms, totals).form(0, k) for k in range(design.n_outputs)]
        named = [self._call(Role("t", age, k), form) for k, form in enumerate(plain)]
        self._totals[age] = []
        for form, name, output in zip(plain, named, design.readout.outputs, strict=True):
            dropped = total_frac - output.format.frac
            half = 1 << (dropped - 1) if dropped > 0 else 0
            if form != name:
                self._totals[age] += [(form.plus(c), name.plus(c)) for c in {0, half}]
        sums: Any = Wholes(forms, [named])
        rounded: Any = self._readout.rounded(total_frac, sums)
        for k, output in enumerate(design.readout.outputs):
            role, form = Role("y", age, k), rounded.form(0, k)
            name = form
            if form.number is None:
                name = self.output(age, k)
                assert name.atom is not None
                self._plain[name.atom] = self.plain(form)
            found.append(Definition(role, name, form, output.format.width))
        if design.readout.argmax:
            codes = Wholes(forms, [[each.name for each in found[-design.n_outputs :]]])
            role, form = Role("class", age, 0), codes.argmax(axis=1).form(0)
            name = form
            if form.number is None:
                name = self.name(role, *forms.bounds(form))
                assert name.atom is not None
                self._plain[name.atom] = self.plain(form)
            width = design.readout.answers[0].format.width
            found.append(Definition(role, name, form, width))
        return found
