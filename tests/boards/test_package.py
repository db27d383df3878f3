"""The package of a design: complete, the same twice, and told apart by its digest."""

import json
from pathlib import Path

import pytest

from rchw.boards.package import write_package
from rchw.document import digest, load
from rchw.errors import RchwError
from rchw.files import sha256_of
from rchw.schedule import schedule
from tests.sim.test_testbench import ring


def test_package(tmp_path: Path) -> None:
    design = ring()
    steps: list[str] = []
    record = write_package(design, tmp_path / "a", samples=32, progress=steps.append)
    assert steps == ["bench: Verilog", "bench: golden vectors"]
    files = {str(p.relative_to(tmp_path / "a")) for p in (tmp_path / "a").rglob("*") if p.is_file()}
    assert files == set(record["files"])
    assert {"bench.v", "bench_tb.v", "bench.core", "bench.sdc", "bench.ports.json"} <= files
    assert {"constraints/icebreaker.pcf", "constraints/ulx3s.lpf", "bench_board.v"} <= files
    for name, want in record["files"].items():
        assert sha256_of(tmp_path / "a" / name) == want
    assert write_package(design, tmp_path / "b", samples=32)["files"] == record["files"]
    assert load(tmp_path / "a" / "bench.json") == design
    ports = json.loads((tmp_path / "a" / "bench.ports.json").read_text())
    assert ports["digest"] == digest(design) == record["digest"]
    assert ports["clocks_per_sample"] == schedule(design).clocks
    lanes = [
        (lane["name"], lane["low_bit"], lane["bits"], lane["format"])
        for lane in ports["output_stream"]["lanes"]
    ]
    assert lanes == [("y", 0, 24, "sfix17_en9"), ("z", 24, 8, "ufix3_en2")]
    core = (tmp_path / "a" / "bench.core").read_text()
    assert core.startswith("CAPI=2:\nname: rchw:generated:bench:")


def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RchwError, match=r"out cannot be written: Not a directory"):
        write_package(ring(), tmp_path / "file" / "out")
