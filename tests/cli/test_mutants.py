"""`verify --mutants` at the command line: the table, exit codes, bad input."""

from pathlib import Path
from typing import Any, NoReturn

import pytest

from rchw.errors import DesignError
from tests.cli.command_line import call, contents, refused

Capture = pytest.CaptureFixture[str]


def words(folder: Path, *more: str) -> list[str | Path]:
    return ["verify", folder / "small.json", *more, "-o", folder / "out"]


def counts(missed: int) -> dict[str, Any]:
    by = {"code": 3 - missed}
    return {
        "made": 3, "caught": 3 - missed, "equivalent": 0, "missed": missed, "not_built": 1, "by": by
    }  # fmt: skip


@pytest.mark.parametrize("missed", [0, 1])
def test_a_table_and_the_exit_code(
    missed: int, folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = "1 of 3 mutants that are not equivalent were missed, first bias: bias[0], bit 1"
    row = {"operator": "bias", "where": "bias[0], bit 1", "sentence": "no proof"}
    record: dict[str, Any] = counts(missed) | {
        "verdict": "fail" if missed else "pass", "sentence": sentence if missed else None,
        "circuit_proof": "undecided" if missed else None, "wanted": 3, "seed": 1, "digest": "d",
        "operators": {"bias": counts(missed)},
        "mutants": [row | {"result": "missed" if missed else "caught"}],
    }  # fmt: skip
    monkeypatch.setattr("rchw.sim.mutate.run.mutate", lambda *a, **k: record)
    done = call(capsys, *words(folder, "--mutants", "3"))
    assert done.code == missed
    assert ("bias[0], bit 1" in done.out) == bool(missed) and "3 of 3 wanted, seed 1" in done.out
    assert ("proof without a fault" in done.out) == bool(missed)
    assert ("3 of 3 that are not proved equivalent were caught" in done.out) == (not missed)
    done = call(capsys, *words(folder, "--mutants", "3"), "--json")
    assert done.code == missed and done.record == record


@pytest.mark.parametrize(("more", "samples"), [((), 100_000), (("--samples", "9"), 9)])
def test_samples_are_those_of_long_runs(
    more: tuple[str, ...],
    samples: int,
    folder: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def mutate(*_: Any, samples: int, **__: Any) -> NoReturn:
        asked.append(samples)
        raise DesignError("asked")

    monkeypatch.setattr("rchw.sim.mutate.run.mutate", mutate)
    refused(capsys, words(folder, "--mutants", "3", *more), "asked")
    assert asked == [samples]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("--mutants 0", "mutants must be from 1 to 10000, not 0"),
        ("--mutants 5 --seed -1", "seed must be from 0 to 2**63 - 1, not -1"),
        ("--mutants 5 --soak", "must be given, not --soak, --mutants"),
        ("--mutants x", "'--mutants'"),
        ("--mutants 5 --samples 0", "samples must be from 1 to 2**63 - 1, not 0"),
    ],
)
def test_bad_input(more: str, sentence: str, folder: Path, capsys: Capture) -> None:
    before = contents(folder)
    refused(capsys, words(folder, *more.split()), sentence)
    assert contents(folder) == before
