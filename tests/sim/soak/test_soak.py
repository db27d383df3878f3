"""A whole soak: emitted Verilog, record, and what is shown of a circuit that fails."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from rchw import reference
from rchw.activation import tanh_table
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.document import digest
from rchw.errors import DesignError, RchwError, ToolError
from rchw.files import sha256_of, write_atomic
from rchw.fixed import QFormat
from rchw.hdl.emit import emit, write_verilog
from rchw.schedule import possible_multipliers, schedule
from rchw.sim.soak.data import Data
from rchw.sim.soak.judge import judge
from rchw.sim.soak.program import Program
from rchw.sim.soak.replay import pieces, replay
from rchw.sim.soak.run import soak
from rchw.sim.soak.stimulus import block
from tests.designs import designs
from tests.examples import EXAMPLE
from tests.sim.pair import pair
from tests.sim.soak.faulty import FAULTS, HIDDEN, KEY, faulty
from tests.sim.test_testbench import ring


def wide() -> Design:
    """Build a parallel circuit with ports of more than 64 bits, which `tlast` does not reset."""
    rng = np.random.default_rng(8)
    units, state, weights = 6, QFormat(11, 9), QFormat(5, 3)

    def some(count: int) -> tuple[int, ...]:
        return tuple(int(code) for code in rng.integers(weights.min, weights.max + 1, count))

    formats = [QFormat(9, 7), QFormat(3, 1, False), QFormat(24, 22), QFormat(17, 15)]
    channels = tuple(InputChannel(f"u{k}", formats[k % 4]) for k in range(6))
    layer = RingLayer(
        n_units=units,
        state=state,
        tap_format=weights,
        taps=(Tap(1, some(units)), Tap(4, some(units))),
        inputs=tuple(LinearInput(weights, some(units)) for _ in channels),
        bias_format=weights,
        bias=some(units),
        activation=tanh_table(state, 6)[0],
        leak_shift=2,
        initial_state=tuple(range(units)),
        lanes=units,
    )
    outputs = tuple(Output(f"y{k}", QFormat(21 - k, 12 - k, k != 1)) for k in range(5))
    rows = tuple(some(units + 1) for _ in outputs)
    readout = Readout(outputs, weights, rows)
    design = Design("wide", channels, (layer,), Features(), readout, reset_on_last=False)
    most = possible_multipliers(units, design)[-1]
    return replace(design, readout=replace(readout, multipliers=most))


def test_wide_ports_and_the_record(tmp_path: Path) -> None:
    design, steps = wide(), list[str]()
    options: dict[str, Any] = {"samples": 30_000, "seed": 4, "optimize": "-O0"}
    record = soak(design, tmp_path, progress=steps.append, **options)
    assert record["verdict"] == "pass", record["sentence"]
    assert record == json.loads((tmp_path / "soak.json").read_text())
    assert schedule(design).parallel
    assert (tmp_path / "wide.v").read_text() == emit(design)
    assert record["kind"] == "soak" and record["seed"] == 4 and record["digest"] == digest(design)
    assert record["verilog_sha256"] == sha256_of(tmp_path / "wide.v")
    assert {"verilator", "c++", "amaranth", "numpy", "python"} == set(record["tools"])
    assert record["samples"] == 30_000 <= record["checked"] <= record["sent"] < 31_000
    assert record["resets"] > record["blocks"] > 3 and record["last_flags"] > 0
    assert min(record["stalls_in"], record["stalls_out"]) > 0 and record["audited"] > 5000
    assert [row["name"] for row in record["outputs"]] == [f"y{k}" for k in range(5)]
    assert all(row["least"] < row["greatest"] for row in record["outputs"])
    assert "compiling wide.v" in steps
    (program,) = tmp_path.rglob("simulator")
    made = program.stat().st_mtime_ns
    again = soak(design, tmp_path, jobs=1, **options)
    assert program.stat().st_mtime_ns == made, "a second run needs no second build"
    same = ("blocks", "samples", "sent", "checked", "clocks", "outputs", "states", "audited")
    assert {key: again[key] for key in same} == {key: record[key] for key in same}
    assert record["input"] is None
    low = [channel.format.min for channel in design.inputs]
    codes = np.random.default_rng(1).integers(0, 4, (100, 6)) + low
    last = np.arange(100) % 50 == 49
    origin = {"file": "a.csv", "sha256": "of the file"}
    fed = soak(design, tmp_path, **options, codes=codes, last=last, origin=origin)
    assert fed["verdict"] == "pass", fed["sentence"]
    assert fed == json.loads((tmp_path / "soak.json").read_text())
    assert fed["input"] == {
        "file": "a.csv", "sha256": "of the file", "rows": 100, "tlast": "marked",
        "codes_sha256": Data.of(design, codes, last).sha256(),
    }  # fmt: skip
    assert fed["samples"] // 50 - 30 < fed["last_flags"] < fed["samples"] // 50 + 30
    assert fed["audited"] == record["audited"] and fed["outputs"] != record["outputs"]
    assert program.stat().st_mtime_ns == made and not list(tmp_path.rglob("data*"))


def test_a_wrong_unit_is_named(tmp_path: Path) -> None:
    """A failing soak is finished work: its record and waveform take the place of earlier ones."""
    layer = ring().ring
    bias = (*layer.bias[:3], layer.bias[3] + 1, layer.bias[4])
    wrong = replace(ring(), layers=(replace(layer, bias=bias),))
    source, out = write_verilog(wrong, tmp_path / "wrong"), tmp_path / "out"
    write_atomic(out / "soak.json", "earlier")
    record = soak(
        ring(), out, samples=5000, verilog=source, optimize="-O0", shown=tmp_path / "moved"
    )
    assert record["verdict"] == "fail" and record["mismatch"]["kind"] == "code"
    assert record["unit"]["unit"] == 3 and record["reproduced"]
    start = f"output 0 (y) at sample {record['mismatch']['sample']} must be code "
    assert record["sentence"].startswith(start)
    block_of = f"[design bench, block {record['mismatch']['block']} of seed 1"
    assert block_of in record["sentence"]
    assert "; inside, unit 3 at sample " in record["sentence"]
    assert record["sentence"].endswith(f"; waveform in {record['waves']}")
    assert record == json.loads((out / "soak.json").read_text())
    waves = Path(record["waves"])
    assert (out / waves.relative_to(tmp_path / "moved")).stat().st_size > 0
    assert not list(tmp_path.rglob(".part-*"))
    page = (Path(__file__).parents[3] / "docs/soak.md").read_text(encoding="utf-8")
    said = record["sentence"].replace(str(tmp_path / "moved"), "OUT")
    assert said in " ".join(page.split()), "the page quotes it"
    codes = np.array([[5, 1], [0, 0], [-9, 2], [3, 3], [3, 3], [-2, 1], [7, 0]])
    fed = soak(ring(), out, samples=5000, verilog=source, optimize="-O0", codes=codes)
    assert fed["unit"]["unit"] == 3 and fed["reproduced"] and fed["verdict"] == "fail"
    found = fed["mismatch"]
    stimulus = block(ring(), 1, found["block"], schedule(ring()).clocks, fed=Data.of(ring(), codes))
    assert codes[found["row"]].tolist() == stimulus.codes[found["sample"]].tolist()
    upto = found["sample"] + 1
    ours, theirs = (
        reference.run(design, stimulus.codes[:upto], stimulus.last[:upto]).outputs[:, 0]
        for design in (ring(), wrong)
    )
    assert (found["want"], found["got"]) == (ours[-1], theirs[-1])
    assert np.array_equal(ours[:-1], theirs[:-1])
    assert f", row {found['row']} of the data]; inside, unit 3 at sample " in fed["sentence"]


def test_a_failure_that_cannot_be_repeated_is_still_told(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any, **__: Any) -> NoReturn:
        raise ToolError("the shared library of Python (libpython) is missing")

    heard = program.run(5000, 3, 1, plus=[f"+fault={FAULTS.index('wrong last')}"])
    monkeypatch.setattr(Program, "build", lambda *_, **__: program)
    monkeypatch.setattr(Program, "run", lambda *_, **__: heard)
    monkeypatch.setattr("rchw.sim.soak.replay.build", missing)
    record = soak(pair(), tmp_path, samples=5000, seed=3)
    assert record["verdict"] == "fail" and record["reproduced"] is None
    assert record["mismatch"] == {
        "kind": "last", "block": 0, "sample": 30, "early": True, "want": 0, "got": 1,
    }  # fmt: skip
    assert record["sentence"] == (
        "m_axis_tlast at sample 30 must be 0, not 1 [design pair, block 0 of seed 3, before its "
        "reset]; it could not be repeated under cocotb: the shared library of Python (libpython) "
        "is missing"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("drops valid", "it showed again under cocotb in "),
        ("never ready again", "it showed again under cocotb in the block from its beginning"),
        ("wrong code", "is not known: waveform must hold"),
    ],
)
def test_faults_are_shown_again(fault: str, told: str, tmp_path: Path) -> None:
    source = tmp_path / "pair.v"
    source.write_text(faulty().replace("fault = 0;", f"fault = {FAULTS.index(fault)};"))
    record = soak(pair(), tmp_path / "out", samples=20_000, seed=3, verilog=source, optimize="-O0")
    assert record["verdict"] == "fail"
    assert told in record["sentence"]


@pytest.mark.slow
def test_a_fault_that_only_data_reach_is_shown_again(tmp_path: Path) -> None:
    source = tmp_path / "pair.v"
    source.write_text(faulty().replace("fault = 0;", f"fault = {HIDDEN};"))
    codes = np.random.default_rng(4).integers(-128, 128, (300, 1))
    codes[[-1, 0, 1], 0] = KEY
    record = soak(
        pair(), tmp_path / "out", samples=20_000, seed=3, verilog=source, optimize="-O0",
        codes=codes,
    )  # fmt: skip
    assert record["verdict"] == "fail" and record["reproduced"] and record["mismatch"]["row"] == 1
    assert ", row 1 of the data" in record["sentence"]


@pytest.mark.slow
def test_what_does_not_show_again_is_told(tmp_path: Path) -> None:
    """The circuit is right, so cocotb finds nothing in either piece of the block."""
    source = tmp_path / "pair.v"
    source.write_text(faulty())
    stimulus = block(pair(), 3, 1, 1)
    found = replay(pair(), [source], stimulus, 300, False, tmp_path / "simulation")
    assert found["reproduced"] is False and found["unit"] is found["waves"] is None
    assert found["told"].startswith("it did not show again under cocotb")


def test_what_is_repeated_of_a_block() -> None:
    """Its sequence alone where that can be, then all up to there, resets and pauses included."""
    clocks = schedule(EXAMPLE).clocks
    index, sample = 0, 400
    while block(EXAMPLE, 1, index, clocks).before == 0:
        index += 1
    stimulus = block(EXAMPLE, 1, index, clocks)
    stimulus = replace(stimulus, last=np.isin(np.arange(len(stimulus.last)), [5, 99, 400]))
    alone, whole = pieces(EXAMPLE, stimulus, sample, early=False)
    assert alone.start == 100 and len(alone.phase.codes) == 365
    assert np.array_equal(alone.phase.codes, stimulus.codes[100:465])
    assert whole.start == -stimulus.before
    assert whole.phase.resets == ((stimulus.before - 1, stimulus.clocks),)
    rows = [*range(stimulus.before), *range(465)]
    assert np.array_equal(whole.phase.codes, stimulus.codes[rows])
    assert whole.phase.sink == "list:" + ",".join(map(str, stimulus.sink[rows].tolist()))
    (early,) = pieces(EXAMPLE, stimulus, 0, early=True)
    assert len(early.phase.codes) == stimulus.before and early.start == 0
    held = replace(EXAMPLE, reset_on_last=False)
    assert len(pieces(held, stimulus, sample, early=False)) == 1


BAD: dict[str, dict[str, Any]] = {
    "samples must be at least 1, not 0": {"samples": 0},
    f"samples must be below 2**63, not {1 << 63}": {"samples": 1 << 63},
    "seed must be from 0 to 2**63 - 1, not -1": {"seed": -1},
    "jobs must be from 1 to 1024, not 0": {"jobs": 0},
    "last flags must be left out without codes, not given": {"last": [True]},
    "input u at sample 1 must be from -128 to 127 (sfix8_en7), not 128": {"codes": [[0], [128]]},
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_requests(sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DesignError) as caught:
        soak(pair(), tmp_path / "out", **{"samples": 9, **BAD[sentence]})
    assert str(caught.value) == sentence
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_earlier_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any, **__: Any) -> NoReturn:
        raise KeyboardInterrupt

    for name in ("soak.json", "pair.v"):
        write_atomic(tmp_path / name, "earlier")
    for step in ("build", "run"):
        with monkeypatch.context() as patch:
            made = Program(pair(), tmp_path / "none", tmp_path / "none", 0.0)
            patch.setattr(Program, "build", lambda *_, made=made, **__: made)
            patch.setattr(Program, step, interrupt)
            with pytest.raises(KeyboardInterrupt):
                soak(pair(), tmp_path, samples=9)
        found = {path.name: path.read_text() for path in tmp_path.iterdir()}
        assert found == {"soak.json": "earlier", "pair.v": "earlier"}


def test_a_program_that_does_not_come_to_its_end(program: Program, tmp_path: Path) -> None:
    """As on a full disk: what it says is cut short, or it cannot be started at all."""
    script = tmp_path / "simulator"
    script.write_text("#!/bin/sh\necho '@block {\"block\": 0}'\n")
    script.chmod(0o755)
    with pytest.raises(RchwError, match="the soak did not write all of its output into "):
        replace(program, path=script).run(10, 1, 1)
    with pytest.raises(RchwError, match=r"the soak could not be run in .*: No such file"):
        replace(program, path=tmp_path / "gone").run(10, 1, 1)


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(design=designs())
def test_circuits_of_many_designs(tmp_path_factory: pytest.TempPathFactory, design: Design) -> None:
    folder = tmp_path_factory.mktemp("many")
    made = Program.build(design, write_verilog(design, folder), folder / "soak", optimize="-O0")
    assert judge(design, made, made.run(60_000, 1, 2), 1) is None
