"""Signed digits: the fewest there are, those that circuits take, and the nearest codes of few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.hdl.arith import digits
from rchw.train.digits import count_adders, digit_count, digit_table


def fewest(limit: int) -> list[int]:
    """Fewest signed powers of two of every number to a limit, by adding one more to all sums."""
    reach = 4 * limit
    steps = [sign << k for k in range(reach.bit_length()) for sign in (1, -1)]
    count, edge = {0: 0}, {0}
    for digits_of_edge in range(1, 7):
        edge = {n + step for n in edge for step in steps if abs(n + step) <= reach} - set(count)
        count |= dict.fromkeys(edge, digits_of_edge)
    return [count[n] for n in range(limit + 1)]


def test_no_sum_is_shorter() -> None:
    found = digit_count(np.arange(513)).tolist()
    assert found == fewest(512)
    assert max(found) == 5 and found[341] == 5  # 101010101


@given(st.integers(-(2**23), 2**23))
def test_the_circuit_takes_as_many(code: int) -> None:
    assert int(digit_count(code)) == len(digits(code))
    assert int(digit_count(-code)) == int(digit_count(code)) == int(digit_count(4 * code))


@given(st.lists(st.integers(-2047, 2047), min_size=1, max_size=9), st.integers(-2047, 2047))
def test_a_sum_takes_one_adder_less_than_it_has_terms(weights: list[int], one: int) -> None:
    terms = sum(len(digits(weight)) for weight in weights)
    wanted = max(terms - 1, 0)
    assert int(count_adders(weights, constant=False)) == wanted
    assert int(count_adders([*weights, one], constant=True)) == wanted


@settings(max_examples=60)
@given(st.integers(2, 9), st.floats(-300, 300))
def test_the_table_has_the_nearest_codes(width: int, value: float) -> None:
    """Of every number of digits, by looking at all codes."""
    limit = (1 << (width - 1)) - 1
    codes = np.arange(-limit, limit + 1)
    found = digit_table(width).nearest(np.array([value]))[:, 0]
    assert len(found) == digit_count(codes).max() + 1
    for most, code in enumerate(found):
        fits = codes[digit_count(codes) <= most]
        assert digit_count(int(code)) <= most and abs(code) <= limit
        assert abs(code - value) == np.abs(fits - value).min()


@pytest.mark.parametrize("width", [2, 3, 12, 16])
def test_the_last_row_of_a_table_is_plain_rounding(width: int) -> None:
    limit = (1 << (width - 1)) - 1
    values = np.random.default_rng(width).uniform(-limit, limit, 50)
    assert digit_table(width).nearest(values)[-1].tolist() == np.round(values).tolist()
