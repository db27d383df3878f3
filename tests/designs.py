"""Hypothesis strategy for whole designs: every topology, activation, width and lane count."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import topology
from rchw.activation import Activation, Clip, PiecewiseLinear, Table, tanh_pwl, tanh_table
from rchw.design import (
    AffineEncoder,
    Design,
    ExternalLayer,
    Features,
    InputChannel,
    Layer,
    LevelInput,
    LinearInput,
    Matrix,
    MatrixInput,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Tap,
    TapsInput,
    UnitCodes,
    UnitFeatures,
)
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.layers import LayerInput
from rchw.schedule import possible_multipliers, schedule

__all__ = [
    "TOPOLOGIES",
    "any_codes",
    "any_format",
    "deep_designs",
    "designs",
    "external_designs",
    "matrix_designs",
    "stimulus",
]

Draw = Callable[[st.SearchStrategy[Any]], Any]

TOPOLOGIES = ("cycle", "delay-line", "delay-line-feedback", "cycle-jumps", "free")
WIDTHS = st.one_of(st.integers(2, 8), st.integers(2, 24))  # narrow ones meet more corners


def any_format(draw: Draw, signed: bool | None = True) -> QFormat:
    """Draw a format of 2 to 24 bits; a quarter is unsigned where `signed` is left open."""
    width = draw(WIDTHS)
    return QFormat(width, draw(st.integers(0, width + 2)), signed or draw(st.integers(0, 3)) > 0)


def any_codes(rng: np.random.Generator, fmt: QFormat, count: int, style: str) -> tuple[int, ...]:
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


def _shape(rng: np.random.Generator, name: str, n: int) -> topology.TapTable:
    """Where a topology has taps, as weights of 0 and 1; the nearest one that N units can form."""
    if name == "free":
        offsets = rng.choice(n, size=int(rng.integers(0, min(4, n) + 1)), replace=False)
        return [(int(k), rng.integers(0, 2, n)) for k in offsets]
    if name == "cycle-jumps" and n >= 4:
        return topology.cycle_jumps(n, 1, int(rng.integers(2, n // 2 + 1)), 1)
    if name == "delay-line-feedback" and n >= 3:
        return topology.delay_line_feedback(n, 1, 1)
    return topology.delay_line(n, 1) if name.startswith("delay-line") else topology.cycle(n, 1)


def _taps(rng: np.random.Generator, name: str, n: int, fmt: QFormat, style: str) -> tuple[Tap, ...]:
    """Give the connections weights: one for all units of a tap, or any."""
    taps = []
    for offset, where in _shape(rng, name, n):
        weights = any_codes(rng, fmt, n, style)
        if style == "sign":
            weights = (int(rng.integers(1, fmt.max + 1)),) * n
        masked = [w if there else 0 for w, there in zip(weights, where, strict=True)]
        taps.append(Tap(offset, tuple(masked)))
    return tuple(taps)


def _activation(draw: Draw, rng: np.random.Generator, state: QFormat) -> Activation:
    kind = draw(st.sampled_from(["clip", "clip", "clip-odd", "pwl", "tanh-pwl", "table", "tanh"]))
    if kind == "clip":
        return Clip(state.min, state.max)
    low, high = sorted(int(v) for v in rng.integers(state.min, state.max + 1, 2))
    if low == high:
        low, high = state.min, state.max
    if kind == "clip-odd":
        return Clip(low, high)
    if kind == "tanh-pwl" and 3 <= state.frac < state.width:
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


def _inputs(
    draw: Draw, rng: np.random.Generator, n: int, style: str
) -> tuple[list[InputChannel], list[LinearInput | LevelInput]]:
    """K channels, all of one format or each of its own, linear or level."""
    count = draw(st.one_of(st.just(1), st.integers(1, 8)))
    shared = any_format(draw, None) if draw(st.booleans()) else None
    channels: list[InputChannel] = []
    tables: list[LinearInput | LevelInput] = []
    for k in range(count):
        fmt = shared or any_format(draw, None)
        channels.append(InputChannel(f"u{k}", fmt))
        weight = any_format(draw)
        weights = any_codes(rng, weight, n, style)
        if draw(st.integers(0, 3)):
            tables.append(LinearInput(weight, weights))
        else:
            thresholds = rng.integers(fmt.min - 1, fmt.max + 2, n)
            high = any_codes(rng, weight, n, style)
            tables.append(LevelInput(weight, tuple(thresholds.tolist()), weights, high))
    return channels, tables


def _update(draw: Draw, rng: np.random.Generator, n: int) -> dict[str, Any]:
    """How a unit comes to its new state: a leak for all, leaks of their own, a step, a gain."""
    kind = draw(st.sampled_from(["replace", "replace", "leaky", "leaks", "step"]))
    found: dict[str, Any] = {}
    if kind == "leaky":
        found["leak_shift"] = draw(st.sampled_from([1, 3]))
    if kind == "leaks":
        shifts = rng.integers(0, draw(st.sampled_from([2, 6, 16])), n)
        shifts[int(rng.integers(n))] = 1
        found["leak_shift"] = tuple(shifts.tolist())
    style = draw(st.sampled_from(["sign", "levels", "any"]))
    if kind == "step":
        found["step"] = _unit_codes(draw, rng, n, style)
    if draw(st.integers(0, 3)) == 0:
        found["gain"] = _unit_codes(draw, rng, n, style)
    return found


def _unit_codes(draw: Draw, rng: np.random.Generator, n: int, style: str) -> UnitCodes:
    fmt = any_format(draw, None)
    return UnitCodes(fmt, any_codes(rng, fmt, n, style))


def _layer(draw: Draw, max_units: int, max_lanes: int | None) -> tuple[Any, RingLayer]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, max_units))
    width = draw(WIDTHS)
    state = QFormat(width, draw(st.integers(0, width + 1)))
    style = draw(st.sampled_from(["sign", "levels", "any"]))
    channels, tables = _inputs(draw, rng, n, style)
    tap_format, bias_format = any_format(draw), any_format(draw)
    bias_style = draw(st.sampled_from(["zero", "sign", "any"]))
    layer = RingLayer(
        n_units=n,
        state=state,
        tap_format=tap_format,
        taps=_taps(rng, draw(st.sampled_from(TOPOLOGIES)), n, tap_format, style),
        inputs=tuple(tables),
        bias_format=bias_format,
        bias=(0,) * n if bias_style == "zero" else any_codes(rng, bias_format, n, bias_style),
        activation=_activation(draw, rng, state),
        rounding=draw(st.sampled_from(list(Rounding))),
        **_update(draw, rng, n),
        initial_state=(0,) * n if draw(st.booleans()) else any_codes(rng, state, n, "any"),
        lanes=min(draw(st.integers(1, n)), max_lanes or n),
    )
    return (rng, channels), layer


@st.composite
def designs(draw: Any, max_units: int = 12, max_lanes: int | None = None) -> Design:
    """Any design with a ring that loads; table contents come from a drawn seed."""
    (rng, channels), layer = _layer(draw, max_units, max_lanes)
    return _readout(draw, rng, channels, [layer])


def _matrix(rng: np.random.Generator, kind: str, n: int, fmt: QFormat, style: str) -> Matrix:
    """Rows of any filling, the empty ones among them."""
    if kind == "dense":
        return Matrix(fmt, kind, tuple(any_codes(rng, fmt, n, style) for _ in range(n)))
    if kind == "antisymmetric":
        rows = tuple(any_codes(rng, fmt, i, style) for i in range(n))
        return Matrix(fmt, kind, rows, diagonal=any_codes(rng, fmt, n, style))
    places = [np.flatnonzero(rng.random(n) < rng.random()).tolist() for _ in range(n)]
    codes = tuple(any_codes(rng, fmt, len(row), style) for row in places)
    return Matrix(fmt, kind, codes, tuple(map(tuple, places)))


@st.composite
def matrix_designs(draw: Any, max_units: int = 8) -> Design:
    """Any design whose units are joined by a matrix."""
    (rng, channels), ring = _layer(draw, max_units, None)
    return _readout(draw, rng, channels, [_matrix_layer(draw, rng, ring)])


def _matrix_layer(draw: Draw, rng: np.random.Generator, ring: RingLayer) -> MatrixLayer:
    """The same layer with a matrix in place of the taps."""
    facts = {field.name: getattr(ring, field.name) for field in fields(ring)}
    for name in ("tap_format", "taps", "name"):
        del facts[name]
    kind = "antisymmetric" if ring.step else draw(st.sampled_from(["dense", "sparse"]))
    style = draw(st.sampled_from(["sign", "levels", "any"]))
    matrix = _matrix(rng, kind, ring.n_units, any_format(draw), style)
    return MatrixLayer(matrix=matrix, **facts)


@st.composite
def deep_designs(draw: Any, max_units: int = 5, max_layers: int = 3) -> Design:
    """Any two or three layers in series: rings and matrices of any width and any lanes."""
    (rng, channels), first = _layer(draw, max_units, None)
    layers: list[RingLayer | MatrixLayer] = []
    lanes = draw(st.sampled_from(["any", "one", "all"]))
    for number in range(draw(st.integers(2, max_layers))):
        ring = first if number == 0 else _layer(draw, max_units, None)[1]
        if lanes != "any":
            ring = replace(ring, lanes=1 if lanes == "one" else ring.n_units)
        style = draw(st.sampled_from(["sign", "levels", "any"]))
        entries: list[LayerInput] = [
            replace(table, source=channel.name)
            for channel, table in zip(channels, first.inputs, strict=True)
            if isinstance(table, LinearInput | LevelInput) and number == 0
        ]
        for _ in range(draw(st.integers(0, 2)) if number else 0):
            entries.append(_of_channel(draw, rng, ring.n_units, channels, style))
        for before in layers:
            if before is layers[-1] or draw(st.booleans()):
                entries.append(_of_layer(draw, rng, ring.n_units, before, style))
        ring = replace(ring, inputs=tuple(draw(st.permutations(entries))))
        made = _matrix_layer(draw, rng, ring) if draw(st.booleans()) else ring
        layers.append(replace(made, name=f"layer{number}"))
    return _readout(draw, rng, channels, layers)


def _of_channel(
    draw: Draw, rng: np.random.Generator, n: int, channels: list[InputChannel], style: str
) -> LinearInput:
    weight = any_format(draw)
    source = channels[int(rng.integers(len(channels)))].name
    return LinearInput(weight, any_codes(rng, weight, n, style), source=source)


def _of_layer(
    draw: Draw, rng: np.random.Generator, n: int, before: RingLayer | MatrixLayer, style: str
) -> MatrixInput | TapsInput:
    """What N units read of an earlier layer: dense, sparse with empty rows, or by taps."""
    fmt, count = any_format(draw), before.n_units
    kind = draw(st.sampled_from(["dense", "sparse", "taps", "taps"]))
    if kind == "taps":
        offsets = rng.choice(count, size=int(rng.integers(0, min(3, count) + 1)), replace=False)
        taps = tuple(Tap(int(k), any_codes(rng, fmt, n, style)) for k in offsets)
        return TapsInput(before.name, fmt, taps)
    if kind == "dense":
        rows = tuple(any_codes(rng, fmt, count, style) for _ in range(n))
        return MatrixInput(before.name, Matrix(fmt, kind, rows))
    places = [np.flatnonzero(rng.random(count) < rng.random()).tolist() for _ in range(n)]
    codes = tuple(any_codes(rng, fmt, len(row), style) for row in places)
    return MatrixInput(before.name, Matrix(fmt, kind, codes, tuple(map(tuple, places))))


@st.composite
def external_designs(draw: Any, max_units: int = 12) -> Design:
    """Any design whose states come from outside."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, width = draw(st.integers(1, max_units)), draw(WIDTHS)
    shared = any_format(draw, None)
    channels = [
        InputChannel(f"u{k}", shared) for k in range(draw(st.sampled_from([0, 1, 1, 2, 3])))
    ]
    encoder = AffineEncoder(draw(st.floats(-2, 2)), draw(st.floats(0.1, 100)))
    state = QFormat(width, draw(st.integers(0, width + 1)))
    layer = ExternalLayer(n, state, encoder, draw(st.integers(1, n)))
    return _readout(draw, rng, channels, [layer])


def _readout(
    draw: Draw, rng: np.random.Generator, channels: list[InputChannel], layers: Sequence[Layer]
) -> Design:
    """Features and readout of any kind behind the layers."""
    squares = any_format(draw, None) if draw(st.booleans()) else None
    later = []
    for _ in layers[1:]:
        own = any_format(draw, None) if draw(st.booleans()) else None
        rounding = draw(st.sampled_from(list(Rounding)))
        later.append(UnitFeatures(draw(st.booleans()), own, rounding))
    same = len({channel.format for channel in channels}) == 1
    features = Features(
        states=squares is None or draw(st.booleans()),
        squares=squares,
        square_rounding=draw(st.sampled_from(list(Rounding))),
        inputs=same and draw(st.booleans()),
        one=draw(st.sampled_from([None, QFormat(1, 0, False), QFormat(4, 6)])),
        later=tuple(later),
    )
    weight_format = any_format(draw)
    count = sum(block.count for block in features.blocks(layers, channels))
    outputs = draw(st.one_of(st.just(1), st.integers(1, 16)))
    formats = [
        QFormat(draw(st.integers(1, 24)), draw(st.integers(0, 24)), draw(st.booleans()))
        for _ in range(outputs)
    ]
    design = Design(
        name="generated",
        inputs=tuple(channels),
        layers=tuple(layers),
        features=features,
        readout=Readout(
            outputs=tuple(Output(f"y{k}", fmt) for k, fmt in enumerate(formats)),
            weight_format=weight_format,
            weights=tuple(any_codes(rng, weight_format, count, "any") for _ in range(outputs)),
            rounding=draw(st.sampled_from(list(Rounding))),
            overflow=draw(st.sampled_from(list(Overflow))),
        ),
        reset_on_last=draw(st.booleans()),
    )
    multipliers = draw(st.sampled_from(possible_multipliers([x.lanes for x in layers], design)))
    design = replace(design, readout=replace(design.readout, multipliers=multipliers))
    schedule(design)
    return design


def stimulus(
    design: Design, rng: np.random.Generator, samples: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Codes of the beats, with corners and held rails, and last flags (T,)."""
    columns = []
    for channel in design.beat:
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
