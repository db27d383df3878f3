"""Run a whole design on input codes: the one entry to the reference."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import Design, ExternalLayer, Stage
from rchw.errors import DesignError
from rchw.reference.bounds import integer_type, ring_bound
from rchw.reference.compiled import layer_by_layer, run_states, stepped_states
from rchw.reference.loop import run_loop
from rchw.reference.readout import ReadoutReference

__all__ = ["Trace", "run"]


@dataclass(frozen=True)
class Trace:
    """Codes of one run.

    Attributes
    ----------
    states : int64 array (T, N)
        ``states[t]`` is the state after input ``t``; of layers in series one after the other.
    outputs : int64 array (T, L)
        ``outputs[t]`` is the answer to input ``t``. Where a sequence has one answer there is a row
        for every marked sample instead; with argmax there is one column, the index.
    final_state : int64 array (N + B,)
        What the next sample starts from, a reset by the last ``last`` flag included: the states,
        then the codes of the B outputs that are fed back to it, those of their teachers included.
    """

    states: NDArray[np.int64]
    outputs: NDArray[np.int64]
    final_state: NDArray[np.int64]


def _checked_state(design: Design, state: ArrayLike) -> NDArray[np.int64]:
    start = np.asarray(state)
    fed = design.fed
    size = design.n_units + len(fed)
    if start.shape != (size,) or start.dtype.kind not in "iu":
        raise DesignError(
            f"state must be integers of shape ({size},), not {start.dtype} of {start.shape}"
        )
    formats = [layer.state for layer in design.layers for _ in range(layer.n_units)]
    formats += [channel.format for channel in fed]
    for place, (code, fmt) in enumerate(zip(start.tolist(), formats, strict=True)):
        if not fmt.min <= code <= fmt.max:
            what = f"unit {place}"
            if place >= design.n_units:
                what = f"fed back output {design.feedback[place - design.n_units].output}"
            raise DesignError(
                f"state of {what} must be from {fmt.min} to {fmt.max} ({fmt}), not {code}"
            )
    return start.astype(np.int64)


def run(
    design: Design,
    codes: ArrayLike,
    last: ArrayLike | None = None,
    state: ArrayLike | None = None,
    compiled: bool = True,
) -> Trace:
    """Run `design` on input codes.

    Parameters
    ----------
    design : Design
    codes : integer array (T, n_lanes)
        The lanes of `Design.beat`: (T, K) for K channels; states from outside and teachers follow.
    last : bool array (T,), optional
        Marks the last sample of each sequence; the state then resets if the design says so. The
        first sample begins a sequence, whatever `state` is: what a readout summed up of one that is
        not ended is lost, so a series is cut into runs at the ends of sequences.
    state : integer array (N + B,), optional
        State codes to start from instead of the initial state, and codes of the B outputs that are
        fed back at the first sample; states from outside have none.
    compiled : bool
        Take the compiled step where it applies: the same states, sooner. The numpy step of
        `rchw.reference.ring` is the definition.

    Returns
    -------
    Trace

    Raises
    ------
    DesignError
        If a shape is wrong, or a code lies outside its format.
    """
    inputs = np.asarray(codes)
    if inputs.ndim != 2 or inputs.shape[1] != design.n_lanes:
        raise DesignError(f"input codes must have shape (T, {design.n_lanes}), not {inputs.shape}")
    if inputs.dtype.kind not in "iu":
        raise DesignError(f"input codes must be integers, not {inputs.dtype}")
    for k, channel in enumerate(design.beat):
        outside = (inputs[:, k] < channel.format.min) | (inputs[:, k] > channel.format.max)
        if outside.any():
            row = int(np.argmax(outside))
            raise DesignError(
                f"input {channel.name} at sample {row} must be from {channel.format.min} to "
                f"{channel.format.max} ({channel.format}), not {int(inputs[row, k])}"
            )
    flags = np.zeros(len(inputs), dtype=bool) if last is None else np.asarray(last, dtype=bool)
    if flags.shape != (len(inputs),):
        raise DesignError(f"last flags must have shape ({len(inputs)},), not {flags.shape}")
    if isinstance(design.layers[0], ExternalLayer):
        return _external(design, inputs, flags, state)
    start = None if state is None else _checked_state(design, state)
    if design.feedback:
        return Trace(*run_loop(design, inputs, flags, start, compiled))
    if compiled:
        states = run_states(design, inputs, flags, start).astype(np.int64)
    else:
        states = layer_by_layer(design, inputs, start, partial(_stepped, flags)).astype(np.int64)
    if len(states) and not (flags[-1] and design.reset_on_last):
        final = states[-1]
    elif len(states) or start is None:
        initial = [code for stage in design.stages for code in stage.layer.initial_state]
        final = np.array(initial, dtype=np.int64)
    else:
        final = start
    return Trace(states, ReadoutReference(design).outputs(states, inputs, flags), final)


def _stepped(
    flags: NDArray[np.bool_], stage: Stage, inputs: NDArray[Any], state: ArrayLike | None
) -> NDArray[Any]:
    return stepped_states(stage, inputs, flags, state, integer_type(ring_bound(stage)))


def _external(
    design: Design,
    codes: NDArray[np.int64],
    flags: NDArray[np.bool_],
    state: ArrayLike | None,
) -> Trace:
    """The states are those of the beat; nothing is remembered."""
    if state is not None:
        raise DesignError(f"state must be left out where layer {design.layers[0].name} is external")
    channels, states = np.split(codes.astype(np.int64), [design.n_inputs], axis=1)
    final = states[-1] if len(states) else np.zeros(design.n_units, dtype=np.int64)
    return Trace(states, ReadoutReference(design).outputs(states, channels, flags), final)
