"""Published figures of theory: numbers that a formula gives, without a device."""

from rchw.lab.figures.figure import Band, Measured, PublishedFigure, Told
from rchw.metrics import capacity_threshold

__all__ = ["FIGURES"]

_SAMPLES = 1_000_000
_PUBLISHED = {50: 1.7e-4, 25: 1.1e-4, 1: 2.2e-5}  # by the number of states


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
