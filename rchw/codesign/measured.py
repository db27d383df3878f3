"""Energy per sample with what switches counted on the netlist: the work of ``rchw energy``."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.boards.activity import Activity
from rchw.boards.switching import measure_activity
from rchw.codesign.energy import LABEL, SLOW, energy
from rchw.codesign.estimate import estimate
from rchw.codesign.power import power_of
from rchw.design import Design
from rchw.devices import Board, check_fits
from rchw.errors import DesignError
from rchw.files import together
from rchw.hdl.emit import write_verilog
from rchw.process import Progress
from rchw.schedule import schedule
from rchw.sim.record import heading, versions, write_record

__all__ = ["drawn_codes", "energy_record", "rates"]


def drawn_codes(design: Design, samples: int, seed: int) -> NDArray[np.int64]:
    """Input codes (T, K), uniform over their formats: more changes than a series of a task has."""
    rng = np.random.default_rng(seed)
    formats = [channel.format for channel in design.beat]
    return np.stack([rng.integers(f.min, f.max, samples, endpoint=True) for f in formats], axis=1)


def rates(
    design: Design, board: Board, activity: Activity, clock_hz: float
) -> dict[str, dict[str, Any]]:
    """Facts of the energy per sample, by the rate.

    Returns
    -------
    dict
        ``highest``; at `rchw.codesign.energy.SLOW` samples per second ``slow``, with a clock that
        is as slow as this allows, and ``slow, free-running``; neither where the highest rate is
        less.
    """
    found = {
        "highest": energy(design, board, activity.resources, clock_hz=clock_hz, activity=activity)
    }
    if clock_hz / schedule(design).clocks >= SLOW:
        for name, free in (("slow", False), ("slow, free-running", True)):
            found[name] = energy(
                design, board, activity.resources, clock_hz=clock_hz, rate=SLOW,
                activity=activity, free_running=free,
            )  # fmt: skip
    return {name: entry.facts() for name, entry in found.items()}


def energy_record(
    design: Design,
    board: Board,
    out: Path,
    *,
    codes: NDArray[np.int64] | None = None,
    last: NDArray[np.bool_] | None = None,
    inputs: str | None = None,
    clock_hz: float | None = None,
    samples: int = 200,
    seed: int = 1,
    native: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Count what switches in a design's netlist, and write what a sample takes by the model.

    Parameters
    ----------
    design : Design
    board : Board
    out : Path
        Folder for the record ``energy.json``; an earlier one survives any failure.
    codes : int64 array (T, K), optional
        Input codes of the task; the first `samples` are sent. Drawn ones without them.
    last : bool array (T,), optional
        Samples that end a sequence.
    inputs : str, optional
        What the codes are.
    clock_hz : float, optional
        Highest clock of the circuit; as estimated.
    samples : int
        That are sent; the first fifth does not count.
    seed : int
        Of drawn codes.
    native : bool
        Use a `yosys` on ``PATH`` when it is new enough.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        ``label``, ``board``, ``device``, ``clock_hz``, ``clocks_per_sample``, ``inputs``,
        ``activity`` and ``energy`` by `rates`.

    Raises
    ------
    DesignError
        If the power of the device is not known, or samples or codes cannot be.
    ToolError
        If a tool is missing or fails.
    """
    power_of(board.device)  # refused before the work
    if not 10 <= samples <= 100_000:
        raise DesignError(f"samples must be from 10 to 100000, not {samples}")
    if seed < 0:
        raise DesignError(f"seed must be at least 0, not {seed}")
    source = inputs or "input codes"
    if codes is None:
        codes = drawn_codes(design, samples, seed)
        source = f"drawn uniformly, seed {seed}"
    if len(codes) < 10:
        raise DesignError(f"input codes must be at least 10 samples, not {len(codes)}")
    flags = None if last is None else last[:samples]
    with tempfile.TemporaryDirectory(prefix="rchw-") as folder, together(out) as work:
        verilog = write_verilog(design, Path(folder))
        activity = measure_activity(
            design, codes[:samples], board.device, Path(folder), last=flags, source=source,
            native=native, progress=progress,
        )  # fmt: skip
        check_fits(activity.resources, board)
        clock = estimate(design, board.name).clock_hz if clock_hz is None else clock_hz
        used = versions([], ["verilator", "c++", "yosys"])
        record = heading("energy", design, verilog, used, seed) | {
            "label": LABEL,
            "board": board.name,
            "device": board.device.name,
            "clock_hz": clock,
            "clock_of": "estimated" if clock_hz is None else "given",
            "clocks_per_sample": schedule(design).clocks,
            "inputs": source,
            "activity": activity.facts(),
            "energy": rates(design, board, activity, clock),
        }
        return write_record(record, work / "energy.json", out)
