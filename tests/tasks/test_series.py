"""Series against their recurrences, laws and statistics; every seed fixed."""

import math
from itertools import product
from typing import cast

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import series


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_narma10_from_zeros_by_hand() -> None:
    """Constant input 0.5: 1.5 s s = 0.375 appears once the tenth input has come."""
    outputs = series._narma_outputs(10, [0.5] * 12)
    assert outputs is not None
    assert outputs[0] == 0.0
    assert outputs[1] == 0.1
    assert math.isclose(outputs[2], 0.03 + 0.05 * 0.1 * 0.1 + 0.1, rel_tol=1e-14)
    third = 0.3 * outputs[2] + 0.05 * outputs[2] * (outputs[2] + 0.1) + 0.1
    assert math.isclose(outputs[3], third, rel_tol=1e-14)
    tenth = 0.3 * outputs[9] + 0.05 * outputs[9] * sum(outputs[:10]) + 1.5 * 0.25 + 0.1
    assert math.isclose(outputs[10], tenth, rel_tol=1e-14)


@pytest.mark.parametrize("order", [10, 20])
def test_narma_obeys_its_recurrence(order: int) -> None:
    """The pitfalls of the literature (9 terms, a short buffer, other constants) fail here."""
    s, y, rejected = series.narma(order, 500, rng(3))
    assert rejected == 0 and s.min() >= 0.0 and s.max() <= 0.5
    for t in range(order, 499):
        value = 0.3 * y[t] + 0.05 * y[t] * y[t - order + 1 : t + 1].sum()
        value += 1.5 * s[t - order + 1] * s[t]
        value = value + 0.1 if order == 10 else math.tanh(value + 0.01) + 0.2
        assert math.isclose(y[t + 1], value, rel_tol=1e-12)


def test_narma_drops_a_hundred_steps() -> None:
    drawn = rng(5).uniform(0.0, 0.5, 150)
    s, y, _ = series.narma(10, 50, rng(5))
    whole = series._narma_outputs(10, drawn.tolist())
    assert whole is not None
    assert np.array_equal(s, drawn[100:]) and y.tolist() == whole[100:]


class Diverging:
    """A generator whose first draw is far too large."""

    def __init__(self) -> None:
        self.draws = 0

    def uniform(self, low: float, high: float, size: int) -> np.ndarray:
        self.draws += 1
        return np.full(size, 5.0) if self.draws == 1 else rng(1).uniform(low, high, size)


def test_narma_rejects_a_diverging_draw() -> None:
    fake = Diverging()
    s, y, rejected = series.narma(10, 80, cast(np.random.Generator, fake))
    assert (rejected, fake.draws) == (1, 2)
    assert s.max() <= 0.5 and np.abs(y).max() < 2.0


def test_narma20_settles_on_the_upper_branch() -> None:
    _, y, _ = series.narma(20, 2000, rng())
    assert 1.0 < y.min() and y.max() < 1.2


def test_mackey_glass_step_is_of_fourth_order() -> None:
    """Half the step, a sixteenth of the error, against a ten times finer step."""
    fine = np.array(series._mackey_glass_steps(1.2, 20000, 1700, 0.01))
    tenth = np.array(series._mackey_glass_steps(1.2, 2000, 170, 0.1))
    fifth = np.array(series._mackey_glass_steps(1.2, 1000, 85, 0.2))
    errors = np.abs(tenth - fine[::10]).max(), np.abs(fifth - fine[::20]).max()
    assert errors[0] < 1e-8
    assert 3.5 < math.log2(errors[1] / errors[0]) < 4.5


def test_mackey_glass_solves_its_equation() -> None:
    """Central differences of the trajectory satisfy the delay equation, away from the start."""
    h = 0.1
    x = np.array(series._mackey_glass_steps(1.25, 3000, 170, h))
    n = np.arange(1000, 2990)
    slope = (8 * (x[n + 1] - x[n - 1]) - (x[n + 2] - x[n - 2])) / (12 * h)
    delayed = x[n - 170]
    assert np.abs(slope - (0.2 * delayed / (1 + delayed**10) - 0.1 * x[n])).max() < 1e-6


def test_mackey_glass_rests_at_its_fixed_point() -> None:
    """The value 1 solves 0.2 x / (1 + x**10) = 0.1 x."""
    assert set(series._mackey_glass_steps(1.0, 500, 170, 0.1)) == {1.0}


def test_mackey_glass_samples() -> None:
    """Sampled at 1 after 1000, squashed; the main period is about 50 at a delay of 17."""
    x = series.mackey_glass(2000, rng())
    start = float(rng().uniform(1.1, 1.3))
    raw = series._mackey_glass_steps(start, 10030, 170, 0.1)
    assert np.allclose(x[:3], np.tanh(np.array(raw[10010::10]) - 1.0), rtol=0, atol=1e-15)
    power = np.abs(np.fft.rfft(x - x.mean())) ** 2
    assert 48 < len(x) / int(power.argmax()) < 53
    assert -0.6 < x.min() < -0.4 and 0.2 < x.max() < 0.4
    assert not np.array_equal(x, series.mackey_glass(2000, rng(1)))


def test_henon_without_noise_stays_on_its_map() -> None:
    y, redrawn = series.henon(1000, rng(), noise=0.0)
    assert redrawn == 0
    assert np.array_equal(y[2:], 1.0 - 1.4 * y[1:-1] * y[1:-1] + 0.3 * y[:-2])


def test_henon_contracts_areas_by_its_determinant() -> None:
    """The Lyapunov exponents add up to log 0.3; the largest is 0.42 (Henon 1976 and since)."""
    y, _ = series.henon(3000, rng(), noise=0.0)
    frame, exponents = np.eye(2), np.zeros(2)
    for value in y:
        frame, triangle = np.linalg.qr(np.array([[-2.8 * value, 0.3], [1.0, 0.0]]) @ frame)
        exponents += np.log(np.abs(np.diag(triangle))) / len(y)
    assert math.isclose(exponents.sum(), math.log(0.3), abs_tol=1e-9)
    assert 0.40 < exponents[0] < 0.44


def test_henon_noise() -> None:
    """Innovations have mean 0 and deviation 0.05 within 4 standard errors and the redrawn part."""
    y, redrawn = series.henon(6000, rng(2))
    noise = y[2:] - (1.0 - 1.4 * y[1:-1] ** 2 + 0.3 * y[:-2])
    assert abs(noise.mean()) < 4 * 0.05 / math.sqrt(6000) + 0.001
    assert abs(noise.std() / 0.05 - 1) < 4 / math.sqrt(2 * 6000) + 0.02
    assert 0.01 < redrawn / 6000 < 0.05
    assert np.abs(y).max() < 1.5


def test_channel_without_noise_by_hand() -> None:
    u, d = series.channel(300, rng(4), snr=math.inf)
    n = 100
    q = (
        0.08 * d[n + 2] - 0.12 * d[n + 1] + d[n] + 0.18 * d[n - 1] - 0.1 * d[n - 2]
        + 0.091 * d[n - 3] - 0.05 * d[n - 4] + 0.04 * d[n - 5] + 0.03 * d[n - 6] + 0.01 * d[n - 7]
    )  # fmt: skip
    assert math.isclose(u[n], q + 0.036 * q**2 - 0.011 * q**3, rel_tol=1e-12)


def test_channel_power_is_exact() -> None:
    """The moments give what all 4**10 sequences of symbols give."""
    q = np.zeros(1)
    for tap in series.TAPS:
        q = (q[:, None] + tap * np.array(series.SYMBOLS)).ravel()
    assert math.isclose(
        series.received_power(), (q + 0.036 * q**2 - 0.011 * q**3).var(), rel_tol=1e-10
    )


@pytest.mark.parametrize("snr", [0.0, 20.0])
def test_channel_statistics(snr: float) -> None:
    """Signal to noise ratio within 4 standard errors; symbols fair and independent."""
    u, d = series.channel(20000, rng(6), snr=snr)
    clean, same = series.channel(20000, rng(6), snr=math.inf)
    assert np.array_equal(d, same)
    measured = (u - clean).var() / series.received_power() / 10 ** (-snr / 10)
    assert abs(measured - 1) < 4 * math.sqrt(2 / 20000)
    for a, b in product(range(4), range(4)):
        pairs = (d[:-1] == series.SYMBOLS[a]) & (d[1:] == series.SYMBOLS[b])
        assert abs(pairs.mean() - 1 / 16) < 4 * math.sqrt(1 / 16 / 20000)


@pytest.mark.parametrize("draw", [
    lambda length, g: series.narma(10, length, g)[1],
    lambda length, g: series.narma(20, length, g)[1],
    series.mackey_glass,
    lambda length, g: series.henon(length, g)[0],
    lambda length, g: series.channel(length, g)[0],
])  # fmt: skip
def test_same_seed_same_bits_and_a_longer_series_begins_alike(draw: object) -> None:
    assert callable(draw)
    short, again, longer = draw(30, rng(1)), draw(30, rng(1)), draw(60, rng(1))
    assert short.shape == (30,) and short.dtype == np.float64
    assert np.array_equal(short, again)
    assert np.array_equal(short, longer[:30])
    assert not np.array_equal(short, draw(30, rng(2)))


def test_refuses() -> None:
    for call, sentence in (
        (lambda: series.narma(11, 5, rng()), "^order must be 10 or 20, not 11$"),
        (lambda: series.narma(10, 0, rng()), "^length must be at least 1, not 0$"),
        (
            lambda: series.mackey_glass(5, rng(), tau=17.03),
            "^tau must be a positive multiple .*17.03$",
        ),
        (lambda: series.mackey_glass(5, rng(), tau=0.0), "^tau must be a positive multiple"),
        (lambda: series.mackey_glass(5, rng(), steps=0), "^steps must be at least 1, not 0$"),
        (lambda: series.henon(5, rng(), noise=0.3), "^noise must be from 0 to 0.2, not 0.3$"),
        (
            lambda: series.channel(5, rng(), snr=math.nan),
            "^snr must be at least -20 decibels, not nan$",
        ),
    ):
        with pytest.raises(DesignError, match=sentence):
            call()
