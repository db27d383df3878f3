"""The page of the size benchmark, from its record alone."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

__all__ = ["cells_per_unit", "markdown"]

Row = dict[str, Any]
_BOARDS = {
    "icebreaker": "UP5K (iCEBreaker)",
    "ulx3s": "ECP5 LFE5U-25F (ULX3S)",
    "hx8k": "HX8K (multiplier in LUTs)",
}
_HEAD = """\
# Size and speed of the circuits

Made by `{command}`; ULX3S at speed grade 6, clock as median over nextpnr seeds 1 to 3.

A cycle of N units, `clip(3/4 x + s (u/4 + 1/8))`, states of 8 bits and the whole two's complement
range, one input of 8 bits, one output of 16, readout weights of 12 bits, constant feature; other
widths where the table says so. A clip at plus and minus 127, which training chooses, takes two or
three cells more per lane. LUT, FF, RAM, DSP: the design alone, a carry of ECP5 counted as its two
LUTs. Cells: with the wrapper of the board, as placed (logic cells on iCE40, TRELLIS_COMB on ECP5,
which count LUTs, carries and what feeds carries). The bound, on LUTs and flip-flops, holds the
additions, clips, accumulators and, where they are not in RAM, the states, and no control; it was
computed before anything was measured, and its formula is in `benchmarks/size.py`. Every product of
a parallel readout is shifts and additions with constants.
"""


def cells_per_unit(rows: dict[str, Row], row: Row) -> float:
    """Cells that one unit adds, wrapper and control apart: the difference of two rings."""
    smaller = rows[f"hx8k ring of 26, weights {row['ring']}"]
    return float((row["cells"] - smaller["cells"]) / (row["units"] - smaller["units"]))


def _sweep(rows: dict[str, Row], squares: bool) -> Iterator[str]:
    yield (
        "| board | N | P | LUT (bound) | FF (bound) | RAM | DSP | cells | MHz "
        "| clocks | Msample/s |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for board, title in _BOARDS.items():
        chosen = [r for r in rows.values() if r["board"] == board and r.get("bits") == [8, 12]]
        chosen = [r for r in chosen if r["squares"] == squares and r["units"] != 256]
        for row in sorted(chosen, key=lambda r: (r["units"], r["lanes"])):
            bound = row["bound"]
            start = f"| {title} | {row['units']} | {row['lanes']} |"
            if "missing" in row:
                yield f"{start} ({bound['lut']}) | ({bound['ff']}) | | | {row['missing']} | | | |"
                continue
            yield (
                f"{start} {row['lut']} ({bound['lut']}) | {row['ff']} ({bound['ff']}) | "
                f"{row['block_ram']} | {row['dsp']} | {row['cells']} | {row['mhz']:.1f} | "
                f"{row['clocks']} | {row['samples_per_second'] / 1e6:.3g} |"
            )


def _verdict(measured: float, target: float, least: bool) -> str:
    met = measured >= target if least else measured <= target
    return f"{target:g}, {'met' if met else 'missed'}"


def _trial(rows: dict[str, Row]) -> Iterator[str]:
    yield "| board | circuit | cells | trial | MHz, median (seeds) | trial |"
    yield "|---|---|---:|---:|---:|---:|"
    for row in rows.values():
        trial = row.get("trial")
        if not trial:
            continue
        if "ring" in row:
            weights = " and ".join(str(Fraction(weight)) for weight in row["ring"].split("and"))
            name = f"parallel ring, N = {row['units']}, weights {weights}, cells per unit"
            cells, target = cells_per_unit(rows, row), trial["cells_per_unit"]
        else:
            bits = "/".join(map(str, row["bits"]))
            name = f"N = {row['units']}, P = {row['lanes']}, {bits} bits"
            cells, target = row.get("cells", float("inf")), trial["cells"]
        if "missing" in row:
            yield f"| {_BOARDS[row['board']]} | {name} | {row['missing']} | {target} | | |"
            continue
        seeds = ", ".join(f"{mhz:.0f}" for mhz in row["mhz_per_seed"].values())
        yield (
            f"| {_BOARDS[row['board']]} | {name} | {cells:.4g} | "
            f"{_verdict(cells, target, False)} | {row['mhz']:.1f} ({seeds}) | "
            f"{_verdict(row['mhz'], trial['mhz'], True)} |"
        )


def markdown(record: Row) -> str:
    """Page of a record."""
    rows: dict[str, Row] = record["rows"]
    parts = [_HEAD.format(command=record["command"])]
    parts.append("## Linear readout\n\n" + "\n".join(_sweep(rows, False)) + "\n")
    if any(row.get("squares") for row in rows.values()):
        parts.append("## With squares\n\n" + "\n".join(_sweep(rows, True)) + "\n")
    parts.append(
        "## Beside an earlier trial\n\nThe trial used one seed; its cells include a wrapper too, "
        "another one. Cells per unit of a ring: the difference of rings of 50 and 26 units, over "
        "24.\n\n" + "\n".join(_trial(rows)) + "\n"
    )
    tools = {k: version for row in rows.values() for k, version in row.get("tools", {}).items()}
    parts.append(", ".join(f"{name} {version}" for name, version in sorted(tools.items())))
    return "\n".join(parts) + ".\n"
