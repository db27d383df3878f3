"""The circuit as a function gives what the circuit gives, right or wrong."""

from pathlib import Path

import numpy as np

from rchw.reference import run
from rchw.sim.rtl import run_rtl
from tests.sim.test_verify import VERILOG, pair


def test_outputs_are_the_circuits_own(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.v", tmp_path / "wrong.v"
    right.write_text(VERILOG.replace("WEIGHT", "2"))
    wrong.write_text(VERILOG.replace("WEIGHT", "3"))
    codes = np.random.default_rng(3).integers(-128, 128, (200, 1))
    trace = run(pair(), codes)
    good = run_rtl(pair(), right, codes, tmp_path / "right")
    assert good.record["verdict"] == "pass"
    assert good.outputs.tolist() == trace.outputs.tolist()
    bad = run_rtl(pair(), wrong, codes, tmp_path / "wrong")
    assert bad.record["verdict"] == "fail"
    assert bad.outputs.tolist() == (trace.outputs + trace.states[:, 1:]).tolist()
