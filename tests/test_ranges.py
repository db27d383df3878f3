"""Widths from the actual weights: never exceeded, and reached wherever the terms are free."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import rchw.reference
from rchw import ranges
from rchw.activation import Clip
from rchw.design import Design, LevelInput
from rchw.fixed import QFormat, Rounding
from rchw.ranges import (
    Interval,
    layer_ranges,
    readout_ranges,
    square_interval,
    state_interval,
)
from rchw.reference import run
from rchw.reference.readout import feature_codes
from rchw.reference.ring import RingReference
from tests.designs import designs, matrix_designs, stimulus
from tests.examples import EXAMPLE

Integers = NDArray[Any]
ENDS = st.integers(-(10**9), 10**9)
INTERVALS = st.tuples(ENDS, ENDS).map(lambda ends: Interval(min(ends), max(ends)))


@given(INTERVALS)
def test_width_is_the_least_that_holds_both_ends(interval: Interval) -> None:
    def holds(width: int) -> bool:
        return all(
            -(1 << (width - 1)) <= end < 1 << (width - 1) for end in (interval.low, interval.high)
        )

    assert holds(interval.width)
    assert interval.width == 1 or not holds(interval.width - 1)


@given(INTERVALS, INTERVALS, st.integers(-50, 50), st.data())
def test_intervals_hold_what_their_members_become(
    a: Interval, b: Interval, factor: int, data: st.DataObject
) -> None:
    x, y = (data.draw(st.integers(i.low, i.high)) for i in (a, b))
    for value, interval in ((x + y, a + b), (factor * x, a.scale(factor)), (x, a.hull(b))):
        assert interval.low <= value <= interval.high


def worst(design: Design, unit: int, sign: int) -> tuple[Integers, Integers, bool]:
    """States and inputs that drive one unit's sum to an end, and whether every term is at its own.

    A level whose threshold no code reaches keeps one of its two weights.
    """
    layer, state = design.driven, state_interval(design.driven)
    if layer.gain is not None and layer.gain.codes[unit] < 0:
        sign = -sign
    x = np.array([state.low] * layer.n_units, dtype=object)
    for source, weight in layer.connections[unit]:
        if sign * weight > 0:
            x[source] = state.high
    codes, free = [], True
    for channel, entry in zip(design.inputs, design.stage.entries, strict=True):
        low, high = channel.format.min, channel.format.max
        if isinstance(entry, LevelInput):
            upward = sign * (entry.high[unit] - entry.low[unit]) > 0
            free &= low < entry.thresholds[unit] <= high or entry.high[unit] == entry.low[unit]
        else:
            upward = sign * entry.weights[unit] > 0
        codes.append(high if upward else low)
    return x, np.array(codes, dtype=object), free


def check_layer(design: Design, rng: np.random.Generator) -> int:
    """Assert that no extreme leaves its interval and that free ones reach it; count the latter."""
    found = layer_ranges(design)
    ring = RingReference(design, object)
    layer, reached = design.driven, 0
    assert found.frac == ring.fraction()

    def biased(interval: Interval, unit: int) -> Interval:
        """Behind the gain, where the bias is added."""
        if layer.gain is None:
            return interval
        bias = layer.bias[unit] << found.bias_shift
        return interval.scale(layer.gain.codes[unit] << found.gain_shift) + Interval(bias, bias)

    for unit in range(layer.n_units):
        interval = found.accumulator[unit]
        for sign, end in ((1, interval.high), (-1, interval.low)):
            x, u, free = worst(design, unit, sign)
            total = ring.preactivation(x, u)[unit]
            assert interval.low <= total <= interval.high
            assert total == end or not free
            # Inputs and bias alone, as they are added in a register of their own.
            drive = biased(found.drive[unit], unit)
            alone = ring.preactivation(np.zeros_like(x), u)[unit]
            assert drive.low <= alone <= drive.high
            assert alone == (drive.high if sign > 0 else drive.low) or not free
            reached += free
        assert found.taps[unit] + found.drive[unit] == found.summed[unit]
        assert biased(found.summed[unit], unit) == interval
    ends = state_interval(layer)
    limits = [(channel.format.min, channel.format.max) for channel in design.inputs]
    for _ in range(5):
        x = np.array(rng.choice([ends.low, ends.high], layer.n_units), dtype=object)
        u = np.array([rng.choice(pair) for pair in limits], dtype=object)
        for total, interval in zip(ring.preactivation(x, u), found.accumulator, strict=True):
            assert interval.low <= total <= interval.high
    return reached


@settings(max_examples=150)
@given(st.one_of(designs(), matrix_designs()), st.integers(0, 1000))
def test_sums_of_the_layer_stay_inside_and_reach_the_ends(design: Design, seed: int) -> None:
    """Every unit, driven by the worst states and inputs for it, then by random extremes."""
    reached = check_layer(design, np.random.default_rng(seed))
    levels = any(isinstance(entry, LevelInput) for entry in design.driven.inputs)
    assert reached == 2 * design.n_units or levels


@settings(max_examples=100)
@given(st.one_of(designs(), matrix_designs()), st.integers(0, 1000))
def test_states_of_a_run_stay_inside(design: Design, seed: int) -> None:
    codes, last = stimulus(design, np.random.default_rng(seed), 40)
    states = run(design, codes, last).states
    inside = state_interval(design.layer)
    assert inside.low <= states.min() and states.max() <= inside.high


def features_at(design: Design, x: Integers, u: Integers, frac: int) -> Integers:
    """All features as one row of codes with `frac` fraction bits less those of the weights."""
    finest = frac - design.readout.weight_format.frac
    blocks = feature_codes(design, x[None], u[None])
    return np.concatenate([codes[0].astype(object) << (finest - f) for f, codes in blocks])


def worst_features(design: Design, row: Integers, sign: int) -> tuple[Integers, Integers]:
    """States and inputs that drive an output to an end, if it has no squares beside its states."""
    ends, n = state_interval(design.layer), design.n_units
    x = np.where(sign * row[:n] > 0, ends.high, ends.low)
    asked = row[n * design.features.per_unit : design.n_products]
    if not design.features.inputs:
        asked = np.zeros(design.n_inputs, dtype=object)
    formats = [channel.format for channel in design.inputs]
    u = [fmt.max if sign * w > 0 else fmt.min for w, fmt in zip(asked, formats, strict=True)]
    return x, np.array(u)


def check_readout(design: Design, rng: np.random.Generator) -> None:
    """Assert that all partial sums from the constant on stay inside; the ends are met if free."""
    found, n = readout_ranges(design), design.n_products
    for row, interval in zip(design.readout.weights, found.accumulators, strict=True):
        weights = np.array(row, dtype=object)
        for sign, end in ((1, interval.high), (-1, interval.low)):
            x, u = worst_features(design, weights, sign)
            products = weights * features_at(design, x, u, found.frac)
            constant = int(sum(products[n:]))
            for part in constant + np.cumsum(rng.permutation(products[:n])):
                assert interval.low <= part <= interval.high
            if design.features.squares is None:
                # Products of the wrong sign may be still to come.
                assert constant + sum(p for p in products[:n] if sign * p > 0) == end


@settings(max_examples=150)
@given(designs(), st.integers(0, 1000))
def test_sums_of_the_readout_stay_inside_and_reach_the_ends(design: Design, seed: int) -> None:
    check_readout(design, np.random.default_rng(seed))


def test_states_that_are_never_zero_may_still_be_missing_from_a_sum() -> None:
    """States from 3 to 9: a negative weight never adds, but its product may come last."""
    layer = replace(
        EXAMPLE.ring, activation=Clip(3, 9), initial_state=(3, 4, 5, 9, 3), leak_shift=0
    )
    readout = replace(EXAMPLE.readout, weights=((2, -3, 0, 1, -1), (-1, -1, -1, -1, -1)))
    features = replace(EXAMPLE.features, squares=None, inputs=False, one=None)
    readout = replace(readout, multipliers=1)
    design = replace(EXAMPLE, layers=(layer,), features=features, readout=readout)
    check_readout(design, np.random.default_rng(0))
    assert readout_ranges(design).accumulators == (Interval(-36, 27), Interval(-45, 0))


@settings(max_examples=200)
@given(
    st.integers(2, 8),
    st.integers(0, 9),
    st.builds(QFormat, st.integers(1, 20), st.integers(0, 20), st.booleans()),
    st.sampled_from(list(Rounding)),
    st.data(),
)
def test_squares_reach_exactly_the_ends_of_their_interval(
    width: int, frac: int, squares: QFormat, rounding: Rounding, data: st.DataObject
) -> None:
    """Every state code of an interval, squared one by one."""
    state = QFormat(width, frac)
    codes = st.integers(state.min, state.max)
    low, high = sorted((data.draw(codes), data.draw(codes)))
    design = replace(
        EXAMPLE,
        layers=(
            replace(
                EXAMPLE.ring, state=state, initial_state=(), activation=Clip(state.min, state.max)
            ),
        ),
        features=replace(EXAMPLE.features, squares=squares, square_rounding=rounding),
    )
    states = np.arange(low, high + 1)[:, None]
    _, (_, found), *_ = feature_codes(design, states, np.zeros((len(states), 2), dtype=np.int64))
    assert square_interval(design, Interval(low, high)) == Interval(found.min(), found.max())


@pytest.mark.parametrize(
    "change",
    [
        lambda i, k: Interval(i.low * k, i.high * k) if k > 0 else Interval(0, 0),
        lambda i, k: Interval(min(i.low * k, i.high * k) >> 1, max(i.low * k, i.high * k) >> 1),
    ],
)
def test_a_narrow_interval_is_seen(
    change: Callable[[Interval, int], Interval], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals that forget negative weights, or lose a bit, fail both checks."""
    rng = np.random.default_rng(0)
    check_layer(EXAMPLE, rng)
    check_readout(EXAMPLE, rng)
    monkeypatch.setattr(ranges.Interval, "scale", change)
    with pytest.raises(AssertionError):
        check_layer(EXAMPLE, rng)
    with pytest.raises(AssertionError):
        check_readout(EXAMPLE, rng)


def test_the_reference_reads_no_derived_width() -> None:
    """So that a width that is too small shows as a difference between circuit and reference."""
    folder = Path(rchw.reference.__file__).parent
    seen = 0
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{a.name}" for a in node.names]
            for name in names:
                seen += name.startswith("rchw.")
                assert not name.startswith(("rchw.ranges", "rchw.schedule", "rchw.hdl")), path
    assert seen > 10
