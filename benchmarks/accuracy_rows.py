"""What one row of the accuracy tables is, and how it is measured.

All choices (hyperparameters, lambda) are made by `tune` or `tune_ideal` on the validation samples
of tuning streams. Then, on every test stream, the readout alone is trained on the training samples,
and the test samples are evaluated once. A measured series is its own tuning stream: choices read
its validation samples.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from rchw.design import Design
from rchw.tasks import TASKS, Task, load_task
from rchw.tasks.floors import floors
from rchw.tasks.nvar import nvar
from rchw.train import TrainOptions, Tuned, evaluate, fit, tune
from rchw.train.families import WINDOWS
from rchw.train.ideal import IdealOptions, TunedIdeal, fit_ideal, tune_ideal

__all__ = [
    "FLOORS",
    "Options",
    "Row",
    "Streams",
    "family_rows",
    "float_row",
    "floor_rows",
    "integer_row",
    "measure",
    "nvar_row",
    "search",
    "summary",
    "trained",
]

Options = IdealOptions | TrainOptions

FLOORS = {
    "persistence": "last known value",
    "linear": "linear filter, 60 taps",
    "quadratic_ring": "linear ring of N units with squares",
    "volterra": "Volterra filter, order 2, 2 N features",
    "nvar": "NVAR, at most 300 features",
}


@dataclass(frozen=True)
class Streams:
    """A task with the seeds of the streams that choices read and of those that are tested."""

    task: str
    tuning: tuple[int, ...]
    test: tuple[int, ...]
    horizon: int | None = None

    def load(self, seeds: Sequence[int]) -> list[Task]:
        """Build the task for every seed; once where seeds make no difference."""
        chosen = seeds if TASKS[self.task].seeded else seeds[:1]
        return [load_task(self.task, horizon=self.horizon, seed=seed) for seed in chosen]

    def hashes(self) -> dict[str, dict[str, str]]:
        """SHA-256 of the splits of every stream."""
        found = {}
        for seeds in (self.tuning, self.test):
            for seed, task in zip(seeds, self.load(seeds), strict=False):
                horizon = "" if self.horizon is None else f", horizon {self.horizon}"
                name = (
                    f"{self.task}{horizon}, seed {seed}" if TASKS[self.task].seeded else self.task
                )
                found[name] = task.hashes()
        return found


@dataclass(frozen=True)
class Row:
    """A model of a table: its title, what is fixed before the search, and how often to search.

    Searches begin at different seeds, and one is made with each of `activations` where they are
    given; the one with the least validation error counts.
    """

    title: str
    options: Options
    searches: int = 1
    activations: tuple[str, ...] = ()

    def tries(self) -> list[dict[str, Any]]:
        """What to replace in the options for each search."""
        activations = self.activations or (self.options.activation,)
        return [
            {"activation": activation, "seed": seed}
            for activation in activations
            for seed in range(self.searches)
        ]


def float_row(
    title: str,
    n_units: int,
    search: str,
    *,
    squares: bool,
    activation: str = "tanh",
    classic: bool = False,
) -> Row:
    """Float cycle reservoir.

    `classic` fixes what Rodan and Tino fix, signs by digits of pi and one magnitude, with a bias;
    else signs, levels and bias are searched as they are for integers.
    """
    options = IdealOptions(
        n_units=n_units,
        squares=squares,
        activation=activation,
        levels=False if classic else None,
        bias=True if classic else None,
        windows=1 if classic else WINDOWS,
        search=search,
    )
    return Row(title, options)


def integer_row(
    title: str, n_units: int, search: str, *, bits: int, squares: bool, activation: str = "clip"
) -> Row:
    """Integer cycle reservoir: inputs and states of `bits` bits, outputs of 16.

    Readout weights have 12 bits beside 8-bit states and 18 beside 16-bit states.
    """
    options = TrainOptions(
        units=n_units,
        input_bits=bits,
        state_bits=bits,
        readout_bits=12 if bits <= 8 else 18,
        squares=squares,
        activation=activation,
        search=search,
    )
    return Row(title, options)


def family_rows(n_units: int, search: str) -> dict[str, Row]:
    """Rings and matrices in floating point, and in integers with 12-bit inputs and states."""
    kinds: dict[str, dict[str, Any]] = {
        "cycle": {"reservoir": "cycle"},
        "leaky": {"reservoir": "leaky"},
        "leaky, 10 %": {"reservoir": "leaky", "density": 0.1},
        "leaky, shifts 0..4": {"reservoir": "leaky", "leak_shifts": "0..4"},
        "euler-ring": {"reservoir": "euler-ring"},
        "euler": {"reservoir": "euler"},
        "deep, 3 leaky": {"reservoir": "deep", "layers": 3},
        "deep, 3 cycles": {"reservoir": "deep", "layers": 3, "layer_reservoir": "cycle"},
    }
    rows = {}
    for name, kind in kinds.items():
        key = name.replace(", ", "-").replace(" %", "").replace(" ", "-")
        ideal = IdealOptions(n_units=n_units, squares=True, search=search, **kind)
        rows[f"float-{key}"] = Row(f"float, {name}", ideal)
        whole = TrainOptions(
            units=n_units, input_bits=12, state_bits=12, readout_bits=16, squares=True,
            search=search, **kind,
        )  # fmt: skip
        rows[f"int-{key}"] = Row(f"12 bits, {name}", whole)
    return rows


def summary(errors: Sequence[float]) -> dict[str, Any]:
    """Collect errors with their mean and median."""
    return {
        "errors": [float(e) for e in errors],
        "mean": float(np.mean(errors)),
        "median": float(np.median(errors)),
    }


def search(row: Row, tuning: Sequence[Task]) -> tuple[Options, TunedIdeal | Tuned]:
    """Find the options and the choice of the least validation error among the tries of a row."""
    found: list[tuple[Options, TunedIdeal | Tuned]] = []
    for change in row.tries():
        if isinstance(row.options, IdealOptions):
            ideal = replace(row.options, **change)
            found.append((ideal, tune_ideal(tuning, ideal)))
        else:
            fixed = replace(row.options, **change)
            found.append((fixed, tune(tuning, fixed)))
    return min(found, key=lambda pair: pair[1].error)


def trained(row: Row, streams: Streams) -> Design:
    """Design of an integer row: tuned on the tuning streams, trained on the first test stream."""
    options, tuned = search(row, streams.load(streams.tuning))
    assert isinstance(options, TrainOptions) and isinstance(tuned, Tuned)
    return fit(streams.load(streams.test)[0], options, tuned)


def measure(row: Row, streams: Streams) -> dict[str, Any]:
    """Tune a row on the tuning streams and test it on the others.

    Returns
    -------
    dict
        ``errors`` of the test streams with ``mean`` and ``median``, ``options``, ``chosen``,
        ``regularisation``, ``validation`` (mean over the tuning streams), ``candidates``,
        ``seconds``; of an integer row also ``clipped`` and how the readout was quantised.
    """
    begin = time.perf_counter()
    tuning, tests = streams.load(streams.tuning), streams.load(streams.test)
    extra: dict[str, Any] = {}
    options, tuned = search(row, tuning)
    chosen: dict[str, Any]
    if isinstance(options, IdealOptions):
        assert isinstance(tuned, TunedIdeal)
        chosen = asdict(tuned.point)
        errors = [fit_ideal(task, options, tuned).error(task) for task in tests]
        extra["least_regularisation"] = options.least_regularisation
    else:
        assert isinstance(tuned, Tuned)
        chosen = asdict(tuned.hyper)
        designs = [fit(task, options, tuned) for task in tests]
        results = [evaluate(d, task) for d, task in zip(designs, tests, strict=True)]
        errors = [result["error"] for result in results]
        extra["clipped"] = float(np.mean([result["clipped"] for result in results]))
        for kind in ("real_readout", "compensated", "nearest"):
            scores = [d.provenance["validation"][kind] for d in designs]
            extra[f"validation_{kind}"] = float(np.mean(scores))
    return {
        "title": row.title,
        **summary(errors),
        "options": asdict(options),
        "chosen": chosen,
        "regularisation": tuned.regularisation,
        "validation": tuned.error,
        "candidates": tuned.candidates,
        "searches": len(row.tries()),
        **extra,
        "seconds": round(time.perf_counter() - begin, 1),
    }


def floor_rows(streams: Streams, n_units: int) -> dict[str, dict[str, Any]]:
    """Measure the floors on the test streams; each stream's own validation samples choose."""
    found = [floors(task, n_units) for task in streams.load(streams.test)]
    return {
        key: {"title": title, **summary([f[key] for f in found])} for key, title in FLOORS.items()
    }


def nvar_row(streams: Streams) -> dict[str, Any]:
    """Measure the autoregression alone, where the other floors say nothing."""
    found = [nvar(task)[0] for task in streams.load(streams.test)]
    return {"title": FLOORS["nvar"], **summary(found)}
