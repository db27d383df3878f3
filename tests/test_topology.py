"""Rings as their papers define them, signs that keep the rank, and the sizes where pi does not."""

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from math import cos, pi, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.topology import (
    auto_signs,
    cycle,
    cycle_jumps,
    delay_line,
    delay_line_feedback,
    dense,
    is_regular,
    level_weights,
    pi_digits,
    pi_signs,
    random_signs,
    ring_regularity,
    spectral_radius,
)

Matrix = NDArray[Any]

# Sizes below 513 at which the ring of Rodan and Tino's pi signs loses rank.
SINGULAR = [
    2, 3, 6, 8, 10, 24, 26, 30, 32, 34, 36, 38, 40, 94, 96, 98, 104, 106, 112, 114, 118, 120, 122,
    124, 130, 132, 136, 144, 248,
]  # fmt: skip


def from_edges(n: int, edges: dict[tuple[int, int], float]) -> Matrix:
    """Fill a matrix: entry [to, from]."""
    matrix = np.zeros((n, n))
    for (to, source), weight in edges.items():
        matrix[to, source] = weight
    return matrix


@given(st.integers(1, 30))
def test_cycle_and_lines_are_the_matrices_of_the_paper(n: int) -> None:
    line = {(i + 1, i): 0.5 for i in range(n - 1)}
    assert np.array_equal(dense(delay_line(n, 0.5)), from_edges(n, line))
    assert np.array_equal(dense(cycle(n, 0.5)), from_edges(n, {**line, (0, n - 1): 0.5}))
    if n >= 3:
        back = {(i, i + 1): 0.25 for i in range(n - 1)}
        want = from_edges(n, line | back)
        assert np.array_equal(dense(delay_line_feedback(n, 0.5, 0.25)), want)


@given(st.integers(4, 40), st.data())
def test_jumps_join_regular_units_in_both_directions(n: int, data: st.DataObject) -> None:
    """Multiples of l up to N; the last jump closes the ring only if l divides N."""
    length = data.draw(st.integers(2, n // 2))
    edges: dict[tuple[int, int], float] = {((i + 1) % n, i): 0.5 for i in range(n)}
    stops = list(range(0, n + 1, length)) if n % length == 0 else list(range(0, n, length))
    for one, two in pairwise(stops):
        edges[two % n, one] = edges[one, two % n] = 0.25
    taps = cycle_jumps(n, 0.5, length, 0.25)
    assert np.array_equal(dense(taps), from_edges(n, edges))
    assert {offset for offset, _ in taps} == {1, length, n - length}


@pytest.mark.parametrize(
    "make",
    [
        lambda n, w: cycle(n, w),
        lambda n, w: delay_line(n, w),
        lambda n, w: delay_line_feedback(n, w, w),
        lambda n, w: cycle_jumps(n, w, 2, w),
    ],
)
def test_integer_weights_stay_integers(make: Callable[[int, float], Any]) -> None:
    assert all(weights.dtype == np.int64 for _, weights in make(6, 3))
    assert all(weights.dtype == np.float64 for _, weights in make(6, 0.75))


@given(st.integers(3, 30), st.floats(0.1, 1.0), st.floats(0.1, 1.0))
def test_spectral_radii_are_those_of_theory(n: int, r: float, b: float) -> None:
    """A circulant has radius r, a nilpotent line none, a tridiagonal 2 sqrt(r b) cos(pi/(N+1))."""
    assert spectral_radius(cycle(n, -r)) == pytest.approx(r, rel=1e-12)
    assert spectral_radius(delay_line(n, r)) == 0.0
    line = spectral_radius(delay_line_feedback(n, r, b))
    assert line == pytest.approx(2 * sqrt(r * b) * cos(pi / (n + 1)), rel=1e-9)


def test_digits_of_pi() -> None:
    """Those after the point; the 1000th is 9, and blocks join without a seam."""
    first = "14159265358979323846264338327950288419716939937510"
    assert "".join(map(str, pi_digits(50))) == first
    assert "".join(map(str, pi_digits(8, 992))) == "64201989"
    assert "".join(map(str, pi_digits(6, 761))) == "999999"  # the Feynman point
    many = pi_digits(4500)
    assert np.array_equal(pi_digits(700, 1800), many[1800:2500])
    assert pi_digits(0).size == 0 and pi_digits(0, 3).size == 0


def test_pi_signs_follow_the_threshold_of_the_paper() -> None:
    """Digits 1 4 1 5 9 2 6 5 3 5: from 5 upwards positive."""
    assert pi_signs(10).tolist() == [-1, -1, -1, 1, 1, -1, 1, 1, -1, 1]
    assert pi_signs(5, 3).tolist() == [1, 1, -1, 1, 1]


def remainder(dividend: Matrix, divisor: Matrix) -> tuple[Matrix, Matrix]:
    """Quotient and rest of integer polynomials, lowest power first; the divisor is monic."""
    rest, degree = dividend.copy(), len(divisor) - 1
    quotient = np.zeros(max(len(rest) - degree, 0), dtype=np.int64)
    for k in range(len(quotient) - 1, -1, -1):
        quotient[k] = rest[k + degree]
        rest[k : k + degree + 1] -= quotient[k] * divisor
    return quotient, rest[:degree]


def divisors(n: int) -> list[int]:
    return [d for d in range(1, n + 1) if n % d == 0]


@cache
def cyclotomic(n: int) -> Matrix:
    """Minimal polynomial of the primitive n-th roots of one."""
    found = np.zeros(n + 1, dtype=np.int64)
    found[0], found[n] = -1, 1
    for d in divisors(n)[:-1]:
        found, rest = remainder(found, cyclotomic(d))
        assert not rest.any()
    return found


def loses_rank(signs: Matrix) -> bool:
    """Whether a Fourier bin is exactly zero: a cyclotomic polynomial divides the pattern's."""
    n = len(signs)
    return any(
        not remainder(signs.reshape(-1, d).sum(axis=0), cyclotomic(d))[1].any() for d in divisors(n)
    )


def test_pi_signs_are_singular_for_exactly_29_sizes() -> None:
    """Decided in integers, for every size below 513; the check in doubles agrees with room."""
    found = [n for n in range(1, 513) if loses_rank(pi_signs(n))]
    assert found == SINGULAR and len(found) == 29
    for n in range(1, 513):
        ratio = ring_regularity(pi_signs(n))[0] / sqrt(n)
        assert is_regular(pi_signs(n)) == (n not in SINGULAR)
        assert ratio < 1e-13 if n in SINGULAR else ratio > 1e-5


def test_auto_signs_are_regular_at_every_size() -> None:
    """The plain pi pattern wherever that keeps the rank, another window of pi elsewhere."""
    for n in range(1, 513):
        if n == 2:
            continue
        signs = auto_signs(n)
        assert signs.shape == (1, n) and set(np.unique(signs)) <= {-1, 1}
        assert np.array_equal(signs[0], pi_signs(n)) == (n not in SINGULAR)
        if n in SINGULAR:
            assert not loses_rank(signs[0])


@pytest.mark.parametrize(("n", "channels"), [(1, 3), (3, 2), (8, 4), (32, 3), (100, 8)])
def test_every_channel_has_a_window_of_its_own(n: int, channels: int) -> None:
    signs = auto_signs(n, channels)
    assert signs.shape == (channels, n) and all(is_regular(row) for row in signs)
    text = "".join("+" if s > 0 else "-" for s in pi_signs(2000))
    place = 0
    for row in signs:  # windows follow one another and do not overlap
        found = text.index("".join("+" if s > 0 else "-" for s in row), place)
        place = found + n
    later = auto_signs(n, channels, skip=place)
    assert n == 1 or not np.array_equal(later, signs)


def test_random_signs_are_regular_and_depend_on_their_generator_alone() -> None:
    first, again, other = (random_signs(8, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.dtype == np.int64 and all(not loses_rank(row) for row in first)
    for n in (1, 3, 4, 6):
        assert is_regular(random_signs(n, 20, np.random.default_rng(n)))


@given(st.lists(st.sampled_from([-1, 1]), min_size=1, max_size=14))
def test_the_rank_of_a_ring_is_the_number_of_bins_that_are_left(signs: list[int]) -> None:
    """Reachable states of the linear cycle: columns of the circulant of the input weights."""
    weights = np.array(signs)
    circulant = np.stack([np.roll(weights, k) for k in range(len(signs))])
    bins = np.abs(np.fft.fft(weights))
    assert np.linalg.matrix_rank(circulant) == np.sum(bins > 1e-9)
    assert is_regular(weights) == (not loses_rank(weights))


@given(st.integers(1, 50), st.integers(1, 3), st.integers(1, 10), st.integers(0, 40))
def test_levels_keep_the_signs_and_are_equally_likely(
    n: int, channels: int, levels: int, skip: int
) -> None:
    magnitudes = [(k + 1) / levels for k in range(levels)]
    signs = (
        random_signs(n, channels, np.random.default_rng(0)) if n != 2 else np.ones((channels, 2))
    )
    weights = level_weights(signs, magnitudes, skip)
    assert weights.shape == signs.shape
    assert np.array_equal(np.sign(weights), signs)
    assert set(np.abs(weights).ravel()) <= set(magnitudes)


def test_levels_follow_the_digits() -> None:
    """Digits 1 4 1 5 9 2 6 5 3 5 8 9 7 modulo 4, without 8 and 9, which would favour two levels."""
    want = [0.5, 0.25, 0.5, 0.5, 0.75, 0.75, 0.5, 1.0, 0.5, 1.0]
    assert level_weights(np.ones(10)).tolist() == want
    counts = np.unique(level_weights(np.ones(3000)), return_counts=True)[1]
    assert np.all(np.abs(counts - 750) < 4 * sqrt(3000 * 3 / 16))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no units": (lambda: cycle(0, 1), r"number of units must be at least 1, not 0"),
    "short line": (
        lambda: delay_line_feedback(2, 1, 1),
        r"number of units must be at least 3, not 2",
    ),
    "short jumps": (lambda: cycle_jumps(3, 1, 2, 1), r"number of units must be at least 4, not 3"),
    "jump of 1": (lambda: cycle_jumps(8, 1, 1, 1), r"jump length must be from 2 to 4, not 1"),
    "long jump": (lambda: cycle_jumps(8, 1, 5, 1), r"jump length must be from 2 to 4, not 5"),
    "no taps": (lambda: dense([]), r"taps must have at least one entry, not none"),
    "ragged taps": (
        lambda: dense([(0, [1, 2]), (1, [1])]),
        r"weights of tap 1 must have shape \(2,\), not \(1,\)",
    ),
    "no digits": (lambda: pi_digits(-1), r"digit counts must be at least 0, not -1 and 0"),
    "two units": (lambda: auto_signs(2), r"number of units must be other than 2 .* not 2"),
    "no input": (lambda: auto_signs(4, 0), r"number of inputs must be at least 1, not 0"),
    "no levels": (lambda: level_weights([1], ()), r"levels must be 1 to 10 magnitudes above 0"),
    "zero level": (lambda: level_weights([1], (0.0, 1.0)), r"levels must be .* not \(0\.0, 1\.0\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
