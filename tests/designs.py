"""Hypothesis strategy for whole designs: every topology, activation, width, lane count."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from rchw.activation import Activation, Clip, PiecewiseLinear, Table, tanh_pwl, tanh_table
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LevelInput,
    LinearInput,
    Output,
    Readout,
    RingLayer,
    Tap,
)
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.schedule import possible_multipliers, schedule

__all__ = ["designs", "stimulus"]


def _codes(rng: np.random.Generator, fmt: QFormat, count: int, style: str) -> tuple[int, ...]:
    """Weights of one magnitude, of a few levels, or any; always within the format."""
    if style == "sign":
        magnitude = int(rng.integers(0, fmt.max + 1))
        values = magnitude * rng.choice([-1, 1], count)
    elif style == "levels":
        unit = max(fmt.max // 4, 1)
        values = unit * rng.integers(-4, 5, count)
    else:
        values = rng.integers(fmt.min, fmt.max + 1, count)
    return tuple(int(v) for v in np.clip(values, fmt.min, fmt.max))


def _taps(
    rng: np.random.Generator, topology: str, n: int, fmt: QFormat, style: str
) -> tuple[Tap, ...]:
    weights = (
        (int(rng.integers(1, fmt.max + 1)),) * n if style == "sign" else _codes(rng, fmt, n, style)
    )
    forward = 1 % n
    line = tuple(0 if unit == 0 else w for unit, w in enumerate(weights))
    if topology == "cycle":
        return (Tap(forward, weights),)
    if topology == "delay-line" or n < 3:
        return (Tap(forward, line),)
    if topology == "delay-line-feedback":
        back = tuple(0 if unit == n - 1 else fmt.max for unit in range(n))
        return (Tap(forward, line), Tap(n - 1, back))
    if topology == "free":
        offsets = rng.choice(n, size=min(3, n), replace=False)
        return tuple(Tap(int(k), _codes(rng, fmt, n, style)) for k in offsets)
    jump = int(rng.integers(2, n // 2 + 1)) if n >= 4 else 2
    starts = range(0, n - jump + 1, jump)
    ahead, behind = [0] * n, [0] * n
    for start in starts:
        ahead[(start + jump) % n] = fmt.max
        behind[start] = fmt.max
    taps = {forward: weights, jump % n: tuple(ahead), (-jump) % n: tuple(behind)}
    return tuple(Tap(k, w) for k, w in sorted(taps.items()))


@st.composite
def designs(draw: Any, max_units: int = 12, max_lanes: int | None = None) -> Design:
    """Any design that loads; table contents come from a drawn seed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, max_units))
    channels = draw(st.sampled_from([1, 1, 1, 2, 3, 8]))
    outputs = draw(st.sampled_from([1, 1, 2, 3, 4, 16]))
    width = draw(st.integers(2, 24))
    state = QFormat(width, draw(st.integers(0, width + 1)))
    tap_format = QFormat(draw(st.integers(2, 8)), draw(st.integers(0, 8)))
    style = draw(st.sampled_from(["sign", "levels", "any"]))
    inputs, tables = [], []
    for k in range(channels):
        fmt = QFormat(draw(st.integers(2, 12)), draw(st.integers(0, 8)))
        inputs.append(InputChannel(f"u{k}", fmt))
        weight = QFormat(draw(st.integers(2, 8)), draw(st.integers(0, 8)))
        if draw(st.integers(0, 3)):
            tables.append(LinearInput(weight, _codes(rng, weight, n, style)))
        else:
            thresholds = tuple(int(v) for v in rng.integers(fmt.min - 1, fmt.max + 2, n))
            tables.append(
                LevelInput(
                    weight,
                    thresholds,
                    _codes(rng, weight, n, style),
                    _codes(rng, weight, n, style),
                )
            )
    if len({channel.format for channel in inputs}) == 1 and draw(st.booleans()):
        with_inputs = True
    else:
        with_inputs = False
    bias_format = QFormat(draw(st.integers(2, 12)), draw(st.integers(0, 12)))
    bias_style = draw(st.sampled_from(["zero", "sign", "any"]))
    bias = (0,) * n if bias_style == "zero" else _codes(rng, bias_format, n, bias_style)
    layer = RingLayer(
        n_units=n,
        state=state,
        tap_format=tap_format,
        taps=_taps(
            rng,
            draw(
                st.sampled_from(
                    ["cycle", "delay-line", "delay-line-feedback", "cycle-jumps", "free"]
                )
            ),
            n,
            tap_format,
            style,
        ),
        inputs=tuple(tables),
        bias_format=bias_format,
        bias=bias,
        activation=_activation(draw, rng, state),
        rounding=draw(st.sampled_from(list(Rounding))),
        leak_shift=draw(st.sampled_from([0, 0, 0, 1, 3])),
        initial_state=(
            (0,) * n if draw(st.booleans()) else _codes(rng, state, n, "any")
        ),
        lanes=min(draw(st.integers(1, n)), max_lanes or n),
    )
    squares = None
    if draw(st.booleans()):
        square_width = draw(st.integers(1, 24))
        squares = QFormat(square_width, draw(st.integers(0, 24)), draw(st.booleans()))
    features = Features(
        states=squares is None or draw(st.booleans()),
        squares=squares,
        square_rounding=draw(st.sampled_from(list(Rounding))),
        inputs=with_inputs,
        one=draw(st.sampled_from([None, QFormat(1, 0, False), QFormat(4, 6)])),
    )
    weight_format = QFormat(draw(st.integers(2, 16)), draw(st.integers(0, 16)))
    count = n * features.per_unit + channels * with_inputs + (features.one is not None)
    design = Design(
        name="generated",
        inputs=tuple(inputs),
        layer=layer,
        features=features,
        readout=Readout(
            outputs=tuple(
                Output(f"y{k}", QFormat(draw(st.integers(1, 24)), draw(st.integers(0, 24)),
                                        draw(st.booleans())))
                for k in range(outputs)
            ),
            weight_format=weight_format,
            weights=tuple(_codes(rng, weight_format, count, "any") for _ in range(outputs)),
            rounding=draw(st.sampled_from(list(Rounding))),
            overflow=draw(st.sampled_from(list(Overflow))),
        ),
        reset_on_last=draw(st.booleans()),
    )
    multipliers = draw(st.sampled_from(possible_multipliers(layer.lanes, design)))
    design = _with_multipliers(design, multipliers)
    schedule(design)
    return design


def _with_multipliers(design: Design, multipliers: int) -> Design:
    from dataclasses import replace

    return replace(design, readout=replace(design.readout, multipliers=multipliers))


def _activation(draw: Any, rng: np.random.Generator, state: QFormat) -> Activation:
    kind = draw(st.sampled_from(["clip", "clip", "clip-odd", "pwl", "tanh-pwl", "table", "tanh"]))
    if kind == "clip":
        return Clip(state.min, state.max)
    low, high = sorted(int(v) for v in rng.integers(state.min, state.max + 1, 2))
    if low == high:
        low, high = state.min, state.max
    if kind == "clip-odd":
        return Clip(low, high)
    if kind == "tanh-pwl" and state.frac >= 3 and state.frac < state.width:
        return tanh_pwl(state)[0]
    if kind == "tanh" and state.frac < state.width:
        return tanh_table(state, draw(st.integers(3, 10)))[0]
    if kind == "table":
        index = QFormat(draw(st.integers(1, 10)), draw(st.integers(0, 12)))
        entries = tuple(int(v) for v in rng.integers(state.min, state.max + 1, 1 << index.width))
        return Table(index, entries)
    starts = sorted({int(v) for v in rng.integers(2 * state.min, 2 * state.max + 1, 3)})
    segments = [
        (start, int(rng.integers(0, 6)), int(rng.integers(state.min, state.max + 1)))
        for start in [None, *starts]
    ]
    return PiecewiseLinear(low, high, tuple(segments))


def stimulus(design: Design, rng: np.random.Generator, samples: int) -> tuple[Any, Any]:
    """Input codes (T, K) with corners and held rails, and last flags (T,)."""
    columns = []
    for channel in design.inputs:
        fmt = channel.format
        codes = rng.integers(fmt.min, fmt.max + 1, samples)
        corners = np.array([fmt.min, fmt.max, 0, min(1, fmt.max), max(-1, fmt.min)])
        where = rng.random(samples) < 0.3
        codes[where] = rng.choice(corners, where.sum())
        hold = samples // 4
        codes[:hold] = fmt.max if rng.random() < 0.5 else fmt.min
        columns.append(codes)
    last = rng.random(samples) < 0.08
    return np.stack(columns, axis=1), last
