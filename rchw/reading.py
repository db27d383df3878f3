"""Reading a design file strictly: known keys, checked values, errors with a path.

`docs/design-format.md` defines all of version 1. What it defines and this release does not build
is refused by name, with the reason.
"""

from typing import Any

from rchw.design import (
    Design,
    Features,
    Feedback,
    InputChannel,
    Layer,
    Output,
    Readout,
    Segments,
    UnitFeatures,
)
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.reader import Reader, codes
from rchw.reading_layers import ROUNDINGS, read_encoder, read_layers
from rchw.readouts import ACCUMULATES
from rchw.schedule import schedule

__all__ = ["FORMAT", "VERSION", "from_document"]

FORMAT = "rchw-design"
VERSION = 1

_OVERFLOWS = [mode.value for mode in Overflow]


def _read_input(value: Any, path: str) -> InputChannel:
    reader = Reader(value, path)
    channel = InputChannel(reader.text("name"), reader.format("format"), read_encoder(reader))
    reader.end()
    return channel


def _read_features(
    items: list[Any], layers: tuple[Layer, ...], channels: tuple[InputChannel, ...]
) -> Features:
    order = ["states", "squares", "inputs", "one"]
    found: dict[tuple[int, int], QFormat] = {}
    roundings: dict[int, Rounding] = {}
    for index, item in enumerate(items):
        reader = Reader(item, f"features[{index}]")
        kind = reader.choice("kind", order)
        layer = _place(reader, layers) if kind in order[:2] else 0
        place = order.index(kind), layer
        if found and place <= list(found)[-1]:
            of_layers = "" if len(layers) == 1 else ", each in the order of the layers"
            raise DesignError(
                f"features must follow the order {', '.join(order)}{of_layers}, once each"
            )
        found[place] = reader.format("format")
        if kind == "squares":
            roundings[layer] = Rounding(reader.choice("rounding", ROUNDINGS))
        reader.end()
    wanted = {(0, number): layer.state for number, layer in enumerate(layers)}
    if channels:
        wanted[2, 0] = channels[0].format
    for place, want in wanted.items():
        if place in found and found[place] != want:
            raise DesignError(
                f"format of the feature {order[place[0]]} must be {want}, not {found[place]}"
            )
    parts = [
        UnitFeatures(
            (0, number) in found,
            found.get((1, number)),
            roundings.get(number, Rounding.TRUNCATE),
        )
        for number in range(len(layers))
    ]
    first, one = parts[0], found.get((3, 0))
    return Features(
        first.states, first.squares, first.square_rounding, (2, 0) in found, one, tuple(parts[1:])
    )


def _place(reader: Reader, layers: tuple[Layer, ...]) -> int:
    """Number of the layer that a block of features names."""
    names, name = [layer.name for layer in layers], reader.text("layer")
    if name not in names:
        allowed = " or ".join(repr(known) for known in names)
        raise DesignError(f"{reader.where('layer')} must be {allowed}, not {name!r}")
    return names.index(name)


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
        rounding=Rounding(reader.choice("rounding", ROUNDINGS)),
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
    driven = read_layers(layers, inputs)
    reset = reader.object("reset")
    design = Design(
        name=reader.text("name"),
        inputs=inputs,
        layers=driven,
        features=_read_features(reader.items("features"), driven, inputs),
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
