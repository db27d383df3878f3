"""The circuit as a function: input codes in, the output codes that the Verilog gave out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw import reference
from rchw.design import Design
from rchw.process import Progress
from rchw.schedule import schedule
from rchw.sim.job import Job, Phase
from rchw.sim.runner import build
from rchw.sim.top import top_of

__all__ = ["RtlRun", "run_rtl"]


@dataclass(frozen=True)
class RtlRun:
    """What one stream of samples through the Verilog gave.

    Attributes
    ----------
    outputs : int64 array (T', L)
        Codes read from ``m_axis_tdata``, as in `rchw.reference.Trace`; fewer only where the circuit
        stopped.
    record : dict
        Of the phase: ``verdict`` and ``sentence`` against the reference, clocks per sample.
    """

    outputs: NDArray[np.int64]
    record: dict[str, Any]


def run_rtl(
    design: Design,
    verilog: Path,
    codes: ArrayLike,
    folder: Path,
    *,
    last: ArrayLike | None = None,
    seed: int = 1,
    progress: Progress | None = None,
) -> RtlRun:
    """Drive a design's Verilog with one stream of samples, without pauses, from its reset.

    Parameters
    ----------
    design : Design
    verilog : Path
        Its Verilog.
    codes : integer array (T, K)
    last : bool array (T,), optional
        ``tlast`` of each sample; low throughout without it.
    folder : Path
        For the simulator; one that `rchw.sim.verify.verify` left in ``OUT/simulation`` is used
        again when the Verilog is the same.
    seed : int
        Of the arbitrary values that registers without reset hold at power-up.
    progress : callable, optional
        Receives a line per step.

    Raises
    ------
    DesignError
        If a code lies outside its channel's format.
    ToolError
        If a tool is missing, too old or fails.
    """
    words = np.asarray(codes)
    flags = np.zeros(len(words), dtype=bool) if last is None else np.asarray(last, dtype=bool)
    want = reference.run(design, words, flags).outputs
    top = top_of(design)
    phase = Phase("stream", words.astype(np.int64), flags, want, keep=True)
    made = build([verilog], [top], folder, progress=progress)
    job = Job(top, (phase,), 8 * schedule(design).clocks + 2000)
    found = made.run(job, name="stream", seed=seed, witness=False, progress=progress)["phases"][0]
    outputs = np.load(made.folder / "stream" / found["outputs"])
    return RtlRun(outputs, found)
