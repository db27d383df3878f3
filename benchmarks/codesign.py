"""The best reservoir that fits: accuracy against bits, units and cells, in one page.

``python -m benchmarks.codesign`` searches designs for NARMA-10 with ``rchw.codesign.explore`` and
writes ``benchmarks/results/codesign.json`` and, from it alone, ``benchmarks/codesign.md`` with its
picture. Searches keep their stores in ``build/codesign`` and go on where they were. ``--only`` a
search, ``--page`` makes the page alone.

Rodan and Tino's protocol: searches see the training and validation samples of stream 2000; among
their best designs the validation errors of streams 2000 to 2003 choose, as they do for the float
rings. What is chosen is trained anew on each of ten other streams, whose test samples are evaluated
once. Floors and float rings on those streams are rows of ``benchmarks.accuracy``.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.accuracy import TESTS, TUNING, environment
from benchmarks.accuracy_rows import FLOORS, Streams, summary
from benchmarks.codesign_page import markdown, picture
from rchw.codesign.estimate import estimate
from rchw.codesign.explore import explore
from rchw.codesign.front import Found, Front
from rchw.codesign.space import Readout, Space, candidate
from rchw.design import Design
from rchw.devices import BOARDS
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.tasks import Task, load_task
from rchw.train import Tuned, evaluate, fit
from rchw.train.ideal import IdealOptions, tune_ideal

__all__ = ["BITS", "BOARD", "CELLS", "SEARCHES", "UNITS", "Judge", "Search", "chosen", "recorded"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "codesign.json"
ACCURACY = FOLDER / "results" / "accuracy.json"
FLOATS = ("float-classic", "float", "float-classic-squares", "float-squares")
STORES = Path("build/codesign")
_ACTIVATION = "activation/narma10/"  # rows of the accuracy benchmark
BOARD = "ulx3s"  # the smallest board here with 20,000 cells
STREAMS = Streams("narma10", TUNING, TESTS)
CLOSEST = 8  # designs of a search that the other tuning streams choose from
UNITS = (50, 100, 200)
BITS = (4, 6, 8, 10, 12, 16)
CELLS = (250, 500, 1000, 2000, 5000, 10_000, 20_000)
Measured = dict[str, Any]


@dataclass(frozen=True)
class Search:
    """A search of the page: what is open, for what, and how long."""

    title: str
    space: Space
    objectives: tuple[str, ...]
    budget: int


SEARCHES = {
    "all": Search(
        "all families, 20 to 200 units, states of 4 to 16 bits, with and without squares",
        Space(),
        ("error", "cells"),
        400,
    ),
    "linear": Search(
        "the same without squares",
        Space(squares=(False,)),
        ("error", "cells"),
        200,
    ),
    **{
        f"n200-{bits}": Search(
            f"cycles of 200 units, states of {bits} bits, with squares",
            Space(
                reservoirs=("cycle", "cycle-jumps"),
                units=(200, 200),
                input_bits=(bits, bits),
                state_bits=(bits, bits),
                squares=(True,),
                readout_bits=readout,
                output_bits=(16,),
            ),
            ("error",),
            budget,
        )
        for bits, readout, budget in ((8, (8, 12, 16), 200), (16, (12, 18, 24), 400))
    },
}


def _fits(front: Front, found: Found, tasks: Sequence[Task]) -> list[Design]:
    """A design with its readout trained anew on each of some streams."""
    options, hyper = front.candidate(found)
    tuned = Tuned(hyper, found.figures["regularisation"], found.figures["error"], 1)
    return [fit(task, options, tuned) for task in tasks]


def recorded(search: str, row: str) -> Design:
    """The design of a row of the record on the first test stream."""
    record: Measured = json.loads(RESULTS.read_text(encoding="utf-8"))
    kept = record["searches"][search]
    given: Measured = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in kept["space"].items()
    }
    design = kept["rows"][row]["design"]
    readout = Readout.of(design["options"])
    point = {
        "options": {key: v for key, v in design["options"].items() if key not in readout._fields},
        "hyperparameters": design["hyperparameters"],
    }
    options, hyper = candidate(Space(**given), point)
    figures = design["figures"]
    tuned = Tuned(hyper, figures["regularisation"], figures["error"], 1)
    options = replace(
        options, **readout._asdict(), name=f"{search}_{row}".replace("-", "_").replace("/", "_")
    )
    return fit(STREAMS.load(TESTS[:1])[0], options, tuned)


class Judge:
    """Chooses among the designs of a search, by validation errors of several streams."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.tasks = STREAMS.load(TUNING)[1:]
        self.known: dict[str, float] = {}

    def error(self, found: Found) -> float:
        """Mean validation error over the tuning streams, of which the search has seen the first."""
        if found.name not in self.known:
            errors = [found.figures["error"]]
            for design in _fits(self.front, found, self.tasks):
                errors.append(float(design.provenance["validation"]["quantised"]))
            self.known[found.name] = float(np.mean(errors))
        return self.known[found.name]

    def best(self, designs: Iterable[Found]) -> Found | None:
        """The best of those that were best in the search, with one readout of each reservoir."""
        ranked = sorted(designs, key=lambda d: d.figures["error"])
        first = {found.trial: found for found in reversed(ranked)}
        closest = sorted(first.values(), key=lambda d: d.figures["error"])[:CLOSEST]
        return min(closest, key=self.error, default=None)


def chosen(front: Front, float_error: float) -> dict[str, tuple[Found, float]]:
    """Designs that the page tells of, all chosen by validation errors and estimated cells."""
    judge = Judge(front)
    full = [d for d in front.designs if d.fidelity == "full" and not d.broken]
    found: dict[str, Found | None] = {"best": judge.best(full)}
    if "cells" in front.objectives:
        for units in UNITS:
            few = (d for d in full if d.options["units"] <= units)
            found[f"units/{units}"] = judge.best(few)
        for bits in BITS:
            narrow = (d for d in full if d.options.get("state_bits", bits + 1) <= bits)
            found[f"bits/{bits}"] = judge.best(narrow)
        for cells in CELLS:
            small = (d for d in full if d.figures["cells"] <= cells)
            found[f"cells/{cells}"] = judge.best(small)
        bound = 1.05 * float_error
        close = (d for d in full if d.figures["error"] <= bound)
        by_size = sorted(close, key=lambda d: (d.figures["cells"], d.figures["error"]))
        found["near"] = next((d for d in by_size if judge.error(d) <= bound), None)
    return {key: (d, judge.error(d)) for key, d in found.items() if d is not None}


def tested(front: Front, found: Found, validation: float, tasks: Sequence[Task]) -> Measured:
    """Train a design on every test stream, and evaluate the test samples of each once."""
    made = _fits(front, found, tasks)
    errors = [evaluate(design, task)["error"] for design, task in zip(made, tasks, strict=True)]
    cells = estimate(made[0], BOARD).cells
    design = front.entry(found)
    return {**summary(errors), "validation": validation, "cells": cells, "design": design}


def measured(key: str, search: Search, float_error: float) -> Measured:
    """Run a search, and test what it chose."""
    task = load_task("narma10", seed=TUNING[0])
    front = explore(
        task, BOARD, search.space, objectives=search.objectives, budget=search.budget,
        folder=STORES / key,
        progress=lambda done, count, words: print(f"{key}: {done}/{count} {words}", flush=True),
    )  # fmt: skip
    tests, known, rows = STREAMS.load(TESTS), {}, {}
    for name, (found, error) in chosen(front, float_error).items():
        if found.name not in known:
            known[found.name] = tested(front, found, error, tests)
        rows[name] = known[found.name]
    points: dict[str, list[tuple[float, float]]] = {}
    for d in front.designs:
        if d.fidelity == "full" and not d.broken:
            pair = d.figures["error"], d.figures["cells"]
            points.setdefault(d.options["reservoir"], []).append(pair)
    return {
        "title": search.title,
        "objectives": list(search.objectives),
        "space": asdict(search.space),
        "trials": front.record["trials"],
        "designs": len(front.designs),
        "processor_seconds": round(front.processor_seconds),
        "rows": rows,
        "points": points,
        "front": [front.entry(found) for found in front.members],
    }


def _known() -> Measured:
    """Floors, float rings and activations of ``benchmarks.accuracy`` on the same test streams.

    Raises
    ------
    DesignError
        If those were measured on other streams.
    """
    known = json.loads(ACCURACY.read_text(encoding="utf-8"))
    streams = STREAMS.hashes()
    if any(known["streams"].get(name) != splits for name, splits in streams.items()):
        raise DesignError(f"streams of {ACCURACY.name} must be those of this page, not others")
    return {
        "rows": {
            f"{n}/{key}": {"title": row["title"], "mean": row["mean"], "median": row["median"]}
            for n in UNITS
            for key in (*FLOORS, *FLOATS)
            for row in [known["rows"][f"narma/{n}/{key}"]]
        },
        "activation": {
            key.removeprefix(_ACTIVATION): {k: row[k] for k in ("title", "mean", "median")}
            for key, row in known["rows"].items()
            if key.startswith(_ACTIVATION)
        },
        "streams": streams,
    }


def _estimated(record: Measured) -> None:
    """Cells of the designs that were chosen, as the estimator has them now."""
    known: dict[str, int] = {}
    for search, found in record["searches"].items():
        for name, row in found["rows"].items():
            key = json.dumps(row["design"], sort_keys=True)
            if key not in known:
                known[key] = estimate(recorded(search, name), BOARD).cells
            row["cells"] = known[key]


def main() -> None:
    """Measure what is asked for, and write record, picture and page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=SEARCHES, action="append", help="searches to run")
    parser.add_argument("--page", action="store_true", help="make the page and measure nothing")
    parser.add_argument("--cells", action="store_true", help="estimate the chosen designs again")
    options = parser.parse_args()
    threadpool_limits(1)
    record: Measured = {"command": "python -m benchmarks.codesign", "searches": {}}
    record |= {"board": BOARDS[BOARD].title, "closest": CLOSEST}
    if RESULTS.exists():
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
    if "bound" not in record:
        ideal = IdealOptions(n_units=max(UNITS), squares=True, search="full")
        record["bound"] = tune_ideal(STREAMS.load(TUNING), ideal).error
    record |= _known()
    write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    if options.cells:
        _estimated(record)
        write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    best = record["bound"]
    for key in () if options.page or options.cells else options.only or SEARCHES:
        record["searches"][key] = measured(key, SEARCHES[key], best)
        record["environment"] = environment()
        write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "codesign.md", markdown(record))
    if "all" in record["searches"]:
        write_atomic(FOLDER / "codesign.svg", picture(record))


if __name__ == "__main__":
    main()
