"""The command ``reproduce``: published figures of physical reservoirs, with their verdicts."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import Json
from rchw.files import check_folder

__all__ = ["reproduce_command", "reproduced_table"]


def reproduce_command(
    figures: Annotated[
        list[str] | None, typer.Argument(metavar="[FIGURE]...", help="Names; all without.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder for the record.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only say what there is.")] = False,
    as_json: Json = False,
) -> Outcome:
    """Run published figures of physical reservoirs: target, band, ours, baselines, verdict."""
    from rchw.lab.reproduce import chosen_figures, reproduce

    if output is not None:
        check_folder(output)
    chosen = chosen_figures(figures or ())
    if listed:
        entries = [{"name": f.name, "title": f.title, "target": f.target} for f in chosen]
        rows = [[f.name, f.title, f.target, str(f.band)] for f in chosen]
        heads = ["figure", "what", "published", "accepted"]
        found = {"kind": "figures", "version": 1, "figures": entries}
        return Outcome(found, [table(heads, rows)])
    result = reproduce(chosen, Screen(as_json))
    record = dict(result.record)
    shown = [reproduced_table(record)]
    if output is not None:
        record["written"] = str(result.write(output))
        shown.append(pairs({"written": record["written"]}))
    return Outcome(record, shown, passed=not result.missed)


def reproduced_table(record: dict[str, Any]) -> Table:
    """One row per figure."""
    rows = []
    for each in record["figures"]:
        if each["verdict"] == "not run":
            rows.append([each["name"], each["target"], each["band"], "-", "-", "-", "not run"])
            continue
        noisy = "-" if each["noisy"] is None else f"{each['noisy']:.4g} ({each['noise']})"
        floors = ", ".join(
            f"{name} {value:.4g}" for name, value in each["baselines"].items() if value is not None
        )
        ours = "-" if each["ours"] is None else f"{each['ours']:.4g}"
        rows.append(
            [each["name"], f"{each['quantity']}: {each['target']}", each["band"], ours, noisy,
             floors or "-", each["verdict"]]
        )  # fmt: skip
    heads = ["figure", "published", "accepted", ">ours", "with noise", "without reservoir", ""]
    return table(heads, rows)
