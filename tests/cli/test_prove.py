"""``prove``: what it tells of a right and of a wrong circuit, and what it leaves in the folder."""

from dataclasses import replace
from pathlib import Path

import pytest

from rchw.document import digest, load
from rchw.files import sha256_of
from rchw.hdl.emit import emit
from rchw.sim.law import law_sha256
from tests.cli.command_line import call, contents

Capture = pytest.CaptureFixture[str]


def test_right_and_wrong(folder: Path, capsys: Capture) -> None:
    """One after the other into the same folder: nothing is left of the refutation in the end."""
    design = load(folder / "small.json")
    row = design.readout.weights[0]
    weights = ((row[0] ^ 1, *row[1:]), *design.readout.weights[1:])
    wrong = replace(design, readout=replace(design.readout, weights=weights))
    (folder / "wrong.v").write_text(emit(wrong))
    words = ("prove", folder / "small.json", "-o", folder / "p")

    done = call(capsys, *words, "--verilog", folder / "wrong.v", "--json")
    record = done.record
    assert done.code == 1 and record["verdict"] == "fail" and record["proof"] == "refuted"
    assert record["run"]["file"] == "counterexample_test.py"
    files = {"counterexample_test.py", "prove.json", f"{design.name}.json", f"{design.name}.v"}
    assert files <= set(contents(folder / "p"))
    assert record["verilog_sha256"] == sha256_of(folder / "wrong.v")

    done = call(capsys, *words)
    assert done.code == 0, done.err
    told = " ".join(done.out.split())
    assert "proof proved" in told and "every state, input, last flag, pause and reset" in told
    assert not (folder / "p/counterexample_test.py").exists()

    done = call(capsys, *words, "--json")
    record = done.record
    assert done.code == 0 and record["verdict"] == "pass" and record["proof"] == "proved"
    assert record["planted"]["proof"] == "refuted" and record["planted"]["fault"]
    assert record["digest"] == digest(design)
    verilog = folder / "p" / record["verilog"]
    assert record["verilog_sha256"] == sha256_of(verilog)
    assert verilog.read_text() == emit(design)
    assert record["reference_sha256"] == law_sha256(design)
    assert record["latency"] == record["latency_formula"]
    assert set(record["tools"]) == {"amaranth", "numpy", "python", "yosys", "z3-solver"}
