"""The estimator of `rchw.codesign` on designs that it was not calibrated on, after place-and-route.

``python -m benchmarks.estimator --measure`` builds the designs of `benchmarks.estimator_designs`
that ``benchmarks/results/estimator.json`` does not have yet, those for calibration with one seed of
nextpnr, then the held-out ones with five; it can be stopped at any time and goes on where it was,
and ``--boards`` and ``--kinds`` choose parts. Without ``--measure`` the coefficients of
`rchw.codesign` are fitted to all rows but the held-out ones, and the page and its figure are made.
"""

import argparse
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks import families, size
from benchmarks.estimator_designs import BOARDS, KINDS, LIST, Draw, draws
from benchmarks.estimator_fit import Measured, calibrate
from benchmarks.estimator_page import TARGETS, Judged, markdown
from benchmarks.size import measure
from rchw.codesign.estimate import coefficients, estimate
from rchw.design import ExternalLayer, MatrixLayer
from rchw.devices import board as find_board
from rchw.document import digest
from rchw.files import write_atomic
from rchw.plot import Residuals, residuals_figure, svg

__all__ = [
    "SEEDS",
    "calibrated",
    "drawn",
    "earlier",
    "figure",
    "jobs",
    "judged",
    "measured",
    "page",
]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "estimator.json"
COEFFICIENTS = FOLDER.parent / "rchw" / "codesign" / "coefficients.json"
FIGURE = FOLDER.parent / "docs" / "images" / "estimator.svg"
TIMEOUT = 7200.0  # seconds for one run of the placer, beside whatever else the machine does
SEEDS = {"calibration": 1, "further": 1, "held-out": 5, "fresh": 5}
Row = dict[str, Any]


def jobs() -> Iterator[Draw]:
    """All designs, in the order in which they are measured.

    Those for calibration come first, so that the model can be settled before a held-out design is
    built; of either kind small circuits come first, as they take the least time.
    """
    for kind in SEEDS:
        every = [one for board in BOARDS for one in draws(board, kind)]
        yield from sorted(every, key=lambda one: estimate(one.design, one.board).cells)


def _record() -> Row:
    if RESULTS.exists():
        record: Row = json.loads(RESULTS.read_text(encoding="utf-8"))
        return record
    return {"command": "python -m benchmarks.estimator --measure", "rows": {}}


def _measure(boards: list[str], kinds: list[str]) -> None:
    for one in jobs():
        chosen = one.board in boards and one.kind in kinds
        if not chosen or one.key in _record()["rows"]:
            continue
        row: Row = {"board": one.board, "kind": one.kind, "digest": digest(one.design)}
        row |= measure(one.design, one.board, SEEDS[one.kind], TIMEOUT)
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


def drawn() -> list[Measured]:
    """Designs that were drawn for calibration and built."""
    return [*measured("calibration"), *measured("further")]


@cache
def earlier() -> tuple[Measured, ...]:
    """Rows of the benchmarks of sizes and families, each design and board once."""
    found: dict[tuple[str, str], Measured] = {}
    for key, board, design, row in (*size.rows(), *families.rows()):
        if "cells" in row:
            found.setdefault((board, digest(design)), Measured(key, board, design, row))
    return tuple(found.values())


def calibrated() -> dict[str, Any]:
    """Coefficients from all rows but the held-out ones."""
    found = calibrate([*earlier(), *drawn()])
    return {"command": "python -m benchmarks.estimator", **found}


def judged(rows: Iterable[Measured]) -> dict[str, list[Judged]]:
    """What is predicted of rows, by board."""
    found: dict[str, list[Judged]] = {board: [] for board in BOARDS}
    for one in rows:
        if one.board in found:
            text = _described(one)
            judgement = Judged(one.key, text, one.row, estimate(one.design, one.board))
            found[one.board].append(judgement)
    return found


def _described(one: Measured) -> str:
    """Its family, units, lanes and widths."""
    layers = one.design.layers
    first = layers[0]
    family = "external" if isinstance(first, ExternalLayer) else first.family
    if isinstance(first, MatrixLayer):
        family += f" ({first.matrix.kind})"
    family = f"{len(layers)} layers {family}" if len(layers) > 1 else family
    widths = f"{first.state.width}/{one.design.readout.weight_format.width} bits"
    return f"{family}, N = {one.design.n_units}, P = {first.lanes}, {widths}"


def figure(held: dict[str, dict[str, list[Judged]]], seen: dict[str, list[Judged]]) -> str:
    """SVG of the errors."""
    groups = [(False, seen), *((True, boards) for boards in held.values())]
    rows = [
        (find_board(board).device.name, unseen, one)
        for unseen, group in groups
        for board, found in group.items()
        for one in found
    ]
    cells = [
        (name, new, float(one.row["cells"]), float(one.found.cells)) for name, new, one in rows
    ]
    clock = [
        (name, new, float(one.row["mhz"]), one.found.clock_hz / 1e6) for name, new, one in rows
    ]
    panels = [
        Residuals("cells", "cells", TARGETS["cells"], sorted(cells, key=lambda p: p[:2])),
        Residuals("clock", "MHz", TARGETS["clock"], sorted(clock, key=lambda p: p[:2])),
    ]
    return svg(residuals_figure(panels), "estimator") + "\n"


def page() -> tuple[str, str]:
    """The page and its figure."""
    before, known = list(earlier()), drawn()
    held = {kind: judged(measured(kind)) for kind, seeds in SEEDS.items() if seeds > 1}
    seen = judged([*before, *known])
    counts = {
        "earlier": len(before),
        "drawn": len(known),
        "listed": len(BOARDS)
        * sum(count for kind, (_, count) in KINDS.items() if SEEDS[kind] == 1),
        "held": sum(len(rows) for boards in held.values() for rows in boards.values()),
        "all_held": len(BOARDS) * sum(KINDS[kind][1] for kind in held),
    }
    sha256 = json.loads(LIST.read_text(encoding="utf-8"))["sha256"]
    text = markdown(_record(), sha256, counts, held, seen, coefficients())
    return text, figure(held, seen)


def main() -> None:
    """Measure what is missing if asked to, calibrate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--boards", default=",".join(BOARDS))
    parser.add_argument("--kinds", default=",".join(KINDS))
    arguments = parser.parse_args()
    if arguments.measure:
        _measure(arguments.boards.split(","), arguments.kinds.split(","))
    write_atomic(COEFFICIENTS, json.dumps(calibrated(), indent=1, sort_keys=True) + "\n")
    coefficients.cache_clear()
    text, drawing = page()
    write_atomic(FOLDER / "estimator.md", text)
    write_atomic(FIGURE, drawing)


if __name__ == "__main__":
    main()
