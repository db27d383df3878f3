"""What ``train`` does where a sequence has a label."""

from pathlib import Path
from typing import Any

from rchw.cli.console import Outcome, Screen, clocks_words, pairs, table
from rchw.errors import DesignError
from rchw.files import check_file
from rchw.tasks import SEQUENCES, SequenceTask
from rchw.train import TrainOptions
from rchw.train.sequences import Pooling

__all__ = [
    "is_of_sequences",
    "refuse_of_sequences",
    "sequences_and_pooling",
    "train_on_sequences",
]


def is_of_sequences(source: str, accumulate: str | None) -> bool:
    """Whether what is trained on are labelled sequences, not one series."""
    return accumulate is not None or source in SEQUENCES


def refuse_of_sequences(pooled: dict[str, Any], columns: dict[str, Any]) -> None:
    """Refuse what only labelled sequences have."""
    named = {"segment length": pooled["length"], "segments": pooled["count"], **columns}
    for what, value in named.items():
        if value is not None:
            words = what.replace("_", " ")
            raise DesignError(f"{words} must be left out without --accumulate, not {value}")


def sequences_and_pooling(
    source: str,
    seed: int,
    pooled: dict[str, Any],
    columns: dict[str, Any],
    idle: dict[str, Any],
) -> tuple[SequenceTask, Pooling]:
    """Labelled sequences, and when a design answers them; arguments as of `train_on_sequences`."""
    from rchw.tasks import load_sequences

    for name, value in idle.items():
        if value is not None:
            raise DesignError(f"{name} must be left out for sequences, not {value}")
    task = load_sequences(source, seed=seed, **columns)
    rest = {key: value for key, value in pooled.items() if key != "accumulate"}
    return task, Pooling.of(task, pooled["accumulate"] or "sum", **rest)


def train_on_sequences(
    source: str,
    output: Path,
    options: TrainOptions,
    pooled: dict[str, Any],
    columns: dict[str, Any],
    idle: dict[str, Any],
    screen: Screen,
) -> Outcome:
    """Train a classifier, and count its errors on the test sequences once, beside the floors.

    Parameters
    ----------
    source : str
    output : Path
        The design file.
    options : TrainOptions
    pooled : dict
        ``accumulate``, ``length`` and ``count``, as of `rchw.train.sequences.Pooling.of`.
    columns : dict
        Of a file, as of `rchw.tasks.load_sequences`.
    idle : dict
        Options that mean nothing to sequences, and must be None.
    screen : Screen
    """
    from rchw.classification import CLASSIFIERS, classify
    from rchw.trained import companions

    for path in (output, *companions(output, sequences=True)):
        check_file(path)
    task, chosen_pooling = sequences_and_pooling(source, options.seed, pooled, columns, idle)
    found = classify(task, options, chosen_pooling, screen, source=source, columns=columns)
    files = found.write(output)
    record = found.record | {"files": {key: str(path) for key, path in files.items()}}
    test, chosen = record["test"], record["chosen"]
    rows = []
    for name, shown in CLASSIFIERS.items():
        if name not in test["errors"]:
            continue  # products of many channels
        low, high = test["intervals"][name]
        missed = name != "reference" and test["errors"]["reference"] >= test["errors"][name]
        rows.append(
            [
                shown, str(test["errors"][name]), f"{100 * low:.2f} to {100 * high:.2f} %",
                "missed by the integers" if missed else "",
            ]
        )  # fmt: skip
    title = f"{task.name}: errors on {test['sequences']} test sequences"
    facts = {
        "held out": f"{chosen['held_out_errors']} errors on {record['task']['split'][0]} training "
        f"sequences in {chosen['folds'][0]} folds",
        "training": f"{chosen['training_errors']} errors of the integers",
        "clocks per sample": clocks_words(record),
        "digest": record["digest"],
        "written": ", ".join(record["files"].values()),
    }
    columns_shown = ["classifier", ">errors", ">rate, 95 %", ""]
    return Outcome(record, [table(columns_shown, rows, title), pairs(facts)])
