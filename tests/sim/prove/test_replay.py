"""A refutation becomes a run from a reset, and the run a test that fails until all is right."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout
from rchw.document import save
from rchw.fixed import Overflow, QFormat
from rchw.hdl.emit import emit
from rchw.sim.prove.proof import prove_words
from rchw.sim.prove.replay import Clock, as_test, failing_run, replay
from rchw.sim.prove.words import Words, elaborate
from rchw.sim.stimulus import output_drive, unit_drive
from tests.boards.test_of_design import ring
from tests.sim.test_stimulus import weighted

FOLDED = ring("folded", 5, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 4, lanes=4, multipliers=4)


def elaborated(design: Design, folder: Path) -> tuple[Path, Words]:
    verilog = folder / f"{design.name}.v"
    verilog.write_text(emit(design))
    return verilog, elaborate(verilog, design.name, folder)


def with_another_weight(design: Design) -> Design:
    row = design.readout.weights[0]
    weights = ((row[0] ^ 1, *row[1:]),)
    return replace(design, readout=replace(design.readout, weights=weights))


@pytest.mark.parametrize("design", [FOLDED, PARALLEL], ids=["folded", "parallel"])
def test_no_run_fails_where_the_circuit_is_right(design: Design, tmp_path: Path) -> None:
    _, words = elaborated(design, tmp_path)
    assert failing_run(design, words, seed=1, tries=4) is None


@pytest.mark.parametrize("design", [FOLDED, PARALLEL], ids=["folded", "parallel"])
def test_the_test_that_is_written_fails_until_the_circuit_is_right(
    design: Design, tmp_path: Path
) -> None:
    verilog, words = elaborated(with_another_weight(design), tmp_path)
    found = failing_run(design, words, seed=1)
    assert found is not None
    clocks, start, sentence = found
    assert sentence.startswith("output y0 of sample ")
    assert replay(design, verilog, clocks, start) == sentence
    save(design, tmp_path / f"{design.name}.json")
    test = tmp_path / "counterexample_test.py"
    test.write_text(as_test(design, clocks, start, sentence))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    failed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert failed.returncode == 1 and sentence in failed.stdout
    verilog.write_text(emit(design))
    assert replay(design, verilog, clocks, start) is None


def with_output(design: Design, fmt: QFormat) -> Design:
    """Give a design its first output only, in another format."""
    output, row = design.readout.outputs[0], design.readout.weights[0]
    outputs = (replace(output, format=fmt),)
    return replace(design, readout=replace(design.readout, outputs=outputs, weights=(row,)))


def without_saturation(design: Design, folder: Path) -> Words:
    wrong = replace(design, readout=replace(design.readout, overflow=Overflow.WRAP))
    return elaborated(wrong, folder)[1]


def test_states_that_no_run_leads_to_are_told_as_such(tmp_path: Path) -> None:
    """The sum passes the rail if units have any states of their ranges, but no input does that."""
    design = with_output(weighted(40), QFormat(12, 7))
    proof = prove_words(design, without_saturation(design, tmp_path))
    assert proof.verdict == "undecided" and proof.step and proof.shown is None
    told = "output y must be that of the reference, but differs at states that the ranges"
    assert proof.sentence is not None and proof.sentence.startswith(told)
    states = np.zeros(40, dtype=np.int64)  # units of weight 0 do not matter
    for name, code in proof.given.items():
        states[int(name.split("_")[2])] = code
    *weights, constant = design.readout.weights[0]
    total = states @ weights + constant * 128
    assert total > 2047 or total < -2048
    assert np.abs(states).max() <= 127


@pytest.mark.slow
def test_a_square_and_its_state_are_not_any_two_numbers(tmp_path: Path) -> None:
    """With 768 added, x - x * x / 128 over three units is 864 at most; of 127 - 0 it were 1149."""
    squares = Features(squares=QFormat(8, 7, signed=False))
    narrow = with_output(weighted(3), QFormat(11, 7))
    weights = ((1, 1, 1, -1, -1, -1, 6),)
    readout = replace(narrow.readout, weight_format=QFormat(6, 0), weights=weights)
    design = replace(narrow, features=squares, readout=readout)
    assert prove_words(design, without_saturation(design, tmp_path)).verdict == "proved"


def test_states_for_which_a_square_is_least_are_found(tmp_path: Path) -> None:
    """The sum passes the rail if the square of a unit is small, and is far from it where it is not.

    As any two numbers, the state would be 127 and its square 0.
    """
    narrow = with_output(weighted(40), QFormat(14, 7))
    _, *row, _ = narrow.readout.weights[0]
    most = 127 * sum(map(abs, row))
    constant = round((8191 + 400 - most) / 128)
    weights = ((1, *row, -8, *(0,) * 39, constant),)
    readout = replace(narrow.readout, weight_format=QFormat(7, 0), weights=weights)
    design = replace(
        narrow, features=Features(squares=QFormat(8, 7, signed=False)), readout=readout
    )
    assert most + constant * 128 > 8191 > most + constant * 128 + 127 - 8 * 126
    proof = prove_words(design, without_saturation(design, tmp_path))
    assert proof.verdict == "undecided" and proof.step and proof.shown is None


def test_inputs_and_states_of_a_sample_are_not_any_two_numbers(tmp_path: Path) -> None:
    """States are 7/8 of the input, which is a feature too: x0 + x1 - 2 u stays far from a rail."""
    fmt = QFormat(8, 7)
    layer = replace(
        weighted(2).ring, taps=(), inputs=(LinearInput(QFormat(4, 3), (7, 7)),), bias=(0, 0)
    )
    readout = Readout((Output("y", QFormat(9, 7)),), QFormat(3, 0), ((1, 1, -2),))
    features = Features(inputs=True, one=None)
    design = Design("bound", (InputChannel("u", fmt),), (layer,), features, readout)
    proof = prove_words(design, without_saturation(design, tmp_path))
    assert proof.verdict != "refuted" and not proof.step


def test_a_circuit_that_differs_at_all_states_is_refuted(tmp_path: Path) -> None:
    """States are positive, so the sums of weights 1 and 2 differ whatever they are."""
    still = replace(weighted(3).ring, taps=(), bias_format=QFormat(8, 7), bias=(60,) * 3)
    readout = Readout((Output("y", QFormat(20, 7)),), QFormat(4, 0), ((1, 1, 1, 0),))
    design = replace(weighted(3), layers=(still,), readout=readout)
    wrong = replace(design, readout=replace(readout, weights=((2, 1, 1, 0),)))
    proof = prove_words(design, elaborated(wrong, tmp_path)[1])
    assert proof.verdict == "refuted" and proof.shown is not None and not proof.step


def test_a_rail_that_chance_does_not_reach_is_pushed_to(tmp_path: Path) -> None:
    """A lost saturation: the corners of the sum refute the proof, and a push shows a run."""
    wide, design = weighted(12), with_output(weighted(12), QFormat(10, 7))
    words = without_saturation(design, tmp_path)
    drawn = np.random.default_rng(0).integers((-128, -32), (128, 32), (3000, 2))
    assert np.abs(reference.run(wide, drawn).outputs[:, 0]).max() < 511, "out of reach by chance"
    proof = prove_words(design, words)
    assert proof.verdict == "refuted" and proof.shown is not None
    assert re.fullmatch(r"output y of sample \d+ must be 511, not -\d+", proof.shown)


def test_units_that_are_named_are_pushed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[list[int]]] = []

    def pushed(design: Design, bench: object, codes: NDArray[np.int64]) -> list[Clock]:
        sent.append(codes.tolist())
        return []

    monkeypatch.setattr("rchw.sim.prove.replay._pushed", pushed)
    design = weighted(5)
    _, words = elaborated(design, tmp_path)
    assert failing_run(design, words, seed=1, tries=0, units=(3, 1)) is None
    drives = [
        drive(design, place, upper).tolist()
        for upper in (True, False)
        for drive, places in ((output_drive, (0, 1)), (unit_drive, (3, 1)))
        for place in places
    ]
    assert sent == drives


def test_a_lost_sample_is_told(tmp_path: Path) -> None:
    """Every beat is taken, and the last one never comes out."""
    verilog, _ = elaborated(FOLDED, tmp_path)
    clocks = [(1, 1, 0, (k,)) for k in range(30)]
    sentence = replay(FOLDED, verilog, clocks)
    assert sentence is not None and "input beats must give as many output beats" in sentence
