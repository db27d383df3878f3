"""``rchw demo``: measured laser light to a verified bitstream, and the page that explains it.

Each step writes its own record into the folder; the page is drawn from the records alone, and the
last two errors in it, of the integer reference and of the RTL, come from two different programs.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rchw.boards.of_design import build_design
from rchw.boards.package import write_package
from rchw.design import Design
from rchw.devices import board as find_board
from rchw.document import digest
from rchw.experiment import Steps, experiment, versions
from rchw.files import sha256_of, together, write_atomic
from rchw.fixed import QFormat
from rchw.report import write_report
from rchw.sim.life import show_sample
from rchw.sim.rtl import run_rtl
from rchw.sim.verify import verify
from rchw.tasks import Task, load_task
from rchw.tools import find
from rchw.train import TrainOptions

__all__ = ["BOARDS", "SOURCE", "life_record", "measure_rtl", "run_demo"]

SOURCE = "santa-fe"
BOARDS = ("icebreaker", "ulx3s")
# Two units per clock, states and squares multiplied at once, and two squarers: 6 of the smaller
# board's 8 multipliers, and 50 clocks per sample.
OPTIONS = TrainOptions(
    name="laser", units=100, squares=True, levels=True, lanes=2, multipliers=4, search="quick"
)


def _needed(boards: Sequence[str]) -> None:
    """Name what is missing now, not after minutes of work."""
    families = {find_board(name).device.family for name in boards}
    names = ["verilator", "c++", "make", "perl"]
    if boards:
        names += ["yosys", *(f"nextpnr-{family}" for family in sorted(families))]
    for name in names:
        find(name)


def measure_rtl(
    design: Design, task: Task, verilog: Path, folder: Path, progress: Any = None
) -> dict[str, Any]:
    """Drive the whole series through the Verilog, and score what came out on the test samples.

    Parameters
    ----------
    design : Design
    task : Task
    verilog : Path
    folder : Path
        Of the simulator.
    progress : callable, optional
        Receives a line per step.

    Returns
    -------
    dict
        Record: ``error`` of the codes read from the circuit, and whether every one of them was
        ``identical`` to the reference.
    """
    codes = design.encode(task.inputs[: task.test.stop])
    seen = run_rtl(design, verilog, codes, folder, progress=progress)
    complete = len(seen.outputs) == len(codes)
    error = None
    if complete:
        error = task.error(design.decode(seen.outputs[task.test]), task.targets[task.test])
    return {
        "kind": "rtl",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "verilog_sha256": sha256_of(verilog),
        "samples": len(codes),
        "test_samples": task.test.stop - task.test.start,
        "test_sha256": task.hashes()["test"],
        "metric": task.metric,
        "error": error,
        "identical": complete and seen.record["verdict"] == "pass",
        "sentence": seen.record["sentence"],
        "clocks_per_sample": seen.record["clocks_per_sample"],
        "latency": seen.record["latency"],
        "tools": versions("cocotb", "amaranth") | {"verilator": find("verilator").version},
    }


def _signed(value: int, width: int) -> int | None:
    """Two's complement of a raw value; None where the wave had unknown bits."""
    return None if value < 0 else value - (1 << width) * (value >> (width - 1) & 1)


def _lane(values: Sequence[int], fmt: QFormat, lanes: int) -> list[Any]:
    """Codes of a stream of one lane; words of several lanes in hexadecimal."""
    if lanes > 1:
        return [None if value < 0 else f"{value:x}" for value in values]
    mask = (1 << fmt.width) - 1
    if not fmt.signed:
        return [None if value < 0 else value & mask for value in values]
    return [None if value < 0 else _signed(value & mask, fmt.width) for value in values]


def life_record(design: Design, life: Mapping[str, Any], verilog: Path) -> dict[str, Any]:
    """Make a JSON-ready timing diagram of what `rchw.sim.life.show_sample` returns.

    Returns
    -------
    dict
        Record: ``signals``, each as `rchw.plot.timing_diagram` wants it, and the clocks of the two
        transfers of the sample.
    """

    def plain(name: str) -> list[int]:
        return [int(value) for value in life[name]]

    signals: list[dict[str, Any]] = []
    ends = (
        ("s", [channel.format for channel in design.beat]),
        ("m", [output.format for output in design.readout.outputs]),
    )
    for side, formats in ends:
        valid = plain(f"{side}_axis_tvalid")
        data = _lane(plain(f"{side}_axis_tdata"), formats[0], len(formats))
        held = [code if on == 1 else None for code, on in zip(data, valid, strict=True)]
        rows: list[tuple[str, str, list[Any]]] = [
            ("tvalid", "bit", valid),
            ("tready", "bit", plain(f"{side}_axis_tready")),
            ("tdata", "bus", held),
            ("tlast", "bit", plain(f"{side}_axis_tlast")),
        ]
        for name, kind, values in rows:
            clean = [None if value == -1 and kind == "bit" else value for value in values]
            signals.append(
                {"name": f"{side}_axis_{name}", "kind": kind, "values": clean, "group": side}
            )
    inner = [_internal(design, name, plain(name)) for name in _internals(design, verilog)]
    return {
        "kind": "life",
        "version": 1,
        "design": design.name,
        "digest": digest(design),
        "verilog_sha256": sha256_of(verilog),
        "first_clock": int(life["clock"][0]),
        "clock_in": int(life["clock_in"]),
        "clock_out": int(life["clock_out"]),
        "signals": [*signals[:4], *inner, *signals[4:]],
    }


def _internals(design: Design, verilog: Path) -> list[str]:
    """Names of what is worth seeing inside, as far as this circuit has it."""
    text = verilog.read_text(encoding="utf-8")
    wanted = ["word", *(f"x{k}" for k in range(min(design.layer.lanes, 4)))]
    if design.n_inputs == 1:
        wanted.insert(1, "inputs")
    declared = r"^  (?:reg|wire) (?:\[\d+:0\] )?{} ?;"
    return [
        f"core.{name}" for name in wanted if re.search(declared.format(name), text, re.MULTILINE)
    ]


def _internal(design: Design, name: str, values: list[int]) -> dict[str, Any]:
    leaf = name.removeprefix("core.")
    shown: list[Any] = [None if value < 0 else value for value in values]
    if leaf == "inputs":
        shown = _lane(values, design.inputs[0].format, 1)
    elif re.fullmatch(r"x\d+", leaf):
        shown = _lane(values, design.layer.state, 1)
    return {"name": leaf, "kind": "bus", "values": shown, "group": "inside"}


def _json(path: Path, record: Mapping[str, Any]) -> None:
    write_atomic(path, json.dumps(record, indent=1, allow_nan=False) + "\n")


def run_demo(
    out: Path,
    steps: Steps,
    *,
    source: str = SOURCE,
    options: TrainOptions = OPTIONS,
    boards: Sequence[str] = BOARDS,
    samples: int = 2000,
    split: tuple[int, int, int] | None = None,
) -> dict[str, Any]:
    """Train, write Verilog, verify, measure the RTL, build for boards, draw the page.

    Parameters
    ----------
    out : Path
        Folder; an earlier run stays until all of this one is complete. What a failed one leaves
        is kept in ``OUT.failed``.
    steps : Steps
        Shows progress.
    source : str
        A task.
    options : TrainOptions
    boards : sequence of str
        Keys of `rchw.devices.BOARDS`.
    samples : int
        Of the longest phase of the verification.
    split : tuple of int, optional
        Of the task.

    Returns
    -------
    dict
        ``train``, ``verify``, ``rtl``, ``builds`` (all as written) and ``page``.

    Raises
    ------
    RchwError
        If something is missing, cannot be written, or fails.
    """
    _needed(boards)
    task = load_task(source, split=split, seed=options.seed)
    kept = ("verify/simulation", "life/traced")  # programs that are built once
    with together(out, start_from=kept, keep_logs=True) as work:
        trained = experiment(task, options, steps, source=source, series_seed=options.seed)
        trained.write(work / f"{options.name}.json")
        records = _circuit(trained.design, task, steps, work, out, boards, samples)
        with steps.step("drawing the page"):
            page = write_report(work)
    return {
        "kind": "demo",
        "version": 1,
        "digest": digest(trained.design),
        "train": trained.record,
        **records,
        "page": str(out / page.name),
    }


def _circuit(
    design: Design,
    task: Task,
    steps: Steps,
    work: Path,
    out: Path,
    boards: Sequence[str],
    samples: int,
) -> dict[str, Any]:
    """Write, verify, measure and build the circuit in a folder that will be called `out`."""
    with steps.step("writing the Verilog package") as say:
        write_package(design, work / "verilog", progress=say)
    verilog = work / "verilog" / f"{design.name}.v"
    with steps.step("verifying the Verilog against the reference") as say:
        checked = verify(
            design, work / "verify", samples=samples, verilog=verilog, progress=say,
            shown=out / "verify",
        )  # fmt: skip
    with steps.step(f"running all of {task.name} through the Verilog") as say:
        folder = work / "verify" / "simulation"
        rtl = measure_rtl(design, task, verilog, folder, progress=say)
        _json(work / "rtl.json", rtl)
    with steps.step("recording the life of one sample") as say:
        life = show_sample(
            design, verilog, work / "life", extra=_internals(design, verilog), progress=say
        )
        _json(work / "life.json", life_record(design, life, verilog))
    builds = []
    for board in boards:
        with steps.step(f"building for {board}") as say:
            builds.append(build_design(design, board, work / board, progress=say))
    return {"verify": checked, "rtl": rtl, "builds": builds}
