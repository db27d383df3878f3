"""What a soak finds: each planted fault, at the right sample, with its own sentence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import reference
from rchw.activation import PiecewiseLinear
from rchw.design import Design
from rchw.errors import ToolError
from rchw.fixed import QFormat, Rounding
from rchw.hdl.emit import write_verilog
from rchw.schedule import schedule
from rchw.sim.soak.judge import judge
from rchw.sim.soak.program import Heard, Program
from rchw.sim.soak.stimulus import block
from tests.examples import EXAMPLE
from tests.sim.pair import pair
from tests.sim.soak.faulty import FAULTS, HIDDEN, KEY
from tests.sim.soak.test_interpreter import WRONG

SEED = 3
EXPECTED = {
    "drops valid": ("protocol", 3072, "m_axis_tvalid must stay high until m_axis_tready, but it"),
    "changes data": ("protocol", 3072, "m_axis_tdata must stay stable while m_axis_tready is low"),
    "changes last": ("protocol", 3072, "m_axis_tlast must stay stable while m_axis_tready is low"),
    "surplus beat": ("protocol", 101, "every output beat must follow its input beat, but one"),
    "waits for ready": ("protocol", 3072, "m_axis_tvalid must not wait for m_axis_tready, but it"),
    "waits for a ready seen before": ("slow", 2, "a sample must go in every 1 clocks while"),
    "loses a sample": (
        "lost", 301, "every input beat must give one output beat, but of 512 one is missing: "
        "sample 301 or one before it was lost",
    ),
    "never ready again": (
        "stuck", 601, "s_axis_tready must rise within 2008 clocks, but sample 601 still waits",
    ),
    "wrong last": ("last", 30, "m_axis_tlast at sample 30 must be 0, not 1 [design pair, block"),
    "wrong code": ("code", 400, "output 0 (y) at sample 400 must be code 175 (value 1.3671875)"),
    "ignores reset": ("code", 0, "output 0 (y) at sample 0 must be code"),
    "a late beat": (
        "late", 200, "a beat must come out within 7 clocks while the output does not pause, but "
        "sample 200 took longer",
    ),
    "a slow sample": (
        "slow", 201, "a sample must go in every 1 clocks while neither side pauses, but sample 201 "
        "waited longer",
    ),
    "extends wrongly": ("code", 0, "output 0 (y) at sample 0 must be code"),
}  # fmt: skip


def found_by(program: Program, fault: str, jobs: int = 2, at: int = 400) -> dict[str, Any] | None:
    plus = [f"+fault={FAULTS.index(fault)}", f"+at={at}"]
    heard = program.run(100_000, SEED, jobs, plus=plus)
    found = judge(pair(), program, heard, SEED)
    if found is not None:
        del found["stimulus"]
    return found


def test_all_faults_have_their_expectation() -> None:
    assert set(EXPECTED) == set(FAULTS) - {"none"}


def test_a_right_circuit_passes(program: Program) -> None:
    assert found_by(program, "none") is None


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_fault_has_its_own_sentence(program: Program, fault: str) -> None:
    """The same one, whatever the number of threads."""
    kind, sample, text = EXPECTED[fault]
    found = found_by(program, fault)
    assert found is not None
    assert (found["kind"], found["sample"]) == (kind, sample)
    assert found["sentence"].startswith(text)
    assert f"[design pair, block {found['block']} of seed 3" in found["sentence"]
    assert found == found_by(program, fault, jobs=1)


@pytest.mark.parametrize("at", [0, 63, 64, 511, 512, 2047, 2048, 8191, 8192, 40000])
def test_a_wrong_code_at_the_edge_of_a_block(program: Program, at: int) -> None:
    """First and last samples of blocks and of what comes before them."""
    index, before = next(
        (index, b.before > at)
        for index in range(100)
        for b in [block(pair(), SEED, index, 1)]
        if b.before > at or len(b.codes) > at
    )
    stimulus = block(pair(), SEED, index, 1).first(at + 1)
    want = int(reference.run(pair(), stimulus.codes, stimulus.last).outputs[-1, 0])
    found = found_by(program, "wrong code", at=at)
    assert found is not None
    assert (found["block"], found["sample"], found["early"]) == (index, at, before)
    assert (found["kind"], found["want"], found["got"]) == ("code", want, want ^ 1)
    assert ("before its reset" in found["sentence"]) == before


def test_the_last_sample_of_a_run_is_compared(program: Program) -> None:
    """A block that is cut short has its end where the run ends."""
    first = block(pair(), SEED, 0, 1)
    at = first.before + 37
    plus = [f"+fault={FAULTS.index('wrong code')}", f"+at={at}"]
    short = program.run(at, SEED, 1, plus=plus)
    assert short.failure is None and short.done["samples"] == at
    assert at <= short.done["checked"] <= at + first.before
    whole = program.run(at + 1, SEED, 1, plus=plus)
    assert whole.failure is not None and whole.failure["received"] == at


def beside(key: tuple[int, ...]) -> NDArray[np.int64]:
    """Fewer rows than the shortest block has; the key only where they go round."""
    codes = np.random.default_rng(4).integers(-128, 128, 300)
    codes[codes == key[0]] = 0
    codes[[-1, 0, 1]] = key
    return codes[:, None]


def test_a_fault_that_only_data_reach(program: Program) -> None:
    """At its sample, with its row; drawn codes and other data pass."""
    plus = [f"+fault={HIDDEN}"]
    for passing in (program, program.fed(beside((38, *KEY[1:])))):
        heard = passing.run(100_000, SEED, 2, plus=plus)
        assert judge(pair(), passing, heard, SEED) is None
    data = program.fed(beside(KEY))
    first = block(pair(), SEED, 0, 1, fed=data.data)
    sample = next(t for t in range(2, 512) if tuple(first.codes[t - 2 : t + 1, 0]) == KEY)
    for jobs in (1, 2):
        found = judge(pair(), data, data.run(100_000, SEED, jobs, plus=plus), SEED)
        assert found is not None
        assert (found["kind"], found["block"], found["sample"]) == ("code", 0, sample)
        assert found["row"] == 1 and found["early"] == (sample < first.before)
        want = int(reference.run(pair(), first.codes, first.last).outputs[sample, 0])
        assert (found["want"], found["got"]) == (want, want ^ 1)
        assert found["sentence"].startswith(f"output 0 (y) at sample {sample} must be code {want} ")
        assert found["sentence"].endswith(", row 1 of the data]")
        assert np.array_equal(found["stimulus"].codes, first.codes)


def test_the_audit_is_of_the_data(program: Program) -> None:
    """What the program has sent must be what the reference was given."""
    ends = np.arange(300) == 99
    codes = beside(KEY)
    sent = program.fed(codes, ends)
    heard = sent.run(40_000, SEED, 2)
    assert judge(pair(), sent, heard, SEED) is None
    assert heard.done["samples"] == 40_000 and 130 <= heard.done["last_flags"] < 140
    ends[7] = True
    for others in (program.fed(codes), program.fed(codes, ends), program.fed(-codes - 1), program):
        found = judge(pair(), others, heard, SEED)
        assert found is not None and found["kind"] == "witness"


LAYER, READOUT = EXAMPLE.ring, EXAMPLE.readout
MUTANTS = {
    **{name: replace(EXAMPLE, layers=(layer,)) for name, layer in WRONG.items()},
    "segment": replace(
        EXAMPLE,
        layers=(
            replace(
                LAYER, activation=PiecewiseLinear(-30, 29, ((None, 1, -4), (-8, 0, 0), (9, 1, 5)))
            ),
        ),
    ),
    "rail": replace(
        EXAMPLE,
        layers=(
            replace(
                LAYER, activation=PiecewiseLinear(-30, 30, ((None, 1, -4), (-8, 0, 0), (9, 1, 4)))
            ),
        ),
    ),
    "readout weight": replace(
        EXAMPLE,
        readout=replace(READOUT, weights=(READOUT.weights[0], (*READOUT.weights[1][:-1], -12))),
    ),
    "readout rounding": replace(EXAMPLE, readout=replace(READOUT, rounding=Rounding.HALF_UP)),
    "fraction of an output": replace(
        EXAMPLE,
        readout=replace(
            READOUT,
            outputs=(READOUT.outputs[0], replace(READOUT.outputs[1], format=QFormat(7, 3))),
        ),
    ),
    "squares": replace(
        EXAMPLE, features=replace(EXAMPLE.features, square_rounding=Rounding.TRUNCATE)
    ),
    "lanes of the input": replace(
        EXAMPLE,
        layers=(replace(LAYER, inputs=(LAYER.inputs[1], LAYER.inputs[0])),),
    ),
    "reset": replace(EXAMPLE, reset_on_last=False),
}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The emitted Verilog of the example, folded, two inputs and outputs."""
    folder = tmp_path_factory.mktemp("example")
    verilog = write_verilog(EXAMPLE, folder)
    return Program.build(EXAMPLE, verilog, folder / "soak", optimize="-O0")


def first_difference(a: Design, b: Design) -> tuple[int, int, bool, int]:
    """Block, sample, whether before its reset, output: by a comparison in Python alone."""
    for index in range(1000):
        stimulus = block(a, SEED, index, schedule(a).clocks)
        one, two = (reference.run(d, stimulus.codes, stimulus.last).outputs for d in (a, b))
        if not np.array_equal(one, two):
            sample, output = (int(place[0]) for place in np.nonzero(one != two))
            return index, sample, sample < stimulus.before, output
    raise AssertionError("the designs do not differ")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_circuit_of_another_design_is_caught_at_its_sample(example: Program, name: str) -> None:
    """One entry is different between the circuit and the file that the program holds it against."""
    mutant = MUTANTS[name]
    program = example.for_design(mutant)
    found = judge(mutant, program, program.run(40_000, SEED, 2), SEED)
    assert found is not None and found["kind"] == "code"
    where = (found["block"], found["sample"], found["early"], found["output"])
    assert where == first_difference(mutant, EXAMPLE)


def test_the_emitted_circuit_is_right(example: Program) -> None:
    heard = example.run(40_000, SEED, 2)
    assert judge(EXAMPLE, example, heard, SEED) is None
    assert heard.done["samples"] == 40_000 <= heard.done["checked"] <= heard.done["sent"]
    assert heard.done["stalls_out"] > 1000 and heard.done["last_flags"] > 100
    assert sum(block["samples"] for block in heard.audited) > 5000
    again = example.run(40_000, SEED, 1)
    took = {"seconds": 0, "cpu_seconds": 0}
    assert again.done | took == heard.done | took
    assert again.audited == heard.audited


def test_references_that_differ_judge_nothing(example: Program) -> None:
    """The program reads a file with a wrong bias, so it is the program that is wrong."""
    wrong = example.for_design(MUTANTS["bias"])
    heard = wrong.run(40_000, SEED, 2)
    found = judge(EXAMPLE, wrong, heard, SEED)
    assert found is not None and found["kind"] == "witness" and found["block"] is None
    start = "the interpreter of the soak and the reference must agree, but "
    assert found["sentence"].startswith(start)
    index, sample, _, output = first_difference(MUTANTS["bias"], EXAMPLE)
    name = EXAMPLE.readout.outputs[output].name
    assert f"but {name} at sample {sample} is " in found["sentence"]
    assert found["sentence"].endswith(f"[design example, block {index} of seed 3]")
    unaudited = judge(EXAMPLE, wrong, Heard(heard.done, heard.failure, []), SEED)
    assert unaudited is not None
    assert unaudited["sentence"] == found["sentence"], (
        "a failing block is held against the reference in any case"
    )


def test_a_broken_design_file_is_told(example: Program, tmp_path: Path) -> None:
    file = tmp_path / "broken.json"
    file.write_text('{"inputs": [')
    with pytest.raises(ToolError, match="the design file must be JSON, but character 12 is not"):
        replace(example, file=file).run(10, 1, 1)
    file.write_text("{}")
    with pytest.raises(ToolError, match="the design file must have the key inputs"):
        replace(example, file=file).run(10, 1, 1)
    with pytest.raises(ToolError, match="the ports must have the widths of the design"):
        example.for_design(pair()).run(10, 1, 1)
