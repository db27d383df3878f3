"""The reservoir in floating point at its own optimum: what the integers are measured against.

A ring is ``x_i(t) = f(sum_k w_k[i] x_(i - o_k)(t-1) + s_i (v u(t) + beta))`` with inputs mapped to
[-1, 1]; ``leaky`` has a matrix and real leak rates, ``euler`` a matrix and real steps, ``deep``
such layers in series. All have a readout of ``[x, 1]`` or ``[x, x**2, 1]`` by ridge regression in
float64. Choices read the validation samples, the readout the training samples, and only
`Ideal.error` the test samples.

A linear readout of smooth states lives on curvatures many orders below their size, so the ridge
must go down to lambda 1e-14 of a feature's variance. A Gram matrix loses those in its squared
condition; here the standardised features themselves are decomposed (QR, then the singular values of
the small factor), which gives all lambdas at once. Unlike `rchw.train.ridge` the digits depend on
the linear algebra library: this is a yardstick, not a design.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rchw.adapt import RULES, parse_parameters
from rchw.errors import DesignError
from rchw.model.feedback import FeedbackModel
from rchw.reservoir import Reservoir
from rchw.train.families import WINDOWS
from rchw.train.ideal_models import float_model
from rchw.train.ideal_options import IdealOptions, IdealPoint, TunedIdeal, ideal_axes
from rchw.train.linear import moments
from rchw.train.proposals import BUDGETS, UNORDERED, proposals
from rchw.train.ridge_path import ridge_path
from rchw.train.search import Progress, TrainingTask, training_rows

__all__ = [
    "Ideal",
    "IdealOptions",
    "IdealPoint",
    "TunedIdeal",
    "fit_ideal",
    "train_ideal",
    "tune_ideal",
]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Ideal:
    """A trained float reservoir.

    Attributes
    ----------
    options : IdealOptions
    tuned : TunedIdeal
    model : Reservoir
    offset, gain : float64 arrays (K,)
        Inputs enter as ``(u - offset) * gain``.
    mean, deviation : float64 arrays (F,)
        Of the features over the training samples.
    weights : float64 array (F, L)
        Of the standardised features.
    intercept : float64 array (L,)
    """

    options: IdealOptions
    tuned: TunedIdeal
    model: Reservoir
    offset: Values
    gain: Values
    mean: Values
    deviation: Values
    weights: Values
    intercept: Values

    def _outputs(self, states: Values) -> Values:
        z = (_features(states, self.options.squares) - self.mean) / self.deviation
        return z @ self.weights + self.intercept

    def predict(self, inputs: ArrayLike) -> Values:
        """Compute outputs (T, L) of a run on real inputs (T, K) from the zero state."""
        signal = np.asarray(inputs, dtype=np.float64)
        return self._outputs(self.model.run((signal - self.offset) * self.gain))

    def error(self, task: TrainingTask) -> float:
        """Error on the test samples, to be called once, after every choice is made."""
        stop = task.test.indices(len(task.inputs))[1]
        prediction = self.predict(task.inputs[:stop])[task.test]
        return float(task.error(prediction, task.targets[task.test]))

    def free_run(self, inputs: ArrayLike, steps: int) -> Values:
        """Run the closed loop: after `inputs` (T, K) each output is the next input.

        Returns
        -------
        float64 array (steps, L)
            The first row is the output after the last of `inputs`.

        Raises
        ------
        DesignError
            If outputs and inputs differ in number.
        """
        if self.weights.shape[1] != len(self.offset):
            raise DesignError(
                f"outputs must be as many as the {len(self.offset)} inputs for a closed loop, "
                f"not {self.weights.shape[1]}"
            )
        signal = np.asarray(inputs, dtype=np.float64)
        state = self.model.run((signal - self.offset) * self.gain)[-1]
        loop = FeedbackModel(self.model, self._fed, len(self.offset))
        start = np.concatenate([state, self._fed(state[None])[0]])
        states = loop.run(np.zeros((max(steps - 1, 0), 0)), start)
        return self._outputs(np.concatenate([state[None], states]))[:steps]

    def _fed(self, states: Values) -> Values:
        """Outputs as the model takes inputs."""
        return (self._outputs(states) - self.offset) * self.gain


def _features(states: Values, squares: bool) -> Values:
    return np.concatenate([states, states**2], axis=1) if squares else states


@dataclass(frozen=True)
class _Run:
    """One task driven through one reservoir, up to the end of the validation samples."""

    task: TrainingTask
    model: Reservoir
    offset: Values
    gain: Values
    features: Values

    @classmethod
    def of(cls, task: TrainingTask, options: IdealOptions, point: IdealPoint) -> "_Run":
        offset, gain = _encoder(task.inputs[task.train], options.encoder)
        model = float_model(options, point, task.inputs.shape[1])
        if options.adapt is not None:
            taught = (task.inputs[task.train] - offset) * gain
            parameters = parse_parameters(options.adapt, options.adapt_with)
            model, _ = RULES[options.adapt](model, taught, **parameters)
        stop = task.validation.indices(len(task.inputs))[1]
        states = model.run((task.inputs[:stop] - offset) * gain)
        return cls(task, model, offset, gain, _features(states, options.squares))

    @cached_property
    def moments(self) -> tuple[Values, Values, Values]:
        """Mean and deviation of every feature, mean of every target, over the training samples."""
        rows = training_rows(self.task)
        return *moments(self.features[rows]), self.task.targets[rows].mean(axis=0)

    def solve(self, lambdas: Sequence[float]) -> Values:
        """Weights (len(lambdas), F, L) from the training samples."""
        rows = training_rows(self.task)
        mean, deviation, centre = self.moments
        z = (self.features[rows] - mean) / deviation
        return ridge_path(z, self.task.targets[rows] - centre, lambdas)[0]

    def errors(self, weights: Values) -> list[float]:
        """Score each set of weights on the validation samples."""
        check = self.task.validation
        mean, deviation, centre = self.moments
        z = (self.features[check] - mean) / deviation
        target = self.task.targets[check]
        return [float(self.task.error(z @ w + centre, target)) for w in weights]


def _encoder(inputs: Values, kind: str) -> tuple[Values, Values]:
    low, high = inputs.min(axis=0), inputs.max(axis=0)
    if not np.all(high > low):
        raise DesignError(f"inputs must vary over the training samples, not all be {low.tolist()}")
    if kind == "min-max":
        return (low + high) / 2, 2 / (high - low)
    return inputs.mean(axis=0), 1 / (3 * inputs.std(axis=0))


def tune_ideal(
    tasks: Sequence[TrainingTask], options: IdealOptions, progress: Progress | None = None
) -> TunedIdeal:
    """Choose the point and lambda by the mean validation error over some tasks.

    Parameters
    ----------
    tasks : sequence of TrainingTask
    options : IdealOptions
    progress : callable, optional
        Called with (candidates done, candidates in all, best validation error so far).

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    budget, lambdas = BUDGETS[options.search], options.lambdas()
    grid = ideal_axes(options)
    default = asdict(IdealPoint())
    start = {key: default[key] if default[key] in grid[key] else grid[key][0] for key in grid}
    best: TunedIdeal | None = None

    def known() -> dict[str, Any]:
        return start if best is None else asdict(best.point)

    for done, values in enumerate(
        proposals(grid, start, budget, options.seed, known, UNORDERED[options.search]), start=1
    ):
        point = IdealPoint(**values)
        total = np.zeros(len(lambdas))
        for task in tasks:
            run = _Run.of(task, options, point)
            total += run.errors(run.solve(lambdas))
            if best is not None and not total.min() < best.error * len(tasks):
                break  # whatever the others give, the mean is no better
        else:
            index = int(np.argmin(total))
            best = TunedIdeal(point, lambdas[index], float(total[index]) / len(tasks), 0)
        if best is None:
            raise DesignError(f"validation error must be finite, not {total.min()}")
        best = replace(best, candidates=done)
        if progress is not None:
            progress(done, budget, best.error)
    if best is None:
        raise DesignError("candidates must be at least 1, not 0")
    return best


def fit_ideal(task: TrainingTask, options: IdealOptions, tuned: TunedIdeal) -> Ideal:
    """Train the readout of a tuned reservoir on a task's training samples."""
    run = _Run.of(task, options, tuned.point)
    mean, deviation, centre = run.moments
    weights = run.solve([tuned.regularisation])[0]
    return Ideal(options, tuned, run.model, run.offset, run.gain, mean, deviation, weights, centre)


def train_ideal(
    task: TrainingTask,
    *,
    reservoir: str = "cycle",
    n_units: int = 100,
    squares: bool = False,
    search: str = "quick",
    seed: int = 0,
    activation: str = "tanh",
    levels: bool | None = None,
    bias: bool | None = None,
    windows: int = WINDOWS,
    encoder: str = "min-max",
    scaling: str | None = None,
    density: float | None = None,
    leak_shifts: str | None = None,
    layers: int | None = None,
    layer_reservoir: str | None = None,
    adapt: str | None = None,
    adapt_with: str | None = None,
    least_regularisation: float = 1e-14,
    progress: Progress | None = None,
) -> Ideal:
    """Tune and train a float reservoir on one task; keywords are those of `IdealOptions`.

    Returns
    -------
    Ideal

    Raises
    ------
    DesignError
        If the data or an option cannot be trained on.
    """
    options = IdealOptions(
        reservoir=reservoir,
        n_units=n_units,
        squares=squares,
        activation=activation,
        levels=levels,
        bias=bias,
        windows=windows,
        encoder=encoder,
        scaling=scaling,
        density=density,
        leak_shifts=leak_shifts,
        layers=layers,
        layer_reservoir=layer_reservoir,
        adapt=adapt,
        adapt_with=adapt_with,
        least_regularisation=least_regularisation,
        search=search,
        seed=seed,
    )
    return fit_ideal(task, options, tune_ideal([task], options, progress))
