"""Mel-frequency cepstral coefficients of a sound: what speech is recognised from.

Definitions differ between programs in every constant, so all of them are here. The mel scale and
the triangular filters are those of S. Young and others, The HTK Book, chapter 5.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.tasks.task import finite_rows

__all__ = ["COEFFICIENTS", "FILTERS", "mel_filters", "mfcc"]

Values = NDArray[np.float64]

COEFFICIENTS = 13
FILTERS = 26
_WINDOW, _STEP = 0.025, 0.010  # s
_EMPHASIS = 0.97
_FLOOR = 1e-10  # of a filter's output, before the logarithm; full scale is 1


def mfcc(sound: ArrayLike, rate: float) -> Values:
    """Thirteen coefficients every 10 ms.

    1. Pre-emphasis: ``x(t) - 0.97 x(t - 1)``, with 0 before the first sample; to a sound of less
       than 25 ms zeros are appended before.
    2. Frames of 25 ms every 10 ms, whole ones only.
    3. A Hamming window, and the squared magnitude of a Fourier transform as long as the next power
       of two, over that length.
    4. 26 triangular filters, see `mel_filters`; the natural logarithm, of 1e-10 at least.
    5. An orthonormal cosine transform (type II); the first 13 coefficients. No liftering, no
       differences, no mean taken away.

    Parameters
    ----------
    sound : array (T,)
        Full scale is -1 to 1.
    rate : float
        Samples per second, at least 1000.

    Returns
    -------
    float64 array (frames, 13)

    Raises
    ------
    DesignError
        If the sound is empty, not finite or of another shape, or the rate is too low.
    """
    if not rate >= 1000:
        raise DesignError(f"rate must be at least 1000 samples per second, not {rate}")
    rows = finite_rows(sound, "sound")
    if rows.shape[1] != 1:
        raise DesignError(f"sound must have 1 channel, not {rows.shape[1]}")
    width, step = round(_WINDOW * rate), round(_STEP * rate)
    samples = np.r_[rows[:, 0], np.zeros(max(width - len(rows), 0))]
    emphasized = samples - _EMPHASIS * np.r_[0.0, samples[:-1]]
    frames = np.lib.stride_tricks.sliding_window_view(emphasized, width)[::step]
    size = 1 << (width - 1).bit_length()
    power = np.abs(np.fft.rfft(frames * np.hamming(width), size)) ** 2 / size
    heard = np.log(np.maximum(power @ mel_filters(size, rate).T, _FLOOR))
    return np.asarray(heard @ _cosines().T)


def mel_filters(size: int, rate: float) -> Values:
    """Weights of the 26 filters, (26, size / 2 + 1), for a transform of `size` samples.

    Filter m rises from 0 at edge m to 1 at edge m + 1 and falls to 0 at edge m + 2; the 28 edges
    are equidistant in mel, ``2595 log10(1 + f / 700)``, from 0 to half the rate. Rise and fall are
    straight in mel.
    """
    mels = 2595 * np.log10(1 + np.arange(size // 2 + 1) * rate / size / 700)
    places = mels / mels[-1] * (FILTERS + 1)  # edge m is at m
    away = np.abs(places - np.arange(1, FILTERS + 1)[:, None])
    return np.asarray(np.maximum(1 - away, 0.0), dtype=np.float64)


def _cosines() -> Values:
    """The first rows of the orthonormal cosine transform, (13, 26)."""
    k, n = np.arange(COEFFICIENTS)[:, None], np.arange(FILTERS)
    rows = np.sqrt(2 / FILTERS) * np.cos(np.pi * k * (n + 0.5) / FILTERS)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows)
