"""The evidence: what no longer holds is not shown as passed, and nothing is dropped."""

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from rchw.document import digest
from rchw.errors import DesignError
from rchw.files import sha256_of
from rchw.report.kinds import KINDS, again, numbers
from rchw.report.witnesses import count, write_evidence
from tests.cli.command_line import call, contents, refused
from tests.examples import EXAMPLE
from tests.report.records import NUMBERS, change, flip, read, status, words_of
from tests.report.test_report import read as read_page

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def test_where_everything_holds(folder: Path, capsys: Capture) -> None:
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 0, done
    record = done.record
    assert record == read(folder / "evidence.json")
    assert record["verdict"] == "pass" and record["sentence"] is None
    assert status(record) == {f"{kind}/{kind}.json": "pass" for kind in KINDS}
    assert record["digest"] == digest(EXAMPLE) and record["missing"] == []
    assert record["verilog_sha256"] == sha256_of(folder / "rtl/example.v")
    assert [entry["status"] for entry in record["packages"]] == ["pass"]
    text = words_of(folder)
    assert "Every check that is here has passed" in text
    assert "STALE" not in text and "FAIL" not in text and "not told" not in text
    plain = call(capsys, "evidence", folder)
    assert plain.code == 0 and "prove/prove.json" in plain.out and "STALE" not in plain.out


@pytest.mark.usefixtures("quick")
def test_the_page_contains_what_the_record_says(folder: Path) -> None:
    change(folder / "soak/soak.json", lambda record: record.update(verdict="fail", sentence="<so>"))
    (folder / "lint.json").write_text(
        json.dumps({"kind": "lint", "design": "example", "digest": "0" * 64, "verdict": "pass"})
    )
    record = write_evidence(folder)
    text = words_of(folder)
    assert {check["kind"] for check in record["checks"]} == {*KINDS, "lint"}
    for check in record["checks"]:
        assert check["file"] in text
        for name, value in check["numbers"].items():
            assert name in text and count(value) in text
        for difference in check["stale"]:
            assert f"{difference['what']} was" in text
    for check in record["checks"]:
        if check["kind"] in KINDS:
            assert KINDS[check["kind"]].says in text and KINDS[check["kind"]].silent in text
    for name, now in record["tools"].items():
        assert f"{name} {now} {now}" in text
    assert "soak/soak.json has failed: <so>." in text and "9,299" in text
    assert "does not know checks of the kind lint" in text
    for value in (record["digest"], record["verilog_sha256"], record["reference_sha256"]):
        assert value in text
    again = {check["kind"]: check["again"] for check in record["checks"]}
    seed = 1 + list(NUMBERS).index("mutants")
    words = f" --mutants 200 --samples 9000 --seed {seed} -o mutants"
    assert again["mutants"].endswith(words)
    numbers = {check["kind"]: check["numbers"] for check in record["checks"]}
    assert numbers["verify"]["rails"] == "2 hit, 1 not reachable"
    assert numbers["netlist"]["cells"] == 1234 and numbers["netlist"]["block RAM"] == 3
    assert numbers["netlist"]["DSP"] == 0
    assert numbers["coverage"]["toggle points"] == "1,234 of 4,321"
    assert numbers["coverage"]["cases not reached"] == "a tie"
    assert numbers["mutants"]["caught"] == 194 and numbers["mutants"]["missed"] == 0
    assert numbers["mutants"]["caught of those that differ"] == "100.0 %"


@pytest.mark.usefixtures("quick")
def test_the_page_stands_alone_and_is_the_same_again(folder: Path) -> None:
    write_evidence(folder)
    page = (folder / "evidence.html").read_text()
    read_page(page)
    assert "@media(prefers-color-scheme:dark)" in page and "--panel:#1a222b;" in page
    for outside in ("http", "<script", "<link", "<img", "@import", str(folder), "/tmp"):
        assert outside not in page
    first = contents(folder)
    write_evidence(folder)
    again_ = contents(folder)
    assert first.pop("evidence.json") and again_.pop("evidence.json")  # it holds its seconds
    assert first == again_


@pytest.mark.usefixtures("quick")
def test_a_failure_is_exit_code_1(folder: Path, capsys: Capture) -> None:
    told = f"output 0 is wrong; waveform in {folder}/verify/run.vcd"
    change(
        folder / "verify/verify.json", lambda record: record.update(verdict="fail", sentence=told)
    )
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 1 and status(done.record)["verify/verify.json"] == "fail"
    want = "verify/verify.json has failed: output 0 is wrong; waveform in verify/run.vcd"
    assert done.record["sentence"] == want and want in words_of(folder)
    change(folder / "verify/verify.json", flip("digest"))
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 1 and status(done.record)["verify/verify.json"] == "stale"
    assert "; and it has failed: output 0 is wrong" in done.record["sentence"]
    assert "STALE, FAIL" in words_of(folder)


@pytest.mark.usefixtures("quick")
def test_every_record_counts_and_not_the_first_of_its_kind(folder: Path, capsys: Capture) -> None:
    shutil.copytree(folder / "soak", folder / "soak/deeper/second")
    change(folder / "soak/deeper/second/soak.json", lambda record: record.update(verdict="fail"))
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 1
    assert status(done.record)["soak/soak.json"] == "pass"
    assert status(done.record)["soak/deeper/second/soak.json"] == "fail"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_missing_is_named_with_its_command(
    kind: str, folder: Path, capsys: Capture
) -> None:
    shutil.rmtree(folder / kind)
    done = call(capsys, "evidence", folder, "--json")
    assert done.code == 0, "what is missing has not failed"
    (entry,) = done.record["missing"]
    assert entry == {"kind": kind, "command": again(kind, "example.json", kind)}
    assert entry["command"] in words_of(folder)
    words = entry["command"].split()
    assert words[:3] == ["rchw", KINDS[kind].command, "example.json"]
    assert entry["command"] in call(capsys, "evidence", folder).out


@pytest.mark.usefixtures("quick")
def test_kinds_that_are_not_known_count(folder: Path) -> None:
    lint = {"kind": "lint", "design": "example", "digest": digest(EXAMPLE), "verdict": "fail"}
    (folder / "lint.json").write_text(json.dumps(lint))
    same = {"kind": "rtl", "design": "example", "digest": digest(EXAMPLE), "identical": True}
    (folder / "rtl.json").write_text(json.dumps(same))
    train = {"kind": "train", "design": "example", "digest": "0" * 64}
    (folder / "example.train.json").write_text(json.dumps(train))
    record = write_evidence(folder)
    assert status(record)["lint.json"] == "fail" and status(record)["rtl.json"] == "pass"
    assert record["sentence"].startswith("lint.json has failed")
    others = [{"kind": "train", "file": "example.train.json", "of_this_design": False}]
    assert record["others"] == others
    assert "train example.train.json other numbers" in words_of(folder)


def _without(keys: Iterable[str]) -> Callable[[dict[str, Any]], None]:
    def edit(record: dict[str, Any]) -> None:
        for key in keys:
            del record[key]

    return edit


@pytest.mark.usefixtures("quick")
def test_records_that_lack_numbers_or_hold_odd_ones(folder: Path) -> None:
    for kind in KINDS:
        path = folder / kind / f"{kind}.json"
        change(path, _without(NUMBERS[kind]))
        change(path, lambda record: record.update(seconds=1e999, sentence="\ud800"))
        path.write_text(path.read_text().replace("Infinity", "1e999"))
    record = write_evidence(folder)
    found = {value for check in record["checks"] for value in check["numbers"].values()}
    assert found == {None, *range(1, len(KINDS) + 1)}
    assert "not told" in words_of(folder)
    assert read(folder / "evidence.json")["checks"] == record["checks"]


@pytest.mark.usefixtures("quick")
def test_what_is_hidden_failed_or_ours_is_passed_over(folder: Path) -> None:
    for place in (".part-1", "verify.failed"):
        (folder / place).mkdir()
        (folder / place / "verify.json").write_text("{")
    first, second = write_evidence(folder), write_evidence(folder)
    assert first | {"seconds": 0} == second | {"seconds": 0}


@pytest.mark.usefixtures("quick")
def test_a_full_disk_leaves_the_earlier_evidence(
    folder: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    for name in ("evidence.json", "evidence.html"):
        (folder / name).write_text('{"earlier": true}')
    before = contents(folder)

    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    refused(capsys, ["evidence", folder], "No space left on device")
    assert contents(folder) == before


def test_the_commands_make_the_kinds_they_say() -> None:
    """Option by option as the record was made; odd file names are quoted."""
    record = NUMBERS["soak"] | {"kind": "soak", "seed": 5}
    assert again("soak", "my x.json", ".", record) == (
        "rchw verify 'my x.json' --soak --samples 20000 --seed 5 -o ."
    )
    data = {"file": "my y.csv", "sha256": "ab" * 32, "columns": "a,b", "codes": False, "rows": 9}
    assert again("soak", "x.json", ".", record | {"input": data}) == (
        "rchw verify x.json --soak --samples 20000 --seed 5 --input 'my y.csv' --input-columns a,b "
        "-o ."
    )
    unnamed = {"file": None, "rows": 9}
    assert again("soak", "x.json", ".", record | {"input": unnamed}) == (
        "rchw verify x.json --soak --samples 20000 --seed 5 --input FILE --codes -o ."
    )
    record = NUMBERS["netlist"] | {"kind": "netlist", "seed": 1}
    assert again("netlist", "a.json", "n", record) == (
        "rchw verify a.json --netlist ecp5 --samples 300 --seed 1 -o n"
    )
    assert again("netlist", "a.json", "n", {}) == "rchw verify a.json --netlist ice40 -o n"
    assert again("lint", "a.json", "n") is None


def test_soaks_of_different_data_are_told_apart() -> None:
    """By what is sent, also where the names are the same."""
    codes = {"file": None, "rows": 12000, "codes_sha256": "cd" * 32}
    found = [
        numbers(NUMBERS["soak"] | {"kind": "soak", "input": data})["input"]
        for data in (
            None, codes, codes | {"file": "a/y.csv", "codes_sha256": "ab" * 32},
            codes | {"file": "a/y.csv", "codes_sha256": "ac" * 32},
        )
    ]  # fmt: skip
    assert found == [
        "drawn", "codes, 12,000 rows, cdcdcdcd", "y.csv, 12,000 rows, abababab",
        "y.csv, 12,000 rows, acacacac",
    ]  # fmt: skip
    assert numbers({"kind": "soak", "samples": 1})["input"] is None, "a record that never told"


def test_a_missing_folder_is_told_by_the_function_too(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=re.escape("but there is no such folder")):
        write_evidence(tmp_path / "none")
