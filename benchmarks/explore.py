"""Speed of a search: designs per minute, and what reuse, short series and workers are worth.

``python -m benchmarks.explore`` writes ``benchmarks/results/explore.json`` and
``benchmarks/explore.md``; with ``--optimisers`` it only compares optimisers, and goes on where it
was stopped (`benchmarks.explore_optimisers`). A trial is a reservoir with all its readouts, a
design one of these. The ways of computing a trial take turns on the same reservoirs, and their
seconds are those of the processor; searches are timed by the clock on the wall, beside the load of
the machine.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import optuna

from benchmarks.explore_optimisers import compared, compared_lines
from rchw.codesign import explore as search
from rchw.codesign.engine import LocalEngine
from rchw.codesign.objectives import Limits
from rchw.codesign.series import SeriesTrials
from rchw.codesign.space import Point, Space, ask
from rchw.codesign.trial import FULL, SHORT, Trials
from rchw.experiment import versions
from rchw.files import write_atomic
from rchw.tasks import load_task

__all__ = ["FOLDER", "main", "measured", "page"]

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results" / "explore.json"
TASK, BOARD = "narma10", "ulx3s-85f"
SPACE = Space(units=(20, 200))
_KINDS = ("cycle", "delay-line-feedback", "cycle-jumps", "integer", "euler-ring", "leaky")
_HEAD = """\
# Speed of a search

`{command}` on {processor}, load {load[0]:.1f} before and {load[1]:.1f} after on {cores} cores.
NARMA-10 (2,000 training samples, 3,000 to choose by), board {board}; a trial is a reservoir of
{low} to {high} units with {readouts} readouts: with and without squares, {weights} bits of weights,
{outputs} bits of outputs.

## One trial

{points} reservoirs, seconds of the processor for all of them, every way in turn on each.

| way | seconds | times |
|---|---:|---:|
"""
_WAYS = {
    "reuse": "as it is: one run, one set of statistics, ten factors for all widths",
    "separate": "every readout by itself",
    "plain": "as it is, without the compiled loops",
    "short": "on a short series (`SHORT`)",
}
_SEARCHES = """
## A search

{budget} trials from a seed, by the clock on the wall, every search from the start and with the
start of its workers. The front is the same for any number of workers (tested); without short series
all trials have all samples, which leads the optimiser elsewhere.

| workers | short series | seconds | trials per minute | designs per minute | on the front |
|---:|---|---:|---:|---:|---:|
"""


def _points(count: int) -> list[Point]:
    """Reservoirs as the search would ask for them at random, families in turn."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = []
    for number in range(count):
        study.enqueue_trial({"reservoir": _KINDS[number % len(_KINDS)]})
        found.append(ask(SPACE, study.ask()))
    return found


def _separate(trials: Trials, point: Point) -> None:
    for squares, weights, outputs in product(SPACE.squares, SPACE.readout_bits, SPACE.output_bits):
        alone = replace(SPACE, squares=(squares,), readout_bits=(weights,), output_bits=(outputs,))
        replace(trials, space=alone)((point, FULL))


def _ways(trials: Trials, points: list[Point]) -> dict[str, float]:
    seconds = dict.fromkeys(_WAYS, 0.0)
    for point in points:
        for way in _WAYS:
            begun = time.process_time()
            if way == "separate":
                _separate(trials, point)
            elif way == "plain":
                with (
                    patch("rchw.train.ridge.kernels", lambda: None),
                    patch("rchw.train.quantize.kernels", lambda: None),
                ):
                    trials((point, FULL))
            else:
                trials((point, SHORT if way == "short" else FULL))
            seconds[way] += time.process_time() - begun
    return seconds


def _searched(budget: int, workers: int, short: bool) -> dict[str, Any]:
    """Time one search; without short series the first stage is skipped by promoting all."""
    task = load_task(TASK)
    kept = search.BATCH // 2 if short else search.BATCH
    begun = time.monotonic()
    with patch.object(search, "PROMOTED", kept), LocalEngine(workers) as local:
        front = search.explore(task, BOARD, SPACE, budget=budget, engine=local)
    seconds = time.monotonic() - begun
    return {
        "workers": workers,
        "short": short,
        "seconds": seconds,
        "trials": front.record["trials"],
        "designs": len(front.designs),
        "front": len(front.members),
        "refused": len(front.refused),
    }


def measured(points: int, budget: int, command: str) -> dict[str, Any]:
    """Measure everything."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    load = os.getloadavg()[0]
    trials = SeriesTrials(task=load_task(TASK), space=SPACE, board=BOARD, limits=Limits())
    chosen = _points(points)
    for fidelity in (FULL, SHORT):
        trials((chosen[0], fidelity))  # compiles
    ways = _ways(trials, chosen)
    searches = [
        _searched(budget, workers, short) for workers, short in ((1, True), (2, True), (2, False))
    ]
    return {
        "command": command,
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "load": [load, os.getloadavg()[0]],
        "board": BOARD,
        "space": asdict(SPACE),
        "points": points,
        "ways": ways,
        "budget": budget,
        "searches": searches,
        "tools": versions("numba", "optuna"),
    }


def page(record: dict[str, Any]) -> str:
    """Page of a record."""
    space = record["space"]
    readouts = [len(space[key]) for key in ("squares", "readout_bits", "output_bits")]
    words = {
        key: " or ".join(str(v) for v in space[key]) for key in ("readout_bits", "output_bits")
    }
    text = _HEAD.format(
        **{key: record[key] for key in ("command", "processor", "load", "cores", "board")},
        points=record["points"],
        low=space["units"][0], high=space["units"][1],
        readouts=readouts[0] * readouts[1] * readouts[2], weights=words["readout_bits"],
        outputs=words["output_bits"],
    )  # fmt: skip
    return "".join([text, *_lines(record)])


def _lines(record: dict[str, Any]) -> Iterator[str]:
    own = record["ways"]["reuse"]
    for way, words in _WAYS.items():
        seconds = record["ways"][way]
        yield f"| {words} | {seconds:.2f} | {seconds / own:.2f} |\n"
    yield _SEARCHES.format(budget=record["budget"])
    for row in record["searches"]:
        minutes = row["seconds"] / 60
        yield (
            f"| {row['workers']} | {'yes' if row['short'] else 'no'} | {row['seconds']:.1f} | "
            f"{row['trials'] / minutes:.0f} | {row['designs'] / minutes:.0f} | {row['front']} |\n"
        )
    if record.get("optimisers"):
        yield from compared_lines(record["optimisers"])


def _write(record: dict[str, Any]) -> None:
    write_atomic(RESULTS, json.dumps(record, indent=1) + "\n")
    write_atomic(FOLDER / "explore.md", page(record))


def main() -> None:
    """Measure, and write record and page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=12)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--optimisers", action="store_true", help="compare optimisers alone")
    given = parser.parse_args()
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    if given.optimisers and known:
        command = "python -m benchmarks.explore --optimisers"
        for found in compared(command, known.get("optimisers")):
            _write(known | {"optimisers": found})
        return
    record = measured(given.points, given.budget, "python -m benchmarks.explore")
    _write(record | {"optimisers": known.get("optimisers")})


if __name__ == "__main__":
    main()
