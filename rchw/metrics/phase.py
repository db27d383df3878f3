"""How far an oscillation that runs by itself has drifted in phase, apart from its shape.

A generator keeps no clock. If its period is off by a part in ten thousand its samples are wrong in
the end, although it still oscillates as it should; an error alone does not tell the two apart.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["Drift", "phase_drift"]

Values = NDArray[np.float64]
_EQUAL = 0.02  # standard deviations by which a fit may be worse than one in another period
_AROUND = 3  # samples about the nearest fit, of which the best is taken


@dataclass(frozen=True)
class Drift:
    """A window of a run against the truth.

    Attributes
    ----------
    shift : int
        Samples by which the run is ahead of the truth (negative: behind), where they agree best.
    shape : float
        Root mean square error over the standard deviation of the truth, after that shift.
    error : float
        The same without it.
    """

    shift: int
    shape: float
    error: float


def phase_drift(run: ArrayLike, truth: ArrayLike, reach: int, window: int) -> Drift:
    """Shift the truth until it fits the end of a run.

    Parameters
    ----------
    run, truth : array (T,) or (T, L)
        Of the same samples.
    reach : int
        Largest shift in either direction; of a periodic truth half a period is enough. The window
        ends so many samples before the end, as the truth is not known further.
    window : int
        Samples that are compared.

    Raises
    ------
    DesignError
        If the shapes differ, the series is shorter than the window and what it is shifted by, or
        the truth is constant.

    >>> wave = np.sin(np.arange(400) / 5)
    >>> phase_drift(wave[3:303], wave[:300], 10, 100).shift
    3
    """
    found, wanted = (
        np.asarray(series, dtype=np.float64).reshape(len(np.asarray(series)), -1)
        for series in (run, truth)
    )
    if found.shape != wanted.shape:
        raise DesignError(
            f"run must have the shape of the truth, {wanted.shape}, not {found.shape}"
        )
    if reach < 0 or window < 1 or len(found) < window + 2 * reach:
        raise DesignError(
            f"window and shifts must fit into the {len(found)} samples, not be {window} and {reach}"
        )
    spread = float(np.sqrt(wanted.var(axis=0).mean()))
    if spread == 0:
        raise DesignError("truth must vary for a phase, not be constant")
    end = len(found) - reach
    here = found[end - window : end]

    def error(shift: int) -> float:
        there = wanted[end - window + shift : end + shift]
        return float(np.sqrt(np.mean((here - there) ** 2))) / spread

    errors = {shift: error(shift) for shift in range(-reach, reach + 1)}
    # A truth that comes back fits once in every period: of about equal fits it is the nearest.
    least = min(errors.values())
    near = [shift for shift, size in errors.items() if size <= least + _EQUAL]
    nearest = min(near, key=abs)
    within = [shift for shift in near if abs(shift - nearest) <= _AROUND]
    best = min(within, key=lambda shift: errors[shift])
    return Drift(best, errors[best], errors[0])
