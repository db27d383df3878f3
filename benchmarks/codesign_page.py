"""The page of co-design in one look, from its record alone."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rchw.plot import front_figure, svg

__all__ = ["markdown", "picture", "targets"]

Measured = dict[str, Any]
_CLOSE = 1.05  # within 5 % of float
_EIGHT_BITS = 0.035
_BESIDE = {  # last rows of the tables of the widest search, and what to add to their titles
    "linear": "",
    "quadratic_ring": ", N = 200",
    "volterra": ", N = 200",
    "nvar": "",
    "float": ", N = 200",
    "float-squares": ", N = 200",
}
_PLAIN = ("linear", "float")  # of these, without squares
_DRAWN = {
    "linear": "linear filter",
    "nvar": "NVAR",
    "quadratic_ring": "linear ring, squares",
    "float-squares": "float ring, squares",
    "volterra": "Volterra filter",
}

_INTRODUCTION = """\
NARMA-10 after Rodan and Tino: 2000 training samples of which 200 are washout, 3000 for validation,
3000 for the test. Searches (`rchw explore`) read the validation samples of stream {tuning}; among
the best {closest} reservoirs of a search the mean validation error of streams {tuning} to {tuned}
chooses, as it does for the float rings. Test errors are those of ten other streams, {first} to
{last}, on each of which the readout alone is trained and the test samples are evaluated: mean
(median) of the NMSE. No choice reads them, but that four streams choose was introduced after two
searches of 16 bits and N = 200, chosen by stream {tuning} alone, had been tested on them and had
missed the bound of the searched float ring: in that row they are read for the third time.
Floors and float rings are rows of [accuracy.md](accuracy.md) on the same ten
streams. Cells are estimates for the {board} (`rchw estimate`; `rchw build` measures them); those
of the tables are made anew by `--cells`, dots of the picture are as the search had them.
*At most* means that of all designs which any of the searches chose, with no more of it and whatever
else they have, the one with the least validation error over the four streams; a search spreads its
trials over all sizes, so it is not the best that there is."""


_ACTIVATION = """\
The same short search of cycles of 100 units with squares under each activation, from
[accuracy.md](accuracy.md), ten test streams. NARMA-10 is of order 2, so squares of linear units
have all it takes: what a curve is worth beside *linear* and the linear ring is what it adds to
that. A clip is linear until a state reaches its end."""


def _figure(row: Measured | None) -> str:
    return "" if row is None else f"{row['mean']:.4f} ({row['median']:.4f})"


def _short(row: Measured | None) -> str:
    """What a design is, in a few words."""
    if row is None:
        return ""
    options = row["design"]["options"]
    words = [options["reservoir"], f"N {options['units']}"]
    if "state_bits" in options:
        words.append(f"{options['state_bits']} bits")
    words += ["squares"] if options["squares"] else []
    words += [f"weights {options['readout_bits']}", f"P {options['lanes']}"]
    return ", ".join(words)


def targets(record: Measured) -> list[tuple[str, float, float]]:
    """What was aimed at: words, bound, and what was measured."""
    found: list[tuple[str, float, float]] = []
    ideal, searches = record["rows"], record["searches"]
    if "n200-16" in searches:
        mean = searches["n200-16"]["rows"]["best"]["mean"]
        for key, words in (("float-classic-squares", "signs of pi"), ("float-squares", "searched")):
            bound = _CLOSE * ideal[f"200/{key}"]["mean"]
            found.append((f"16 bits, squares, N = 200: float within 5 % ({words})", bound, mean))
    if "n200-8" in searches:
        mean = searches["n200-8"]["rows"]["best"]["mean"]
        found.append(("8 bits, squares, N = 200: at most", _EIGHT_BITS, mean))
    return found


def _floors(record: Measured) -> Iterator[str]:
    rows = record["rows"]
    sizes = sorted({int(key.split("/")[0]) for key in rows})
    yield "| | " + " | ".join(f"N = {n}" for n in sizes) + " |"
    yield "|---|" + "---:|" * len(sizes)
    for key in dict.fromkeys(key.split("/")[1] for key in rows):
        cells = (_figure(rows[f"{n}/{key}"]) for n in sizes)
        yield f"| {rows[f'{sizes[0]}/{key}']['title']} | " + " | ".join(cells) + " |"


def _best(record: Measured, kind: str, budget: int, *, plain: bool = False) -> Measured | None:
    """Of all that any search chose with no more of a kind, the one with least validation error."""

    def spent(row: Measured) -> int:
        options = row["design"]["options"]
        counts = {"cells": row["cells"], "units": options["units"]}
        return int(counts.get(kind, options.get("state_bits", budget + 1)))

    rows = [
        row
        for search in record["searches"].values()
        for row in search["rows"].values()
        if spent(row) <= budget and not (plain and row["design"]["options"]["squares"])
    ]
    return min(rows, key=lambda row: row["validation"], default=None)


def _series(record: Measured, kind: str, words: str) -> Iterator[str]:
    """One table: a budget, and the best design within it, with and without squares."""
    rows = record["searches"]["all"]["rows"]
    budgets = [int(key.split("/")[1]) for key in rows if key.startswith(f"{kind}/")]
    yield f"| {words}, at most | NMSE | cells | design | NMSE without squares |"
    yield "|---:|---:|---:|---|---:|"
    for budget in budgets:
        row, plain = _best(record, kind, budget), _best(record, kind, budget, plain=True)
        size = "" if row is None else f"{row['cells']:,}"
        yield f"| {budget:,} | {_figure(row)} | {size} | {_short(row)} | {_figure(plain)} |"
    for key in _BESIDE:
        row = record["rows"][f"200/{key}"]
        cells = [_figure(row if (key in _PLAIN) is plain else None) for plain in (False, True)]
        what = f"{row['title']}{_BESIDE[key]}"
        yield f"| {what} | {cells[0]} | | | {cells[1]} |".replace("|  |", "| |")


def _answers(record: Measured) -> Iterator[str]:
    every = (row for found in record["searches"].values() for row in found["rows"].values())
    close = [row for row in every if row["validation"] <= _CLOSE * record["bound"]]
    near = min(close, key=lambda row: (row["cells"], row["validation"]), default=None)
    if near is None:
        yield (
            f"- No design was found within 5 % of the float ring of 200 units with squares, whose "
            f"validation error is {record['bound']:.4f}."
        )
    else:
        yield (
            f"- The smallest of all that were found within 5 % of the validation error of the "
            f"float ring of 200 units with squares, {record['bound']:.4f}: {near['cells']:,} "
            f"cells, {_figure(near)}; {_short(near)}."
        )
    for cells in (1000, 5000, 20_000):
        row = _best(record, "cells", cells)
        if row is not None:
            yield (
                f"- The best under {cells:,} cells: {_figure(row)} with {row['cells']:,} cells; "
                f"{_short(row)}."
            )


def _activation(rows: Measured) -> Iterator[str]:
    """Errors by activation, in floating point and in integers, beside the floors."""
    titles = {"linear": "linear", "clip": "clip", "tanh": "tanh", "pwl": "tanh in segments",
              "table": "tanh in a table"}  # fmt: skip
    widths = {"float": "float", "int16": "16 bits", "int8": "8 bits"}
    yield "| activation | " + " | ".join(widths.values()) + " |"
    yield "|---|" + "---:|" * len(widths)
    for name, title in titles.items():
        cells = (_figure(rows.get(f"{width}-{name}")) for width in widths)
        yield f"| {title} |" + "".join(f" {cell} |" if cell else " |" for cell in cells)
    for key in ("linear", "quadratic_ring", "volterra", "nvar"):
        yield f"| {rows[key]['title']} | {_figure(rows[key])} | | |"


def _searches(record: Measured) -> Iterator[str]:
    yield (
        "| search | trials | designs | processor minutes | chosen: validation error of the "
        "search's stream | of all four | test error |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for found in record["searches"].values():
        best = found["rows"]["best"]
        error = best["design"]["figures"]["error"]
        yield (
            f"| {found['title']} | {found['trials']} | {found['designs']} | "
            f"{found['processor_seconds'] / 60:.0f} | {error:.4f} | "
            f"{best['validation']:.4f} | {_figure(best)} |"
        )


def markdown(record: Measured) -> str:
    """Write the page."""
    searches = record["searches"]
    seeds = [int(name.rsplit(" ", 1)[1]) for name in record["streams"]]
    lines = ["# The best reservoir that fits", "", f"Made by `{record['command']}`.", ""]
    lines.append(
        _INTRODUCTION.format(
            tuning=seeds[0], tuned=seeds[3], first=seeds[4], last=seeds[-1],
            board=record["board"], closest=record["closest"],
        )
    )  # fmt: skip
    if "all" in searches:
        lines += ["", *_answers(record), "", "![errors against cells](codesign.svg)"]
    lines += ["", "## Targets", "", "| target | bound | measured | |", "|---|---:|---:|---|"]
    for words, bound, mean in targets(record):
        verdict = "met" if mean <= bound else "**missed**"
        lines.append(f"| {words} | {bound:.4f} | {mean:.4f} | {verdict} |")
    lines += ["", "## Floors and float", "", *_floors(record)]
    if "all" in searches:
        for kind, title, words in (
            ("cells", "Against cells", "cells"),
            ("units", "Against units", "units"),
            ("bits", "Against bits of a state", "bits"),
        ):
            lines += ["", f"## {title}", "", *_series(record, kind, words)]
    if record.get("activation"):
        lines += ["", "## What the activation is worth", "", _ACTIVATION, ""]
        lines += _activation(record["activation"])
    lines += ["", "## Searches", "", *_searches(record)]
    return "\n".join(lines) + "\n"


def picture(record: Measured) -> str:
    """Errors against cells of all designs of the widest search, as SVG."""
    found = record["searches"]["all"]
    members = [[m["figures"]["cells"], m["figures"]["error"]] for m in found["front"]]
    chosen = {row["design"]["name"]: row for row in found["rows"].values()}
    tested = sorted([row["cells"], row["mean"]] for row in chosen.values())
    floors = {words: record["rows"][f"200/{key}"]["mean"] for key, words in _DRAWN.items()}
    return svg(
        front_figure(
            {kind: np.array(rows) for kind, rows in found["points"].items()},
            [np.array(sorted(members))],
            [np.array(tested)],
            ["cells, estimated"],
            error="NMSE, NARMA-10",
            floors=floors,
        ),
        "codesign",
    )
