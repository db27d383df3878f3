"""The table of a family's page, from what is told of it and the rows of its record."""

from collections.abc import Mapping, Sequence
from typing import Any

from rchw.devices import BOARDS

__all__ = ["BEGIN", "END", "table", "written"]

BEGIN = "<!-- table: python -m benchmarks.families -->"
END = "<!-- end of table -->"


def _resources(rows: Sequence[Mapping[str, Any]]) -> str:
    parts = []
    for row in rows:
        where = f"P = {row['lanes']}, {BOARDS[row['board']].device.name}"
        if "missing" in row:
            parts.append(f"{where}: {row['missing']}")
            continue
        parts.append(
            f"{where}: {row['lut']} LUT, {row['ff']} FF, {row['block_ram']} block RAM, "
            f"{row['dsp']} multipliers, {row['mhz']:.0f} MHz"
        )
    return "<br>".join(parts)


def table(told: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """The table, in Markdown: what is told, latency, throughput and resources of the circuit."""
    lanes = {row["lanes"]: row for row in rows}.values()
    clocks = "; ".join(f"{row['latency']} clocks with P = {row['lanes']}" for row in lanes)
    pace = "; ".join(
        f"one sample in {row['clocks']} clocks with P = {row['lanes']}" for row in lanes
    )
    rate = "; ".join(
        f"{row['samples_per_second'] / 1e6:.3g} million samples/s on "
        f"{BOARDS[row['board']].device.name} with P = {row['lanes']}"
        for row in rows
        if "missing" not in row
    )
    entries = {
        "equation": told["equation"],
        "parameters": told["parameters"],
        "ports": told["ports"],
        "latency": f"{clocks} (`rchw.schedule.latency`)",
        "throughput": f"{pace} (`rchw.schedule.schedule`); {rate}",
        "resources": _resources(rows),
        "reference": told["reference"],
        "source": told["source"],
    }
    lines = ["| | |", "|---|---|", *(f"| {key} | {entry} |" for key, entry in entries.items())]
    return "\n".join(lines)


def written(page: str, table: str) -> str:
    """The page with `table` between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"
