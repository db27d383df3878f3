"""A task checks itself, and its hashes depend on each split's own samples."""

from dataclasses import FrozenInstanceError
from typing import Any, cast

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.tasks import Task
from rchw.tasks.task import aligned, split_slices


def build(**changes: Any) -> Task:
    """Make a task of 100 samples, two inputs and two outputs, with fields replaced."""
    rng = np.random.default_rng(0)
    train, validation, test = split_slices((60, 20, 20))
    fields: dict[str, Any] = {
        "name": "small", "inputs": rng.normal(size=(100, 2)), "targets": rng.normal(size=(100, 2)),
        "washout": 10, "train": train, "validation": validation, "test": test, "metric": "nmse",
        "source": "a test",
    }  # fmt: skip
    return Task(**{**fields, **changes})


def changed(array: Any, row: int, column: int, value: float) -> Any:
    copy = np.array(array)
    copy[row, column] = value
    return copy


def test_holds_what_it_was_given() -> None:
    task = build(inputs=np.arange(100), targets=np.arange(100.0) ** 2)
    assert task.inputs.shape == task.targets.shape == (100, 1)
    assert task.inputs.dtype == np.float64
    assert (task.n_inputs, task.n_outputs, build().n_inputs) == (1, 1, 2)
    with pytest.raises(ValueError, match=r"read-only"):
        task.inputs[0, 0] = 1.0
    with pytest.raises(FrozenInstanceError):
        cast(Any, task).washout = 3


def test_keeps_its_own_copy() -> None:
    mine = np.arange(100.0)
    task = build(inputs=mine)
    mine[:] = 0.0
    assert task.inputs[99, 0] == 99.0


def test_errors_by_metric() -> None:
    """By hand: half the variance, and one symbol of four."""
    task = build()
    target = np.array([[1.0, 2.0], [-1.0, -2.0]])
    assert task.error(target / 2, target) == 0.25
    symbols = np.resize([-1.0, 1.0], 100)
    decided = build(targets=symbols, metric="ser", symbols=(-1.0, 1.0))
    assert decided.error([[0.1], [-3.0], [-0.1], [0.2]], [[1.0], [-1.0], [1.0], [1.0]]) == 0.25
    with pytest.raises(DesignError, match=r"finite"):
        task.error(np.full((2, 2), np.nan), target)


@pytest.mark.parametrize("what", ["inputs", "targets"])
@pytest.mark.parametrize(("row", "split"), [(0, "train"), (60, "validation"), (99, "test")])
def test_one_sample_changes_the_hash_of_its_split_alone(what: str, row: int, split: str) -> None:
    task = build()
    before = task.hashes()
    value = float(np.nextafter(getattr(task, what)[row, 1], np.inf))
    after = build(**{what: changed(getattr(task, what), row, 1, value)}).hashes()
    assert [key for key in before if before[key] != after[key]] == [split]


def test_hash_is_of_little_endian_doubles() -> None:
    """By an independent route: the standard library packs the numbers."""
    import hashlib
    import struct

    task = build()
    numbers = [*task.inputs[60:80].ravel(), *task.targets[60:80].ravel()]
    expected = hashlib.sha256(struct.pack(f"<{len(numbers)}d", *numbers)).hexdigest()
    assert task.hashes()["validation"] == expected
    assert list(task.hashes()) == ["train", "validation", "test"]


def test_hashes_do_not_depend_on_the_choice_of_test_samples() -> None:
    task = build()
    shorter = build(test=slice(80, 90))
    for split in ("train", "validation"):
        assert task.hashes()[split] == shorter.hashes()[split]
    assert task.hashes()["test"] != shorter.hashes()["test"]


GOOD = build()
BAD: list[tuple[dict[str, Any], str]] = [
    ({"inputs": np.zeros((0, 1))}, "^inputs must hold samples, not be empty$"),
    ({"inputs": []}, "^inputs must hold samples, not be empty$"),
    ({"inputs": [[1.0], [2.0, 3.0]]},
     "^inputs must be rows of numbers, all of one length, not of 1 and 2$"),
    ({"targets": ["a"] * 100}, "^targets must be rows of numbers, all of one length, not 'a'$"),
    ({"inputs": np.zeros((5, 5, 5))}, r"^inputs must have shape \(T,\) or .*, not \(5, 5, 5\)$"),
    ({"inputs": np.ones((99, 1))}, "^inputs and targets must have one row .*, not 99 and 100 rows"),
    ({"inputs": changed(GOOD.inputs, 7, 1, np.nan)}, "^inputs must be finite .*nan in row 7, col"),
    ({"targets": changed(GOOD.targets, 8, 0, -np.inf)}, "^targets .*, not -inf in row 8, column 0"),
    ({"targets": changed(GOOD.targets, 8, 0, 1e200)}, "^targets .*at most 1e.100, not 1e.200 "),
    ({"targets": np.full(100, 0.1)}, "^targets must vary over the train samples.*0.1 in column 0"),
    ({"inputs": np.full(100, 3.0)}, "^inputs must vary over the train samples, .* 3 in column 0$"),
    ({"targets": np.r_[np.arange(60.0), np.zeros(20), np.arange(20.0)]},
     "^targets must vary over the validation samples"),
    ({"targets": np.r_[np.arange(80.0), np.zeros(20)]}, "^targets must vary over the test samples"),
    ({"targets": np.r_[np.arange(10.0), np.zeros(50), np.arange(40.0)]},
     "^targets must vary over the train samples"),
    ({"washout": 59}, "^washout must leave at least 2 of the 60 training samples, not be 59$"),
    ({"washout": -1}, "^washout must leave .*, not be -1$"),
    ({"train": slice(1, 60)}, "^split train must be contiguous from sample 0, not 1:60:None$"),
    ({"train": slice(0, 60, 2)}, "^split train must be contiguous from sample 0, not 0:60:2$"),
    ({"validation": slice(61, 80)}, "^split validation must be contiguous from sample 60"),
    ({"validation": slice(60, 61)}, "^split validation must hold at least 2 samples, not 1$"),
    ({"test": slice(70, 100)}, "^split test must be contiguous from sample 80"),
    ({"test": slice(80, 101)}, "^splits must end within the 100 samples of the .*, not at 101$"),
    ({"horizon": 81}, "^horizon must be at most the 80 samples before the test split, not 81$"),
    ({"metric": "mse"}, "^metric must be one of nmse, ser, not 'mse'$"),
    ({"metric": "ser"}, "^symbols must be given for the metric ser, not left out$"),
    ({"input_names": ("a", "b", "c")}, "^input names must be [12], one per channel, not 3$"),
    ({"output_names": ("a", "b", "c")}, "^output names must be [12], one per channel, not 3$"),
    ({"metric": "ser", "symbols": (1.0, 2.0)}, r"^targets must be symbols of \[1.0, 2.0\], not "),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), BAD)
def test_refuses(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        build(**changes)


@pytest.mark.parametrize("horizon", [-3, -1, 0, 1, 4])
def test_alignment(horizon: int) -> None:
    series = np.arange(10.0)
    inputs, targets = aligned(series, series, horizon)
    assert len(inputs) == 10 - abs(horizon)
    assert np.array_equal(targets - inputs, np.full(len(inputs), horizon))


def test_alignment_may_leave_nothing() -> None:
    assert len(aligned(np.arange(3.0), np.arange(3.0), 5)[0]) == 0


@pytest.mark.parametrize("lengths", [(1, 2, 3), (2, -4, 3), (2, 3)])
def test_split_lengths(lengths: Any) -> None:
    with pytest.raises(
        DesignError, match=r"^split must be three lengths of at least 2 samples, not"
    ):
        split_slices(lengths)
