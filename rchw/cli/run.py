"""The command ``run``: a design on data, by the integer reference."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from rchw.cli.console import Outcome, pairs
from rchw.cli.options import Json
from rchw.design import Design, ExternalLayer
from rchw.document import digest, load
from rchw.errors import DesignError
from rchw.files import check_file, sha256_of, write_atomic

__all__ = ["run_command"]


def run_command(
    design_file: Annotated[Path, typer.Argument(metavar="DESIGN.json")],
    data: Annotated[
        Path | None, typer.Argument(metavar="INPUT", help="A .csv, .npy or .npz file.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .csv file; stdout without it.")
    ] = None,
    codes: Annotated[
        bool, typer.Option("--codes", help="Inputs and outputs are integer codes.")
    ] = False,
    states: Annotated[bool, typer.Option("--states", help="Write the states too.")] = False,
    input_columns: Annotated[
        str | None,
        typer.Option(help="Names or numbers, by commas; by the design's names, else all."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Of a design with feedback and no channels: samples left alone, at last."
        ),
    ] = None,
    as_json: Json = False,
) -> Outcome:
    """Run a design on data: bit for bit what the circuit gives.

    A design that answers once per sequence finds their ends in the column tlast; without it the
    file is one sequence.
    """
    from rchw.cli.inputs import read_inputs, read_sequences
    from rchw.reference import free_beats, run

    if output is not None and output.suffix.lower() != ".csv":
        raise DesignError(f"output must be a .csv file, not {output.name!r}")
    if output is not None:
        check_file(output)
    design = load(design_file)
    if data is None and steps is None:
        raise DesignError("input must be a file, or steps be given, not neither")
    last: NDArray[Any] | None = None
    inputs = np.zeros((0, design.n_lanes), dtype=np.int64)
    if data is not None and design.readout.pooled:
        if states:
            raise DesignError("states must be left out where a sequence has one answer, not given")
        inputs, last = read_sequences(design, data, input_columns, codes)
        if last is None:  # the file is one sequence
            last = np.arange(len(inputs)) == len(inputs) - 1
    elif data is not None:
        inputs = read_inputs(design, data, input_columns, codes)
    if steps is not None:
        inputs = np.concatenate([inputs, free_beats(design, steps)])
    trace = run(design, inputs, last)
    result: NDArray[Any] = trace.outputs if codes else design.decode(trace.outputs)
    header = [out.name for out in design.readout.answers]
    if states:
        held = trace.states if codes else _values(design, trace.states)
        header += [f"x{unit}" for unit in range(design.n_units)]
        rows = [[*a, *b] for a, b in zip(result.tolist(), held.tolist(), strict=True)]
    else:
        rows = result.tolist()
    record: dict[str, Any] = {
        "kind": "run",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "input": None if data is None else str(data),
        "steps": steps or 0,
        "samples": len(inputs),
        "codes": codes,
        "columns": header,
    }
    if output is None:
        return Outcome(record | {"rows": rows}, [] if as_json else [_csv(header, rows)])
    write_atomic(output, _csv(header, rows))
    record |= {"output": str(output), "sha256": sha256_of(output)}
    told = {
        "samples": str(len(inputs)),
        "answers": str(len(rows)),
        "digest": digest(design),
        "written": str(output),
    }
    return Outcome(record, [pairs(told)])


def _values(design: Design, states: NDArray[Any]) -> NDArray[Any]:
    """States as real values: of a ring by their format, from outside as the readings they were."""
    layer = design.layers[0]
    units = [each.state.resolution for each in design.layers for _ in range(each.n_units)]
    values: NDArray[Any] = states * np.array(units)
    if isinstance(layer, ExternalLayer):
        values = layer.encoder.offset + values / layer.encoder.gain
    return values


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
