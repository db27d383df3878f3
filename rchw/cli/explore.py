"""The command ``explore``: a search of the designs that are best in several figures at once."""

import json
import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import (
    Accumulate,
    Horizon,
    InputColumns,
    Json,
    LabelColumn,
    SegmentLength,
    Segments,
    SequenceColumn,
    Source,
    Split,
    TargetColumns,
    TrainColumn,
    Washout,
    parse_split,
)
from rchw.errors import DesignError
from rchw.files import check_folder, write_atomic

__all__ = ["explore_command"]

# Arguments that stand elsewhere in a command, and options on which no result depends.
_ELSEWHERE = {"source", "output", "engine", "workers", "address", "region", "pue", "as_json"}


def _numbers(text: str, what: str) -> tuple[int, ...]:
    """Whole numbers by commas."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise DesignError(f"{what} must be whole numbers such as 8,12, not {text[:40]!r}")
    return tuple(int(part) for part in parts)


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _given(context: typer.Context) -> list[str]:
    """What was asked for, as words of a command; where it ran changes nothing and is left out."""
    words = []
    for option in context.command.params:
        name = str(option.name)
        source = context.get_parameter_source(name)
        if name in _ELSEWHERE or source is None or source.name != "COMMANDLINE":
            continue
        value = context.params[name]
        if isinstance(value, bool):
            words.append((option.opts if value else option.secondary_opts)[0])
        else:
            words += [option.opts[0], f"{value:g}" if isinstance(value, float) else str(value)]
    return words


def explore_command(
    context: typer.Context,
    source: Source,
    board: Annotated[str, typer.Option(help="The board; see `rchw boards`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder: designs, table, page, and the store.")
    ],
    objective: Annotated[
        str,
        typer.Option(
            help="By commas: nmse (or the task's metric), cells, luts, rams, dsps, energy, "
            "latency, rate; the first two."
        ),
    ] = "",
    budget: Annotated[
        int, typer.Option(help="Reservoirs to try, each with all readouts; whole batches of 10.")
    ] = 200,
    at_most: Annotated[
        str | None, typer.Option(help="Limits of the front, such as cells=5000,nmse=0.1.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Least samples per second.")] = None,
    reservoirs: Annotated[
        str | None, typer.Option(help="By commas, as of `rchw train`; all.")
    ] = None,
    units: Annotated[str, typer.Option(help="Units, A..B.")] = "20..200",
    input_bits: Annotated[str, typer.Option(help="Width of input codes, A..B.")] = "4..12",
    state_bits: Annotated[str, typer.Option(help="Width of states, A..B.")] = "4..16",
    weight_bits: Annotated[str, typer.Option(help="Width of matrix weights, A..B.")] = "4..10",
    readout_bits: Annotated[
        str, typer.Option(help="Widths of readout weights, all tried with each reservoir.")
    ] = "6,8,12,16",
    output_bits: Annotated[str, typer.Option(help="Widths of outputs, all tried.")] = "12,16",
    lanes: Annotated[str, typer.Option(help="Units updated per clock to choose from.")] = (
        "1,2,4,8,16"
    ),
    activations: Annotated[
        str, typer.Option(help="Activations to choose from.")
    ] = "clip,pwl,table",
    mixed_bits: Annotated[
        bool,
        typer.Option("--mixed-bits", help="Also readout widths that differ from output to output."),
    ] = False,
    readout_adders: Annotated[
        str | None, typer.Option(help="Budgets such as 50,100: all readouts within each as well.")
    ] = None,
    readout_nonzeros: Annotated[
        str | None, typer.Option(help="Budgets of weights that are not 0, as those of adders.")
    ] = None,
    adapt: Annotated[
        str | None, typer.Option(help="Rules of adaptation to choose from, or none of them.")
    ] = None,
    signs: Annotated[
        str, typer.Option(help="Of input weights, to choose from: auto, pi, random.")
    ] = "auto",
    bounded: Annotated[
        str | None,
        typer.Option(help="Samples in which Euler systems do not saturate, or they may."),
    ] = None,
    squares: Annotated[
        bool | None,
        typer.Option("--squares/--no-squares", help="Squared states; both are tried."),
    ] = None,
    optimiser: Annotated[
        str, typer.Option(help="What proposes reservoirs: tpe, nsga2 or random.")
    ] = "tpe",
    engine: Annotated[str, typer.Option(help="local (this machine's cores) or ray.")] = "local",
    workers: Annotated[int | None, typer.Option(help="Processes; one for each core.")] = None,
    region: Annotated[
        str, typer.Option(help="Whose carbon intensity counts, such as world, france, india.")
    ] = "world",
    pue: Annotated[float, typer.Option(help="Power usage effectiveness of the place.")] = 1.0,
    address: Annotated[
        str | None, typer.Option(help="Of a running Ray cluster, or auto; with --engine ray.")
    ] = None,
    horizon: Horizon = None,
    washout: Washout = None,
    split: Split = None,
    input_columns: InputColumns = None,
    target_columns: TargetColumns = None,
    accumulate: Accumulate = None,
    segments: Segments = None,
    segment_length: SegmentLength = None,
    label_column: LabelColumn = None,
    sequence_column: SequenceColumn = None,
    train_column: TrainColumn = None,
    seed: Annotated[int, typer.Option(help="Of generated series, and of the search.")] = 0,
    as_json: Json = False,
) -> Outcome:
    """Search the designs that are best in accuracy and cost, and write their front.

    Interrupted, the same command goes on where it was; with a larger budget too. The front does not
    depend on engine and workers.
    """
    from rchw.cli.sequences import (
        is_of_sequences,
        refuse_of_sequences,
        sequences_and_pooling,
    )
    from rchw.codesign.carbon import footprint
    from rchw.codesign.engine import engine as make_engine
    from rchw.codesign.explore import explore
    from rchw.codesign.objectives import parse_limits, parse_objectives
    from rchw.codesign.sequences import RATE
    from rchw.codesign.space import Space, parse_span
    from rchw.lab.explore import measure
    from rchw.tasks import SequenceTask, Task, load_task
    from rchw.train.sequences import Pooling

    check_folder(output)
    footprint(0.0, region=region, pue=pue)  # refused before the search
    begun = time.monotonic()
    ranges = {"units": units, "input_bits": input_bits, "state_bits": state_bits,
              "weight_bits": weight_bits}  # fmt: skip
    named: dict[str, Any] = {
        key: parse_span(value, key.replace("_", " ")) for key, value in ranges.items()
    }
    named["squares"] = (False, True) if squares is None else (squares,)
    if reservoirs is not None:
        named["reservoirs"] = _words(reservoirs)
    for key, text in {"readout_adders": readout_adders, "readout_nonzeros": readout_nonzeros,
                      "bounded": bounded}.items():  # fmt: skip
        named[key] = () if text is None else _numbers(text, key.replace("_", " "))
    space = Space(
        **named, activations=_words(activations), lanes=_numbers(lanes, "lanes"),
        readout_bits=_numbers(readout_bits, "readout bits"),
        output_bits=_numbers(output_bits, "output bits"), mixed_bits=mixed_bits,
        adapt=() if adapt is None else _words(adapt), signs=_words(signs), seed=seed,
    )  # fmt: skip
    own = {
        "label_column": label_column,
        "sequence_column": sequence_column,
        "train_column": train_column,
    }
    pooled = {"accumulate": accumulate, "length": segment_length, "count": segments}
    given_split = parse_split(split)
    task: Task | SequenceTask
    pooling: Pooling | None = None
    if is_of_sequences(source, accumulate):
        idle = {"horizon": horizon, "washout": washout, "split": split,
                "target columns": target_columns}  # fmt: skip
        columns = own | {"input_columns": input_columns}
        task, pooling = sequences_and_pooling(source, seed, pooled, columns, idle)
        metric = RATE
    else:
        refuse_of_sequences(pooled, own)
        series = load_task(
            source, horizon=horizon, washout=washout, split=given_split, seed=seed,
            input_columns=input_columns, target_columns=target_columns,
        )  # fmt: skip
        task, metric = series, series.metric
    objectives = parse_objectives(objective or f"{metric},cells", metric)
    limits = parse_limits(at_most, rate, metric)
    screen = Screen(as_json)
    with (
        make_engine(engine, workers, address) as workers_of,
        screen.count(f"exploring {task.name} on {board}", every=10) as show,
    ):
        front = explore(
            task, board, space, pooling=pooling, objectives=objectives, limits=limits,
            budget=budget, seed=seed, optimiser=optimiser, engine=workers_of, folder=output,
            progress=show,
        )  # fmt: skip
    words = ["rchw", "explore", Path(source).name, *_given(context), "-o", "DIR"]
    explored = measure(front, task, screen, shlex.join(words))
    written = explored.write(output)
    spent = footprint(front.processor_seconds, region=region, pue=pue).facts()
    path = write_atomic(output / "footprint.json", json.dumps(spent, indent=1) + "\n")
    record = explored.record | {
        "written": written | {"footprint": str(path)},
        "footprint": spent,
        "seconds": round(time.monotonic() - begun, 2),
    }
    return Outcome(record, [_table(record), pairs(_facts(record))])


def _table(record: dict[str, Any]) -> Table:
    """The front, one design per row."""
    metric = record["task"]["metric"]
    costs = [name for name in record["objectives"] if name != "error"]
    costs += [name for name in ("cells", "rate") if name not in costs]
    heads = [
        "design",
        "reservoir",
        ">N",
        f">{metric}, validation",
        ">test",
        *(f">{c}" for c in costs),
    ]
    rows = []
    for entry in record["front"]:
        figures, options = entry["figures"], entry["options"]
        tested = entry["test_error"]
        rows.append(
            [entry["name"], options["reservoir"], str(options["units"]), f"{figures['error']:.4g}",
             "-" if tested is None else f"{tested:.4g}", *(f"{figures[c]:.4g}" for c in costs)]
        )  # fmt: skip
    title = (
        f"{record['task']['name']} on {record['board']}: the front of {record['designs']} designs"
    )
    return table(heads, rows, title)


def _facts(record: dict[str, Any]) -> dict[str, str]:
    floors = ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}"
        for name, value in record["floors"].items()
        if value is not None
    )
    guessed = sum(bool(entry["extrapolates"]) for entry in record["front"])
    return {
        "floors, test": floors,
        "trials": f"{record['trials']}, of which {record['refused']} were refused before training",
        "footprint": "{processor_seconds:.0f} s of processors, {grams:.2g} g CO2; a model: "
        "{watts:g} W a core, PUE {pue:g}, {grams_per_kwh:g} g/kWh".format(**record["footprint"]),
        "costs": f"as estimated, {guessed} of {len(record['front'])} outside of the calibration "
        "(`extrapolates` in front.json); `rchw build` measures them",
        "written": ", ".join(record["written"].values()),
    }
