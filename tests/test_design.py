"""A design refuses at birth what could not be built or would not mean one thing."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from math import floor
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rchw.activation import Clip, PiecewiseLinear, Table
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
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding
from tests.examples import ANTISYMMETRIC, EULER, EXAMPLE, MATRIX

LAYER, READOUT = EXAMPLE.ring, EXAMPLE.readout


def layer(**changes: Any) -> Callable[[], RingLayer]:
    return lambda: replace(LAYER, **changes)


def design(**changes: Any) -> Callable[[], Design]:
    return lambda: replace(EXAMPLE, **changes)


def readout(**changes: Any) -> Callable[[], Readout]:
    return lambda: replace(READOUT, **changes)


def activation(kind: Any) -> Callable[[], RingLayer]:
    return layer(activation=kind)


LEVEL = LAYER.inputs[1]
assert isinstance(LEVEL, LevelInput)
LOW, HIGH = Output("a", QFormat(2)), Output("b", QFormat(2))

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    # names
    "upper case": (design(name="Net"), r"design name must be a lower-case identifier .*'Net'"),
    "long name": (design(name="a" * 41), r"design name must be .* of at most 40, not 'a+'"),
    "digit first": (lambda: InputChannel("1u", QFormat(2)), r"input name must be .* '1u'"),
    "last": (lambda: InputChannel("last", QFormat(2)), r"input name must be other than 'last'"),
    "output last": (lambda: Output("last", QFormat(2)), r"output name must be other than 'last'"),
    "readout name": (readout(name=""), r"readout name must be a lower-case .* not ''"),
    "equal inputs": (
        design(inputs=(EXAMPLE.inputs[0],) * 2),
        r"input names must be distinct, not \['wind', 'wind'\]",
    ),
    "equal outputs": (
        readout(outputs=(LOW, LOW)),
        r"output names must be distinct, not \['a', 'a'\]",
    ),
    # widths and counts
    "wide input": (
        lambda: InputChannel("u", QFormat(25)),
        r"width of input u must be from 1 to 24, not 25",
    ),
    "no units": (layer(n_units=0), r"units must be from 1 to 4096, not 0"),
    "many units": (layer(n_units=4097), r"units must be from 1 to 4096, not 4097"),
    "narrow state": (layer(state=QFormat(1)), r"state width must be from 2 to 24, not 1"),
    "unsigned state": (
        layer(state=QFormat(6, 5, False)),
        r"state format must be signed, not ufix6_en5",
    ),
    "no lanes": (layer(lanes=0), r"lanes must be from 1 to 5, not 0"),
    "many lanes": (layer(lanes=6), r"lanes must be from 1 to 5, not 6"),
    "leak": (layer(leak_shift=16), r"leak shift must be from 0 to 15, not 16"),
    "leaks": (layer(leak_shift=(1, 2)), r"leak shifts must be one or 5, one per unit, not 2"),
    "one wide leak": (
        layer(leak_shift=(0, 0, 16, 1, 1)),
        r"leak shift must be from 0 to 15, not 16",
    ),
    "no leak": (
        layer(leak_shift=(0,) * 5),
        r"leak shifts must be above 0 for one unit at least, not all 0",
    ),
    "leak and step": (
        layer(leak_shift=1, step=UnitCodes(QFormat(2), (1,) * 5)),
        r"leak shift must be 0 with a step, not 1",
    ),
    "wide gain": (
        layer(gain=UnitCodes(QFormat(25), (1,) * 5)),
        r"width of gain must be from 1 to 24, not 25",
    ),
    "large gain": (
        layer(gain=UnitCodes(QFormat(2), (1, 2, 1, 1, 1))),
        r"gain\[1\] must be from -2 to 1 \(sfix2_en0\), not 2",
    ),
    "short step": (
        layer(leak_shift=0, step=UnitCodes(QFormat(2), (1,))),
        r"step must have 5 codes, not 1",
    ),
    "horizon without a step": (
        layer(horizon=3),
        r"horizon must be left out without a step, not 3",
    ),
    "no horizon": (
        layer(leak_shift=0, step=UnitCodes(QFormat(2), (1,) * 5), horizon=0),
        r"horizon must be from 1 to 2147483647, not 0",
    ),
    "matrix of an Euler network": (
        lambda: replace(MATRIX.driven, leak_shift=0, step=UnitCodes(QFormat(2), (1,) * 5)),
        r"matrix of family euler must be antisymmetric, not sparse",
    ),
    "matrix of a leaky network": (
        lambda: replace(ANTISYMMETRIC.driven, step=None),
        r"matrix of family leaky must be sparse or dense, not antisymmetric",
    ),
    "real leak": (layer(leak_shift=cast(Any, 1.5)), r"leak shift must be an integer, not 1\.5"),
    "far horizon": (
        lambda: replace(EULER.ring, horizon=1000),
        r"state format must hold \S+, where unit \d can be after 1000 samples, not be sfix9_en5",
    ),
    "wide taps": (
        layer(tap_format=QFormat(25)),
        r"width of tap weights must be from 1 to 24, not 25",
    ),
    "no channel": (
        design(inputs=(), layers=(replace(LAYER, inputs=()),)),
        r"input channels must be from 1 to 64, not 0",
    ),
    "one table": (
        design(layers=(replace(LAYER, inputs=LAYER.inputs[:1]),)),
        r"the layer must have one table per input channel \(2\), not 1",
    ),
    "no output": (readout(outputs=(), weights=()), r"outputs must be from 1 to 64, not 0"),
    "one row": (
        readout(weights=READOUT.weights[:1]),
        r"readout weights must have one row per output \(2\), not 1",
    ),
    "wide readout": (
        readout(weight_format=QFormat(25)),
        r"width of readout weights must be from 1 to 24, not 25",
    ),
    # tables
    "equal offsets": (
        layer(taps=(LAYER.taps[0],) * 2),
        r"tap offsets must be distinct, not \[1, 1\]",
    ),
    "offset": (
        layer(taps=(Tap(5, (0,) * 5),)),
        r"tap offset must be from 0 to 4, not 5",
    ),
    "short tap": (
        layer(taps=(Tap(1, (1, 1)),)),
        r"weights of tap 1 must have 5 codes, not 2",
    ),
    "large tap": (
        layer(taps=(Tap(1, (0, 0, 8, 0, 0)),)),
        r"weights of tap 1\[2\] must be from -8 to 7 \(sfix4_en2\), not 8",
    ),
    "real tap": (
        layer(taps=(Tap(1, cast(Any, (0.5,) * 5)),)),
        r"weights of tap 1\[0\] must be a Python integer, not 0\.5",
    ),
    "numpy tap": (
        layer(taps=(Tap(1, tuple(np.arange(5))),)),
        r"weights of tap 1\[0\] must be a Python integer, not np\.int64\(0\)",
    ),
    "large weight": (
        layer(inputs=(LinearInput(QFormat(3), (0, 0, 0, 0, -5)), LEVEL)),
        r"weights of input 0\[4\] must be from -4 to 3 \(sfix3_en0\), not -5",
    ),
    "large low": (
        layer(inputs=(LAYER.inputs[0], replace(LEVEL, low=(9,) * 5))),
        r"low weights of input 1\[0\] must be from -4 to 3 .* not 9",
    ),
    "short high": (
        layer(inputs=(LAYER.inputs[0], replace(LEVEL, high=(1,)))),
        r"high weights of input 1 must have 5 codes, not 1",
    ),
    "wide weight": (
        layer(inputs=(LinearInput(QFormat(25), (0,) * 5), LEVEL)),
        r"width of input weights 0 must be from 1 to 24, not 25",
    ),
    "thresholds": (
        design(
            layers=(
                replace(
                    LAYER,
                    inputs=(LAYER.inputs[0], replace(LEVEL, thresholds=(0, 1 << 24, 0, 0, 0))),
                ),
            )
        ),
        r"thresholds of input rain\[1\] must be from -16777216 to 16777215 .* not 16777216",
    ),
    "large bias": (
        layer(bias=(0, 16, 0, 0, 0)),
        r"bias\[1\] must be from -16 to 15 \(sfix5_en4\), not 16",
    ),
    "short state": (layer(initial_state=(0,)), r"initial state must have 5 codes, not 1"),
    "large state": (
        layer(initial_state=(0, 0, 0, 0, 32)),
        r"initial state\[4\] must be from -32 to 31 \(sfix6_en5\), not 32",
    ),
    "short readout": (
        design(readout=replace(READOUT, weights=((0,) * 12,) * 2)),
        r"readout weights of output power must have 13 codes, not 12",
    ),
    "large readout": (
        design(readout=replace(READOUT, weights=((0,) * 13, (0,) * 12 + (16,)))),
        r"readout weights of output trend\[12\] must be from -16 to 15 .* not 16",
    ),
    # encoders, decoders, features
    "no gain": (lambda: AffineEncoder(0.0, 0.0), r"encoder must have .* offset 0\.0 and gain 0\.0"),
    "nan offset": (lambda: AffineEncoder(float("nan")), r"encoder must have a finite offset"),
    "nan scale": (
        lambda: Output("y", QFormat(2), 0.0, float("nan")),
        r"decoder of output y must be finite, not offset 0\.0 and scale nan",
    ),
    "large scale": (
        lambda: Output("y", QFormat(9), 0.0, 1e306),
        r"decoder of output y must give finite values, not -inf for code -256 \(sfix9_en0\)",
    ),
    "large sum": (
        lambda: Output("y", QFormat(9, 8), 1.5e308, 1e308),
        r"decoder of output y must give finite values, not inf for code 255 \(sfix9_en8\)",
    ),
    "no features": (lambda: Features(states=False), r"features must hold states or squares"),
    "no one": (
        lambda: Features(one=QFormat(1, 0)),
        r"format of the feature one must hold the code 1, not sfix1_en0",
    ),
    "mixed inputs": (
        design(inputs=(EXAMPLE.inputs[0], InputChannel("rain", QFormat(5, 3)))),
        r"inputs must share one format to be features",
    ),
    # activations
    "clip order": (
        activation(Clip(3, 3)),
        r"activation limits must satisfy -32 <= low < high <= 31, not 3 and 3",
    ),
    "clip range": (activation(Clip(-33, 3)), r"activation limits must satisfy .* -33 and 3"),
    "no segment": (activation(PiecewiseLinear(0, 1, ())), r"segments must number 1 to 16, not 0"),
    "many segments": (
        activation(PiecewiseLinear(0, 1, ((None, 0, 0), *((k, 0, 0) for k in range(16))))),
        r"segments must number 1 to 16, not 17",
    ),
    "first start": (
        activation(PiecewiseLinear(0, 1, ((0, 0, 0),))),
        r"segment starts must be null, then strictly increasing codes, not \[0\]",
    ),
    "second null": (
        activation(PiecewiseLinear(0, 1, ((None, 0, 0), (None, 0, 0)))),
        r"segment starts must be null, then strictly",
    ),
    "not increasing": (
        activation(PiecewiseLinear(0, 1, ((None, 0, 0), (4, 0, 0), (4, 1, 0)))),
        r"segment starts must be null, then strictly increasing codes, not \[None, 4, 4\]",
    ),
    "segment shift": (
        activation(PiecewiseLinear(0, 1, ((None, 25, 0),))),
        r"segment shift must be from 0 to 24, not 25",
    ),
    "segment offset": (
        activation(PiecewiseLinear(0, 1, ((None, 0, (1 << 26) + 1),))),
        r"segment start and offset must be within 2\*\*26, not None and 67108865",
    ),
    "table index": (
        activation(Table(QFormat(11), (0,) * 2048)),
        r"table index must be signed with at most 10 bits, not sfix11_en0",
    ),
    "table unsigned": (activation(Table(QFormat(2, 0, False), (0,) * 4)), r"must be signed"),
    "table length": (activation(Table(QFormat(2), (0,) * 3)), r"table must have 4 entries, not 3"),
    "table entry": (
        activation(Table(QFormat(2), (0, 0, 32, 0))),
        r"table entry 2 must be from -32 to 31 \(sfix6_en5\), not 32",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    make, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence) as error:
        make()
    assert "\n" not in str(error.value)


def test_counts() -> None:
    """Features in order: five states, five squares, two inputs, one."""
    assert (EXAMPLE.n_units, EXAMPLE.n_inputs, EXAMPLE.n_outputs) == (5, 2, 2)
    assert (EXAMPLE.n_products, EXAMPLE.n_features) == (12, 13)


def test_frozen_and_hashable() -> None:
    """Equal parts make equal designs; provenance is a remark, not a part."""
    again = replace(EXAMPLE, provenance={})
    assert again == EXAMPLE and hash(again) == hash(EXAMPLE)
    assert replace(EXAMPLE, name="other") != EXAMPLE
    with pytest.raises(FrozenInstanceError):
        cast(Any, EXAMPLE).name = "other"


def test_what_is_left_out_has_one_meaning() -> None:
    """No initial state is a state of zeros; absent squares have no rounding to differ in."""
    assert replace(LAYER, initial_state=()).initial_state == (0,) * 5
    assert Features(square_rounding=Rounding.HALF_UP) == Features()


@given(
    st.floats(-1e6, 1e6), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(1, 24),
    st.integers(0, 24),
)  # fmt: skip
def test_the_encoder_is_its_formula(
    value: float, offset: float, gain: float, width: int, frac: int
) -> None:
    """Three operations in double, then the exact floor, then the limits of the format."""
    fmt = QFormat(width, frac)
    product = (value - offset) * gain * 2.0**frac
    want = min(max(floor(Fraction(product + 0.5)), fmt.min), fmt.max)
    assert AffineEncoder(offset, gain).encode([value], fmt).tolist() == [want]


def test_encode_and_decode_by_channel() -> None:
    """Worked by hand: wind (v - 2) / 8 and rain (v + 1) / 2, both in eighths; decoders back."""
    codes = EXAMPLE.encode([[2.0, -1.0], [6.0, 0.0], [-1e308, 1e308]])
    assert codes.tolist() == [[0, 0], [4, 4], [-8, 7]]
    values = EXAMPLE.decode([[16, 4], [-24, -6]])
    assert values.tolist() == [[3.25, 1.0], [2.625, -4.0]]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_inputs_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(DesignError, match=r"^input values must be finite, not NaN or infinite$"):
        EXAMPLE.encode([[0.0, value]])


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 3), (1, 3, 2)])
def test_inputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DesignError, match=r"^inputs must have shape \(T, 2\), not \("):
        EXAMPLE.encode(np.zeros(shape))


def test_every_output_has_its_decoder() -> None:
    assert HIGH.decode([1, -2]).tolist() == [1.0, -2.0]
    assert replace(HIGH, format=QFormat(4, 2), offset=1.0, scale=-2.0).decode([3]) == [-0.5]
