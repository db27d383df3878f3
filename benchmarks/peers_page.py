"""The page of the benchmark of peers, from its record alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["markdown", "verdict"]

Row = Mapping[str, Any]
_HEAD = """\
# Beside the packages of others

Made by `{command}`, all rows on one machine, which is slower at some hours than at others: errors
are compared here, not times. Float reservoirs of other packages, by their public interfaces, and
integer designs of rchw on the same samples, with the same splits and metrics.

- **Choices**: peers {budget} draws each of radius, input scaling, bias, leak and density, the same
  for all, on the validation samples of one tuning stream, for each readout by itself; their readout
  is the harness's ridge, lambda from 1e-14 up, chosen on the validation samples of every test
  stream. Rows of our families (leaky matrix, cycle with jumps, leaky cycle, three leaky layers) get
  the same {budget} draws, rounded to what integers hold, and choose lambda in the same way, by
  integer outputs (`benchmarks/peers_designs.py`). Rows *rchw, B bits* are rings with the 30
  candidates of the quick search, and keep the lambda of the tuning stream. Test samples are read
  once.
- **Rows**: `[x, 1]` is a linear readout of N states, `[x, x², 1]` has their squares too. Peers draw
  new weights for every test stream, and five times where there is one series. A design of ours is
  one with its weights, and they are kept; *anew* is the median with weights drawn anew, as of
  peers.
- **Not here**: PyRCN, since it needs torch.

In each column the best of the peers on the test samples is bold, and of our integers, at each
width, the one with the least error on the validation samples of the tuning stream, which need not
be the best on the test samples: no choice of ours reads them. The verdicts under each table are of
these: first of ours with any readout beside peers with a linear one, as their packages have it,
then with equal readouts, and beside the best floor. They go by the median, for now and then one
draw of weights comes to nothing on test samples that leave the range of the training samples. The
activation is worth something where a design is below both linear systems with products in the
readout, a linear ring with squares and a Volterra filter; the last line has the ratio to the better
of them. A row that has not been measured is missing, not good.
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
    shown = f"{mean:.3g}" + ("" if len(row["errors"]) == 1 else f" ({median:.3g})")
    if "redrawn" in row:
        shown += f", anew {row['redrawn']['median']:.3g}"
    return float(median), shown


def _chosen_by(row: Row) -> float:
    """What chooses among our rows: errors on samples or folds that are no test."""
    return float(row["validation" if "validation" in row else "held_out"])


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


def _ours(table: Mapping[str, Row], readout: str | None = None) -> dict[int, Row]:
    """Of our integers the best of every width by validation; of one readout or of all."""
    found: dict[int, Row] = {}
    for row in table.values():
        width = re.search(r"(\d+) bits", row["title"])
        if not row.get("ours") or width is None or readout not in (None, row["readout"]):
            continue
        bits = int(width[1])
        if bits not in found or _chosen_by(row) < _chosen_by(found[bits]):
            found[bits] = row
    return dict(sorted(found.items()))


def _theirs(table: Mapping[str, Row], readout: str) -> Row | None:
    """The best row of the peers on the test samples."""
    rows = [row for row in table.values() if row.get("readout") == readout and not row.get("ours")]
    return min(rows, key=lambda row: _value(row)[0]) if rows else None


def _beside(mine: Mapping[int, Row], other: Row) -> str:
    """Every width beside one row."""
    words = []
    for bits, row in mine.items():
        a, b = _value(row), _value(other)
        word = "ahead" if a[0] < b[0] else "level" if a[0] == b[0] else "**behind**"
        words.append(f"{bits} bits {word} ({_median(row)})")
    return ", ".join(words)


def _median(row: Row) -> str:
    return f"{abs(_value(row)[0]):.3g}"


def verdict(table: Mapping[str, Row]) -> list[str]:
    """Sentences on who is better: beside the peers as they come, and with the same readout."""
    lines = []
    for kind, mine, theirs in (
        ("Beside a linear readout of peers", _ours(table), _theirs(table, "linear")),
        ("Both with [x, 1]", _ours(table, "linear"), _theirs(table, "linear")),
        ("Both with [x, x², 1]", _ours(table, "squares"), _theirs(table, "squares")),
    ):
        if mine and theirs is not None:
            lines.append(
                f"- {kind}, {theirs['title']} ({_median(theirs)}): {_beside(mine, theirs)}."
            )
    floors = {name: row for name, row in table.items() if "readout" not in row}
    mine = _ours(table)
    if floors and mine:
        name = min(floors, key=lambda each: _value(floors[each])[0])
        title = _FLOORS.get(name, floors[name]["title"])
        lines.append(
            f"- The best floor, {title} ({_median(floors[name])}): {_beside(mine, floors[name])}."
        )
        lines += _worth(mine, floors)
    return lines or ["Not measured yet."]


def _rounding(cases: Sequence[Row]) -> Iterator[str]:
    """Table of float reservoirs with rounded states."""
    yield "Float reservoirs whose states alone are rounded, a leaky matrix with real weights: least"
    yield "NMSE of the same draws on the validation samples of the tuning stream."
    yield ""
    yield "| activation | bits of a state | [x, 1] | [x, x², 1] |"
    yield "|---|---:|---:|---:|"
    for case in cases:
        bits = case["bits"] or "float"
        errors = " | ".join(f"{case[readout]:.3g}" for readout in _READOUTS)
        yield f"| {case['activation']} | {bits} | {errors} |"
    yield ""
    known = {(case["activation"], case["bits"]): case["squares"] for case in cases}
    if {("tanh", 0), ("tanh", 16), ("pwl", 0), ("pwl", 16)} <= known.keys():
        lost = known["tanh", 16] / known["tanh", 0]
        kept = known["pwl", 16] / known["pwl", 0]
        yield (
            f"With squares, rounding to 16 bits multiplies the error of tanh by {lost:.1f} and "
            f"that of straight segments by {kept:.1f}."
        )
        yield ""


def _worth(mine: Mapping[int, Row], floors: Mapping[str, Row]) -> list[str]:
    """What the activation is worth: the error beside those of linear systems with products."""
    known = [floors[name] for name in ("quadratic_ring", "volterra") if name in floors]
    if not known or any("times" in row for row in mine.values()):
        return []
    floor = min(_value(row)[0] for row in known)
    ratios = {bits: _value(row)[0] / floor for bits, row in mine.items()}
    worth = [f"{bits} bits {ratio:.2f}" for bits, ratio in ratios.items()]
    some = [f"{bits}" for bits, ratio in ratios.items() if ratio < 1]
    told = f"something at {', '.join(some)} bits" if some else "nothing"
    return [f"- The activation is worth {told}: {', '.join(worth)} of the lesser quadratic floor."]


def _lines(task: str, units: int, rows: Mapping[str, Row]) -> Iterator[str]:
    table = {name: row for name, row in rows.items() if "cases" not in row}
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
    best = [row for readout in _READOUTS for row in _ours(table, readout).values()]
    best += [peer for readout in _READOUTS if (peer := _theirs(table, readout)) is not None]
    for title, readouts in _models(table).items():
        cells = []
        for readout in _READOUTS:
            entry = readouts.get(readout)
            text = "" if entry is None else _value(entry)[1]
            cells.append(f"**{text}**" if any(entry is each for each in best) else text)
        yield f"| {title} | {' | '.join(cells)} |"
    yield ""
    yield from verdict(table)
    yield ""
    for row in rows.values():
        if "cases" in row:
            yield from _rounding(row["cases"])


def markdown(record: Mapping[str, Any]) -> str:
    """Page of a record."""
    lines = [_HEAD.format(command=record["command"], budget=record["budget"])]
    tables = _tables(record["rows"])
    for (task, units), table in tables.items():
        lines += _lines(task, units, table)
    versions = record.get("environment", {}).get("versions", {})
    lines.append(", ".join(f"{name} {version}" for name, version in versions.items()) + ".")
    return "\n".join(lines) + "\n"
