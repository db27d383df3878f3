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
from rchw.fixed import QFormat, Rounding
from rchw.layers import (
    MAX_WEIGHT_WIDTH,
    AffineEncoder,
    ExternalLayer,
    Feedback,
    InputChannel,
    LevelInput,
    LinearInput,
    TargetEncoder,
    check_codes,
    check_name,
    check_range,
)
from rchw.matrix import Matrix, Scaling
from rchw.names import KEYWORDS
from rchw.readouts import MAX_CHANNELS, Output, Readout, Segments
from rchw.units import Layer, MatrixLayer, RingLayer, Tap, UnitCodes, UnitLayer

__all__ = [
    "MAX_CHANNELS",
    "AffineEncoder",
    "Design",
    "ExternalLayer",
    "Features",
    "Feedback",
    "InputChannel",
    "Layer",
    "LevelInput",
    "LinearInput",
    "Matrix",
    "MatrixLayer",
    "Output",
    "Readout",
    "RingLayer",
    "Scaling",
    "Segments",
    "Tap",
    "UnitCodes",
    "UnitLayer",
]

_MAX_TEACHERS = 8  # whose bits share a byte


@dataclass(frozen=True)
class Features:
    """What the readout sees, in this order: states, squares, inputs, one.

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
    """

    states: bool = True
    squares: QFormat | None = None
    square_rounding: Rounding = Rounding.TRUNCATE
    inputs: bool = False
    one: QFormat | None = field(default_factory=lambda: QFormat(1, 0, False))

    def __post_init__(self) -> None:
        if not (self.states or self.squares):
            raise DesignError("features must hold states or squares")
        if self.squares is None:
            # One meaning, one object: the rounding of absent squares is not a difference.
            object.__setattr__(self, "square_rounding", Rounding.TRUNCATE)
        else:
            check_range("width of squares", self.squares.width, 1, 2 * MAX_WEIGHT_WIDTH)
        if self.one is not None and self.one.max < 1:
            raise DesignError(f"format of the feature one must hold the code 1, not {self.one}")

    @property
    def per_unit(self) -> int:
        """Features computed from each unit: 1 or 2."""
        return int(self.states) + int(self.squares is not None)


@dataclass(frozen=True)
class Design:
    """One pipeline: inputs, one layer, features, one readout, and outputs that are fed back.

    `reset_on_last` makes ``tlast`` end a sequence: the next sample starts from the initial state.
    `provenance` is free JSON about the training; it is saved, but no part of the digest.
    """

    name: str
    inputs: tuple[InputChannel, ...]
    layer: Layer
    features: Features
    readout: Readout
    reset_on_last: bool = True
    feedback: tuple[Feedback, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        check_name("design name", self.name)
        if self.name in KEYWORDS:
            raise DesignError(f"design name must be no keyword of Verilog, not {self.name!r}")
        external = isinstance(self.layer, ExternalLayer)
        fewest = 0 if external or self.feedback else 1
        check_range("input channels", len(self.inputs), fewest, MAX_CHANNELS)
        names = [channel.name for channel in self.inputs]
        if len(set(names)) != len(names):
            raise DesignError(f"input names must be distinct, not {names}")
        self._check_feedback()
        for channel in (*self.beat[len(names) :], *self.fed):
            if channel.name in names:
                raise DesignError(f"input name must not be that of another lane, {channel.name}")
        self._check_tables()
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

    def _check_tables(self) -> None:
        layer = self.layer
        if isinstance(layer, ExternalLayer):
            return
        if len(layer.inputs) != len(self.inputs):
            raise DesignError(
                f"the layer must have one table per input channel ({len(self.inputs)}), "
                f"not {len(layer.inputs)}"
            )
        for channel, entry in zip(self.inputs, layer.inputs, strict=True):
            if isinstance(entry, LevelInput):
                what = f"thresholds of input {channel.name}"
                check_codes(what, entry.thresholds, layer.n_units, QFormat(25, 0))

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
        external = self.layer.channels if isinstance(self.layer, ExternalLayer) else ()
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
        return tuple(zip(self.inputs + self.fed, self.driven.inputs + self.feedback, strict=True))

    def check_open(self, what: str) -> None:
        """Refuse feedback where it is not built.

        Raises
        ------
        DesignError
            If outputs are fed back.
        """
        if self.feedback:
            raise DesignError(
                f"feedback must be left out for {what}, which is not built for it yet, not hold "
                f"output {self.feedback[0].output}"
            )

    @property
    def n_units(self) -> int:
        """N."""
        return self.layer.n_units

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
        return self.layer.n_units * self.features.per_unit + (
            len(self.inputs) if self.features.inputs else 0
        )

    @property
    def n_features(self) -> int:
        """F, the constant feature included."""
        return self.n_products + int(self.features.one is not None)

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
