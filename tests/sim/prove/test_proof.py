"""A right circuit is proved for ever; a wrong one is refuted, by unit and codes."""

from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import z3

from rchw.activation import Clip, tanh_pwl, tanh_table
from rchw.design import Design, LinearInput, RingLayer, Tap, UnitCodes
from rchw.errors import ToolError
from rchw.fixed import Overflow, QFormat, Rounding
from rchw.hdl.emit import emit
from rchw.schedule import Schedule, latency, schedule
from rchw.sim.prove.faults import stuck_bits
from rchw.sim.prove.proof import prove, prove_words
from rchw.sim.prove.words import elaborate
from tests.boards.test_of_design import ring
from tests.examples import ANTISYMMETRIC, MATRIX

RING = ring("right", 8, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 6, lanes=6, multipliers=6)


def layered(design: Design, **changes: Any) -> Design:
    return replace(design, layers=(replace(design.layer, **changes),))


RIGHT = {
    "lanes do not divide units": ring("right", 10, lanes=3, multipliers=3),
    "lanes divide units": RING,
    "one lane": ring("one", 6),
    "parallel": PARALLEL,
    "parallel with a table": ring(
        "tabled", 3, lanes=3, multipliers=3, activation=tanh_table(RING.layer.state, 6)[0]
    ),
    "half-even": layered(ring("even", 7), rounding=Rounding.HALF_EVEN),
    "leak": layered(ring("leak", 7, lanes=2, multipliers=2), leak_shift=1),
    "parallel with leak": layered(PARALLEL, leak_shift=2),
    "euler ring": layered(ring("steps", 4), step=UnitCodes(QFormat(3, 3), (1, 3, -2, 2))),
    "euler ring with squares": layered(  # as a trained one is
        ring("wide", 6, squares=True),
        state=QFormat(12, 10),
        taps=tuple(Tap(offset, (weight,) * 6) for offset, weight in ((1, 3), (5, -3), (0, -1))),
        activation=Clip(-1023, 1023),
        step=UnitCodes(QFormat(2, 3), (1,) * 6),
    ),
    "gains": layered(ring("gained", 6), gain=UnitCodes(QFormat(3, 1), (1, 3, -2, 2, 1, 0))),
    "leaks": layered(ring("leaks", 6, lanes=2, multipliers=2), leak_shift=(0, 1, 2, 3, 0, 1)),
    "matrix": MATRIX,
    "antisymmetric": ANTISYMMETRIC,
    "one triangle": replace(
        layered(ANTISYMMETRIC, lanes=2), readout=replace(ANTISYMMETRIC.readout, multipliers=2)
    ),
    "piecewise-linear": ring("pwl", 9, activation=tanh_pwl(RING.layer.state)[0]),
    "table": ring("tabled", 9, activation=tanh_table(RING.layer.state, 6)[0]),
    "state runs on": replace(ring("on", 8), reset_on_last=False),
    "initial state": layered(ring("first", 8), initial_state=tuple(range(-4, 4))),
    "wrapping output": replace(
        ring("wraps", 8), readout=replace(ring("wraps", 8).readout, overflow=Overflow.WRAP)
    ),
}


QUICK = (
    "one lane",
    "euler ring with squares",
    "parallel with leak",
    "parallel with a table",
    "matrix",
)


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(design, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, design in RIGHT.items()
    ],
)
def test_a_right_circuit_is_proved(design: Design, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    proof = prove(design, tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert proof.holds and proof.verdict == "proved", proof
    assert proof.sentence is None and not proof.units and not proof.given
    assert proof.latency == latency(design)
    assert proof.moments > 5 and len(seen) == proof.steps
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1]


def _keep_total(totals: set[int], done: int, total: int) -> None:
    del done
    totals.add(total)


@pytest.mark.slow
def test_states_of_the_control_are_counted_where_that_is_asked_for(tmp_path: Path) -> None:
    """Not of mutants: a counter that is not reset goes on for ever."""
    design, verilog = ring("one", 6), tmp_path / "one.v"
    verilog.write_text(emit(design))
    words = elaborate(verilog, "one", tmp_path)
    for count in (True, False):
        totals: set[int] = set()
        watch = partial(_keep_total, totals)
        moments = prove_words(design, words, progress=watch, count=count).moments
        assert totals == ({moments} if count else {0})


def wrong_input(layer: RingLayer) -> RingLayer:
    """The lowest bit of one input weight is flipped."""
    entry = layer.inputs[0]
    assert isinstance(entry, LinearInput)
    weights = (*entry.weights[:7], entry.weights[7] ^ 1, *entry.weights[8:])
    return replace(layer, inputs=(replace(entry, weights=weights),))


def wrong_tap(layer: RingLayer) -> RingLayer:
    tap = layer.taps[0]
    return replace(layer, taps=(Tap(1, (*tap.weights[:4], 2, *tap.weights[5:])),))


def wrong_weight(design: Design) -> Design:
    row = design.readout.weights[0]
    weights = ((*row[:5], row[5] ^ 1, *row[6:]),)
    return replace(design, readout=replace(design.readout, weights=weights))


WRONG = {
    "input weight": (wrong_input, 7),
    "tap weight": (wrong_tap, 4),
    "rounding": (lambda layer: replace(layer, rounding=Rounding.HALF_UP), None),
    "clip": (lambda layer: replace(layer, activation=Clip(-127, 126)), None),
    "initial state": (
        lambda layer: replace(layer, initial_state=(40, *(0,) * (layer.n_units - 1))), None,
    ),
    "lane order": (lambda layer: replace(layer, bias=layer.bias[::-1]), None),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_layer_is_refuted(name: str, tmp_path: Path) -> None:
    change, unit = WRONG[name]
    verilog = tmp_path / "wrong.v"
    verilog.write_text(emit(replace(RING, layers=(change(RING.layer),))))
    proof = prove(RING, tmp_path, verilog=verilog)
    assert proof.verdict == "refuted" and not proof.holds and proof.sentence
    assert proof.units and (unit is None or unit in proof.units), proof.sentence
    assert proof.given


@pytest.mark.parametrize("design", [RING, PARALLEL], ids=["folded", "parallel"])
def test_a_wrong_readout_is_refuted(design: Design, tmp_path: Path) -> None:
    verilog = tmp_path / "wrong.v"
    verilog.write_text(emit(wrong_weight(design)))
    proof = prove(design, tmp_path, verilog=verilog)
    assert proof.verdict == "refuted" and proof.units == ()
    assert "output y0 must be that of the reference" in str(proof.sentence)
    assert proof.given


def test_a_lost_sample_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of an earlier version of this project, which took its place too late."""
    design = ring("waits", 4)
    with monkeypatch.context() as context:
        context.setattr(Schedule, "waits", False)
        (tmp_path / "wrong.v").write_text(emit(design))
    proof = prove(design, tmp_path, verilog=tmp_path / "wrong.v")
    assert proof.verdict == "refuted"
    assert proof.run and str(proof.shown).startswith("output y0 of sample ")


@pytest.mark.parametrize(
    "design",
    [pytest.param(ring("one", 6), marks=pytest.mark.slow), PARALLEL],
    ids=["folded", "parallel"],
)
def test_stuck_bits_are_found(design: Design, tmp_path: Path) -> None:
    """Of the registers taken at random, most are; what is not found does not matter."""
    verilog = tmp_path / f"{design.name}.v"
    verilog.write_text(emit(design))
    words = elaborate(verilog, design.name, tmp_path)
    faults = islice(stuck_bits(words, ["s_axis_tdata", "s_axis_tlast"], 1), 6)
    verdicts = [prove_words(design, wrong).verdict for _, wrong in faults]
    assert verdicts.count("refuted") >= 4


def test_what_a_memory_holds_when_power_comes_is_not_relied_on(tmp_path: Path) -> None:
    """A later reset finds other states there."""
    design = replace(ring("words", 2), reset_on_last=False)
    text, verilog = emit(design), tmp_path / "wrong.v"
    size = 4
    states = f"  reg [7:0] states_0 [{size - 1}:0];\n"
    assert [text.count(part) for part in ("first ? ", "if (issued_4)", states)] == [1, 1, 1]
    cleared = "".join(f"    states_0[{row}] = 8'h00;\n" for row in range(size))
    text = text.replace("first ? ", "(first & 1'b0) ? ")  # the first sample reads the memory too
    text = text.replace("if (issued_4)", "if (issued_4 & ~rst)")
    text = text.replace(states, f"{states}  initial begin\n{cleared}  end\n")
    verilog.write_text(text)
    proof = prove(design, tmp_path, verilog=verilog, seed=1)
    assert proof.verdict == "refuted", proof.sentence
    assert "output y0 of sample 0 must be" in str(proof.shown)


def test_what_the_solver_does_not_answer_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(z3.Solver, "check", lambda solver: z3.unknown)
    monkeypatch.setattr("rchw.sim.prove.exhaust.MOST", 0)
    proof = prove(ring("hard", 3), tmp_path)
    assert proof.verdict == "undecided" and not proof.holds and not proof.run
    assert "could not tell" in str(proof.sentence)


def test_codes_of_few_bits_need_no_solver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(z3.Solver, "check", lambda solver: z3.unknown)
    proof = prove(ring("few", 3), tmp_path)
    assert proof.verdict == "proved" and proof.tried > 0


def test_control_that_depends_on_data_is_refused(tmp_path: Path) -> None:
    design = ring("leaky", 4)
    text = emit(design)
    place = "(s_axis_tready)"
    assert text.count(place) == 1
    leaky = (
        "wire s_axis_tready;\n  wire hidden;\n  assign s_axis_tready = hidden & s_axis_tdata[0];"
    )
    text = text.replace(place, "(hidden)").replace("wire s_axis_tready;", leaky, 1)
    verilog = tmp_path / "wrong.v"
    verilog.write_text(text)
    with pytest.raises(ToolError, match="s_axis_tready must not depend on data, but does"):
        prove(design, tmp_path, verilog=verilog)


def test_clocks_that_are_not_those_of_the_formulas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right circuit that takes longer than is said: no run shows it, nor is it proved."""
    design = ring("late", 3)
    with monkeypatch.context() as context:
        context.setattr("rchw.sim.prove.proof.latency", lambda design: latency(design) - 1)
        proof = prove(design, tmp_path)
    told = f"at most {latency(design) - 1} clocks, but can take {latency(design)}"
    assert proof.verdict == "undecided" and told in str(proof.sentence)
    clocks = schedule(design).clocks
    shorter = replace(schedule(design), clocks=clocks - 1)
    monkeypatch.setattr("rchw.sim.prove.proof.schedule", lambda design: shorter)
    proof = prove(design, tmp_path)
    assert proof.verdict == "undecided"
    assert f"must take {clocks - 1} clocks, not" in str(proof.sentence)
