"""The command ``estimate``: what a design takes on the boards, without building it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from rchw.cli.console import Outcome, pairs, table
from rchw.cli.options import Json
from rchw.devices import board as find_board
from rchw.document import digest, load

if TYPE_CHECKING:
    from rchw.codesign.estimate import Estimate

__all__ = ["estimate_command"]


def estimate_command(
    design_file: Annotated[Path, typer.Argument(metavar="DESIGN.json")],
    board: Annotated[str | None, typer.Option(help="See `rchw boards`; all if not given.")] = None,
    as_json: Json = False,
) -> Outcome:
    """Predict cells, RAM, DSP, clock, rate and energy of a design, in milliseconds."""
    from rchw.codesign.estimate import estimate

    if board is not None:
        find_board(board)
    design = load(design_file)
    found = estimate(design) if board is None else (estimate(design, board),)
    record: dict[str, Any] = {
        "kind": "estimate",
        "version": 1,
        "name": design.name,
        "digest": digest(design),
        "boards": [asdict(one) for one in found],
    }
    columns = [
        "board", "device", ">cells", ">LUT", ">FF", ">RAM", ">DSP", ">MHz", ">samples/s",
        ">J/sample", ">at 1 kS/s", "fits",
    ]  # fmt: skip
    first = found[0]
    shown: list[RenderableType] = [
        table(columns, [_row(one) for one in found], f"{design.name}, estimated"),
        pairs(
            {
                "clocks": f"{first.clocks} per sample, {first.latency_clocks} to its output",
                "what it is": "clocks, RAM and DSP are counted; cells (with the board's wrapper), "
                "LUT, FF and MHz are fitted to builds; energy is a model",
            }
        ),
        *_notes(found),
    ]
    return Outcome(record, shown)


def _row(one: "Estimate") -> list[str]:
    spent = (one.energy_per_sample, one.energy_when_slow)
    fast, slow = ("" if joules is None else f"{joules:.2g}" for joules in spent)
    fits = ("yes" if one.fits else "no") + ", extrapolated" * bool(one.extrapolates)
    return [
        one.board, one.device, str(one.cells), str(one.luts), str(one.flip_flops),
        str(one.block_rams), str(one.multipliers), f"{one.clock_hz / 1e6:.1f}",
        f"{one.samples_per_second:,.0f}", fast, slow, fits,
    ]  # fmt: skip


def _notes(found: "tuple[Estimate, ...]") -> list[RenderableType]:
    """What is short, and what the calibration has not seen, by board."""
    notes = {}
    for one in found:
        if one.why_not:
            notes[f"{one.board}: too small"] = "; ".join(one.why_not)
        if one.extrapolates:
            notes[f"{one.board}: extrapolated"] = "; ".join(one.extrapolates)
    return [pairs(notes)] if notes else []
