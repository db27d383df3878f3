"""Trials on labelled sequences: a reservoir, and what it answers where a fold is held out.

Lambda is chosen by readouts that are not rounded, as in training; the error is that of the integers
of every width: the part of the sequences that is answered wrongly by readouts that were taught by
the other folds. What the outputs lose by their own rounding is not in it.
"""

from dataclasses import asdict, dataclass, replace
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.objectives import Limits
from rchw.codesign.series import SeriesTrials
from rchw.codesign.space import Readout, Space
from rchw.codesign.trial import Fidelity, Trials
from rchw.design import Design
from rchw.errors import DesignError
from rchw.train import Hyperparameters, TrainOptions
from rchw.train.quantize import quantize
from rchw.train.ridge import Normal
from rchw.train.search import TrainingTask
from rchw.train.sequences import (
    FOLD_SEED,
    FOLDS,
    Candidate,
    LabelledTask,
    Pooling,
    candidate_of,
    design_of,
    finished,
    held_out,
    held_places,
    quantised,
)
from rchw.train.statistics import Statistics, exact_products

__all__ = ["RATE", "SequenceTrials", "trials_of"]

Indices = NDArray[np.int64]

RATE = "error-rate"
_SHORT_FOLDS = 2


@dataclass(frozen=True, kw_only=True)
class SequenceTrials(Trials):
    """Trials on labelled sequences, by the errors on folds of the training sequences.

    Parameters
    ----------
    task : LabelledTask
        Its test sequences are not read.
    pooling : Pooling
    """

    task: LabelledTask
    pooling: Pooling

    def design(
        self,
        options: TrainOptions,
        hyper: Hyperparameters,
        readout: Readout,
        like: Design | None = None,
    ) -> Design:
        """As of `Trials`."""
        return design_of(self.task, _with(options, readout), self.pooling, hyper, like)

    def trained(
        self,
        options: TrainOptions,
        hyper: Hyperparameters,
        designs: dict[Readout, Design],
        fidelity: Fidelity,
    ) -> dict[Readout, tuple[Design, float, float]]:
        """As of `Trials`; a short trial knows two of the folds only."""
        count = FOLDS if fidelity.every else _SHORT_FOLDS
        found: dict[Readout, tuple[Design, float, float]] = {}
        for squares in sorted({readout.squares for readout in designs}):
            own = [readout for readout in designs if readout.squares == squares]
            made = candidate_of(
                self.task, _with(options, own[0]), self.pooling, hyper, designs[own[0]]
            )
            best = held_out(made, self.task, self.task.folds(FOLDS, FOLD_SEED)[:count])[1]
            folds = self._folds(made, count)
            widths = sorted({readout.widths[0] for readout in own})
            errors = {width: _error(made, folds, best, width) for width in widths}
            for readout in own:
                design = quantised(made, best, _with(options, readout), self.task)
                found[readout] = design, best, errors[readout.widths[0]]
        return {readout: found[readout] for readout in designs}

    def _folds(self, candidate: Candidate, count: int) -> list[tuple[Normal, Indices]]:
        """Of every fold the normal equations of the others, and its places."""
        held = held_places(self.task, self.task.folds(FOLDS, FOLD_SEED)[:count])
        features, targets = candidate.features, candidate.targets
        parts = [Statistics.of(features[rows], targets[rows]) for rows in held]
        rest = (reduce(add, (part for j, part in enumerate(parts) if j != k)) for k in range(count))
        return [(Normal.of(s, constant=True), rows) for s, rows in zip(rest, held, strict=True)]

    def again(
        self, options: TrainOptions, hyper: Hyperparameters, regularisation: float, trials: int
    ) -> tuple[Design, float]:
        """As of `Trials`."""
        made = candidate_of(self.task, options, self.pooling, hyper)
        folds, width = self._folds(made, FOLDS), options.readout_bits
        assert isinstance(width, int)  # a space has one for all outputs
        error = _error(made, folds, regularisation, width)
        wrong = round(error * len(self.task.train))
        design = finished(
            made, self.task, options, self.pooling, hyper, regularisation, wrong, trials
        )
        return design, error

    @property
    def identity(self) -> dict[str, Any]:
        """As of `Trials`."""
        hashes = self.task.hashes()
        pooling = asdict(self.pooling)
        return {"name": self.task.name, "metric": RATE, "pooling": pooling, "split_sha256": hashes}

    def check(self) -> None:
        """As of `Trials`."""
        self.task.folds(FOLDS, FOLD_SEED)
        for name in ("readout_adders", "readout_nonzeros", "mixed_bits"):
            if getattr(self.space, name):
                words = name.replace("_", " ")
                raise DesignError(f"{words} must be left out for labelled sequences")


def _error(
    candidate: Candidate,
    folds: list[tuple[Normal, Indices]],
    regularisation: float,
    width: int,
) -> float:
    """Part of the held-out sequences that integer weights answer wrongly."""
    labels, wrong = candidate.targets.argmax(axis=1), 0
    for normal, rows in folds:
        found = quantize(normal, normal.solve(regularisation), width, shared=True).rows
        # Added up in whole numbers: equal outputs are equal on any machine.
        outputs = exact_products(
            candidate.features[rows].T, np.array([row.weights for row in found]).T
        )
        wrong += int(np.count_nonzero(outputs.argmax(axis=1) != labels[rows]))
    return wrong / sum(len(rows) for _, rows in folds)


def _with(options: TrainOptions, readout: Readout) -> TrainOptions:
    return replace(options, **readout._asdict())


def trials_of(
    task: TrainingTask | LabelledTask,
    space: Space,
    board: str,
    limits: Limits,
    joules: bool = False,
    pooling: Pooling | None = None,
) -> Trials:
    """What computes trials on a task.

    Raises
    ------
    DesignError
        If labelled sequences have no pooling, or a series has one.
    """
    if pooling is not None:
        labelled: Any = task
        if not hasattr(task, "sequences"):
            raise DesignError(f"pooling must be left out for the series {task.name}")
        return SequenceTrials(
            task=labelled, pooling=pooling, space=space, board=board, limits=limits, joules=joules
        )
    if hasattr(task, "sequences"):
        raise DesignError(f"pooling must be given for the labelled sequences of {task.name}")
    series: Any = task
    return SeriesTrials(task=series, space=space, board=board, limits=limits, joules=joules)
