"""Activations as gates: from the exact pre-activation sum to a state code."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib.memory import Memory

from rchw.activation import Clip, PiecewiseLinear
from rchw.design import UnitLayer
from rchw.fixed import Overflow
from rchw.hdl.arith import clamp, requantize, select, shift_round

__all__ = ["activate", "increment", "leak", "leak_kinds"]


def activate(
    m: Module, layer: UnitLayer, total: Value, frac: int, name: str, clocked: bool
) -> Value:
    """State code of a pre-activation sum.

    Parameters
    ----------
    m : Module
    layer : UnitLayer
    total : Value
        Exact sum with `frac` fraction bits.
    clocked : bool
        Insert one register in the middle, for piecewise-linear and table; clip has none.

    Latency
    -------
    1 clock if `clocked` and the activation is not a clip, else 0.
    """
    activation = layer.activation
    state = layer.state
    if isinstance(activation, Clip):
        z = shift_round(total, frac - state.frac, layer.rounding)
        return clamp(m, z, activation.low, activation.high, f"{name}_clip")
    if isinstance(activation, PiecewiseLinear):
        return _piecewise(m, layer, activation, total, frac, name, clocked)
    index = requantize(
        m,
        total,
        frac - activation.index.frac,
        activation.index,
        layer.rounding,
        Overflow.SATURATE,
        f"{name}_index",
    )
    # The table is addressed by the raw bits of the index: negative codes sit in the upper half.
    half = 1 << (activation.index.width - 1)
    entries = activation.entries[half:] + activation.entries[:half]
    memory: Memory = Memory(shape=signed(state.width), depth=len(entries), init=entries)
    m.submodules[f"{name}_table"] = memory
    port = memory.read_port(domain="sync" if clocked else "comb")
    m.d.comb += port.addr.eq(index)
    entry: Value = port.data
    return entry


def _piecewise(
    m: Module,
    layer: UnitLayer,
    activation: PiecewiseLinear,
    total: Value,
    frac: int,
    name: str,
    clocked: bool,
) -> Value:
    rounded = shift_round(total, frac - layer.state.frac, layer.rounding)
    z = Signal(signed(len(rounded) + 1), name=f"{name}_z")
    m.d.comb += z.eq(rounded)
    pieces = [
        shift_round(z, shift, layer.rounding) + offset for _, shift, offset in activation.segments
    ]
    chosen = pieces[0]
    for (start, _, _), piece in zip(activation.segments[1:], pieces[1:], strict=True):
        assert start is not None
        chosen = Mux(z >= start, piece, chosen)
    linear = Signal(signed(max(len(piece) for piece in pieces) + 1), name=f"{name}_line")
    m.d["sync" if clocked else "comb"] += linear.eq(chosen)
    return clamp(m, linear, activation.low, activation.high, f"{name}_clip")


def leak(m: Module, layer: UnitLayer, old: Value, target: Value, kind: Value, name: str) -> Value:
    """``old + (target - old) * 2**-S``, rounded; never outside the two.

    `kind` tells which of `leak_kinds` is the S of the unit.
    """
    way = target - old
    steps = [shift_round(way, shift, layer.rounding) for shift in leak_kinds(layer)]
    return old + select(m, kind, steps, f"{name}_way")


def leak_kinds(layer: UnitLayer) -> list[int]:
    """Leak shifts that occur in the layer, ascending."""
    return sorted(set(layer.leak_shifts))


def increment(m: Module, layer: UnitLayer, old: Value, product: Value, name: str) -> Value:
    """``old + product``, rounded and saturated; the product is that of a target and a step."""
    assert layer.step is not None
    moved = old + shift_round(product, layer.step.format.frac, layer.rounding)
    return clamp(m, moved, layer.state.min, layer.state.max, f"{name}_state")
