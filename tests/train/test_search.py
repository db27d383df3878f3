"""Choices are made on validation samples, by the rules of the search, and never on test samples."""

from dataclasses import asdict, replace
from typing import Any, cast

import numpy as np
import pytest

from rchw.activation import Clip, Table
from rchw.document import digest, from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.reference import run
from rchw.tasks.task import Task
from rchw.train import Hyperparameters, TrainOptions, evaluate, train
from rchw.train.axes import axes
from rchw.train.proposals import BUDGETS
from rchw.train.search import (
    TrainingTask,
    check_possible,
    clipped_fraction,
    fit,
    training_rows,
    tune,
)
from tests.examples import EXAMPLE
from tests.train.tiny import tiny_task

QUICK = TrainOptions(units=12, squares=True, search="quick", seed=3)
NONE = replace(QUICK, search="none")


def garbage(task: Task, rows: slice, seed: int = 9) -> Task:
    """Replace the samples of one split by others of another size."""
    rng = np.random.default_rng(seed)
    inputs, targets = task.inputs.copy(), task.targets.copy()
    inputs[rows] = 1e3 * rng.normal(size=inputs[rows].shape)
    targets[rows] = 1e3 * rng.normal(size=targets[rows].shape)
    return replace(task, inputs=inputs, targets=targets)


@pytest.mark.parametrize(
    "options",
    [
        QUICK,
        replace(QUICK, reservoir="integer", encoder="mean-std", squares=False),
        replace(QUICK, reservoir="deep", layers=2),
    ],
    ids=["cycle", "integer", "deep"],
)
def test_no_choice_reads_a_test_sample(options: TrainOptions) -> None:
    """Garbage in the test split leaves the digest and every number of the record as they were."""
    task = tiny_task(channels=2, outputs=2)
    spoilt = garbage(task, task.test)
    one, two = train(task, options), train(spoilt, options)
    assert digest(one) == digest(two)
    records = [dict(design.provenance) for design in (one, two)]
    hashes = [record.pop("split_sha256") for record in records]
    assert records[0] == records[1]
    assert hashes[0]["test"] != hashes[1]["test"]
    assert [h["train"] for h in hashes] == [task.hashes()["train"]] * 2


def test_every_other_sample_is_read() -> None:
    """The check can fail: garbage in validation changes a choice, in training the weights."""
    task = tiny_task()
    found = digest(train(task, QUICK))
    assert digest(train(garbage(task, task.validation), QUICK)) != found
    assert digest(train(garbage(task, slice(200, 210)), NONE)) != digest(train(task, NONE))


def test_validation_samples_do_not_train() -> None:
    """With nothing to choose they change neither weights nor formats."""
    task = tiny_task()
    tuned = tune([task], NONE)
    one = fit(task, NONE, tuned)
    two = fit(garbage(task, task.validation), NONE, tuned)
    assert digest(one) == digest(two)


@pytest.mark.parametrize("symbols", [False, True])
def test_the_record_tells_the_truth(symbols: bool) -> None:
    """Errors as recorded are those of the design that is shipped."""
    task = tiny_task(symbols=symbols)
    design = train(task, NONE)
    record = design.provenance
    trace = run(design, design.encode(task.inputs))
    check = task.validation
    error = task.error(design.decode(trace.outputs)[check], task.targets[check])
    assert record["validation"]["quantised"] == error
    assert set(record["validation"]) == {"quantised", "compensated", "nearest", "real_readout"}
    assert record["split_sha256"] == task.hashes()
    assert record["options"] == asdict(NONE)
    assert record["hyperparameters"] == asdict(tune([task], NONE).hyper)
    assert record["candidates"] == 1 and record["training_samples"] == 350
    rows = trace.states[50:400]
    assert record["clipped"] == np.mean(np.abs(rows) >= 127)
    assert from_document(to_document(design)) == design


def test_searching_pays_and_is_counted() -> None:
    """Thirty candidates; the best so far never gets worse, and ends below the defaults."""
    calls: list[tuple[int, int, float]] = []
    task = tiny_task()
    design = train(task, QUICK, lambda *call: calls.append(call))
    assert [done for done, _, _ in calls] == list(range(1, BUDGETS["quick"] + 1))
    assert {budget for _, budget, _ in calls} == {30}
    best = [error for _, _, error in calls]
    assert best == sorted(best, reverse=True)
    assert design.provenance["candidates"] == 30
    found = design.provenance["validation"]["quantised"]
    assert found <= best[-1] <= train(task, NONE).provenance["validation"]["quantised"]
    assert found < 0.8 * best[0]


def test_the_seed_decides_the_search() -> None:
    task = tiny_task()
    one, same, other = (tune([task], replace(QUICK, seed=seed)) for seed in (1, 1, 2))
    assert one == same and one.hyper != other.hyper


def test_several_streams_are_tuned_together() -> None:
    """The error is the mean over the streams, and each is trained with the same choice."""
    tasks = [tiny_task(seed) for seed in (1, 2)]
    tuned = tune(tasks, NONE)
    errors = [fit(t, NONE, tuned).provenance["validation"]["quantised"] for t in tasks]
    assert tuned.error == pytest.approx(np.mean(errors), rel=1e-12)


def test_evaluate_is_the_error_of_the_reference_on_test_samples() -> None:
    task = tiny_task()
    design = train(task, NONE)
    found = evaluate(design, task)
    trace = run(design, design.encode(task.inputs))
    prediction = design.decode(trace.outputs)[task.test]
    assert np.array_equal(found["prediction"], prediction)
    assert found["error"] == task.error(prediction, task.targets[task.test])
    assert found["samples"] == 150 and found["metric"] == "nmse"
    assert found["clipped"] == clipped_fraction(design, trace.states[task.test])


@pytest.mark.parametrize(
    "options",
    [
        {"reservoir": "cycle", "levels": True},
        {"reservoir": "delay-line"},
        {"reservoir": "delay-line-feedback"},
        {"reservoir": "cycle-jumps"},
        {"reservoir": "integer"},
        {"activation": "table", "leak_shift": 1},
        {"activation": "pwl", "input_features": True, "lanes": 5},
        {"weights": "integer"},
        {"weights": "integer", "reservoir": "cycle-jumps"},
        {"reservoir": "leaky", "leak_shifts": "0..2", "scaling": "circular"},
        {"reservoir": "leaky", "density": 0.2, "weights": "integer"},
        {"reservoir": "deep", "lanes": (4, 2, 2)},
        {"reservoir": "deep", "layers": 2, "layer_reservoir": "cycle", "leak_shifts": "0..1"},
    ],
)
@pytest.mark.parametrize(("channels", "outputs"), [(1, 1), (2, 2)])
def test_every_reservoir_learns(options: dict[str, Any], channels: int, outputs: int) -> None:
    """Better than the mean in every output, on samples that nothing was chosen by."""
    task = tiny_task(3, channels, outputs)
    design = train(task, replace(NONE, units=24, **options))
    assert (design.n_inputs, design.n_outputs) == (channels, outputs)
    found, target = evaluate(design, task)["prediction"], task.targets[task.test]
    assert np.all(np.mean((found - target) ** 2, axis=0) < 0.8 * target.var(axis=0))


def test_an_euler_reservoir_learns() -> None:
    """Its default steps are slow, so the task is the one of one output."""
    task = tiny_task(3)
    design = train(task, replace(NONE, reservoir="euler", units=24))
    assert evaluate(design, task)["error"] < 0.8


def test_the_axes_hold_what_is_left_open() -> None:
    cycle = axes(QUICK)
    assert set(cycle) == {"feedback", "input_scaling", "bias", "bias_signs", "levels", "window"}
    fixed = axes(replace(QUICK, bias=False, levels=True, signs="random"))
    assert fixed["bias"] == (0.0,) and fixed["levels"] == (True,) and fixed["window"] == (0,)
    assert 0.0 not in axes(replace(QUICK, bias=True))["bias"]
    drawn = axes(replace(QUICK, weights="integer"))
    assert drawn["levels"] == (False,) and set(drawn) == set(cycle)
    assert all(0 < value < 1 and value * 128 == int(value * 128) for value in drawn["feedback"])
    assert any(int(value * 128).bit_count() > 4 for value in drawn["feedback"])
    integer = TrainOptions(reservoir="integer", state_bits=4)
    assert max(axes(integer)["kappa"]) == 7
    assert axes(replace(integer, kappa=5))["kappa"] == (5,)
    jumps = axes(TrainOptions(reservoir="cycle-jumps", units=9))
    assert set(jumps["jump_length"]) <= {2, 3, 4}
    leaky = replace(QUICK, reservoir="leaky")
    assert set(axes(leaky)) == set(cycle) - {"feedback"} | {"radius", "leak_shift"}
    assert "leak_shift" not in axes(replace(leaky, leak_shift=0))
    assert "leak_shift" not in axes(replace(leaky, leak_shifts="0..3"))
    euler = replace(QUICK, reservoir="euler")
    steps = {"radius", "step", "diffusion"}
    assert set(axes(euler)) == set(cycle) - {"feedback"} | steps | {"headroom"}
    assert "headroom" not in axes(replace(euler, bounded=100))
    deep = replace(QUICK, reservoir="deep")
    assert set(axes(deep)) == set(axes(leaky)) | {"leak_rise", "inter_scaling"}
    assert set(axes(replace(deep, layers=1))) == set(axes(leaky))
    for leaks in ({"leak_shift": 1}, {"leak_shifts": "0..3"}):
        assert not {"leak_shift", "leak_rise"} & set(axes(replace(deep, **leaks)))
    stepped = axes(replace(deep, layer_reservoir="euler"))
    assert set(stepped) == set(axes(euler)) | {"inter_scaling"}
    rings = replace(deep, layer_reservoir="cycle-jumps", units=24)
    assert set(axes(rings)["jump_length"]) == {2, 3, 4}
    line = TrainOptions(reservoir="delay-line-feedback")
    for options in (QUICK, integer, line, leaky, euler, deep, rings):
        for key, values in axes(options).items():
            for value in values:
                assert getattr(Hyperparameters(**{key: value}), key) == value


def test_clipped_states_by_hand() -> None:
    design = replace(EXAMPLE, layers=(replace(EXAMPLE.ring, activation=Clip(-4, 5)),))
    states = np.array([[-4, 5, 4, -3, 0], [6, -9, 0, 0, 0]])
    assert clipped_fraction(design, states) == 0.4
    table = Table(QFormat(1), (-2, 3))
    design = replace(EXAMPLE, layers=(replace(EXAMPLE.ring, activation=table),))
    assert clipped_fraction(design, states[:1]) == 0.8


def test_a_washout_that_leaves_nothing_is_refused() -> None:
    """Of a task that checks less than ours does."""

    class Bare:
        inputs = np.zeros((10, 1))
        train = slice(0, 5)
        washout = 4

    with pytest.raises(
        DesignError,
        match=r"^training samples must outnumber the washout of 4 by 2, not be 5$",
    ):
        training_rows(cast(TrainingTask, Bare()))


def test_options_that_no_candidate_can_meet_are_refused_with_the_reason() -> None:
    task = tiny_task()
    for search in ("none", "quick"):
        with pytest.raises(DesignError, match=r"^number of units must be other than 2"):
            train(task, TrainOptions(units=2, search=search))
        with pytest.raises(DesignError, match=r"^signs must keep the rank of the ring, not pi"):
            train(task, TrainOptions(units=32, signs="pi", levels=False, search=search))
        with pytest.raises(DesignError, match=r"^multipliers must be one of 1 for 1 lanes"):
            train(task, TrainOptions(units=8, multipliers=3, search=search))


IMPOSSIBLE: dict[str, tuple[dict[str, Any], str]] = {
    "two units": ({"units": 2}, r"^number of units must be other than 2"),
    "signs": ({"units": 32, "signs": "pi", "levels": False}, r"^signs must keep the rank"),
    "multipliers": ({"units": 8, "multipliers": 3}, r"^multipliers must be one of 1 for 1 lanes"),
    "narrow states": ({"activation": "pwl", "state_bits": 3}, r"^state bits must be at least 4"),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
@pytest.mark.parametrize("search", ["none", "quick"])
def test_the_impossible_is_refused_before_any_progress(case: str, search: str) -> None:
    """In `tune` too, where no candidate could have an error to tell."""
    options, sentence = IMPOSSIBLE[case]
    told: list[float] = []
    for work in (check_possible, lambda t, o: tune([t], o, lambda *call: told.append(call[2]))):
        with pytest.raises(DesignError, match=sentence):
            work(tiny_task(), TrainOptions(search=search, **options))
    assert not told


def test_what_another_candidate_can_meet_is_possible() -> None:
    """Levels restore the rank of signs that are singular; the first candidate has none."""
    task = tiny_task()
    options = TrainOptions(units=32, signs="pi", search="quick")
    check_possible(task, options)
    told: list[float] = []
    tune([task], options, lambda *call: told.append(call[2]))
    assert told and np.isfinite(told).all()
    with pytest.raises(DesignError, match=r"^signs must keep the rank"):
        check_possible(task, replace(options, search="none"))
