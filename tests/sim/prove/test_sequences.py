"""Circuits that answer with a class, or once per sequence: proved, and refuted with a fault."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Const, Mux, Value

from rchw.design import Design, Segments
from rchw.hdl import answers, parallel, readout
from rchw.hdl.emit import emit
from rchw.schedule import latency
from rchw.sim.prove.proof import Proof, prove
from rchw.sim.prove.replay import replay
from tests.boards.test_of_design import ring
from tests.examples import EXTERNAL
from tests.hdl.test_sequences import made_parallel
from tests.sequences import sequence_designs
from tests.sim.prove.drawing import prove_drawn


def classes(design: Design, count: int = 3, **changes: Any) -> Design:
    """The same layer, with the greatest of several outputs."""
    readout, rng = design.readout, np.random.default_rng(1)
    fmt = readout.weight_format
    rows = rng.integers(fmt.min, fmt.max, (count, design.n_features), endpoint=True)
    outputs = tuple(replace(readout.outputs[0], name=f"y{k}") for k in range(count))
    return replace(
        design,
        readout=replace(
            readout,
            outputs=outputs,
            weights=tuple(map(tuple, rows.tolist())),
            multipliers=count * readout.multipliers,
            argmax=True,
            **changes,
        ),
    )


def proved(design: Design, folder: Path) -> Proof:
    proof = prove(design, folder, seed=1)
    assert proof.holds, proof.sentence
    assert proof.latency == latency(design)
    assert proof.witness is not None and proof.witness.met == proof.witness.moments
    return proof


def refuted(design: Design, text: str, folder: Path) -> str:
    """What is said of another Verilog for a design, whose run fails with it and with no other."""
    verilog = folder / "wrong.v"
    verilog.write_text(text)
    proof = prove(design, folder, verilog=verilog)
    assert proof.verdict == "refuted", proof.sentence
    assert replay(design, verilog, proof.run, proof.start) == proof.shown
    verilog.write_text(emit(design))
    assert replay(design, verilog, proof.run, proof.start) is None
    return str(proof.shown)


def summed(design: Design, segments: Segments | None, **changes: Any) -> Design:
    """The same with one answer per sequence: of its last sample, of a sum, or of segments."""
    kind = "last" if segments is None else "sum" if segments.count == 1 else "segments"
    rows, rng = design.readout.weights, np.random.default_rng(2)
    more = design.n_features * (0 if segments is None else segments.count - 1)
    fmt = design.readout.weight_format
    rows = tuple((*row, *rng.integers(fmt.min, fmt.max, more).tolist()) for row in rows)
    readout = replace(design.readout, accumulate=kind, segments=segments, weights=rows, **changes)
    return replace(design, readout=readout)


FOLDED = classes(ring("classes", 3), 2)
GATES = ring("gates", 2, lanes=2, multipliers=2)
WORDS = ring("words", 2)
PARALLEL = classes(GATES, 3)
TIES = replace(
    PARALLEL, readout=replace(PARALLEL.readout, weights=PARALLEL.readout.weights[:1] * 3)
)
RIGHT = {
    "class": PARALLEL,
    "class of the last sample": summed(PARALLEL, None),
    "class of segments": summed(classes(GATES, 2), Segments(2, 3)),
    "sum": summed(GATES, Segments(3)),
    "sum without a reset": replace(summed(GATES, Segments(2)), reset_on_last=False),
    "equal outputs": summed(TIES, Segments(2)),
    "external": made_parallel(summed(EXTERNAL, Segments(2, 2))),
    "folded class": FOLDED,
    "folded last": summed(WORDS, None),
    "folded sum": summed(WORDS, Segments(1)),
    "folded segments": summed(WORDS, Segments(1, 2)),
    "folded class of the last sample": summed(classes(WORDS, 2), None),
}
QUICK = ("class of the last sample", "class of segments")


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(design, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, design in RIGHT.items()
    ],
)
def test_right_answers_are_proved(design: Design, tmp_path: Path) -> None:
    proved(design, tmp_path)


def test_a_tie_that_goes_to_the_highest_is_refuted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(a: tuple[Value, Value], b: tuple[Value, Value] | None = None) -> tuple[Value, Value]:
        better = b is not None and b[0] >= a[0]
        return a if b is None else (Mux(better, b[0], a[0]), Mux(better, b[1], a[1]))

    with monkeypatch.context() as context:
        context.setattr(answers, "_better", later)
        text = emit(TIES)
    assert "output readout of sample 0 must be 0, not 2" in refuted(TIES, text, tmp_path)


SUM = summed(GATES, Segments(3))
SEGMENTS = summed(GATES, Segments(2, 2))


def test_a_sum_that_is_not_cleared_is_refuted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(condition: Value, first: Value | int, second: Value | int) -> Value:
        # Only where sums start again a number other than 0 stands first.
        return Mux(condition, second if isinstance(first, int) and first else first, second)

    with monkeypatch.context() as context:
        context.setattr(parallel, "Mux", kept)
        text = emit(SUM)
    assert "output y0 of sequence 1 must be" in refuted(SUM, text, tmp_path)


@pytest.mark.parametrize(
    "what", [pytest.param("too long", marks=pytest.mark.slow), "outlives its sequence"]
)
def test_a_wrong_place_is_refuted(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = answers.places

    def wrong(m: Any, held: Segments, moves: Value, last: Value) -> Any:
        if what == "too long":
            return places(m, Segments(held.length + 1, held.count), moves, last)
        return places(m, held, moves, Const(0))

    with monkeypatch.context() as context:
        context.setattr(parallel, "places", wrong)
        text = emit(SEGMENTS)
    assert "output y0 of sequence" in refuted(SEGMENTS, text, tmp_path)


@pytest.mark.parametrize(
    "design",
    [pytest.param(summed(WORDS, None), marks=pytest.mark.slow), summed(GATES, None)],
    ids=["folded", "parallel"],
)
def test_an_answer_to_a_wrong_sample_is_refuted(design: Design, tmp_path: Path) -> None:
    """A circuit that answers every sample in place of the last."""
    every = replace(design, readout=replace(design.readout, accumulate="each"))
    told = refuted(design, emit(every), tmp_path)
    assert "sequence" in told


@pytest.mark.slow
def test_a_folded_sum_that_begins_too_late_is_refuted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added to a sum with the first feature comes with the next sample."""
    design = summed(WORDS, Segments(2))
    held = answers.held_place

    def wrong(*values: Any) -> Any:
        place = held(*values)
        return replace(place, adds=place.answers)

    with monkeypatch.context() as context:
        context.setattr(readout, "held_place", wrong)
        text = emit(design)
    assert "sequence" in refuted(design, text, tmp_path)


@pytest.mark.slow
def test_no_drawn_design_is_refuted(tmp_path: Path) -> None:
    prove_drawn(sequence_designs(max_units=3).map(made_parallel), 20, tmp_path)
