"""The circuit as a function gives what the circuit gives, right or wrong."""

from collections.abc import Callable

import numpy as np

from rchw.reference import run
from rchw.sim.rtl import run_rtl
from tests.sim.conftest import Verified
from tests.sim.pair import pair


def test_outputs_are_the_circuits_own(verified: Callable[[int], Verified]) -> None:
    """In the programs that `verify` left."""
    codes = np.random.default_rng(3).integers(-128, 128, (200, 1))
    trace = run(pair(), codes)
    right, wrong = verified(2), verified(3)
    good = run_rtl(pair(), right.source, codes, right.out / "simulation")
    assert good.record["verdict"] == "pass"
    assert good.outputs.tolist() == trace.outputs.tolist()
    bad = run_rtl(pair(), wrong.source, codes, wrong.out / "simulation")
    assert bad.record["verdict"] == "fail"
    assert bad.outputs.tolist() == (trace.outputs + trace.states[:, 1:]).tolist()
