"""FORCE: a recurrent network learns, while it runs on its own output, to keep a series going.

The network has the update law of the matrix engine, so that it becomes a design as it is:

    h(t) = (1 - a) h(t-1) + a f(W h(t-1) + v z(t-1) + V u(t)),   z(t) = R h(t),   a = 2**-S

Inputs u are there where a task has any, such as a cue that starts the series.

The papers write ``tau dx/dt = -x + J tanh(x) + v z`` with outputs of ``tanh(x)``. Both are one
network whose low pass stands before or behind the nonlinearity (K. D. Miller and F. Fumarola,
Neural Computation 24 (2012) 25): here x is the sum in brackets, and the outputs see tanh(x) through
the low pass, as all units do.

After every other sample or so, recursive least squares makes the output right where the network is
now (`rchw.train.shared_gain`). The error stays small from the first updates on, so that the network
always runs on nearly what it should, and learns to be stable there. In the end the weights hardly
move, and it is left alone. W and v stay as they were drawn, but for the last M units when a
target-generating network says what their sums should be (`rchw.train.full_force`).

Source: D. Sussillo and L. F. Abbott, "Generating coherent patterns of activity from chaotic neural
networks", Neuron 63 (2009) 544.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.force_options import TEACHINGS, ForceOptions
from rchw.train.matrices import weight_format
from rchw.train.shared_gain import SharedGain, weighted_sums

__all__ = [
    "TEACHINGS",
    "ForceNetwork",
    "ForceOptions",
    "History",
    "Progress",
    "Sums",
    "activated",
    "draw_network",
    "given_inputs",
    "learn",
]

Values = NDArray[np.float64]
Progress = Callable[[int, int, float], None]
_FEED_BITS = 8  # of the weights of what is fed back


@dataclass(frozen=True, eq=False)
class ForceNetwork:
    """A network that runs by itself, and where it stands.

    Attributes
    ----------
    columns : float64 array (N, N + L)
        ``W'`` and, behind it, ``R'``: row j is what all units and outputs read of unit j.
    feedback : float64 array (L, N)
        ``v'``, zeros where the outputs do not return.
    leak_rate : float
    activation : str
        As of `ForceOptions`.
    state : float64 array (N,)
    fed : float64 array (L,)
        Outputs that the next sample is fed, in full scales.
    into : float64 array (K, N)
        ``V'``, of inputs.
    """

    columns: Values
    feedback: Values
    leak_rate: float
    activation: str
    state: Values
    fed: Values
    into: Values

    @property
    def n_units(self) -> int:
        """Number of units N."""
        return len(self.columns)

    @property
    def weights(self) -> Values:
        """W, float64 array (N, N)."""
        return self.columns[:, : self.n_units].T

    @property
    def readout(self) -> Values:
        """R, float64 array (L, N)."""
        return self.columns[:, self.n_units :].T

    def moved(self, sums: Values, fed: Values, given: Values) -> Values:
        """States (N,) after the current ones, of which the recurrent sums (N,) are known.

        What is fed back (L,), and given as inputs (K,), comes to them.
        """
        total = sums.copy()
        for table, values in ((self.feedback, fed), (self.into, given)):
            for weights, value in zip(table, values, strict=True):
                total += weights * value
        target = activated(total, self.activation)
        return (1.0 - self.leak_rate) * self.state + self.leak_rate * target

    def run(
        self, steps: int, compiled: bool = True, inputs: Values | None = None
    ) -> tuple[Values, "ForceNetwork"]:
        """Outputs (steps, L) of a free run under inputs (steps, K), and the network behind it.

        No weight changes; inputs are left out where the network has none.
        """
        n, network, given = self.n_units, self, given_inputs(inputs, steps)
        outputs = np.empty((steps, len(self.fed)))
        for t in range(steps):
            sums = weighted_sums(network.columns[:, :n], network.state, compiled)
            state = network.moved(sums, network.fed, given[t])
            outputs[t] = weighted_sums(self.columns[:, n:], state, compiled)
            network = replace(network, state=state, fed=outputs[t].copy())
        return outputs, network


def given_inputs(inputs: Values | None, samples: int) -> Values:
    """Inputs (T, K) for as many samples; no channel where there are none.

    Raises
    ------
    DesignError
        If there are not as many, or one is not finite.
    """
    given = np.zeros((samples, 0)) if inputs is None else inputs
    if len(given) != samples or not np.isfinite(given).all():
        raise DesignError(
            f"inputs must be {samples} finite samples, as many as targets, not {len(given)}"
        )
    return given


def activated(sums: Values, activation: str) -> Values:
    """Apply the real function of an activation to sums (N,).

    ``pwl`` has the slopes 1, 1/2 and 1/4 and the ends of `rchw.activation.tanh_pwl`.
    """
    if activation == "table":
        return np.tanh(sums)
    if activation == "clip":
        return np.clip(sums, -1.0, 1.0)
    size = np.abs(sums)
    upper = np.minimum(0.3125 + size / 2, 0.59375 + size / 4)
    return np.copysign(np.minimum(np.minimum(size, upper), 1.0), sums)


def draw_network(options: ForceOptions, n_outputs: int, n_inputs: int = 0) -> ForceNetwork:
    """J, v, V and a random state; v for all units, R of zeros.

    J, v and V are codes from the start, so that nothing of them is lost in a design.

    Raises
    ------
    DesignError
        If no format of the width holds J, v or V.
    """
    n = options.units
    rng = np.random.default_rng(options.seed)
    present = rng.random((n, n)) < options.density
    deviation = options.gain / np.sqrt(options.density * n)
    matrix = np.where(present, rng.standard_normal((n, n)) * deviation, 0.0)
    feedback = rng.uniform(-options.feedback_scaling, options.feedback_scaling, (n_outputs, n))
    columns = np.zeros((n, n + n_outputs))
    columns[:, :n] = _coded(matrix, options.weight_bits).T
    state = rng.uniform(-0.5, 0.5, n)
    into = rng.uniform(-options.input_scaling, options.input_scaling, (n_inputs, n))
    return ForceNetwork(
        columns,
        _coded(feedback, _FEED_BITS),
        2.0**-options.leak_shift,
        options.activation,
        state,
        np.zeros(n_outputs),
        _coded(into, _FEED_BITS),
    )


def _coded(values: Values, bits: int) -> Values:
    """Nearest codes of a format with the most fraction bits, as values."""
    resolution = weight_format(values, bits).resolution
    return np.asarray(np.floor(values / resolution + 0.5) * resolution)


class Sums(Protocol):
    """What the sums of the trained units should be."""

    def currents(self, target: Values, given: Values) -> Values:
        """Sums (M,), without inputs, that follow when the outputs are the target (L,).

        Called for every sample, with its inputs (K,).
        """
        ...


@dataclass(frozen=True, eq=False)
class History:
    """What happened at every update, in order.

    Attributes
    ----------
    samples : int64 array (U,)
        Of the targets.
    before, after : float64 arrays (U, L)
        Size of the error of every output, in full scales, before and after the update.
    moves : float64 array (U,)
        Euclidean norm of the change of all trained weights.
    outputs : float64 array (T, L)
        Of every sample, updates included.
    """

    samples: NDArray[np.int64]
    before: Values
    after: Values
    moves: Values
    outputs: Values

    def facts(self, share: float = 0.1) -> dict[str, float]:
        """Tell of the first and last `share` of the updates, as a record holds it.

        ``ratio`` is the root of the mean square error after updates over that before, which comes
        to 1, and ``move`` the mean change of the weights, which comes to 0, when all is learnt.
        """
        count = max(int(len(self.samples) * share), 1)
        first, last = slice(None, count), slice(-count, None)
        found = {}
        for name, rows in (("first", first), ("last", last)):
            size = float(np.sqrt(np.mean(self.before[rows] ** 2)))
            left = float(np.sqrt(np.mean(self.after[rows] ** 2)))
            found[f"{name}_before"], found[f"{name}_after"] = size, left
            found[f"{name}_ratio"] = left / size if size else 1.0
            found[f"{name}_move"] = float(np.mean(self.moves[rows]))
        return found


def learn(
    network: ForceNetwork,
    targets: Values,
    options: ForceOptions,
    sums: Sums | None = None,
    progress: Progress | None = None,
    compiled: bool = True,
    inputs: Values | None = None,
) -> tuple[ForceNetwork, History]:
    """Train a network while it runs.

    Parameters
    ----------
    network : ForceNetwork
        Its state goes on with the first target.
    targets : float64 array (T, L)
        In full scales of the outputs.
    options : ForceOptions
        Its `alpha` and `every`, and how many of the last units are trained.
    sums : Sums, optional
        Where units are trained.
    progress : callable, optional
        Called with (samples done, samples in all, mean size of the last errors).
    compiled : bool
        The same bits either way, but for ``table``.
    inputs : float64 array (T, K), optional
        Of a network that has any, within -1 to 1.

    Returns
    -------
    ForceNetwork
        Behind the last target.
    History

    Raises
    ------
    DesignError
        If a target is not finite, or the updates do not stay finite.
    """
    if not np.isfinite(targets).all():
        raise DesignError("targets must be finite, not NaN or infinite")
    if len(targets) < options.every:
        raise DesignError(
            f"training samples must be at least {options.every}, for one update, not {len(targets)}"
        )
    given = given_inputs(inputs, len(targets))
    n, n_outputs, first = network.n_units, targets.shape[1], network.n_units - options.trained
    network = replace(network, columns=network.columns.copy())
    learnt = np.ascontiguousarray(network.columns[:, first:])
    gain = SharedGain(n, options.alpha, compiled)
    updates = len(range(0, len(targets), options.every))
    before, after = np.empty((updates, n_outputs)), np.empty((updates, n_outputs))
    moves, outputs = np.empty(updates), np.empty(targets.shape)
    fixed = np.ascontiguousarray(network.columns[:, :first])
    read = np.concatenate(
        [weighted_sums(part, network.state, compiled) for part in (fixed, learnt)]
    )
    fed = network.fed
    for t, target in enumerate(targets):
        state = network.moved(read[:n], fed, given[t])
        network = replace(network, state=state)
        read[:first] = weighted_sums(fixed, state, compiled)
        read[first:] = weighted_sums(learnt, state, compiled)
        wanted = target
        if sums is not None:
            wanted = np.concatenate([sums.currents(target, given[t]), target])
        if t % options.every == 0:
            place = t // options.every
            errors = read[first:] - wanted
            before[place] = np.abs(errors[options.trained :])
            moves[place] = gain.update(state, learnt, errors)[1]
            read[first:] = weighted_sums(learnt, state, compiled)
            after[place] = np.abs(read[n:] - target)
            if progress is not None and place % 256 == 255:
                progress(t + 1, len(targets), float(before[place - 255 : place + 1].mean()))
        outputs[t] = fed = read[n:].copy()
    network.columns[:, first:] = learnt
    places = np.arange(updates) * options.every
    return replace(network, fed=fed), History(places, before, after, moves, outputs)
