"""Generators: taught with the series, left alone, the same after a reset; what has no meaning."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.design import Design, Feedback, Matrix, MatrixLayer
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.reference import free_beats, run
from rchw.tasks import Task, load_task
from rchw.tasks.generators import multi_sine
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.generate import (
    evaluate_generator,
    free_runs,
    generator_design,
    lessons,
    teach,
    train_generator,
)
from rchw.train.readout import outputs_of

__all__ = ["OPTIONS", "POINT", "matrix_generator", "sines"]

OPTIONS = TrainOptions(
    units=16, search="none", squares=True, state_bits=14, readout_bits=18, name="sines"
)
POINT = Hyperparameters(feedback=0.96875, input_scaling=0.25, bias=0.0)


def sines() -> Task:
    """One step ahead, two sines: quickly learnt."""
    x = multi_sine(1201, (21.3, 13.7))
    task = load_task("multi-sine", split=(600, 300, 300), washout=100)
    return replace(task, inputs=x[:-1], targets=x[1:])


def matrix_generator(task: Task) -> Design:
    """A sparse echo state network instead of the ring, taught in the same way."""
    ring = generator_design(OPTIONS, POINT, task.targets[task.train])
    rng = np.random.default_rng(4)
    n, layer = ring.n_units, ring.ring
    places = tuple(tuple(sorted(rng.choice(n, 3, replace=False).tolist())) for _ in range(n))
    codes = tuple(tuple(rng.integers(-9, 10, 3).tolist()) for _ in range(n))
    shared: dict[str, Any] = {
        key: getattr(layer, key)
        for key in ("n_units", "state", "inputs", "bias_format", "bias", "activation", "lanes")
    }
    matrix = MatrixLayer(matrix=Matrix(QFormat(5, 4), "sparse", codes, places), **shared)
    entries = tuple(replace(entry, layer=matrix.name) for entry in ring.feedback)
    return replace(ring, name="matrix_sines", layers=(matrix,), feedback=entries)


def test_a_reset_goes_on_where_the_training_samples_end() -> None:
    """And a run left alone is that of the record, whose test samples are read once."""
    task = sines()
    design = train_generator(task, OPTIONS, 100)
    known = design.provenance
    alone = design.decode(run(design, free_beats(design, 100)).outputs)
    states = run(design, lessons(design, task.targets)).states
    begin = task.validation.start
    assert np.array_equal(states[begin - 1], run(
        design, lessons(design, task.targets[:begin])
    ).final_state[:-1])  # fmt: skip
    runs = free_runs(design, task.targets, task.validation, 100, states)
    assert np.array_equal(alone, runs.predictions[0])
    assert list(runs.times) == known["validation"]["times"]
    facts, tested = evaluate_generator(design, task, 100)
    assert tested.starts[0] == task.test.start and len(facts["times"]) == 5
    assert known["candidates"] == 1 and known["readout_trained_on"] == "train"


def test_two_sines_are_kept_by_a_ring_and_by_a_matrix() -> None:
    """Free runs of 200 samples follow the series, where a design that is not taught does not."""
    task = sines()
    for design, noise in (
        (generator_design(OPTIONS, POINT, task.targets[task.train]), 2.0**-6),
        (matrix_generator(task), 0.0),
    ):
        states = run(design, lessons(design, task.targets)).states
        fits = teach(design, task.targets, slice(100, 600), noise=noise)
        ranks = [
            free_runs(fit.design, task.targets, task.validation, 200, states).rank for fit in fits
        ]
        assert min(ranks)[0] < -150, min(ranks)
        untaught = free_runs(design, task.targets, task.validation, 200, states)
        assert untaught.rank[0] > -20


def test_no_choice_reads_later_samples() -> None:
    """Other test samples give the same design; other validation samples the same readouts."""
    task = sines()
    design = train_generator(task, OPTIONS, 100)
    changed = task.targets.copy()
    changed[task.test] = changed[task.test][::-1]
    assert train_generator(replace(task, targets=changed), OPTIONS, 100) == design
    changed[task.validation] = 0.3
    rows = slice(100, 600)
    plain = generator_design(OPTIONS, POINT, task.targets[task.train])
    pairs = zip(teach(plain, task.targets, rows), teach(plain, changed, rows), strict=True)
    assert all(one.design == other.design for one, other in pairs)


def test_the_readout_may_move_its_point_and_the_feedback_follows() -> None:
    """Outputs whose codes get more fraction bits are fed back with as many less."""
    task = sines()
    plain = generator_design(OPTIONS, POINT, task.targets[task.train])
    two = replace(
        plain,
        readout=replace(
            plain.readout,
            outputs=(plain.readout.outputs[0], replace(plain.readout.outputs[0], name="half")),
            weights=plain.readout.weights * 2,
            multipliers=2,
        ),
    )
    entry = replace(plain.feedback[0], output="half", format=QFormat(4, 2), weights=(3, -1) * 8)
    two = replace(two, feedback=(plain.feedback[0], entry))
    series = np.concatenate([task.targets, task.targets / 4096], axis=1)
    fit = teach(two, series, slice(100, 600))[3]
    before, after = two.readout.outputs, fit.design.readout.outputs
    assert [a.format.frac - b.format.frac for a, b in zip(after, before, strict=True)] != [0, 0]
    beats = lessons(two, series)
    assert np.array_equal(beats, lessons(fit.design, series))
    states = run(two, beats).states
    assert np.array_equal(states, run(fit.design, beats).states)
    want = outputs_of(fit.design, states, np.zeros((len(states), 0), dtype=np.int64))
    assert np.array_equal(want, fit.design.decode(run(fit.design, beats).outputs))


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "input bits": ({"input_bits": 9}, 100, "input bits must be left out for feedback, which has"),
    "input features": ({"input_features": True}, 100, "input features must be left out for feed"),
    "encoder": ({"encoder": "mean-std"}, 100, "encoder must be left out for feedback, which has"),
    "integer": (
        {"reservoir": "integer", "squares": False},
        100,
        "reservoir must be other than integer for feedback of whole outputs",
    ),
    "steps": ({}, 301, "steps must be at most the 300 validation samples, not 301"),
    "no steps": ({}, 1, "steps must be at least 2, not 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_means_nothing_to_a_generator_is_refused(case: str) -> None:
    change, steps, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=f"^{re.escape(sentence)}"):
        train_generator(sines(), replace(OPTIONS, **change), steps)


def test_a_design_without_a_teacher_cannot_be_taught() -> None:
    task = sines()
    design = generator_design(OPTIONS, POINT, task.targets[task.train])
    entry: Feedback = replace(design.feedback[0], teacher=False)
    with pytest.raises(DesignError, match=r"^sines must have a teacher for all it is fed"):
        teach(replace(design, feedback=(entry,)), task.targets, slice(100, 600))
