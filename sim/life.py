"""One sample's life as a waveform: build with tracing on, run a few samples, cut one out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rchw import reference
from rchw.design import Design
from rchw.process import Progress
from rchw.schedule import schedule
from rchw.sim.job import Job, Phase
from rchw.sim.runner import build
from rchw.sim.stimulus import stimulus
from rchw.sim.top import top_of
from rchw.sim.wave import read_vcd, sample_life

__all__ = ["show_sample"]


def show_sample(
    design: Design,
    verilog: Path,
    out: Path,
    *,
    sample: int = 2,
    seed: int = 1,
    extra: Sequence[str] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Simulate a few samples of a design and return the waveform of one.

    Parameters
    ----------
    design : Design
    verilog : Path
        Its Verilog.
    out : Path
        Folder for the build and the waveform ``NAME.vcd``.
    sample : int
        Which one; those before fill the pipeline.
    seed : int
        Of the input codes.
    extra : sequence of str
        More signals, by name within the design.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        What `rchw.sim.wave.sample_life` returns, and ``file``, the whole waveform.
    """
    samples = sample + 4
    codes, _ = stimulus(design, max(samples, 48), np.random.default_rng(seed))
    codes, last = codes[:samples], np.full(samples, design.readout.pooled)
    want = reference.run(design, codes, last).outputs
    top = top_of(design)
    job = Job(top, (Phase("life", codes, last, want),), 8 * schedule(design).clocks + 2000)
    made = build([verilog], [top], out / "traced", waves=True, progress=progress)
    file = out / f"{design.name}.vcd"
    made.write_waves(job, file, seed=seed)
    return sample_life(read_vcd(file), 0, sample, extra=extra) | {"file": str(file)}
