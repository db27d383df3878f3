"""The float twin of a design does what its integers come near to."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.fixed import decode
from rchw.model import DeepModel, MatrixModel, RingModel
from rchw.reference import run
from rchw.train import Hyperparameters, TrainOptions, build_design
from rchw.train.twin import float_twin
from rchw.units import UnitCodes
from tests.train.tiny import tiny_task

TASK = tiny_task(channels=2)
KINDS: dict[str, tuple[type, dict[str, Any]]] = {
    "cycle": (RingModel, {}),
    "drawn ring": (RingModel, {"reservoir": "cycle-jumps", "weights": "integer", "leak_shift": 1}),
    "delay line": (RingModel, {"reservoir": "delay-line"}),
    "dense": (MatrixModel, {"reservoir": "leaky", "leak_shifts": "0..2"}),
    "sparse": (MatrixModel, {"reservoir": "leaky", "density": 0.3, "leak_shift": 0}),
    "deep": (DeepModel, {"reservoir": "deep", "layers": 2}),
    "deep rings": (DeepModel, {"reservoir": "deep", "layers": 3, "layer_reservoir": "cycle"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_fine_codes_are_near_the_twin(kind: str) -> None:
    """With 22 bits of state and rounding to the nearest they are within thousandths of it."""
    expected, options = KINDS[kind]
    chosen = TrainOptions(units=18, state_bits=22, rounding="half-even", **options)
    design = build_design(
        chosen, Hyperparameters(), TASK.inputs[TASK.train], TASK.targets[TASK.train]
    )
    layers = design.layers
    if kind == "cycle":  # a gain, as no option gives it
        gain = UnitCodes(design.layer.state, tuple(range(2**20, 2**20 + 18)))
        layers = (replace(design.driven, gain=gain),)
        design = replace(design, layers=layers)
    codes = design.encode(TASK.inputs)
    states = run(design, codes).states
    twin = float_twin([stage.layer for stage in design.stages])
    assert type(twin) is expected
    floats = twin.run(decode(codes, design.inputs[0].format))
    values = states * 2.0**-21
    assert values.std() > 0.05
    np.testing.assert_allclose(values, floats, atol=1e-4)


def test_a_table_is_taken_for_tanh() -> None:
    chosen = TrainOptions(units=10, state_bits=16, activation="table", reservoir="leaky")
    design = build_design(chosen, Hyperparameters(), TASK.inputs, TASK.targets)
    twin = float_twin([design.driven])
    assert isinstance(twin, MatrixModel) and twin.activation == "tanh"
    codes = design.encode(TASK.inputs)
    floats = twin.run(decode(codes, design.inputs[0].format))
    assert np.abs(run(design, codes).states * 2.0**-15 - floats).max() < 0.05


@pytest.mark.parametrize(
    ("reservoir", "words"),
    [
        ("euler", "^layer to have a float model must leak, not be of euler$"),
        ("integer", "^inputs of a float model must have weights, not thresholds$"),
    ],
)
def test_what_has_no_twin_is_refused(reservoir: str, words: str) -> None:
    hyper = Hyperparameters(input_coding="level")
    design = build_design(
        TrainOptions(units=10, reservoir=reservoir), hyper, TASK.inputs, TASK.targets
    )
    with pytest.raises(DesignError, match=words):
        float_twin([design.driven])
