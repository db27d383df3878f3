"""Synaptic plasticity: weights between units change with the activity on their two sides.

With x the state of the unit that is read, one sample ago, and y the new state of the unit that
reads it, every weight w that exists changes after every sample by

* ``hebbian``: ``e x y``; ``anti_hebbian``: ``-e x y``;
* ``oja``: ``e y (x - y w)``; ``anti_oja``: ``-e y (x - y w)``;
* ``bcm``: ``e x y (y - theta)`` (Bienenstock, Cooper and Munro), where theta is a number, or slides
  with the mean square of the unit.

Connections that do not exist never come to be, so a sparse reservoir stays as sparse. Only Oja's
rule is stable by itself; the others grow until the activations saturate, and beyond. Therefore
rules can keep the norm of every row, and stop early.

Source: E. Oja, J. Math. Biology 15, 267, 1982; E. Bienenstock, L. Cooper, P. Munro, J. Neuroscience
2, 32, 1982; N. Intrator and L. Cooper, Neural Networks 5, 3, 1992, for the sliding threshold; in
reservoirs, G. Morales, C. Mirasso, M. Soriano, arXiv 2101.05848, 2021.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt.epochs import above_zero, at_least, gain_numbers
from rchw.adapt.history import History, LayerHistory, Recorder
from rchw.adapt.layer import Layer, each_layer
from rchw.adapt.loops import add_connections, one_of_two
from rchw.adapt.stopping import Stopping
from rchw.errors import DesignError
from rchw.model.recurrence import ACTIVATIONS, finish_row
from rchw.reservoir import Reservoir

__all__ = ["anti_hebbian", "anti_oja", "bcm", "hebbian", "oja"]

Values = NDArray[np.float64]


def hebbian(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    learning_rate: float = 1e-4,
    epochs: int = 1,
    normalise: bool = False,
    stopping: Stopping | None = None,
) -> tuple[Reservoir, History]:
    """Hebbian plasticity, ``dw = e x y``.

    Parameters
    ----------
    reservoir : MatrixModel, RingModel or DeepModel of those
        With any activation, leaks and gains; x and y are its states.
    inputs : array (T, K), or (T,) if K is 1
    learning_rate : float
        e, above 0.
    epochs : int
        How many times the inputs are run, one after the other; the most, where it may stop early.
    normalise : bool
        After every sample each row of W gets back the 2-norm that it had before the first.
    stopping : Stopping, optional
        With it a readout judges every epoch on samples held out of `inputs`, and the weights of the
        best epoch are kept. The first is number 0, before any change: a rule that does not help
        leaves the reservoir as it was. Layers in series are judged each by its own states.

    Returns
    -------
    reservoir
        Of the same kind.
    history : History
        An entry per epoch. ``norm`` is the mean 2-norm of rows, ``correlation`` the mean magnitude
        of correlations between two units, ``error`` that of the readout (where it may stop early).

    Raises
    ------
    DesignError
        If a number is out of range, or weights grow beyond all bounds.
    """
    law = _Law("hebbian", 1.0)
    return _adapt(law, reservoir, inputs, learning_rate, epochs, normalise, stopping)


def anti_hebbian(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    learning_rate: float = 1e-4,
    epochs: int = 1,
    normalise: bool = False,
    stopping: Stopping | None = None,
) -> tuple[Reservoir, History]:
    """Anti-Hebbian plasticity, ``dw = -e x y``; all else is as of `hebbian`."""
    law = _Law("anti-hebbian", -1.0)
    return _adapt(law, reservoir, inputs, learning_rate, epochs, normalise, stopping)


def oja(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    learning_rate: float = 1e-4,
    epochs: int = 1,
    normalise: bool = False,
    stopping: Stopping | None = None,
) -> tuple[Reservoir, History]:
    """Oja's rule, ``dw = e y (x - y w)``; all else is as of `hebbian`.

    A linear unit without inputs of its own comes to read the first principal component of what it
    is given, with weights of 2-norm 1.
    """
    law = _Law("oja", 1.0, decays=True)
    return _adapt(law, reservoir, inputs, learning_rate, epochs, normalise, stopping)


def anti_oja(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    learning_rate: float = 1e-4,
    epochs: int = 1,
    normalise: bool = False,
    stopping: Stopping | None = None,
) -> tuple[Reservoir, History]:
    """Oja's rule with the other sign, ``dw = -e y (x - y w)``; all else is as of `hebbian`."""
    law = _Law("anti-oja", -1.0, decays=True)
    return _adapt(law, reservoir, inputs, learning_rate, epochs, normalise, stopping)


def bcm(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    learning_rate: float = 1e-4,
    threshold: float | None = None,
    threshold_rate: float = 1e-2,
    epochs: int = 1,
    normalise: bool = False,
    stopping: Stopping | None = None,
) -> tuple[Reservoir, History]:
    """The rule of Bienenstock, Cooper and Munro, ``dw = e x y (y - theta)``.

    Parameters
    ----------
    reservoir, inputs, learning_rate, epochs, normalise, stopping
        As of `hebbian`.
    threshold : float, optional
        theta of all units. By default each has its own, which begins with the mean square of the
        unit before any change, and after every sample moves towards the square of its state.
    threshold_rate : float
        By which it moves, above 0 and at most 1; much above `learning_rate`, or it oscillates.
    """
    if threshold is not None and not math.isfinite(threshold):
        raise DesignError(f"threshold must be finite, not {threshold}")
    above_zero(threshold_rate=threshold_rate)
    if threshold_rate > 1:
        raise DesignError(f"threshold rate must be at most 1, not {threshold_rate:g}")
    law = _Law("bcm", 1.0, thresholds=True, threshold=threshold, threshold_rate=threshold_rate)
    return _adapt(law, reservoir, inputs, learning_rate, epochs, normalise, stopping)


@dataclass(frozen=True)
class _Law:
    """What tells one rule from another."""

    name: str
    sign: float
    decays: bool = False
    thresholds: bool = False
    threshold: float | None = None
    threshold_rate: float = 0.0

    @property
    def parameters(self) -> dict[str, float]:
        if not self.thresholds:
            return {}
        if self.threshold is None:
            return {"threshold_rate": self.threshold_rate}
        return {"threshold": self.threshold}


def _adapt(
    law: _Law,
    reservoir: Reservoir,
    inputs: ArrayLike,
    learning_rate: float,
    epochs: int,
    normalise: bool,
    stopping: Stopping | None,
) -> tuple[Reservoir, History]:
    above_zero(learning_rate=learning_rate)
    at_least(1, epochs=epochs)
    work = partial(
        _one_layer, law=law, rate=learning_rate, epochs=epochs, normalise=normalise,
        stopping=stopping,
    )  # fmt: skip
    adapted, layers = each_layer(reservoir, inputs, work)
    parameters = {
        "learning_rate": learning_rate, "epochs": epochs, "normalise": normalise, **law.parameters,
        **(stopping.parameters if stopping else {}),
    }  # fmt: skip
    return adapted, History(law.name, parameters, layers)


def _one_layer(
    layer: Layer,
    inputs: Values,
    *,
    law: _Law,
    rate: float,
    epochs: int,
    normalise: bool,
    stopping: Stopping | None,
) -> tuple[Layer, LayerHistory]:
    learnt = len(inputs) if stopping is None else stopping.first_held_out(len(inputs))
    drive = layer.gain * layer.drive(inputs[:learnt]) + layer.bias
    present, recorder = layer.present, Recorder()
    first = np.sqrt((layer.weights**2).sum(axis=0))
    norms = np.where(first > 0, first, 1.0) if normalise else np.zeros(0)

    def note(step: int, now: Layer) -> Values:
        states = now.rebuild().run(inputs)
        known = {
            "mean": states.mean(), "std": states.std(axis=0).mean(), **gain_numbers(now),
            "norm": np.sqrt((now.weights**2).sum(axis=0)).mean(),
            "correlation": _correlation(states),
        }  # fmt: skip
        recorder.note(step, known | ({"error": stopping.error(states)} if stopping else {}))
        return states

    before = note(0, layer)
    best, kept, stopped = layer, 0, f"all {epochs} epochs"
    least = recorder.last("error") if stopping else 0.0
    slides = law.thresholds and law.threshold is None
    theta = (before[:learnt] ** 2).mean(axis=0) if slides else np.zeros(layer.n_units)
    if law.threshold is not None:
        theta[:] = law.threshold
    weights, state = layer.weights.copy(), np.zeros(layer.n_units)
    loop = one_of_two(_scalar_steps, _numpy_steps, layer.compiled)
    for epoch in range(1, epochs + 1):
        loop(
            drive, state, layer.sources, weights, present, layer.gain, layer.leak_rate,
            ACTIVATIONS.index(layer.activation), rate * law.sign, law.decays, law.thresholds,
            theta, law.threshold_rate if slides else 0.0, norms,
        )  # fmt: skip
        if not (np.isfinite(weights).all() and np.isfinite(state).all()):
            raise DesignError(
                f"learning rate of {law.name} must keep the weights finite, not be {abs(rate):g}: "
                f"they grew beyond all bounds in epoch {epoch}"
            )
        now = layer.with_(weights=weights.copy())
        note(epoch * learnt, now)
        if stopping is None:
            best = now
            continue
        if recorder.last("error") < least:
            best, kept, least = now, epoch, recorder.last("error")
        elif epoch - kept >= stopping.patience:
            stopped = f"no less error in {stopping.patience} epochs"
            break
    if stopping is not None:
        stopped += f"; weights of epoch {kept}"
    return best, recorder.history(stopped, None, None if stopping is None else kept * learnt)


def _correlation(states: Values) -> float:
    """Mean magnitude of the correlations between two units; 0 of fewer than two that vary."""
    varying = states[:, states.std(axis=0) > 0]
    n_units = varying.shape[1]
    if n_units < 2:
        return 0.0
    found = np.abs(np.corrcoef(varying.T))
    return float((found.sum() - n_units) / (n_units * (n_units - 1)))


def _numpy_steps(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    present: NDArray[np.bool_],
    gain: Values,
    leak_rate: Values,
    activation: int,
    rate: float,
    decays: bool,
    thresholds: bool,
    theta: Values,
    threshold_rate: float,
    norms: Values,
) -> None:
    """Run drives (T, N) from a state (N,), changing state, weights (M, N) and theta (N,) in place.

    Rows get the 2-norms ``norms`` after every sample, where there are any.
    """
    for row in drive:
        new = np.zeros(len(row))
        add_connections(new, sources, weights, state)
        new = gain * new + row
        finish_row(new, state, 1.0 - leak_rate, leak_rate, True, activation)
        factor = rate * new
        decay = factor * new if decays else np.zeros(len(row))
        if thresholds:
            factor *= new - theta
            theta += threshold_rate * (new * new - theta)
        for source, table, there in zip(sources, weights, present, strict=True):
            table += np.where(there, factor * state[source] - decay * table, 0.0)
        if norms.size:
            found = np.sqrt((weights**2).sum(axis=0))
            weights *= np.where(found > 0, norms / np.where(found > 0, found, 1.0), 1.0)
        state[:] = new


def _scalar_steps(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    present: NDArray[np.bool_],
    gain: Values,
    leak_rate: Values,
    activation: int,
    rate: float,
    decays: bool,
    thresholds: bool,
    theta: Values,
    threshold_rate: float,
    norms: Values,
) -> None:
    """Do the same unit by unit, for a compiler."""
    n_units, most = state.size, weights.shape[0]
    new, factor = np.empty(n_units), np.empty(n_units)
    decay = np.zeros(n_units)
    for t in range(drive.shape[0]):
        new[:] = 0.0
        for m in range(most):
            for i in range(n_units):
                new[i] += weights[m, i] * state[sources[m, i]]
        for i in range(n_units):
            y = gain[i] * new[i] + drive[t, i]
            if activation == 0:
                y = np.tanh(y)
            elif activation == 1:
                y = min(max(y, -1.0), 1.0)
            elif activation == 3:
                y = 0.5 + 0.5 * np.tanh(0.5 * y)
            y = (1.0 - leak_rate[i]) * state[i] + leak_rate[i] * y
            new[i] = y
            factor[i] = rate * y
            if decays:
                decay[i] = rate * y * y
            if thresholds:
                factor[i] *= y - theta[i]
                theta[i] += threshold_rate * (y * y - theta[i])
        for m in range(most):
            for i in range(n_units):
                if present[m, i]:
                    weights[m, i] += factor[i] * state[sources[m, i]] - decay[i] * weights[m, i]
        if norms.size:
            decay[:] = 0.0
            for m in range(most):
                for i in range(n_units):
                    decay[i] += weights[m, i] * weights[m, i]
            for i in range(n_units):
                decay[i] = norms[i] / np.sqrt(decay[i]) if decay[i] > 0.0 else 1.0
            for m in range(most):
                for i in range(n_units):
                    weights[m, i] *= decay[i]
            decay[:] = 0.0
        for i in range(n_units):
            state[i] = new[i]
