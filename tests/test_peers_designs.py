"""Integer designs at the draws of the peers, and float reservoirs with rounded states."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy_rows import Streams
from benchmarks.peers_designs import FAMILIES, design_rows, rounded
from benchmarks.peers_reservoirs import Draw, draws
from benchmarks.peers_rounding import kinked, rounded_states
from rchw.activation import tanh_pwl
from rchw.fixed import QFormat
from rchw.model import MatrixModel
from rchw.model.scaling import random_dense, scale_radius
from rchw.tasks import Task, load_task
from rchw.train import build_design

DRAW = Draw(radius=0.8, scaling=0.3, bias=0.2, leak=0.3, density=1.0)


class _Short(Streams):
    """Short series, so that a row takes no time."""

    def load(self, seeds: Sequence[int]) -> list[Task]:
        return [
            load_task(self.task, horizon=self.horizon, seed=seed, washout=50, split=(300, 300, 300))
            for seed in seeds
        ]


class _Spoilt(_Short):
    """The same with noise for test samples."""

    def load(self, seeds: Sequence[int]) -> list[Task]:
        found = []
        for task in super().load(seeds):
            rng = np.random.default_rng(7)
            inputs, targets = task.inputs.copy(), task.targets.copy()
            for values in (inputs, targets):
                values[task.test] = rng.uniform(-1, 1, values[task.test].shape)
            found.append(replace(task, inputs=inputs, targets=targets))
        return found


@pytest.mark.parametrize("family", FAMILIES)
def test_every_draw_is_a_design_near_it(family: str) -> None:
    rng = np.random.default_rng(1)
    inputs, targets = rng.uniform(-1, 1, (50, 1)), rng.uniform(-1, 1, (50, 1))
    for draw in draws(12, 4):
        options, hyper = rounded(family, 21, 12, draw, rng)
        layer = build_design(options, hyper, inputs, targets).stages[0].layer
        assert layer.state.width == 12
        assert layer.leak_shift == round(-np.log2(draw.leak))
        least = max(draw.scaling, 2.0**-9)  # what 12-bit states still notice
        assert hyper.input_scaling == pytest.approx(least, rel=1 / 8) or hyper.input_scaling == 1.0
        assert hyper.bias == pytest.approx(draw.bias, rel=1 / 8)


def test_a_row_has_the_design_found_and_its_weights_drawn_anew() -> None:
    rows = design_rows("cycle", 12, _Short("henon", (1,), (2, 3), None), bits=12, budget=3)
    assert set(rows) == {"linear", "squares"}
    for row in rows.values():
        assert len(row["errors"]) == len(row["redrawn"]["errors"]) == 2
        assert row["errors"] != row["redrawn"]["errors"]
        assert row["candidates"] == 3 and row["ours"]
        assert len(row["regularisations"]) == 2
    assert rows["squares"]["median"] < rows["linear"]["median"] < 1  # the map is quadratic


def test_no_choice_of_a_design_reads_a_test_sample() -> None:
    given = ("henon", (1,), (2,), None)
    plain, spoilt = (
        design_rows("cycle", 12, kind(*given), bits=12, budget=3) for kind in (_Short, _Spoilt)
    )
    for readout, row in plain.items():
        for same in ("chosen", "options", "validation", "regularisations"):
            assert row[same] == spoilt[readout][same]
        assert row["median"] < spoilt[readout]["median"]  # what is told is of the test samples


def test_states_that_are_not_rounded_are_those_of_the_model() -> None:
    inputs = np.random.default_rng(2).uniform(-1, 1, (40, 1))
    found = rounded_states(inputs, DRAW, 10, 3, "tanh", 0)
    rng = np.random.default_rng(3)
    matrix = scale_radius(random_dense(10, rng), DRAW.radius)
    weights = rng.uniform(-DRAW.scaling, DRAW.scaling, (1, 10))
    model = MatrixModel(matrix, weights, rng.uniform(-DRAW.bias, DRAW.bias, 10), DRAW.leak)
    np.testing.assert_allclose(found, model.run(inputs), atol=1e-12)
    for bits in (8, 12, 16):
        states = rounded_states(inputs, DRAW, 10, 3, "tanh", bits)
        assert (states * 2.0 ** (bits - 1) % 1 == 0).all()
        # To the nearest, so half a step; a leak of 0.3 keeps 0.7 and less than 0.3 of what was.
        assert 0 < np.abs(states[0] - found[0]).max() <= 2.0**-bits
        assert np.abs(states - found).max() < 2.0**-bits / 0.3 * 4


def test_the_segments_are_those_of_the_integers() -> None:
    """As the page of the design file has them: the last segment that begins at or below."""
    state = QFormat(16, 15)
    made = tanh_pwl(state)[0]
    for code in range(-80_000, 80_000, 997):
        begun = [part for part in made.segments if part[0] is None or part[0] <= code]
        _, shift, offset = begun[-1]
        value = min(max((code >> shift) + offset, made.low), made.high) * state.resolution
        found = kinked(np.array([code * state.resolution]))
        np.testing.assert_allclose(found, value, atol=2 * state.resolution)
