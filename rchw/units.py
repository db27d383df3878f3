"""Layers of units: what joins them, and how a unit comes to its new state."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rchw.activation import Activation
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding, shift_round
from rchw.layers import (
    MAX_UNITS,
    MAX_WEIGHT_WIDTH,
    ExternalLayer,
    LayerInput,
    LevelInput,
    LinearInput,
    Tap,
    check_codes,
    check_name,
    check_range,
    check_state,
)
from rchw.matrix import Matrix

__all__ = ["Layer", "MatrixLayer", "RingLayer", "Tap", "UnitCodes", "UnitLayer"]


@dataclass(frozen=True)
class UnitCodes:
    """One code per unit, all of one format of 1 to 24 bits: gains, or sizes of a step."""

    format: QFormat
    codes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class UnitLayer(ABC):
    """N units, updated once per sample by the law of `docs/design-format.md`, section 4.

    What connects the units is up to `RingLayer` and `MatrixLayer`.

    Parameters
    ----------
    n_units : int
        N, 1 to 4096.
    state : QFormat
        Signed, 2 to 24 bits.
    inputs : tuple of LinearInput, LevelInput, MatrixInput or TapsInput
        One per input channel; of layers in series any, each with its source.
    bias_format : QFormat
    bias : tuple of int, length N
    activation : Activation
    rounding : Rounding
        Of the pre-activation, piecewise-linear shifts, the leak and the step.
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
    inputs: tuple[LayerInput, ...]
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
        check_state(self.state)
        check_range("lanes", self.lanes, 1, n)
        shifts = self.leak_shifts
        if len(shifts) != n:
            raise DesignError(f"leak shifts must be one or {n}, one per unit, not {len(shifts)}")
        for shift in shifts:
            check_range("leak shift", shift, 0, 15)
        if isinstance(self.leak_shift, tuple) and not any(shifts):
            raise DesignError("leak shifts must be above 0 for one unit at least, not all 0")
        self._check_inputs(n)
        self._check_connections(n)
        self.activation.check(self.state)
        self._check_update(n)

    @property
    @abstractmethod
    def family(self) -> str:
        """As in the design file."""

    @property
    @abstractmethod
    def connection_format(self) -> QFormat:
        """Of the weights between the units."""

    @property
    @abstractmethod
    def connections(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Of every unit the units that it reads, and their weights, none of them 0."""

    @abstractmethod
    def _check_connections(self, n: int) -> None:
        """Refuse connections that N units cannot have."""

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

    def _check_inputs(self, n: int) -> None:
        for channel, entry in enumerate(self.inputs):
            check_range(f"width of input weights {channel}", entry.format.width, 1, 24)
            if isinstance(entry, LinearInput):
                check_codes(f"weights of input {channel}", entry.weights, n, entry.format)
            elif isinstance(entry, LevelInput):
                check_codes(f"low weights of input {channel}", entry.low, n, entry.format)
                check_codes(f"high weights of input {channel}", entry.high, n, entry.format)
        check_codes("bias", self.bias, n, self.bias_format)
        check_codes("initial state", self.initial_state, n, self.state)


@dataclass(frozen=True, kw_only=True)
class RingLayer(UnitLayer):
    """Units on a ring; its family is ``ring``, or ``euler-ring`` where it takes a step of Euler.

    Parameters
    ----------
    tap_format : QFormat
        Of every tap weight.
    taps : tuple of Tap
        Distinct offsets from 0 to N - 1.
    """

    tap_format: QFormat
    taps: tuple[Tap, ...]

    @property
    def family(self) -> str:
        """As in the design file."""
        return "ring" if self.step is None else "euler-ring"

    @property
    def connection_format(self) -> QFormat:
        """Of the tap weights."""
        return self.tap_format

    @cached_property
    def connections(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Of every unit the units that its taps read, and their weights, none of them 0."""
        return tuple(
            tuple(
                ((i - tap.offset) % self.n_units, tap.weights[i])
                for tap in self.taps
                if tap.weights[i]
            )
            for i in range(self.n_units)
        )

    def _check_connections(self, n: int) -> None:
        check_range("width of tap weights", self.tap_format.width, 1, MAX_WEIGHT_WIDTH)
        offsets = [tap.offset for tap in self.taps]
        if len(set(offsets)) != len(offsets):
            raise DesignError(f"tap offsets must be distinct, not {offsets}")
        for tap in self.taps:
            check_range("tap offset", tap.offset, 0, n - 1)
            check_codes(f"weights of tap {tap.offset}", tap.weights, n, self.tap_format)


@dataclass(frozen=True, kw_only=True)
class MatrixLayer(UnitLayer):
    """Units joined by a matrix; its family is ``leaky``, or ``euler`` where it takes Euler's steps.

    Parameters
    ----------
    matrix : Matrix
        N rows of N; antisymmetric, and only then, where there is a step.
    """

    matrix: Matrix
    name: str = "matrix"

    @property
    def family(self) -> str:
        """As in the design file."""
        return "leaky" if self.step is None else "euler"

    @property
    def connection_format(self) -> QFormat:
        """Of the matrix."""
        return self.matrix.format

    @property
    def connections(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """Rows of the matrix without zeros."""
        return self.matrix.rows

    def _check_connections(self, n: int) -> None:
        self.matrix.check(n, n)
        if (self.matrix.kind == "antisymmetric") != (self.step is not None):
            rule = "sparse or dense" if self.step is None else "antisymmetric"
            raise DesignError(
                f"matrix of family {self.family} must be {rule}, not {self.matrix.kind}"
            )


Layer = RingLayer | MatrixLayer | ExternalLayer
