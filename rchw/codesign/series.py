"""Trials on a series: a reservoir, run once, and all its readouts from one set of statistics."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.space import Readout
from rchw.codesign.trial import Fidelity, Trials
from rchw.design import Design
from rchw.reference.compiled import run_states
from rchw.reference.readout import ReadoutReference
from rchw.train import Hyperparameters, TrainOptions, Tuned, build_design, fit
from rchw.train.budget import ReadoutBudgets
from rchw.train.frontier import Frontier
from rchw.train.readout import aligned_features, encode_targets, fit_solution, outputs_of, with_rows
from rchw.train.ridge import Normal, Solution
from rchw.train.search import TrainingTask, training_rows
from rchw.train.statistics import Statistics

__all__ = ["SeriesTrials", "exact_outputs"]

Integers = NDArray[Any]

_EXACT = 1 << 53


@dataclass(frozen=True, kw_only=True)
class SeriesTrials(Trials):
    """Trials on a series, by the error on its validation samples.

    Parameters
    ----------
    task : TrainingTask
        Its test samples are not read.
    """

    task: TrainingTask

    def readouts(self) -> list[Readout]:
        """As of `Trials`."""
        return self.space.readouts(self.task.targets.shape[1])

    def design(
        self,
        options: TrainOptions,
        hyper: Hyperparameters,
        readout: Readout,
        like: Design | None = None,
    ) -> Design:
        """As of `Trials`."""
        task = self.task
        return build_design(
            replace(options, **readout._asdict()), hyper,
            task.inputs[task.train], task.targets[task.train],
            input_names=task.input_names, output_names=task.output_names, like=like,
        )  # fmt: skip

    def trained(
        self,
        options: TrainOptions,
        hyper: Hyperparameters,
        designs: dict[Readout, Design],
        fidelity: Fidelity,
    ) -> dict[Readout, tuple[Design, float, float]]:
        """As of `Trials`."""
        return _Family(self.task, list(designs.values()), fidelity).readouts(designs)

    def again(
        self, options: TrainOptions, hyper: Hyperparameters, regularisation: float, trials: int
    ) -> tuple[Design, float]:
        """As of `Trials`."""
        made = fit(self.task, options, Tuned(hyper, regularisation, 0.0, trials), compare=False)
        return made, float(made.provenance["validation"]["quantised"])

    @property
    def identity(self) -> dict[str, Any]:
        """As of `Trials`."""
        task = self.task
        named = {"name": task.name, "metric": task.metric, "washout": task.washout}
        return named | {"split_sha256": task.hashes()}

    def check(self) -> None:
        """As of `Trials`."""
        training_rows(self.task)
        self.readouts()


class _Family:
    """A reservoir that was run, and the statistics of all its features.

    Features of designs without squares are some of those with them: so one set of statistics is
    enough for all readouts.
    """

    def __init__(self, task: TrainingTask, designs: Sequence[Design], fidelity: Fidelity) -> None:
        self.task, self.fidelity = task, fidelity
        self.whole = max(designs, key=lambda design: design.n_features)
        rows, check = training_rows(task), task.validation
        start, end, _ = check.indices(len(task.inputs))
        least = fidelity.least * self.whole.n_features
        count = rows.stop - rows.start
        kept = min(count, max(int(fidelity.part * count), least))
        rows = slice(rows.start, rows.start + kept)
        stop = start + max(2, int(fidelity.part * (end - start)))
        if not np.ptp(task.targets[start:stop], axis=0).all():
            stop = end  # a target at rest has no variance to compare errors with
        # A short series does not run through all training samples to come to the others.
        begin = 0 if kept == count else start - task.washout
        codes = self.whole.encode(task.inputs[:stop])
        states = run_states(self.whole, codes[begin:]).astype(np.int64)
        taught = (
            states if begin == 0 else run_states(self.whole, codes[: rows.stop]).astype(np.int64)
        )
        features, self.finest = aligned_features(self.whole, taught[rows], codes[rows])
        targets = encode_targets(self.whole.readout.outputs, task.targets[rows])
        self.statistics = Statistics.of(features, targets)
        self.states, self.codes = states[start - begin :], codes[start:]
        self.held, _ = aligned_features(self.whole, self.states, self.codes)
        self.target = task.targets[start:stop]

    def readouts(
        self, designs: dict[Readout, Design]
    ) -> dict[Readout, tuple[Design, float, float]]:
        """Train all readouts: of each the design, lambda, and error on the validation samples.

        The widest weights are solved for all lambdas, the others for the best of the wider ones and
        its neighbours; of outputs the widest decide. What is within a budget has the lambda of the
        readout without it, for one list of candidates serves all budgets.
        """
        found: dict[Readout, tuple[Design, float, float]] = {}
        for squares in sorted({readout.squares for readout in designs}):
            own = {
                readout: design for readout, design in designs.items() if readout.squares == squares
            }
            part = _Part.of(self, next(iter(own.values())))
            near = solutions = part.normal.solve_all(self.fidelity.regularisations)
            for widths in sorted({readout.widths for readout in own}, key=_order):
                same = {readout: own[readout] for readout in own if readout.widths == widths}
                widest = max(same, key=lambda readout: readout.output_bits)
                plain = widest._replace(readout_adders=None, readout_nonzeros=None)
                errors = [part.trained(plain, same[widest], solution)[1] for solution in near]
                place = solutions.index(near[errors.index(min(errors))])
                for readout, design in same.items():
                    trained, error = part.trained(readout, design, solutions[place])
                    found[readout] = trained, solutions[place].regularisation, error
                if len(widths) == 1:
                    near = solutions[max(place - 1, 0) : place + 2]
        return {readout: found[readout] for readout in designs}


def _order(widths: tuple[int, ...]) -> tuple[int, ...]:
    """One width for all outputs before several, wider ones first."""
    return (len(widths), *(-width for width in widths))


@dataclass(frozen=True)
class _Part:
    """Features that some readouts of a family see: their normal equations and held samples."""

    family: _Family
    normal: Normal
    finest: int
    held: NDArray[np.float64]
    largest: float
    frontiers: dict[tuple[Any, ...], tuple[Frontier, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, family: _Family, design: Design) -> "_Part":
        """The features of a design, out of those of its family."""
        kinds = {block.kind for block in design.blocks}
        blocks = [block for block in family.whole.blocks if block.kind in kinds]
        columns = np.concatenate(
            [np.arange(block.start, block.start + block.count) for block in blocks]
        )
        finest = max(block.format.frac for block in design.blocks)
        shift = family.finest - finest
        normal = Normal.of(family.statistics.part(columns, shift), design.features.one is not None)
        held = (family.held[:, columns] >> shift).astype(np.float64)
        return cls(family, normal, finest, held, float(np.abs(held).max(initial=0)))

    def trained(self, readout: Readout, design: Design, solution: Solution) -> tuple[Design, float]:
        """Train one readout with one lambda; and its error on the held samples."""
        budgets = ReadoutBudgets(
            readout.readout_bits, readout.readout_adders, readout.readout_nonzeros
        )
        if budgets.bounded:
            made = self._within(budgets, design, solution)
        else:
            made = fit_solution(design, self.normal, solution, self.finest, budgets).design
        family = self.family
        codes = exact_outputs(made, self.held, self.finest, self.largest)
        if codes is None:
            outputs = outputs_of(made, family.states, family.codes)
        else:
            outputs = made.decode(codes)
        return made, float(family.task.error(outputs, family.target))

    def _within(self, budgets: ReadoutBudgets, design: Design, solution: Solution) -> Design:
        """The readout of a budget, out of the candidates for all budgets of its kind."""
        key = budgets.bits, budgets.adders is None, solution.regularisation
        if key not in self.frontiers:
            self.frontiers[key] = budgets.frontiers(self.normal, solution)
        rows = budgets.pick(self.frontiers[key])
        return with_rows(design, rows, self.finest, budgets.width)


def exact_outputs(
    design: Design, features: NDArray[np.float64], finest: int, largest: float
) -> NDArray[np.int64] | None:
    """Output codes (T, L) of aligned features (T, F), or None where doubles would not be exact.

    `largest` is the largest magnitude of a feature.

    The products run through the floating-point matrix multiplication: every partial sum, in
    whatever order, is an integer below 2**53.
    """
    weights = np.array(design.readout.by_segment[0], dtype=np.float64)
    if largest * float(np.abs(weights).sum(axis=1).max()) >= _EXACT:
        return None
    totals = (features @ weights.T).astype(np.int64)
    frac = design.readout.weight_format.frac + finest
    return ReadoutReference(design).rounded(frac, totals).astype(np.int64)
