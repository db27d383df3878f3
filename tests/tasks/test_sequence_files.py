"""Sequences of the user's files are what the file says; a bad file is one sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import SequenceTask, load_sequences
from rchw.tasks.sequences import stratified_split


def table(count: int = 20) -> list[list[str]]:
    """Twenty sequences of 2 or 3 samples, two channels, labels 9 and 10 by turns."""
    rows = [["sequence", "label", "a", "b"]]
    for number in range(count):
        for t in range(2 + number % 2):
            rows.append([f"s{number}", ("9", "10")[number % 2], str(number), str(t)])
    return rows


def written(folder: Path, rows: list[list[str]], name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", encoding="utf-8")
    return path


def test_csv(tmp_path: Path) -> None:
    task = load_sequences(written(tmp_path, table()))
    assert isinstance(task, SequenceTask) and task.name == "mine"
    assert task.classes == ("9", "10")  # numbers, not texts, give the order
    assert task.labels.tolist() == [0, 1] * 10
    assert task.sequences[3].tolist() == [[3, 0], [3, 1], [3, 2]]
    assert len(task.test) == 4 and "a fifth of every class for testing by seed 0" in task.source
    expected = stratified_split([0, 1] * 10, 0.2, 7)[1]
    assert np.array_equal(load_sequences(tmp_path / "mine.csv", seed=7).test, expected)


def test_columns_of_a_csv(tmp_path: Path) -> None:
    rows = [["b", "who", "what", "when", "a", "learn"]]
    for number in range(6):
        for t in range(2):
            learn = "1" if number < 4 else "0"
            rows.append([f"{t}", f"{number}", "ab"[number % 2], "Monday", f"{-number}", learn])
    path = written(tmp_path, rows)
    task = load_sequences(
        path, sequence_column="who", label_column=2, train_column="learn", input_columns="a,b"
    )
    assert task.classes == ("a", "b")
    assert task.train.tolist() == [0, 1, 2, 3] and task.test.tolist() == [4, 5]
    assert task.sequences[5].tolist() == [[-5, 0], [-5, 1]]
    assert task.source == "file mine.csv; training and test sequences as the file says"


def test_a_column_train_is_the_split_unless_it_is_an_input(tmp_path: Path) -> None:
    rows = [["sequence", "label", "a", "train"]]
    for number in range(8):
        rows += [[f"{number}", "ab"[number % 2], f"{t}", f"{int(number < 6)}"] for t in range(2)]
    path = written(tmp_path, rows)
    task = load_sequences(path)
    assert task.test.tolist() == [6, 7] and task.sequences[0].shape == (2, 1)
    task = load_sequences(path, input_columns="a,train")
    assert len(task.test) == 2 and "by seed 0" in task.source
    assert task.sequences[0].tolist() == [[0, 1], [1, 1]]


def archive(folder: Path, **changes: Any) -> Path:
    """Write eight sequences of 2 samples; None leaves an array out."""
    arrays: dict[str, Any] = {
        "inputs": np.arange(32.0).reshape(16, 2),
        "lengths": [2] * 8,
        "labels": [5, 3] * 4,
        "train": [1, 1, 1, 1, 1, 1, 0, 0],
    }
    path = folder / "mine.npz"
    np.savez(path, **{key: a for key, a in {**arrays, **changes}.items() if a is not None})
    return path


def test_npz(tmp_path: Path) -> None:
    task = load_sequences(archive(tmp_path, lengths=[1, 3, 2, 2, 2, 2, 2, 2]))
    assert task.classes == ("3", "5") and task.labels.tolist() == [1, 0] * 4
    assert task.train.tolist() == [0, 1, 2, 3, 4, 5] and task.test.tolist() == [6, 7]
    assert task.sequences[0].tolist() == [[0, 1]]
    assert task.sequences[1].tolist() == [[2, 3], [4, 5], [6, 7]]
    assert task.sequences[7].tolist() == [[28, 29], [30, 31]]


def test_npz_with_texts_and_without_a_split(tmp_path: Path) -> None:
    inputs, labels = np.arange(20.0), ["left", "right"] * 5
    path = archive(tmp_path, inputs=inputs, lengths=[2] * 10, labels=labels, train=None)
    task = load_sequences(path, seed=4)
    assert task.classes == ("left", "right") and task.n_inputs == 1
    assert len(task.test) == 2 and "seed 4" in task.source


def test_a_csv_and_an_npz_of_the_same_are_the_same(tmp_path: Path) -> None:
    first = load_sequences(written(tmp_path, table()))
    second = load_sequences(
        archive(
            tmp_path, inputs=np.concatenate(first.sequences), train=None,
            lengths=[len(s) for s in first.sequences], labels=["9", "10"] * 10,
        )
    )  # fmt: skip
    assert first.hashes() == second.hashes()


def edited(row: int, column: int, text: str) -> list[list[str]]:
    rows = table()
    rows[row][column] = text
    return rows


BAD_TABLES: list[tuple[list[list[str]], dict[str, Any], str]] = [
    (edited(6, 0, "s0"), {},
     "mine.csv row 7, column 'sequence' must go on with a new sequence, not with 's0' again$"),
    (edited(6, 0, ""), {}, "mine.csv row 7, column 'sequence' must name a sequence, not be empty$"),
    (edited(2, 1, "10"), {},
     "mine.csv row 3, column 'label' must be '9' throughout its sequence, not '10'$"),
    (edited(4, 2, "x"), {}, "mine.csv row 5, column 'a' must be a finite number, not 'x'$"),
    (edited(4, 2, "nan"), {}, "mine.csv row 5, column 'a' must be a finite number, not 'nan'$"),
    ([[*row[:1], "" if row[0] == "s0" else row[1], *row[2:]] for row in table()], {},
     "mine.csv row 2, column 'label' must be a label, not empty$"),
    (table(), {"label_column": "word"}, "label column must be columns of .*, not 'word'$"),
    (table(), {"sequence_column": 9}, "sequence column must be columns of .*, not '9'$"),
    (table(), {"label_column": "sequence"},
     "^sequence, label and train columns must be different, not 'sequence', 'sequence'$"),
    (table(), {"input_columns": "a,label"},
     "^input columns must be channels of .*, not 'label', which tells sequence, label or split$"),
    (table(), {"train_column": "a"}, "row 7, column 'a' must be 0 or 1, not '2'$"),
    ([row[:2] for row in table()], {}, "^input columns must be left in .*mine.csv, not none$"),
    (table(2), {}, "^test fraction must leave training and test sequences, not be 0.2 of 2$"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "options", "sentence"), BAD_TABLES)
def test_refuses_a_table(
    rows: list[list[str]], options: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    path = written(tmp_path, rows)
    with pytest.raises(DesignError, match=sentence):
        load_sequences(path, **options)


BAD_ARRAYS: list[tuple[dict[str, Any], str]] = [
    ({"labels": None}, "mine.npz must hold an array 'labels', not only inputs, lengths, train$"),
    ({"inputs": np.ones((2, 2, 2))}, r"^array .inputs. of .* must be numbers \(T, K\), not float"),
    ({"inputs": ["a"] * 16}, r"^array 'inputs' of .* must be numbers \(T, K\), not <U1 \(16,\)$"),
    ({"lengths": [2.0] * 8}, r"^array 'lengths' of .* whole numbers \(S,\), not float64 \(8,\)$"),
    ({"lengths": [2, 2, 2, 0, 4, 2, 2, 2]}, "^array 'lengths' of .* at least 1, not 0 at .* 3$"),
    ({"lengths": [2] * 7 + [3]}, "^array 'lengths' of .* must add up to 16, .*, not 17$"),
    ({"labels": [0, 1]}, r"^array 'labels' of .* must be 8 whole numbers or texts, not int64 \(2,"),
    ({"labels": [0.5] * 8}, "^array 'labels' of .* must be 8 whole numbers or texts, not float64"),
    ({"train": [1, 0]}, r"^array 'train' of .* must be 8 times 0 or 1, not int64 \(2,\)$"),
    ({"train": [2] * 8}, "^array 'train' of .* must be 8 times 0 or 1, not int64"),
    ({"train": [1] * 8}, "mine.npz: test must hold at least 1 sequence, not 0$"),
    ({"train": [1, 0] * 4}, "mine.npz: train must hold sequences of every class, not lack '3'$"),
    ({"inputs": np.full((16, 2), np.inf)}, "mine.npz: sequence 0 must be finite numbers .* inf in"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), BAD_ARRAYS)
def test_refuses_an_archive(changes: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    path = archive(tmp_path, **changes)
    with pytest.raises(DesignError, match=sentence):
        load_sequences(path)


def test_refuses_a_file(tmp_path: Path) -> None:
    for name in ("no.npz", "no.csv"):
        with pytest.raises(DesignError, match=rf"{name} must be an existing file, not missing$"):
            load_sequences(tmp_path / name)
    path = archive(tmp_path)
    with pytest.raises(DesignError, match=r"^columns must be given for .csv files only, not for "):
        load_sequences(path, label_column="labels")
    path.write_bytes(b"no data")
    with pytest.raises(DesignError, match=r"must hold arrays of numbers as numpy saves them, not"):
        load_sequences(path)
    with pytest.raises(DesignError, match=r"^source must be one of .* or .npz file, not "):
        load_sequences(tmp_path / "mine.txt")
