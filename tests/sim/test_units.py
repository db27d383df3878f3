"""The first unit that differs is named from the waveform of the Verilog that was simulated."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw import reference
from rchw.design import Design, MatrixLayer
from rchw.errors import ToolError
from rchw.hdl.emit import write_verilog
from rchw.schedule import schedule
from rchw.sim.job import Job, Phase
from rchw.sim.runner import Build, build
from rchw.sim.top import top_of
from rchw.sim.units import first_unit, read_states
from rchw.sim.verify import job_for
from tests.series import TWO
from tests.sim.pair import pair
from tests.sim.test_testbench import ring


def parallel() -> Design:
    """Build the ring with all units and products at once."""
    layer = replace(ring().layer, lanes=5)
    return replace(ring(), layers=(layer,), readout=replace(ring().readout, multipliers=20))


def with_bias(design: Design, unit: int) -> Design:
    """Make a bias another by one code."""
    codes = list(design.ring.bias)
    codes[unit] += 1
    return replace(design, layers=(replace(design.ring, bias=tuple(codes)),))


def with_tap(design: Design, unit: int) -> Design:
    """Make the weight of a tap another."""
    (tap,) = design.ring.taps
    weights = list(tap.weights)
    weights[unit] -= 1
    taps = (replace(tap, weights=tuple(weights)),)
    return replace(design, layers=(replace(design.ring, taps=taps),))


def with_readout(design: Design, feature: int) -> Design:
    """Make a weight of the readout another."""
    first, *others = (list(row) for row in design.readout.weights)
    first[feature] ^= 64
    rows = tuple(tuple(row) for row in (first, *others))
    return replace(design, readout=replace(design.readout, weights=rows))


def with_back_bias(design: Design, unit: int) -> Design:
    """Make a bias of the second layer another."""
    front, back = design.layers
    assert isinstance(back, MatrixLayer)
    bias = (*back.bias[:unit], back.bias[unit] + 1, *back.bias[unit + 1 :])
    return replace(design, layers=(front, replace(back, bias=bias)))


WIDE = replace(ring(), layers=(replace(ring().layer, lanes=5),))
assert not schedule(WIDE).parallel and schedule(parallel()).parallel
# What is verified, what the Verilog is of instead, and the unit that differs.
CASES: list[tuple[Design, Design, int | None]] = [
    (ring(), with_bias(ring(), 3), 3),
    (ring(), with_tap(ring(), 0), 0),
    (ring(), with_readout(ring(), 2), None),
    (WIDE, with_bias(WIDE, 4), 4),
    (parallel(), with_tap(parallel(), 2), 2),
    (parallel(), with_readout(parallel(), 1), None),
    (TWO, with_back_bias(TWO, 1), 5),
]


def named(design: Design, number: int) -> Design:
    """Give a design a name of its own in the build."""
    return replace(design, name=f"planted{number}")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Build all faulty circuits, and the right one at the end, into one program."""
    folder = tmp_path_factory.mktemp("planted")
    wrong = [named(fault, number) for number, (_, fault, _) in enumerate(CASES)]
    designs = [*wrong, named(ring(), len(CASES)), named(parallel(), len(CASES) + 1)]
    sources = [write_verilog(design, folder) for design in designs]
    tops = [top_of(design) for design in designs]
    return build(sources, tops, folder / "simulation", optimize="-O0")


@pytest.fixture(scope="module")
def records(made: Build) -> list[dict[str, Any]]:
    jobs = [job_for(named(right, n), 48, 1)[0] for n, (right, _, _) in enumerate(CASES)]
    return made.run_all(jobs)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_planted_fault_names_its_unit(number: int, records: list[dict[str, Any]]) -> None:
    right, _, unit = CASES[number]
    record = records[number]
    assert record["verdict"] == "fail"
    failed = next(phase for phase in record["phases"] if phase["verdict"] == "fail")
    job = job_for(named(right, number), 48, 1)[0]
    phase = next(phase for phase in job.phases if phase.name == failed["name"])
    sample = failed["mismatch"]["sample"]
    found, sentence = first_unit(right, phase, Path(record["waves"]), sample, number)
    if unit is None:
        assert found is None
        want = f"inside, all states up to sample {sample} are right, so the readout differs"
        assert sentence == want
        return
    assert found is not None and found["unit"] == unit and found["sample"] <= sample
    states = reference.run(right, phase.codes, phase.last).states
    assert found["want"] == states[found["sample"], unit] != found["got"]
    assert sentence.startswith(f"inside, unit {unit} at sample {found['sample']} must be code ")
    assert f"{found['want']} (value {found['want_value']:.9g}), not {found['got']}" in sentence


@pytest.mark.parametrize("place", [0, 1])
def test_states_in_the_waveform_are_those_of_the_reference(
    place: int, made: Build, tmp_path: Path
) -> None:
    """Of a right circuit, in every stretch between resets, with pauses on both sides."""
    design = (ring(), parallel())[place]
    number = len(CASES) + place
    rng = np.random.default_rng(7)
    codes = np.stack([rng.integers(-256, 256, 60), rng.integers(0, 8, 60)], axis=1)
    last = rng.random(60) < 0.1
    resets, pieces = ((20, 3), (41, 30)), [(0, 21), (21, 42), (42, 60)]
    runs = [reference.run(design, codes[a:b], last[a:b]) for a, b in pieces]
    want = np.concatenate([run.outputs for run in runs])
    phase = Phase("waves", codes, last, want, "random:40:5", "random:40:7", 3, resets)
    job = Job(top_of(named(design, number)), (phase,), window=4000)
    traced = build(made.sources, made.tops, made.folder / "traced", waves=True)
    file = tmp_path / "right.vcd"
    assert traced.write_waves(job, file)["phases"][0]["verdict"] == "pass"
    found = read_states(file, design, number)
    assert len(found) == 3
    for run, states in zip(runs, found, strict=True):
        assert len(states) >= len(run.states) - 8, "a reset drops the last ones"
        assert np.array_equal(states, run.states[: len(states)])
    again = first_unit(design, phase, file, 59, number)
    assert again == (None, "inside, all states up to sample 59 are right, so the readout differs")
    late = replace(phase, resets=())
    assert (
        "differs is not known: the waveform holds" in first_unit(design, late, file, 59, number)[1]
    )


def test_what_cannot_be_searched_is_told(
    made: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.vcd"
    file.write_text("$var wire 1 ! d0_aclk $end\n$var wire 1 # d0_aresetn $end\n")
    phase = job_for(pair(), 48, 1)[0].phases[0]
    for design in (pair(), ring()):
        found, sentence = first_unit(design, phase, file, 3)
        assert found is None
        assert sentence.startswith("the first unit that differs is not known: waveform must hold")
    monkeypatch.setattr("rchw.sim.units._LARGEST", 10)
    with pytest.raises(ToolError, match=r"must be at most 1e-08 GB to be searched"):
        read_states(file, ring())
