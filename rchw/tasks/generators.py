"""Targets without an input, for reservoirs that feed their output back and so make a series alone.

A `rchw.tasks.Task` asks for inputs; there they are the target of the sample before.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["FOUR_SINES", "PERIODS", "multi_sine", "periodic"]

Values = NDArray[np.float64]

# Samples. Square roots of different primes and 1 are linearly independent over the rationals
# (A. Besicovitch, Journal of the London Mathematical Society 15 (1940) 3), and so are these periods
# and the frequencies 1/p: no two sines, and no sine and the sampling, ever come back in step.
PERIODS = tuple(60.0 / math.sqrt(prime) for prime in (2, 3, 5, 7))

# Amplitudes of the first four harmonics in the published code of D. Sussillo and L. F. Abbott,
# Neuron 63 (2009) 544.
FOUR_SINES = tuple(1.3 / 1.5 / part for part in (1, 2, 6, 3))


def multi_sine(length: int, periods: Sequence[float] = PERIODS) -> Values:
    """Mean of sines of incommensurate periods: a target for generators with output feedback.

    ``y(t) = (1 / n) sum_j sin(2 pi t / p_j)``, t = 0, 1, ... Such a reservoir is taught with the
    target in place of its own output, then left alone; how long it stays with the target, or how
    well it keeps the spectrum, tells whether it holds several oscillations apart. With
    incommensurate periods the target never repeats, so that a reservoir which has learnt one round
    by heart fails. A reservoir drifts in phase by itself: compare short runs by their samples and
    long ones by their spectrum.

    Parameters
    ----------
    length : int
        Samples T, at least 1.
    periods : sequence of float
        In samples, each above 2 and all different; by default 60 / sqrt(2), sqrt(3), sqrt(5) and
        sqrt(7), about 42.4, 34.6, 26.8 and 22.7.

    Returns
    -------
    float64 array (T, 1)
        From -1 to 1, beginning at 0; the last digit of a sine may differ between machines.

    Raises
    ------
    DesignError
        If the length or a period is out of range, or two periods are equal.
    """
    if length < 1:
        raise DesignError(f"length must be at least 1, not {length}")
    if not len(periods) or len(set(periods)) < len(periods):
        raise DesignError(f"periods must be one or more different numbers, not {list(periods)}")
    for period in periods:
        if not (math.isfinite(period) and period > 2):
            raise DesignError(f"periods must be finite and above 2 samples, not {period}")
    phases = 2 * np.pi * np.arange(length)[:, None] / np.asarray(periods, dtype=np.float64)
    return np.asarray(np.sin(phases).mean(axis=1, keepdims=True))


def periodic(
    length: int, period: float = 120.0, amplitudes: Sequence[float] = FOUR_SINES
) -> Values:
    """Sum of a sine and its harmonics: a target that comes back, for generators of any kind.

    ``y(t) = sum_k a_k sin(2 pi k t / period)``, k = 1, 2, ... and t = 0, 1, ... With one amplitude
    it is a sine: the plainest oscillation that a network can sustain by itself.

    Parameters
    ----------
    length : int
        Samples T, at least 1.
    period : float
        Of the slowest sine, in samples; above 2 for each amplitude.
    amplitudes : sequence of float
        Of the harmonics, one or more, finite and not all 0.

    Returns
    -------
    float64 array (T, 1)

    Raises
    ------
    DesignError
        If a number is out of range.

    >>> np.round(periodic(5, 8.0, [1.0])[:, 0], 3).tolist()
    [0.0, 0.707, 1.0, 0.707, 0.0]
    """
    if length < 1:
        raise DesignError(f"length must be at least 1, not {length}")
    if not any(amplitudes) or not np.isfinite(amplitudes).all():
        raise DesignError(f"amplitudes must be finite and not all 0, not {list(amplitudes)}")
    if not (math.isfinite(period) and period > 2 * len(amplitudes)):
        raise DesignError(
            f"period must be finite and above {2 * len(amplitudes)} samples for "
            f"{len(amplitudes)} harmonics, not {period}"
        )
    phases = 2 * np.pi * np.arange(length)[:, None] / period
    harmonics = np.arange(1, len(amplitudes) + 1)
    return np.asarray((np.sin(phases * harmonics) * amplitudes).sum(axis=1, keepdims=True))
