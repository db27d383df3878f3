"""Optimisers of a search on equal terms: the same space, first trials, batches and short series.

``python -m benchmarks.explore --optimisers`` measures this part. What counts is the hypervolume of
the front in decades: the area between it and a corner that was fixed in advance, of the logarithms
of error and cells. Errors are those on the validation samples, by which the search chooses.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from statistics import median
from typing import Any

import numpy as np

from rchw.codesign.engine import LocalEngine
from rchw.codesign.estimate import calibration
from rchw.codesign.explore import explore
from rchw.codesign.front import Front
from rchw.codesign.optimiser import OPTIMISERS
from rchw.codesign.space import Space
from rchw.experiment import versions
from rchw.tasks import load_task

__all__ = ["BUDGETS", "CORNER", "SEEDS", "compared", "compared_lines", "hypervolume"]

TASK, BOARD = "narma10", "ulx3s-85f"
SPACE = Space(units=(10, 40))
SEEDS = (0, 1, 2)
BUDGETS = (50, 100, 150)
CORNER = (1.0, 5000.0)  # NMSE of the mean of the targets, and cells
_SMALL = 500
_NAMES = {"tpe": "TPE", "nsga2": "NSGA-II", "random": "random"}
_HEAD = """
## Optimisers

`{command}`: {task}, reservoirs of {low} to {high} units
of all kinds, objectives {metric} on the validation samples and estimated cells of {board};
{count} seeds, the same first trials, batches and short series for all. Hypervolume is the area, in
decades of both, between a front and the corner of NMSE {corner[0]:g} and {corner[1]:,.0f} cells:
more is better. Medians over the seeds, least and most in brackets.

| optimiser | {heads} | best NMSE | best under {small} cells |
|---|{rules}---:|---:|
"""


def hypervolume(points: Sequence[tuple[float, float]], corner: tuple[float, float]) -> float:
    """Area that points dominate up to a corner, in decades; both figures are to be small.

    >>> round(hypervolume([(0.1, 10.0), (0.01, 100.0), (0.5, 50.0)], (1.0, 1000.0)), 12)
    3.0
    """
    kept = [(e, c) for e, c in points if e < corner[0] and c < corner[1]]
    area, ceiling = 0.0, float(np.log10(corner[1]))
    for error, cells in sorted(kept):
        if np.log10(cells) < ceiling:
            area += float(np.log10(corner[0] / error) * (ceiling - np.log10(cells)))
            ceiling = float(np.log10(cells))
    return area


def _pairs(front: Front, budget: int) -> list[tuple[float, float]]:
    """Errors and cells of what the first trials came to, on all samples."""
    return [
        (found.figures["error"], found.figures["cells"])
        for found in front.designs
        if found.trial < budget and found.fidelity == "full" and not found.broken
    ]


def _row(optimiser: str, seed: int, budgets: Sequence[int]) -> dict[str, Any]:
    """Search once, on one core."""
    begun = time.process_time()
    with LocalEngine(1) as local:
        front = explore(
            load_task(TASK), BOARD, SPACE, budget=max(budgets), seed=seed, optimiser=optimiser,
            engine=local,
        )  # fmt: skip
    pairs = _pairs(front, max(budgets))
    return {
        "optimiser": optimiser,
        "seed": seed,
        "hypervolume": [hypervolume(_pairs(front, count), CORNER) for count in budgets],
        "best": min(error for error, _ in pairs),
        "best_small": min((e for e, cells in pairs if cells < _SMALL), default=None),
        "front": len(front.members),
        "trained": len({d.trial for d in front.designs if d.fidelity == "full"}),
        "processor_seconds": round(time.process_time() - begun, 1),
    }


def compared(
    command: str,
    known: dict[str, Any] | None = None,
    seeds: Sequence[int] = SEEDS,
    budgets: Sequence[int] = BUDGETS,
) -> Iterator[dict[str, Any]]:
    """Search with every optimiser and seed; the record so far after each.

    Rows of a record of the same comparison that is known already are not measured again.
    """
    record: dict[str, Any] = {
        "command": command, "task": TASK, "board": BOARD, "units": list(SPACE.units),
        "budgets": list(budgets), "corner": list(CORNER), "small": _SMALL,
        "tools": versions("numba", "optuna"), "estimator": calibration(),
    }  # fmt: skip
    same = known is not None and {**known, "rows": 0} == {**record, "rows": 0}
    rows: list[dict[str, Any]] = list(known["rows"]) if known is not None and same else []
    there = {(row["seed"], row["optimiser"]) for row in rows}
    for seed, optimiser in product(seeds, OPTIMISERS):
        if (seed, optimiser) not in there:
            rows.append(_row(optimiser, seed, budgets))
            print(f"{optimiser}, seed {seed}: {rows[-1]['hypervolume'][-1]:.3f}", flush=True)
        yield record | {"rows": list(rows)}


def _spread(values: Sequence[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{median(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def compared_lines(record: dict[str, Any]) -> Iterator[str]:
    """Part of the page that tells what was measured, and who was ahead on how many seeds."""
    budgets, of = record["budgets"], dict[int, int]()
    for row in record["rows"]:
        of[row["seed"]] = of.get(row["seed"], 0) + 1
    # Seeds that a run which was stopped has not finished would favour one or the other.
    rows = [row for row in record["rows"] if of[row["seed"]] == max(of.values())]
    yield _HEAD.format(
        command=record["command"], task=record["task"], low=record["units"][0],
        high=record["units"][1], metric="NMSE", board=record["board"],
        count=len({row["seed"] for row in rows}), corner=record["corner"], small=record["small"],
        heads=" | ".join(f"{count} trials" for count in budgets), rules="---:|" * len(budgets),
    )  # fmt: skip
    last: dict[str, dict[int, float]] = {}
    measured = [name for name in OPTIMISERS if any(row["optimiser"] == name for row in rows)]
    for optimiser in measured:
        own = [row for row in rows if row["optimiser"] == optimiser]
        last[optimiser] = {row["seed"]: row["hypervolume"][-1] for row in own}
        cells = [_spread([row["hypervolume"][k] for row in own], 2) for k in range(len(budgets))]
        cells.append(_spread([row["best"] for row in own], 4))
        small = [row["best_small"] for row in own if row["best_small"] is not None]
        cells.append(_spread(small, 4) if small else "none")
        yield f"| {_NAMES[optimiser]} | {' | '.join(cells)} |\n"
    yield "\n"
    for one, other in combinations(measured, 2):
        seeds = last[one].keys() & last[other].keys()
        ahead = sum(last[one][seed] > last[other][seed] for seed in seeds)
        yield (
            f"After {budgets[-1]} trials {_NAMES[one]} is ahead of {_NAMES[other]} on {ahead} of "
            f"{len(seeds)} seeds.\n"
        )
