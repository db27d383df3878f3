"""`verify` passes what is right, and names and shows what is wrong."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.design import LinearInput
from rchw.document import digest
from rchw.errors import DesignError, RchwError
from rchw.files import sha256_of, write_atomic
from rchw.fixed import QFormat
from rchw.hdl.emit import emit, write_verilog
from rchw.schedule import Schedule, latency, schedule
from rchw.sim.job import Job
from rchw.sim.life import show_sample
from rchw.sim.runner import Build, build
from rchw.sim.verdict import Seen, measure
from rchw.sim.verify import job_for, verify
from rchw.train import TrainOptions, train
from tests.examples import EXAMPLE
from tests.sim.conftest import Verified
from tests.sim.pair import pair
from tests.sim.test_testbench import ring
from tests.train.tiny import tiny_task

Verify = Callable[[int], Verified]


def test_evidence_of_a_right_circuit(verified: Verify) -> None:
    right = verified(2)
    record = right.record
    assert record["verdict"] == "pass", record["sentence"]
    assert record == json.loads((right.out / "verify.json").read_text())
    assert record["state_rails"] == {"low": "hit", "high": "hit"}
    assert record["clocks_per_sample"]["max"] == record["clocks_formula"] == 1
    assert record["checked"] > 500
    assert record["verilog_sha256"] == sha256_of(right.source)
    assert {"verilator", "cocotb", "amaranth", "numpy", "python"} <= set(record["tools"])
    assert "pair: phase resets done" in right.steps


def test_flipped_weight_bit_is_found(verified: Verify) -> None:
    record = verified(3).record
    assert record["verdict"] == "fail"
    assert record["sentence"].startswith("output 0 (y) at sample 0 must be code")
    assert "first unit that differs is not known: waveform must hold" in record["sentence"]
    assert record["unit"] is None, "in Verilog that is not ours"
    assert Path(record["waves"]).stat().st_size > 0
    assert str(Path(record["waves"])) in record["sentence"]
    assert record == json.loads((verified(3).out / "verify.json").read_text())


def test_the_unit_that_differs_is_in_the_record(tmp_path: Path) -> None:
    """A failing check is finished work: its record and waveform take the place of earlier ones."""
    layer = ring().ring
    bias = (*layer.bias[:3], layer.bias[3] + 1, layer.bias[4])
    wrong = replace(ring(), layers=(replace(layer, bias=bias),))
    source, out = write_verilog(wrong, tmp_path / "wrong"), tmp_path / "out"
    write_atomic(out / "verify.json", "earlier")
    record = verify(ring(), out, samples=48, verilog=source, shown=tmp_path / "moved")
    assert record["verdict"] == "fail" and record["unit"]["unit"] == 3
    assert "; inside, unit 3 at sample " in record["sentence"]
    assert record["sentence"].endswith(f"; waveform in {record['waves']}")
    assert record == json.loads((out / "verify.json").read_text())
    waves = Path(record["waves"])
    assert waves.is_relative_to(tmp_path / "moved")
    assert (out / waves.relative_to(tmp_path / "moved")).stat().st_size > 0
    assert not list(tmp_path.rglob(".part-*"))


def test_life_of_a_sample(verified: Verify) -> None:
    """In the program that showed the fault, as it can write waveforms."""
    wrong = verified(3)
    out = wrong.out / "simulation"
    life = show_sample(pair(), wrong.source, out, sample=3, extra=["x0", "fresh"])
    assert life["clock_out"] - life["clock_in"] == 1
    assert len(life["clock"]) == len(life["x0"]) == len(life["m_axis_tdata"]) == 6


def test_the_very_file_that_is_written(tmp_path: Path) -> None:
    """Without a file given, it is the design's own; a second run needs no second build."""
    design = ring()
    record = verify(design, tmp_path, samples=200, seed=2)
    assert record["verdict"] == "pass", record["sentence"]
    assert (tmp_path / "bench.v").read_text() == emit(design)
    assert record["verilog_sha256"] == sha256_of(tmp_path / "bench.v")
    assert record["digest"] == digest(design)
    clocks, delay = schedule(design).clocks, latency(design)
    assert record["clocks_per_sample"] == {"min": clocks, "max": clocks, "mean": clocks}
    assert record["latency"] == {"min": delay, "max": delay, "mean": delay}
    assert [phase["resets"] for phase in record["phases"]] == [0] * 8 + [8, 8]
    (program,) = tmp_path.rglob("simulator")
    made = program.stat().st_mtime_ns
    again = verify(design, tmp_path, samples=200, seed=2)
    assert program.stat().st_mtime_ns == made
    same = ("verdict", "checked", "clocks_per_sample", "latency", "state_rails")
    assert {key: again[key] for key in same} == {key: record[key] for key in same}


def test_a_result_that_is_lost_where_the_sink_stands_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example waits for its loop; here its sequencer holds in the last clock of the period."""
    monkeypatch.setattr(Schedule, "waits", False)
    job, _ = job_for(EXAMPLE, 48, 1)
    made = build([write_verilog(EXAMPLE, tmp_path)], [job.top], tmp_path / "simulation")
    found = made.run(job, witness=False)
    assert found["verdict"] == "fail"
    assert re.search(r"gave 4\d: sample \d+ or one before it was lost", found["sentence"])
    assert "phase source never, sink every:8:" in found["sentence"]


def test_trained_integer_weights_are_a_right_circuit(tmp_path: Path) -> None:
    """From a small task through the search to the Verilog of folded units."""
    options = TrainOptions(units=10, lanes=2, squares=True, weights="integer", name="drawn")
    design = train(tiny_task(), options)
    entry = design.ring.inputs[0]
    assert isinstance(entry, LinearInput) and len({abs(code) for code in entry.weights}) > 5
    record = verify(design, tmp_path, samples=96)
    assert record["verdict"] == "pass", record["sentence"]
    assert record["checked"] > 300


def test_bad_requests(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="samples must be at least 48, not 47"):
        verify(pair(), tmp_path, samples=47)
    (tmp_path / "file").write_text("")
    with pytest.raises(RchwError, match=r"file/out cannot be written: Not a directory"):
        verify(pair(), tmp_path / "file" / "out")


def test_unreachable_rails_are_told_apart() -> None:
    """A faint input cannot drive the two units to either end, and that is shown."""
    quiet = replace(pair().inputs[0], format=QFormat(3, 7))
    _, found = job_for(replace(pair(), inputs=(quiet,)), 48, 1)
    assert found["state_rails"] == {"low": "unreachable", "high": "unreachable"}
    told = {(row["what"], row["side"]): (row["status"], row["reason"]) for row in found["rails"]}
    assert told["states", "high"][0] == "not reachable"
    assert re.fullmatch(r"nothing can go past code \d+", str(told["states", "high"][1]))


def test_a_rail_that_the_circuit_does_not_come_to_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told by the record of the run, beside the comparison of all codes."""

    def short(self: Build, job: Job, **_: Any) -> dict[str, Any]:
        phases = [
            measure(job, phase, [Seen(0, 9, False, phase.want * 0 + 3, [], [0], [0])], stalls)
            | {"verdict": "pass", "mismatch": None, "sentence": None}
            for phase in job.phases
        ]
        return {"verdict": "pass", "sentence": None, "waves": None, "phases": phases}

    stalls = {"s_stalls": 0, "m_stalls": 0}
    source = write_verilog(ring(), tmp_path)
    made = Build((source,), (), tmp_path, source, False, (), (), 0.0)
    monkeypatch.setattr("rchw.sim.verify.build", lambda *a, **k: made)
    monkeypatch.setattr(Build, "run", short)
    record = verify(ring(), tmp_path / "out", samples=48)
    assert record["verdict"] == "fail"
    assert re.fullmatch(
        r"output z must come to the low rail, code 0, at sample \d+ of phase plain, but the "
        r"circuit does not \[design bench\]",
        record["sentence"],
    )


def test_a_seed_decides_the_stimulus() -> None:
    first, again, other = (job_for(pair(), 48, seed)[0] for seed in (1, 1, 2))
    assert all(
        np.array_equal(a.codes, b.codes) for a, b in zip(first.phases, again.phases, strict=True)
    )
    assert not np.array_equal(first.phases[0].codes, other.phases[0].codes)
