"""Train on sequences, then count errors once: ``rchw train`` where a sequence has a label."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rchw.document import digest
from rchw.experiment import Steps, layer_facts, versions
from rchw.metrics import count_interval
from rchw.schedule import schedule
from rchw.tasks import SequenceTask
from rchw.tasks.sequence_floors import sequence_floors
from rchw.train import TrainOptions
from rchw.train.sequences import Pooling, labels_of, train_sequences
from rchw.trained import Trained

__all__ = ["CLASSIFIERS", "classify"]

# Keys of the test errors, and what people call them.
CLASSIFIERS = {
    "majority": "the most frequent class",
    "segment_means": "ridge on segment means",
    "nvar": "ridge on segment means of products",
    "end_to_end": "ridge on all samples",
    "reference": "integer reference",
}


def classify(
    task: SequenceTask,
    options: TrainOptions,
    pooling: Pooling,
    steps: Steps,
    *,
    source: str,
    columns: Mapping[str, str | None] | None = None,
) -> Trained:
    """Train a design, and count its errors on the test sequences, once, beside the floors.

    Parameters
    ----------
    task : SequenceTask
    options : TrainOptions
    pooling : Pooling
    steps : Steps
        Shows progress.
    source : str
        What the user called the task; the name of a file is kept, its folder is not.
    columns : mapping, optional
        Of a file, as the user named them.

    Raises
    ------
    DesignError
        If the sequences or an option cannot be trained on.
    """
    start = time.monotonic()
    with steps.bar(f"training {options.name} on {task.name}, held-out errors") as show:
        design = train_sequences(task, options, pooling, show)
    with steps.step("counting the errors of the floors"):
        floors = sequence_floors(task)
    test = task.test
    answers = labels_of(design, [task.sequences[row] for row in test])
    errors = {name: floor.errors for name, floor in floors.items()}
    errors["reference"] = task.errors(answers, test)
    chosen = design.provenance
    kept = ("hyperparameters", "regularisation", "candidates", "folds", "held_out_errors")
    record: dict[str, Any] = {
        "kind": "train-sequences",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "task": {
            "source": Path(source).name,
            "name": task.name,
            "data": task.source,
            "columns": {key: name for key, name in (columns or {}).items() if name is not None},
            "classes": list(task.classes),
            "split": [len(task.train), len(task.test)],
            "split_sha256": task.hashes(),
        },
        "options": asdict(options),
        "pooling": asdict(pooling),
        "chosen": {key: chosen[key] for key in (*kept, "training_errors")},
        "test": {
            "sequences": len(test),
            "errors": errors,
            "intervals": {
                name: list(count_interval(count, len(test))) for name, count in errors.items()
            },
        },
        "layers": layer_facts(design),
        "clocks_per_sample": schedule(design).clocks,
        "multipliers": design.readout.multipliers,
        "tools": versions("numba"),
        "seconds": round(time.monotonic() - start, 2),
    }
    pairs = zip(test.tolist(), task.labels[test].tolist(), answers.tolist(), strict=True)
    rows = [f"{row},{task.classes[label]},{task.classes[answer]}" for row, label, answer in pairs]
    return Trained(design, record, "\n".join(["sequence,label,answer", *rows]) + "\n")
