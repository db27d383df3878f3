"""Separation of inputs: linear reservoirs in closed form, order against chaos, codes."""

import numpy as np
import pytest

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import input_separation
from rchw.model import MatrixModel, RingModel
from rchw.model.scaling import scale_radius


def test_a_linear_reservoir_separates_in_proportion() -> None:
    """States are sums of inputs: distances have one ratio, that of the deviations."""
    model = RingModel(topology.cycle(9, 0.8), topology.auto_signs(9), activation="linear")
    inputs = np.random.default_rng(0).normal(size=(4000, 1))
    found = input_separation(model, inputs)
    assert found.ratios == pytest.approx(np.full(5, found.ratios[0]))
    assert found.ratios[0] == pytest.approx(1, abs=0.05)
    assert found.inputs[-1] == pytest.approx(np.sqrt(2), abs=0.03)  # two independent series
    assert found.inputs[:-1] == pytest.approx(found.inputs[-1] * np.array([0.01, 0.03, 0.1, 0.3]))


def test_chaos_drives_alike_inputs_apart() -> None:
    rng = np.random.default_rng(1)
    weights = scale_radius(rng.normal(size=(40, 40)), 1.0)
    into, inputs = rng.uniform(-0.3, 0.3, (1, 40)), rng.uniform(-1, 1, (600, 1))
    calm, wild = (input_separation(MatrixModel(r * weights, into), inputs) for r in (0.5, 3.0))
    assert wild.ratios[0] > 20 > 2 > calm.ratios[0]
    assert wild.states[0] == pytest.approx(wild.states[-1], rel=0.1)


def test_what_is_rounded_away_is_not_apart() -> None:
    model = RingModel([], np.ones((1, 1)), activation="linear")
    codes = np.random.default_rng(2).integers(-3, 4, (500, 1))
    found = input_separation(model, codes, (0.01, 1.0))
    assert found.inputs[0] == found.states[0] == found.ratios[0] == 0
    assert found.states[1] == pytest.approx(found.inputs[1])


def test_refused_with_the_reason() -> None:
    model = RingModel(topology.cycle(3, 0.5), np.ones((1, 3)))
    with pytest.raises(DesignError, match=r"^levels must be above 0 and at most 1, not \(0,\)$"):
        input_separation(model, np.ones((200, 1)), (0,))
    with pytest.raises(DesignError, match=r"^washout must be from 0 to 49, not 100$"):
        input_separation(model, np.ones((50, 1)))
    with pytest.raises(DesignError, match=r"^inputs and states must vary for a separation"):
        input_separation(model, np.ones((200, 1)))
