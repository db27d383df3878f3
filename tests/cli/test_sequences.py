"""`train` on labelled sequences of a file, and `run` of what it makes."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from rchw.classification import CLASSIFIERS
from tests.cli.command_line import call, refused
from tests.train.test_sequences import TASK

WORDS = ("--units", "8", "--search", "none", "--activation", "table", "--accumulate", "segments")


def written(folder: Path) -> tuple[Path, Path]:
    """All sequences as a file to train on, and the test sequences as one to run."""
    table, marked = ["sequence,label,train,u"], ["u,tlast"]
    for row, sequence in enumerate(TASK.sequences):
        teaches = int(row in TASK.train)
        label = TASK.classes[TASK.labels[row]]
        table += [f"{row},{label},{teaches},{value}" for value in sequence[:, 0].tolist()]
        if not teaches:
            ends = np.arange(len(sequence)) == len(sequence) - 1
            pairs = zip(sequence[:, 0].tolist(), ends.astype(int).tolist(), strict=True)
            marked += [f"{value},{end}" for value, end in pairs]
    files = folder / "waves.csv", folder / "test.csv"
    for file, lines in zip(files, (table, marked), strict=True):
        file.write_text("\n".join(lines) + "\n")
    return files


def test_train_and_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, marked = written(tmp_path)
    design = tmp_path / "out" / "waves.json"
    words = ("train", data, "-o", design, "--train-column", "train", "--segments", "2", *WORDS)
    record = call(capsys, *words, "--json").record
    test = record["test"]
    assert test["sequences"] == 30 and test["errors"]["majority"] == 20
    assert set(test["errors"]) == set(CLASSIFIERS), "every floor has a line of the table"
    low, high = test["intervals"]["reference"]
    assert low <= test["errors"]["reference"] / 30 <= high < 0.5
    assert record["pooling"]["segments"]["count"] == 2
    text = (tmp_path / "out" / "waves.test.csv").read_text()
    answers = list(csv.reader(text.splitlines()))[1:]
    assert sum(label != answer for _, label, answer in answers) == test["errors"]["reference"]
    kept = json.loads((tmp_path / "out" / "waves.sequences.json").read_text())
    assert kept["test"] == test and kept["digest"] == record["digest"]
    values = call(capsys, "run", design, marked, "--json").record
    classes = record["task"]["classes"]
    assert [classes[int(row[0])] for row in values["rows"]] == [row[2] for row in answers]


def test_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, _ = written(tmp_path)
    train = ("train", data, "-o", tmp_path / "a.json")
    more = ("--accumulate", "sum")
    refused(capsys, (*train, *more, "--washout", "3"), "washout must be left out for sequences")
    refused(capsys, (*train, "--accumulate", "mean"), "accumulate must be last, sum or segments")
    sentence = "segments must be left out without --accumulate, not 3"
    refused(capsys, (*train, "--segments", "3"), sentence)
    assert not list(tmp_path.glob("a.*"))
