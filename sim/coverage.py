"""What the bench of `verify` comes to: lines, branches, toggles of the Verilog, and the cases."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rchw.design import Design
from rchw.files import together
from rchw.hdl.emit import write_verilog
from rchw.sim.cases import cases
from rchw.sim.points import holes, read_points, totals
from rchw.sim.rails import missed_rail
from rchw.sim.record import heading, versions, write_record
from rchw.sim.runner import build
from rchw.sim.verify import job_for

__all__ = ["cover"]

_FLAGS = ("--coverage-line", "--coverage-toggle")
_STATUS = {"not reachable": "not possible", "not reached": "hole", "not checked": "hole"}


def cover(
    design: Design,
    out: Path,
    *,
    samples: int = 2000,
    seed: int = 1,
    verilog: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the bench of `rchw.sim.verify.verify` and count where it goes.

    Parameters
    ----------
    design : Design
    out : Path
        Folder for ``NAME.v``, the simulation and the record ``coverage.json``; what is there stays
        until all of it is complete.
    samples : int
        Of the longest phase.
    seed : int
    verilog : Path, optional
        A file to run in place of what `rchw.hdl.emit.write_verilog` writes.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        The record: ``verdict`` and ``sentence`` of the run, ``samples``, ``checked``, points and
        hits of ``line``, ``branch`` and ``toggle``, ``cases``, and ``holes``: the points of the
        Verilog without a hit. A hole is no failure.

    Raises
    ------
    DesignError
        If samples or seed cannot be.
    ToolError
        If a tool is missing, too old or fails.
    """
    start = time.monotonic()
    job, rails = job_for(design, samples, seed)
    with together(out, start_from=["coverage"], keep_logs=True) as work:
        verilog = verilog or write_verilog(design, work)
        folder = work / "coverage"
        made = build([verilog], [job.top], folder, flags=_FLAGS, progress=progress)
        (folder / "run" / "coverage.dat").unlink(missing_ok=True)
        found = made.run(job, seed=seed, progress=progress)
        points = read_points(folder / "run" / "coverage.dat", verilog)
        missed = missed_rail(rails["rails"], found["phases"])
        sentence = found["sentence"] or missed
        tools = versions(["cocotb"], ["verilator", "c++"])
        record = {
            **heading("coverage", design, verilog, tools, seed),
            "verdict": "pass" if sentence is None else "fail",
            "sentence": sentence,
            "waves": found["waves"],
            "samples": sum(phase["samples"] for phase in found["phases"]),
            "checked": sum(phase["checked"] for phase in found["phases"]),
            "longest": samples,
            **totals(points),
            "cases": [*_rails(rails["rails"]), *cases(design, job, found["phases"])],
            "holes": holes(points),
            "build_seconds": made.seconds,
            "seconds": round(time.monotonic() - start, 2),
        }
        return write_record(record, work / "coverage.json", out)


def _rails(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Ends of states and outputs in the form of the other cases."""
    return [
        {
            "case": f"{row['what']} at the {row['side']} rail, code {row['code']}",
            "count": int(row["status"] == "hit"),
            "status": _STATUS.get(row["status"], row["status"]),
            "reason": row["reason"],
        }
        for row in rows
    ]
