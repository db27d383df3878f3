"""What a layer takes in: channels, fed back outputs, earlier layers, and states from outside."""

import math
import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.matrix import Matrix

__all__ = [
    "MAX_UNITS",
    "MAX_WEIGHT_WIDTH",
    "AffineEncoder",
    "ExternalLayer",
    "Feedback",
    "InputChannel",
    "LayerInput",
    "LevelInput",
    "LinearInput",
    "MatrixInput",
    "Tap",
    "TapsInput",
    "TargetEncoder",
    "check_codes",
    "check_name",
    "check_range",
    "check_state",
]

MAX_UNITS = 4096
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
    """Refuse what is no integer, or outside ``[low, high]``."""
    if type(value) is not int:
        raise DesignError(f"{what} must be an integer, not {value!r}")
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
class TargetEncoder:
    """Real target to the code of an output: ``floor((value - offset) / scale * 2**frac + 0.5)``.

    Saturated, in IEEE double, in this order: the inverse of the output's decoder.
    """

    offset: float = 0.0
    scale: float = 1.0

    def encode(self, values: ArrayLike, to: QFormat) -> NDArray[np.int64]:
        """Codes of real targets, same shape."""
        array = np.asarray(values, dtype=np.float64)
        if not np.all(np.isfinite(array)):
            raise DesignError("targets must be finite, not NaN or infinite")
        with np.errstate(over="ignore"):
            scaled = np.floor((array - self.offset) / self.scale * 2.0**to.frac + 0.5)
        codes: NDArray[np.int64] = np.clip(scaled, to.min, to.max).astype(np.int64)
        return codes


@dataclass(frozen=True)
class InputChannel:
    """One lane of the input stream: its name, its code format and how real values become codes."""

    name: str
    format: QFormat
    encoder: AffineEncoder | TargetEncoder = AffineEncoder()

    def __post_init__(self) -> None:
        check_name("input name", self.name)
        check_range(f"width of input {self.name}", self.format.width, 1, MAX_WEIGHT_WIDTH)


@dataclass(frozen=True)
class LinearInput:
    """Contribution ``weights[i] * u`` of one channel.

    `source` is its name where layers are in series; a single layer has one entry per channel, in
    their order, and leaves it out. So it is with `LevelInput`.
    """

    format: QFormat
    weights: tuple[int, ...]
    source: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Feedback(LinearInput):
    """Contribution ``weights[i] * y(t-1)`` of one output to the sums of one layer.

    Parameters
    ----------
    format : QFormat
    weights : tuple of N codes
    output : str
        Name of the output, which has at most 24 bits.
    layer : str
        Name of the layer.
    initial : int
        Code in place of the output at the first sample, and wherever the states are reset.
    teacher : bool
        Whether beats carry a code, and a bit which puts it in place of the output for the sample
        that follows.
    """

    output: str
    layer: str
    initial: int = 0
    teacher: bool = False


@dataclass(frozen=True)
class LevelInput:
    """Contribution ``high[i] if u >= thresholds[i] else low[i]`` of one channel (integer ESN)."""

    format: QFormat
    thresholds: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    source: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Tap:
    """Unit ``i`` reads unit ``(i - offset) mod N`` of the previous sample, times ``weights[i]``.

    In a `TapsInput` that is the unit of an earlier layer, which has N units, in the same sample.
    """

    offset: int
    weights: tuple[int, ...]


@dataclass(frozen=True)
class MatrixInput:
    """Contribution ``sum over j of W[i][j] * x[j]`` of an earlier layer, in the same sample.

    The matrix is dense or sparse, with a row for each unit and a column for each of the source's.
    """

    source: str
    matrix: Matrix

    @property
    def format(self) -> QFormat:
        """Of the weights."""
        return self.matrix.format

    def check(self, n_units: int, n_source: int) -> None:
        """Refuse what does not fit N units that read N' others."""
        if self.matrix.kind == "antisymmetric":
            raise DesignError(
                f"matrix of input {self.source} must be sparse or dense, not antisymmetric"
            )
        self.matrix.check(n_units, n_source)

    def rows(self, n_units: int, n_source: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Of every unit the units that it reads, and their weights, none of them 0."""
        return self.matrix.rows


@dataclass(frozen=True)
class TapsInput:
    """Contribution of an earlier layer, in the same sample, through taps as those of a ring."""

    source: str
    format: QFormat
    taps: tuple[Tap, ...]

    def check(self, n_units: int, n_source: int) -> None:
        """Refuse what does not fit N units that read N' others."""
        what = f"of input {self.source}"
        offsets = [tap.offset for tap in self.taps]
        if len(set(offsets)) != len(offsets):
            raise DesignError(f"tap offsets {what} must be distinct, not {offsets}")
        for tap in self.taps:
            check_range(f"tap offset {what}", tap.offset, 0, n_source - 1)
            check_codes(f"weights of tap {tap.offset} {what}", tap.weights, n_units, self.format)

    def rows(self, n_units: int, n_source: int) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Of every unit the units that it reads, and their weights, none of them 0."""
        return tuple(
            tuple(
                ((i - tap.offset) % n_source, tap.weights[i]) for tap in self.taps if tap.weights[i]
            )
            for i in range(n_units)
        )


LayerInput = LinearInput | LevelInput | MatrixInput | TapsInput


@dataclass(frozen=True)
class ExternalLayer:
    """N states that arrive as codes with every sample: the readings of a physical reservoir.

    Parameters
    ----------
    n_units : int
        N, 1 to 4096.
    state : QFormat
        Of the converter's codes; signed, 2 to 24 bits.
    encoder : AffineEncoder
        How real readings become codes.
    lanes : int
        P, states that the readout has at hand in one clock; 1 to N.
    name : str
        By which features refer to it.
    """

    n_units: int
    state: QFormat
    encoder: AffineEncoder = AffineEncoder()
    lanes: int = 1
    name: str = "external"

    def __post_init__(self) -> None:
        check_name("layer name", self.name)
        check_range("units", self.n_units, 1, MAX_UNITS)
        check_state(self.state)
        check_range("lanes", self.lanes, 1, self.n_units)

    @property
    def channels(self) -> tuple[InputChannel, ...]:
        """One per unit, in the order of the stream: ``x0``, ``x1`` and so on."""
        units = range(self.n_units)
        return tuple(InputChannel(f"x{unit}", self.state, self.encoder) for unit in units)


def check_state(state: QFormat) -> None:
    """Refuse a format that is not signed, or not of 2 to 24 bits."""
    check_range("state width", state.width, 2, MAX_WEIGHT_WIDTH)
    if not state.signed:
        raise DesignError(f"state format must be signed, not {state}")
