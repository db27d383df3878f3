"""Designs that were drawn, and on which the prover once stumbled; and others, drawn now."""

from pathlib import Path

import pytest

from rchw.document import load
from rchw.sim.prove.proof import prove
from tests.designs import designs
from tests.sim.prove.drawing import prove_drawn

STORED = sorted((Path(__file__).parent / "drawn").glob("*.json"))
QUICK = ("unit-on-a-rail",)


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.stem, marks=() if file.stem in QUICK else pytest.mark.slow)
        for file in STORED
    ],
)
def test_a_stored_design_is_proved(file: Path, tmp_path: Path) -> None:
    proof = prove(load(file), tmp_path, seed=1)
    assert proof.holds, proof.sentence
    assert proof.witness is not None and proof.witness.met == proof.witness.moments


@pytest.mark.slow
def test_no_drawn_design_is_refuted(tmp_path: Path) -> None:
    prove_drawn(designs(max_units=6), 24, tmp_path, seed=None)
