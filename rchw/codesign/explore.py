"""Search the designs that are best in several figures at once, on a task and a board.

An optimiser (`rchw.codesign.optimiser`) proposes reservoirs. It is asked for a batch of fixed size,
and told in the order of the trials: so what it proposes next does not depend on how many workers
there are, which of them is faster, or whether the search was interrupted. A resumed search asks
again from the start, and takes from its store what it has there.

Every trial of a batch first runs on a short series; only those that are among the better half of
their batch, by fronts of all short results so far, or on the first front, go on to all samples.

Source of the idea of few long runs: K. Jamieson and A. Talwalkar, AISTATS 2016.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import optuna

from rchw.codesign.engine import Engine, LocalEngine
from rchw.codesign.estimate import calibration
from rchw.codesign.front import Found, Front
from rchw.codesign.objectives import OBJECTIVES, Limits, front_of, layers_of, scores, vector
from rchw.codesign.optimiser import study_of, tell
from rchw.codesign.power import power_of
from rchw.codesign.sequences import trials_of
from rchw.codesign.space import Point, Space, ask, first_points
from rchw.codesign.store import Store
from rchw.codesign.trial import FULL, SHORT, Fidelity, Trials
from rchw.devices import board as board_of
from rchw.errors import DesignError
from rchw.train.search import TrainingTask
from rchw.train.sequences import LabelledTask, Pooling

__all__ = ["BATCH", "PROMOTED", "STORE", "explore"]

BATCH = 10  # trials that are asked for at once
PROMOTED = BATCH // 2  # of them that go on to all samples, and those on the first front
STORE = "trials.jsonl"

_UNKNOWN = 1e6  # by what a trial exceeds its limits that cannot be asked for

Progress = Callable[[int, int, str], None]
Result = dict[str, Any]


def explore(
    task: TrainingTask | LabelledTask,
    board: str,
    space: Space | None = None,
    *,
    pooling: Pooling | None = None,
    objectives: tuple[str, ...] = ("error", "cells"),
    limits: Limits | None = None,
    budget: int = 200,
    seed: int = 0,
    optimiser: str = "tpe",
    engine: Engine | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Front:
    """Search designs for a task on a board.

    Parameters
    ----------
    task : TrainingTask or LabelledTask
        Its test samples are not read. Of labelled sequences the error is the part of the training
        sequences that is answered wrongly where their fold is held out.
    board : str
        One of `rchw.devices.BOARDS`.
    space : Space, optional
    pooling : Pooling, optional
        Of labelled sequences, and only of them: when a design answers.
    objectives : tuple of str
        Of `OBJECTIVES`.
    limits : Limits, optional
    budget : int
        Trials, each a reservoir with all its readouts; rounded up to whole batches.
    seed : int
        Of what is proposed.
    optimiser : str
        One of `rchw.codesign.optimiser.OPTIMISERS`.
    engine : Engine, optional
        The cores of this machine if not given; one that is given is not ended here.
    folder : Path, optional
        Where the store is kept, ``trials.jsonl``. What is there of the same search is not computed
        again; its budget may have been another one.
    progress : callable, optional
        Called with (trials done, trials in all, a few words on the current front).

    Returns
    -------
    Front

    Raises
    ------
    DesignError
        If the task cannot be trained on, an argument is out of range, the store is that of another
        search, or no trial could be evaluated.
    """
    device = board_of(board).device
    chosen, kept = space or Space(), limits or Limits()
    _check(objectives, budget, seed)
    joules = "energy" in (*objectives, *(name for name, _ in kept.at_most))
    if joules:
        power_of(device)
    study = study_of(optimiser, len(objectives), seed)
    trials = trials_of(task, chosen, board, kept, joules, pooling)
    trials.check()
    record = {
        "task": trials.identity,
        "board": board,
        "objectives": list(objectives),
        "limits": asdict(kept),
        "space": asdict(chosen),
        "seed": seed,
        "batch": BATCH,
        "promoted": PROMOTED,
        "estimator": calibration(),
        "optimiser": f"{optimiser}, optuna {metadata.version('optuna')}",
    }
    count = -(-budget // BATCH) * BATCH
    with Store(None if folder is None else folder / STORE, record) as store:
        with LocalEngine() if engine is None else nullcontext(engine) as workers:
            search = _Search(trials, objectives, study, store, workers)
            while search.done < count:
                search.batch(lambda words: progress and progress(search.done, count, words))
    if not search.found:
        first = next(iter(search.refused.values()))
        raise DesignError(f"no trial could be evaluated; of the first: {first}")
    record = {"kind": "explore", "version": 1, **record, "trials": count}
    busy = sum(float(result.get("processor_seconds", 0.0)) for result in store.found.values())
    return Front(objectives, tuple(search.found), search.refused, trials, record, busy)


def _check(objectives: tuple[str, ...], budget: int, seed: int) -> None:
    for name in objectives:
        if name not in OBJECTIVES:
            raise DesignError(f"objective must be one of {', '.join(OBJECTIVES)}, not {name!r}")
    if not objectives or len(set(objectives)) < len(objectives):
        raise DesignError(f"objectives must be distinct and at least one, not {objectives}")
    if not 1 <= budget <= 100_000:
        raise DesignError(f"budget must be from 1 to 100000, not {budget}")
    if not 0 <= seed < 2**32:
        raise DesignError(f"seed must be from 0 to {2**32 - 1}, not {seed}")


class _Search:
    """The state of a search, which depends on its seed and on results, on nothing else."""

    def __init__(
        self,
        trials: Trials,
        objectives: tuple[str, ...],
        study: optuna.Study,
        store: Store,
        engine: Engine,
    ) -> None:
        self.trials, self.objectives, self.store, self.engine = trials, objectives, store, engine
        self.study = study
        for known in first_points(trials.space):
            self.study.enqueue_trial(known)
        self.done = 0
        self.found: list[Found] = []
        self.refused: dict[int, str] = {}
        self._short: list[list[float]] = []  # scores of all designs on short series
        self._best: list[Found] = []

    def batch(self, told: Callable[[str], object]) -> None:
        """Ask for a batch, compute what the store does not have, tell the optimiser."""
        asked = [self.study.ask() for _ in range(BATCH)]
        points: dict[int, Point] = {}
        results: dict[int, Result] = {}
        for number, trial in enumerate(asked, start=self.done):
            try:
                points[number] = ask(self.trials.space, trial)
            except DesignError as reason:
                results[number] = {"refused": str(reason), "broken": _UNKNOWN}
        short = self._compute(points, SHORT)
        results |= short
        promising = self._promising(short)
        full = self._compute({number: points[number] for number in promising}, FULL)
        results |= full
        for number, trial in enumerate(asked, start=self.done):
            result = results[number]
            fidelity = FULL.name if number in full else SHORT.name
            designs = list(Found.of(number, fidelity, result))
            self._tell(trial, result, designs)
            self.found += designs
            if not designs:
                self.refused[number] = result["refused"]
        self.done += BATCH
        told(self._words())

    def _compute(self, points: dict[int, Point], fidelity: Fidelity) -> dict[int, Result]:
        """Results of some trials, from the store or from the engine, in their order."""
        stored = self.store.found
        missing = [number for number in points if (number, fidelity.name) not in stored]

        def keep(place: int, result: Result) -> None:
            self.store.add(missing[place], fidelity.name, result)

        if missing:
            self.engine.map(self.trials, [(points[number], fidelity) for number in missing], keep)
        found = {number: stored[number, fidelity.name] for number in points}
        for number, result in found.items():
            if result["point"] != points[number]:
                raise DesignError(
                    f"trial {number} of the store must be what this search asks for, but is "
                    f"another reservoir: use another folder"
                )
        return found

    def _scores(self, result: Result) -> list[list[float]]:
        return [
            scores(entry, self.objectives, entry["broken"]) for entry in result.get("designs", ())
        ]

    def _promising(self, short: dict[int, Result]) -> list[int]:
        """Trials of a batch that are worth all samples."""
        owners: list[int] = []
        for number, result in short.items():
            for values in self._scores(result):
                self._short.append(values)
                owners.append(number)
        if not owners:
            return []
        layers = layers_of(self._short)[-len(owners) :]
        best: dict[int, int] = {}
        for number, layer in zip(owners, layers, strict=True):
            best[number] = min(layer, best.get(number, layer))
        ranked = sorted(best, key=lambda number: (best[number], number))
        chosen = [*ranked[:PROMOTED], *(n for n in ranked[PROMOTED:] if best[n] == 0)]
        return sorted(chosen)

    def _tell(self, trial: optuna.Trial, result: Result, designs: list[Found]) -> None:
        """Tell what a trial came to: of its readouts those that no other is better than."""
        if not designs:
            tell(self.study, trial, [scores({}, self.objectives, result["broken"])])
            return
        points = [scores(d.figures, self.objectives, d.broken) for d in designs]
        tell(self.study, trial, [points[place] for place in front_of(points)])

    def _words(self) -> str:
        """The current front in a few words."""
        names = self.objectives
        fresh = [d for d in self.found if d.trial >= self.done - BATCH]
        some = [*self._best, *(d for d in fresh if d.fidelity == FULL.name and not d.broken)]
        if not some:
            return "no design within the limits yet"
        self._best = [some[k] for k in front_of([vector(d.figures, names) for d in some])]
        ends = []
        for name in names:
            sign = OBJECTIVES[name].sign
            value = sign * min(sign * found.figures[name] for found in self._best)
            ends.append(f"{name} {'from' if sign > 0 else 'to'} {value:.4g}")
        return f"{len(self._best)} on the front, {', '.join(ends)}"
