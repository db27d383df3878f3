"""Intrinsic plasticity: gains and biases move until activations have the distribution asked for.

A unit ``y = f(a s + b)`` follows the slope of the Kullback-Leibler divergence from the distribution
of y to a target, sample by sample. For tanh, clip and linear the target is a Gaussian of mean mu
and deviation sigma; for fermi an exponential of mean mu, the distribution of most entropy for
positive activations of that mean. With ``db`` as below the gain moves by ``eta / a + db s``:

    tanh           db = -eta (-mu / sigma^2 + y / sigma^2 (2 sigma^2 + 1 - y^2 + mu y))
    clip, linear   db = -eta (y - mu) / sigma^2
    fermi          db = eta (1 - (2 + 1 / mu) y + y^2 / mu)

The slope of clip is that of its linear part, also where it clips; then y alone tells of it.
Gains do not fall below `least_gain`: at 0 the divergence has a pole, which a step must not cross.

Source: J. Triesch, "A gradient rule for the plasticity of a neuron's intrinsic excitability", ICANN
2005 (fermi); B. Schrauwen, M. Wardermann, D. Verstraeten, J. J. Steil, D. Stroobandt, "Improving
reservoirs using intrinsic plasticity", Neurocomputing 71, 2008 (tanh). Those of clip and linear
follow in the same way, with ``f' = 1``.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt.epochs import above_zero, at_least, gain_numbers, moment_numbers, settle
from rchw.adapt.history import History, LayerHistory, Recorder
from rchw.adapt.layer import Layer, each_layer
from rchw.adapt.loops import add_connections, one_of_two
from rchw.errors import DesignError
from rchw.model.recurrence import ACTIVATIONS, finish_row
from rchw.reservoir import Reservoir

__all__ = ["intrinsic_plasticity", "intrinsic_slope"]

Values = NDArray[np.float64]
_STD, _POSITIVE_MEAN = 0.2, 0.2  # targets, where none is given
_NEAR, _NEAR_EXPONENTIAL = 0.05, 0.25  # how near a target counts as reached


def intrinsic_plasticity(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    mean: float | None = None,
    std: float | None = None,
    learning_rate: float = 5e-4,
    epochs: int = 20,
    tolerance: float = 1e-3,
    least_gain: float = 1e-3,
) -> tuple[Reservoir, History]:
    """Adapt gains and biases to a distribution of activations.

    Parameters
    ----------
    reservoir : MatrixModel, RingModel or DeepModel of those
        Layers in series are adapted from the first to the last.
    inputs : array (T, K), or (T,) if K is 1
    mean : float, optional
        mu; 0, or for fermi 0.2, if not given.
    std : float, optional
        sigma, the standard deviation; 0.2 if not given. Not for fermi, whose deviation is its mean.
        Beyond about 0.4 tanh cannot come near a Gaussian.
    learning_rate : float
        eta.
    epochs : int
        Passes over the inputs, at most.
    tolerance : float
        It stops early when an epoch changes gains and biases by at most this part of their norm.
    least_gain : float

    Returns
    -------
    reservoir : of the same kind
        With other gains and biases.
    history : History
        Also ``mean`` and ``std``, the mean over units of the mean and the deviation of a unit over
        an epoch; the last are of a run without any change. Reached is a deviation within 5 % of
        sigma, for fermi a mean within 25 % of mu.

    Raises
    ------
    DesignError
        If a number is out of range, the reservoir cannot be adapted, or gains diverge.
    """
    above_zero(learning_rate=learning_rate, least_gain=least_gain)
    at_least(1, epochs=epochs)
    at_least(0, tolerance=tolerance)
    parameters = {
        "learning_rate": learning_rate,
        "epochs": epochs,
        "tolerance": tolerance,
        "least_gain": least_gain,
    }

    def adapt(layer: Layer, signal: Values) -> tuple[Layer, LayerHistory]:
        target = _target(layer.activation, mean, std)
        parameters.update(zip(("mean", "std"), target, strict=True))
        return _adapt(layer, signal, target, learning_rate, epochs, tolerance, least_gain)

    adapted, layers = each_layer(reservoir, inputs, adapt)
    return adapted, History("intrinsic-plasticity", parameters, layers)


def _target(activation: str, mean: float | None, std: float | None) -> tuple[float, float]:
    """Mean and deviation asked for."""
    if activation == "fermi":
        if std is not None:
            raise DesignError(f"std must be left out for activation fermi, not {std:g}")
        mu = _POSITIVE_MEAN if mean is None else mean
        if not 0 < mu < 1:
            raise DesignError(f"mean must be between 0 and 1 for activation fermi, not {mu:g}")
        return mu, mu
    mu, sigma = (0.0 if mean is None else mean), (_STD if std is None else std)
    if not -1 < mu < 1:
        raise DesignError(f"mean must be between -1 and 1, not {mu:g}")
    above_zero(std=sigma)
    return mu, sigma


def intrinsic_slope(activation: str, y: Values, mean: float, std: float) -> Values:
    """How fast the divergence falls with the bias: ``db / eta`` of the module's table.

    Parameters
    ----------
    activation : str
    y : float64 array
        Activations.
    mean, std : float
        mu and sigma; of fermi only mu counts.
    """
    variance = std * std
    if activation == "tanh":
        return mean / variance - y / variance * (2 * variance + 1 - y * y + mean * y)
    if activation == "fermi":
        return 1 - (2 + 1 / mean) * y + y * y / mean
    return (mean - y) / variance


def _adapt(
    layer: Layer,
    signal: Values,
    target: tuple[float, float],
    learning_rate: float,
    epochs: int,
    tolerance: float,
    least_gain: float,
) -> tuple[Layer, LayerHistory]:
    drive = layer.drive(signal)
    gain, bias = np.maximum(layer.gain, least_gain), layer.bias.copy()
    state, recorder = np.zeros(layer.n_units), Recorder()
    loop = one_of_two(_scalar_pass, _numpy_pass, layer.compiled)
    code = ACTIVATIONS.index(layer.activation)

    def run(rate: float) -> dict[str, float]:
        """One pass; returns mean and deviation over it."""
        sums = np.zeros((2, layer.n_units))
        loop(
            drive, state, layer.sources, layer.weights, layer.leak_rate, code, gain, bias,
            rate, *target, least_gain, sums,
        )  # fmt: skip
        return moment_numbers(sums, len(drive))

    def note(step: int, seen: Mapping[str, float]) -> None:
        recorder.note(step, {**seen, **gain_numbers(layer.with_(gain=gain, bias=bias))})

    stopped = settle(
        run, lambda: np.concatenate([gain, bias]), note, samples=len(drive), rate=learning_rate,
        epochs=epochs, tolerance=tolerance,
    )  # fmt: skip
    measured = recorder.last("mean" if layer.activation == "fermi" else "std")
    wanted, near = (
        (target[0], _NEAR_EXPONENTIAL) if layer.activation == "fermi" else (target[1], _NEAR)
    )
    reached = abs(measured / wanted - 1) <= near
    return layer.with_(gain=gain, bias=bias), recorder.history(stopped, reached)


# --- One pass over the inputs --------------------------------------------------------------------


def _numpy_pass(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    leak: Values,
    activation: int,
    gain: Values,
    bias: Values,
    rate: float,
    mean: float,
    std: float,
    least_gain: float,
    sums: Values,
) -> None:
    """Change state, gain and bias (N,) in place; add activations and squares to sums (2, N)."""
    for row in drive:
        net = row.copy()
        add_connections(net, sources, weights, state)
        y = gain * net + bias
        finish_row(y, state, leak, leak, False, activation)
        state += leak * (y - state)
        sums[0] += y
        sums[1] += y * y
        if rate > 0:
            move = rate * intrinsic_slope(ACTIVATIONS[activation], y, mean, std)
            bias += move
            gain += rate / gain + move * net
            np.maximum(gain, least_gain, out=gain)


def _scalar_pass(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    leak: Values,
    activation: int,
    gain: Values,
    bias: Values,
    rate: float,
    mean: float,
    std: float,
    least_gain: float,
    sums: Values,
) -> None:
    """Do the same unit by unit, for a compiler."""
    n_units = state.size
    variance = std * std
    net = np.empty(n_units)
    for t in range(drive.shape[0]):
        for i in range(n_units):
            net[i] = drive[t, i]
        for m in range(weights.shape[0]):
            for i in range(n_units):
                net[i] += weights[m, i] * state[sources[m, i]]
        for i in range(n_units):
            y = gain[i] * net[i] + bias[i]
            if activation == 0:
                y = np.tanh(y)
                slope = mean / variance - y / variance * (2 * variance + 1 - y * y + mean * y)
            elif activation == 3:
                y = 0.5 + 0.5 * np.tanh(0.5 * y)
                slope = 1 - (2 + 1 / mean) * y + y * y / mean
            else:
                if activation == 1:
                    y = min(max(y, -1.0), 1.0)
                slope = (mean - y) / variance
            state[i] += leak[i] * (y - state[i])
            sums[0, i] += y
            sums[1, i] += y * y
            if rate > 0:
                bias[i] += rate * slope
                gain[i] = max(gain[i] + rate / gain[i] + rate * slope * net[i], least_gain)
