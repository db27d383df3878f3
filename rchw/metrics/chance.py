"""What chance alone gives: quantiles of the chi-square distribution, with numpy alone."""

import math

import numpy as np

from rchw.errors import DesignError

__all__ = ["chi_square_quantile"]


def chi_square_quantile(degrees: float, probability: float) -> float:
    """Value that a chi-square variable stays below with a probability.

    Parameters
    ----------
    degrees : float
        Of freedom, above 0.
    probability : float
        Between 0 and 1.

    Raises
    ------
    DesignError
        If a number is out of range.

    >>> round(chi_square_quantile(1, 0.95), 4), round(chi_square_quantile(100, 0.999), 3)
    (3.8415, 149.449)
    """
    if not 0 < degrees < math.inf:
        raise DesignError(f"degrees of freedom must be above 0, not {degrees}")
    if not 0 < probability < 1:
        raise DesignError(f"probability must be between 0 and 1, not {probability}")
    low, high = 0.0, degrees
    while _below(degrees, high) < probability:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _below(degrees, middle) < probability else (low, middle)
    return (low + high) / 2


def _below(degrees: float, value: float) -> float:
    """Probability of a chi-square variable below a value.

    The series of the lower incomplete gamma function, all terms positive:
    ``z^a e^-z / gamma(a + 1) (1 + z / (a + 1) + z^2 / ((a + 1) (a + 2)) + ...)``.
    Source: NIST Digital Library of Mathematical Functions, 8.7.1.
    """
    if value <= 0:
        return 0.0
    a, z = degrees / 2, value / 2
    first = a * math.log(z) - z - math.lgamma(a + 1)
    # Terms fall once their number exceeds z - a, and soon after no longer count.
    count = int(z + 12 * math.sqrt(z + 1) + 60)
    terms = np.cumsum(np.log(z) - np.log(a + np.arange(1.0, count + 1)))
    return min(1.0, float(math.exp(first) + np.exp(first + terms).sum()))
