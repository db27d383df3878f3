"""The store of a search: what was written is there, what a kill tore off is not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rchw.codesign.store import Store
from rchw.errors import DesignError, RchwError

IDENTITY: dict[str, Any] = {"board": "icebreaker", "seed": 0, "space": {"units": (20, 200)}}


def filled(path: Path) -> bytes:
    with Store(path, IDENTITY) as store:
        store.add(3, "full", {"error": 0.1, "names": ["a"]})
        store.add(0, "short", {"error": 1e-300})
    return path.read_bytes()


def test_results_are_found_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "trials.jsonl"
    data = filled(path)
    with Store(path, IDENTITY) as store:
        assert store.found == {
            (3, "full"): {"error": 0.1, "names": ["a"]},
            (0, "short"): {"error": 1e-300},
        }
    assert path.read_bytes() == data
    assert [json.loads(line).get("trial") for line in data.splitlines()] == [None, 3, 0]


def test_every_tear_costs_one_line_at_most(tmp_path: Path) -> None:
    """A file cut anywhere holds its complete lines, and goes on as if the rest had not been."""
    path = tmp_path / "trials.jsonl"
    data = filled(path)
    for size in range(len(data)):
        path.write_bytes(data[:size])
        whole = data[:size].count(b"\n")
        with Store(path, IDENTITY) as store:
            assert len(store.found) == max(whole - 1, 0)
            for key, result in (((3, "full"), {"error": 0.1, "names": ["a"]}),
                                ((0, "short"), {"error": 1e-300})):  # fmt: skip
                if key not in store.found:
                    store.add(*key, result)
        assert path.read_bytes() == data


def test_the_store_of_another_search_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trials.jsonl"
    data = filled(path)
    for other in (IDENTITY | {"seed": 1}, IDENTITY | {"more": 2}, {"board": "icebreaker"}):
        with pytest.raises(DesignError, match=r"must hold trials of this search, but its"):
            Store(path, other)
    with pytest.raises(DesignError, match=r"its seed is 0, not 1: use another folder$"):
        Store(path, IDENTITY | {"seed": 1})
    inner = tmp_path / "inner.jsonl"
    with Store(inner, IDENTITY | {"task": {"name": "narma10", "washout": 200}}):
        pass
    with pytest.raises(DesignError, match=r"its task washout is 200, not 100: use another folder$"):
        Store(inner, IDENTITY | {"task": {"name": "narma10", "washout": 100}})
    assert path.read_bytes() == data


@pytest.mark.parametrize("text", ["no json\n", "[1]\n", '{"kind":"x"}\n{"trial":1}\n', "\xff\n"])
def test_what_is_no_store_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "trials.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DesignError, match=r"must hold trials of"):
        Store(path, IDENTITY)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RchwError, match=r"must be a folder, not a file$"):
        Store(tmp_path / "file" / "trials.jsonl", IDENTITY)
    with Store(None, IDENTITY) as store:
        store.add(0, "full", {"pair": (1, 2)})
        assert store.found == {(0, "full"): {"pair": [1, 2]}}  # as read back from a file


HOLDER = """
import sys, time
from pathlib import Path
from rchw.codesign.store import Store

with Store(Path(sys.argv[1]), {"seed": 0}) as store:
    store.add(0, "full", {"error": 0.5})
    print("open", flush=True)
    time.sleep(300)
"""


def test_one_search_at_a_time(tmp_path: Path) -> None:
    """A second one is refused, by whomever; after kill -9 of the first it takes over at once."""
    path = tmp_path / "search" / "trials.jsonl"
    sentence = rf"^{path.parent} must be of one search at a time, but another one runs in it"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout is not None and holder.stdout.readline() == "open\n"
            data = path.read_bytes()
            for identity in ({"seed": 0}, {"seed": 1}):
                with pytest.raises(DesignError, match=sentence):
                    Store(path, identity)
            assert path.read_bytes() == data
        finally:
            holder.kill()
    with Store(path, {"seed": 0}) as store:
        assert store.found == {(0, "full"): {"error": 0.5}}
        with pytest.raises(DesignError, match=sentence):
            Store(path, {"seed": 0})  # of this process too
    with pytest.raises(DesignError, match=r"its seed is 0, not 1: use another folder$"):
        Store(path, {"seed": 1})
    with Store(path, {"seed": 0}):  # a store that was refused has let go of the file
        assert [entry.name for entry in path.parent.iterdir()] == ["trials.jsonl"]
