"""Compile `data/tiny.v` or its netlist with Verilator and return what it answers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rchw import tools

__all__ = ["DATA", "RTL_WAIVERS", "TINY", "answers", "tiny_model"]

DATA = Path(__file__).parent / "data"
TINY = DATA / "tiny.v"
RTL_WAIVERS = ("-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC")


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
            *("--cc", "--exe", "--build", "-j", "2", "-O3", "--x-initial", "0", "--Mdir", "obj"),
            *arguments,
            *("--top-module", top, "--prefix", "Vtop", "-o", "answers", "-CFLAGS", "-O0"),
            *(str(path.absolute()) for path in (*sources, DATA / f"{main}.cpp")),
        ],
        cwd=folder,
        log=folder / "verilator.log",
        timeout=300,
        env=tools.environment_for_verilator(verilator),
    )
    program = tools.ToolStatus(tools.Tool("answers", "", "", ()), folder / "obj" / "answers", "")
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
