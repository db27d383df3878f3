"""What kinds of design a test has met, so that it can be shown to have met them all."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace

from rchw.activation import Clip, PiecewiseLinear, Table
from rchw.design import Design, ExternalLayer, LevelInput, LinearInput
from rchw.fixed import Overflow
from rchw.ranges import layer_ranges
from rchw.schedule import schedule

__all__ = ["count_kinds", "families", "kinds", "made_parallel", "shape"]


def families(design: Design) -> list[str]:
    """Classes of a design of any family, to be counted."""
    form = "parallel" if schedule(design).parallel else "folded"
    layers = design.layers
    names = {"external" if isinstance(x, ExternalLayer) else x.family for x in layers}
    return ["designs", form, *sorted(names)]


def kinds(design: Design) -> dict[str, bool]:
    """Which classes a design belongs to."""
    plan, layer, features, readout = (
        schedule(design), design.ring, design.features, design.readout,
    )  # fmt: skip
    n, lanes, folded = layer.n_units, layer.lanes, not plan.parallel
    return {
        "parallel": plan.parallel,
        "parallel of several units": plan.parallel and n > 1,
        "one unit": n == 1,
        "one lane": folded and lanes == 1 < n,
        "lanes divide units": folded and 1 < lanes < n and n % lanes == 0,
        "lanes do not divide units": folded and n % lanes != 0,
        "all lanes, folded readout": folded and 1 < lanes == n,
        "busy time decides": folded and plan.clocks == plan.busy,
        "loop decides": folded and plan.clocks > plan.busy,
        "register behind the memories": plan.read_register,
        "several clocks per feature": plan.hold > 1,
        "several features per clock": folded and plan.group > 1,
        "state and square together": plan.paired,
        "squares": features.squares is not None,
        "squares without states": not features.states,
        "inputs as features": features.inputs,
        "no constant feature": features.one is None,
        "clip": isinstance(layer.activation, Clip),
        "sum never clipped": isinstance(layer.activation, Clip) and never_clipped(design),
        "piecewise-linear": isinstance(layer.activation, PiecewiseLinear),
        "table": isinstance(layer.activation, Table),
        "leak": layer.update == "leaky",
        "leaks that differ": len(set(layer.leak_shifts)) > 1,
        "gain": layer.gain is not None,
        "step of Euler": layer.step is not None,
        "level input": any(isinstance(entry, LevelInput) for entry in layer.inputs),
        "units of opposite sign": mirrored(design),
        "unsigned input": any(not channel.format.signed for channel in design.inputs),
        "8 channels": design.n_inputs == 8,
        "16 outputs": design.n_outputs == 16,
        "no taps": not layer.taps,
        "several taps": len(layer.taps) > 1,
        "initial state": any(layer.initial_state),
        "wrapping outputs": readout.overflow is Overflow.WRAP,
        "state runs on after tlast": not design.reset_on_last,
        "state of 16 bits and more": layer.state.width >= 16,
    }


def never_clipped(design: Design) -> bool:
    """Whether every sum fits the state's own format, so that the clip has no bit to look at."""
    ranges, state = layer_ranges(design), design.ring.state
    drop = ranges.frac - state.frac
    return all(
        state.min <= total.low >> drop and (total.high >> drop) < state.max
        for total in ranges.accumulator
    )


def made_parallel(design: Design) -> Design:
    """The same with gates of its own for every unit and every product."""
    multipliers = design.n_products * design.n_outputs
    return replace(
        design,
        layers=(replace(design.ring, lanes=design.n_units),),
        readout=replace(design.readout, multipliers=multipliers),
    )


def shape(design: Design) -> Hashable:
    """What must differ for two designs to count as two: not only some of the tables' codes."""
    layer, readout = design.ring, design.readout
    return (
        layer.n_units,
        layer.lanes,
        readout.multipliers,
        layer.state,
        type(layer.activation),
        layer.leak_shift,
        layer.update,
        None if layer.gain is None else layer.gain.format,
        tuple(tap.offset for tap in layer.taps),
        tuple(type(entry) for entry in layer.inputs),
        tuple(channel.format for channel in design.inputs),
        tuple(output.format for output in readout.outputs),
        design.features,
    )


def mirrored(design: Design) -> bool:
    """Whether some unit gets the negative of what another gets from inputs and bias."""
    if any(isinstance(entry, LevelInput) for entry in design.ring.inputs):
        return False
    weights = [entry.weights for entry in design.ring.inputs if isinstance(entry, LinearInput)]
    rows = set(zip(*weights, design.ring.bias, strict=True))
    return any(any(row) and tuple(-code for code in row) in rows for row in rows)


def count_kinds(designs: list[Design]) -> Counter[str]:
    """How many designs belong to each class, classes without any included."""
    counts: Counter[str] = Counter()
    for design in designs:
        counts.update({kind: int(member) for kind, member in kinds(design).items()})
    return counts
