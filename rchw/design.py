"""The design: a frozen description of what to build and the trained integers, checked at birth.

`docs/design-format.md` is the specification; this module holds it as data, `rchw.document` reads
and writes the JSON, `rchw.ranges` and `rchw.schedule` derive widths and clocks from it.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.features import Block, Features, UnitFeatures
from rchw.fixed import QFormat
from rchw.layers import (
    MAX_WEIGHT_WIDTH,
    AffineEncoder,
    ExternalLayer,
    Feedback,
    InputChannel,
    LevelInput,
    LinearInput,
    MatrixInput,
    Tap,
    TapsInput,
    TargetEncoder,
    check_codes,
    check_name,
    check_range,
)
from rchw.matrix import Matrix, Scaling
from rchw.names import KEYWORDS
from rchw.readouts import MAX_CHANNELS, Output, Readout, Segments
from rchw.stages import Stage, make_stages
from rchw.units import Layer, MatrixLayer, RingLayer, UnitCodes, UnitLayer

__all__ = [
    "MAX_CHANNELS",
    "MAX_LAYERS",
    "AffineEncoder",
    "Block",
    "Design",
    "ExternalLayer",
    "Features",
    "Feedback",
    "InputChannel",
    "Layer",
    "LevelInput",
    "LinearInput",
    "Matrix",
    "MatrixInput",
    "MatrixLayer",
    "Output",
    "Readout",
    "RingLayer",
    "Scaling",
    "Segments",
    "Stage",
    "Tap",
    "TapsInput",
    "UnitCodes",
    "UnitFeatures",
    "UnitLayer",
]

MAX_LAYERS = 64
_MAX_TEACHERS = 8  # whose bits share a byte


@dataclass(frozen=True)
class Design:
    """One pipeline: inputs, layers in series, features, one readout, outputs that are fed back.

    `reset_on_last` makes ``tlast`` end a sequence: the next sample starts from the initial state.
    `provenance` is free JSON about the training; it is saved, but no part of the digest.
    """

    name: str
    inputs: tuple[InputChannel, ...]
    layers: tuple[Layer, ...]
    features: Features
    readout: Readout
    reset_on_last: bool = True
    feedback: tuple[Feedback, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        check_name("design name", self.name)
        if self.name in KEYWORDS:
            raise DesignError(f"design name must be no keyword of Verilog, not {self.name!r}")
        self._check_layers()
        external = isinstance(self.layers[0], ExternalLayer)
        fewest = 0 if external or self.feedback else 1
        check_range("input channels", len(self.inputs), fewest, MAX_CHANNELS)
        names = [channel.name for channel in self.inputs]
        if len(set(names)) != len(names):
            raise DesignError(f"input names must be distinct, not {names}")
        self._check_feedback()
        for channel in (*self.beat[len(names) :], *self.fed):
            if channel.name in names:
                raise DesignError(f"input name must not be that of another lane, {channel.name}")
        _ = self.stages  # which refuses inputs without a source
        formats = {channel.format for channel in self.inputs}
        if self.features.inputs and len(formats) != 1:
            if not formats:
                raise DesignError("inputs must be at least 1 channel to be features, not 0")
            raise DesignError("inputs must share one format to be features")
        for index, row in enumerate(self.readout.weights):
            what = f"readout weights of output {self.readout.outputs[index].name}"
            count = self.readout.n_segments * self.n_features
            check_codes(what, row, count, self.readout.weight_format)

    def _check_feedback(self) -> None:
        if self.feedback and len(self.layers) > 1:
            raise DesignError(
                f"feedback must be left out of layers in series, which are not built with it yet, "
                f"not hold output {self.feedback[0].output}"
            )
        check_range("feedback", len(self.feedback), 0, MAX_CHANNELS)
        check_range("teachers", sum(e.teacher for e in self.feedback), 0, _MAX_TEACHERS)
        if self.feedback and (self.readout.accumulate != "each" or self.readout.argmax):
            raise DesignError("a readout with feedback must answer every sample, with values")
        outputs = {output.name: output for output in self.readout.outputs}
        pairs = [(entry.layer, entry.output) for entry in self.feedback]
        if len(set(pairs)) != len(pairs):
            raise DesignError("feedback must join an output to a layer once, not twice")
        for entry in self.feedback:
            what = f"feedback of output {entry.output}"
            if entry.output not in outputs:
                names = ", ".join(outputs)
                raise DesignError(f"output of feedback must be one of {names}, not {entry.output}")
            if entry.layer != self.layer.name or isinstance(self.layer, ExternalLayer):
                raise DesignError(f"layer of {what} must be one of units, not {entry.layer}")
            output = outputs[entry.output]
            check_range(f"width of fed back output {output.name}", output.format.width, 1, 24)
            check_range(f"width of weights of {what}", entry.format.width, 1, MAX_WEIGHT_WIDTH)
            check_codes(f"weights of {what}", entry.weights, self.n_units, entry.format)
            check_codes(f"initial code of {what}", (entry.initial,), 1, output.format)
            if entry.teacher and output.scale == 0.0:
                raise DesignError(f"scale of output {output.name} must be other than 0 to teach it")

    def _check_layers(self) -> None:
        check_range("layers", len(self.layers), 1, MAX_LAYERS)
        names = [layer.name for layer in self.layers]
        if len(set(names)) != len(names):
            raise DesignError(f"layer names must be distinct, not {names}")
        for layer in self.layers if len(names) > 1 else ():
            if isinstance(layer, ExternalLayer):
                raise DesignError(
                    f"layers in series must be driven in this release, not external as "
                    f"{layer.name}: external layers beside others are not built yet"
                )
        if len(self.features.later) != len(names) - 1:
            raise DesignError(
                f"features must be given for each of {len(names)} layers, "
                f"not for {len(self.features.later) + 1}"
            )

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The layers with their sources; none where the states come from outside."""
        stages = make_stages(self.inputs, self.layers, self.reset_on_last)
        if not self.feedback:
            return stages
        return (stages[0].with_feedback(self.fed, self.feedback),)

    @property
    def stage(self) -> Stage:
        """The one layer, where it is driven, with its sources.

        Raises
        ------
        DesignError
            If there are several layers, or the states come from outside.
        """
        _ = self.driven
        return self.stages[0]

    @property
    def layer(self) -> Layer:
        """The layer, where there is one.

        Raises
        ------
        DesignError
            If there are several.
        """
        if len(self.layers) != 1:
            raise DesignError(f"the design must have one layer here, not {len(self.layers)}")
        return self.layers[0]

    @property
    def ring(self) -> RingLayer:
        """The layer, where it is a ring.

        Raises
        ------
        DesignError
            If it is another.
        """
        if not isinstance(self.layer, RingLayer):
            family = "external" if isinstance(self.layer, ExternalLayer) else self.layer.family
            raise DesignError(f"layer {self.layer.name} must be a ring, not {family}")
        return self.layer

    @property
    def driven(self) -> RingLayer | MatrixLayer:
        """The layer, where its states do not come from outside.

        Raises
        ------
        DesignError
            If they do.
        """
        if isinstance(self.layer, ExternalLayer):
            raise DesignError(f"layer {self.layer.name} must be driven, not external")
        return self.layer

    @cached_property
    def beat(self) -> tuple[InputChannel, ...]:
        """Lanes of a beat of the input stream: channels, states of the layer, then the teachers.

        Of the teachers come their codes, then all their bits in one lane. A beat that would hold
        nothing holds a byte that means nothing.
        """
        first = self.layers[0]
        external = first.channels if isinstance(first, ExternalLayer) else ()
        lanes = self.inputs + external + self._teachers
        return lanes or (InputChannel("idle", QFormat(8, 0, False)),)

    @property
    def _teachers(self) -> tuple[InputChannel, ...]:
        """Lanes of the teachers' codes and of their bits."""
        taught = [i for entry, i in zip(self.feedback, self.fed_from, strict=True) if entry.teacher]
        lanes = []
        for place, index in enumerate(taught):
            output = self.readout.outputs[index]
            encoder = TargetEncoder(output.offset, output.scale)
            lanes.append(InputChannel(f"teacher{place}", output.format, encoder))
        if taught:
            lanes.append(InputChannel("teach", QFormat(len(taught), 0, False)))
        return tuple(lanes)

    @cached_property
    def fed_from(self) -> tuple[int, ...]:
        """Of every entry of `feedback` the number of its output."""
        names = [output.name for output in self.readout.outputs]
        return tuple(names.index(entry.output) for entry in self.feedback)

    @property
    def fed(self) -> tuple[InputChannel, ...]:
        """Codes that return to the sums, one per entry of `feedback`: ``fed0``, ``fed1``, ..."""
        formats = [self.readout.outputs[index].format for index in self.fed_from]
        return tuple(InputChannel(f"fed{k}", fmt) for k, fmt in enumerate(formats))

    @property
    def drives(self) -> tuple[tuple[InputChannel, LinearInput | LevelInput], ...]:
        """What adds to the sums beside states and bias: channels and fed codes, with tables."""
        return tuple(zip(self.stage.inputs, self.stage.entries, strict=True))

    @property
    def n_units(self) -> int:
        """N, of all layers."""
        return sum(layer.n_units for layer in self.layers)

    @property
    def n_inputs(self) -> int:
        """K, channels."""
        return len(self.inputs)

    @property
    def n_lanes(self) -> int:
        """Codes in a beat of the input stream: K, and those of states and teachers."""
        return len(self.beat)

    @property
    def n_outputs(self) -> int:
        """L."""
        return len(self.readout.outputs)

    def answered(self, last: ArrayLike) -> NDArray[np.bool_]:
        """Which samples have an answer, of their last flags: shape (T,) -> the same."""
        flags = np.asarray(last, dtype=bool)
        return flags if self.readout.pooled else np.ones(len(flags), dtype=bool)

    @property
    def n_products(self) -> int:
        """Features that need a multiplication: all but the constant one."""
        return sum(block.count for block in self.blocks if block.kind != "one")

    @property
    def n_features(self) -> int:
        """F, the constant feature included."""
        return self.n_products + int(self.features.one is not None)

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """All features, in order."""
        return self.features.blocks(self.layers, self.inputs)

    def encode(self, values: ArrayLike) -> NDArray[np.int64]:
        """Codes of the beats of real inputs, readings of an external layer, and targets.

        Shape (T, n_lanes) -> the same. The lane of the teachers' bits takes their number.
        """
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_lanes:
            raise DesignError(f"inputs must have shape (T, {self.n_lanes}), not {array.shape}")
        columns = [
            channel.encoder.encode(array[:, k], channel.format)
            for k, channel in enumerate(self.beat)
        ]
        return np.stack(columns, axis=1)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Real answers of output codes, shape (T, L), or (T, 1) with argmax."""
        array = np.asarray(codes)
        columns = [output.decode(array[:, k]) for k, output in enumerate(self.readout.answers)]
        return np.stack(columns, axis=1)
