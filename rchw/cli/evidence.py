"""The command that gathers what was checked: ``evidence``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import Json

__all__ = ["evidence_command", "evidence_shown"]


def evidence_command(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the design and the records are.")
    ],
    as_json: Json = False,
) -> Outcome:
    """Tell on one page what was checked of a design, what is stale and what is missing."""
    from rchw.report.witnesses import write_evidence

    with Screen(as_json).step("gathering the evidence"):
        record = write_evidence(folder)
    return Outcome(record, evidence_shown(record, folder), passed=record["verdict"] == "pass")


def evidence_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """Table of the checks, then what is wrong and what is missing."""
    from rchw.report.witnesses import complaint, count

    rows = [
        [
            check["kind"], check["file"], check["status"].upper(),
            count(check["numbers"]["seed"]), count(check["numbers"]["seconds"]),
        ]
        for check in record["checks"]
    ]  # fmt: skip
    rows += [["", entry["file"], entry["status"].upper(), "", ""] for entry in record["packages"]]
    shown: list[RenderableType] = [table(["check", "record", "", ">seed", ">seconds"], rows)]
    wrong = {
        entry["file"]: complaint(entry)
        for entry in (*record["checks"], *record["packages"])
        if entry["status"] != "pass"
    }
    missing = {f"no {entry['kind']}": entry["command"] for entry in record["missing"]}
    told = {"digest": record["digest"], "written": str(folder / "evidence.html")}
    if record["left_out"]:
        told["left out"] = ", ".join(record["left_out"])
    return [*shown, *(pairs(part) for part in (wrong, missing, told) if part)]
