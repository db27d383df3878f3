"""Speed of the soak of emitted Verilog, as ratios to the cocotb bench taken in the same run.

``python -m benchmarks.soak`` writes ``benchmarks/results/soak.json`` and ``benchmarks/soak.md``.
Every way runs in turn, several rounds; the figure of a way is its best round, since a busy machine
only ever slows a round down; seconds of the processor, over all threads, stand beside them. Last
comes one long soak, with the time that it took.
"""

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rchw import reference
from rchw.activation import Clip
from rchw.design import Design, Features, InputChannel, LinearInput, Output, Readout, RingLayer, Tap
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.hdl.emit import write_verilog
from rchw.schedule import schedule
from rchw.sim.job import Job, Phase
from rchw.sim.record import versions
from rchw.sim.runner import build
from rchw.sim.soak.program import Program
from rchw.sim.soak.run import soak
from rchw.sim.top import top_of

Rates = tuple[float, float]  # samples per second by the clock on the wall and of the processor

FOLDER = Path(__file__).parent
TARGET = 0.47e6  # samples per second and core of a first trial, 100 units in parallel
BENCH_SAMPLES = 20_000


def ring(n_units: int, lanes: int, squares: bool) -> Design:
    """Cycle with one input, 8-bit states, clip and 8-bit readout weights."""
    rng = np.random.default_rng(n_units)

    def some(count: int, most: int) -> tuple[int, ...]:
        return tuple(int(w) for w in rng.choice([-1, 1], count) * rng.integers(1, most + 1, count))

    layer = RingLayer(
        n_units=n_units,
        state=QFormat(8, 7),
        tap_format=QFormat(3, 2),
        taps=(Tap(1, (3,) * n_units),),
        inputs=(LinearInput(QFormat(4, 2), some(n_units, 4)),),
        bias_format=QFormat(5, 5),
        bias=some(n_units, 8),
        activation=Clip(-127, 127),
        lanes=lanes,
    )
    features = Features(squares=QFormat(14, 14, False) if squares else None)
    weights = some(n_units * features.per_unit + 1, 127)
    readout = Readout((Output("y", QFormat(16, 12)),), QFormat(8, 7), (weights,))
    design = Design("soak", (InputChannel("u", QFormat(8, 7)),), (layer,), features, readout)
    most = n_units * features.per_unit if lanes == n_units else lanes
    return replace(design, readout=replace(readout, multipliers=most))


DESIGNS = {
    "100 units, parallel": (ring(100, 100, False), 1_000_000),
    "100 units, parallel, squares": (ring(100, 100, True), 1_000_000),
    "100 units, 1 lane": (ring(100, 1, False), 30_000),
}
"""Name of a design, and the samples of one round."""


def _ways(
    design: Design, samples: int, folder: Path, jobs: int
) -> tuple[dict[str, Callable[[], Rates]], float]:
    """Ways to run a design, and the seconds of the build."""
    verilog = write_verilog(design, folder)
    program = Program.build(design, verilog, folder / "soak")
    bench = build([verilog], [top_of(design)], folder / "bench")
    count = min(BENCH_SAMPLES, samples)
    codes = np.random.default_rng(1).integers(-128, 128, (count, 1))
    last = np.zeros(count, dtype=bool)
    phase = Phase("plain", codes, last, reference.run(design, codes, last).outputs)
    job = Job(top_of(design), (phase,), window=8 * schedule(design).clocks + 2000)

    def soaked(threads: int) -> Rates:
        heard = program.run(samples * threads, 1, threads)
        assert heard.failure is None
        done = heard.done
        return done["samples"] / done["seconds"], done["samples"] / done["cpu_seconds"]

    def benched() -> Rates:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        record = bench.run(job)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert record["verdict"] == "pass", record["sentence"]
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return count / record["seconds"], count / cpu

    ways = {"soak, 1 job": lambda: soaked(1), "cocotb bench": benched}
    if jobs > 1:
        ways[f"soak, {jobs} jobs"] = lambda: soaked(jobs)
    return ways, program.seconds


def measure(rounds: int, long: int, jobs: int) -> dict[str, Any]:
    """Measure samples per second of every way, the best of `rounds`, and one long soak."""
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        for number, (name, (design, samples)) in enumerate(DESIGNS.items()):
            ways, seconds = _ways(design, samples, Path(place, str(number)), jobs)
            best = dict.fromkeys(ways, (0.0, 0.0))
            for _ in range(rounds):
                for way, run in ways.items():
                    wall, cpu = run()
                    best[way] = max(best[way][0], wall), max(best[way][1], cpu)
            rows += [
                {
                    "design": name,
                    "way": way,
                    "samples_per_second": round(wall),
                    "samples_per_cpu_second": round(cpu),
                    "ratio_to_cocotb": round(cpu / best["cocotb bench"][1], 1),
                    "build_seconds": seconds if way.startswith("soak") else None,
                }
                for way, (wall, cpu) in best.items()
            ]
        name = next(iter(DESIGNS))
        start = time.monotonic()
        record = soak(DESIGNS[name][0], Path(place, "long"), samples=long, jobs=jobs)
        minutes = (time.monotonic() - start) / 60
    one = next(row["samples_per_cpu_second"] for row in rows if row["way"] == "soak, 1 job")
    keys = ("verdict", "samples", "checked", "audited", "blocks", "resets", "clocks", "jobs",
            "samples_per_second", "run_seconds", "cpu_seconds")  # fmt: skip
    return {
        "command": "python -m benchmarks.soak",
        "rows": rows,
        "target": {"samples_per_cpu_second": TARGET, "of": f"{name}, 1 job", "met": one >= TARGET},
        "long": {"design": name, "minutes": round(minutes, 2)} | {k: record[k] for k in keys},
        "rounds": rounds,
        "cores": os.cpu_count() or 1,
        "machine": platform.machine(),
        "versions": versions(["cocotb"], ["verilator", "c++"]),
    }


def markdown(record: dict[str, Any]) -> str:
    """Table of a record."""
    target, long = record["target"], record["long"]
    lines = [
        "# Speed of the soak",
        "",
        f"Made by `{record['command']}`; best of {record['rounds']} rounds of one run, "
        f"{record['cores']} cores. Rings with 8-bit states and one 16-bit output; blocks with "
        "pauses and resets included.",
        "",
        "| design | way | samples per second | per second of a processor | times cocotb |",
        "|---|---|---:|---:|---:|",
        *(
            f"| {row['design']} | {row['way']} | {row['samples_per_second']:,} | "
            f"{row['samples_per_cpu_second']:,} | {row['ratio_to_cocotb']:g} |"
            for row in record["rows"]
        ),
        "",
        f"Target: {target['of']} more than the {target['samples_per_cpu_second']:,.0f} per second "
        f"of a first trial: {'met' if target['met'] else 'missed'}.",
        "",
        f"One long soak, {long['design']}: {long['samples']:,} samples in {long['blocks']:,} "
        f"blocks with {long['resets']:,} resets, {long['checked']:,} beats compared, "
        f"{long['audited']:,} samples audited, verdict {long['verdict']}, in "
        f"{long['minutes']:g} minutes with {long['jobs']} jobs, build included; "
        f"{long['cpu_seconds']:,.0f} seconds of processors.",
        "",
        ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        + f"; {record['machine']}.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", type=int, default=100_000_000, help="samples of the long soak")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    record = measure(given.rounds, given.long, given.jobs)
    write_atomic(FOLDER / "results" / "soak.json", json.dumps(record, indent=1) + "\n")
    text = markdown(record)
    write_atomic(FOLDER / "soak.md", text)
    print(text)


if __name__ == "__main__":
    main()
