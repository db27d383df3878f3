"""Points of Verilator's coverage file: read, added up, and named where nothing came."""

from pathlib import Path

import pytest

from rchw.errors import ToolError
from rchw.sim.points import Point, holes, read_points, tables, totals

VERILOG = """\
module top_sub(clk);
  reg [1:0] rom [3:0];
  initial begin
    rom[0] = 2'h1;
  end
  reg [1:0] ram [3:0];
  always @(posedge clk) begin
    if (we)
      ram[addr] <= data;
  end
endmodule
module top(clk);
  reg [1:0] rom [3:0];
  always @(posedge clk) rom[1] <= 2'h0;
endmodule
"""


def line(count: int, **keys: str) -> str:
    joined = "".join(f"\x01{key}\x02{value}" for key, value in keys.items())
    return f"C '{joined}' {count}\n"


def toggle(count: int, what: str, module: str = "top_sub", file: str = "/a/top.v") -> str:
    return line(count, f=file, l="7", n="3", t="toggle", page=f"v_toggle/{module}", o=what)


DATA = "".join(
    [
        "# SystemC::Coverage-3\n",
        line(5, f="/a/top.v", l="7", t="line", page="v_line/top", o="block", S="7-9"),
        line(0, f="/a/top.v", l="8", t="branch", page="v_branch/top", o="cond_then"),
        line(2, f="/a/top.v", l="8", t="branch", page="v_branch/top", o="cond_else"),
        toggle(3, "port___05Fdata__0249[3]:0->1"),
        toggle(0, "port___05Fdata__0249[3]:1->0"),
        toggle(0, "port___05Fdata__0249[2]:0->1"),
        toggle(0, "rom[0][1]:0->1"),
        toggle(0, "rom[0][1]:0->1", module="top"),
        toggle(0, "ram[0][1]:0->1"),
        toggle(0, "bit:1->0"),
        toggle(0, "other:1->0", file="/a/harness.v"),
    ]
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "top.v").write_text(VERILOG)
    (tmp_path / "coverage.dat").write_text(DATA)
    return tmp_path / "coverage.dat", tmp_path / "top.v"


def test_points_and_holes(files: tuple[Path, Path]) -> None:
    points = read_points(*files)
    assert Point("toggle", "top_sub", 7, "port__data$9[3]:0->1", 3) in points
    assert totals(points) == {
        "line": {"points": 1, "hit": 1},
        "branch": {"points": 2, "hit": 1},
        "toggle": {"points": 6, "hit": 1},
    }
    found = [(hole["type"], hole["module"], hole["what"], hole["missed"]) for hole in holes(points)]
    assert found == [
        ("branch", "top", "cond_then", []),
        ("toggle", "top", "rom", ["[0][1]:0->1"]),
        ("toggle", "top_sub", "bit", [":1->0"]),
        ("toggle", "top_sub", "port__data$9", ["[3]:1->0", "[2]:0->1"]),
        ("toggle", "top_sub", "ram", ["[0][1]:0->1"]),
    ]


def test_a_table_is_what_nothing_writes_to() -> None:
    assert tables(VERILOG) == {("top_sub", "rom")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "the simulator did not write"),
        ("C 'x' 3\n", "must be coverage of Verilator, but has the line"),
        ("nonsense\n", "must be coverage of Verilator, but has the line 'nonsense'"),
        ("# only a head\n", "must have coverage of top.v, but has none"),
    ],
)
def test_what_is_no_coverage(text: str | None, sentence: str, files: tuple[Path, Path]) -> None:
    data, verilog = files
    if text is None:
        data.unlink()
    else:
        data.write_text(text)
    with pytest.raises(ToolError, match=sentence):
        read_points(data, verilog)
