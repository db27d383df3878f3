"""Phase-transition adaptation: gains move until small changes neither grow nor fade.

The rule is derived here. C. Gallicchio, A. Micheli, L. Silvestri, "Phase Transition Adaptation",
IJCNN 2021 (arXiv 2104.10132) state the aim, a local rule without targets that drives a reservoir
to the edge of stability; their update could not be read, and this may be another.

A unit ``y = f(a s + b)`` with leak rate alpha lets a small change grow by

    G = 1 - alpha + alpha rho a f'(a s + b),

rho being the spectral radius of W. On a cycle without leaks the mean of ``ln G`` over units and
time is the Lyapunov exponent, with leaks nearly so. Every unit keeps a running mean L of its
``ln G``. Above 0 its gain shrinks: ``d ln a = -eta L``. Below 0 the gain follows the slope of
``ln G``, up or down:

    d ln a = -eta L (d ln G / d theta),   theta a common change of the logarithms of all gains.

Because other gains change as well, s does too. Each unit therefore sends along its
connections, beside its state, how much that state depends on theta. With the slope at a fixed s
instead, gains grow far beyond the maximum on a ring: a unit does not see that it drives the next
one into saturation.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt.epochs import above_zero, at_least, gain_numbers, moment_numbers, settle
from rchw.adapt.history import History, LayerHistory, Recorder
from rchw.adapt.layer import Layer, each_layer
from rchw.adapt.loops import add_connections, one_of_two
from rchw.errors import DesignError
from rchw.model.recurrence import ACTIVATIONS, finish_row
from rchw.model.scaling import matrix_radius
from rchw.reservoir import Reservoir

__all__ = ["phase_transition"]

Values = NDArray[np.float64]
_LEAST_SLOPE = 1e-12  # of an activation in saturation, so that its logarithm is a number
_STEEPEST = 10.0  # how much a state may depend on theta: in chaos that would grow without bound
_FASTEST = 10.0  # times eta: a saturated unit has a slope without bound, and a mean that lags
_LEAST_GAIN = 1e-3
_NEAR = 0.05  # an exponent that counts as the edge of stability


def phase_transition(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    learning_rate: float = 1e-3,
    averaging: float = 0.01,
    epochs: int = 20,
    tolerance: float = 1e-3,
) -> tuple[Reservoir, History]:
    """Adapt gains towards the edge of stability, as far as the inputs let them come.

    Parameters
    ----------
    reservoir : MatrixModel, RingModel or DeepModel of those
        With activation tanh, linear or fermi; a clip has no slope to follow. Layers in series are
        adapted from the first to the last.
    inputs : array (T, K), or (T,) if K is 1
    learning_rate : float
        eta.
    averaging : float
        By which part of the way a running mean moves to each new value; at most 1.
    epochs : int
        Passes over the inputs, at most.
    tolerance : float
        It stops early when an epoch changes gains by at most this part of their norm.

    Returns
    -------
    reservoir : of the same kind
        With other gains.
    history : History
        Also ``growth``, the mean over units and an epoch of ``ln G``: of a cycle without
        leaks its largest Lyapunov exponent, else an estimate. Reached is a growth within 0.05 of 0,
        which strong inputs make impossible: gains then stop where it is largest.

    Raises
    ------
    DesignError
        If a number is out of range, the reservoir cannot be adapted, or has no closed path.
    """
    above_zero(learning_rate=learning_rate, averaging=averaging)
    at_least(1, epochs=epochs)
    at_least(0, tolerance=tolerance)
    if averaging > 1:
        raise DesignError(f"averaging must be at most 1, not {averaging:g}")

    def adapt(layer: Layer, signal: Values) -> tuple[Layer, LayerHistory]:
        return _adapt(layer, signal, learning_rate, averaging, epochs, tolerance)

    adapted, layers = each_layer(reservoir, inputs, adapt)
    parameters = {
        "learning_rate": learning_rate,
        "averaging": averaging,
        "epochs": epochs,
        "tolerance": tolerance,
    }
    return adapted, History("phase-transition", parameters, layers)


def _adapt(
    layer: Layer,
    signal: Values,
    learning_rate: float,
    averaging: float,
    epochs: int,
    tolerance: float,
) -> tuple[Layer, LayerHistory]:
    if layer.activation == "clip":
        raise DesignError(
            "activation must be tanh, linear or fermi, of integers pwl or table, for "
            "phase-transition, not clip"
        )
    if not (layer.gain > 0).all():
        raise DesignError(f"gain must be above 0 to be adapted, not {layer.gain.min():g}")
    radius = matrix_radius(layer.matrix())
    if not radius > 0:
        raise DesignError(f"spectral radius to adapt must be above 0, not {radius:g}")
    drive, gain = layer.drive(signal), layer.gain.copy()
    n_units, recorder = layer.n_units, Recorder()
    state, sensitivity, running = np.zeros(n_units), np.zeros(n_units), np.zeros(n_units)
    loop = _loop(layer.compiled)

    def run(rate: float) -> dict[str, float]:
        """One pass; returns the means of what it saw."""
        sums = np.zeros((3, n_units))
        loop(
            drive, state, sensitivity, running, layer.sources, layer.weights, layer.leak_rate,
            ACTIVATIONS.index(layer.activation), gain, layer.bias, radius, rate, averaging, sums,
        )  # fmt: skip
        growth = float((sums[2] / len(drive)).mean())
        return moment_numbers(sums[:2], len(drive)) | {"growth": growth}

    def note(step: int, seen: Mapping[str, float]) -> None:
        recorder.note(step, {**seen, **gain_numbers(layer.with_(gain=gain))})

    # Before anything changes, running means settle too.
    stopped = settle(
        run, gain.copy, note, samples=len(drive), rate=learning_rate, epochs=epochs,
        tolerance=tolerance,
    )  # fmt: skip
    reached = abs(recorder.last("growth")) <= _NEAR
    return layer.with_(gain=gain), recorder.history(stopped, reached)


# --- One pass over the inputs --------------------------------------------------------------------


def _numpy_pass(
    drive: Values,
    state: Values,
    sensitivity: Values,
    running: Values,
    sources: NDArray[np.int64],
    weights: Values,
    leak: Values,
    activation: int,
    gain: Values,
    bias: Values,
    radius: float,
    rate: float,
    averaging: float,
    sums: Values,
) -> None:
    """Change states, sensitivities, running means and gains (N,) in place; add to sums (3, N)."""
    for row in drive:
        net, carried = row.copy(), np.zeros_like(row)
        add_connections(net, sources, weights, state)
        add_connections(carried, sources, weights, sensitivity)
        y = gain * net + bias
        moved = gain * (net + carried)  # the argument of f, by theta
        finish_row(y, state, leak, leak, False, activation)
        slope, bend = np.ones_like(y), np.zeros_like(y)  # f', and (ln f')'
        if activation == 0:
            slope, bend = 1.0 - y * y, -2.0 * y
        elif activation == 3:
            slope, bend = y * (1.0 - y), 1.0 - 2.0 * y
        slope = np.maximum(slope, _LEAST_SLOPE)
        part = leak * radius * gain * slope
        whole = 1.0 - leak + part
        growth = np.log(whole)
        steep = part / whole * (1.0 + bend * moved)
        state += leak * (y - state)
        sensitivity += leak * (slope * moved - sensitivity)
        np.clip(sensitivity, -_STEEPEST, _STEEPEST, out=sensitivity)
        running += averaging * (growth - running)
        sums += [y, y * y, growth]
        if rate > 0:
            move = -running * np.where(running > 0, 1.0, steep)
            gain *= np.exp(rate * np.clip(move, -_FASTEST, _FASTEST))
            np.maximum(gain, _LEAST_GAIN, out=gain)


def _scalar_pass(
    drive: Values,
    state: Values,
    sensitivity: Values,
    running: Values,
    sources: NDArray[np.int64],
    weights: Values,
    leak: Values,
    activation: int,
    gain: Values,
    bias: Values,
    radius: float,
    rate: float,
    averaging: float,
    sums: Values,
) -> None:
    """Do the same unit by unit, for a compiler."""
    n_units = state.size
    net, carried = np.empty(n_units), np.empty(n_units)
    for t in range(drive.shape[0]):
        for i in range(n_units):
            net[i] = drive[t, i]
            carried[i] = 0.0
        for m in range(weights.shape[0]):
            for i in range(n_units):
                net[i] += weights[m, i] * state[sources[m, i]]
                carried[i] += weights[m, i] * sensitivity[sources[m, i]]
        for i in range(n_units):
            y = gain[i] * net[i] + bias[i]
            moved = gain[i] * (net[i] + carried[i])
            slope, bend = 1.0, 0.0
            if activation == 0:
                y = np.tanh(y)
                slope, bend = 1.0 - y * y, -2.0 * y
            elif activation == 3:
                y = 0.5 + 0.5 * np.tanh(0.5 * y)
                slope, bend = y * (1.0 - y), 1.0 - 2.0 * y
            slope = max(slope, _LEAST_SLOPE)
            part = leak[i] * radius * gain[i] * slope
            whole = 1.0 - leak[i] + part
            growth = np.log(whole)
            state[i] += leak[i] * (y - state[i])
            moving = sensitivity[i] + leak[i] * (slope * moved - sensitivity[i])
            sensitivity[i] = min(max(moving, -_STEEPEST), _STEEPEST)
            running[i] += averaging * (growth - running[i])
            sums[0, i] += y
            sums[1, i] += y * y
            sums[2, i] += growth
            if rate > 0:
                steep = 1.0
                if running[i] <= 0:
                    steep = part / whole * (1.0 + bend * moved)
                move = min(max(-running[i] * steep, -_FASTEST), _FASTEST)
                gain[i] = max(gain[i] * np.exp(rate * move), _LEAST_GAIN)


def _loop(compiled: bool) -> Callable[..., Any]:
    return one_of_two(_scalar_pass, _numpy_pass, compiled)
