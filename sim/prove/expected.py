"""What the reference says of the samples in a circuit, each quantity under its own name.

Samples are counted backwards: 0 is the one taken last. Their inputs ``u``, last flags, states
``x``, pre-activation sums ``p``, squares, readout sums ``t`` and output codes ``y`` are unknowns;
what the reference says of them is kept beside. So a circuit that has computed a state and was shown
to have done it rightly goes on with the plain name of it, and no formula grows from sample to
sample.
"""

from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import Any

from rchw.design import Design
from rchw.fixed import QFormat
from rchw.ranges import Interval, state_interval
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.reference.ring import RingReference
from rchw.schedule import latency, schedule
from rchw.sim.prove.forms import Form, Forms, number
from rchw.sim.prove.names import Definition, Names, Role
from rchw.sim.prove.spans import Spans
from rchw.sim.prove.wholes import Wholes

__all__ = ["Expected", "units_of"]

_TURNS = 3  # before intervals that still grow are made wide
_MOST = 200  # turns, before they are taken as wide as they can be


def units_of(design: Design) -> list[range]:
    """Of every layer the numbers of its units, which are counted over all layers."""
    ends = accumulate(layer.n_units for layer in design.layers)
    return [range(end - layer.n_units, end) for layer, end in zip(design.layers, ends, strict=True)]


class Expected(Names):
    """The reference of a design on unknowns.

    Parameters
    ----------
    design : Design
    forms : Forms
    pipelined : bool
        There are gaps between the samples; see `flag`.

    Attributes
    ----------
    window : int or None
        Greatest age of a sample that can be in work, where a sequence has one answer: what is older
        is forgotten, and of those whose answer waits the ages only tell their order.
    spans : Spans or None
        Of the sums over samples, where there are some.
    """

    def __init__(self, design: Design, forms: Forms, pipelined: bool = False) -> None:
        super().__init__(forms)
        self.design, self.pipelined = design, pipelined
        self._rings = [RingReference(stage.expanded, object) for stage in design.stages]
        self._units = units_of(design)
        self._readout = ReadoutReference(design)
        self.states = cache(self._states)
        self._defined = cache(self._outputs)
        self._added = cache(self._products)
        self._sums_of = cache(self._sums_of_samples)
        self.window = self.spans = None
        if design.readout.pooled and not pipelined:
            self.window = latency(design) // schedule(design).clocks
        if design.readout.segments is not None:
            self.spans = Spans(forms, design.readout.segments, lambda g: self._added(0, g)[1])
        self._totals: dict[tuple[int, int | None], list[tuple[Form, Form]]] = {}
        self._intervals: list[Interval] = []
        for place in range(len(self._rings)):
            self._intervals += self._reached(place)

    def aged(self, age: int, kept: bool) -> int | None:
        """Age after another sample was taken; none of a sample that is forgotten.

        `kept`: an answer waits of the sample that leaves the window.
        """
        window = self.window
        if window is None or age < window:
            return age + 1
        if age <= window + 1:  # the next age is that of the sample before the window
            return None if age > window else age + 1 + kept
        return age + kept

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

    def outputs(self, age: int, place: int | None = None) -> list[Definition]:
        """Definitions of squares, output codes and class of a sample.

        Parameters
        ----------
        age : int
        place : int or None
            Its number in its sequence from 0, where samples are summed up, but never more than how
            many samples count. None if its outputs are known already: they mean nothing then.
        """
        return self._defined(age, place)

    def answers(self, age: int, place: int | None) -> list[Definition]:
        """Definitions of what an output beat holds of a sample: the outputs, or the class."""
        kind = "class" if self.design.readout.argmax else "y"
        return [found for found in self.outputs(age, place) if found.role.kind == kind]

    def spelled(self, form: Form, age: int, place: int | None) -> Form:
        """A form in which the squares of a sample are formulas again."""
        names = {
            definition.name.atom: definition.form
            for definition in self.outputs(age, place)
            if definition.role.kind == "square" and definition.name.atom is not None
        }
        return self._forms.renamed(form, names, {})

    def added(self, age: int, segment: int) -> list[Form]:
        """Sums of the features of one sample with the weights of a segment."""
        return self._added(age, segment)[1]

    def half(self, output: int) -> int:
        """One half of the last place of an output, in a sum."""
        dropped = self._added(0, 0)[0] - self.design.readout.outputs[output].format.frac
        return 1 << (dropped - 1) if dropped > 0 else 0

    def totals(self, age: int, place: int | None) -> list[tuple[Form, Form]]:
        """Readout sums of a sample that have a name, as sums and by their names.

        Where the reference rounds to nearest, the sums with one half added are there as well.
        """
        self.outputs(age, place)
        return self._totals[age, place]

    def summed(
        self, age: int, output: int, place: int | None = None, first: int | None = None
    ) -> Form:
        """Sum over the samples of a sequence up to one of them, by its name.

        Where the place is not known and `first` is given, it is what one sample adds by itself.
        """
        assert self.spans is not None
        if place is None:
            twin = self.spans.twin(output, self.spans.cap)
            return self.name(Role("t", age, twin, first), *self.spans.reach(twin))
        low, high, constant = self.spans.of(output, place)
        if low == high:
            return number(low)
        role = Role("t", age, self.spans.twin(output, place), place)
        return self.name(role, low - constant, high - constant).plus(constant)

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

    def _fed(self, age: int) -> list[Form]:
        """Codes that are fed back to a sample."""
        formats = [channel.format for channel in self.design.fed]
        return [self.name(Role("fed", age, k), f.min, f.max) for k, f in enumerate(formats)]

    def feeds(self, age: int) -> list[Definition]:
        """Definitions of what is fed back to a sample; its age is -1 until it is taken."""
        forms, design, found = self._forms, self.design, list[Definition]()
        codes = [each for each in self.outputs(age + 1) if each.role.kind == "y"]
        taught = 0
        for k, (entry, name) in enumerate(zip(design.feedback, self._fed(age), strict=True)):
            code = codes[design.fed_from[k]].name
            if entry.teacher:
                bits = self.input(age + 1, design.n_lanes - 1)
                bit = forms.subtract(
                    forms.floor(bits, taught), forms.floor(bits, taught + 1).scaled(2)
                )
                lesson = self.input(age + 1, design.n_inputs + taught)
                code, taught = forms.choose(forms.within(bit, 0, 1), lesson, code), taught + 1
            if design.reset_on_last:
                code = forms.choose(self.last(age + 1), number(entry.initial), code)
            width = design.fed[k].format.width
            found.append(Definition(Role("fed", age, k), name, code, width))
        return found

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
        fed: Any = Wholes(forms, self._fed(0))
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
            after: Any = ring.step(names, inputs, fed)
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
            begins = self.flag(age + 1) if self.pipelined else self.last(age + 1)
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
        fed: Any = Wholes(forms, self._fed(age))
        if first == 1:
            fed = Wholes(forms, [number(entry.initial) for entry in self.design.feedback])
        sums: Any = ring.preactivation(before, self._seen(age, place), fed)
        named: Any = Wholes(
            forms,
            [self._call(Role("p", age, i, first), sums.form(k)) for k, i in enumerate(units)],
        )
        after: Any = ring.update(before, ring.activate(named))
        for k, i in enumerate(units):
            role, form = Role("x", age, i, first), after.form(k)
            yield Definition(role, self.state(age, i), form, layer.state.width)

    def _sums_of_samples(self, age: int, place: int) -> list[Form]:
        """Sums over the samples of a sequence up to one of them, by their names."""
        assert self.spans is not None
        old = self.window is not None and age > self.window
        names = []
        for k, form in enumerate(self._added(age, self.spans.segment(place))[1]):
            if old or self.spans.silent(k, place):
                names.append(self.summed(age, k, place))
                continue
            before = self._sums_of(age + 1, place - 1)[k] if place else number(0)
            names.append(self._call(Role("t", age, k, place), self._forms.add(before, form), 1))
        return names

    def _products(self, age: int, segment: int) -> tuple[int, list[Form], list[Definition]]:
        """Fraction bits, sums of one sample's features, and the squares among these."""
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
        total_frac, totals = self._readout.totals(blocks, segment)
        plain = Wholes(forms, totals)
        return total_frac, [plain.form(0, k) for k in range(design.n_outputs)], found

    def _outputs(self, age: int, place: int | None) -> list[Definition]:
        forms, design = self._forms, self.design
        segment = 0 if place is None or self.spans is None else self.spans.segment(place)
        total_frac, plain, squares = self._added(age, segment)
        found = [*squares]
        if place is None and self.spans is not None and not self.pipelined:
            for k, output in enumerate(design.readout.outputs):
                role, fmt = Role("y", age, k), output.format
                name = self.name(role, fmt.min, fmt.max)
                found.append(Definition(role, name, name, fmt.width))
            return found + self._class(age, place, found)
        if place is None and self.spans is not None:
            plain = named = [self.summed(age, k) for k in range(design.n_outputs)]
        elif place is None:
            named = [self._call(Role("t", age, k), form) for k, form in enumerate(plain)]
        else:
            named = self._sums_of(age, place)
            plain = [self.plain(form) for form in named]
        self._totals[age, place] = []
        for form, name, output in zip(plain, named, design.readout.outputs, strict=True):
            if form != name:
                starts = {0, self.half(design.readout.outputs.index(output))}
                self._totals[age, place] += [(form.plus(c), name.plus(c)) for c in starts]
        sums: Any = Wholes(forms, [named])
        rounded: Any = self._readout.rounded(total_frac, sums)
        for k, output in enumerate(design.readout.outputs):
            role = Role("y", age, k, place)
            found.append(self._code(role, rounded.form(0, k), output.format))
        return found + self._class(age, place, found)

    def _class(self, age: int, place: int | None, codes: list[Definition]) -> list[Definition]:
        """Definition of the place of the greatest output, where that is the answer."""
        if not self.design.readout.argmax:
            return []
        names = [definition.name for definition in codes if definition.role.kind == "y"]
        index = Wholes(self._forms, [names]).argmax(axis=1).form(0)
        return [
            self._code(Role("class", age, 0, place), index, self.design.readout.answers[0].format)
        ]

    def _code(self, role: Role, form: Form, fmt: QFormat) -> Definition:
        """Definition of what an output beat may hold."""
        if form.number is not None:
            return Definition(role, form, form, fmt.width)
        name = self.name(role, fmt.min, fmt.max)
        assert name.atom is not None
        self._plain[name.atom] = self.plain(form)
        return Definition(role, name, form, fmt.width)
