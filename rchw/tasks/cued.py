"""Targets that a cue starts: an input that rests, and says with a short pulse when to begin.

A network that makes such a target by itself has to wait for the cue and then go through the whole
of it; unlike an oscillation without input it has no phase that could drift from cue to cue.
"""

import math

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["CUE", "PERIODS", "SWEEP", "chirp"]

Values = NDArray[np.float64]

# The published oscillation of B. DePasquale and others, PLOS ONE 13 (2018) e0191527, as in their
# code: 2 s with a pulse in the first 50 ms, from 1 Hz to 5 Hz and back. Units of 10 ms have a leak
# of 1/4 in samples of 2.5 ms.
SWEEP, CUE, PERIODS = 800, 20, (400.0, 80.0)


def chirp(
    length: int,
    rng: np.random.Generator,
    *,
    sweep: int = SWEEP,
    cue: int = CUE,
    periods: tuple[float, float] = PERIODS,
    rest: int = 0,
) -> tuple[Values, Values]:
    """An oscillation that a cue starts, that becomes faster and then slower again.

    Up to the middle M of a sweep it is ``sin(2 pi (t / p + t**2 (1 / q - 1 / p) / (2 M)))``, whose
    period falls from p to q; from there it comes back as ``y(M + t) = -y(M - t)``. The cue is 1 in
    the first samples of a sweep, and 0 elsewhere.

    Parameters
    ----------
    length : int
        Samples T, at least 1; the last sweep may be cut off.
    rng : numpy.random.Generator
        Of rests; without any it is not used.
    sweep : int
        Samples of one, even and at least 4.
    cue : int
        Samples, at least 1 and below those of a sweep.
    periods : (float, float)
        p and q in samples, both above 2.
    rest : int
        Target and input are 0 between sweeps for a number of samples that is drawn anew each time,
        from 0 to this; 0, as in the source, lets them follow each other.

    Returns
    -------
    inputs, targets : float64 arrays (T, 1)

    Raises
    ------
    DesignError
        If a number is out of range.
    """
    if length < 1:
        raise DesignError(f"length must be at least 1, not {length}")
    if sweep < 4 or sweep % 2:
        raise DesignError(f"sweep must be even and at least 4 samples, not {sweep}")
    if not 0 < cue < sweep:
        raise DesignError(f"cue must be from 1 to below the {sweep} samples of a sweep, not {cue}")
    if rest < 0:
        raise DesignError(f"rest must be at least 0 samples, not {rest}")
    for period in periods:
        if not (math.isfinite(period) and period > 2):
            raise DesignError(f"periods must be finite and above 2 samples, not {period}")
    inputs, targets = np.zeros(length), np.zeros(length)
    one = _sweep(sweep, *periods)
    begin = 0
    while begin < length:
        whole = slice(begin, min(begin + sweep, length))
        targets[whole] = one[: whole.stop - begin]
        inputs[begin : begin + cue] = 1.0
        begin += sweep + (int(rng.integers(rest + 1)) if rest else 0)
    return inputs[:, None], targets[:, None]


def _sweep(samples: int, longest: float, shortest: float) -> Values:
    """One sweep, (samples,); 0 at its beginning, and again in the sample behind its end."""
    middle = samples // 2
    times = np.arange(middle + 1, dtype=np.float64)
    bend = (1.0 / shortest - 1.0 / longest) / (2 * middle)
    rising = np.sin(2 * np.pi * (times / longest + times**2 * bend))
    return np.concatenate([rising, -rising[middle - 1 : 0 : -1]])
