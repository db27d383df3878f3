"""The page of the benchmark of linear readouts, from its record alone."""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

__all__ = ["markdown"]

Measured = dict[str, Any]

_INTRODUCTION = """\
NARMA-10 after Rodan and Tino: 2000 training samples of which 200 are washout, 3000 for validation,
3000 for the test; hyperparameters and lambda by validation error on streams 2000 and 2001, then ten
other streams, whose test samples are evaluated once. NMSE, mean (median). N = 200, readout `[x, 1]`
without squares, so that all that lies below the linear filter comes from the curvature of units."""

_READING = """\
The classic ring of tanh units in floating point (feedback {feedback:g}, input scaling
{input_scaling:g}, bias {bias:g}, as chosen), rounded only where the readout sees its states: the
recurrence goes on in float64, and lambda is chosen on the validation samples of every stream.
Ranges are twice those of the training samples. Half the range of a unit is {share:.4f} of full
scale (median over units). What is read of it are products of inputs, about {share:.4f} times
smaller still, so in codes of full scale the curvature begins at 2**-{bits:.0f}."""

_READING_END = """\
*Range use*: a bias moves the units to where tanh is curved, but then most of a code says where
they are and not how they move. Codes of each unit's own range about its middle, which is what a
bias taken off behind the activation and a gain per unit would give, are worth about {gained} bits
at an error of {level:.2f}. Dither of one step makes the error of rounding independent of the state,
and adds to it: it {dither}."""

_LOOP = """\
Whole integer designs: input, state and output are rounded, the state in every step, where a ring
carries the rounding on. 30 candidates each. *An input gain for each unit* is `--weights integer`:
magnitudes drawn for every unit. Readout weights of 12 bits beside 8-bit states, else 18."""

_CAPACITY = """\
Information processing capacity of the states by degree, on {samples} uniform inputs of NARMA-10:
degree 1 is linear memory, degree 2 are squares and products of two inputs, which the target is made
of. Sums of what is beyond chance (`rchw.metrics.information_processing_capacity`); the most that
{units} units can have is {units}, and by finite samples a little more. The integer rows are rows of
the next table, whose designs were chosen for this very target. Float finds its products of two
inputs in a curvature below the steps of 16 bits. In integers they must be as large as the states:
units that clip or bend, each at another place of the input, which a gain for each unit gives."""

_DITHER = """\
The design of row *clip*, on whose units codes from -A to A - 1, in quarters of a step of the
states, are added through a channel of their own; the readout is trained anew, lambda by
validation of each stream, so that at A = 0 the design itself is near its row above, not equal."""


def _floors(rows: Measured, columns: int) -> Iterator[str]:
    """Last rows of a table: what needs no reservoir, the same in every column."""
    for row in (rows["floors"][key] for key in ("linear", "quadratic_ring", "volterra")):
        yield f"| {row['title']} | " + " | ".join([_figure(row)] * columns) + " |"


def _figure(row: Measured | None) -> str:
    return "" if row is None else f"{row['mean']:.4f} ({row['median']:.4f})"


def _reading(rows: Measured) -> Iterator[str]:
    """Table of what rounding costs a readout that lives on curvatures."""
    for key in sorted(key for key in rows if key.startswith("reading/")):
        found = rows[key]["rows"]
        share = rows[key]["share"]
        yield _READING.format(**rows[key]["point"], share=share, bits=-math.log2(share**2))
        yield ""
        codings = list(dict.fromkeys(k.split("/")[0] for k in found if "/" in k))
        bits = sorted({int(k.split("/")[1]) for k in found if "/" in k})
        titles = {
            "full": "full scale, -1 to 1",
            "range": "one range for all units",
            "unit": "each unit's own range",
            "unit-dither": "the same, dither",
        }
        yield "| bits | " + " | ".join(titles[c] for c in codings) + " |"
        yield "|---:|" + "---:|" * len(codings)
        for width in bits:
            cells = (_figure(found.get(f"{coding}/{width}")) for coding in codings)
            yield f"| {width} | " + " | ".join(cells) + " |"
        yield f"| float64 | {_figure(found['float'])} |" + " |" * (len(codings) - 1)
        yield from _floors(rows, len(codings))
        yield ""
        yield _end(found, bits)


def _end(found: Measured, bits: list[int]) -> str:
    """What a better range and dither are worth, by the medians."""
    level = float(found[f"unit/{bits[len(bits) // 2]}"]["median"])

    def needed(coding: str) -> float:
        """Bits at which the median first reaches the level, between the measured widths."""
        points = [(width, float(found[f"{coding}/{width}"]["median"])) for width in bits]
        for (a, first), (b, second) in pairwise(points):
            if second <= level < first:
                return a + (b - a) * (first - level) / (first - second)
        return float("nan")

    gained = needed("full") - needed("unit")
    text = (
        f"{gained:.0f}" if math.isfinite(gained) else f"more than {bits[-1] - bits[len(bits) // 2]}"
    )
    worse = [
        width
        for width in bits
        if found[f"unit-dither/{width}"]["median"] > found[f"unit/{width}"]["median"]
    ]
    dither = f"is worse at {len(worse)} of {len(bits)} widths"
    return _READING_END.format(gained=text, level=level, dither=dither)


def _capacity(found: Measured) -> Iterator[str]:
    """Table of what states know, by degree."""
    degrees = list(next(iter(found.values()))["degrees"])
    yield "| states | " + " | ".join(f"degree {d}" for d in degrees) + " | all |"
    yield "|---|" + "---:|" * (len(degrees) + 1)
    for key, row in found.items():
        cells = (f"{row['degrees'][d]:.1f}" for d in degrees)
        yield f"| {key} | " + " | ".join(cells) + f" | {row['total']:.1f} |"


def _loop(rows: Measured, linear: float) -> Iterator[str]:
    """Table of whole designs, by what is free in them."""
    widths = sorted({int(k.split("/")[1]) for k in rows if k.startswith("loop/")})
    keys = list(dict.fromkeys(k.split("/")[2] for k in rows if k.startswith("loop/")))
    yield "| | " + " | ".join(f"{width} bits" for width in widths) + " |"
    yield "|---|" + "---:|" * len(widths)
    best: dict[int, Measured] = {}
    for key in keys:
        cells = []
        for width in widths:
            row: Measured | None = rows.get(f"loop/{width}/{key}")
            cells.append(_figure(row))
            if row is not None:
                known = best.get(width)
                if known is None or row["validation"] < known["validation"]:
                    best[width] = row
                title = row["title"]
        yield f"| {title} | " + " | ".join(cells) + " |"
    yield from _floors(rows, len(widths))
    yield ""
    parts = (f"{1 - row['mean'] / linear:.0%} at {width} bits" for width, row in best.items())
    yield f"The row of least validation error is below the linear filter by {', '.join(parts)}."


def _dither(rows: Measured) -> Iterator[str]:
    found = {int(k.split("/")[1]): row for k, row in rows.items() if k.startswith("dither/")}
    amplitudes = list(next(iter(found.values()))) if found else []
    yield "| bits | " + " | ".join(f"A = {a}" for a in amplitudes) + " |"
    yield "|---:|" + "---:|" * len(amplitudes)
    for width, row in sorted(found.items()):
        yield f"| {width} | " + " | ".join(_figure(row[a]) for a in amplitudes) + " |"
    yield from _floors(rows, len(amplitudes))


def markdown(record: Measured) -> str:
    """Write the page."""
    rows = record["rows"]
    lines = ["# How far a linear readout gets in integers", "", f"Made by `{record['command']}`."]
    lines += ["", _INTRODUCTION, ""]
    floors = rows["floors"]
    lines += [f"- {row['title']}: {_figure(row)}" for row in floors.values()]
    lines += ["", "## What the curvature is worth in bits", "", *_reading(rows)]
    if "capacity" in rows:
        words = _CAPACITY.format(samples=f"{record['samples']:,}", units=record["units"])
        lines += ["", "## What the states know", "", words, "", *_capacity(rows["capacity"])]
    lines += ["", "## In the loop", "", _LOOP, "", *_loop(rows, floors["linear"]["mean"])]
    lines += ["", "## Dither", "", _DITHER, "", *_dither(rows)]
    return "\n".join(lines) + "\n"
