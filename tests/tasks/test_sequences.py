"""A sequence task checks itself; hashes, folds and splits follow their description."""

import hashlib
import struct
from dataclasses import FrozenInstanceError
from typing import Any, cast

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import SequenceTask
from rchw.tasks.sequences import stratified_split


def build(**changes: Any) -> SequenceTask:
    """Make a task of 8 sequences of 1 to 8 samples, 2 channels and 2 classes; the last two test."""
    rng = np.random.default_rng(0)
    fields: dict[str, Any] = {
        "name": "small",
        "sequences": [rng.normal(size=(length, 2)) for length in range(1, 9)],
        "labels": [0, 1, 0, 1, 0, 1, 0, 1],
        "classes": ("no", "yes"),
        "train": range(6),
        "test": [6, 7],
        "source": "a test",
        "licence": "none",
    }
    return SequenceTask(**{**fields, **changes})


def with_sequence(number: int, sequence: Any) -> list[Any]:
    found: list[Any] = list(build().sequences)
    found[number] = sequence
    return found


def test_holds_what_it_was_given() -> None:
    task = build(sequences=[np.arange(n + 1) for n in range(8)])
    assert (task.n_inputs, task.n_classes, build().n_inputs) == (1, 2, 2)
    assert [s.shape for s in task.sequences] == [(n + 1, 1) for n in range(8)]
    assert all(s.dtype == np.float64 for s in task.sequences)
    assert {a.dtype for a in (task.labels, task.train, task.test)} == {np.dtype(np.int64)}
    for array in (task.sequences[3], task.labels, task.train, task.test):
        with pytest.raises(ValueError, match=r"read-only"):
            array[0] = 1
    with pytest.raises(FrozenInstanceError):
        cast(Any, task).name = "other"


def test_keeps_its_own_copy() -> None:
    mine, labels = np.ones((3, 2)), np.array([0, 1] * 4)
    task = build(sequences=with_sequence(2, mine), labels=labels)
    mine[:], labels[:] = 0.0, 0
    assert task.sequences[2].min() == 1.0 and task.labels.tolist() == [0, 1] * 4


def test_errors_are_counted() -> None:
    task = build()
    assert task.errors([0, 0], task.test) == 1
    assert task.errors([0, 1], task.test) == 0
    with pytest.raises(DesignError, match=r"^predictions must be 2, one per sequence, not \(1,\)$"):
        task.errors([0], task.test)


def test_hash_is_of_little_endian_numbers() -> None:
    """By an independent route: the standard library packs them."""
    task = build()
    values = [*task.sequences[6].ravel(), *task.sequences[7].ravel()]
    packed = struct.pack(f"<{len(values)}d4q", *values, 7, 8, 0, 1)
    assert task.hashes()["test"] == hashlib.sha256(packed).hexdigest()
    split = struct.pack("<9q", 6, 0, 1, 2, 3, 4, 5, 6, 7)
    assert task.hashes()["split"] == hashlib.sha256(split).hexdigest()
    assert list(task.hashes()) == ["train", "test", "split"]


def test_every_part_of_a_split_is_in_its_hash() -> None:
    """Values, labels, lengths and indices; the other split's hash stays."""
    task = build()
    before = task.hashes()

    def differs(**changes: Any) -> list[str]:
        after = build(**changes).hashes()
        return [key for key in before if before[key] != after[key]]

    value = task.sequences[4].copy()
    value[1, 1] = np.nextafter(value[1, 1], 9.0)
    assert differs(sequences=with_sequence(4, value)) == ["train"]
    assert differs(labels=[0, 1, 0, 1, 0, 0, 0, 1]) == ["train"]
    assert differs(labels=[0, 1, 0, 1, 0, 1, 1, 1]) == ["test"]
    one = np.concatenate(task.sequences[:2])  # the same values, cut elsewhere
    cut = [one[:2], one[2:], *task.sequences[2:]]
    assert differs(sequences=cut) == ["train"]
    assert differs(train=range(5), test=[5, 6, 7]) == ["train", "test", "split"]


@pytest.mark.parametrize("k", [2, 3, 4, 6])
def test_folds_are_a_partition_of_the_training_sequences(k: int) -> None:
    rng = np.random.default_rng(1)
    labels = rng.permutation([0] * 7 + [1] * 11 + [2] * 5)
    task = build(
        sequences=[np.ones((2, 1)) * n for n in range(23)], labels=labels, classes=("a", "b", "c"),
        train=np.flatnonzero(np.arange(23) != 4), test=[4],
    )  # fmt: skip
    folds = task.folds(k, 5)
    assert len(folds) == k
    assert sorted(np.concatenate([held for _, held in folds])) == task.train.tolist()
    assert max(len(h) for _, h in folds) - min(len(h) for _, h in folds) <= 1
    for rest, held in folds:
        assert sorted([*rest, *held]) == task.train.tolist()
        assert (np.diff(rest) > 0).all() and (np.diff(held) > 0).all()
    for label in range(3):
        counts = [int((task.labels[held] == label).sum()) for _, held in folds]
        assert max(counts) - min(counts) <= 1
    again = task.folds(k, 5)
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(folds, again, strict=True))
    others = task.folds(k, 6)
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(folds, others, strict=True))


def test_folds_are_dealt_in_the_order_that_is_written_down() -> None:
    """By hand from the permutations of numpy: class 0, then class 1, dealt to 2 folds."""
    task = build(labels=[0, 1, 0, 1, 0, 1, 0, 1], train=range(6), test=[6, 7])
    rng = np.random.default_rng(3)
    dealt = [*rng.permutation([0, 2, 4]).tolist(), *rng.permutation([1, 3, 5]).tolist()]
    found = [held.tolist() for _, held in task.folds(2, 3)]
    assert found == [sorted(dealt[0::2]), sorted(dealt[1::2])]


def test_split_has_the_same_fraction_of_every_class() -> None:
    labels = np.random.default_rng(2).permutation([0] * 50 + [1] * 30 + [2] * 20)
    train, test = stratified_split(labels, 0.2, 0)
    assert np.bincount(labels[test]).tolist() == [10, 6, 4]
    assert sorted([*train, *test]) == list(range(100))
    assert (np.diff(train) > 0).all() and (np.diff(test) > 0).all()
    other = stratified_split(labels, 0.2, 1)[1]
    assert not np.array_equal(test, other)


def test_a_part_may_be_left_out_when_the_source_does() -> None:
    assert build(train=range(5), complete=False).train.tolist() == [0, 1, 2, 3, 4]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"sequences": []}, "^sequences must be at least 1, not 0$"),
    ({"sequences": with_sequence(3, [])}, "^sequence 3 must hold at least 1 sample, not 0$"),
    ({"sequences": with_sequence(3, [[1.0, 2.0], [1.0]])},
     "^sequence 3 must be rows of numbers, all of one length, not of 1 and 2$"),
    ({"sequences": with_sequence(0, [["a", "1"]])},
     "^sequence 0 must be rows of numbers, all of one length, not 'a'$"),
    ({"sequences": with_sequence(3, np.ones((4, 3)))},
     "^sequence 3 must have 2 channels, as sequence 0 has, not 3$"),
    ({"sequences": with_sequence(2, [[1.0, 0.0], [0.0, np.nan]])},
     "^sequence 2 must be finite numbers of magnitude at most .*, not nan in row 1, column 1$"),
    ({"sequences": with_sequence(2, np.ones((2, 2, 2)))},
     r"^sequence 2 must have shape \(T,\) or \(T, channels\), not \(2, 2, 2\)$"),
    ({"labels": [0, 1, 0, 1, 0, 1, 0]}, "^labels must be 8, one per sequence, not 7$"),
    ({"labels": [0, 1, 0, 2, 0, 1, 0, 1]},
     "^labels must be from 0 to 1, the number of a class, not 2 at sequence 3$"),
    ({"labels": [0, 1, 0, 1, 0, 1, 0, -1]}, "^labels must be from 0 to 1, .*, not -1 at .* 7$"),
    ({"labels": np.zeros(8)}, "^labels must be whole numbers, not float64$"),
    ({"labels": np.zeros((8, 1), int)}, r"^labels must have shape \(S,\), not \(8, 1\)$"),
    ({"classes": ("one",)}, "^classes must be at least 2 different names, not one$"),
    ({"classes": ("a", "a")}, "^classes must be at least 2 different names, not a, a$"),
    ({"classes": ("no", "yes", "so")}, "^train must hold .* of every class, not lack 'so'$"),
    ({"labels": [0, 0, 0, 0, 0, 0, 0, 1]}, "^train must hold .* of every class, not lack 'yes'$"),
    ({"train": []}, "^train must hold at least 1 sequence, not 0$"),
    ({"test": []}, "^test must hold at least 1 sequence, not 0$"),
    ({"test": [6, 8]}, "^test must be from 0 to 7, not 8$"),
    ({"test": [-1, 6]}, "^test must be from 0 to 7, not -1$"),
    ({"test": [7, 6]}, "^test must be ascending, not 6 after 7$"),
    ({"test": [6, 6, 7]}, "^test must be ascending, not 6 after 6$"),
    ({"test": [5, 6, 7]}, "^train and test must share no sequence, not 5$"),
    ({"test": [7]}, "^train and test must hold every sequence, not lack 6$"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), BAD)
def test_refuses(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        build(**changes)


def test_refuses_folds_and_splits() -> None:
    task = build()
    for k in (1, 7):
        with pytest.raises(DesignError, match=rf"^folds must be from 2 to 6, not {k}$"):
            task.folds(k, 0)
    single = build(labels=[0, 1, 0, 0, 0, 0, 0, 1])
    with pytest.raises(DesignError, match=r"must be at least 2 for folds, not 1 of 'yes'$"):
        single.folds(2, 0)
    with pytest.raises(DesignError, match=r"^seed must be at least 0, not -1$"):
        task.folds(2, -1)
    with pytest.raises(DesignError, match=r"^test fraction must be between 0 and 1, not 1$"):
        stratified_split([0, 1], 1, 0)
    with pytest.raises(DesignError, match=r"^test fraction must leave .*, not be 0.2 of 2$"):
        stratified_split([0, 1], 0.2, 0)
