"""The search for a fault runs beside the proof, and ends with it."""

from pathlib import Path

import pytest

from rchw.document import save
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.sim.prove.planted import searched
from tests.sim.prove.test_proof import RIGHT

DESIGN = RIGHT["parallel with leak"]


def files(folder: Path) -> tuple[Path, Path, Path]:
    save(DESIGN, folder / "design.json")
    return folder / "design.json", write_verilog(DESIGN, folder), folder / "planted"


def test_a_fault_is_found(tmp_path: Path) -> None:
    with searched(*files(tmp_path), 60.0, 1) as search:
        record = search.result()
    assert record["proof"] == "refuted" and "stuck at" in record["fault"]


def test_nothing_runs_on_when_nobody_waits(tmp_path: Path) -> None:
    with searched(*files(tmp_path), 60.0, 1) as search:
        process = search.process
        assert process.poll() is None
    assert process.poll() is not None
    with searched(*files(tmp_path), 60.0, 1) as search:
        assert search.process.stdin is not None
        search.process.stdin.close()  # as if this process had been killed
        assert search.process.wait(20) == 2


def test_a_search_that_fails_says_why(tmp_path: Path) -> None:
    design, verilog, folder = files(tmp_path)
    verilog.write_text("module other; endmodule\n")
    with searched(design, verilog, folder, 60.0, 1) as search:
        with pytest.raises(ToolError, match="search for a planted fault failed with exit code 1"):
            search.result()
