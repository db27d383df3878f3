"""The parallel circuit: every unit and every product its own gates, one sample per clock."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from rchw.design import Design, ExternalLayer, Stage
from rchw.fixed import Overflow
from rchw.hdl.activation import activate, increment, leak, leak_kinds
from rchw.hdl.answers import greatest, places
from rchw.hdl.arith import add_tree, digits, requantize, select, times
from rchw.hdl.drive import lane_drives
from rchw.hdl.ports import input_layout, output_layout
from rchw.hdl.rom import Fields
from rchw.hdl.totals import constant, output_interval, output_start, round_outputs
from rchw.ranges import Interval, layer_ranges, readout_ranges

__all__ = ["ParallelCore"]


class ParallelCore(wiring.Component):
    """Layer with P = N and readout with M = F * L, all weights constants in the gates.

    Members
    -------
    i : In(stream of `input_layout`)
    o : Out(stream of `output_layout`)
        While it is full and not ready, everything stands still; where a sequence has one answer,
        not before the next one comes.

    Latency
    -------
    `rchw.schedule.latency`: 6 clocks (4 where the states come from outside, 2 more for each further
    layer), and one for every two levels of the adder tree over the features with a weight, and the
    clocks of the answer.

    Throughput
    ----------
    One sample per clock.

    Reference
    ---------
    `rchw.reference.run`
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, design: Design) -> None:
        self.design = design
        super().__init__(
            {
                "i": In(stream.Signature(input_layout(design))),
                "o": Out(stream.Signature(output_layout(design))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Build the circuit."""
        m = Module()
        design = self.design
        go = Signal()
        if not design.readout.pooled:
            m.d.comb += go.eq(~self.o.valid | self.o.ready)
        m.d.comb += self.i.ready.eq(go)
        pipe = _Pipeline(m, go, self.i.valid, self.i.payload.last)
        inputs: list[Value] = [
            pipe.register(self.i.payload[channel.name], channel.name) for channel in design.inputs
        ]
        states: list[list[Signal]] = []
        if isinstance(design.layers[0], ExternalLayer):
            channels = design.layers[0].channels
            states = [[pipe.register(self.i.payload[c.name], c.name) for c in channels]]
        fed = [pipe.register(self.i.payload[channel.name], channel.name) for channel in design.fed]
        pipe.step()
        for number, stage in enumerate(design.stages):
            part = m
            if len(design.stages) > 1:
                m.submodules[f"layer_{number}"] = part = Module()
            states, inputs = self._driven(m, part, pipe, stage, states, inputs, fed)
        totals = self._readout(m, pipe, states, inputs)
        codes = round_outputs(m, design, readout_ranges(design), totals)
        if design.readout.argmax:
            codes = [greatest(codes, pipe.register, pipe.step)]
        if design.readout.pooled:
            # What has no answer passes by one that waits.
            taken = pipe.valid & pipe.last
            m.d.comb += go.eq(~self.o.valid | self.o.ready | ~taken)
            with m.If(self.o.ready):
                m.d.sync += self.o.valid.eq(0)
            loads = go & taken
        else:
            loads = go
        with m.If(loads):
            m.d.sync += [self.o.valid.eq(pipe.valid), self.o.payload.last.eq(pipe.last)]
            for output, code in zip(design.readout.answers, codes, strict=True):
                m.d.sync += self.o.payload[output.name].eq(code)
        return m

    def _driven(
        self,
        m: Module,
        part: Module,
        pipe: "_Pipeline",
        stage: Stage,
        states: list[list[Signal]],
        inputs: list[Value],
        returned: Sequence[Value],
    ) -> tuple[list[list[Signal]], list[Value]]:
        """A further layer's states two clocks later, and what belongs to them, as late.

        What the layer adds goes into `part`. Its drive holds what earlier layers feed.
        """
        stage = stage.expanded
        columns = [[unit] for unit in range(stage.n_units)]
        feeds = self.design.stages[len(states)].feeds
        seen = [inputs[place] for place in stage.places]
        seen += [x for feed in feeds for x in states[feed.source]]
        ranges = layer_ranges(stage)
        drives = [
            value
            for value, _ in lane_drives(
                part,
                stage,
                ranges,
                [*seen, *returned],
                pipe.go,
                Fields(1),
                columns,
                stage.n_units,
            )
        ]
        states, inputs = self._kept(pipe, states, inputs, "driven")
        # A layer has the states that it reads among its ports: their names must differ.
        tag = "" if part is m else f"{len(states)}_"
        new = self._ring(part, pipe, stage, drives, tag)
        states, inputs = self._kept(pipe, states, inputs, "used")
        return [*states, new], inputs

    def _kept(
        self, pipe: "_Pipeline", states: list[list[Signal]], inputs: list[Value], name: str
    ) -> tuple[list[list[Signal]], list[Value]]:
        """The same one clock later, which begins."""
        later: list[Value] = [
            pipe.register(code, f"{c.name}_{name}")
            for code, c in zip(inputs, self.design.inputs, strict=True)
        ]
        kept = [
            [pipe.register(x, f"x{number}_{unit}_{name}") for unit, x in enumerate(layer)]
            for number, layer in enumerate(states)
        ]
        pipe.step()
        return kept, later

    def _ring(
        self, m: Module, pipe: "_Pipeline", stage: Stage, drives: Sequence[Value], tag: str
    ) -> list[Signal]:
        """State registers and the loop that must close in one clock."""
        layer, ranges = stage.layer, layer_ranges(stage)
        n = layer.n_units
        first = Signal(init=1)
        if stage.reset_on_last:
            with m.If(pipe.go & pipe.valid):
                m.d.sync += first.eq(pipe.last)
        else:
            with m.If(pipe.go & pipe.valid):
                m.d.sync += first.eq(0)
        states = [
            Signal(signed(layer.state.width), name=f"x{tag}{i}", reset_less=True) for i in range(n)
        ]
        for i in range(n):
            taps = [
                (times(states[j], weight), layer.initial_state[j] * weight, weight)
                for j, weight in layer.connections[i]
            ]
            parts = [product << ranges.tap_shift for product, _, _ in taps]
            start = sum(initial for _, initial, _ in taps) << ranges.tap_shift
            total = Signal(signed(ranges.summed[i].width), name=f"total_{i}")
            if not parts:
                summed = drives[i]
            elif len(parts) == 1 and len(digits(taps[0][2])) == 1:
                # Behind the only addition the choice fits into its LUTs; what is chosen is shared.
                fresh = drives[i] + start if start else drives[i]
                summed = Mux(first, fresh, parts[0] + drives[i])
            else:
                # Between two additions it fits as well, and keeps Yosys from joining them to one
                # sum of three, which takes three LUTs per bit where two additions take two.
                summed = Mux(first, start, add_tree(parts)) + drives[i]
            m.d.comb += total.eq(summed)
            biased: Value = total
            if layer.gain is not None:
                scaled = times(total, layer.gain.codes[i]) << ranges.gain_shift
                biased = Signal(signed(ranges.accumulator[i].width), name=f"biased_{i}")
                m.d.comb += biased.eq(scaled + (layer.bias[i] << ranges.bias_shift))
            target = activate(m, layer, biased, ranges.frac, f"unit_{i}", clocked=False)
            old = Mux(first, layer.initial_state[i], states[i])
            if layer.step is not None:
                moved = times(target, layer.step.codes[i])
                target = increment(m, layer, old, moved, f"unit_{i}")
            elif layer.remembers:
                kind = Const(leak_kinds(layer).index(layer.leak_shifts[i]))
                target = leak(m, layer, old, target, kind, f"unit_{i}")
            with m.If(pipe.go & pipe.valid):
                m.d.sync += states[i].eq(target)
        return states

    def _readout(
        self, m: Module, pipe: "_Pipeline", states: list[list[Signal]], inputs: list[Value]
    ) -> list[Value]:
        """Products with constants as shifts and additions, summed two tree levels per clock."""
        design, ranges = self.design, readout_ranges(self.design)
        values: list[Value] = []
        for block in design.blocks:
            layer = design.layers[block.layer]
            number = f"{block.layer}_" if block.layer else ""
            if block.kind == "states":
                values += [
                    pipe.register(x << ranges.shifts[block.key], f"f{number}{i}")
                    for i, x in enumerate(states[block.layer])
                ]
            if block.kind == "squares":
                for i, x in enumerate(states[block.layer]):
                    code = requantize(
                        m,
                        x * x,
                        2 * layer.state.frac - block.format.frac,
                        block.format,
                        design.features.of_layers[block.layer].square_rounding,
                        Overflow.SATURATE,
                        f"square_{number}{i}",
                    )
                    values.append(pipe.register(code << ranges.shifts[block.key], f"s{number}{i}"))
            if block.kind == "inputs":
                values += [
                    pipe.register(u << ranges.shifts["inputs"], f"v{k}")
                    for k, u in enumerate(inputs)
                ]
        pipe.step()
        adds: Value = Const(1)
        segment: Value = Const(0)
        if design.readout.segments is not None:
            adds, segment = places(m, design.readout.segments, pipe.go & pipe.valid, pipe.last)
        sums = []
        for output, rows in enumerate(zip(*design.readout.by_segment, strict=True)):
            sums.append(
                [
                    pipe.register(_weighted(m, value, weights, segment, name), name)
                    for k, (value, weights) in enumerate(
                        zip(values, zip(*rows, strict=True), strict=False)
                    )
                    if any(weights)
                    for name in [f"product_{output}_{k}"]
                ]
            )

        def step() -> None:
            nonlocal adds, segment
            if design.readout.sums:
                adds, segment = pipe.register(adds, "adds_held"), pipe.register(segment, "held")
            pipe.step()

        step()
        depth = 0
        while any(len(terms) > 1 for terms in sums):
            depth += 1
            sums = [
                [
                    pipe.register(add_tree(terms[k : k + 4]), f"sum_{depth}_{output}_{k}")
                    for k in range(0, len(terms), 4)
                ]
                for output, terms in enumerate(sums)
            ]
            step()
        if design.readout.sums:
            return self._over_samples(m, pipe, [add_tree(terms) for terms in sums], adds, segment)
        totals: list[Value] = []
        for output, terms in enumerate(sums):
            start = output_start(design, ranges, output)
            width = output_interval(design, ranges, output).width
            total = Signal(signed(width), name=f"total_out_{output}")
            m.d.comb += total.eq(add_tree(terms) + start)
            totals.append(total)
        return totals

    def _over_samples(
        self, m: Module, pipe: "_Pipeline", sums: list[Value], adds: Value, segment: Value
    ) -> list[Value]:
        """Sums over the samples of a sequence, this one included; one clock."""
        design, ranges = self.design, readout_ranges(self.design)
        terms = []
        for output, total in enumerate(sums):
            counted = Mux(adds, total + constant(m, design, ranges, output, segment), 0)
            terms.append(pipe.register(counted, f"counted_{output}"))
        pipe.step()
        totals: list[Value] = []
        for output, term in enumerate(terms):
            start = output_start(design, ranges, output)
            width = signed(output_interval(design, ranges, output).width)
            held = Signal(width, name=f"held_out_{output}", init=start)
            total = Signal(width, name=f"total_out_{output}")
            m.d.comb += total.eq(held + term)
            with m.If(pipe.go & pipe.valid):
                m.d.sync += held.eq(Mux(pipe.last, start, total))
            totals.append(total)
        return totals


def _weighted(m: Module, value: Value, weights: Sequence[int], segment: Value, name: str) -> Value:
    """Product with the weight of a segment: of one, or of equal ones, shifts and additions."""
    if len(set(weights)) == 1:
        return times(value, weights[0])
    width = max(Interval(weight, weight).width for weight in weights)
    codes = [Const(weight, signed(width)) for weight in weights]
    return value * select(m, segment, codes, f"{name}_weight").as_signed()


class _Pipeline:
    """Registers that move together, and the valid and last bits that move with them."""

    def __init__(self, m: Module, go: Value, valid: Value, last: Value) -> None:
        self._m, self.go = m, go
        self.valid, self.last = valid, last
        self._stage = 0

    def register(self, value: Value, name: str) -> Signal:
        register = Signal(value.shape(), name=f"{name}_{self._stage}", reset_less=True)
        with self._m.If(self.go):
            self._m.d.sync += register.eq(value)
        return register

    def step(self) -> None:
        """Delay valid and last by the clock of the registers just made."""
        valid, last = Signal(name=f"valid_{self._stage}"), Signal(name=f"last_{self._stage}")
        with self._m.If(self.go):
            self._m.d.sync += [valid.eq(self.valid), last.eq(self.last)]
        self.valid, self.last = valid, last
        self._stage += 1
