"""A folder in which every check holds, for each test its own copy."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from rchw.hdl.emit import write_verilog
from tests.examples import EXAMPLE
from tests.report.records import every_kind


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder in which everything holds."""
    path = tmp_path_factory.mktemp("evidence") / "made"
    every_kind(path)
    return path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """Copy it."""
    return Path(shutil.copytree(made, tmp_path / "copy"))


@pytest.fixture
def quick(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emit the Verilog of the example once for all tests, and any other as usual."""
    text = (made / "rtl/example.v").read_bytes()

    def known(design: Any, out: Path) -> Path:
        if design != EXAMPLE:
            return write_verilog(design, out)
        (out / "example.v").write_bytes(text)
        return out / "example.v"

    monkeypatch.setattr("rchw.report.checks.write_verilog", known)
