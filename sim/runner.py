"""Build designs into one simulator program and run jobs on it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rchw.errors import DesignError, ToolError
from rchw.files import write_atomic
from rchw.process import Progress
from rchw.sim.compile import compile_simulator
from rchw.sim.harness import HARNESS, Top, harness
from rchw.sim.icarus import PROGRAM, compile_icarus
from rchw.sim.job import Job
from rchw.sim.simulate import simulate

__all__ = ["Build", "build"]

_AFTER = 2  # samples the waveform shows beyond a mismatch


@dataclass(frozen=True)
class Build:
    """A simulator program that holds one or more designs.

    Attributes
    ----------
    sources : tuple of Path
        Verilog files of the designs.
    tops : tuple of Top
    folder : Path
        Where it was built.
    program : Path
    waves : bool
        Whether it can write waveforms.
    flags, allow, optimize
        As given to `build`.
    seconds : float
        What building took; next to nothing when it was up to date.
    """

    sources: tuple[Path, ...]
    tops: tuple[Top, ...]
    folder: Path
    program: Path
    waves: bool
    flags: tuple[str, ...]
    allow: tuple[str, ...]
    seconds: float
    optimize: str = "-O1"

    def run(self, job: Job, **options: Any) -> dict[str, Any]:
        """Run one job; see `run_all`."""
        return self.run_all([job], **options)[0]

    def run_all(
        self,
        jobs: Sequence[Job],
        *,
        name: str = "run",
        seed: int = 1,
        timeout: float = 1800.0,
        witness: bool = True,
        progress: Progress | None = None,
    ) -> list[dict[str, Any]]:
        """Run jobs one after the other in one simulation.

        Parameters
        ----------
        jobs : sequence of Job
            Each of a design of this build.
        name : str
            Of the folder inside the build folder with job, records, log and waveform.
        seed : int
            Of the arbitrary values that registers without reset hold at power-up.
        timeout : float
            Seconds.
        witness : bool
            After a mismatch, run its phase again up to there and write the waveform.
        progress : callable, optional
            Receives a line per phase.

        Returns
        -------
        list of dict
            One record per job: ``design``, ``verdict``, ``sentence``, ``phases``, ``waves``,
            ``seconds``; each phase as `rchw.sim.verdict` makes it.

        Raises
        ------
        ToolError
            If the simulation does not run to its end.
        """
        indices = {top.name: index for index, top in enumerate(self.tops)}
        for job in jobs:
            if job.top.name not in indices:
                raise DesignError(f"job must be for one of {list(indices)}, not {job.top.name!r}")
        folder = self.folder / name
        numbered = [(indices[job.top.name], job) for job in jobs]
        start = time.monotonic()
        records = simulate(
            self.program, numbered, folder, seed=seed, timeout=timeout, progress=progress
        )
        for job, record in zip(jobs, records, strict=True):
            failed = [phase for phase in record["phases"] if phase["verdict"] == "fail"]
            record["verdict"] = "fail" if failed else "pass"
            record["sentence"] = failed[0]["sentence"] if failed else None
            record["waves"] = None
            if failed and witness:
                self._show(job, record, failed[0], name, seed, progress)
            record["seconds"] = round(time.monotonic() - start, 2)
        return records

    def _show(
        self,
        job: Job,
        record: dict[str, Any],
        failed: dict[str, Any],
        name: str,
        seed: int,
        progress: Progress | None,
    ) -> None:
        """Repeat the failing phase up to the mismatch, with the waveform on."""
        phase = next(phase for phase in job.phases if phase.name == failed["name"])
        stop = min(int(failed["mismatch"]["sample"]) + 1 + _AFTER, len(phase.codes))
        short = replace(
            phase,
            codes=phase.codes[:stop],
            last=phase.last[:stop],
            want=phase.want[: int(np.searchsorted(phase.answered, stop))],
            resets=tuple((k, clocks) for k, clocks in phase.resets if k < stop),
        )
        try:
            traced = self
            if not self.waves:
                traced = build(
                    self.sources, self.tops, self.folder / "traced", waves=True, flags=self.flags,
                    allow=self.allow, optimize=self.optimize, progress=progress,
                )  # fmt: skip
            file = self.folder / f"{name}-{job.top.name}.vcd"
            again = traced.write_waves(replace(job, phases=(short,)), file, seed=seed)
        except ToolError as error:
            record["waves_missing"] = str(error)
            return
        record["waves"] = str(file)
        record["reproduced"] = again["phases"][0]["verdict"] == "fail"
        record["sentence"] += f"; waveform in {file}"

    def write_waves(
        self, job: Job, file: Path, *, seed: int = 1, timeout: float = 600.0
    ) -> dict[str, Any]:
        """Run one job and write every signal of the designs to a VCD.

        Parameters
        ----------
        job : Job
        file : Path
            The VCD; overwritten.
        seed, timeout
            As in `run_all`.

        Raises
        ------
        DesignError
            If the build cannot write waveforms.
        """
        if not self.waves:
            raise DesignError("build must be made with waves=True to write a waveform")
        index = [top.name for top in self.tops].index(job.top.name)
        folder, target = self.folder / "waves", file.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        args = ["--trace", "--trace-file", str(target)]
        if self.program.name == PROGRAM:
            args = [f"+waves={target}"]
        return simulate(
            self.program, [(index, job)], folder, seed=seed, timeout=timeout, args=args
        )[0]


def build(
    sources: Sequence[Path],
    tops: Sequence[Top],
    folder: Path,
    *,
    waves: bool = False,
    flags: Sequence[str] = (),
    allow: Sequence[str] = (),
    optimize: str = "-O1",
    simulator: str = "verilator",
    progress: Progress | None = None,
) -> Build:
    """Build one simulator program for several designs.

    Parameters
    ----------
    sources : sequence of Path
        Verilog files; their modules must have distinct names.
    tops : sequence of Top
        The top module of each design and the formats of its lanes.
    folder : Path
        Created when missing; an up-to-date program in it is used again.
    waves : bool
        Whether the program can write waveforms, which costs time even when it does not.
    flags : sequence of str
        More arguments for Verilator.
    allow : sequence of str
        Verilator warnings that do not stop the build, such as ``"UNOPTFLAT"`` for netlists.
    optimize : str
        As for `rchw.sim.compile.compile_simulator`.
    simulator : str
        ``"verilator"`` or ``"icarus"``; to the latter `waves`, `flags`, `allow` and `optimize` mean
        nothing.
    progress : callable, optional
        Receives a line per step.

    Raises
    ------
    ToolError
        If a tool is missing, too old or fails.
    """
    start = time.monotonic()
    folder = folder.resolve()
    text = harness(tops)
    wrapper = folder / f"{HARNESS}.v"
    write_atomic(wrapper, text)
    if simulator == "icarus":
        program = compile_icarus([*sources, wrapper], HARNESS, folder, progress=progress)
        waves = True
    else:
        program = compile_simulator(
            [*sources, wrapper], HARNESS, folder, trace=waves, flags=flags, allow=allow,
            optimize=optimize, progress=progress,
        )  # fmt: skip
    seconds = round(time.monotonic() - start, 2)
    return Build(
        tuple(sources),
        tuple(tops),
        folder,
        program,
        waves,
        tuple(flags),
        tuple(allow),
        seconds,
        optimize,
    )
