"""From Verilog to a simulator program, fast.

Verilator itself needs a fraction of a second; the time goes into C++. Four things keep it short:
the run-time library, which is the same for every design, is compiled once per user and kept, and so
are its headers, which take longer than a small model; only the ports of the harness are visible to
cocotb; what runs once is not optimised. The makefile that Verilator writes is not used: it compiles
the library anew for every design, one file at a time.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cocotb_tools.config

from rchw.errors import ToolError
from rchw.files import write_atomic
from rchw.process import Progress, run_program
from rchw.tools import ToolStatus, environment_for_verilator, find

__all__ = ["compile_simulator"]

_WARNINGS = ("WIDTHEXPAND", "WIDTHTRUNC")  # waived; every other warning stops the build
_CHUNK = 600_000  # bytes of generated C++ per compiler call
_SMALL = 200_000  # bytes in all, up to which one call is sooner done than two, and bench and cocotb
# take so much longer than the model that optimising it gains nothing
_LIBRARY = ("", "_cov", "_dpi", "_threads", "_vcd_c", "_vpi")
_HEADERS = (
    "verilated.h", "verilated_cov.h", "verilated_vcd_c.h", "verilated_vpi.h",
    "condition_variable", "fstream", "map", "memory", "sstream", "string", "thread", "vector",
)  # fmt: skip


@dataclass(frozen=True)
class _Tools:
    verilator: ToolStatus
    compiler: ToolStatus
    make: ToolStatus
    environment: dict[str, str]

    @classmethod
    def find(cls) -> "_Tools":
        verilator = find("verilator")
        return cls(verilator, find("c++"), find("make"), environment_for_verilator(verilator))

    def call_make(self, folder: Path, rules: str, progress: Progress | None) -> None:
        (folder / "rchw.mk").write_text(rules)
        jobs = min(4, os.cpu_count() or 1)
        assert self.make.path is not None
        args = ["-s", "-j", str(jobs), "-f", "rchw.mk", "all"]
        run_program(
            "the C++ compiler", self.make.path, args, cwd=folder, log=folder / "compile.log",
            timeout=1800.0, progress=progress, env=self.environment,
        )  # fmt: skip


def _quote(text: str | Path) -> str:
    """Make a word for the shell inside a makefile."""
    return "'" + str(text).replace("'", "'\\''").replace("$", "$$") + "'"


def _flags(root: Path) -> str:
    folders = [f"-I{_quote(root / each)}" for each in ("include", "include/vltstd")]
    return " ".join(["-std=gnu++17", "-w", "-DVERILATOR=1", *folders])


def _kept(
    tools: _Tools,
    name: str,
    root: Path,
    texts: dict[str, str],
    rules: dict[str, str],
    progress: Progress | None,
) -> Path:
    """Folder of the user's cache with files of these texts, and with what these commands make."""
    config = (root / "include" / "verilated_config.h").read_bytes()
    digest = hashlib.sha256(repr([tools.compiler, config, texts, rules]).encode()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rchw"
    folder = cache / f"{name}-{digest}"

    def whole() -> bool:
        return all((folder / item).is_file() for item in (*texts, *rules))

    if whole():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # what another process makes now, serves here too
            if whole():
                return folder
            for left in cache.glob("part-*"):  # by one that was killed: nobody else makes now
                shutil.rmtree(left, ignore_errors=True)
            if progress:
                progress(f"compiling Verilator's {name} (once per machine)")
            _make(tools, cache, folder, texts, rules)
    except OSError as error:
        raise ToolError(f"{cache} cannot be written: {error.strerror}") from error
    return folder


def _make(
    tools: _Tools, cache: Path, folder: Path, texts: dict[str, str], rules: dict[str, str]
) -> None:
    """Fill the folder, none of whose files is ever half of one."""
    work = Path(tempfile.mkdtemp(prefix="part-", dir=cache))
    try:
        for item, text in texts.items():
            (work / item).write_text(text)
        lines = [f"all: {' '.join(rules)}"]
        lines += [f"{item}:\n\t{command}" for item, command in rules.items()]
        tools.call_make(work, "\n".join(lines) + "\n", None)
        folder.mkdir(exist_ok=True)
        for item in (*texts, *rules):
            os.replace(work / item, folder / item)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _runtime(
    tools: _Tools, sources: list[Path], root: Path, progress: Progress | None
) -> list[Path]:
    """Objects of Verilator's run-time library, all of it compiled that any model asks for."""
    known = [root / "include" / f"verilated{part}.cpp" for part in _LIBRARY]
    every = dict.fromkeys([*(path for path in known if path.is_file()), *sources])
    rules = {
        f"{source.stem}.o": f"{_quote(tools.compiler.path or '')} -Os {_flags(root)} "
        f"-c {_quote(source)} -o {source.stem}.o"
        for source in every
    }
    folder = _kept(tools, "library", root, {}, rules, progress)
    return [folder / f"{source.stem}.o" for source in sources]


def _headers(tools: _Tools, root: Path, level: str, progress: Progress | None) -> Path:
    """The headers that every model includes, as one, beside it what GCC has precompiled of it."""
    text = "".join(f"#include <{name}>\n" for name in _HEADERS)
    command = f"{_quote(tools.compiler.path or '')} {level} {_flags(root)} -x c++-header headers.h"
    rules = {"headers.h.gch": f"{command} -o headers.h.gch"}
    return _kept(tools, "headers", root, {"headers.h": text}, rules, progress) / "headers.h"


def _defines(trace: bool, coverage: bool, saif: bool) -> str:
    """What model and driver ask; the headers do not, so that one precompiled form serves all."""
    known = {"TRACE": trace or saif, "TRACE_VCD": trace, "TRACE_SAIF": saif, "COVERAGE": coverage}
    known |= dict.fromkeys(("SC", "TIMING", "TRACE_FST"), False)
    return "".join(f"#define VM_{name} {int(value)}\n" for name, value in known.items())


def _chunks(sources: Sequence[Path]) -> list[list[Path]]:
    """Small files together, as each compiler call costs half a second of headers."""
    chunks: list[list[Path]] = [[]]
    size = 0
    for source in sources:
        if size > _CHUNK:
            chunks.append([])
            size = 0
        chunks[-1].append(source)
        size += source.stat().st_size
    return [chunk for chunk in chunks if chunk]


def compile_simulator(
    sources: Sequence[Path],
    top: str,
    folder: Path,
    *,
    trace: bool = False,
    flags: Sequence[str] = (),
    allow: Sequence[str] = (),
    optimize: str = "-O1",
    main: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Compile Verilog into a program that cocotb drives, or reuse the one in `folder`.

    Parameters
    ----------
    sources : sequence of Path
        Verilog files.
    top : str
        Top module.
    folder : Path
        Where everything is written; logs are ``verilator.log`` and ``compile.log``.
    trace : bool
        Whether the program can write a VCD.
    flags : sequence of str
        More arguments for Verilator. With ``--coverage-line`` or ``--coverage-toggle`` the program
        writes ``coverage.dat`` where it runs; with ``--trace-saif`` a program of its own may count
        changes of nets.
    allow : sequence of str
        Verilator warnings that do not stop the build, beyond the two of signed arithmetic;
        ``("UNOPTFLAT",)`` for netlists.
    optimize : str
        C++ optimisation of what runs at every clock; small models and those with a trace are not
        optimised under cocotb.
    main : Path, optional
        C++ source of a program of its own that drives the model ``Vtop``, in place of cocotb; it
        may include what lies beside it.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    Path
        The program.

    Raises
    ------
    ToolError
        If a tool is missing, too old or fails.
    """
    tools = _Tools.find()
    program, stamp = folder / "simulator", folder / "stamp"
    waivers = [f"-Wno-{name}" for name in (*_WARNINGS, *allow)]
    args = ["--cc", "--make", "json", "--no-timing", "--prefix", "Vtop", "--Mdir", "cpp"]
    args += ["--vpi"] if main is None else []
    args += ["--x-assign", "unique", "--x-initial", "unique", "--top-module", top, *waivers, *flags]
    args += ["--trace-vcd"] if trace else []
    coverage = any(flag.startswith("--coverage") for flag in flags)
    digest = hashlib.sha256(repr([args, optimize, tools.verilator, tools.compiler]).encode())
    for source in (*sources, *(sorted(main.parent.iterdir()) if main else ())):
        digest.update(source.read_bytes())
    key = digest.hexdigest()
    if program.is_file() and stamp.is_file() and stamp.read_text() == key:
        return program
    if progress:
        progress(f"compiling {', '.join(source.name for source in sources)}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stamp.unlink(missing_ok=True)
    except OSError as error:
        raise ToolError(f"{folder} cannot be written: {error.strerror}") from error
    shutil.rmtree(folder / "cpp", ignore_errors=True)
    assert tools.verilator.path is not None
    run_program(
        "Verilator", tools.verilator.path, [*args, *(str(source.resolve()) for source in sources)],
        cwd=folder, log=folder / "verilator.log", env=tools.environment,
    )  # fmt: skip
    defines = _defines(trace, coverage, "--trace-saif" in flags)
    _build(tools, folder, trace, defines, optimize, main, progress)
    write_atomic(stamp, key)
    return program


def _build(
    tools: _Tools,
    folder: Path,
    trace: bool,
    defines: str,
    optimize: str,
    main: Path | None,
    progress: Progress | None,
) -> None:
    try:
        plan = json.loads((folder / "cpp" / "Vtop.json").read_text())
        root, files = Path(plan["system"]["verilator_root"]), plan["sources"]
    except (OSError, ValueError, KeyError):
        # Verilator ends with exit code 0 on a full disk.
        raise ToolError(f"Verilator did not write all of its output into {folder}") from None
    library = _runtime(tools, [Path(name) for name in files["global"]], root, progress)
    driver = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
    fast = [*files["classes_fast"], *files.get("support_fast", []), *([] if main else [driver])]
    slow = [*files["classes_slow"], *files.get("support_slow", [])]
    small = sum((folder / name).stat().st_size for name in (*fast, *slow)) <= _SMALL
    if main is None and (small or trace):  # with a trace a run is as short as it can be
        optimize = "-O0"
    if small or optimize == "-O0":
        fast, slow = [*fast, *slow], []
    rules, objects = [], []
    common = f"{_quote(tools.compiler.path or '')} {_flags(root)} -Icpp"
    own = [main.resolve()] if main else []  # a chunk of its own: it takes seconds too
    parts = [("main", own, optimize), ("fast", fast, optimize), ("slow", slow, "-O0")]
    for kind, names, level in parts:
        for index, chunk in enumerate(_chunks([folder / name for name in names])):
            name = f"{kind}{index}"
            first = f'#include "{_headers(tools, root, level, progress)}"\n'
            includes = [f'#include "{source.resolve()}"\n' for source in chunk]
            text = "".join([first, defines, *includes])
            (folder / f"{name}.cpp").write_text(text)
            (folder / f"{name}.o").unlink(missing_ok=True)
            objects.append(f"{name}.o")
            rules.append(f"{name}.o:\n\t{common} {level} -c {name}.cpp -o {name}.o")
    link = [_quote(item) for item in library]
    if main is None:
        libs = cocotb_tools.config.libs_dir
        link += [f"-L{_quote(libs)}", f"-Wl,-rpath,{_quote(libs)}", "-lcocotbvpi_verilator"]
    rules.append(
        f"all: {' '.join(objects)}\n\t{_quote(tools.compiler.path or '')} -o simulator "
        f"{' '.join(objects)} {' '.join(link)} -lpthread"
    )
    tools.call_make(folder, "\n".join(rules) + "\n", None)
