"""The command ``import``: matrices, or a model of reservoirpy, become a design."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from rchw.cli.console import Outcome, Screen, pairs, table
from rchw.cli.options import (
    Horizon,
    InputColumns,
    Json,
    Split,
    TargetColumns,
    Washout,
    name_of,
    parse_split,
)
from rchw.errors import DesignError
from rchw.files import check_folder, sha256_of

__all__ = ["import_command"]


def import_command(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="Matrices, .npz; or a pickled reservoirpy model.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for design and record.")],
    data: Annotated[
        str | None,
        typer.Option(help="A task or a .csv/.npy/.npz: what the network is for."),
    ] = None,
    input_range: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="LOW HIGH", help="Of all inputs, where there are no data."),
    ] = None,
    readout: Annotated[
        str,
        typer.Option(
            help="match (fitted to the network's outputs), keep (its weights) or retrain (on data)."
        ),
    ] = "match",
    state_bits: Annotated[int, typer.Option(help="Width of states.")] = 12,
    weight_bits: Annotated[int, typer.Option(help="Width of weights but the readout's.")] = 8,
    input_bits: Annotated[int, typer.Option(help="Width of input codes.")] = 12,
    readout_bits: Annotated[int, typer.Option(help="Width of readout weights.")] = 12,
    output_bits: Annotated[int, typer.Option(help="Width of output codes.")] = 16,
    activation: Annotated[
        str, typer.Option(help="For tanh: table, pwl, clip, or auto, the best of them.")
    ] = "auto",
    rounding: Annotated[str, typer.Option(help="truncate, half-up or half-even.")] = "half-up",
    lanes: Annotated[int, typer.Option(help="Units updated per clock, P.")] = 1,
    multipliers: Annotated[
        int | None, typer.Option(help="Of the readout, M; as many as keep pace.")
    ] = None,
    horizon: Horizon = None,
    washout: Washout = None,
    split: Split = None,
    input_columns: InputColumns = None,
    target_columns: TargetColumns = None,
    seed: Annotated[int, typer.Option(help="Of a generated or drawn series.")] = 0,
    name: Annotated[
        str | None, typer.Option(help="Of the design and its Verilog; the file's.")
    ] = None,
    as_json: Json = False,
) -> Outcome:
    """Turn matrices or a fitted reservoirpy model into a design, tuned at the given widths."""
    from rchw.importing import ImportOptions, drawn_task, import_network, read_network
    from rchw.tasks import load_task

    check_folder(output)
    options = ImportOptions(
        state_bits=state_bits, weight_bits=weight_bits, input_bits=input_bits,
        readout_bits=readout_bits, output_bits=output_bits, activation=activation, readout=readout,
        rounding=rounding, lanes=lanes, multipliers=multipliers, name=name or name_of(source.stem),
    )  # fmt: skip
    _check_data(data, input_range, (horizon, washout, split, input_columns, target_columns))
    network = read_network(source)
    if data is not None:
        task = load_task(
            data, horizon=horizon, washout=washout, split=parse_split(split), seed=seed,
            input_columns=input_columns, target_columns=target_columns,
        )  # fmt: skip
    else:
        assert input_range is not None
        task = drawn_task(network, *input_range, seed)
    imported = import_network(
        network, task, options, Screen(as_json),
        source={"file": source.name, "sha256": sha256_of(source)},
        data=None if data is None else (data, seed, (input_columns, target_columns)),
    )  # fmt: skip
    files = imported.write(output)
    record = imported.record | {"files": {key: str(path) for key, path in files.items()}}
    return Outcome(record, _shown(record))


def _check_data(
    data: str | None, input_range: tuple[float, float] | None, idle: tuple[object, ...]
) -> None:
    if data is None and input_range is None:
        raise DesignError(
            "data must be given (--data), or else the range of the inputs (--input-range LOW HIGH)"
        )
    if data is not None and input_range is not None:
        raise DesignError("input range must be left out beside data, which has its own")
    if data is None and any(value is not None for value in idle):
        raise DesignError("horizon, washout, split and columns must be left out without data")


def _shown(record: dict[str, Any]) -> list[RenderableType]:
    errors, chosen, formats = record["errors"], record["chosen"], record["formats"]
    rows = [
        [row["name"], row["became"], f"{row['largest']:.4g}", f"{row['largest_error']:.2g}"]
        for row in record["mapped"]
    ]
    found: list[RenderableType] = [
        table(["array", "became", ">largest", ">error"], rows, "what became of the matrices")
    ]
    told = [["approximated", text] for text in record["approximated"]]
    told += [["left out", text] for text in record["left_out"]]
    found.append(table(["what", "how"], told, "what is not the same"))
    test = errors["test"]
    measured = [
        ["states, integers against network", _number(test["states"])],
        ["outputs, integers against network", _number(test.get("outputs"))],
        [f"network against targets ({test['metric']})", _number(test["network"])],
        [f"integers against targets ({test['metric']})", _number(test["integers"])],
    ]
    title = f"{record['task']['name']}: {test['samples']} test samples"
    found.append(table(["what", ">error"], measured, title))
    facts = {
        "chosen": ", ".join(f"{key} {value}" for key, value in chosen["scales"].items()),
        "formats": f"inputs {formats['inputs']}, states {formats['states']}, readout "
        f"{formats['readout']}",
        "clocks per sample": f"{record['clocks_per_sample']} with {record['lanes']} lanes and "
        f"{record['multipliers']} multipliers",
        "digest": record["digest"],
        "written": ", ".join(record["files"].values()),
    }
    if record["cost"]:
        facts["note"] = record["cost"]
    return [*found, pairs(facts)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
