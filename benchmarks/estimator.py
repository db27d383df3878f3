"""The estimator of `rchw.codesign` on designs that it was not calibrated on, after place-and-route.

``python -m benchmarks.estimator --measure`` builds the designs of `benchmarks.estimator_designs`
that ``benchmarks/results/estimator.json`` does not have yet, those for calibration with one seed of
nextpnr, the held-out ones with five; calibration and held-out designs, and boards, in turn, so that
it can be stopped at any time and go on later.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

from benchmarks import families, size
from benchmarks.estimator_designs import BOARDS, KINDS, Draw, draws
from benchmarks.estimator_fit import Measured, calibrate
from benchmarks.size import measure
from rchw.document import digest
from rchw.files import write_atomic

__all__ = ["SEEDS", "calibrated", "earlier", "jobs", "measured"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "estimator.json"
COEFFICIENTS = FOLDER.parent / "rchw" / "codesign" / "coefficients.json"
SEEDS = {"calibration": 1, "held-out": 5}
Row = dict[str, Any]


def jobs() -> Iterator[Draw]:
    """All designs, in the order in which they are measured."""
    lists = [draws(board, kind) for kind in KINDS for board in BOARDS]
    for together in zip_longest(*lists):
        yield from (one for one in together if one is not None)


def _record() -> Row:
    if RESULTS.exists():
        record: Row = json.loads(RESULTS.read_text(encoding="utf-8"))
        return record
    return {"command": "python -m benchmarks.estimator --measure", "rows": {}}


def _measure(boards: list[str]) -> None:
    for one in jobs():
        if one.board not in boards or one.key in _record()["rows"]:
            continue
        row: Row = {"board": one.board, "kind": one.kind, "digest": digest(one.design)}
        row |= measure(one.design, one.board, SEEDS[one.kind])
        record = _record()  # another part may have been written meanwhile
        record["rows"][one.key] = row
        write_atomic(RESULTS, json.dumps(record, indent=1, sort_keys=True) + "\n")
        figure = row.get("missing") or f"{row['cells']} cells, {row['mhz']:.1f} MHz"
        print(f"{one.key}: {figure}", flush=True)


def measured(kind: str) -> Iterator[Measured]:
    """Designs of a kind that were built, with their rows."""
    rows = _record()["rows"]
    for board in BOARDS:
        for one in draws(board, kind):
            row = rows.get(one.key, {})
            if "cells" in row:
                yield Measured(one.key, board, one.design, row)


def earlier() -> Iterator[Measured]:
    """Rows of the benchmarks of sizes and families, each design and board once."""
    seen = set()
    for key, board, design, row in (*size.rows(), *families.rows()):
        pair = board, digest(design)
        if "cells" in row and pair not in seen:
            seen.add(pair)
            yield Measured(key, board, design, row)


def calibrated() -> dict[str, Any]:
    """Coefficients from all rows but the held-out ones."""
    found = calibrate([*earlier(), *measured("calibration")])
    return {"command": "python -m benchmarks.estimator", **found}


def main() -> None:
    """Measure what is missing if asked to, and calibrate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--boards", default=",".join(BOARDS))
    arguments = parser.parse_args()
    if arguments.measure:
        _measure(arguments.boards.split(","))
    write_atomic(COEFFICIENTS, json.dumps(calibrated(), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
