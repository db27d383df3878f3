"""Layers in series from hyperparameters: what each is, what it reads, and what it learns."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from rchw.activation import Clip
from rchw.design import Design, MatrixInput, MatrixLayer, RingLayer, TapsInput
from rchw.document import digest, from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import decode
from rchw.model.scaling import matrix_radius
from rchw.reference import run
from rchw.reference.compiled import run_states
from rchw.train import Hyperparameters, TrainOptions, build_design, evaluate, train
from rchw.train.drawn import drawn_feed
from rchw.train.generate import train_generator
from rchw.train.ideal import IdealOptions, IdealPoint, train_ideal
from rchw.train.ideal_models import float_model
from rchw.train.ideal_options import ideal_axes
from rchw.train.search import clipped_fraction
from rchw.train.sequences import Pooling, labels_of, train_sequences
from rchw.train.series import layer_signs
from tests.hdl.test_generated import check
from tests.train.test_sequences import OPTIONS as LABELLED
from tests.train.test_sequences import TASK as LEVELS
from tests.train.tiny import tiny_task

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

TASK = tiny_task(3)
SIZES = (8, 6, 6)


def build(hyper: Hyperparameters | None = None, **options: Any) -> Design:
    """Make a design of 20 units in three layers for the training samples of the tiny task."""
    given: dict[str, Any] = {"reservoir": "deep", "units": 20} | options
    inputs, targets = TASK.inputs[TASK.train], TASK.targets[TASK.train]
    return build_design(TrainOptions(**given), hyper or Hyperparameters(), inputs, targets)


def read(design: Design, place: int) -> Any:
    """Values by which a layer reads the one before, (N, N')."""
    (feed,) = design.stages[place].feeds
    assert feed.source == place - 1 and not design.stages[place].inputs
    found = np.zeros((design.layers[place].n_units, design.layers[place - 1].n_units))
    for unit, row in enumerate(feed.rows):
        for column, weight in row:
            found[unit, column] = weight * feed.format.resolution
    return found


def shifts(hyper: Hyperparameters | None = None, **options: Any) -> list[Any]:
    """Of every layer the leak shift."""
    return [stage.layer.leak_shift for stage in build(hyper, **options).stages]


def test_layers_are_of_one_kind_and_each_has_a_draw_of_its_own() -> None:
    design = build(Hyperparameters(radius=0.7), weight_bits=16, lanes=(4, 2, 3), density=0.5)
    assert [layer.n_units for layer in design.layers] == list(SIZES)
    assert [layer.lanes for layer in design.layers] == [4, 2, 3]
    assert [layer.name for layer in design.layers] == ["layer1", "layer2", "layer3"]
    assert design.readout.multipliers == 1 and build(lanes=SIZES).readout.multipliers == 20
    assert [stage.n_inputs for stage in design.stages] == [1, 0, 0]
    matrices = []
    for layer in design.layers:
        assert isinstance(layer, MatrixLayer) and layer.matrix.kind == "sparse"
        assert layer.state.width == 12
        matrices.append(layer.matrix.full * layer.matrix.format.resolution)
        assert matrix_radius(matrices[-1]) == pytest.approx(0.7, rel=1e-3)
    assert not np.array_equal(matrices[1], matrices[2])
    assert from_document(to_document(design)) == design
    assert digest(build(seed=1)) != digest(build()) == digest(build())
    assert digest(build(Hyperparameters(window=1))) != digest(build())


@pytest.mark.parametrize("density", [None, 0.4])
def test_a_matrix_layer_reads_all_or_some_of_the_layer_before(density: float | None) -> None:
    """Nearest codes of a matrix whose 2-norm is the inter scaling."""
    hyper = Hyperparameters(inter_scaling=1.5, window=2)
    design = build(hyper, density=density, weight_bits=14, seed=3)
    for place, (before, size) in enumerate(pairwise(SIZES), start=1):
        want = drawn_feed(
            size, before, 1.5, density=density or 1.0, seed=3, window=2, place=place
        )  # fmt: skip
        entry = design.stages[place].layer.inputs[0]
        assert isinstance(entry, MatrixInput) and entry.format.width == 14
        found = read(design, place)
        assert np.abs(found - want).max() <= entry.format.resolution / 2
        assert np.linalg.norm(found, 2) == pytest.approx(1.5, rel=1e-2)
        reads = before if density is None else round(density * before)
        assert {np.count_nonzero(row) for row in want} == {reads}


def test_a_ring_reads_the_layer_before_unit_by_unit() -> None:
    hyper = Hyperparameters(inter_scaling=0.75, bias=0.25, bias_signs="independent", window=1)
    design = build(hyper, layer_reservoir="cycle")
    for place in (1, 2):
        layer, size = design.layers[place], SIZES[place]
        assert isinstance(layer, RingLayer) and isinstance(layer.inputs[0], TapsInput)
        signs = layer_signs(SIZES, place, 1)
        assert np.array_equal(read(design, place)[:, :size], 0.75 * np.diag(signs))
        assert not read(design, place)[:, size:].any()
        bias = decode(np.array(layer.bias), layer.bias_format)
        assert np.array_equal(bias, 0.25 * layer_signs(SIZES, place, 2))
    same = build(replace(hyper, bias_signs="same"), layer_reservoir="cycle").stages[1].layer
    assert np.array_equal(np.sign(same.bias), layer_signs(SIZES, 1, 1))
    none = build(replace(hyper, bias_signs="none"), layer_reservoir="cycle")
    assert not any(any(stage.layer.bias) for stage in none.stages)


def test_leaks_rise_from_layer_to_layer() -> None:
    """By the search, or as the user says; no shift exceeds 15."""
    assert shifts(Hyperparameters(leak_shift=1, leak_rise=2)) == [1, 3, 5]
    assert shifts(Hyperparameters(leak_shift=5, leak_rise=9)) == [5, 14, 15]
    assert shifts(layer_reservoir="cycle") == [0, 1, 2]
    assert shifts(leak_shift=4) == [4, 4, 4]
    assert shifts(leak_shifts="1..6") == [1, 4, 6]
    assert shifts(layers=5, leak_shifts="0..2") == [0, 1, 1, 2, 2]
    steps = build(layer_reservoir="euler").stages
    assert [stage.layer.update for stage in steps] == ["increment"] * 3


def test_one_layer_is_that_layer() -> None:
    deep = build(layers=1, leak_shift=1)
    alone = build(reservoir="leaky", leak_shift=1)
    assert digest(deep) == digest(alone)


POINT: dict[str, Any] = {"input_scaling": 0.25, "bias": 0.125, "levels": True, "window": 1}


@pytest.mark.parametrize("kind", ["leaky", "cycle", "cycle-jumps", "euler", "euler-ring"])
@pytest.mark.parametrize("bias_signs", ["same", "independent"])
def test_wide_integers_follow_the_float_model(kind: str, bias_signs: str) -> None:
    """Of the same numbers; every layer, so that what it reads is the same too."""
    common = POINT | {"inter_scaling": 0.75, "bias_signs": bias_signs}
    hyper = Hyperparameters(leak_shift=1, leak_rise=1, jump_length=3, **common)
    design = build(
        hyper, layer_reservoir=kind, state_bits=24, input_bits=24, rounding="half-up",
        **({"weight_bits": 24} if kind in ("leaky", "euler") else {}),
    )  # fmt: skip
    codes = design.encode(TASK.inputs[:60])
    found = run_states(design, codes) * design.layers[0].state.resolution
    options = IdealOptions(
        reservoir="deep", n_units=20, layer_reservoir=kind, activation="clip"
    )  # fmt: skip
    shared = {"backward", "jump_weight", "step", "diffusion", "radius", "feedback"}
    point = IdealPoint(
        leak_rate=0.5, leak_ratio=0.5, jump_length=3, **common,
        **{name: getattr(hyper, name) for name in shared},
    )  # fmt: skip
    want = float_model(options, point, 1).run(decode(codes, design.inputs[0].format))
    assert np.abs(want).max() > 0.2
    assert np.abs(found - want).max() < 2e-5


def test_it_learns_the_same_each_time_and_so_does_the_float_model() -> None:
    options = TrainOptions(reservoir="deep", units=20, layers=2, squares=True, search="none")
    design = train(TASK, options)
    assert digest(train(TASK, options)) == digest(design)
    assert evaluate(design, TASK)["error"] < 0.1
    given: dict[str, Any] = {"reservoir": "deep", "n_units": 20, "layers": 2, "squares": True}
    assert train_ideal(TASK, search="none", **given).error(TASK) < 0.1
    open_to_search = set(ideal_axes(IdealOptions(**given)))
    assert {"leak_rate", "leak_ratio", "inter_scaling", "radius"} <= open_to_search
    fixed = ideal_axes(IdealOptions(**given, leak_shifts="0..3"))
    assert open_to_search - set(fixed) == {"leak_rate", "leak_ratio"}


def test_states_clip_at_the_rails_of_their_layer() -> None:
    design = build()
    first = replace(design.stages[0].layer, activation=Clip(-4, 5))
    states = np.zeros((1, 20), dtype=np.int64)
    states[0, [0, 1, 8, 9, 14]] = -4, 5, -4, 2047, -2047
    changed = replace(design, layers=(first, *design.layers[1:]))
    assert clipped_fraction(changed, states) == pytest.approx(4 / 20)
    assert clipped_fraction(design, states) == pytest.approx(2 / 20)


@pytest.mark.parametrize("options", [{"lanes": (2, 1, 3)}, {"layer_reservoir": "cycle"}])
def test_a_trained_design_is_what_its_circuit_computes(options: dict[str, Any]) -> None:
    small = TrainOptions(reservoir="deep", units=10, squares=True, search="none", **options)
    check(train(TASK, small), 1, "every:4:3", "never")


def test_it_names_the_class_of_a_sequence_too() -> None:
    options = replace(LABELLED, reservoir="deep", units=12, layers=2)
    design = train_sequences(LEVELS, options, Pooling.of(LEVELS, "sum"))
    answers = labels_of(design, [LEVELS.sequences[row] for row in LEVELS.test])
    assert LEVELS.errors(answers, LEVELS.test) <= 4
    assert len(run(design, design.encode(LEVELS.sequences[0])).states[0]) == 12


def test_a_generator_of_layers_is_refused() -> None:
    options = TrainOptions(reservoir="deep", units=8, search="none")
    with pytest.raises(DesignError, match=r"^reservoir must be other than deep for feedback, "):
        train_generator(TASK, options, 50)
