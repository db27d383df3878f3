"""The prover's reading of the Verilog, run on numbers, gives the reference's codes."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import z3

from rchw import reference
from rchw.design import Design
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.lanes import pack, unpack
from rchw.sim.prove.circuit import Circuit, bits_of, term_of
from rchw.sim.prove.words import elaborate
from tests.boards.test_of_design import PAIRED, PLAIN, ring
from tests.sim.prove.test_states import RIGHT


def streamed(design: Design, folder: Path, codes: np.ndarray) -> list[int]:
    """Words that come out for input codes (T, K)."""
    circuit = Circuit(elaborate(write_verilog(design, folder), design.name, folder))
    words = pack(codes, [channel.format for channel in design.inputs])
    for _ in range(4):
        circuit.settle({"aclk": 0, "aresetn": 0, "s_axis_tdata": 0, "s_axis_tlast": 0,
                        "s_axis_tvalid": 0, "m_axis_tready": 1})  # fmt: skip
        circuit.clock()
    found: list[int] = []
    taken = 0
    for _ in range(len(words) * schedule(design).clocks + latency(design) + 4):
        word = words[min(taken, len(words) - 1)]
        circuit.settle(
            {"aresetn": 1, "s_axis_tvalid": int(taken < len(words)), "s_axis_tdata": word}
        )
        taken += taken < len(words) and circuit.number("s_axis_tready")
        if circuit.number("m_axis_tvalid"):
            found.append(circuit.number("m_axis_tdata"))
        circuit.clock()
    return found


DESIGNS = {**RIGHT, "squares and table": PAIRED, "two outputs": PLAIN}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_numbers_give_the_codes_of_the_reference(design: Design, tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(-128, 128, (12, 1))
    words = streamed(design, tmp_path, codes)
    formats = [output.format for output in design.readout.outputs]
    expected = reference.run(design, codes).outputs
    assert unpack(words, formats).tolist() == expected.tolist()


def test_bits_become_terms_and_stay_what_they_are() -> None:
    x = z3.BitVec("x", 6)
    bits = bits_of(x, 6)
    assert term_of(bits) is x
    mixed = [1, 0, *bits[2:5], *bits[:2], 1]
    whole = z3.Concat(
        z3.BitVecVal(1, 1), z3.Extract(1, 0, x), z3.Extract(4, 2, x), z3.BitVecVal(1, 2)
    )
    assert z3.simplify(term_of(mixed) == whole).sexpr() == "true"
    assert bits_of(5, 4) == [1, 0, 1, 0]


def test_what_depends_on_data_is_no_number(tmp_path: Path) -> None:
    design = ring("data", 6)
    circuit = Circuit(elaborate(write_verilog(design, tmp_path), design.name, tmp_path))
    with pytest.raises(ToolError, match=r"core\.x0 must not depend on data, but does"):
        circuit.number("core.x0")


def test_a_cell_unknown_to_the_prover_is_refused(tmp_path: Path) -> None:
    text = "module odd (input a, b, output y); assign y = a / b; endmodule\n"
    (tmp_path / "odd.v").write_text(text)
    circuit = Circuit(elaborate(tmp_path / "odd.v", "odd", tmp_path))
    with pytest.raises(ToolError, match=r"of a kind that the prover knows, not \$div"):
        circuit.settle({"a": z3.BitVec("a", 1), "b": z3.BitVec("b", 1)})


CELLS = """
module cells (
  input signed [2:0] a, input signed [1:0] b, input [2:0] c, input s,
  output [5:0] sum, output [5:0] difference, output [5:0] product, output [3:0] mixed,
  output less, output [5:0] least, output below, output same, output other,
  output every, output any, output none, output both, output [2:0] bits, output [3:0] opposite
);
  assign sum = a + b, difference = a - b, product = a * b, mixed = a + c;
  assign less = a < b, least = s ? a : b, below = c < 3, same = a == b, other = a != b;
  assign every = &c, any = |c, none = !c, both = c && b, opposite = -b;
  assign bits = (c & {3{s}}) | (~c ^ 3'd5) & {a[1:0], 1'b1};
endmodule
"""


def cells(a: int, b: int, c: int, s: int) -> dict[str, int]:
    """The same in Python."""
    return {
        "sum": (a + b) % 64,
        "difference": (a - b) % 64,
        "product": a * b % 64,
        "mixed": (a % 8 + c) % 16,  # one unsigned operand makes all unsigned
        "less": int(a < b),
        "least": (a if s else b) % 64,
        "below": int(c < 3),
        "same": int(a == b),
        "other": int(a != b),
        "every": int(c == 7),
        "any": int(c != 0),
        "none": int(c == 0),
        "both": int(c != 0 and b != 0),
        "bits": (c & (7 * s)) | (~c ^ 5) & ((a % 4) << 1 | 1) & 7,
        "opposite": -b % 16,
    }


@pytest.mark.parametrize("unknowns", ["", "a", "b", "c", "s", "abcs"])
def test_every_cell_on_all_its_codes(unknowns: str, tmp_path: Path) -> None:
    """As numbers, as terms, and where numbers and terms meet."""
    (tmp_path / "cells.v").write_text(CELLS)
    circuit = Circuit(elaborate(tmp_path / "cells.v", "cells", tmp_path))
    widths = {"a": 3, "b": 2, "c": 3, "s": 1}
    terms = {name: z3.BitVec(name, widths[name]) for name in unknowns}
    for a, b, c, s in product(range(-4, 4), range(-2, 2), range(8), range(2)):
        codes = {"a": a % 8, "b": b % 4, "c": c, "s": s}
        circuit.settle({**codes, **terms})
        given = [(terms[name], z3.BitVecVal(codes[name], widths[name])) for name in unknowns]
        for name, number in cells(a, b, c, s).items():
            found = z3.simplify(z3.substitute(circuit.term(name), *given))
            assert found.as_long() == number, (name, codes)
