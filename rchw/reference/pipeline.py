"""Run a whole design on input codes: the one entry to the reference."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.reference.compiled import compiled_states, stepped_states
from rchw.reference.readout import ReadoutReference

__all__ = ["Trace", "run"]


@dataclass(frozen=True)
class Trace:
    """Codes of one run.

    Attributes
    ----------
    states : int64 array (T, N)
        ``states[t]`` is the state after input ``t``.
    outputs : int64 array (T, L)
    final_state : int64 array (N,)
        What the next sample starts from, a reset by the last ``last`` flag included.
    """

    states: NDArray[np.int64]
    outputs: NDArray[np.int64]
    final_state: NDArray[np.int64]


def _integer_type(design: Design) -> Any:
    """int64 where a crude bound on every sum stays below 2**62, else Python integers."""
    layer, features, readout = design.layer, design.features, design.readout
    formats = [layer.state, layer.tap_format, layer.bias_format, readout.weight_format]
    formats += [channel.format for channel in design.inputs]
    formats += [entry.format for entry in layer.inputs]
    formats += [fmt for fmt in (features.squares, features.one) if fmt is not None]
    formats += [output.format for output in readout.outputs]
    widest = sum(sorted((fmt.width for fmt in formats), reverse=True)[:2])
    frac = sum(sorted((fmt.frac for fmt in formats), reverse=True)[:2])
    terms = (design.n_features + len(layer.taps) + design.n_inputs + 2).bit_length()
    products = 2 * layer.state.width
    return np.int64 if max(widest, products) + frac + terms < 62 else object


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
    codes : integer array (T, K)
    last : bool array (T,), optional
        Marks the last sample of each sequence; the state then resets if the design says so.
    state : integer array (N,), optional
        State codes to start from instead of the initial state.
    compiled : bool
        Take the compiled step where it applies: the same states, sooner. The numpy step of
        `rchw.reference.ring` is the definition.

    Returns
    -------
    Trace

    Raises
    ------
    DesignError
        If a shape is wrong, or a code lies outside its channel's format.
    """
    inputs = np.asarray(codes)
    if inputs.ndim != 2 or inputs.shape[1] != design.n_inputs:
        raise DesignError(f"input codes must have shape (T, {design.n_inputs}), not {inputs.shape}")
    if inputs.dtype.kind not in "iu":
        raise DesignError(f"input codes must be integers, not {inputs.dtype}")
    for k, channel in enumerate(design.inputs):
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
    start = None if state is None else np.asarray(state)
    if start is not None and start.shape != (design.n_units,):
        raise DesignError(f"state must have shape ({design.n_units},), not {start.shape}")
    dtype = _integer_type(design)
    states = compiled_states(design, inputs, flags, start) if compiled else None
    if states is None:
        states = stepped_states(design, inputs, flags, start, dtype)
    states = states.astype(dtype)
    if len(states) and not (flags[-1] and design.reset_on_last):
        final = states[-1]
    elif len(states) or start is None:
        final = np.array(design.layer.initial_state, dtype=dtype)
    else:
        final = start
    outputs = ReadoutReference(design, dtype).outputs(states, inputs.astype(dtype))
    return Trace(states.astype(np.int64), outputs.astype(np.int64), final.astype(np.int64))
