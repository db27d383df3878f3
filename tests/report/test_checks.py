"""What a record is compared with, and what is refused: nothing stale counts as passed."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rchw.document import save
from rchw.errors import ToolError
from rchw.files import sha256_of
from rchw.hdl.emit import write_verilog
from rchw.report import checks
from rchw.report.kinds import KINDS
from rchw.report.witnesses import write_evidence
from tests.cli.command_line import call, contents, refused
from tests.examples import EXAMPLE
from tests.report.records import change, flip, status, words_of

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


STALE: dict[str, tuple[Callable[[dict[str, Any]], object], set[str]]] = {
    "reference": (flip("reference_sha256"), {"the reference"}),
    "design": (flip("digest"), {"the design"}),
    "verilog": (flip("verilog_sha256"), {"the Verilog as it is emitted", "the file example.v"}),
    "numpy": (lambda record: record["tools"].update(numpy="1.0"), {"numpy"}),
    "program": (lambda record: record["tools"].update({"c++": "1.0"}), {"c++"}),
    "python": (lambda record: record["tools"].update(python="3.0.0"), {"python"}),
    "gone": (lambda record: record["tools"].update({"no-such-tool": "1"}), {"no-such-tool"}),
    "no reference": (lambda record: record.pop("reference_sha256"), {"the reference"}),
    "no digest": (lambda record: record.pop("digest"), {"the design"}),
    "no tools": (lambda record: record.pop("tools"), {"the tools"}),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", STALE)
def test_a_record_of_something_else_is_stale(name: str, folder: Path, capsys: Capture) -> None:
    edit, differs = STALE[name]
    change(folder / "verify/verify.json", edit)
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 1
    (check,) = [check for check in done.record["checks"] if check["status"] != "pass"]
    assert check["file"] == "verify/verify.json" and check["status"] == "stale"
    assert {difference["what"] for difference in check["stale"]} == differs
    assert done.record["verdict"] == "fail"
    assert done.record["sentence"].startswith("verify/verify.json is stale: ")
    text = words_of(folder)
    assert text.count("STALE") == 2 and check["again"] in text
    assert check["again"] == "rchw verify example.json --samples 300 --seed 1 -o verify"
    plain = call(capsys, "evidence", folder)
    assert plain.code == 1 and re.search(r"verify/verify.json +STALE", plain.out)
    assert "is stale: " in plain.out


@pytest.mark.usefixtures("quick")
def test_verilog_that_was_edited(folder: Path) -> None:
    """Beside a record, and where it is to be taken from."""
    for place in ("prove", "rtl"):
        path = folder / place / "example.v"
        path.write_text(path.read_text().replace(";", "; ", 1))
    record = write_evidence(folder)
    assert {f for f, s in status(record).items() if s != "pass"} == {"prove/prove.json"}
    (check,) = [check for check in record["checks"] if check["status"] == "stale"]
    assert [difference["what"] for difference in check["stale"]] == ["the file example.v"]
    (package,) = record["packages"]
    assert package["status"] == "stale" and package["file"] == "rtl/example.v"
    assert "rtl/example.v STALE" in words_of(folder)


@pytest.mark.usefixtures("quick")
def test_another_netlist_or_another_model_of_a_cell(folder: Path) -> None:
    """Of the models all count; the netlist where it lies beside its record."""
    path, netlist = folder / "netlist/netlist.json", folder / "netlist/netlist/example_netlist.v"

    def stale() -> list[str]:
        record = write_evidence(folder)
        (check,) = [check for check in record["checks"] if check["kind"] == "netlist"]
        assert (check["status"] == "stale") == bool(check["stale"])
        return [difference["what"] for difference in check["stale"]]

    assert stale() == []
    netlist.parent.mkdir()
    netlist.write_text("module example;")
    assert stale() == ["the netlist example_netlist.v"]
    change(path, lambda record: record.update(netlist_sha256=sha256_of(netlist)))
    assert stale() == []
    change(path, lambda record: flip("DP16KD.v")(record["models"]))
    assert stale() == ["the model DP16KD.v"]
    change(path, lambda record: record.update(family="none"))
    assert len(stale()) == 3
    change(path, lambda record: record.pop("models"))
    assert stale() == ["the model cells"]


@pytest.mark.usefixtures("quick")
def test_a_package_alone_can_be_stale(folder: Path, capsys: Capture) -> None:
    path = folder / "rtl/example.v"
    path.write_text(path.read_text() + "\n")
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 1 and set(status(done.record).values()) == {"pass"}
    assert done.record["sentence"].startswith("rtl/example.v is stale: the Verilog as it is")


def test_a_design_that_was_changed_makes_all_stale(folder: Path) -> None:
    """One readout weight; every check, and the Verilog, is of the design before."""
    row = EXAMPLE.readout.weights[0]
    weights = ((row[0] ^ 1, *row[1:]), *EXAMPLE.readout.weights[1:])
    save(
        replace(EXAMPLE, readout=replace(EXAMPLE.readout, weights=weights)), folder / "example.json"
    )
    save(EXAMPLE, folder / "prove/example.json")  # as `rchw prove` does
    record = write_evidence(folder)
    assert set(status(record).values()) == {"stale"} and len(record["checks"]) == len(KINDS)
    for check in record["checks"]:
        differs = {difference["what"] for difference in check["stale"]}
        assert differs == {"the design", "the Verilog as it is emitted"}
    assert record["left_out"] == ["prove/example.json"]


def test_other_circuits_for_the_same_design_make_all_stale(
    folder: Path, monkeypatch: Patch
) -> None:
    def changed(design: Any, out: Path) -> Path:
        made = write_verilog(design, out)
        made.write_text(made.read_text().replace("assign", "assign ", 1))
        return made

    monkeypatch.setattr("rchw.report.checks.write_verilog", changed)
    record = write_evidence(folder)
    assert set(status(record).values()) == {"stale"}
    assert record["packages"][0]["status"] == "stale"


@pytest.mark.usefixtures("quick")
def test_another_design_is_left_out(folder: Path) -> None:
    other_design = replace(EXAMPLE, name="other")
    save(other_design, folder / "deep/other.json")
    shutil.copy(folder / "prove/prove.json", folder / "deep/prove.json")
    edit = {"design": "other", "verdict": "fail"}
    change(folder / "deep/prove.json", lambda record: record.update(edit))
    record = write_evidence(folder)
    assert record["left_out"] == ["deep/other.json", "deep/prove.json"]
    assert record["verdict"] == "pass" and record["file"] == "example.json"
    assert "another design: deep/other.json, deep/prove.json." in words_of(folder)


BROKEN: dict[str, tuple[str, str, str]] = {
    "half": ("verify/verify.json", '{"kind": "verify", ', "verify.json must be JSON, but is not"),
    "deep": ("soak/soak.json", "[" * 100_000, "soak.json must be JSON, but is not"),
    "nan": ("soak/soak.json", '{"kind": "soak", "seconds": NaN}', "NaN is no number of JSON"),
    "no verdict": ("verify/verify.json", '{"kind": "verify"}', "verdict must be 'pass' or 'fail'"),
    "verdict": ("a.json", '{"kind": "prove", "verdict": [1]}', "or 'fail', not [1]"),
    "tools": ("a.json", '{"kind": "x", "digest": "", "verdict": "pass", "tools": 3}',
              "tools must be an object, not 3"),
    "sentence": ("a.json", '{"kind": "x", "digest": "", "verdict": "pass", "sentence": 3}',
                 "sentence must be text, not 3"),
    "design": ("example.json", '{"format": "rchw-design", "version": 1}',
               "example.json: design must have the key"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_refused(name: str, folder: Path, capsys: Capture) -> None:
    file, text, sentence = BROKEN[name]
    (folder / file).write_text(text)
    (folder / "evidence.json").write_text("{}")
    before = contents(folder)
    refused(capsys, ["evidence", folder], sentence)
    assert contents(folder) == before, "earlier evidence stays"


def test_folders_without_evidence_are_refused(
    folder: Path, tmp_path: Path, capsys: Capture
) -> None:
    refused(capsys, ["evidence", tmp_path / "nothing"], "must be a folder with records, but")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(capsys, ["evidence", empty], "must hold the design file that its records are of")
    shutil.copy(folder / "verify/verify.json", empty)
    refused(capsys, ["evidence", empty], "must hold the design file that its records are of")
    (empty / "verify.json").unlink()
    save(EXAMPLE, empty / "example.json")
    refused(capsys, ["evidence", empty], "must hold records of checks of example")
    assert set(contents(empty)) == {"example.json"}


def test_without_verilog_there_is_no_verdict(
    folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    def missing(*_: Any) -> Path:
        raise ToolError("Verilog of example could not be written: no Yosys")

    monkeypatch.setattr("rchw.report.checks.write_verilog", missing)
    before = contents(folder)
    refused(capsys, ["evidence", folder], "no Yosys")
    assert contents(folder) == before


@pytest.mark.usefixtures("quick")
def test_a_check_that_cannot_differ_is_noticed(folder: Path, monkeypatch: Patch) -> None:
    """Planted fault: nothing is compared. Then a stale record would pass."""
    change(folder / "verify/verify.json", flip("reference_sha256"))
    assert write_evidence(folder)["verdict"] == "fail"
    monkeypatch.setattr(checks.Today, "differences", lambda *_: [])
    assert write_evidence(folder)["verdict"] == "pass"
