"""Faults in the numbers of a design: the circuit is built from the changed design.

The reference keeps the original. Every operator draws a place and changes what is there; where a
design has no such place it gives nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from rchw.activation import Clip, PiecewiseLinear, Table
from rchw.design import (
    Design,
    LevelInput,
    LinearInput,
    MatrixInput,
    MatrixLayer,
    RingLayer,
    TapsInput,
)
from rchw.fixed import Overflow, Rounding
from rchw.sim.mutate.feeds import Units, feed_weight, read_unit, with_input
from rchw.sim.mutate.picks import flip, pick, put, row_flipped, swapped, two

__all__ = ["NUMBERS", "Change", "operators"]

Change = Callable[[Design, np.random.Generator], tuple[str, Design] | None]
"""Draws where to change a design, in words, and gives the changed design; or nothing."""

ChangeLayer = Callable[[Design, Units, np.random.Generator], tuple[str, Units] | None]


def _input_weight(
    design: Design, layer: Units, rng: np.random.Generator
) -> tuple[str, Units] | None:
    if not layer.inputs:
        return None
    k = pick(rng, len(layer.inputs))
    entry = layer.inputs[k]
    if isinstance(entry, MatrixInput | TapsInput):
        fed = feed_weight(entry, rng)
        if fed is None:
            return None
        return f"{fed[0]} of layer {entry.source}", with_input(layer, k, fed[1])
    channels = {channel.name: channel for channel in design.inputs}
    channel = design.inputs[k] if entry.source is None else channels[entry.source]
    if isinstance(entry, LevelInput):
        kind = ("low", "high", "thresholds")[pick(rng, 3)]
        fmt = channel.format if kind == "thresholds" else entry.format
        where, row = flip(rng, getattr(entry, kind), fmt)
        changed = {"low": entry.low, "high": entry.high, "thresholds": entry.thresholds}
        changed |= {kind: row}
        parts = (changed["thresholds"], changed["low"], changed["high"])
        new = LevelInput(entry.format, *parts, source=entry.source)
        return f"{kind} of {channel.name}{where}", with_input(layer, k, new)
    where, row = flip(rng, entry.weights, entry.format)
    return f"weights of {channel.name}{where}", with_input(layer, k, replace(entry, weights=row))


def _tap_weight(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    if not isinstance(layer, RingLayer) or not layer.taps:
        return None
    k = pick(rng, len(layer.taps))
    tap = layer.taps[k]
    where, row = flip(rng, tap.weights, layer.tap_format)
    taps = (*layer.taps[:k], replace(tap, weights=row), *layer.taps[k + 1 :])
    return f"weights of tap {tap.offset}{where}", replace(layer, taps=taps)


def _tap_offset(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    if not isinstance(layer, RingLayer) or not layer.taps:
        return None
    k, step = pick(rng, len(layer.taps)), (-1, 1)[pick(rng, 2)]
    tap = layer.taps[k]
    offset = (tap.offset + step) % layer.n_units
    taps = (*layer.taps[:k], replace(tap, offset=offset), *layer.taps[k + 1 :])
    return f"tap {tap.offset} at {offset}", replace(layer, taps=taps)


def _matrix(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    if not isinstance(layer, MatrixLayer):
        return None
    matrix = layer.matrix
    if matrix.diagonal and pick(rng, 2):
        where, row = flip(rng, matrix.diagonal, matrix.format)
        changed = replace(layer, matrix=replace(matrix, diagonal=row))
        return f"diagonal of the matrix{where}", changed
    found = row_flipped(matrix, rng)
    return None if found is None else (found[0], replace(layer, matrix=found[1]))


def _bias(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units]:
    where, row = flip(rng, layer.bias, layer.bias_format)
    return f"bias{where}", replace(layer, bias=row)


def _initial_state(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units]:
    where, row = flip(rng, layer.initial_state, layer.state)
    return f"initial state{where}", replace(layer, initial_state=row)


def _readout_weight(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    readout, k = design.readout, pick(rng, design.n_outputs)
    where, row = flip(rng, readout.weights[k], readout.weight_format)
    rows = (*readout.weights[:k], row, *readout.weights[k + 1 :])
    name = readout.outputs[k].name
    return f"weights of {name}{where}", replace(design, readout=replace(readout, weights=rows))


def _rounding(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    layers = [("layer", k) for k in range(len(design.stages))]
    squares = [("squares", k) for k, part in enumerate(design.features.of_layers) if part.squares]
    places = [*layers, ("readout", 0), *squares]
    place, k = places[pick(rng, len(places))]
    new = list(Rounding)[pick(rng, len(Rounding))]
    if place == "layer":
        changed = _with_layer(design, k, replace(design.stages[k].layer, rounding=new))
    elif place == "readout":
        changed = replace(design, readout=replace(design.readout, rounding=new))
    elif k == 0:
        changed = replace(design, features=replace(design.features, square_rounding=new))
    else:
        part = replace(design.features.later[k - 1], square_rounding=new)
        later = (*design.features.later[: k - 1], part, *design.features.later[k:])
        changed = replace(design, features=replace(design.features, later=later))
    where = f"{place}: {new.value}"
    return (where if place == "readout" else _named(design, k, where)), changed


def _overflow(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    del rng
    old = design.readout.overflow
    new = Overflow.WRAP if old is Overflow.SATURATE else Overflow.SATURATE
    return f"readout: {new.value}", replace(design, readout=replace(design.readout, overflow=new))


def _rail(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    law, step = layer.activation, (-1, 1)[pick(rng, 2)]
    if isinstance(law, Table):
        return None
    side = ("low", "high")[pick(rng, 2)]
    low, high = law.low + step * (side == "low"), law.high + step * (side == "high")
    new = replace(law, low=low, high=high)
    changed = replace(layer, activation=new)
    return f"{side} end of the activation, {step:+d}", changed


def _leak(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    if layer.step is not None:
        return None
    old, by = layer.leak_shift, (-1, 1)[pick(rng, 2)]
    if not isinstance(old, tuple):
        return f"leak shift {old + by}", replace(layer, leak_shift=old + by)
    place = pick(rng, len(old))
    new = put(old, place, old[place] + by)
    return f"leak shift[{place}] {new[place]}", replace(layer, leak_shift=new)


def _gain(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    gain = layer.gain
    if gain is None:
        return None
    where, row = flip(rng, gain.codes, gain.format)
    return f"gain{where}", replace(layer, gain=replace(gain, codes=row))


def _step(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    step = layer.step
    if step is None:
        return None
    where, row = flip(rng, step.codes, step.format)
    return f"step{where}", replace(layer, step=replace(step, codes=row))


def _table(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    law = layer.activation
    if isinstance(law, Clip):
        return None
    new: PiecewiseLinear | Table
    if isinstance(law, Table):
        where, row = flip(rng, law.entries, layer.state)
        where, new = f"table{where}", replace(law, entries=row)
    else:
        j, field, step = pick(rng, len(law.segments)), pick(rng, 3), (-1, 1)[pick(rng, 2)]
        start, shift, offset = law.segments[j]
        if field == 0 and start is not None:
            start += step
        shift, offset = shift + step * (field == 1), offset + step * (field == 2)
        segments = (*law.segments[:j], (start, shift, offset), *law.segments[j + 1 :])
        where = f"{('start', 'shift', 'offset')[field]} of segment {j}, {step:+d}"
        new = replace(law, segments=segments)
    return where, replace(layer, activation=new)


def _units(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    count = sum(block.count for block in design.blocks if block.kind == "states")
    if count < 2:
        return None
    first, second = two(rng, count)
    rows = tuple(swapped(row, first, second) for row in design.readout.weights)
    changed = replace(design, readout=replace(design.readout, weights=rows))
    return f"units {first} and {second} in the readout", changed


def _inputs(design: Design, layer: Units, rng: np.random.Generator) -> tuple[str, Units] | None:
    tables = [k for k, e in enumerate(layer.inputs) if isinstance(e, LinearInput | LevelInput)]
    if len(tables) < 2:
        return None
    first, second = (tables[k] for k in two(rng, len(tables)))
    changed = swapped(layer.inputs, first, second)
    inputs = [
        replace(entry, source=old.source) if isinstance(entry, LinearInput | LevelInput) else entry
        for entry, old in zip(changed, layer.inputs, strict=True)
    ]
    return f"tables of inputs {first} and {second}", replace(layer, inputs=tuple(inputs))


def _outputs(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    if design.n_outputs < 2:
        return None
    first, second = two(rng, design.n_outputs)
    rows = swapped(design.readout.weights, first, second)
    changed = replace(design, readout=replace(design.readout, weights=rows))
    return f"weights of outputs {first} and {second}", changed


def _sequence(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    del rng
    new = not design.reset_on_last
    return f"reset_on_last {str(new).lower()}", replace(design, reset_on_last=new)


def _segments(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    readout = design.readout
    if readout.segments is None:
        return None
    length = readout.segments.length + (-1, 1)[pick(rng, 2)]
    changed = replace(readout, segments=replace(readout.segments, length=length))
    return f"segments of {length} samples", replace(design, readout=changed)


def _feedback(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    if not design.feedback:
        return None
    k = pick(rng, len(design.feedback))
    entry = design.feedback[k]
    if pick(rng, 4):
        where, row = flip(rng, entry.weights, entry.format)
        where, new = f"weights of fed back {entry.output}{where}", replace(entry, weights=row)
    else:
        fmt = design.fed[k].format
        _, (code,) = flip(rng, (entry.initial,), fmt)
        where, new = f"fed back {entry.output} begins with {code}", replace(entry, initial=code)
    entries = (*design.feedback[:k], new, *design.feedback[k + 1 :])
    return where, replace(design, feedback=entries)


def _named(design: Design, k: int, where: str) -> str:
    """The place, and of layers in series in which of them it is."""
    return where if len(design.layers) == 1 else f"layer {design.layers[k].name}: {where}"


def _with_layer(design: Design, k: int, layer: Units) -> Design:
    # Else a horizon would refuse what reaches further; it changes no code.
    layers = (*design.layers[:k], replace(layer, horizon=None), *design.layers[k + 1 :])
    return replace(design, layers=layers)


def _of_layer(change: ChangeLayer) -> Change:
    """Draw one of the layers; there is none where the states come from outside."""

    def changed(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
        if not design.stages:
            return None
        k = pick(rng, len(design.stages)) if len(design.stages) > 1 else 0
        found = change(design, design.stages[k].layer, rng)
        if found is None:
            return None
        where, layer = found
        return _named(design, k, where), _with_layer(design, k, layer)

    return changed


def _driven(change: Change) -> Change:
    """Find no place where the states come from outside."""

    def changed(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
        return change(design, rng) if design.stages else None

    return changed


NUMBERS: Mapping[str, Change] = {
    "input weight": _of_layer(_input_weight),
    "tap weight": _of_layer(_tap_weight),
    "tap offset": _of_layer(_tap_offset),
    "matrix": _of_layer(_matrix),
    "bias": _of_layer(_bias),
    "initial state": _of_layer(_initial_state),
    "readout weight": _readout_weight,
    "rounding": _rounding,
    "saturation": _overflow,
    "clip rail": _of_layer(_rail),
    "leak shift": _of_layer(_leak),
    "activation table": _of_layer(_table),
    "gain": _of_layer(_gain),
    "step": _of_layer(_step),
    "units swapped": _units,
    "inputs swapped": _of_layer(_inputs),
    "outputs swapped": _outputs,
    "end of a sequence": _driven(_sequence),
    "unit read": _of_layer(read_unit),
    "segment": _segments,
    "feedback": _feedback,
}
"""Operators by name. The list is fixed; it does not depend on what the checks catch."""


def operators(design: Design) -> list[str]:
    """Names of the operators, without those of parts that only some layers have, and this has not.

    So a part that layers get one day changes no draw of the designs that were there before.
    """
    layers = [stage.layer for stage in design.stages]
    parts = {
        "gain": any(layer.gain is not None for layer in layers),
        "step": any(layer.step is not None for layer in layers),
        "matrix": any(isinstance(layer, MatrixLayer) for layer in layers),
        "unit read": len(layers) > 1,
        "segment": design.readout.segments is not None,
        "feedback": bool(design.feedback),
    }
    return [name for name in NUMBERS if parts.get(name, True)]
