"""Faults in the numbers of a design: the circuit is built from the changed design.

The reference keeps the original. Every operator draws a place and changes what is there; where a
design has no such place it gives nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from rchw.activation import Clip, PiecewiseLinear, Table
from rchw.design import Design, ExternalLayer, LevelInput, MatrixLayer, RingLayer
from rchw.fixed import Overflow, QFormat, Rounding

__all__ = ["NUMBERS", "Change", "operators"]

Change = Callable[[Design, np.random.Generator], tuple[str, Design] | None]
"""Draws where to change a design, in words, and gives the changed design; or nothing."""

Item = TypeVar("Item")


def _pick(rng: np.random.Generator, count: int) -> int:
    return int(rng.integers(count))


def _put(row: Sequence[int], place: int, code: int) -> tuple[int, ...]:
    return (*row[:place], code, *row[place + 1 :])


def _flip(
    rng: np.random.Generator, row: Sequence[int], fmt: QFormat
) -> tuple[str, tuple[int, ...]]:
    """Flip one bit of one code; tell which."""
    place, bit = _pick(rng, len(row)), _pick(rng, fmt.width)
    return f"[{place}], bit {bit}", _put(row, place, _flipped(row[place], bit, fmt))


def _flipped(code: int, bit: int, fmt: QFormat) -> int:
    raw = (code ^ 1 << bit) & ((1 << fmt.width) - 1)
    return raw - (1 << fmt.width) if fmt.signed and raw > fmt.max else raw


def _layer(design: Design, layer: RingLayer | MatrixLayer) -> Design:
    # Else a horizon would refuse what reaches further; it changes no code.
    return replace(design, layers=(replace(layer, horizon=None),))


def _input_weight(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    layer, k = design.driven, _pick(rng, design.n_inputs)
    tables = design.stage.entries
    entry, channel = tables[k], design.inputs[k]
    if isinstance(entry, LevelInput):
        kind = ("low", "high", "thresholds")[_pick(rng, 3)]
        fmt = channel.format if kind == "thresholds" else entry.format
        where, row = _flip(rng, getattr(entry, kind), fmt)
        changed = {"low": entry.low, "high": entry.high, "thresholds": entry.thresholds}
        changed |= {kind: row}
        new = LevelInput(entry.format, changed["thresholds"], changed["low"], changed["high"])
        entries = (*tables[:k], new, *tables[k + 1 :])
        return f"{kind} of {channel.name}{where}", _layer(design, replace(layer, inputs=entries))
    where, row = _flip(rng, entry.weights, entry.format)
    entries = (*tables[:k], replace(entry, weights=row), *tables[k + 1 :])
    return f"weights of {channel.name}{where}", _layer(design, replace(layer, inputs=entries))


def _tap_weight(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    layer = design.driven
    if not isinstance(layer, RingLayer) or not layer.taps:
        return None
    k = _pick(rng, len(layer.taps))
    tap = layer.taps[k]
    where, row = _flip(rng, tap.weights, layer.tap_format)
    taps = (*layer.taps[:k], replace(tap, weights=row), *layer.taps[k + 1 :])
    return f"weights of tap {tap.offset}{where}", _layer(design, replace(layer, taps=taps))


def _tap_offset(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    layer = design.driven
    if not isinstance(layer, RingLayer) or not layer.taps:
        return None
    k, step = _pick(rng, len(layer.taps)), (-1, 1)[_pick(rng, 2)]
    tap = layer.taps[k]
    offset = (tap.offset + step) % design.n_units
    taps = (*layer.taps[:k], replace(tap, offset=offset), *layer.taps[k + 1 :])
    return f"tap {tap.offset} at {offset}", _layer(design, replace(layer, taps=taps))


def _matrix(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    layer = design.driven
    if not isinstance(layer, MatrixLayer):
        return None
    matrix = layer.matrix
    if matrix.diagonal and _pick(rng, 2):
        where, row = _flip(rng, matrix.diagonal, matrix.format)
        changed = replace(layer, matrix=replace(matrix, diagonal=row))
        return f"diagonal of the matrix{where}", _layer(design, changed)
    filled = [i for i, row in enumerate(matrix.codes) if row]
    if not filled:
        return None
    i = filled[_pick(rng, len(filled))]
    where, row = _flip(rng, matrix.codes[i], matrix.format)
    codes = (*matrix.codes[:i], row, *matrix.codes[i + 1 :])
    changed = replace(layer, matrix=replace(matrix, codes=codes))
    return f"row {i} of the matrix{where}", _layer(design, changed)


def _bias(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    where, row = _flip(rng, design.driven.bias, design.driven.bias_format)
    return f"bias{where}", _layer(design, replace(design.driven, bias=row))


def _initial_state(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    where, row = _flip(rng, design.driven.initial_state, design.driven.state)
    changed = replace(design.driven, initial_state=row)
    return f"initial state{where}", _layer(design, changed)


def _readout_weight(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    readout, k = design.readout, _pick(rng, design.n_outputs)
    where, row = _flip(rng, readout.weights[k], readout.weight_format)
    rows = (*readout.weights[:k], row, *readout.weights[k + 1 :])
    name = readout.outputs[k].name
    return f"weights of {name}{where}", replace(design, readout=replace(readout, weights=rows))


def _rounding(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    layers = [] if isinstance(design.layer, ExternalLayer) else ["layer"]
    places = [*layers, "readout", *(["squares"] if design.features.squares else [])]
    place = places[_pick(rng, len(places))]
    new = list(Rounding)[_pick(rng, len(Rounding))]
    if place == "layer":
        changed = _layer(design, replace(design.driven, rounding=new))
    elif place == "readout":
        changed = replace(design, readout=replace(design.readout, rounding=new))
    else:
        changed = replace(design, features=replace(design.features, square_rounding=new))
    return f"{place}: {new.value}", changed


def _overflow(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    del rng
    old = design.readout.overflow
    new = Overflow.WRAP if old is Overflow.SATURATE else Overflow.SATURATE
    return f"readout: {new.value}", replace(design, readout=replace(design.readout, overflow=new))


def _rail(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    law, step = design.driven.activation, (-1, 1)[_pick(rng, 2)]
    if isinstance(law, Table):
        return None
    side = ("low", "high")[_pick(rng, 2)]
    low, high = law.low + step * (side == "low"), law.high + step * (side == "high")
    new = replace(law, low=low, high=high)
    changed = _layer(design, replace(design.driven, activation=new))
    return f"{side} end of the activation, {step:+d}", changed


def _leak(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    if design.driven.step is not None:
        return None
    old, by = design.driven.leak_shift, (-1, 1)[_pick(rng, 2)]
    if not isinstance(old, tuple):
        return f"leak shift {old + by}", _layer(design, replace(design.driven, leak_shift=old + by))
    place = _pick(rng, len(old))
    new = _put(old, place, old[place] + by)
    return f"leak shift[{place}] {new[place]}", _layer(
        design, replace(design.driven, leak_shift=new)
    )


def _gain(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    gain = design.driven.gain
    if gain is None:
        return None
    where, row = _flip(rng, gain.codes, gain.format)
    return f"gain{where}", _layer(design, replace(design.driven, gain=replace(gain, codes=row)))


def _step(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    step = design.driven.step
    if step is None:
        return None
    where, row = _flip(rng, step.codes, step.format)
    return f"step{where}", _layer(design, replace(design.driven, step=replace(step, codes=row)))


def _table(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    law = design.driven.activation
    if isinstance(law, Clip):
        return None
    new: PiecewiseLinear | Table
    if isinstance(law, Table):
        where, row = _flip(rng, law.entries, design.driven.state)
        where, new = f"table{where}", replace(law, entries=row)
    else:
        j, field, step = _pick(rng, len(law.segments)), _pick(rng, 3), (-1, 1)[_pick(rng, 2)]
        start, shift, offset = law.segments[j]
        if field == 0 and start is not None:
            start += step
        shift, offset = shift + step * (field == 1), offset + step * (field == 2)
        segments = (*law.segments[:j], (start, shift, offset), *law.segments[j + 1 :])
        where = f"{('start', 'shift', 'offset')[field]} of segment {j}, {step:+d}"
        new = replace(law, segments=segments)
    return where, _layer(design, replace(design.driven, activation=new))


def _two(rng: np.random.Generator, count: int) -> tuple[int, int]:
    first, second = sorted(rng.choice(count, 2, replace=False).tolist())
    return first, second


def _swapped(row: Sequence[Item], first: int, second: int) -> tuple[Item, ...]:
    new = list(row)
    new[first], new[second] = new[second], new[first]
    return tuple(new)


def _units(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    if design.n_units < 2 or not design.features.states:
        return None
    first, second = _two(rng, design.n_units)
    rows = tuple(_swapped(row, first, second) for row in design.readout.weights)
    changed = replace(design, readout=replace(design.readout, weights=rows))
    return f"units {first} and {second} in the readout", changed


def _inputs(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    if design.n_inputs < 2:
        return None
    first, second = _two(rng, design.n_inputs)
    tables = _swapped(design.driven.inputs, first, second)
    changed = _layer(design, replace(design.driven, inputs=tables))
    return f"tables of inputs {first} and {second}", changed


def _outputs(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
    if design.n_outputs < 2:
        return None
    first, second = _two(rng, design.n_outputs)
    rows = _swapped(design.readout.weights, first, second)
    changed = replace(design, readout=replace(design.readout, weights=rows))
    return f"weights of outputs {first} and {second}", changed


def _sequence(design: Design, rng: np.random.Generator) -> tuple[str, Design]:
    del rng
    new = not design.reset_on_last
    return f"reset_on_last {str(new).lower()}", replace(design, reset_on_last=new)


def _of_ring(change: Change) -> Change:
    """Find no place where the states come from outside."""

    def changed(design: Design, rng: np.random.Generator) -> tuple[str, Design] | None:
        return None if isinstance(design.layer, ExternalLayer) else change(design, rng)

    return changed


NUMBERS: Mapping[str, Change] = {
    "input weight": _of_ring(_input_weight),
    "tap weight": _of_ring(_tap_weight),
    "tap offset": _of_ring(_tap_offset),
    "matrix": _of_ring(_matrix),
    "bias": _of_ring(_bias),
    "initial state": _of_ring(_initial_state),
    "readout weight": _readout_weight,
    "rounding": _rounding,
    "saturation": _overflow,
    "clip rail": _of_ring(_rail),
    "leak shift": _of_ring(_leak),
    "activation table": _of_ring(_table),
    "gain": _of_ring(_gain),
    "step": _of_ring(_step),
    "units swapped": _units,
    "inputs swapped": _of_ring(_inputs),
    "outputs swapped": _outputs,
    "end of a sequence": _of_ring(_sequence),
}
"""Operators by name. The list is fixed; it does not depend on what the checks catch."""


def operators(design: Design) -> list[str]:
    """Names of the operators, without those of parts that only some layers have, and this has not.

    So a part that layers get one day changes no draw of the designs that were there before.
    """
    layer = design.layer
    parts = {
        "gain": not isinstance(layer, ExternalLayer) and layer.gain is not None,
        "step": not isinstance(layer, ExternalLayer) and layer.step is not None,
        "matrix": isinstance(layer, MatrixLayer),
    }
    return [name for name in NUMBERS if parts.get(name, True)]
