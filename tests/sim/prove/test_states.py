"""The state pass is proved where it is right, and refuted with a counterexample where it is not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import z3

from rchw.activation import Clip, tanh_pwl, tanh_table
from rchw.design import Design, LinearInput, RingLayer, Tap
from rchw.errors import ToolError
from rchw.fixed import Rounding
from rchw.hdl.emit import emit
from rchw.reference.ring import RingReference
from rchw.sim.prove.states import SAMPLES, Counterexample, StateProof, prove_states
from tests.boards.test_of_design import ring

RING = ring("right", 22, lanes=3, multipliers=3)


def layered(design: Design, **changes: Any) -> Design:
    return replace(design, layer=replace(design.layer, **changes))


RIGHT = {
    "folded, lanes do not divide units": RING,
    "one lane": ring("one", 20),
    "parallel": ring("parallel", 12, lanes=12, multipliers=12),
    "half-even": layered(ring("even", 8), rounding=Rounding.HALF_EVEN),
    "leak": layered(ring("leak", 6, lanes=2, multipliers=2), leak_shift=1),
    "piecewise-linear": ring("pwl", 10, activation=tanh_pwl(RING.layer.state)[0]),
    "table": ring("tabled", 10, activation=tanh_table(RING.layer.state, 7)[0]),
    "initial state": layered(RING, initial_state=tuple(range(-11, 11))),
}


@pytest.mark.parametrize("design", RIGHT.values(), ids=RIGHT)
def test_a_right_circuit_is_proved(design: Design, tmp_path: Path) -> None:
    seen = []
    proof = prove_states(design, tmp_path, progress=lambda done, total: seen.append((done, total)))
    total = SAMPLES * design.n_units
    assert proof == StateProof(total, (), None) and proof.holds
    assert seen == [(done, total) for done in range(1, total + 1)]


def wrong_input(layer: RingLayer) -> RingLayer:
    """The lowest bit of one input weight is flipped."""
    entry = layer.inputs[0]
    assert isinstance(entry, LinearInput)
    weights = (*entry.weights[:7], entry.weights[7] ^ 1, *entry.weights[8:])
    return replace(layer, inputs=(replace(entry, weights=weights),))


def wrong_tap(layer: RingLayer) -> RingLayer:
    tap = layer.taps[0]
    return replace(layer, taps=(Tap(1, (*tap.weights[:13], 2, *tap.weights[14:])),))


WRONG = {
    "input weight": (wrong_input, 7),
    "tap weight": (wrong_tap, 13),
    "rounding": (lambda layer: replace(layer, rounding=Rounding.HALF_UP), None),
    "clip": (lambda layer: replace(layer, activation=Clip(-127, 126)), None),
    "initial state": (lambda layer: replace(layer, initial_state=(40, *(0,) * 21)), None),
    "lane order": (lambda layer: replace(layer, bias=layer.bias[::-1]), None),
}


def replayed(design: Design, found: Counterexample) -> int:
    """What the reference says of the codes that a counterexample names, others at zero."""
    known = found.given
    names = [f"x{found.sample}_{unit}" for unit in range(design.n_units)]
    state = np.array([known.get(name, 0) for name in names])
    inputs = np.array([known.get(f"u{found.sample}_0", 0)])
    reference = RingReference(design)
    if found.sample == 0:
        state = reference.initial_state()
    return int(reference.step(state, inputs)[found.unit])


@pytest.mark.parametrize("name", WRONG)
def test_a_planted_fault_is_refuted(name: str, tmp_path: Path) -> None:
    """The counterexample speaks for itself: the reference, right and wrong, gives its codes."""
    change, unit = WRONG[name]
    wrong = replace(RING, layer=change(RING.layer))
    verilog = tmp_path / "wrong.v"
    verilog.write_text(emit(wrong))
    proof = prove_states(RING, tmp_path, verilog=verilog)
    found = proof.counterexample
    assert found is not None and not proof.holds
    assert unit in (None, found.unit)
    assert found.circuit != found.reference
    assert replayed(RING, found) == found.reference
    assert replayed(wrong, found) == found.circuit


def test_a_circuit_without_the_names_is_refused(tmp_path: Path) -> None:
    verilog = tmp_path / "other.v"
    verilog.write_text(emit(RING).replace("issued_", "hidden_"))
    with pytest.raises(ToolError, match=r"must have the signals core\.issued_\*, but does not"):
        prove_states(RING, tmp_path, verilog=verilog)


def test_what_the_solver_does_not_answer_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(z3.Solver, "check", lambda solver: z3.unknown)
    proof = prove_states(ring("hard", 2), tmp_path)
    unanswered = tuple((sample, unit) for sample in range(SAMPLES) for unit in (1, 0))
    assert proof == StateProof(0, unanswered, None) and not proof.holds
