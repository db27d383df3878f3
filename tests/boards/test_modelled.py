"""A cell or a mode that no model covers is refused by its name; what is covered passes."""

from pathlib import Path
from typing import Any

import pytest

from rchw.boards.modelled import check_modelled, modelled_cells
from rchw.boards.netlist import netlist_sources
from rchw.errors import ToolError

ONE, ZERO = "00000000000000000000000000000001", "00000000000000000000000000000000"
BYTES = "00000000000000000000000000001001"
CELLS: dict[str, tuple[dict[str, Any], dict[str, list[int | str]]]] = {
    "SPX9": (
        {"BIT_WIDTH": BYTES, "READ_MODE": "0", "WRITE_MODE": ONE, "RESET_MODE": "ASYNC"},
        {"CLK": [2], "RESET": [9], "BLKSEL": [9, 9, 9], "DO": [4]},
    ),
    "SDPB": (
        {"BIT_WIDTH_0": ONE, "BIT_WIDTH_1": ONE, "READ_MODE": "0", "RESET_MODE": "SYNC"},
        {"CLKA": [2], "CLKB": [2], "RESETA": ["0"], "RESETB": [5], "DO": [4]},
    ),
    "DPX9B": (
        {"BIT_WIDTH_0": BYTES, "BIT_WIDTH_1": BYTES, "READ_MODE0": "0", "WRITE_MODE1": ONE},
        {"CLKA": [2], "CLKB": [2], "RESETA": [9], "DOA": [4], "DOB": [5]},
    ),
    "MULT9X9": ({}, {"A": [2], "B": [3], "ASEL": [9], "BSEL": ["0"], "DOUT": [4]}),
    "DP16KD": (
        {"DATA_WIDTH_A": BYTES, "REGMODE_B": "OUTREG ", "CSDECODE_A": "0b000", "CLKAMUX": "INV"},
        {"CLKA": [2], "CLKB": [3], "WEA": [5], "WEB": ["0"], "RSTA": ["0"], "DOB0": [4]},
    ),
    "MULT18X18D": (
        {"REG_OUTPUT_CLK": "CLK0", "REG_OUTPUT_RST": "RST0", "REG_OUTPUT_CE": "CE3"},
        {"A0": [2], "CLK0": [3], "SOURCEA": ["0"], "P0": [4]},
    ),
}


def netlist(
    kind: str, parameters: dict[str, Any] | None = None, pins: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Make a netlist of one cell as in `CELLS`, changed, and of what drives its zeros."""
    of_cell, wires = CELLS[kind]
    cell = {
        "type": kind,
        "parameters": {**of_cell, **(parameters or {})},
        "connections": {**wires, **(pins or {})},
    }
    ground = {"type": "GND", "parameters": {}, "connections": {"G": [9]}}
    scope = {"type": "$scopeinfo", "parameters": {}, "connections": {}}
    return {"cells": {"it": cell, "ground": ground, "scope": scope}}


MODELLED = {*CELLS, "GND"}


@pytest.mark.parametrize("kind", CELLS)
def test_what_is_covered_passes(kind: str) -> None:
    check_modelled(netlist(kind), "core", MODELLED)


REFUSED: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "SPX9 with READ_MODE 1": ("SPX9", {"READ_MODE": "1"}, {}),
    "SPX9 with WRITE_MODE 3": ("SPX9", {"WRITE_MODE": "11"}, {}),
    "SPX9 with BIT_WIDTH 8": ("SPX9", {"BIT_WIDTH": "1000"}, {}),
    "SPX9 with RESET in use at RESET_MODE ASYNC": ("SPX9", {}, {"RESET": [5]}),
    "SDPB with BIT_WIDTH_1 9": ("SDPB", {"BIT_WIDTH_1": "1001"}, {}),
    "SDPB with RESETA in use": ("SDPB", {}, {"RESETA": [5]}),
    "SDPB with different nets at CLKA and CLKB": ("SDPB", {}, {"CLKB": [3]}),
    "DPX9B with READ_MODE1 1": ("DPX9B", {"READ_MODE1": "1"}, {}),
    "DPX9B with WRITE_MODE0 2": ("DPX9B", {"WRITE_MODE0": "10"}, {}),
    "DPX9B with BIT_WIDTH_0 36": ("DPX9B", {"BIT_WIDTH_0": "100100"}, {}),
    "DPX9B with RESETB in use at RESET_MODE ASYNC": (
        "DPX9B", {"RESET_MODE": "ASYNC"}, {"RESETB": ["1"]},
    ),
    "MULT9X9 with PIPE_REG 1": ("MULT9X9", {"PIPE_REG": "1"}, {}),
    "MULT9X9 with BSEL in use": ("MULT9X9", {}, {"BSEL": [5]}),
    "DP16KD with CSDECODE_B 0b001": ("DP16KD", {"CSDECODE_B": "0b001"}, {}),
    "DP16KD with WEA and WEB in use": ("DP16KD", {}, {"WEB": [6]}),
    "DP16KD with RSTA in use": ("DP16KD", {}, {"RSTA": [6]}),
    "MULT18X18D with REG_INPUTA_CLK CLK1": ("MULT18X18D", {"REG_INPUTA_CLK": "CLK1"}, {}),
    "MULT18X18D with SOURCEA in use": ("MULT18X18D", {}, {"SOURCEA": [5]}),
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_not_covered_is_named(words: str) -> None:
    sentence = f"the netlist of core cannot be simulated: no model covers {words} (cell it)"
    with pytest.raises(ToolError) as told:
        check_modelled(netlist(*REFUSED[words]), "core", MODELLED)
    assert str(told.value) == sentence


def test_a_cell_without_a_model() -> None:
    with pytest.raises(ToolError, match=r"no model covers DPX9B \(cell it\)"):
        check_modelled(netlist("DPX9B"), "core", MODELLED - {"DPX9B"})


@pytest.mark.parametrize(
    ("family", "there", "missing"),
    [
        ("ice40", {"SB_LUT4", "SB_DFFESR", "SB_CARRY", "SB_RAM40_4K", "SB_MAC16"}, "SB_WARMBOOT"),
        ("ecp5", {"LUT4", "TRELLIS_FF", "CCU2C", "PFUMX", "DP16KD", "MULT18X18D"}, "EHXPLLL"),
        ("gowin", {"LUT4", "DFFRE", "ALU", "GND", "SDPB", "DPX9B", "MULT36X36"}, "OSER4"),
    ],
)
def test_models_with_a_body(family: str, there: set[str], missing: str, tmp_path: Path) -> None:
    """An empty box of Yosys is no model."""
    (tmp_path / "core.v").write_text("module core; endmodule\n")
    made = netlist_sources(tmp_path / "core.v", "core", family, tmp_path)
    text = "".join(path.read_text() for path in made.sources[1:])
    found = modelled_cells(text)
    assert there <= found
    assert missing not in found


def test_empty_boxes() -> None:
    """With a mark, or with nothing inside but declarations and times."""
    text = (
        "(* blackbox *)\nmodule box (input a, output y);\nassign y = a;\nendmodule\n"
        '(* keep, a = "b*c" *) (* lib_whitebox *)\nmodule cell_1(input a, output y);\n'
        "  assign y = a;\nendmodule\n"
        "(* abc9_lut=1 *) (* blackbox *) module other(input a);\nassign y = a;\nendmodule\n"
        "module nested(input a, output y); // as the one before\n  cell_1 it (.a(a), .y(y));\n"
        "endmodule\n"
        "module empty(a, y);\n  input a; // assign\n  (* x *) output y;\n  parameter A = 1;\n"
        "  specify\n    (a => y) = (1, 2);\n  endspecify\nendmodule\n"
    )
    assert modelled_cells(text) == {"cell_1", "nested"}
