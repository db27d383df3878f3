"""Drawn matrices: scaled by the convention that the design names, shared with the float ideal."""

from typing import Any

import numpy as np
import pytest

from rchw.design import Design, MatrixLayer
from rchw.document import digest, from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.matrix import Scaling
from rchw.model.scaling import matrix_radius
from rchw.train import Hyperparameters, TrainOptions, build_design
from rchw.train.drawn import drawn_connections, leak_shifts, spread_rates
from tests.train.tiny import tiny_task

TASK = tiny_task()


def layer_of(hyper: Hyperparameters | None = None, **options: Any) -> tuple[MatrixLayer, Design]:
    """Make a design of 20 units for the training samples of the tiny task."""
    chosen = TrainOptions(**({"units": 20} | options))
    inputs, targets = TASK.inputs[TASK.train], TASK.targets[TASK.train]
    design = build_design(chosen, hyper or Hyperparameters(), inputs, targets)
    assert isinstance(design.layer, MatrixLayer)
    return design.layer, design


def real(layer: MatrixLayer) -> Any:
    """Values of the matrix, (N, N)."""
    return layer.matrix.full * layer.matrix.format.resolution


@pytest.mark.parametrize("density", [None, 0.3])
@pytest.mark.parametrize("leak", [{"leak_shift": 2}, {"leak_shifts": "0..3"}])
@pytest.mark.parametrize("rule", [None, "radius", "leaky-radius", "circular"])
def test_codes_have_the_radius_of_the_convention_that_is_named(
    rule: str | None, leak: dict[str, Any], density: float | None
) -> None:
    hyper = Hyperparameters(radius=0.8, leak_shift=7)
    layer, design = layer_of(
        hyper, reservoir="leaky", scaling=rule, density=density, weight_bits=16, **leak
    )
    named = rule or "radius"
    assert layer.matrix.scaling == Scaling(named, 0.8)
    assert layer.matrix.kind == ("dense" if density is None else "sparse")
    rates = 2.0 ** -np.array(layer.leak_shifts)[:, None]
    found = real(layer)
    if named == "radius":
        assert matrix_radius(found) == pytest.approx(0.8, rel=1e-3)
    elif named == "leaky-radius":
        leaky = (1 - rates) * np.eye(20) + rates * found
        assert matrix_radius(leaky) == pytest.approx(0.8, rel=1e-3)
    else:
        read = 20 if density is None else 6
        end = 0.8 * np.sqrt(3 / read)  # uniform up to here: deviation of radius / sqrt(connections)
        assert 0.9 * end < np.abs(found).max() <= end * 1.001
    assert from_document(to_document(design)) == design


def test_every_unit_reads_as_many_units_as_the_density_says() -> None:
    layer, _ = layer_of(reservoir="leaky", density=0.28, weight_bits=16)
    assert {len(row) for row in layer.connections} == {6}
    few, _ = layer_of(reservoir="leaky", density=0.01)
    assert {len(row) for row in few.connections} == {1}
    whole, _ = layer_of(reservoir="leaky", density=1.0)
    assert whole.matrix.kind == "dense"


@pytest.mark.parametrize("rule", ["radius", "circular"])
def test_euler_is_antisymmetric_with_the_diffusion_on_its_diagonal(rule: str) -> None:
    hyper = Hyperparameters(radius=1.5, diffusion=0.25, step=0.375, headroom=2)
    layer, design = layer_of(hyper, reservoir="euler", scaling=rule, weight_bits=14)
    found = real(layer)
    assert layer.matrix.kind == "antisymmetric"
    assert layer.matrix.scaling == Scaling(rule, 1.5)
    assert np.array_equal(np.diagonal(found), np.full(20, -0.25))
    flow = found + 0.25 * np.eye(20)
    assert np.array_equal(flow, -flow.T)
    if rule == "radius":
        assert matrix_radius(flow) == pytest.approx(1.5, rel=1e-3)
    else:  # differences of entries that are uniform up to v
        assert 1.2 < np.abs(flow).max() / (1.5 * np.sqrt(3 / 20)) <= 2.0
    assert layer.state == QFormat(12, 9) and layer.horizon is None
    assert layer.step is not None and set(layer.step.codes) == {3}
    assert from_document(to_document(design)) == design
    bounded, _ = layer_of(hyper, reservoir="euler", bounded=100)
    assert bounded.horizon == 100 and bounded.state == QFormat(18, 11)


def test_codes_are_the_nearest_of_what_the_float_ideal_has() -> None:
    """Of the same seed and window; the width alone tells them apart."""
    given = {"reservoir": "leaky", "density": 0.5, "seed": 4}
    want = drawn_connections("leaky", 20, "radius", 0.9, density=0.5, seed=4, window=3)
    hyper = Hyperparameters(window=3)
    for bits in (4, 8, 24):
        layer, _ = layer_of(hyper, weight_bits=bits, **given)
        assert layer.matrix.format.width == bits
        assert np.abs(real(layer) - want).max() <= layer.matrix.format.resolution / 2
    plain, _ = layer_of(hyper, **given)
    assert plain.matrix.format.width == 8 and plain.state == QFormat(12, 11)


def test_seed_and_window_name_the_draw() -> None:
    draws = {
        digest(layer_of(Hyperparameters(window=window), reservoir="leaky", seed=seed)[1])
        for window in (0, 1)
        for seed in (0, 1)
    }
    assert len(draws) == 4
    again = layer_of(Hyperparameters(window=1), reservoir="leaky", seed=1)[1]
    assert digest(again) in draws


def test_leaks_are_the_users_or_of_the_search_or_spread() -> None:
    searched, fixed = (TrainOptions(reservoir="leaky", units=7, leak_shift=s) for s in (None, 0))
    hyper = Hyperparameters(leak_shift=3)
    assert leak_shifts(searched, hyper) == (3,) * 7
    assert leak_shifts(fixed, hyper) == (0,) * 7
    assert leak_shifts(TrainOptions(units=7), hyper) == (0,) * 7
    spread = TrainOptions(reservoir="leaky", units=7, leak_shifts="1..3")
    assert leak_shifts(spread, hyper) == (1, 2, 3, 1, 2, 3, 1)
    same, _ = layer_of(reservoir="leaky", leak_shifts="2..2")
    assert same.leak_shift == 2
    rates = spread_rates(5, (1, 3))
    np.testing.assert_allclose(np.log2(rates), [-1, -1.5, -2, -2.5, -3])


def test_two_units_need_no_regular_signs() -> None:
    for reservoir in ("leaky", "euler"):
        layer, _ = layer_of(reservoir=reservoir, units=2)
        assert layer.n_units == 2
    with pytest.raises(DesignError, match=r"^radius must be at least 0 and finite, not nan$"):
        Hyperparameters(radius=float("nan"))
