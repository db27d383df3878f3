"""Layer by layer: how long a change of one input is felt, and which frequencies states have.

Source: C. Gallicchio, A. Micheli, L. Pedrelli, "Deep reservoir computing: a critical experimental
analysis", Neurocomputing 268 (2017) 87 (a changed input, layer by layer); the same, "Hierarchical
temporal representation in linear reservoir computing", WIRN 2017 (spectra of layers); P. D. Welch,
IEEE Trans. Audio Electroacoustics 15 (1967) 70 (averaged spectra).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = ["LayerSpectra", "LayerTimescales", "layer_spectra", "layer_timescales"]

Values = NDArray[np.float64]


def _edges(n_units: int, sizes: Sequence[int] | None) -> list[slice]:
    """Units of each layer; one layer without sizes."""
    given = (n_units,) if sizes is None else tuple(sizes)
    if sum(given) != n_units or min(given, default=0) < 1:
        raise DesignError(f"units of layers must add up to {n_units}, not be {given}")
    ends = np.cumsum((0, *given))
    return [slice(int(a), int(b)) for a, b in pairwise(ends)]


@dataclass(frozen=True)
class LayerTimescales:
    """How long layers feel a change of one input sample.

    Attributes
    ----------
    distances : float64 array (H, L)
        Root mean square distance of each layer's states from those without the change, at the
        changed sample and after it; each layer in units of its largest.
    samples : float64 array (L,)
        Samples after the change until the distance stays below the threshold, averaged; H where it
        never does.
    threshold : float
    """

    distances: Values
    samples: Values
    threshold: float


def layer_timescales(
    reservoir: Reservoir,
    inputs: ArrayLike,
    sizes: Sequence[int] | None = None,
    *,
    horizon: int = 100,
    washout: int = 100,
    trials: int = 5,
    threshold: float = 0.01,
    rng: np.random.Generator | None = None,
) -> LayerTimescales:
    """Change one sample, and follow the states of each layer back.

    Parameters
    ----------
    reservoir : Reservoir
        Of any kind.
    inputs : array (T, K)
        Values or codes; at least ``washout + horizon`` samples.
    sizes : sequence of int, optional
        Units of each layer; one layer by default.
    horizon : int
        H, samples that are followed.
    washout : int
        Samples before the change.
    trials : int
        Changes, each to another sample of the inputs, which is drawn. They are made at one place,
        so that devices have the same noise in all.
    threshold : float
        Between 0 and 1, of the largest distance.
    rng : numpy.random.Generator, optional
        Seed 0 by default.

    Raises
    ------
    DesignError
        If a number is out of range, or no change is felt in a layer.
    """
    signal = np.asarray(inputs)
    layers = _edges(reservoir.n_units, sizes)
    if not 0 < threshold < 1 or horizon < 1 or trials < 1 or washout < 0:
        raise DesignError(
            f"threshold must lie between 0 and 1, and horizon and trials be at least 1, not "
            f"{threshold:g}, {horizon} and {trials}"
        )
    if len(signal) < washout + horizon:
        raise DesignError(f"run must have at least {washout + horizon} samples, not {len(signal)}")
    draw = np.random.default_rng(0) if rng is None else rng
    state = reservoir.advance(signal[:washout])[1]
    after = signal[washout : washout + horizon]
    plain = reservoir.run(after, state).astype(np.float64)
    found, samples = np.zeros((horizon, len(layers))), np.zeros(len(layers))
    for _ in range(trials):
        changed: NDArray[Any] = after.copy()
        others = signal[np.any(signal.reshape(len(signal), -1) != changed[0].reshape(-1), axis=1)]
        if not len(others):
            raise DesignError("inputs must vary for a time scale, not be one value")
        changed[0] = others[draw.integers(len(others))]
        moved = reservoir.run(changed, state).astype(np.float64)
        for number, units in enumerate(layers):
            apart = np.sqrt(np.mean((moved[:, units] - plain[:, units]) ** 2, axis=1))
            peak = apart.max()
            if peak == 0:
                raise DesignError(f"layer {number + 1} must feel a change of the input, not none")
            found[:, number] += apart / peak / trials
            samples[number] += _last_above(apart / peak, threshold) / trials
    return LayerTimescales(found, samples, threshold)


def _last_above(distance: Values, threshold: float) -> int:
    """Samples until a distance stays below the threshold."""
    return int(np.flatnonzero(distance >= threshold)[-1]) + 1


@dataclass(frozen=True)
class LayerSpectra:
    """Power of states by frequency.

    Attributes
    ----------
    frequencies : float64 array (F,)
        Cycles per sample, 0 to 0.5.
    power : float64 array (L, F)
        Mean over units; the sum over frequencies is the variance of a layer's states, up to the
        window.
    """

    frequencies: Values
    power: Values

    @property
    def centroids(self) -> Values:
        """Mean frequency of each layer, weighted by power; (L,), cycles per sample."""
        return np.asarray((self.power @ self.frequencies) / self.power.sum(axis=1))


def layer_spectra(
    states: ArrayLike, sizes: Sequence[int] | None = None, *, segment: int = 256
) -> LayerSpectra:
    """Average spectrum of the units of each layer, from segments that overlap by half.

    Parameters
    ----------
    states : array (T, N)
        Without their washout.
    sizes : sequence of int, optional
        Units of each layer; one layer by default.
    segment : int
        Samples of a segment, at least 4 and at most T.

    Raises
    ------
    DesignError
        If a shape or number does not fit, or a layer does not vary.
    """
    state = np.asarray(states, dtype=np.float64)
    if state.ndim != 2 or not 4 <= segment <= len(state):
        raise DesignError(
            f"states must have shape (T, N) and a segment from 4 to T samples, not {state.shape} "
            f"and {segment}"
        )
    layers = _edges(state.shape[1], sizes)
    centred = state - state.mean(axis=0)
    window = np.hanning(segment + 1)[:-1, None]
    starts = range(0, len(state) - segment + 1, max(1, segment // 2))
    power = np.zeros((segment // 2 + 1, state.shape[1]))
    for start in starts:
        part = np.fft.rfft(centred[start : start + segment] * window, axis=0)
        power += np.abs(part) ** 2
    power *= 2 / (len(starts) * segment * float((window**2).sum()))
    power[0] /= 2
    if segment % 2 == 0:
        power[-1] /= 2
    found = np.array([power[:, units].mean(axis=1) for units in layers], dtype=np.float64)
    still = np.flatnonzero(found.sum(axis=1) == 0)
    if still.size:
        raise DesignError(f"layer {still[0] + 1} must vary for a spectrum, not stay where it is")
    return LayerSpectra(np.arange(segment // 2 + 1) / segment, found)
