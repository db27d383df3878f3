"""Compile `data/tiny.v` or its netlist with Verilator and return what it answers."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from rchw import tools

__all__ = ["DATA", "RTL_WAIVERS", "TINY", "answers", "tiny_model"]

DATA = Path(__file__).parent / "data"
TINY = DATA / "tiny.v"
RTL_WAIVERS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC")


@cache
def runtime(root: Path, sources: tuple[str, ...]) -> list[str]:
    """Compile what every program shares once per run, as that takes longer than all the rest."""
    folder = Path(tempfile.mkdtemp(prefix="rchw-runtime-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    flags = ["-O1", "-w", "-I", str(root / "include"), "-I", str(root / "include" / "vltstd")]
    tools.run(tools.find("c++"), [*flags, "-c", *sources], cwd=folder, log=folder / "log")
    return [str(path) for path in folder.glob("*.o")]


def answers(
    main: str,
    top: str,
    sources: Sequence[Path],
    arguments: Sequence[str],
    folder: Path,
    samples: int,
) -> list[str]:
    """Build a module around ``data/MAIN.cpp`` and return the lines it prints."""
    verilator = tools.find("verilator")
    folder.mkdir()
    tools.run(
        verilator,
        [
            *("--cc", "--make", "json", "-O3", "--x-initial", "0", "--Mdir", "obj"),
            *arguments,
            *("--top-module", top, "--prefix", "Vtop"),
            *(str(path.absolute()) for path in sources),
        ],
        cwd=folder,
        log=folder / "verilator.log",
        env=tools.environment_for_verilator(verilator),
    )
    plan = json.loads((folder / "obj" / "Vtop.json").read_text())
    root, files = Path(plan["system"]["verilator_root"]), plan["sources"]
    objects = runtime(root, tuple(files["global"]))
    own = [
        name for kind in sorted(files) if kind[:7] in ("classes", "support") for name in files[kind]
    ]
    text = "".join(f'#include "{folder / name}"\n' for name in [*own, DATA / f"{main}.cpp"])
    (folder / "all.cpp").write_text(text)
    include = [f"-I{path}" for path in (folder / "obj", root / "include")]
    flags = ["-O0", "-w", *include, "-o", "answers", "all.cpp", *objects, "-lpthread"]
    tools.run(tools.find("c++"), flags, cwd=folder, log=folder / "compile.log", timeout=300)
    program = tools.ToolStatus(tools.Tool("answers", "", "", ()), folder / "answers", "")
    done = tools.run(program, [str(samples)], cwd=folder, log=folder / "answers.log")
    return done.text.splitlines()


def tiny_model(samples: Iterable[tuple[int, int]]) -> list[str]:
    """Return what `tiny` answers to (code, last) samples, in the format of the C++ mains."""
    units = range(16)
    weights = [_signed(40503 * (i + 1), 16) for i in units]
    states = [0] * 16
    lines = []
    for code, last in samples:
        states = [_signed((states[i] >> 1) + code + i, 16) for i in units]
        total = sum(x * w for x, w in zip(states, weights, strict=True)) % 2**40
        lines.append(f"{total:x} {last}")
        states = [0] * 16 if last else states
    return lines


def _signed(code: int, width: int) -> int:
    half = 1 << (width - 1)
    return (code + half) % (2 * half) - half
