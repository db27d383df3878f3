"""The evidence of every design in the repository, and the table of it.

``python -m benchmarks.evidence`` makes each design of `benchmarks.evidence_designs`, holds it under
every check of `rchw` and gathers the records in ``build/evidence/NAME``. What they say goes to
``benchmarks/results/evidence/NAME.json`` as soon as it is known, and from these files alone comes
``benchmarks/evidence.md``. A check whose record is of today's design, Verilog, reference and tools
is not made again, so a run can be stopped at any time and goes on where it was; all of it takes
many hours. ``--only`` and ``--checks`` choose, ``--again`` makes what is chosen once more.
``--stale`` makes no check: it makes the designs and marks the results that are not of what is there
today. ``--page`` only makes the page. ``--fast`` is a rough look with few samples and mutants; it
writes to ``build/evidence-fast`` instead.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evidence_designs import ROOT, Listed, listed
from benchmarks.evidence_page import CHECKS, markdown
from rchw.design import Design
from rchw.document import save
from rchw.errors import RchwError, ToolError
from rchw.files import write_atomic
from rchw.process import run_program
from rchw.report.checks import Today
from rchw.report.kinds import numbers
from rchw.report.witnesses import write_evidence
from rchw.schedule import schedule

__all__ = ["Effort", "Work", "effort", "main", "read_results", "told"]

Entry = dict[str, Any]
FOLDER = ROOT / "benchmarks"
_HEADING = ("kind", "design", "digest", "verilog", "verilog_sha256", "reference_sha256", "tools",
            "verdict", "sentence")  # fmt: skip
_MORE = ("method", "family", "models", "netlist_sha256")  # of some kinds
_PROGRAMS = ("simulation", "soak", "coverage", "words")  # folders of what a check compiles


@dataclass(frozen=True)
class Effort:
    """How much is asked of the checks of a design.

    Attributes
    ----------
    soaked, mutants, netlist : int
        Samples of the soak, planted faults, samples of the longest phase under the netlist.
        Of mutants 0 where none are planted.
    family : str or None
        For which the netlist is made; None where it takes hours.
    """

    soaked: int
    mutants: int
    netlist: int
    family: str | None


def effort(design: Design, planted: bool) -> Effort:
    """What a design gets: more where its simulation is fast."""
    units, plan = design.n_units, schedule(design)
    soaked = 10_000_000 if plan.clocks < 10 else min(1_000_000, 10**9 // plan.clocks)
    if units <= 50:
        return Effort(soaked, 200 * planted, 500, "ecp5" if plan.parallel else "ice40")
    netlist = 300 if units <= 100 else 200
    return Effort(soaked, 100 * planted, netlist, None if plan.parallel else "ecp5")


def _words(kind: str, wanted: Effort, fast: bool) -> list[str] | None:
    """Options of the command that makes a check; None if the design has no such check."""
    less, fewer = (20, 1000) if fast else (1, 1)
    if kind in ("prove", "rules"):
        return ["prove"] if kind == "prove" else ["prove", "--rules"]
    if (kind == "netlist" and wanted.family is None) or (kind == "mutants" and not wanted.mutants):
        return None
    options = {
        "verify": [],
        "soak": ["--soak", "--samples", str(wanted.soaked // fewer)],
        "coverage": ["--coverage"],
        "netlist": ["--netlist", str(wanted.family), "--samples", str(wanted.netlist)],
        "mutants": ["--mutants", str(wanted.mutants // less)],
    }[kind]
    return ["verify", *options]


def told(record: Mapping[str, Any]) -> Entry:
    """What is stored of a record: its numbers, and all by which it can be found to be stale."""
    kept = {key: record[key] for key in (*_HEADING, *_MORE) if key in record}
    return kept | {"numbers": numbers(record)}


def read_results(folder: Path) -> dict[str, Entry]:
    """What is known of every design, by its key."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def _of_layers(numbers: Sequence[int]) -> int | str:
    """The number that all layers have, or that of each."""
    return numbers[0] if len(set(numbers)) == 1 else " + ".join(map(str, numbers))


class Work:
    """One design under the checks.

    Parameters
    ----------
    item : Listed
    records, results : Path
        Folders of the records and of what they say.
    """

    def __init__(self, item: Listed, records: Path, results: Path) -> None:
        self.design = item.make()
        self._effort = effort(self.design, item.planted)
        self.today = Today(self.design)
        self.folder = records / item.key
        self.file = results / f"{item.key}.json"
        layers = self.design.layers
        self.entry: Entry = {
            "place": item.place,
            "design": self.design.name,
            "digest": self.today.heading["digest"],
            "units": self.design.n_units,
            "lanes": _of_layers([layer.lanes for layer in layers]),
            "state_bits": _of_layers([layer.state.width for layer in layers]),
            "squares": any(block.kind == "squares" for block in self.design.blocks),
            "not_asked": [kind for kind in CHECKS if _words(kind, self._effort, False) is None],
        }
        self._save({})

    def _save(self, made: Entry) -> None:
        """Store what is known, with what has just been made; another run may do so as well."""
        known: Entry = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.entry["checks"] = known.get("checks", {}) | made
        for check in self.entry["checks"].values():
            check["stale"] = self._stale(check)
        write_atomic(self.file, json.dumps(self.entry, indent=1) + "\n")

    def _stale(self, check: Mapping[str, Any]) -> list[str]:
        return [found["what"] for found in self.today.differences(self.file, check)]

    def is_current(self, kind: str) -> bool:
        """Whether a check has a result that is of what is there today."""
        check = self.entry["checks"].get(kind)
        return check is not None and not check["stale"] and check["verdict"] != "none"

    def make(self, kind: str, seconds: float, fast: bool) -> None:
        """Make a check and store what it says."""
        words = _words(kind, self._effort, fast)
        if words is None:
            return
        place = self.folder / kind
        save(self.design, self.folder / f"{self.design.name}.json")
        for record in place.glob("*.json"):
            record.unlink()
        failed: str | None = None
        # Not -m alone: the folder would be searched for modules, and others in it have such names.
        command = ["-P", "-m", "rchw.cli", words[0], f"{self.design.name}.json", *words[1:]]
        log = self.folder / f"{kind}.log"
        try:
            run_program(
                f"rchw {words[0]}", Path(sys.executable), [*command, "-o", kind],
                cwd=self.folder, log=log, timeout=seconds,
            )  # fmt: skip
        except ToolError as error:  # of a check that failed there is a record
            failed = str(error).replace(f"{self.folder}/", "")
        made = {json.loads(path.read_text()).get("kind"): path for path in place.glob("*.json")}
        if kind in made:
            check = told(json.loads(made[kind].read_text()))
        else:
            check = {key: self.today.heading[key] for key in _HEADING[1:-2]}
            check |= {"kind": kind, "verdict": "none", "sentence": failed, "numbers": {}}
        self._save({kind: check})
        for name in _PROGRAMS:
            for path in [*place.rglob(name)]:
                shutil.rmtree(path, ignore_errors=True)

    def gather(self) -> None:
        """Write the page of the records that are there."""
        try:
            write_evidence(self.folder)
        except RchwError as error:
            print(f"{self.folder.name}: no page: {error}", flush=True)


def _chosen(only: Sequence[str]) -> list[Listed]:
    items = listed()
    if not only:
        return items
    found = [item for item in items if any(part in item.key for part in only)]
    if not found:
        raise SystemExit(f"only must be part of a name of the list, not {', '.join(only)}")
    return found


def main() -> None:
    """Make what is missing, store it, and write the page after every design."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", action="append", default=[], help="part of a name of the list")
    parser.add_argument("--checks", default=",".join(CHECKS), help="kinds, separated by commas")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds for one check")
    parser.add_argument("--again", action="store_true", help="make what is there once more")
    parser.add_argument("--stale", action="store_true", help="mark what is stale, make no check")
    parser.add_argument("--page", action="store_true", help="only make the page")
    parser.add_argument("--fast", action="store_true", help="few samples and mutants")
    given = parser.parse_args()
    wanted = [kind for kind in given.checks.split(",")]
    if not set(wanted) <= set(CHECKS):
        parser.error(f"checks must be of {', '.join(CHECKS)}, not {given.checks}")
    records = ROOT / "build" / ("evidence-fast" if given.fast else "evidence")
    out = records if given.fast else FOLDER
    results = out / "results" / "evidence"
    for item in () if given.page else _chosen(given.only):
        work = Work(item, records, results)
        for kind in () if given.stale else wanted:
            if work.is_current(kind) and not given.again:
                continue
            work.make(kind, given.limit, given.fast)
            check = work.entry["checks"].get(kind)
            said = "not asked" if check is None else f"{check['verdict']} {check['sentence'] or ''}"
            print(f"{item.key}: {kind} {said}", flush=True)
        if not given.stale:
            work.gather()
        _write_page(out, results)
    _write_page(out, results)


def _write_page(out: Path, results: Path) -> None:
    places = {item.key: item.place for item in listed()}
    write_atomic(out / "evidence.md", markdown(places, read_results(results)))


if __name__ == "__main__":
    main()
