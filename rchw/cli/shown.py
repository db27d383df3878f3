"""What ``train`` shows of a design: its errors beside floors, its free runs, the facts of both."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from rchw.cli.console import Outcome, clocks_words, pairs, table

__all__ = ["errors_table", "facts_of", "generated"]


def generated(record: dict[str, Any], files: Mapping[str, Path]) -> Outcome:
    """What is shown of a generator: its free runs."""
    from rchw.train.tradeoff import readout_words

    record = record | {"files": {key: str(path) for key, path in files.items()}}
    rows = []
    for split in ("validation", "test"):
        runs = record[split]
        for start, steps, error in zip(runs["starts"], runs["times"], runs["errors"], strict=True):
            rows.append([split, str(start), str(steps), f"{error:.6g}"])
    title = f"{record['task']['name']}: free runs of {record['steps']} samples"
    columns = ["samples", ">from", ">valid for", ">nmse"]
    chosen = record["chosen"]
    facts = {
        "mean on test samples": f"valid for {record['test']['mean_time']:g} samples",
        "chosen by validation": f"noise {chosen['noise']:g}, "
        f"regularisation {chosen['regularisation']:g}",
        "readout": readout_words(record["readout"]),
        "clocks per sample": clocks_words(record),
        "digest": record["digest"],
        "written": ", ".join(record["files"].values()),
    }
    return Outcome(record, [table(columns, rows, title), pairs(facts)])


def errors_table(record: dict[str, Any], more: Sequence[tuple[str, float]] = ()) -> Table:
    """Table of test errors, the design's against each floor."""
    from rchw.experiment import FLOORS

    errors, metric = record["test"]["errors"], record["task"]["metric"]
    own = errors["reference"]
    names = FLOORS | {"float": "float model", "reference": "integer reference"}
    listed = [(label, errors.get(key)) for key, label in names.items()] + list(more)
    rows = []
    for label, value in listed:
        if value is None:
            rows.append([label, "-", ""])
            continue
        missed = label in FLOORS.values() and own >= value
        rows.append([label, f"{value:.6g}", "missed by the integers" if missed else ""])
    samples = record["test"]["samples"]
    title = f"{record['task']['name']}: {metric} on {samples} test samples"
    return table(["predictor", ">error", ""], rows, title)


def facts_of(record: dict[str, Any]) -> dict[str, str]:
    """Lines below the table of errors."""
    from rchw.adapt.history import summary_words
    from rchw.train.tradeoff import readout_words

    checked, test = record["validation"], record["test"]
    rows = {
        "validation": f"this readout {checked['quantised']:.6g}, compensated "
        f"{checked['compensated']:.6g}, nearest rounding "
        f"{checked['nearest']:.6g}, real readout {checked['real_readout']:.6g}",
        "clipped states": f"{100 * test['clipped']:.2f} %",
        "readout": readout_words(record["readout"]),
    }
    for layer in record["layers"]:
        of = f" of {layer['name']}" if len(record["layers"]) > 1 else ""
        if layer["dead_band"]:
            low, high = layer["dead_band"]
            words = f"a state may rest {-low} below to {high} codes above its target"
            rows[f"dead band{of}"] = words
        if layer["matrix"]:
            rows[f"matrix{of}"] = _matrix_words(layer["matrix"])
    if record["adaptation"]:
        rows["adaptation"] = summary_words(record["adaptation"])
    names = record["channels"]
    rows |= {
        "channels": f"{', '.join(names['inputs'])} to {', '.join(names['outputs'])}",
        "clocks per sample": clocks_words(record),
        "digest": record["digest"],
        "written": ", ".join(record["files"].values()),
    }
    return rows


def _matrix_words(matrix: dict[str, Any]) -> str:
    scaling = matrix["scaling"]  # none where a rule of adaptation has changed the weights
    drawn = f"{scaling['rule']} {scaling['value']:g}, " if scaling else ""
    return (
        f"{matrix['kind']}, {matrix['connections']} weights of {matrix['format']}, {drawn}"
        f"as coded a spectral radius of {matrix['coded_radius']:.4g}"
    )
