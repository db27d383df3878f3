"""One lane of the folded circuit, from what other units feed to its new state."""

from collections.abc import Sequence
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed

from rchw.activation import Clip
from rchw.design import Design, Stage, UnitCodes
from rchw.hdl.activation import activate, increment, leak, leak_kinds
from rchw.hdl.arith import select, times
from rchw.hdl.rom import Fields
from rchw.ranges import Interval, layer_ranges

__all__ = ["Lane"]

MAX_MUXED_WEIGHTS = 4


@dataclass(frozen=True)
class Lane:
    """A lane, whose unit changes from word to word.

    Attributes
    ----------
    m : Module
    design : Design or Stage
    number : int
    column : sequence of int
        Its unit in each word.
    fields : Fields
        Constants of the word.
    """

    m: Module
    design: Design | Stage
    number: int
    column: Sequence[int]
    fields: Fields

    def field(self, name: str, values: Sequence[int], late: int = 0) -> Value:
        """A constant of the word, some clocks late, by when the next word has replaced it."""
        name = f"{name}_{self.number}"
        value = self.fields.add(name, values)
        if isinstance(value, Const):
            return value
        for clock in range(late):
            held = Signal(value.shape(), name=f"{name}_{clock}", reset_less=True)
            self.m.d.sync += held.eq(value)
            value = held
        return value

    def initial(self) -> Value:
        """Sum of the products of all connections with the initial state."""
        layer = self.design.stage.layer
        sums = [
            sum(layer.initial_state[j] * weight for j, weight in layer.connections[unit])
            for unit in self.column
        ]
        return self.field("initial", sums)

    def times(self, value: Value, weights: Sequence[int], name: str, late: int = 0) -> Value:
        """Product with the weight of the word, which is as many clocks late as the value is."""
        kinds = sorted(set(weights))
        if len(kinds) > MAX_MUXED_WEIGHTS:
            return value * self.field(name, weights, late)
        index = self.field(name, [kinds.index(weight) for weight in weights], late)
        products = [times(value, weight) for weight in kinds]
        return select(self.m, index, products, f"product_{name}_{self.number}")

    def update(self, fed: Value, old: Value, drive: tuple[Value, Value], first: Value) -> Value:
        """New state of the unit, as many clocks later as the loop has stages for it.

        Parameters
        ----------
        fed : Value
            What other units add, aligned to the sum.
        old : Value
            State of the unit before.
        drive : Value, Value
            From `rchw.hdl.drive.lane_drives`.
        first : Value
            The old state is the initial one.
        """
        m, layer, ranges = self.m, self.design.stage.layer, layer_ranges(self.design)
        units = sorted(set(self.column))
        taps = self._register(fed, _hull([ranges.taps[u] for u in units]), "taps")
        value, carry = drive
        driving = _hull([ranges.drive[u] for u in units])
        if not (isinstance(carry, Const) and carry.value == 0):
            driving = Interval(driving.low - 1, driving.high)  # as the carry is not in it yet
        driven = self._register(value, driving, "driven")
        if not isinstance(carry, Const):
            held = Signal(name=f"carry_{self.number}", reset_less=True)
            m.d.sync += held.eq(carry)
            carry = held
        # The carry enters below the lowest bit: one addition, where a sum of three would be two.
        summed = (Cat(Const(1, 1), taps).as_signed() + Cat(carry, driven).as_signed()) >> 1
        total: Value = self._register(summed, _hull([ranges.summed[u] for u in units]), "total")
        delay = 3  # clocks from the word to the target
        if layer.gain is not None:
            total = self._biased(total, layer.gain)
            delay += 2
        target = activate(m, layer, total, ranges.frac, f"unit_{self.number}", clocked=True)
        delay += not isinstance(layer.activation, Clip)
        return self._updated(target, old, first, delay) if layer.remembers else target

    def _updated(self, target: Value, source: Value, first: Value, delay: int) -> Value:
        """New state from the old one, which waits for its target."""
        m, layer, ranges = self.m, self.design.stage.layer, layer_ranges(self.design)
        start = self.field("old", [layer.initial_state[unit] for unit in self.column])
        delay += layer.step is not None
        old: Value = Mux(first, start, source)
        for stage in range(delay):
            held = Signal(signed(layer.state.width), name=f"old_{self.number}_{stage}")
            m.d.sync += held.eq(old)
            old = held
        name = f"unit_{self.number}"
        if layer.step is None:
            kinds = leak_kinds(layer)
            kind = self.field(
                "leak", [kinds.index(layer.leak_shifts[u]) for u in self.column], delay
            )
            target = self._register(target, ranges.state, "target")
            return leak(m, layer, old, target, kind, name)
        reached = Interval(*layer.activation.ends)
        target = self._register(target, reached, "target")
        sizes = [layer.step.codes[unit] for unit in self.column]
        moved = self.times(target, sizes, "step", delay - 1)
        product = self._register(moved, _hull([reached.scale(size) for size in sizes]), "moved")
        return increment(m, layer, old, product, name)

    def _biased(self, total: Value, gain: UnitCodes) -> Value:
        """Sum times gain, and the bias: two registers behind that of the sum."""
        ranges, layer = layer_ranges(self.design), self.design.stage.layer
        gains = [gain.codes[unit] for unit in self.column]
        pairs = zip(self.column, gains, strict=True)
        products = _hull([ranges.summed[unit].scale(code) for unit, code in pairs])
        scaled = self._register(self.times(total, gains, "gain", 2), products, "scaled")
        bias = self.field("bias", [layer.bias[unit] for unit in self.column], 3)
        biased = (scaled << ranges.gain_shift) + (bias << ranges.bias_shift)
        return self._register(biased, _hull([ranges.accumulator[u] for u in self.column]), "biased")

    def _register(self, value: Value, interval: Interval, name: str) -> Signal:
        register = Signal(signed(interval.width), name=f"{name}_{self.number}", reset_less=True)
        self.m.d.sync += register.eq(value)
        return register


def _hull(intervals: Sequence[Interval]) -> Interval:
    hull = intervals[0]
    for interval in intervals[1:]:
        hull = hull.hull(interval)
    return hull
