"""What the figures share: results of several seeds, their means, and what needs no reservoir."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rchw.tasks import Task
from rchw.tasks.floors import linear, memoryless
from rchw.tasks.nvar import nvar

__all__ = ["Axes", "Runs", "Split", "floors_of", "mean"]

Split = tuple[int, int, int]
Runs = list[dict[str, Any]]
Axes = Mapping[str, tuple[float, ...]]


def mean(runs: Runs, name: str) -> float:
    """Mean of one entry over the runs."""
    return float(np.mean([run[name] for run in runs]))


def floors_of(tasks: Sequence[Task], power: float = 1.0) -> dict[str, float]:
    """Means over the tasks of what needs no reservoir, each raised to `power`."""
    return {
        "memoryless cubic": float(np.mean([memoryless(task) ** power for task in tasks])),
        "linear, 60 taps": float(np.mean([linear(task) ** power for task in tasks])),
        "NVAR": float(np.mean([nvar(task)[0] ** power for task in tasks])),
    }
