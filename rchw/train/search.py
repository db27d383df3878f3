"""Tune scalings, feedback, bias and regularisation at the given widths, and train the readout.

Every candidate is a whole integer design: its states come from the reference, its readout is
quantised, and its error is that of integer outputs on the validation samples. Test samples are not
touched. The final readout is trained on the training samples alone, so that the validation error in
the record belongs to the very integers that are shipped.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rchw.activation import Table
from rchw.design import Design
from rchw.errors import DesignError
from rchw.reference import run
from rchw.reference.compiled import run_states
from rchw.train.build import build_design
from rchw.train.options import Hyperparameters, TrainOptions
from rchw.train.readout import Fit, outputs_of, train_readout

__all__ = ["Progress", "TrainingTask", "clipped_fraction", "evaluate", "train"]

Progress = Callable[[int, int, float], None]

_CANDIDATES = {"none": 1, "quick": 30, "full": 200}
_SEARCH_LAMBDAS = (1e-9, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
_NEIGHBOURS = (0.5, 2.0)  # times the best lambda, tried at the end

_FEEDBACK = (0.25, 0.5, 0.5625, 0.625, 0.75, 0.875, 0.9375, 0.96875)
_SCALING = (0.015625, 0.03125, 0.0625, 0.125, 0.1875, 0.25, 0.375, 0.5, 0.75)
_BIAS = (0.0, 0.03125, 0.0625, 0.125, 0.1875, 0.25, 0.375, 0.5)


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
    def metric(self) -> str: ...
    def error(self, prediction: Any, target: Any) -> float: ...
    def hashes(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class _Candidate:
    hyper: Hyperparameters
    fit: Fit
    error: float


def axes(options: TrainOptions) -> dict[str, tuple[Any, ...]]:
    """Values of every hyperparameter that the options leave open, neighbours side by side."""
    if options.reservoir == "integer":
        top = (1 << ((options.state_bits or 24) - 1)) - 1
        kappas = (options.kappa,) if options.kappa else (1, 3, 7, 15, 31, 63)
        return {
            "kappa": tuple(k for k in kappas if k <= top),
            "amplitude": (1, 2, 3, 5, 7, 11, 15),
            "input_coding": ("bipolar", "level"),
        }
    least = 2.0 ** (3 - (options.state_bits or 8))
    found: dict[str, tuple[Any, ...]] = {
        "feedback": _FEEDBACK,
        "input_scaling": tuple(v for v in _SCALING if v >= min(least, 0.25)),
        "bias": (0.0,) if options.bias is False else _BIAS[options.bias is True :],
        "bias_signs": ("same", "independent"),
        "levels": (False, True) if options.levels is None else (options.levels,),
    }
    if options.reservoir == "delay-line-feedback":
        found["backward"] = (0.03125, 0.0625, 0.125, 0.25)
    if options.reservoir == "cycle-jumps":
        found["jump_weight"] = (0.0625, 0.125, 0.25, 0.375, 0.5)
        half = options.units // 2
        found["jump_length"] = tuple(sorted({min(max(v, 2), half) for v in (2, 3, 5, 8, 13, 21)}))
    return found


def _proposals(
    options: TrainOptions, budget: int, best: Callable[[], Hyperparameters]
) -> Iterator[Hyperparameters]:
    """Yield the defaults, then a third at random, then steps from the best; no point twice."""
    rng = np.random.default_rng(options.seed)
    grid = axes(options)
    start = {key: min(values, key=lambda v: _distance(v, key)) for key, values in grid.items()}
    seen: set[Hyperparameters] = set()
    refused = 0
    while len(seen) < budget and refused < 1000:
        point = dict(start)
        if seen and len(seen) <= budget // 3:
            point = {key: values[int(rng.integers(len(values)))] for key, values in grid.items()}
        elif seen:
            point = {key: getattr(best(), key) for key in grid}
            for key in rng.permutation(np.array(list(grid)))[: int(rng.integers(1, 3))]:
                values = grid[str(key)]
                index = values.index(point[str(key)]) + int(rng.choice([-2, -1, 1, 2]))
                point[str(key)] = values[min(max(index, 0), len(values) - 1)]
        if point.get("bias") == 0.0:
            point["bias_signs"] = "same"  # one meaning, one point
        hyper = Hyperparameters(**point)
        if hyper in seen:
            refused += 1
            continue
        seen.add(hyper)
        yield hyper


def _distance(value: Any, key: str) -> float:
    default = getattr(Hyperparameters(), key)
    if isinstance(default, str) or isinstance(default, bool):
        return float(value != default)
    return abs(float(value) - float(default))


def _rows(task: TrainingTask) -> slice:
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


def train(
    task: TrainingTask, options: TrainOptions, progress: Progress | None = None
) -> Design:
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
        `provenance` holds options, hyperparameters, lambda, errors and the hashes of the splits.

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    budget = _CANDIDATES[options.search]
    found: list[_Candidate] = []
    done = 0
    refused: DesignError | None = None
    for hyper in _proposals(options, budget, lambda: found[-1].hyper if found else hyper):
        try:
            candidate = _try(task, options, hyper, _SEARCH_LAMBDAS)
        except DesignError as error:
            if done == 0 and budget == 1:
                raise
            refused, candidate = refused or error, None
        done += 1
        if candidate is not None and (not found or candidate.error < found[-1].error):
            found.append(candidate)
        if progress is not None:
            progress(done, budget, found[-1].error if found else float("inf"))
    if not found:
        raise refused or DesignError("candidates must be at least 1, not 0")
    best = found[-1]
    lambdas = [best.fit.solution.regularisation * factor for factor in _NEIGHBOURS]
    finer = _try(task, options, best.hyper, lambdas)
    best = finer if finer.error < best.error else best
    return _recorded(task, options, best, done)


def _states(design: Design, task: TrainingTask, stop: int) -> tuple[Any, Any]:
    """States (stop, N) and input codes (stop, K) from the first sample of the series."""
    codes = design.encode(task.inputs[:stop])
    return run_states(design, codes).astype(np.int64), codes


def _try(
    task: TrainingTask, options: TrainOptions, hyper: Hyperparameters, lambdas: Any
) -> _Candidate:
    """Build, run, train and score one candidate; the best of its lambdas."""
    rows = _rows(task)
    design = build_design(options, hyper, task.inputs[task.train], task.targets[task.train])
    stop = task.validation.indices(len(task.inputs))[1]
    states, codes = _states(design, task, stop)
    fits = train_readout(design, states[rows], codes[rows], task.targets[rows], lambdas)
    check = task.validation
    scores = [
        task.error(outputs_of(fit.design, states[check], codes[check]), task.targets[check])
        for fit in fits
    ]
    index = int(np.argmin(scores))
    return _Candidate(hyper, fits[index], float(scores[index]))


def clipped_fraction(design: Design, states: NDArray[Any]) -> float:
    """Fraction of states at a rail of the activation."""
    activation = design.layer.activation
    if isinstance(activation, Table):
        low, high = min(activation.entries), max(activation.entries)
    else:
        low, high = activation.low, activation.high
    return int(np.count_nonzero((states <= low) | (states >= high))) / states.size


def _recorded(
    task: TrainingTask, options: TrainOptions, best: _Candidate, candidates: int
) -> Design:
    """The best design with its provenance."""
    rows, check, fit = _rows(task), task.validation, best.fit
    states, codes = _states(fit.design, task, check.indices(len(task.inputs))[1])
    held, inputs, target = states[check], codes[check], task.targets[check]
    outputs = build_design(
        options, best.hyper, task.inputs[task.train], task.targets[task.train]
    ).readout.outputs
    real = fit.real_outputs(held, inputs)
    columns = [o.offset + o.scale * real[:, k] for k, o in enumerate(outputs)]
    provenance: dict[str, Any] = {
        "task": task.name,
        "metric": task.metric,
        "split_sha256": task.hashes(),
        "options": asdict(options),
        "hyperparameters": asdict(best.hyper),
        "regularisation": fit.solution.regularisation,
        "candidates": candidates,
        "readout_trained_on": "train",
        "training_samples": rows.stop - rows.start,
        "quantisation": list(fit.method),
        "validation": {
            "quantised": best.error,
            "compensated": task.error(outputs_of(fit.compensated, held, inputs), target),
            "nearest": task.error(outputs_of(fit.nearest, held, inputs), target),
            "real_readout": task.error(np.stack(columns, axis=1), target),
        },
        "clipped": clipped_fraction(fit.design, states[rows]),
    }
    return replace(fit.design, provenance=provenance)


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
