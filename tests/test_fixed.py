"""The arithmetic law against an independent definition in fractions."""

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import fixed
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding, decode, encode, requantize, shift_round

Integers = NDArray[Any]
ROUNDINGS = list(Rounding)
FORMATS = [QFormat(width, 0, signed) for width in range(1, 9) for signed in (True, False)]


def rounded(value: Fraction, rounding: Rounding) -> int:
    """Apply the law in words: floor, floor of a half more, nearest with ties to even."""
    if rounding is Rounding.TRUNCATE:
        return floor(value)
    if rounding is Rounding.HALF_UP:
        return floor(value + Fraction(1, 2))
    return round(value)  # of a Fraction: ties to even


def limited(code: int, width: int, signed: bool, overflow: Overflow) -> int:
    """Nearest member, or the member that is congruent modulo ``2**width``."""
    least = -(1 << (width - 1)) if signed else 0
    most = least + (1 << width) - 1
    if overflow is Overflow.SATURATE:
        return sorted((least, code, most))[1]
    return least + (code - least) % (1 << width)


def test_requantize_over_all_codes_of_narrow_formats() -> None:
    """Every code to 8 bits of either kind, every shift, every target, every mode."""
    codes = np.arange(-128, 256)
    compared = 0
    for shift in range(-9, 11):
        exact = [Fraction(int(code)) / Fraction(2) ** shift for code in codes]
        for rounding in ROUNDINGS:
            whole = [rounded(value, rounding) for value in exact]
            assert shift_round(codes, shift, rounding).tolist() == whole
            for to in FORMATS:
                for overflow in Overflow:
                    want = [limited(code, to.width, to.signed, overflow) for code in whole]
                    got = requantize(codes, shift, to, rounding, overflow)
                    assert got.dtype == np.int64
                    assert got.tolist() == want, (shift, rounding, to, overflow)
                    compared += len(codes)
    assert compared == 384 * 20 * 3 * 16 * 2


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(-(2**90), 2**90), min_size=1, max_size=8),
    st.integers(-30, 100),
    st.integers(1, 48),
    st.booleans(),
    st.sampled_from(ROUNDINGS),
    st.sampled_from(list(Overflow)),
)
@example([2**89, -(2**89)], 89, 1, True, Rounding.HALF_EVEN, Overflow.WRAP)
@example([3, 5, -3, -5], 1, 8, True, Rounding.HALF_EVEN, Overflow.SATURATE)
def test_requantize_of_wide_codes(
    codes: list[int],
    shift: int,
    width: int,
    signed: bool,
    rounding: Rounding,
    overflow: Overflow,
) -> None:
    """The same law in unbounded integers, and in int64 wherever nothing exceeds 62 bits."""
    to = QFormat(width, 0, signed)
    want = [
        limited(rounded(Fraction(code) / Fraction(2) ** shift, rounding), width, signed, overflow)
        for code in codes
    ]
    got = requantize(np.array(codes, dtype=object), shift, to, rounding, overflow)
    assert [int(code) for code in got] == want
    if max(abs(code) for code in codes) << max(-shift, 0) < 2**62 and shift < 62:
        narrow = requantize(np.array(codes, dtype=np.int64), shift, to, rounding, overflow)
        assert narrow.tolist() == want


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_rounding_errors_are_bounded_and_biased_as_named(rounding: Rounding) -> None:
    """Truncation loses half a step less half a code on average; half-even loses nothing."""
    shift = 4
    codes = np.arange(-(2**9), 2**9)
    errors = shift_round(codes, shift, rounding) * 2**shift - codes
    assert np.abs(errors).max() <= (15 if rounding is Rounding.TRUNCATE else 8)
    bias = {Rounding.TRUNCATE: -7.5, Rounding.HALF_UP: 0.5, Rounding.HALF_EVEN: 0.0}
    assert errors.mean() == bias[rounding]


def test_a_wrong_rounding_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exhaustive test fails for a tie that goes the wrong way, and for a shift one off."""

    def away_from_zero(codes: Integers, shift: int, rounding: Rounding) -> Integers:
        if shift > 0 and rounding is Rounding.HALF_UP:
            half = 1 << (shift - 1)
            away: Integers = np.sign(codes) * ((np.abs(codes) + half) >> shift)
            return away
        return shift_round(codes, shift, rounding)

    def one_off(codes: Integers, shift: int, rounding: Rounding) -> Integers:
        return shift_round(codes, shift + (shift == 7), rounding)

    for broken in (away_from_zero, one_off):
        with monkeypatch.context() as patch:
            patch.setattr(fixed, "shift_round", broken)
            with pytest.raises(AssertionError):
                test_requantize_over_all_codes_of_narrow_formats()


@given(st.integers(1, 48), st.integers(0, 48), st.booleans())
def test_formats(width: int, frac: int, signed: bool) -> None:
    """Name, range and step of every format."""
    fmt = QFormat(width, frac, signed)
    assert QFormat.parse(str(fmt)) == fmt
    assert fmt.max - fmt.min == 2**width - 1
    assert fmt.min == (-(fmt.max + 1) if signed else 0)
    assert Fraction(fmt.resolution) == Fraction(1, 2**frac)


def test_a_format_prints_its_name() -> None:
    assert str(QFormat(16, 12)) == "sfix16_en12"
    assert str(QFormat(8, 0, False)) == "ufix8_en0"


@pytest.mark.parametrize("width", [0, -1, 49])
def test_a_width_out_of_range_is_refused(width: int) -> None:
    with pytest.raises(DesignError, match=f"^format width must be from 1 to 48, not {width}$"):
        QFormat(width)


@pytest.mark.parametrize("frac", [-1, 49])
def test_a_fraction_out_of_range_is_refused(frac: int) -> None:
    with pytest.raises(DesignError, match=f"^format frac must be from 0 to 48, not {frac}$"):
        QFormat(8, frac)


@pytest.mark.parametrize(
    "name", ["", "sfix16", "fix8_en0", "sfix8_en-1", "sfix8_en0 ", "SFIX8_EN0", "sfix888_en0"]
)
def test_a_broken_name_is_refused(name: str) -> None:
    with pytest.raises(DesignError, match=r"^format must look like 'sfix16_en12' or 'ufix8_en0'"):
        QFormat.parse(name)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE, min_size=1, max_size=6), st.integers(1, 48), st.integers(0, 48))
@example([1.7e308, -1.7e308], 8, 48)
def test_encode_is_the_nearest_code(values: list[float], width: int, frac: int) -> None:
    """Half a step at most from any value inside, the nearest end outside; ties upwards."""
    fmt = QFormat(width, frac)
    codes = encode(values, fmt)
    assert codes.dtype == np.int64
    for value, code in zip(values, codes.tolist(), strict=True):
        scaled = Fraction(value) * 2**frac
        want = floor(scaled + Fraction(1, 2))
        if abs(scaled) < 2**50:  # beyond, adding a half is not exact in doubles
            assert code == limited(want, width, True, Overflow.SATURATE)
        assert fmt.min <= code <= fmt.max


@given(st.integers(1, 48), st.integers(0, 48), st.booleans(), st.data())
def test_encode_undoes_decode(width: int, frac: int, signed: bool, data: st.DataObject) -> None:
    fmt = QFormat(width, frac, signed)
    codes = data.draw(st.lists(st.integers(fmt.min, fmt.max), min_size=1, max_size=6))
    values = decode(codes, fmt)
    assert [Fraction(v) for v in values] == [Fraction(code, 2**frac) for code in codes]
    assert encode(values, fmt).tolist() == codes


def test_ties_of_encode_go_up() -> None:
    assert encode([-1.5, -0.5, 0.5, 1.5, 2.5], QFormat(8)).tolist() == [-1, 0, 1, 2, 3]
    assert encode([-0.375, 0.375, 0.125], QFormat(8, 2)).tolist() == [-1, 2, 1]


def test_encode_keeps_the_shape_and_refuses_what_is_not_finite() -> None:
    assert encode(np.zeros((2, 0, 3)), QFormat(8)).shape == (2, 0, 3)
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(DesignError, match=r"^values to encode must be finite"):
            encode([0.0, value], QFormat(8))
