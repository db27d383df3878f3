"""Information processing capacity: all that a readout can compute of past inputs, by degree.

Targets are products of Legendre polynomials of delayed inputs. For inputs that are independent and
uniform they are orthonormal, so that their capacities, the shares that a linear readout recovers,
add up, to at most the number of linearly independent states; with fading memory and without noise
to just that. Degree 1 is the linear memory; what is left beyond it is what the reservoir computes.
From T samples each capacity comes out too large by about ``(1 - C) rank / T``. The threshold keeps
the many that are 0 from adding up; of those beyond it nothing is taken off, so that a total may lie
above the rank by some percent.

Source: J. Dambre, D. Verstraeten, B. Schrauwen, S. Massar, "Information processing capacity of
dynamical systems", Scientific Reports 2, 514 (2012).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.metrics.chance import chi_square_quantile

__all__ = [
    "DEGREES",
    "ProcessingCapacity",
    "Term",
    "capacity_threshold",
    "information_processing_capacity",
    "targets",
]

Values = NDArray[np.float64]
Term = tuple[tuple[int, int], ...]

# Longest delay that each degree is followed to: some 500 targets each.
DEGREES: Mapping[int, int] = {1: 200, 2: 30, 3: 12, 4: 7}
_AT_ONCE = 128
_LEVEL = 0.999  # of the chi-squared distribution


def capacity_threshold(n_units: int, samples: int) -> float:
    """Capacity below which an information processing capacity is to be taken for 0.

    A target that a reservoir knows nothing of still gets a capacity from a finite run: `samples`
    times it is about chi-squared, with as many degrees of freedom as states. The threshold is twice
    its quantile of 0.999::

        eps = 2 chi2(N, 0.999) / T

    Parameters
    ----------
    n_units : int
        Linearly independent states N.
    samples : int
        T, from which the capacity was estimated.

    Raises
    ------
    DesignError
        If one of them is below 1.

    Source: J. Dambre et al., "Information processing capacity of dynamical systems", Sci. Rep. 2,
    514 (2012); the rule was recovered from three thresholds given there, not read.
    """
    for words, value in (("units", n_units), ("samples", samples)):
        if value < 1:
            raise DesignError(f"{words} must be at least 1, not {value}")
    return 2 * chi_square_quantile(n_units, _LEVEL) / samples


@dataclass(frozen=True)
class ProcessingCapacity:
    """Capacities of many targets.

    Attributes
    ----------
    terms : tuple
        Of each target, what it is a product of: (delay, degree) with rising delays.
    capacities : float64 array, one per target
        Share of the target's variance that a linear readout recovers, 0 to 1, from the samples
        that train it.
    threshold : float
        Below it a capacity counts as chance: `capacity_threshold` of the rank and the samples.
    rank : int
        Linearly independent states; what the total cannot exceed, but for finite samples.
    samples : int
    """

    terms: tuple[Term, ...]
    capacities: Values
    threshold: float
    rank: int
    samples: int

    @property
    def significant(self) -> Values:
        """Capacities, with 0 for those at or below the threshold."""
        return np.where(self.capacities > self.threshold, self.capacities, 0.0)

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Degree of each target."""
        return np.array([sum(d for _, d in term) for term in self.terms], dtype=np.int64)

    @property
    def total(self) -> float:
        """Sum of all that is significant."""
        return float(self.significant.sum())

    @property
    def per_degree(self) -> dict[int, float]:
        """Sum of what is significant, degree by degree."""
        kept, degrees = self.significant, self.degrees
        return {int(d): float(kept[degrees == d].sum()) for d in np.unique(degrees)}

    def per_delay(self, degree: int) -> Values:
        """Significant capacity of one degree by the longest delay of the target, from delay 0."""
        longest = [max(delay for delay, _ in term) for term in self.terms]
        found = np.zeros(1 + max(longest))
        np.add.at(found, longest, np.where(self.degrees == degree, self.significant, 0.0))
        return found


def targets(degrees: Mapping[int, int]) -> Iterator[Term]:
    """All products of a degree whose delays do not exceed that degree's longest, from 0.

    >>> list(targets({2: 1}))
    [((0, 2),), ((0, 1), (1, 1)), ((1, 2),)]
    """
    for degree, longest in degrees.items():
        for delays in combinations_with_replacement(range(longest + 1), degree):
            counts = {delay: delays.count(delay) for delay in delays}
            yield tuple(counts.items())


def information_processing_capacity(
    states: ArrayLike,
    inputs: ArrayLike,
    degrees: Mapping[int, int] | None = None,
    *,
    low: float = -1.0,
    high: float = 1.0,
    washout: int = 100,
) -> ProcessingCapacity:
    """Capacities of all products of Legendre polynomials up to some degrees and delays.

    Parameters
    ----------
    states : array (T, N)
        Run on `inputs`; ``states[t]`` has seen ``inputs[t]``.
    inputs : array (T,)
        Independent and uniform between `low` and `high`; values or codes.
    degrees : mapping, optional
        Longest delay of every degree; by default `DEGREES`. Of degree d up to delay K there are
        ``(K + d)! / (K! d!)`` targets.
    low, high : float
        Ends of the inputs.
    washout : int
        First samples left out, beside the longest delay.

    Returns
    -------
    ProcessingCapacity

    Raises
    ------
    DesignError
        If an input lies beyond the ends, a number is not finite, or the run is short.
    """
    state = np.asarray(states, dtype=np.float64)
    signal = np.asarray(inputs, dtype=np.float64).reshape(-1)
    if state.ndim != 2 or len(state) != len(signal):
        raise DesignError(f"states must have shape ({len(signal)}, N), not {state.shape}")
    if not (len(signal) and np.isfinite(state).all() and np.isfinite(signal).all()):
        raise DesignError("states and inputs must be samples of finite numbers, not NaN or none")
    wanted = dict(DEGREES if degrees is None else degrees)
    if not wanted or min(wanted) < 1 or min(wanted.values()) < 0:
        raise DesignError(f"degrees must be from 1, each with a delay from 0, not {wanted}")
    if not low < high or signal.min() < low or signal.max() > high:
        raise DesignError(
            f"inputs must lie between {low:g} and {high:g}, not from {signal.min():g} to "
            f"{signal.max():g}"
        )
    start = max(washout, *wanted.values())
    samples = len(signal) - start
    if samples < 2 * state.shape[1] + 2:
        raise DesignError(
            f"run must have at least {start + 2 * state.shape[1] + 2} samples for these delays and "
            f"units, not {len(signal)}"
        )
    basis = _orthonormal(state[start:])
    scaled = (2 * signal - low - high) / (high - low)
    # Row d: the polynomial of degree d of every input, of variance 1.
    degree = max(wanted)
    table = legendre.legvander(scaled, degree).T * np.sqrt(2 * np.arange(degree + 1) + 1)[:, None]
    terms = tuple(targets(wanted))
    found: list[Values] = []
    rest = iter(terms)
    while chunk := list(islice(rest, _AT_ONCE)):
        columns = np.ones((samples, len(chunk)))
        for column, term in zip(columns.T, chunk, strict=True):
            for delay, power in term:
                column *= table[power, start - delay : len(signal) - delay]
        columns -= columns.mean(axis=0)
        found.append(((basis.T @ columns) ** 2).sum(axis=0) / (columns**2).sum(axis=0))
    rank = basis.shape[1]
    chance = capacity_threshold(rank, samples) if rank else 0.0
    return ProcessingCapacity(terms, np.concatenate(found), chance, rank, samples)


def _orthonormal(states: Values) -> Values:
    """What the states span beyond the constant, as orthonormal columns (T, rank)."""
    centred = states - states.mean(axis=0)
    spread = centred.std(axis=0)
    centred = centred[:, spread > 0] / spread[spread > 0]
    if not centred.shape[1]:
        return np.zeros((len(states), 0))
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    kept = values > values[0] * max(centred.shape) * np.finfo(np.float64).eps
    return np.asarray(left[:, kept])
