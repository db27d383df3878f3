"""The coefficients follow their five steps, by an independent route and by what they must know."""

import math
from typing import Any

import numpy as np
import pytest
from scipy.fft import dct, fft
from scipy.signal import get_window, lfilter

from rchw.errors import DesignError
from rchw.tasks.mfcc import FILTERS, mel_filters, mfcc


def sound(length: int = 4000, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).normal(size=length)


def test_steps_by_scipy() -> None:
    """Its filter, its window, its Fourier transform frame by frame, and its cosine transform."""
    x = sound()
    emphasized = np.asarray(lfilter([1, -0.97], [1], x))
    window = get_window("hamming", 200, fftbins=False)
    frames = [emphasized[80 * k : 80 * k + 200] * window for k in range(48)]
    power = np.array([np.abs(fft(frame, 256)[:129]) ** 2 for frame in frames]) / 256
    expected = dct(np.log(power @ mel_filters(256, 8000).T), type=2, norm="ortho")[:, :13]
    assert mfcc(x, 8000).shape == (48, 13)
    assert np.allclose(mfcc(x, 8000), expected, rtol=0, atol=1e-9)


def test_filters_are_triangles_of_mel() -> None:
    """Peak 1 at its centre, zero at its neighbours', and every frequency weighs 1 in between."""
    filters = mel_filters(4096, 8000)
    assert filters.shape == (FILTERS, 2049) and filters.min() == 0
    step = 2595 * math.log10(1 + 4000 / 700) / (FILTERS + 1)
    for m in (0, 12, 25):
        edges = [700 * (10 ** ((m + k) * step / 2595) - 1) * 4096 / 8000 for k in range(3)]
        assert abs(filters[m].argmax() - edges[1]) <= 1 and filters[m].max() > 0.97
        held = np.flatnonzero(filters[m])
        assert abs(held[0] - edges[0]) <= 1 and abs(held[-1] - edges[2]) <= 1
    first, last = filters[0].argmax(), filters[-1].argmax()
    assert np.allclose(filters.sum(axis=0)[first + 1 : last], 1.0)


def test_loudness_is_in_the_first_coefficient_alone() -> None:
    """Ten times louder is log(100) more in all 26 filters, sqrt(26) log(100) in the first."""
    x = sound()
    change = mfcc(10 * x, 8000) - mfcc(x, 8000)
    assert np.allclose(change[:, 0], math.sqrt(26) * math.log(100))
    assert np.allclose(change[:, 1:], 0, atol=1e-9)


def test_frames() -> None:
    """25 and 10 ms; a shorter sound is one frame; a later sound is the same, later."""
    for length, frames in ((1, 1), (200, 1), (279, 1), (280, 2), (4000, 48)):
        assert mfcc(sound(length), 8000).shape == (frames, 13)
    assert mfcc(sound(1600), 16000).shape == (8, 13)
    x = sound()
    moved = mfcc(np.r_[np.zeros(160), x], 8000)
    assert np.allclose(moved[2:][: len(mfcc(x, 8000))], mfcc(x, 8000))
    short = mfcc(x[:100], 8000)
    assert np.allclose(short, mfcc(np.r_[x[:100], np.zeros(100)], 8000)[:1])


def test_silence_is_finite() -> None:
    assert np.allclose(mfcc(np.zeros(400), 8000)[:, 0], math.sqrt(26) * math.log(1e-10))


@pytest.mark.parametrize(("x", "rate", "sentence"), [
    ([], 8000, "^sound must hold samples, not be empty$"),
    ([0.0, np.nan], 8000, "^sound must be finite numbers .*, not nan in row 1, column 0$"),
    (np.ones((9, 2)), 8000, "^sound must have 1 channel, not 2$"),
    (np.ones(9), 8, "^rate must be at least 1000 samples per second, not 8$"),
])  # fmt: skip
def test_refuses(x: Any, rate: float, sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        mfcc(x, rate)
