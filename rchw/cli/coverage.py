"""``verify --coverage``: what a run comes to, and what it leaves out."""

from pathlib import Path
from typing import Any

from rich.console import RenderableType

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.design import Design

__all__ = ["coverage_outcome", "coverage_shown"]

_SHOWN = 20  # holes; the record has all
_BITS = 8  # of a signal, likewise


def coverage_outcome(
    design: Design, folder: Path, samples: int, seed: int, screen: Screen
) -> Outcome:
    """Run `rchw.sim.coverage.cover` and show its record."""
    from rchw.sim.coverage import cover

    with screen.step(f"covering {design.name}") as say:
        record = cover(design, folder, samples=samples, seed=seed, progress=say)
    return Outcome(record, coverage_shown(record, folder), passed=record["verdict"] == "pass")


def _bits(missed: list[str]) -> str:
    return " ".join(missed) if len(missed) <= _BITS else f"{len(missed)} toggles"


def coverage_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """Tables of the cases and of the first holes, and the counts."""
    cases = [
        [case["case"], f"{case['count']:,}", case["status"], case["reason"] or ""]
        for case in record["cases"]
    ]
    holes = [
        [f"{hole['module']}, line {hole['line']}", f"{hole['type']} {hole['what']}",
         _bits(hole["missed"])]
        for hole in record["holes"][:_SHOWN]
    ]  # fmt: skip
    facts = {
        "verdict": record["sentence"] or f"all {record['checked']:,} output beats are equal",
        **{
            name: f"{record[name]['hit']:,} of {record[name]['points']:,} points hit"
            for name in ("line", "branch", "toggle")
        },
        "digest": record["digest"],
        "written": str(folder / "coverage.json"),
    }
    if len(record["holes"]) > _SHOWN:
        facts["not shown"] = f"{len(record['holes']) - _SHOWN:,} more holes, which the record has"
    shown: list[RenderableType] = [table(["case", ">count", "", "why"], cases)]
    if holes:
        shown.append(table(["never", "", "bits"], holes))
    return [*shown, pairs(facts)]
