"""The page of adaptation is that of its record, and the record is of every rule."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from benchmarks import adaptation
from benchmarks.adaptation_page import markdown, pictures, verdict
from benchmarks.parts import read_record
from rchw.adapt import RULES, parse_parameters
from rchw.tasks import load_task
from rchw.train.linear import train_linear


def record() -> dict[str, Any]:
    return read_record(adaptation.RESULTS, adaptation.COMMAND)


def test_page_and_pictures_are_those_of_the_record() -> None:
    known = record()
    page = (adaptation.FOLDER / "adaptation.md").read_text(encoding="utf-8")
    assert page == markdown(known), "python -m benchmarks.adaptation --page"
    for name, text in pictures(known).items():
        assert (adaptation.IMAGES / name).read_text(encoding="utf-8") == text


def test_every_rule_is_measured_on_every_task_with_as_many_candidates() -> None:
    rows = record()["rows"]
    assert set(adaptation.CANDIDATES) == {"none", *RULES}
    for task, rule, precision in product(
        adaptation.TASKS, adaptation.CANDIDATES, adaptation.PRECISIONS
    ):
        row = rows[f"{task}/{rule}/{precision}"]
        known = list(adaptation.choices(rule))
        assert adaptation.Choice(**row["choice"]) in known
        assert row["candidates"] == len(known) == 18
        assert len(row["errors"]) == len(adaptation.TESTS) == 5
        assert row["mean"] == pytest.approx(np.mean(row["errors"]))
    assert set(rows["histories"]) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_candidates_are_parameters_of_their_rule(rule: str) -> None:
    for text in adaptation.CANDIDATES[rule]:
        assert parse_parameters(rule, text)


def test_verdicts_are_of_streams_not_of_means() -> None:
    def row(*errors: float) -> dict[str, Any]:
        return {"errors": list(errors)}

    rows = {"none": row(1, 2), "a": row(0.5, 1), "b": row(2, 4), "c": row(0.1, 2.1)}
    assert verdict(rows) == {
        "better": ["a (0.50)"], "worse": ["b (2.00)"], "neither": ["c (0.32)"],
    }  # fmt: skip


def test_choices_never_see_the_test_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a test part of anything else the same candidate is chosen, by the same error."""
    monkeypatch.setattr(adaptation, "SCALINGS", (0.25,))  # fewer candidates, for time
    task = load_task("narma10", seed=7, split=(600, 200, 200))
    targets, inputs = task.targets.copy(), task.inputs.copy()
    targets[task.test] = np.random.default_rng(0).normal(size=targets[task.test].shape)
    inputs[task.test] = 0.25
    spoilt = replace(task, targets=targets, inputs=inputs)
    assert adaptation.chosen(task, "hebbian", 3) == adaptation.chosen(spoilt, "hebbian", 3)
    choice = adaptation.Choice("hebbian", 0.6, 0.25, "epochs=2")
    first, second = (adaptation.whole(one, choice, 3, tested=False)[0] for one in (task, spoilt))
    assert first == second


def test_a_design_at_12_bits_has_the_weights_of_its_float_model() -> None:
    """The same draw: so its error is near, where tanh in segments is near to tanh."""
    task = load_task("narma10", seed=7, split=(800, 300, 300))
    choice = adaptation.Choice("none", 0.6, 0.25, "")
    model, _ = adaptation.reservoir(task, choice, 1)
    states = adaptation.features(task, model, task.test.stop)
    real = train_linear(task, states).validation
    checked, untested = adaptation.whole(task, choice, 1, tested=False)
    assert 0.5 < checked / real < 2 and np.isnan(untested)
    assert adaptation.whole(task, choice, 1, tested=True)[0] == checked
