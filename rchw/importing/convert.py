"""From a network to the layer of a design: what each number becomes at the given widths."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.activation import Activation, Clip, tanh_pwl, tanh_table
from rchw.design import (
    AffineEncoder,
    Design,
    Features,
    InputChannel,
    LinearInput,
    Output,
    Readout,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding, decode, encode
from rchw.importing.network import Network, NetworkModel
from rchw.importing.options import ImportOptions, Scales
from rchw.importing.structure import Structure, finer_format
from rchw.schedule import default_multipliers, schedule
from rchw.train.matrices import weight_format

__all__ = ["Converted", "Seen", "convert", "leak_shifts"]

Values = NDArray[np.float64]
_INDEX_BITS = 10


@dataclass(frozen=True, eq=False)
class Seen:
    """A network on a series: its states, and how far inputs, sums and states go in training.

    Attributes
    ----------
    states : float64 array (T, N)
    low, high : float64 arrays (K,)
        Of the inputs.
    largest_sum, largest_state : float
        Magnitudes.
    """

    states: Values
    low: Values
    high: Values
    largest_sum: float
    largest_state: float

    @classmethod
    def of(cls, network: Network, inputs: Values, train: slice) -> "Seen":
        """Run the network on inputs (T, K), of which `train` are training samples.

        Raises
        ------
        DesignError
            If the states grow without bound.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            states = NetworkModel(network).run(inputs)
            before = np.vstack([np.zeros((1, network.n_units)), states[:-1]])[train]
            sums = before @ network.weights.T + inputs[train] @ network.input_weights.T
            reached = float(np.abs(states).max())
        if not reached < 1e30:
            raise DesignError("states of the network must stay finite on the data, not grow")
        rows = inputs[train]
        return cls(
            states, rows.min(axis=0), rows.max(axis=0),
            float(np.abs(sums + network.bias).max()), float(np.abs(states[train]).max()),
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Converted:
    """A design with a readout of zeros, and the real numbers that its integers stand for.

    Attributes
    ----------
    design : Design
    held : dict
        For ``W``, ``W_in``, ``bias``, ``leak_rate`` and ``step``: what was wanted, what the
        integers stand for, and their format; arrays of one shape. ``W_in`` and ``bias`` are those
        for inputs from -1 to 1.
    """

    design: Design
    held: dict[str, tuple[Values, Values, str]]


def leak_shifts(leak_rate: Values, rule: str) -> tuple[int, ...]:
    """S of every unit, so that ``2**-S`` is near its leak rate; see `Scales`.

    >>> [leak_shifts(np.array([1.0, 0.3]), rule) for rule in ("nearest", "faster", "slower")]
    [(0, 2), (0, 1), (0, 2)]
    """
    octaves = -np.log2(leak_rate)
    found = {
        "nearest": np.floor(octaves + 0.5), "faster": np.floor(octaves), "slower": np.ceil(octaves)
    }  # fmt: skip
    return tuple(np.clip(found[rule], 0, 15).astype(int).tolist())


def convert(
    network: Network,
    seen: Seen,
    structure: Structure,
    outputs: tuple[Output, ...],
    options: ImportOptions,
    scales: Scales,
    input_names: tuple[str, ...] = (),
) -> Converted:
    """Integers of everything but the readout.

    Raises
    ------
    DesignError
        If no format of the given width can hold a number, or lanes and multipliers do not fit.
    """
    held: dict[str, tuple[Values, Values, str]] = {}
    channels, tables, bias = _inputs(network, seen, options, scales, input_names, held)
    state = _state_format(network, seen, options, scales)
    rest: dict[str, Any] = {
        "state": state,
        "inputs": tables,
        "activation": _activation(network, seen, state, options, scales),
        "rounding": Rounding(options.rounding),
        "lanes": options.lanes,
    }
    rest |= _bias(bias, options, held) | _update(network, options, scales, held)
    layer, matrix = structure.layer(network.weights, options.weight_bits, scales.weights, **rest)
    held["W"] = (network.weights, matrix, str(layer.connection_format))
    features = Features(inputs=network.output_input_weights is not None)
    products = network.n_units + len(channels) * features.inputs
    multipliers = options.multipliers
    if multipliers is None:
        multipliers = default_multipliers(network.n_units, options.lanes, len(outputs), products)
    readout = Readout(
        outputs=outputs,
        weight_format=QFormat(options.readout_bits),
        weights=((0,) * (products + 1),) * len(outputs),
        multipliers=multipliers,
    )
    design = Design(options.name, channels, (layer,), features, readout)
    schedule(design)
    return Converted(design, held)


def _inputs(
    network: Network,
    seen: Seen,
    options: ImportOptions,
    scales: Scales,
    names: tuple[str, ...],
    held: dict[str, tuple[Values, Values, str]],
) -> tuple[tuple[InputChannel, ...], tuple[LinearInput, ...], Values]:
    """Channels from -1 to 1 over the training inputs, their weights, and the bias that goes along.

    ``W_in u = (W_in / gain) v + W_in offset`` with ``u = offset + v / gain``.
    """
    fmt = QFormat(options.input_bits, options.input_bits - 1)
    offset = (seen.low + seen.high) / 2
    gain = 2 * fmt.max * fmt.resolution / (seen.high - seen.low)
    weights = network.input_weights / gain
    limit = 1 << (options.weight_bits - 1)
    codes, formats = np.empty(weights.shape, dtype=np.int64), []
    for k, column in enumerate(weights.T):
        if not np.abs(column).max() < limit - 0.5:
            raise DesignError(
                f"W_in of input {k} times half the range of the input must be below {limit} to fit "
                f"{options.weight_bits} bits, not {np.abs(column).max():g}"
            )
        formats.append(finer_format(column, options.weight_bits, scales.inputs))
        codes[:, k] = encode(column, formats[k])
    real = codes * np.array([of.resolution for of in formats])
    held["W_in"] = (weights, real, ", ".join(dict.fromkeys(str(of) for of in formats)))
    channels = tuple(
        InputChannel(
            names[k] if names else f"u{k}", fmt, AffineEncoder(float(offset[k]), float(gain[k]))
        )
        for k in range(network.n_inputs)
    )
    tables = tuple(
        LinearInput(formats[k], tuple(codes[:, k].tolist())) for k in range(network.n_inputs)
    )
    return channels, tables, network.bias + network.input_weights @ offset


def _state_format(network: Network, seen: Seen, options: ImportOptions, scales: Scales) -> QFormat:
    """Of `state_bits`, with room for the states of training; a clip or tanh needs none beyond 1."""
    bits = options.state_bits
    reach = seen.largest_state
    if network.step is None and network.activation != "linear":
        reach = min(reach, 1.0 - 2.0 ** (1 - bits))
    return finer_format(np.array([-reach, reach]), bits, scales.states)


def _activation(
    network: Network, seen: Seen, state: QFormat, options: ImportOptions, scales: Scales
) -> Activation:
    end = state.max
    if network.activation != "linear":
        end = min((1 << state.frac) - 1, end)
    if network.activation != "tanh" or scales.activation == "clip":
        return Clip(-end, end)
    if scales.activation == "pwl":
        if state.frac < 3:
            raise DesignError(f"state bits must be more for activation pwl, not {state.width}")
        return tanh_pwl(state)[0]
    reach = min(seen.largest_sum, 4.0)
    frac = finer_format(np.array([-reach, reach]), _INDEX_BITS, scales.index).frac
    return tanh_table(state, _INDEX_BITS, Rounding(options.rounding), frac)[0]


def _bias(
    bias: Values, options: ImportOptions, held: dict[str, tuple[Values, Values, str]]
) -> dict[str, Any]:
    """Four bits finer than the states."""
    fmt = QFormat(2, 0)
    if bias.any():
        fmt = weight_format(bias, min(options.state_bits + 4, 24))
    codes = encode(bias, fmt)
    held["bias"] = (bias, decode(codes, fmt), str(fmt))
    return {"bias_format": fmt, "bias": tuple(codes.tolist())}


def _update(
    network: Network,
    options: ImportOptions,
    scales: Scales,
    held: dict[str, tuple[Values, Values, str]],
) -> dict[str, Any]:
    if network.step is not None:
        fmt = weight_format(network.step, options.weight_bits)
        codes = encode(network.step, fmt)
        held["step"] = (network.step, decode(codes, fmt), str(fmt))
        return {"step": UnitCodes(fmt, tuple(codes.tolist()))}
    shifts = leak_shifts(network.leak_rate, scales.leak)
    held["leak_rate"] = (network.leak_rate, np.exp2(-np.array(shifts, dtype=np.float64)), "shift")
    if len(set(shifts)) == 1:
        return {"leak_shift": shifts[0]}
    return {"leak_shift": shifts}
