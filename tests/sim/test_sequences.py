"""Benches of circuits that answer once per sequence: folded, parallel, and with a fault."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw import reference
from rchw.boards.package import port_metadata
from rchw.design import Segments
from rchw.errors import DesignError
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.cases import cases
from rchw.sim.job import Job, Phase
from rchw.sim.law import law_sha256
from rchw.sim.runner import build
from rchw.sim.stimulus import sequence_lengths, stimulus
from rchw.sim.testbench import write_vectors
from rchw.sim.top import top_of
from rchw.sim.verdict import Seen, judge, measure
from rchw.sim.verify import job_for
from tests.examples import CLASSES, SEGMENTS

TIES = replace(
    CLASSES,
    name="ties",
    readout=replace(CLASSES.readout, weights=CLASSES.readout.weights[:1] * 2),
)
SHIFTED = replace(
    SEGMENTS, name="shifted", readout=replace(SEGMENTS.readout, segments=Segments(4, 3))
)


def test_the_bench_passes_and_sees_a_fault(tmp_path: Path) -> None:
    """One program with two right circuits, and one whose segments are a sample too long."""
    right = (SEGMENTS, TIES)
    sources = [write_verilog(design, tmp_path) for design in (*right, SHIFTED)]
    jobs = [job_for(design, 96, 1)[0] for design in right]
    jobs.append(job_for(SEGMENTS, 96, 1, "shifted")[0])
    made = build(sources, [job.top for job in jobs], tmp_path / "simulation", optimize="-O0")
    records = made.run_all(jobs, witness=False)
    for design, record in zip(right, records, strict=False):
        assert record["verdict"] == "pass", record["sentence"]
        plain = record["phases"][0]
        assert plain["checked"] < plain["samples"]
        assert plain["clocks_per_sample"]["max"] == schedule(design).clocks
        assert plain["latency"]["min"] == plain["latency"]["max"] == latency(design)
        assert "whole sequences" in [phase["name"] for phase in record["phases"]]
    found = [row for row in cases(SEGMENTS, jobs[0], records[0]["phases"]) if row["count"]]
    assert any("rounding of output power" in row["case"] for row in found)
    assert records[2]["verdict"] == "fail" and "must be code" in records[2]["sentence"]


def seen(phase: Phase, beats: list[int], **changes: Any) -> Seen:
    """What a circuit of 3 clocks per sample and latency 5 shows that gives these answers."""
    places = phase.answered
    return replace(
        Seen(
            start=0,
            stop=len(phase.codes),
            cut=False,
            codes=phase.want[beats],
            lasts=[True] * len(beats),
            clocks_in=[3 * k for k in range(len(phase.codes))],
            clocks_out=[3 * int(places[k]) + 5 for k in range(len(beats))],
        ),
        **changes,
    )


def test_verdicts_name_the_sample() -> None:
    last = np.isin(np.arange(12), (2, 3, 7))
    codes = np.zeros((12, 2), dtype=np.int64)
    want = np.array([[1, 2], [3, 4], [5, 6]])
    phase = Phase("plain", codes, last, want)
    job = Job(top_of(SEGMENTS), (phase,))
    assert judge(job, phase, [seen(phase, [0, 1, 2])])["verdict"] == "pass"
    found = measure(job, phase, [seen(phase, [0, 1, 2])], {"s_stalls": 0, "m_stalls": 0})
    assert found["clocks_per_sample"] == {"min": 3, "max": 3, "mean": 3.0}
    assert found["latency"] == {"min": 5, "max": 5, "mean": 5.0} and found["checked"] == 3
    wrong = judge(job, phase, [seen(phase, [0, 2, 2])])
    assert wrong["mismatch"]["sample"] == 3 and "(power) at sample 3 must" in wrong["sentence"]
    lost = judge(job, phase, [seen(phase, [0, 1])])
    assert lost["mismatch"] == {"kind": "lost", "sample": 7, "want": 3, "got": 2}
    assert "every input beat with tlast must give one output beat, but 3 gave 2" in lost["sentence"]
    unmarked = judge(job, phase, [seen(phase, [0, 1, 2], lasts=[True, False, True])])
    assert "m_axis_tlast at sample 3 must be 1, not 0" in unmarked["sentence"]
    with pytest.raises(DesignError, match="must have as many codes as last flags"):
        Phase("plain", codes, last, want[:2])


def test_sequences_are_as_long_as_counters_may_get_wrong() -> None:
    lengths = set(sequence_lengths(Segments(4, 3), 400, np.random.default_rng(1)).tolist())
    assert {1, 2, 3, 4, 5, 11, 12, 13} <= lengths <= set(range(1, 25))
    _, last = stimulus(SEGMENTS, 200, np.random.default_rng(1))
    assert last[-1] and last.sum() > 20
    long = replace(SEGMENTS, readout=replace(SEGMENTS.readout, segments=Segments(100, 3)))
    whole = next(phase for phase in job_for(long, 48, 1)[0].phases if "whole" in phase.name)
    assert np.diff(whole.answered).tolist() == [101, 100, 99, 301, 300, 299]


def test_vectors_hold_an_answer_for_every_sequence(tmp_path: Path) -> None:
    beats, given, table = write_vectors(SEGMENTS, tmp_path, 64)
    rows = [row.split(",") for row in table.read_text().splitlines()]
    last = [row[2] == "1" for row in rows[1:]]
    assert [row[-1] != "" for row in rows[1:]] == last and rows[0][-2:] == ["power", "trend"]
    codes = np.array([row[:2] for row in rows[1:]], dtype=np.int64)
    want = reference.run(SEGMENTS, codes, last).outputs.tolist()
    assert [[int(code) for code in row[-2:]] for row in rows[1:] if row[-1]] == want
    assert len(given.read_text().splitlines()) == sum(last) < len(beats.read_text().splitlines())


def test_an_answer_has_one_lane_of_the_class() -> None:
    stream = port_metadata(CLASSES)["output_stream"]
    assert [(lane["name"], lane["format"]) for lane in stream["lanes"]] == [
        ("readout", "ufix1_en0")
    ]
    assert stream["tlast"] == "high: one beat per sequence"


def test_the_law_knows_when_a_design_answers() -> None:
    laws = {law_sha256(design) for design in (SEGMENTS, SHIFTED, CLASSES, TIES)}
    assert len(laws) == 4
