"""Train a recurrent network, leave it alone once: the work of ``rchw train --teaching``.

Its record holds what training did, and the free run of network and design beside the truth.
"""

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.document import digest
from rchw.errors import DesignError
from rchw.experiment import Steps, csv_series, finite, layer_facts, task_facts, versions
from rchw.schedule import schedule
from rchw.tasks import Task
from rchw.train.force import ForceOptions
from rchw.train.force_design import Widths
from rchw.train.recurrent import Alone, Recurrent, left_alone, train_recurrent
from rchw.trained import Trained

__all__ = ["taught"]

Values = NDArray[np.float64]


def taught(
    task: Task,
    options: ForceOptions,
    widths: Widths,
    steps: Steps,
    *,
    source: str,
    integer_samples: int = 0,
    run_steps: int | None = None,
    series_seed: int = 0,
    columns: tuple[str | None, str | None] = (None, None),
) -> Trained:
    """Train a design that keeps a task's targets going, and leave it alone behind the training.

    Parameters
    ----------
    task : Task
        Its inputs are read unless they are the targets' past.
    options : ForceOptions
    widths : Widths
    steps : Steps
        Shows progress.
    source : str
        What the user called the task.
    integer_samples : int
        As for `rchw.train.recurrent.train_recurrent`.
    run_steps : int, optional
        Samples of the free run; all behind the training samples, if left out.
    series_seed : int
        Of a generated series.
    columns : (str or None, str or None)
        Of inputs and targets, as the user named them.

    Returns
    -------
    Trained
        Its series is that of the free run.

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    start, begin = time.monotonic(), task.train.stop
    behind = task.test.stop - begin
    length = behind if run_steps is None else run_steps
    if not 20 <= length <= behind:
        raise DesignError(
            f"steps must be from 20 to the {behind} samples behind the training, not {length}"
        )
    with steps.bar(f"{options.teaching} of {options.units} units on {task.name}") as show:
        made = train_recurrent(task, options, widths, integer_samples, show)
    with steps.step("leaving network and design alone"):
        found = made.integer_run(length, task.inputs[begin:])
        run = _measured(task, made, found, begin)
        ideal = _measured(
            task, made, made.float_run(length, task.inputs[made.begins :]), made.begins
        )
    design, known = made.design, made.design.provenance
    record: dict[str, Any] = {
        "kind": "train-recurrent",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "task": task_facts(task, source, series_seed, columns),
        "channels": {
            "inputs": known["inputs"],
            "outputs": [o.name for o in design.readout.outputs],
        },
        "options": asdict(options) | asdict(widths),
        "integer_samples": integer_samples,
        "steps": length,
        "history": known["history"],
        "tuning": known["tuning"],
        "test": _facts(run),
        "float": _facts(ideal),
        "layers": layer_facts(design),
        "clocks_per_sample": schedule(design).clocks,
        "multipliers": design.readout.multipliers,
        "tools": versions("numba"),
        "seconds": round(time.monotonic() - start, 2),
    }
    return Trained(design, record, csv_series(task.targets[begin : begin + length], found))


def _measured(task: Task, made: Recurrent, found: Values, begin: int) -> Alone:
    """A run from sample `begin` against the truth, and the inputs that the network was given."""
    rows = slice(begin, begin + len(found))
    return left_alone(found, task.targets[rows], task.inputs[rows, made.columns])


def _facts(run: Alone) -> dict[str, Any]:
    """What a record tells of a free run; a number that is none becomes null."""
    facts = asdict(run) | {"held": run.held, "repetitions": [finite(e) for e in run.repetitions]}
    return {k: finite(v) if isinstance(v, float) else v for k, v in facts.items()}
