"""Mutants of whole designs: caught, proved to be none, or missed; and the count can fail."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rchw.design import Design
from rchw.errors import DesignError
from rchw.fixed import Rounding
from rchw.hdl.emit import write_verilog
from rchw.sim.mutate import run as run_module
from rchw.sim.mutate.draw import Drawn, Mutant, draw_mutants, module_of
from rchw.sim.mutate.gates import GATES
from rchw.sim.mutate.judge import CHECKS, Fate, decide, run_mutant
from rchw.sim.mutate.netlist import Netlist, read_netlist
from rchw.sim.mutate.numbers import NUMBERS
from rchw.sim.mutate.run import _Proofs, mutate
from rchw.sim.prove.proof import Proof
from rchw.sim.prove.words import Cell, Words
from rchw.sim.soak import program as soak_program
from tests.boards.test_of_design import ring
from tests.examples import EXAMPLE
from tests.hdl.test_series import made_parallel, made_with
from tests.series import TWO
from tests.sim.test_stimulus import design as cycle

FOLDED = ring("folded", 5, lanes=2, multipliers=2)
PARALLEL = ring("parallel", 3, lanes=3, multipliers=3)


def counted(record: dict[str, Any]) -> None:
    """The counts of a record agree with each other."""
    rows, results = record["mutants"], ("caught", "equivalent", "missed")
    assert record["kind"] == "mutants" and record["made"] == len(rows)
    assert sum(record[result] for result in results) == record["made"]
    assert sum(record["by"].values()) == record["caught"]
    for name, operator in record["operators"].items():
        mine = [row["result"] for row in rows if row["operator"] == name]
        assert [operator[result] for result in results] == list(map(mine.count, results))
    assert list(record["operators"]) == [*NUMBERS, *GATES]
    assert len({(row["operator"], row["where"]) for row in rows}) == len(rows)
    real = record["made"] - record["equivalent"]
    assert record["share"] == round(record["caught"] / real, 4)
    assert (record["verdict"] == "pass") == (record["caught"] / real >= 0.99)


@pytest.mark.parametrize(
    "design",
    [
        PARALLEL,
        *(
            pytest.param(design, marks=pytest.mark.slow)
            for design in (FOLDED, made_with(TWO, (2, 4), 2), made_parallel(TWO))
        ),
    ],
    ids=["parallel", "folded", "series", "parallel series"],
)
def test_mutants_are_caught(design: Design, tmp_path: Path) -> None:
    said: list[str] = []
    record = mutate(design, tmp_path, mutants=25, proof_seconds=20.0, say=said.append)
    counted(record)
    assert record["made"] == record["wanted"] == 25
    assert record["verdict"] == "pass", record["sentence"]
    assert {"code"} < set(record["by"])
    assert json.loads((tmp_path / "mutants.json").read_text()) == record
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{design.name}.v", "mutants.json"}
    assert any(line.startswith("quick runs") for line in said)


@pytest.mark.slow
@pytest.mark.parametrize(
    "design",
    [EXAMPLE, ring("folded", 8, lanes=2, multipliers=2), ring("wide", 6, lanes=6, multipliers=6)],
    ids=lambda design: design.name,
)
def test_many_mutants(design: Design, tmp_path: Path) -> None:
    record = mutate(design, tmp_path, mutants=100)
    counted(record)
    assert record["share"] > 0.9


def test_without_a_look_at_the_codes_mutants_are_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count can fail: with the comparison of codes switched off, and without a proof."""
    monkeypatch.setattr("rchw.sim.mutate.judge.CHECKS", ("last", "protocol", "stuck", "lost"))
    record = mutate(PARALLEL, tmp_path, mutants=12, samples=4096, proof_seconds=1e-9)
    counted(record)
    assert record["circuit_proof"].startswith("the proof took over 1e-09 seconds")
    assert record["verdict"] == "fail" and record["missed"] > 5 and "code" not in record["by"]
    assert re.match(r"\d+ of \d+ mutants that are not equivalent were missed, first ",
                    record["sentence"])  # fmt: skip


def test_a_circuit_that_fails_without_a_fault_says_nothing_of_mutants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(design: Design, out: Path) -> Path:
        layer = replace(design.ring, bias=(design.ring.bias[0] ^ 1, *design.ring.bias[1:]))
        return write_verilog(replace(design, layers=(layer,)), out)

    monkeypatch.setattr(run_module, "write_verilog", wrong)
    record = mutate(PARALLEL, tmp_path, mutants=2)
    assert record["verdict"] == "fail" and not record["mutants"] and record["share"] is None
    assert record["sentence"].startswith("the circuit must pass without a fault, but output 0 (y0)")


@pytest.fixture(scope="module")
def netlist(tmp_path_factory: pytest.TempPathFactory) -> Netlist:
    folder = tmp_path_factory.mktemp("netlist")
    return read_netlist(write_verilog(PARALLEL, folder), PARALLEL.name, folder / "work")


def test_what_is_no_fault_is_proved_to_be_none(netlist: Netlist, tmp_path: Path) -> None:
    """Rounding where no bit is dropped gives the same Verilog; a bit inverted twice is itself."""
    layer = replace(PARALLEL.ring, rounding=Rounding.TRUNCATE)
    same = write_verilog(replace(PARALLEL, name=module_of(PARALLEL, 1), layers=(layer,)), tmp_path)
    source = write_verilog(PARALLEL, tmp_path)
    fate = decide(PARALLEL, netlist, source, Mutant(1, "", "", verilog=same), tmp_path, 20.0)
    assert (fate.result, fate.by) == ("equivalent", "same Verilog")

    def twice(netlist: Netlist, hit: int | str) -> None:
        cell = next(c for c in netlist.cells.values() if c["type"] == "$dffe")
        old = cell["connections"]["D"]
        once = netlist.add("$not", len(old), A=old)
        new = netlist.choose(hit, netlist.add("$not", len(old), A=once), old)
        cell["connections"] = cell["connections"] | {"D": new}

    fate = decide(PARALLEL, netlist, source, Mutant(2, "", "", edit=twice), tmp_path / "p", 20.0)
    assert (fate.result, fate.by) == ("equivalent", "proof")


def test_all_that_the_soak_finds_in_a_circuit_is_a_catch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timing included; and nothing else."""
    source = (Path(soak_program.__file__).parent / "cpp" / "bench.h").read_text()
    assert set(CHECKS) == set(re.findall(r'fail\((?:.* \? )?"(\w+)"', source)) | {"lost"}
    program = soak_program.Program(PARALLEL, Path("none"), Path("none"), 0.0)
    for kind, result in ({kind: "caught" for kind in CHECKS} | {"other": None}).items():
        heard = soak_program.Heard({}, {"kind": kind}, [])
        monkeypatch.setattr(soak_program.Program, "run", lambda *_, heard=heard, **__: heard)
        fate = run_mutant(program, Mutant(1, "", ""), 9, 1, 1, "quick")
        assert (fate.result if fate else None) == result


@pytest.mark.parametrize("verdict", ["undecided", "proved", "refuted", "step"])
def test_bits_that_nothing_reads_are_taken_away_where_that_may_help(
    verdict: str, netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only of what could not be decided as it is; what is said then counts."""
    cells: list[int] = []

    def prove(design: Design, words: Words, *_: Any, count: bool) -> Proof:
        cells.append(sum(len(node.pins["Y"]) for node in words.logic if isinstance(node, Cell)))
        step = verdict == "step"
        now = "proved" if len(cells) > 1 else "undecided" if step else verdict
        return Proof(now, (), 0, "shown", "sentence", (), {}, step, 1, 1, 1, 0, 1, 0, 1, (), None)

    monkeypatch.setattr("rchw.sim.mutate.judge.prove_words", prove)
    mutant = Mutant(1, "", "", edit=lambda netlist, hit: None)
    fate = decide(PARALLEL, netlist, write_verilog(PARALLEL, tmp_path), mutant, tmp_path, 9.0)
    assert fate.result == ("caught" if verdict in ("refuted", "step") else "equivalent")
    assert fate.by == ("step" if verdict == "step" else "proof")
    assert len(cells) == (2 if verdict == "undecided" else 1)
    assert cells == sorted(cells, reverse=True), "fewer bits the second time"


def test_a_rail_out_of_reach_of_chance_is_pushed_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rail of the activation that few samples do not come to, and pushes do."""
    design = cycle(7, input_weight=2)
    monkeypatch.setattr("rchw.sim.mutate.run._QUICK", 32)
    monkeypatch.setattr("rchw.sim.mutate.draw.NUMBERS", {"clip rail": NUMBERS["clip rail"]})
    monkeypatch.setattr("rchw.sim.mutate.draw.GATES", {})
    record = mutate(design, tmp_path, mutants=3, samples=1500, proof_seconds=0.0)
    assert record["stages"].get("pushed", 0) > 0, record["mutants"]
    assert record["samples"] == {"quick": 32, "pushed": 1500, "long": 1500}
    assert all(row["result"] == "caught" for row in record["mutants"])


def test_a_mutant_that_is_hard_to_tell_is_asked_about_for_longer(
    netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read in both ways for a short time each, and then for a long one; every time anew."""
    asked: list[float] = []

    def prove(design: Design, words: Words, seconds: float, *_: Any, count: bool) -> Proof:
        asked.append(seconds)
        now = "proved" if len(asked) == 4 else "undecided"
        return Proof(now, (), 0, None, "why", (), {}, False, 1, 1, 1, 0, 1, 0, 1, (), None)

    monkeypatch.setattr("rchw.sim.mutate.judge.prove_words", prove)
    mutant = Mutant(1, "", "", edit=lambda netlist, hit: None)
    source = write_verilog(PARALLEL, tmp_path)
    assert decide(PARALLEL, netlist, source, mutant, tmp_path, 99.0).result == "equivalent"
    assert asked == [10.0, 10.0, 60.0, 60.0]
    fate = decide(PARALLEL, netlist, source, mutant, tmp_path, 30.0)
    assert (fate.result, fate.sentence) == ("missed", "why") and asked[4:] == [10, 10, 30, 30]


@pytest.mark.parametrize(("of_circuit", "result"), [("equivalent", "caught"), ("missed", "missed")])
def test_a_counterexample_of_the_step_counts_where_the_circuit_is_proved(
    of_circuit: str, result: str, netlist: Netlist, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the circuit without a fault may have the same one."""
    said = "circuit is not proved" if of_circuit == "missed" else None
    fates = iter([Fate(of_circuit, None, "proof", said), Fate("caught", "step", "proof", "told")])
    monkeypatch.setattr("rchw.sim.mutate.run.decide", lambda *_: next(fates))
    proofs = _Proofs(PARALLEL, netlist, Path("none"), Path("none"), 9.0, 99.0)
    mutant = Mutant(1, "", "", edit=lambda netlist, hit: None)
    found = proofs.decide(Drawn([mutant]), {}, lambda line: None)[1]
    assert (found.result, found.sentence) == (result, "told") and proofs.circuit == said


def test_the_prover_catches_what_no_run_has(netlist: Netlist, tmp_path: Path) -> None:
    """A wrong weight is refuted, and without time for it is missed."""
    row = PARALLEL.readout.weights[0]
    readout = replace(PARALLEL.readout, weights=((row[0] ^ 512, *row[1:]),))
    wrong = replace(PARALLEL, name=module_of(PARALLEL, 1), readout=readout)
    source = write_verilog(PARALLEL, tmp_path)
    mutant = Mutant(1, "", "", verilog=write_verilog(wrong, tmp_path))
    fate = decide(PARALLEL, netlist, source, mutant, tmp_path / "p", 20.0)
    assert (fate.result, fate.by) == ("caught", "proof")
    assert fate.sentence is not None and fate.sentence.startswith("output y0 of sample")
    assert decide(PARALLEL, netlist, source, mutant, tmp_path / "p", 0.0).result == "missed"
    late = decide(PARALLEL, netlist, source, mutant, tmp_path / "p", 1e-9)
    assert late.result == "missed" and "the proof took over 1e-09 seconds" in str(late.sentence)


def test_the_same_seed_draws_the_same_mutants(
    netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: NUMBERS[name] for name in ("bias", "rounding")}
    monkeypatch.setattr("rchw.sim.mutate.draw.NUMBERS", few)

    def drawn(seed: int) -> list[tuple[str, str]]:
        found = draw_mutants(PARALLEL, netlist, 15, seed, tmp_path)
        return [(mutant.operator, mutant.where) for mutant in found.mutants]

    assert drawn(1) == drawn(1) != drawn(2)
    # A parallel circuit has no memory, hence 12 operators: each once or twice.
    once = [operator for operator, _ in drawn(3)]
    assert {once.count(operator) for operator in once} == {1, 2} and len(set(once)) == 12


def test_a_small_design_is_not_asked_for_more_than_it_has(
    netlist: Netlist, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {name: NUMBERS[name] for name in ("saturation", "end of a sequence", "leak shift")}
    monkeypatch.setattr("rchw.sim.mutate.draw.NUMBERS", few)
    monkeypatch.setattr("rchw.sim.mutate.draw.GATES", {})
    found = draw_mutants(PARALLEL, netlist, 20, 1, tmp_path)
    assert sorted(mutant.operator for mutant in found.mutants) == sorted(few)
    # A shift of -1 makes no design: it is not counted, and another is drawn.
    assert found.not_built["leak shift"] > 0
    assert {mutant.where for mutant in found.mutants} >= {"leak shift 1"}


@pytest.mark.parametrize(
    ("mutants", "seed", "sentence"),
    [
        (0, 1, "mutants must be from 1 to 10000, not 0"),
        (10001, 1, "mutants must be from 1 to 10000, not 10001"),
        (5, -1, "seed must be from 0 to 2**63 - 1, not -1"),
    ],
)
def test_bad_input(mutants: int, seed: int, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(DesignError, match=re.escape(sentence)):
        mutate(FOLDED, tmp_path, mutants=mutants, seed=seed)


def test_a_circuit_whose_registers_are_taken_apart_is_proved(tmp_path: Path) -> None:
    """Bit 0 of a state is the same at both rails, so that Yosys resets it by itself."""
    design = made_parallel(TWO)
    source = write_verilog(design, tmp_path)
    netlist = read_netlist(source, design.name, tmp_path / "netlist")
    parts = [cell for cell in netlist.cells.values() if cell["type"] == "$sdffce"]
    assert {len(cell["connections"]["Q"]) for cell in parts} >= {1, 6}

    def nothing(netlist: Netlist, hit: int | str) -> None:
        del netlist, hit

    fate = decide(design, netlist, source, Mutant(0, "", "", edit=nothing), tmp_path, 100.0)
    assert (fate.result, fate.by) == ("equivalent", "proof"), fate.sentence
