"""FORCE and full-FORCE: the textbook rules, the limits of partial-FORCE, what ends learning."""

import re
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.model import FeedbackModel, MatrixModel
from rchw.train.force import ForceNetwork, ForceOptions, History, activated, draw_network, learn
from rchw.train.full_force import train_force

SMALL = ForceOptions(units=24, density=0.3, every=2, seed=5)
Values = np.ndarray[Any, np.dtype[np.float64]]


def sine(samples: int, period: float = 40.0) -> Values:
    """A target within four fifths of the output."""
    return np.asarray(0.8 * np.sin(2 * np.pi * np.arange(samples) / period)[:, None])


def _same(one: tuple[ForceNetwork, History], two: tuple[ForceNetwork, History]) -> bool:
    """Bit for bit."""
    parts = ((one[0].columns, two[0].columns), (one[0].state, two[0].state))
    series = ((one[1].outputs, two[1].outputs), (one[1].before, two[1].before))
    return all(np.array_equal(a, b) for a, b in (*parts, *series))


def _textbook(
    options: ForceOptions, targets: Values, washout: int, inputs: Values
) -> tuple[Values, Values]:
    """Written down from the papers with whole matrices, for FORCE and full-FORCE; W and R."""
    drawn, a = draw_network(options, 1, inputs.shape[1]), 2.0**-options.leak_shift
    given = inputs @ drawn.into
    f, n = targets[:, 0], options.units
    v, full = drawn.feedback[0], options.teaching == "full-force"
    matrix = drawn.weights
    teacher: Values = drawn.state
    before: Any = 0.0
    for value, u_in in zip(f[:washout], given[:washout], strict=True):
        teacher = (1 - a) * teacher + a * activated(matrix @ teacher + v * before + u_in, "pwl")
        before = value
    state, weights = teacher, np.zeros((n, n)) if full else matrix
    readout, inverse, z = np.zeros(n), np.eye(n) / options.alpha, before
    for t, value in enumerate(f[washout:]):
        fed, u_in = 0.0 if full else z, given[washout + t]
        teacher = (1 - a) * teacher + a * activated(matrix @ teacher + v * before + u_in, "pwl")
        state = (1 - a) * state + a * activated(weights @ state + v * fed + u_in, "pwl")
        before = value
        if t % options.every == 0:
            u = inverse @ state
            k = u / (1 + state @ u)
            if full:
                error = weights @ state - (matrix @ teacher + v * value)
                weights = weights - np.outer(error, k)
            readout = readout - (readout @ state - value) * k
            inverse = inverse - np.outer(k, u)
        z = readout @ state
    return weights, readout


def _read(readout: Values, states: Values) -> Values:
    """Outputs (T, L)."""
    return np.asarray(states @ readout.T)


@pytest.mark.parametrize("n_inputs", [0, 2])
@pytest.mark.parametrize("teaching", ["force", "full-force"])
def test_it_is_the_rule_of_the_paper(teaching: str, n_inputs: int) -> None:
    """Forty updates from the text with full P: the same weights but for rounding."""
    options = replace(SMALL, teaching=teaching)
    inputs = np.random.default_rng(4).uniform(-1, 1, (110, n_inputs))
    network, history = train_force(options, sine(110), 30, inputs=inputs)
    weights, readout = _textbook(options, sine(110), 30, inputs)
    assert network.into.shape == (n_inputs, 24) and network.into.any() == (n_inputs > 0)
    assert len(history.samples) == 40
    assert np.allclose(network.weights, weights, rtol=0, atol=1e-9)
    assert np.allclose(network.readout[0], readout, rtol=0, atol=1e-9)
    assert np.abs(readout).max() > 0.01


def test_partial_force_of_no_unit_is_force_without_feedback() -> None:
    """And of all units it is full-FORCE; in between it is neither. Bit for bit."""
    some = replace(SMALL, teaching="partial-force", trained_units=0)
    targets = sine(200)
    none = train_force(some, targets, 20)
    assert _same(none, train_force(replace(SMALL, feedback_scaling=0.0), targets, 20))
    every = train_force(replace(some, trained_units=24), targets, 20)
    assert _same(every, train_force(replace(SMALL, teaching="full-force"), targets, 20))
    half = train_force(replace(some, trained_units=12), targets, 20)
    assert not _same(half, none) and not _same(half, every)
    drawn = draw_network(SMALL, 1).weights
    assert np.array_equal(half[0].weights[:12], drawn[:12])
    assert not np.array_equal(half[0].weights[12:], drawn[12:])


@pytest.mark.parametrize("teaching", ["force", "full-force", "partial-force"])
def test_compiled_and_not_give_the_same_bits(teaching: str) -> None:
    units = 9 if teaching == "partial-force" else None
    options = replace(SMALL, teaching=teaching, trained_units=units)
    for inputs, later in ((None, None), (sine(90) ** 2, sine(30) ** 2)):
        found = [
            train_force(options, sine(90), 10, compiled=flag, inputs=inputs)
            for flag in (True, False)
        ]
        assert _same(*found)
        (one, _), (other, _) = found
        assert np.array_equal(one.run(30, True, later)[0], other.run(30, False, later)[0])


def test_without_an_input_nothing_is_other() -> None:
    """Inputs of 0, or weights of 0 for them, leave every bit as it is; what is given does not."""
    none = train_force(SMALL, sine(90), 10)
    assert _same(none, train_force(SMALL, sine(90), 10, inputs=np.zeros((90, 1))))
    deaf = replace(SMALL, input_scaling=0.0)
    assert _same(none, train_force(deaf, sine(90), 10, inputs=np.ones((90, 1))))
    assert not _same(none, train_force(SMALL, sine(90), 10, inputs=np.ones((90, 1))))


@pytest.mark.parametrize("teaching", ["force", "full-force", "partial-force"])
def test_a_sine_is_kept_after_training_stops(teaching: str) -> None:
    """The criteria of the papers: the ratio comes to 1, weights come to rest, the run holds."""
    units = 60 if teaching == "partial-force" else None
    options = ForceOptions(units=100, teaching=teaching, trained_units=units, seed=1)
    targets = sine(5000)
    network, history = train_force(options, targets[:3000], 200)
    facts = history.facts()
    assert facts["last_ratio"] > 0.95 > 0.8 > facts["first_ratio"]
    assert facts["last_move"] < 0.1 * facts["first_move"]
    assert facts["last_before"] < 0.02 and facts["last_after"] <= facts["last_before"]
    outputs, later = network.run(2000)
    error = np.sqrt(np.mean((outputs - targets[3000:]) ** 2) / np.var(targets))
    assert error < 0.1
    assert np.array_equal(later.columns, network.columns)
    untaught = replace(network, columns=draw_network(options, 1).columns)
    assert np.sqrt(np.mean((untaught.run(2000)[0] - targets[3000:]) ** 2)) > 0.5


def test_a_run_is_that_of_the_models() -> None:
    """`FeedbackModel` around `MatrixModel` has the same law, with tanh too."""
    for activation in ("table", "clip"):
        options = replace(SMALL, activation=activation)
        network, _ = train_force(options, sine(200), 20)
        inner = MatrixModel(
            network.weights, network.feedback, 0.0, network.leak_rate,
            activation="tanh" if activation == "table" else activation,
        )  # fmt: skip
        model = FeedbackModel(inner, partial(_read, network.readout), 1)
        states = model.run(np.zeros((50, 0)), np.concatenate([network.state, network.fed]))
        outputs, later = network.run(50)
        assert np.allclose(states @ network.readout.T, outputs, rtol=0, atol=1e-9)
        assert np.allclose(states[-1], later.state, rtol=0, atol=1e-9)


def test_history_tells_of_every_update() -> None:
    options = replace(SMALL, every=3)
    seen: list[tuple[int, int]] = []
    network = draw_network(options, 1)
    trained, history = learn(network, sine(100), options, None, lambda *a: seen.append(a[:2]))
    assert history.samples.tolist() == list(range(0, 100, 3)) and not seen
    learn(network, sine(800), options, None, lambda *a: seen.append(a[:2]))
    assert seen == [(766, 800)]
    assert history.before.shape == history.after.shape == (34, 1)
    assert (history.after <= history.before).all()
    path = np.abs(trained.readout).sum()
    assert 0 < path and np.linalg.norm(trained.readout) <= history.moves.sum()
    assert not network.readout.any()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "teaching": ({"teaching": "ridge"}, "teaching must be one of force, full-force, partial-force"),
    "activation": ({"activation": "relu"}, "activation must be one of pwl, table, clip, not"),
    "units": ({"units": 1}, "units must be from 2 to 4096, not 1"),
    "gain": ({"gain": 0.0}, "gain must be above 0 and finite, not 0.0"),
    "alpha": ({"alpha": float("nan")}, "alpha must be above 0 and finite, not nan"),
    "density": ({"density": 1.5}, "density must be above 0 and at most 1, not 1.5"),
    "every": ({"every": 0}, "samples from update to update must be from 1 to"),
    "feedback": ({"feedback_scaling": -1.0}, "feedback scaling must be at least 0 and finite"),
    "inputs": ({"input_scaling": np.inf}, "input scaling must be at least 0 and finite, not inf"),
    "seed": ({"seed": -1}, "seed must be at least 0, not -1"),
    "none": ({"teaching": "partial-force"}, "trained units must be given for partial-force, not"),
    "some": ({"trained_units": 3}, "trained units must be left out for force, not 3"),
    "many": (
        {"teaching": "partial-force", "trained_units": 25},
        "trained units must be from 0 to 24, not 25",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_out_of_range_are_refused(case: str) -> None:
    change, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=f"^{re.escape(sentence)}"):
        replace(SMALL, **change)


def test_training_that_cannot_go_on_says_so() -> None:
    """Not a number anywhere is a sentence, and so is an alpha that double precision cannot bear."""
    broken = sine(100)
    broken[70] = np.nan
    with pytest.raises(DesignError, match=r"^targets must be finite, not NaN or infinite"):
        train_force(SMALL, broken, 10)
    with pytest.raises(DesignError, match=r"^washout must be from 0 to below the 100 training"):
        train_force(SMALL, sine(100), 100)
    with pytest.raises(DesignError, match=r"^training samples must be at least 2, for one update"):
        train_force(SMALL, sine(11), 10)
    with pytest.raises(DesignError, match=r"^alpha must leave recursive least squares positive"):
        train_force(replace(SMALL, alpha=1e-300), sine(400), 10)
    with pytest.raises(DesignError, match=r"^inputs must be 100 finite samples, as many as target"):
        train_force(SMALL, sine(100), 10, inputs=np.zeros((99, 1)))
