"""The netlist that faults are planted in, as the prover reads it."""

from dataclasses import replace
from pathlib import Path

import pytest

from rchw.activation import tanh_pwl
from rchw.design import Design
from rchw.fixed import QFormat
from rchw.hdl.emit import write_verilog
from rchw.sim.mutate.netlist import Netlist, read_netlist, to_words
from rchw.sim.prove.proof import prove_words
from rchw.sim.prove.words import Words
from tests.boards.test_of_design import ring


def bent() -> Design:
    """A ring whose highest and lowest code are both odd, so that bit 0 is set where it clips."""
    design = ring("bent", 3, lanes=1, multipliers=1)
    state = QFormat(12, 11)
    layer = replace(design.ring, state=state, activation=tanh_pwl(state)[0])
    return replace(design, layers=(layer,))


def outputs(words: Words) -> set[tuple[int | str, ...]]:
    """Outputs of registers."""
    return {output for output, _ in words.registers}


@pytest.fixture(scope="module")
def netlist(tmp_path_factory: pytest.TempPathFactory) -> Netlist:
    folder = tmp_path_factory.mktemp("netlist")
    return read_netlist(write_verilog(bent(), folder), "bent", folder)


def test_registers_that_were_taken_apart_are_whole_again(netlist: Netlist, tmp_path: Path) -> None:
    apart = to_words(Netlist(netlist.module), "bent", tmp_path)
    whole = to_words(netlist, "bent", tmp_path)
    assert outputs(whole) != outputs(apart)
    assert len(netlist.registers) == len(outputs(whole)) < len(outputs(apart))

    def bits(words: Words) -> dict[int | str, int | str]:
        return {q: d for out, data in words.registers for q, d in zip(out, data, strict=True)}

    assert bits(whole) == bits(apart)


@pytest.mark.parametrize("narrow", [False, True])
def test_the_prover_knows_its_states(netlist: Netlist, narrow: bool, tmp_path: Path) -> None:
    words = to_words(netlist, "bent", tmp_path, narrow)
    proof = prove_words(bent(), words)
    assert proof.holds, proof.sentence
