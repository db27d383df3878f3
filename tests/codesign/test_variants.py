"""Budgets, mixed widths, and adaptation of a search: as training makes them, once per trial."""

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from rchw.codesign.engine import LocalEngine
from rchw.codesign.explore import explore
from rchw.codesign.front import Front
from rchw.codesign.objectives import Limits
from rchw.codesign.series import SeriesTrials
from rchw.codesign.space import Readout, Space, ask, candidate, first_points
from rchw.codesign.trial import FULL
from rchw.errors import DesignError
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.adapted import adapted_layers
from rchw.train.budget import readout_facts
from rchw.train.sequences import Pooling
from tests.codesign.test_explore import searched, text
from tests.codesign.test_space import Drawn
from tests.train.test_sequences import TASK as SEQUENCES
from tests.train.tiny import tiny_task

PLAIN: dict[str, Any] = {"units": (12, 16), "readout_bits": (6, 10), "output_bits": (12,)}
SPACE = Space(**PLAIN, mixed_bits=True, readout_adders=(4, 12), readout_nonzeros=(5,))
TASK = tiny_task(outputs=2)
POINT = ask(SPACE, Drawn(0, first_points(SPACE)[0]))  # the usual cycle of 14 units


def trials(space: Space) -> SeriesTrials:
    return SeriesTrials(task=TASK, space=space, board="ulx3s", limits=Limits())


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = trials(SPACE)((POINT, FULL))["designs"]
    return found


def test_every_variant_is_that_of_training(entries: list[dict[str, Any]]) -> None:
    """Trained alone, each comes to the same error, and keeps to its budget and widths."""
    options, hyper = candidate(SPACE, POINT)
    assert [Readout.of(entry) for entry in entries] == SPACE.readouts(2)
    for entry in entries[::3]:
        readout = Readout.of(entry)
        chosen = TrainOptions(**{**vars(options), **readout._asdict()})
        design, error = trials(SPACE).again(chosen, hyper, entry["regularisation"], 1)
        assert error == entry["error"]
        facts, weights = readout_facts(design), np.abs(np.array(design.readout.weights))
        widths = readout.widths * (2 // len(readout.widths))
        assert (weights.max(axis=1) < 2 ** (np.array(widths) - 1)).all()
        if readout.readout_adders is not None:
            assert max(facts["adders"]) <= readout.readout_adders
        if readout.readout_nonzeros is not None:
            assert max(facts["nonzeros"]) <= readout.readout_nonzeros


def test_more_readouts_change_none_of_the_others(entries: list[dict[str, Any]]) -> None:
    usual = trials(Space(**PLAIN))((POINT, FULL))["designs"]
    assert usual == [entry for entry in entries if Readout.of(entry) in Space(**PLAIN).readouts()]


def test_a_tight_budget_costs_accuracy(entries: list[dict[str, Any]]) -> None:
    """Four and twelve adders for 14 or 28 features."""
    for squares in (False, True):
        own = [e for e in entries if e["squares"] == squares and e["readout_bits"] == 10]
        own = [entry for entry in own if "readout_nonzeros" not in entry]
        errors = {entry.get("readout_adders"): entry["error"] for entry in own}
        assert set(errors) == {None, 4, 12} and errors[4] > errors[12] > errors[None]


def test_fewer_adders_are_fewer_cells_where_weights_are_gates() -> None:
    """In a circuit with a lane for every unit; a folded one multiplies, whatever the weights."""
    space = Space(**PLAIN, lanes=(64,), readout_adders=(4,))
    point = ask(space, Drawn(3, {"reservoir": "cycle", "units": 14, "single_multiplier": False}))
    found = {Readout.of(entry): entry["cells"] for entry in trials(space)((point, FULL))["designs"]}
    plain = [readout for readout in found if readout.readout_adders is None]
    assert plain and all(found[r._replace(readout_adders=4)] < found[r] for r in plain)


def test_a_reservoir_is_adapted_once_for_all_its_readouts() -> None:
    space = Space(**PLAIN, adapt=("anti-oja",))
    fixed = {"reservoir": "cycle-jumps", "units": 14, "adapt": "anti-oja"}
    point = ask(space, Drawn(3, fixed))
    options, hyper = candidate(space, point)
    alone = trials(space).design(options, hyper, Readout(True, 10, 12))
    with patch("rchw.train.build.adapted_layers", wraps=adapted_layers) as adapt:
        found = trials(space)((point, FULL))["designs"]
    assert len(found) == 4 and adapt.call_count == 1
    like = trials(space).design(options, hyper, Readout(False, 6, 12))
    assert trials(space).design(options, hyper, Readout(True, 10, 12), like) == alone
    assert alone.provenance["adaptation"]["rule"] == "anti-oja"
    bare = Hyperparameters(**vars(hyper))
    assert trials(space).design(TrainOptions(**{**vars(options), "adapt": None}), bare,
                                Readout(True, 10, 12)).layers != alone.layers  # fmt: skip


WIDE = Space(
    reservoirs=("cycle", "leaky", "euler-ring"), units=(6, 12), readout_bits=(8,),
    output_bits=(12,), lanes=(1, 16), readout_nonzeros=(4,), readout_adders=(6,),
    adapt=("intrinsic-plasticity", "anti-hebbian"), signs=("auto", "random"), bounded=(40,),
)  # fmt: skip


def test_the_wide_front_is_the_same_for_any_number_of_workers() -> None:
    """With everything that is not usual; each design of it is made again to its error."""
    front = searched(None, space=WIDE)
    assert text(searched(None, workers=2, space=WIDE)) == text(front)
    chosen = [found.options for found in front.designs]
    for name in ("adapt", "bounded", "readout_adders", "readout_nonzeros"):
        assert any(name in options for options in chosen)
    assert {options["signs"] for options in chosen} == {"auto", "random"}
    for found in front.members:
        assert front.design(found).name == found.name
    assert front.record["space"]["adapt"] == WIDE.adapt


def test_labelled_sequences_are_searched_with_adaptation_alone() -> None:
    def front(**given: Any) -> Front:
        space = Space(reservoirs=("cycle",), units=(4, 8), readout_bits=(8,), **given)
        with LocalEngine(1) as local:
            return explore(
                SEQUENCES, "ulx3s", space, pooling=Pooling("last"), budget=10, engine=local
            )

    for name, value in {
        "readout_adders": (9,),
        "readout_nonzeros": (9,),
        "mixed_bits": True,
    }.items():
        words = name.replace("_", " ")
        with pytest.raises(
            DesignError, match=rf"^{words} must be left out for labelled sequences$"
        ):
            front(**{name: value})
    found = front(adapt=("intrinsic-plasticity",))
    assert {design.options.get("adapt") for design in found.designs} == {
        None, "intrinsic-plasticity",
    }  # fmt: skip
    adapted = next(d for d in found.designs if "adapt" in d.options and d.fidelity == "full")
    assert found.design(adapted).provenance["adaptation"]["rule"] == "intrinsic-plasticity"
