"""A circuit without the ports of the streams is refused by a sentence that names the port."""

from pathlib import Path

import pytest

from rchw.errors import DesignError
from rchw.hdl.emit import emit
from rchw.sim.prove.command import prove_design
from rchw.sim.prove.ports import check_ports
from rchw.sim.rules.command import prove_rules
from tests.boards.test_of_design import ring
from tests.sim.rules.test_structure import read

FOLDED = ring("folded", 4, lanes=2, multipliers=2)


def test_a_right_circuit_has_them(tmp_path: Path) -> None:
    check_ports(read(FOLDED, tmp_path), FOLDED)
    other = ring("folded", 4, outputs=2)
    with pytest.raises(DesignError, match=r"the output m_axis_tdata of \d+ bits, not \d+ bits"):
        check_ports(read(FOLDED, tmp_path / "b"), other)


@pytest.mark.parametrize("prove", [prove_design, prove_rules])
@pytest.mark.parametrize("port", ["s_axis_tvalid", "m_axis_tlast", "aresetn"])
def test_another_name(port: str, prove: type, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.v"
    wrong.write_text(emit(FOLDED).replace(port, f"{port}_"))
    told = f"module folded must have the {'output' if port[0] == 'm' else 'input'} {port} of 1 bits"
    with pytest.raises(DesignError, match=f"{told}, not none"):
        prove(FOLDED, tmp_path / "out", verilog=wrong)
