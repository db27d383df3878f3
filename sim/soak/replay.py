"""Repeat the block of a soak that failed under cocotb, and look inside the circuit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rchw import reference
from rchw.design import Design
from rchw.process import Progress
from rchw.schedule import schedule
from rchw.sim.job import Job, Phase
from rchw.sim.runner import build
from rchw.sim.scoreboard import describe
from rchw.sim.soak.program import window_of
from rchw.sim.soak.stimulus import Block
from rchw.sim.top import top_of
from rchw.sim.units import first_unit

__all__ = ["Piece", "pieces", "replay"]

_AFTER = 64  # samples behind the failing one
_LONGEST = 2_000_000  # clocks of which a waveform is written


@dataclass(frozen=True)
class Piece:
    """Part of a block as a phase of the bench.

    Attributes
    ----------
    phase : Phase
    start : int
        Sample of the block with which it begins, less those that are also sent before it.
    name : str
        For sentences.
    """

    phase: Phase
    start: int
    name: str


def pieces(design: Design, block: Block, sample: int, early: bool) -> list[Piece]:
    """What to repeat: the sequence of the failing sample if it stands alone, then the block.

    Parameters
    ----------
    design : Design
    block : Block
    sample : int
        At which it failed.
    early : bool
        Whether that was among the samples that are sent before the block.
    """
    stop = min(sample + 1 + _AFTER, len(block.codes))
    found = []
    ends = np.flatnonzero(block.last[:sample])
    if design.reset_on_last and not early and len(ends):
        start = int(ends[-1]) + 1
        found.append(Piece(_phase(design, block, [(start, stop)]), start, "its sequence alone"))
    if not block.before:
        whole = [(0, stop)]
    elif early:
        whole = [(0, block.before)]
    else:
        whole = [(0, block.before), (0, stop)]
    start = 0 if early else -block.before
    found.append(Piece(_phase(design, block, whole), start, "the block from its beginning"))
    return found


def _phase(design: Design, block: Block, parts: Sequence[tuple[int, int]]) -> Phase:
    """Phase of parts of a block, with a reset after the samples that are sent before it."""
    taken = np.concatenate([np.arange(start, stop) for start, stop in parts])
    runs = [
        reference.run(design, block.codes[start:stop], block.last[start:stop])
        for start, stop in parts
    ]
    cut = ((block.before - 1, block.clocks),) if parts[0] == (0, block.before) else ()
    source, sink = (
        "list:" + ",".join(map(str, pauses[taken].tolist()))
        for pauses in (block.source, block.sink)
    )
    return Phase(
        name=f"block {block.index}",
        codes=block.codes[taken],
        last=block.last[taken],
        want=np.concatenate([run.outputs for run in runs]),
        resets=cut,
        source=source,
        sink=sink,
    )


def replay(
    design: Design,
    verilog: Sequence[Path],
    block: Block,
    sample: int,
    early: bool,
    folder: Path,
    *,
    allow: Sequence[str] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Repeat what failed, with a waveform, and find the unit that differs first.

    Parameters
    ----------
    design : Design
    verilog : sequence of Path
    block : Block
    sample : int
        At which it failed.
    early : bool
        Whether that was among the samples that are sent before the block.
    folder : Path
        Of the bench.
    allow : sequence of str
        Verilator warnings that do not stop the build.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        ``reproduced``, ``unit`` and ``waves``, both maybe None, and ``told``: half a sentence.
    """
    made = build(verilog, [top_of(design)], folder, allow=allow, progress=progress)
    for piece in pieces(design, block, sample, early):
        phase = piece.phase
        job = Job(top_of(design), (phase,), window=window_of(design))
        short = len(phase.codes) * schedule(design).clocks <= _LONGEST
        found = made.run(job, witness=short, progress=progress)
        if found["verdict"] == "fail":
            return _look_inside(design, piece, found)
    told = "it did not show again under cocotb, where registers power up with other values"
    return {"reproduced": False, "unit": None, "waves": None, "told": told}


def _look_inside(design: Design, piece: Piece, found: dict[str, Any]) -> dict[str, Any]:
    mismatch = found["phases"][0]["mismatch"]
    unit, told = None, f"it showed again under cocotb in {piece.name}"
    if found["waves"] is not None and mismatch["kind"] == "code":
        waves = Path(found["waves"])
        unit, told = first_unit(design, piece.phase, waves, mismatch["sample"])
        if unit is not None:
            place = unit["sample"] + piece.start
            unit["sample"] = place if place >= 0 else unit["sample"]
            whole = unit | {"kind": "code", "column": unit["unit"]}
            told = f"inside, {describe(whole, 'unit')}"
        elif "up to sample" in told:
            told = "inside, all states up to there are right, so the readout differs"
    if found["waves"] is not None:
        told = f"{told}; waveform in {found['waves']}"
    return {"reproduced": True, "unit": unit, "waves": found["waves"], "told": told}
