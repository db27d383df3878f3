"""Soak the Verilog of a design, and write the evidence."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from rchw.design import Design
from rchw.errors import DesignError, ToolError
from rchw.files import together
from rchw.hdl.emit import write_verilog
from rchw.sim.record import heading, versions, write_record
from rchw.sim.soak.data import Data
from rchw.sim.soak.judge import TIMES, Finding, judge
from rchw.sim.soak.program import Heard, Program
from rchw.sim.soak.replay import replay

__all__ = ["soak"]


def soak(
    design: Design,
    out: Path,
    *,
    samples: int,
    seed: int = 1,
    jobs: int | None = None,
    verilog: Path | None = None,
    libraries: Sequence[Path] = (),
    allow: Sequence[str] = (),
    optimize: str = "-O3",
    progress: Callable[[str], None] | None = None,
    shown: Path | None = None,
    codes: ArrayLike | None = None,
    last: ArrayLike | None = None,
    origin: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Run the design's Verilog for long and compare every output beat.

    Parameters
    ----------
    design : Design
    out : Path
        Folder for ``NAME.v``, the program and the record ``soak.json``; what is there stays until
        all of it is complete, whatever the verdict.
    samples : int
    seed : int
        Of the stimulus and of what registers hold at power-up.
    jobs : int, optional
        Threads; as many as there are cores. What is found does not depend on it.
    verilog : Path, optional
        A file to soak in place of what `rchw.hdl.emit.write_verilog` writes, such as a netlist.
    libraries : sequence of Path
        Cell models of a netlist.
    allow : sequence of str
        Verilator warnings that do not stop the build.
    optimize : str
        C++ optimisation of the program.
    progress : callable, optional
        Receives a line per step, and one per second.
    shown : Path, optional
        Where `out` will be, as the record tells it, if it is to be moved.
    codes : integer array (R, K), optional
        Rows to send in place of drawn codes, round and round; see `Program.fed`.
    last : bool array (R,), optional
        Those of the rows that end a sequence; drawn if it is left out.
    origin : mapping, optional
        What the record says of where the codes come from, such as ``file`` and its ``sha256``.

    Returns
    -------
    dict
        The record: `rchw.sim.record.heading`, ``verdict``, ``sentence`` and ``mismatch`` of the
        first failure, ``unit``, ``waves``, counts, samples per second, seconds; ``input``, None or
        `origin` with ``rows``, ``tlast`` (``marked`` or ``drawn``) and the ``codes_sha256`` of what
        is sent.

    Raises
    ------
    DesignError
        If samples, seed or jobs are out of range, or `codes` or `last` break a rule.
    ToolError
        If a tool is missing, too old or fails.
    """
    start = time.monotonic()
    jobs = (os.cpu_count() or 1) if jobs is None else jobs
    if samples < 1:
        raise DesignError(f"samples must be at least 1, not {samples}")
    if samples >= 1 << 63:
        raise DesignError(f"samples must be below 2**63, not {samples}")
    if not 0 <= seed < 1 << 63:
        raise DesignError(f"seed must be from 0 to 2**63 - 1, not {seed}")
    if not 1 <= jobs <= 1024:
        raise DesignError(f"jobs must be from 1 to 1024, not {jobs}")
    if codes is None and last is not None:
        raise DesignError("last flags must be left out without codes, not given")
    data = None if codes is None else Data.of(design, codes, last)
    with together(out, start_from=["soak", "simulation"], keep_logs=True) as work:
        source = write_verilog(design, work) if verilog is None else verilog
        program = Program.build(
            design, source, work / "soak", libraries=libraries, allow=allow, optimize=optimize,
            progress=progress,
        )  # fmt: skip
        if data is not None:
            program = program.fed(data.codes, data.last)
        heard = program.run(samples, seed, jobs, progress)
        found = judge(design, program, heard, seed)
        inside: Finding = {"told": None, "unit": None, "waves": None, "reproduced": None}
        stimulus = found.pop("stimulus", None) if found is not None else None
        # The bench that would repeat it does not measure clocks.
        if found is not None and stimulus is not None and found["kind"] not in TIMES:
            try:
                inside = replay(
                    design, [source, *libraries], stimulus, found["sample"], found["early"],
                    work / "simulation", allow=allow, progress=progress,
                )  # fmt: skip
            except ToolError as error:  # what was found stands
                inside["told"] = f"it could not be repeated under cocotb: {error}"
        record = _record(design, source, heard, found, inside, seed, jobs)
        record |= {"input": None if data is None else _input(data, origin or {})}
        record |= {"build_seconds": program.seconds}
        record |= {"seconds": round(time.monotonic() - start, 2)}
        return write_record(record, work / "soak.json", shown or out)


def _input(data: Data, origin: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the data."""
    return {
        "file": None,
        **origin,
        "rows": len(data.codes),
        "tlast": "drawn" if data.last is None else "marked",
        "codes_sha256": data.sha256(),
    }


def _record(
    design: Design,
    verilog: Path,
    heard: Heard,
    found: Finding | None,
    inside: Finding,
    seed: int,
    jobs: int,
) -> dict[str, Any]:
    """What is known of a run, but for the time it took."""
    done = dict(heard.done)
    seconds, cpu = done.pop("seconds"), done.pop("cpu_seconds")
    sentence = None if found is None else found.pop("sentence")
    if inside["told"] is not None:
        sentence = f"{sentence}; {inside['told']}"
    tools = versions(["cocotb"] if inside["told"] else [], ["verilator", "c++"])
    answers = design.readout.answers
    ends = done.pop("outputs") or [(None, None)] * len(answers)  # no sequence has ended
    outputs = [
        {"name": answer.name, "least": least, "greatest": greatest}
        for answer, (least, greatest) in zip(answers, ends, strict=True)
    ]
    least, greatest = done.pop("states")
    return {
        **heading("soak", design, verilog, tools, seed),
        "verdict": "pass" if found is None else "fail",
        "sentence": sentence,
        "mismatch": found,
        **{key: inside[key] for key in ("unit", "waves", "reproduced")},
        **done,
        "audited": sum(audited["samples"] for audited in heard.audited),
        "states": {"least": least, "greatest": greatest},
        "outputs": outputs,
        "jobs": jobs,
        "run_seconds": round(seconds, 3),
        "cpu_seconds": round(cpu, 3),
        "samples_per_second": round(done["samples"] / seconds),
    }
