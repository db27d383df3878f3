"""Pages of benchmarks are those of their records, and records say what they must."""

import json
from typing import Any

import pytest

from benchmarks import generators, sequences


def record(name: str) -> dict[str, Any]:
    path = generators.FOLDER / "results" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("module", [generators, sequences], ids=["generators", "sequences"])
def test_page_is_that_of_the_record(module: Any) -> None:
    name = module.__name__.rpartition(".")[2]
    page = (generators.FOLDER / f"{name}.md").read_text(encoding="utf-8")
    assert page == module.page(record(name)), f"python -m benchmarks.{name}"


def test_every_code_of_a_free_run_is_that_of_the_reference() -> None:
    rows = record("generators")["rows"]
    assert {row["task"] for row in rows} == {"mackey-glass", "multi-sine"}
    for row in rows:
        assert row["identical"] == row["steps"] == 1000
        assert {row["clocks"]} == set(row["clocks_measured"].values())


def test_every_label_of_the_verilog_is_that_of_the_reference() -> None:
    rows = record("sequences")["rows"]
    assert {row["task"]["name"] for row in rows} == set(sequences.TARGETS)
    for row in rows:
        assert row["identical"] == row["test"]["sequences"]
        assert row["task"]["split_sha256"]
