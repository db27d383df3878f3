"""A network trained by FORCE as a design of the matrix engine, and its readout trained on integers.

The update law is the same, so every part has its place: W is the matrix, v the weights of the
feedback, R the readout, and the state where training ended is the initial state. Of FORCE the
matrix and v are codes from the start; what is rounded is the readout, the states and the outputs.
Of full-FORCE the matrix that was learnt is rounded too, and its outputs return with weights of 0,
because a design without channels must feed something back. Inputs, where a task has any, are
channels; their weights are codes from the start as well.

A network that runs on its own output carries every rounding on. So the readout of a FORCE design
can be trained once more while its integers run (`tune`): the states are those of the reference, the
output that returns is that of the rounded weights, and least squares makes up for what rounding
does to both.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rchw.activation import Activation, Clip, tanh_pwl, tanh_table
from rchw.design import Design, Features, Feedback, InputChannel, MatrixLayer, Output, Readout
from rchw.errors import DesignError
from rchw.fixed import QFormat, Rounding, encode
from rchw.layers import check_range
from rchw.multipliers import default_multipliers
from rchw.reference.bounds import integer_type, ring_bound
from rchw.reference.readout import ReadoutReference
from rchw.reference.ring import RingReference
from rchw.schedule import schedule
from rchw.train.build import fit_outputs
from rchw.train.driven import drive_tables
from rchw.train.force import ForceNetwork, ForceOptions, History, Progress, given_inputs
from rchw.train.matrices import dense_codes, sparse_codes, weight_format
from rchw.train.shared_gain import SharedGain

__all__ = ["Widths", "force_design", "force_outputs", "full_scales", "real_values", "tune"]

Values = NDArray[np.float64]
_FEED_BITS = 8
_SPARSE = 0.5  # share of a matrix that is not 0 from which on it is stored densely


@dataclass(frozen=True)
class Widths:
    """Bits of a design, and what changes no code.

    Attributes
    ----------
    state_bits, readout_bits, output_bits : int
        The matrix has the weight bits of `ForceOptions`.
    input_bits : int
        Of inputs, where there are any.
    rounding : str
        Of the layer and the readout.
    lanes : int
    multipliers : int or None
        Of the readout; as many as keep pace.
    name : str
    """

    state_bits: int = 16
    readout_bits: int = 16
    output_bits: int = 16
    input_bits: int = 8
    rounding: str = "half-up"
    lanes: int = 1
    multipliers: int | None = None
    name: str = "taught"


def force_outputs(targets: Values, widths: Widths, names: Sequence[str] = ()) -> list[Output]:
    """Outputs whose full scale leaves a quarter of headroom around training targets (T, L).

    Raises
    ------
    DesignError
        If the width is out of range or a target is constant.
    """
    check_range("output bits", widths.output_bits, 2, 24)
    return fit_outputs(targets, widths.output_bits, names)


def full_scales(outputs: Sequence[Output], targets: Values) -> Values:
    """Targets (T, L) in full scales of the outputs, as training takes them."""
    offset = np.array([output.offset for output in outputs])
    scale = np.array([output.scale for output in outputs])
    return np.asarray((targets - offset) / scale)


def real_values(outputs: Sequence[Output], values: Values) -> Values:
    """Undo `full_scales`."""
    offset = np.array([output.offset for output in outputs])
    scale = np.array([output.scale for output in outputs])
    return np.asarray(offset + scale * values)


def force_design(
    network: ForceNetwork,
    options: ForceOptions,
    widths: Widths,
    outputs: Sequence[Output],
    channels: Sequence[InputChannel] = (),
) -> Design:
    """Round a network to a design, every weight to the nearest code.

    Parameters
    ----------
    network : ForceNetwork
        Its state becomes the initial state.
    options : ForceOptions
    widths : Widths
    outputs : sequence of Output
        From `force_outputs`.
    channels : sequence of InputChannel
        One for each row of the network's input weights.

    Raises
    ------
    DesignError
        If a width is out of range or holds a weight no more.
    """
    check_range("state bits", widths.state_bits, 2, 24)
    n, n_outputs = network.n_units, len(network.fed)
    state = QFormat(widths.state_bits, widths.state_bits - 1)
    sparse = np.count_nonzero(network.weights) < _SPARSE * n * n
    matrix = (sparse_codes if sparse else dense_codes)(network.weights, options.weight_bits)
    feeds = weight_format(network.feedback, _FEED_BITS)
    fed = encode(network.fed, outputs[0].format)
    entries = tuple(
        Feedback(feeds, tuple(row.tolist()), output.name, "matrix", code, False)
        for row, output, code in zip(
            encode(network.feedback, feeds), outputs, fed.tolist(), strict=True
        )
    )
    layer = MatrixLayer(
        n_units=n,
        state=state,
        inputs=drive_tables(network.into),
        bias_format=QFormat(2, 0),
        bias=(0,) * n,
        activation=_activation(options.activation, state, Rounding(widths.rounding)),
        rounding=Rounding(widths.rounding),
        leak_shift=options.leak_shift,
        initial_state=tuple(encode(network.state, state).tolist()),
        lanes=widths.lanes,
        matrix=matrix,
    )
    multipliers = widths.multipliers
    if multipliers is None:
        multipliers = default_multipliers(n, widths.lanes, n_outputs, n)
    readout = Readout(
        outputs=tuple(outputs),
        weight_format=QFormat(widths.readout_bits),
        weights=((0,) * (n + 1),) * n_outputs,
        multipliers=multipliers,
        rounding=Rounding(widths.rounding),
    )
    design = Design(widths.name, tuple(channels), (layer,), Features(), readout, feedback=entries)
    schedule(design)
    return _with_readout(
        design, network.readout, weight_format(network.readout, widths.readout_bits)
    )


def _activation(name: str, state: QFormat, rounding: Rounding) -> Activation:
    if name == "clip":
        end = (1 << state.frac) - 1
        return Clip(-end, end)
    if name == "table":
        return tanh_table(state, rounding=rounding)[0]
    if state.frac < 3:
        raise DesignError(f"state bits must be at least 4 for activation pwl, not {state.width}")
    return tanh_pwl(state)[0]


def _with_readout(design: Design, weights: Values, fmt: QFormat) -> Design:
    """Put real weights (L, N) into the readout; the constant feature gets 0."""
    rows = tuple((*row, 0) for row in encode(weights, fmt).tolist())
    return replace(design, readout=replace(design.readout, weight_format=fmt, weights=rows))


def tune(
    design: Design,
    readout: Values,
    targets: Values,
    options: ForceOptions,
    progress: Progress | None = None,
    inputs: Values | None = None,
) -> tuple[Design, History]:
    """Train the readout of a FORCE design further, while the integers of the reference run.

    The error is that of the codes that leave the design, of weights that are rounded after every
    update, with one format throughout: that of the weights at first, with a bit to spare where the
    width has one.

    Parameters
    ----------
    design : Design
        From `force_design`; it goes on from its initial state.
    readout : float64 array (L, N)
        Of the network; what the updates change before they are rounded.
    targets : float64 array (T, L)
        The samples that follow, in full scales.
    options : ForceOptions
        Its `alpha` and `every`.
    progress : callable, optional
        As for `rchw.train.force.learn`.
    inputs : float64 array (T, K), optional
        Real inputs of a design that has channels.

    Returns
    -------
    Design
        Behind the last target.
    History

    Raises
    ------
    DesignError
        If the matrix was trained too, or no sample is given.
    """
    if options.teaching != "force":
        raise DesignError(
            f"samples for the integers must be left out for {options.teaching}, whose matrix is "
            "trained"
        )
    if len(targets) < options.every:
        raise DesignError(
            f"samples for the integers must be at least {options.every}, not {len(targets)}"
        )
    fmt = weight_format(readout, design.readout.weight_format.width)
    fmt = QFormat(fmt.width, max(fmt.frac - 1, 0))
    real = np.ascontiguousarray(readout.T)
    design = _with_readout(design, real.T, fmt)
    ring = RingReference(design, integer_type(ring_bound(design)))
    places = len(range(0, len(targets), options.every))
    shape = (places, len(readout))
    before, after, moves = np.empty(shape), np.empty(shape), np.empty(places)
    outputs = np.empty(targets.shape)
    gain = SharedGain(design.n_units, options.alpha)
    given = np.zeros((len(targets), 0), dtype=np.int64)
    if design.inputs:
        given = design.encode(given_inputs(inputs, len(targets)))
    step = np.array([output.format.resolution for output in design.readout.outputs])
    state = ring.initial_state()
    fed = np.array([entry.initial for entry in design.feedback], dtype=ring.dtype)
    for t, target in enumerate(targets):
        state = ring.step(state, given[t].astype(ring.dtype), fed)
        codes = ReadoutReference(design).outputs(state[None], given[t : t + 1])[0]
        if t % options.every == 0:
            place = t // options.every
            errors = codes * step - target
            features = state.astype(np.float64) * design.driven.state.resolution
            moves[place] = gain.update(features, real, errors)[1]
            design = _with_readout(design, real.T, fmt)
            codes = ReadoutReference(design).outputs(state[None], given[t : t + 1])[0]
            before[place], after[place] = np.abs(errors), np.abs(codes * step - target)
            if progress is not None and place % 256 == 255:
                progress(t + 1, len(targets), float(before[place - 255 : place + 1].mean()))
        outputs[t] = codes * step
        fed = codes.astype(ring.dtype)
    entries = tuple(
        replace(entry, initial=int(code)) for entry, code in zip(design.feedback, fed, strict=True)
    )
    layer = replace(design.driven, initial_state=tuple(int(code) for code in state))
    tuned = replace(design, layers=(layer,), feedback=entries)
    samples = np.arange(places) * options.every
    return tuned, History(samples, before, after, moves, outputs)
