"""Small tasks, quick to train on."""

import numpy as np

from rchw.tasks.task import Task

__all__ = ["tiny_task"]


def tiny_task(
    seed: int = 0, channels: int = 1, outputs: int = 1, samples: int = 700, symbols: bool = False
) -> Task:
    """Remember and multiply: targets are products of inputs 1 to 4 samples ago.

    400 samples to train on, of which 50 are washout, 150 to choose by, the rest to test on.
    """
    rng = np.random.default_rng(seed)
    inputs = rng.uniform(-1, 3, (samples, channels))
    past = [np.roll(inputs[:, k % channels], k + 1) for k in range(4)]
    columns = [past[k % 4] + 0.3 * past[k % 3] * past[1] + k for k in range(outputs)]
    targets = np.stack(columns, axis=1)
    if symbols:
        targets = np.where(targets > targets.mean(axis=0), 1.0, -1.0)
    return Task(
        name="tiny",
        inputs=inputs,
        targets=targets,
        washout=50,
        train=slice(0, 400),
        validation=slice(400, 550),
        test=slice(550, samples),
        metric="ser" if symbols else "nmse",
        source=f"seed {seed}",
        symbols=(-1.0, 1.0) if symbols else None,
    )
