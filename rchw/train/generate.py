"""Generators: designs that feed their outputs back, taught with the series in place of theirs.

Under a teacher every sample is fed the target of the one before, so that states do not depend on
the readout, which is then solved as any other. Left alone the outputs take the targets' place. How
long they stay with the series decides on scalings, noise and lambda, in free runs of the integers
on validation samples. The noise, on what the teacher says and not on the targets, makes the readout
come back from its own errors (H. Jaeger, GMD Report 148 (2001), section 4.2).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.design import Design, Feedback, LinearInput
from rchw.errors import DesignError
from rchw.metrics import valid_prediction_time
from rchw.reference import run
from rchw.train.axes import axes
from rchw.train.budget import ReadoutBudgets, readout_facts
from rchw.train.build import build_design
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.proposals import BUDGETS, UNORDERED, proposals
from rchw.train.readout import Fit, train_readout
from rchw.train.search import Progress, TrainingTask, training_rows

__all__ = [
    "STARTS",
    "FreeRuns",
    "begun",
    "evaluate_generator",
    "free_runs",
    "generator_design",
    "lessons",
    "teach",
    "train_generator",
]

STARTS = 5  # free runs of a split
_LAMBDAS = tuple(10.0**k for k in range(-12, -1))
_NOISE = (0.0, 2.0**-12, 2.0**-10, 2.0**-8, 2.0**-6)
Values = NDArray[np.float64]


def generator_design(
    options: TrainOptions,
    hyper: Hyperparameters,
    targets: Values,
    output_names: Sequence[str] = (),
) -> Design:
    """Design without channels whose outputs all return, with a readout of zeros.

    The input weights of `rchw.train.build_design` become those of the feedback.

    Parameters
    ----------
    options : TrainOptions
    hyper : Hyperparameters
        ``input_scaling`` is that of the feedback.
    targets : float64 array (T, L)
        Training samples.
    output_names : sequence of str

    Raises
    ------
    DesignError
        If an option is out of range or means nothing to a generator, or a target is constant.
    """
    _refuse_without_effect(options)
    driven = build_design(options, hyper, targets, targets, output_names=output_names)
    entries = []
    for table, output in zip(driven.driven.inputs, driven.readout.outputs, strict=True):
        assert isinstance(table, LinearInput)
        entries.append(
            Feedback(table.format, table.weights, output.name, driven.layer.name, 0, True)
        )
    # Before the channels go: a design needs something that drives it.
    looped = replace(driven, feedback=tuple(entries))
    return replace(looped, inputs=(), layers=(replace(looped.driven, inputs=()),))


def _refuse_without_effect(options: TrainOptions) -> None:
    idle = {
        "input bits": options.input_bits is None,
        "input features": not options.input_features,
        "bounded": options.bounded is None,
        "adapt stop": options.adapt_stop is None,
        "encoder": options.encoder == "min-max",
    }
    for what, unset in idle.items():
        if not unset:
            raise DesignError(f"{what} must be left out for feedback, which has no inputs")
    if options.reservoir == "deep":
        raise DesignError(
            "reservoir must be other than deep for feedback, which layers in series are not built "
            "with yet"
        )
    if options.reservoir == "integer":
        raise DesignError("reservoir must be other than integer for feedback of whole outputs")


def lessons(
    design: Design, targets: Values, noise: float = 0.0, seed: int = 0
) -> NDArray[np.int64]:
    """Beats (T, n_lanes) in which every teacher always speaks, of a design without channels.

    Parameters
    ----------
    design : Design
    targets : float64 array (T, L)
        Of all outputs.
    noise : float
        Standard deviation of what is added, in full scales of each output.
    seed : int

    Raises
    ------
    DesignError
        If the design has channels, or feeds an output back without a teacher.
    """
    if design.inputs or not all(entry.teacher for entry in design.feedback):
        raise DesignError(f"{design.name} must have a teacher for all it is fed, and no channels")
    scales = np.array([output.scale for output in design.readout.outputs])
    added = np.random.default_rng(seed).standard_normal(targets.shape) * noise * scales
    columns = (targets + added)[:, list(design.fed_from)]
    every = np.full((len(targets), 1), float(design.beat[-1].format.max))
    return design.encode(np.concatenate([columns, every], axis=1))


def teach(
    design: Design,
    targets: Values,
    rows: slice,
    regularisations: Sequence[float] = _LAMBDAS,
    noise: float = 0.0,
    seed: int = 0,
    budgets: ReadoutBudgets | None = None,
) -> list[Fit]:
    """Integer readouts of a generator, of any ring or matrix, for a list of lambdas.

    Parameters
    ----------
    design : Design
        With a teacher for all that it is fed, and no channels.
    targets : float64 array (T, L)
        The series from its first sample; those behind `rows` are not read.
    rows : slice
        Training samples, washout left out.
    regularisations, noise, seed, budgets
        As for `rchw.train.train_readout` and `lessons`.

    Raises
    ------
    DesignError
        If the design cannot be taught, no feature varies, or every lambda is too small.
    """
    series = targets[: rows.stop]
    states = run(design, lessons(design, series, noise, seed)).states[rows]
    none = np.zeros((len(states), 0), dtype=np.int64)
    return train_readout(design, states, none, series[rows], regularisations, budgets)


@dataclass(frozen=True)
class FreeRuns:
    """Free runs of one split.

    Attributes
    ----------
    starts : tuple of int
        First sample that is predicted, of each run.
    times : tuple of int
        Samples until the error first exceeds 0.4 standard deviations of the truth.
    errors : tuple of float
        Mean squared error over the variance of the truth, of the whole run.
    predictions : tuple of float64 array (steps, L)
    """

    starts: tuple[int, ...]
    times: tuple[int, ...]
    errors: tuple[float, ...]
    predictions: tuple[Values, ...]

    @property
    def rank(self) -> tuple[float, float]:
        """The less the better: longest mean time first, then least mean error."""
        return -float(np.mean(self.times)), float(np.mean(self.errors))


def free_runs(
    design: Design, targets: Values, split: slice, steps: int, states: NDArray[np.int64]
) -> FreeRuns:
    """Leave a design alone from `STARTS` samples of a split.

    Parameters
    ----------
    design : Design
    targets : float64 array (T, L)
    split : slice
    steps : int
    states : int64 array (T, N)
        Under the teacher, without noise.
    """
    beats = lessons(design, targets)
    teachers = beats[:, : len(design.feedback)]
    free = np.zeros((steps, design.n_lanes), dtype=np.int64)
    starts = np.linspace(split.start, split.stop - steps, STARTS).astype(int).tolist()
    times, errors, predictions = [], [], []
    for start in starts:
        state = np.concatenate([states[start - 1], teachers[start - 1]])
        found = design.decode(run(design, free, state=state).outputs)
        truth = targets[start : start + steps]
        times.append(valid_prediction_time(found, truth))
        errors.append(float(np.mean((found - truth) ** 2) / np.mean(truth.var(axis=0))))
        predictions.append(found)
    return FreeRuns(tuple(starts), tuple(times), tuple(errors), tuple(predictions))


def _check_splits(task: TrainingTask, steps: int) -> None:
    if steps < 2:
        raise DesignError(f"steps must be at least 2, not {steps}")
    for what, rows in (("validation", task.validation), ("test", task.test)):
        if rows.stop - rows.start < steps:
            raise DesignError(
                f"steps must be at most the {rows.stop - rows.start} {what} samples, not {steps}"
            )


def train_generator(
    task: TrainingTask, options: TrainOptions, steps: int, progress: Progress | None = None
) -> Design:
    """Tune and train a generator of a task's targets, whose inputs are not read.

    A reset of the design puts it where the training samples end: its free run from there goes on
    with the first validation sample.

    Parameters
    ----------
    task : TrainingTask
    options : TrainOptions
        Its squares and leak, its widths and so on; what is for inputs must be left out.
    steps : int
        Of a free run, at most the samples of a split.
    progress : callable, optional
        Called with (candidates done, candidates in all, share of the steps in which the best so far
        is beyond the series).

    Returns
    -------
    Design
        `provenance` holds what was chosen, and the free runs on validation samples.

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    _check_splits(task, steps)
    rows, check = training_rows(task), task.validation
    grid = {**axes(options), "noise": _NOISE}
    start = {key: _default(values, key) for key, values in grid.items()}
    best: tuple[tuple[float, float], dict[str, Any], Fit, FreeRuns] | None = None
    refused: DesignError | None = None
    budget, done, point = BUDGETS[options.search], 0, start

    def known() -> dict[str, Any]:
        return point if best is None else best[1]

    for point in proposals(grid, start, budget, options.seed, known, UNORDERED[options.search]):
        try:
            for fit, runs in _tried(task, options, point, steps):
                if best is None or runs.rank < best[0]:
                    best = (runs.rank, point, fit, runs)
        except DesignError as reason:
            refused = refused or reason
        done += 1
        if progress is not None and best is not None:
            progress(done, budget, 1 + best[0][0] / steps)
    if best is None:
        raise refused or DesignError("candidates must be at least 1, not 0")
    _, chosen, fit, runs = best
    hyper = {key: value for key, value in chosen.items() if key != "noise"}
    provenance: dict[str, Any] = {
        "task": task.name,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "hyperparameters": asdict(Hyperparameters(**hyper)),
        "noise": chosen["noise"],
        "regularisation": fit.solution.regularisation,
        "candidates": done,
        "readout_trained_on": "train",
        "readout": readout_facts(fit.design),
        "training_samples": rows.stop - rows.start,
        "steps": steps,
        "validation": _facts(runs),
    }
    design = begun(fit.design, task.targets[: check.start])
    return replace(design, provenance=provenance | design.provenance)


def _default(values: Sequence[Any], key: str) -> Any:
    """The value next to the default; of the noise the middle one."""
    if key == "noise":
        return values[len(values) // 2]
    wanted = getattr(Hyperparameters(), key)
    if isinstance(wanted, str | bool):
        return wanted if wanted in values else values[0]
    return min(values, key=lambda value: abs(float(value) - float(wanted)))


def _tried(
    task: TrainingTask, options: TrainOptions, point: dict[str, Any], steps: int
) -> list[tuple[Fit, FreeRuns]]:
    """One candidate: a fit for every lambda that can be solved, and its free runs."""
    rows, check = training_rows(task), task.validation
    hyper = Hyperparameters(**{key: value for key, value in point.items() if key != "noise"})
    design = generator_design(options, hyper, task.targets[task.train], task.output_names)
    seen = task.targets[: check.stop]
    fits = teach(
        design, seen, rows, noise=point["noise"], seed=options.seed, budgets=options.budgets
    )
    states = run(design, lessons(design, seen)).states
    return [(fit, free_runs(fit.design, seen, check, steps, states)) for fit in fits]


def begun(design: Design, targets: Values) -> Design:
    """The same design whose reset puts it behind these targets (T, L), as its teacher would."""
    n_units = design.n_units
    final = run(design, lessons(design, targets)).final_state.tolist()
    entries = tuple(
        replace(entry, initial=code)
        for entry, code in zip(design.feedback, final[n_units:], strict=True)
    )
    layer = replace(design.driven, initial_state=tuple(final[:n_units]))
    return replace(design, layers=(layer,), feedback=entries)


def _facts(runs: FreeRuns) -> dict[str, Any]:
    """What a record tells of free runs."""
    return {
        "starts": list(runs.starts),
        "times": list(runs.times),
        "errors": list(runs.errors),
        "mean_time": float(np.mean(runs.times)),
        "mean_error": float(np.mean(runs.errors)),
    }


def evaluate_generator(
    design: Design, task: TrainingTask, steps: int
) -> tuple[dict[str, Any], FreeRuns]:
    """Free runs on the test samples, to be called once, after every choice is made."""
    states = run(design, lessons(design, task.targets)).states
    runs = free_runs(design, task.targets, task.test, steps, states)
    return _facts(runs), runs
