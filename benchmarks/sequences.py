"""Labelled sequences: errors as counts beside the floors, and every label of the Verilog.

``python -m benchmarks.sequences`` writes ``benchmarks/results/sequences.json`` and
``benchmarks/sequences.md``. What is searched is chosen on folds of the training sequences; the test
sequences are read once by each row. All of them then go through the row's Verilog.
"""

import json
import platform
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rchw.classification import classify
from rchw.files import write_atomic
from rchw.hdl.emit import write_verilog
from rchw.reference import run
from rchw.sim.record import versions
from rchw.sim.rtl import run_rtl
from rchw.tasks import load_sequences
from rchw.train import TrainOptions
from rchw.train.sequences import Pooling, joined

FOLDER = Path(__file__).parent
TARGETS = {"spoken-digits": 0.98, "japanese-vowels": None}  # None: ridge on segment means


def _options(name: str, bits: int, **more: Any) -> TrainOptions:
    return TrainOptions(
        name=f"{name}_{bits}",
        state_bits=bits,
        input_bits=bits,
        readout_bits=bits,
        activation="table",
        encoder="mean-std",
        rounding="half-up",
        **more,
    )


ROWS = [
    (source, _options(name, bits, **more))
    for source, name, more in (
        ("spoken-digits", "digits", {"units": 200, "lanes": 8, "search": "none"}),
        ("japanese-vowels", "vowels", {"units": 100, "lanes": 4, "search": "quick"}),
    )
    for bits in (8, 10, 12)
]


class Quiet:
    """Shows nothing."""

    @contextmanager
    def step(self, title: str) -> Iterator[Callable[[str], None]]:
        """A step whose lines nobody reads."""
        yield lambda _: None

    @contextmanager
    def bar(self, title: str) -> Iterator[Callable[[int, int, float], None]]:
        """A search that nobody watches."""
        yield lambda *_: None


def measure_row(source: str, options: TrainOptions) -> dict[str, Any]:
    """Train one classifier, count its errors, and compare all answers of its Verilog."""
    task = load_sequences(source, seed=options.seed)
    found = classify(task, options, Pooling.of(task, "sum"), Quiet(), source=source)
    values, last = joined([task.sequences[row] for row in task.test])
    codes = found.design.encode(values)
    with tempfile.TemporaryDirectory() as place:
        verilog = write_verilog(found.design, Path(place))
        made = run_rtl(found.design, verilog, codes, Path(place, "simulation"), last=last)
    want = run(found.design, codes, last).outputs
    same = int((made.outputs == want).all(axis=1).sum()) if len(made.outputs) == len(want) else 0
    return found.record | {"samples": len(values), "identical": same}


def page(record: dict[str, Any]) -> str:
    """Markdown of the record."""
    lines = [
        "# Labelled sequences",
        "",
        "Reservoirs of N units that name the class of a sequence: features are summed over its",
        "samples, and the class of the greatest output is the answer (`rchw train TASK`). State,",
        "input and readout have the same width. Errors are counts of test sequences, with the",
        "exact 95 % interval of their rate. Held out are those of the training sequences in five",
        "folds, by which everything is chosen. Floors need no reservoir: ridge regression on the",
        "means of segments, on those of products, and on all samples. The last column counts the",
        "answers in which the Verilog and the reference are the same.",
        "",
        "| task | N | bits | held out | errors | rate, 95 % "
        "| segment means | products | all samples | target | identical labels |",
        "|---|---:|---:|---:|---:|---|---:|---:|---:|---|---:|",
    ]
    for row in record["rows"]:
        options, errors, count = row["options"], row["test"]["errors"], row["test"]["sequences"]
        low, high = row["test"]["intervals"]["reference"]
        least = TARGETS[row["task"]["name"]]
        most = errors["segment_means"] if least is None else round((1 - least) * count)
        floors = " | ".join(
            str(errors.get(n, "-")) for n in ("segment_means", "nvar", "end_to_end")
        )
        met = "met" if errors["reference"] <= most else "**missed**"
        lines.append(
            f"| {row['task']['name']} | {options['units']} | {options['state_bits']} "
            f"| {row['chosen']['held_out_errors']} of {row['task']['split'][0]} "
            f"| {errors['reference']} of {count} | {100 * low:.2f} to {100 * high:.2f} % "
            f"| {floors} | at most {most}: {met} | {row['identical']} of {count} |"
        )
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    lines += ["", f"Made by `python -m benchmarks.sequences` with {tools}.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure all rows and write record and page."""
    rows = []
    for source, options in ROWS:
        rows.append(measure_row(source, options))
        print(options.name, rows[-1]["test"]["errors"], rows[-1]["identical"], flush=True)
    tools = {"python": platform.python_version(), **versions([], ["verilator"])}
    record = {"kind": "sequences", "rows": rows, "tools": tools}
    write_atomic(FOLDER / "results" / "sequences.json", json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "sequences.md", page(record))


if __name__ == "__main__":
    main()
