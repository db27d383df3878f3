"""Readouts that answer once per sequence: by hand, at their limits, and what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rchw.design import Design, ExternalLayer, Features, Output, Readout, Segments
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.ranges import Interval, readout_ranges
from rchw.reference import run
from tests.designs import stimulus
from tests.examples import EXAMPLE
from tests.sequences import marks, sequence_designs
from tests.test_design_format import check_interpreter

ONE_UNIT = Design(
    name="one",
    inputs=(),
    layers=(ExternalLayer(1, QFormat(4)),),
    features=Features(),
    readout=Readout(
        (Output("a", QFormat(8, 1)), Output("b", QFormat(8, 1))),
        QFormat(5, 2),
        ((1, 2, 3, -4), (2, 1, -5, 0)),
        accumulate="segments",
        segments=Segments(2, 2),
    ),
)
CODES = np.array([[3], [-8], [5], [7], [2], [1], [4]])
LAST = np.array([0, 0, 0, 0, 1, 1, 0], dtype=bool)


def answers(**changes: Any) -> list[list[int]]:
    design = replace(ONE_UNIT, readout=replace(ONE_UNIT.readout, **changes))
    codes: list[list[int]] = run(design, CODES, LAST).outputs.tolist()
    return codes


def test_segments_by_hand() -> None:
    """In quarters; the fifth sample is one too many, and the last sequence does not end.

    a: (3+2) + (-8+2) + (3*5-4) + (3*7-4) = 27, and 1+2 = 3; b: (6+1) + (-16+1) - 25 - 35, and 3.
    """
    assert answers() == [[14, -34], [2, 2]]
    assert answers(argmax=True) == [[0], [0]]  # equals go to the lower index
    assert answers(segments=Segments(1, 2)) == [[-11, 24], [2, 2]]


def test_a_sum_and_the_last_by_hand() -> None:
    rows = ((1, 2), (2, 1))
    every = {"weights": rows, "accumulate": "sum", "segments": Segments(100)}
    assert answers(**every) == [[10, 12], [2, 2]]  # 19 and 23 quarters
    assert answers(**every, argmax=True) == [[1], [0]]
    assert answers(weights=rows, accumulate="last", segments=None) == [[2, 3], [2, 2]]
    each = answers(weights=rows, accumulate="each", segments=None, argmax=True)
    assert each == [[1], [0], [1], [1], [1], [0], [1]]


def test_what_is_not_ended_is_lost() -> None:
    trace = run(ONE_UNIT, CODES[:4])
    assert trace.outputs.shape == (0, 2) and len(trace.states) == 4
    assert run(ONE_UNIT, CODES[:0]).outputs.shape == (0, 2)


@seed(20261125)
@settings(max_examples=40, deadline=None, database=None)
@given(sequence_designs(), st.integers(0, 2**32 - 1))
def test_interpreter_and_reference_give_the_same_answers(design: Design, number: int) -> None:
    last = marks(design, np.random.default_rng(number), 24)
    check_interpreter(design, number, last)
    trace = run(design, stimulus(design, np.random.default_rng(number), 24)[0], last)
    assert len(trace.outputs) == design.answered(last).sum()


@pytest.mark.parametrize("code", [-8, 7])
def test_sums_reach_the_ends_of_their_intervals(code: int) -> None:
    """The longest sequence, all of one code: what does not come to one end comes to the other."""
    ranges = readout_ranges(ONE_UNIT)
    assert ranges.accumulators == (Interval(-72, 60), Interval(-102, 110))
    low, high = (Interval(2 * a, 2 * b) for a, b in ((-8, 7 + 2), (3 * -8 - 4, 3 * 7)))
    assert ranges.accumulators[0] == low + high
    trace = run(ONE_UNIT, [[code]] * 9, [False] * 8 + [True])
    total = 2 * (code + 2) + 2 * (3 * code - 4)
    assert -72 <= total <= 60 and trace.outputs[0, 0] == (total + 1) // 2


def test_an_answer_is_decoded_by_its_own_format() -> None:
    three = replace(EXAMPLE.readout, argmax=True, outputs=(EXAMPLE.readout.outputs[0],) * 1,
                    weights=EXAMPLE.readout.weights[:1])  # fmt: skip
    assert three.answers == (Output("readout", QFormat(1, 0, False)),)
    design = replace(ONE_UNIT, readout=replace(ONE_UNIT.readout, argmax=True))
    assert design.decode([[1], [0]]).tolist() == [[1.0], [0.0]]


@pytest.mark.parametrize(
    "changes, sentence",
    [
        (
            {"accumulate": "mean"},
            "^accumulate must be one of each, last, sum, segments, not 'mean'$",
        ),
        ({"segments": None}, "^segments must be given where a readout accumulates 'segments'$"),
        ({"accumulate": "last"}, "^segments must be left out where a readout accumulates 'last'$"),
        ({"accumulate": "sum"}, "^count of segments must be 1 for a sum, not 2$"),
        (
            {"weights": ((1, 2), (3, 4))},
            "^readout weights of output a must have 4 codes, not 2$",
        ),
        (
            {"argmax": True, "outputs": (Output("a", QFormat(8)), Output("b", QFormat(9)))},
            "^outputs must share one format for argmax, not have sfix8_en0 and sfix9_en0$",
        ),
    ],
)
def test_what_no_readout_can_be(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        replace(ONE_UNIT, readout=replace(ONE_UNIT.readout, **changes))


@pytest.mark.parametrize("length, count", [(0, 1), (1 << 25, 1), (1, 0), (1, 65)])
def test_limits_of_segments(length: int, count: int) -> None:
    with pytest.raises(DesignError, match="must be from 1 to"):
        Segments(length, count)
