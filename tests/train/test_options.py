"""Options are refused at once, each with its rule."""

from dataclasses import fields, replace
from typing import Any

import pytest

from rchw.design import Design
from rchw.errors import DesignError
from rchw.train import Hyperparameters, TrainOptions, build_design
from rchw.train.axes import axes
from rchw.train.families import ADAPTABLE, RESERVOIRS
from tests.train.tiny import tiny_task

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "reservoir": (
        {"reservoir": "torus"},
        r"^reservoir must be one of cycle, .*, euler-ring, leaky, euler, deep, not 'torus'$",
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
    "weights": (
        {"weights": "float"},
        r"^weights must be one of shift-add, integer, not 'float'$",
    ),
    "search": ({"search": "wide"}, r"^search must be one of quick, full, none, not 'wide'$"),
    "no units": ({"units": 0}, r"^units must be from 1 to 4096, not 0$"),
    "many units": ({"units": 4097}, r"^units must be from 1 to 4096, not 4097$"),
    "short line": (
        {"reservoir": "delay-line-feedback", "units": 2},
        r"^units must be from 3 to 4096, not 2$",
    ),
    "short Euler ring": (
        {"reservoir": "euler-ring", "units": 2},
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
    "leaks": (
        {"reservoir": "leaky", "leak_shifts": "5..2"},
        r"^leak shifts must be A\.\.B with A at most B, both from 0 to 15, not '5\.\.2'$",
    ),
    "high leaks": (
        {"reservoir": "leaky", "leak_shifts": "1..16"},
        r"^leak shifts must be A\.\.B with A at most B, both from 0 to 15, not '1\.\.16'$",
    ),
    "no leaks": (
        {"reservoir": "leaky", "leak_shifts": "3"},
        r"^leak shifts must be A\.\.B with A at most B, both from 0 to 15, not '3'$",
    ),
    "more leaks than units": (
        {"reservoir": "leaky", "units": 3, "leak_shifts": "1..4"},
        r"^leak shifts must be at most 3 for 3 units, not 1\.\.4$",
    ),
    "leak beside leaks": (
        {"reservoir": "leaky", "leak_shift": 2, "leak_shifts": "1..4"},
        r"^leak shift must be left out for leak shifts 1\.\.4, not 2$",
    ),
    "scaling": (
        {"reservoir": "leaky", "scaling": "norm"},
        r"^scaling must be one of radius, leaky-radius, circular, not 'norm'$",
    ),
    "scaling without a leak": (
        {"reservoir": "euler", "scaling": "leaky-radius"},
        r"^scaling must be radius or circular for reservoir euler, not leaky-radius$",
    ),
    "no density": (
        {"reservoir": "leaky", "density": 0.0},
        r"^density must be above 0 and at most 1, not 0$",
    ),
    "high density": (
        {"reservoir": "leaky", "density": 1.5},
        r"^density must be above 0 and at most 1, not 1\.5$",
    ),
    "density of no number": (
        {"reservoir": "leaky", "density": float("nan")},
        r"^density must be above 0 and at most 1, not nan$",
    ),
    "one Euler unit": (
        {"reservoir": "euler", "units": 1},
        r"^units must be from 2 to 4096, not 1$",
    ),
    "no layers": ({"reservoir": "deep", "layers": 0}, r"^layers must be from 1 to 64, not 0$"),
    "many layers": ({"reservoir": "deep", "layers": 65}, r"^layers must be from 1 to 64, not 65$"),
    "more layers than units": (
        {"reservoir": "deep", "layers": 5, "units": 4},
        r"^units must be from 5 to 4096 for 5 layers of leaky, not 4$",
    ),
    "layers too short": (
        {"reservoir": "deep", "layer_reservoir": "euler-ring", "units": 8},
        r"^units must be from 9 to 4096 for 3 layers of euler-ring, not 8$",
    ),
    "layers of layers": (
        {"reservoir": "deep", "layer_reservoir": "deep"},
        r"^layer reservoir must be one of cycle, .*, leaky, euler, not 'deep'$",
    ),
    "lanes of another count": (
        {"reservoir": "deep", "lanes": (2, 2)},
        r"^lanes must be one number, or 3 for 3 layers, not 2$",
    ),
    "lanes of one layer": (
        {"reservoir": "deep", "units": 10, "lanes": (2, 4, 2)},
        r"^lanes of layer 2 must be from 1 to 3, not 4$",
    ),
    "lanes of all layers": (
        {"reservoir": "deep", "units": 10, "lanes": 4},
        r"^lanes of every layer must be from 1 to 3, not 4$",
    ),
    "lanes of no layers": ({"lanes": (1, 1)}, r"^lanes must be one number, not 2$"),
    "density of rings": (
        {"reservoir": "deep", "layer_reservoir": "cycle", "density": 0.5},
        r"^density must be left out for reservoir deep with cycle layers, not 0\.5$",
    ),
    "leaks of steps": (
        {"reservoir": "deep", "layer_reservoir": "euler", "leak_shifts": "0..2"},
        r"^leak shifts must be left out for reservoir deep with euler layers, not 0\.\.2$",
    ),
    "leaks of one layer": (
        {"reservoir": "deep", "layers": 1, "leak_shifts": "0..2"},
        r"^leak shifts must be at most 1 for 1 layer, not 0\.\.2$",
    ),
    "seed": ({"seed": -1}, r"^seed must be from 0 to \d+, not -1$"),
    "kappa": (
        {"reservoir": "integer", "kappa": 0},
        r"^kappa must be from 1 to 8388607, not 0$",
    ),
    "kappa and bits": (
        {"reservoir": "integer", "kappa": 8, "state_bits": 4},
        r"^kappa must be from 1 to 7, not 8$",
    ),
    "name": ({"name": "Net"}, r"^name must be a lower-case identifier of at most 40, not 'Net'$"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    options, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        TrainOptions(**options)


# What an option may be for each reservoir; every other pair is accepted.
LEFT_OUT = "must be left out for"
RULE = "intrinsic-plasticity"
OWNED: dict[tuple[str, Any], tuple[str, ...]] = {
    ("kappa", 7): ("integer",),
    ("bounded", 50): ("euler-ring", "euler"),
    ("scaling", "circular"): ("leaky", "euler", "deep"),
    ("weight_bits", 5): ("leaky", "euler", "deep"),
    ("density", 0.5): ("leaky", "deep"),
    ("leak_shifts", "1..3"): ("leaky", "deep"),
    ("layers", 2): ("deep",),
    ("layer_reservoir", "cycle"): ("deep",),
    ("adapt", RULE): (*ADAPTABLE, "deep"),
}
IDLE: dict[tuple[str, str, Any], str] = {
    **{
        (reservoir, name, value): f"{name.replace('_', ' ')} {LEFT_OUT} reservoir {reservoir}"
        f"{' with leaky layers' * (reservoir == 'deep')}, not {value}"
        for (name, value), owners in OWNED.items()
        for reservoir in RESERVOIRS
        if reservoir not in owners
    },
    **{
        (reservoir, name, value): f"adapt {LEFT_OUT} reservoir {reservoir}, not {RULE}"
        for reservoir in RESERVOIRS
        if reservoir not in (*ADAPTABLE, "deep")
        for name, value in (("adapt_with", "std=0.1"), ("gain_bits", 5))
    },
    ("euler", "leak_shift", 2): "leak shift must be 0 for reservoir euler, not 2",
    ("euler-ring", "leak_shift", 2): "leak shift must be 0 for reservoir euler-ring, not 2",
    ("integer", "activation", "pwl"): "activation must be clip for reservoir integer, not pwl",
    ("integer", "activation", "table"): "activation must be clip for reservoir integer, not table",
    (
        "integer",
        "weights",
        "integer",
    ): "weights must be shift-add for reservoir integer, not integer",
    ("integer", "levels", True): f"levels {LEFT_OUT} reservoir integer, not True",
    ("integer", "levels", False): f"levels {LEFT_OUT} reservoir integer, not False",
    ("integer", "bias", True): f"bias {LEFT_OUT} reservoir integer, not True",
    ("integer", "bias", False): f"bias {LEFT_OUT} reservoir integer, not False",
}
# Values of every option that decides what a design is, the first being the default.
VALUES: dict[str, tuple[Any, ...]] = {
    "units": (100, 37),
    "input_bits": (None, 6),
    "state_bits": (None, 10),
    "readout_bits": (12, 9),
    "output_bits": (16, 10),
    "activation": ("clip", "pwl", "table"),
    "leak_shift": (None, 2),
    "leak_shifts": (None, "1..3"),
    "scaling": (None, "circular"),
    "density": (None, 0.5),
    "weight_bits": (None, 5),
    "squares": (False, True),
    "input_features": (False, True),
    "kappa": (None, 7),
    "bounded": (None, 50),
    "adapt": (None, RULE),
    "adapt_with": (None, "std=0.1"),
    "gain_bits": (None, 5),
    "signs": ("auto", "random"),
    "rounding": ("truncate", "half-up", "half-even"),
    "lanes": (1, 5),
    "layers": (None, 2),
    "layer_reservoir": (None, "cycle"),
    "multipliers": (None, 1),
    "encoder": ("min-max", "mean-std"),
    "weights": ("shift-add", "integer"),
    "levels": (None, True, False),
    "bias": (None, True, False),
    "name": ("reservoir", "other"),
}
NEEDS: dict[str, dict[str, Any]] = {"adapt_with": {"adapt": RULE}, "gain_bits": {"adapt": RULE}}
PAIRS = [
    (reservoir, name, value)
    for reservoir in RESERVOIRS
    for name, values in VALUES.items()
    for value in values[1:]
]


def first_candidate(options: TrainOptions) -> Design:
    """Make the design that a search of no candidates makes."""
    task = tiny_task()
    grid = axes(options)
    hyper = Hyperparameters(**{key: values[0] for key, values in grid.items()})
    return build_design(options, hyper, task.inputs[task.train], task.targets[task.train])


def test_the_table_names_every_option() -> None:
    """But for the reservoir itself, and what the search and the training of the readout read."""
    names = {field.name for field in fields(TrainOptions)}
    budgets = {"readout_adders", "readout_nonzeros"}
    assert names - set(VALUES) == {"reservoir", "search", "seed", "adapt_stop"} | budgets
    assert all(getattr(TrainOptions(), name) == values[0] for name, values in VALUES.items())


@pytest.mark.parametrize(("reservoir", "name", "value"), PAIRS)
def test_an_option_has_an_effect_or_is_refused(reservoir: str, name: str, value: Any) -> None:
    needed: dict[str, Any] = {"reservoir": reservoir, **NEEDS.get(name, {})}
    given = needed | {name: value}
    if (reservoir, name, value) in IDLE:
        with pytest.raises(DesignError) as refused:
            TrainOptions(**given)
        assert str(refused.value) == IDLE[reservoir, name, value]
        return
    plain, chosen = TrainOptions(**needed), TrainOptions(**given)
    if name == "multipliers":
        plain, chosen = replace(plain, lanes=2), replace(chosen, lanes=2)  # keep pace with 2
    if value is False:  # compared with the opposite: the search may choose it anyway
        plain = TrainOptions(**{**given, name: True})
    if name == "kappa":
        plain = replace(plain, kappa=3)
    assert first_candidate(chosen) != first_candidate(plain)


def test_integer_weights_have_no_levels() -> None:
    for value in (True, False):
        with pytest.raises(
            DesignError, match=f"^levels must be left out for weights integer, not {value}$"
        ):
            TrainOptions(weights="integer", levels=value)


def test_bits_of_the_input_are_those_of_both_codings() -> None:
    """An integer reservoir takes the fewest bits of its own accord, those asked for otherwise."""
    task = tiny_task()
    for coding in ("bipolar", "level"):
        hyper = Hyperparameters(input_coding=coding, amplitude=3)
        for bits, want in ((None, 3 if coding == "bipolar" else 8), (5, 5)):
            options = TrainOptions(reservoir="integer", units=10, input_bits=bits)
            inputs, targets = task.inputs[task.train], task.targets[task.train]
            design = build_design(options, hyper, inputs, targets)
            assert design.inputs[0].format.width == want
    assert axes(TrainOptions(reservoir="integer", input_bits=3))["amplitude"] == (1, 2, 3)


# Both ends of every range: the last value that is taken, and the first that is not.
ENDS: dict[str, tuple[dict[str, Any], str, int, int]] = {
    "units": ({"lanes": 1}, "units", 1, 4096),
    "lanes": ({"units": 8}, "lanes", 1, 8),
    "input_bits": ({}, "input bits", 2, 24),
    "readout_bits": ({}, "readout bits", 2, 24),
    "readout_adders": ({}, "readout adders", 0, 10**6),
    "readout_nonzeros": ({}, "readout nonzeros", 1, 10**6),
    "output_bits": ({}, "output bits", 2, 24),
    "state_bits": ({}, "state bits", 2, 24),
    "leak_shift": ({}, "leak shift", 0, 15),
    "seed": ({}, "seed", 0, 2**63 - 1),
    "kappa": ({"reservoir": "integer", "state_bits": 5}, "kappa", 1, 15),
    "bounded": ({"reservoir": "euler-ring"}, "bounded", 1, 2**20),
    "weight_bits": ({"reservoir": "euler"}, "weight bits", 2, 24),
    "gain_bits": ({"adapt": RULE}, "gain bits", 2, 24),
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
    "radius": ({"radius": -0.5}, r"^radius must be at least 0 and finite, not -0\.5$"),
    "leak": ({"leak_shift": 16}, r"^leak shift must be from 0 to 15, not 16$"),
    "rise": ({"leak_rise": -1}, r"^leak rise must be from 0 to 15, not -1$"),
    "inter scaling": (
        {"inter_scaling": float("inf")},
        r"^inter scaling must be at least 0 and finite, not inf$",
    ),
    "headroom": ({"headroom": 13}, r"^headroom must be from 0 to 12, not 13$"),
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
