"""FORCE, full-FORCE and partial-FORCE: errors in training, and how long the networks stay alone.

``python -m benchmarks.force`` writes ``benchmarks/results/force.json``, ``benchmarks/force.md`` and
the picture of ``docs/force.md``. Nothing is chosen: every network is drawn from its seed, trained
with the same options, and left alone once, in floating point and as integers.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.force_page import page
from rchw.design import Design
from rchw.files import write_atomic
from rchw.plot import learning_figure, svg
from rchw.reference import free_beats, run
from rchw.schedule import schedule
from rchw.tasks import load_task
from rchw.train.force import ForceOptions
from rchw.train.force_design import Widths, force_design, real_values
from rchw.train.recurrent import Recurrent, left_alone, train_recurrent

__all__ = ["drawn", "main", "measure"]

FOLDER = Path(__file__).parent
PICTURE = FOLDER.parent / "docs" / "images" / "force.svg"
TASKS = ("sine", "four-sines", "multi-sine")
RULES = ("force", "full-force", "partial-force")
SEEDS = (0, 1, 2)
UNITS, TUNED = 300, 2000
SPLIT = (8000, 1000, 11000)
EARLY, LATE = 1000, 10000
NARROW = Widths(state_bits=12, readout_bits=12)


def measure(task_name: str, rule: str, seed: int, units: int = UNITS, split: Any = SPLIT) -> Any:
    """One network of one seed: training, and free runs in floating point and at 16 and 12 bits."""
    task = load_task(task_name, split=split)
    begin = task.train.stop
    late = min(LATE, task.test.stop - begin)
    options = ForceOptions(
        teaching=rule,
        units=units,
        seed=seed,
        trained_units=units // 2 if rule == "partial-force" else None,
    )
    truth = task.targets[begin : begin + late]
    started = time.monotonic()
    made = train_recurrent(task, options, Widths())
    seconds = time.monotonic() - started
    runs = {
        "float": _facts(made.float_run(late), truth),
        "16 bits": _facts(made.integer_run(late), truth),
        "12 bits": _facts(_alone(_narrow(made, options), late), truth),
    }
    if rule == "force":
        for name, widths in (("16", Widths()), ("12", NARROW)):
            tuned = train_recurrent(task, options, widths, TUNED)
            runs[f"{name} bits, tuned"] = _facts(tuned.integer_run(late), truth)
    return {
        "task": task_name,
        "rule": rule,
        "seed": seed,
        "options": asdict(options),
        "samples": begin - task.washout,
        "history": made.history.facts(),
        "seconds": round(seconds, 1),
        "clocks": schedule(made.design).clocks,
        "runs": runs,
    }


def _narrow(made: Recurrent, options: ForceOptions) -> Design:
    """The same network at 12 bits throughout, but for its outputs."""
    outputs = made.design.readout.outputs
    return force_design(made.network, replace(options, weight_bits=12), NARROW, outputs)


def _alone(design: Design, steps: int) -> Any:
    return design.decode(run(design, free_beats(design, steps)).outputs)


def _facts(outputs: Any, truth: Any) -> dict[str, Any]:
    """Facts of a free run; its errors after `EARLY` samples and after all."""
    found = left_alone(outputs, truth)
    return asdict(found) | {"held": found.held}


def _one(case: tuple[str, str, int]) -> Any:
    row = measure(*case)
    held = {key: run["held"] for key, run in row["runs"].items()}
    print(*case, round(row["history"]["last_before"], 4), held, flush=True)
    return row


def drawn() -> tuple[Recurrent, Any]:
    """What the picture shows: FORCE on four sines, seed 0, and its first samples left alone."""
    task = load_task("four-sines", split=SPLIT)
    return train_recurrent(task, ForceOptions(units=UNITS), Widths()), task


def picture() -> str:
    """SVG of targets, outputs, errors and moves of one training."""
    made, task = drawn()
    outputs = real_values(made.design.readout.outputs, made.history.outputs)
    alone = made.integer_run(600)
    first = task.train.stop - len(outputs)
    return svg(
        learning_figure(
            task.targets[first : task.train.stop + len(alone)],
            np.concatenate([outputs, alone]),
            made.history.samples,
            made.history.before,
            made.history.after,
            made.history.moves,
        ),
        "force",
    )


def _cases() -> list[tuple[str, str, int]]:
    return [(task, rule, seed) for seed in SEEDS for task in TASKS for rule in RULES]


def _order(row: dict[str, Any]) -> tuple[int, int, int]:
    return TASKS.index(row["task"]), RULES.index(row["rule"]), row["seed"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure rows on two processes and write record, page and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", action="store_true", help="only rows that are not there yet")
    place = FOLDER / "results" / "force.json"
    rows: list[dict[str, Any]] = []
    if parser.parse_args(arguments).missing and place.exists():
        rows = json.loads(place.read_text(encoding="utf-8"))["rows"]
    there = {(row["task"], row["rule"], row["seed"]) for row in rows}
    os.nice(5)
    tools = {"python": platform.python_version(), "numpy": np.__version__}
    with Pool(2) as pool:
        for row in pool.imap_unordered(_one, [case for case in _cases() if case not in there]):
            rows.append(row)
            record = {
                "kind": "force", "units": UNITS, "tuned": TUNED, "seeds": len(SEEDS),
                "early": EARLY, "late": LATE, "rows": sorted(rows, key=_order), "tools": tools,
            }  # fmt: skip
            write_atomic(place, json.dumps(record, indent=1) + "\n")
    record = json.loads(place.read_text(encoding="utf-8"))
    write_atomic(FOLDER / "force.md", page(record))
    write_atomic(PICTURE, picture())


if __name__ == "__main__":
    main()
