"""The command ``compare``: reservoirs of all kinds on one task, in one table and one picture."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.emulate import joules
from rchw.cli.options import (
    Horizon,
    InputColumns,
    Json,
    Split,
    TargetColumns,
    Washout,
    parse_split,
)
from rchw.errors import DesignError
from rchw.files import check_folder

__all__ = ["compare_command", "parse_range"]

_MOST = 500  # values of a range
_NUMBER = r"[+-]?\d+(?:\.\d+)?"


def parse_range(text: str, what: str, step: float) -> tuple[float, ...]:
    """Numbers of ``4..12``, ``20..60:10`` or ``4,6,8``; from the lower end up to the upper one.

    Raises
    ------
    DesignError
        If it is none of these, or has too many numbers.

    >>> parse_range("4..10", "bits", 2.0), parse_range("20,30.5", "dB", 10.0)
    ((4.0, 6.0, 8.0, 10.0), (20.0, 30.5))
    """
    found = re.fullmatch(rf"({_NUMBER})\.\.({_NUMBER})(?::({_NUMBER}))?", text.strip())
    if found:
        low, high = float(found[1]), float(found[2])
        by = step if found[3] is None else float(found[3])
        if low <= high and by > 0 and (high - low) / by < _MOST:
            return tuple(low + by * k for k in range(int((high - low) / by + 1e-9) + 1))
    elif re.fullmatch(rf"{_NUMBER}(?:\s*,\s*{_NUMBER}){{0,{_MOST}}}", text.strip()):
        return tuple(float(part) for part in text.split(","))
    raise DesignError(
        f"{what} must be numbers such as 4,6,8 or a rising range such as 4..12 or 4..12:2, not "
        f"{text[:60]!r}"
    )


def _whole(values: Sequence[float], what: str) -> tuple[int, ...]:
    for value in values:
        if value % 1:
            raise DesignError(f"{what} must be whole numbers, not {value:g}")
    return tuple(int(value) for value in values)


def compare_command(
    task: Annotated[str, typer.Option(help="A task (see `rchw tasks`) or a .csv/.npy/.npz.")],
    reservoirs: Annotated[
        str, typer.Option(help="NODE or NODE:PRESET, by commas; see `rchw nodes`.")
    ] = "integer-cycle,cycle,memristive,photonic-ikeda,spintronic",
    adc_bits: Annotated[str, typer.Option(help="4..12, 4..12:2 or 4,6,8.")] = "4..12:2",
    snr_db: Annotated[str, typer.Option(help="20..60 (by 10), 20..60:20 or 20,40.")] = "20..60:20",
    units: Annotated[int, typer.Option(help="States of every reservoir, or nearly.")] = 100,
    runs: Annotated[int, typer.Option(help="Seeds; errors are means over them.")] = 1,
    tune: Annotated[
        bool, typer.Option("--tune/--no-tune", help="Choose on validation samples.")
    ] = True,
    horizon: Horizon = None,
    washout: Washout = None,
    split: Split = None,
    input_columns: InputColumns = None,
    target_columns: TargetColumns = None,
    seed: Annotated[int, typer.Option(help="Of the series, and the first of the runs.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder: table, record, picture.")
    ] = None,
    as_json: Json = False,
) -> Outcome:
    """Put reservoirs of all kinds on one task, with the same readout, noise and converters."""
    from rchw.lab.compare import CompareOptions, compare
    from rchw.tasks import load_task

    if output is not None:
        check_folder(output)
    options = CompareOptions(
        reservoirs=tuple(name.strip() for name in reservoirs.split(",")),
        bits=_whole(parse_range(adc_bits, "ADC bits", 1.0), "ADC bits"),
        decibels=parse_range(snr_db, "signal-to-noise ratios", 10.0),
        units=units,
        runs=runs,
        seed=seed,
        tune=tune,
    )
    data = load_task(
        task, horizon=horizon, washout=washout, split=parse_split(split), seed=seed,
        input_columns=input_columns, target_columns=target_columns,
    )  # fmt: skip
    result = compare(data, options, Screen(as_json))
    record = dict(result.record)
    facts = {}
    if output is not None:
        record["written"] = [str(path) for path in result.write(output)]
        facts["written"] = ", ".join(record["written"])
    floors = ", ".join(
        f"{name} {value:.4g}" for name, value in record["floors"].items() if value is not None
    )
    facts = {"floors": floors, "clipped": _clipped(record), "limited": _limited(record)} | facts
    return Outcome(record, [_compared(record), pairs(facts)])


def _clipped(record: dict[str, Any]) -> str:
    """Where the most readings lay outside the range of the converter."""
    share, name, noise, bits = max(
        (share, each["name"], entry["snr_decibels"], entry["adc_bits"])
        for each in record["reservoirs"]
        for entry in each["conditions"]
        if entry["adc_bits"] is not None
        for share in entry["clipped"]
    )
    if not share:
        return "no reading by an ADC"
    return f"at most {100 * share:.3g} % of the readings, of {name} at {noise:g} dB, {bits} bits"


def _limited(record: dict[str, Any]) -> str:
    """Inputs that the drives limit."""
    share, name = max((each["limited"], each["name"]) for each in record["reservoirs"])
    if not share:
        return "no input by a drive"
    return f"at most {100 * share:.3g} % of the inputs, by the drive of {name}"


def _compared(record: dict[str, Any]) -> Table:
    """One row per reservoir: at the least noise over bits, at the most bits over noise."""
    most, quiet = max(record["bits"]), max(record["snr_decibels"])
    wanted: list[tuple[float | None, float | None]] = [(None, None)]
    wanted += [(quiet, bits) for bits in _spread(sorted(record["bits"]))]
    wanted += [(noise, most) for noise in _spread(sorted(record["snr_decibels"])) if noise != quiet]
    heads = [">ideal" if bits is None else f">{noise:g} dB {bits} bit" for noise, bits in wanted]
    rows = []
    for each in record["reservoirs"]:
        by = {
            (entry["snr_decibels"], entry["adc_bits"]): entry["test"]
            for entry in each["conditions"]
        }
        cells = []
        for condition in wanted:
            errors = by[condition]
            known = None not in errors
            cells.append(f"{sum(errors) / len(errors):.4g}" if known else "-")
        rows.append([each["name"], str(each["units"]), *cells, joules(each["joules"])])
    task = record["task"]
    title = f"{task['name']}: {task['metric']} on the test samples" + (
        f", mean of {record['runs']} runs" if record["runs"] > 1 else ""
    )
    return table(["reservoir", ">N", *heads, ">J/sample"], rows, title)


def _spread(values: Sequence[float], most: int = 5) -> list[float]:
    """At most so many of them, from the lower end up to the upper one."""
    if len(values) <= most:
        return list(values)
    return [values[round(k * (len(values) - 1) / (most - 1))] for k in range(most)]
