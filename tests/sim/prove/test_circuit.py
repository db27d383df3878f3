"""The prover's reading of the Verilog, run on numbers, gives the reference's codes."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.lanes import pack, unpack
from rchw.sim.prove.circuit import Bits, Circuit, bits_of
from rchw.sim.prove.forms import Form, Forms, number
from rchw.sim.prove.trial import value_of
from rchw.sim.prove.words import elaborate
from tests.boards.test_of_design import PAIRED, PLAIN, ring
from tests.sim.prove.test_proof import RIGHT


def bits(code: int, width: int) -> Bits:
    return tuple((code >> k) & 1 for k in range(width))


def streamed(design: Design, folder: Path, codes: np.ndarray) -> list[int]:
    """Words that come out for input codes (T, K)."""
    circuit = Circuit(elaborate(write_verilog(design, folder), design.name, folder), Forms())
    words = pack(codes, [channel.format for channel in design.inputs])
    ports = {name: len(wires) for name, wires in circuit.words.inputs.items()}

    def settle(**inputs: int) -> None:
        given = {name: bits(inputs.get(name, 0), width) for name, width in ports.items()}
        circuit.settle(given, circuit.words.logic)

    for _ in range(4):
        settle(m_axis_tready=1)
        circuit.clock()
    found: list[int] = []
    taken = 0
    for _ in range(len(words) * schedule(design).clocks + latency(design) + 4):
        word = words[min(taken, len(words) - 1)]
        valid = int(taken < len(words))
        settle(aresetn=1, s_axis_tvalid=valid, s_axis_tdata=word, m_axis_tready=1)
        taken += valid and circuit.number("s_axis_tready")
        if circuit.number("m_axis_tvalid"):
            found.append(circuit.number("m_axis_tdata"))
        circuit.clock()
    return found


DESIGNS = {**RIGHT, "squares and table": PAIRED, "two outputs": PLAIN}


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_numbers_give_the_codes_of_the_reference(design: Design, tmp_path: Path) -> None:
    rng, formats = np.random.default_rng(1), [channel.format for channel in design.inputs]
    codes = np.stack([rng.integers(f.min, f.max + 1, 12) for f in formats], axis=1)
    words = streamed(design, tmp_path, codes)
    formats = [output.format for output in design.readout.outputs]
    expected = reference.run(design, codes).outputs
    assert unpack(words, formats).tolist() == expected.tolist()


def test_bits_of_a_form() -> None:
    forms = Forms()
    signed, unsigned = forms.unknown("a", -4, 3), forms.unknown("b", 0, 5)
    assert bits_of(forms, number(5), 4) == (1, 0, 1, 0)
    assert bits_of(forms, signed, 5) == tuple((signed, k) for k in (0, 1, 2, 2, 2))
    assert bits_of(forms, unsigned, 5) == (*((unsigned, k) for k in range(3)), 0, 0)


def test_what_depends_on_data_is_no_number(tmp_path: Path) -> None:
    design = ring("data", 6)
    circuit = Circuit(elaborate(write_verilog(design, tmp_path), design.name, tmp_path), Forms())
    with pytest.raises(ToolError, match=r"core\.x0 must not depend on data, but does"):
        circuit.number("core.x0")


def test_a_cell_unknown_to_the_prover_is_refused(tmp_path: Path) -> None:
    text = "module odd (input a, b, output y); assign y = a / b; endmodule\n"
    (tmp_path / "odd.v").write_text(text)
    circuit = Circuit(elaborate(tmp_path / "odd.v", "odd", tmp_path), Forms())
    unknowns = {name: circuit.unknown(1) for name in "ab"}
    with pytest.raises(ToolError, match=r"of a kind that the prover knows, not \$div"):
        circuit.settle(unknowns, circuit.words.logic)


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


@pytest.mark.parametrize("unknowns", ["", "a", "b", "c", "s", "ac", "abcs"])
def test_every_cell_on_all_its_codes(unknowns: str, tmp_path: Path) -> None:
    """As numbers, as forms, and where numbers and forms meet."""
    (tmp_path / "cells.v").write_text(CELLS)
    forms = Forms()
    circuit = Circuit(elaborate(tmp_path / "cells.v", "cells", tmp_path), forms)
    widths = {"a": 3, "b": 2, "c": 3, "s": 1}
    names: dict[str, Form] = {}
    for name in unknowns:
        half = 1 << (widths[name] - 1)
        low, high = (-half, half - 1) if name in "ab" else (0, 2 * half - 1)
        names[name] = forms.unknown(name, low, high)
    for a, b, c, s in product(range(-4, 4), range(-2, 2), range(8), range(2)):
        codes = {"a": a, "b": b, "c": c, "s": s}
        given = {name: bits(codes[name], width) for name, width in widths.items()}
        given |= {name: bits_of(forms, form, widths[name]) for name, form in names.items()}
        circuit.settle(given, circuit.words.logic)
        values = {form.atom: codes[name] for name, form in names.items() if form.atom}
        for name, code in cells(a, b, c, s).items():
            for signed in (False, True):
                found = circuit.whole(circuit.bits(name), signed)
                width = len(circuit.bits(name))
                low, high = forms.bounds(found)
                number_found = value_of(found, values)
                assert low <= number_found <= high
                assert number_found % (1 << width) == code, (name, codes)
                least = -(1 << (width - 1)) if signed else 0
                assert least <= number_found < least + (1 << width)
