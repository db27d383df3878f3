"""The command ``energy``: what a sample takes on a board, by a model, with counted activity."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import Json
from rchw.devices import board as find_board
from rchw.document import load
from rchw.errors import DesignError
from rchw.files import check_folder

__all__ = ["energy_command", "energy_shown", "joules"]

_PREFIXES = ((1e-3, "mJ"), (1e-6, "uJ"), (1e-9, "nJ"), (1e-12, "pJ"))


def energy_command(
    design_file: Annotated[Path, typer.Argument(metavar="DESIGN.json")],
    board: Annotated[str, typer.Option(help="See `rchw boards`.")],
    data: Annotated[
        Path | None,
        typer.Option(
            "--inputs", metavar="INPUT", help="A .csv, .npy or .npz file; drawn codes without it."
        ),
    ] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="The file of --inputs holds integer codes.")
    ] = False,
    input_columns: Annotated[
        str | None, typer.Option(help="Of the file of --inputs, as of `rchw run`.")
    ] = None,
    clock: Annotated[
        float | None,
        typer.Option(help="MHz that the circuit reaches; as estimated."),
    ] = None,
    samples: Annotated[int, typer.Option(help="That are sent.")] = 200,
    seed: Annotated[int, typer.Option(help="Of drawn codes.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder; build/NAME/energy-BOARD.")
    ] = None,
    native: Annotated[
        bool, typer.Option("--native", help="Use a yosys on PATH if it is new enough.")
    ] = False,
    as_json: Json = False,
) -> Outcome:
    """Estimate the energy of a sample, from what switches in the netlist; a model."""
    from rchw.cli.inputs import read_sequences
    from rchw.codesign.measured import energy_record

    target = find_board(board)
    if clock is not None and not 0 < clock < 1e6:
        raise DesignError(f"clock must be above 0 and below 1e6 MHz, not {clock:g}")
    if data is None and (codes or input_columns is not None):
        raise DesignError("codes and input columns must be left out without --inputs")
    design = load(design_file)
    folder = output or Path("build", design.name, f"energy-{board}")
    check_folder(folder)
    found, last = (None, None) if data is None else read_sequences(
        design, data, input_columns, codes
    )  # fmt: skip
    with Screen(as_json).step(f"counting what switches in {design.name} on {board}") as say:
        record = energy_record(
            design, target, folder, codes=found, last=last,
            inputs=None if data is None else data.name,
            clock_hz=None if clock is None else clock * 1e6, samples=samples, seed=seed,
            native=native, progress=say,
        )  # fmt: skip
    return Outcome(record, energy_shown(record, folder))


def joules(value: float) -> str:
    """Joules with three digits and a prefix.

    >>> joules(1.2345e-8)
    '12.3 nJ'
    """
    for unit, name in _PREFIXES:
        if value >= unit * 0.9995:
            return f"{value / unit:.3g} {name}"
    return f"{value / 1e-12:.3g} pJ"


def energy_shown(record: dict[str, Any], folder: Path) -> list[RenderableType]:
    """Table of the items at every rate, with the range of their sum."""
    entries = record["energy"]
    names = [item["name"] for item in entries["highest"]["items"]]
    rows = [
        [name, *(joules(_item(entry, name)["joules"]) for entry in entries.values()),
         _item(entries["highest"], name)["basis"]]
        for name in names
    ]  # fmt: skip
    rows.append(["sum", *(joules(entry["joules"]) for entry in entries.values()), "model"])
    for what in ("low", "high"):
        rows.append([f"sum, {what}", *(joules(entry[what]) for entry in entries.values()), ""])
    activity = record["activity"]
    facts = {
        "board": f"{record['board']} ({record['device']})",
        "samples per second": ", ".join(f"{entry['rate']:,.0f}" for entry in entries.values()),
        "clock": f"{record['clock_hz'] / 1e6:g} MHz, {record['clock_of']}",
        "counted": f"{activity['samples']} samples, {activity['clocks']} clocks, "
        f"{record['inputs']}",
        "label": record["label"],
        "digest": record["digest"],
        "written": str(folder / "energy.json"),
    }
    columns = ["per sample", *(f">{name}" for name in entries), "basis"]
    return [table(columns, rows), pairs(facts)]


def _item(entry: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in entry["items"] if item["name"] == name)
    return found
