"""Benchmarks that are measured row by row, in parts that may run side by side."""

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rchw.files import write_atomic

__all__ = ["Job", "measure_parts", "parse_parts", "read_record"]

Measured = dict[str, Any]
Job = tuple[str, Callable[[], Measured]]


def parse_parts(text: str | None) -> argparse.Namespace:
    """Read ``--rows``, ``--missing`` and ``--page``; described by the first line of the text."""
    parser = argparse.ArgumentParser(description=(text or "").split("\n")[0])
    parser.add_argument("--rows", default="", help="parts of keys, separated by commas")
    parser.add_argument("--missing", action="store_true", help="leave out rows that are there")
    parser.add_argument("--page", action="store_true", help="make the page and measure nothing")
    return parser.parse_args()


def read_record(path: Path, command: str) -> Measured:
    """Read the record so far, or begin one."""
    if path.exists():
        record: Measured = json.loads(path.read_text(encoding="utf-8"))
        return record
    return {"command": command, "rows": {}}


def measure_parts(
    path: Path,
    command: str,
    jobs: Iterable[Job],
    asked: argparse.Namespace,
    about: Callable[[], Measured],
) -> Measured:
    """Measure what is asked for, and store every row with what `about` tells; the record then."""
    for key, work in () if asked.page else jobs:
        wanted = not asked.rows or any(part in key for part in asked.rows.split(","))
        if not wanted or (asked.missing and key in read_record(path, command)["rows"]):
            continue
        begin = time.perf_counter()
        found = work()
        record = read_record(path, command)  # now: another run may have measured other rows
        record["rows"][key] = found
        record |= about()
        write_atomic(path, json.dumps(record, indent=1) + "\n")
        print(f"{key}: {time.perf_counter() - begin:.0f} s", flush=True)
    return read_record(path, command)
