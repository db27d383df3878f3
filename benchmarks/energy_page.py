"""The page of the energy benchmark, from its record alone."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from rchw.boards.activity import Activity
from rchw.cli.energy import joules

__all__ = ["markdown", "usual"]

Row = Mapping[str, Any]
_HEAD = """\
# Energy of a sample

Made by `{command}`. **Joules of circuits are those of a model, not of a meter**: what
changes in the netlist, counted on training samples of NARMA-10, times the figures of
`rchw/codesign/power.py`, at the clock that `rchw estimate` predicts;
[docs/energy.md](../docs/energy.md) says what is in it and what is not. In brackets the range of the
sum, all figures at the same end; in the last column what `rchw estimate` says, with usual activity.
Time of the processor is measured, its energy is that times {processor}.
"""
_ITEMS = ("static", "clock", "switching", "multipliers", "memory", "I/O")


def _spent(entry: Row) -> str:
    return f"{joules(entry['joules'])} ({joules(entry['low'])} to {joules(entry['high'])})"


def _circuits(rows: list[Row]) -> Iterator[str]:
    columns = "design on MHz clocks Msample/s highest-rate 1-kS/s clock-runs-on estimate".split()
    yield f"| {' | '.join(name.replace('-', ' ') for name in columns)} |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        start = f"| {row['design']} | {row['board']} |"
        if "missing" in row:
            yield f"{start} | {row['clocks']} | | {row['missing']} | | | |"
            continue
        entries = row["energy"]
        slow = [_spent(entries[name]) if name in entries else "-" for name in
                ("slow", "slow, free-running")]  # fmt: skip
        yield (
            f"{start} {row['clock_hz'] / 1e6:.1f} | {row['clocks']} "
            f"| {entries['highest']['rate'] / 1e6:.3g} | {_spent(entries['highest'])} | {slow[0]} "
            f"| {slow[1]} | {joules(row['estimated'])} |"
        )


def _items(rows: list[Row]) -> Iterator[str]:
    yield f"| design | on | {' | '.join(_ITEMS)} | sum |"
    yield f"|---|---|{'---:|' * (len(_ITEMS) + 1)}"
    for row in rows:
        if "missing" not in row:
            entry = row["energy"]["highest"]
            parts = {item["name"]: item["joules"] for item in entry["items"]}
            shown = " | ".join(joules(parts[name]) for name in _ITEMS)
            yield f"| {row['design']} | {row['board']} | {shown} | {joules(entry['joules'])} |"


def _compared(rows: list[Row]) -> Iterator[str]:
    """What a parallel circuit takes beside the folded one of the same reservoir."""
    ends = {(row["design"], row["board"]): row for row in rows if "missing" not in row}
    for (title, name), row in ends.items():
        folded = ends.get((title.replace("parallel", "one lane"), name))
        if folded is None or folded is row:
            continue
        fast, slow = (each["energy"]["highest"]["joules"] for each in (row, folded))
        resting = [each["energy"]["slow"]["joules"] for each in (row, folded)]
        cells = [each["activity"]["resources"]["lut"] for each in (row, folded)]
        yield (
            f"{title}, on {name}: {cells[0]:,} LUTs in place of {cells[1]:,}, "
            f"{joules(fast)} in place of {joules(slow)} for a sample at the highest rate, and "
            f"{joules(resting[0])} in place of {joules(resting[1])} at 1 kS/s."
        )


def _processors(rows: list[Row]) -> Iterator[str]:
    yield "| design | model | us per sample | Msample/s | energy per sample |"
    yield "|---|---|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['design']} | {row['processor']} | {row['seconds'] * 1e6:.2f} "
            f"| {1e-6 / row['seconds']:.3g} | {joules(row['joules'])} |"
        )


def rates_of(row: Row) -> dict[str, float]:
    """Activity of a row per LUT, flip-flop, multiplier and block, per clock."""
    activity = Activity.from_facts(dict(row["activity"]))
    has = activity.resources
    luts = has["lut"] + (2 if activity.device.startswith("LFE5") else 0) * has["carry"]
    found = {
        "lut": (activity.changes["lut"] + activity.changes["carry"]) / luts,
        "flip_flop": activity.changes["ff"] / has["ff"],
    }
    if has["dsp"]:
        found["dsp"] = activity.dsp_operand_changes / has["dsp"]
    if has["block_ram"]:
        found["block_ram"] = activity.block_ram_accesses / has["block_ram"]
    return found


def usual(rows: list[Row]) -> dict[str, tuple[float, float, float]]:
    """Least, median and greatest of the activity of all rows, two digits."""
    each = [rates_of(row) for row in rows if "activity" in row]
    found = {}
    for kind in ("lut", "flip_flop", "dsp", "block_ram"):
        values = [rates[kind] for rates in each if kind in rates]
        if values:
            low, middle, high = min(values), median(values), max(values)
            found[kind] = (float(f"{low:.2g}"), float(f"{middle:.2g}"), float(f"{high:.2g}"))
    return found


def markdown(record: Row) -> str:
    """Page of a record."""
    rows = list(record["rows"].values())
    circuits = [row for row in rows if "board" in row]
    cores = [row for row in rows if "processor" in row]
    source = cores[0]["source"] if cores else "not there"
    titles = {
        "lut": "LUT, with its carry",
        "flip_flop": "flip-flop",
        "dsp": "multiplier, bits of operands",
        "block_ram": "block RAM, accesses",
    }
    lines = [
        _HEAD.format(command=record["command"], processor=source),
        *_circuits(circuits),
        "",
        "Item by item, at the highest rate:",
        "",
        *_items(circuits),
        "",
        *_compared(circuits),
        "",
        "The same models on one core, float as trained for itself and the compiled integers, best "
        "of five rounds:",
        "",
        *_processors(cores),
        "",
        "Changes per clock, the least, the median and the greatest of the circuits above, which "
        "an estimate takes (`USUAL`):",
        "",
        "| per | least | median | greatest |",
        "|---|---:|---:|---:|",
        *(
            f"| {titles[kind]} | {low:g} | {middle:g} | {high:g} |"
            for kind, (low, middle, high) in usual(circuits).items()
        ),
    ]
    return "\n".join(lines) + "\n"
