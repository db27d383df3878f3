"""Compile `data/tiny.v` or its netlist with Verilator and return what it answers."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from rchw import tools
from rchw.sim.compile import compile_simulator

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
    folder.mkdir()
    path = compile_simulator(
        sources, top, folder, flags=["-O3", *arguments], optimize="-O0", main=DATA / f"{main}.cpp"
    )
    program = tools.ToolStatus(tools.Tool("answers", "", "", ()), path.absolute(), "")
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
