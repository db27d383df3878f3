"""What the rules are about, in circuits where that is not all that has to do with control."""

from dataclasses import replace
from pathlib import Path

from rchw.design import Output
from rchw.fixed import Overflow, QFormat
from rchw.sim.rules.control import follow
from rchw.sim.rules.part import after_reset, name_of, needed
from tests.boards.test_of_design import ring
from tests.sim.rules.test_structure import read

FOLDED = ring("folded", 4, lanes=2, multipliers=2)


def test_little_of_a_circuit_is_needed_and_it_resets_alike(tmp_path: Path) -> None:
    words = read(FOLDED, tmp_path)
    some = needed(words, {held for held, _ in words.registers})
    assert 0 < len(some.registers) <= len(words.registers)
    whole, part = after_reset(words), after_reset(needed(words, set()))
    for held, _ in needed(words, set()).registers:
        known = [bit for bit in whole.at(held) if isinstance(bit, int)]
        assert known == [bit for bit in part.at(held) if isinstance(bit, int)]


def test_the_register_of_a_constant_code_tells_no_state(tmp_path: Path) -> None:
    """Its data does not reach it, and no reset sets it."""
    design = ring("constant", 12)
    outputs = (Output("y0", QFormat(4, 30)),)
    readout = replace(design.readout, outputs=outputs, overflow=Overflow.WRAP)
    control = follow(read(replace(design, readout=readout), tmp_path), design)
    assert control is not None and len(control.states) > 20


def test_a_register_of_which_one_bit_is_needed_stays_whole(tmp_path: Path) -> None:
    spread = (
        r"(\n  assign m_axis_tlast = )([^;]*);",
        r"\n  reg [1:0] extra;\n  wire both = s_axis_tdata[0] & s_axis_tdata[1];"
        r"\n  always @(posedge aclk) extra <= {both, s_axis_tlast};"
        r"\1(\2) ^ extra[0];",
    )
    words = read(FOLDED, tmp_path, *spread)
    some = needed(words, set())
    assert all(held in dict(words.registers) for held, _ in some.registers)
    circuit = after_reset(some)
    circuit.clock()


def test_names(tmp_path: Path) -> None:
    words = read(FOLDED, tmp_path)
    names = [name_of(words, held) for held, _ in words.registers]
    assert "core.sequencer.word" in names and all(name and "." in name for name in names)
    assert name_of(words, ("nowhere",)) is None
