"""Pickles as data: the arrays are right, and nothing that a file names is called."""

import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.importing.pickles import Inert, PickledArray, read_pickle
from tests.importing.make_old_model import PLACE

ARRAYS: dict[str, Any] = {
    "doubles": np.linspace(0.0, 1.0, 6).reshape(2, 3),
    "by columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "other end first": np.arange(5, dtype=">i4"),
    "singles": np.array([1.5, -2.0], dtype=np.float32),
    "flags": np.array([True, False]),
    "nothing": np.zeros((0, 3)),
    "none": np.array(2.5),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_come_as_they_are(name: str, protocol: int) -> None:
    wanted = ARRAYS[name]
    found = read_pickle(pickle.dumps({"here": wanted}, protocol=protocol), "it")["here"]
    assert isinstance(found, PickledArray) and found.values is not None
    assert found.values.dtype == wanted.dtype and np.array_equal(found.values, wanted)


def test_numbers_of_numpy() -> None:
    found = read_pickle(pickle.dumps(np.float64(0.3)), "it")
    assert found.values == 0.3


@pytest.mark.parametrize(
    "array", [np.array([{}, 1], dtype=object), np.array(["a"]), np.array([1j])]
)
def test_other_arrays_have_no_values(array: Any) -> None:
    assert read_pickle(pickle.dumps(array), "it").values is None


class Wicked:
    """What a pickle may ask for."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], self.call[1:]


def test_nothing_is_called(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for wicked in (
        Wicked(os.system, f"touch {mark}"),
        Wicked(eval, f"open({str(mark)!r}, 'w')"),
        Wicked(getattr, Wicked(__import__, "os"), "system"),
    ):
        content = pickle.dumps([wicked, np.ones(2)])
        found = read_pickle(content, "it")
        assert isinstance(found[0], Inert) and found[1].values.tolist() == [1.0, 1.0]
    assert not mark.exists()


def test_nothing_is_imported() -> None:
    content = b"cantigravity\nfly\n."  # a module that opens a browser
    assert read_pickle(content, "it").__name__ == "fly"
    assert "antigravity" not in sys.modules


def test_classes_of_the_reader_cannot_be_changed() -> None:
    """A pickle that sets attributes of what it was given a name for."""
    before = PickledArray.__setstate__
    content = b"cnumpy._core.multiarray\n_reconstruct\n}X\x0c\x00\x00\x00__setstate__K\x01sb."
    with pytest.raises(DesignError, match="it must be a pickle"):
        read_pickle(content, "it")
    assert PickledArray.__setstate__ is before


def test_broken_bytes_are_refused_or_read() -> None:
    with np.load(PLACE) as stored:
        content = stored["model"]
    rng = np.random.default_rng(7)
    refused = 0
    for _ in range(300):
        damaged = content.copy()
        damaged[rng.integers(len(damaged), size=3)] = rng.integers(256, size=3)
        try:
            read_pickle(damaged[: rng.integers(1, len(damaged) + 1)].tobytes(), "it")
        except DesignError as error:
            assert str(error) == "it must be a pickle as Python saves it, not other bytes"
            refused += 1
    assert refused > 200
