"""Activation and leak in gates equal the reference over all codes of narrow formats."""

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import floor

import numpy as np
import pytest
from amaranth.hdl import Const, Module, Value

from rchw.activation import Activation, Clip, PiecewiseLinear, Table, tanh_pwl, tanh_table
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.fixed import QFormat, Rounding
from rchw.hdl.activation import activate, leak
from rchw.reference.ring import RingReference
from tests.hdl.gates import evaluate

STATE = QFormat(5, 3)
TOTAL_WIDTH = 9
ROUNDINGS = list(Rounding)


def one_unit(activation: Activation, frac: int, rounding: Rounding, leak_shift: int = 0) -> Design:
    """A design whose pre-activation has `frac` fraction bits, for the reference to evaluate."""
    layer = RingLayer(
        n_units=1,
        state=STATE,
        tap_format=QFormat(2, 0),
        taps=(Tap(0, (1,)),),
        inputs=(LinearInput(QFormat(2, 0), (1,)),),
        bias_format=QFormat(2, frac),
        bias=(0,),
        activation=activation,
        rounding=rounding,
        leak_shift=leak_shift,
    )
    readout = Readout((Output("y", QFormat(8)),), QFormat(2), ((1, 1),))
    design = Design("unit", (InputChannel("u", QFormat(2, 0)),), (layer,), Features(), readout)
    assert RingReference(design).fraction() == frac
    return design


def clips() -> list[Activation]:
    """All pairs of limits that lie three codes apart or at the ends, the full range among them."""
    limits = sorted({STATE.min, *range(STATE.min, STATE.max, 3), STATE.max})
    return [Clip(low, high) for low, high in product(limits, limits) if low < high]


def lines() -> list[Activation]:
    """Twelve drawn piecewise-linear functions, jumps and all, and that of tanh."""
    rng = np.random.default_rng(7)
    found: list[Activation] = [tanh_pwl(STATE)[0]]
    for count in range(12):
        starts = sorted({int(v) for v in rng.integers(-40, 40, count % 5)})
        segments = tuple(
            (start, int(rng.integers(0, 7)), int(rng.integers(-20, 20)))
            for start in [None, *starts]
        )
        low, high = sorted(rng.choice(np.arange(STATE.min, STATE.max + 1), 2, replace=False))
        found.append(PiecewiseLinear(int(low), int(high), segments))
    return found


def tables() -> list[Activation]:
    """Drawn tables of 1 to 6 index bits, coarser and finer than the sum, and that of tanh."""
    rng = np.random.default_rng(8)
    found: list[Activation] = [tanh_table(STATE, 6)[0], tanh_table(STATE, 4)[0]]
    for width, frac in product((1, 2, 4, 6), (0, 3, 7)):
        entries = rng.integers(STATE.min, STATE.max + 1, 1 << width).tolist()
        found.append(Table(QFormat(width, frac), tuple(entries)))
    return found


@pytest.mark.parametrize("clocked", [False, True])
@pytest.mark.parametrize("kind", [clips, lines, tables])
def test_activation_over_all_codes(kind: Callable[[], list[Activation]], clocked: bool) -> None:
    """Every sum of 9 bits, in three alignments and roundings; with and without its register."""
    activations = kind()
    cases = list(product(activations, (3, 4, 6), ROUNDINGS))
    units = [one_unit(activation, frac, rounding) for activation, frac, rounding in cases]

    def build(m: Module, total: Value) -> list[Value]:
        return [
            activate(m, unit.ring, total, frac, f"a{k}", clocked)
            for k, (unit, (_, frac, _)) in enumerate(zip(units, cases, strict=True))
        ]

    half = 1 << (TOTAL_WIDTH - 1)
    sums = np.arange(-half, half)
    got = evaluate(build, [(TOTAL_WIDTH, True)], sums[:, None].tolist(), clocks=int(clocked))
    for k, unit in enumerate(units):
        assert np.array_equal(got[:, k], RingReference(unit).activate(sums)), cases[k]


def nearest(value: Fraction, rounding: Rounding) -> int:
    if rounding is Rounding.TRUNCATE:
        return floor(value)
    return floor(value + Fraction(1, 2)) if rounding is Rounding.HALF_UP else round(value)


def test_leak_over_all_codes() -> None:
    """Every pair of old state and target; the law in fractions, and never outside the two."""
    cases = list(product(range(8), ROUNDINGS))
    layers = [one_unit(Clip(-15, 15), 4, rounding, shift).ring for shift, rounding in cases]

    def build(m: Module, old: Value, target: Value) -> list[Value]:
        return [leak(m, layer, old, target, Const(0, 1), str(k)) for k, layer in enumerate(layers)]

    codes = range(STATE.min, STATE.max + 1)
    pairs = [list(pair) for pair in product(codes, codes)]
    got = evaluate(build, [(STATE.width, True)] * 2, pairs)
    for row, (old, target) in zip(got.tolist(), pairs, strict=True):
        want = [
            old + nearest(Fraction(target - old, 1 << shift), rounding) for shift, rounding in cases
        ]
        assert row == want
        assert all(min(old, target) <= code <= max(old, target) for code in row)
