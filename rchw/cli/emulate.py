"""The command ``emulate``: one physical reservoir, emulated or recorded, on one task."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
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

__all__ = ["emulate_command", "joules", "settings_of"]


def settings_of(texts: Sequence[str], what: str) -> dict[str, float]:
    """Numbers by name of words NAME=NUMBER; `what` is the option, for the message.

    Raises
    ------
    DesignError
        If a word is another, or a name stands twice.
    """
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name.strip() in found:
            raise DesignError(f"{what} must name {name.strip()} once, not twice")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise DesignError(f"{what} must be NAME=NUMBER, not {text[:60]!r}") from None
    return found


def emulate_command(
    node: Annotated[
        str | None, typer.Argument(help="A node, such as memristive; see `rchw nodes`.")
    ] = None,
    task: Annotated[
        str, typer.Option(help="A task (see `rchw tasks`) or a .csv/.npy/.npz.")
    ] = "narma10",
    preset: Annotated[str | None, typer.Option(help="As somebody used it; the first.")] = None,
    measured: Annotated[
        Path | None,
        typer.Option(help="States recorded in a laboratory, a file or a folder, in its place."),
    ] = None,
    units: Annotated[int | None, typer.Option(help="Readings per sample; the preset's.")] = None,
    snr_db: Annotated[
        float | None, typer.Option(help="Noise of the readings, in dB below the signal; 40.")
    ] = None,
    adc_bits: Annotated[int, typer.Option(help="Of the converter behind the readings.")] = 8,
    dac_bits: Annotated[
        int | None, typer.Option(help="Of the converter before the device; exact.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=NUMBER: fix what else is tuned.")
    ] = None,
    spread: Annotated[
        list[str] | None,
        typer.Option(help="NAME=SHARE: devices differ in this parameter, normally distributed."),
    ] = None,
    tune: Annotated[
        bool, typer.Option("--tune/--no-tune", help="Choose on validation samples.")
    ] = True,
    horizon: Horizon = None,
    washout: Washout = None,
    split: Split = None,
    input_columns: InputColumns = None,
    target_columns: TargetColumns = None,
    seed: Annotated[int, typer.Option(help="Of series, mask, node and noise.")] = 0,
    lanes: Annotated[int, typer.Option(help="States per clock of the readout in an FPGA.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A folder: states, record, picture.")
    ] = None,
    as_json: Json = False,
) -> Outcome:
    """Put a physical reservoir, emulated or recorded, on a task; train its readout for an FPGA."""
    from rchw.lab.emulate import EmulateOptions, emulate, emulate_recorded
    from rchw.lab.measured import read_states
    from rchw.lab.trial import Condition
    from rchw.nodes import Variation
    from rchw.nodes.presets import node as find
    from rchw.tasks import load_task
    from rchw.train import ExternalOptions

    if node is None and measured is None:
        raise DesignError("node must be named, or states given by --measured")
    if node is not None and measured is not None:
        raise DesignError(f"node must be left out for --measured, not be {node!r}")
    if output is not None:
        check_folder(output)
    settings = settings_of(set_ or (), "set")
    spreads = settings_of(spread or (), "spread")
    if measured is not None:
        for words, given in (
            ("--preset", preset), ("--units", units), ("--snr-db", snr_db),
            ("--dac-bits", dac_bits), ("--set", settings or None),
            ("--spread", spreads or None),
        ):  # fmt: skip
            if given is not None:
                raise DesignError(f"{words} must be left out for --measured, not be {given}")
    info = None if node is None else find(node)
    chosen = None if info is None else info.preset(preset)
    data = load_task(
        task, horizon=horizon, washout=washout, split=parse_split(split), seed=seed,
        input_columns=input_columns, target_columns=target_columns,
    )  # fmt: skip
    options = EmulateOptions(
        units=units,
        seed=seed,
        condition=Condition(40.0 if snr_db is None else snr_db, adc_bits),
        dac_bits=dac_bits,
        tune=tune,
        settings=settings,
        variations=tuple(Variation(name, share) for name, share in spreads.items()),
        readout=ExternalOptions("readout", lanes=lanes),
    )
    screen = Screen(as_json)
    if info is None or chosen is None:
        assert measured is not None
        states = read_states(measured)
        result = emulate_recorded(data, states, options, screen, name=measured.name)
    else:
        result = emulate(data, info, chosen, options, screen)
    record = dict(result.record)
    if output is not None:
        record["written"] = [str(path) for path in result.write(output)]
    return Outcome(record, _emulated(record))


def _emulated(record: dict[str, Any]) -> list[Table]:
    from rchw.lab.emulate import LABELS

    errors, task = record["test"]["errors"], record["task"]
    rows = [
        [LABELS[key], "-" if value is None else f"{value:.6g}"] for key, value in errors.items()
    ]
    samples = record["test"]["samples"]
    title = f"{task['name']}: {task['metric']} on {samples} test samples, {record['units']} states"
    shown = [table(["predictor", ">error"], rows, title)]
    facts = {}
    if record["node"] is not None:
        point = ", ".join(f"{key} {value:g}" for key, value in record["preset"]["point"].items())
        facts = {
            "node": f"{record['node']}, preset {record['preset']['name']}",
            "source": record["preset"]["source"],
            "chosen": f"{point}; of {record['preset']['candidates']} points",
            "memory capacity": f"{record['memory_capacity']['total']:.2f} over "
            f"{record['memory_capacity']['delays']} delays, in "
            f"{record['memory_capacity']['samples']:,} samples",
        }
        refused = record["preset"]["refused"]
        if refused:
            facts["refused"] = f"{refused} points, where the model is not valid"
    noise, bits = record["condition"]["snr_decibels"], record["condition"]["adc_bits"]
    told = "no noise added" if noise is None else f"{noise:g} dB"
    facts["observed with"] = f"{told}, {bits} bits"
    if record.get("limited"):
        facts["limited by the drive"] = (
            f"{100 * record['limited']:.3g} % of the inputs: its range was fitted to the training "
            f"samples"
        )
    clipped = record["clipped"]
    facts["clipped by the ADC"] = f"{100 * clipped:.3g} % of the readings" + (
        ": its range was fitted to the training samples" if clipped else ""
    )
    if record["readout"] is not None:
        facts["readout"] = f"digest {record['readout']['digest']}"
    if record["readout_refused"]:
        facts["readout"] = f"none: {record['readout_refused']}"
    if "written" in record:
        facts["written"] = ", ".join(record["written"])
    shown.append(pairs(facts))
    if "energy" in record:
        shown.append(_energy(record))
    return shown


def _energy(record: dict[str, Any]) -> Table:
    rows = []
    for words, key in (("", "energy"), ("ring in an FPGA: ", "energy_of_a_ring")):
        for item in record[key]["items"]:
            rows.append([words + item["name"], joules(item["joules"]), item["source"]])
        rows.append([f"{words}sum", joules(record[key]["joules"]), ""])
    return table(["energy per sample, estimate", ">joule", "source"], rows)


def joules(value: float | None) -> str:
    """Energy as a table shows it."""
    return "unknown" if value is None else f"{value:.2g}"
