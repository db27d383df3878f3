"""The folded readout: M multipliers, exact accumulators, one rounding at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design
from rchw.fixed import Overflow
from rchw.hdl.arith import add_tree, requantize, select
from rchw.hdl.ports import OutputQueue, output_layout
from rchw.hdl.rom import Fields
from rchw.ranges import Interval, ReadoutRanges, readout_ranges
from rchw.schedule import schedule

__all__ = ["FoldedReadout", "ReadoutClock", "readout_clocks", "round_outputs"]

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
            channels = [
                base + k if k < design.n_inputs else None for k in range(start, start + plan.group)
            ]
            add(channels + [None] * plan.group * plan.paired, INPUTS + turn, 0)
    return clocks


def round_outputs(
    m: Module, design: Design, ranges: ReadoutRanges, totals: Sequence[Value]
) -> list[Value]:
    """Output codes of the exact sums."""
    readout = design.readout
    return [
        requantize(
            m,
            total,
            ranges.frac - output.format.frac,
            output.format,
            readout.rounding,
            readout.overflow,
            f"round_{output.name}",
        )
        for total, output in zip(totals, readout.outputs, strict=True)
    ]


class FoldedReadout(wiring.Component):
    """Multiplies features as the words of the state pass come out.

    Members
    -------
    advance : In(1)
        The next clock is one of the readout: its weights are addressed now.
    states : In(P * width)
        State codes of the word in work, in the clock after `advance`.
    inputs : In(K * width), last : In(1)
        Of the sample in work, valid with its first word.
    reserve : In(1), free : Out(1)
        Room for one result: taken by the sequencer, given back when a result leaves.
    o : Out(stream of `output_layout`)

    Latency
    -------
    From `advance` of a sample's last clock to its beat: 6 clocks, one more where several products
    are added per clock, one more with squares.

    Throughput
    ----------
    ``len(readout_clocks(design))`` clocks per sample.
    """

    def __init__(self, design: Design) -> None:
        self._design = design
        self._plan = schedule(design)
        self._ranges = readout_ranges(design)
        self._clocks = readout_clocks(design)
        super().__init__(
            {
                "advance": In(1),
                "states": In(design.layer.lanes * design.layer.state.width),
                "inputs": In(sum(channel.format.width for channel in design.inputs)),
                "last": In(1),
                "reserve": In(1),
                "free": Out(1),
                "o": Out(stream.Signature(output_layout(design))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        design, plan, count = self._design, self._plan, len(self._clocks)
        address = Signal(range(max(count, 2)))
        done = address == count - 1
        with m.If(self.advance):
            m.d.sync += address.eq(Mux(done, 0, address + 1))
        fields = Fields(count)
        flags = _Flags(
            valid=self.advance,
            begins=self.advance & (address == 0),
            done=self.advance & done,
            ending=address >= count - plan.hold,
            turn=fields.add("turn", [clock.hold for clock in self._clocks]),
            last=Const(0),
        )
        weights = self._weights(fields)
        source = fields.add("source", [clock.source for clock in self._clocks])
        group = fields.add("group", [clock.group for clock in self._clocks])
        fields.build(m, "weights", address)
        flags = flags.delayed(m, "states", turn=False)  # the fields are late by themselves

        # The next sample may begin before this one is done, so its flag travels with the products.
        held = Signal(name="last_held")
        last = Signal(name="last_taken")
        m.d.comb += last.eq(Mux(flags.begins, self.last, held))
        m.d.sync += held.eq(last)
        flags = replace(flags, last=last)
        operands, flags, weights = self._operands(m, source, group, flags, weights)
        products, flags = self._products(m, operands, weights, flags)
        totals, flags = self._accumulate(m, products, flags)
        queue = OutputQueue(design, latency=self._latency(), period=plan.clocks)
        m.submodules.queue = queue
        m.d.comb += [
            queue.reserve.eq(self.reserve),
            self.free.eq(queue.free),
            queue.push.eq(flags.done),
            queue.payload.last.eq(flags.last),
        ]
        rounded = round_outputs(m, design, self._ranges, totals)
        for output, code in zip(design.readout.outputs, rounded, strict=True):
            m.d.comb += queue.payload[output.name].eq(code)
        wiring.connect(m, queue.o, wiring.flipped(self.o))
        return m

    def _latency(self) -> int:
        """Clocks from the sequencer's last to the earliest clock in which a result can leave."""
        extra = (self._design.features.squares is not None) + (self._operand_count() > 1)
        return self._plan.loop_latency + 5 + extra

    def _operand_count(self) -> int:
        return self._plan.group * (2 if self._plan.paired else 1)

    def _weights(self, fields: Fields) -> list[Value]:
        """One field per multiplier: operand-major, then the outputs served in one clock."""
        rows = self._design.readout.weights
        per_clock = self._design.n_outputs // self._plan.hold
        weights = []
        for slot in range(self._operand_count()):
            for position in range(per_clock):
                column = []
                for clock in self._clocks:
                    feature = clock.features[slot]
                    output = clock.hold * per_clock + position
                    column.append(0 if feature is None else rows[output][feature])
                weights.append(fields.add(f"weight_{slot}_{position}", column))
        return weights

    def _operands(
        self, m: Module, source: Value, group: Value, flags: "_Flags", weights: list[Value]
    ) -> tuple[list[Signal], "_Flags", list[Value]]:
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
        inputs = self._inputs(m, flags.begins)
        if features.squares is not None:
            taken = [_clocked(m, x, f"taken_{g}") for g, x in enumerate(taken)]
            source = _clocked(m, source, "source_taken")
            flags = flags.delayed(m, "taken")
            weights = [_clocked(m, w, f"weight_taken_{k}") for k, w in enumerate(weights)]
        plain = [x << ranges.shifts["states"] for x in taken] if features.states else []
        squared = [self._square(m, x, g) for g, x in enumerate(taken)] if features.squares else []
        slots = []
        for slot in range(self._operand_count()):
            g = slot % plan.group
            if plan.paired:
                choices = {STATES: (plain + squared)[slot]}
            else:
                choices = {kind: values[g] for kind, values in ((STATES, plain), (SQUARES, squared))
                           if values}
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

    def _square(self, m: Module, x: Value, g: int) -> Value:
        design = self._design
        squares = design.features.squares
        assert squares is not None
        code = requantize(
            m,
            x * x,
            2 * design.layer.state.frac - squares.frac,
            squares,
            design.features.square_rounding,
            Overflow.SATURATE,
            f"square_{g}",
        )
        return code << self._ranges.shifts["squares"]

    def _inputs(self, m: Module, begins: Value) -> list[list[Value]]:
        """Input codes as features, in groups of G; held while the next sample is under way."""
        design, plan = self._design, self._plan
        if not design.features.inputs:
            return []
        fmt = design.inputs[0].format
        held = Signal(len(self.inputs), name="inputs_held", reset_less=True)
        with m.If(begins):
            m.d.sync += held.eq(self.inputs)
        codes: list[Value] = []
        for k in range(design.n_inputs):
            raw = held[k * fmt.width : (k + 1) * fmt.width]
            codes.append((raw.as_signed() if fmt.signed else raw) << self._ranges.shifts["inputs"])
        codes += [codes[0]] * (-len(codes) % plan.group)
        return [codes[k : k + plan.group] for k in range(0, len(codes), plan.group)]

    def _products(
        self, m: Module, operands: list[Signal], weights: list[Value], flags: "_Flags"
    ) -> tuple[list[Value], "_Flags"]:
        """One product register per multiplier, then their sums over the operands."""
        per_clock = len(weights) // len(operands)
        products = [
            _clocked(m, operands[k // per_clock] * weight, f"product_{k}")
            for k, weight in enumerate(weights)
        ]
        flags = flags.delayed(m, "product")
        sums = [add_tree(products[position::per_clock]) for position in range(per_clock)]
        if len(operands) > 1:
            sums = [_clocked(m, value, f"sum_{k}") for k, value in enumerate(sums)]
            flags = flags.delayed(m, "sum")
        return sums, flags

    def _accumulate(
        self, m: Module, sums: Sequence[Value], flags: "_Flags"
    ) -> tuple[list[Value], "_Flags"]:
        """Add up; with a sample's last product hand the total over and start from the constant."""
        design, ranges = self._design, self._ranges
        totals: list[Value] = []
        for output in range(design.n_outputs):
            hold, position = divmod(output, len(sums))
            start = 0
            if design.features.one is not None:
                start = design.readout.weights[output][-1] << ranges.shifts["one"]
            width = ranges.accumulators[output].hull(Interval(start, start)).width
            accumulator = Signal(signed(width), name=f"accumulator_{output}", init=start)
            total = Signal(signed(width), name=f"total_{output}", reset_less=True)
            grown = Signal(signed(width), name=f"grown_{output}")
            m.d.comb += grown.eq(accumulator + sums[position])
            with m.If(flags.valid & (flags.turn == hold)):
                m.d.sync += accumulator.eq(grown)
                with m.If(flags.ending):
                    m.d.sync += [accumulator.eq(start), total.eq(grown)]
            totals.append(total)
        return totals, flags.delayed(m, "total")


@dataclass(frozen=True)
class _Flags:
    """What accompanies a clock of the readout down its pipeline."""

    valid: Value
    begins: Value
    done: Value
    ending: Value
    turn: Value
    last: Value

    def delayed(self, m: Module, name: str, turn: bool = True) -> "_Flags":
        """Copies one clock later; unused ones vanish in synthesis."""
        copies = {}
        for key in ("valid", "begins", "done", "ending", "turn", "last"):
            value = getattr(self, key)
            if isinstance(value, Const) or (key == "turn" and not turn):
                copies[key] = value
                continue
            copy = Signal(len(value), name=f"{key}_{name}")
            m.d.sync += copy.eq(value)
            copies[key] = copy
        return _Flags(**copies)


def _clocked(m: Module, value: Value, name: str) -> Signal:
    """Plain register without reset, of the value's own shape."""
    register = Signal(value.shape(), name=name, reset_less=True)
    m.d.sync += register.eq(value)
    return register
