"""What the readout sees of layers and inputs, in which order."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding
from rchw.layers import MAX_WEIGHT_WIDTH, InputChannel, check_range
from rchw.units import Layer

__all__ = ["Block", "Features", "UnitFeatures"]


@dataclass(frozen=True)
class Block:
    """Features of one kind that follow each other.

    Attributes
    ----------
    kind : str
        ``states``, ``squares``, ``inputs`` or ``one``.
    format : QFormat
    start, count : int
        Of all features the first, and how many.
    layer : int
        Number of the layer; 0 where the block is of none.
    """

    kind: str
    format: QFormat
    start: int
    count: int
    layer: int = 0

    @property
    def key(self) -> str:
        """Its kind, and behind the first layer the number of its layer."""
        return f"{self.kind}_{self.layer}" if self.layer else self.kind


@dataclass(frozen=True)
class UnitFeatures:
    """What the readout sees of the units of a layer; `Features` says what its parts are."""

    states: bool = True
    squares: QFormat | None = None
    square_rounding: Rounding = Rounding.TRUNCATE

    def __post_init__(self) -> None:
        if self.squares is None:
            # One meaning, one object: the rounding of absent squares is not a difference.
            object.__setattr__(self, "square_rounding", Rounding.TRUNCATE)
        else:
            check_range("width of squares", self.squares.width, 1, 2 * MAX_WEIGHT_WIDTH)

    @property
    def per_unit(self) -> int:
        """Features computed from each unit: 0, 1 or 2."""
        return int(self.states) + int(self.squares is not None)


@dataclass(frozen=True)
class Features:
    """What the readout sees, in this order: states, squares, inputs, one.

    Of layers in series first the states of all, then the squares of all.

    Parameters
    ----------
    states : bool
    squares : QFormat or None
        Format of the squared states, requantised with `square_rounding` and saturation.
    square_rounding : Rounding
    inputs : bool
        The input codes; all channels must then share one format.
    one : QFormat or None
        The constant code 1 in this format, that is the value ``2**-frac``.
    later : tuple of UnitFeatures
        Of the layers behind the first, whose states and squares are the above.
    """

    states: bool = True
    squares: QFormat | None = None
    square_rounding: Rounding = Rounding.TRUNCATE
    inputs: bool = False
    one: QFormat | None = field(default_factory=lambda: QFormat(1, 0, False))
    later: tuple[UnitFeatures, ...] = ()

    def __post_init__(self) -> None:
        if not any(part.per_unit for part in self.of_layers):
            raise DesignError("features must hold states or squares")
        object.__setattr__(self, "square_rounding", self.of_layers[0].square_rounding)
        if self.one is not None and self.one.max < 1:
            raise DesignError(f"format of the feature one must hold the code 1, not {self.one}")

    @property
    def of_layers(self) -> tuple[UnitFeatures, ...]:
        """Of every layer."""
        return (UnitFeatures(self.states, self.squares, self.square_rounding), *self.later)

    @property
    def per_unit(self) -> int:
        """Features computed from each unit, of the layer that has most: 1 or 2."""
        return max(part.per_unit for part in self.of_layers)

    def blocks(self, layers: Sequence[Layer], inputs: Sequence[InputChannel]) -> tuple[Block, ...]:
        """All features of layers and channels, in order."""
        parts = list(enumerate(zip(layers, self.of_layers, strict=True)))
        found = [
            ("states", layer.state, layer.n_units, number)
            for number, (layer, part) in parts
            if part.states
        ]
        found += [
            ("squares", part.squares, layer.n_units, number)
            for number, (layer, part) in parts
            if part.squares is not None
        ]
        if self.inputs:
            found.append(("inputs", inputs[0].format, len(inputs), 0))
        if self.one is not None:
            found.append(("one", self.one, 1, 0))
        blocks, start = [], 0
        for kind, fmt, count, number in found:
            blocks.append(Block(kind, fmt, start, count, number))
            start += count
        return tuple(blocks)
