"""The sum of sines is the sum of sines, and never comes back."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks.generators import FOUR_SINES, PERIODS, multi_sine, periodic


def test_by_hand() -> None:
    y = multi_sine(300, (40.0, 30.0))
    assert y.shape == (300, 1) and y.dtype == np.float64
    for t in (0, 1, 10, 299):
        expected = (math.sin(2 * math.pi * t / 40) + math.sin(2 * math.pi * t / 30)) / 2
        assert abs(y[t, 0] - expected) < 1e-12
    assert np.allclose(y[120:], y[:-120]), "120 is the least common multiple"


def test_each_sine_satisfies_its_own_recurrence() -> None:
    """A pure sine obeys y(t+1) = 2 cos(2 pi / p) y(t) - y(t-1); four of them, all four filters."""
    y = multi_sine(2000)[:, 0]
    for period in PERIODS:
        y = y[2:] - 2 * math.cos(2 * math.pi / period) * y[1:-1] + y[:-2]
    assert np.abs(y).max() < 1e-10
    rest = multi_sine(2000)[:, 0]
    for period in PERIODS[1:]:
        rest = rest[2:] - 2 * math.cos(2 * math.pi / period) * rest[1:-1] + rest[:-2]
    assert np.abs(rest).max() > 1e-6, "one filter less leaves a sine"


def test_default_periods_do_not_come_back_in_step() -> None:
    """No ratio is a fraction of small numbers, and no shift repeats the target."""
    assert [round(period, 1) for period in PERIODS] == [42.4, 34.6, 26.8, 22.7]
    for one, other in itertools.combinations((*PERIODS, 1.0), 2):
        near = Fraction(one / other).limit_denominator(200)
        assert abs(one / other - near) > 1e-7
    y = multi_sine(4000)[:, 0]
    shifts = [np.abs(y[k:] - y[:-k]).max() for k in range(10, 2000)]
    assert min(shifts) > 0.03
    assert -1 <= y.min() < -0.8 and 0.8 < y.max() <= 1


@pytest.mark.parametrize(("length", "periods", "sentence"), [
    (0, (30.0,), "^length must be at least 1, not 0$"),
    (9, (), r"^periods must be one or more different numbers, not \[\]$"),
    (9, (30.0, 30.0), r"^periods must be one or more different numbers, not \[30.0, 30.0\]$"),
    (9, (2.0,), "^periods must be finite and above 2 samples, not 2.0$"),
    (9, (math.inf,), "^periods must be finite and above 2 samples, not inf$"),
])  # fmt: skip
def test_refuses(length: int, periods: tuple[float, ...], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        multi_sine(length, periods)


def test_four_sines_are_those_of_the_paper() -> None:
    """1.3/1.5 (sin + sin/2 + sin/6 + sin/3) of one to four times the base; its period is 120."""
    y = periodic(500)[:, 0]
    for t in (0, 1, 33, 499):
        base = 2 * math.pi * t / 120
        parts = (math.sin(base), math.sin(2 * base) / 2, math.sin(3 * base) / 6)
        want = 1.3 * (sum(parts) + math.sin(4 * base) / 3) / 1.5
        assert abs(y[t] - want) < 1e-12
    assert np.allclose(y[120:], y[:-120]) and not np.allclose(y[60:], y[:-60])
    spectrum = np.abs(np.fft.rfft(y[:480])) / 240
    assert np.flatnonzero(spectrum > 1e-9).tolist() == [4, 8, 12, 16]
    assert np.allclose(spectrum[[4, 8, 12, 16]], FOUR_SINES)


@pytest.mark.parametrize(("length", "period", "amplitudes", "sentence"), [
    (0, 60.0, (1.0,), "^length must be at least 1, not 0$"),
    (9, 60.0, (), r"^amplitudes must be finite and not all 0, not \[\]$"),
    (9, 60.0, (math.nan,), r"^amplitudes must be finite and not all 0, not \[nan\]$"),
    (9, 4.0, (1.0, 1.0), "^period must be finite and above 4 samples for 2 harmonics, not 4.0$"),
])  # fmt: skip
def test_periodic_refuses(
    length: int, period: float, amplitudes: tuple[float, ...], sentence: str
) -> None:
    with pytest.raises(DesignError, match=sentence):
        periodic(length, period, amplitudes)
