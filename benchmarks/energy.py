"""Energy per sample of designs on boards, beside a processor that runs the same models.

``python -m benchmarks.energy`` trains every design, counts what switches on every board, and writes
``benchmarks/results/energy.json`` row by row and ``benchmarks/energy.md`` from it alone. ``--only``
chooses rows by a part of their key, ``--missing`` leaves out what is there, ``--page`` only makes
the page, ``--figures`` counts nothing again but takes the figures of devices and `USUAL` as they
are now. What switches is counted on training samples of the task. All joules of circuits are
figures of a model (`rchw.codesign.energy`); the time of the processor is measured.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy_rows import Streams
from benchmarks.energy_page import markdown
from rchw import reference
from rchw.boards.activity import Activity
from rchw.boards.switching import measure_activity
from rchw.codesign.estimate import estimate
from rchw.codesign.measured import rates
from rchw.codesign.processor import on_processor
from rchw.design import Design
from rchw.devices import board
from rchw.document import digest
from rchw.files import write_atomic
from rchw.schedule import schedule
from rchw.tools import find
from rchw.train import TrainOptions, fit, tune
from rchw.train.ideal import Ideal, IdealOptions, fit_ideal, tune_ideal

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "energy.json"
STREAM = Streams("narma10", (2000,), (2000,))  # choices, training and counting: no test samples
SAMPLES = 150  # sent through a netlist
LONG = 20_000  # samples on the processor
_EIGHT: dict[str, Any] = {"input_bits": 8, "state_bits": 8, "readout_bits": 12, "squares": True}
_SIX: dict[str, Any] = {"input_bits": 6, "state_bits": 6, "readout_bits": 8, "squares": False}
_SIXTEEN: dict[str, Any] = {"input_bits": 16, "state_bits": 16, "readout_bits": 18, "squares": True}
DESIGNS: dict[str, TrainOptions] = {
    "8 bits, N = 100, one lane": TrainOptions(units=100, **_EIGHT),
    "8 bits, N = 100, four lanes": TrainOptions(units=100, lanes=4, **_EIGHT),
    "16 bits, N = 100, one lane": TrainOptions(units=100, **_SIXTEEN),
    "8 bits, N = 16, parallel": TrainOptions(
        units=16, lanes=16, multipliers=16, **(_EIGHT | {"squares": False})
    ),
    "6 bits, N = 50, no squares, one lane": TrainOptions(units=50, **_SIX),
    "6 bits, N = 50, no squares, parallel": TrainOptions(
        units=50, lanes=50, multipliers=50, **_SIX
    ),
    "12 bits, N = 50, sparse matrix": TrainOptions(
        reservoir="leaky", density=0.1, units=50, squares=True
    ),
}
BOARDS = ("icebreaker", "ulx3s")
Row = dict[str, Any]


@cache
def trained(title: str) -> Design:
    """Design of a title, by a short search."""
    options = replace(DESIGNS[title], search="quick", name="energy")
    task = STREAM.load(STREAM.tuning)[0]
    return fit(task, options, tune([task], options))


@cache
def ideal(title: str) -> Ideal:
    """Float model of the same kind."""
    options = DESIGNS[title]
    task = STREAM.load(STREAM.tuning)[0]
    wanted = IdealOptions(
        reservoir=options.reservoir, n_units=options.units, squares=options.squares,
        density=options.density, search="quick",
    )  # fmt: skip
    return fit_ideal(task, wanted, tune_ideal([task], wanted))


def on_board(title: str, name: str) -> Row:
    """Count what switches in the netlist of a design, and give the energy at both rates."""
    design, target = trained(title), board(name)
    task = STREAM.load(STREAM.tuning)[0]
    codes = design.encode(task.inputs[task.train][:SAMPLES])
    row: Row = {
        "design": title, "board": name, "digest": digest(design),
        "clocks": schedule(design).clocks,
    }  # fmt: skip
    predicted = estimate(design, name)
    if not predicted.fits:
        return row | {"missing": predicted.why_not[0]}
    with tempfile.TemporaryDirectory() as folder:
        activity = measure_activity(
            design, codes, target.device, Path(folder), source=f"{task.name}, training samples"
        )
    tools = {name: find(name).version for name in ("yosys", "verilator")}
    return row | told(design, name, activity) | {"activity": activity.facts(), "tools": tools}


def told(design: Design, name: str, activity: Activity) -> Row:
    """What the model and an estimate say of a design whose changes were counted."""
    predicted = estimate(design, name)
    return {
        "clock_hz": predicted.clock_hz,
        "estimated": predicted.energy_per_sample,
        "energy": rates(design, board(name), activity, predicted.clock_hz),
    }


def on_cpu(title: str, kind: str) -> Row:
    """Time and energy per sample of the float model or of the compiled integers."""
    task = STREAM.load(STREAM.tuning)[0]
    inputs = np.tile(task.inputs[task.train], (-(-LONG // 2000), 1))[:LONG]
    if kind == "float":
        call: Callable[[], object] = partial(ideal(title).predict, inputs)
    else:
        design = trained(title)
        call = partial(reference.run, design, design.encode(inputs))
    call()  # compiles
    spent = on_processor(call, LONG)
    return {
        "design": title, "processor": kind, "samples": LONG, "machine": platform.machine(),
        **spent.facts(),
    }  # fmt: skip


def jobs() -> dict[str, Callable[[], Row]]:
    """Every row by its key."""
    found: dict[str, Callable[[], Row]] = {}
    for title in DESIGNS:
        for kind in ("float", "integer"):
            found[f"{title} on a processor, {kind}"] = partial(on_cpu, title, kind)
        for name in BOARDS:
            found[f"{title} on {name}"] = partial(on_board, title, name)
    return found


def main() -> None:
    """Measure, write the record after every row, and then the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--page", action="store_true")
    parser.add_argument("--figures", action="store_true", help="take the figures as they are now")
    chosen = parser.parse_args()
    record = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"rows": {}}
    record["command"] = "python -m benchmarks.energy"
    for row in record["rows"].values() if chosen.figures else ():
        if "activity" in row:
            row |= told(trained(row["design"]), row["board"], Activity.from_facts(row["activity"]))
    if chosen.figures:
        write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    for key, job in {} if chosen.page or chosen.figures else jobs().items():
        if chosen.only not in key or (chosen.missing and key in record["rows"]):
            continue
        print(key, flush=True)
        record["rows"][key] = job()
        record["rows"] = {
            known: record["rows"][known] for known in jobs() if known in record["rows"]
        }
        write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "energy.md", markdown(record))


if __name__ == "__main__":
    main()
