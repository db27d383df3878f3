"""The page and the pictures of the benchmark of adaptation, from its record alone."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rchw.adapt import RULES
from rchw.plot import histories_figure, homeostasis_figure, svg

__all__ = ["markdown", "pictures", "verdict"]

Row = Mapping[str, Any]
_TITLES = {
    "narma10": "NARMA-10",
    "mackey-glass": "Mackey-Glass, 84 samples ahead",
}
_FLOORS = {
    "linear": "linear filter, 60 taps",
    "quadratic_ring": "linear ring of N units with squares",
    "volterra": "Volterra filter, order 2, 2 N features",
    "nvar": "NVAR, at most 300 features",
}
_PRECISIONS = ("float", "12 bits")

_HEAD = """\
# Adaptation of the reservoir

Made by `{command}`: does a rule of `rchw.adapt` make a better reservoir
than one that is only drawn? {units} units of tanh without leaks, each reading 10 % of the others,
a bias of 0.125, one input; states and their squares are read out.

- **Choices** read the validation samples of one tuning stream. Every row has {candidates}
  candidates. Without a rule these are {radii} spectral radii and {scalings} input scalings; with
  one, a *start* of 2 radii and {scalings} input scalings, and 3 sets of parameters. Floating point
  and 12 bits choose each by itself.
- **Tests**: {tests} streams, each with a draw of the reservoir of its own. The rule adapts on the
  training inputs, the readout is fitted on the training samples, lambda is chosen on the validation
  samples, and the test samples are read once. An earlier protocol, which carried the choice of
  floating point to 12 bits, was dropped after its errors on these same streams had been seen.
- **12 bits**: input, states, weights, gains and biases; readout weights of 16 bits, tanh in
  segments. The rule works on the float model with the weights of the codes, what it has changed is
  coded anew (`rchw train --adapt`).
- *to none* is the geometric mean of the errors over those of the row without a rule, on the same
  streams; below 1 is better, and in brackets on how many streams it is. *to its start* compares
  with the very reservoir from which the rule began: what the rule did, while *to none* is whether
  it was worth it, for a row without a rule has more radii to choose from.
- *kept* says on how many streams the validation error, too, is less than without a rule: who
  chooses by validation adapts there, and not elsewhere.
- *radius*, *memory* (memory capacity of delays 1 to 60) and *separation* (how far states are apart
  when inputs differ by a tenth, over the distance of the inputs) are means over the draws, under
  inputs uniform from -1 to 1, of the float reservoirs.
"""


def _ratio(row: Row, plain: Row) -> tuple[float, int, int]:
    """Geometric mean of error ratios, streams on which the rule is better, and of how many."""
    ratios = np.array(row["errors"]) / np.array(plain["errors"])
    return float(np.exp(np.log(ratios).mean())), int((ratios < 1).sum()), len(ratios)


def _shown(ratio: float, better: int, of: int) -> str:
    text = f"{ratio:.2f} ({better} of {of})"
    return f"**{text}**" if better == of else text


def verdict(rows: Mapping[str, Row]) -> dict[str, list[str]]:
    """Rules of one task that are better on all streams, worse on all, or neither.

    Parameters
    ----------
    rows : mapping
        By the name of the rule; ``none`` among them.
    """
    found: dict[str, list[str]] = {"better": [], "worse": [], "neither": []}
    for rule, row in rows.items():
        if rule == "none":
            continue
        ratio, better, of = _ratio(row, rows["none"])
        kind = "better" if better == of else "worse" if better == 0 else "neither"
        found[kind].append(f"{rule} ({ratio:.2f})")
    return found


def _spread(row: Row) -> str:
    errors = row["errors"]
    return f"{row['mean']:.3g} ± {np.std(errors, ddof=1):.1g}"


def _start(choice: Mapping[str, Any]) -> str:
    parameters = choice["parameters"].replace("_", " ").replace("=", " ").replace(",", ", ")
    start = f"{choice['radius']:g}, {choice['scaling']:g}"
    return f"{start}; {parameters}" if parameters else start


def _table(rows: Mapping[str, Row], starts: Row) -> Iterator[str]:
    whole = "properties" in rows["none"]
    more = " radius | memory | separation |" if whole else ""
    yield "| rule | start; parameters | NMSE | to none | to its start | kept |" + more
    yield "|---|---|---|---|---|---|" + "---|---|---|" * whole
    for rule, row in rows.items():
        cells = [f"**{rule}**" if rule == "none" else rule, _start(row["choice"]), _spread(row)]
        if rule == "none":
            cells += ["", "", ""]
        else:
            begun = f"{row['choice']['radius']:g}, {row['choice']['scaling']:g}"
            cells.append(_shown(*_ratio(row, rows["none"])))
            cells.append(_shown(*_ratio(row, {"errors": starts[begun]})))
            pairs = zip(row["checked"], rows["none"]["checked"], strict=True)
            cells.append(str(sum(a < b for a, b in pairs)))
        if whole:
            known = {name: float(np.mean(values)) for name, values in row["properties"].items()}
            cells += [
                f"{known['radius']:.2f}", f"{known['memory']:.1f}", f"{known['separation']:.2f}",
            ]  # fmt: skip
        yield "| " + " | ".join(cells) + " |"


def _words(rows: Mapping[str, Row], floors: Row) -> Iterator[str]:
    """Say where rules help, and where no reservoir shows anything."""
    said = {
        "better": "Better than none on every stream", "worse": "Worse on every stream",
        "neither": "Now better, now worse",
    }  # fmt: skip
    for kind, names in verdict(rows).items():
        yield f"- {said[kind]}: {', '.join(names) or 'no rule'}."
    for key in _FLOORS:
        below = [rule for rule, row in rows.items() if row["mean"] < floors[key]["mean"]]
        told = "all rows" if len(below) == len(rows) else ", ".join(below) or "no row"
        yield f"- Below the floor of the {_FLOORS[key]}, {floors[key]['mean']:.3g}: {told}."


def _summary(
    tables: Mapping[tuple[str, str], Mapping[str, Row]], floors: Mapping[str, Row]
) -> Iterator[str]:
    """One line per rule, and per floor: its ratios on all tasks."""
    heads = [f"{_TITLES[task]}, {precision}" for task, precision in tables]
    yield f"| rule | {' | '.join(heads)} |"
    yield "|---|" + "---|" * len(heads)
    plain = [f"NMSE {rows['none']['mean']:.3g}" for rows in tables.values()]
    yield f"| none | {' | '.join(plain)} |"
    for rule in next(iter(tables.values())):
        if rule == "none":
            continue
        cells = [_shown(*_ratio(rows[rule], rows["none"])) for rows in tables.values()]
        yield f"| {rule} | {' | '.join(cells)} |"
    for key, title in _FLOORS.items():
        pairs = [(floors[task][key], rows["none"]) for (task, _), rows in tables.items()]
        yield f"| *{title}* | {' | '.join(_shown(*_ratio(*pair)) for pair in pairs)} |"


def _everywhere(tables: Mapping[tuple[str, str], Mapping[str, Row]]) -> str:
    """Say which rules are better on every stream of every table."""
    kinds = [verdict(rows)["better"] for rows in tables.values()]
    named = [{text.split(" ")[0] for text in kind} for kind in kinds]
    always = sorted(set.intersection(*named))
    return f"Better on every stream in all columns: {', '.join(always) or 'no rule'}."


def markdown(record: Mapping[str, Any]) -> str:
    """Write the page."""
    measured = record["rows"]
    tables: dict[tuple[str, str], dict[str, Row]] = {
        (task, precision): {
            rule: measured[f"{task}/{rule}/{precision}"] for rule in ("none", *RULES)
        }
        for task in _TITLES
        for precision in _PRECISIONS
    }
    first, protocol = measured["narma10/none/float"], record["protocol"]
    lines = [_HEAD.format(
        command=record["command"], units=protocol["units"], candidates=first["candidates"],
        radii=protocol["radii"], scalings=protocol["scalings"], tests=len(first["errors"]),
    )]  # fmt: skip
    lines += ["## In one table", ""]
    lines += [
        "Errors *to none*; bold where a row is better on every stream. Below the rules stand the",
        "floors, on the same streams: predictors in floating point, without a nonlinear reservoir,",
        "whose lambda each stream's own validation samples choose.", "",
    ]  # fmt: skip
    floors = {task: measured[f"{task}/floors"] for task in _TITLES}
    lines += [*_summary(tables, floors), "", _everywhere(tables), ""]
    for (task, precision), rows in tables.items():
        lines += [
            f"## {_TITLES[task]}, {precision}",
            "",
            *_table(rows, measured[f"{task}/starts/{precision}"]),
            "",
        ]
        lines += [*_words(rows, floors[task]), ""]
    lines += _homeostasis(measured["homeostasis"])
    lines += [
        "## Histories", "",
        "From one reservoir of radius 0.9 and input scaling 0.25, on the training inputs of",
        "NARMA-10, ten times over.", "",
        "![Spectral radius and deviation of states, rule by rule](../docs/images/adaptation.svg)",
        "",
    ]  # fmt: skip
    known = record["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in known["versions"].items())
    seconds = sum(row.get("seconds", 0) for row in measured.values())
    took = f"{seconds / 60:.0f} minutes on a busy machine"
    lines += [f"Python {known['python']}, {versions}; {took}.", ""]
    return "\n".join(lines)


def _homeostasis(found: Row) -> Iterator[str]:
    yield "## The spectral radius that homeostasis reaches"
    yield ""
    yield (
        f"{found['units']} units, each reading 10 % of the others with Gaussian weights, "
        f"{found['samples']} samples:"
    )
    yield "a Gaussian input for each unit, or one binary input for all; both of deviation 0.5."
    yield ""
    yield "| asked for | " + " | ".join(f"{goal:g}" for goal in found["targets"]) + " |"
    yield "|---|" + "---|" * len(found["targets"])
    for key, values in found.items():
        if "/" in key:
            rule, case = key.split("/")
            cells = " | ".join(f"{radius:.2f}" for radius in values)
            yield f"| {rule}, {case} inputs | {cells} |"
    yield ""
    yield (
        "Flow control rests on units that are independent of each other: under one input that all "
        "share"
    )
    yield "it misses. Variance control comes out high either way."
    yield ""
    yield "![Radius reached over radius asked for](../docs/images/homeostasis.svg)"
    yield ""


def pictures(record: Mapping[str, Any]) -> dict[str, str]:
    """SVG by file name."""
    measured = record["rows"]
    found = measured["homeostasis"]
    reached = {
        f"{key.split('/')[0]}, {key.split('/')[1]} inputs": values
        for key, values in found.items()
        if "/" in key
    }
    return {
        "adaptation.svg": svg(histories_figure(measured["histories"]), "adaptation"),
        "homeostasis.svg": svg(homeostasis_figure(found["targets"], reached), "homeostasis"),
    }
