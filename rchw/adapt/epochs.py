"""Passes over the inputs, one after the other, until the changes are small."""

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rchw.adapt.layer import Layer
from rchw.errors import DesignError

__all__ = [
    "above_zero",
    "at_least",
    "gain_numbers",
    "moment_numbers",
    "relative_change",
    "settle",
    "until_settled",
]

Values = NDArray[np.float64]


def until_settled(epochs: int, tolerance: float, epoch: Callable[[], float]) -> str:
    """Call `epoch` until what it returns, the change in it, is at most `tolerance`.

    Parameters
    ----------
    epochs : int
        At most so many.
    tolerance : float
        0 takes all epochs, unless nothing changes any more.
    epoch : callable
        Takes one pass over the inputs.

    Returns
    -------
    str
        Why it stopped, for `rchw.adapt.LayerHistory`.

    Raises
    ------
    DesignError
        If the change is not finite.
    """
    for number in range(1, epochs + 1):
        change = epoch()
        if not math.isfinite(change):
            raise DesignError(f"adaptation must stay finite, not diverge in epoch {number}")
        if change <= tolerance:
            return f"a change of {change:.2g} in epoch {number}, at most {tolerance:g}"
    return f"all {epochs} epochs"


def settle(
    run: Callable[[float], Mapping[str, float]],
    adapted: Callable[[], Values],
    note: Callable[[int, Mapping[str, float]], None],
    *,
    samples: int,
    rate: float,
    epochs: int,
    tolerance: float,
) -> str:
    """Take passes until what is adapted settles, and record each with what it saw.

    Before them comes one pass without a record, whose first states still remember the zero state,
    and one for the record of the beginning; behind them one for that of the end. These change
    nothing.

    Parameters
    ----------
    run : callable
        Takes one pass at a learning rate, and returns what it saw.
    adapted : callable
        Returns a copy of what the rule changes.
    note : callable
        Records what was seen after so many samples.
    samples : int
        Of one pass.
    rate : float
    epochs, tolerance
        As of `until_settled`, whose words are returned.
    """
    done = 0

    def epoch() -> float:
        nonlocal done
        before = adapted()
        seen = run(rate)
        change = relative_change(before, adapted())
        done += samples
        if math.isfinite(change):
            note(done, seen)
        return change

    run(0.0)
    note(0, run(0.0))
    stopped = until_settled(epochs, tolerance, epoch)
    note(done, run(0.0))
    return stopped


def moment_numbers(sums: Values, samples: int) -> dict[str, float]:
    """Mean over units of the mean and the deviation, of sums of activations and squares (2, N)."""
    means, squares = sums / samples
    deviations = np.sqrt(np.maximum(squares - means**2, 0.0))
    return {"mean": float(means.mean()), "std": float(deviations.mean())}


def relative_change(before: Values, after: Values) -> float:
    """2-norm of the difference over that of what was before, or over 1 if that was smaller."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.linalg.norm(after - before) / max(float(np.linalg.norm(before)), 1.0))


def gain_numbers(layer: Layer) -> dict[str, float]:
    """What every rule records of its layer: gains, and the spectral radius of ``diag(gain) W``."""
    return {
        "gain_min": float(layer.gain.min()),
        "gain_median": float(np.median(layer.gain)),
        "gain_max": float(layer.gain.max()),
        "radius": layer.radius(),
    }


def above_zero(**values: float) -> None:
    """Refuse what is not above 0 and finite; names as a caller writes them."""
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise DesignError(f"{_words(name)} must be above 0 and finite, not {value:g}")


def at_least(least: float, **values: float) -> None:
    """Refuse what is below `least` or not finite."""
    for name, value in values.items():
        if not least <= value < math.inf:
            words = _words(name)
            raise DesignError(f"{words} must be at least {least:g} and finite, not {value:g}")


def _words(name: str) -> str:
    return name.replace("_", " ")
