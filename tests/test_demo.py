"""The whole demo, as `make demo` runs it: slow, for it places and routes twice."""

import json
from pathlib import Path

import pytest

from rchw import demo
from rchw.devices import board
from rchw.errors import ToolError
from tests.cli.command_line import call


def test_what_is_missing_is_told_before_the_first_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ToolError(f"{name} is missing: install it with `pip install {name}`")

    monkeypatch.setattr(demo, "find", missing)
    done = call(capsys, "demo", "-o", tmp_path / "demo", "--json")
    assert done.code == 2 and done.record["error"].startswith("verilator is missing")
    assert not (tmp_path / "demo").exists()


def test_the_design_fits_the_smaller_board() -> None:
    multipliers = demo.OPTIONS.multipliers
    assert multipliers is not None
    (squares,) = demo.OPTIONS.layer_lanes
    assert multipliers + squares <= min(board(name).device.dsps for name in demo.BOARDS)


@pytest.mark.slow
def test_laser_light_to_two_bitstreams(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = call(capsys, "demo", "-o", tmp_path / "demo", "--json")
    assert done.code == 0, done.err
    record = done.record
    errors = record["train"]["test"]["errors"]
    assert record["rtl"]["identical"] and record["rtl"]["error"] == errors["reference"]
    assert errors["reference"] < 0.1 * errors["linear"]
    assert errors["reference"] < min(errors["quadratic_ring"], errors["volterra"])
    for build, suffix in zip(record["builds"], ("bin", "bit"), strict=True):
        assert build["digest"] == record["digest"]
        bitstream = tmp_path / "demo" / build["board"] / build["bitstream"]["file"]
        assert bitstream.suffix == f".{suffix}" and bitstream.stat().st_size > 10_000
    page = (tmp_path / "demo" / "report.html").read_text()
    assert record["digest"] in page and str(tmp_path) not in page
    written = (tmp_path / "demo" / "verify" / "verify.json").read_text()
    assert json.loads(written) == record["verify"]
