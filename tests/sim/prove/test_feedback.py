"""Circuits that feed their outputs back: proved, and refuted with a fault in the loop."""

from dataclasses import replace
from pathlib import Path

import pytest

from rchw.design import Design
from rchw.fixed import QFormat
from rchw.hdl.emit import emit
from rchw.schedule import schedule
from tests.examples import FEEDBACK
from tests.hdl.test_feedback import looped
from tests.loops import feedback_designs, without_channels
from tests.sim.prove.drawing import prove_drawn
from tests.sim.prove.test_sequences import proved, refuted


def gates(design: Design) -> Design:
    """The same codes in the parallel form."""
    layer = replace(design.driven, lanes=design.n_units)
    products = design.n_products * design.n_outputs
    return replace(design, layers=(layer,), readout=replace(design.readout, multipliers=products))


PARALLEL = looped(3, 3, 3)
TAUGHT = replace(PARALLEL, feedback=(replace(PARALLEL.feedback[0], teacher=True),))
RIGHT = {
    "parallel with a teacher": TAUGHT,
    "parallel without channels": gates(without_channels(PARALLEL)),
    "parallel without a reset": replace(PARALLEL, reset_on_last=False),
    "two outputs": gates(FEEDBACK),
    "folded": looped(2, 1, 1),
    "folded with two outputs": FEEDBACK,
}
QUICK = ("parallel with a teacher", "folded")


@pytest.mark.parametrize(
    "design",
    [
        pytest.param(design, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, design in RIGHT.items()
    ],
)
def test_a_right_loop_is_proved(design: Design, tmp_path: Path) -> None:
    assert schedule(design).awaited
    proved(design, tmp_path)


LOOP = PARALLEL.feedback[0]
WRONG = {
    "the first code": replace(LOOP, initial=-20000),
    "a weight": replace(LOOP, weights=(LOOP.weights[0] ^ 1, *LOOP.weights[1:])),
    "the place of the weights": replace(LOOP, format=QFormat(4, 2)),
}


@pytest.mark.parametrize(
    "what",
    [
        name if k == 0 else pytest.param(name, marks=pytest.mark.slow)
        for k, name in enumerate(WRONG)
    ],
)
def test_a_wrong_entry_is_refuted(what: str, tmp_path: Path) -> None:
    wrong = replace(PARALLEL, feedback=(WRONG[what],))
    assert "output y0 of sample" in refuted(PARALLEL, emit(wrong), tmp_path)


def test_another_output_is_refuted(tmp_path: Path) -> None:
    readout = PARALLEL.readout
    outputs = (*readout.outputs, replace(readout.outputs[0], name="other"))
    rows = (*readout.weights, readout.weights[0][::-1])
    both = replace(readout, outputs=outputs, weights=rows, multipliers=6)
    design = replace(PARALLEL, readout=both)
    wrong = replace(design, feedback=(replace(LOOP, output="other"),))
    assert "output" in refuted(design, emit(wrong), tmp_path)


LATE = "a code comes late"


@pytest.mark.parametrize(
    "what",
    [LATE, pytest.param("a sequence does not end it", marks=pytest.mark.slow), "nobody teaches"],
)
def test_a_wrong_loop_is_refuted(what: str, tmp_path: Path) -> None:
    """Faults in the text of the register that holds what the next sample is fed."""
    text = emit(TAUGHT)
    if what == LATE:
        assert text.count("fed_0 <= ") == 1, text
        head, tail = text.split("fed_0 <= ")
        value, tail = tail.split(";", 1)
        width = TAUGHT.fed[0].format.width
        text = f"{head}begin fed_0 <= late_fed; late_fed <= {value}; end{tail}"
        text = text.replace(" fed_0", f" late_fed = {width}'d0;\n  reg [{width - 1}:0] fed_0", 1)
    elif what == "nobody teaches":
        assert text.count("teach_0 <= ") == 1
        text = text.replace("teach_0 <= ", "teach_0 <= 1'b0 & ")
    else:
        text = emit(replace(TAUGHT, reset_on_last=False))
    assert "output y0 of sample" in refuted(TAUGHT, text, tmp_path)


@pytest.mark.slow
def test_no_drawn_design_is_refuted(tmp_path: Path) -> None:
    prove_drawn(feedback_designs(max_units=4).map(gates), 20, tmp_path)
