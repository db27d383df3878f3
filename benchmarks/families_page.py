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
        rate = row["samples_per_second"] / 1e6
        parts.append(
            f"{where}: {row['lut']} LUT, {row['ff']} FF, {row['block_ram']} block RAM, "
            f"{row['dsp']} multipliers, {row['mhz']:.0f} MHz, {rate:.3g} million samples/s"
        )
    return "<br>".join(parts) or "not measured yet"


def table(
    told: Mapping[str, str],
    clocks: Mapping[int, tuple[int, int]],
    rows: Sequence[Mapping[str, Any]],
) -> str:
    """The table, in Markdown.

    Parameters
    ----------
    told : mapping
        Equation, parameters, ports, reference and source.
    clocks : mapping
        Of the lanes: clocks of latency, and clocks per sample.
    rows : sequence
        What was measured, one row for each board and number of lanes.
    """
    late = "; ".join(f"{late} clocks with P = {lanes}" for lanes, (late, _) in clocks.items())
    pace = "; ".join(
        f"one sample in {pace} clocks with P = {lanes}" for lanes, (_, pace) in clocks.items()
    )
    entries = {
        "equation": told["equation"],
        "parameters": told["parameters"],
        "ports": told["ports"],
        "latency": f"{late} (`rchw.schedule.latency`)",
        "throughput": f"{pace} (`rchw.schedule.schedule`)",
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
