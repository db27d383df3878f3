"""A run that feeds outputs back, as `docs/design-format.md`, section 7, has it.

Sample by sample: the states from the sums with ``y(t-1)``, the outputs from the states, and then
what the next sample is fed: the output, its teacher's code, or the initial code after a reset.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.fixed import Overflow, Rounding
from rchw.reference.bounds import integer_type, readout_bound, ring_bound
from rchw.reference.compiled import compiled_loop
from rchw.reference.readout import ReadoutReference, feature_codes
from rchw.reference.ring import RingReference

__all__ = ["fed_codes", "free_beats", "run_loop", "unfed"]

Integers = NDArray[Any]
_ROUNDINGS = (Rounding.TRUNCATE, Rounding.HALF_UP, Rounding.HALF_EVEN)


def unfed(design: Design) -> NDArray[np.int64]:
    """Codes (B,) that are fed at the first sample, and after a reset."""
    return np.array([entry.initial for entry in design.feedback], dtype=np.int64)


def free_beats(design: Design, steps: int) -> NDArray[np.int64]:
    """Beats (steps, n_lanes) that leave a design alone: no channels, and no teacher speaks.

    Raises
    ------
    DesignError
        If the design has channels or feeds nothing back, or `steps` is below 1.
    """
    if not design.feedback or design.inputs:
        what = "has input channels" if design.inputs else "feeds no output back"
        raise DesignError(f"steps must be left out for a design that {what}, not {steps}")
    if steps < 1:
        raise DesignError(f"steps must be at least 1, not {steps}")
    return np.zeros((steps, design.n_lanes), dtype=np.int64)


def run_loop(
    design: Design, beats: Integers, flags: Integers, start: Integers | None, compiled: bool
) -> tuple[Integers, Integers, Integers]:
    """States, outputs, and what the next sample starts from.

    Parameters
    ----------
    design : Design
        With feedback.
    beats : integer array (T, n_lanes)
        Valid codes.
    flags : bool array (T,)
    start : integer array (N + B,), optional
        States, then what is fed at the first sample.
    compiled : bool
        Take the compiled loop where every sum fits 62 bits.

    Returns
    -------
    int64 arrays (T, N), (T, L), (N + B,)
    """
    n_units = design.n_units
    initial = np.concatenate([RingReference(design).initial_state(), unfed(design)])
    x, y = np.split(initial if start is None else start.astype(np.int64), [n_units])
    codes, teacher = beats[:, : design.n_inputs], _teachers(design, beats)
    found = None
    if compiled and integer_type(readout_bound(design)) is not object:
        tables = (y, unfed(design), teacher.codes, teacher.bits.astype(np.int64))
        found = compiled_loop(design, codes, flags, x, _tables(design, *tables))
    if found is None:
        found = _stepped(design, codes, flags, (x, y), teacher)
    states, outputs = found
    if len(states) and not (flags[-1] and design.reset_on_last):
        x = states[-1]
    elif len(states):
        x = initial[:n_units]
    return states, outputs, np.concatenate([x, fed_codes(design, beats, flags, outputs, y)[-1]])


def fed_codes(
    design: Design, beats: Integers, flags: Integers, outputs: Integers, start: Integers
) -> Integers:
    """What every sample of a run is fed, and the one after it: shapes (T, ...) -> (T + 1, B)."""
    if not design.feedback:
        return np.zeros((len(beats) + 1, 0), dtype=np.int64)
    teacher = _teachers(design, beats)
    fed = np.where(teacher.bits, teacher.codes, outputs[:, list(design.fed_from)])
    if design.reset_on_last:
        fed[np.asarray(flags, dtype=bool)] = unfed(design)
    return np.concatenate([start[None], fed])


@dataclass(frozen=True)
class _Teachers:
    """Codes and bits of the teachers of every sample, shape (T, B); no bit where there is none."""

    codes: Integers
    bits: NDArray[np.bool_]

    def instead(self, t: int, fed: Integers) -> Integers:
        """What the sample after sample t is fed, shape (B,), unless the states are reset."""
        return np.where(self.bits[t], self.codes[t], fed)


def _teachers(design: Design, beats: Integers) -> _Teachers:
    shape = (len(beats), len(design.feedback))
    codes, bits = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    taught = [place for place, entry in enumerate(design.feedback) if entry.teacher]
    for number, place in enumerate(taught):
        codes[:, place] = beats[:, design.n_inputs + number]
        bits[:, place] = (beats[:, -1].astype(np.int64) >> number) & 1
    return _Teachers(codes, bits)


def _stepped(
    design: Design,
    codes: Integers,
    flags: Integers,
    start: tuple[Integers, Integers],
    teacher: _Teachers,
) -> tuple[Integers, Integers]:
    """The definition: one sample after the other, the numpy step of the layer and the readout."""
    ring = RingReference(design, integer_type(ring_bound(design)))
    readout = ReadoutReference(design)
    states = np.empty((len(codes), design.n_units), dtype=np.int64)
    outputs = np.empty((len(codes), design.n_outputs), dtype=np.int64)
    x, y = start
    for t, sample in enumerate(codes):
        x = ring.step(x.astype(ring.dtype), sample.astype(ring.dtype), y.astype(ring.dtype))
        states[t] = x
        outputs[t] = readout.outputs(states[t : t + 1], codes[t : t + 1])[0]
        y = teacher.instead(t, outputs[t][list(design.fed_from)])
        if flags[t] and design.reset_on_last:
            x, y = ring.initial_state(), unfed(design)
    return states, outputs


def _tables(
    design: Design, fed: Integers, initial: Integers, teachers: Integers, bits: Integers
) -> tuple[Any, ...]:
    """What the kernel takes of feedback and readout, every weight aligned to its sum."""
    ring, readout, features = RingReference(design), design.readout, design.features
    inner = ring.fraction() if design.driven.gain is None else ring.inner_fraction()
    outputs = readout.outputs
    feeds = [
        np.array(back.weights) << (inner - back.format.frac - outputs[index].format.frac)
        for back, index in zip(design.feedback, design.fed_from, strict=True)
    ]
    one = np.zeros((1, design.n_units), dtype=np.int64), np.zeros((1, design.n_inputs), np.int64)
    kinds = feature_codes(design, *one)  # for their fractions and numbers
    finest = max(frac for frac, _ in kinds)
    ends = np.cumsum([block.shape[1] for _, block in kinds])[:-1]
    blocks = np.split(np.array(readout.weights, dtype=np.int64), ends, axis=1)
    aligned = [block << (finest - frac) for block, (frac, _) in zip(blocks, kinds, strict=True)]
    none = np.zeros((design.n_outputs, 0), dtype=np.int64)
    states = aligned.pop(0) if features.states else none
    squares = aligned.pop(0) if features.squares else none
    inputs = aligned.pop(0) if features.inputs else none
    always = aligned.pop(0)[:, 0] if features.one else np.zeros(design.n_outputs, dtype=np.int64)
    square = (0, 0, 0, 0)
    if features.squares is not None:
        shift = 2 * design.layer.state.frac - features.squares.frac
        mode = _ROUNDINGS.index(features.square_rounding)
        square = (shift, mode, features.squares.min, features.squares.max)
    frac = readout.weight_format.frac + finest
    shifts, low, high = (
        np.array(column, dtype=np.int64)
        for column in zip(
            *((frac - o.format.frac, o.format.min, o.format.max) for o in outputs), strict=True
        )
    )
    rounded = (
        shifts, low, high, _ROUNDINGS.index(readout.rounding), readout.overflow is Overflow.WRAP,
    )  # fmt: skip
    rows = (states.copy(), squares.copy(), inputs.copy(), always.copy())
    return (
        np.array(feeds, dtype=np.int64), np.array(design.fed_from, dtype=np.int64), fed.copy(),
        initial, teachers, bits, rows, square, rounded,
    )  # fmt: skip
