"""A series that stands in for the user's data where there are none."""

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.importing.network import Network, NetworkModel
from rchw.tasks import Task
from rchw.tasks.task import split_slices

__all__ = ["COST", "drawn_task"]

Values = NDArray[np.float64]

COST = (
    "no data: every range and the rounding of the readout were chosen on a series drawn from the "
    "stated range of the inputs, so that on real inputs outputs may saturate or be coarser, and "
    "the errors here say nothing of them"
)

_SPLIT = (2000, 500, 500)
_WASHOUT = 200
_PIECE = 100  # samples of one kind before the next


def drawn_task(network: Network, low: float, high: float, seed: int = 0) -> Task:
    """A task whose targets are what the network gives for inputs that are drawn.

    In turn every 100 samples are independent and uniform from `low` to `high`, held for 2 to 20
    samples, or joined by straight lines of such lengths.

    Parameters
    ----------
    network : Network
    low, high : float
        Of all inputs.
    seed : int

    Raises
    ------
    DesignError
        If `low` is not below `high`, or the network has no readout.
    """
    if not (np.isfinite([low, high]).all() and low < high):
        raise DesignError(f"input range must rise from LOW to HIGH, not {low:g} to {high:g}")
    rng = np.random.default_rng(seed)
    inputs = np.stack([_series(sum(_SPLIT), rng) for _ in range(network.n_inputs)], axis=1)
    inputs = low + (high - low) * inputs
    train, validation, test = split_slices(_SPLIT)
    with np.errstate(over="ignore", invalid="ignore"):
        targets = network.outputs(NetworkModel(network).run(inputs), inputs)
    if not np.isfinite(targets).all():
        raise DesignError("states of the network must stay finite on the data, not grow")
    return Task(
        name="drawn", inputs=inputs, targets=targets, washout=_WASHOUT, train=train,
        validation=validation, test=test, metric="nmse", horizon=0,
        source=f"drawn from {low:g} to {high:g}; seed {seed}; targets are the network's outputs",
    )  # fmt: skip


def _series(length: int, rng: np.random.Generator) -> Values:
    """Numbers from 0 to 1: free, held, and joined by lines, in turn."""
    made = np.empty(length)
    for piece, start in enumerate(range(0, length, _PIECE)):
        rows = made[start : start + _PIECE]
        if piece % 3 == 0:
            rows[:] = rng.uniform(size=len(rows))
            continue
        knots = np.cumsum(rng.integers(2, 21, _PIECE))
        levels = rng.uniform(size=_PIECE)
        times = np.arange(len(rows))
        if piece % 3 == 1:
            rows[:] = levels[np.searchsorted(knots, times, side="right")]
        else:
            rows[:] = np.interp(times, knots - knots[0], levels)
    return made
