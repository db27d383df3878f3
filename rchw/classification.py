"""Train on sequences, then measure once: the work of ``rchw train`` where a sequence has a label.

Three files belong together and are written together at the very end: the design ``NAME.json``,
what was measured ``NAME.sequences.json``, and labels and answers of the test sequences
``NAME.test.csv``.
"""

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.document import digest, save
from rchw.errors import DesignError
from rchw.experiment import Steps, versions
from rchw.files import sha256_of, together
from rchw.metrics import count_interval
from rchw.schedule import schedule
from rchw.tasks import SequenceTask
from rchw.tasks.sequence_floors import sequence_floors
from rchw.train import TrainOptions
from rchw.train.sequences import Pooling, labels_of, train_sequences

__all__ = ["Classified", "classify", "companions"]


@dataclass(frozen=True)
class Classified:
    """A design with its evidence, nothing of it written yet.

    Attributes
    ----------
    design : Design
    record : dict
        JSON-ready; ``test.errors`` are counts of test sequences, of the ``reference`` and of each
        floor (`rchw.tasks.sequence_floors`), ``test.intervals`` exact 95 % intervals of the rates.
    answers : str
        CSV of the test sequences: number, label, answer.
    """

    design: Design
    record: dict[str, Any]
    answers: str

    def write(self, path: Path) -> dict[str, Path]:
        """Write design, record and answers; either all three or none.

        Raises
        ------
        RchwError
            If the folder cannot be written.
        """
        record_path, answers_path = companions(path)
        files = {"design": path, "record": record_path, "answers": answers_path}
        with together(path.parent) as folder:
            save(self.design, folder / path.name)
            (folder / answers_path.name).write_text(self.answers, encoding="utf-8")
            named = {key: {"file": file.name} for key, file in files.items()}
            for key in ("design", "answers"):
                named[key]["sha256"] = sha256_of(folder / files[key].name)
            text = json.dumps(self.record | {"files": named}, indent=1, allow_nan=False)
            (folder / record_path.name).write_text(text + "\n", encoding="utf-8")
        return files


def companions(path: Path) -> tuple[Path, Path]:
    """Record and answers beside a design file.

    Raises
    ------
    DesignError
        If the name does not end in ``.json``.

    >>> [str(p) for p in companions(Path("out/digits.json"))]
    ['out/digits.sequences.json', 'out/digits.test.csv']
    """
    if path.suffix != ".json" or path.name.endswith(".sequences.json"):
        raise DesignError(f"output must be a design file that ends in .json, not {path.name!r}")
    return path.with_suffix(".sequences.json"), path.with_suffix(".test.csv")


def classify(
    task: SequenceTask, options: TrainOptions, pooling: Pooling, steps: Steps, *, source: str
) -> Classified:
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
    plan, chosen = schedule(design), design.provenance
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
        "clocks_per_sample": plan.clocks,
        "lanes": design.layer.lanes,
        "multipliers": design.readout.multipliers,
        "tools": versions("numba"),
        "seconds": round(time.monotonic() - start, 2),
    }
    pairs = zip(test.tolist(), task.labels[test].tolist(), answers.tolist(), strict=True)
    rows = [f"{row},{task.classes[label]},{task.classes[answer]}" for row, label, answer in pairs]
    return Classified(design, record, "\n".join(["sequence,label,answer", *rows]) + "\n")
