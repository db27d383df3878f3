"""The benchmark of linear readouts: how states are rounded, dither, and the page of the record."""

import json
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.linear_floor import (
    CODINGS,
    FOLDER,
    READ_BITS,
    RESULTS,
    dithered,
    loop_rows,
    retrained,
    rounded,
)
from benchmarks.linear_floor_page import markdown
from rchw.design import Design
from rchw.reference import run
from rchw.tasks import load_task
from rchw.train import Hyperparameters, TrainOptions, build_design


def design(bits: int = 12) -> Design:
    task = load_task("narma10", split=(300, 50, 50))
    options = TrainOptions(units=10, state_bits=bits, input_bits=bits)
    rows = task.inputs[task.train], task.targets[task.train]
    return build_design(options, Hyperparameters(), *rows)


def test_page_is_that_of_the_record() -> None:
    assert (FOLDER / "linear_floor.md").read_text(encoding="utf-8") == markdown(record())


def test_rounding_has_the_steps_of_its_range() -> None:
    """The largest error is half a step: of full scale, of the widest unit, of each unit."""
    states = np.random.default_rng(0).normal(0.3, [0.01, 0.02, 0.04], (500, 3))
    rows, half = slice(0, 500), 2.0**-10
    reach = {
        "full": np.ones(3),
        "range": np.full(3, 2 * np.abs(states).max()),
        "unit": np.ptp(states, axis=0),
    }
    for coding, expected in reach.items():
        error = np.abs(rounded(states, 10, coding, rows) - states).max(axis=0)
        assert (error <= expected * half * (1 + 1e-9)).all()
        assert (error > 0.8 * expected * half).all(), coding
    dither = (rounded(states, 10, "unit-dither", rows) - states) / (2 * half * reach["unit"])
    assert (dither.max(axis=0) > 0.75).all() and (dither.min(axis=0) < -0.75).all()
    assert np.abs(dither).max() <= 1 and np.abs(dither.mean()) < 0.05, "no step of its own"
    assert set(CODINGS) == {*reach, "unit-dither"}


def test_what_leaves_twice_the_range_of_training_is_clipped() -> None:
    seen = np.array([[-0.25], [0.25]])
    for coding, low, high in (("full", -1.0, 1.0), ("range", -0.5, 0.5), ("unit", -0.5, 0.5)):
        found = rounded(np.concatenate([seen, [[5.0], [-5.0]]]), 8, coding, slice(0, 2))
        assert found[3, 0] == low, coding
        assert found[2, 0] == high - (high - low) / 256, "the highest code is a step below"


def test_rounding_to_many_bits_changes_nothing() -> None:
    states = np.random.default_rng(1).normal(0, 0.1, (200, 4))
    for coding in CODINGS:
        assert np.abs(rounded(states, 40, coding, slice(0, 200)) - states).max() < 1e-9


def test_dither_is_noise_on_the_states_and_nothing_else() -> None:
    """Codes of 0 leave every state as it was; 4 is a whole step, up and down in turn."""
    plain = design()
    noisy = dithered(plain, 8)
    codes = np.random.default_rng(2).integers(-2000, 2000, (50, 1))
    silent = np.concatenate([codes, np.zeros_like(codes)], axis=1)
    assert np.array_equal(run(noisy, silent).states, run(plain, codes).states)
    first = silent[:1].copy()
    first[0, 1] = 4
    moved = run(noisy, first).states[0] - run(plain, codes[:1]).states[0]
    assert moved.tolist() == [-1, 1] * 5


def test_lambda_under_dither_reads_no_test_samples() -> None:
    task = load_task("narma10", split=(300, 200, 200))
    targets = task.targets.copy()
    targets[task.test] = targets[task.test][::-1]
    other, plain = replace(task, targets=targets), design()
    for amplitude in (0, 4):
        (first, error), (second, changed) = (
            retrained(plain, each, amplitude, 3) for each in (task, other)
        )
        assert first == second and error != changed
    validated = task.targets.copy()
    validated[task.validation] = validated[task.validation][::-1]
    assert (
        retrained(plain, replace(task, targets=validated), 0, 3)[0]
        != retrained(plain, task, 0, 3)[0]
    ), "but it reads the validation samples"


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def test_bits_that_codes_of_units_are_worth_are_those_between_the_curves() -> None:
    """Errors that fall by as much with each bit, five bits apart."""
    made = record()
    rows = made["rows"]["reading/200"]["rows"]
    for coding, start in (("full", 5), ("unit", 0), ("unit-dither", 0)):
        for bits in READ_BITS:
            worse = 1.01 if coding == "unit-dither" and bits in (8, 10, 12) else 1.0
            rows[f"{coding}/{bits}"]["median"] = worse * (1 - (bits - start) / 100)
    text = " ".join(markdown(made).split())
    assert "are worth about 5 bits at an error of 0.84." in text
    assert "it is worse at 3 of 8 widths" in text


def test_the_row_that_is_quoted_is_that_of_the_least_validation_error() -> None:
    made = record()
    rows, linear = made["rows"], made["rows"]["floors"]["linear"]["mean"]
    for key, row in rows.items():
        if key.startswith("loop/"):
            row |= {"validation": 1.0, "mean": 0.25 * linear}
    for bits, part in ((8, 0.9), (12, 0.8), (16, 0.7)):
        rows[f"loop/{bits}/pwl"] |= {"validation": 0.5, "mean": part * linear}
    assert "linear filter by 10% at 8 bits, 20% at 12 bits, 30% at 16 bits." in markdown(made)


def test_rows_differ_in_what_their_titles_say() -> None:
    rows = loop_rows(8)
    options = {key: row.options for key, row in rows.items()}
    assert all(isinstance(value, TrainOptions) for value in options.values())
    assert len({row.title for row in rows.values()}) == len(rows)
    assert replace(options["plain"], bias=None) == options["bias"]
