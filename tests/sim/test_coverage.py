"""A real run of the two units by hand, counted by Verilator."""

import json
from pathlib import Path

import pytest

from rchw.sim.coverage import cover
from rchw.sim.verify import verify
from tests.examples import EXAMPLE
from tests.sim.pair import VERILOG, pair


def test_coverage_of_a_right_circuit_and_of_a_line_that_is_never_reached(tmp_path: Path) -> None:
    """The planted hole is a register that nothing sets, and its branch."""
    source = tmp_path / "pair.v"
    text = VERILOG.replace("WEIGHT", "2")
    dead = "reg never = 0;\n    always @(posedge aclk) if (never) never <= 1;\n    reg fresh;"
    source.write_text(text.replace("reg fresh;", dead, 1))
    record = cover(pair(), tmp_path / "out", samples=300, verilog=source)
    assert record == json.loads((tmp_path / "out/coverage.json").read_text())
    assert record["verdict"] == "pass" and record["sentence"] is None
    assert record["kind"] == "coverage" and record["longest"] == 300
    for name in ("line", "branch", "toggle"):
        assert 0 < record[name]["hit"] <= record[name]["points"]
    places = {(hole["type"], hole["what"]) for hole in record["holes"]}
    assert ("toggle", "never") in places and any(kind == "branch" for kind, _ in places)
    assert not any(what.startswith(("d0_", "s_count")) for _, what in places), "of the harness"
    rows = {row["case"]: row for row in record["cases"]}
    assert rows["states at the low rail, code -127"]["status"] == "hit"
    crossed = {case: row["status"] for case, row in rows.items() if "after the sample" in case}
    assert len(crossed) == 4 and set(crossed.values()) == {"hit"}, "free or not, last or not"


@pytest.mark.slow
def test_coverage_of_a_wrong_circuit(tmp_path: Path) -> None:
    """Planted: a wrong weight. The run fails, and its cases are not those of a right circuit."""
    source = tmp_path / "pair.v"
    source.write_text(VERILOG.replace("WEIGHT", "3"))
    record = cover(pair(), tmp_path / "out", samples=300, verilog=source)
    assert record["verdict"] == "fail"
    assert record["sentence"].startswith("output 0 (y) at sample 0 must be code")
    assert not any(row["status"] == "hit" for row in record["cases"])


@pytest.mark.slow
def test_the_same_run_as_verify(tmp_path: Path) -> None:
    """Of emitted Verilog: as many samples and beats, and every line is reached."""
    record = cover(EXAMPLE, tmp_path / "out", samples=300, seed=3)
    check = verify(EXAMPLE, tmp_path / "out", samples=300, seed=3)
    assert (record["samples"], record["checked"]) == (check["samples"], check["checked"])
    assert record["verilog_sha256"] == check["verilog_sha256"]
    assert record["line"]["hit"] == record["line"]["points"]
    assert (tmp_path / "out/coverage.json").is_file() and (tmp_path / "out/verify.json").is_file()
