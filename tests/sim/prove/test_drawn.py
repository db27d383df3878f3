"""Designs that were drawn, and on which the prover once stumbled; and others, drawn now."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from rchw.design import Design
from rchw.document import load
from rchw.sim.prove.proof import prove
from tests.designs import designs

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
def test_no_drawn_design_is_refuted(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the prover does not see stays undecided; and it sees most."""
    verdicts: list[str] = []

    @settings(
        max_examples=24,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(designs(max_units=6))
    def drawn(design: Design) -> None:
        proof = prove(design, tmp_path_factory.mktemp("drawn"), timeout=10)
        verdicts.append(proof.verdict)
        print(len(verdicts), proof.verdict, proof.sentence)

    drawn()
    assert "refuted" not in verdicts
    assert verdicts.count("proved") > len(verdicts) / 2, verdicts
