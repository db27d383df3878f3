"""Reading the layers of a design file: see `rchw.reading`."""

from typing import Any

from rchw.activation import Activation, Clip, PiecewiseLinear, Table
from rchw.design import (
    AffineEncoder,
    ExternalLayer,
    InputChannel,
    Layer,
    LevelInput,
    LinearInput,
    Matrix,
    MatrixInput,
    MatrixLayer,
    RingLayer,
    Scaling,
    Tap,
    TapsInput,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding
from rchw.layers import LayerInput
from rchw.matrix import RULES
from rchw.reader import Reader, codes, integer, short

__all__ = ["ROUNDINGS", "read_encoder", "read_layers"]

ROUNDINGS = [mode.value for mode in Rounding]

_UPDATES = {
    "ring": ["replace", "leaky"],
    "euler-ring": ["increment"],
    "leaky": ["replace", "leaky"],
    "euler": ["increment"],
}
_MATRICES = {"leaky": ["dense", "sparse"], "euler": ["antisymmetric"]}


def read_encoder(reader: Reader) -> AffineEncoder:
    """Take the encoder of a channel or of an external layer.

    Raises
    ------
    DesignError
    """
    encoder = reader.object("encoder")
    encoder.choice("kind", ["affine"])
    found = AffineEncoder(encoder.real("offset"), encoder.real("gain"))
    encoder.end()
    return found


def _read_activation(reader: Reader) -> Activation:
    activation: Activation
    kind = reader.choice("kind", ["clip", "pwl", "table"])
    if kind == "clip":
        activation = Clip(reader.integer("low"), reader.integer("high"))
    elif kind == "pwl":
        segments: list[tuple[int | None, int, int]] = []
        for index, item in enumerate(reader.items("segments")):
            segment = Reader(item, f"{reader.where('segments')}[{index}]")
            start = segment.take("start")
            if start is not None:
                start = integer(start, segment.where("start"))
            segments.append((start, segment.integer("shift"), segment.integer("offset")))
            segment.end()
        activation = PiecewiseLinear(reader.integer("low"), reader.integer("high"), tuple(segments))
    else:
        activation = Table(reader.format("index"), reader.codes("entries"))
    reader.end()
    return activation


def _read_layer_input(value: Any, path: str, channel: InputChannel | None) -> LayerInput:
    """One input of a layer: of this channel where there is one layer, else of its source."""
    reader = Reader(value, path)
    kinds = ["linear", "level", "matrix", "taps"]
    kind = reader.choice("kind", kinds if channel is None else kinds[:2])
    source = reader.text("source")
    if channel is not None and source != channel.name:
        raise DesignError(
            f"{reader.where('source')} must be {channel.name!r}, the channel of the same place, "
            f"not {source!r}"
        )
    named = source if channel is None else None
    entry: LayerInput
    if kind == "linear":
        entry = LinearInput(reader.format("format"), reader.codes("weights"), source=named)
    elif kind == "level":
        entry = LevelInput(
            reader.format("format"),
            reader.codes("thresholds"),
            reader.codes("low"),
            reader.codes("high"),
            source=named,
        )
    elif kind == "matrix":
        matrix = _read_matrix(reader.take("matrix"), reader.where("matrix"), ["dense", "sparse"])
        entry = MatrixInput(source, matrix)
    else:
        entry = TapsInput(source, *_read_taps(reader.take("taps"), reader.where("taps")))
    reader.end()
    return entry


def _read_leak_shift(reader: Reader, update: str) -> int | tuple[int, ...]:
    value = reader.take("leak_shift")
    where = reader.where("leak_shift")
    shift = codes(value, where) if isinstance(value, list) else integer(value, where)
    leaks = any(shift) if isinstance(shift, tuple) else shift != 0
    if leaks != (update == "leaky") or (isinstance(shift, tuple) and update != "leaky"):
        raise DesignError(
            f"{where} must be 0 with update {update!r}, not {short(value)}"
            if update != "leaky"
            else f"{where} must be at least 1 with update 'leaky', in one unit of a list, not "
            f"{short(value)}"
        )
    return shift


def _read_unit_codes(reader: Reader, key: str) -> UnitCodes | None:
    value = reader.take(key)
    if value is None:
        return None
    inner = Reader(value, reader.where(key))
    found = UnitCodes(inner.format("format"), inner.codes("codes"))
    inner.end()
    return found


def _read_step(reader: Reader, update: str) -> tuple[UnitCodes | None, int | None]:
    """Sizes of a step, and its horizon."""
    step, horizon = _read_unit_codes(reader, "step"), reader.take("horizon")
    if (step is None) == (update == "increment"):
        rule = "an object" if step is None else "null"
        raise DesignError(f"{reader.where('step')} must be {rule} with update {update!r}")
    if horizon is None:
        return step, None
    if step is None:
        raise DesignError(f"{reader.where('horizon')} must be null with update {update!r}")
    return step, integer(horizon, reader.where("horizon"))


def read_layers(items: list[Any], channels: tuple[InputChannel, ...]) -> tuple[Layer, ...]:
    """All layers of a design file.

    Raises
    ------
    DesignError
    """
    if not items:
        raise DesignError("design.layers must hold one entry at least, not none")
    several = len(items) > 1
    return tuple(
        _read_layer(item, f"layers[{number}]", None if several else channels)
        for number, item in enumerate(items)
    )


def _read_layer(value: Any, path: str, channels: tuple[InputChannel, ...] | None) -> Layer:
    """A layer that reads just these channels, or one of several, which reads what it names."""
    reader = Reader(value, path)
    family = reader.choice("family", [*_UPDATES, "external"])
    if family == "external":
        return _read_external(reader)
    update = reader.choice("update", _UPDATES[family])
    gain = _read_unit_codes(reader, "gain")
    step, horizon = _read_step(reader, update)
    bias = reader.object("bias")
    entries = reader.items("inputs")
    if channels is not None and len(entries) != len(channels):
        raise DesignError(
            f"{reader.where('inputs')} must have one entry per channel ({len(channels)}), "
            f"not {len(entries)}"
        )
    shared: dict[str, Any] = dict(
        name=reader.text("name"),
        n_units=reader.integer("units"),
        state=reader.format("state"),
        inputs=tuple(
            _read_layer_input(
                item, f"{path}.inputs[{k}]", None if channels is None else channels[k]
            )
            for k, item in enumerate(entries)
        ),
        bias_format=bias.format("format"),
        bias=bias.codes("codes"),
        activation=_read_activation(reader.object("activation")),
        rounding=Rounding(reader.choice("rounding", ROUNDINGS)),
        leak_shift=_read_leak_shift(reader, update),
        gain=gain,
        step=step,
        horizon=horizon,
        initial_state=_read_initial_state(reader),
        lanes=reader.integer("lanes"),
    )
    bias.end()
    matrix, taps = reader.take("matrix"), reader.take("taps")
    reader.end()
    if family not in _MATRICES:
        if matrix is not None:
            raise DesignError(f"{reader.where('matrix')} must be null with family {family!r}")
        tap_format, table = _read_taps(taps, reader.where("taps"))
        return RingLayer(tap_format=tap_format, taps=table, **shared)
    if taps is not None:
        raise DesignError(f"{reader.where('taps')} must be null with family {family!r}")
    found = _read_matrix(matrix, reader.where("matrix"), _MATRICES[family])
    return MatrixLayer(matrix=found, **shared)


def _read_taps(value: Any, path: str) -> tuple[QFormat, tuple[Tap, ...]]:
    reader = Reader(value, path)
    table = []
    for index, item in enumerate(reader.items("table")):
        tap = Reader(item, f"{reader.where('table')}[{index}]")
        table.append(Tap(tap.integer("offset"), tap.codes("weights")))
        tap.end()
    found = reader.format("format"), tuple(table)
    reader.end()
    return found


def _read_matrix(value: Any, path: str, kinds: list[str]) -> Matrix:
    reader = Reader(value, path)
    kind = reader.choice("kind", kinds)
    fmt, rows = reader.format("format"), _read_rows(reader, "codes")
    columns = _read_rows(reader, "columns") if kind == "sparse" else ()
    diagonal = reader.codes("diagonal") if kind == "antisymmetric" else ()
    scaling = reader.take("scaling")
    if scaling is not None:
        inner = Reader(scaling, reader.where("scaling"))
        scaling = Scaling(inner.choice("rule", list(RULES)), inner.real("value"))
        inner.end()
    reader.end()
    return Matrix(fmt, kind, rows, columns, diagonal, scaling)


def _read_rows(reader: Reader, key: str) -> tuple[tuple[int, ...], ...]:
    rows = enumerate(reader.items(key))
    return tuple(codes(row, f"{reader.where(key)}[{index}]") for index, row in rows)


def _read_external(reader: Reader) -> ExternalLayer:
    layer = ExternalLayer(
        name=reader.text("name"),
        n_units=reader.integer("units"),
        state=reader.format("state"),
        lanes=reader.integer("lanes"),
        encoder=read_encoder(reader),
    )
    reader.end()
    return layer


def _read_initial_state(reader: Reader) -> tuple[int, ...]:
    initial = reader.codes("initial_state")
    if not initial:  # the dataclass takes an empty one for zeros, the file does not
        raise DesignError(f"{reader.where('initial_state')} must have one code per unit, not none")
    return initial
