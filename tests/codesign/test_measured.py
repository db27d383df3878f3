"""The work of ``rchw energy``: what is counted becomes a record, and what cannot be is refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rchw.boards.activity import Activity
from rchw.codesign.energy import energy
from rchw.codesign.estimate import estimate
from rchw.codesign.measured import drawn_codes, energy_record, rates
from rchw.devices import board
from rchw.document import digest, save
from rchw.errors import DesignError
from tests.boards.test_of_design import PLAIN
from tests.cli.command_line import call
from tests.codesign.test_energy import COUNTED

BOARD = board("icebreaker")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the netlist is given; it answers with counts made by hand."""
    found: list[Any] = []

    def counted(design: Any, codes: Any, device: Any, folder: Path, **options: Any) -> Activity:
        found.append((codes, options))
        return replace(COUNTED, source=options["source"])

    monkeypatch.setattr("rchw.codesign.measured.measure_activity", counted)
    return found


def test_a_record_has_the_counts_and_the_energy_at_every_rate(
    sent: list[Any], tmp_path: Path
) -> None:
    codes = np.arange(-20, 80)[:, None]
    record = energy_record(PLAIN, BOARD, tmp_path, codes=codes, clock_hz=30e6, samples=60)
    assert record == json.loads((tmp_path / "energy.json").read_text())
    assert (record["kind"], record["digest"]) == ("energy", digest(PLAIN))
    np.testing.assert_array_equal(sent[0][0], codes[:60])
    assert set(record["energy"]) == {"highest", "slow", "slow, free-running"}
    fast = energy(PLAIN, BOARD, COUNTED.resources, clock_hz=30e6, activity=COUNTED)
    assert record["energy"]["highest"] == fast.facts()
    assert record["energy"]["slow"]["rate"] == 1000.0
    assert record["energy"]["slow"]["joules"] < record["energy"]["slow, free-running"]["joules"]
    assert Activity.from_facts(record["activity"]) == replace(COUNTED, source="input codes")


def test_without_inputs_codes_are_drawn_and_the_clock_is_estimated(
    sent: list[Any], tmp_path: Path
) -> None:
    record = energy_record(PLAIN, BOARD, tmp_path, samples=300)
    codes = sent[0][0]
    fmt = PLAIN.inputs[0].format
    assert codes.shape == (300, 1) and codes.min() < 0.9 * fmt.min and codes.max() > 0.9 * fmt.max
    np.testing.assert_array_equal(codes, drawn_codes(PLAIN, 300, 1))
    assert record["inputs"] == "drawn uniformly, seed 1"
    assert record["clock_hz"] == estimate(PLAIN, "icebreaker").clock_hz
    assert record["clock_of"] == "estimated"


def test_a_circuit_slower_than_the_slow_rate_has_no_energy_there() -> None:
    assert set(rates(PLAIN, BOARD, COUNTED, 30e3)) == {"highest"}


def test_what_cannot_be_is_refused_and_what_was_there_stays(
    sent: list[Any], tmp_path: Path
) -> None:
    (tmp_path / "energy.json").write_text("earlier")
    with pytest.raises(DesignError, match="samples must be from 10 to 100000, not 3"):
        energy_record(PLAIN, BOARD, tmp_path, samples=3)
    with pytest.raises(DesignError, match="seed must be at least 0, not -1"):
        energy_record(PLAIN, BOARD, tmp_path, seed=-1)
    with pytest.raises(DesignError, match="input codes must be at least 10 samples, not 4"):
        energy_record(PLAIN, BOARD, tmp_path, codes=np.zeros((4, 1), dtype=np.int64))
    other = replace(PLAIN, name="other")
    with pytest.raises(DesignError, match="activity must be of design"):
        energy_record(other, BOARD, tmp_path)
    assert (tmp_path / "energy.json").read_text() == "earlier"


def test_the_command_shows_what_it_wrote(
    sent: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(PLAIN, tmp_path / "plain.json")
    (tmp_path / "u.csv").write_text("u\n" + "\n".join(str(k / 100) for k in range(40)) + "\n")
    words = ["energy", str(tmp_path / "plain.json"), "--board", "icebreaker"]
    out = ["-o", str(tmp_path / "out")]
    inputs = ["--inputs", str(tmp_path / "u.csv")]
    done = call(capsys, *words, *out, *inputs, "--clock", "30", "--json")
    assert done.code == 0 and done.record["inputs"] == "u.csv"
    np.testing.assert_array_equal(sent[0][0], PLAIN.encode(np.arange(40)[:, None] / 100))
    shown = call(capsys, *words, *out, *inputs).out
    for word in ("static", "multipliers", "sum, high", "model", "data sheet", "free-running"):
        assert word in shown
    for options, said in (
        (["--clock", "0"], "clock must be above 0"),
        (["--codes"], "codes and input columns must be left out without --inputs"),
        (["--samples", "2"], "samples must be from 10"),
    ):
        failed = call(capsys, *words, *out, *options)
        assert failed.code == 2 and said in failed.err


@pytest.mark.slow
def test_counts_of_a_netlist_become_a_record(tmp_path: Path) -> None:
    record = energy_record(PLAIN, BOARD, tmp_path, samples=60)
    assert record["activity"]["samples"] == 48 and record["activity"]["clocks"] == 48 * 40
    low, high = (record["energy"]["highest"][end] for end in ("low", "high"))
    found = estimate(PLAIN, "icebreaker").energy_per_sample
    assert found is not None and 1e-10 < low < found < high < 1e-6
