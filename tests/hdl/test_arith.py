"""Gates equal the arithmetic law: over all codes to 8 bits, by property above."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Value
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import fixed
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.hdl.arith import add_tree, clamp, digits, requantize, select, shift_round, times
from tests.hdl.gates import evaluate

NARROW = [QFormat(width, 0, signed) for width in range(1, 9) for signed in (True, False)]
ROUNDINGS = list(Rounding)


def all_codes(fmt: QFormat) -> NDArray[np.int64]:
    return np.arange(fmt.min, fmt.max + 1)


def some_codes(fmt: QFormat, seed: int) -> list[int]:
    """Corners, their neighbours, both ends of every power of two, and random codes."""
    rng = np.random.default_rng(seed)
    edges = [0, fmt.min, fmt.max, fmt.min + 1, fmt.max - 1]
    edges += [s * ((1 << k) + d) for k in range(fmt.width) for s in (1, -1) for d in (-1, 0, 1)]
    edges += rng.integers(fmt.min, fmt.max + 1, 40).tolist()
    return sorted({code for code in edges if fmt.min <= code <= fmt.max})


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_requantize_over_all_codes(fmt: QFormat) -> None:
    """Every code, every shift from two zero bits to two beyond the width, target and mode."""
    variants = list(product(range(-2, fmt.width + 3), ROUNDINGS, NARROW, Overflow))

    def build(m: Module, x: Value) -> list[Value]:
        return [
            requantize(m, x, shift, to, rounding, overflow, f"r{k}")
            for k, (shift, rounding, to, overflow) in enumerate(variants)
        ]

    codes = all_codes(fmt)
    got = evaluate(build, [(fmt.width, fmt.signed)], codes[:, None].tolist())
    for k, (shift, rounding, to, overflow) in enumerate(variants):
        want = fixed.requantize(codes, shift, to, rounding, overflow)
        assert np.array_equal(got[:, k], want), (shift, rounding, str(to), overflow)


@pytest.mark.parametrize("fmt", NARROW, ids=str)
def test_shift_round_over_all_codes(fmt: QFormat) -> None:
    """Nothing is lost before the limit: the full result, as wide as it is."""
    variants = list(product(range(-4, fmt.width + 5), ROUNDINGS))

    def build(m: Module, x: Value) -> list[Value]:
        return [shift_round(x, shift, rounding) for shift, rounding in variants]

    codes = all_codes(fmt)
    got = evaluate(build, [(fmt.width, fmt.signed)], codes[:, None].tolist())
    for k, (shift, rounding) in enumerate(variants):
        assert np.array_equal(got[:, k], fixed.shift_round(codes, shift, rounding)), variants[k]


@settings(max_examples=60)
@given(
    st.builds(QFormat, st.integers(9, 46), st.just(0), st.booleans()),
    st.lists(
        st.tuples(
            st.integers(-8, 50),
            st.sampled_from(ROUNDINGS),
            st.builds(QFormat, st.integers(1, 48), st.just(0), st.booleans()),
            st.sampled_from(list(Overflow)),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 99),
)
def test_requantize_of_wide_codes(
    fmt: QFormat, variants: list[tuple[int, Rounding, QFormat, Overflow]], seed: int
) -> None:
    """The same law above 8 bits, in unbounded integers."""

    def build(m: Module, x: Value) -> list[Value]:
        return [
            requantize(m, x, shift, to, rounding, overflow, f"r{k}")
            for k, (shift, rounding, to, overflow) in enumerate(variants)
        ]

    codes = some_codes(fmt, seed)
    got = evaluate(build, [(fmt.width, fmt.signed)], [[code] for code in codes])
    exact = np.array(codes, dtype=object)
    for k, (shift, rounding, to, overflow) in enumerate(variants):
        want = fixed.requantize(exact, shift, to, rounding, overflow)
        assert got[:, k].tolist() == want.tolist(), variants[k]


@pytest.mark.parametrize("fmt", [QFormat(w, 0, s) for w in (2, 4, 6) for s in (True, False)])
def test_clamp_between_any_limits(fmt: QFormat) -> None:
    """All pairs of limits from -9 to 9, and the law is the median of three."""
    pairs = [(low, high) for low in range(-9, 10) for high in range(low, 10)]

    def build(m: Module, x: Value) -> list[Value]:
        return [clamp(m, x, low, high, f"c{k}") for k, (low, high) in enumerate(pairs)]

    codes = all_codes(fmt)
    got = evaluate(build, [(fmt.width, fmt.signed)], codes[:, None].tolist())
    want = [[sorted((low, int(code), high))[1] for low, high in pairs] for code in codes]
    assert got.tolist() == want


def test_digits_are_exact_and_fewest() -> None:
    """The non-adjacent form has the fewest digits: as many as ``n xor 3 n`` has ones."""
    for constant in range(-4096, 4097):
        terms = digits(constant)
        assert sum(sign << exponent for sign, exponent in terms) == constant
        size = abs(constant)
        assert len(terms) == min((size ^ 3 * size).bit_count(), size.bit_count()), constant
        assert all(sign in (-1, 1) for sign, _ in terms)


@pytest.mark.parametrize("signed", [True, False])
def test_times_every_constant(signed: bool) -> None:
    constants = range(-1024, 1025)

    def build(m: Module, x: Value) -> list[Value]:
        return [times(x, constant) for constant in constants]

    codes = all_codes(QFormat(5, 0, signed))
    got = evaluate(build, [(5, signed)], codes[:, None].tolist())
    assert np.array_equal(got, np.outer(codes, constants))


@settings(max_examples=40)
@given(
    st.builds(QFormat, st.integers(9, 24), st.just(0), st.booleans()),
    st.lists(st.integers(-(2**24), 2**24), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_times_of_wide_codes(fmt: QFormat, constants: list[int], seed: int) -> None:
    codes = some_codes(fmt, seed)
    got = evaluate(
        lambda m, x: [times(x, constant) for constant in constants],
        [(fmt.width, fmt.signed)],
        [[code] for code in codes],
    )
    assert np.array_equal(got, np.outer(codes, constants))


def test_add_tree_of_any_length() -> None:
    """Operands of different width and sign at their extremes, from none to nine of them."""
    widths = (3, 7, 1, 5, 8, 2, 4, 6, 9)
    formats = [QFormat(width, 0, k % 2 == 0) for k, width in enumerate(widths)]
    rng = np.random.default_rng(1)
    rows: list[list[int]] = [[f.min for f in formats], [f.max for f in formats]]
    rows += [[int(rng.choice([f.min, f.max])) for f in formats] for _ in range(60)]
    got = evaluate(
        lambda m, *inputs: [add_tree(inputs[:count]) for count in range(10)],
        [(f.width, f.signed) for f in formats],
        rows,
    )
    assert got.tolist() == [[sum(row[:count]) for count in range(10)] for row in rows]


def test_select_by_index_and_by_constant() -> None:
    """Mixed signs; more values than the index can name, and fewer, where the rest is free."""
    values: list[Any] = [Const(5, 3), Const(-2, 3), Const(255, 8), Const(-100, 8), Const(0, 1)]

    def build(m: Module, index: Value) -> list[Value]:
        chosen = [select(m, index, values[:count], f"s{count}") for count in range(1, 6)]
        return [*chosen, select(m, Const(3), values, "constant")]

    got = evaluate(build, [(2, False)], [[index] for index in range(4)])
    plain = [5, -2, 255, -100, 0]
    for count in range(1, 6):
        named = min(count, 4)
        assert got[:named, count - 1].tolist() == plain[:named]
    assert set(got[:, 5].tolist()) == {-100}


def test_broken_gates_are_caught() -> None:
    """A shift by one more and a rounding taken for another differ somewhere in all codes."""
    codes = all_codes(QFormat(8))[:, None].tolist()
    to = QFormat(6)

    def outputs(shift: int, rounding: Rounding) -> list[int]:
        def build(m: Module, x: Value) -> list[Value]:
            return [requantize(m, x, shift, to, rounding, Overflow.SATURATE, "r")]

        return [int(code) for code in evaluate(build, [(8, True)], codes)[:, 0]]

    right = fixed.requantize(all_codes(QFormat(8)), 2, to, Rounding.HALF_EVEN).tolist()
    assert outputs(2, Rounding.HALF_EVEN) == right
    assert outputs(3, Rounding.HALF_EVEN) != right
    assert outputs(2, Rounding.HALF_UP) != right
    assert outputs(2, Rounding.TRUNCATE) != right
