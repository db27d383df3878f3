"""How long `rchw prove` takes, and on how many states of the control.

``python -m benchmarks.proof`` writes ``benchmarks/results/proof.json`` and ``benchmarks/proof.md``.
Every row is one proof with its planted fault.
"""

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.soak import ring
from rchw.activation import tanh_pwl
from rchw.design import Design
from rchw.files import write_atomic
from rchw.fixed import QFormat
from rchw.schedule import schedule
from rchw.sim.prove.command import prove_design
from rchw.sim.record import versions

FOLDER = Path(__file__).parent


def wide(design: Design) -> Design:
    """The same ring with states of 16 bits and a piecewise-linear activation."""
    state = QFormat(16, 15)
    layer = replace(design.ring, state=state, activation=tanh_pwl(state)[0])
    return replace(design, layers=(layer,))


DESIGNS = {
    "100 units, 8 bits, clip, 1 lane": ring(100, 1, False),
    "100 units, 8 bits, clip, squares, 4 lanes": ring(100, 4, True),
    "100 units, 16 bits, piecewise-linear, 1 lane": wide(ring(100, 1, False)),
    "100 units, 8 bits, clip, parallel": ring(100, 100, False),
    "100 units, 16 bits, piecewise-linear, parallel": wide(ring(100, 100, False)),
}


def _used() -> float:
    """Seconds of the processor, of programs that were started too."""
    started = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + started.ru_utime + started.ru_stime


def measure() -> dict[str, Any]:
    """Prove every design."""
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for number, (name, design) in enumerate(DESIGNS.items()):
            start = _used()
            record = prove_design(design, Path(place, str(number)))
            keys = ("proof", "moments", "steps", "asked", "repeated", "latency", "seconds")
            row = {"design": name, "clocks": schedule(design).clocks}
            row |= {key: record[key] for key in keys}
            row["cpu_seconds"] = round(_used() - start, 1)
            row["met"] = record["witness"]["met"] if record["witness"] else 0
            row["planted"] = record.get("planted")
            rows.append(row)
            print(row)
    return {
        "command": "python -m benchmarks.proof",
        "rows": rows,
        "cores": os.cpu_count() or 1,
        "machine": platform.machine(),
        "versions": versions(["z3-solver"], ["yosys"]),
    }


def markdown(record: dict[str, Any]) -> str:
    """Table of a record."""
    lines = [
        "# Time of a proof",
        "",
        f"Made by `{record['command']}` in one run. A proof holds for every state, input, last "
        "flag, pause and reset; see [docs/evidence.md](../docs/evidence.md). With the planted "
        "fault, which is looked for at the same time, and the run that meets the states: seconds "
        "of the processor in all, and of the clock on the wall.",
        "",
        "| design | verdict | clocks per sample | states of the control | met in a run | "
        "questions asked | known already | planted fault | processor | wall |",
        "|---|---|---:|---:|---:|---:|---:|---|---:|---:|",
        *(
            f"| {row['design']} | {row['proof']} | {row['clocks']} | {row['moments']:,} | "
            f"{row['met']:,} | {row['asked']} | {row['repeated']} | "
            f"{row['planted']['proof'] if row['planted'] else ''} | {row['cpu_seconds']:g} | "
            f"{row['seconds']:g} |"
            for row in record["rows"]
        ),
        "",
        ", ".join(f"{name} {version}" for name, version in record["versions"].items())
        + f"; {record['machine']}, {record['cores']} cores.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write both files."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    record = measure()
    write_atomic(FOLDER / "results" / "proof.json", json.dumps(record, indent=1) + "\n")
    text = markdown(record)
    write_atomic(FOLDER / "proof.md", text)
    print(text)


if __name__ == "__main__":
    main()
