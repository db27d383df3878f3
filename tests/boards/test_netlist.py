"""The synthesised netlist answers as the source does, bit for bit, on both families."""

import json
import re
import shutil
from pathlib import Path

import pytest

from rchw import tools
from rchw.boards.absorb import absorb_registers
from rchw.boards.check import check_drivers, load_netlist, resources
from rchw.boards.join import write_netlist
from rchw.boards.netlist import lint, netlist_sources
from rchw.boards.synth import synthesize_core
from rchw.devices import board
from rchw.errors import ToolError
from tests.boards.conftest import Built
from tests.boards.harness import DATA, RTL_WAIVERS, TINY, answers, tiny_model

SAMPLES = 3000
FAMILIES = [("icebreaker", "ice40"), ("ulx3s", "ecp5")]


@pytest.fixture(scope="session")
def source_answers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what the source answers."""
    folder = tmp_path_factory.mktemp("rtl") / "sim"
    return answers("stream", "tiny", [TINY], RTL_WAIVERS, folder, SAMPLES)


@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_netlist_equals_source(
    name: str, family: str, built: Built, source_answers: list[str], tmp_path: Path
) -> None:
    out, report = built(name)
    sources = netlist_sources(out / report["netlist"]["file"], "tiny", family, tmp_path)
    lint(sources, tmp_path)
    got = answers("stream", "tiny", sources.sources, sources.arguments, tmp_path / "sim", SAMPLES)
    assert len(set(source_answers)) > SAMPLES // 2
    assert any(line.endswith(" 1") for line in source_answers)
    assert got == source_answers


def test_wrapped_netlist_equals_model(built: Built, tmp_path: Path) -> None:
    """What is placed, driven through its pins, answers as the model in Python does."""
    out, _ = built("icebreaker")
    shutil.copy(out / "tiny_board.json", tmp_path)
    script = "read_json tiny_board.json; write_verilog -noattr board.v"
    yosys = tools.find("yosys")
    tools.run(yosys, ["-q", "-p", script], cwd=tmp_path, log=tmp_path / "yosys.log")
    sources = netlist_sources(tmp_path / "board.v", "tiny_board", "ice40", tmp_path)
    samples = [((i * 40503) % 65536, int(i % 7 == 6)) for i in range(60)]
    folder = tmp_path / "sim"
    got = answers("board", "tiny_board", sources.sources, sources.arguments, folder, len(samples))
    assert got == tiny_model(samples)


def test_a_changed_netlist_is_caught(
    built: Built, source_answers: list[str], tmp_path: Path
) -> None:
    """One LUT stuck at zero is enough to be seen."""
    out, _ = built("icebreaker")
    module = load_netlist(out / "tiny.json", "tiny")
    name = next(n for n, c in module["cells"].items() if c["type"] == "SB_LUT4" and "product" in n)
    module["cells"][name]["parameters"]["LUT_INIT"] = "0" * 16
    write_netlist(tmp_path / "tiny.json", "tiny", module)
    script = "read_json tiny.json; write_verilog -noattr tiny_netlist.v"
    tools.run(tools.find("yosys"), ["-q", "-p", script], cwd=tmp_path, log=tmp_path / "yosys.log")
    sources = netlist_sources(tmp_path / "tiny_netlist.v", "tiny", "ice40", tmp_path)
    got = answers("stream", "tiny", sources.sources, sources.arguments, tmp_path / "sim", SAMPLES)
    assert got != source_answers


def test_two_drivers_are_fatal_in_verilator(tmp_path: Path) -> None:
    text = (
        "module twice (input aclk, input a, output reg q);\n"
        "always @(posedge aclk) q <= a;\nalways @(negedge aclk) q <= ~a;\nendmodule\n"
    )
    (tmp_path / "twice.v").write_text(text)
    sources = netlist_sources(tmp_path / "twice.v", "twice", "ice40", tmp_path)
    with pytest.raises(ToolError, match=r"verilator failed .*MULTIDRIVEN"):
        lint(sources, tmp_path)


def test_registers_are_absorbed(built: Built) -> None:
    """Two rows behind the product, one before each operand, and one behind each RAM."""
    out, report = built("ulx3s")
    assert report["synthesis"]["absorbed_registers"] == {"block_ram": 2, "dsp": 1, "ff": 127}
    before = load_netlist(out / "tiny_yosys.json", "tiny")
    text = json.dumps(before)
    after, counts = absorb_registers(before)
    assert json.dumps(before) == text, "the argument must not change"
    assert resources(before, "ecp5")["ff"] - counts["ff"] == resources(after, "ecp5")["ff"]
    check_drivers(after, "tiny")
    modes = [c["parameters"] for c in after["cells"].values() if c["type"] == "DP16KD"]
    assert all("OUTREG" in (m["REGMODE_A"], m["REGMODE_B"]) for m in modes)
    (dsp,) = [c["parameters"] for c in after["cells"].values() if c["type"] == "MULT18X18D"]
    assert {dsp[f"REG_{row}_CLK"] for row in ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")} == {"CLK0"}


def test_a_register_with_another_reader_stays(built: Built) -> None:
    out, _ = built("ulx3s")
    module = load_netlist(out / "tiny_yosys.json", "tiny")
    (dsp,) = [c for c in module["cells"].values() if c["type"] == "MULT18X18D"]
    spare = module["ports"]["m_axis_tlast"]["bits"]
    module["ports"]["spare"] = {"direction": "output", "bits": dsp["connections"]["P3"]}
    assert spare
    after, counts = absorb_registers(module)
    (dsp,) = [c for c in after["cells"].values() if c["type"] == "MULT18X18D"]
    assert "REG_OUTPUT_CLK" not in dsp["parameters"]
    assert counts["ff"] < 127


@pytest.mark.parametrize("parameter", [("REGSET", "SET"), ("CLKMUX", "INV")])
def test_a_special_register_stays(parameter: tuple[str, str], built: Built) -> None:
    out, _ = built("ulx3s")
    module = load_netlist(out / "tiny_yosys.json", "tiny")
    for cell in module["cells"].values():
        if cell["type"] == "TRELLIS_FF":
            cell["parameters"][parameter[0]] = parameter[1]
    assert absorb_registers(module)[1] == {"block_ram": 0, "dsp": 0, "ff": 0}


def test_block_ram_of_every_width(tmp_path: Path) -> None:
    """The model of DP16KD against the source for ports of 1, 4, 9, 18 and 36 bits."""
    source = DATA / "rams.v"
    shutil.copy(source, tmp_path)
    core = synthesize_core("rams", board("ulx3s").device, tmp_path, expected={"block_ram": 5})
    widths = re.findall(r"DATA_WIDTH_A\(32'd(\d+)\)", core.verilog.read_text())
    assert sorted(map(int, widths)) == [1, 4, 9, 18, 36]
    sources = netlist_sources(core.verilog, "rams", "ecp5", tmp_path)
    want = answers("stream", "rams", [source], RTL_WAIVERS, tmp_path / "rtl", 10 * SAMPLES)
    got = answers(
        "stream", "rams", sources.sources, sources.arguments, tmp_path / "sim", 10 * SAMPLES
    )
    assert got == want
