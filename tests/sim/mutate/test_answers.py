"""Mutants of designs that answer once per sequence, with a class, or feed outputs back."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rchw.design import Design
from rchw.hdl.emit import write_verilog
from rchw.sim.mutate.draw import Mutant, module_of
from rchw.sim.mutate.judge import Fate, decide
from rchw.sim.mutate.netlist import Netlist
from rchw.sim.mutate.numbers import NUMBERS, operators
from rchw.sim.mutate.run import mutate
from tests.examples import CLASSES, EXAMPLE, FEEDBACK, SEGMENTS


def test_operators_of_what_a_design_has() -> None:
    """Segments become a sample longer or shorter; a weight of the loop, or its start, another."""
    new = {"segment", "feedback"}
    assert not new & set(operators(EXAMPLE))
    assert new & set(operators(SEGMENTS)) == {"segment"}
    assert new & set(operators(FEEDBACK)) == {"feedback"}
    rng = np.random.default_rng(1)
    assert NUMBERS["segment"](EXAMPLE, rng) is None and NUMBERS["feedback"](EXAMPLE, rng) is None
    told = {each[0] for _ in range(20) if (each := NUMBERS["segment"](SEGMENTS, rng))}
    assert told == {"segments of 2 samples", "segments of 4 samples"}
    places = " ".join(each[0] for _ in range(60) if (each := NUMBERS["feedback"](FEEDBACK, rng)))
    for part in ("weights of fed back trend[", "weights of fed back power[", "power begins with "):
        assert part in places


def test_what_survives_in_a_loop_is_decided_by_the_prover(tmp_path: Path) -> None:
    source, empty = write_verilog(FEEDBACK, tmp_path), Netlist({"cells": {}, "netnames": {}})
    same = tmp_path / "same.v"
    same.write_text(source.read_text().replace(FEEDBACK.name, module_of(FEEDBACK, 2)))
    mutant = Mutant(2, "saturation", "readout", verilog=same)
    fate = decide(FEEDBACK, empty, source, mutant, tmp_path, 30.0)
    assert fate == Fate("equivalent", "same Verilog", "proof")
    loop = replace(FEEDBACK.feedback[0], initial=FEEDBACK.feedback[0].initial + 1)
    other = replace(FEEDBACK, feedback=(loop, *FEEDBACK.feedback[1:]))
    wrong = tmp_path / "wrong.v"
    text = write_verilog(other, tmp_path / "other").read_text()
    wrong.write_text(text.replace(FEEDBACK.name, module_of(FEEDBACK, 3)))
    mutant = Mutant(3, "feedback", "loop", verilog=wrong)
    fate = decide(FEEDBACK, empty, source, mutant, tmp_path, 30.0)
    assert (fate.result, fate.by) == ("caught", "proof"), fate


@pytest.mark.slow
@pytest.mark.parametrize("design", [SEGMENTS, CLASSES, FEEDBACK], ids=lambda design: design.name)
def test_most_mutants_are_caught(design: Design, tmp_path: Path) -> None:
    """Nearly all by the runs."""
    record = mutate(design, tmp_path, mutants=20, proof_seconds=10.0)
    assert record["made"] == 20 and record["caught"] >= 16, record["sentence"]
    assert record["stages"]["quick"] >= 12 and "code" in record["by"]
    for row in record["mutants"]:
        assert row["result"] != "missed" or row["sentence"]
    assert record["circuit_proof"] is None
