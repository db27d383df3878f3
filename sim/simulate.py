"""Run the cocotb bench in its own process: environment, log, records."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cocotb_tools.config
import find_libpython

import rchw
from rchw.errors import ToolError
from rchw.process import Progress, run_program
from rchw.sim.harness import HARNESS
from rchw.sim.icarus import PROGRAM, interpreter
from rchw.sim.job import Job, save_jobs

__all__ = ["simulate"]

_MARK = "@progress "


def _environment(folder: Path) -> dict[str, str]:
    """Return what cocotb reads from the environment, and nothing left over from the user's."""
    libpython = find_libpython.find_libpython()
    if libpython is None:
        raise ToolError(
            "the shared library of Python (libpython) is missing: install a Python built with it"
        )
    left = {k: v for k, v in os.environ.items() if not k.startswith(("COCOTB_", "GPI_", "PYGPI_"))}
    paths = [str(Path(rchw.__file__).parents[1]), *(entry or os.getcwd() for entry in sys.path)]
    return left | {
        "COCOTB_ANSI_OUTPUT": "0",
        "COCOTB_RESULTS_FILE": str(folder / "results.xml"),
        # Or cocotb rewrites assertions in all that is imported, numpy too: half of a short run.
        "COCOTB_REWRITE_ASSERTION_FILES": "",
        "COCOTB_TEST_MODULES": "rchw.sim.bench_stream",
        "COCOTB_TOPLEVEL": HARNESS,
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "LD_LIBRARY_PATH": str(cocotb_tools.config.libs_dir),  # for Icarus, which opens a link
        "GPI_USERS": f"{libpython};{cocotb_tools.config.pygpi_entry_point()}",
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "RCHW_JOB": str(folder / "job.json"),
        "TOPLEVEL_LANG": "verilog",
    }


def simulate(
    program: Path,
    jobs: list[tuple[int, Job]],
    folder: Path,
    *,
    seed: int,
    timeout: float,
    progress: Progress | None = None,
    args: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Run the bench on jobs and return what it recorded.

    Parameters
    ----------
    program : Path
        From `rchw.sim.compile.compile_simulator` or `rchw.sim.icarus.compile_icarus`.
    jobs : list of (int, Job)
        With the index of the design in the harness.
    folder : Path
        Receives job, records and ``simulation.log``.
    seed : int
        Of the arbitrary values that registers without reset hold at power-up, in Verilator.
    timeout : float
        Seconds.
    progress : callable, optional
        Receives a line per phase.
    args : sequence of str
        More arguments for the program.

    Raises
    ------
    ToolError
        If the folder cannot be written, or the simulation does not run to its end.
    """
    folder = folder.resolve()
    try:
        save_jobs(jobs, folder)
        (folder / "record.json").unlink(missing_ok=True)
    except OSError as error:
        raise ToolError(f"{folder} cannot be written: {error.strerror}") from error
    log = folder / "simulation.log"

    def line(text: str) -> None:
        if progress is not None and text.startswith(_MARK):
            record = json.loads(text.removeprefix(_MARK))
            progress(f"{record['design']}: phase {record['phase']} done")

    if program.name == PROGRAM:
        words = [*interpreter(program.resolve()), *args]
    else:
        random = [f"+verilator+seed+{seed}", "+verilator+rand+reset+2"]
        words = [str(program.resolve()), *args, *random]
    run_program(
        "the simulation", Path(words[0]), words[1:], cwd=folder, log=log,
        timeout=timeout, progress=line, env=_environment(folder),
    )  # fmt: skip
    try:
        records: list[dict[str, Any]] = json.loads((folder / "record.json").read_text())
    except OSError:
        records = []
    if len(records) != len(jobs):
        text = log.read_text(errors="replace").splitlines()
        reasons = [entry.strip() for entry in text if "Error" in entry or "error" in entry]
        reason = (reasons or ["no reason given"])[-1][:200]
        raise ToolError(f"the simulation stopped early: {reason} (log: {log})")
    return records
