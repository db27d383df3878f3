"""The folded readout: M multipliers, exact accumulators, one rounding at the end."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Block, Design
from rchw.fixed import Overflow
from rchw.hdl.answers import NOWHERE, greatest, held_place, segment_address
from rchw.hdl.arith import add_apart, requantize, select
from rchw.hdl.clocks import INPUTS, SQUARES, STATES, ReadoutClock, readout_clocks
from rchw.hdl.counter import countdown, delayed
from rchw.hdl.ports import OutputQueue, output_layout
from rchw.hdl.rom import Fields
from rchw.hdl.totals import Flags, accumulate, counted, round_outputs
from rchw.ranges import Interval, readout_ranges
from rchw.schedule import answer_clocks, layer_passes, schedule

__all__ = ["FoldedReadout"]


class FoldedReadout(wiring.Component):
    """Multiplies features as the words of the state pass come out.

    Members
    -------
    advance : In(1)
        A clock of the readout begins: its weights are addressed now.
    states : In(P * width)
        State codes of the word in work, two clocks after `advance`; of layers in series those of
        each, one after the other.
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
        self._plan, self._last = schedule(design), layer_passes(design)[-1]
        self._ranges = readout_ranges(design)
        self._clocks = readout_clocks(design)
        self._late = 2 if any(block.kind == "squares" for block in design.blocks) else 0
        self._arrived: Value | None = None
        width = sum(channel.format.width for channel in design.inputs)
        super().__init__(
            {
                "advance": In(1),
                "states": In(sum(layer.lanes * layer.state.width for layer in design.layers)),
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
        layer = early.add("layer", [clock.layer for clock in order])
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
        operands, flags, weights = self._operands(m, source, (layer, group), flags, weights)
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
        keep = delayed(m, self.reserve, self._last.waits and 1 + self._last.read_register, "keep")[
            -1
        ]
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
        plan = self._last
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
        self,
        m: Module,
        source: Value,
        where: tuple[Value, Value],
        flags: Flags,
        weights: list[Value],
    ) -> tuple[list[Signal], Flags, list[Value]]:
        """Register the features of this clock, aligned to one fraction."""
        plan = self._plan
        taken = self._units(m, *where)
        squares: list[Value] = []
        if self._late:
            # A register on each side of the multiplier belongs to it.
            taken = [_clocked(m, x, f"taken_{g}") for g, x in enumerate(taken)]
            squares = [_clocked(m, x * x, f"squared_{g}") for g, x in enumerate(taken)]
            taken = [_clocked(m, x, f"waiting_{g}") for g, x in enumerate(taken)]
        features = self._features(m, taken, squares)
        inputs = self._inputs(m)
        slots = []
        for slot in range(self._plan.operands):
            g = slot % plan.group
            if plan.paired:
                choices = {STATES: (features[STATES] + features[SQUARES])[slot]}
            else:
                choices = {kind: values[g] for kind, values in features.items()}
            for turn, codes in enumerate(inputs):
                if slot < plan.group:
                    choices[INPUTS + 2 * (len(self._design.layers) - 1) + turn] = codes[g]
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

    def _units(self, m: Module, number: Value, group: Value) -> list[Value]:
        """States of G units of the word in work."""
        plan, first = self._plan, 0
        found: list[list[Value]] = []
        for place, layer in enumerate(self._design.layers):
            width, end = layer.state.width, first + layer.lanes * layer.state.width
            lanes = [self.states[k : k + width].as_signed() for k in range(first, end, width)]
            prefix = f"unit_{place}_" if place else "unit_"
            found.append(
                [
                    select(m, group, lanes[g :: plan.group], f"{prefix}{g}")
                    for g in range(plan.group)
                ]
            )
            first = end
        return [
            select(m, number, [units[g] for units in found], f"of_layers_{g}")
            for g in range(plan.group)
        ]

    def _features(
        self, m: Module, taken: Sequence[Value], squares: Sequence[Value]
    ) -> dict[int, list[Value]]:
        """States and squares of G units, as those of every layer that has them, by their source."""
        found = {}
        for block in self._design.blocks:
            if block.kind == "states":
                shift = self._ranges.shifts[block.key]
                found[STATES + 2 * block.layer] = [x << shift for x in taken]
            if block.kind == "squares":
                found[SQUARES + 2 * block.layer] = [
                    self._square(m, x, block, g) for g, x in enumerate(squares)
                ]
        return found

    def _operand_interval(self) -> Interval:
        ranges, hull = self._ranges, Interval(0, 0)
        for number, layer in enumerate(self._design.layers):
            # A padding lane may hold any state code: its weight is zero, but its sign must not
            # spill.
            shift = ranges.shifts.get(f"states_{number}" if number else "states", 0)
            hull = hull.hull(Interval.of(layer.state).scale(1 << shift))
        for block in self._design.blocks:
            if block.kind in ("squares", "inputs"):
                hull = hull.hull(ranges.features[block.key].scale(1 << ranges.shifts[block.key]))
        return hull

    def _square(self, m: Module, square: Value, block: Block, g: int) -> Value:
        design = self._design
        code = requantize(
            m,
            square,
            2 * design.layers[block.layer].state.frac - block.format.frac,
            block.format,
            design.features.of_layers[block.layer].square_rounding,
            Overflow.SATURATE,
            f"square_{block.layer}_{g}" if block.layer else f"square_{g}",
        )
        return code << self._ranges.shifts[block.key]

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
