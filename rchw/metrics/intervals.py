"""Intervals of counts: what an error rate may be, after so many errors."""

import numpy as np

from rchw.errors import DesignError

__all__ = ["count_interval"]


def count_interval(errors: int, of: int, confidence: float = 0.95) -> tuple[float, float]:
    """Exact interval of an error rate after `errors` of `of` independent trials.

    The lower end is the rate at which so many errors or more have probability (1 - c) / 2, the
    upper end that at which so many or fewer have; at 0 errors the lower end is 0, at `of` errors
    the upper end is 1. An interval made this way covers the true rate at least in a fraction c of
    all experiments.

    Parameters
    ----------
    errors, of : int
        From 0 to `of`; `of` at least 1.
    confidence : float
        c, between 0 and 1.

    Returns
    -------
    low, high : float
        0 to 1.

    Raises
    ------
    DesignError
        If a number is out of range.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934) 404.

    >>> [round(end, 4) for end in count_interval(10, 100)]
    [0.049, 0.1762]
    """
    if of < 1:
        raise DesignError(f"trials must be at least 1, not {of}")
    if not 0 <= errors <= of:
        raise DesignError(f"errors must be from 0 to {of}, not {errors}")
    if not 0 < confidence < 1:
        raise DesignError(f"confidence must be between 0 and 1, not {confidence}")
    tail = (1 - confidence) / 2
    # The lower end is the upper end of the count of what went right, seen from the other side.
    low = 0.0 if errors == 0 else 1 - _upper_end(of - errors, of, tail)
    return low, 1.0 if errors == of else _upper_end(errors, of, tail)


def _upper_end(count: int, of: int, tail: float) -> float:
    """Rate at which `count` or fewer of `of` have the probability `tail`; by bisection."""
    k = np.arange(count + 1)
    ways = np.r_[0.0, np.cumsum(np.log(of - k[:-1]) - np.log(k[1:]))]  # log of binomial numbers
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        likely = np.exp(ways + k * np.log(rate) + (of - k) * np.log1p(-rate)).sum()
        low, high = (rate, high) if likely > tail else (low, rate)
    return (low + high) / 2
