"""Train, then measure once: the work of ``rchw train``, whose record the report is drawn from.

A generator (``--feedback``) has a record of its own: of free runs, without floors.
"""

import math
import platform
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

import rchw
from rchw.design import Design, Matrix, MatrixLayer, UnitLayer
from rchw.document import digest
from rchw.model.scaling import matrix_radius
from rchw.ranges import dead_band
from rchw.schedule import schedule
from rchw.tasks import Task
from rchw.tasks.floors import floors
from rchw.train import TrainOptions, evaluate, train
from rchw.train.generate import evaluate_generator, train_generator
from rchw.train.ideal import train_ideal
from rchw.train.search import check_possible
from rchw.trained import Trained

__all__ = [
    "FLOORS",
    "Steps",
    "csv_series",
    "experiment",
    "finite",
    "generator",
    "layer_facts",
    "task_facts",
    "verdicts",
    "versions",
]

# Keys of the test errors, worst informed first, and what people call them.
FLOORS = {
    "persistence": "persistence",
    "linear": "linear floor",
    "quadratic_ring": "quadratic ring",
    "volterra": "Volterra filter",
    "nvar": "NVAR",
}


class Steps(Protocol):
    """What shows long steps; `rchw.cli.console.Screen` does."""

    def step(self, title: str) -> AbstractContextManager[Callable[[str], None]]:
        """Show one step; yields what receives its lines."""
        ...

    def bar(self, title: str) -> AbstractContextManager[Callable[[int, int, float], None]]:
        """Show a search; yields what receives (done, total, best)."""
        ...


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, rchw, numpy and of those of `packages` that are installed."""
    found = {"python": platform.python_version(), "rchw": rchw.__version__}
    for name in ("numpy", *packages):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def finite(value: float) -> float | None:
    """Return the number, or None where JSON has no word for it."""
    return value if math.isfinite(value) else None


def csv_series(wanted: NDArray[np.float64], prediction: NDArray[np.float64]) -> str:
    """CSV with one line per sample (T, L); floats in their shortest exact form."""
    outputs = range(wanted.shape[1])
    columns = [f"target_{k}" for k in outputs] + [f"prediction_{k}" for k in outputs]
    lines = [",".join(["sample", *columns])]
    pairs = zip(wanted.tolist(), prediction.tolist(), strict=True)
    for number, (first, second) in enumerate(pairs):
        lines.append(",".join([str(number), *map(repr, first), *map(repr, second)]))
    return "\n".join(lines) + "\n"


def task_facts(
    task: Task, source: str, seed: int, columns: tuple[str | None, str | None]
) -> dict[str, Any]:
    """What a record says of a task and its splits, ready for JSON."""
    lengths = [rows.stop - rows.start for rows in (task.train, task.validation, task.test)]
    return {
        "source": Path(source).name,  # a path would tell of the machine
        "seed": seed,
        "input_columns": columns[0],
        "target_columns": columns[1],
        "name": task.name,
        "data": task.source,
        "metric": task.metric,
        "horizon": task.horizon,
        "washout": task.washout,
        "split": lengths,
        "split_sha256": task.hashes(),
    }


def _dead_band(layer: UnitLayer) -> list[int] | None:
    """Where the slowest unit may rest, if any leaks."""
    shifts = layer.leak_shifts
    return list(dead_band(layer, shifts.index(max(shifts)))) if any(shifts) else None


def layer_facts(design: Design) -> list[dict[str, Any]]:
    """What a record says of every layer that is driven."""
    return [
        {
            "name": layer.name,
            "family": layer.family,
            "units": layer.n_units,
            "lanes": layer.lanes,
            "leak_shifts": [min(layer.leak_shifts), max(layer.leak_shifts)],
            "dead_band": _dead_band(layer),
            "matrix": _matrix_facts(layer.matrix) if isinstance(layer, MatrixLayer) else None,
            "gain": _gain_facts(layer),
        }
        for layer in (stage.layer for stage in design.stages)
    ]


def _gain_facts(layer: UnitLayer) -> dict[str, Any] | None:
    """Format and range of gains, if there are any."""
    if layer.gain is None:
        return None
    codes, fmt = layer.gain.codes, layer.gain.format
    return {
        "format": str(fmt),
        "range": [min(codes) * fmt.resolution, max(codes) * fmt.resolution],
    }


def _matrix_facts(matrix: Matrix) -> dict[str, Any]:
    """Format and scaling of a matrix, and the spectral radius that its codes came to."""
    return {
        "kind": matrix.kind,
        "format": str(matrix.format),
        "connections": sum(len(row) for row in matrix.rows),
        "scaling": None if matrix.scaling is None else asdict(matrix.scaling),
        "coded_radius": round(matrix_radius(matrix.full * matrix.format.resolution), 6),
    }


def experiment(
    task: Task,
    options: TrainOptions,
    steps: Steps,
    *,
    source: str,
    series_seed: int = 0,
    columns: tuple[str | None, str | None] = (None, None),
) -> Trained:
    """Train a design, and measure it on the test samples, once, beside floors and float model.

    Parameters
    ----------
    task : Task
    options : TrainOptions
    steps : Steps
        Shows progress.
    source : str
        What the user called the task; the name of a file is kept, its folder is not.
    series_seed : int
        Of a generated series.
    columns : (str or None, str or None)
        Of inputs and targets, as the user named them.

    Returns
    -------
    Trained

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    start = time.monotonic()
    check_possible(task, options)
    trace: list[float | None] = []
    with steps.bar(f"training {options.name} on {task.name}, at the widths it will have") as show:

        def progress(done: int, total: int, best: float) -> None:
            trace.append(finite(best))
            show(done, total, best)

        design = train(task, options, progress)
    with steps.step("measuring the floors"):
        errors = dict(floors(task, options.units))
    with steps.bar("training the float model, at its own optimum") as show:
        ideal = train_ideal(
            task,
            reservoir=options.reservoir,
            n_units=options.units,
            squares=options.squares,
            levels=options.levels,
            bias=options.bias,
            encoder=options.encoder,
            scaling=options.scaling,
            density=options.density,
            leak_shifts=options.leak_shifts,
            layers=options.layers,
            layer_reservoir=options.layer_reservoir,
            search=options.search,
            seed=options.seed,
            progress=show,
        )
    errors["float"] = ideal.error(task)
    measured = evaluate(design, task)
    errors["reference"] = measured["error"]
    record: dict[str, Any] = {
        "kind": "train",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "task": task_facts(task, source, series_seed, columns),
        "channels": {
            "inputs": [channel.name for channel in design.inputs],
            "outputs": [output.name for output in design.readout.outputs],
        },
        "options": asdict(options),
        "chosen": {
            "hyperparameters": design.provenance["hyperparameters"],
            "regularisation": design.provenance["regularisation"],
            "candidates": design.provenance["candidates"],
            "trace": trace,
        },
        "adaptation": design.provenance.get("adaptation"),
        "validation": design.provenance["validation"],
        "readout": design.provenance["readout"],
        "test": {
            "samples": measured["samples"],
            "errors": {key: finite(float(value)) for key, value in errors.items()},
            "clipped": measured["clipped"],
        },
        "layers": layer_facts(design),
        "clocks_per_sample": schedule(design).clocks,
        "multipliers": design.readout.multipliers,
        "tools": versions("numba"),
        "seconds": round(time.monotonic() - start, 2),
    }
    return Trained(design, record, csv_series(task.targets[task.test], measured["prediction"]))


def generator(
    task: Task,
    options: TrainOptions,
    run_steps: int,
    steps: Steps,
    *,
    source: str,
    series_seed: int = 0,
    columns: tuple[str | None, str | None] = (None, None),
) -> Trained:
    """Train a design that makes a task's targets by itself; leave it alone on test samples, once.

    Parameters
    ----------
    task : Task
        Its inputs are not read.
    options : TrainOptions
    run_steps : int
        Samples of a free run.
    steps, source, series_seed, columns
        As for `experiment`.

    Returns
    -------
    Trained
        Its series is that of the first free run.

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    start = time.monotonic()
    trace: list[float | None] = []
    with steps.bar(f"teaching {options.name} the targets of {task.name}") as show:

        def progress(done: int, total: int, best: float) -> None:
            trace.append(finite(best))
            show(done, total, best)

        design = train_generator(task, options, run_steps, progress)
    measured, runs = evaluate_generator(design, task, run_steps)
    known = design.provenance
    chosen = ("hyperparameters", "noise", "regularisation", "candidates")
    record: dict[str, Any] = {
        "kind": "generate",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "task": task_facts(task, source, series_seed, columns),
        "channels": {"inputs": [], "outputs": [o.name for o in design.readout.outputs]},
        "options": asdict(options),
        "steps": run_steps,
        "chosen": {key: known[key] for key in chosen} | {"trace": trace},
        "adaptation": known.get("adaptation"),
        "validation": known["validation"],
        "readout": known["readout"],
        "test": measured,
        "layers": layer_facts(design),
        "clocks_per_sample": schedule(design).clocks,
        "multipliers": design.readout.multipliers,
        "tools": versions("numba"),
        "seconds": round(time.monotonic() - start, 2),
    }
    first = runs.starts[0]
    wanted = task.targets[first : first + run_steps]
    return Trained(design, record, csv_series(wanted, runs.predictions[0]))


def verdicts(errors: dict[str, float | None], key: str = "reference") -> dict[str, bool]:
    """Which of the `FLOORS` present in `errors` the entry `key` beats."""
    own = errors.get(key)
    return {
        floor: own is not None and own < other
        for floor in FLOORS
        if (other := errors.get(floor)) is not None
    }
