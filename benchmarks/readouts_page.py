"""The page and the picture of the benchmark of readouts, from its record alone."""

from collections.abc import Iterator
from typing import Any

from rchw.plot import svg, tradeoff_figure

__all__ = ["page", "picture"]

Row = dict[str, Any]

_KINDS = {"adders": "budget of adders", "nonzeros": "budget of weights", "bits": "fewer bits"}

_NEAR = 1.05

_INTRODUCTION = """\
What a readout loses by less. Adders are the additions and subtractions of one output where every
weight is a constant made of signed powers of two; the constant weight is free. The reservoir of a
task is searched for once, without a budget. Then, for each budget, the best of all lambdas is
chosen on validation samples. Test samples are read once. *Fewer bits* is compensated rounding
(`rchw.train.quantize`) to that many bits and nothing else; budgets take 12 bits
(`rchw train --readout-adders N`, `--readout-nonzeros N`). Errors of training are exact
integers; those below are of whole integer designs on series. The last rows of each table need no
reservoir (`rchw.tasks.floors`, of as many units)."""

_ONLINE = """\
The same features, standardised, with a constant, and the same training samples, in their order. The
distance is that of the outputs from those of the ridge, in standard deviations of the target, over
the training samples; of LMS and NLMS the rate is the one that is best on validation samples.
The strength of the ridge is best on validation samples too, and P(0) is its inverse. An LMS
must stay below a rate of 2 over the largest eigenvalue; it learns a direction in a time that goes
with its eigenvalue, and the eigenvalues are spread over {spread:.1e}."""


def picture(record: Row) -> str:
    """SVG: error on test samples over adders, a panel for each task."""
    panels, lines = {}, {}
    for task in record["tasks"]:
        title = f"{task['task']}, {task['options']['units']} units, {task['weights']} weights"
        curves: dict[str, list[tuple[float, float]]] = {}
        for row in task["rows"]:
            curves.setdefault(_KINDS[row["kind"]], []).append((row["adders"], row["test"]))
        order = [label for label in _KINDS.values() if label in curves]
        panels[title] = {label: curves[label] for label in order}
        lines[title] = next(
            row["test"] for row in task["rows"] if (row["kind"], row["asked"]) == ("bits", 12)
        )
    drawn = tradeoff_figure(
        panels, cost="adders of the readout", metric="NMSE, test samples", reference=lines
    )
    return svg(drawn, "readouts")


def page(record: Row) -> str:
    """Markdown of the record."""
    lines = ["# Readouts", "", *_INTRODUCTION.splitlines(), ""]
    lines += ["![Error over adders](../docs/images/readouts.svg)", ""]
    floors = record["floors"]
    for task in record["tasks"]:
        lines += _task(task, floors)
    lines += _circuits(record["circuits"], floors)
    lines += _online(record["online"], floors)
    tools = ", ".join(f"{name} {version}" for name, version in record["tools"].items())
    return "\n".join([*lines, f"Made by `python -m benchmarks.readouts` with {tools}.", ""])


def _floors(floors: Row, found: Row, before: int, behind: int = 0) -> Iterator[str]:
    """Rows of what needs no reservoir, with empty cells before and behind the error."""
    for title, error in floors[f"{found['task']}/{found['options']['units']}"].items():
        yield f"| {title} |{' |' * before} {error:.4f} |{' |' * behind}"


def _task(task: Row, floors: Row) -> Iterator[str]:
    options, metric = task["options"], task["metric"].upper()
    yield f"## {task['task']}"
    yield ""
    yield (
        f"A {options['reservoir']} of {options['units']} units with {options['state_bits']}-bit "
        f"states, squares in the readout: {task['weights']} weights."
    )
    yield ""
    whole = next(row for row in task["rows"] if (row["kind"], row["asked"]) == ("bits", 12))
    near = [row for row in task["rows"] if row["validation"] <= _NEAR * whole["validation"]]
    yield "Least that is within 5 % of plain 12 bits on validation samples, which take"
    yield f"{whole['adders']} adders and {whole['nonzeros']} weights:"
    yield ""
    for kind, what in (("bits", "fewer bits"), ("nonzeros", "weights"), ("adders", "adders")):
        those = [row for row in near if row["kind"] == kind]
        if those:
            least = min(those, key=lambda row: int(row["adders"]))
            yield f"* by {what}: {least['adders']} adders, {least['nonzeros']} weights"
        else:
            yield f"* by {what}: none of those tried"
    yield ""
    yield f"| budget | adders | weights not 0 | lambda | {metric}, validation | {metric}, test |"
    yield "|---|---|---|---|---|---|"
    for row in task["rows"]:
        what = {"bits": "bits, no other budget", "nonzeros": "weights"}.get(row["kind"], "adders")
        yield (
            f"| {row['asked']} {what} | {row['adders']} | {row['nonzeros']} "
            f"| {row['regularisation']:g} | {row['validation']:.4f} | {row['test']:.4f} |"
        )
    yield from _floors(floors, task, 4)
    yield ""


def _circuits(found: Row, floors: Row) -> Iterator[str]:
    options = found["options"]
    yield "## Fewer adders are fewer gates"
    yield ""
    yield f"The parallel circuit of a {options['reservoir']} of {options['units']} units on"
    yield (
        f"{found['task']}, not tuned ({found['device']}, synthesis alone). Everything but the "
        "readout is the same in all"
    )
    yield "rows; the last one, without an adder, is what is left of it. Registers of products go"
    yield "with them."
    yield ""
    yield "| budget | adders | weights not 0 | NMSE, validation | NMSE, test | LUT | flip-flops |"
    yield "|---|---|---|---|---|---|---|"
    for row in found["rows"]:
        budget = "none" if row["asked"] is None else f"{row['asked']} adders"
        cells = row["resources"]
        yield (
            f"| {budget} | {row['adders']} | {row['nonzeros']} | {row['validation']:.4f} "
            f"| {row['test']:.4f} | {cells['lut']} | {cells['ff']} |"
        )
    yield from _floors(floors, found, 3, 2)
    yield ""


def _online(found: Row, floors: Row) -> Iterator[str]:
    options = found["options"]
    yield "## Rules that learn sample by sample"
    yield ""
    yield (
        f"{found['task']}, {options['units']} units with {options['state_bits']}-bit states and "
        f"their squares: {found['features']} features, {found['samples']} training samples."
    )
    yield from _ONLINE.format(spread=found["spread"]).splitlines()
    yield ""
    yield "| rule | passes | distance from the ridge | NMSE, validation | NMSE, test |"
    yield "|---|---|---|---|---|"
    ridge = found["ridge"]
    yield (
        f"| ridge, {ridge['strength']:g} per sample | | 0 | {ridge['validation']:.4f} "
        f"| {ridge['test']:.4f} |"
    )
    for row in found["rows"]:
        yield (
            f"| {row['rule']} | {row['passes']} | {row['distance']:.2g} "
            f"| {row['validation']:.4f} | {row['test']:.4f} |"
        )
    yield from _floors(floors, found, 3)
    yield ""
