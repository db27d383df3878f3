"""Layers in series are proved as one law; what is wrong in one of them is named with it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from rchw.columns import feed_columns
from rchw.design import Design, LinearInput, MatrixInput
from rchw.hdl import gather
from rchw.hdl.emit import emit
from rchw.schedule import latency
from rchw.sim.prove.proof import prove
from rchw.sim.prove.replay import replay
from rchw.stages import Feed
from tests.designs import deep_designs
from tests.examples import DEEP
from tests.hdl.test_series import FAULTS, made_parallel, made_with, older
from tests.series import BACK, FRONT, TWO
from tests.sim.prove.drawing import prove_drawn

FOLDED, PARALLEL = made_with(TWO, (2, 4), 2), made_parallel(TWO)
RIGHT = {
    "folded": FOLDED,
    "parallel": PARALLEL,
    "words of both": TWO,
    "all lanes of the first": made_with(TWO, (4, 1), 1),
    "states run on": replace(FOLDED, reset_on_last=False),
    "parallel whose states run on": replace(PARALLEL, reset_on_last=False),
    "three layers": DEEP,
    "three parallel layers": made_parallel(DEEP),
}
QUICK = ("folded", "parallel")


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(design, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, design in RIGHT.items()
    ],
)
def test_layers_in_series_are_proved(design: Design, tmp_path: Path) -> None:
    proof = prove(design, tmp_path, seed=1)
    assert proof.holds, proof.sentence
    assert proof.latency == latency(design)
    assert proof.witness is not None and proof.witness.met == proof.witness.moments
    assert {each.kind for each in proof.sums} >= {"readout"}


def turned(feed: Feed) -> list[list[tuple[int | None, int]]]:
    """Every unit reads the neighbour of the one that it should."""
    n_source = feed.layer.n_units
    return [
        [(None if unit is None else (unit + 1) % n_source, weight) for unit, weight in row]
        for row in feed_columns(feed)
    ]


WIRED: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "old states": (gather, "gather", older),
    "turned": (gather, "feed_columns", turned),
    **{name: FAULTS[name] for name in ("swapped", "hasty")},
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=() if fault == "turned" else pytest.mark.slow) for fault in WIRED],
)
def test_wrong_wiring_between_layers_is_refuted_by_a_run(fault: str, tmp_path: Path) -> None:
    """Also features in each other's place, and a layer that does not wait for the one before."""
    module, name, wrong = WIRED[fault]
    verilog = tmp_path / "wrong.v"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, wrong)
        verilog.write_text(emit(FOLDED))
    proof = prove(FOLDED, tmp_path, verilog=verilog)
    assert proof.verdict == "refuted" and proof.shown
    assert replay(FOLDED, verilog, proof.run, proof.start) == proof.shown


def wrong_front(design: Design) -> Design:
    """Another weight of the input of unit 1 of the first layer."""
    (entry,) = FRONT.inputs
    assert isinstance(entry, LinearInput)
    weights = (entry.weights[0], entry.weights[1] ^ 1, *entry.weights[2:])
    front = replace(FRONT, inputs=(replace(entry, weights=weights),), lanes=design.layers[0].lanes)
    return replace(design, layers=(front, design.layers[1]))


def wrong_back(design: Design) -> Design:
    """Another weight with which unit 2 of the second layer reads unit 3 of the first."""
    feed, channel = BACK.inputs
    assert isinstance(feed, MatrixInput)
    rows = feed.matrix.codes
    matrix = replace(feed.matrix, codes=(*rows[:2], (*rows[2][:3], rows[2][3] ^ 1), rows[3]))
    back = replace(
        BACK, inputs=(replace(feed, matrix=matrix), channel), lanes=design.layers[1].lanes
    )
    return replace(design, layers=(design.layers[0], back))


@pytest.mark.parametrize(
    "design", [pytest.param(FOLDED, marks=pytest.mark.slow), PARALLEL], ids=["folded", "parallel"]
)
def test_a_wrong_weight_is_named_with_its_layer(design: Design, tmp_path: Path) -> None:
    verilog = tmp_path / "wrong.v"
    for wrong, unit, told in (
        (wrong_front(design), 1, "; the new state differs in unit 1 of layer front [design two]"),
        (wrong_back(design), 6, "; the new state differs in unit 2 of layer back [design two]"),
    ):
        verilog.write_text(emit(wrong))
        proof = prove(design, tmp_path, verilog=verilog)
        assert proof.verdict == "refuted" and unit in proof.units
        assert str(proof.sentence).endswith(told), proof.sentence
        assert replay(design, verilog, proof.run, proof.start) == proof.shown


@pytest.mark.slow
def test_no_drawn_layers_in_series_are_refuted(tmp_path: Path) -> None:
    prove_drawn(st.one_of(deep_designs(4), deep_designs(4).map(made_parallel)), 24, tmp_path)
