"""``verify --netlist``: what it writes, shows and tells."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import call


def test_a_netlist(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Synthesised, simulated, recorded and shown."""
    out = folder / "out"
    words = ("verify", folder / "small.json", "--netlist", "ecp5", "--samples", "48", "-o", out)
    done = call(capsys, *words)
    assert done.code == 0, done
    record = json.loads((out / "netlist-ecp5.json").read_text())
    assert record["verdict"] == "pass" and record["resources"]["dsp"] == 2
    assert "LFE5U-25F, by synth_ecp5" in done.out
    assert f"all {record['checked']} output beats are equal" in done.out
    assert str(out / "netlist-ecp5.json") in done.out
    assert "verifying the ecp5 netlist of small_" in done.err


def test_a_wrong_netlist_is_exit_code_1(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record: dict[str, Any] = {
        "verdict": "fail", "sentence": "output 0 at sample 3 must be code 5, not 6",
        "phases": [], "rails": [], "clocks_per_sample": None, "clocks_formula": 16, "digest": "d",
        "target": "gowin", "device": "GW2A-18", "command": "synth_gowin", "fallback": "first",
        "resources": {"lut": 12, "carry": 3}, "capacity": {"lut": 40},
    }  # fmt: skip
    monkeypatch.setattr("rchw.boards.verify.verify_netlist", lambda *a, **k: record)
    words = ("verify", folder / "small.json", "--netlist", "gowin", "-o", folder / "out")
    done = call(capsys, *words)
    assert done.code == 1 and "must be code 5, not 6" in done.out
    assert re.search(r"lut +12 of 40", done.out) and re.search(r"carry +3", done.out)
    assert re.search(r"once more, as +first", done.out)
    done = call(capsys, *words, "--json")
    assert done.code == 1 and done.record == record
