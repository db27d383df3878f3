"""The float ideal: ridge against least squares, laws of linear systems, and what choices read."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from rchw.errors import DesignError
from rchw.metrics import valid_prediction_time
from rchw.model import EulerModel, MatrixModel
from rchw.model.euler import euler_matrix
from rchw.tasks import Task, load_task
from rchw.train import ideal as ideal_module
from rchw.train.drawn import drawn_connections, spread_rates
from rchw.train.ideal import (
    Ideal,
    IdealOptions,
    IdealPoint,
    TunedIdeal,
    fit_ideal,
    train_ideal,
    tune_ideal,
)
from rchw.train.ideal_models import float_model
from rchw.train.ideal_options import ideal_axes

Values = NDArray[np.float64]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """More would wait for each other in matrices this small."""
    with threadpool_limits(1):
        yield


def task_of(inputs: Values, targets: Values, washout: int = 60) -> Task:
    """Split 400, 150, 150."""
    return Task(
        name="law",
        inputs=inputs,
        targets=targets,
        washout=washout,
        train=slice(0, 400),
        validation=slice(400, 550),
        test=slice(550, 700),
        metric="nmse",
        source="a law",
    )


def drive(seed: int = 0) -> Values:
    return np.random.default_rng(seed).uniform(-1, 1, 700)


def filtered(u: Values, taps: list[float]) -> Values:
    return np.convolve(u, taps)[: len(u)]


@pytest.mark.parametrize("n_units", [8, 12, 16, 24])
def test_a_linear_ring_recovers_a_filter_but_for_what_went_round_once(n_units: int) -> None:
    """Delays k and k + N meet in the same states with weights r^k and r^(k+N): NMSE r^(2N)."""
    u, taps = drive(), [0.0, 0.5, -0.3, 0.0, 0.2, 0.1]
    task = task_of(u, np.stack([filtered(u, taps), 3 + filtered(u, [0, 0, 0, 1.0])], axis=1))
    found = train_ideal(task, n_units=n_units, activation="linear", search="none")
    law = found.tuned.point.feedback ** (2 * n_units)
    assert law / 1.25 < found.error(task) < law * 1.25


def test_a_linear_ring_too_short_for_a_filter_does_not_recover_it() -> None:
    u = drive()
    task = task_of(u, filtered(u, [0.0, 0.5, -0.3, 0.0, 0.2, 0.1]))
    assert train_ideal(task, n_units=3, activation="linear", search="none").error(task) > 0.1


def test_squares_recover_a_product_of_inputs_and_states_alone_do_not() -> None:
    u = drive(3)
    task = task_of(u, filtered(u, [0, 1.0]) * filtered(u, [0, 0, 1.0]))
    point = IdealPoint(feedback=0.6, input_scaling=0.3, bias=0.0)
    tuned = TunedIdeal(point, 1e-14, math.nan, 0)
    errors = [
        fit_ideal(task, IdealOptions(n_units=40, squares=s, activation="linear"), tuned).error(task)
        for s in (True, False)
    ]
    assert errors[0] < 1e-3 and errors[1] > 0.9


def test_a_closed_loop_goes_on_with_a_sine() -> None:
    wave = np.sin(0.2 * np.arange(701))
    task = task_of(wave[:-1], wave[1:])
    found = train_ideal(task, n_units=8, activation="linear", search="none")
    run = found.free_run(task.inputs[:500], 150)
    assert np.abs(run[:, 0] - wave[500:650]).max() < 1e-5
    assert valid_prediction_time(run, task.targets[499:649]) == 150
    np.testing.assert_allclose(run[0], found.predict(task.inputs[:500])[-1], rtol=1e-12)


@pytest.fixture(scope="module")
def narma() -> Task:
    return load_task("narma10", seed=2000)


@pytest.mark.parametrize(
    ("squares", "point", "published"),
    [(False, (0.7, 0.01, 0.02), 0.154), (True, (0.6, 0.01, 0.02), 0.046)],
)
def test_narma10_is_as_measured_elsewhere(
    narma: Task, squares: bool, point: tuple[float, float, float], published: float
) -> None:
    """The mean of ten other streams, 50 units, signs of pi; streams differ by about a third."""
    options = IdealOptions(n_units=50, squares=squares)
    tuned = TunedIdeal(IdealPoint(*point), 1e-13, math.nan, 0)
    assert published / 1.5 < fit_ideal(narma, options, tuned).error(narma) < published * 1.5


@dataclass(frozen=True)
class Choice:
    """All that training decides."""

    tuned: TunedIdeal
    weights: Values
    intercept: Values
    offset: Values

    @classmethod
    def of(cls, found: Ideal) -> "Choice":
        return cls(found.tuned, found.weights, found.intercept, found.offset)

    def same(self, other: "Choice") -> bool:
        arrays = ("weights", "intercept", "offset")
        return self.tuned == other.tuned and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays
        )


def garbage(task: Task, split: slice) -> Task:
    """Put noise of another size into one split."""
    rng = np.random.default_rng(5)
    inputs, targets = task.inputs.copy(), task.targets.copy()
    inputs[split] = rng.normal(7, 3, inputs[split].shape)
    targets[split] = rng.normal(-5, 40, targets[split].shape)
    return replace(task, inputs=inputs, targets=targets)


def nonlinear_task() -> Task:
    u = drive(4)
    return task_of(u, np.tanh(2 * filtered(u, [0.4, 0.6, -0.5])) + 0.2 * u**2)


def choices_ignore_the_test(train: Callable[[Task], Ideal]) -> bool:
    task = nonlinear_task()
    return Choice.of(train(task)).same(Choice.of(train(garbage(task, task.test))))


def quickly(task: Task) -> Ideal:
    return train_ideal(task, n_units=6, squares=True)


def test_choices_do_not_read_the_test_samples() -> None:
    assert choices_ignore_the_test(quickly)


def test_a_choice_that_reads_the_test_samples_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(_RUN, "errors", _peeking(_RUN.errors))
        assert not choices_ignore_the_test(quickly)
    with monkeypatch.context() as broken:
        broken.setattr(ideal_module, "training_rows", lambda task: slice(task.washout, 600))
        broken.setattr(_RUN, "of", classmethod(_longer_run))
        assert not choices_ignore_the_test(quickly)
    assert choices_ignore_the_test(quickly)


_RUN: Any = ideal_module._Run


def _peeking(original: Callable[..., list[float]]) -> Callable[..., list[float]]:
    """Score lambdas in an order that hangs on a test target."""

    def errors(run: Any, weights: Values) -> list[float]:
        found = original(run, weights)
        return found[::-1] if run.task.targets[run.task.test.start, 0] < -2 else found

    return errors


def _longer_run(cls: Any, task: Task, options: IdealOptions, point: IdealPoint) -> Any:
    """Run into the test samples."""
    offset, gain = ideal_module._encoder(task.inputs[task.train], options.encoder)
    model = float_model(options, point, task.n_inputs)
    states = model.run((task.inputs[:600] - offset) * gain)
    return cls(task, model, offset, gain, ideal_module._features(states, options.squares))


def test_readout_weights_read_the_training_samples_alone() -> None:
    task, options = nonlinear_task(), IdealOptions(n_units=10)
    tuned = tune_ideal([task], replace(options, search="none"))
    fits = [
        Choice.of(fit_ideal(t, options, tuned))
        for t in (task, garbage(task, task.validation), garbage(task, slice(200, 400)))
    ]
    assert fits[0].same(fits[1])
    assert not fits[0].same(fits[2])


def test_the_search_is_repeatable_and_reports_progress() -> None:
    task = nonlinear_task()
    calls: list[tuple[int, int, float]] = []
    options = IdealOptions(n_units=6)
    first = tune_ideal([task, task], options, lambda *call: calls.append(call))
    assert first == tune_ideal([task, task], options)
    assert [done for done, _, _ in calls] == list(range(1, 31))
    best = [error for _, _, error in calls]
    assert best == sorted(best, reverse=True) and best[-1] == first.error
    assert first.candidates == 30
    alone = tune_ideal([task], replace(options, search="none"))
    assert alone.candidates == 1 and alone.point == IdealPoint() and first.error < alone.error
    assert math.isclose(first.error, tune_ideal([task], options).error, rel_tol=1e-12)


def test_the_error_of_a_choice_is_the_mean_over_the_streams() -> None:
    u = drive(6)
    tasks = [nonlinear_task(), task_of(u, filtered(u, [0, 0, 0.5, 0.8]) ** 2 + u)]
    options = IdealOptions(n_units=8, search="none")
    both = tune_ideal(tasks, options)
    errors = []
    for task in tasks:
        found = fit_ideal(task, options, both)
        prediction = found.predict(task.inputs)[task.validation]
        errors.append(task.error(prediction, task.targets[task.validation]))
    assert math.isclose(both.error, sum(errors) / 2, rel_tol=1e-9)


def test_options_leave_open_what_they_say() -> None:
    classic = ideal_axes(IdealOptions(levels=False, bias=True, windows=1))
    assert classic["levels"] == (False,) and classic["window"] == (0,)
    assert 0.0 not in classic["bias"] and ideal_axes(IdealOptions(bias=False))["bias"] == (0.0,)
    assert "jump_length" in ideal_axes(IdealOptions(reservoir="cycle-jumps"))
    assert "backward" in ideal_axes(IdealOptions(reservoir="delay-line-feedback"))
    assert {"step", "diffusion"} <= set(ideal_axes(IdealOptions(reservoir="euler-ring")))
    assert not {"step", "diffusion"} & set(classic)
    leaky = IdealOptions(reservoir="leaky")
    assert {"radius", "leak_rate"} <= set(ideal_axes(leaky)) and "feedback" not in ideal_axes(leaky)
    assert "leak_rate" not in ideal_axes(replace(leaky, leak_shifts="0..3"))
    euler = set(ideal_axes(IdealOptions(reservoir="euler")))
    assert {"radius", "step", "diffusion"} <= euler and not {"feedback", "leak_rate"} & euler
    lambdas = IdealOptions(least_regularisation=1e-8).lambdas()
    np.testing.assert_allclose(lambdas, 10.0 ** np.arange(-8, 0))


@pytest.mark.parametrize(
    "reservoir",
    [
        "cycle",
        "delay-line",
        "delay-line-feedback",
        "cycle-jumps",
        "integer",
        "euler-ring",
        "leaky",
        "euler",
    ],
)
@pytest.mark.parametrize("encoder", ["min-max", "mean-std"])
def test_every_reservoir_and_encoder_trains(reservoir: str, encoder: str) -> None:
    task = nonlinear_task()
    # Euler's steps have a size and a diffusion, for which no default does everywhere.
    search = "quick" if reservoir in ("euler-ring", "euler") else "none"
    found = train_ideal(task, reservoir=reservoir, n_units=10, search=search, encoder=encoder)
    assert found.error(task) < 0.5


def test_the_ideal_of_a_matrix_has_the_drawn_matrix_and_real_leaks() -> None:
    task = nonlinear_task()
    given: dict[str, Any] = {"reservoir": "leaky", "n_units": 10, "search": "none", "seed": 2}
    one = train_ideal(task, scaling="leaky-radius", density=0.4, leak_shifts="0..3", **given).model
    assert isinstance(one, MatrixModel)
    rates = spread_rates(10, (0, 3))
    assert np.array_equal(one.leak_rate, rates) and len(set(rates.tolist())) == 10
    want = drawn_connections("leaky", 10, "leaky-radius", 0.9, density=0.4, leak_rate=rates, seed=2)
    assert np.array_equal(one.weights, want)
    options, tuned = IdealOptions(**given), TunedIdeal(IdealPoint(leak_rate=0.3), 1e-6, 0.0, 1)
    searched = fit_ideal(task, options, tuned).model
    assert isinstance(searched, MatrixModel) and searched.leak_rate == 0.3
    euler = train_ideal(task, **(given | {"reservoir": "euler"})).model
    assert isinstance(euler, EulerModel)
    found = euler_matrix(euler.weights, 0.0)
    assert np.array_equal(found, drawn_connections("euler", 10, "radius", 0.9, seed=2))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"reservoir": "star"}, "reservoir must be one of cycle, .*, not 'star'"),
        ({"activation": "relu"}, "activation must be one of tanh, clip, linear, fermi, not 'relu'"),
        ({"n_units": 0}, "units must be from 1 to 4096, not 0"),
        ({"n_units": 2, "reservoir": "euler-ring"}, "units must be from 3 to 4096, not 2"),
        ({"windows": 65}, "windows must be from 1 to 64, not 65"),
        ({"search": "long"}, "search must be one of none, quick, full, not 'long'"),
        ({"least_regularisation": 0.0}, "least regularisation must be above 0 .*, not 0.0"),
    ],
)
def test_wrong_options_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        IdealOptions(**wrong)


def test_a_closed_loop_needs_as_many_outputs_as_inputs() -> None:
    u = drive()
    task = task_of(u, np.stack([u, np.roll(u, 1)], axis=1))
    found = train_ideal(task, n_units=4, search="none")
    with pytest.raises(DesignError, match=r"outputs must be as many as the 1 inputs .*, not 2"):
        found.free_run(u[:50, None], 3)
