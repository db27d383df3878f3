"""Hold the Verilog of a design against the reference and write the evidence."""

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw import reference
from rchw.design import Design
from rchw.errors import DesignError
from rchw.files import together
from rchw.hdl.emit import write_verilog
from rchw.schedule import latency, schedule
from rchw.sim.job import Job, Phase
from rchw.sim.rails import missed_rail, push_to, rails_reached
from rchw.sim.record import heading, versions, write_record
from rchw.sim.runner import build
from rchw.sim.stimulus import pushes, stimulus
from rchw.sim.top import top_of
from rchw.sim.units import first_unit
from rchw.tools import find

__all__ = ["SIMULATORS", "check_request", "compare", "job_for", "verify"]

_MOST = 1_000_000  # samples; the reference's states of all of them are held in memory
_PACES = [
    ("never", "always:3"),
    ("every:4:3", "never"),
    ("random:40:5", "random:40:7"),
    ("bursts:6:2", "bursts:9:9"),
]
_LONGEST = 20_000  # samples of a sequence that is sent as a whole
_PUSH = 128  # samples, at most, of each push of an output or a unit

SIMULATORS = ("verilator", "icarus")


def check_request(samples: int, seed: int) -> None:
    """Refuse what no job can be made of.

    Raises
    ------
    DesignError
        Naming what it must be.
    """
    if samples < 48:
        raise DesignError(f"samples must be at least 48, not {samples}")
    if samples > _MOST:
        raise DesignError(
            f"samples must be at most {_MOST} for the bench, not {samples}; --soak runs more"
        )
    if seed < 0:
        raise DesignError(f"seed must be at least 0, not {seed}")
    if seed >= 1 << 31:  # Verilator's own seed has no more bits
        raise DesignError(f"seed must be below 2**31, not {seed}")


def job_for(
    design: Design, samples: int, seed: int, name: str | None = None
) -> tuple[Job, dict[str, Any]]:
    """Phases that verify one design, and what the reference says about its rails.

    Parameters
    ----------
    design : Design
    samples : int
        Of the first phase, which nothing interrupts; the others together have about as many.
    seed : int
    name : str, optional
        Of the top module, where it is not the design's.

    Returns
    -------
    Job
    dict
        ``rails``: what `rchw.sim.rails.rails_reached` says; ``state_rails``: of the states alone,
        per rail ``hit``, ``unreachable`` or ``not reached``.
    """
    check_request(samples, seed)
    rng = np.random.default_rng(seed)
    clocks = schedule(design).clocks
    codes, last = stimulus(design, samples, rng)
    down, up = push_to(design, False), push_to(design, True)
    push = np.concatenate([up.codes, down.codes])
    push_last = np.zeros(len(push), dtype=bool)
    push_last[[len(up.codes) - 1, len(push) - 1]] = True
    streams = [
        ("plain", codes, last, "never", "never"),
        ("rails", push, push_last, "never", "never"),
        ("pushes", *pushes(design, _PUSH, samples), "never", "never"),
    ]
    if design.readout.segments is not None and design.readout.segments.samples <= _LONGEST:
        streams.append(("whole sequences", *_whole(design, rng), "never", "never"))
    part = max(48, samples // 6)
    # Longer than everything under way takes to come out: the circuit then is full to the brim.
    stall = latency(design) + 3 * clocks
    for source, sink in (*_PACES, ("never", f"every:{part // 6}:{stall}")):
        few, flags = stimulus(design, part, rng)
        flags |= rng.random(part) < 0.1
        streams.append((f"source {source}, sink {sink}", few, flags, source, sink))
    traces = [reference.run(design, words, flags) for _, words, flags, _, _ in streams]
    phases = [
        Phase(title, words, flags, trace.outputs, source, sink, seed + place)
        for place, ((title, words, flags, source, sink), trace) in enumerate(
            zip(streams, traces, strict=True)
        )
    ]
    phases.append(_resets(design, part, rng, "resets without pauses", "never"))
    phases.append(_resets(design, part, rng, "resets", "random:20:3"))
    job = Job(top_of(design, name), tuple(phases), window=8 * clocks + 2000 + stall)
    rails = rails_reached(design, traces, (down, up))
    states: dict[str, str] = {}
    for row in rails:
        # Of several layers one that was not there.
        if row["output"] is None and states.get(row["side"], "hit") == "hit":
            states[row["side"]] = row["status"]
    words = {
        side: status.replace("not reachable", "unreachable") for side, status in states.items()
    }
    return job, {"state_rails": words, "rails": rails}


def _whole(design: Design, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Codes and marks of sequences about as long as a segment, and as all segments together."""
    segments = design.readout.segments
    assert segments is not None
    near = [k + d for k in (segments.length, segments.samples) for d in (1, 0, -1)]
    ends = np.cumsum([1, *(k for k in near if k > 0)]) - 1
    codes, last = stimulus(design, max(16, int(ends[-1]) + 1), rng)
    codes, last = codes[: ends[-1] + 1], last[: ends[-1] + 1]
    last[:] = False
    last[ends] = True
    return codes, last


def _resets(
    design: Design, samples: int, rng: np.random.Generator, name: str, pauses: str
) -> Phase:
    """Make a phase with resets at any distance from an input beat, up to two samples later.

    Every other of these beats ends a sequence.
    """
    codes, last = stimulus(design, samples, rng)
    last[rng.random(samples) < 0.5] = False
    cuts = np.sort(rng.choice(samples - 1, size=min(8, samples - 1), replace=False))
    last[cuts] = np.arange(len(cuts)) % 2 == 1
    most = 2 * schedule(design).clocks + 8
    resets = tuple((int(k), int(rng.integers(0, most))) for k in cuts)
    edges = [0, *(int(k) + 1 for k in cuts), samples]
    pieces = [reference.run(design, codes[a:b], last[a:b]).outputs for a, b in pairwise(edges)]
    return Phase(
        name, codes, last, np.concatenate(pieces), pauses, pauses,
        int(rng.integers(1 << 30)), resets,
    )  # fmt: skip


def verify(
    design: Design,
    out: Path,
    *,
    samples: int = 2000,
    seed: int = 1,
    verilog: Path | None = None,
    libraries: Sequence[Path] = (),
    allow: Sequence[str] = (),
    simulator: str = "verilator",
    progress: Callable[[str], None] | None = None,
    shown: Path | None = None,
) -> dict[str, Any]:
    """Simulate the design's Verilog on stimulus of its own and compare every output code.

    Parameters
    ----------
    design : Design
    out : Path
        Folder for ``NAME.v``, the simulation and the record ``verify.json``; what is there stays
        until all of it is complete, whatever the verdict.
    samples : int
        Of the longest phase.
    seed : int
    verilog : Path, optional
        A file to verify in place of what `rchw.hdl.emit.write_verilog` writes, such as a netlist.
    libraries : sequence of Path
        Cell models of a netlist.
    allow : sequence of str
        Verilator warnings that do not stop the build; ``("UNOPTFLAT",)`` for netlists.
    simulator : str
        ``"verilator"``, or ``"icarus"`` for one in which what is unknown stays so; the record then
        is ``icarus.json``.
    progress : callable, optional
        Receives a line per step.
    shown : Path, optional
        Where `out` will be, as the record tells it, if it is to be moved.

    Returns
    -------
    dict
        The record: ``verdict`` (``"pass"`` or ``"fail"``), ``sentence`` of the first mismatch,
        ``unit`` whose state differs first, ``waves``, design digest, hash of the Verilog, tool
        versions, seed, samples, phases, clocks per sample measured and by the formula, rails,
        seconds.

    Raises
    ------
    ToolError
        If a tool is missing, too old or fails.
    """
    start = time.monotonic()
    check_request(samples, seed)
    if simulator not in SIMULATORS:
        raise DesignError(f"simulator must be {' or '.join(SIMULATORS)}, not {simulator!r}")
    if simulator == "icarus":
        find("iverilog")  # refused before anything is written
    with together(out, start_from=["simulation"], keep_logs=True) as work:
        if verilog is None:
            verilog = write_verilog(design, work)
        found = compare(
            design, [verilog, *libraries], work / "simulation", samples=samples, seed=seed,
            allow=allow, simulator=simulator, progress=progress,
        )  # fmt: skip
        other = simulator == "icarus"
        tools = versions(["cocotb"], ["iverilog"] if other else ["verilator", "c++"])
        kind = "icarus" if other else "verify"
        record = heading(kind, design, verilog, tools, seed) | found
        record["seconds"] = round(time.monotonic() - start, 2)
        return write_record(record, work / f"{kind}.json", shown or out)


def compare(
    design: Design,
    sources: Sequence[Path],
    folder: Path,
    *,
    samples: int,
    seed: int,
    allow: Sequence[str] = (),
    states: bool = True,
    optimize: str = "-O1",
    simulator: str = "verilator",
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run every phase of `job_for` on Verilog and judge it.

    Parameters
    ----------
    design : Design
    sources : sequence of Path
        The module of the design's name, and what it is made of.
    folder : Path
        For the simulation.
    samples, seed, allow, progress
        As for `verify`.
    states : bool
        Whether the Verilog has the registers that `rchw.hdl` gives the states, so that the unit
        that differs first can be found; a netlist has not.
    optimize : str
        As for `rchw.sim.compile.compile_simulator`.
    simulator : str
        As for `verify`.

    Returns
    -------
    dict
        What a record says of the run: ``verdict``, ``sentence``, ``phases``, ....

    Raises
    ------
    ToolError
        If a tool is missing, too old or fails.
    """
    job, rails = job_for(design, samples, seed)
    made = build(
        sources, [job.top], folder, allow=allow, optimize=optimize, simulator=simulator,
        progress=progress,
    )  # fmt: skip
    found = made.run(job, seed=seed, progress=progress)
    _judge_inside(design, job, rails["rails"], found, states)
    plain = found["phases"][0]
    return {
        "samples": sum(phase["samples"] for phase in found["phases"]),
        "checked": sum(phase["checked"] for phase in found["phases"]),
        "clocks_per_sample": plain["clocks_per_sample"],
        "clocks_formula": schedule(design).clocks,
        "latency": plain["latency"],
        **rails,
        **{key: found[key] for key in ("verdict", "sentence", "unit", "waves", "phases")},
        "build_seconds": made.seconds,
    }


def _judge_inside(
    design: Design, job: Job, rails: list[dict[str, Any]], found: dict[str, Any], states: bool
) -> None:
    """Complete the verdict of a run: the unit that differs first, or a rail that is missed."""
    found["unit"] = None
    missed = missed_rail(rails, found["phases"])
    failed = next((phase for phase in found["phases"] if phase["verdict"] == "fail"), None)
    if failed is None:
        if missed is not None:
            found["verdict"], found["sentence"] = "fail", f"{missed} [design {design.name}]"
        return
    mismatch = failed["mismatch"]
    if states and mismatch["kind"] == "code" and found["waves"] is not None:
        phase = next(phase for phase in job.phases if phase.name == failed["name"])
        place = Path(found["waves"])
        found["unit"], told = first_unit(design, phase, place, mismatch["sample"])
        waves = f"; waveform in {place}"
        found["sentence"] = f"{found['sentence'].removesuffix(waves)}; {told}{waves}"
