"""Drawn designs as netlists: what nobody thought of, on every family."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from rchw.boards.modelled import check_modelled, modelled_cells
from rchw.boards.netlist import netlist_sources
from rchw.boards.of_design import circuit_needs
from rchw.boards.synth import synthesize_core
from rchw.boards.verify import FAMILIES
from rchw.design import Design
from rchw.devices import DEVICES
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.schedule import schedule
from rchw.sim.runner import build
from rchw.sim.verify import job_for
from tests.hdl.kinds import count_kinds
from tests.hdl.test_emitted import chosen

COUNT = 8


def not_too_large(designs: Iterable[Design]) -> list[Design]:
    """Those that compile soon: folded, or with few products; at least one is parallel."""
    small = [design for design in designs if design.n_products * design.n_outputs <= 60]
    parallel = [design for design in small if schedule(design).parallel]
    folded = [design for design in small if not schedule(design).parallel]
    return [*parallel[:2], *folded][:COUNT]


@pytest.fixture(scope="module")
def drawn() -> list[Design]:
    """Designs of most kinds."""
    found = not_too_large(chosen())
    assert len(found) == COUNT
    assert sum(count > 0 for count in count_kinds(found).values()) > 20
    return found


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_drawn_designs(family: str, drawn: list[Design], tmp_path: Path) -> None:
    """All are right, but for one that is refused.

    Yosys loses a multiplier of UP5K behind which two registers follow each other; its log tells.
    """
    device = DEVICES[FAMILIES[family]]
    netlists, made_of, refused = [], [], []
    for design in drawn:
        needs = circuit_needs(write_verilog(design, tmp_path).read_text(), device)
        try:
            core = synthesize_core(design.name, device, tmp_path, expected=needs)
        except ToolError as error:  # a fault that Yosys has, seen and told
            assert "yosys miscompiled" in str(error) and "(* keep *)" in str(error)
            refused.append(design.name)
            continue
        made = netlist_sources(core.verilog, design.name, family, tmp_path)
        models = "".join(path.read_text() for path in made.sources[1:])
        check_modelled(core.module, design.name, modelled_cells(models))
        netlists.append(core.verilog)
        made_of.append(design)
    assert len(refused) <= (1 if family == "ice40" else 0), refused
    allow = [argument.removeprefix("-Wno-") for argument in made.arguments]
    jobs = [job_for(design, 96, 1)[0] for design in made_of]
    program = build(
        [*netlists, *made.sources[1:]], [job.top for job in jobs], tmp_path / "simulation",
        allow=allow, optimize="-O0",
    )  # fmt: skip
    for record in program.run_all(jobs, witness=False):
        assert record["verdict"] == "pass", record["sentence"]
        assert record["phases"][-1]["resets"] == 8
