"""Drawn designs under the prover: none is refuted, and most are proved."""

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from rchw.design import Design
from rchw.sim.prove.proof import prove

__all__ = ["prove_drawn"]


def prove_drawn(
    designs: st.SearchStrategy[Design], count: int, folder: Path, seed: int | None = 1
) -> None:
    """What the prover does not see stays undecided; and it sees most."""
    verdicts: list[str] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(designs)
    def drawn(design: Design) -> None:
        place = folder / str(len(verdicts))
        place.mkdir()
        proof = prove(design, place, timeout=10, seed=seed)
        verdicts.append(proof.verdict)
        print(len(verdicts), proof.verdict, proof.sentence)

    drawn()
    assert "refuted" not in verdicts
    assert verdicts.count("proved") > len(verdicts) / 2, verdicts
