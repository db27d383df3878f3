"""The benches under Icarus Verilog: a second simulator, in which unknown bits stay unknown.

Registers and the state memory of an emitted circuit have no initial values, so all start as X. Only
the memories of the output queue have: these values are taken away in a copy, as nothing may rely on
them. Tables keep theirs.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import cocotb_tools.config

from rchw.errors import ToolError
from rchw.files import write_atomic
from rchw.process import Progress
from rchw.tools import find, run

__all__ = ["PROGRAM", "compile_icarus", "interpreter", "without_start"]

PROGRAM = "simulator.vvp"
_LIBRARY = "cocotb"
_START = re.compile(r"  initial begin\n((?:    (\w+)\[\d+\] = [^;]+;\n)+)  end\n")
_DUMP = """\
`timescale 1ns / 1ps
module rchw_dump;
  reg [8191:0] name;
  initial if ($value$plusargs("waves=%s", name)) begin
    $dumpfile(name);
    $dumpvars(0, TOP);
  end
endmodule
"""


def without_start(verilog: str) -> str:
    r"""Verilog as rchw writes it, less the initial values of memories that are written later.

    >>> text = "  initial begin\n    a[0] = 1'h0;\n  end\n"
    >>> without_start(f"{text}      a[0] <= b;\n"), without_start(text) == text
    ('      a[0] <= b;\n', True)
    """

    def kept(found: re.Match[str]) -> str:
        begins = max(verilog.rfind("endmodule", 0, found.start()), 0)
        inside = verilog[begins:].split("endmodule")[1 if begins else 0]
        written = re.search(rf"^\s*{found[2]}\[.*\] <= ", inside, re.MULTILINE)
        return "" if written else found[0]

    return _START.sub(kept, verilog)


def compile_icarus(
    sources: Sequence[Path], top: str, folder: Path, *, progress: Progress | None = None
) -> Path:
    """Compile Verilog for Icarus, and return the program for `interpreter`.

    Parameters
    ----------
    sources : sequence of Path
    top : str
        Top module. With the argument ``+waves=FILE`` the program writes all signals to a VCD.
    folder : Path
        Where everything is written; the log is ``iverilog.log``.
    progress : callable, optional
        Receives a line per step.

    Raises
    ------
    ToolError
        If Icarus is missing, older than version 11, or refuses the Verilog.
    """
    icarus = find("iverilog")
    if progress:
        progress(f"compiling {', '.join(source.name for source in sources)} for Icarus")
    names = []
    for number, source in enumerate(sources):
        names.append(f"unknown_{number}.v")
        text = source.read_text(encoding="utf-8")
        write_atomic(folder / names[-1], without_start(text))
    write_atomic(folder / "dump.v", _DUMP.replace("TOP", top))
    args = ["-g2005", "-o", PROGRAM, "-s", top, "-s", "rchw_dump", "dump.v", *names]
    run(icarus, args, cwd=folder, log=folder / "iverilog.log")
    # Version 11 finds libraries by the end of their name only if it is .vpi or .vpl.
    library = cocotb_tools.config.libs_dir / "libcocotbvpi_icarus.so"
    (folder / f"{_LIBRARY}.vpl").unlink(missing_ok=True)
    (folder / f"{_LIBRARY}.vpl").symlink_to(library)
    return folder / PROGRAM


def interpreter(program: Path) -> list[str]:
    """Command that runs a program of `compile_icarus` under cocotb; its arguments follow.

    Raises
    ------
    ToolError
        If Icarus or its ``vvp`` is missing.
    """
    path = find("iverilog").path
    assert path is not None
    vvp = path.with_name("vvp")
    if not vvp.is_file():
        raise ToolError(f"vvp must lie beside {path}, but it does not")
    return [str(vvp), "-n", "-M", str(program.parent), "-m", _LIBRARY, str(program)]
