"""Pages of benchmarks are those of their records, and records say what they must."""

import json
from statistics import median
from typing import Any

import pytest

from benchmarks import explore, force, generators, metrics, sequences
from rchw.codesign.optimiser import OPTIMISERS


def record(name: str) -> dict[str, Any]:
    path = generators.FOLDER / "results" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    "module",
    [explore, force, generators, metrics, sequences],
    ids=["explore", "force", "generators", "metrics", "sequences"],
)
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


def test_metrics_keep_to_their_bounds() -> None:
    """None exceeds what it is bounded by, and nothing but codes and devices has noise."""
    found = record("metrics")
    assert [row["label"] for row in found["nodes"]] == [
        label for _, label, _, _ in metrics.NODE_ROWS
    ]
    assert len(found["adapted"]) == 6
    for row in found["nodes"] + found["adapted"]:
        assert row["units"] == found["units"] and row["samples"] == found["samples"]
        assert row["memory"]["significant"] < row["units"]
        assert row["processing"]["total"] < 1.05 * row["processing"]["rank"]
        assert 1 <= row["ranks"]["generalisation"] <= row["ranks"]["kernel"] <= row["units"]
        assert 1 < row["effective_rank"] < row["units"]
        assert row["entropy"]["bits_per_unit"] <= 8
        if row["label"].startswith("integer-cycle"):
            bits = row["source"]["point"]["state_bits"]
            assert row["entropy"]["bits_per_unit"] <= bits


def test_a_row_of_metrics_is_measured_again() -> None:
    """Fewer samples: what has to do with the node comes out as in the record."""
    label, subject = next(metrics.node_subjects())
    again = metrics.measure_row(label, subject, 2000)
    row = record("metrics")["nodes"][0]
    assert again["source"] == row["source"] and again["label"] == row["label"]
    assert again["effective_rank"] == pytest.approx(row["effective_rank"], rel=0.05)
    assert again["lyapunov"]["maximum"] == pytest.approx(row["lyapunov"]["maximum"], abs=0.02)
    assert again["conditions"] == row["conditions"]


def test_pictures_need_no_style_sheet() -> None:
    """An image in a page of Markdown is shown alone: variables of a page would leave it blank."""
    pictures = sorted((generators.FOLDER.parent / "docs" / "images").glob("*.svg"))
    assert len(pictures) >= 5
    for picture in pictures:
        assert "var(--" not in picture.read_text(encoding="utf-8"), picture.name


def test_force_holds_periodic_targets_and_says_what_it_misses() -> None:
    """The claims of docs/force.md, and that every network is there."""
    found = record("force")
    rows = found["rows"]
    assert len(rows) == 3 * 3 * found["seeds"]
    page = (generators.FOLDER / "force.md").read_text(encoding="utf-8")
    for task in ("sine", "four-sines"):
        mine = [row["runs"]["16 bits"]["held"] for row in rows if row["task"] == task]
        assert sum(mine) > len(mine) / 2
    missed = [row["runs"]["float"]["held"] for row in rows if row["task"] == "multi-sine"]
    assert not any(missed) and "`multi-sine` was missed" in page


def test_searches_found_the_same_with_one_worker_and_two() -> None:
    """Of two hundred reservoirs, in minutes."""
    found = record("explore")
    one, two, _ = found["searches"]
    counts = ("trials", "designs", "front", "refused", "short")
    assert [one[key] for key in counts] == [two[key] for key in counts]
    assert one["workers"] == 1 and two["workers"] == 2
    assert one["trials"] == found["budget"] == 200


def test_optimisers_were_compared_on_equal_terms() -> None:
    """Every seed with each; fronts grow with the trials; what is the default is not the worst."""
    found = record("explore")["optimisers"]
    seeds = {name: {row["seed"] for row in found["rows"] if row["optimiser"] == name}
             for name in OPTIMISERS}  # fmt: skip
    assert len(seeds["tpe"]) >= 3 and seeds["tpe"] == seeds["nsga2"] == seeds["random"]
    for row in found["rows"]:
        assert row["hypervolume"] == sorted(row["hypervolume"])
    last = {name: [row["hypervolume"][-1] for row in found["rows"] if row["optimiser"] == name]
            for name in OPTIMISERS}  # fmt: skip
    assert median(last["tpe"]) == max(median(values) for values in last.values())
