"""How units use their range: saturation, and entropy over units and over time.

Two entropies, which answer different questions. `average_state_entropy` is across units at an
instant: do they say different things? `unit_entropy` is over time, unit by unit: how many of its
bits does a state format use?

Source: M. C. Ozturk, D. Xu, J. C. Principe, "Analysis and design of echo state networks", Neural
Computation 19 (2007) 111 (average state entropy: Renyi's quadratic entropy with Gaussian kernels).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["average_state_entropy", "saturation_fraction", "unit_entropy"]

Values = NDArray[np.float64]


def saturation_fraction(
    states: ArrayLike, low: float | NDArray[np.int64], high: float | NDArray[np.int64]
) -> float:
    """Fraction of states (values or codes) at or beyond the rails `low` and `high`.

    Rails are numbers, or one of each per unit, which is the last axis of the states.
    """
    array = np.asarray(states)
    if array.size == 0 or not np.all(np.less(low, high)):
        raise DesignError(
            f"states must not be empty and low must be below high, not {array.shape}, {low}, {high}"
        )
    return float(np.mean((array <= low) | (array >= high)))


def _series(states: ArrayLike) -> Values:
    array = np.asarray(states, dtype=np.float64)
    if array.ndim != 2 or not array.size:
        raise DesignError(f"states must have shape (T, N), not {array.shape}")
    if not np.isfinite(array).all():
        raise DesignError("states must be finite, not NaN or infinite")
    return array


def average_state_entropy(states: ArrayLike, kernel: float = 0.3) -> float:
    """Quadratic entropy of the activations of all units at an instant, averaged over time.

    ``-ln`` of the mean, over pairs of different units, of a Gaussian of their distance: what the
    overlap of the density of activations with itself is, if each unit is blurred by a kernel. It is
    a differential entropy, in nats: states times c have ``ln c`` more. So it compares reservoirs
    whose states have the same unit.

    Parameters
    ----------
    states : array (T, N)
        N at least 2.
    kernel : float
        Deviation of the kernel, in deviations of all activations.

    Raises
    ------
    DesignError
        If the shape is wrong, a state is not finite, the kernel is not above 0, or all activations
        are one number.
    """
    array = _series(states)
    n_units = array.shape[1]
    if n_units < 2:
        raise DesignError(f"units must be at least 2 for an entropy across them, not {n_units}")
    if not 0 < kernel < np.inf:
        raise DesignError(f"kernel must be above 0 and finite, not {kernel}")
    spread = float(array.std())
    if spread == 0:
        raise DesignError("states must vary for an entropy, not be one number")
    # Two kernels of one variance overlap as a kernel of twice that variance.
    variance = 2 * (kernel * spread) ** 2
    first, second = np.triu_indices(n_units, 1)
    total = 0.0
    for row in array:
        powers = -((row[first] - row[second]) ** 2) / (2 * variance)
        most = float(powers.max())  # units all far apart: the exponentials alone would vanish
        total -= most + float(np.log(np.mean(np.exp(powers - most))))
    return total / len(array) + 0.5 * float(np.log(2 * np.pi * variance))


def unit_entropy(states: ArrayLike, low: float, high: float, bins: int) -> Values:
    """Entropy of each unit over time, in bits, from a histogram.

    Parameters
    ----------
    states : array (T, N)
        Values or codes; what lies beyond the ends counts to the first or last bin.
    low, high : float
        Ends of the range, that of the format or the device.
    bins : int
        Equal parts of the range; of codes from -8 to 7 take -8.5, 7.5 and 16. A histogram of T
        samples is short of the entropy by about ``bins / (2 T ln 2)`` bits.

    Returns
    -------
    float64 array (N,)
        0 of a unit that stays in one bin, to ``log2(bins)``.

    Raises
    ------
    DesignError
        If the shape is wrong, a state is not finite, or a number is out of range.
    """
    array = _series(states)
    if not low < high or bins < 1:
        raise DesignError(
            f"low must be below high and bins at least 1, not {low:g}, {high:g}, {bins}"
        )
    places = np.clip(((array - low) * (bins / (high - low))).astype(np.int64), 0, bins - 1)
    found = np.empty(array.shape[1])
    for unit, column in enumerate(places.T):
        share = np.bincount(column, minlength=bins) / len(column)
        share = share[share > 0]
        found[unit] = -(share * np.log2(share)).sum()
    return np.abs(found)  # no -0.0
