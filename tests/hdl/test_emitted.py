"""The Verilog that is shipped, of drawn designs, in Verilator: every phase equals the reference."""

import hashlib
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

import rchw
from rchw.design import Design
from rchw.document import digest, save
from rchw.hdl.emit import emit, write_verilog
from rchw.hdl.top import lane_bytes
from rchw.schedule import latency, schedule
from rchw.sim.runner import Build, build
from rchw.sim.verify import job_for
from rchw.tools import environment_for_verilator, find, run
from tests.designs import designs
from tests.hdl.kinds import count_kinds, kinds, made_parallel, shape

COUNT = 16
PER_BUILD = 8
SAMPLES = 96  # of the plain phase; the others have 48 each
PHASES = ["plain", "rails", "pushes", *["source"] * 5, "resets", "resets"]


def pool() -> list[Design]:
    """Draw designs without building them; no parallel one with hundreds of products."""
    found: dict[Hashable, Design] = {}
    for number in range(40):

        @seed(number)
        @settings(max_examples=8, suppress_health_check=list(HealthCheck))
        @given(designs(max_units=10), st.sampled_from([False, False, False, True]))
        def draw(design: Design, parallel: bool) -> None:
            if parallel:
                design = made_parallel(design)
            if not schedule(design).parallel or design.readout.multipliers <= 60:
                found[shape(design)] = design

        draw()
    return list(found.values())


def chosen() -> list[Design]:
    """As many as are built, each time one of those that add the rarest kind so far."""
    rest = [
        (design, [kind for kind, member in kinds(design).items() if member]) for design in pool()
    ]
    taken, counts = list[Design](), Counter[str]()

    # What is smaller builds sooner.
    def worth(entry: tuple[Design, list[str]]) -> float:
        design, members = entry
        rare = sum(4.0 ** -counts[kind] for kind in members)
        return rare / (30 + design.n_inputs + design.n_outputs + design.layer.lanes)

    while len(taken) < COUNT:
        best, members = rest.pop(max(range(len(rest)), key=lambda place: worth(rest[place])))
        counts.update(members)
        taken.append(replace(best, name=f"drawn{len(taken)}"))
    return taken


@pytest.fixture(scope="module")
def drawn() -> list[Design]:
    """At least one design of every kind."""
    found = chosen()
    assert min(count_kinds(found).values()) >= 1, count_kinds(found)
    return found


@pytest.fixture(scope="module")
def files(drawn: list[Design], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """``NAME.v`` of each."""
    folder = tmp_path_factory.mktemp("verilog")
    return [write_verilog(design, folder) for design in drawn]


@pytest.fixture(scope="module")
def builds(
    drawn: list[Design], files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[Build, list[Design]]]:
    """Several designs per simulator program."""
    made = []
    for start in range(0, COUNT, PER_BUILD):
        part = slice(start, start + PER_BUILD)
        tops = [job_for(design, 48, 1)[0].top for design in drawn[part]]
        folder = tmp_path_factory.mktemp("build")
        made.append((build(files[part], tops, folder, optimize="-O0"), drawn[part]))
    return made


@pytest.fixture(scope="module")
def records(
    builds: list[tuple[Build, list[Design]]],
) -> list[tuple[Design, dict[str, Any], dict[str, str]]]:
    """Design, record and what the reference says of its rails."""
    found = []
    for number, (made, some) in enumerate(builds):
        jobs = [job_for(design, SAMPLES, number) for design in some]
        ran = made.run_all([job for job, _ in jobs], seed=number + 1)
        rails = [status["state_rails"] for _, status in jobs]
        found += list(zip(some, ran, rails, strict=True))
    return found


def test_every_phase_of_every_design(
    records: list[tuple[Design, dict[str, Any], dict[str, str]]], tally: dict[str, Counter[str]]
) -> None:
    """Bit for bit with gaps, stalls, resets in mid-stream, ends of sequences and both rails."""
    assert len(records) == COUNT
    counts = count_kinds([design for design, _, _ in records])
    tally[f"{COUNT} designs from the emitted Verilog, {PER_BUILD} in each Verilator build"] = counts
    for design, record, _ in records:
        assert record["verdict"] == "pass", record["sentence"]
        phases = record["phases"]
        assert [phase["name"].split()[0] for phase in phases] == PHASES
        assert all(phase["last_flags"] > 0 for phase in phases)
        assert all(phase["checked"] == phase["samples"] for phase in phases[:-2]), design.name
        assert phases[3]["stalls_out"] > 0
        assert phases[-2]["stalls_out"] == 0 < phases[-1]["stalls_out"]
        for phase in phases[-2:]:
            assert phase["resets"] == 8
            assert 0 < phase["checked"] <= phase["samples"]


def test_clocks_are_those_of_the_formulas(
    records: list[tuple[Design, dict[str, Any], dict[str, str]]],
) -> None:
    for design, record, _ in records:
        plain = record["phases"][0]
        clocks, delay = schedule(design).clocks, latency(design)
        assert plain["clocks_per_sample"] == {"min": clocks, "max": clocks, "mean": clocks}
        assert plain["latency"] == {"min": delay, "max": delay, "mean": delay}


def test_rails_are_hit(records: list[tuple[Design, dict[str, Any], dict[str, str]]]) -> None:
    """In a third of the designs at least; the others are slow or shown not to reach them."""
    both = [set(rails.values()) == {"hit"} for _, _, rails in records]
    assert sum(both) >= len(records) // 3
    for end in ("low", "high"):
        hit = [
            any(any(phase["output_rails"][end]) for phase in record["phases"])
            for _, record, _ in records
        ]
        assert sum(hit) >= len(records) // 3


def test_lint_is_clean_as_verilog_2005(files: list[Path], tmp_path: Path) -> None:
    """Without a warning but for the two waived widths, which signed arithmetic draws."""
    verilator = find("verilator")
    waived = [f"-Wno-{name}" for name in ("WIDTHEXPAND", "WIDTHTRUNC", "MULTITOP")]
    run(
        verilator,
        ["--lint-only", "--language", "1364-2005", *waived, *map(str, files)],
        cwd=tmp_path,
        log=tmp_path / "lint.log",
        env=environment_for_verilator(verilator),
    )
    assert "%Warning" not in (tmp_path / "lint.log").read_text()


def test_names_header_and_nothing_of_the_machine(drawn: list[Design], files: list[Path]) -> None:
    foreign = [str(Path.home()), str(Path(__file__).parents[2]), "/tmp", platform.node()]
    for design, file in zip(drawn, files, strict=True):
        text = file.read_text()
        modules = re.findall(r"^module ([^\s(]+)", text, re.M)
        assert design.name in modules
        for module in modules:
            assert re.fullmatch(rf"{design.name}(_[a-zA-Z0-9_]+)?", module), module
        header = text.split("\n\n")[0]
        assert digest(design) in header
        lanes = [(channel.name, channel.format) for channel in design.inputs]
        lanes += [(output.name, output.format) for output in design.readout.outputs]
        for name, fmt in lanes:
            assert re.search(rf"axis_tdata\[\d+:\d+\] {name}: {fmt}", header)
        width = 8 * sum(lane_bytes(channel.format) for channel in design.inputs)
        assert re.search(rf"input \[{width - 1}:0\] s_axis_tdata;", text)
        assert not [word for word in foreign if word and word in text]
        assert not re.search(r"\b20\d\d-\d\d|\d\d:\d\d:\d\d|\(\* *src", text)


def test_same_design_same_bytes(drawn: list[Design], files: list[Path], tmp_path: Path) -> None:
    """Again in this process, and in another with other hashes, from another folder, from JSON."""
    script = (
        "import sys, hashlib\n"
        "from rchw.document import load\nfrom rchw.hdl.emit import emit\n"
        "for path in sys.argv[1:]:\n"
        "    print(hashlib.sha256(emit(load(path)).encode()).hexdigest())\n"
    )
    some = drawn[:4]
    for design in some:
        save(design, tmp_path / f"{design.name}.json")
    want = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files[:4]]
    assert [hashlib.sha256(emit(design).encode()).hexdigest() for design in some] == want
    done = subprocess.run(
        [sys.executable, "-c", script, *(f"{design.name}.json" for design in some)],
        cwd=tmp_path,
        env={"PYTHONHASHSEED": "1", "PYTHONPATH": str(Path(rchw.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == want
