"""The design: a frozen description of what to build and the trained integers, checked at birth.

`docs/design-format.md` is the specification; this module holds it as data, `rchw.document` reads
and writes the JSON, `rchw.ranges` and `rchw.schedule` derive widths and clocks from it.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.activation import Activation
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.names import KEYWORDS

__all__ = [
    "MAX_CHANNELS",
    "AffineEncoder",
    "Design",
    "Features",
    "InputChannel",
    "LevelInput",
    "LinearInput",
    "Output",
    "Readout",
    "RingLayer",
    "Tap",
]

MAX_UNITS = 4096
MAX_CHANNELS = 64
MAX_WEIGHT_WIDTH = 24
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def check_codes(what: str, codes: tuple[int, ...], length: int, fmt: QFormat) -> None:
    """Refuse a table of the wrong length, or with a code that its format does not hold."""
    if len(codes) != length:
        raise DesignError(f"{what} must have {length} codes, not {len(codes)}")
    for index, code in enumerate(codes):
        if type(code) is not int:
            raise DesignError(f"{what}[{index}] must be a Python integer, not {code!r}")
        if not fmt.min <= code <= fmt.max:
            raise DesignError(
                f"{what}[{index}] must be from {fmt.min} to {fmt.max} ({fmt}), not {code}"
            )


def check_range(what: str, value: int, low: int, high: int) -> None:
    """Refuse an integer outside ``[low, high]``."""
    if not low <= value <= high:
        raise DesignError(f"{what} must be from {low} to {high}, not {value}")


def check_name(what: str, name: str) -> None:
    """Refuse what is not a short lower-case identifier."""
    if not _NAME.fullmatch(name):
        raise DesignError(f"{what} must be a lower-case identifier of at most 40, not {name!r}")
    if name == "last":
        raise DesignError(f"{what} must be other than 'last', which marks the end of a sequence")


@dataclass(frozen=True)
class AffineEncoder:
    """Real value to code: ``floor((value - offset) * gain * 2**frac + 0.5)``, saturated.

    The three operations are IEEE double, in this order.
    """

    offset: float = 0.0
    gain: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.offset) and math.isfinite(self.gain) and self.gain != 0.0):
            raise DesignError(
                f"encoder must have a finite offset and a finite gain other than 0, "
                f"not offset {self.offset} and gain {self.gain}"
            )

    def encode(self, values: ArrayLike, to: QFormat) -> NDArray[np.int64]:
        """Codes of real values, same shape."""
        array = np.asarray(values, dtype=np.float64)
        if not np.all(np.isfinite(array)):
            raise DesignError("input values must be finite, not NaN or infinite")
        with np.errstate(over="ignore"):  # what exceeds the doubles exceeds the format
            scaled = np.floor((array - self.offset) * self.gain * 2.0**to.frac + 0.5)
        codes: NDArray[np.int64] = np.clip(scaled, to.min, to.max).astype(np.int64)
        return codes


@dataclass(frozen=True)
class InputChannel:
    """One input of the stream: its name, its code format and how real values become codes."""

    name: str
    format: QFormat
    encoder: AffineEncoder = AffineEncoder()

    def __post_init__(self) -> None:
        check_name("input name", self.name)
        check_range(f"width of input {self.name}", self.format.width, 1, MAX_WEIGHT_WIDTH)


@dataclass(frozen=True)
class Tap:
    """Unit ``i`` reads unit ``(i - offset) mod N`` of the previous sample, times ``weights[i]``."""

    offset: int
    weights: tuple[int, ...]


@dataclass(frozen=True)
class LinearInput:
    """Contribution ``weights[i] * u`` of one channel."""

    format: QFormat
    weights: tuple[int, ...]


@dataclass(frozen=True)
class LevelInput:
    """Contribution ``high[i] if u >= thresholds[i] else low[i]`` of one channel (integer ESN)."""

    format: QFormat
    thresholds: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]


@dataclass(frozen=True)
class RingLayer:
    """N units on a ring, updated once per sample by the law of `docs/design-format.md`.

    Parameters
    ----------
    n_units : int
        N, 1 to 4096.
    state : QFormat
        Signed, 2 to 24 bits.
    tap_format : QFormat
        Of every tap weight.
    taps : tuple of Tap
        Distinct offsets from 0 to N - 1.
    inputs : tuple of LinearInput or LevelInput
        One per input channel.
    bias_format : QFormat
    bias : tuple of int, length N
    activation : Activation
    rounding : Rounding
        Of the pre-activation, the leak and piecewise-linear shifts.
    leak_shift : int
        S in ``x + (f - x) * 2**-S``; 0 replaces the state.
    initial_state : tuple of int, length N
    lanes : int
        P, units updated per clock; 1 to N.
    name : str
        By which features and later layers refer to it.
    """

    n_units: int
    state: QFormat
    tap_format: QFormat
    taps: tuple[Tap, ...]
    inputs: tuple[LinearInput | LevelInput, ...]
    bias_format: QFormat
    bias: tuple[int, ...]
    activation: Activation
    rounding: Rounding = Rounding.TRUNCATE
    leak_shift: int = 0
    initial_state: tuple[int, ...] = ()
    lanes: int = 1
    name: str = "ring"

    def __post_init__(self) -> None:
        n = self.n_units
        check_name("layer name", self.name)
        check_range("units", n, 1, MAX_UNITS)
        if not self.initial_state:
            object.__setattr__(self, "initial_state", (0,) * n)
        check_range("state width", self.state.width, 2, MAX_WEIGHT_WIDTH)
        if not self.state.signed:
            raise DesignError(f"state format must be signed, not {self.state}")
        check_range("lanes", self.lanes, 1, n)
        check_range("leak shift", self.leak_shift, 0, 15)
        self._check_tables(n)
        self.activation.check(self.state)

    def _check_tables(self, n: int) -> None:
        check_range("width of tap weights", self.tap_format.width, 1, MAX_WEIGHT_WIDTH)
        offsets = [tap.offset for tap in self.taps]
        if len(set(offsets)) != len(offsets):
            raise DesignError(f"tap offsets must be distinct, not {offsets}")
        for tap in self.taps:
            check_range("tap offset", tap.offset, 0, n - 1)
            check_codes(f"weights of tap {tap.offset}", tap.weights, n, self.tap_format)
        for channel, entry in enumerate(self.inputs):
            check_range(f"width of input weights {channel}", entry.format.width, 1, 24)
            if isinstance(entry, LinearInput):
                check_codes(f"weights of input {channel}", entry.weights, n, entry.format)
            else:
                check_codes(f"low weights of input {channel}", entry.low, n, entry.format)
                check_codes(f"high weights of input {channel}", entry.high, n, entry.format)
        check_codes("bias", self.bias, n, self.bias_format)
        check_codes("initial state", self.initial_state, n, self.state)


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
class Output:
    """One output: ``value = offset + scale * (code * 2**-frac)`` in IEEE double, in this order."""

    name: str
    format: QFormat
    offset: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_name("output name", self.name)
        if not (math.isfinite(self.offset) and math.isfinite(self.scale)):
            raise DesignError(
                f"decoder of output {self.name} must be finite, "
                f"not offset {self.offset} and scale {self.scale}"
            )
        for code in (self.format.min, self.format.max):
            value = self.offset + self.scale * (code * self.format.resolution)
            if not math.isfinite(value):
                raise DesignError(
                    f"decoder of output {self.name} must give finite values, not {value} for code "
                    f"{code} ({self.format})"
                )

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Real values of output codes, same shape."""
        return self.offset + self.scale * (
            np.asarray(codes, dtype=np.float64) * self.format.resolution
        )


@dataclass(frozen=True)
class Readout:
    """Integer weights from the features to L outputs.

    Parameters
    ----------
    outputs : tuple of Output, length L
    weight_format : QFormat
    weights : tuple of L tuples of F codes
        In feature order; the constant feature, where present, is the last.
    rounding, overflow
        Of the outputs.
    multipliers : int
        M; see `rchw.schedule` for the values that are possible.
    """

    outputs: tuple[Output, ...]
    weight_format: QFormat
    weights: tuple[tuple[int, ...], ...]
    rounding: Rounding = Rounding.HALF_UP
    overflow: Overflow = Overflow.SATURATE
    multipliers: int = 1
    name: str = "readout"

    def __post_init__(self) -> None:
        check_name("readout name", self.name)
        check_range("outputs", len(self.outputs), 1, MAX_CHANNELS)
        check_range("width of readout weights", self.weight_format.width, 1, MAX_WEIGHT_WIDTH)
        if len(self.weights) != len(self.outputs):
            raise DesignError(
                f"readout weights must have one row per output ({len(self.outputs)}), "
                f"not {len(self.weights)}"
            )
        names = [output.name for output in self.outputs]
        if len(set(names)) != len(names):
            raise DesignError(f"output names must be distinct, not {names}")


@dataclass(frozen=True)
class Design:
    """One pipeline: inputs, one ring layer, features, one readout.

    `reset_on_last` makes ``tlast`` end a sequence: the next sample starts from the initial state.
    `provenance` is free JSON about the training; it is saved, but no part of the digest.
    """

    name: str
    inputs: tuple[InputChannel, ...]
    layer: RingLayer
    features: Features
    readout: Readout
    reset_on_last: bool = True
    provenance: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        check_name("design name", self.name)
        if self.name in KEYWORDS:
            raise DesignError(f"design name must be no keyword of Verilog, not {self.name!r}")
        check_range("input channels", len(self.inputs), 1, MAX_CHANNELS)
        names = [channel.name for channel in self.inputs]
        if len(set(names)) != len(names):
            raise DesignError(f"input names must be distinct, not {names}")
        if len(self.layer.inputs) != len(self.inputs):
            raise DesignError(
                f"the layer must have one table per input channel ({len(self.inputs)}), "
                f"not {len(self.layer.inputs)}"
            )
        for channel, entry in zip(self.inputs, self.layer.inputs, strict=True):
            if isinstance(entry, LevelInput):
                what = f"thresholds of input {channel.name}"
                check_codes(what, entry.thresholds, self.layer.n_units, QFormat(25, 0))
        if self.features.inputs and len({channel.format for channel in self.inputs}) != 1:
            raise DesignError("inputs must share one format to be features")
        for index, row in enumerate(self.readout.weights):
            what = f"readout weights of output {self.readout.outputs[index].name}"
            check_codes(what, row, self.n_features, self.readout.weight_format)

    @property
    def n_units(self) -> int:
        """N."""
        return self.layer.n_units

    @property
    def n_inputs(self) -> int:
        """K."""
        return len(self.inputs)

    @property
    def n_outputs(self) -> int:
        """L."""
        return len(self.readout.outputs)

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
        """Input codes of real inputs, shape (T, K)."""
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.n_inputs:
            raise DesignError(f"inputs must have shape (T, {self.n_inputs}), not {array.shape}")
        columns = [
            channel.encoder.encode(array[:, k], channel.format)
            for k, channel in enumerate(self.inputs)
        ]
        return np.stack(columns, axis=1)

    def decode(self, codes: ArrayLike) -> NDArray[np.float64]:
        """Real outputs of output codes, shape (T, L)."""
        array = np.asarray(codes)
        columns = [output.decode(array[:, k]) for k, output in enumerate(self.readout.outputs)]
        return np.stack(columns, axis=1)
