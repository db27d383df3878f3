"""Budgets from the options to the design: kept, recorded, of each output, chosen by validation."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from rchw.design import Design
from rchw.document import digest, from_document, to_document
from rchw.errors import DesignError
from rchw.hdl.arith import digits
from rchw.reference import run
from rchw.train import TrainOptions, train
from rchw.train.budget import ReadoutBudgets, each_output, readout_facts
from rchw.train.generate import train_generator
from rchw.train.readout import aligned_features
from rchw.train.sequences import Pooling, train_sequences
from rchw.train.tradeoff import around, readout_words, tradeoff, tradeoff_rows
from tests.train.test_readout import ROWS, trained
from tests.train.test_sequences import TASK
from tests.train.tiny import tiny_task

PLAIN = TrainOptions(units=12, squares=True, search="none")
BOTH = replace(PLAIN, readout_bits=(12, 6), readout_adders=(20, 5), readout_nonzeros=(8, 4))


def counted(design: Any) -> tuple[list[int], list[int]]:
    """Adders and non-zero weights of every output, by the digits that the circuit takes."""
    rows = [row[:-1] for row in design.readout.weights]
    adders = [max(sum(len(digits(w)) for w in row) - 1, 0) for row in rows]
    return adders, [sum(w != 0 for w in row) for row in rows]


@pytest.fixture(scope="module")
def both() -> Design:
    """Trained with every budget."""
    return train(tiny_task(outputs=2), BOTH)


def test_every_output_keeps_to_its_own_budget(both: Design) -> None:
    design = both
    adders, nonzeros = counted(design)
    assert adders[0] <= 20 and adders[1] <= 5 and nonzeros[0] <= 8 and nonzeros[1] <= 4
    assert max(abs(w) for w in design.readout.weights[1]) < 32 < design.readout.weight_format.max
    record = design.provenance["readout"]
    assert (record["adders"], record["nonzeros"], record["weights"]) == (adders, nonzeros, 24)
    assert design.provenance["quantisation"] == ["budget", "budget"]
    assert from_document(to_document(design)) == design
    assert json.loads(json.dumps(record))["tradeoff"][2]["budget"]["adders"] == [20, 5]


def test_the_recorded_errors_are_those_of_the_integers(both: Design) -> None:
    """Of the design as shipped, and of every point: never better than what was searched for it."""
    task, design = tiny_task(outputs=2), both
    trace = run(design, design.encode(task.inputs))
    check = task.validation
    error = task.error(design.decode(trace.outputs)[check], task.targets[check])
    assert design.provenance["validation"]["quantised"] == error
    points = design.provenance["readout"]["tradeoff"]
    assert [point["budget"]["adders"] for point in points] == [
        (5, 1), (10, 2), (20, 5), (40, 10), (80, 20), None,
    ]  # fmt: skip
    for point in points[:-1]:
        assert all(np.array(point["adders"]) <= point["budget"]["adders"])
        assert all(np.array(point["nonzeros"]) <= point["budget"]["nonzeros"])
    assert points[2]["validation"] <= error
    assert points[0]["validation"] > points[-1]["validation"]


@pytest.mark.parametrize("bits", [12, (12, 6), (5, 14)])
def test_stated_errors_are_those_of_the_reference(bits: Any) -> None:
    """Of the sums before they are rounded, on the training samples; of any widths."""
    task = tiny_task(outputs=2)
    for budgets in ({}, {"readout_adders": 30}, {"readout_nonzeros": 9}):
        options = {"readout_bits": bits} | budgets
        fit, design, states, codes = trained(task, **options)
        features, finest = aligned_features(fit.design, states[ROWS], codes[ROWS])
        totals = features @ np.array(fit.design.readout.weights).T
        step = 2.0 ** -(finest + fit.design.readout.weight_format.frac)
        made = fit.design.readout.outputs
        scales = np.array([output.scale for output in made])
        offsets = np.array([output.offset for output in made])
        error = np.mean((totals * step * scales + offsets - task.targets[ROWS]) ** 2, axis=0)
        plain = np.array([output.scale for output in design.readout.outputs])
        assert error / plain**2 == pytest.approx(fit.train_error, rel=1e-5)
        # What circuits give out differs by the rounding and the ends of the outputs alone.
        got = fit.design.decode(run(fit.design, codes).outputs)[ROWS]
        ends = [output.decode([output.format.min, output.format.max]) for output in made]
        clipped = np.clip(totals * step * scales + offsets, *np.transpose(ends))
        assert np.abs(got - clipped).max() < 1e-3 * plain.max()
        for row, width in zip(
            fit.design.readout.weights, each_output("bits", bits, 2), strict=True
        ):
            assert max(map(abs, row)) < 1 << (width - 1)


def test_without_budgets_nothing_has_changed() -> None:
    """Bits for each output that are equal are bits for all, and no point is recorded."""
    task = tiny_task(outputs=2)
    one, same = train(task, PLAIN), train(task, replace(PLAIN, readout_bits=(12, 12)))
    assert digest(one) == digest(same)
    assert "tradeoff" not in one.provenance["readout"]
    assert "budget" not in one.provenance["quantisation"]


def test_test_samples_are_not_read() -> None:
    task = tiny_task()
    other = task.inputs.copy()
    other[task.test] = 1.0
    options = replace(PLAIN, readout_adders=12)
    one, two = train(task, options), train(replace(task, inputs=other), options)
    assert digest(one) == digest(two)
    assert one.provenance["readout"] == two.provenance["readout"]


def test_a_generator_has_budgets_too() -> None:
    options = TrainOptions(
        units=16, search="none", squares=True, state_bits=14, readout_bits=14, readout_adders=40
    )
    time = np.arange(700)
    task = replace(tiny_task(), targets=np.sin(0.3 * time)[:, None])
    design = train_generator(task, options, 50)
    assert counted(design)[0][0] <= 40
    assert design.provenance["readout"] == readout_facts(design)


def test_more_of_a_budget_is_never_worse_in_validation_of_a_tradeoff() -> None:
    """Not by law, as lambda is chosen by validation; but it pays where there is much to gain."""
    task = tiny_task()
    fit, design, states, codes = trained(task)
    check = task.validation
    asked = [ReadoutBudgets(12, adders=n) for n in (2, 8, 32, 128)] + [ReadoutBudgets(12)]

    def score(made: Any) -> float:
        return float(task.error(made.decode(run(made, codes).outputs)[check], task.targets[check]))

    found = tradeoff(
        design, states[ROWS], codes[ROWS], task.targets[ROWS], asked, score, (1e-7, 1e-4)
    )
    errors = [point.error for point in found]
    assert errors[0] > 1.2 * errors[1] > 1.2 * errors[2]
    assert errors[3] < 1.05 * errors[4] and errors[4] <= score(fit.design)
    with pytest.raises(DesignError, match=r"^budgets must be at least one, all of the same bits$"):
        tradeoff(design, states[ROWS], codes[ROWS], task.targets[ROWS], [], score)


def test_words_and_rows_of_a_record() -> None:
    facts: dict[str, Any] = {"adders": [7, 3], "nonzeros": [4, 2], "weights": 40}
    assert readout_words(facts) == "4, 2 of 40 weights are not 0, 7, 3 additions as constants"
    assert tradeoff_rows(facts) == []
    point = facts | {
        "budget": {"adders": [8, 4], "nonzeros": None}, "regularisation": 1e-5, "validation": 0.125,
    }  # fmt: skip
    free = point | {"budget": {"adders": None, "nonzeros": None}}
    rows = tradeoff_rows(facts | {"tradeoff": [point, free]})
    assert rows[0] == ["8, 4 adders", "7, 3", "4, 2", "1e-05", "0.125"] and rows[1][0] == "none"


def test_budgets_around_one() -> None:
    found = around(ReadoutBudgets((12, 8), adders=10, nonzeros=(4, 1)))
    assert [each.adders for each in found] == [2, 5, 10, 20, 40, None]
    assert [each.nonzeros for each in found] == [(1, 1), (2, 1), (4, 1), (8, 2), (16, 4), None]
    assert {each.bits for each in found} == {(12, 8)}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "adders": ({"readout_adders": -1}, r"^readout adders must be from 0 to 1000000, not -1$"),
    "nonzeros": ({"readout_nonzeros": (3, 0)}, r"^readout nonzeros must be from 1 to 1000000, not"),
    "bits": ({"readout_bits": (12, 1)}, r"^readout bits must be from 2 to 24, not 1$"),
    "wide": (
        {"readout_bits": (17, 4), "readout_adders": 9},
        r"^readout bits must be at most 16 with readout adders, not 17$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_out_of_range_are_refused(case: str) -> None:
    given, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        TrainOptions(**given)


@pytest.mark.parametrize("name", ["readout_bits", "readout_adders", "readout_nonzeros"])
def test_there_must_be_a_number_for_each_output(name: str) -> None:
    what = name.replace("_", " ")
    given: dict[str, Any] = {name: (9, 9, 9)}
    options = replace(PLAIN, **given)
    with pytest.raises(DesignError, match=rf"^{what} must be one number, not 3$"):
        train(tiny_task(), options)
    with pytest.raises(
        DesignError, match=rf"^{what} must be one number, or 2 for 2 outputs, not 3"
    ):
        train(tiny_task(outputs=2), options)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"readout_adders": 9}, "readout adders must be left out for labelled sequences, not 9"),
        (
            {"readout_nonzeros": 9},
            "readout nonzeros must be left out for labelled sequences, not 9",
        ),
        (
            {"readout_bits": (9, 9, 9)},
            r"readout bits must be one number for labelled sequences, not \(9, 9, 9\)",
        ),
    ],
)
def test_outputs_that_are_compared_have_one_step(given: dict[str, Any], sentence: str) -> None:
    options = TrainOptions(units=10, state_bits=10, search="none", **given)
    with pytest.raises(DesignError, match=f"^{sentence}$"):
        train_sequences(TASK, options, Pooling.of(TASK, "sum", None, None))


def test_options_are_plain_data() -> None:
    assert asdict(BOTH)["readout_adders"] == (20, 5)
    assert BOTH.budgets == ReadoutBudgets((12, 6), (20, 5), (8, 4)) and BOTH.budgets.width == 12
