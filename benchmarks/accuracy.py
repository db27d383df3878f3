"""Accuracy of integer reservoirs beside their float ideal and the floors of each task.

``python -m benchmarks.accuracy`` writes ``benchmarks/results/accuracy.json`` and, from it alone,
``benchmarks/accuracy.md``. A row is written as soon as it is measured, and a run may be done in
parts: ``--only``, ``--units`` and ``--rows`` choose what is measured, everything else stays as it
was; ``--missing`` leaves out what is there, ``--page`` only makes the page. ``--quick`` is a rough
look at everything in a few minutes; it writes to ``build/accuracy`` instead.

Streams are fixed in advance: seeds 2000 and up for choices, 3000 to 3009 for tests. Streams 1000 to
1009 were measured while the searches were still being written, and are not used any more.
"""

import argparse
import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info, threadpool_limits

from benchmarks.accuracy_loop import loop_row, rounding_floor_row
from benchmarks.accuracy_page import markdown
from benchmarks.accuracy_rows import (
    Row,
    Streams,
    family_rows,
    float_row,
    floor_rows,
    integer_row,
    measure,
    nvar_row,
)
from rchw.errors import DesignError
from rchw.files import write_atomic

FOLDER = Path(__file__).parent
SECTIONS = ("narma", "tasks", "loop", "activation", "families")
# Searches by N, and how many from different seeds: what half an hour of one core allows.
SEARCHES = {50: ("full", 2), 100: ("full", 1), 200: ("full", 1)}
BRIEF = ("int16", "int8-squares")  # rows that a short search serves at N = 200
TUNING = (2000, 2001, 2002, 2003)
TESTS = tuple(range(3000, 3010))
TASKS = {
    "mackey-glass": 84,
    "henon": None,
    "channel": None,
    "santa-fe": None,
    "sunspots": None,
    "narma20": None,
}
ACTIVATION_TASKS = {"mackey-glass": 84, "santa-fe": None, "narma10": None}
FAMILY_TASKS = {"narma10": None, "mackey-glass": 84}

Measured = dict[str, Any]
# Key, streams, the model where the job is of one, and what gives rows by their keys.
Job = tuple[str, Streams, Row | None, Callable[[], dict[str, Measured]]]


def _narma(units: tuple[int, ...], quick: bool, tests: int) -> Iterator[Job]:
    """Rodan and Tino's protocol: a job per model and size."""
    streams = Streams("narma10", TUNING, TESTS[:tests])
    for n in units:
        search, searches = ("quick", 1) if quick else SEARCHES.get(n, ("full", 1))
        rows = {
            "float-classic": float_row(
                "float, [x, 1], signs of pi", n, search, squares=False, classic=True
            ),
            "float-classic-squares": float_row(
                "float, [x, x², 1], signs of pi", n, search, squares=True, classic=True
            ),
            "float": float_row("float, [x, 1]", n, search, squares=False),
            "float-squares": float_row("float, [x, x², 1]", n, search, squares=True),
            "int16": integer_row("16 bits, [x, 1]", n, search, bits=16, squares=False),
            "int16-squares": integer_row("16 bits, [x, x², 1]", n, search, bits=16, squares=True),
            "int8-squares": integer_row("8 bits, [x, x², 1]", n, search, bits=8, squares=True),
        }
        several = {key: replace(row, searches=searches) for key, row in rows.items()}
        several["int16-squares"] = replace(several["int16-squares"], activations=("clip", "pwl"))
        for key in BRIEF if n >= 200 else ():
            options = replace(rows[key].options, search="quick")
            several[key] = replace(rows[key], options=options, searches=2)
        yield from _jobs(f"narma/{n}", streams, n, several)


def _tasks(search: str, tests: int) -> Iterator[Job]:
    """Other tasks at N = 100, squares in every readout."""
    for task, horizon in TASKS.items():
        streams = Streams(task, TUNING[:2], TESTS[: min(tests, 5)], horizon)
        rows = {
            "float-squares": float_row("float", 100, search, squares=True),
            "int16-squares": integer_row("16 bits", 100, search, bits=16, squares=True),
            "int8-squares": integer_row("8 bits", 100, search, bits=8, squares=True),
        }
        yield from _jobs(f"tasks/{task}", streams, 100, rows)


def _activation(search: str, tests: int) -> Iterator[Job]:
    """The same search with other activations."""
    for task, horizon in ACTIVATION_TASKS.items():
        count = tests if task == "narma10" else min(tests, 5)
        streams = Streams(task, TUNING[:2], TESTS[:count], horizon)
        rows = {}
        for name in ("linear", "clip", "tanh"):
            rows[f"float-{name}"] = float_row(
                f"float, {name}", 100, search, squares=True, activation=name
            )
        for bits in (16, 8):
            for name in ("clip", "pwl", "table"):
                rows[f"int{bits}-{name}"] = integer_row(
                    f"{bits} bits, {name}", 100, search, bits=bits, squares=True, activation=name
                )
        yield from _jobs(f"activation/{task}", streams, 100, rows)


def _families(search: str, tests: int) -> Iterator[Job]:
    """Rings beside matrices, with the same search at the same widths."""
    for task, horizon in FAMILY_TASKS.items():
        streams = Streams(task, TUNING[:1], TESTS[: min(tests, 3)], horizon)
        yield from _jobs(f"families/{task}", streams, 50, family_rows(50, search))


def _loop(search: str, tests: int) -> Iterator[Job]:
    """Mackey-Glass one step ahead, and its outputs fed back."""
    streams = Streams("mackey-glass", TUNING[:2], TESTS[: min(tests, 5)], 1)
    for key, row in {
        "float-squares": float_row("float", 100, search, squares=True),
        "int16-squares": integer_row("16 bits", 100, search, bits=16, squares=True),
        "int8-squares": integer_row("8 bits", 100, search, bits=8, squares=True),
    }.items():
        full = f"loop/{key}"
        twice = replace(row, searches=2)
        yield full, streams, twice, partial(_one, full, partial(loop_row, twice, streams))
    work = partial(rounding_floor_row, streams, 16)
    yield "loop/rounding", streams, None, partial(_one, "loop/rounding", work)
    yield "loop/nvar", streams, None, partial(_one, "loop/nvar", partial(nvar_row, streams))


def _jobs(prefix: str, streams: Streams, n_units: int, rows: dict[str, Row]) -> Iterator[Job]:
    """Yield the floors and then every row."""

    def found_floors() -> dict[str, Measured]:
        found = floor_rows(streams, n_units)
        return {f"{prefix}/{key}": row for key, row in found.items()}

    yield f"{prefix}/floors", streams, None, found_floors
    for key, row in rows.items():
        full = f"{prefix}/{key}"
        yield full, streams, row, partial(_one, full, partial(measure, row, streams))


def all_jobs(
    units: tuple[int, ...] = tuple(SEARCHES), quick: bool = False
) -> dict[str, Iterator[Job]]:
    """Jobs by section; `quick` makes small searches and two test streams."""
    tests = 2 if quick else len(TESTS)
    return {
        "narma": _narma(units, quick, tests),
        "tasks": _tasks("quick", tests),
        "loop": _loop("quick", tests),
        "activation": _activation("quick", tests),
        "families": _families("quick", tests),
    }


def _one(key: str, work: Callable[[], Measured]) -> dict[str, Measured]:
    return {key: work()}


def environment() -> Measured:
    """Whatever may change the last digits."""
    pools = {f"{i['internal_api']} {i.get('architecture', '')}".strip() for i in threadpool_info()}
    return {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": {n: metadata.version(n) for n in ("numpy", "numba", "reservoirpy", "pmdarima")},
        "blas": sorted(pools),
    }


def _record(path: Path, measuring: bool) -> Measured:
    """Read the record so far, or begin one.

    Raises
    ------
    DesignError
        If it was made elsewhere and is to grow: a table must not mix two environments.
    """
    here = environment()
    if not path.exists():
        return {
            "command": "python -m benchmarks.accuracy",
            "environment": here,
            "streams": {},
            "rows": {},
        }
    record: Measured = json.loads(path.read_text(encoding="utf-8"))
    if measuring and record["environment"] != here:
        raise DesignError(
            f"environment must be that of the rows in {path.name}, {record['environment']}, "
            f"not {here}: move the file away to start again"
        )
    return record


def main() -> None:
    """Measure what is asked for, and write record and page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=SECTIONS, action="append", help="sections to measure")
    parser.add_argument("--units", default=",".join(map(str, SEARCHES)), help="N of section narma")
    parser.add_argument("--rows", default="", help="parts of keys, separated by commas")
    parser.add_argument("--missing", action="store_true", help="leave out rows that are there")
    parser.add_argument("--page", action="store_true", help="make the page and measure nothing")
    parser.add_argument("--quick", action="store_true", help="small searches, two test streams")
    options = parser.parse_args()
    # One thread: two would be in each other's way in matrices this small.
    threadpool_limits(1)
    quick = options.quick
    out = Path("build/accuracy") if quick else FOLDER
    path = out / "results" / "accuracy.json"
    record = _record(path, not options.page)
    jobs = all_jobs(tuple(int(n) for n in options.units.split(",")), quick)
    for section in () if options.page else options.only or SECTIONS:
        for key, streams, _, work in jobs[section]:
            wanted = not options.rows or any(part in key for part in options.rows.split(","))
            known = f"{key.removesuffix('floors')}linear" if key.endswith("floors") else key
            if not wanted or (options.missing and known in record["rows"]):
                continue
            begin = time.perf_counter()
            record["rows"].update(work())
            record["streams"].update(streams.hashes())
            write_atomic(path, json.dumps(record, indent=1) + "\n")
            row = record["rows"][known]
            seconds = time.perf_counter() - begin
            print(f"{key}: mean {row['mean']:.4g}, median {row['median']:.4g}, {seconds:.0f} s",
                  flush=True)  # fmt: skip
    text = markdown(record)
    write_atomic(out / "accuracy.md", text)
    if options.page:
        print(text)


if __name__ == "__main__":
    main()
