"""What rounding leaves of a float reservoir: the peers' draws with rounded states, no test samples.

A leaky matrix with real weights, as peers have it, whose states alone are rounded after every
sample. Each activation at each width gets all draws; the least error on the validation samples of
the tuning stream counts, for each readout by itself.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_rows import Streams
from benchmarks.peers_reservoirs import Draw, draws
from benchmarks.peers_rows import READOUTS, features_of, scaled
from rchw.activation import PiecewiseLinear, tanh_pwl
from rchw.fixed import QFormat
from rchw.model.scaling import random_dense, scale_radius
from rchw.train.linear import train_linear

__all__ = ["CASES", "kinked", "rounded_states", "rounding_rows"]

Values = NDArray[np.float64]
Row = dict[str, Any]

# Activation and bits of a state; 0 rounds nothing.
CASES = (
    ("tanh", 0), ("tanh", 24), ("tanh", 20), ("tanh", 16), ("tanh", 12), ("pwl", 0), ("pwl", 16),
)  # fmt: skip
_FINE = QFormat(24, 23)  # in which the segments are told


def kinked(values: Values) -> Values:
    """The piecewise-linear tanh of the integers, of real numbers."""
    return _segments(values, tanh_pwl(_FINE)[0])


def _segments(values: Values, activation: PiecewiseLinear) -> Values:
    codes = values / _FINE.resolution
    begins = [begin for begin, _, _ in activation.segments if begin is not None]
    place = np.searchsorted(begins, codes, side="right")
    slope = np.array([2.0**-shift for _, shift, _ in activation.segments])
    offset = np.array([float(offset) for _, _, offset in activation.segments])
    found = np.clip(codes * slope[place] + offset[place], activation.low, activation.high)
    return np.asarray(found * _FINE.resolution)


def rounded_states(
    inputs: Values, draw: Draw, n_units: int, seed: int, activation: str, bits: int
) -> Values:
    """States (T, N) of a leaky reservoir with uniform weights, from zero.

    Parameters
    ----------
    inputs : float64 array (T, K)
    draw : Draw
        Its density is not looked at: the matrix is dense.
    n_units, seed : int
    activation : str
        ``tanh``, or ``pwl`` as of `rchw.activation.tanh_pwl`.
    bits : int
        Of a state from -1 to 1, to the nearest; 0 rounds nothing.
    """
    rng = np.random.default_rng(seed)
    matrix = scale_radius(random_dense(n_units, rng), draw.radius)
    drive = inputs @ rng.uniform(-draw.scaling, draw.scaling, (inputs.shape[1], n_units))
    drive += rng.uniform(-draw.bias, draw.bias, n_units)
    function = np.tanh if activation == "tanh" else kinked
    steps = 2.0 ** (bits - 1)
    state, states = np.zeros(n_units), np.empty((len(inputs), n_units))
    for sample, row in enumerate(drive):
        state = (1 - draw.leak) * state + draw.leak * function(matrix @ state + row)
        if bits:
            state = np.floor(state * steps + 0.5) / steps
        states[sample] = state
    return states


def rounding_rows(streams: Streams, n_units: int, *, budget: int = 25, seed: int = 0) -> list[Row]:
    """Least validation errors of every case of `CASES`, with both readouts."""
    task = streams.load(streams.tuning)[0]
    inputs = scaled(task)[: task.validation.stop]
    rows = []
    for activation, bits in CASES:
        row: Row = {"activation": activation, "bits": bits}
        for number, draw in enumerate(draws(budget, seed)):
            states = rounded_states(inputs, draw, n_units, seed + number, activation, bits)
            for readout in READOUTS:
                error = train_linear(task, features_of(states, readout)).validation
                row[readout] = min(row.get(readout, error), error)
        rows.append(row)
    return rows
