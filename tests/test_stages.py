"""Layers in series: what they may read, what is refused, and what each is by itself."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from rchw.activation import Clip
from rchw.design import (
    Design,
    Features,
    InputChannel,
    LinearInput,
    Matrix,
    MatrixInput,
    RingLayer,
    Tap,
    TapsInput,
    UnitFeatures,
)
from rchw.document import digest, from_document, to_document
from rchw.errors import DesignError
from rchw.fixed import QFormat
from rchw.model import DeepModel, RingModel
from rchw.reference import ReferenceReservoir, run
from rchw.schedule import possible_multipliers, schedule
from tests.designs import deep_designs
from tests.examples import DEEP, EXAMPLE, EXTERNAL, FEEDBACK
from tests.test_design_format import check_interpreter

FIRST, MIDDLE, LAST = (stage.layer for stage in DEEP.stages)
BY_TAPS = TapsInput("ring", QFormat(4, 3), (Tap(0, (7, -5, 4, 6)),))


def with_inputs(*entries: Any) -> Callable[[], Design]:
    """The three layers, of which the middle one reads this."""
    middle = replace(MIDDLE, inputs=entries)
    return lambda: replace(DEEP, layers=(FIRST, middle, LAST))


SPARSE = Matrix(QFormat(3), "sparse", ((1,), (), (), ()), ((5,), (), (), ()))
TRIANGLE = Matrix(QFormat(3), "antisymmetric", ((), (1,), (1, 1), (1, 1, 1)), diagonal=(0,) * 4)

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no layer": (lambda: replace(DEEP, layers=()), r"^layers must be from 1 to 64, not 0$"),
    "names": (
        lambda: replace(DEEP, layers=(FIRST, replace(MIDDLE, name="ring"), LAST)),
        r"^layer names must be distinct, not \['ring', 'ring', 'last_of_all'\]$",
    ),
    "external": (
        lambda: replace(DEEP, layers=(FIRST, EXTERNAL.layer, LAST)),
        r"^layers in series must be driven in this release, not external as external: external "
        r"layers beside others are not built yet$",
    ),
    "features": (
        lambda: replace(DEEP, features=replace(DEEP.features, later=())),
        r"^features must be given for each of 3 layers, not for 1$",
    ),
    "nothing seen": (
        lambda: Features(states=False, later=(UnitFeatures(False), UnitFeatures(False))),
        r"^features must hold states or squares$",
    ),
    "feedback": (
        lambda: replace(DEEP, feedback=FEEDBACK.feedback),
        r"^feedback must be left out of layers in series, which are not built with it yet, not "
        r"hold output trend$",
    ),
    "one layer": (lambda: DEEP.layer, r"^the design must have one layer here, not 3$"),
    "no source": (
        with_inputs(LinearInput(QFormat(3, 1), (1, 0, -2, 3))),
        r"^source of an input of layer middle must be a channel, not None$",
    ),
    "no channel": (
        with_inputs(LinearInput(QFormat(3, 1), (1, 0, -2, 3), source="sun")),
        r"^source of an input of layer middle must be a channel, not 'sun'$",
    ),
    "later": (
        with_inputs(replace(BY_TAPS, source="last_of_all")),
        r"^source of an input of layer middle must be an earlier layer, not 'last_of_all'$",
    ),
    "itself": (
        with_inputs(replace(BY_TAPS, source="middle")),
        r"^source of an input of layer middle must be an earlier layer, not 'middle'$",
    ),
    "offset": (
        with_inputs(replace(BY_TAPS, taps=(Tap(5, (1,) * 4),))),
        r"^tap offset of input ring must be from 0 to 4, not 5$",
    ),
    "offsets": (
        with_inputs(replace(BY_TAPS, taps=(Tap(1, (1,) * 4), Tap(1, (2,) * 4)))),
        r"^tap offsets of input ring must be distinct, not \[1, 1\]$",
    ),
    "weights": (
        with_inputs(replace(BY_TAPS, taps=(Tap(1, (8, 0, 0, 0)),))),
        r"^weights of tap 1 of input ring\[0\] must be from -8 to 7 \(sfix4_en3\), not 8$",
    ),
    "width": (
        lambda: replace(MIDDLE, inputs=(TapsInput("ring", QFormat(25), ()),)),
        r"^width of input weights 0 must be from 1 to 24, not 25$",
    ),
    "columns": (
        with_inputs(MatrixInput("ring", SPARSE)),
        r"^columns of row 0 of the matrix must rise within 0 to 4, not be \[5\]$",
    ),
    "triangle": (
        with_inputs(MatrixInput("ring", TRIANGLE)),
        r"^matrix of input ring must be sparse or dense, not antisymmetric$",
    ),
    "source of one": (
        lambda: replace(EXAMPLE, layers=(FIRST,)),
        r"^source of an input must be left out where there is one layer, not be 'wind'$",
    ),
    "layer of one": (
        lambda: replace(EXAMPLE, layers=(replace(EXAMPLE.ring, inputs=(BY_TAPS, BY_TAPS)),)),
        r"^source of an input must be an earlier layer, not 'ring'$",
    ),
    "multipliers": (
        lambda: schedule(replace(DEEP, readout=replace(DEEP.readout, multipliers=3))),
        r"^multipliers must be one of 1, 2, 4 for 2, 2, 2 lanes and 2 outputs, not 3$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_layers_in_series_cannot_be(case: str) -> None:
    make, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        make()


@seed(20261201)
@settings(max_examples=40, deadline=None, database=None)
@given(deep_designs(), st.integers(0, 2**32 - 1))
def test_the_interpreter_of_the_page_and_the_reference_agree(design: Design, number: int) -> None:
    check_interpreter(design, number)


def test_the_file_keeps_the_order_of_the_inputs() -> None:
    document = json.loads(json.dumps(to_document(DEEP)))
    assert from_document(document) == DEEP
    middle = document["layers"][1]["inputs"]
    assert [entry["source"] for entry in middle] == ["ring", "rain"]
    middle.reverse()
    turned = from_document(document)
    assert to_document(turned)["layers"][1]["inputs"] == middle
    assert digest(turned) != digest(DEEP)
    assert np.array_equal(run(turned, [[3, -2]] * 5).outputs, run(DEEP, [[3, -2]] * 5).outputs)


def test_features_follow_the_order_of_the_layers() -> None:
    kinds = [(block.key, block.start, block.count) for block in DEEP.blocks]
    assert kinds == [
        ("states", 0, 5), ("states_1", 5, 4), ("states_2", 9, 3), ("squares", 12, 5),
        ("squares_2", 17, 3), ("inputs", 20, 2), ("one", 22, 1),
    ]  # fmt: skip
    document = to_document(DEEP)
    document["features"][1:3] = document["features"][2:0:-1]
    with pytest.raises(DesignError, match=r"one, each in the order of the layers, once each$"):
        from_document(document)
    document = to_document(DEEP)
    document["features"][0]["layer"] = "other"
    sentence = r"^features\[0\].layer must be 'ring' or 'middle' or 'last_of_all', not 'other'$"
    with pytest.raises(DesignError, match=sentence):
        from_document(document)


def test_all_multipliers_at_once() -> None:
    assert possible_multipliers([5, 4, 3], DEEP) == [1, 2, 44]
    assert possible_multipliers([2, 4, 2], DEEP) == [1, 2, 4]


def test_states_of_a_run_can_be_gone_on_with() -> None:
    codes = np.random.default_rng(3).integers(-8, 8, (20, 2))
    whole = run(DEEP, codes)
    first = run(DEEP, codes[:7])
    rest = run(DEEP, codes[7:], state=first.final_state)
    assert np.array_equal(np.concatenate([first.states, rest.states]), whole.states)
    assert np.array_equal(ReferenceReservoir(DEEP).run(codes), whole.states)
    ended = run(DEEP, codes, np.arange(20) == 19)
    initial = [code for stage in DEEP.stages for code in stage.layer.initial_state]
    assert ended.final_state.tolist() == initial
    with pytest.raises(DesignError, match=r"^state of unit 5 must be from -64 to 63 .*, not 64$"):
        run(DEEP, codes, state=[0] * 5 + [64] + [0] * 6)


def test_a_layer_reads_the_one_before_in_the_same_sample() -> None:
    """What the first holds, the second holds in the same sample; the third adds up both."""
    state, one = QFormat(8), (Tap(0, (1,)),)
    plain = RingLayer(
        n_units=1, state=state, tap_format=QFormat(2), taps=(), bias_format=QFormat(2), bias=(0,),
        inputs=(LinearInput(QFormat(2), (1,), source="wind"),),
        activation=Clip(-128, 127), name="a",
    )  # fmt: skip
    copy = replace(plain, inputs=(TapsInput("a", QFormat(2), one),), name="b")
    matrix = Matrix(QFormat(2), "dense", ((1,),))
    both = (MatrixInput("b", matrix), TapsInput("a", QFormat(2), one))
    adds = replace(plain, inputs=both, taps=one, name="c")
    readout = replace(DEEP.readout, weights=((1, 0, 0), (0, 0, 1)), multipliers=1)
    design = Design(
        "copies", (InputChannel("wind", QFormat(4)),), (plain, copy, adds),
        Features(one=None, later=(UnitFeatures(),) * 2), readout,
    )  # fmt: skip
    codes = np.array([1, -3, 5, 7])
    states = run(design, codes[:, None]).states
    assert states.T.tolist() == [codes.tolist(), codes.tolist(), (2 * codes.cumsum()).tolist()]


def test_the_float_model_gives_the_same_where_nothing_rounds() -> None:
    """Halves and quarters of few samples are exact, in doubles and in 20 fraction bits."""
    into, fed = (1, -2, 3), ((1, 0, -1), (2, 1, 0), (0, 0, 3), (1, 1, 1))
    first = RingLayer(
        n_units=3, state=QFormat(24, 20), tap_format=QFormat(2, 1), taps=(Tap(1, (1,) * 3),),
        inputs=(LinearInput(QFormat(4, 3), into, source="wind"),),
        bias_format=QFormat(2), bias=(0,) * 3, activation=Clip(-(2**23), 2**23 - 1), name="a",
    )  # fmt: skip
    second = replace(
        first, n_units=4, taps=(Tap(1, (1,) * 4), Tap(0, (-1,) * 4)), bias=(0,) * 4, name="b",
        initial_state=(0,) * 4,
        inputs=(MatrixInput("a", Matrix(QFormat(4, 4), "dense", fed)),),
    )  # fmt: skip
    readout = replace(DEEP.readout, weights=((0,) * 7,) * 2, multipliers=1)
    design = Design(
        "twins", (InputChannel("wind", QFormat(6, 4)),), (first, second),
        Features(one=None, later=(UnitFeatures(),)), readout,
    )  # fmt: skip
    model = DeepModel(
        [
            RingModel([(1, np.full(3, 0.5))], np.array([into]) / 8, activation="linear"),
            RingModel(
                [(1, np.full(4, 0.5)), (0, np.full(4, -0.5))], np.array(fed).T / 16,
                activation="linear",
            ),
        ]
    )  # fmt: skip
    codes = np.random.default_rng(5).integers(-32, 32, (8, 1))
    assert np.array_equal(run(design, codes).states / 2**20, model.run(codes / 16))
