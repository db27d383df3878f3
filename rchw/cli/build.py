"""The commands that make circuits: ``verilog build report demo``."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from rchw.cli.console import Outcome, Screen, pairs
from rchw.cli.options import Json
from rchw.cli.shown import errors_table
from rchw.cli.verify import verify_shown
from rchw.devices import board as find_board
from rchw.document import load
from rchw.errors import DesignError
from rchw.files import check_folder
from rchw.process import check_timeout

__all__ = ["build_command", "demo_command", "report_command", "verilog_command"]

_DesignFile = Annotated[Path, typer.Argument(metavar="DESIGN.json")]


def verilog_command(
    design_file: _DesignFile,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the package.")],
    samples: Annotated[int, typer.Option(help="Golden vectors.")] = 256,
    seed: Annotated[int, typer.Option(help="Of the golden vectors.")] = 1,
    as_json: Json = False,
) -> Outcome:
    """Write NAME.v with a test bench, a FuseSoC core, constraints and golden vectors."""
    from rchw.boards.package import write_package

    check_folder(output)
    design = load(design_file)
    with Screen(as_json).step(f"writing the Verilog of {design.name}") as say:
        record = write_package(design, output, samples=samples, seed=seed, progress=say)
    return Outcome(record, [pairs({"written": str(output), "digest": record["digest"]})])


def _seeds(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(re.fullmatch(r"\d{1,10}", part) and int(part) < 1 << 31 for part in parts):
        raise DesignError(
            f"seeds must be numbers below 2**31 separated by commas, not {text[:60]!r}"
        )
    return tuple(int(part) for part in parts)


def build_command(
    design_file: _DesignFile,
    board: Annotated[str, typer.Option(help="See `rchw boards`.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    seeds: Annotated[str, typer.Option(help="Of the placer, by commas.")] = "1",
    native: Annotated[
        bool, typer.Option("--native", help="Use a yosys on PATH if it is new enough.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds for one run of the placer.")] = 600.0,
    self_test: Annotated[
        bool, typer.Option("--self-test", help="The board tests the design by itself.")
    ] = False,
    as_json: Json = False,
) -> Outcome:
    """Synthesise, place, route and pack a bitstream for a board."""
    from rchw.boards.of_design import build_design

    find_board(board)
    numbers = _seeds(seeds)
    check_timeout(timeout)
    check_folder(output)
    design = load(design_file)
    with Screen(as_json).step(f"building {design.name} for {board}") as say:
        record = build_design(
            design, board, output, seeds=numbers, self_test=self_test, native=native,
            timeout=timeout, progress=say,
        )  # fmt: skip
    return Outcome(record, [pairs(build_facts(record) | {"written": str(output)})])


def build_facts(record: dict[str, Any]) -> dict[str, str]:
    """Collect what place-and-route says, by resource."""
    used, capacity, clock = record["used"], record["capacity"], record["clock"]
    facts = {"board": f"{record['board']} ({record['device']})"}
    for key, word in (("cells", "cells"), ("block_ram", "block RAM"), ("dsp", "DSP")):
        if key in used:
            facts[word] = f"{used[key]} of {capacity[key]}"
    facts["maximum clock"] = f"{clock['median_mhz']:g} MHz"
    facts["samples per second"] = f"{record['samples_per_second']['at_median_clock']:,}"
    return facts | {"bitstream": record["bitstream"]["file"], "digest": record["digest"]}


def report_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the records are.")],
    as_json: Json = False,
) -> Outcome:
    """Draw report.html from the records in a folder."""
    from rchw.report import write_report

    with Screen(as_json).step("drawing the report"):
        path = write_report(folder)
    record = {"kind": "report-page", "version": 1, "file": str(path)}
    return Outcome(record, [pairs({"written": str(path)})])


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder.")] = Path("build/demo"),
    as_json: Json = False,
) -> Outcome:
    """Laser data to a verified bitstream, and a page that explains it."""
    from rchw.demo import run_demo

    check_folder(output)
    record = run_demo(output, Screen(as_json))
    passed = record["verify"]["verdict"] == "pass" and record["rtl"]["identical"]
    shown: list[RenderableType] = [
        errors_table(record["train"], [("RTL", record["rtl"]["error"])]),
        *verify_shown(record["verify"], output / "verify")[:2],
        *(pairs(build_facts(build)) for build in record["builds"]),
        pairs({"page": record["page"]}),
    ]
    return Outcome(record, shown, passed=passed)
