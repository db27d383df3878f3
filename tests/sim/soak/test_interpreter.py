"""The interpreter of design files in C++ is the reference, for every design and every width."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw import reference
from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Segments,
    Tap,
    TapsInput,
    UnitCodes,
)
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.reference.bounds import readout_bound, ring_bound
from rchw.sim.soak.program import Program
from rchw.sim.soak.stimulus import block
from tests.designs import deep_designs, designs, matrix_designs
from tests.examples import ANTISYMMETRIC, CLASSES, DEEP, EULER, EXAMPLE, FEEDBACK, MATRIX, SEGMENTS
from tests.loops import feedback_designs
from tests.sequences import sequence_designs


def same(program: Program, design: Design, index: int = 1, samples: int = 200) -> bool:
    """Whether the program gives out the outputs of the reference."""
    other = program.for_design(design)
    _, table = other.show(3, index, samples)
    mine = block(design, 3, index, 1, samples)
    lanes = design.n_lanes
    codes, last = table[:, :lanes], table[:, lanes].astype(bool)
    assert np.array_equal(codes, mine.codes) and np.array_equal(last, mine.last)
    want = reference.run(design, codes, last).outputs
    answered, got = design.answered(last), table[:, lanes + 3 :]
    return np.array_equal(got[answered], want) and not got[~answered].any()


def test_the_example(program: Program) -> None:
    """Segments, levels, a leak, squares, features of every kind, wrapping outputs."""
    assert same(program, EXAMPLE, samples=2000)
    assert same(program, replace(EXAMPLE, reset_on_last=False), samples=2000)


@settings(max_examples=60)
@given(design=designs())
def test_any_design(program: Program, design: Design) -> None:
    assert same(program, design)


@pytest.mark.slow
@settings(max_examples=2000)
@given(design=designs(max_units=40))
def test_many_designs(program: Program, design: Design) -> None:
    assert same(program, design, samples=400)


def broad(rounding: Rounding, overflow: Overflow, frac: int) -> Design:
    """Build a design whose sums need more than 64 bits in ring, squares and readout."""
    rng = np.random.default_rng(frac)
    weights = QFormat(24, frac)

    def some(count: int, fmt: QFormat = weights) -> tuple[int, ...]:
        return tuple(int(code) for code in rng.integers(fmt.min, fmt.max + 1, count))

    layer = RingLayer(
        n_units=5,
        state=QFormat(24, frac),
        tap_format=weights,
        taps=(Tap(1, some(5)), Tap(3, some(5))),
        inputs=(LinearInput(weights, some(5)),),
        bias_format=QFormat(48, 0),
        bias=(-1, 0, 1, 2, -3),
        activation=Clip(-(1 << 23), (1 << 23) - 1),
        rounding=rounding,
        leak_shift=3,
    )
    squares = QFormat(48, 48, False)
    outputs = tuple(Output(f"y{k}", QFormat(48 - k, 40 * k, k == 0)) for k in range(2))
    readout = Readout(outputs, weights, (some(11), some(11)), rounding, overflow)
    channels = (InputChannel("u", QFormat(24, 20)),)
    return Design("broad", channels, (layer,), Features(squares=squares), readout)


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("overflow", Overflow)
@pytest.mark.parametrize("frac", [40, 48])
def test_sums_of_any_width(
    program: Program, rounding: Rounding, overflow: Overflow, frac: int
) -> None:
    design = broad(rounding, overflow, frac)
    assert min(ring_bound(design), readout_bound(design)) > 1 << 64
    assert same(program, design)


WRONG = {
    "bias": replace(EXAMPLE.ring, bias=(2, 0, -3, 1, 4)),
    "rounding": replace(EXAMPLE.ring, rounding=Rounding.TRUNCATE),
    "leak": replace(EXAMPLE.ring, leak_shift=2),
    "start": replace(EXAMPLE.ring, initial_state=(1, 0, -7, 0, -20)),
    "tap": replace(EXAMPLE.ring, taps=(Tap(1, (3, 3, -2, 3, 2)), EXAMPLE.ring.taps[1])),
    "offset": replace(
        EXAMPLE.ring, taps=(EXAMPLE.ring.taps[0], Tap(3, EXAMPLE.ring.taps[1].weights))
    ),
}


WRONG_STEPS = {
    "gain": replace(EULER.ring, gain=UnitCodes(QFormat(3, 1, False), (2, 1, 3, 2, 4))),
    "step": replace(EULER.ring, step=UnitCodes(QFormat(4, 4), (3, -2, 1, 4, 3))),
}


def test_matrices(program: Program) -> None:
    """Sparse rows, and a triangle with its transpose; with one weight changed they are others."""
    for design in (MATRIX, ANTISYMMETRIC):
        assert same(program, design, samples=2000)
        layer = design.driven
        assert isinstance(layer, MatrixLayer)
        rows = layer.matrix.codes
        changed = (*rows[:-1], (rows[-1][0] ^ 1, *rows[-1][1:]))
        wrong = replace(layer, matrix=replace(layer.matrix, codes=changed))
        _, table = program.for_design(replace(design, layers=(wrong,))).show(3, 1, 500)
        want = reference.run(design, table[:, :2], table[:, 2].astype(bool)).outputs
        assert not np.array_equal(table[:, 5:], want)


@settings(max_examples=20)
@given(design=matrix_designs())
def test_any_matrix(program: Program, design: Design) -> None:
    assert same(program, design)


@settings(max_examples=20)
@given(design=deep_designs())
def test_any_layers_in_series(program: Program, design: Design) -> None:
    assert same(program, design)


def test_layers_in_series(program: Program) -> None:
    """Rings and a matrix by taps and by matrices; the program tells another law from theirs."""
    assert same(program, DEEP, samples=2000)
    other = program.for_design(DEEP)
    _, table = other.show(3, 1, 500)
    first, middle, last = (stage.layer for stage in DEEP.stages)
    by_taps, *rest = middle.inputs
    assert isinstance(by_taps, TapsInput)
    turned = replace(by_taps, taps=(Tap(1, by_taps.taps[0].weights), by_taps.taps[1]))
    for wrong in (
        replace(DEEP, layers=(first, replace(middle, inputs=(turned, *rest)), last)),
        replace(DEEP, layers=(first, middle, replace(last, inputs=last.inputs[:1]))),
    ):
        want = reference.run(wrong, table[:, :2], table[:, 2].astype(bool)).outputs
        assert not np.array_equal(table[:, 5:], want)


@settings(max_examples=40)
@given(design=st.one_of(sequence_designs(), feedback_designs()), index=st.integers(0, 50))
def test_any_answers_and_any_feedback(program: Program, design: Design, index: int) -> None:
    assert same(program, design, index)


OTHERS = {
    "a longer segment": (
        SEGMENTS,
        replace(SEGMENTS, readout=replace(SEGMENTS.readout, segments=Segments(4, 3))),
    ),
    "a sum": (
        SEGMENTS,
        replace(SEGMENTS, readout=replace(SEGMENTS.readout, accumulate="last", segments=None,
            weights=tuple(row[:13] for row in SEGMENTS.readout.weights))),
    ),
    "classes the other way round": (
        CLASSES,
        replace(CLASSES, readout=replace(CLASSES.readout, weights=CLASSES.readout.weights[::-1])),
    ),
    "a deaf loop": (
        FEEDBACK,
        replace(FEEDBACK, feedback=(replace(FEEDBACK.feedback[0], weights=(3, -2, 1, 1, 5)),
            FEEDBACK.feedback[1])),
    ),
    "another start": (
        FEEDBACK,
        replace(FEEDBACK, feedback=(FEEDBACK.feedback[0],
            replace(FEEDBACK.feedback[1], initial=-41))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", OTHERS)
def test_another_answer_or_loop_is_seen(program: Program, change: str) -> None:
    """The program tells two designs apart that differ in one entry of what is new."""
    design, other = OTHERS[change]
    assert same(program, design, 3, 2000)
    mine, others = (program.for_design(each).show(3, 3, 2000)[1] for each in (design, other))
    assert not np.array_equal(mine, others)


def test_steps_and_gains(program: Program) -> None:
    assert same(program, EULER, samples=2000)
    leaks = replace(EXAMPLE, layers=(replace(EXAMPLE.ring, leak_shift=(0, 1, 3, 2, 0)),))
    assert same(program, leaks, samples=2000)
    for layer in WRONG_STEPS.values():
        _, table = program.for_design(replace(EULER, layers=(layer,))).show(3, 1, 500)
        want = reference.run(EULER, table[:, :2], table[:, 2].astype(bool)).outputs
        assert not np.array_equal(table[:, 5:], want)


@pytest.mark.parametrize("change", WRONG)
def test_a_wrong_reading_is_seen(program: Program, change: str) -> None:
    """The comparison above can fail: the program reads a file with one entry changed."""
    wrong = program.for_design(replace(EXAMPLE, layers=(WRONG[change],)))
    _, table = wrong.show(3, 1, 500)
    want = reference.run(EXAMPLE, table[:, :2], table[:, 2].astype(bool)).outputs
    assert not np.array_equal(table[:, 5:], want)
