"""From hyperparameters to a design: taps, input weights, bias, formats; everything but the readout.

Unless integer weights are asked for, all but a matrix are short sums of powers of two, so a ring
needs no multiplier. Encoders see the training inputs, decoders the training targets, and nothing
else.
"""

import math
from collections.abc import Sequence
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw import topology
from rchw.design import (
    AffineEncoder,
    Design,
    Features,
    InputChannel,
    LevelInput,
    LinearInput,
    Output,
    Readout,
    UnitFeatures,
)
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding
from rchw.schedule import default_multipliers, schedule
from rchw.train.adapted import adapted_layers
from rchw.train.families import OPEN
from rchw.train.layer import Bias, dyadic
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.series import in_series, layer_options

__all__ = ["build_design", "fit_outputs", "squares_format"]

_WEIGHT_BITS = 8  # of integer weights


def squares_format(state: QFormat) -> QFormat:
    """Format of squared states: exact to 9 bits, else the top 16 bits, or as many as 1 is held by.

    >>> str(squares_format(QFormat(8, 7))), str(squares_format(QFormat(16, 15)))
    ('ufix14_en14', 'ufix16_en16')
    """
    width = 2 * (state.width - 1)
    kept = max(min(width, 16), width - 2 * state.frac)
    return QFormat(max(kept, 1), max(2 * state.frac - (width - kept), 0), False)


def _signs(options: TrainOptions, hyper: Hyperparameters, n_inputs: int) -> NDArray[np.int64]:
    """Signs (K, N); whether a pattern keeps the rank is checked on the weights themselves."""
    n = options.units
    if options.signs == "random":
        return topology.random_signs(n, n_inputs, np.random.default_rng(options.seed))
    if options.signs == "pi":
        return np.stack([topology.pi_signs(n, n * k) for k in range(n_inputs)])
    skip = hyper.window * n * n_inputs
    if n == 2 and options.reservoir in OPEN:  # no regular pattern exists, and none is needed
        return topology.pi_signs(n * n_inputs, skip).reshape(n_inputs, n)
    return topology.auto_signs(n, n_inputs, skip)


def _refuse_singular(weights: NDArray[Any], options: TrainOptions) -> None:
    if options.reservoir in OPEN:
        return  # no circulant: there is no Fourier bin to lose
    for channel, row in enumerate(weights):
        if not topology.is_regular(row):
            lost = int(np.argmin(np.abs(np.fft.fft(row))))
            raise DesignError(
                f"signs must keep the rank of the ring, not {options.signs} for {options.units} "
                f"units: the input weights of channel {channel} vanish at Fourier bin {lost}, "
                f"so the states lose a dimension (use auto)"
            )


def _levels(weights: NDArray[Any], options: TrainOptions, skip: int) -> NDArray[np.float64]:
    """Give weights (K, N) their levels; a row that loses rank by them takes later digits of pi.

    Signs that the user has set stay as they are, and so do their levels.
    """
    levels = topology.level_weights(weights, skip=skip)
    if options.signs == "pi" or options.reservoir in OPEN:
        return levels
    for channel, row in enumerate(weights):
        while not topology.is_regular(levels[channel]):
            skip += 1
            levels[channel] = topology.level_weights(row, skip=skip)
    return levels


def _drawn(
    signs: NDArray[np.int64], options: TrainOptions, hyper: Hyperparameters
) -> tuple[NDArray[np.int64], QFormat]:
    """Give signs (K, N) magnitudes drawn uniformly, up to the input scaling, as codes of 8 bits.

    The fraction bits are as many as the scaling leaves room for. The magnitudes of a row that loses
    rank are drawn again.
    """
    if not 2.0**-12 <= hyper.input_scaling <= 1.0:
        raise DesignError(f"input scaling must be from 2**-12 to 1, not {hyper.input_scaling}")
    frac = math.floor(math.log2(QFormat(_WEIGHT_BITS).max / hyper.input_scaling))
    largest = math.floor(hyper.input_scaling * 2.0**frac)
    rng = np.random.default_rng([options.seed, hyper.window])
    codes = signs * rng.integers(1, largest + 1, signs.shape)
    if options.reservoir not in OPEN:
        for channel, row in enumerate(signs):
            while not topology.is_regular(codes[channel]):
                codes[channel] = row * rng.integers(1, largest + 1, row.shape)
    return codes, QFormat(_WEIGHT_BITS, frac)


def _encoder(values: NDArray[np.float64], reach: float, options: TrainOptions) -> AffineEncoder:
    """Map the training inputs of one channel to [-reach, reach]."""
    low, high = float(values.min()), float(values.max())
    if not high > low:
        raise DesignError(f"inputs must vary over the training samples, not all be {low}")
    if options.encoder == "min-max":
        return AffineEncoder((low + high) / 2, 2 * reach / (high - low))
    mean = math.fsum(values.tolist()) / len(values)
    variance = math.fsum(((values - mean) ** 2).tolist()) / len(values)
    return AffineEncoder(mean, reach / (3 * math.sqrt(variance)))


def _channels(
    options: TrainOptions,
    hyper: Hyperparameters,
    inputs: NDArray[np.float64],
    names: Sequence[str],
) -> tuple[tuple[InputChannel, ...], tuple[LinearInput | LevelInput, ...]]:
    n, bits, n_inputs = options.units, options.input_bits or 8, inputs.shape[1]
    signs = _signs(options, hyper, n_inputs)
    weights = signs * hyper.input_scaling
    bipolar = options.reservoir == "integer" and hyper.input_coding == "bipolar"
    level = options.reservoir == "integer" and not bipolar
    if options.reservoir == "integer":
        fmt = QFormat(bits)
        if bipolar:
            fmt = QFormat(options.input_bits or hyper.amplitude.bit_length() + 1)
            if hyper.amplitude > fmt.max:
                raise DesignError(
                    f"amplitude must be at most {fmt.max} for {fmt.width} input bits, not "
                    f"{hyper.amplitude}"
                )
        weights = signs.astype(np.float64)
        reach = float(hyper.amplitude if bipolar else fmt.max)
    else:
        fmt = QFormat(bits, bits - 1)
        reach = fmt.max * fmt.resolution
        if hyper.levels:
            weights = _levels(weights, options, hyper.window * weights.size)
    if options.weights == "integer":
        codes, weight_format = _drawn(signs, options, hyper)
    else:
        _refuse_singular(weights, options)
        codes, weight_format = dyadic(weights, "input weight")
    channels: list[InputChannel] = []
    tables: list[LinearInput | LevelInput] = []
    for k in range(n_inputs):
        encoder = _encoder(inputs[:, k], reach, options)
        channels.append(InputChannel(names[k] if names else f"u{k}", fmt, encoder))
        row = tuple(codes[k].tolist())
        if level:
            steps = (-(-((i + 1) << bits) // n) for i in range(n))  # ceil((i + 1) 2**b / N)
            thresholds = tuple(step - (1 << (bits - 1)) for step in steps)
            tables.append(LevelInput(weight_format, thresholds, tuple(-c for c in row), row))
        else:
            tables.append(LinearInput(weight_format, row))
    return tuple(channels), tuple(tables)


def _bias(options: TrainOptions, hyper: Hyperparameters, n_inputs: int) -> Bias:
    if options.reservoir == "integer" or hyper.bias == 0 or hyper.bias_signs == "none":
        return (0,) * options.units, QFormat(2, 0)
    signs = _signs(options, hyper, n_inputs)[0]
    if hyper.bias_signs == "independent":
        signs = topology.pi_signs(options.units, (n_inputs + 1) * options.units)
    codes, fmt = dyadic(signs * hyper.bias, "bias")
    return tuple(codes.tolist()), fmt


def fit_outputs(
    targets: NDArray[np.float64], output_bits: int, names: Sequence[str] = ()
) -> list[Output]:
    """Fit decoders that leave a quarter of headroom around the training targets (T, L).

    Outputs are called ``y0``, ``y1`` and so on where there are no names.

    Raises
    ------
    DesignError
        If a target is constant.
    """
    outputs = []
    for k in range(targets.shape[1]):
        low, high = float(targets[:, k].min()), float(targets[:, k].max())
        if not high > low:
            raise DesignError(f"target {k} must vary over the training samples, not all be {low}")
        fmt = QFormat(output_bits, output_bits - 1)
        name = names[k] if names else f"y{k}"
        outputs.append(Output(name, fmt, (low + high) / 2, (high - low) / 2 * 1.25))
    return outputs


def _reservoir(
    options: TrainOptions,
    hyper: Hyperparameters,
    inputs: NDArray[np.float64],
    targets: NDArray[np.float64],
    names: Sequence[str],
) -> tuple[tuple[InputChannel, ...], tuple[Any, ...], dict[str, Any]]:
    """Inputs and layers, adapted where that is asked for, and how."""
    parts = layer_options(options, hyper)
    channels, tables = _channels(parts[0], hyper, inputs, names)
    layers = in_series(parts, hyper, channels, tables, _bias(parts[0], hyper, inputs.shape[1]))
    if options.adapt is None:
        return channels, layers, {}
    adapted, history = adapted_layers(
        layers, channels, inputs, options.adapt, options.adapt_with,
        gain_bits=options.gain_bits, weight_bits=options.weight_bits,
        stopping=options.stopping(targets),
    )  # fmt: skip
    return channels, adapted, {"adaptation": history.summary()}


def build_design(
    options: TrainOptions,
    hyper: Hyperparameters,
    inputs: ArrayLike,
    targets: ArrayLike,
    outputs: Sequence[Output] | None = None,
    *,
    input_names: Sequence[str] = (),
    output_names: Sequence[str] = (),
    like: Design | None = None,
) -> Design:
    """Design with a readout of zeros; if a rule adapts it, `provenance` tells how.

    Parameters
    ----------
    options : TrainOptions
    hyper : Hyperparameters
    inputs, targets : array (T, K), (T, L)
        Training samples only: encoders and decoders are fitted to them.
    outputs : sequence of Output, optional
        Instead of fitted ones.
    input_names, output_names : sequence of str
        K and L names; ``u0``, ``y0`` and so on if there are none.
    like : Design, optional
        Made of the same, but for what the readout sees and has: its reservoir is taken over.

    Returns
    -------
    Design

    Raises
    ------
    DesignError
        If an option is out of range, inputs or targets are constant, or signs lose rank.
    """
    u, y = np.asarray(inputs, dtype=np.float64), np.asarray(targets, dtype=np.float64)
    if like is None:
        channels, layers, provenance = _reservoir(options, hyper, u, y, input_names)
    else:
        channels, layers, provenance = like.inputs, like.layers, like.provenance
    seen = [
        UnitFeatures(
            squares=squares_format(layer.state) if options.squares else None,
            square_rounding=Rounding(options.rounding),
        )
        for layer in layers
    ]
    features = Features(
        squares=seen[0].squares,
        square_rounding=seen[0].square_rounding,
        inputs=options.input_features,
        later=tuple(seen[1:]),
    )
    options.budgets.check(y.shape[1])
    chosen = tuple(outputs or fit_outputs(y, options.output_bits, output_names))
    products = options.units * features.per_unit + len(channels) * options.input_features
    multipliers = options.multipliers
    if multipliers is None:
        whole = options.layer_lanes == options.layer_units
        lanes = options.units if whole else gcd(*options.layer_lanes)
        multipliers = default_multipliers(options.units, lanes, len(chosen), products)
    readout = Readout(
        outputs=chosen,
        weight_format=QFormat(options.budgets.width),
        weights=((0,) * (products + 1),) * len(chosen),
        multipliers=multipliers,
    )
    design = Design(options.name, channels, layers, features, readout, provenance=provenance)
    schedule(design)
    return design
