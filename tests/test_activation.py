"""Tables of tanh: the stated bounds hold for every pre-activation, and are not vacuous."""

from dataclasses import replace
from math import tanh
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.activation import PiecewiseLinear, Table, tanh_pwl, tanh_table
from rchw.design import Features, InputChannel, LinearInput
from rchw.fixed import QFormat, Rounding
from rchw.reference.ring import RingReference
from tests.examples import EXAMPLE

ROUNDINGS = list(Rounding)
SLACK = 1e-12  # of the doubles in which the bounds and the distances are computed


def activated(
    activation: PiecewiseLinear | Table, state: QFormat, rounding: Rounding, fine: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """All pre-activations from -10 to 10 in steps of ``2**-fine``, and the values they become."""
    layer = replace(
        EXAMPLE.ring,
        state=state,
        initial_state=(),
        taps=(),
        inputs=(LinearInput(QFormat(2), (1,) * 5),),
        bias_format=QFormat(2, fine),  # the finest term, so that sums have `fine` fraction bits
        bias=(0,) * 5,
        tap_format=QFormat(2),
        activation=activation,
        rounding=rounding,
    )
    design = replace(
        EXAMPLE,
        inputs=(InputChannel("u", QFormat(2)),),
        layers=(layer,),
        features=Features(one=None),
        readout=replace(EXAMPLE.readout, weights=((0,) * 5,) * 2, multipliers=1),
    )
    ring = RingReference(design)
    assert ring.fraction() == fine
    sums = np.arange(-(10 << fine), (10 << fine) + 1)
    return sums * 2.0**-fine, ring.activate(sums) * state.resolution


def worst(
    activation: PiecewiseLinear | Table, state: QFormat, rounding: Rounding, fine: int
) -> float:
    """Largest distance to tanh on the dense grid."""
    z, f = activated(activation, state, rounding, fine)
    return float(np.abs(f - np.array([tanh(v) for v in z])).max())


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("index_width", [1, 2, 3, 5, 8, 10])
@pytest.mark.parametrize("width", [3, 5, 8, 13])
def test_the_table_keeps_its_bound_and_meets_it(
    width: int, index_width: int, rounding: Rounding
) -> None:
    """The grid is 8 times finer than the index, and never coarser than the state."""
    state = QFormat(width, width - 1)
    table, bound = tanh_table(state, index_width, rounding)
    table.check(state)
    fine = max(table.index.frac + 3, state.frac)
    found = worst(table, state, rounding, fine)
    assert bound - 2.0**-fine <= found <= bound + SLACK
    step = table.index.resolution
    if index_width >= 3:  # half a step of the index, of the state, its last code, the cut at 4
        assert bound <= step / 2 + 1.5 * state.resolution + 7e-4


def test_a_table_for_another_rounding_breaks_the_bound() -> None:
    """So the rounding of the layer matters: half a step of the index."""
    state = QFormat(12, 11)
    for rounding, other in ((ROUNDINGS[0], ROUNDINGS[1]), (ROUNDINGS[1], ROUNDINGS[0])):
        table, bound = tanh_table(state, 6, rounding)
        assert worst(table, state, other, 11) > 1.5 * bound


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("spare", [1, 2, 3])
@pytest.mark.parametrize("width", [5, 6, 8, 9, 11, 12, 13, 14])
def test_the_segments_keep_their_bound(width: int, spare: int, rounding: Rounding) -> None:
    """Every code of the state's fraction, and three values between each two."""
    state = QFormat(width, max(width - spare, 3))
    activation, bound = tanh_pwl(state)
    activation.check(state)
    found = worst(activation, state, rounding, state.frac + 2)
    assert found <= bound + SLACK
    assert bound <= found + (state.frac >= 10) * 2.0**-9 + 3 * state.resolution


def test_the_segments_come_as_near_as_their_slopes_allow() -> None:
    """Slopes 1, 1/2, 1/4, 1/8 with a clip at 1 stay within 0.08 of tanh from 10 bits on."""
    assert [tanh_pwl(QFormat(width, width - 1))[1] < 0.08 for width in (9, 10, 16, 24)] == [
        False, True, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_both_are_monotone_and_odd_to_one_step(rounding: Rounding) -> None:
    state = QFormat(8, 7)
    for activation in (tanh_pwl(state)[0], tanh_table(state, 10, rounding)[0]):
        _, f = activated(activation, state, rounding, 9)
        codes = np.round(f / state.resolution)
        assert np.diff(codes).min() >= 0
        assert codes[0] == -127 and codes[-1] == 127
        assert np.abs(codes + codes[::-1]).max() <= 2
    segments = np.round(activated(tanh_pwl(state)[0], state, rounding, 7)[1] / state.resolution)
    assert np.diff(segments).max() <= 2  # no jump where two segments meet


def test_a_wrong_entry_or_segment_is_seen() -> None:
    """An entry, an offset or a shift that is wrong: all break the bound."""
    state = QFormat(12, 11)
    table, bound = tanh_table(state)
    entries = list(table.entries)
    entries[300] += round(2 * bound / state.resolution)
    assert worst(replace(table, entries=tuple(entries)), state, ROUNDINGS[0], 11) > bound
    activation, bound = tanh_pwl(state)
    for position, (start, shift, offset) in enumerate(activation.segments):
        away = round((2 if offset < 0 else -2) * bound / state.resolution)
        for segment in ((start, shift, offset + away), (start, shift + 1, offset)):
            segments = list(activation.segments)
            segments[position] = segment
            found = worst(replace(activation, segments=tuple(segments)), state, ROUNDINGS[0], 12)
            # Half the outermost slope is by chance as good as the whole.
            assert found > bound or (segment[1] == 4 and found > 0.9 * bound)
