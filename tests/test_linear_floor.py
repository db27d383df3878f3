"""The benchmark of linear readouts: how states are rounded, dither, and the page of the record."""

import json
from dataclasses import replace

import numpy as np

from benchmarks.linear_floor import CODINGS, FOLDER, RESULTS, dithered, loop_rows, rounded
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
    record = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert (FOLDER / "linear_floor.md").read_text(encoding="utf-8") == markdown(record)


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
    dither = rounded(states, 10, "unit-dither", rows) - states
    assert (np.abs(dither).max(axis=0) > 1.5 * reach["unit"] * half).all()
    assert set(CODINGS) == {*reach, "unit-dither"}


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


def test_rows_differ_in_what_their_titles_say() -> None:
    rows = loop_rows(8)
    options = {key: row.options for key, row in rows.items()}
    assert all(isinstance(value, TrainOptions) for value in options.values())
    assert len({row.title for row in rows.values()}) == len(rows)
    assert replace(options["plain"], bias=None) == options["bias"]
