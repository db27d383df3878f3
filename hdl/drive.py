"""What a unit gets from inputs, feedback and bias: products shared per sample, picked per unit."""

from collections.abc import Sequence

from amaranth.hdl import Const, Module, Mux, Signal, Value, signed

from rchw.design import Design, LevelInput, LinearInput, Stage, UnitLayer
from rchw.fixed import QFormat
from rchw.hdl.arith import add_tree, select, times
from rchw.hdl.rom import Fields
from rchw.ranges import Interval, LayerRanges

__all__ = ["lane_drives"]

MAX_SHARED = 16


def lane_drives(
    m: Module,
    design: Design | Stage,
    ranges: LayerRanges,
    inputs: Sequence[Value],
    enable: Value,
    fields: Fields,
    columns: Sequence[Sequence[int]],
    max_shared: int = MAX_SHARED,
    mirrored: bool = False,
) -> list[tuple[Value, Value]]:
    """Sum of input contributions and bias of each lane's current unit, and a carry to add to it.

    Where there is a gain, the bias comes behind it, and is not in this sum.

    Units with equal input weights and bias share one registered sum; where there are more than
    `max_shared` different ones, each channel shares its products, and the bias is a table.
    Units of opposite signs share a sum too if `mirrored`: the value then is the complement of
    the sum, and the carry 1.

    Parameters
    ----------
    inputs : values, one for each of `Design.drives`
        Codes of channels and of fed back outputs, stable while the sample is in work.
    enable : Value
        The shared registers follow the inputs while it is high.
    fields : Fields
        Per-word constants, valid when the result is.
    columns : P sequences of W unit numbers
        The unit of each lane in each word.
    max_shared : int
    mirrored : bool

    Latency
    -------
    1 clock after the inputs.
    """
    stage = design.stage
    layer, bias = stage.layer, _bias(stage.layer)
    linear = all(isinstance(entry, LinearInput) for entry in stage.entries)
    rows = [
        (
            *(entry.weights[i] for entry in stage.entries if isinstance(entry, LinearInput)),
            bias[i],
        )
        for i in range(layer.n_units)
    ]
    opposite = {row: tuple(-weight for weight in row) for row in rows}
    flipped = [mirrored and row < opposite[row] in opposite for row in rows]
    rows = [opposite[row] if flip else row for row, flip in zip(rows, flipped, strict=True)]
    kinds = sorted(set(rows))
    if linear and len(kinds) <= max_shared:
        shared = []
        for position, row in enumerate(kinds):
            parts = [
                times(u, weight << shift)
                for u, weight, shift in zip(inputs, row[:-1], ranges.input_shifts, strict=True)
                if weight
            ]
            total = add_tree(parts) + (row[-1] << ranges.bias_shift)
            unit = rows.index(row)  # its own range, or that of the opposite
            interval = ranges.drive[unit].scale(-1 if flipped[unit] else 1)
            register = Signal(signed(interval.width), name=f"drive_{position}", reset_less=True)
            with m.If(enable):
                m.d.sync += register.eq(total)
            shared.append(register)
        drives = []
        for lane, column in enumerate(columns):
            kind = fields.add(f"kind_{lane}", [kinds.index(rows[i]) for i in column])
            chosen = select(m, kind, shared, f"drive_of_{lane}")
            carry = fields.add(f"flipped_{lane}", [int(flipped[i]) for i in column])
            drives.append((chosen ^ carry.replicate(len(chosen)).as_signed(), carry))
        return drives
    return _by_channel(m, stage, ranges, inputs, enable, fields, columns)


def _bias(layer: UnitLayer) -> tuple[int, ...]:
    return layer.bias if layer.gain is None else (0,) * layer.n_units


def _by_channel(
    m: Module,
    stage: Stage,
    ranges: LayerRanges,
    inputs: Sequence[Value],
    enable: Value,
    fields: Fields,
    columns: Sequence[Sequence[int]],
) -> list[tuple[Value, Value]]:
    layer = stage.layer
    terms: list[list[Value]] = [[] for _ in columns]
    for k, entry in enumerate(stage.entries):
        held = Signal(stage.inputs[k].format.width, name=f"held_{k}", reset_less=True)
        value = held.as_signed() if stage.inputs[k].format.signed else held
        with m.If(enable):
            m.d.sync += held.eq(inputs[k])
        shift = ranges.input_shifts[k]
        if isinstance(entry, LevelInput):
            for lane, column in enumerate(columns):
                name = f"{k}_{lane}"
                threshold = fields.add(f"threshold_{name}", [entry.thresholds[i] for i in column])
                low = fields.add(f"low_{name}", [entry.low[i] for i in column])
                high = fields.add(f"high_{name}", [entry.high[i] for i in column])
                terms[lane].append(Mux(_reaches(value, threshold), high, low) << shift)
            continue
        weights = sorted(set(entry.weights))
        if len(weights) > MAX_SHARED:
            for lane, column in enumerate(columns):
                factor = fields.add(f"weight_{k}_{lane}", [entry.weights[i] for i in column])
                product = (
                    times(value, factor.value) if isinstance(factor, Const) else value * factor
                )
                terms[lane].append(product << shift)
            continue
        products = []
        for position, weight in enumerate(weights):
            width = Interval.of(stage.inputs[k].format).scale(weight).width
            register = Signal(signed(width), name=f"product_{k}_{position}", reset_less=True)
            with m.If(enable):
                m.d.sync += register.eq(times(inputs[k], weight))
            products.append(register)
        for lane, column in enumerate(columns):
            index = fields.add(
                f"level_{k}_{lane}", [weights.index(entry.weights[i]) for i in column]
            )
            terms[lane].append(select(m, index, products, f"part_{k}_{lane}") << shift)
    for lane, column in enumerate(columns):
        if layer.gain is None:
            bias = fields.add(f"bias_{lane}", [layer.bias[i] for i in column])
            terms[lane].append(bias << ranges.bias_shift)
    return [(add_tree(parts), Const(0, 1)) for parts in terms]


def _reaches(value: Value, threshold: Value) -> Value:
    """``value >= threshold``; no comparison where no code of the format is below, or none above."""
    if isinstance(threshold, Const):
        codes = QFormat(len(value), 0, value.shape().signed)
        if threshold.value <= codes.min or threshold.value > codes.max:
            return Const(int(threshold.value <= codes.min), 1)
    return value >= threshold
