"""Outputs that are fed back, in the reference: equations, teachers, resets, chunks, refusals."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    Feedback,
    InputChannel,
    LinearInput,
    Output,
    Readout,
    RingLayer,
    Tap,
    UnitCodes,
)
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.reference import compiled, loop, run
from rchw.reference.bounds import ring_bound
from tests.designs import stimulus
from tests.examples import EXTERNAL, FEEDBACK
from tests.loops import feedback_designs

ONE = Design(
    name="one",
    inputs=(),
    layers=(
        RingLayer(
            n_units=1,
            state=QFormat(8),
            tap_format=QFormat(2, 1),
            taps=(Tap(0, (1,)),),
            inputs=(),
            bias_format=QFormat(4),
            bias=(1,),
            activation=Clip(-100, 100),
        ),
    ),
    features=Features(),
    readout=Readout((Output("y", QFormat(6)),), QFormat(3), ((-2, 3),)),
    feedback=(Feedback(QFormat(3), (2,), "y", "ring", initial=5, teacher=True),),
)
"""``x = x / 2 + 2 y + 1`` and ``y = -2 x + 3``, from x = 0 and y = 5."""


def test_a_run_worked_by_hand() -> None:
    """The teacher says 4 after sample 2; sample 3 is marked, and its teacher then says nothing.

    Roundings go down, -31.5 to -32; y is limited to -32 and 31.
    """
    beats = [[0, 0], [9, 0], [4, 1], [7, 1], [0, 0], [0, 0]]
    last = [False, False, False, True, False, False]
    trace = run(ONE, beats, last)
    # 0 + 10 + 1, 5.5 - 38 + 1, -16 + 62 + 1, 23.5 + 8 + 1, and from the start again
    assert trace.states[:, 0].tolist() == [11, -32, 47, 32, 11, -32]
    assert trace.outputs[:, 0].tolist() == [-19, 31, -32, -32, -19, 31]
    assert trace.final_state.tolist() == [-32, 31]
    kept = run(replace(ONE, reset_on_last=False), beats, last)
    assert kept.states[4:, 0].tolist() == [16 + 14 + 1, -48]  # of 15.5 - 64 + 1
    taught = run(ONE, [[0, 0], [9, 1]])
    assert taught.final_state.tolist() == [-32, 9]


def opened(design: Design) -> Design:
    """The same with a channel in place of each output that is fed back."""
    channels = tuple(replace(channel, name=f"v{k}") for k, channel in enumerate(design.fed))
    tables = tuple(LinearInput(entry.format, entry.weights) for entry in design.feedback)
    return replace(
        design,
        inputs=(*design.inputs, *channels),
        layers=(replace(design.driven, inputs=(*design.driven.inputs, *tables)),),
        feedback=(),
    )


@settings(max_examples=60, deadline=None)
@given(feedback_designs().filter(lambda d: not d.features.inputs), st.integers(0, 2**32 - 1))
def test_a_loop_is_a_design_that_is_given_what_was_fed(design: Design, seed: int) -> None:
    """What each sample is fed is known afterwards: from the outputs, the teachers and the marks."""
    codes, last = stimulus(design, np.random.default_rng(seed), 24)
    trace = run(design, codes, last)
    fed = []
    place = [e.teacher for e in design.feedback]
    for k, (entry, index) in enumerate(zip(design.feedback, design.fed_from, strict=True)):
        column = trace.outputs[:, index].copy()
        if entry.teacher:
            number = sum(place[:k])
            bits = codes[:, -1] >> number & 1
            column = np.where(bits, codes[:, design.n_inputs + number], column)
        if design.reset_on_last:
            column[last] = entry.initial
        fed.append(np.concatenate([[entry.initial], column]))
    beats = np.concatenate([codes[:, : design.n_inputs], np.stack(fed, axis=1)[:-1]], axis=1)
    want = run(opened(design), beats, last)
    assert np.array_equal(trace.states, want.states)
    assert np.array_equal(trace.outputs, want.outputs)
    assert np.array_equal(trace.final_state[design.n_units :], [row[-1] for row in fed])


@settings(max_examples=60, deadline=None)
@given(feedback_designs(), st.integers(0, 2**32 - 1))
def test_compiled_equals_numpy_and_pieces_the_whole(design: Design, seed: int) -> None:
    rng = np.random.default_rng(seed)
    codes, last = stimulus(design, rng, 24)
    last[9] = bool(seed % 2)
    formats = [design.layer.state] * design.n_units + [c.format for c in design.fed]
    start = np.array([rng.integers(fmt.min, fmt.max + 1) for fmt in formats])
    for state in (None, start):
        whole = run(design, codes, last, state)
        slow = run(design, codes, last, state, compiled=False)
        first = run(design, codes[:10], last[:10], state)
        empty = run(design, codes[:0], last[:0], first.final_state)
        second = run(design, codes[10:], last[10:], empty.final_state)
        for key in ("states", "outputs"):
            pieces = [getattr(trace, key) for trace in (first, empty, second)]
            assert np.array_equal(getattr(whole, key), getattr(slow, key))
            assert np.array_equal(getattr(whole, key), np.concatenate(pieces))
        for trace in (slow, second):
            assert np.array_equal(trace.final_state, whole.final_state)


def test_wide_sums_take_full_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine feedback weights and gains lift the sums beyond 62 bits: all paths say the same."""
    entry = replace(FEEDBACK.feedback[0], format=QFormat(24, 48), weights=(2**22, 5, -7, 1, 0))
    gain = UnitCodes(QFormat(24, 22), (2**22, 3 << 20, -(2**22), 2**21, 1))
    wide = replace(FEEDBACK, feedback=(entry,), layers=(replace(FEEDBACK.driven, gain=gain),))
    codes, last = stimulus(wide, np.random.default_rng(1), 40)
    assert ring_bound(wide) > 1 << 62
    traces = [run(wide, codes, last, compiled=path) for path in (True, False)]
    assert np.array_equal(traces[0].outputs, traces[1].outputs)
    monkeypatch.setattr(compiled, "_kernels", lambda: None)
    usual = run(FEEDBACK, codes, last)
    monkeypatch.undo()
    assert np.array_equal(usual.outputs, run(FEEDBACK, codes, last).outputs)


def test_a_wrong_part_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, last = stimulus(FEEDBACK, np.random.default_rng(2), 60)
    truth = run(FEEDBACK, codes, last, compiled=False)
    first, second = FEEDBACK.feedback
    for pair in (
        (replace(first, weights=(3, -2, 1, 1, 5)), second),
        (replace(first, initial=-8), second),
        (replace(first, format=QFormat(4, 1)), second),
        (first, replace(second, weights=(-7, 3, 9, -2, 2))),
        (first, replace(second, initial=-30)),
        (replace(first, weights=second.weights, format=second.format), second),
    ):
        wrong = replace(FEEDBACK, feedback=pair)
        assert not np.array_equal(run(wrong, codes, last).outputs, truth.outputs)
    monkeypatch.setattr(loop, "unfed", lambda design: np.array([0, 0]))
    assert not np.array_equal(run(FEEDBACK, codes, last).outputs, truth.outputs)


FIRST = FEEDBACK.feedback[0]
REFUSED: dict[str, tuple[Any, str]] = {
    "output": (
        {"output": "mist"},
        "output of feedback must be one of power, trend, not mist",
    ),
    "layer": ({"layer": "sea"}, "layer of feedback of output trend must be one of units, not sea"),
    "weights": (
        {"weights": (1, 2)},
        "weights of feedback of output trend must have 5 codes, not 2",
    ),
    "code": (
        {"weights": (8, 0, 0, 0, 0)},
        "weights of feedback of output trend[0] must be from -8 to 7 (sfix4_en2), not 8",
    ),
    "initial": (
        {"initial": 64},
        "initial code of feedback of output trend[0] must be from -64 to 63 (sfix7_en2), not 64",
    ),
    "width": (
        {"format": QFormat(25)},
        "width of weights of feedback of output trend must be from 1 to 24, not 25",
    ),
    "twice": ({"output": "power"}, "feedback must join an output to a layer once, not twice"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_entry_that_breaks_a_rule_is_refused(case: str) -> None:
    change, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=f"^{re.escape(sentence)}$"):
        replace(FEEDBACK, feedback=(replace(FIRST, **change), FEEDBACK.feedback[1]))


def test_what_cannot_be_fed_back_is_refused() -> None:
    outputs = FEEDBACK.readout.outputs
    flat = replace(FEEDBACK.readout, outputs=(outputs[0], replace(outputs[1], scale=0.0)))
    with pytest.raises(DesignError, match=r"^scale of output trend must be other than 0 to teach"):
        replace(FEEDBACK, readout=flat)
    wide = replace(outputs[1], format=QFormat(25, 2))
    with pytest.raises(DesignError, match=r"^width of fed back output trend must be from 1 to 24"):
        replace(FEEDBACK, readout=replace(FEEDBACK.readout, outputs=(outputs[0], wide)))
    entry = replace(FIRST, layer="external")
    with pytest.raises(DesignError, match="must be one of units, not external"):
        replace(EXTERNAL, feedback=(entry,))
    with pytest.raises(DesignError, match=r"^input name must not be that of another lane, teach$"):
        replace(FEEDBACK, inputs=(InputChannel("teach", QFormat(4, 3)), FEEDBACK.inputs[1]))
    with pytest.raises(DesignError, match=r"^state must be integers of shape \(7,\), not"):
        run(FEEDBACK, np.zeros((3, 4), dtype=int), state=np.zeros(5, dtype=int))
    start = np.array([0, 0, 0, 0, 0, 64, 0])
    with pytest.raises(
        DesignError, match=r"^state of fed back output trend must be from -64 to 63"
    ):
        run(FEEDBACK, np.zeros((3, 4), dtype=int), state=start)


def test_real_targets_become_the_codes_of_their_output() -> None:
    """The decoder's inverse; the bits are a number, and a beat without lanes keeps time."""
    assert [lane.name for lane in FEEDBACK.beat] == ["wind", "rain", "teacher0", "teach"]
    codes = FEEDBACK.encode([[2.0, -1.0, value, 1.0] for value in (-1.0, 0.0, 2.6, 1e300)])
    # (0 + 1) / 2 in quarters; (2.6 + 1) / 2 * 4 = 7.2
    assert codes[:, 2].tolist() == [0, 2, 7, 63]
    assert codes[:, 3].tolist() == [1, 1, 1, 1]
    assert FEEDBACK.readout.outputs[1].decode(codes[1:2, 2]).tolist() == [0.0]
    lone = replace(ONE, feedback=(replace(ONE.feedback[0], teacher=False),))
    assert [(lane.name, str(lane.format)) for lane in lone.beat] == [("idle", "ufix8_en0")]
    assert np.array_equal(
        run(lone, np.full((9, 1), 255)).outputs, run(ONE, np.zeros((9, 2), int)).outputs
    )
