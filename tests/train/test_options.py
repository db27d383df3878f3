"""Options are refused at once, each with its rule."""

from typing import Any

import pytest

from rchw.errors import DesignError
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.options import RESERVOIRS

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "reservoir": (
        {"reservoir": "torus"},
        r"^reservoir must be one of cycle, .*, integer, not 'torus'$",
    ),
    "activation": (
        {"activation": "relu"},
        r"^activation must be one of clip, pwl, table, not 'relu'$",
    ),
    "signs": ({"signs": "e"}, r"^signs must be one of auto, pi, random, not 'e'$"),
    "rounding": (
        {"rounding": "up"},
        r"^rounding must be one of truncate, half-up, half-even, not 'up'$",
    ),
    "encoder": ({"encoder": "log"}, r"^encoder must be one of min-max, mean-std, not 'log'$"),
    "search": ({"search": "wide"}, r"^search must be one of quick, full, none, not 'wide'$"),
    "no units": ({"units": 0}, r"^units must be from 1 to 4096, not 0$"),
    "many units": ({"units": 4097}, r"^units must be from 1 to 4096, not 4097$"),
    "short line": (
        {"reservoir": "delay-line-feedback", "units": 2},
        r"^units must be from 3 to 4096, not 2$",
    ),
    "short jumps": (
        {"reservoir": "cycle-jumps", "units": 3},
        r"^units must be from 4 to 4096, not 3$",
    ),
    "lanes": ({"units": 8, "lanes": 9}, r"^lanes must be from 1 to 8, not 9$"),
    "input bits": ({"input_bits": 1}, r"^input bits must be from 2 to 24, not 1$"),
    "readout bits": ({"readout_bits": 25}, r"^readout bits must be from 2 to 24, not 25$"),
    "output bits": ({"output_bits": 0}, r"^output bits must be from 2 to 24, not 0$"),
    "state bits": ({"state_bits": 1}, r"^state bits must be from 2 to 24, not 1$"),
    "leak": ({"leak_shift": -1}, r"^leak shift must be from 0 to 15, not -1$"),
    "seed": ({"seed": -1}, r"^seed must be from 0 to \d+, not -1$"),
    "kappa": (
        {"reservoir": "integer", "kappa": 0},
        r"^kappa must be from 1 to 8388607, not 0$",
    ),
    "kappa and bits": (
        {"reservoir": "integer", "kappa": 8, "state_bits": 4},
        r"^kappa must be from 1 to 7, not 8$",
    ),
    "kappa of a cycle": (
        {"kappa": 7},
        r"^kappa must be left out for reservoir cycle, not 7$",
    ),
    "name": ({"name": "Net"}, r"^name must be a lower-case identifier of at most 40, not 'Net'$"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    options, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        TrainOptions(**options)


# Both ends of every range: the last value that is taken, and the first that is not.
ENDS: dict[str, tuple[dict[str, Any], str, int, int]] = {
    "units": ({"lanes": 1}, "units", 1, 4096),
    "lanes": ({"units": 8}, "lanes", 1, 8),
    "input_bits": ({}, "input bits", 2, 24),
    "readout_bits": ({}, "readout bits", 2, 24),
    "output_bits": ({}, "output bits", 2, 24),
    "state_bits": ({}, "state bits", 2, 24),
    "leak_shift": ({}, "leak shift", 0, 15),
    "seed": ({}, "seed", 0, 2**63 - 1),
    "kappa": ({"reservoir": "integer", "state_bits": 5}, "kappa", 1, 15),
}


@pytest.mark.parametrize("name", ENDS)
def test_a_range_ends_where_it_says(name: str) -> None:
    others, what, low, high = ENDS[name]
    for value in (low, high):
        options = others | {name: value}
        assert getattr(TrainOptions(**options), name) == value
    for value in (low - 1, high + 1):
        options = others | {name: value}
        with pytest.raises(DesignError, match=rf"^{what} must be from {low} to {high}, not"):
            TrainOptions(**options)


@pytest.mark.parametrize("name", ["a" * 41, "", "1st", "a-b", "é", "net\n"])
def test_a_name_is_an_identifier(name: str) -> None:
    with pytest.raises(DesignError, match=r"^name must be a lower-case identifier of at most 40"):
        TrainOptions(name=name)
    assert TrainOptions(name="a" * 40).name == "a" * 40


HYPER: dict[str, tuple[dict[str, Any], str]] = {
    "signs": (
        {"bias_signs": "some"},
        r"^bias signs must be one of same, independent, none, not 'some'$",
    ),
    "coding": (
        {"input_coding": "gray"},
        r"^input coding must be one of level, bipolar, not 'gray'$",
    ),
    "kappa": ({"kappa": 0}, r"^kappa must be from 1 to 8388607, not 0$"),
    "amplitude": ({"amplitude": 0}, r"^amplitude must be from 1 to 4194303, not 0$"),
    "window": ({"window": 64}, r"^window must be from 0 to 63, not 64$"),
    "window before the first": ({"window": -1}, r"^window must be from 0 to 63, not -1$"),
}


@pytest.mark.parametrize("case", HYPER)
def test_hyperparameters_are_refused_with_the_reason(case: str) -> None:
    hyper, sentence = HYPER[case]
    with pytest.raises(DesignError, match=sentence):
        Hyperparameters(**hyper)


def test_the_defaults_and_every_reservoir_are_possible() -> None:
    assert TrainOptions() == TrainOptions(reservoir="cycle", units=100, search="quick")
    for reservoir in RESERVOIRS:
        assert TrainOptions(reservoir=reservoir, units=4).reservoir == reservoir
