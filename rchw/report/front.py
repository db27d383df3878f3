"""The page of a search: its front, drawn and as a table, and how to go on with a design of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from rchw import plot
from rchw.codesign.front import Found, Front
from rchw.codesign.objectives import OBJECTIVES, front_of
from rchw.devices import BOARDS
from rchw.report.page import (
    PANEL,
    Text,
    code,
    escape,
    facts,
    figure,
    grid,
    note,
    page,
    section,
    tiles,
)

__all__ = ["SMALL", "front_page", "front_picture"]

SMALL = (1000, 5000, 20000)  # cells, under which the best design is told
_METRICS = {"nmse": "NMSE", "ser": "symbol error rate", "error-rate": "error rate"}
_UNDRAWN = ("persistence", "Volterra filter", "the most frequent class")
_UNITS = {"energy": (1e9, "nJ per sample"), "latency": (1e6, "latency, \N{MICRO SIGN}s")}


def _scaled(name: str, value: float) -> float:
    return value * _UNITS.get(name, (1.0, ""))[0]


def _label(name: str) -> str:
    return _UNITS[name][1] if name in _UNITS else OBJECTIVES[name].title


def _costs(front: Front) -> list[str]:
    """What errors are drawn against."""
    return [name for name in front.objectives if name != "error"] or ["cells"]


def front_picture(front: Front, errors: Mapping[str, float], floors: Mapping[str, float]) -> Any:
    """Error of all designs against each of the other objectives.

    Parameters
    ----------
    front : Front
    errors : mapping of str to float
        Test errors of its members, by name.
    floors : mapping of str to float
        Test errors of what needs no reservoir, by what it is called.
    """
    costs = _costs(front)
    full = [d for d in front.designs if d.fidelity == "full" and not d.broken]
    kinds = list(dict.fromkeys(d.options["reservoir"] for d in full))
    points = {
        kind: np.array([_row(d, costs) for d in full if d.options["reservoir"] == kind])
        for kind in sorted(kinds)
    }
    lines, marks = [], []
    for name in costs:
        sign = OBJECTIVES[name].sign
        pairs = [(sign * d.figures[name], d.figures["error"]) for d in full]
        line = sorted(pairs[place] for place in front_of(pairs))
        lines.append([(_scaled(name, sign * cost), error) for cost, error in line][::sign])
        marks.append([(_scaled(name, d.figures[name]), errors[d.name]) for d in front.members])
    metric = _METRICS[front.record["task"]["metric"]]
    return plot.front_figure(
        points, lines, marks, [_label(name) for name in costs], error=metric,
        floors={name: value for name, value in floors.items() if name not in _UNDRAWN},
    )  # fmt: skip


def _row(found: Found, costs: list[str]) -> list[float]:
    return [found.figures["error"], *(_scaled(name, found.figures[name]) for name in costs)]


def front_page(
    front: Front, errors: Mapping[str, float], floors: Mapping[str, float], command: str
) -> str:
    """Self-contained HTML: picture, table, the best under so many cells, what was searched.

    Parameters
    ----------
    front, errors, floors
        As of `front_picture`.
    command : str
        What made it.
    """
    drawn = plot.svg(front_picture(front, errors, floors), "front", themed=True)
    body = [
        *_header(front, errors),
        section("The front"),
        figure(
            drawn,
            "Every dot is a design, at its error on the validation samples, by which everything "
            "was chosen. The line joins those that no other beats in the two figures of a panel; "
            "rings are the designs of the front on the test samples, which were read once, for "
            "this page. Costs are estimates. Dashed: what predictors without a nonlinear reservoir "
            "reach on the test samples.",
            "error against cost",
        ),
        *_members(front, errors),
        *_small(front),
        *_how(front, floors, command),
    ]
    title = f"{front.record['task']['name']} on {front.record['board']}: rchw explore"
    return page(title, body, plot.THEMES, PANEL)


def _header(front: Front, errors: Mapping[str, float]) -> Iterator[Text]:
    task, members = front.record["task"], front.members
    board = BOARDS[front.record["board"]]
    metric = _METRICS[task["metric"]]
    best = min(members, key=lambda found: found.figures["error"])
    least = min(members, key=lambda found: found.figures["cells"])
    lead = (
        f"Of {len(front.designs):,} designs of {front.record['trials']:,} reservoirs for "
        f"{task['name']} on {board.title}, {len(members)} are on the front."
    )
    rows = [
        (f"{errors[best.name]:.4g}", f"{metric} on test samples, of the best by validation"),
        (f"{best.figures['cells']:,.0f}", "logic cells of that design, estimated"),
        (f"{least.figures['cells']:,.0f}", f"logic cells of the smallest, with {metric} "
         f"{errors[least.name]:.4g}"),
    ]  # fmt: skip
    yield Text(
        f'<header><p class="kind">rchw explore</p><h1>{escape(task["name"])} on '
        f"{escape(front.record['board'])}</h1>"
        f'<p class="lead">{escape(lead)}</p>{tiles(rows)}</header>'
    )


def _members(front: Front, errors: Mapping[str, float]) -> Iterator[Text]:
    costs = list(dict.fromkeys([*_costs(front), "cells", "rate"]))
    columns = ["design", "reservoir", ">N", ">state", ">readout", "squares", ">lanes"]
    budgets = any(_budget(found) for found in front.members)
    columns += ["of each output at most"] * budgets
    columns += [">validation", ">test", *(f">{_label(name)}" for name in costs)]
    rows = []
    for found in front.members:
        chosen = found.options
        rows.append(
            [
                Text(f'<a href="{found.name}.json">{escape(found.name)}</a>'), kind_of(found),
                str(chosen["units"]), str(chosen.get("state_bits", "")),
                ", ".join(map(str, found.readout.widths)), "yes" if chosen["squares"] else "no",
                str(chosen["lanes"]), *[_budget(found)] * budgets,
                f"{found.figures['error']:.4g}", f"{errors[found.name]:.4g}",
                *(f"{_scaled(name, found.figures[name]):,.4g}" for name in costs),
            ]
        )  # fmt: skip
    yield grid(columns, rows)
    yield from _extrapolated(front)


def _budget(found: Found) -> str:
    """What a readout may take, if that was limited."""
    own = found.readout
    if own.readout_adders is not None:
        return f"{own.readout_adders} adders"
    return "" if own.readout_nonzeros is None else f"{own.readout_nonzeros} weights"


def _extrapolated(front: Front) -> Iterator[Text]:
    """Which estimates are guesses, and in what the designs are unlike those that were measured."""
    guessed = [found for found in front.members if found.extrapolates]
    if not guessed:
        yield note("No estimate extrapolates: each design is within what the calibration saw.")
        return
    yield note(
        f"Cells and clock of {len(guessed)} of the {len(front.members)} designs are guesses: they "
        f"lie outside of what the estimator was calibrated on, in what is listed here."
    )
    rows = [[found.name, "; ".join(found.extrapolates)] for found in guessed]
    yield grid(["design", "outside of the calibration in"], rows)


def kind_of(found: Found) -> str:
    """The reservoir in words, and the rule that adapted it, if there is one."""
    chosen = found.options
    words = [chosen["reservoir"], *([chosen["layer_reservoir"]] if "layers" in chosen else [])]
    return " of ".join(words) + (f", {chosen['adapt']}" if "adapt" in chosen else "")


def _small(front: Front) -> Iterator[Text]:
    yield section("The best under so many cells")
    rows = []
    for most in SMALL:
        found = front.best("cells", most)
        if found is None:
            rows.append([f"{most:,}", "none", "", "", ""])
            continue
        rows.append(
            [f"{most:,}", found.name, kind_of(found), f"{found.figures['error']:.4g}",
             f"{found.figures['cells']:,.0f}"]
        )  # fmt: skip
    yield grid([">cells at most", "design", "reservoir", ">validation", ">cells"], rows)


def _how(front: Front, floors: Mapping[str, float], command: str) -> Iterator[Text]:
    record = front.record
    yield section("How it was found")
    first = front.members[0].name
    yield Text(
        f"<pre>{escape(command)}\nrchw verilog {escape(first)}.json -o {escape(first)}.v</pre>"
    )
    full = len({d.trial for d in front.designs if d.fidelity == "full"})
    limits = [f"{name} at most {most:g}" for name, most in record["limits"]["at_most"]]
    if record["limits"]["rate"]:
        limits.append(f"rate at least {record['limits']['rate']:g} samples per second")
    told = {
        "objectives": ", ".join(record["objectives"]),
        "limits": ", ".join(["fits the board", *limits]),
        "trials": f"{record['trials']:,}, of which {len(front.refused):,} were refused before "
        f"training, and {full:,} had all samples",
        "optimiser": f"{record['optimiser']}, batches of {record['batch']}, seed {record['seed']}",
        **{f"{name}, test": f"{value:.4g}" for name, value in floors.items()},
    }
    rows: dict[str, str] = dict(told)
    for split, value in record["task"]["split_sha256"].items():
        rows[f"{split} samples"] = Text(f"sha256 {code(value)}")
    yield facts(rows)
    yield note("Every design and every refused trial is in trials.csv, the front in front.json.")
