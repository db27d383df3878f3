"""Homeostasis: every unit turns its recurrent gain until the spectral radius is what was asked for.

A unit is ``y_i(t) = tanh(X_i(t) + E_i(t) + b_i)``, with ``X_i(t) = a_i (W y(t-1))_i`` from other
units and ``E_i(t)`` from the inputs. Both rules know only what a unit itself sees. With R the
spectral radius that is asked for, they change its gain after every sample:

* **flow control**, ``da_i = e a_i (R**2 y_i(t-1)**2 - X_i(t)**2)``: what comes back through the
  recurrent weights shall be R times what the units send;
* **variance control**, ``da_i = e (s_i - (y_i(t) - m_i)**2)`` with
  ``s_i = 1 - 1 / sqrt(1 + 2 R**2 v_i + 2 w_i)``: a unit shall vary as much as it would at R. Here
  m_i and v_i are running mean and variance of the unit, w_i the running variance of ``E_i``.

Both hold the bias where the mean of a unit is a target, ``db_i = -e_b (y_i(t) - mean)``. They rest
on units that are independent of each other. So they are, nearly, where every unit has an input of
its own: then flow control comes out some 3 % too high and variance control some 15 %. Under one
input that all units share they are not, and flow control misses R by up to a half.

Source: F. Schubert and C. Gros, "Local homeostatic regulation of the spectral radius of echo-state
networks", Frontiers in Computational Neuroscience 15, 587721, 2021, and its published code.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt.epochs import above_zero, at_least
from rchw.adapt.history import History, LayerHistory, Recorder
from rchw.adapt.layer import Layer, each_layer
from rchw.adapt.loops import add_connections, one_of_two
from rchw.errors import DesignError
from rchw.reservoir import Reservoir

__all__ = ["TOLERANCE", "flow_control", "variance_control"]

Values = NDArray[np.float64]

TOLERANCE = 0.05
"""Of the spectral radius that was asked for: where a rule counts as having reached it."""

LEAST_GAIN = 1e-3  # gains stay above it, as in the published code
MEAN_RATE, VARIANCE_RATE = 1e-4, 1e-3  # of running means and variances, as there
FIRST_VARIANCE = 0.25


def flow_control(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    target_radius: float = 1.0,
    learning_rate: float = 1e-3,
    bias_rate: float = 1e-3,
    mean: float = 0.05,
    epochs: int = 1,
    records: int = 20,
) -> tuple[Reservoir, History]:
    """Adapt recurrent gains by flow control, and biases.

    Parameters
    ----------
    reservoir : MatrixModel, RingModel or DeepModel of those
        Of tanh and without leaks. Its recurrent weights come back multiplied by the gains ``a``;
        gains of the model, which input weights have too, stay what they are.
    inputs : array (T, K), or (T,) if K is 1
    target_radius : float
        R, above 0.
    learning_rate, bias_rate : float
        e above 0, and e_b from 0: 0 leaves biases alone.
    mean : float
        Of the states, between -1 and 1.
    epochs : int
        How many times the inputs are run, one after the other; some 10,000 samples are needed.
    records : int
        About how many entries the history has.

    Returns
    -------
    reservoir
        Of the same kind.
    history : History
        ``reached`` says whether the spectral radius is within `TOLERANCE` of R.

    Raises
    ------
    DesignError
        If the reservoir has another activation or leaks, or a number is out of range.
    """
    return _regulate(
        "flow-control", reservoir, inputs, target_radius=target_radius,
        learning_rate=learning_rate, bias_rate=bias_rate, mean=mean, epochs=epochs,
        records=records,
    )  # fmt: skip


def variance_control(
    reservoir: Reservoir,
    inputs: ArrayLike,
    *,
    target_radius: float = 1.0,
    learning_rate: float = 1e-3,
    bias_rate: float = 1e-3,
    mean: float = 0.05,
    epochs: int = 1,
    records: int = 20,
) -> tuple[Reservoir, History]:
    """Adapt recurrent gains by variance control, and biases; all is as of `flow_control`."""
    return _regulate(
        "variance-control", reservoir, inputs, target_radius=target_radius,
        learning_rate=learning_rate, bias_rate=bias_rate, mean=mean, epochs=epochs,
        records=records,
    )  # fmt: skip


def _regulate(
    rule: str, reservoir: Reservoir, inputs: ArrayLike, *, epochs: int, records: int, **rates: float
) -> tuple[Reservoir, History]:
    above_zero(target_radius=rates["target_radius"], learning_rate=rates["learning_rate"])
    at_least(0, bias_rate=rates["bias_rate"])
    at_least(1, epochs=epochs, records=records)
    if not -1 < rates["mean"] < 1:
        raise DesignError(f"mean must be between -1 and 1, not {rates['mean']:g}")
    work = partial(_one_layer, rule=rule, rates=rates, epochs=epochs, records=records)
    adapted, layers = each_layer(reservoir, inputs, work)
    return adapted, History(rule, {**rates, "epochs": epochs}, layers)


def _one_layer(
    layer: Layer, inputs: Values, *, rule: str, rates: dict[str, float], epochs: int, records: int
) -> tuple[Layer, LayerHistory]:
    if layer.activation != "tanh" or (layer.leak_rate != 1).any():
        raise DesignError(
            f"{rule} must have units of tanh without leaks, not {layer.activation} and leak rates "
            f"down to {layer.leak_rate.min():g}"
        )
    n, goal = layer.n_units, rates["target_radius"]
    weights = layer.gain * layer.weights  # an a of 1 is the layer as it is
    external = layer.gain * layer.drive(inputs)
    gain, bias = np.ones(n), layer.bias.copy()
    # Running mean and variance of states and of external inputs.
    known = np.array([np.zeros(n), np.full(n, FIRST_VARIANCE)] * 2)
    state, recorder, done = np.zeros(n), Recorder(), 0

    def now() -> Layer:
        return layer.with_(weights=layer.weights * gain, bias=bias)

    def note(states: Values) -> None:
        recorder.note(done, {
            "mean": states.mean(), "std": states.std(axis=0).mean(), "gain_min": gain.min(),
            "gain_median": float(np.median(gain)), "gain_max": gain.max(), "radius": now().radius(),
        })  # fmt: skip

    loop = one_of_two(_scalar_steps, _numpy_steps, layer.compiled)
    numbers = (goal, rates["learning_rate"], rates["bias_rate"], rates["mean"])
    first = min(len(inputs), max(len(inputs) * epochs // records, 1))
    # What states are like before anything changes: the same loop with rates of 0.
    before = external[:first].copy()
    loop(before, state.copy(), layer.sources, weights, gain, bias, known.copy(), True, goal, 0.0,
         0.0, 0.0)  # fmt: skip
    note(before)
    for rows in _parts(len(inputs), epochs, records):
        states = external[rows].copy()
        loop(states, state, layer.sources, weights, gain, bias, known, rule == "flow-control",
             *numbers)  # fmt: skip
        done += len(states)
        note(states)
    reached = abs(recorder.last("radius") / goal - 1) <= TOLERANCE
    return now(), recorder.history("all samples seen", reached)


def _parts(samples: int, epochs: int, records: int) -> Iterator[slice]:
    """Parts of the inputs, epoch by epoch, after each of which something is recorded."""
    length = max(samples * epochs // records, 1)
    for _ in range(epochs):
        for start in range(0, samples, length):
            yield slice(start, min(start + length, samples))


def _numpy_steps(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    gain: Values,
    bias: Values,
    known: Values,
    flow: bool,
    goal: float,
    rate: float,
    bias_rate: float,
    mean: float,
) -> None:
    """Turn external inputs (T, N) into states in place, and change gains and biases on the way.

    ``state`` is changed too, and so is ``known`` (4, N): running mean and variance of states and of
    external inputs.
    """
    for row in drive:
        inside = np.zeros(len(row))
        add_connections(inside, sources, weights, state)
        inside *= gain
        y = np.tanh(inside + row + bias)
        for place, value in ((0, y), (2, row)):
            known[place] += MEAN_RATE * (value - known[place])
            known[place + 1] += VARIANCE_RATE * ((value - known[place]) ** 2 - known[place + 1])
        if flow:
            change = gain * (goal**2 * state**2 - inside**2)
        else:
            wanted = 1 - 1 / np.sqrt(1 + 2 * goal**2 * known[1] + 2 * known[3])
            change = wanted - (y - known[0]) ** 2
        gain[:] = np.maximum(LEAST_GAIN, gain + rate * change)
        bias -= bias_rate * (y - mean)
        row[:] = state[:] = y


def _scalar_steps(
    drive: Values,
    state: Values,
    sources: NDArray[np.int64],
    weights: Values,
    gain: Values,
    bias: Values,
    known: Values,
    flow: bool,
    goal: float,
    rate: float,
    bias_rate: float,
    mean: float,
) -> None:
    """Do the same unit by unit, for a compiler."""
    n_units = state.size
    recurrent = np.empty(n_units)
    for t in range(drive.shape[0]):
        recurrent[:] = 0.0
        for m in range(weights.shape[0]):
            for i in range(n_units):
                recurrent[i] += weights[m, i] * state[sources[m, i]]
        for i in range(n_units):
            before, outside = state[i], drive[t, i]
            inside = gain[i] * recurrent[i]
            y = np.tanh(inside + outside + bias[i])
            known[0, i] += MEAN_RATE * (y - known[0, i])
            known[1, i] += VARIANCE_RATE * ((y - known[0, i]) ** 2 - known[1, i])
            known[2, i] += MEAN_RATE * (outside - known[2, i])
            known[3, i] += VARIANCE_RATE * ((outside - known[2, i]) ** 2 - known[3, i])
            if flow:
                change = gain[i] * (goal**2 * before**2 - inside**2)
            else:
                wanted = 1 - 1 / np.sqrt(1 + 2 * goal**2 * known[1, i] + 2 * known[3, i])
                change = wanted - (y - known[0, i]) ** 2
            gain[i] = max(LEAST_GAIN, gain[i] + rate * change)
            bias[i] -= bias_rate * (y - mean)
            drive[t, i] = y
        for i in range(n_units):
            state[i] = drive[t, i]
