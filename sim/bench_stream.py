"""The cocotb bench: runs the phases of a job file and writes what it saw beside it.

Imported by the simulator, never by pytest. The job file is named by the environment variable
``RCHW_JOB``; its records go to ``record.json`` in the same folder, one after every design, so that
a run cut short keeps what it had.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import First, Timer
from numpy.typing import NDArray

from rchw.sim.axis import PERIOD, Monitor, Port, Sink, Source
from rchw.sim.job import Job, Phase, load_jobs
from rchw.sim.lanes import pack, unpack, word_bytes
from rchw.sim.pauses import parse
from rchw.sim.verdict import Seen, judge, measure

__all__ = ["stream"]

_TAIL = 64  # clocks after the last beat in which a surplus beat would show


@cocotb.test()
async def stream(dut: Any) -> None:
    """Run every job of the job file."""
    path = Path(os.environ["RCHW_JOB"])
    records: list[dict[str, Any]] = []
    for number, (index, job) in enumerate(load_jobs(path)):
        port = Port(dut, index)
        port.start_clock()
        await port.clocks(1)
        phases: list[dict[str, Any]] = []
        for phase in job.phases:
            found, seen = await run_phase(port, job, phase)
            if phase.keep:
                found["outputs"] = f"outputs_{number}_{len(phases)}.npy"
                np.save(path.with_name(found["outputs"]), np.concatenate([s.codes for s in seen]))
            phases.append(found)
            if phases[-1]["verdict"] == "fail":
                break
        port.drive("aresetn", 0)
        records.append({"design": job.top.name, "phases": phases})
        temporary = path.with_name("record.json.part")
        temporary.write_text(json.dumps(records))
        os.replace(temporary, path.with_name("record.json"))


async def run_phase(port: Port, job: Job, phase: Phase) -> tuple[dict[str, Any], list[Seen]]:
    """One phase: reset, its segments, a verdict; and what was seen."""
    words = pack(phase.codes, job.top.inputs)
    source_pauses = parse(phase.source, phase.seed)
    sink_pauses = parse(phase.sink, phase.seed + 1)
    before = {name: port.read(name) for name in ("s_stalls", "m_stalls")}
    seen = []
    for start, stop, cut in phase.segments:
        part = await _run_segment(
            port, job, phase, words, (start, stop, cut), source_pauses, sink_pauses
        )
        seen.append(part)
        if part.breach is not None or part.stuck:
            break
    stalls = {name: port.read(name) - before[name] for name in before}
    print("@progress", json.dumps({"design": job.top.name, "phase": phase.name}), flush=True)
    return measure(job, phase, seen, stalls) | judge(job, phase, seen), seen


async def _run_segment(
    port: Port,
    job: Job,
    phase: Phase,
    words: list[int],
    bounds: tuple[int, int, int | None],
    source_pauses: Iterator[int],
    sink_pauses: Iterator[int],
) -> Seen:
    start, stop, cut = bounds
    lasts: NDArray[Any] = phase.last
    port.quiet()
    await port.reset()
    first = port.read("m_count")
    source, sink = Source(port, source_pauses), Sink(port, sink_pauses)
    due = np.count_nonzero((phase.answered >= start) & (phase.answered < stop))
    monitor = Monitor(port, int(due))
    mask = (1 << 8 * word_bytes(job.top.inputs)) - 1

    async def whole() -> None:
        await source.send(words[start:stop], lasts[start:stop].tolist(), mask)
        if cut is not None:
            await port.clocks(cut)
        elif due:
            await monitor.reached.wait()

    helpers = [cocotb.start_soon(monitor.run()), cocotb.start_soon(sink.run())]
    task = cocotb.start_soon(whole())
    stuck = await _watch(port, task, job.window)
    helpers[1].cancel()
    port.drive("m_ready", 1)
    waited = len(monitor.words)
    if stuck:
        task.cancel()
        port.drive("s_valid", 0)
        await port.clocks(job.window)
    elif cut is None:
        await port.clocks(_TAIL)
    helpers[0].cancel()
    breach = port.breach()
    if breach is not None:
        breach["beat"] += start - first
    if breach is None and stuck and sink.waits_for_valid and len(monitor.words) > waited:
        breach = {"kind": "protocol", "rule": 6, "beat": start + waited}
    if breach is None and sink.breach is not None:
        breach = sink.breach | {"beat": start + sink.breach["beat"]}
    return Seen(
        start=start,
        stop=stop,
        cut=cut is not None,
        codes=unpack(monitor.words, job.top.outputs),
        lasts=monitor.lasts,
        clocks_in=source.clocks,
        clocks_out=monitor.clocks,
        stuck=stuck,
        breach=breach,
    )


async def _watch(port: Port, task: Any, window: int) -> bool:
    """Wait for `task`; true if nothing moved for a whole window."""
    while not task.done():
        before = port.read("s_count"), port.read("m_count")
        await First(task.complete, Timer(window * PERIOD, unit="ns"))
        if not task.done() and before == (port.read("s_count"), port.read("m_count")):
            return True
    task.result()
    return False
