"""Every rule by its name has the one shape, and its parameters are checked."""

import re
from typing import Any

import numpy as np
import pytest

from rchw.adapt.rules import RULES, checked_parameters, defaults, rule_named
from rchw.errors import DesignError
from rchw.model import RingModel
from tests.adapt.reservoirs import noise, ring


@pytest.mark.parametrize("name", RULES)
def test_a_rule_takes_and_gives_a_reservoir(name: str) -> None:
    """Same kind, same shape; the given reservoir is as it was; the same twice over."""
    model, inputs = ring(feedback=0.7), noise(300)
    before = model.run(inputs)
    adapted, history = RULES[name](model, inputs)
    again, _ = RULES[name](model, inputs)
    assert isinstance(adapted, RingModel) and adapted.n_units == model.n_units
    np.testing.assert_array_equal(model.run(inputs), before)
    np.testing.assert_array_equal(again.run(inputs), adapted.run(inputs))
    assert np.abs(adapted.run(inputs) - before).max() > 1e-4
    assert history.rule == name and set(history.parameters) <= set(defaults(name))
    (layer,) = history.layers
    assert layer.steps[0] == 0 and (np.diff(layer.steps) > 0).all()
    assert {"mean", "std", "gain_min", "gain_median", "gain_max", "radius"} <= set(layer.values)
    assert all(len(series) == len(layer.steps) for series in layer.values.values())
    assert all(np.isfinite(series).all() for series in layer.values.values())
    summary = history.summary()
    assert summary["layers"][0]["after"]["radius"] == layer.values["radius"][-1]


def test_parameters_are_numbers_of_their_kind() -> None:
    found = checked_parameters("intrinsic-plasticity", {"epochs": 3.0, "std": 1})
    assert found == {"epochs": 3, "std": 1.0}
    assert isinstance(found["epochs"], int) and isinstance(found["std"], float)


BAD: dict[str, tuple[Any, str]] = {
    "rule": (
        lambda: rule_named("hebbian rule"),
        f"rule of adaptation must be one of {', '.join(RULES)}, not 'hebbian rule'",
    ),
    "parameter": (
        lambda: checked_parameters("intrinsic-plasticity", {"rate": 1.0}),
        "parameter of intrinsic-plasticity must be one of mean, std, learning_rate, epochs, "
        "tolerance, least_gain, not 'rate'",
    ),
    "whole": (
        lambda: checked_parameters("intrinsic-plasticity", {"epochs": 1.5}),
        "epochs of intrinsic-plasticity must be a whole number, not 1.5",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_names_are_refused(case: str) -> None:
    action, words = BAD[case]
    with pytest.raises(DesignError, match=f"^{re.escape(words)}$"):
        action()
