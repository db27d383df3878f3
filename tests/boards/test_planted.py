"""One wrong circuit before all witnesses: proof, soak and the netlist find the same fault."""

from pathlib import Path

import pytest

from rchw.boards.verify import verify_netlist
from rchw.hdl.emit import write_verilog
from rchw.sim.prove.proof import prove
from rchw.sim.prove.replay import replay
from rchw.sim.soak.run import soak
from tests.boards.faults import DESIGN_FAULTS
from tests.boards.test_of_design import ring
from tests.boards.test_verify import TABLE

DESIGN = ring("planted", 12, lanes=2, multipliers=2, activation=TABLE)


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["entry", "rounding", "lanes"])
def test_a_planted_disagreement_is_found_by_each(fault: str, tmp_path: Path) -> None:
    wrong = write_verilog(DESIGN_FAULTS[fault](DESIGN), tmp_path)

    proof = prove(DESIGN, tmp_path / "prove", verilog=wrong)
    assert proof.verdict == "refuted" and proof.shown is not None
    assert replay(DESIGN, wrong, proof.run, proof.start) == proof.shown

    soaked = soak(DESIGN, tmp_path / "soak", samples=20_000, verilog=wrong, optimize="-O0")
    assert soaked["verdict"] == "fail" and soaked["mismatch"]["kind"] == "code"
    assert soaked["reproduced"] and Path(soaked["waves"]).stat().st_size > 0
    assert f"at sample {soaked['mismatch']['sample']} " in soaked["sentence"]
    # A wrong state is traced to its unit; a readout that rounds wrongly has none.
    assert (soaked["unit"] is None) == (fault == "rounding")

    netlist = verify_netlist(DESIGN, "ice40", tmp_path / "netlist", samples=100, verilog=wrong)
    assert netlist["verdict"] == "fail" and "must be code" in netlist["sentence"]
