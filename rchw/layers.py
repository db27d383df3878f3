"""The parts of a design that make its states: channels, and the layer that they drive."""

import math
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.activation import Activation
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding, shift_round

__all__ = [
    "MAX_UNITS",
    "MAX_WEIGHT_WIDTH",
    "AffineEncoder",
    "ExternalLayer",
    "InputChannel",
    "Layer",
    "LevelInput",
    "LinearInput",
    "RingLayer",
    "Tap",
    "UnitCodes",
    "check_codes",
    "check_name",
    "check_range",
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
class UnitCodes:
    """One code per unit, all of one format of 1 to 24 bits: gains, or sizes of a step."""

    format: QFormat
    codes: tuple[int, ...]


@dataclass(frozen=True)
class RingLayer:
    """N units on a ring, updated once per sample by the law of `docs/design-format.md`.

    Its family is ``ring``, or ``euler-ring`` where it takes a step of Euler.

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
    leak_shift : int or tuple of int, length N
        S in ``x + (f - x) * 2**-S``; 0 replaces the state. Of several, one per unit, at least one
        is above 0.
    gain : UnitCodes or None
        Of all that is added but the bias.
    step : UnitCodes or None
        e in ``x + e * f``, which then is the update; it saturates.
    horizon : int or None
        With `step`: samples of a sequence in which no state can saturate; the format is refused if
        it is too narrow for that.
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
    leak_shift: int | tuple[int, ...] = 0
    gain: UnitCodes | None = None
    step: UnitCodes | None = None
    horizon: int | None = None
    initial_state: tuple[int, ...] = ()
    lanes: int = 1
    name: str = "ring"

    def __post_init__(self) -> None:
        n = self.n_units
        check_name("layer name", self.name)
        check_range("units", n, 1, MAX_UNITS)
        if not self.initial_state:
            object.__setattr__(self, "initial_state", (0,) * n)
        _check_state(self.state)
        check_range("lanes", self.lanes, 1, n)
        shifts = self.leak_shifts
        if len(shifts) != n:
            raise DesignError(f"leak shifts must be one or {n}, one per unit, not {len(shifts)}")
        for shift in shifts:
            check_range("leak shift", shift, 0, 15)
        if isinstance(self.leak_shift, tuple) and not any(shifts):
            raise DesignError("leak shifts must be above 0 for one unit at least, not all 0")
        self._check_tables(n)
        self.activation.check(self.state)
        self._check_update(n)

    @property
    def family(self) -> str:
        """As in the design file."""
        return "ring" if self.step is None else "euler-ring"

    @property
    def update(self) -> str:
        """As in the design file: ``replace``, ``leaky`` or ``increment``."""
        if self.step is not None:
            return "increment"
        return "leaky" if any(self.leak_shifts) else "replace"

    @property
    def leak_shifts(self) -> tuple[int, ...]:
        """S of every unit, (N,)."""
        shifts = self.leak_shift
        return shifts if isinstance(shifts, tuple) else (shifts,) * self.n_units

    @property
    def remembers(self) -> bool:
        """Whether a new state takes up the old one of the unit, beside what the taps bring."""
        return self.update != "replace"

    def _check_update(self, n: int) -> None:
        for what, table in (("gain", self.gain), ("step", self.step)):
            if table is not None:
                check_range(f"width of {what}", table.format.width, 1, MAX_WEIGHT_WIDTH)
                check_codes(what, table.codes, n, table.format)
        if self.step is None:
            if self.horizon is not None:
                raise DesignError(f"horizon must be left out without a step, not {self.horizon}")
            return
        if any(self.leak_shifts):
            raise DesignError(f"leak shift must be 0 with a step, not {self.leak_shift}")
        if self.horizon is not None:
            check_range("horizon", self.horizon, 1, 2**31 - 1)
            self._check_horizon(self.step, self.horizon)

    def _check_horizon(self, step: UnitCodes, horizon: int) -> None:
        ends = np.array(self.activation.ends, dtype=object)
        for unit, (code, start) in enumerate(zip(step.codes, self.initial_state, strict=True)):
            moves = shift_round(ends * code, step.format.frac, self.rounding)
            reach = horizon * int(max(abs(move) for move in moves))
            for end in (start - reach, start + reach):
                if not self.state.min <= end <= self.state.max:
                    raise DesignError(
                        f"state format must hold {end}, where unit {unit} can be after "
                        f"{horizon} samples, not be {self.state}"
                    )

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
        _check_state(self.state)
        check_range("lanes", self.lanes, 1, self.n_units)

    @property
    def channels(self) -> tuple[InputChannel, ...]:
        """One per unit, in the order of the stream: ``x0``, ``x1`` and so on."""
        units = range(self.n_units)
        return tuple(InputChannel(f"x{unit}", self.state, self.encoder) for unit in units)


Layer = RingLayer | ExternalLayer


def _check_state(state: QFormat) -> None:
    check_range("state width", state.width, 2, MAX_WEIGHT_WIDTH)
    if not state.signed:
        raise DesignError(f"state format must be signed, not {state}")
