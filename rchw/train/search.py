"""Tune scalings, feedback, bias and regularisation at the given widths, and train the readout.

Every candidate is a whole integer design: its states come from the reference, its readout is
quantised, and its error is that of integer outputs on the validation samples. Test samples are not
touched. The final readout is trained on the training samples alone, so that the validation error in
the record belongs to the very integers that are shipped.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design
from rchw.errors import DesignError
from rchw.metrics import saturation_fraction
from rchw.reference import run
from rchw.reference.compiled import run_states
from rchw.train.axes import axes
from rchw.train.budget import readout_facts
from rchw.train.build import build_design
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.proposals import BUDGETS, UNORDERED, proposals
from rchw.train.readout import Fit, outputs_of, train_readout
from rchw.train.ridge import LAMBDAS
from rchw.train.tradeoff import around, point_facts, tradeoff

__all__ = [
    "Progress",
    "TrainingTask",
    "Tuned",
    "check_possible",
    "clipped_fraction",
    "evaluate",
    "fit",
    "start_of",
    "train",
    "training_rows",
    "tune",
]

Progress = Callable[[int, int, float], None]

_SEARCH_LAMBDAS = (1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
_NEIGHBOURS = (0.25, 0.5, 2.0, 4.0)  # times the best lambda, tried at the end


class TrainingTask(Protocol):
    """What `train` needs of a `rchw.tasks.Task`: one series (time on axis 0) and its splits."""

    @property
    def name(self) -> str: ...
    @property
    def inputs(self) -> NDArray[np.float64]: ...
    @property
    def targets(self) -> NDArray[np.float64]: ...
    @property
    def washout(self) -> int: ...
    @property
    def train(self) -> slice: ...
    @property
    def validation(self) -> slice: ...
    @property
    def test(self) -> slice: ...
    @property
    def horizon(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def input_names(self) -> tuple[str, ...]: ...
    @property
    def output_names(self) -> tuple[str, ...]: ...
    def error(self, prediction: Any, target: Any) -> float: ...
    def hashes(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Tuned:
    """What a search has chosen.

    Attributes
    ----------
    hyper : Hyperparameters
    regularisation : float
        lambda of the readout.
    error : float
        Error of the integer outputs on the validation samples, mean over the tasks.
    candidates : int
        Points tried.
    """

    hyper: Hyperparameters
    regularisation: float
    error: float
    candidates: int


def _distance(value: Any, key: str) -> float:
    default = getattr(Hyperparameters(), key)
    if isinstance(default, str) or isinstance(default, bool):
        return float(value != default)
    return abs(float(value) - float(default))


def training_rows(task: TrainingTask) -> slice:
    """Training samples after the washout.

    Raises
    ------
    DesignError
        If fewer than two are left.
    """
    start, stop, _ = task.train.indices(len(task.inputs))
    rows = slice(max(start, task.washout), stop)
    if rows.stop - rows.start < 2:
        raise DesignError(
            f"training samples must outnumber the washout of {task.washout} by 2, not be "
            f"{stop - start}"
        )
    return rows


def start_of(grid: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """The point of a grid that is nearest to the defaults."""
    return {key: min(values, key=lambda v: _distance(v, key)) for key, values in grid.items()}


def check_possible(task: TrainingTask, options: TrainOptions) -> None:
    """Refuse what no candidate can meet, before anything runs.

    Raises
    ------
    DesignError
        If neither the first candidate nor any that differs from it in one choice can be built.
    """
    training_rows(task)
    grid = axes(options)
    start = start_of(grid)
    refused: DesignError | None = None
    for key, values in {"": (None,), **(grid if options.search != "none" else {})}.items():
        for value in values:
            point = {**start, key: value} if key else start
            try:
                _design(task, options, Hyperparameters(**point))
            except DesignError as reason:
                refused = refused or reason
            else:
                return
    assert refused is not None
    raise refused


def tune(
    tasks: Sequence[TrainingTask], options: TrainOptions, progress: Progress | None = None
) -> Tuned:
    """Choose hyperparameters and lambda by the mean validation error over some tasks.

    Parameters
    ----------
    tasks : sequence of TrainingTask
        Usually one; several streams of one kind make a choice that does not hang on one of them.
    options : TrainOptions
    progress : callable, optional
        Called with (candidates done, candidates in all, best validation error so far), from the
        first candidate on that could be built and trained.

    Returns
    -------
    Tuned

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    budget = BUDGETS[options.search]
    grid = axes(options)
    start = start_of(grid)
    best: Tuned | None = None
    point, done = start, 0
    refused: DesignError | None = None

    def known() -> dict[str, Any]:
        return point if best is None else asdict(best.hyper)

    for point in proposals(grid, start, budget, options.seed, known, UNORDERED[options.search]):
        hyper = Hyperparameters(**point)
        bar = float("inf") if best is None else best.error
        try:
            found, error = _score(tasks, options, hyper, _SEARCH_LAMBDAS, bar)
            if error < bar:
                best = Tuned(hyper, found, error, 0)
        except DesignError as reason:
            refused = refused or reason
        done += 1
        if progress is not None and best is not None:
            progress(done, budget, best.error)
    if best is None:
        raise refused or DesignError("candidates must be at least 1, not 0")
    lambdas = [best.regularisation * factor for factor in _NEIGHBOURS]
    found, error = _score(tasks, options, best.hyper, lambdas, best.error)
    if error < best.error:
        best = replace(best, regularisation=found, error=error)
    return replace(best, candidates=done)


def _states(design: Design, task: TrainingTask, stop: int) -> tuple[Any, Any]:
    """States (stop, N) and input codes (stop, K) from the first sample of the series."""
    codes = design.encode(task.inputs[:stop])
    return run_states(design, codes).astype(np.int64), codes


def _design(task: TrainingTask, options: TrainOptions, hyper: Hyperparameters) -> Design:
    """Build one candidate for a task's training samples."""
    return build_design(
        options, hyper, task.inputs[task.train], task.targets[task.train],
        input_names=task.input_names, output_names=task.output_names,
    )  # fmt: skip


def _fits(
    task: TrainingTask, options: TrainOptions, hyper: Hyperparameters, lambdas: Sequence[float]
) -> tuple[list[Fit], list[float]]:
    """Build, run and train one candidate; a fit per solvable lambda with its validation error."""
    rows, check = training_rows(task), task.validation
    design = _design(task, options, hyper)
    states, codes = _states(design, task, check.indices(len(task.inputs))[1])
    targets = task.targets[rows]
    fits = train_readout(design, states[rows], codes[rows], targets, lambdas, options.budgets)
    held, inputs, target = states[check], codes[check], task.targets[check]
    return fits, [float(task.error(outputs_of(f.design, held, inputs), target)) for f in fits]


def _score(
    tasks: Sequence[TrainingTask],
    options: TrainOptions,
    hyper: Hyperparameters,
    lambdas: Sequence[float],
    bar: float,
) -> tuple[float, float]:
    """Best lambda of one candidate, and its mean validation error: infinity if not below `bar`.

    The first task is solved for all lambdas, the others for the best and its neighbours only, and
    none after which the mean could no longer be below `bar`.
    """
    means: dict[float, float] = dict.fromkeys(lambdas, 0.0)
    for task in tasks:
        fits, errors = _fits(task, options, hyper, list(means))
        solved = zip((f.solution.regularisation for f in fits), errors, strict=True)
        means = {value: means[value] + error / len(tasks) for value, error in solved}
        ranked = list(means)
        best = min(ranked, key=lambda value: means[value])
        if not means[best] < bar:
            return best, float("inf")
        place = ranked.index(best)
        means = {value: means[value] for value in ranked[max(place - 1, 0) : place + 2]}
    return best, means[best]


def fit(task: TrainingTask, options: TrainOptions, tuned: Tuned, *, compare: bool = True) -> Design:
    """Train the readout of a tuned design on a task's training samples.

    Validation samples are only scored, for the record.

    Parameters
    ----------
    task : TrainingTask
    options : TrainOptions
    tuned : Tuned
    compare : bool
        Whether the record tells what other budgets of the readout would cost, if it has any.

    Returns
    -------
    Design
        `provenance` holds options, hyperparameters, lambda, errors and the hashes of the splits.

    Raises
    ------
    DesignError
        If the data cannot be trained on, or lambda is too small for them.
    """
    fits, errors = _fits(task, options, tuned.hyper, [tuned.regularisation])
    return _recorded(task, options, tuned, fits[0], errors[0], compare)


def train(task: TrainingTask, options: TrainOptions, progress: Progress | None = None) -> Design:
    """Tune and train a design on a task's training and validation samples.

    Parameters
    ----------
    task : TrainingTask
    options : TrainOptions
    progress : callable, optional
        Called with (candidates done, candidates in all, best validation error so far).

    Returns
    -------
    Design
        As of `fit`.

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    return fit(task, options, tune([task], options, progress))


def clipped_fraction(design: Design, states: NDArray[Any]) -> float:
    """Fraction of states at a rail: of the activation, or of the format where they take steps."""
    ends = [
        stage.layer.activation.ends
        if stage.layer.step is None
        else (stage.layer.state.min, stage.layer.state.max)
        for stage in design.stages
    ]
    low, high = np.repeat(ends, [stage.n_units for stage in design.stages], axis=0).T
    return saturation_fraction(states, low, high)


def _recorded(
    task: TrainingTask,
    options: TrainOptions,
    tuned: Tuned,
    found: Fit,
    error: float,
    compare: bool,
) -> Design:
    """Attach the provenance to the design of a fit."""
    rows, check = training_rows(task), task.validation
    states, codes = _states(found.design, task, check.indices(len(task.inputs))[1])
    held, inputs, target = states[check], codes[check], task.targets[check]
    outputs = _design(task, options, tuned.hyper).readout.outputs
    real = found.real_outputs(held, inputs)
    columns = [o.offset + o.scale * real[:, k] for k, o in enumerate(outputs)]
    readout = readout_facts(found.design)
    if options.budgets.bounded and compare:

        def score(design: Design) -> float:
            return float(task.error(outputs_of(design, held, inputs), target))

        bare = _design(task, options, tuned.hyper)
        asked = around(options.budgets)
        # With the lambda that was chosen, which a finer grid gave: else this design is not a row.
        lambdas = sorted({*LAMBDAS, found.solution.regularisation})
        points = tradeoff(
            bare, states[rows], codes[rows], task.targets[rows], asked, score, lambdas
        )
        readout["tradeoff"] = [point_facts(point) for point in points]
    provenance: dict[str, Any] = {
        "task": task.name,
        "metric": task.metric,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "hyperparameters": asdict(tuned.hyper),
        "regularisation": found.solution.regularisation,
        "candidates": tuned.candidates,
        "readout_trained_on": "train",
        "training_samples": rows.stop - rows.start,
        "quantisation": list(found.method),
        "readout": readout,
        "validation": {
            "quantised": error,
            "compensated": task.error(outputs_of(found.compensated, held, inputs), target),
            "nearest": task.error(outputs_of(found.nearest, held, inputs), target),
            "real_readout": task.error(np.stack(columns, axis=1), target),
        },
        "clipped": clipped_fraction(found.design, states[rows]),
    }
    return replace(found.design, provenance=provenance | found.design.provenance)


def evaluate(design: Design, task: TrainingTask) -> dict[str, Any]:
    """Error of a design on the test samples, to be called once, after every choice is made.

    Returns
    -------
    dict
        ``metric``, ``error``, ``samples``, ``clipped`` and ``prediction`` (test samples, L).
    """
    stop = task.test.indices(len(task.inputs))[1]
    trace = run(design, design.encode(task.inputs[:stop]))
    prediction = design.decode(trace.outputs[task.test])
    return {
        "metric": task.metric,
        "error": float(task.error(prediction, task.targets[task.test])),
        "samples": len(prediction),
        "clipped": clipped_fraction(design, trace.states[task.test]),
        "prediction": prediction,
    }
