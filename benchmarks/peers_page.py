"""The page of the benchmark of peers, from its record alone."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["markdown", "verdict"]

Row = Mapping[str, Any]
_HEAD = """\
# Beside the packages of others

Made by `{command}`, all rows on one machine, which is slower at some hours than at others: errors
are compared here, not times. Float reservoirs of other packages, by their public interfaces, and
integer designs of rchw on the same samples, with the same splits and metrics.

- **Choices**: peers {budget} draws each of radius, input scaling, bias, leak and density, the same
  for all; our designs the 30 candidates of the quick search; on the validation samples of one
  tuning stream, for each readout by itself. The readout of the peers is the harness's ridge, lambda
  from 1e-14 up, chosen on the validation samples of every test stream; ours keep the lambda of the
  tuning stream. Test samples are read once.
- **Rows**: `[x, 1]` is a linear readout of N states, `[x, x², 1]` has their squares too. Peers draw
  new weights for every test stream, and five times where there is one series.
- **Not here**: PyRCN, since it needs torch.

The best of the peers and the best of our integers in each column are bold; the verdicts under each
table are of them: first of ours with any readout beside peers with a linear one, as their packages
have it, then with equal readouts, and beside the best floor. They go by the median, for now and
then one draw of weights comes to nothing on test samples that leave the range of the training
samples. A row that has not been measured is missing, not good.
"""
_FLOORS = {
    "linear": "linear filter, 60 taps",
    "quadratic_ring": "linear ring with squares",
    "volterra": "Volterra filter",
    "nvar": "NVAR",
    "persistence": "last known value",
}
_ORDER = (
    "narma10", "santa-fe", "mackey-glass", "mackey-glass, closed loop", "henon", "channel",
    "sunspots", "japanese-vowels", "spoken-digits",
)  # fmt: skip
_READOUTS = {"linear": "[x, 1]", "squares": "[x, x², 1]"}


def _value(row: Row) -> tuple[float, str]:
    """What a row is ranked by, the median, less is better; and how it is shown."""
    if "times" in row:
        median = row.get("median_time", row.get("time"))
        mean = row.get("mean_time", row.get("time_mean"))
        return -float(median), f"{mean:.0f} ({median:.0f})"
    mean, median = row["mean"], row["median"]
    if "sequences" in row or row.get("floor"):
        return float(median), f"{mean:g}"
    return float(median), f"{mean:.3g}" + ("" if len(row["errors"]) == 1 else f" ({median:.3g})")


def _tables(rows: Mapping[str, Row]) -> dict[tuple[str, int], dict[str, Row]]:
    """Rows by task and N, in the order of the page: floors, ours, then the peers."""
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for key, row in rows.items():
        task, units, name = key.split("/")
        found.setdefault((task, int(units)), {})[name] = row

    def place(entry: tuple[str, Row]) -> tuple[int, str]:
        row = entry[1]
        kind = 0 if "readout" not in row else 1 if row.get("ours") else 2
        return kind, row["title"] if kind == 2 else ""

    return {
        key: dict(sorted(found[key].items(), key=place))
        for key in sorted(found, key=lambda each: (each[1], _ORDER.index(each[0])))
    }


def _models(table: Mapping[str, Row]) -> dict[str, dict[str, Row]]:
    """Rows by title and readout, floors left out."""
    found: dict[str, dict[str, Row]] = {}
    for row in table.values():
        if "readout" in row:
            found.setdefault(row["title"], {})[row["readout"]] = row
    return found


def _best(table: Mapping[str, Row], ours: bool, readout: str | None = None) -> Row | None:
    """The best row of our integers, or of the peers; of one readout or of all."""
    rows = [
        row
        for row in table.values()
        if row.get("readout") in ((readout,) if readout else tuple(_READOUTS))
        and bool(row.get("ours")) == ours
        and "float" not in row["title"]
    ]
    return min(rows, key=lambda row: _value(row)[0]) if rows else None


def verdict(table: Mapping[str, Row]) -> list[str]:
    """Sentences on who is better: beside the peers as they come, and with the same readout."""
    lines = []
    for kind, mine, theirs in (
        ("Peers with a linear readout", _best(table, True), _best(table, False, "linear")),
        ("All with [x, 1]", _best(table, True, "linear"), _best(table, False, "linear")),
        ("All with [x, x², 1]", _best(table, True, "squares"), _best(table, False, "squares")),
    ):
        if mine is None or theirs is None:
            continue
        a, b = _value(mine), _value(theirs)
        word = "ahead of" if a[0] < b[0] else "level with" if a[0] == b[0] else "**behind**"
        with_squares = ", squares" if mine["readout"] == "squares" else ""
        lines.append(
            f"- {kind}: {mine['title']}{with_squares} ({a[1]}) {word} {theirs['title']} ({b[1]})."
        )
    floors = {name: row for name, row in table.items() if "readout" not in row}
    mine = _best(table, True)
    if floors and mine is not None:
        name = min(floors, key=lambda each: _value(floors[each])[0])
        a, b = _value(mine), _value(floors[name])
        word = "ahead of" if a[0] < b[0] else "level with" if a[0] == b[0] else "**behind**"
        title = _FLOORS.get(name, floors[name]["title"])
        lines.append(
            f"- Floors: {mine['title']} ({a[1]}) {word} the best of them, {title} ({b[1]})."
        )
    return lines or ["Not measured yet."]


def _lines(task: str, units: int, table: Mapping[str, Row]) -> Iterator[str]:
    counts = max((len(row.get("errors", ())) for row in table.values()), default=1)
    what = "errors of test sequences, mean over draws of weights"
    if any("times" in row for row in table.values()):
        what = "valid prediction time in samples, mean (median)"
    elif not any("sequences" in row for row in table.values()):
        metric = "symbol error rate" if task == "channel" else "NMSE"
        what = f"{metric}, mean (median) over {counts} runs"
    yield f"## {task}, N = {units}"
    yield ""
    yield f"| {what} | [x, 1] | [x, x², 1] |"
    yield "|---|---:|---:|"
    for name, row in table.items():
        if "readout" not in row:
            title = _FLOORS.get(name, row["title"])
            yield f"| {title} | {_value(row)[1]} | |"
    best = [_best(table, ours, readout) for ours in (True, False) for readout in _READOUTS]
    for title, readouts in _models(table).items():
        cells = []
        for readout in _READOUTS:
            row = readouts.get(readout)
            text = "" if row is None else _value(row)[1]
            cells.append(f"**{text}**" if any(row is each for each in best if each) else text)
        yield f"| {title} | {' | '.join(cells)} |"
    yield ""
    yield from verdict(table)
    yield ""


def markdown(record: Mapping[str, Any]) -> str:
    """Page of a record."""
    lines = [_HEAD.format(command=record["command"], budget=record["budget"])]
    tables = _tables(record["rows"])
    for (task, units), table in tables.items():
        lines += _lines(task, units, table)
    versions = record.get("environment", {}).get("versions", {})
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
    return "\n".join(lines) + "\n"
