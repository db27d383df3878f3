"""Capacities of binary inputs, short-term memory and parity, as stated of spintronic devices."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.lab.trial import Condition, Trial, try_preset
from rchw.nodes import Observation
from rchw.nodes.presets import Point, Preset, Size
from rchw.tasks import Task
from rchw.tasks.task import split_slices

__all__ = [
    "CONDITIONS",
    "DELAYS",
    "WASHOUT",
    "bits_task",
    "capacities",
    "capacity",
    "chosen",
    "means_of",
]

Values = NDArray[np.float64]

CONDITIONS = {"no noise": Condition(), "40 dB": Condition(40.0), "30 dB": Condition(30.0)}
DELAYS = 20
"""The longest; the shortest is 1, for the present bit needs no memory."""
WASHOUT = 100
"""Samples, more than the longest delay."""


def bits_task(split: tuple[int, int, int], seed: int, *, parity: bool) -> Task:
    """Random bits (T, 1), and targets (T, 20) of the delays d from 1.

    Parameters
    ----------
    split : three of int
        Samples for training, with the washout, for validation and for test.
    seed : int
        Of the bits.
    parity : bool
        The target is the parity of the bits t - d to t, else the bit t - d.
    """
    bits = np.random.default_rng(seed).integers(0, 2, sum(split))
    targets, sums = np.zeros((len(bits), DELAYS)), bits.copy()
    for delay in range(1, DELAYS + 1):
        earlier = np.concatenate([np.zeros(delay, dtype=bits.dtype), bits[:-delay]])
        sums = sums + earlier
        targets[:, delay - 1] = sums % 2 if parity else earlier
    name = "parity" if parity else "short-term memory"
    source = f"random bits, {name} of delays 1 to {DELAYS}, seed {seed}"
    inputs, rows = bits.astype(np.float64), split_slices(split)
    return Task(name, inputs, targets, WASHOUT, *rows, "nmse", source, horizon=0)


def capacity(prediction: Values, targets: Values) -> float:
    """Sum over the outputs of the squared correlation; (T, L) twice.

    Of L outputs that know nothing it is about L / T.
    """
    first, second = prediction - prediction.mean(axis=0), targets - targets.mean(axis=0)
    above = (first * second).sum(axis=0) ** 2
    below = (first**2).sum(axis=0) * (second**2).sum(axis=0)
    shares = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    return float(shares.sum())


def capacities(
    preset: Preset,
    seed: int,
    split: tuple[int, int, int],
    *,
    parity: bool,
    point: Point | None = None,
) -> tuple[dict[str, Any], list[Trial]]:
    """Capacity on the test samples under each of `CONDITIONS`, and the trials.

    Each condition has its own best point, by the NMSE on validation samples, averaged over the
    delays: the least is the most capacity.

    Parameters
    ----------
    preset : Preset
    seed : int
        Of the bits, of what the preset draws, and of the noise.
    split, parity
        See `bits_task`.
    point : mapping, optional
        Axes that are set, and not tuned.
    """
    task = bits_task(split, seed, parity=parity)
    trials = try_preset(
        task,
        preset,
        Size(preset.units, 1, seed),
        list(CONDITIONS.values()),
        point=point,
        observation=Observation(seed=seed),
    )
    wanted = task.targets[task.test]
    found: dict[str, Any] = {"splits": task.hashes(), "points": {}}
    for name, trial in zip(CONDITIONS, trials, strict=True):
        found[name] = capacity(trial.measurement.prediction, wanted)
        found["points"][name] = chosen(trial)
    return found, trials


def chosen(trial: Trial) -> dict[str, float]:
    """What was chosen on validation samples, the readout's regularisation included."""
    return trial.point | {"regularisation": trial.measurement.readout.regularisation}


def means_of(runs: list[dict[str, Any]], key: str) -> dict[str, float]:
    """Capacity of each condition, averaged over what `capacities` gave, under `key` of each run."""
    return {name: float(np.mean([run[key][name] for run in runs])) for name in CONDITIONS}
