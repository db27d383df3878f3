"""A readout of states from outside under the checks that rings have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design, Features
from rchw.document import save
from rchw.errors import DesignError
from rchw.hdl.emit import write_verilog
from rchw.reference import ReferenceReservoir
from rchw.sim.mutate.run import mutate
from rchw.sim.prove.command import prove_design
from rchw.sim.reservoir import showing_states
from rchw.sim.rules.command import prove_rules
from rchw.sim.soak.run import soak
from rchw.sim.verify import verify
from tests.examples import EXTERNAL
from tests.hdl.test_external import made_parallel

PARALLEL = replace(made_parallel(EXTERNAL), name="outside_parallel")
SLOW = replace(
    EXTERNAL,
    name="outside_slow",
    layers=(replace(EXTERNAL.layer, lanes=1),),
    features=Features(),
    readout=replace(
        EXTERNAL.readout,
        weights=tuple(row[:6] for row in EXTERNAL.readout.weights),
        multipliers=1,
    ),
)
BOTH = pytest.mark.parametrize("design", [EXTERNAL, PARALLEL], ids=lambda design: design.name)


def faulty(design: Design) -> Design:
    """One bit of one weight of unit 2 is wrong."""
    rows = [list(row) for row in design.readout.weights]
    rows[1][2] ^= 2
    weights = tuple(tuple(row) for row in rows)
    return replace(design, readout=replace(design.readout, weights=weights))


ALONE = replace(
    EXTERNAL,
    name="alone",
    inputs=(),
    features=replace(EXTERNAL.features, inputs=False),
    readout=replace(EXTERNAL.readout, weights=tuple(row[:11] for row in EXTERNAL.readout.weights)),
)  # without a channel


@pytest.mark.parametrize(
    "design",
    [EXTERNAL, *(pytest.param(each, marks=pytest.mark.slow) for each in (PARALLEL, ALONE))],
    ids=lambda design: design.name,
)
def test_the_bench_passes_and_sees_a_fault(design: Design, tmp_path: Path) -> None:
    record = verify(design, tmp_path / "right", samples=300)
    assert record["verdict"] == "pass", record["sentence"]
    assert {row["status"] for row in record["rails"] if row["what"] == "states"} == {"hit"}
    wrong = write_verilog(faulty(design), tmp_path)
    record = verify(design, tmp_path / "wrong", samples=300, verilog=wrong)
    assert record["verdict"] == "fail"
    assert "states come from outside, so the readout differs" in record["sentence"]


@pytest.mark.parametrize(
    "design",
    [EXTERNAL, pytest.param(PARALLEL, marks=pytest.mark.slow)],
    ids=lambda design: design.name,
)
def test_the_soak_passes_and_sees_a_fault(design: Design, tmp_path: Path) -> None:
    record = soak(design, tmp_path / "right", samples=20_000, optimize="-O0")
    assert record["verdict"] == "pass", record["sentence"]
    wrong = write_verilog(faulty(design), tmp_path)
    record = soak(design, tmp_path / "wrong", samples=20_000, optimize="-O0", verilog=wrong)
    assert record["verdict"] == "fail" and "output" in record["sentence"]


@pytest.mark.parametrize("design", [SLOW, PARALLEL], ids=lambda design: design.name)
def test_the_prover_proves_and_refutes(design: Design, tmp_path: Path) -> None:
    record = prove_design(design, tmp_path / "right")
    assert (record["verdict"], record["proof"]) == ("pass", "proved"), record["sentence"]
    assert record["witness"]["met"] == record["witness"]["moments"]
    wrong = write_verilog(faulty(design), tmp_path)
    record = prove_design(design, tmp_path / "wrong", verilog=wrong)
    assert record["proof"] == "refuted" and record["run"]["clocks"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("design", [EXTERNAL, PARALLEL, ALONE], ids=lambda design: design.name)
def test_the_stream_rules_are_proved(design: Design, tmp_path: Path) -> None:
    record = prove_rules(design, tmp_path)
    assert record["verdict"] == "pass", record["sentence"]


@pytest.mark.slow
@pytest.mark.parametrize("design", [EXTERNAL, ALONE], ids=lambda design: design.name)
def test_folded_ones_are_proved(design: Design, tmp_path: Path) -> None:
    record = prove_design(design, tmp_path)
    assert record["verdict"] == "pass", record["sentence"]


@pytest.mark.slow
@BOTH
def test_planted_faults_are_caught(design: Design, tmp_path: Path) -> None:
    """Those in numbers of a ring find no place here."""
    record = mutate(design, tmp_path, mutants=25, proof_seconds=20.0)
    assert record["verdict"] == "pass", record["sentence"]
    made = {row["operator"] for row in record["mutants"]}
    assert "readout weight" in made
    assert made.isdisjoint({"tap weight", "bias", "initial state", "leak shift", "clip rail"})


def test_a_file_holds_the_layer(tmp_path: Path) -> None:
    from rchw.document import load

    assert load(save(EXTERNAL, tmp_path / "outside.json")) == EXTERNAL


def test_the_reference_refuses_what_there_is_not() -> None:
    codes = np.zeros((3, 6), dtype=np.int64)
    with pytest.raises(DesignError, match=r"^state must be left out where layer external is "):
        reference.run(EXTERNAL, codes, state=np.zeros(5, dtype=np.int64))
    with pytest.raises(DesignError, match=r"^input codes must have shape \(T, 6\), not \(3, 1\)$"):
        reference.run(EXTERNAL, codes[:, :1])
    codes[1, 3] = 32
    with pytest.raises(DesignError, match=r"^input x2 at sample 1 must be from -32 to 31 "):
        reference.run(EXTERNAL, codes)
    for made in (ReferenceReservoir, showing_states):
        with pytest.raises(DesignError, match=r"^layer external must be driven, not external$"):
            made(EXTERNAL)
