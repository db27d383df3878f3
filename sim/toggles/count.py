"""Send samples through a netlist and count the changes of every net.

Verilator writes the counts in the Switching Activity Interchange Format (SAIF) while the netlist
runs, so nothing is stored but a number per net. A net that is high at the start would count as one
change; therefore the program runs twice, and what the shorter run has counted is taken off.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError, ToolError
from rchw.process import Progress, run_program
from rchw.sim.compile import compile_simulator

__all__ = ["Toggles", "count_toggles", "read_saif"]

_MAIN = Path(__file__).parent / "cpp" / "main.cpp"
_NET = re.compile(r"\((\S+) \(T0 \d+\) \(T1 (\d+)\) \(TZ 0\) \(TX 0\) \(TB 0\) \(TC (\d+)\)\)")
_FRAME = re.compile(  # what stands around the nets, in files of Verilator
    r"//.*|\(SAIFILE|\((SAIFVERSION|DIRECTION|PROGRAM_NAME|DIVIDER|TIMESCALE|DURATION) [^()]*\)"
    r"|\(INSTANCE \S+|\(NET|\)|"
)
_TOP = 4  # brackets around nets of the top module: file, Verilator's TOP, the module, nets


@dataclass(frozen=True)
class Toggles:
    """Counts of a run.

    Attributes
    ----------
    samples : int
        Beats that went in while it was counted.
    clocks : int
        Clocks in which they did.
    changes : dict
        Of every net of one bit, by its name: settled values that differ from those a clock before.
    high : dict
        Of every net the clocks in which it was 1.
    """

    samples: int
    clocks: int
    changes: dict[str, int]
    high: dict[str, int]


def read_saif(path: Path) -> dict[str, tuple[int, int]]:
    """Time high and changes of every net of one bit of the top module in a SAIF file.

    Raises
    ------
    ToolError
        If the file is missing or cut short, or a line is neither a net nor what stands around nets:
        what it counts would be missing.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise ToolError(f"the simulator did not write {path}") from None
    if "(DURATION" not in text or not text.rstrip().endswith(")"):
        raise ToolError(f"{path} must be a whole SAIF file, but is cut short")
    found: dict[str, tuple[int, int]] = {}
    level = 0
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        net = _NET.fullmatch(line)
        if net is None and _FRAME.fullmatch(line) is None:
            raise ToolError(f"line {number} of {path} must be a net of 0 and 1, not {line}")
        if net is None:
            level += line.count("(") - line.count(")")
        elif level <= _TOP:
            found[net[1]] = int(net[2]), int(net[3])
    return found


def count_toggles(
    sources: Sequence[Path],
    top: str,
    words: Sequence[int],
    last: NDArray[np.bool_],
    folder: Path,
    *,
    skip: int,
    allow: Sequence[str] = (),
    progress: Progress | None = None,
) -> Toggles:
    """Count the changes of the nets of the top module while beats go in, one after the other.

    Parameters
    ----------
    sources : sequence of Path
        Verilog of a module with the stream ports of a design, and of its cells.
    top : str
    words : sequence of int
        Input beats, from `rchw.sim.lanes.pack`.
    last : bool array (T,)
        Beats that end a sequence.
    folder : Path
        For the simulation.
    skip : int
        First beats that do not count: the reservoir runs in.
    allow : sequence of str
        Verilator warnings that do not stop the build.

    Raises
    ------
    DesignError
        If no beat is left to count.
    ToolError
        If a tool is missing or fails, or the circuit stops taking beats.
    """
    if not 0 < skip < len(words):
        raise DesignError(f"washout must be from 1 to {len(words) - 1} samples, not {skip}")
    program = compile_simulator(
        sources, top, folder, flags=["--trace-saif", "--no-assert"], allow=allow, main=_MAIN,
        optimize="-O0", progress=progress,  # it runs for less time than optimising would take
    )  # fmt: skip
    size = max(1, -(-max(word.bit_length() for word in words) // 32))
    lines = [
        " ".join([str(int(flag)), *(f"{word >> 32 * k & 0xFFFFFFFF:x}" for k in range(size))])
        for word, flag in zip(words, last, strict=True)
    ]
    (folder / "beats.txt").write_text("\n".join(lines) + "\n")
    counts, clocks = [], []
    for beats in (skip, len(words)):
        saif = folder / f"{beats}.saif"
        done = run_program(
            "the simulator", program.resolve(), ["beats.txt", str(beats), saif.name], cwd=folder,
            log=folder / "run.log", timeout=1800.0,
        )  # fmt: skip
        counts.append(read_saif(saif))
        clocks.append(int(done.text))
    before, after = counts
    return Toggles(
        samples=len(words) - skip,
        clocks=clocks[1] - clocks[0],
        changes={name: after[name][1] - before[name][1] for name in after},
        high={name: after[name][0] - before[name][0] for name in after},
    )
