"""What is proved is met by a run, state by state; and what is not true of a run is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from rchw.design import Design
from rchw.hdl.emit import write_verilog
from rchw.sim.prove.proof import explored
from rchw.sim.prove.sums import held_sums
from rchw.sim.prove.witness import meet
from rchw.sim.prove.words import elaborate
from tests.boards.test_of_design import PAIRED, ring
from tests.sim.prove.test_proof import RIGHT

DESIGNS = {
    "one lane": ring("few", 3),
    "parallel with leak": RIGHT["parallel with leak"],
    "parallel without sequences": replace(RIGHT["parallel"], reset_on_last=False),
}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_every_state_of_the_control_is_met_as_proved(design: Design, tmp_path: Path) -> None:
    words = elaborate(write_verilog(design, tmp_path), design.name, tmp_path)
    reach = explored(design, words)
    assert reach.breach is None
    witness = meet(reach, words, 1)
    assert witness.sentence is None
    assert witness.met == witness.moments == len(reach.contents)
    for each in held_sums(reach):  # sums stand in registers with their sign
        assert each.low < 0 < each.high and each.held == each.needs
        assert -(1 << (each.needs - 1)) <= each.low and each.high < 1 << (each.needs - 1)
    assert "readout" in {each.kind for each in held_sums(reach)}
    # A bit that data decide, said to be 0 or 1: one of the two is not what the run has.
    moment, right = list(reach.contents.items())[-1]
    key, place = next(
        (key, place)
        for key, bits in right.items()
        for place, bit in enumerate(bits)
        if not isinstance(bit, int) and bit[0].atom in reach.expected.roles
    )
    told = []
    for value in (0, 1):
        wrong = (*right[key][:place], value, *right[key][place + 1 :])
        reach.contents[moment] = right | {key: wrong}
        told.append(meet(reach, words, 1).sentence)
    assert f"bit {place} of {key} must be " in str(told[0] or told[1])


@pytest.mark.slow
def test_squares_are_met_as_proved(tmp_path: Path) -> None:
    words = elaborate(write_verilog(PAIRED, tmp_path), PAIRED.name, tmp_path)
    reach = explored(PAIRED, words)
    witness = meet(reach, words, 1)
    assert reach.breach is None and witness.sentence is None and witness.met == witness.moments
