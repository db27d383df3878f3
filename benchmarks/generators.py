"""Designs that feed their output back: how long they stay with a series when left alone.

``python -m benchmarks.generators`` writes ``benchmarks/results/generators.json`` and
``benchmarks/generators.md``. Everything is chosen on validation samples; the test samples are read
once. Every design then runs alone for as many samples in its Verilog.
"""

import json
import platform
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rchw.document import digest
from rchw.files import write_atomic
from rchw.hdl.emit import write_verilog
from rchw.reference import free_beats, run
from rchw.schedule import schedule
from rchw.sim.record import versions
from rchw.sim.rtl import run_rtl
from rchw.tasks import load_task
from rchw.train import TrainOptions
from rchw.train.generate import evaluate_generator, train_generator

FOLDER = Path(__file__).parent
STEPS = 1000


def _options(units: int, state_bits: int, name: str, **more: Any) -> TrainOptions:
    return TrainOptions(
        units=units,
        state_bits=state_bits,
        readout_bits=16,
        squares=True,
        lanes=4,
        name=name,
        **more,
    )


ROWS = [
    ("mackey-glass", _options(100, 12, "mackey_glass_12")),
    ("mackey-glass", _options(100, 8, "mackey_glass_8")),
    ("mackey-glass", _options(100, 12, "mackey_glass_leaky", reservoir="leaky", density=0.1)),
    ("multi-sine", _options(50, 12, "multi_sine_12")),
    ("multi-sine", _options(50, 8, "multi_sine_8")),
    ("multi-sine", _options(50, 12, "multi_sine_leaky", reservoir="leaky", density=0.1)),
]


def measure_row(source: str, options: TrainOptions, steps: int = STEPS) -> dict[str, Any]:
    """Train one generator, leave it alone on test samples, and in its Verilog."""
    task = load_task(source, horizon=1)
    design = train_generator(task, options, steps)
    tested, _ = evaluate_generator(design, task, steps)
    beats = free_beats(design, steps)
    with tempfile.TemporaryDirectory() as place:
        verilog = write_verilog(design, Path(place))
        made = run_rtl(design, verilog, beats, Path(place, "simulation"))
    want = run(design, beats).outputs
    known = design.provenance
    return {
        "task": source,
        "options": asdict(options),
        "digest": digest(design),
        "steps": steps,
        "noise": known["noise"],
        "regularisation": known["regularisation"],
        "validation": known["validation"],
        "test": tested,
        "clocks": schedule(design).clocks,
        "clocks_measured": made.record["clocks_per_sample"],
        "identical": int(np.all(made.outputs == want, axis=1).sum()),
        "distinct": len(np.unique(want)),
    }


def page(record: dict[str, Any]) -> str:
    """Markdown of the record."""
    lines = [
        "# Generators",
        "",
        "Reservoirs of N units whose output returns to them in place of an input: `rchw train TASK",
        "--feedback`; `leaky` ones are joined by a sparse matrix. They are taught with the series,",
        "and scalings, noise and lambda chosen by free runs on validation samples. A run is valid",
        "until its error first exceeds 0.4 standard deviations of the series; its error is that of",
        "the whole run, 1 being that of the mean. Means of "
        f"{len(record['rows'][0]['test']['times'])} free runs of "
        f"{record['rows'][0]['steps']} samples. The last column counts the codes of",
        "one such run, from the reset, in which the Verilog and the reference are the same.",
        "",
        "| series | reservoir | N | state bits | valid, validation | valid, test "
        "| NMSE, validation | NMSE, test | clocks per sample | identical codes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in record["rows"]:
        checked, tested = row["validation"], row["test"]
        lines.append(
            f"| {row['task']} | {row['options']['reservoir']} | {row['options']['units']} "
            f"| {row['options']['state_bits']} "
            f"| {checked['mean_time']:.0f} | {tested['mean_time']:.0f} "
            f"| {checked['mean_error']:.2g} | {tested['mean_error']:.2g} | {row['clocks']} "
            f"| {row['identical']} of {row['steps']} |"
        )
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    lines += ["", f"Made by `python -m benchmarks.generators` with {tools}.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure all rows and write record and page."""
    rows = []
    for source, options in ROWS:
        rows.append(measure_row(source, options))
        print(options.name, rows[-1]["test"]["times"], rows[-1]["identical"], flush=True)
    tools = {"python": platform.python_version(), **versions([], ["verilator"])}
    record = {"kind": "generators", "rows": rows, "tools": tools}
    write_atomic(FOLDER / "results" / "generators.json", json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "generators.md", page(record))


if __name__ == "__main__":
    main()
