"""Reading a design file strictly: known keys, checked values, errors with a path."""

import json
from collections.abc import Mapping
from typing import Any

from rchw.activation import Activation, Clip, PiecewiseLinear, Table
from rchw.design import (
    AffineEncoder,
    Design,
    Features,
    InputChannel,
    LevelInput,
    LinearInput,
    Output,
    Readout,
    RingLayer,
    Tap,
)
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.schedule import schedule

__all__ = ["FORMAT", "VERSION", "from_document"]

FORMAT = "rchw-design"
VERSION = 1


class _Reader:
    """One JSON object: every key is taken once, what remains is unknown."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            raise DesignError(f"{path} must be an object, not {_short(value)}")
        self._value = dict(value)
        self._path = path

    def _take(self, key: str) -> Any:
        if key not in self._value:
            raise DesignError(f"{self._path} must have the key {key!r}")
        return self._value.pop(key)

    def where(self, key: str) -> str:
        return f"{self._path}.{key}"

    def text(self, key: str) -> str:
        value = self._take(key)
        if not isinstance(value, str):
            raise DesignError(f"{self.where(key)} must be a string, not {_short(value)}")
        return value

    def integer(self, key: str) -> int:
        return _integer(self._take(key), self.where(key))

    def real(self, key: str) -> float:
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise DesignError(f"{self.where(key)} must be a number, not {_short(value)}")
        return float(value)

    def flag(self, key: str) -> bool:
        value = self._take(key)
        if not isinstance(value, bool):
            raise DesignError(f"{self.where(key)} must be true or false, not {_short(value)}")
        return value

    def codes(self, key: str) -> tuple[int, ...]:
        return _codes(self._take(key), self.where(key))

    def items(self, key: str) -> list[Any]:
        value = self._take(key)
        if not isinstance(value, list):
            raise DesignError(f"{self.where(key)} must be a list, not {_short(value)}")
        return value

    def format(self, key: str) -> QFormat:
        try:
            return QFormat.parse(self.text(key))
        except DesignError as error:
            raise DesignError(f"{self.where(key)}: {error}") from None

    def choice(self, key: str, names: list[str]) -> str:
        value = self.text(key)
        if value not in names:
            raise DesignError(f"{self.where(key)} must be one of {', '.join(names)}, not {value!r}")
        return value

    def object(self, key: str) -> "_Reader":
        return _Reader(self._take(key), self.where(key))

    def only(self, key: str, allowed: Any) -> None:
        """Take a key of which this version implements one value; refuse the others by name."""
        value = self._take(key)
        if value != allowed or isinstance(value, bool) != isinstance(allowed, bool):
            raise DesignError(
                f"{self.where(key)} = {_short(value)} is not implemented in this version, "
                f"which knows only {json.dumps(allowed)}"
            )

    def end(self) -> None:
        if self._value:
            raise DesignError(f"{self._path} has the unknown key {sorted(self._value)[0]!r}")


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _integer(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DesignError(f"{where} must be an integer, not {_short(value)}")
    return value


def _codes(value: Any, where: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise DesignError(f"{where} must be a list of integers, not {_short(value)}")
    return tuple(_integer(item, f"{where}[{index}]") for index, item in enumerate(value))


_ROUNDINGS = [mode.value for mode in Rounding]
_OVERFLOWS = [mode.value for mode in Overflow]


def _read_input(value: Any, path: str) -> InputChannel:
    reader = _Reader(value, path)
    encoder = reader.object("encoder")
    encoder.only("kind", "affine")
    channel = InputChannel(
        reader.text("name"),
        reader.format("format"),
        AffineEncoder(encoder.real("offset"), encoder.real("gain")),
    )
    encoder.end()
    reader.end()
    return channel


def _read_activation(reader: _Reader) -> Activation:
    activation: Activation
    kind = reader.choice("kind", ["clip", "pwl", "table"])
    if kind == "clip":
        activation = Clip(reader.integer("low"), reader.integer("high"))
    elif kind == "pwl":
        segments: list[tuple[int | None, int, int]] = []
        for index, item in enumerate(reader.items("segments")):
            segment = _Reader(item, f"{reader.where('segments')}[{index}]")
            start = None if item.get("start", 0) is None else segment.integer("start")
            if start is None:
                segment.only("start", None)
            segments.append((start, segment.integer("shift"), segment.integer("offset")))
            segment.end()
        activation = PiecewiseLinear(reader.integer("low"), reader.integer("high"), tuple(segments))
    else:
        activation = Table(reader.format("index"), reader.codes("entries"))
    reader.end()
    return activation


def _read_layer_input(value: Any, path: str) -> LinearInput | LevelInput:
    reader = _Reader(value, path)
    kind = reader.choice("kind", ["linear", "level"])
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


def _read_layer(value: Any, path: str) -> RingLayer:
    reader = _Reader(value, path)
    reader.only("family", "ring")
    update = reader.choice("update", ["replace", "leaky"])
    reader.only("matrix", None)
    reader.only("gain", None)
    taps = reader.object("taps")
    bias = reader.object("bias")
    table = []
    for index, item in enumerate(taps.items("table")):
        tap = _Reader(item, f"{taps.where('table')}[{index}]")
        table.append(Tap(tap.integer("offset"), tap.codes("weights")))
        tap.end()
    leak_shift = reader.integer("leak_shift")
    if (leak_shift != 0) != (update == "leaky"):
        raise DesignError(
            f"{path}.leak_shift must be 0 with update 'replace' and at least 1 with 'leaky', "
            f"not {leak_shift} with {update!r}"
        )
    layer = RingLayer(
        n_units=reader.integer("units"),
        state=reader.format("state"),
        tap_format=taps.format("format"),
        taps=tuple(table),
        inputs=tuple(
            _read_layer_input(item, f"{path}.inputs[{index}]")
            for index, item in enumerate(reader.items("inputs"))
        ),
        bias_format=bias.format("format"),
        bias=bias.codes("codes"),
        activation=_read_activation(reader.object("activation")),
        rounding=Rounding(reader.choice("rounding", _ROUNDINGS)),
        leak_shift=leak_shift,
        initial_state=reader.codes("initial_state"),
        lanes=reader.integer("lanes"),
    )
    taps.end()
    bias.end()
    reader.end()
    return layer


def _read_features(
    items: list[Any], state: QFormat, channels: tuple[InputChannel, ...]
) -> Features:
    order = ["states", "squares", "inputs", "one"]
    found: dict[str, QFormat] = {}
    rounding = Rounding.TRUNCATE
    for index, item in enumerate(items):
        reader = _Reader(item, f"features[{index}]")
        kind = reader.choice("kind", order)
        if found and order.index(kind) <= order.index(list(found)[-1]):
            raise DesignError(f"features must follow the order {', '.join(order)}, once each")
        found[kind] = reader.format("format")
        if kind == "squares":
            rounding = Rounding(reader.choice("rounding", _ROUNDINGS))
        reader.end()
    for kind, want in (("states", state), ("inputs", channels[0].format if channels else state)):
        if kind in found and found[kind] != want:
            raise DesignError(f"format of the feature {kind} must be {want}, not {found[kind]}")
    return Features(
        "states" in found, found.get("squares"), rounding, "inputs" in found, found.get("one")
    )


def _read_output(value: Any, path: str) -> Output:
    reader = _Reader(value, path)
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


def _read_readout(value: Any, path: str) -> Readout:
    reader = _Reader(value, path)
    reader.only("storage", "constant")
    reader.only("accumulate", "each")
    reader.only("output", "values")
    weights = reader.object("weights")
    readout = Readout(
        outputs=tuple(
            _read_output(item, f"{path}.outputs[{index}]")
            for index, item in enumerate(reader.items("outputs"))
        ),
        weight_format=weights.format("format"),
        weights=tuple(
            _codes(row, f"{path}.weights.codes[{index}]")
            for index, row in enumerate(weights.items("codes"))
        ),
        rounding=Rounding(reader.choice("rounding", _ROUNDINGS)),
        overflow=Overflow(reader.choice("overflow", _OVERFLOWS)),
        multipliers=reader.integer("multipliers"),
        name=reader.text("name"),
    )
    weights.end()
    reader.end()
    return readout


def _single(items: list[Any], what: str) -> Any:
    if len(items) != 1:
        raise DesignError(f"{what} must hold exactly one entry in this version, not {len(items)}")
    return items[0]


def from_document(document: Any) -> Design:
    """Build and check a design from parsed JSON.

    Raises
    ------
    DesignError
        If a key is missing or unknown, a value breaks a rule, or a part is not implemented.
    """
    reader = _Reader(document, "design")
    if reader.text("format") != FORMAT:
        raise DesignError(f"design.format must be {FORMAT!r}")
    version = reader.integer("version")
    if version != VERSION:
        raise DesignError(f"design.version must be {VERSION}, not {version}: this rchw is another")
    inputs = tuple(
        _read_input(item, f"inputs[{index}]") for index, item in enumerate(reader.items("inputs"))
    )
    layer = _read_layer(_single(reader.items("layers"), "design.layers"), "layers[0]")
    reset = reader.object("reset")
    reader.only("feedback", None)
    reader.only("learning", None)
    reader.only("streams", 1)
    provenance = reader.object("provenance")
    design = Design(
        name=reader.text("name"),
        inputs=inputs,
        layer=layer,
        features=_read_features(reader.items("features"), layer.state, inputs),
        readout=_read_readout(_single(reader.items("readouts"), "design.readouts"), "readouts[0]"),
        reset_on_last=reset.flag("on_last"),
        provenance=provenance._value,
    )
    reset.end()
    reader.end()
    schedule(design)  # refuses lanes and multipliers that cannot be built
    return design
