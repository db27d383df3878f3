"""The page of the benchmark of FORCE, from its record alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["page"]

Row = Mapping[str, Any]
_PRECISIONS = ("float", "16 bits", "16 bits, tuned", "12 bits", "12 bits, tuned")


def _median(values: Sequence[float]) -> str:
    return f"{float(np.median(values)):.2g}"


def _groups(rows: Sequence[Row]) -> Iterator[tuple[str, str, list[Row]]]:
    for task in dict.fromkeys(row["task"] for row in rows):
        for rule in dict.fromkeys(row["rule"] for row in rows):
            yield task, rule, [r for r in rows if (r["task"], r["rule"]) == (task, rule)]


def page(record: Mapping[str, Any]) -> str:
    """Markdown of the record."""
    rows, seeds = record["rows"], record["seeds"]
    sample = rows[0]["options"]
    lines = [
        "# FORCE",
        "",
        f"Networks of {record['units']} units that learn while they run on their own output",
        "([what the rules do](../docs/force.md)): `rchw train TASK --feedback --teaching RULE`.",
        f"All have g = {sample['gain']:g}, density {sample['density']:g}, a leak of "
        f"2**-{sample['leak_shift']}, alpha = {sample['alpha']:g},",
        f"feedback within {sample['feedback_scaling']:g} and an update every {sample['every']} "
        "samples; partial-FORCE trains half of the units.",
        f"There are {rows[0]['samples']:,} samples of training and {seeds} seeds of each; nothing",
        "was chosen by any of these runs. Errors are in full scales of the output, of which the",
        "targets fill 0.8. All figures are medians over the seeds.",
        "",
        "## In training",
        "",
        "Over the first and the last tenth of the updates: error before an update, what is left of",
        "it after the update, and the change of all trained weights.",
        "",
        "| series | rule | error, first | error, last | after / before, first | last "
        "| change, first | last |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for task, rule, group in _groups(rows):
        facts = [row["history"] for row in group]
        cells = [
            _median([fact[f"{when}_{what}"] for fact in facts])
            for what in ("before", "ratio", "move")
            for when in ("first", "last")
        ]
        lines.append(f"| {task} | {rule} | {' | '.join(cells)} |")
    lines += [
        "",
        "## Left alone",
        "",
        f"From where training ends, for {record['late']:,} samples: root mean square error over",
        f"the standard deviation of the target in the first {record['early']:,} samples and in",
        "all; by how many samples the end is ahead or behind; the error of the last thousand with",
        "that shift taken out; in how many of the networks this is below 0.1, which we call held.",
        "Shifts are whole samples: half of one makes 0.05 of a sine of 60 samples.",
        f"Tuned: the readout learnt on the last {record['tuned']:,} samples from the states of the",
        "integer reference, of FORCE alone.",
        "",
        f"| series | rule | precision | error, {record['early']:,} | error, {record['late']:,} "
        "| drift, samples | error of shape | held |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for task, rule, group in _groups(rows):
        for precision in _PRECISIONS:
            runs = [row["runs"][precision] for row in group if precision in row["runs"]]
            if not runs:
                continue
            drift = float(np.median([abs(run["shift"]) for run in runs]))
            lines.append(
                f"| {task} | {rule} | {precision} | {_median([r['early'] for r in runs])} "
                f"| {_median([r['whole'] for r in runs])} | {drift:g} "
                f"| {_median([r['shape'] for r in runs])} "
                f"| {sum(r['held'] for r in runs)} of {len(runs)} |"
            )
    lines += ["", *_verdict(rows), ""]
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    lines += [f"Made by `python -m benchmarks.force` with {tools}.", ""]
    return "\n".join(lines)


def _verdict(rows: Sequence[Row]) -> list[str]:
    """What was missed, and how many held, from the numbers."""
    lines = []
    for task in dict.fromkeys(row["task"] for row in rows):
        mine = [row for row in rows if row["task"] == task]
        held = {
            precision: sum(row["runs"][precision]["held"] for row in mine)
            for precision in ("float", "16 bits", "12 bits")
        }
        count = len(mine)
        told = ", ".join(f"{number} at {name}" for name, number in held.items())
        if not any(held.values()):
            lines.append(f"* `{task}` was missed: no network of {count} held it.")
        else:
            lines.append(f"* `{task}` was held by these of {count} networks: {told}.")
    return lines
