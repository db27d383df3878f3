"""Integer designs beside the float reservoirs of other packages, on the same data in one run.

``python -m benchmarks.peers`` writes ``benchmarks/results/peers.json`` row by row and, from it
alone, ``benchmarks/peers.md``. It needs ``pip install 'rchw[peers]'``. A run may be done in parts:
``--tasks``, ``--units`` and ``--rows`` choose what is measured, ``--missing`` leaves out what is
there, ``--page`` only makes the page; parts may run side by side.

Streams are fixed in advance and are those of ``benchmarks.accuracy``: seeds from 2000 for choices,
from 3000 for tests. Peers get `BUDGET` draws each, our designs the candidates of the quick search;
no choice reads a test sample.
"""

import argparse
import fcntl
import json
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from benchmarks.accuracy_loop import loop_row
from benchmarks.accuracy_rows import (
    Row,
    Streams,
    float_row,
    floor_rows,
    integer_row,
    measure,
)
from benchmarks.peers_designs import FAMILIES, design_rows
from benchmarks.peers_page import markdown
from benchmarks.peers_reservoirs import PEERS
from benchmarks.peers_rounding import rounding_rows
from benchmarks.peers_rows import loop_rows, sequence_rows, series_rows
from benchmarks.sequences import Quiet
from rchw.classification import classify
from rchw.errors import DesignError
from rchw.files import write_atomic
from rchw.tasks import load_sequences
from rchw.train import TrainOptions
from rchw.train.sequences import Pooling

__all__ = ["jobs", "main"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "peers.json"
BUDGET = 25
TUNING = (2000, 2001)
TESTS = tuple(range(3000, 3010))
# Task, horizon, test streams.
SERIES: dict[str, tuple[str, int | None, int]] = {
    "narma10": ("narma10", None, 10),
    "mackey-glass": ("mackey-glass", 84, 3),
    "henon": ("henon", None, 3),
    "channel": ("channel", None, 3),
    "santa-fe": ("santa-fe", None, 1),
    "sunspots": ("sunspots", None, 1),
}
ROUNDED = ("mackey-glass",)
LOOP = "mackey-glass, closed loop"
SEQUENCES = ("japanese-vowels", "spoken-digits")
BITS = (8, 12, 16)
Measured = dict[str, Any]
Job = Callable[[], dict[str, Measured]]


def _ours(n_units: int) -> dict[str, Row]:
    rows = {}
    for squares, mark in ((False, "linear"), (True, "squares")):
        rows[f"float-{mark}"] = float_row("rchw, float", n_units, "quick", squares=squares)
        for bits in BITS:
            rows[f"int{bits}-{mark}"] = integer_row(
                f"rchw, {bits} bits", n_units, "quick", bits=bits, squares=squares
            )
    return rows


def _marked(key: str, row: Measured) -> Measured:
    return row | {"readout": key.rpartition("-")[2], "ours": True}


def _one(key: str, work: Callable[[], Measured]) -> dict[str, Measured]:
    return {key: _marked(key, work())}


def _floors(prefix: str, streams: Streams, n_units: int) -> dict[str, Measured]:
    return {f"{prefix}/{key}": row for key, row in floor_rows(streams, n_units).items()}


def _both(prefix: str, name: str, work: Callable[[], dict[str, Measured]]) -> dict[str, Measured]:
    return {f"{prefix}/{name}-{readout}": row for readout, row in work().items()}


def _rounded(key: str, streams: Streams, n_units: int, budget: int) -> dict[str, Measured]:
    return {key: {"title": "rounded", "cases": rounding_rows(streams, n_units, budget=budget)}}


def _classified(prefix: str, source: str, n_units: int, bits: int) -> dict[str, Measured]:
    """Our classifier, and with it the floors."""
    options = TrainOptions(
        name=f"peer_{bits}", units=n_units, state_bits=bits, input_bits=bits,
        readout_bits=max(bits, 12), activation="table" if bits < 16 else "pwl",
        encoder="mean-std", rounding="half-up", search="quick",
    )  # fmt: skip
    task = load_sequences(source, seed=0)
    begin = time.perf_counter()
    record = classify(task, options, Pooling.of(task, "sum"), Quiet(), source=source).record
    errors = dict(record["test"]["errors"])
    count = errors.pop("reference")
    found = {
        f"{prefix}/{name}": {"title": name.replace("_", " "), "errors": [value], "mean": value,
                             "median": value, "floor": True}
        for name, value in errors.items()
    }  # fmt: skip
    ours = {
        "title": f"rchw, {bits} bits", "readout": "linear", "ours": True, "errors": [count],
        "mean": count, "median": count, "held_out": record["chosen"]["held_out_errors"],
        "sequences": len(task.test), "seconds": round(time.perf_counter() - begin, 1),
    }  # fmt: skip
    return found | {f"{prefix}/int{bits}-linear": ours}


def jobs(n_units: int, budget: int = BUDGET) -> Iterator[tuple[str, str, Job]]:
    """Key, the key of a row that it writes, and the work, task by task."""
    for name, (task, horizon, tests) in SERIES.items():
        streams = Streams(task, TUNING[:1], TESTS[:tests], horizon)
        prefix = f"{name}/{n_units}"
        yield f"{prefix}/floors", f"{prefix}/linear", partial(_floors, prefix, streams, n_units)
        for key, row in _ours(n_units).items():
            full = f"{prefix}/{key}"
            yield full, full, partial(_one, full, partial(measure, row, streams))
        for family, bits in product(FAMILIES, BITS):
            key = f"{family}{bits}"
            work = partial(design_rows, family, n_units, streams, bits=bits, budget=budget)
            yield f"{prefix}/{key}", f"{prefix}/{key}-linear", partial(_both, prefix, key, work)
        for key, peer in PEERS.items():
            work = partial(series_rows, peer, n_units, streams, budget=budget)
            yield f"{prefix}/{key}", f"{prefix}/{key}-linear", partial(_both, prefix, key, work)
        if name in ROUNDED:
            full = f"{prefix}/rounding"
            yield full, full, partial(_rounded, full, streams, n_units, budget)
    streams = Streams("mackey-glass", TUNING[:1], TESTS[:3], 1)
    prefix = f"{LOOP}/{n_units}"
    for key, row in _ours(n_units).items():
        if key.endswith("squares"):
            full = f"{prefix}/{key}"
            yield full, full, partial(_one, full, partial(loop_row, row, streams))
    for key, peer in PEERS.items():
        work = partial(loop_rows, peer, n_units, streams, budget=budget)
        yield f"{prefix}/{key}", f"{prefix}/{key}-squares", partial(_both, prefix, key, work)
    for source in SEQUENCES:
        prefix = f"{source}/{n_units}"
        for bits in BITS:
            full = f"{prefix}/int{bits}-linear"
            yield full, full, partial(_classified, prefix, source, n_units, bits)
        for key in PEERS:
            task_of = partial(load_sequences, source, seed=0)
            work = partial(_sequences, key, n_units, task_of, budget)
            yield f"{prefix}/{key}", f"{prefix}/{key}-linear", partial(_both, prefix, key, work)


def _sequences(
    key: str, n_units: int, task_of: Callable[[], Any], budget: int
) -> dict[str, Measured]:
    return sequence_rows(PEERS[key], n_units, task_of(), budget=budget)


def environment() -> Measured:
    """Whatever may change the digits."""
    packages = sorted({peer.package for peer in PEERS.values()} | {"numpy", "numba", "scipy"})
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
    }


def _with_rows(record: Measured, rows: dict[str, Measured]) -> Measured:
    """Put rows into the record on the disk, which other parts of the run may have written since."""
    RESULTS.parent.mkdir(exist_ok=True)
    with (RESULTS.parent / ".peers.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if RESULTS.exists():
            record = json.loads(RESULTS.read_text(encoding="utf-8"))
        record["rows"].update(rows)
        write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
        write_atomic(FOLDER / "peers.md", markdown(record))
    return record


def main() -> None:
    """Measure what is asked for, and write record and page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tasks", default="", help="parts of names of tasks, by commas")
    parser.add_argument("--units", default="100", help="N, by commas")
    parser.add_argument("--rows", default="", help="parts of keys, by commas")
    parser.add_argument("--missing", action="store_true", help="leave out rows that are there")
    parser.add_argument("--page", action="store_true", help="make the page and measure nothing")
    asked = parser.parse_args()
    threadpool_limits(1)
    record: Measured = {"command": "python -m benchmarks.peers", "budget": BUDGET, "rows": {}}
    if RESULTS.exists():
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
    here = environment()
    if not asked.page and record.setdefault("environment", here) != here:
        raise DesignError(
            f"environment must be that of the rows in {RESULTS.name}: move the file away to begin"
        )
    for n_units in () if asked.page else [int(part) for part in asked.units.split(",")]:
        for key, known, work in jobs(n_units):
            task, _, rest = key.partition("/")
            if not all(
                not wanted or any(part in text for part in wanted.split(","))
                for wanted, text in ((asked.tasks, task), (asked.rows, rest))
            ):
                continue
            if asked.missing and known in record["rows"]:
                continue
            begin = time.perf_counter()
            record = _with_rows(record, work())
            row = record["rows"][known]
            shown = row.get("median_time", row.get("time", row.get("mean", float("nan"))))
            print(f"{key}: {shown:.4g}, {time.perf_counter() - begin:.0f} s", flush=True)
    write_atomic(FOLDER / "peers.md", markdown(record))


if __name__ == "__main__":
    main()
