"""Help for the tests of the evidence: a folder with a record of every kind, made without checks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rchw.boards.netlist import model_hashes
from rchw.document import save
from rchw.hdl.emit import write_verilog
from rchw.sim.record import heading, versions
from tests.examples import EXAMPLE
from tests.report.test_report import read as read_page

__all__ = ["NUMBERS", "change", "every_kind", "flip", "read", "status", "words_of"]

_PHASE = {"name": "plain", "samples": 300, "checked": 299, "resets": 4}
_RAILS = [{"status": "hit"}, {"status": "hit"}, {"status": "not reachable"}]
NUMBERS: dict[str, dict[str, Any]] = {
    "verify": {
        "samples": 666, "checked": 651, "phases": [_PHASE, _PHASE], "rails": _RAILS,
        "clocks_formula": 7,
    },
    "icarus": {
        "samples": 606, "checked": 601, "phases": [_PHASE], "clocks_formula": 7,
    },
    "prove": {
        "proof": "proved", "moments": 9299, "asked": 12, "repeated": 138, "latency": 17,
        "witness": {"met": 12, "moments": 12},
        "planted": {"fault": "bit 9 of total stuck at 0", "proof": "refuted"},
    },
    "rules": {
        "proof": "proved", "rules": {"stays": {"proof": "proved"}, "once": {"proof": "proved"}},
        "tasks": {"beats": {"clauses": 70}, "period": {"clauses": 7}}, "control_states": 0,
        "planted": {"fault": "m_axis_tvalid is stuck at 1", "proof": "refuted"},
    },
    "soak": {
        "samples": 20000, "checked": 20042, "blocks": 7, "audited": 19999, "resets": 8,
        "samples_per_second": 704851, "input": None,
    },
    "netlist": {
        "target": "ecp5", "family": "ecp5", "device": "LFE5U-25F", "resources": {"block_ram": 3},
        "cells": {"$scopeinfo": 4, "LUT4": 1200, "TRELLIS_FF": 34}, "samples": 555, "checked": 554,
        "phases": [_PHASE], "models": model_hashes("ecp5"), "netlist": "example_netlist.v",
    },
    "mutants": {
        "made": 200, "caught": {"soak": 180, "proof": 14}, "equivalent": 6, "missed": [],
        "by": {"code": 180, "proof": 13, "step": 1}, "samples": {"quick": 4096, "long": 9000},
    },
    "coverage": {
        "longest": 300, "line": {"points": 7, "hit": 7}, "branch": {"points": 8, "hit": 7},
        "toggle": {"points": 4321, "hit": 1234},
        "cases": [
            {"case": "a", "status": "hit"}, {"case": "a tie", "status": "hole"},
            {"case": "b", "status": "not possible"},
        ],
    },
}  # fmt: skip
_PACKAGES = {"prove": ["z3-solver"], "verify": ["cocotb"]}


def every_kind(folder: Path) -> None:
    """Write ``example.json``, and per kind a folder with its record and the Verilog."""
    save(EXAMPLE, folder / "example.json")
    (folder / "rtl").mkdir(parents=True)
    made = write_verilog(EXAMPLE, folder / "rtl")
    (folder / "rtl/example.core").write_text("CAPI=2:\n")
    for seed, (kind, numbers) in enumerate(NUMBERS.items(), 1):
        (folder / kind).mkdir()
        verilog = folder / kind / made.name
        verilog.write_bytes(made.read_bytes())
        tools = versions(_PACKAGES.get(kind, []), [] if kind == "prove" else ["c++"])
        record = heading(kind, EXAMPLE, verilog, tools, seed)
        record |= {"verdict": "pass", "sentence": None, **numbers, "seconds": 10.5 + seed}
        (folder / kind / f"{kind}.json").write_text(json.dumps(record))


def read(path: Path) -> dict[str, Any]:
    """Record in a file."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def change(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    """Edit a record in place."""
    record = read(path)
    edit(record)
    path.write_text(json.dumps(record))


def _other(character: str) -> str:
    return "0" if character != "0" else "1"


def flip(key: str) -> Callable[[dict[str, Any]], None]:
    """Change one character of an entry."""

    def edit(record: dict[str, Any]) -> None:
        record[key] = record[key][:-1] + _other(record[key][-1])

    return edit


def words_of(folder: Path) -> str:
    """Words of the page, separated by single spaces."""
    page = (folder / "evidence.html").read_text()
    return " ".join(" ".join(read_page(page).text).split())


def status(record: dict[str, Any]) -> dict[str, str]:
    """Status of every check by its file."""
    return {check["file"]: check["status"] for check in record["checks"]}
