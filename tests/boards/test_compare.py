"""Signed comparisons with constants stay right in synthesis, of every narrow width."""

import operator
import shutil
from itertools import product
from pathlib import Path

import pytest

from rchw import tools
from rchw.boards.compare import COMPARISONS
from rchw.boards.netlist import netlist_sources
from rchw.boards.synth import synthesize_core
from rchw.devices import board
from tests.boards.cell_bench import FIELDS, bench, operand, run
from tests.boards.harness import DATA, RTL_WAIVERS, answers

OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
CASES = [
    (width, of_constant, code, sign, first)
    for width, of_constant in product((1, 3, 4), (1, 3, 4, 5))
    for code in range(1 << of_constant)
    for sign in OPERATORS
    for first in (False, True)
]  # the constant comes first or second


def wrong(prepare: bool, folder: Path) -> int:
    """Synthesise all of them for iCE40, and count those that say something wrong."""
    lines = []
    for place, (width, of_constant, code, sign, first) in enumerate(CASES):
        sides = [f"$signed(a[{width - 1}:0])", f"$signed({of_constant}'d{code})"]
        left, right = reversed(sides) if first else sides
        lines.append(f"  assign y[{place}] = {left} {sign} {right};\n")
    text = (
        f"module all (input [3:0] a, output [{len(CASES) - 1}:0] y);\n{''.join(lines)}endmodule\n"
    )
    (folder / "all.v").write_text(text)
    (folder / "compare.v").write_text(COMPARISONS)
    before = "techmap -map compare.v; " if prepare else ""
    script = f"read_verilog all.v; {before}synth_ice40 -top all; write_verilog -noattr netlist.v"
    tools.run(tools.find("yosys"), ["-q", "-p", script], cwd=folder, log=folder / "yosys.log")
    made = netlist_sources(folder / "netlist.v", "all", "ice40", folder)
    whole = bench(["  all it (.a(dia[3:0]), .y(out0));"], len(CASES))
    vectors = [dict.fromkeys(FIELDS, 0) | {"dia": a} for a in range(16)]
    found = run(whole, made.sources, vectors, folder, made.arguments)
    count = 0
    for place, (width, of_constant, code, sign, first) in enumerate(CASES):
        constant = operand(code, of_constant, 1)
        for a, answer in enumerate(found):
            numbers = [operand(a, width, 1), constant]
            small, large = reversed(numbers) if first else numbers
            count += (answer >> place & 1) != OPERATORS[sign](small, large)
    return count


def test_every_narrow_comparison(tmp_path: Path) -> None:
    assert wrong(True, tmp_path) == 0


@pytest.mark.slow
def test_the_fault_of_yosys_is_there(tmp_path: Path) -> None:
    """Once this fails, with another Yosys, `rchw.boards.compare` can go."""
    assert wrong(False, tmp_path) > 500


@pytest.mark.parametrize("name", ["icebreaker", pytest.param("ulx3s", marks=pytest.mark.slow)])
def test_synthesis_goes_around_it(name: str, tmp_path: Path) -> None:
    shutil.copy(DATA / "compare.v", tmp_path)
    device = board(name).device
    core = synthesize_core("compare", device, tmp_path)
    made = netlist_sources(core.verilog, "compare", device.family, tmp_path)
    want = answers("stream", "compare", [DATA / "compare.v"], RTL_WAIVERS, tmp_path / "rtl", 300)
    got = answers("stream", "compare", made.sources, made.arguments, tmp_path / "sim", 300)
    assert len(set(want)) > 10
    assert got == want
