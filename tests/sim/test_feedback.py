"""Circuits that feed outputs back under the benches; the prover does not take them yet."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design
from rchw.document import save
from rchw.hdl.emit import write_verilog
from rchw.metrics import valid_prediction_time
from rchw.schedule import latency, schedule
from rchw.sim.cases import cases
from rchw.sim.law import law_sha256
from rchw.sim.rtl import run_rtl
from rchw.sim.runner import build
from rchw.sim.verify import job_for, verify
from rchw.tasks import Task, load_task
from rchw.train.generate import begun, free_runs, generator_design, lessons, teach
from rchw.train.readout import Fit
from tests.cli.command_line import call, refused
from tests.examples import FEEDBACK
from tests.loops import without_channels
from tests.train.test_generate import OPTIONS, POINT, matrix_generator, sines

GATES = replace(
    FEEDBACK,
    name="loop_gates",
    layers=(replace(FEEDBACK.driven, lanes=5),),
    readout=replace(FEEDBACK.readout, multipliers=FEEDBACK.n_products * FEEDBACK.n_outputs),
)
ALONE = replace(without_channels(FEEDBACK), name="alone")
IDLE = replace(
    ALONE, name="idle", feedback=tuple(replace(e, teacher=False) for e in ALONE.feedback)
)


LATE = (
    r"assign (i__payload\[\S+\]) = fed_0;",
    "reg [6:0] late; always @(posedge clk) if (left) late <= fed_0; assign \\1 = late;",
)
DEAF = (r"= teach_0 \? ", "= 1'b0 ? ")


def altered(name: str, folder: Path, change: tuple[str, str]) -> Design:
    """The example under another name, one line of the loop in its Verilog changed."""
    design = replace(FEEDBACK, name=name)
    source = write_verilog(design, folder)
    text, count = re.subn(*change, source.read_text(), count=1)
    assert count == 1
    source.write_text(text)
    return design


@pytest.mark.slow
def test_every_form_passes_and_faults_are_named(tmp_path: Path) -> None:
    """One program: folded and parallel, no channel, no lane at all; then planted faults.

    They are a weight of the feedback, a start that does not come back, a code that is one sample
    too old, and a teacher who is not heard.
    """
    first, second = FEEDBACK.feedback
    weights = (*first.weights[:3], 1, *first.weights[4:])
    wrong = [
        replace(FEEDBACK, name="weight", feedback=(replace(first, weights=weights), second)),
        replace(FEEDBACK, name="kept", reset_on_last=False),
        replace(FEEDBACK, name="start", feedback=(replace(first, initial=-8), second)),
    ]
    right = [FEEDBACK, GATES, ALONE, IDLE]
    for design in (*right, *wrong):
        write_verilog(design, tmp_path)
    wrong += [altered("late", tmp_path, LATE), altered("deaf", tmp_path, DEAF)]
    jobs = [job_for(design, 48, 1)[0] for design in right]
    jobs += [job_for(FEEDBACK, 48, 1, design.name)[0] for design in wrong]
    names = [design.name for design in (*right, *wrong)]
    sources = [tmp_path / f"{name}.v" for name in names]
    made = build(sources, [job.top for job in jobs], tmp_path / "simulation", optimize="-O0")
    found = dict(zip(names, made.run_all(jobs, witness=False), strict=True))
    for design in right:
        record = found[design.name]
        assert record["verdict"] == "pass", record["sentence"]
        plain = record["phases"][0]
        assert set(plain["clocks_per_sample"].values()) == {schedule(design).clocks}
        assert set(plain["latency"].values()) == {latency(design)}
    for design in wrong:
        assert re.match(r"output \d .* must be code", found[design.name]["sentence"])


@pytest.mark.slow
def test_the_record_names_the_unit_and_the_law(tmp_path: Path) -> None:
    """`verify` as a user has it, on a circuit with a wrong weight: the unit is found inside."""
    first, second = FEEDBACK.feedback
    weights = (*first.weights[:3], 1, *first.weights[4:])
    wrong = replace(FEEDBACK, feedback=(replace(first, weights=weights), second))
    assert law_sha256(wrong) != law_sha256(FEEDBACK)
    source = write_verilog(wrong, tmp_path / "wrong")
    record = verify(FEEDBACK, tmp_path / "out", samples=48, verilog=source)
    assert record["verdict"] == "fail" and record["unit"]["unit"] == 3, record["sentence"]


def test_cases_are_counted_with_what_is_fed(tmp_path: Path) -> None:
    """The sums of the cases are those of the run: the last state of every phase comes out."""
    job, _ = job_for(FEEDBACK, 200, 1)
    found = [{"verdict": "pass", "checked": len(p.codes), "stalls_out": 0} for p in job.phases]
    rows = {row["case"]: row["count"] for row in cases(FEEDBACK, job, found)}
    ties = [count for case, count in rows.items() if "state sums" in case]
    assert len(ties) == 2 and min(ties) > 0


def test_run_leaves_a_design_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From its reset, or behind rows that its teacher gives; and what cannot be is refused."""
    idle, alone, mixed = (save(d, tmp_path / f"{d.name}.json") for d in (IDLE, ALONE, FEEDBACK))
    done = call(capsys, "run", idle, "--steps", "30", "--codes", "--json")
    want = reference.run(IDLE, np.zeros((30, 1), dtype=int)).outputs
    assert done.record["rows"] == want.tolist() and done.record["steps"] == 30
    targets = np.arange(-8, 8)[:, None]
    np.save(tmp_path / "targets.npy", targets)
    words = ("run", alone, tmp_path / "targets.npy", "--steps", "20", "--codes", "--json")
    beats = np.zeros((36, 2), dtype=int)
    beats[:16] = np.concatenate([targets, np.ones_like(targets)], axis=1)
    assert call(capsys, *words).record["rows"] == reference.run(ALONE, beats).outputs.tolist()
    refused(capsys, ("run", alone), "input must be a file, or steps be given, not neither")
    refused(capsys, ("run", alone, "--steps", "0"), "steps must be at least 1, not 0")
    refused(capsys, ("run", mixed, "--steps", "9"), "for a design that has input channels, not 9")
    refused(capsys, ("run", idle, tmp_path / "targets.npy"), "whose beats hold nothing")


def generator(design: Design, task: Task) -> Design:
    """Its readout taught, of the lambda that stays longest; its reset is where that ends."""
    states = reference.run(design, lessons(design, task.targets)).states

    def rank(fit: Fit) -> tuple[float, float]:
        return free_runs(fit.design, task.targets, task.validation, 100, states).rank

    fits = teach(design, task.targets, slice(100, 600), noise=2.0**-8)
    return begun(min(fits, key=rank).design, task.targets[:600])


def test_a_generator_runs_alone_for_1000_steps(tmp_path: Path) -> None:
    """Two sines made by the reference and by the Verilog, the same codes to the last."""
    task = sines()
    design = generator(generator_design(OPTIONS, POINT, task.targets[task.train]), task)
    beats = reference.free_beats(design, 1000)
    found = run_rtl(design, write_verilog(design, tmp_path), beats, tmp_path / "simulation")
    want = reference.run(design, beats).outputs
    assert found.record["verdict"] == "pass" and np.array_equal(found.outputs, want)
    held = valid_prediction_time(design.decode(want[:300]), task.targets[600:900])
    assert held > 100, "it has learnt the series"


@pytest.mark.slow
def test_matrix_and_chaos_run_alone_for_1000_steps(tmp_path: Path) -> None:
    """Two sines of a matrix, folded, and Mackey-Glass of a parallel ring."""
    task = sines()
    chaos = load_task("mackey-glass", horizon=1, split=(600, 100, 100), washout=100)
    options = replace(OPTIONS, units=24, lanes=24, name="chaos")
    ring = generator(generator_design(options, POINT, chaos.targets[chaos.train]), chaos)
    assert schedule(ring).parallel == (ring.readout.multipliers == ring.n_products)
    for design in (generator(matrix_generator(task), task), ring):
        beats = reference.free_beats(design, 1000)
        source = write_verilog(design, tmp_path / design.name)
        found = run_rtl(design, source, beats, tmp_path / design.name / "simulation")
        want = reference.run(design, beats).outputs
        assert found.record["verdict"] == "pass" and np.array_equal(found.outputs, want)
        assert len(np.unique(want)) > 500, "no fixed point"
