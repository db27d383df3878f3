"""Points of a grid to try, one after the other: first at random, then around the best so far.

The order depends on the seed and on which candidates were best, on nothing else.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["BUDGETS", "UNORDERED", "Point", "proposals"]

Point = dict[str, Any]

BUDGETS = {"none": 1, "quick": 30, "full": 200}
# A sign pattern has no neighbours. Thirty candidates are too few to look at many beside all else.
UNORDERED: dict[str, tuple[str, ...]] = {"none": (), "quick": (), "full": ("window",)}
_PATIENCE = 1000  # proposals in a row, all tried before, after which the grid counts as used up


def proposals(
    grid: Mapping[str, tuple[Any, ...]],
    start: Mapping[str, Any],
    budget: int,
    seed: int,
    best: Callable[[], Mapping[str, Any]],
    unordered: Collection[str] = (),
) -> Iterator[Point]:
    """Yield the start, then a third of the budget at random, then steps from the best.

    Parameters
    ----------
    grid : mapping of str to tuple
        Values of every axis, neighbours side by side.
    start : mapping
        One value of each axis.
    budget : int
        Points to yield at most, at least 1; fewer where the grid is used up.
    seed : int
    best : callable
        The best point so far, asked for when a step is due; a step changes one or two of its axes
        by one or two places.
    unordered : collection of str
        Axes on which neighbours have nothing in common: a step goes to any other value.

    Yields
    ------
    dict
        Never the same point twice. Where ``bias`` is 0, ``bias_signs`` mean nothing and are those
        of the start.
    """
    rng = np.random.default_rng(seed)
    seen: set[tuple[Any, ...]] = set()
    refused = 0
    while len(seen) < budget and refused < _PATIENCE:
        point = dict(start)
        if seen and len(seen) <= budget // 3:
            point = {key: values[int(rng.integers(len(values)))] for key, values in grid.items()}
        elif seen:
            known = best()
            point = {key: known[key] for key in grid}
            count = int(rng.integers(1, 3)) + refused // 20  # further away where all is known
            for key in rng.permutation(np.array(list(grid)))[:count]:
                values = grid[str(key)]
                index = values.index(point[str(key)])
                if key in unordered:
                    index = (index + int(rng.integers(1, max(len(values), 2)))) % len(values)
                else:
                    index += int(rng.choice([-2, -1, 1, 2]))
                point[str(key)] = values[min(max(index, 0), len(values) - 1)]
        if point.get("bias") == 0.0 and "bias_signs" in point:
            point["bias_signs"] = start["bias_signs"]
        identity = tuple(point[key] for key in grid)
        if identity in seen:
            refused += 1
            continue
        seen.add(identity)
        refused = 0
        yield point
