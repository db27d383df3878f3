"""The same ring step as `rchw.reference.ring`, compiled: every state of a run, bit for bit.

The numpy step is the definition; a property test holds this path to it. Two kernels:

* one tap of offset 1, one linear input, clip, no leak: 32-bit words. The previous states sit in a
  buffer of N + 1 whose slot 0 repeats the last unit, so that no index wraps and the loop is one
  straight run of vector instructions;
* everything else that fits 62 bits: 64-bit words, a sum of terms for all units at a time.

What fits neither, and every run where numba is missing, takes the numpy step.
"""

import importlib
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.activation import Clip, PiecewiseLinear, Table
from rchw.design import Design, LevelInput, LinearInput, MatrixLayer, RingLayer, Stage, UnitLayer
from rchw.fixed import Rounding
from rchw.reference.bounds import integer_type, ring_bound
from rchw.reference.ring import RingReference

__all__ = ["compiled_loop", "compiled_states", "layer_by_layer", "run_states", "stepped_states"]

Integers = NDArray[Any]
_ROUNDINGS = (Rounding.TRUNCATE, Rounding.HALF_UP, Rounding.HALF_EVEN)


def run_states(
    design: Design,
    codes: ArrayLike,
    last: ArrayLike | None = None,
    state: ArrayLike | None = None,
) -> Integers:
    """States of a run on valid input codes, compiled where possible.

    Shapes (T, K), (T,), (N,) -> int32 or int64 array (T, N). Codes and state must lie within their
    formats; `rchw.reference.run` checks that, this function does not.
    """
    inputs = np.asarray(codes)
    flags = np.zeros(len(inputs), dtype=bool) if last is None else np.asarray(last, dtype=bool)
    return layer_by_layer(design, inputs, state, partial(_fastest, flags))


def layer_by_layer(
    design: Design,
    inputs: Integers,
    state: ArrayLike | None,
    run_layer: Callable[[Stage, Integers, ArrayLike | None], Integers],
) -> Integers:
    """States of all layers: of each a whole series, before the next, which sees it, begins.

    Within a sample a layer reads the states of earlier layers after that sample, and of itself
    after the one before: so it may be run when the others are through.
    """
    found: list[Integers] = []
    first = 0
    for stage in design.stages:
        end = first + stage.n_units
        start = None if state is None else np.asarray(state)[first:end]
        found.append(run_layer(stage.expanded, stage.seen(inputs, found), start))
        first = end
    return np.concatenate(found, axis=1) if len(found) > 1 else found[0]


def _fastest(flags: Integers, stage: Stage, inputs: Integers, state: ArrayLike | None) -> Integers:
    states = compiled_states(stage, inputs, flags, state)
    if states is None:
        dtype = integer_type(ring_bound(stage))
        states = stepped_states(stage, inputs, flags, state, dtype).astype(np.int64)
    return states


def stepped_states(
    design: Design | Stage, inputs: Integers, flags: Integers, state: ArrayLike | None, dtype: Any
) -> Integers:
    """States by the numpy step; shapes (T, K), (T,), (N,) -> (T, N) of `dtype`."""
    ring = RingReference(design, dtype)
    inputs = inputs.astype(dtype)
    x = ring.initial_state() if state is None else np.asarray(state).astype(dtype)
    states = np.empty((len(inputs), design.n_units), dtype=dtype)
    for t, sample in enumerate(inputs):
        x = states[t] = ring.step(x, sample)
        if flags[t] and design.reset_on_last:
            x = ring.initial_state()
    return states


def compiled_states(
    design: Design | Stage, inputs: Integers, flags: Integers, state: ArrayLike | None
) -> Integers | None:
    """States by numba, or None where numba is missing or a sum might exceed 62 bits."""
    kernels = _kernels()
    bound = ring_bound(design)
    if kernels is None or integer_type(bound) is object:
        return None
    layer = design.stage.layer
    ring = RingReference(design)
    shift = ring.fraction() - layer.state.frac
    activation = layer.activation
    single = (
        isinstance(layer, RingLayer)
        and isinstance(activation, Clip)
        and [tap.offset for tap in layer.taps] == [1 % layer.n_units]
        and [isinstance(entry, LinearInput) for entry in design.stage.entries] == [True]
        and layer.update == "replace"
        and layer.gain is None
        and layer.rounding is not Rounding.HALF_EVEN
        and bound < 1 << 31
    )
    arguments = kernel_arguments(design, inputs, flags, state)
    if single and isinstance(activation, Clip):
        codes, _, taps, _, _, weights, _, _, _, _, bias, start, initial, resets, *_ = arguments
        half = 1 << (shift - 1) if shift and layer.rounding is Rounding.HALF_UP else 0
        words = [a.astype(np.int32) for a in (codes[:, 0], taps[0], weights[0], bias + half)]
        result: Integers = kernels[0](
            *words, start.astype(np.int32), initial.astype(np.int32), resets,
            np.int32(shift), np.int32(activation.low), np.int32(activation.high),
        )  # fmt: skip
        return result
    result = kernels[1](*arguments, *_open(len(inputs), layer.n_units))[0]
    return result


def compiled_loop(
    design: Design, inputs: Integers, flags: Integers, state: ArrayLike, loop: tuple[Any, ...]
) -> tuple[Integers, Integers] | None:
    """States and outputs of a design that feeds outputs back, or None as for `compiled_states`.

    `loop` is what `_any_layer` takes behind those of the layer; its tables must fit 62 bits.
    """
    kernels = _kernels()
    if kernels is None or integer_type(ring_bound(design)) is object:
        return None
    result: tuple[Integers, Integers] = kernels[1](
        *kernel_arguments(design, inputs, flags, state), *loop
    )
    return result


def _open(samples: int, n_units: int) -> tuple[Any, ...]:
    """What stands for a loop where there is none."""
    rows, none = np.zeros((0, n_units), dtype=np.int64), np.zeros(0, dtype=np.int64)
    teachers = np.zeros((samples, 0), dtype=np.int64)
    return (
        rows, none, none, none, teachers, teachers, (rows, rows, rows, none), (0, 0, 0, 0),
        (none, none, none, 0, False),
    )  # fmt: skip


def kernel_arguments(
    design: Design | Stage, inputs: Integers, flags: Integers, state: ArrayLike | None
) -> tuple[Any, ...]:
    """What `_any_layer` takes for the layer: codes, aligned tables, limits, roundings."""
    layer = design.stage.layer
    ring = RingReference(design)
    initial = ring.initial_state()
    start = initial if state is None else np.asarray(state).astype(np.int64)
    resets = np.asarray(flags, dtype=bool) & design.reset_on_last
    frac = ring.fraction()
    bias = np.array(layer.bias, dtype=np.int64) << (frac - layer.bias_format.frac)
    inner = frac if layer.gain is None else ring.inner_fraction()
    tap_shift = inner - layer.state.frac - layer.connection_format.frac
    tables = layer.taps if isinstance(layer, RingLayer) else ()
    taps = np.array([tap.weights for tap in tables], dtype=np.int64).reshape(-1, layer.n_units)
    taps <<= tap_shift
    offsets = np.array([tap.offset for tap in tables], dtype=np.int64)
    activation = layer.activation
    shift = frac - layer.state.frac
    kind, table = _activation_table(activation)
    limits = (layer.state.min, layer.state.max)
    if isinstance(activation, Table):
        shift = frac - activation.index.frac
        limits = (activation.index.min, activation.index.max)
    elif isinstance(activation, Clip | PiecewiseLinear):
        limits = (activation.low, activation.high)
    return (
        inputs.astype(np.int64), offsets, taps, *_matrix(layer, tap_shift),
        *_input_tables(design.stage, inner), bias, start, initial, resets, kind, table, shift,
        *limits, _ROUNDINGS.index(layer.rounding), *_update_tables(layer, frac - inner),
        (layer.state.min, layer.state.max),
    )  # fmt: skip


def _matrix(layer: UnitLayer, shift: int) -> tuple[Integers, tuple[Integers, Integers, Integers]]:
    """Aligned weights of a matrix, as columns (N, N) where it is full; else where its rows begin.

    Rows come with the columns and aligned weights of their connections. What is not there is empty.
    """
    none = np.zeros(0, dtype=np.int64)
    if not isinstance(layer, MatrixLayer):
        return np.zeros((0, layer.n_units), dtype=np.int64), (none, none, none)
    if layer.matrix.kind != "sparse":
        columns = np.ascontiguousarray(layer.matrix.full.T.astype(np.int64)) << shift
        return columns, (none, none, none)
    rows = layer.connections
    begins = np.cumsum([0, *(len(row) for row in rows)])
    flat = np.array([pair for row in rows for pair in row], dtype=np.int64).reshape(-1, 2)
    columns = np.zeros((0, layer.n_units), dtype=np.int64)
    return columns, (begins, flat[:, 0].copy(), flat[:, 1] << shift)


def _update_tables(layer: UnitLayer, outer: int) -> tuple[Integers, Integers, Integers, int]:
    """Gains aligned to the accumulator, leak shifts, sizes of a step or none, and its fraction."""
    gain, step = layer.gain, layer.step
    gains = np.ones(layer.n_units, dtype=np.int64)
    if gain is not None:
        gains = np.array(gain.codes, dtype=np.int64) << (outer - gain.format.frac)
    shifts = np.array(layer.leak_shifts, dtype=np.int64)
    if step is None:
        return gains, shifts, np.zeros(0, dtype=np.int64), 0
    return gains, shifts, np.array(step.codes, dtype=np.int64), step.format.frac


def _input_tables(stage: Stage, frac: int) -> tuple[Integers, ...]:
    """Aligned linear weights, thresholds, low and high of every channel, and which are levels."""
    shape = (stage.n_inputs, stage.n_units)
    weights, thresholds, low, high = (np.zeros(shape, dtype=np.int64) for _ in range(4))
    levels = np.zeros(stage.n_inputs, dtype=bool)
    # What is fed back comes sample by sample, with tables of its own.
    pairs = list(zip(stage.inputs, stage.entries, strict=True))[: stage.n_inputs]
    for k, (channel, entry) in enumerate(pairs):
        shift = frac - entry.format.frac
        if isinstance(entry, LevelInput):
            levels[k] = True
            thresholds[k] = entry.thresholds
            low[k] = np.array(entry.low, dtype=np.int64) << shift
            high[k] = np.array(entry.high, dtype=np.int64) << shift
        else:
            weights[k] = np.array(entry.weights, dtype=np.int64) << (shift - channel.format.frac)
    return weights, thresholds, low, high, levels


def _activation_table(activation: Any) -> tuple[int, Integers]:
    """Kind (0 clip, 1 segments, 2 table) and its integers, shape (S, 3) or (E, 1)."""
    if isinstance(activation, PiecewiseLinear):
        rows = [(a or 0, b, c) for a, b, c in activation.segments]  # the first start is not read
        return 1, np.array(rows, dtype=np.int64)
    if isinstance(activation, Table):
        return 2, np.array(activation.entries, dtype=np.int64)[:, None]
    return 0, np.zeros((1, 1), dtype=np.int64)


def _cycle_clip(
    codes: Any, tap: Any, weight: Any, bias: Any, start: Any, initial: Any, resets: Any,
    shift: Any, low: Any, high: Any,
) -> Any:  # fmt: skip
    """Single tap, one input, clip; every word an int32, or numba widens the products."""
    n_units = tap.size
    states = np.empty((codes.size, n_units), dtype=np.int32)
    before = np.empty(n_units + 1, dtype=np.int32)
    after = np.empty(n_units + 1, dtype=np.int32)
    before[1:] = start
    before[0] = start[n_units - 1]
    for t in range(codes.size):
        code = codes[t]
        for i in range(n_units):
            product = np.int32(tap[i] * before[i])
            total = np.int32(np.int32(product + np.int32(weight[i] * code)) + bias[i])
            value = np.int32(total >> shift)
            after[i + 1] = min(max(value, low), high)
        states[t] = after[1:]
        if resets[t]:
            after[1:] = initial
        after[0] = after[n_units]
        before, after = after, before
    return states


def _any_layer(
    codes: Any, offsets: Any, taps: Any, columns: Any, rows: Any, weights: Any, thresholds: Any,
    low: Any, high: Any, levels: Any, bias: Any, start: Any, initial: Any, resets: Any, kind: int,
    table: Any, shift: int, least: int, most: int, rounding: int, gains: Any, leaks: Any,
    sizes: Any, size_frac: int, ends: tuple[int, int], feeds: Any, sources: Any, fed: Any,
    unfed: Any, teachers: Any, taught: Any, rows_out: Any, square: Any, rounded: Any,
) -> Any:  # fmt: skip
    """Every design in int64; and its outputs, where some of them are fed back.

    Then come weights (B, N) and outputs (B,) of what is fed back, its codes (B,) at first and after
    a reset, codes and bits (T, B) of the teachers, weights of states, squares and inputs (L, ...)
    with what is always added, shift, mode and limits of the squares, and of the outputs shifts and
    limits (L,), mode and whether they wrap.
    """

    def divide(value: Any, by: Any, mode: int) -> Any:
        if by <= 0:
            return value << -by
        if mode == 1:
            value += 1 << (by - 1)
        elif mode == 2:
            value += (1 << (by - 1)) - 1 + ((value >> by) & 1)
        return value >> by

    n_units = bias.size
    states = np.empty((codes.shape[0], n_units), dtype=np.int64)
    of_states, of_squares, of_inputs, always = rows_out
    outputs = np.empty((codes.shape[0], always.size), dtype=np.int64)
    x, y = start.copy(), fed.copy()
    sums = np.empty(n_units, dtype=np.int64)
    for t in range(codes.shape[0]):
        # Term by term and not unit by unit, so that the innermost loops are vector instructions.
        sums[:] = 0
        for k in range(offsets.size):
            offset = offsets[k]
            for i in range(offset):
                sums[i] += taps[k, i] * x[i - offset + n_units]
            for i in range(offset, n_units):
                sums[i] += taps[k, i] * x[i - offset]
        for j in range(columns.shape[0]):
            for i in range(n_units):
                sums[i] += columns[j, i] * x[j]
        for i in range(rows[0].size - 1):
            for p in range(rows[0][i], rows[0][i + 1]):
                sums[i] += rows[2][p] * x[rows[1][p]]
        for k in range(codes.shape[1]):
            code = codes[t, k]
            if levels[k]:
                for i in range(n_units):
                    sums[i] += high[k, i] if code >= thresholds[k, i] else low[k, i]
            else:
                for i in range(n_units):
                    sums[i] += weights[k, i] * code
        for b in range(y.size):
            for i in range(n_units):
                sums[i] += feeds[b, i] * y[b]
        for i in range(n_units):
            z = divide(sums[i] * gains[i] + bias[i], shift, rounding)
            if kind == 1:
                j = table.shape[0] - 1
                while j > 0 and z < table[j, 0]:
                    j -= 1
                z = divide(z, table[j, 1], rounding) + table[j, 2]
            z = min(max(z, least), most)
            if kind == 2:
                z = table[z - least, 0]
            if sizes.size:
                z = x[i] + divide(sizes[i] * z, size_frac, rounding)
                states[t, i] = min(max(z, ends[0]), ends[1])
            elif leaks[i]:
                states[t, i] = x[i] + divide(z - x[i], leaks[i], rounding)
            else:
                states[t, i] = z
        for k in range(always.size):
            total = always[k]
            for i in range(of_states.shape[1]):
                total += of_states[k, i] * states[t, i]
            for i in range(of_squares.shape[1]):
                z = divide(states[t, i] * states[t, i], square[0], square[1])
                total += of_squares[k, i] * min(max(z, square[2]), square[3])
            for i in range(of_inputs.shape[1]):
                total += of_inputs[k, i] * codes[t, i]
            z = divide(total, rounded[0][k], rounded[3])
            low_end, high_end = rounded[1][k], rounded[2][k]
            if rounded[4]:
                outputs[t, k] = ((z - low_end) & (high_end - low_end)) + low_end
            else:
                outputs[t, k] = min(max(z, low_end), high_end)
        for b in range(y.size):
            y[b] = teachers[t, b] if taught[t, b] else outputs[t, sources[b]]
        if resets[t]:
            x[:] = initial
            y[:] = unfed
        else:
            x[:] = states[t]
    return states, outputs


@lru_cache(maxsize=1)
def _kernels() -> tuple[Callable[..., Any], Callable[..., Any]] | None:
    """Both kernels through numba, imported here and not before; None where it is missing."""
    try:
        numba: Any = importlib.import_module("numba")
        keep = numba.njit(cache=True)
        return keep(_cycle_clip), keep(_any_layer)
    except ImportError:
        return None
    except RuntimeError:  # no folder to keep the machine code in
        return numba.njit(_cycle_clip), numba.njit(_any_layer)
