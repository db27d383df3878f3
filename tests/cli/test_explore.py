"""`explore` as it is called: files, the same front again, and one sentence for what is wrong."""

import csv
import html
import io
import json
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rchw.cli import main
from rchw.codesign.estimate import estimate
from rchw.document import load
from tests.cli.command_line import call, contents, refused, small_series
from tests.codesign.resume import stored
from tests.codesign.test_engine import wait_for

Capture = pytest.CaptureFixture[str]
SPACE = ("--board", "icebreaker", "--input-columns", "x", "--reservoirs", "cycle,integer",
         "--units", "6..10", "--readout-bits", "8", "--output-bits", "8,12", "--lanes", "1,2",
         "--workers", "1", "--budget", "10")  # fmt: skip


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explored")
    data = small_series(folder / "small.csv")
    words = ["explore", str(data), *SPACE, "--objective", "nmse,cells,energy", "-o"]
    assert main([*words, str(folder / "out")]) == 0
    return folder


def again(folder: Path, *more: str) -> tuple[str | Path, ...]:
    """Words of the same search, and more."""
    objective = ("--objective", "nmse,cells,energy")
    return ("explore", folder / "small.csv", *SPACE, *objective, *more, "-o", folder / "out")


def test_everything_is_in_the_folder(explored: Path, capsys: Capture) -> None:
    out = explored / "out"
    record = json.loads((out / "front.json").read_text())
    names = [entry["name"] for entry in record["front"]]
    assert {path.name for path in out.iterdir()} == {
        "footprint.json", "front.json", "index.html", "trials.csv", "trials.jsonl",
        *(f"{n}.json" for n in names),
    }  # fmt: skip
    page = (out / "index.html").read_text()
    for entry in record["front"]:
        assert entry["name"] in page and f"{entry['test_error']:.4g}" in page
        assert entry["figures"]["energy"] > 0
        design = json.loads((out / f"{entry['name']}.json").read_text())
        assert design["name"] == entry["name"]
        assert design["provenance"]["split_sha256"] == record["task"]["split_sha256"]
    assert "http" not in page.replace("http://www.w3.org", "") and str(explored) not in page
    assert set(record["floors"]) == {"persistence", "linear", "quadratic_ring", "volterra", "nvar"}
    best = out / f"{names[0]}.json"
    assert call(capsys, "verilog", best, "-o", explored / "verilog", "--json").code == 0
    ran = call(capsys, "run", best, explored / "small.csv", "--input-columns", "x", "--json")
    assert ran.code == 0, ran


def test_the_footprint_is_that_of_all_trials(explored: Path, capsys: Capture) -> None:
    """Asked for again, nothing is computed again, and only the factors differ."""
    lines = (explored / "out" / "trials.jsonl").read_text().splitlines()[1:]
    seconds = sum(json.loads(line)["result"]["processor_seconds"] for line in lines)
    first = json.loads((explored / "out" / "footprint.json").read_text())
    assert first["processor_seconds"] == pytest.approx(seconds) and seconds > 0
    assert first["grams"] == pytest.approx(seconds * first["watts"] / 3.6e6 * 475)
    record = call(capsys, *again(explored, "--region", "france", "--pue", "1.5", "--json")).record
    spent = record["footprint"]
    assert spent["processor_seconds"] == first["processor_seconds"]
    assert spent["grams"] == pytest.approx(first["grams"] * 1.5 * 56 / 475)
    refused(capsys, again(explored, "--pue", "0.5"), "PUE must be at least 1 and finite, not 0.5")
    refused(capsys, again(explored, "--region", "x"), "region must be one of world, austria")
    assert call(capsys, *again(explored)).code == 0  # as it was


def test_the_table_holds_every_design(explored: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((explored / "out" / "trials.csv").read_text())))
    record = json.loads((explored / "out" / "front.json").read_text())
    designs = [row for row in rows if not row["refused"]]
    assert len(designs) == record["designs"] and len(rows) == len(designs) + record["refused"]
    chosen = {(int(row["trial"]), float(row["error"])) for row in rows if row["front"] == "1"}
    assert {(e["trial"], e["figures"]["error"]) for e in record["front"]} == chosen
    assert {row["fidelity"] for row in designs} == {"short", "full"}


def test_it_is_said_of_every_design_in_what_its_estimate_extrapolates(
    explored: Path, capsys: Capture
) -> None:
    """In record, table and page as the estimator says it of the design that was written."""
    out = explored / "out"
    rows = csv.DictReader(io.StringIO((out / "trials.csv").read_text()))
    table = {(int(row["trial"]), row["squares"], row["output_bits"]): row["extrapolates"]
             for row in rows if row["front"] == "1"}  # fmt: skip
    page = html.unescape((out / "index.html").read_text())
    front = json.loads((out / "front.json").read_text())["front"]
    for entry in front:
        told = entry["extrapolates"]
        assert told == list(
            estimate(load(out / f"{entry['name']}.json"), "icebreaker").extrapolates
        )
        options = entry["options"]
        key = entry["trial"], str(options["squares"]), str(options["output_bits"])
        assert table[key] == "; ".join(told)
        assert (f"<td>{entry['name']}</td><td>{'; '.join(told)}</td>" in page) == bool(told)
    guessed = sum(bool(entry["extrapolates"]) for entry in front)
    words = call(capsys, *again(explored)).out.split()
    assert f"{guessed} of {len(front)} outside of the calibration" in " ".join(words)
    assert guessed  # of so few units; what lies inside: tests/report/test_front.py


def test_the_same_command_gives_the_same_files(explored: Path, capsys: Capture) -> None:
    before = contents(explored / "out")
    done = call(capsys, *again(explored), "--json")
    assert done.code == 0 and contents(explored / "out") == before
    written = json.loads(before["front.json"])
    assert {key: done.record[key] for key in written} == written


def test_the_page_has_the_whole_command(explored: Path) -> None:
    """All that the result depends on, as it was asked for."""
    page = html.unescape((explored / "out" / "index.html").read_text())
    (line,) = re.findall(r"<pre>(rchw explore .*)", page)
    asked = shlex.split(line)
    assert asked[:3] == ["rchw", "explore", "small.csv"] and asked[-2:] == ["-o", "DIR"]
    given = [str(word) for word in again(explored)[2:-2]]
    where = given.index("--workers")  # changes nothing
    assert sorted(asked[3:-2]) == sorted(given[:where] + given[where + 2 :])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupted_search_goes_on(
    workers: str, explored: Path, tmp_path: Path, capsys: Capture
) -> None:
    """Ctrl-C in the middle: exit code 2 and one sentence, and then the same front."""
    wanted = json.loads((explored / "out" / "front.json").read_text())
    words = ["explore", str(explored / "small.csv"), *SPACE, "--objective", "nmse,cells,energy"]
    words += ["--workers", workers, "--budget", str(wanted["trials"]), "-o", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "rchw.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        wait_for(lambda: stored(tmp_path) >= 3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300)
    assert process.returncode == 2 and not out
    assert err.splitlines()[-1] == "error: interrupted, and nothing earlier was changed"
    assert "Traceback" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"trials.jsonl"}
    assert call(capsys, *words).code == 0
    assert json.loads((tmp_path / "front.json").read_text()) == wanted


WRONG = {
    "--board breadboard": "board must be one of",
    "--objective nmse,size": "objective must be one of error, cells",
    "--objective nmse,nmse": "objectives must be distinct",
    "--at-most cells": "limits must be such as cells=5000,nmse=0.1, not 'cells'",
    "--at-most size=3": "what is limited must be one of error, cells",
    "--at-most cells=-3": "limit of cells must be above 0 and finite, not -3",
    "--at-most rate=5": "limit must be of an objective that is to be small, not rate",
    "--at-most cells=1,cells=2": "limits must be one of each objective, not cells, cells",
    "--rate 0": "rate must be above 0 and finite, not 0",
    "--units 9..3": "units must ascend, from 1 to 4096 at most, not 9, 3",
    "--lanes 1,x": "lanes must be whole numbers such as 8,12, not '1,x'",
    "--reservoirs ring": "reservoir must be one of cycle",
    "--engine slurm": "engine must be one of local, ray, not 'slurm'",
    "--optimiser bayes": "optimiser must be one of tpe, nsga2, random, not 'bayes'",
    "--optimiser random": "trials.jsonl must hold trials of this search, but its optimiser",
    "--readout-adders 5,x": "readout adders must be whole numbers such as 8,12, not '5,x'",
    "--readout-adders 9,3": "readout adders must ascend, from 0 to 1000000 at most, not 9, 3",
    "--mixed-bits": "mixed bits must be left out for one output",
    "--adapt hebb": "rule of adaptation must be one of intrinsic-plasticity",
    "--signs even": "signs must be one of auto, pi, random, not 'even'",
    "--bounded 9": "trials.jsonl must hold trials of this search, but its space bounded",
    "--readout-nonzeros 9": "trials.jsonl must hold trials of this search, but its space",
    "--address auto": "address must be left out for engine local, not auto",
    "--workers 0": "workers must be from 1 to 1024, not 0",
    "--budget 0": "budget must be from 1 to 100000, not 0",
    "--seed 1": "trials.jsonl must hold trials of this search, but its",
    "--at-most cells=3": "trials.jsonl must hold trials of this search, but its limits",
    "--board ulx3s-85f --objective nmse": "trials.jsonl must hold trials of this search",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_is_wrong_is_told_in_one_sentence(words: str, explored: Path, capsys: Capture) -> None:
    before = contents(explored / "out")
    refused(capsys, again(explored, *words.split()), WRONG[words])
    assert contents(explored / "out") == before


def test_limits_that_nothing_meets(explored: Path, tmp_path: Path, capsys: Capture) -> None:
    words = ("explore", explored / "small.csv", *SPACE, "-o", tmp_path / "a", "--at-most")
    refused(capsys, (*words, "cells=3"), "no trial could be evaluated; of the first: cells must be")
    words = (*words[:-2], tmp_path / "b", "--at-most")
    refused(capsys, (*words, "cells=9000,nmse=1e-9"), "no design keeps to the limits of")


def test_a_missing_optimiser_is_named(explored: Path) -> None:
    """As where the extra is not installed."""
    code = (
        "import sys; sys.modules['optuna'] = None\n"
        "from rchw.cli import main\n"
        f"sys.exit(main({[str(w) for w in again(explored)]!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "optuna is missing: install it with `pip install 'rchw[codesign]'`" in done.stderr


def test_a_larger_budget_takes_away_what_is_beaten(explored: Path, capsys: Capture) -> None:
    done = call(capsys, *again(explored, "--budget", "20"))
    assert done.code == 0 and "on the front" in done.err and "as estimated" in done.out
    record = json.loads((explored / "out" / "front.json").read_text())
    names = {entry["name"] for entry in record["front"]}
    found = {path.stem for path in (explored / "out").glob("trial_*.json")}
    assert found == names
