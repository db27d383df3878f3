"""Echo states: does a reservoir forget where it started? Conditions on weights, and a trial.

Conditions, of a leaky network ``x(t) = (1 - a) x(t-1) + a f(W x(t-1) + ...)``, a one per unit and
f of slope at most 1, as tanh and clip are:

====================  ==========================================  =========================
``largest_singular``  largest singular value of W                 below 1 suffices
``schur``             W is diagonally Schur stable                suffices
``absolute_radius``   spectral radius of ``(1 - a) + a |W|``      below 1 suffices
``radius``            spectral radius of ``(1 - a) I + a W``      1 or more refutes at rest
====================  ==========================================  =========================

Each of the first and the third implies the second, the second implies that the fourth is below 1,
and neither of the first and the third implies the other. Leaks do not weaken the first three. With
one leak rate a step is an average, with weights ``1 - a`` and ``a``, of a state and of what W made
of it, so that a norm which W shrinks shrinks by less; with several, the norm ``x' P x`` becomes
``x' P A^-1 x``, and ``(1 - a) + a |W|`` has a radius below 1 exactly if ``|W|`` has.

A spectral radius below 1, by which reservoirs are commonly made, is not sufficient: it says that
the state 0 attracts its neighbourhood if there is neither input nor bias. It is not necessary
either, as inputs that saturate units make slopes small.

The trial is `echo_index`.

Source: H. Jaeger, GMD Report 148, 2001 (first and last); M. Buehner and P. Young, IEEE Trans.
Neural Networks 17 (2006) 820, and I. B. Yildiz, H. Jaeger, S. J. Kiebel, Neural Networks 35 (2012)
1 (second, third); C. Gallicchio, "Chasing the echo state property", arXiv 1811.10892 (the index as
a distance); A. Ceni, P. Ashwin, L. Livi, C. Postlethwaite, "The echo index and multistability in
input-driven recurrent neural networks", Physica D 412 (2020) 132609 (the index as a count). The
argument about several leak rates is derived here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.metrics.schur import SchurStability, schur_stability
from rchw.reservoir import Reservoir

__all__ = ["EchoConditions", "EchoIndex", "echo_conditions", "echo_index"]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class EchoConditions:
    """What the weights of a leaky network say about its echo states.

    Attributes
    ----------
    largest_singular : float
    schur : SchurStability
    absolute_radius, radius : float
    """

    largest_singular: float
    schur: SchurStability
    absolute_radius: float
    radius: float

    @property
    def sufficient(self) -> bool:
        """One of the sufficient conditions holds: every input has echo states."""
        return bool(self.largest_singular < 1 or self.schur.stable or self.absolute_radius < 1)

    @property
    def stable_at_rest(self) -> bool:
        """The state 0 attracts what is near it, without input and bias."""
        return self.radius < 1


def echo_conditions(
    weights: ArrayLike, leak_rate: ArrayLike = 1.0, *, search: bool = True
) -> EchoConditions:
    """The four conditions of a leaky network.

    Parameters
    ----------
    weights : array (N, N)
        W, gains multiplied in: `recurrent_weights` of a model. A unit of a slope beyond 1
        multiplies its row by it.
    leak_rate : float or array (N,)
        a, above 0 and at most 1.
    search : bool
        As of `rchw.metrics.schur_stability`, whose time grows with the third power of N.

    Raises
    ------
    DesignError
        If a shape does not fit or a number is out of range.
    """
    matrix = np.asarray(weights, dtype=np.float64)
    schur = schur_stability(matrix, search=search)
    rate = np.asarray(leak_rate, dtype=np.float64)
    if rate.shape not in ((), (len(matrix),)):
        raise DesignError(f"leak rate must have shape () or ({len(matrix)},), not {rate.shape}")
    wrong = rate[~((rate > 0) & (rate <= 1))]
    if wrong.size:
        raise DesignError(f"leak rate must be above 0 and at most 1, not {wrong.flat[0]}")
    rates = np.broadcast_to(rate, (len(matrix),))
    kept = np.diag(1.0 - rates)
    return EchoConditions(
        float(np.linalg.norm(matrix, 2)),
        schur,
        _radius(kept + rates[:, None] * np.abs(matrix)),
        _radius(kept + rates[:, None] * matrix),
    )


def _radius(matrix: Values) -> float:
    return float(np.abs(np.linalg.eigvals(matrix)).max())


@dataclass(frozen=True)
class EchoIndex:
    """How runs from different states on the same inputs end.

    Attributes
    ----------
    distance : float
        Mean distance of all runs from the first, over the last samples, in units of how far
        states spread; near 0 with echo states.
    count : int
        Responses that are left: runs that stay closer than the tolerance count as one. Of
        attractors that no run comes to nothing is known, so that this is a lower bound.
    distances : float64 array (T,)
        The same mean distance, sample by sample.
    tolerance : float
        In the same units.
    """

    distance: float
    count: int
    distances: Values
    tolerance: float


def echo_index(
    reservoir: Reservoir,
    inputs: ArrayLike,
    starts: ArrayLike | None = None,
    *,
    n_starts: int = 8,
    tail: int = 20,
    tolerance: float | None = None,
    rng: np.random.Generator | None = None,
) -> EchoIndex:
    """Run a reservoir of any kind on one series, from several states.

    Parameters
    ----------
    reservoir : Reservoir
    inputs : array (T, K)
        Values or codes; more than `tail` samples.
    starts : array (S, n_state), optional
        States that `advance` takes. By default what the samples leave behind, as they are, and in
        orders that are drawn.
    n_starts : int
        S where no states are given, at least 2.
    tail : int
        Samples at the end over which distances are taken: their mean, and for the count their
        maximum.
    tolerance : float, optional
        1e-3 by default, or where states are codes one code in the root mean square, if that is
        more: rounding may keep runs so far apart for ever.
    rng : numpy.random.Generator, optional
        Draws the order; seed 0 by default.

    Raises
    ------
    DesignError
        If an argument is out of range, or no run moves.
    """
    signal = np.asarray(inputs)
    if not 1 <= tail < len(signal):
        raise DesignError(f"tail must be from 1 to {len(signal) - 1} samples, not {tail}")
    begun = (
        _starts(reservoir, signal, n_starts, rng) if starts is None else list(np.asarray(starts))
    )
    if len(begun) < 2:
        raise DesignError(f"starts must be at least 2, not {len(begun)}")
    runs = np.stack([reservoir.run(signal, start) for start in begun])
    spread = float(np.sqrt(runs.astype(np.float64).var(axis=(0, 1)).mean()))
    if spread == 0:
        raise DesignError("states must vary for an echo index, not stay where they are")
    if tolerance is None:
        codes = runs.dtype.kind in "iu"
        tolerance = max(1e-3, 1.0 / spread) if codes else 1e-3
    if not tolerance > 0:
        raise DesignError(f"tolerance must be above 0, not {tolerance}")
    states = runs / spread
    apart = np.sqrt(np.mean((states[1:] - states[0]) ** 2, axis=2)).mean(axis=0)
    last = states[:, -tail:]
    between = np.sqrt(np.mean((last[:, None] - last[None]) ** 2, axis=3)).max(axis=2)
    count = _groups(between <= tolerance)
    return EchoIndex(float(apart[-tail:].mean()), count, apart, float(tolerance))


def _starts(
    reservoir: Reservoir, signal: NDArray[Any], count: int, rng: np.random.Generator | None
) -> list[NDArray[Any]]:
    """The state that the inputs leave behind, and those that they do in another order.

    All have as many samples behind them, so that noise which belongs to a sample is the same.
    """
    draw = np.random.default_rng(0) if rng is None else rng
    orders = [np.arange(len(signal)), *(draw.permutation(len(signal)) for _ in range(count - 1))]
    return [reservoir.advance(signal[order])[1] for order in orders]


def _groups(alike: NDArray[np.bool_]) -> int:
    """Groups of runs that are joined by steps from one to an alike one."""
    left, found = set(range(len(alike))), 0
    while left:
        found, todo = found + 1, [left.pop()]
        while todo:
            near = {int(other) for other in np.flatnonzero(alike[todo.pop()])} & left
            left -= near
            todo += near
    return found
