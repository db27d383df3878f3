"""The folded readout: M multipliers, exact accumulators, one rounding at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design
from rchw.fixed import Overflow
from rchw.hdl.answers import NOWHERE, greatest, held_place, segment_address
from rchw.hdl.arith import add_apart, requantize, select
from rchw.hdl.counter import countdown, delayed
from rchw.hdl.ports import OutputQueue, output_layout
from rchw.hdl.rom import Fields
from rchw.hdl.totals import Flags, accumulate, counted, round_outputs
from rchw.ranges import Interval, readout_ranges
from rchw.schedule import answer_clocks, schedule

__all__ = ["FoldedReadout", "ReadoutClock", "readout_clocks"]

STATES, SQUARES, INPUTS = 0, 1, 2


@dataclass(frozen=True)
class ReadoutClock:
    """One clock: which features the operands hold, and which outputs they are added to.

    Attributes
    ----------
    features : tuple of int or None
        Index of each operand's feature; None is padding.
    source : int
        0 states, 1 squares, 2 + j the j-th group of input codes.
    group : int
        Which G of the word's P units.
    hold : int
        Which of the H sets of outputs.
    """

    features: tuple[int | None, ...]
    source: int
    group: int
    hold: int


def readout_clocks(design: Design) -> list[ReadoutClock]:
    """What the readout does in each clock of a sample, in order."""
    plan, layer, features = schedule(design), design.layer, design.features
    n, lanes = layer.n_units, layer.lanes
    squares = n if features.states else 0
    clocks: list[ReadoutClock] = []

    def add(chosen: list[int | None], source: int, group: int) -> None:
        for hold in range(plan.hold):
            clocks.append(ReadoutClock(tuple(chosen), source, group, hold))

    for word in reversed(range(plan.words)):
        filled = min(n - word * lanes, lanes)
        for group in reversed(range(-(-filled // plan.group))):
            start = word * lanes + group * plan.group
            units = [u if u < n else None for u in range(start, start + plan.group)]
            squared = [None if u is None else squares + u for u in units]
            if plan.paired:
                add(units + squared, STATES, group)
                continue
            if features.states:
                add(units, STATES, group)
            if features.squares is not None:
                add(squared, SQUARES, group)
    if features.inputs:
        base = n * features.per_unit
        for turn, start in enumerate(range(0, design.n_inputs, plan.group)):
            channels: list[int | None] = [
                base + k if k < design.n_inputs else None for k in range(start, start + plan.group)
            ]
            channels += [None] * plan.group * plan.paired
            add(channels, INPUTS + turn, 0)
    return clocks


class FoldedReadout(wiring.Component):
    """Multiplies features as the words of the state pass come out.

    Members
    -------
    advance : In(1)
        A clock of the readout begins: its weights are addressed now.
    states : In(P * width)
        State codes of the word in work, two clocks after `advance`.
    inputs : In(K * width)
        Of the sample in work, valid with its first word; not there without channels.
    last : In(1)
        Of the sample in work, valid with `reserve`, or as many clocks later as it takes to read a
        word if the period has clocks in which nothing is multiplied. Where a sequence has one
        answer it is asked as the inputs are, with the first word.
    reserve : In(1), free : Out(1)
        Room for one result: taken by the sequencer, given back when a result leaves. Where a
        sequence has one answer it is taken for marked samples alone.
    o : Out(stream of `output_layout`)

    Latency
    -------
    From `advance` of a sample's last clock to its beat: 8 clocks, ``ceil(log2(n))`` more where n
    products are added per clock, two more with squares, and those of the answer
    (`rchw.schedule.answer_clocks`). They are: two for the weights, operands, product, (levels of
    the sum, the constant,) three parts of the accumulator, (comparisons,) output.

    Throughput
    ----------
    ``len(readout_clocks(design))`` clocks per sample.
    """

    advance: Signal
    states: Signal
    inputs: Signal
    last: Signal
    reserve: Signal
    free: Signal
    o: stream.Interface

    def __init__(self, design: Design) -> None:
        self._design = design
        self._plan = schedule(design)
        self._ranges = readout_ranges(design)
        self._clocks = readout_clocks(design)
        self._late = 2 if design.features.squares is not None else 0
        self._arrived: Value | None = None
        width = sum(channel.format.width for channel in design.inputs)
        super().__init__(
            {
                "advance": In(1),
                "states": In(design.layer.lanes * design.layer.state.width),
                **({"inputs": In(width)} if width else {}),
                "last": In(1),
                "reserve": In(1),
                "free": Out(1),
                "o": Out(stream.Signature(output_layout(design))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        design, plan = self._design, self._plan
        count = len(self._clocks)
        order = self._clocks[::-1]  # the address counts down
        early = Fields(count, registered=True)
        group = early.add("group", [clock.group for clock in order])
        address, ends = countdown(m, "address", count, self.advance)
        early.build(m, "groups", address)
        advance = delayed(m, self.advance, self._late, "late")[-1]
        if self._late:
            # The squares take their time, so weights are addressed later instead of held.
            address, ends = countdown(m, "late_address", count, advance)
        segments = design.readout.n_segments
        place = NOWHERE
        if design.readout.pooled:
            place = held_place(m, design.readout, self._arrives(m), self.last)
        if segments > 1:
            address = segment_address(m, segments, count, place.following, advance, ends)
        fields = Fields(segments * count, registered=True)
        weights = self._weights(fields, order)
        order *= segments
        flags = Flags(
            valid=advance,
            done=advance & ends,
            turn=fields.add("turn", [clock.hold for clock in order]),
            ending=Const(0)
            if plan.hold == 1
            else fields.add("ending", [int(k % count < plan.hold) for k in range(len(order))]),
        )
        if design.readout.sums:
            first = [int(k % count >= count - plan.hold) for k in range(len(order))]
            flags = replace(flags, opening=fields.add("opening", first))
        source = fields.add("source", [clock.source for clock in order])
        fields.build(m, "weights", address)
        flags = flags.delayed(m, "address", fields=False)
        flags = flags.delayed(m, "states", fields=False)
        ending = flags.done if plan.hold == 1 else flags.ending & flags.valid
        flags = replace(flags, ending=ending)
        if design.readout.pooled:
            flags = replace(flags, done=flags.done & place.answers)
        if design.readout.sums:
            ending = flags.ending & place.answers
            flags = replace(flags, ending=ending, adds=place.adds, segment=place.segment)
        operands, flags, weights = self._operands(m, source, group, flags, weights)
        products, flags = self._products(m, operands, weights, flags)
        if design.readout.sums:
            products, flags = counted(m, design, self._ranges, products, flags)
        totals, flags = accumulate(m, design, self._ranges, products, flags)
        codes: list[Value] = []
        done = [flags.done]
        if design.readout.argmax:
            scores = round_outputs(m, design, self._ranges, totals)

            def step() -> None:
                done.extend(delayed(m, done[-1], 1, f"compared_{len(done)}")[1:])

            codes = [greatest(scores, lambda value, name: _clocked(m, value, name), step)]
        queue = OutputQueue(design, latency=self._latency(), period=plan.pass_clocks)
        m.submodules.queue = queue
        # Where room is taken before the end of the period, `last` may not have come yet.
        keep = delayed(m, self.reserve, plan.waits and 1 + plan.read_register, "keep")[-1]
        m.d.comb += [
            queue.reserve.eq(self.reserve),
            queue.keep.eq(keep),
            queue.last.eq(self.last),
            self.free.eq(queue.free),
            queue.push.eq(done[-1]),
        ]
        codes = codes or round_outputs(m, design, self._ranges, totals)
        for output, code in zip(design.readout.answers, codes, strict=True):
            m.d.comb += queue.codes[output.name].eq(code)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        return m

    def _latency(self) -> int:
        """Clocks from the taking of room to the earliest clock in which a result can leave."""
        plan = self._plan
        inputs = plan.input_clocks if plan.waits else 0
        if plan.steps:
            # Room is taken with the last step, after which the last word and the inputs follow.
            last = plan.word_clocks if plan.words > 1 else plan.top_clocks
            inputs = plan.input_clocks + last - 1
        more = answer_clocks(self._design)
        return inputs + plan.loop_latency + 5 + self._late + plan.sum_levels + more

    def _arrives(self, m: Module) -> Value:
        """When what belongs to a sample as a whole may be taken over, made once.

        After the last operands of the sample before, and never after the next sample is taken,
        since no sample takes fewer clocks than the loop.
        """
        if self._arrived is None:
            begins = Signal(init=1)  # the next clock of the readout is a sample's first
            _, ends = countdown(m, "clock", len(self._clocks), self.advance)
            with m.If(self.advance):
                m.d.sync += begins.eq(ends)
            self._arrived = delayed(m, self.advance & begins, 1 + self._late, "arrives")[-1]
        return self._arrived

    def _weights(self, fields: Fields, order: Sequence[ReadoutClock]) -> list[Value]:
        """One field per multiplier: operand-major, then the outputs served in one clock."""
        by_segment = self._design.readout.by_segment[::-1]  # the address counts down
        per_clock = self._design.n_outputs // self._plan.hold
        weights = []
        for slot in range(self._plan.operands):
            for position in range(per_clock):
                column = []
                for rows, clock in product(by_segment, order):
                    feature = clock.features[slot]
                    output = clock.hold * per_clock + position
                    column.append(0 if feature is None else rows[output][feature])
                weights.append(fields.add(f"weight_{slot}_{position}", column))
        return weights

    def _operands(
        self, m: Module, source: Value, group: Value, flags: Flags, weights: list[Value]
    ) -> tuple[list[Signal], Flags, list[Value]]:
        """Register the features of this clock, aligned to one fraction."""
        design, plan, ranges = self._design, self._plan, self._ranges
        layer, features = design.layer, design.features
        width = layer.state.width
        lanes = [
            self.states[lane * width : (lane + 1) * width].as_signed()
            for lane in range(layer.lanes)
        ]
        taken: list[Value] = [
            select(m, group, lanes[g :: plan.group], f"unit_{g}") for g in range(plan.group)
        ]
        squares: list[Value] = []
        if features.squares is not None:
            # A register on each side of the multiplier belongs to it.
            taken = [_clocked(m, x, f"taken_{g}") for g, x in enumerate(taken)]
            squares = [_clocked(m, x * x, f"squared_{g}") for g, x in enumerate(taken)]
            taken = [_clocked(m, x, f"waiting_{g}") for g, x in enumerate(taken)]
        plain = [x << ranges.shifts["states"] for x in taken] if features.states else []
        squared = [self._square(m, x, g) for g, x in enumerate(squares)]
        inputs = self._inputs(m)
        slots = []
        for slot in range(self._plan.operands):
            g = slot % plan.group
            if plan.paired:
                choices = {STATES: (plain + squared)[slot]}
            else:
                choices = {
                    kind: values[g]
                    for kind, values in ((STATES, plain), (SQUARES, squared))
                    if values
                }
            for turn, codes in enumerate(inputs):
                if slot < plan.group:
                    choices[INPUTS + turn] = codes[g]
            chosen = choices[min(choices)]
            for kind in sorted(choices)[1:]:
                chosen = Mux(source == kind, choices[kind], chosen)
            slots.append(chosen)
        interval = self._operand_interval()
        operands = []
        for slot, value in enumerate(slots):
            operand = Signal(signed(interval.width), name=f"operand_{slot}", reset_less=True)
            m.d.sync += operand.eq(value)
            operands.append(operand)
        weights = [_clocked(m, w, f"weight_operand_{k}") for k, w in enumerate(weights)]
        return operands, flags.delayed(m, "operand"), weights

    def _operand_interval(self) -> Interval:
        ranges, layer = self._ranges, self._design.layer
        # A padding lane may hold any state code: its weight is zero, but its sign must not spill.
        hull = Interval.of(layer.state).scale(1 << ranges.shifts.get("states", 0))
        for name in ("squares", "inputs"):
            if name in ranges.features:
                hull = hull.hull(ranges.features[name].scale(1 << ranges.shifts[name]))
        return hull

    def _square(self, m: Module, square: Value, g: int) -> Value:
        design = self._design
        squares = design.features.squares
        assert squares is not None
        code = requantize(
            m,
            square,
            2 * design.layer.state.frac - squares.frac,
            squares,
            design.features.square_rounding,
            Overflow.SATURATE,
            f"square_{g}",
        )
        return code << self._ranges.shifts["squares"]

    def _inputs(self, m: Module) -> list[list[Value]]:
        """Input codes as features, in groups of G; held while the next sample is under way."""
        design, plan = self._design, self._plan
        if not design.features.inputs:
            return []
        fmt = design.inputs[0].format
        arrives = self._arrives(m)
        codes = Signal(len(self.inputs), name="inputs_held", reset_less=True)
        with m.If(arrives):
            m.d.sync += codes.eq(self.inputs)
        chosen: list[Value] = []
        for k in range(design.n_inputs):
            raw = codes[k * fmt.width : (k + 1) * fmt.width]
            code = raw.as_signed() if fmt.signed else raw
            chosen.append(code << self._ranges.shifts["inputs"])
        chosen += [chosen[0]] * (-len(chosen) % plan.group)
        return [chosen[k : k + plan.group] for k in range(0, len(chosen), plan.group)]

    def _products(
        self, m: Module, operands: list[Signal], weights: list[Value], flags: Flags
    ) -> tuple[list[Value], Flags]:
        """One register per multiplier, then the sums over the operands, a register per level."""
        per_clock = len(weights) // len(operands)
        products = [
            _clocked(m, operands[k // per_clock] * weight, f"product_{k}")
            for k, weight in enumerate(weights)
        ]
        flags = flags.delayed(m, "product")
        sums: list[list[Value]] = [
            [*products[position::per_clock]] for position in range(per_clock)
        ]
        for level in range(self._plan.sum_levels):
            sums = [
                [
                    _clocked(m, add_apart(*terms[k : k + 2]), f"sum_{position}_{level}_{k // 2}")
                    for k in range(0, len(terms), 2)
                ]
                for position, terms in enumerate(sums)
            ]
            flags = flags.delayed(m, f"level_{level}")
        return [total for (total,) in sums], flags


def _clocked(m: Module, value: Value, name: str) -> Signal:
    """Plain register without reset, of the value's own shape."""
    register = Signal(value.shape(), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register
