"""A board that tests a design by itself: it passes what is right, and fails all that is not."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import reference, tools
from rchw.boards.netlist import VERILATOR_WAIVERS, netlist_sources
from rchw.boards.of_design import build_design
from rchw.boards.self_test import self_test_verilog
from rchw.boards.wrapper import WRAPPER_PORTS
from rchw.design import Design, Segments
from rchw.devices import BOARDS
from rchw.errors import DesignError
from rchw.files import sha256_of
from rchw.hdl.emit import write_verilog
from rchw.process import run_program
from rchw.sim.compile import compile_simulator
from rchw.sim.soak.signature import HELD, Plan, beats, plan_test
from tests.examples import CLASSES, EXAMPLE, FEEDBACK, SEGMENTS
from tests.sim.pair import VERILOG, pair
from tests.sim.soak.test_soak import wide
from tests.sim.test_feedback import GATES

MAIN = Path(__file__).parent / "self_test" / "main.cpp"
PLAN = plan_test(EXAMPLE, samples=128, blocks=4)


def ends(core: Path, design: Design, plan: Plan, *given: str, clocks: int = 60_000) -> str:
    """How it ends: ``passed`` or ``failed`` as the two outputs tell, or ``neither``."""
    folder = core.parent
    board = folder / f"{design.name}_board.v"
    board.write_text(self_test_verilog(design, plan, blackbox=False))
    top = f"{design.name}_board"
    program = compile_simulator([core, board], top, folder / "sim", optimize="-O0", main=MAIN)
    return said_by(program, folder, *given, clocks=clocks)


def said_by(program: Path, folder: Path, *given: str, clocks: int) -> str:
    said = run_program(
        "the board", program, [str(clocks), *(given or ("right",))], cwd=folder,
        log=folder / "board.log",
    ).text.split()  # fmt: skip
    return {("0", "0"): "passed", ("1", "1"): "failed", ("1", "0"): "neither"}[said[1], said[2]]


def test_the_example_passes_and_the_planted_fault_fails(tmp_path: Path) -> None:
    """Folded, with pauses; two rounds of all blocks fit into neither of the clocks given."""
    core = write_verilog(EXAMPLE, tmp_path)
    assert ends(core, EXAMPLE, PLAN) == "passed"
    assert ends(core, EXAMPLE, PLAN, "fault") == "failed"
    assert ends(core, EXAMPLE, PLAN, clocks=3000) == "neither", "in the middle of the first round"


def test_a_wrong_circuit_fails(tmp_path: Path) -> None:
    layer = replace(EXAMPLE.ring, bias=(2, 0, -3, 1, 4))
    core = write_verilog(replace(EXAMPLE, layers=(layer,)), tmp_path)
    assert ends(core, EXAMPLE, PLAN) == "failed"


@pytest.mark.slow
def test_each_signature_is_compared(tmp_path: Path) -> None:
    """One bit of one signature wrong, in each block."""
    core = write_verilog(EXAMPLE, tmp_path)
    for block in range(4):
        rows = [list(row) for row in PLAN.signatures]
        rows[block][0] ^= 1 << (17 * block)
        wrong = replace(PLAN, signatures=tuple(tuple(row) for row in rows))
        assert ends(core, EXAMPLE, wrong) == "failed", block


@pytest.mark.slow
def test_wide_ports(tmp_path: Path) -> None:
    """Several generators and several signatures, parallel, not reset by `tlast`."""
    plan = plan_test(wide(), samples=256, blocks=8)
    assert len(plan.starts) == 2 and len(plan.signatures[0]) == 2
    core = write_verilog(wide(), tmp_path)
    assert ends(core, wide(), plan) == "passed"
    assert ends(core, wide(), plan, "fault") == "failed"


def test_answers_to_sequences(tmp_path: Path) -> None:
    """Fewer answers than samples, in blocks of their own; one segment longer is another circuit."""
    plan = plan_test(SEGMENTS, samples=1024, blocks=4)
    assert 4 <= plan.answers < plan.samples
    core = write_verilog(SEGMENTS, tmp_path)
    assert ends(core, SEGMENTS, plan) == "passed"
    assert ends(core, SEGMENTS, plan, "fault") == "failed"
    longer = replace(SEGMENTS, readout=replace(SEGMENTS.readout, segments=Segments(4, 3)))
    other = plan_test(longer, samples=1024, blocks=4)
    assert all(a != b for a, b in zip(other.signatures, plan.signatures, strict=True))
    rows = (*plan.signatures[:3], other.signatures[3])
    assert ends(core, SEGMENTS, replace(plan, signatures=rows)) == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("design", [CLASSES, FEEDBACK, GATES], ids=lambda design: str(design.name))
def test_classes_and_loops(design: Design, tmp_path: Path) -> None:
    """One signature wrong is a failure; the planted fault turns what the loop gives out alone."""
    plan = plan_test(design, samples=512, blocks=4)
    core = write_verilog(design, tmp_path)
    assert ends(core, design, plan) == "passed"
    assert ends(core, design, plan, "fault") == "failed"
    wrong = ((plan.signatures[0][0] ^ 1,), *plan.signatures[1:])
    assert ends(core, design, replace(plan, signatures=wrong)) == "failed"


@pytest.mark.slow
def test_a_circuit_without_answers_fails(tmp_path: Path) -> None:
    """It takes all samples, and stands still in the end."""
    plan = plan_test(SEGMENTS, samples=512, blocks=4)
    core = write_verilog(SEGMENTS, tmp_path)
    given = r"(assign i__payload\[8\] = )s_axis_tlast;"
    text, count = re.subn(given, r"\g<1>1'h0;", core.read_text())
    assert count == 1
    core.write_text(text)
    assert ends(core, SEGMENTS, plan, clocks=2_200_000) == "failed"


@pytest.mark.slow
def test_a_circuit_that_hangs_fails(tmp_path: Path) -> None:
    """After 2**21 clocks without a result."""
    core = tmp_path / "pair.v"
    plan = plan_test(pair(), samples=64, blocks=2)
    text = VERILOG.replace("WEIGHT", "2")
    core.write_text(text)
    assert ends(core, pair(), plan) == "passed"
    ready = "s_axis_tready = m_axis_tready | !m_axis_tvalid;"
    assert text.count(ready) == 1
    core.write_text(text.replace(ready, "s_axis_tready = 0;"))
    assert ends(core, pair(), plan, clocks=2_000_000) == "neither"
    assert ends(core, pair(), plan, clocks=2_200_000) == "failed"


def test_the_beats_go_to_the_rails() -> None:
    """Every second block holds them; the others have all codes of each channel."""
    for design in (EXAMPLE, wide()):
        plan = plan_test(design, samples=512, blocks=4)
        codes, last = beats(design, plan.starts, 512, 4)
        assert len(codes) == len(last) == 2048 and 0.005 < last[:512].mean() < 0.04
        for k, channel in enumerate(design.inputs):
            fmt = channel.format
            free, held = codes[:512, k], codes[512:1024, k].reshape(-1, HELD)
            assert free.min() >= fmt.min and free.max() <= fmt.max
            assert np.all(held == held[:, :1])
            assert set(held[:, 0].tolist()) == {fmt.min, fmt.max}
            wanted = min(1 << fmt.width, 16)
            assert len(set(free.tolist())) >= wanted
        rails = last[512:1024].reshape(-1, HELD)
        assert not rails[:, :-1].any()
        assert np.array_equal(codes, beats(design, plan.starts, 512, 4)[0])


def test_a_signature_depends_on_every_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """One code of one sample changed, and all signatures from that block on are others."""
    usual = reference.run

    def wrong(design: Design, codes: NDArray[np.int64], last: NDArray[np.bool_]) -> reference.Trace:
        trace = usual(design, codes, last)
        outputs = trace.outputs.copy()
        outputs[200, 1] ^= 1
        return replace(trace, outputs=outputs)

    monkeypatch.setattr("rchw.sim.soak.signature.reference.run", wrong)
    other = plan_test(EXAMPLE, samples=128, blocks=4)
    assert other.signatures[0] == PLAN.signatures[0]
    assert all(a != b for a, b in zip(other.signatures[1:], PLAN.signatures[1:], strict=True))
    assert plan_test(EXAMPLE, samples=128, blocks=4, seed=2).starts != PLAN.starts


def test_the_ports_are_those_of_every_wrapper() -> None:
    text = self_test_verilog(EXAMPLE, PLAN)
    head = text[text.index("module example_board") :].partition(");")[0]
    assert all(f" {port}" in head for port in WRAPPER_PORTS)
    assert text.startswith("(* blackbox *)\nmodule example (")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"samples": 100}, "samples must be a power of two from 64, not 100"),
        ({"samples": 32}, "samples must be a power of two from 64, not 32"),
        ({"blocks": 1}, "blocks must be a power of two from 2, not 1"),
        (
            {"blocks": 2, "samples": 64, "seed": 2},
            "samples must be enough for 4 sequences to end in 2 blocks, not 64, in which 0 do",
        ),
    ],
)
def test_bad_plans(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(DesignError) as caught:
        plan_test(SEGMENTS, **options)
    assert str(caught.value) == sentence


@pytest.mark.slow
@pytest.mark.parametrize("board", ["icebreaker", "ulx3s"])
def test_a_bitstream(board: str, tmp_path: Path) -> None:
    """The cells that were placed, wrapper and core, pass; with the planted fault they fail."""
    report = build_design(EXAMPLE, board, tmp_path, self_test=True)
    assert report["clock"]["meets_board_clock"]
    assert report["wrapper"]["sha256"] == sha256_of(tmp_path / "example_board.v")
    text = (tmp_path / "example_board.v").read_text()
    assert text == self_test_verilog(EXAMPLE, plan_test(EXAMPLE))
    assert (tmp_path / report["bitstream"]["file"]).stat().st_size > 1000
    top, netlist = "example_board", "example_board_netlist.v"
    (tmp_path / "netlist.ys").write_text(f"read_json {top}.json\nwrite_verilog -noattr {netlist}\n")
    yosys, log = tools.find("yosys"), tmp_path / "netlist.log"
    tools.run(yosys, ["-q", "-s", "netlist.ys"], cwd=tmp_path, log=log)
    family = BOARDS[board].device.family
    sources = netlist_sources(tmp_path / netlist, top, family, tmp_path).sources
    waived = [argument.removeprefix("-Wno-") for argument in VERILATOR_WAIVERS]
    program = compile_simulator(list(sources), top, tmp_path / "sim", allow=waived, main=MAIN)
    assert said_by(program, tmp_path, clocks=1_000_000) == "passed"
    assert said_by(program, tmp_path, "fault", clocks=1_000_000) == "failed"
