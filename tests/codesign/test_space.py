"""The space of a search: whatever it is asked for can be built, and everything is asked for."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rchw.codesign.space import Readout, Space, ask, candidate, first_points, parse_span
from rchw.errors import DesignError
from rchw.train import build_design
from rchw.train.families import RESERVOIRS
from tests.train.tiny import tiny_task


class Drawn:
    """A trial that suggests at random, and remembers what it was asked."""

    def __init__(self, seed: int, fixed: dict[str, Any] | None = None) -> None:
        self.rng, self.fixed = np.random.default_rng(seed), fixed or {}
        self.asked: dict[str, Any] = {}
        self.ranges: dict[str, Any] = {}

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        assert name not in self.asked
        self.ranges[name] = tuple(choices)
        self.asked[name] = self.fixed.get(name, choices[int(self.rng.integers(len(choices)))])
        return self.asked[name]

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        assert name not in self.asked and low <= high
        self.ranges[name] = (low, high, log)
        self.asked[name] = self.fixed.get(name, int(self.rng.integers(low, high + 1)))
        return int(self.asked[name])


SMALL = Space(units=(12, 24))
NOT_CHOSEN = {
    "squares", "readout_bits", "output_bits",  # all of them are tried with every reservoir
    "readout_adders", "readout_nonzeros",  # as well, where a space has them
    "adapt_with", "adapt_stop", "gain_bits",  # as the rule has them
    "name", "search", "seed",
}  # fmt: skip
ASKED_FOR = {"signs", "bounded", "adapt"}  # only where a space has more than the usual
WIDE = Space(units=(12, 24), signs=("auto", "pi", "random"), bounded=(30,), adapt=("oja",))


@pytest.mark.parametrize("space", [SMALL, WIDE], ids=["usual", "wide"])
def test_everything_that_is_drawn_can_be_built(space: Space) -> None:
    """Every field is chosen, and the same name means the same axis, whatever was drawn before."""
    task = tiny_task()
    ranges: dict[str, Any] = {}
    values: dict[str, set[Any]] = {}
    for seed in range(90):
        trial = Drawn(seed, {"reservoir": RESERVOIRS[seed % len(RESERVOIRS)]})
        point = ask(space, trial)
        options, hyper = candidate(space, point)
        try:
            design = build_design(options, hyper, task.inputs[:400], task.targets[:400])
        except DesignError as reason:
            assert options.signs == "pi" and "keep the rank of the ring" in str(reason)
            continue
        assert design.n_units == options.units
        for name, known in trial.ranges.items():
            assert ranges.setdefault(name, known) == known
        for part in (vars(options), vars(hyper)):
            for name, value in part.items():
                values.setdefault(name, set()).add(value)
    fixed = {name for name, found in values.items() if len(found) == 1}
    assert fixed == (NOT_CHOSEN if space is WIDE else NOT_CHOSEN | ASKED_FOR)


def test_what_a_reservoir_does_not_have_is_not_asked_for() -> None:
    integer = Drawn(0, {"reservoir": "integer"})
    ask(SMALL, integer)
    assert not {"activation", "feedback", "bias", "weights", "state_bits"} & set(integer.asked)
    ring = Drawn(0, {"reservoir": "cycle"})
    ask(SMALL, ring)
    assert not {"radius", "step", "layers", "kappa", "weight_bits"} & set(ring.asked)


def test_lanes_are_at_most_the_units_of_the_smallest_layer() -> None:
    space = Space(units=(4, 4), lanes=(1, 64), reservoirs=("delay-line", "deep"))
    cycle = ask(space, Drawn(0, {"reservoir": "delay-line", "lanes": 1}))
    assert candidate(space, cycle)[0].lanes == 4
    deep = {"reservoir": "deep", "layers": 2, "layer_reservoir": "cycle", "lanes": 1}
    assert candidate(space, ask(space, Drawn(0, deep)))[0].lanes == 2


def test_the_first_points_are_the_usual_ones() -> None:
    """Of every reservoir one, with the hyperparameters that training starts from."""
    for reservoir, known in zip(SMALL.reservoirs, first_points(SMALL), strict=True):
        trial = Drawn(0, known)
        options, hyper = candidate(SMALL, ask(SMALL, trial))
        assert set(trial.asked) == set(known)
        assert options.reservoir == reservoir and options.units == 17
        if reservoir == "cycle":
            assert (hyper.bias_signs, hyper.window, hyper.levels) == ("same", 0, False)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"reservoirs": ()}, r"^reservoirs must be distinct and at least one, not \(\)$"),
        ({"reservoirs": ("ring",)}, r"^reservoir must be one of cycle, .*, not 'ring'$"),
        ({"activations": ("relu",)}, r"^activation must be one of clip, pwl, table, not 'relu'$"),
        ({"units": (40, 20)}, r"^units must ascend, from 1 to 4096 at most, not 40, 20$"),
        ({"state_bits": (1, 8)}, r"^state bits must ascend, from 2 to 24 at most, not 1, 8$"),
        ({"readout_bits": (8, 8)}, r"^readout bits must be distinct"),
        ({"seed": -1}, r"^seed must be from 0 to"),
        ({"signs": ("pi", "pi")}, r"^signs must be distinct and at least one, not"),
        ({"signs": ("both",)}, r"^signs must be one of auto, pi, random, not 'both'$"),
        ({"adapt": ("oja", "oja")}, r"^adapt must be distinct, not"),
        ({"adapt": ("none",)}, r"^rule of adaptation must be one of intrinsic-plasticity, "),
        ({"bounded": (0,)}, r"^bounded must ascend, from 1 to"),
        ({"readout_adders": (9, 3)}, r"^readout adders must ascend, from 0 to 1000000 at most"),
        ({"readout_nonzeros": (0,)}, r"^readout nonzeros must ascend, from 1 to 1000000 at most"),
        ({"readout_adders": (9,), "readout_bits": (20,)}, r"^readout bits must be at most 16 with"),
    ],
)
def test_bad_spaces_are_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        Space(**given)
    with pytest.raises(DesignError, match=r"^units must be a number or a range such as 4..12"):
        parse_span("a..b", "units")


def test_readouts_are_all_of_a_reservoir() -> None:
    space = Space(squares=(True,), readout_bits=(8, 12), output_bits=(16,))
    assert space.readouts() == [Readout(True, 8, 16), Readout(True, 12, 16)]


def test_budgets_and_mixed_widths_make_more_readouts() -> None:
    """Plain ones first, as they are without; widths of each output in all ways."""
    space = Space(squares=(True,), output_bits=(16,), readout_bits=(8, 12))
    plain = space.readouts(2)
    found = replace(space, readout_adders=(50,), readout_nonzeros=(9, 20)).readouts(2)
    assert found[:2] == plain and len(found) == 2 * 4
    assert {(r.readout_adders, r.readout_nonzeros) for r in found} == {
        (None, None), (50, None), (None, 9), (None, 20),
    }  # fmt: skip
    mixed = replace(space, mixed_bits=True)
    assert [r.readout_bits for r in mixed.readouts(2)] == [8, 12, (8, 12), (12, 8)]
    assert all(Readout.of(json.loads(json.dumps(r.facts()))) == r for r in mixed.readouts(2))
    with pytest.raises(DesignError, match=r"^mixed bits must be left out for one output$"):
        mixed.readouts(1)
    with pytest.raises(DesignError, match=r"^mixed bits must be at most 256 combinations, not 512"):
        mixed.readouts(9)
