"""`verify --soak` at the command line: the record, exit codes, bad input, an interruption."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from rchw import tools
from rchw.document import load
from rchw.files import sha256_of
from rchw.sim.soak.data import Data
from rchw.tasks.files import read_table
from tests.cli.command_line import call, contents, refused

Capture = pytest.CaptureFixture[str]


def words(folder: Path, *more: str) -> list[str | Path]:
    return ["verify", folder / "small.json", "--soak", *more, "-o", folder / "out"]


def test_a_soak_and_its_record(folder: Path, capsys: Capture) -> None:
    done = call(capsys, *words(folder, "--samples", "9000", "--seed", "5", "--jobs", "2"))
    assert done.code == 0, done
    assert "output beats are equal" in done.out and "9,000 in " in done.out
    assert "of seed 5" in done.out and "with 2 jobs" in done.out
    assert "soaking small_" in done.err
    done = call(capsys, *words(folder, "--samples", "9000", "--json"))
    assert done.code == 0 and done.record["kind"] == "soak" and done.record["seed"] == 1
    assert done.record["samples"] == 9000 and done.record["verdict"] == "pass"
    assert done.record["input"] is None
    data = folder / "small.csv"
    fed = call(capsys, *words(folder, "--samples", "9000", "--input", str(data), "--json"))
    assert fed.code == 0 and fed.record["verdict"] == "pass"
    codes = load(folder / "small.json").encode(read_table(data).values((0,)))
    assert fed.record["input"] == {
        "file": str(data), "sha256": sha256_of(data), "columns": None, "codes": False, "rows": 400,
        "tlast": "drawn", "codes_sha256": Data(codes, None).sha256(),
    }  # fmt: skip
    assert fed.record["outputs"] != done.record["outputs"]
    assert fed.record["samples"] == 9000 and fed.record["blocks"] == done.record["blocks"]
    marked = folder / "codes.npz"
    np.savez(marked, b=codes[:30], tlast=np.arange(30) == 9)
    more = ("--samples", "3000", "--input", str(marked), "--input-columns", "b", "--codes")
    shown = call(capsys, *words(folder, *more))
    assert shown.code == 0, shown
    assert f"30 rows of {marked}, round and round; tlast is marked" in " ".join(shown.out.split())


def test_a_mismatch_is_exit_code_1(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    record: dict[str, Any] = {
        "verdict": "fail", "sentence": "output 0 at sample 3 must be code 5, not 6", "seed": 1,
        "checked": 3, "samples": 9, "blocks": 1, "audited": 9, "resets": 1, "stalls_in": 0,
        "stalls_out": 0, "samples_per_second": 9, "jobs": 1, "digest": "d", "input": None,
    }  # fmt: skip
    monkeypatch.setattr("rchw.sim.soak.run.soak", lambda *a, **k: record)
    done = call(capsys, *words(folder))
    assert done.code == 1 and "must be code 5, not 6" in done.out
    done = call(capsys, *words(folder), "--json")
    assert done.code == 1 and done.record == record


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("--samples 0", "samples must be at least 1, not 0"),
        ("--seed -1", "seed must be from 0 to 2**63 - 1, not -1"),
        ("--jobs 0", "jobs must be from 1 to 1024, not 0"),
        ("--jobs x", "'--jobs'"),
    ],
)
def test_bad_input(more: str, sentence: str, folder: Path, capsys: Capture) -> None:
    before = contents(folder)
    refused(capsys, words(folder, *more.split()), sentence)
    assert contents(folder) == before


def test_jobs_of_another_check(folder: Path, capsys: Capture) -> None:
    given: list[str | Path] = ["verify", folder / "small.json", "--jobs", "2", "-o", folder / "out"]
    refused(capsys, given, "jobs must be left out without --soak, not 2")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("--input small.csv", "input must be left out without --soak, not small.csv"),
        ("--soak --codes", "codes must be left out without --input, not given"),
        ("--soak --input-columns x", "input columns must be left out without --input, not 'x'"),
        ("--soak --input none.csv", "none.csv must be an existing file, not missing"),
        ("--soak --input a.txt", "file must be one of .csv, .npy, .npz, not 'a.txt'"),
        ("--soak --input other.csv", "other.csv must give 1 input columns, as the design has (x),"),
        ("--soak --input small.csv --input-columns y", "input columns must be columns of small.c"),
        ("--soak --input small.csv --codes", "codes in small.csv must be integers, not 0.3 at"),
        ("--soak --input high.csv --codes", "input x at sample 1 must be from -128 to 127 (sfix8"),
        ("--soak --input empty.csv", "empty.csv must hold rows of numbers, not a header alone"),
        ("--soak --input ends.csv", "tlast in ends.csv must be 0 or 1, not 2 at sample 1"),
    ],
)
def test_bad_data(
    more: str, sentence: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Path("high.csv").write_text("x\n3\n128\n")
    Path("empty.csv").write_text("x\n")
    Path("ends.csv").write_text("x,tlast\n0.5,1\n0.5,2\n")
    before = contents(folder)
    refused(capsys, ["verify", "small.json", *more.split(), "-o", "out"], sentence)
    assert contents(folder) == before


def test_a_folder_that_cannot_be(folder: Path, capsys: Capture) -> None:
    (folder / "out").write_text("in the way")
    refused(capsys, words(folder), "out must be a folder, not a file")


def test_a_missing_compiler(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = tools._look
    monkeypatch.setattr(
        tools, "_look", lambda tool, native: [] if tool.name == "c++" else usual(tool, native)
    )
    refused(capsys, words(folder), "c++ (compiles the simulation) is missing: install it with")
    assert not (folder / "out").exists() and not list(folder.rglob(".*"))


def test_a_full_disk(folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = contents(folder)
    monkeypatch.setattr(os, "replace", full)
    refused(capsys, words(folder), "No space left on device")
    assert contents(folder) == before


@pytest.mark.slow
def test_a_real_interruption(folder: Path) -> None:
    """In the middle of the run: the program ends too, and earlier results stay."""
    (folder / "out").mkdir()
    (folder / "out/soak.json").write_text("earlier")
    before = contents(folder)
    given = words(folder, "--samples", str(10**11), "--jobs", "1")
    with subprocess.Popen(
        [sys.executable, "-m", "rchw.cli", *map(str, given)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            while "samples, " not in said:
                assert process.poll() is None, said
                said = process.stderr.readline()
            assert "of 100,000,000,000 samples, " in said and "s left" in said
            (program,) = folder.glob("out/.part-*/soak/simulator")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 2 and out == ""
    assert err.splitlines()[-1] == "error: interrupted, and nothing earlier was changed"
    assert contents(folder) == before and not list(folder.rglob(".*"))
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert str(program) not in listed.stdout
