"""Builds: the report, what is refused, and that earlier results survive."""

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rchw import tools
from rchw.boards import build as build_module
from rchw.boards import place as place_module
from rchw.boards import synth
from rchw.boards.build import build
from rchw.boards.check import Netlist, load_netlist
from rchw.boards.place import constraints, place
from rchw.devices import BOARDS, board
from rchw.errors import DesignError, RchwError, ToolError
from tests.boards.conftest import Built
from tests.boards.harness import TINY


@pytest.mark.parametrize("name", ["icebreaker", "ulx3s"])
def test_report(name: str, built: Built) -> None:
    out, report = built(name)
    assert json.loads((out / "report.json").read_text()) == report
    assert (out / "mine.txt").exists(), "files that are not the build's stay"
    assert report["digest"] == "0123" and report["board"] == name
    device = board(name).device
    assert report["capacity"]["cells"] == device.luts, "nextpnr and the data sheet disagree"
    assert report["capacity"]["block_ram"] == device.block_rams
    assert report["capacity"]["dsp"] == device.dsps
    assert report["core"]["block_ram"] == 2 and report["core"]["dsp"] == 1
    assert report["used"]["cells"] > report["core"]["lut"]
    clock = report["clock"]
    assert list(clock["mhz_per_seed"]) == ["1", "2"]
    assert min(clock["mhz_per_seed"].values()) <= clock["median_mhz"]
    assert clock["median_mhz"] <= max(clock["mhz_per_seed"].values())
    assert report["critical_path"]["delay_ns"] == pytest.approx(
        1000 / max(clock["mhz_per_seed"].values()), rel=0.15
    )
    assert (out / report["bitstream"]["file"]).stat().st_size > 30_000
    assert (out / report["netlist"]["file"]).exists()
    assert str(out) not in (out / "report.json").read_text()
    assert not list(out.parent.glob(".*")), "no leftovers"


def test_unknown_board_and_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="board must be one of"):
        build(TINY, "tiny", "nexys", tmp_path / "o", digest="")
    with pytest.raises(DesignError, match=r"none\.v cannot be read: No such file"):
        build(tmp_path / "none.v", "tiny", "icebreaker", tmp_path / "o", digest="")
    with pytest.raises(DesignError, match="module name must be letters"):
        build(TINY, "ti;ny", "icebreaker", tmp_path / "o", digest="")
    with pytest.raises(DesignError, match="seeds must be at least one"):
        build(TINY, "tiny", "icebreaker", tmp_path / "o", digest="", seeds=())
    with pytest.raises(DesignError, match="timeout must be above 0 seconds, not -5"):
        build(TINY, "tiny", "icebreaker", tmp_path / "o", digest="", timeout=-5)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(RchwError, match="cannot be written: Not a directory"):
        build(TINY, "tiny", "icebreaker", blocked / "o", digest="")


def test_expected_beyond_the_device(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=r"needs 9 dsp, but icebreaker .* has 8"):
        build(TINY, "tiny", "icebreaker", tmp_path / "o", digest="", expected={"dsp": 9})
    with pytest.raises(DesignError, match="expected must name block_ram or dsp"):
        build(TINY, "tiny", "icebreaker", tmp_path / "o", digest="", expected={"ram": 9})


def test_failure_keeps_the_earlier_result_and_the_log(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("earlier")
    broken = tmp_path / "broken.v"
    broken.write_text("module broken (input aclk;\nendmodule\n")
    with pytest.raises(ToolError, match=r"yosys failed .*ERROR: syntax error") as error:
        build(broken, "broken", "icebreaker", out, digest="")
    assert (out / "report.json").read_text() == "earlier"
    assert str(tmp_path / "out.failed" / "broken_synth.log") in str(error.value)
    assert (tmp_path / "out.failed" / "broken_synth.log").exists()
    assert "\n" not in str(error.value)


def test_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build_module, "synthesize_core", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(TINY, "tiny", "icebreaker", tmp_path / "out", digest="")
    assert list(tmp_path.iterdir()) == []


def test_too_large_before_placing(built: Built, tmp_path: Path) -> None:
    _, report = built("icebreaker")
    small = dataclasses.replace(board("icebreaker").device, luts=50, flip_flops=50)
    target = dataclasses.replace(board("icebreaker"), device=small)
    with pytest.raises(DesignError, match=r"needs \d+ flip-flops, but icebreaker .* has 50"):
        place_module.place_seeds("tiny_board", target, tmp_path, needs=report["core"])


def test_too_large_for_the_placer(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "Info: Device utilisation:\nInfo:  ICESTORM_LC:    5411/   5280   102%\n"
        "Info:  SB_IO:       5/     39    12%\nERROR: Unable to place cell 'x', no BELs remaining\n"
    )
    with pytest.raises(DesignError, match=r"needs 5411 logic cells, but icebreaker .* has 5280"):
        place_module._too_large(log, board("icebreaker"))


def test_a_seed_that_does_not_end_is_replaced(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, _ = built("icebreaker")
    shutil.copy(out / "tiny_board.json", tmp_path)
    real = tools.run

    def first_is_slow(*args: Any, **kwargs: Any) -> tools.CompletedRun:
        if "1" in args[1]:
            raise ToolError("nextpnr-ice40 did not finish within 1 s")
        return real(*args, **kwargs)

    monkeypatch.setattr(tools, "run", first_is_slow)
    placement = place("tiny_board", board("icebreaker"), tmp_path, 1)
    assert placement.seed == 1001 and placement.given_up == (1,)


def test_a_real_timeout_is_one_sentence(built: Built, tmp_path: Path) -> None:
    out, _ = built("icebreaker")
    shutil.copy(out / "tiny_board.json", tmp_path)
    with pytest.raises(ToolError, match=r"nextpnr-ice40 did not finish .* within 0\.05 s"):
        place("tiny_board", board("icebreaker"), tmp_path, 1, timeout=0.05, retries=0)


@pytest.mark.slow
def test_fallback_to_noabc9_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = load_netlist
    calls: list[str] = []

    def wrong_once(path: Path, top: str) -> Netlist:
        module = real(path, top)
        if not calls:
            name = next(n for n, c in module["cells"].items() if c["type"] == "TRELLIS_FF")
            module["cells"]["twin"] = module["cells"][name]
        calls.append(top)
        return module

    monkeypatch.setattr(synth, "load_netlist", wrong_once)
    shutil.copy(TINY, tmp_path)
    core = synth.synthesize_core("tiny", board("ulx3s").device, tmp_path)
    assert core.command == "synth_ecp5 -noabc9"
    assert "driven by" in core.fallback and "twin" in core.fallback


@pytest.mark.slow
def test_a_miscompiled_product_is_refused(tmp_path: Path) -> None:
    """Two registers behind a product, the first not kept: Yosys loses the datapath on UP5K."""
    text = TINY.read_text()
    assert "(* keep *) reg" in text
    (tmp_path / "tiny.v").write_text(text.replace("(* keep *) reg", "reg"))
    with pytest.raises(ToolError, match=r"yosys miscompiled tiny: .*Driver-driver conflict"):
        synth.synthesize_core("tiny", board("icebreaker").device, tmp_path)


def test_constraints() -> None:
    assert "set_io clk 35" in constraints(BOARDS["icebreaker"])
    assert "set_io -pullup yes reset_n 10" in constraints(BOARDS["icebreaker"])
    assert 'LOCATE COMP "clk" SITE "G2";' in constraints(BOARDS["ulx3s"])
