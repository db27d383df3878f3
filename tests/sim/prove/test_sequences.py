"""Circuits that answer with a class, or once per sequence: proved, and refuted with a fault."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Mux, Value

from rchw.design import Design
from rchw.hdl import answers
from rchw.hdl.emit import emit
from rchw.schedule import latency
from rchw.sim.prove.proof import Proof, prove
from rchw.sim.prove.replay import replay
from tests.boards.test_of_design import ring


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


FOLDED = classes(ring("classes", 3), 2)
PARALLEL = classes(ring("classes", 2, lanes=2, multipliers=2), 3)
TIES = replace(
    PARALLEL, readout=replace(PARALLEL.readout, weights=PARALLEL.readout.weights[:1] * 3)
)
BOTH = pytest.mark.parametrize(
    "design",
    [pytest.param(FOLDED, marks=pytest.mark.slow), PARALLEL],
    ids=["folded", "parallel"],
)


@BOTH
def test_a_class_is_proved(design: Design, tmp_path: Path) -> None:
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
