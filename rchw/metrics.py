"""Errors of a prediction, intervals of counts, memory capacity, and how far states saturate.

Series have time on axis 0: shape ``(T,)`` or ``(T, L)`` for L outputs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError

__all__ = [
    "MemoryCapacity",
    "count_interval",
    "linear_ring_memory_capacity_exact",
    "linear_ring_memory_function",
    "memory_capacity",
    "nmse",
    "nrmse",
    "saturation_fraction",
    "symbol_error_rate",
    "valid_prediction_time",
]

Values = NDArray[np.float64]


def _pair(prediction: ArrayLike, target: ArrayLike) -> tuple[Values, Values]:
    """Both series as finite float64 of shape (T, L)."""
    first = np.asarray(prediction, dtype=np.float64)
    second = np.asarray(target, dtype=np.float64)
    if first.shape != second.shape:
        raise DesignError(
            f"prediction must have the shape of the target, {second.shape}, not {first.shape}"
        )
    if second.ndim not in (1, 2) or second.size == 0:
        raise DesignError(f"target must have shape (T,) or (T, L), not {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise DesignError("prediction and target must be finite, not NaN or infinite")
    return first.reshape(len(first), -1), second.reshape(len(second), -1)


def nmse(prediction: ArrayLike, target: ArrayLike) -> float:
    """Mean squared error over the variance of the target, averaged over outputs.

    Parameters
    ----------
    prediction, target : array (T,) or (T, L)

    Returns
    -------
    float
        0 for a perfect prediction, 1 for predicting the mean.

    Raises
    ------
    DesignError
        If shapes differ, a value is not finite, or an output of the target is constant.

    >>> nmse([0.0, 0.0, 0.0, 0.0], [1.0, -1.0, 1.0, -1.0])
    1.0
    """
    predicted, wanted = _pair(prediction, target)
    variance = wanted.var(axis=0)
    if np.any(wanted.max(axis=0) == wanted.min(axis=0)):
        raise DesignError(f"target must vary in every output, not have variance {variance.min()}")
    return float(np.mean(np.mean((predicted - wanted) ** 2, axis=0) / variance))


def nrmse(prediction: ArrayLike, target: ArrayLike) -> float:
    """Square root of `nmse`."""
    return float(np.sqrt(nmse(prediction, target)))


def symbol_error_rate(
    prediction: ArrayLike, target: ArrayLike, symbols: Sequence[float] | None = None
) -> float:
    """Fraction of samples whose nearest symbol is not the target's.

    Parameters
    ----------
    prediction, target : array (T,) or (T, L)
    symbols : sequence of float, optional
        The alphabet; by default the distinct values of `target`. A tie goes to the lower symbol.

    Returns
    -------
    float, 0 to 1

    >>> symbol_error_rate([0.9, -2.2, 3.5, -0.1], [1, -3, 3, 1], symbols=(-3, -1, 1, 3))
    0.25
    """
    predicted, wanted = _pair(prediction, target)
    alphabet = np.unique(wanted if symbols is None else np.asarray(symbols, dtype=np.float64))
    if not np.isin(wanted, alphabet).all():
        raise DesignError(f"target must consist of the symbols {alphabet.tolist()}, not others")
    edges = (alphabet[1:] + alphabet[:-1]) / 2
    decided = alphabet[np.searchsorted(edges, predicted, side="left")]
    return float(np.mean(decided != wanted))


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
        If the run is too short for the washout, the delays and the number of units.

    Source: H. Jaeger, "Short term memory in echo state networks", GMD Report 152, 2001; on
    numerical traps: Ballarin, Grigoryeva, Ortega, arXiv 2305.01457.
    """
    state = np.asarray(states, dtype=np.float64)
    signal = np.asarray(inputs, dtype=np.float64).reshape(-1)
    if state.ndim != 2 or len(state) != len(signal):
        raise DesignError(f"states must have shape ({len(signal)}, N), not {state.shape}")
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


def _ring(feedback: float, input_weights: ArrayLike) -> tuple[Values, int]:
    """Share of each delay 0..N-1 inside the reachable space, and the rank."""
    if not 0 < abs(feedback) < 1:
        raise DesignError(f"feedback must lie between 0 and 1 in magnitude, not {feedback}")
    spectrum = np.fft.fft(np.asarray(input_weights, dtype=np.float64).reshape(-1))
    n_units = spectrum.size
    magnitude = np.abs(spectrum)
    lost = np.flatnonzero(magnitude <= 1e-9 * max(float(np.linalg.norm(magnitude)), 1e-300))
    if lost.size == n_units:
        raise DesignError("input weights must not all be 0 for a memory capacity")
    # The controllability columns are A_k = r^k P^k v, k < N. Vectors z with sum_k z_k A_k = 0 have
    # z_k = r^-k exp(2 pi i j k / N) for the zero bins j; what they span is not remembered.
    steps = np.arange(n_units)
    kernel = np.abs(feedback) ** (n_units - 1.0 - steps)[:, None] * np.exp(
        2j * np.pi * np.outer(steps, lost) / n_units
    )
    if feedback < 0:
        kernel = kernel * ((-1.0) ** steps)[:, None]
    basis = np.linalg.qr(kernel)[0]
    share = 1.0 - np.sum(np.abs(basis) ** 2, axis=1)
    return np.asarray(share, dtype=np.float64), n_units - lost.size


def linear_ring_memory_function(
    feedback: float, input_weights: ArrayLike, delays: Iterable[int]
) -> MemoryCapacity:
    """Exact memory of a linear cycle, per delay, from its controllability matrix.

    With ``A_k = (r P)^k v`` and ``P^N = 1`` the stationary covariance is
    ``sum_(k<N) A_k A_k' / (1 - r^(2N))``, so that ``MC_k = (1 - r^(2N)) r^(2N floor(k / N)) s_k``,
    where ``s_k`` is 1 for regular input weights and otherwise the part of delay ``k mod N`` that
    the lost Fourier bins leave.

    Parameters
    ----------
    feedback : float
        r, magnitude between 0 and 1.
    input_weights : array (N,)
    delays : iterable of int, from 0

    Returns
    -------
    MemoryCapacity

    Source: Rodan and Tino, 2011, appendix theorem, for regular weights; extended here to singular
    ones.
    """
    share, _ = _ring(feedback, input_weights)
    n_units = share.size
    lags = np.asarray(tuple(delays), dtype=np.int64)
    if lags.size == 0 or lags.min() < 0:
        raise DesignError(f"delays must be one or more numbers from 0, not {lags.tolist()}")
    decay = feedback ** (2 * n_units)
    per_delay = (1 - decay) * decay ** (lags // n_units) * share[lags % n_units]
    return MemoryCapacity(tuple(lags.tolist()), per_delay)


def linear_ring_memory_capacity_exact(feedback: float, input_weights: ArrayLike) -> float:
    """Exact total memory capacity over all delays from 1 of a linear cycle.

    ``rank - (1 - r^(2N)) s_0``; for regular input weights this is ``N - 1 + r^(2N)``.

    >>> round(linear_ring_memory_capacity_exact(0.9, [1.0] + [0.0] * 19), 6)
    19.014781
    """
    share, rank = _ring(feedback, input_weights)
    return float(rank - (1 - feedback ** (2 * share.size)) * share[0])


def valid_prediction_time(prediction: ArrayLike, truth: ArrayLike, threshold: float = 0.4) -> int:
    """Samples until the error first exceeds `threshold` standard deviations of the truth.

    The error at time t is ``|prediction(t) - truth(t)|`` (Euclidean over outputs) divided by the
    root of the summed output variances of `truth`.

    Parameters
    ----------
    prediction, truth : array (T,) or (T, L)
        A closed-loop run and what really happened.
    threshold : float
        Above 0.

    Returns
    -------
    int, 0 to T
        Multiply by the sampling interval for time.
    """
    predicted, wanted = _pair(prediction, truth)
    if not threshold > 0:
        raise DesignError(f"threshold must be above 0, not {threshold}")
    spread = float(np.sqrt(wanted.var(axis=0).sum()))
    if spread == 0:
        raise DesignError("truth must vary for a valid prediction time, not be constant")
    beyond = np.linalg.norm(predicted - wanted, axis=1) > threshold * spread
    return int(np.argmax(beyond)) if beyond.any() else len(wanted)


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
