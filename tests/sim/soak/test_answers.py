"""A soak of circuits that answer once per sequence, or feed outputs back; and of faulty ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design, Segments
from rchw.hdl.emit import write_verilog
from rchw.schedule import schedule
from rchw.sim.soak.judge import judge
from rchw.sim.soak.program import Program
from rchw.sim.soak.run import soak
from rchw.sim.soak.stimulus import block
from tests.examples import CLASSES, FEEDBACK, SEGMENTS
from tests.sim.test_feedback import DEAF, GATES, IDLE, LATE, altered

SEED = 3
FAULTS = ("none", "surplus", "lost", "flag", "late", "slow")
_WRAPPER = """
module {name} (input aclk, aresetn, input [{i}:0] s_axis_tdata, input s_axis_tvalid, s_axis_tlast,
    output s_axis_tready, output [{o}:0] m_axis_tdata, output m_axis_tvalid, m_axis_tlast,
    input m_axis_tready);
    reg [31:0] fault, samples, beats;
    reg [7:0] wait_;
    initial if (!$value$plusargs("fault=%d", fault)) fault = 0;
    wire valid, last, ready, at = beats == 20;
    wire held = fault == 4 & at & !wait_[7], slow = fault == 5 & samples == 100 & !wait_[7];
    wire extra = fault == 1 & at & {when}, lost = fault == 2 & at;
    assign m_axis_tvalid = (valid & !lost & !held) | extra;
    assign m_axis_tlast = last ^ (fault == 3 & at);
    assign s_axis_tready = ready & !slow;
    wire leave = m_axis_tvalid & m_axis_tready;
    always @(posedge aclk) begin
        wait_ <= !aresetn | !(fault == 4 & at & valid | fault == 5 & samples == 100) ? 0
            : wait_ + !wait_[7];
        samples <= !aresetn ? 0 : samples + (s_axis_tvalid & s_axis_tready);
        beats <= !aresetn ? 0 : beats + (leave | lost & valid);
    end
    inner core (.aclk(aclk), .aresetn(aresetn), .s_axis_tdata(s_axis_tdata),
        .s_axis_tvalid(s_axis_tvalid & !slow), .s_axis_tlast(s_axis_tlast), .s_axis_tready(ready),
        .m_axis_tdata(m_axis_tdata), .m_axis_tvalid(valid), .m_axis_tlast(last),
        .m_axis_tready(m_axis_tready & !held & !extra | lost));
endmodule
"""


def with_faults(design: Design, folder: Path) -> Program:
    """The emitted circuit with faults around it, of which an argument of the run chooses one."""
    source = write_verilog(design, folder)
    text = source.read_text()
    assert text.count(f"module {design.name}(") == 1
    ports = [sum(8 * -(-lane.format.width // 8) for lane in lanes) - 1
             for lanes in (design.beat, design.readout.answers)]  # fmt: skip
    # Between answers to sequences no answer is due; in a loop it shows in the end.
    when = "samples % 16 == 3" if design.readout.pooled else "1"
    wrapper = _WRAPPER.format(name=design.name, i=ports[0], o=ports[1], when=when)
    source.write_text(text.replace(f"module {design.name}(", "module inner(") + wrapper)
    return Program.build(design, source, folder / "soak", optimize="-O0")


@pytest.fixture(scope="module")
def segments(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return with_faults(SEGMENTS, tmp_path_factory.mktemp("segments"))


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return with_faults(FEEDBACK, tmp_path_factory.mktemp("loop"))


def found_by(program: Program, fault: str = "none", jobs: int = 2) -> dict[str, Any] | None:
    heard = program.run(20_000, SEED, jobs, plus=[f"+fault={FAULTS.index(fault)}"])
    found = judge(program.design, program, heard, SEED)
    if found is not None:
        del found["stimulus"]
    return found


def answers_of(design: Design, index: int) -> tuple[Any, Any]:
    stimulus = block(design, SEED, index, schedule(design).clocks)
    return stimulus, np.flatnonzero(design.answered(stimulus.last))


def check_faults(program: Program) -> None:
    """Each has its sample and its sentence: beats are counted, samples are named."""
    design = program.design
    assert found_by(program) is None
    what = "every input beat with tlast must" if design.readout.pooled else "every input beat must"
    expected = {
        "surplus": ("protocol", "every output beat must follow its input beat"),
        # In a loop the next sample goes in, and its answer comes in place of the lost one.
        "lost": ("late", "a beat must come") if design.feedback else ("lost", what),
        "flag": ("last", "m_axis_tlast at sample "),
        "late": ("late", "a beat must come out within "),
    }
    for fault, (kind, text) in expected.items():
        found = found_by(program, fault)
        assert found is not None and found["kind"] == kind, (fault, found)
        assert found["sentence"].startswith(text), found["sentence"]
        _, asked = answers_of(design, found["block"])
        if fault != "surplus" or design.readout.pooled:
            assert found["sample"] in (asked[20], asked[21]), (fault, found["sample"], asked[20])
        assert found == found_by(program, fault, jobs=1)
    slow = found_by(program, "slow")
    assert slow is not None and (slow["kind"], slow["sample"]) == ("slow", 100)


def test_once_per_sequence(segments: Program) -> None:
    check_faults(segments)
    heard = segments.run(20_000, SEED, 2)
    assert heard.done["samples"] == 20_000 and 1000 < heard.done["checked"] < 10_000
    assert heard.done["checked"] <= heard.done["last_flags"]


def test_answers_of_another_design_are_caught_at_their_sample(segments: Program) -> None:
    """The program holds the circuit against a file whose segments are a sample longer."""
    longer = replace(SEGMENTS, readout=replace(SEGMENTS.readout, segments=Segments(4, 3)))
    other = segments.for_design(longer)
    found = judge(longer, other, other.run(20_000, SEED, 2), SEED)
    assert found is not None and found["kind"] == "code"
    stimulus, asked = answers_of(SEGMENTS, found["block"])
    ours, theirs = (
        reference.run(design, stimulus.codes, stimulus.last).outputs
        for design in (SEGMENTS, longer)
    )
    place = int(np.flatnonzero((ours != theirs).any(axis=1))[0])
    assert found["sample"] == asked[place]
    assert (found["got"], found["want"]) == tuple(
        int(codes[place, found["output"]]) for codes in (ours, theirs)
    )


def test_a_run_without_an_end_has_no_answer(segments: Program, tmp_path: Path) -> None:
    """Nothing is compared, and the record says so; what comes all the same is a fault."""
    codes = np.zeros((50, 2), dtype=np.int64)
    endless = segments.fed(codes, np.zeros(50, dtype=bool))
    heard = endless.run(5000, SEED, 1)
    assert judge(SEGMENTS, endless, heard, SEED) is None
    assert heard.done["checked"] == 0 and heard.done["outputs"] == []


@pytest.mark.slow
def test_outputs_that_are_fed_back(loop: Program) -> None:
    check_faults(loop)
    first, second = FEEDBACK.feedback
    for entries in (
        (replace(first, initial=8), second),
        (first, replace(second, weights=(-7, 3, 9, -2, 2))),
    ):
        other = replace(FEEDBACK, feedback=entries)
        program = loop.for_design(other)
        found = judge(other, program, program.run(20_000, SEED, 2), SEED)
        assert found is not None and found["kind"] == "code"


@pytest.mark.slow
@pytest.mark.parametrize("design", [CLASSES, GATES, IDLE], ids=lambda design: str(design.name))
def test_other_forms_pass(design: Design, tmp_path: Path) -> None:
    record = soak(design, tmp_path, samples=30_000, optimize="-O0")
    assert record["verdict"] == "pass", record["sentence"]
    assert [row["name"] for row in record["outputs"]] == [
        answer.name for answer in design.readout.answers
    ]


@pytest.mark.slow
@pytest.mark.parametrize("change", [LATE, DEAF], ids=["late", "deaf"])
def test_a_broken_loop_shows_again(change: tuple[str, str], tmp_path: Path) -> None:
    """A code that is one sample too old, and a teacher who is not heard; the unit is found."""
    name = FEEDBACK.name
    altered(name, tmp_path, change)
    record = soak(
        FEEDBACK, tmp_path / "out", samples=5000, verilog=tmp_path / f"{name}.v", optimize="-O0"
    )
    assert record["verdict"] == "fail" and record["reproduced"], record["sentence"]
    assert record["unit"] is not None


@pytest.mark.slow
def test_a_wrong_answer_shows_again(tmp_path: Path) -> None:
    """The states are right, so the readout is told."""
    longer = replace(SEGMENTS, readout=replace(SEGMENTS.readout, segments=Segments(4, 3)))
    source = write_verilog(longer, tmp_path)
    record = soak(SEGMENTS, tmp_path / "out", samples=5000, verilog=source, optimize="-O0")
    assert record["verdict"] == "fail" and record["reproduced"], record["sentence"]
    assert "inside, all states up to there are right, so the readout differs" in record["sentence"]
