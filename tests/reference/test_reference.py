"""The reference as a function of a design: order, resets, wide numbers, refusals."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.activation import Clip, Table
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    Matrix,
    MatrixLayer,
    Output,
    Readout,
    RingLayer,
    Tap,
)
from rchw.document import from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.reference import ReferenceReservoir, Trace, run
from rchw.reference.bounds import feature_bound, integer_type, readout_bound, ring_bound
from rchw.reference.readout import ReadoutReference, feature_codes
from tests.designs import designs, matrix_designs, stimulus
from tests.examples import EULER, EXAMPLE
from tests.interpreter import interpret


def equal(one: Trace, two: Trace) -> bool:
    """Compare states, outputs and final state, types included."""
    pairs = [(getattr(one, k), getattr(two, k)) for k in ("states", "outputs", "final_state")]
    return all(a.dtype == b.dtype == np.int64 and np.array_equal(a, b) for a, b in pairs)


def accumulator(rounding: Rounding = Rounding.TRUNCATE) -> Design:
    """Make one unit that adds its input to half its state, and shows it and its square."""
    return Design(
        name="one",
        inputs=(InputChannel("u", QFormat(4)),),
        layers=(
            RingLayer(
                n_units=1,
                state=QFormat(4),
                tap_format=QFormat(2, 1),
                taps=(Tap(0, (1,)),),
                inputs=(LinearInput(QFormat(2), (1,)),),
                bias_format=QFormat(2),
                bias=(0,),
                activation=Clip(-8, 7),
                rounding=rounding,
                initial_state=(4,),
            ),
        ),
        features=Features(squares=QFormat(6, 0, False)),
        readout=Readout(
            (Output("x", QFormat(5)), Output("square", QFormat(7))),
            QFormat(3),
            ((1, 0, 1), (0, 2, -1)),
        ),
    )


@pytest.mark.parametrize(
    ("rounding", "states"),
    [
        (Rounding.TRUNCATE, [3, 3, -6, -8, -3, -2]),
        (Rounding.HALF_UP, [3, 4, -5, -8, -3, -1]),
        (Rounding.HALF_EVEN, [3, 4, -5, -8, -3, -2]),
    ],
)
def test_a_run_worked_by_hand(rounding: Rounding, states: list[int]) -> None:
    """From 4: 4/2 + 1, 3/2 + 2, and so on, each rounded once, after the sum.

    Output t sees the state that input t has made: x + 1, and 2 x x - 1 limited to 63.
    """
    codes = np.array([[1], [2], [-7], [-6], [1], [0]])
    trace = run(accumulator(rounding), codes)
    assert trace.states[:, 0].tolist() == states
    assert trace.outputs[:, 0].tolist() == [x + 1 for x in states]
    assert trace.outputs[:, 1].tolist() == [min(2 * min(x * x, 63) - 1, 63) for x in states]
    assert trace.final_state.tolist() == [states[-1]]


def cut(design: Design, codes: Any, edges: list[int], state: Any = None) -> Trace:
    """Run in pieces, handing the final state on."""
    pieces, now = [], state
    for chunk in np.split(codes, edges):
        pieces.append(run(design, chunk, state=now))
        now = pieces[-1].final_state
    return Trace(
        np.concatenate([piece.states for piece in pieces]),
        np.concatenate([piece.outputs for piece in pieces]),
        pieces[-1].final_state,
    )


@settings(max_examples=60)
@given(designs(), st.integers(0, 2**32 - 1))
def test_pieces_equal_the_whole(design: Design, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, _ = stimulus(design, rng, 30)
    fmt = design.ring.state
    start = rng.integers(fmt.min, fmt.max + 1, design.n_units)
    for state in (None, start):
        assert equal(cut(design, codes, [0, 7, 8, 30], state), run(design, codes, state=state))


@settings(max_examples=60)
@given(designs(), st.integers(0, 2**32 - 1))
def test_the_last_sample_of_a_sequence_resets_or_means_nothing(design: Design, seed: int) -> None:
    """With a reset every sequence is a run of its own; without one the flags change nothing."""
    rng = np.random.default_rng(seed)
    codes, last = stimulus(design, rng, 30)
    last[[4, 5, 29]] = True, True, seed % 2
    got = run(design, codes, last)
    if not design.reset_on_last:
        assert equal(got, run(design, codes))
        return
    ends = np.flatnonzero(last) + 1
    parts = [run(design, part) for part in np.split(codes, ends) if len(part)]
    assert np.array_equal(got.states, np.concatenate([part.states for part in parts]))
    assert np.array_equal(got.outputs, np.concatenate([part.outputs for part in parts]))
    after = design.ring.initial_state if last[-1] else tuple(parts[-1].states[-1].tolist())
    assert tuple(got.final_state.tolist()) == after


def test_no_samples_leave_the_state_alone() -> None:
    empty = run(EXAMPLE, np.zeros((0, 2), dtype=np.int64))
    assert empty.states.shape == (0, 5) and empty.outputs.shape == (0, 2)
    assert tuple(empty.final_state.tolist()) == EXAMPLE.ring.initial_state
    state = np.array([1, 2, 3, 4, 5])
    assert run(EXAMPLE, np.zeros((0, 2), dtype=np.int8), state=state).final_state.tolist() == [
        1, 2, 3, 4, 5,
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_the_type_of_the_codes_changes_nothing(dtype: Any) -> None:
    codes = np.random.default_rng(0).integers(-8, 8, (50, 2))
    assert equal(run(EXAMPLE, codes.astype(dtype)), run(EXAMPLE, codes))


WIDE = st.integers(20, 48)


@st.composite
def wide_designs(draw: Any) -> Design:
    """Designs whose sums need more than 63 bits, somewhere or everywhere."""
    design = draw(designs(max_units=4))
    layer, features, readout = design.ring, design.features, design.readout
    if draw(st.booleans()):
        layer = replace(layer, tap_format=replace(layer.tap_format, frac=draw(WIDE)))
    if draw(st.booleans()):
        layer = replace(layer, bias_format=replace(layer.bias_format, frac=draw(WIDE)))
    if draw(st.booleans()):
        index = QFormat(4, draw(WIDE))
        entries = draw(
            st.lists(st.integers(layer.state.min, layer.state.max), min_size=16, max_size=16)
        )
        layer = replace(layer, activation=Table(index, tuple(entries)))
    if features.squares is not None and draw(st.booleans()):
        squares = QFormat(draw(WIDE), draw(WIDE), False)
        features = replace(features, squares=squares)
    if draw(st.booleans()):
        readout = replace(readout, weight_format=replace(readout.weight_format, frac=draw(WIDE)))
    outputs = tuple(
        replace(output, format=QFormat(draw(WIDE), draw(st.integers(0, 48))))
        for output in readout.outputs
    )
    readout = replace(readout, outputs=outputs)
    found: Design = replace(design, layers=(layer,), features=features, readout=readout)
    return found


@settings(max_examples=150)
@given(wide_designs(), st.integers(0, 2**32 - 1))
def test_wide_sums_never_wrap(design: Design, seed: int) -> None:
    """Against the interpreter of the design page, which computes with rationals."""
    codes, last = stimulus(design, np.random.default_rng(seed), 8)
    want = interpret(json.loads(json.dumps(to_document(design))), codes.tolist(), last.tolist())
    for compiled in (True, False):
        trace = run(design, codes, last, compiled=compiled)
        assert trace.states.tolist() == want.states
        assert trace.outputs.tolist() == want.outputs


@settings(max_examples=100)
@given(matrix_designs(), st.integers(0, 2**32 - 1))
def test_matrices_against_the_page(design: Design, seed: int) -> None:
    """Both paths, and the file, against the interpreter of the design page."""
    document = json.loads(json.dumps(to_document(design)))
    assert from_document(document) == design
    codes, last = stimulus(design, np.random.default_rng(seed), 12)
    want = interpret(document, codes.tolist(), last.tolist())
    for compiled in (True, False):
        trace = run(design, codes, last, compiled=compiled)
        assert trace.states.tolist() == want.states
        assert trace.outputs.tolist() == want.outputs


def test_a_ring_is_a_matrix_with_its_taps_in_it() -> None:
    """The same states, sample by sample, of the ring engine and of a matrix."""
    for ring in (EXAMPLE, EULER):
        layer, n = ring.ring, ring.n_units
        rows = [[0] * n for _ in range(n)]
        for i, row in enumerate(layer.connections):
            for j, weight in row:
                rows[i][j] = weight
        facts = {f.name: getattr(layer, f.name) for f in fields(layer)}
        del facts["tap_format"], facts["taps"]
        matrix = Matrix(layer.tap_format, "dense", tuple(map(tuple, rows)))
        if layer.step is not None:
            facts |= {"step": None, "horizon": None, "leak_shift": 2}
            ring = replace(ring, layers=(replace(layer, step=None, horizon=None, leak_shift=2),))
        joined = MatrixLayer(matrix=matrix, **facts)
        codes, last = stimulus(ring, np.random.default_rng(4), 200)
        # The schedule of a folded matrix is not asked for: this is the law alone.
        assert equal(run(replace(ring, layers=(joined,)), codes, last), run(ring, codes, last))


def test_a_fine_index_of_a_table_does_not_wrap() -> None:
    """A table index of 48 fraction bits multiplies the sum by far more than 2**63 holds."""
    rng = np.random.default_rng(0)
    state, weights = QFormat(16), rng.integers(-(2**15), 2**15, (2, 5))
    entries = tuple(rng.integers(-(2**15), 2**15, 1024).tolist())
    layer = replace(
        EXAMPLE.ring,
        state=state,
        tap_format=QFormat(16),
        taps=tuple(Tap(k + 1, tuple(row.tolist())) for k, row in enumerate(weights)),
        activation=Table(QFormat(10, 48), entries),
    )
    design = replace(EXAMPLE, layers=(layer,))
    codes, last = stimulus(design, rng, 20)
    want = interpret(to_document(design), codes.tolist(), last.tolist())
    assert run(design, codes, last).states.tolist() == want.states
    assert ring_bound(design) > 1 << 63


@settings(max_examples=100)
@given(st.one_of(designs(), wide_designs()), st.integers(0, 2**32 - 1))
def test_the_bounds_hold_every_number_they_promise(design: Design, seed: int) -> None:
    """Features and totals in unbounded integers stay below the bounds that choose the type."""
    codes, last = stimulus(design, np.random.default_rng(seed), 12)
    states = run(design, codes, last).states
    blocks = feature_codes(design, states, codes)
    finest = max(frac for frac, _ in blocks)
    columns = [c.astype(object) << (finest - frac) for frac, c in blocks]
    aligned = np.concatenate(columns, axis=1)
    assert np.abs(aligned).max() <= feature_bound(design) <= readout_bound(design)
    if design.features.squares is not None:  # before they are rounded
        extra = max(0, design.features.squares.frac - 2 * design.ring.state.frac)
        raw = (int(design.ring.state.min) ** 2) << extra
        assert raw <= feature_bound(design)
    weights = np.array(design.readout.weights, dtype=object)
    totals = aligned @ weights.T
    for k, output in enumerate(design.readout.outputs):
        shift = max(0, output.format.frac - finest - design.readout.weight_format.frac)
        assert np.abs(totals[:, k] << shift).max() <= readout_bound(design)


def test_the_narrow_type_is_taken_where_it_does() -> None:
    assert integer_type((1 << 62) - 1) is np.int64 and integer_type(1 << 62) is object
    for bound in (ring_bound, feature_bound, readout_bound):
        assert integer_type(bound(EXAMPLE)) is np.int64


def test_a_wrong_part_is_seen() -> None:
    """Order of features, a rounding, an overflow, a weight bit, a shift: all change the outputs."""
    power, trend = EXAMPLE.readout.outputs
    readout = replace(EXAMPLE.readout, outputs=(replace(power, format=QFormat(5, 4)), trend))
    design, features = replace(EXAMPLE, readout=readout), EXAMPLE.features
    codes = np.random.default_rng(3).integers(-8, 8, (60, 2))
    want = run(design, codes)
    first, second = readout.weights
    bit = (*first[:7], first[7] ^ 1, *first[8:])
    for broken in (
        replace(design, readout=replace(readout, weights=(bit, second))),
        replace(design, readout=replace(readout, weights=(first[5:] + first[:5], second))),
        replace(design, readout=replace(readout, rounding=Rounding.TRUNCATE)),
        replace(design, readout=replace(readout, overflow=Overflow.SATURATE)),
        replace(design, features=replace(features, square_rounding=Rounding.TRUNCATE)),
        replace(design, features=replace(features, squares=QFormat(7, 5, False))),
    ):
        got = ReadoutReference(broken).outputs(want.states, codes)
        assert not np.array_equal(got, want.outputs)
    assert np.array_equal(ReadoutReference(design).outputs(want.states, codes), want.outputs)


CODES = np.zeros((3, 2), dtype=np.int64)
HIGH = np.array([[0, 0], [7, 8], [0, 0]])

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "one dimension": (
        lambda: run(EXAMPLE, CODES[:, 0]),
        r"^input codes must have shape \(T, 2\), not \(3,\)$",
    ),
    "channels": (
        lambda: run(EXAMPLE, CODES[:, :1]),
        r"^input codes must have shape \(T, 2\), not \(3, 1\)$",
    ),
    "floats": (
        lambda: run(EXAMPLE, CODES + 0.5),
        r"^input codes must be integers, not float64$",
    ),
    "high": (
        lambda: run(EXAMPLE, HIGH),
        r"^input rain at sample 1 must be from -8 to 7 \(sfix4_en3\), not 8$",
    ),
    "low": (
        lambda: run(EXAMPLE, -HIGH - 2),
        r"^input wind at sample 1 must be from -8 to 7 \(sfix4_en3\), not -9$",
    ),
    "last": (
        lambda: run(EXAMPLE, CODES, last=[True]),
        r"^last flags must have shape \(3,\), not \(1,\)$",
    ),
    "state shape": (
        lambda: run(EXAMPLE, CODES, state=[0, 0]),
        r"^state must be integers of shape \(5,\), not int64 of \(2,\)$",
    ),
    "state type": (
        lambda: run(EXAMPLE, CODES, state=[0.5] * 5),
        r"^state must be integers of shape \(5,\), not float64 of \(5,\)$",
    ),
    "state range": (
        lambda: ReferenceReservoir(EXAMPLE).run(CODES, [0, 0, 32, 0, 0]),
        r"^state of unit 2 must be from -32 to 31 \(sfix6_en5\), not 32$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
