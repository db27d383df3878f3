"""Memory capacity: how much of earlier inputs a linear readout recovers from the states."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = ["MemoryCapacity", "memory_capacity"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class MemoryCapacity:
    """How much of the input of ``delays[j]`` samples ago a linear readout recovers.

    Attributes
    ----------
    delays : tuple of int
    per_delay : float64 array, one per delay
        Squared correlation of readout and delayed input, 0 to 1.
    chance : float
        What a squared correlation stays below if nothing is remembered, in 999 of 1,000 runs for
        all delays together; 0 for exact values.
    """

    delays: tuple[int, ...]
    per_delay: Values
    chance: float = 0.0

    @property
    def total(self) -> float:
        """Sum over the delays."""
        return float(self.per_delay.sum())

    @property
    def significant(self) -> float:
        """Sum over the delays that are beyond chance: 0 for states that know nothing."""
        return float(self.per_delay[self.per_delay > self.chance].sum())


def memory_capacity(
    states: ArrayLike,
    inputs: ArrayLike,
    delays: Iterable[int] | None = None,
    washout: int = 100,
    train_fraction: float = 0.5,
) -> MemoryCapacity:
    """Memory capacity by least squares on one part of a run, scored on the rest.

    Scoring on held-out samples matters: on its own training data the total exceeds N. Even so a
    regression underestimates ill-conditioned reservoirs and adds about ``1 / T_held_out`` of noise
    per delay; for a linear ring the exact value is `linear_ring_memory_capacity_exact`.

    Parameters
    ----------
    states : array (T, N)
        Run on `inputs`; ``states[t]`` has seen ``inputs[t]``.
    inputs : array (T,)
        Independent, identically distributed.
    delays : iterable of int, optional
        Default 1 to 2 N. Jaeger's definition starts at 1; with 0 the linear bound is N.
    washout : int
        First samples left out, beside the largest delay.
    train_fraction : float
        Part of the remaining samples that trains the readouts.

    Returns
    -------
    MemoryCapacity

    Raises
    ------
    DesignError
        If the run is too short for the washout, the delays and the number of units, or a number is
        not finite.

    Source: H. Jaeger, "Short term memory in echo state networks", GMD Report 152, 2001; on
    numerical traps: Ballarin, Grigoryeva, Ortega, arXiv 2305.01457.
    """
    state = np.asarray(states, dtype=np.float64)
    signal = np.asarray(inputs, dtype=np.float64).reshape(-1)
    if state.ndim != 2 or len(state) != len(signal):
        raise DesignError(f"states must have shape ({len(signal)}, N), not {state.shape}")
    if not (np.isfinite(state).all() and np.isfinite(signal).all()):
        raise DesignError("states and inputs must be finite, not NaN or infinite")
    n_units = state.shape[1]
    lags = tuple(range(1, 2 * n_units + 1)) if delays is None else tuple(map(int, delays))
    if not lags or min(lags) < 0:
        raise DesignError(f"delays must be one or more numbers from 0, not {lags}")
    start = max(washout, max(lags))
    middle = start + int(train_fraction * (len(signal) - start))
    if middle - start < n_units + 2 or len(signal) - middle < 2:
        raise DesignError(
            f"run must have at least {start + 2 * n_units + 4} samples for these delays and units, "
            f"not {len(signal)}"
        )
    features = np.column_stack([state, np.ones(len(state))])
    delayed = np.column_stack([signal[start - k : len(signal) - k] for k in lags])
    split = middle - start
    weights = np.linalg.lstsq(features[start:middle], delayed[:split], rcond=None)[0]
    output = features[middle:] @ weights
    wanted = delayed[split:]
    output = output - output.mean(axis=0)
    wanted = wanted - wanted.mean(axis=0)
    power = (output**2).sum(axis=0) * (wanted**2).sum(axis=0)
    covariance = (output * wanted).sum(axis=0)
    squared = np.divide(covariance**2, power, out=np.zeros(len(lags)), where=power > 0)
    # Without memory, samples times squared correlation is the square of a normal number.
    rare = NormalDist().inv_cdf(1 - 0.001 / len(lags) / 2)
    return MemoryCapacity(lags, squared, rare**2 / len(wanted))
