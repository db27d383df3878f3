"""A circuit compiled to Python's integers gives the reference's codes, as the prover reads it."""

from pathlib import Path

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.lanes import pack, unpack
from rchw.sim.prove.circuit import Circuit
from rchw.sim.prove.forms import Forms
from rchw.sim.prove.numbers import Numbers
from rchw.sim.prove.words import elaborate
from tests.sim.prove.test_circuit import DESIGNS, bits

OPERATORS = """
module odd (
  input clk, input [6:0] a, input signed [4:0] b, c, input [2:0] d,
  output signed [7:0] s0, s1, s2, s3, output [7:0] u0, u1, u2, u3, u4, u5, u6, t0, t1, row
);
  reg [7:0] rows [0:5];
  reg signed [7:0] held;
  assign s0 = b + c, s1 = b - c, s2 = b * c, s3 = -b;
  assign u0 = a + d, u1 = a - d, u2 = a * d, u3 = ~a, u4 = a & b, u5 = b | c, u6 = b ^ c;
  assign t0 = {b == c, b != c, b < c, b <= c, b > c, b >= c, a < d, a >= d};
  assign t1 = {&d, |d, !a, a && d, a || d, |a ? b : c};
  assign row = d < 6 ? rows[d] + held : 8'd3;
  always @(posedge clk) begin
    held <= t0[0] ? s0 : s1;
    if (d < 6) rows[d] <= {a, b[0]} ^ held;
  end
endmodule
"""


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_the_codes_are_those_of_the_reference(design: Design, tmp_path: Path) -> None:
    formats = [channel.format for channel in design.inputs]
    low, high = ([getattr(one, end) for one in formats] for end in ("min", "max"))
    codes = np.random.default_rng(1).integers(low, high, (12, len(formats)), endpoint=True)
    circuit = Numbers(elaborate(write_verilog(design, tmp_path), design.name, tmp_path), 3)
    words = pack(codes, formats)
    circuit.settle({"m_axis_tready": 1})
    circuit.clock()
    found: list[int] = []
    taken = 0
    for _ in range(len(words) * schedule(design).clocks + latency(design) + 4):
        valid, word = int(taken < len(words)), words[min(taken, len(words) - 1)]
        pins = {"aresetn": 1, "s_axis_tvalid": valid, "s_axis_tdata": word, "m_axis_tready": 1}
        circuit.settle(pins)
        taken += valid and circuit.number("s_axis_tready")
        if circuit.number("m_axis_tvalid"):
            found.append(circuit.number("m_axis_tdata"))
        circuit.clock()
    outputs = [output.format for output in design.readout.outputs]
    assert unpack(found, outputs).tolist() == reference.run(design, codes).outputs.tolist()


def test_both_readings_of_every_operator_agree(tmp_path: Path) -> None:
    (tmp_path / "odd.v").write_text(OPERATORS)
    words = elaborate(tmp_path / "odd.v", "odd", tmp_path)
    numbers, circuit = Numbers(words, 1), Circuit(words, Forms())
    start = numbers.contents
    circuit.contents = {key: bits(start[key], len(old)) for key, old in circuit.contents.items()}
    rng = np.random.default_rng(2)
    for _ in range(60):
        pins = {name: int(rng.integers(1 << len(wires))) for name, wires in words.inputs.items()}
        numbers.settle(pins)
        given = {name: bits(code, len(words.inputs[name])) for name, code in pins.items()}
        circuit.settle(given, words.logic)
        for name in words.outputs:
            assert numbers.number(name) == circuit.number(name), name
        numbers.clock()
        circuit.clock()
        held = {key: circuit.contents[key] for key in start}
        assert held == {key: bits(code, len(held[key])) for key, code in numbers.contents.items()}


def test_the_start_is_drawn(tmp_path: Path) -> None:
    (tmp_path / "odd.v").write_text(OPERATORS)
    words = elaborate(tmp_path / "odd.v", "odd", tmp_path)
    assert Numbers(words, 1).contents == Numbers(words, 1).contents
    assert Numbers(words, 1).contents != Numbers(words, 2).contents


def test_a_cell_unknown_to_the_prover_is_refused(tmp_path: Path) -> None:
    (tmp_path / "div.v").write_text(
        "module div (input a, b, output y); assign y = a / b; endmodule"
    )
    with pytest.raises(ToolError, match=r"of a kind that the prover knows, not \$div"):
        Numbers(elaborate(tmp_path / "div.v", "div", tmp_path))
