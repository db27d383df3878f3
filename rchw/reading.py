"""Reading a design file strictly: known keys, checked values, errors with a path.

`docs/design-format.md` defines all of version 1. What it defines and this release does not build
is refused by name, with the reason.
"""

from typing import Any

from rchw.activation import Activation, Clip, PiecewiseLinear, Table
from rchw.design import (
    AffineEncoder,
    Design,
    ExternalLayer,
    Features,
    Feedback,
    InputChannel,
    Layer,
    LevelInput,
    LinearInput,
    Matrix,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Scaling,
    Segments,
    Tap,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.matrix import RULES
from rchw.reader import Reader, codes, integer, short
from rchw.readouts import ACCUMULATES
from rchw.schedule import schedule

__all__ = ["FORMAT", "VERSION", "from_document"]

FORMAT = "rchw-design"
VERSION = 1

_ROUNDINGS = [mode.value for mode in Rounding]
_OVERFLOWS = [mode.value for mode in Overflow]

_UPDATES = {
    "ring": ["replace", "leaky"],
    "euler-ring": ["increment"],
    "leaky": ["replace", "leaky"],
    "euler": ["increment"],
}
_MATRICES = {"leaky": ["dense", "sparse"], "euler": ["antisymmetric"]}


def _read_input(value: Any, path: str) -> InputChannel:
    reader = Reader(value, path)
    channel = InputChannel(reader.text("name"), reader.format("format"), _read_encoder(reader))
    reader.end()
    return channel


def _read_encoder(reader: Reader) -> AffineEncoder:
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


def _read_layer_input(value: Any, path: str, channel: InputChannel) -> LinearInput | LevelInput:
    reader = Reader(value, path)
    series = "layers in series are not built yet"
    kind = reader.built("kind", ["linear", "level"], {"matrix": series, "taps": series})
    source = reader.text("source")
    if source != channel.name:
        raise DesignError(
            f"{reader.where('source')} must be {channel.name!r}, the channel of the same place, "
            f"not {source!r}"
        )
    entry: LinearInput | LevelInput
    if kind == "linear":
        entry = LinearInput(reader.format("format"), reader.codes("weights"))
    else:
        entry = LevelInput(
            reader.format("format"),
            reader.codes("thresholds"),
            reader.codes("low"),
            reader.codes("high"),
        )
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


def _read_layer(value: Any, path: str, channels: tuple[InputChannel, ...]) -> Layer:
    reader = Reader(value, path)
    family = reader.choice("family", [*_UPDATES, "external"])
    if family == "external":
        return _read_external(reader)
    update = reader.choice("update", _UPDATES[family])
    gain = _read_unit_codes(reader, "gain")
    step, horizon = _read_step(reader, update)
    bias = reader.object("bias")
    entries = reader.items("inputs")
    if len(entries) != len(channels):
        raise DesignError(
            f"{reader.where('inputs')} must have one entry per channel ({len(channels)}), "
            f"not {len(entries)}"
        )
    shared: dict[str, Any] = dict(
        name=reader.text("name"),
        n_units=reader.integer("units"),
        state=reader.format("state"),
        inputs=tuple(
            _read_layer_input(item, f"{path}.inputs[{k}]", channels[k])
            for k, item in enumerate(entries)
        ),
        bias_format=bias.format("format"),
        bias=bias.codes("codes"),
        activation=_read_activation(reader.object("activation")),
        rounding=Rounding(reader.choice("rounding", _ROUNDINGS)),
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
        encoder=_read_encoder(reader),
    )
    reader.end()
    return layer


def _read_initial_state(reader: Reader) -> tuple[int, ...]:
    initial = reader.codes("initial_state")
    if not initial:  # the dataclass takes an empty one for zeros, the file does not
        raise DesignError(f"{reader.where('initial_state')} must have one code per unit, not none")
    return initial


def _read_features(items: list[Any], layer: Layer, channels: tuple[InputChannel, ...]) -> Features:
    order = ["states", "squares", "inputs", "one"]
    found: dict[str, QFormat] = {}
    rounding = Rounding.TRUNCATE
    for index, item in enumerate(items):
        reader = Reader(item, f"features[{index}]")
        kind = reader.choice("kind", order)
        if found and order.index(kind) <= order.index(list(found)[-1]):
            raise DesignError(f"features must follow the order {', '.join(order)}, once each")
        found[kind] = reader.format("format")
        if kind in ("states", "squares"):
            name = reader.text("layer")
            if name != layer.name:
                raise DesignError(f"{reader.where('layer')} must be {layer.name!r}, not {name!r}")
        if kind == "squares":
            rounding = Rounding(reader.choice("rounding", _ROUNDINGS))
        reader.end()
    wanted = {"states": layer.state}
    if channels:
        wanted["inputs"] = channels[0].format
    for kind, want in wanted.items():
        if kind in found and found[kind] != want:
            raise DesignError(f"format of the feature {kind} must be {want}, not {found[kind]}")
    return Features(
        "states" in found, found.get("squares"), rounding, "inputs" in found, found.get("one")
    )


def _read_output(value: Any, path: str) -> Output:
    reader = Reader(value, path)
    decoder = reader.object("decoder")
    output = Output(
        reader.text("name"),
        reader.format("format"),
        decoder.real("offset"),
        decoder.real("scale"),
    )
    decoder.end()
    reader.end()
    return output


def _read_segments(reader: Reader) -> Segments | None:
    value = reader.take("segments")
    if value is None:
        return None
    inner = Reader(value, reader.where("segments"))
    found = Segments(inner.integer("length"), inner.integer("count"))
    inner.end()
    return found


def _read_readout(value: Any, path: str) -> Readout:
    reader = Reader(value, path)
    reader.built("storage", ["constant"], {"memory": "loading of weights is not built yet"})
    weights = reader.object("weights")
    readout = Readout(
        outputs=tuple(
            _read_output(item, f"{path}.outputs[{index}]")
            for index, item in enumerate(reader.items("outputs"))
        ),
        weight_format=weights.format("format"),
        weights=tuple(
            codes(row, f"{path}.weights.codes[{index}]")
            for index, row in enumerate(weights.items("codes"))
        ),
        rounding=Rounding(reader.choice("rounding", _ROUNDINGS)),
        overflow=Overflow(reader.choice("overflow", _OVERFLOWS)),
        multipliers=reader.integer("multipliers"),
        name=reader.text("name"),
        accumulate=reader.choice("accumulate", list(ACCUMULATES)),
        segments=_read_segments(reader),
        argmax=reader.choice("output", ["values", "argmax"]) == "argmax",
    )
    weights.end()
    reader.end()
    return readout


def _read_feedback(index: int, value: Any) -> Feedback:
    reader = Reader(value, f"feedback[{index}]")
    found = Feedback(
        format=reader.format("format"),
        weights=reader.codes("weights"),
        output=reader.text("output"),
        layer=reader.text("layer"),
        initial=reader.integer("initial"),
        teacher=reader.choice("teacher", ["none", "stream"]) == "stream",
    )
    reader.end()
    return found


def _single(items: list[Any], what: str, why: str) -> Any:
    if len(items) != 1:
        raise DesignError(
            f"{what} must hold one entry in this release, not {len(items)}: {why} not built yet"
        )
    return items[0]


def from_document(document: Any) -> Design:
    """Build and check a design from parsed JSON.

    Raises
    ------
    DesignError
        If a key is missing or unknown, a value breaks a rule, or a part is not built in this
        release.
    """
    reader = Reader(document, "design")
    name = reader.text("format")
    if name != FORMAT:
        raise DesignError(f"design.format must be {FORMAT!r}, not {name!r}")
    version = reader.integer("version")
    if version != VERSION:
        raise DesignError(
            f"design.version must be {VERSION}, the only one this release reads, not {version}"
        )
    inputs = tuple(
        _read_input(item, f"inputs[{index}]") for index, item in enumerate(reader.items("inputs"))
    )
    reader.only("learning", [], "readouts that learn are not built yet")
    reader.only("streams", 1, "interleaved streams are not built yet")
    layers, readouts = reader.items("layers"), reader.items("readouts")
    single = _single(layers, "design.layers", "layers in series are")
    layer = _read_layer(single, "layers[0]", inputs)
    reset = reader.object("reset")
    design = Design(
        name=reader.text("name"),
        inputs=inputs,
        layer=layer,
        features=_read_features(reader.items("features"), layer, inputs),
        readout=_read_readout(
            _single(readouts, "design.readouts", "several readouts are"), "readouts[0]"
        ),
        reset_on_last=reset.flag("on_last"),
        feedback=tuple(_read_feedback(*pair) for pair in enumerate(reader.items("feedback"))),
        provenance=reader.object("provenance").rest(),
    )
    reset.end()
    reader.end()
    schedule(design)  # refuses lanes and multipliers that cannot be built
    return design
