"""What is compiled once per machine: it is used, and made again when it is gone."""

import subprocess
from pathlib import Path

import pytest

from rchw.errors import ToolError
from rchw.sim.compile import compile_simulator
from rchw.tools import find

SOURCE = "module tiny (input a, output b); assign b = !a; endmodule\n"


def build(folder: Path) -> Path:
    """Compile the smallest model for cocotb and return the makefile that did."""
    (folder / "tiny.v").write_text(SOURCE)
    compile_simulator([folder / "tiny.v"], "tiny", folder)
    return folder / "rchw.mk"


def test_headers_come_precompiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("rchw.sim.compile._HEADERS", ("vector",))  # sooner than all
    monkeypatch.setattr("rchw.sim.compile._runtime", lambda *_: [])
    with pytest.raises(ToolError, match=r"the C\+\+ compiler failed"):
        build(tmp_path)  # as there is no library
    (made,) = (tmp_path / "cache/rchw").glob("headers-*/headers.h.gch")
    makefile = tmp_path / "rchw.mk"
    command = next(line for line in makefile.read_text().splitlines() if " -c " in line)
    asked = subprocess.run(
        ["sh", "-c", f"{command.strip()} -H"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    version = subprocess.run([str(find("c++").path), "--version"], capture_output=True, text=True)
    assert f"! {made}" in asked.stderr or "clang" in version.stdout  # which reads the plain header
    made.unlink()
    left = tmp_path / "cache/rchw/part-killed"
    left.mkdir()
    with pytest.raises(ToolError):
        build(tmp_path)
    assert made.is_file()
    assert not left.exists()  # of a process that was killed
