"""The evidence of all designs: every one is listed, the page is the records', small ones proved."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from benchmarks import codesign, evidence, linear_floor, readme, readouts
from benchmarks.accuracy import TESTS
from benchmarks.evidence import Work, read_results, told
from benchmarks.evidence_designs import ROOT, Listed, from_text, listed, text_of
from benchmarks.evidence_page import CHECKS, markdown
from rchw.document import digest
from rchw.errors import DesignError
from rchw.report.checks import Today
from rchw.report.kinds import KINDS
from rchw.sim.prove.proof import prove
from rchw.train import evaluate
from rchw.train.budget import readout_facts
from tests.examples import EXAMPLE
from tests.report.records import every_kind
from tests.sim.pair import pair

ITEMS = {item.key: item for item in listed()}
PLACES = {key: item.place for key, item in ITEMS.items()}
KNOWN = read_results(evidence.FOLDER / "results" / "evidence")
PAGE = (evidence.FOLDER / "evidence.md").read_text(encoding="utf-8")
# The notebook proves the other one.
REFUSED = {"generators", "sequences"}  # large designs of kinds that most checks refuse so far
# What searches find, and trained designs whose own benchmark holds them to their Verilog or to the
# reference: none of them is in this table yet.
ELSEWHERE = {
    "adaptation",
    "energy",
    "estimator",
    "explore",
    "force_limits",
    "metrics",
    "peers",
    "power",
}
SMALL = ("notebook-twelve-parallel", "size-ring26w3")


def test_the_page_is_that_of_the_records() -> None:
    assert PAGE == markdown(PLACES, KNOWN)
    # Icarus is not on PyPI.
    assert set(CHECKS) == set(KINDS) - {"icarus"}


def test_every_design_has_its_row() -> None:
    assert len(ITEMS) == len(listed()) > 70
    for key, place in PLACES.items():
        assert PAGE.count(f"| {key} | {place} |") == 1
        assert (ROOT / place).is_file()
    assert set(KNOWN) <= set(ITEMS), "results of designs that are not there any more"


def test_the_list_has_the_designs_of_every_notebook_and_benchmark() -> None:
    """A new notebook or benchmark must say which designs it has."""
    shown = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    told = {Path(place).stem for place in PLACES.values() if place.startswith("notebooks/")}
    assert told == shown - {"1-first-reservoir"}, "no integers"
    pages = {path.stem for path in (ROOT / "benchmarks").glob("*.md")}
    told = {Path(place).stem for place in PLACES.values() if place.startswith("benchmarks/")}
    none = {"evidence", "nodes", "figures"}
    assert told == pages - none - REFUSED - ELSEWHERE, "these have no designs"


def test_faults_are_planted_in_designs_of_every_kind() -> None:
    planted = [KNOWN[key] for key, item in ITEMS.items() if item.planted]
    assert {min(entry["lanes"], 5) for entry in planted} >= {1, 2, 4, 5}
    assert {entry["state_bits"] for entry in planted} == {8, 16}
    assert {entry["squares"] for entry in planted} == {True, False}
    assert {entry["units"] for entry in planted} >= {4, 12, 40, 100}
    for key, entry in KNOWN.items():
        assert ("mutants" in entry["not_asked"]) is not ITEMS[key].planted


def test_designs_of_pages_are_those_that_the_pages_show() -> None:
    notebook = (ROOT / "notebooks" / "3-to-gates.ipynb").read_text()
    design = ITEMS["notebook-narma"].make()
    assert f"digest {digest(design)}" in notebook


def test_designs_made_from_records_are_those_of_the_records() -> None:
    """The same digest, or the same error on the first test stream."""
    found = json.loads((readouts.FOLDER / "results" / "readouts.json").read_text())
    row = next(row for row in found["circuits"]["rows"] if row["asked"] == 16)
    made = ITEMS["readouts-parallel-16-adders"].make()
    assert digest(made) == row["digest"] and readout_facts(made)["adders"] == [row["adders"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "record", "path"),
    [
        ("linear-floor-8-bits-gain", linear_floor.RESULTS, ("rows", "loop/8/gain")),
        ("codesign-1000-cells", codesign.RESULTS, ("searches", "all", "rows", "cells/1000")),
        ("codesign-16-bits", codesign.RESULTS, ("searches", "n200-16", "rows", "best")),
        ("codesign-8-bits", codesign.RESULTS, ("searches", "n200-8", "rows", "best")),
    ],
)
def test_other_designs_have_the_errors_of_their_records(
    key: str, record: Path, path: tuple[str, ...]
) -> None:
    wanted = json.loads(record.read_text(encoding="utf-8"))
    for part in path:
        wanted = wanted[part]
    task = codesign.STREAMS.load(TESTS[:1])[0]
    assert evaluate(ITEMS[key].make(), task)["error"] == pytest.approx(wanted["errors"][0])


@pytest.mark.slow
@pytest.mark.parametrize("kind", CHECKS)
def test_a_budgeted_readout_passes_every_check(kind: str, tmp_path: Path) -> None:
    """Also planted faults, and the netlist: adders that were left out are missed by nothing."""
    work = Work(ITEMS["readouts-parallel-16-adders"], tmp_path / "records", tmp_path / "results")
    work.make(kind, 1800.0, True)
    file = tmp_path / "results" / "readouts-parallel-16-adders.json"
    check = json.loads(file.read_text())["checks"][kind]
    assert check["verdict"] == "pass", check["sentence"]


@pytest.mark.slow
def test_the_demo_is_that_of_the_readme() -> None:
    assert digest(ITEMS["demo"].make()) == json.loads(readme.RESULTS.read_text())["digest"]


def test_only_what_a_design_depends_on_is_run() -> None:
    text = (
        "from tests.examples import EXAMPLE\nraise ValueError\nother = 1 / 0\n"
        "design = 1 / 0\ndesign = EXAMPLE\nrows = [1]\nrows += [design]\nprint(undefined)\n"
    )
    assert from_text(text, "design") is EXAMPLE
    assert from_text(text, "rows[1]") is EXAMPLE
    with pytest.raises(DesignError, match="rows must be a design, not list"):
        from_text(text, "rows")
    with pytest.raises(DesignError, match="has none"):
        text_of(ROOT / "CHANGELOG.md")


def stored(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results" / "pair.json").read_text())
    return found


def test_what_is_current_stays_and_what_is_not_is_told(tmp_path: Path) -> None:
    """A real check of two units: made once, then stale once its Verilog is another."""
    item = Listed("pair", "tests/sim/pair.py", pair)
    places = tmp_path / "records", tmp_path / "results"
    work = Work(item, *places)
    assert not work.is_current("prove")
    work.make("prove", 600.0, False)
    work.gather()
    check = stored(tmp_path)["checks"]["prove"]
    assert check["verdict"] == "pass" and check["numbers"]["proof"] == "proved"
    assert check["numbers"]["states of the control"] > 5 and check["stale"] == []
    assert (tmp_path / "records" / "pair" / "evidence.html").is_file()
    assert Work(item, *places).is_current("prove")
    shown = markdown({"pair": item.place}, {"pair": stored(tmp_path)})
    assert "| proved | pipeline |" in shown and "5 missing" in shown
    changed = Work(Listed("pair", "", lambda: EXAMPLE), *places)
    assert not changed.is_current("prove")
    stale = stored(tmp_path)["checks"]["prove"]["stale"]
    assert stale == ["the design", "the Verilog as it is emitted"]
    shown = markdown({"pair": item.place}, {"pair": stored(tmp_path)})
    assert "| **stale** | **stale** | **stale** |" in shown and "1 stale" in shown
    assert "* pair, prove: stale in the design, the Verilog as it is emitted." in shown


def test_a_failure_and_a_check_without_an_end_are_shown(tmp_path: Path) -> None:
    item = Listed("pair", "tests/sim/pair.py", pair)
    work = Work(item, tmp_path / "records", tmp_path / "results")
    work.make("soak", 0.2, False)
    check = stored(tmp_path)["checks"]["soak"]
    assert check["verdict"] == "none" and not work.is_current("soak")
    shown = markdown({"pair": item.place}, {"pair": stored(tmp_path)})
    assert "*no result*" in shown and "* pair, soak: rchw verify " in shown
    entry = deepcopy(stored(tmp_path))
    entry["checks"]["soak"] |= {"verdict": "fail", "sentence": "no", "numbers": {"samples": 9}}
    shown = markdown({"pair": item.place}, {"pair": entry})
    assert "**fail**: 9" in shown and "* pair, soak: no." in shown and "0 soaked" in shown


def test_what_is_stored_of_a_record_shows_that_it_is_stale(tmp_path: Path) -> None:
    """As the record itself does, whatever its kind."""
    every_kind(tmp_path)
    today = Today(EXAMPLE)
    for kind in CHECKS:
        path = tmp_path / kind / f"{kind}.json"
        record = json.loads(path.read_text())
        assert today.differences(path, told(record)) == []
        changes: dict[str, Any] = dict.fromkeys(
            ("digest", "verilog_sha256", "reference_sha256"), ""
        )
        changes |= {"tools": {"c++": "0"}, "models": {"DP16KD.v": "0"}}
        for key, value in changes.items():
            wrong = record | {key: value}
            found = today.differences(path, told(wrong))
            assert found == today.differences(path, wrong)
            assert bool(found) == (key != "models" or kind == "netlist"), (kind, key)


@pytest.mark.parametrize("key", SMALL)
def test_small_designs_are_proved(key: str, tmp_path: Path) -> None:
    assert prove(ITEMS[key].make(), tmp_path).verdict == "proved"


@pytest.mark.slow
@pytest.mark.parametrize("key", sorted(set(ITEMS) - set(SMALL)))
def test_every_other_design_is_proved(key: str, tmp_path: Path) -> None:
    """``pytest -m slow tests/test_evidence.py -k every_other``; it takes hours."""
    proof = prove(ITEMS[key].make(), tmp_path)
    assert proof.verdict == "proved", proof.sentence
