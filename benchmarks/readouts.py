"""Readouts for less: error against adders, non-zero weights and bits; and rules that learn online.

``python -m benchmarks.readouts`` writes ``benchmarks/results/readouts.json``, the page
``benchmarks/readouts.md`` and its picture ``docs/images/readouts.svg``; ``--only tasks``,
``circuits``, ``online`` or ``floors`` measures that part alone, ``--page`` none. The reservoir of a
task is searched for once, without budgets. For every budget lambda is then chosen on validation
samples; the test samples are read once, after every choice.
"""

import argparse
import json
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_rows import FLOORS
from benchmarks.readouts_page import page, picture
from rchw.boards.synth import synthesize_core
from rchw.design import Design
from rchw.devices import board
from rchw.document import digest
from rchw.files import write_atomic
from rchw.hdl.emit import write_verilog
from rchw.reference.compiled import run_states
from rchw.sim.record import versions
from rchw.tasks import Task, load_task
from rchw.tasks.floors import floors
from rchw.train import Hyperparameters, TrainOptions, build_design, train_readout, tune
from rchw.train.budget import ReadoutBudgets, readout_facts
from rchw.train.directional import DirectionalForgetting
from rchw.train.lms import LeastMeanSquares
from rchw.train.online import OnlineReadout
from rchw.train.readout import aligned_features, outputs_of
from rchw.train.rls import RecursiveLeastSquares
from rchw.train.search import training_rows
from rchw.train.tradeoff import Point, tradeoff

__all__ = ["ADDERS", "BITS", "FOLDER", "NONZEROS", "TASKS", "budgeted", "page", "parallel"]

FOLDER = Path(__file__).parent
ADDERS = (0, 4, 8, 16, 32, 64, 128, 256, 512)
NONZEROS = (1, 2, 4, 8, 16, 32, 64, 128)
BITS = (3, 4, 5, 6, 8, 10, 12)
TASKS = {
    "narma10": TrainOptions(units=100, state_bits=8, squares=True, name="narma10"),
    "santa-fe": TrainOptions(units=100, state_bits=8, squares=True, name="santa_fe"),
}
CIRCUIT = TrainOptions(units=24, lanes=24, state_bits=8, search="none", name="readout")
CIRCUIT_ADDERS = (32, 16, 8, 0)
BOARD = "hx8k"
ONLINE = TrainOptions(units=50, state_bits=12, squares=True, search="none", name="online")
_RATES = (0.05, 0.2, 0.5, 1.0, 1.5)
_STRENGTHS = tuple(10.0**k for k in range(-8, 0))  # of a ridge, per sample

Values = NDArray[np.float64]
Row = dict[str, Any]


class Reservoir:
    """A searched reservoir on its task: states of all samples, errors of readouts."""

    def __init__(
        self, task: Task, options: TrainOptions, hyper: Hyperparameters | None = None
    ) -> None:
        self.task, self.hyper = task, hyper or tune([task], options).hyper
        self.design = build_design(
            options, self.hyper, task.inputs[task.train], task.targets[task.train]
        )
        self.codes = self.design.encode(task.inputs)
        self.states = run_states(self.design, self.codes).astype(np.int64)
        self.rows = training_rows(task)

    @property
    def training(self) -> tuple[Any, Any, Values]:
        """States, input codes and targets to train on."""
        rows = self.rows
        return self.states[rows], self.codes[rows], self.task.targets[rows]

    def error(self, design: Design, rows: slice) -> float:
        """Error of the integer outputs of a design on some samples."""
        found = outputs_of(design, self.states[rows], self.codes[rows])
        return float(self.task.error(found, self.task.targets[rows]))

    def score(self, design: Design) -> float:
        """Error on the validation samples."""
        return self.error(design, self.task.validation)

    def points(self, budgets: list[ReadoutBudgets]) -> list[Point]:
        """Best design of each budget."""
        return tradeoff(self.design, *self.training, budgets, self.score)

    def plain(self, bits: int) -> Point:
        """Compensated rounding to so many bits, without any other budget."""
        budgets = ReadoutBudgets(bits)
        fits = train_readout(self.design, *self.training, budgets=budgets)
        found = [(self.score(fit.design), fit) for fit in fits]
        error, best = min(found, key=lambda pair: pair[0])
        return Point(budgets, best.design, best.solution.regularisation, error)

    def row(self, kind: str, asked: int | None, point: Point) -> Row:
        """What is recorded of a point; reads the test samples."""
        facts = readout_facts(point.design)
        return {
            "kind": kind,
            "asked": asked,
            "adders": facts["adders"][0],
            "nonzeros": facts["nonzeros"][0],
            "regularisation": point.regularisation,
            "validation": point.error,
            "test": self.error(point.design, self.task.test),
            "digest": digest(point.design),
        }


def measure_task(source: str, options: TrainOptions) -> Row:
    """All budgets on one task."""
    found = Reservoir(load_task(source), options)
    bits = options.budgets.width
    chosen = [("bits", n, found.plain(n)) for n in BITS]
    asked = [ReadoutBudgets(bits, adders=n) for n in ADDERS]
    chosen += [("adders", n, p) for n, p in zip(ADDERS, found.points(asked), strict=True)]
    asked = [ReadoutBudgets(bits, nonzeros=n) for n in NONZEROS]
    chosen += [("nonzeros", n, p) for n, p in zip(NONZEROS, found.points(asked), strict=True)]
    return {
        "task": source,
        "metric": found.task.metric,
        "options": asdict(options),
        "hyperparameters": asdict(found.hyper),
        "weights": readout_facts(found.design)["weights"],
        "rows": [found.row(kind, n, point) for kind, n, point in chosen],
    }


def measure_circuits() -> Row:
    """Cells of one parallel circuit with ever fewer adders in its readout."""
    found = Reservoir(load_task("santa-fe"), CIRCUIT)
    device = board(BOARD).device
    bits = CIRCUIT.budgets.width
    points = found.points([ReadoutBudgets(bits, adders=n) for n in CIRCUIT_ADDERS])
    chosen = [(None, found.plain(bits)), *zip(CIRCUIT_ADDERS, points, strict=True)]
    rows = []
    for asked, point in chosen:
        with tempfile.TemporaryDirectory() as place:
            write_verilog(point.design, Path(place))
            made = synthesize_core(point.design.name, device, Path(place))
        row = found.row("adders", asked, point)
        rows.append(row | {"resources": made.resources, "yosys": made.yosys})
        print(row["adders"], made.resources, flush=True)
    return {
        "task": "santa-fe", "board": BOARD, "device": device.name, "options": asdict(CIRCUIT),
        "rows": rows,
    }  # fmt: skip


def budgeted(source: str, adders: int) -> Design:
    """The design of a row of adders of a task, from the hyperparameters of the record."""
    record: Row = json.loads((FOLDER / "results" / "readouts.json").read_text("utf-8"))
    task = next(task for task in record["tasks"] if task["task"] == source)
    hyper = Hyperparameters(**task["hyperparameters"])
    found = Reservoir(load_task(source), TASKS[source], hyper)
    budgets = ReadoutBudgets(TASKS[source].budgets.width, adders=adders)
    return found.points([budgets])[0].design


def parallel(adders: int) -> Design:
    """The design of a row of the parallel circuit."""
    found = Reservoir(load_task("santa-fe"), CIRCUIT)
    return found.points([ReadoutBudgets(CIRCUIT.budgets.width, adders=adders)])[0].design


def measure_floors() -> Row:
    """Test errors of what needs no reservoir, for each table by task and units."""
    found: Row = {}
    for source, options in (*TASKS.items(), ("santa-fe", CIRCUIT), ("narma10", ONLINE)):
        errors = floors(load_task(source), options.units)
        found[f"{source}/{options.units}"] = {FLOORS[name]: errors[name] for name in FLOORS}
    return found


def measure_online() -> Row:
    """Rules that learn sample by sample, beside the ridge on the same features."""
    found = Reservoir(load_task("narma10"), ONLINE)
    task, rows = found.task, found.rows
    codes, _ = aligned_features(found.design, found.states, found.codes)
    features = codes[:, :-1].astype(np.float64)
    features = (features - features[rows].mean(axis=0)) / features[rows].std(axis=0)
    x = np.column_stack([features, np.ones(len(features))])
    centre, scale = task.targets[rows].mean(), task.targets[rows].std()
    y = (task.targets - centre) / scale
    gram = x[rows].T @ x[rows]
    powers = np.linalg.eigvalsh(gram / (rows.stop - rows.start))

    def error(weights: Values, part: slice = task.validation) -> float:
        return float(task.error(x[part] @ weights * scale + centre, task.targets[part]))

    solved = {}
    for strength in _STRENGTHS:
        whole = strength * (rows.stop - rows.start)
        solved[whole] = np.linalg.solve(gram + whole * np.eye(len(gram)), x[rows].T @ y[rows])
    ridge = min(solved, key=lambda whole: error(solved[whole]))
    wanted = x[rows] @ solved[ridge]

    def measured(rule: str, passes: int, make: Callable[[], OnlineReadout]) -> Row:
        readout = make()
        for _ in range(passes):
            readout.update(x[rows], y[rows])
        missed = x[rows] @ readout.weights - wanted
        return {
            "rule": rule,
            "passes": passes,
            "distance": float(np.sqrt(np.mean(missed**2))),
            "validation": error(readout.weights),
            "weights": readout.weights,
        }

    size = x.shape[1]
    most = 2 / float(powers[-1])
    measures = []
    for passes in (1, 10, 100):
        plain = [(f"LMS, rate {part:g} of the largest", part * most) for part in (0.01, 0.03, 0.1)]
        tried = [
            measured(name, passes, partial(LeastMeanSquares, size, rate=rate, normalised=False))
            for name, rate in plain
        ]
        measures.append(min(tried, key=lambda row: float(row["validation"])))
        tried = [
            measured(f"NLMS, rate {rate:g}", passes, partial(LeastMeanSquares, size, rate=rate))
            for rate in _RATES
        ]
        measures.append(min(tried, key=lambda row: float(row["validation"])))
    for forget in (1.0, 0.999, 0.99, 0.97):
        name = f"RLS, forget {forget:g}"
        measures.append(
            measured(name, 1, partial(RecursiveLeastSquares, size, forget=forget, ridge=ridge))
        )
    for rho in (-0.9, -0.5, 0.0, 0.99):
        name = f"directional forgetting, rho {rho:g}"
        measures.append(
            measured(name, 1, partial(DirectionalForgetting, size, rho=rho, ridge=ridge))
        )
    for row in measures:  # those that were chosen, and no other
        row["test"] = error(row.pop("weights"), task.test)
    return {
        "task": "narma10",
        "options": asdict(ONLINE),
        "features": size,
        "samples": rows.stop - rows.start,
        "spread": float(powers[-1] / powers[0]),
        "ridge": {
            "strength": ridge / (rows.stop - rows.start),
            "validation": error(solved[ridge]),
            "test": error(solved[ridge], task.test),
        },
        "rows": measures,
    }


def main() -> None:
    """Measure what is asked for, and write record, page and picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("tasks", "circuits", "online", "floors"))
    parser.add_argument("--page", action="store_true", help="measure nothing")
    given = parser.parse_args()
    place = FOLDER / "results" / "readouts.json"
    record: Row = json.loads(place.read_text("utf-8")) if place.exists() else {"kind": "readouts"}
    if not given.page:
        if given.only in (None, "tasks"):
            record["tasks"] = [measure_task(name, options) for name, options in TASKS.items()]
        if given.only in (None, "circuits"):
            record["circuits"] = measure_circuits()
        if given.only in (None, "online"):
            record["online"] = measure_online()
        if given.only in (None, "floors"):
            record["floors"] = measure_floors()
        record["tools"] = {"python": platform.python_version(), **versions(["numba"], ["yosys"])}
        write_atomic(place, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "readouts.md", page(record))
    write_atomic(FOLDER.parent / "docs" / "images" / "readouts.svg", picture(record))


if __name__ == "__main__":
    main()
