"""Published figures of theory: numbers that a formula gives, without a device."""

from rchw.errors import DesignError
from rchw.lab.figures.figure import Band, Measured, PublishedFigure, Told

__all__ = ["FIGURES", "capacity_threshold"]

_LEVEL = 0.999  # of the chi-squared distribution
_SAMPLES = 1_000_000
_PUBLISHED = {50: 1.7e-4, 25: 1.1e-4, 1: 2.2e-5}  # by the number of states


def capacity_threshold(n_units: int, samples: int) -> float:
    """Capacity below which an information processing capacity is to be taken for 0.

    A target that a reservoir knows nothing of still gets a capacity from a finite run: `samples`
    times it is about chi-squared, with as many degrees of freedom as states. The threshold is twice
    its quantile of 0.999::

        eps = 2 chi2(N, 0.999) / T

    Parameters
    ----------
    n_units : int
        States N.
    samples : int
        T, from which the capacity was estimated.

    Raises
    ------
    DesignError
        If one of them is below 1.

    Source: J. Dambre et al., "Information processing capacity of dynamical systems", Sci. Rep. 2,
    514 (2012); the rule was recovered from three thresholds given there, not read.
    """
    from scipy.stats import chi2

    for words, value in (("units", n_units), ("samples", samples)):
        if value < 1:
            raise DesignError(f"{words} must be at least 1, not {value}")
    return float(2 * chi2.ppf(_LEVEL, n_units) / samples)


def _dambre_threshold(told: Told) -> Measured:
    """Deviations in the two digits that are published."""
    found, deviations = {}, []
    for n_units, published in _PUBLISHED.items():
        eps = capacity_threshold(n_units, _SAMPLES)
        told(f"{n_units} units: {eps:.3e}, published {published:.1e}")
        deviations.append(abs(float(f"{eps:.1e}") - published) / published)
        found[str(n_units)] = eps
    published_too = {str(n_units): value for n_units, value in _PUBLISHED.items()}
    return Measured(
        max(deviations),
        details={"thresholds": found, "published": published_too, "samples": _SAMPLES},
    )


FIGURES = (
    PublishedFigure(
        "dambre-threshold",
        "threshold of capacities for 50, 25 and 1 states, a million samples",
        "largest relative deviation after rounding to two digits",
        "1.7e-4, 1.1e-4 and 2.2e-5",
        Band(high=0.0),
        "without noise",
        "Dambre et al., Sci. Rep. 2, 514 (2012)",
        "the three values are confirmed; the formula was recovered from them, not read",
        _dambre_threshold,
    ),
)
