"""One layer from hyperparameters: what joins its units, its states, activation, leaks and steps.

Unless integer weights are asked for, all but a matrix are short sums of powers of two, so a ring
needs no multiplier.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw import topology
from rchw.activation import Activation, Clip, tanh_pwl, tanh_table
from rchw.design import MatrixLayer, RingLayer, Tap, UnitCodes
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding
from rchw.layers import MAX_WEIGHT_WIDTH, LayerInput
from rchw.train.drawn import drawn_codes, leak_shifts
from rchw.train.families import EULERS, MATRICES
from rchw.train.options import Hyperparameters, TrainOptions

__all__ = ["Bias", "dyadic", "make_layer"]

Bias = tuple[tuple[int, ...], QFormat]
_FINE_BITS = 12  # of states that small steps must be able to move


def dyadic(values: ArrayLike, what: str = "weight") -> tuple[NDArray[np.int64], QFormat]:
    """Codes and the narrowest signed format that hold values exactly, at most 12 fraction bits.

    >>> codes, fmt = dyadic([0.75, -0.5])
    >>> codes.tolist(), str(fmt)
    ([3, -2], 'sfix3_en2')
    """
    array = np.asarray(values, dtype=np.float64)
    for frac in range(13):
        scaled = np.ldexp(array, frac)
        if np.array_equal(scaled, np.floor(scaled)):
            codes = scaled.astype(np.int64)
            low, high = int(codes.min(initial=0)), int(codes.max(initial=0))
            bits = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0)
            return codes, QFormat(max(bits + 1, 2), frac)
    raise DesignError(f"{what} must be a multiple of 2**-12, not {array.ravel()[:4].tolist()}")


def make_layer(
    options: TrainOptions,
    hyper: Hyperparameters,
    inputs: Sequence[LayerInput],
    bias: Bias,
    place: int = 0,
    **named: Any,
) -> RingLayer | MatrixLayer:
    """Make the layer of options that know of one.

    Parameters
    ----------
    options : TrainOptions
    hyper : Hyperparameters
    inputs : sequence of LinearInput, LevelInput, MatrixInput or TapsInput
    bias : (codes (N,), QFormat)
    place : int
        Of several layers which one it is: each has a matrix of its own.
    **named
        ``name``, where it is not that of the family.

    Raises
    ------
    DesignError
        If a hyperparameter or a width is out of range.
    """
    state, activation = _state(options, hyper)
    shifts = leak_shifts(options, hyper)
    common: dict[str, Any] = {
        "n_units": options.units,
        "state": state,
        "inputs": tuple(inputs),
        "bias_format": bias[1],
        "bias": bias[0],
        "activation": activation,
        "rounding": Rounding(options.rounding),
        "leak_shift": shifts if len(set(shifts)) > 1 else shifts[0],
        "step": _step(options, hyper),
        "horizon": options.bounded,
        "lanes": options.layer_lanes[0],
        **named,
    }
    if options.reservoir in MATRICES:
        return MatrixLayer(matrix=drawn_codes(options, hyper, place), **common)
    taps, tap_format = _taps(options, hyper)
    return RingLayer(taps=taps, tap_format=tap_format, **common)


def _taps(options: TrainOptions, hyper: Hyperparameters) -> tuple[tuple[Tap, ...], QFormat]:
    n = options.units
    if options.reservoir == "integer":
        table = topology.cycle(n, 1.0)
    elif options.reservoir == "cycle":
        table = topology.cycle(n, hyper.feedback)
    elif options.reservoir == "delay-line":
        table = topology.delay_line(n, hyper.feedback)
    elif options.reservoir == "delay-line-feedback":
        table = topology.delay_line_feedback(n, hyper.feedback, hyper.backward)
    elif options.reservoir == "euler-ring":
        table = topology.euler_ring(n, hyper.feedback, hyper.diffusion)
    else:
        length = min(hyper.jump_length, n // 2)
        table = topology.cycle_jumps(n, hyper.feedback, length, hyper.jump_weight)
    codes, fmt = dyadic(np.stack([weights for _, weights in table]), "tap weight")
    pairs = zip(table, codes, strict=True)
    return tuple(Tap(int(k), tuple(row.tolist())) for (k, _), row in pairs), fmt


def _state(options: TrainOptions, hyper: Hyperparameters) -> tuple[QFormat, Activation]:
    if options.reservoir == "integer":
        width = options.state_bits or hyper.kappa.bit_length() + 1
        return QFormat(width), Clip(-hyper.kappa, hyper.kappa)
    if options.reservoir in EULERS:
        state = _euler_state(options, hyper)
    else:
        width = options.state_bits or (_FINE_BITS if options.reservoir == "leaky" else 8)
        state = QFormat(width, width - 1)
    if options.activation == "clip":
        end = (1 << state.frac) - 1
        return state, Clip(-end, end)
    if options.activation == "table":
        return state, tanh_table(state, rounding=Rounding(options.rounding))[0]
    if state.frac < 3:
        more = state.width - state.frac - 1
        raise DesignError(
            f"state bits must be at least {4 + more} for activation pwl, not {state.width}"
        )
    return state, tanh_pwl(state)[0]


def _euler_state(options: TrainOptions, hyper: Hyperparameters) -> QFormat:
    """Bits above 1 from what a sequence can add up to, or from the hyperparameters."""
    width = options.state_bits or _FINE_BITS
    if options.bounded is None:
        if hyper.headroom > width - 2:
            raise DesignError(f"headroom must be at most {width - 2}, not {hyper.headroom}")
        return QFormat(width, width - 1 - hyper.headroom)
    move = math.ceil(abs(hyper.step) * 2.0 ** (width - 1))  # codes in one sample, at most
    extra = max((options.bounded * move).bit_length() - (width - 1), 0)
    if width + extra > MAX_WEIGHT_WIDTH:
        raise DesignError(
            f"states must have at most {MAX_WEIGHT_WIDTH} bits, not the {width + extra} that "
            f"{options.bounded} samples with a step of {hyper.step:g} take"
        )
    return QFormat(width + extra, width - 1)


def _step(options: TrainOptions, hyper: Hyperparameters) -> UnitCodes | None:
    if options.reservoir not in EULERS:
        return None
    codes, fmt = dyadic([hyper.step], "step")
    return UnitCodes(fmt, tuple(codes.tolist()) * options.units)
