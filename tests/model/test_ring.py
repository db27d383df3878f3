"""The float ring against the dense recurrence, in both of its ways to compute it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.model import RingModel, ring
from rchw.model.ring import ACTIVATIONS

Values = NDArray[np.float64]


def taps_of(kind: str, n: int) -> topology.TapTable:
    """Make a ring of each topology that N units can form."""
    if kind == "cycle-jumps" and n >= 4:
        return topology.cycle_jumps(n, 0.7, max(2, n // 3), 0.2)
    if kind == "delay-line-feedback" and n >= 3:
        return topology.delay_line_feedback(n, 0.7, 0.3)
    return topology.delay_line(n, 0.7) if kind == "delay-line" else topology.cycle(n, 0.7)


def dense_run(model: RingModel, inputs: Values, state: Values) -> Values:
    """Run the recurrence with the matrix of the taps, one product per sample."""
    matrix = topology.dense(model.taps)
    weights, bias = np.asarray(model.input_weights), np.asarray(model.bias)
    gain = np.asarray(model.gain)
    apply: dict[str, Callable[[Any], Any]] = {
        "tanh": np.tanh,
        "clip": lambda v: np.clip(v, -1, 1),
        "linear": lambda v: v,
        "fermi": lambda v: 1 / (1 + np.exp(-v)),
    }
    states = []
    for u in inputs:
        target = apply[model.activation](gain * (matrix @ state + u @ weights) + bias)
        state = (1 - model.leak_rate) * state + model.leak_rate * target
        states.append(state)
    return np.array(states)


@settings(max_examples=80)
@given(
    st.sampled_from(["cycle", "delay-line", "delay-line-feedback", "cycle-jumps"]),
    st.integers(1, 20),
    st.integers(1, 4),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from([1.0, 0.25]),
    st.integers(0, 2**32 - 1),
)
def test_both_ways_are_the_dense_recurrence(
    kind: str, n: int, channels: int, activation: str, leak_rate: float, seed: int
) -> None:
    """Near the matrix form; and both ways alike, to the bit where no library function is used."""
    rng = np.random.default_rng(seed)
    weights, bias = rng.normal(size=(channels, n)), rng.normal(size=n)
    inputs, state = rng.normal(size=(40, channels)), rng.uniform(-1, 1, n)
    gain = rng.uniform(0.3, 1.2, n)
    fast, slow = (
        RingModel(taps_of(kind, n), weights, bias, leak_rate, activation, compiled, gain)
        for compiled in (True, False)
    )
    states = slow.run(inputs, state)
    assert np.allclose(states, dense_run(slow, inputs, state), rtol=1e-9, atol=1e-12)
    if activation in ("tanh", "fermi"):
        assert np.allclose(fast.run(inputs, state), states, rtol=0, atol=1e-12)
    else:
        assert np.array_equal(fast.run(inputs, state), states)


@pytest.mark.parametrize("compiled", [True, False])
def test_the_impulse_response_of_a_cycle(compiled: bool) -> None:
    """Exactly ``r^k`` times the input weights, turned k units on, where r is a power of two."""
    weights = topology.auto_signs(7).astype(float)
    model = RingModel(topology.cycle(7, 0.5), weights, activation="linear", compiled=compiled)
    impulse = np.zeros(30)
    impulse[0] = 1
    want = [0.5**k * np.roll(weights[0], k) for k in range(30)]
    assert np.array_equal(model.run(impulse), want)


def test_one_input_may_be_a_vector() -> None:
    model = RingModel(topology.cycle(4, 0.5), np.ones((1, 4)))
    assert np.array_equal(model.run(np.arange(5.0)), model.run(np.arange(5.0)[:, None]))


def test_without_numba_the_plain_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    model = RingModel(topology.cycle(6, 0.5), np.ones((1, 6)), activation="clip")
    inputs = np.random.default_rng(0).normal(size=(20, 1))
    want = model.run(inputs)
    monkeypatch.setattr(ring, "_compiled_steps", lambda: None)
    assert np.array_equal(model.run(inputs), want)


@pytest.mark.parametrize("compiled", [True, False])
def test_a_wrong_tap_or_rate_is_seen(compiled: bool) -> None:
    rng = np.random.default_rng(1)
    inputs, weights = rng.normal(size=(20, 1)), rng.normal(size=(1, 6))
    taps, start = topology.cycle(6, 0.7), np.zeros(6)
    right = dense_run(RingModel(taps, weights), inputs, start)
    for broken in (
        RingModel([(2, taps[0][1])], weights, compiled=compiled),
        RingModel(taps, weights, 1e-6, compiled=compiled),
        RingModel(taps, weights, leak_rate=0.999999, compiled=compiled),
        RingModel(taps, weights, activation="clip", compiled=compiled),
    ):
        assert not np.allclose(broken.run(inputs), right, rtol=1e-9, atol=1e-12)


TAPS, ONES = topology.cycle(4, 0.5), np.ones((1, 4))

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "weights": (
        lambda: RingModel(TAPS, np.ones(4)),
        r"^input weights must have shape \(K, N\), not \(4,\)$",
    ),
    "no weights": (
        lambda: RingModel(TAPS, np.ones((0, 4))),
        r"^input weights must have shape \(K, N\), not \(0, 4\)$",
    ),
    "taps": (
        lambda: RingModel(TAPS, np.ones((1, 5))),
        r"^weights of tap 1 must have shape \(5,\), not \(4,\)$",
    ),
    "bias": (
        lambda: RingModel(TAPS, ONES, np.zeros(3)),
        r"^bias must have shape \(\) or \(4,\), not \(3,\)$",
    ),
    "no leak": (
        lambda: RingModel(TAPS, ONES, leak_rate=0.0),
        r"^leak rate must be above 0 and at most 1, not 0\.0$",
    ),
    "leak": (
        lambda: RingModel(TAPS, ONES, leak_rate=1.5),
        r"^leak rate must be above 0 and at most 1, not 1\.5$",
    ),
    "activation": (
        lambda: RingModel(TAPS, ONES, activation="relu"),
        r"^activation must be one of tanh, clip, linear, fermi, not 'relu'$",
    ),
    "nan": (
        lambda: RingModel(TAPS, ONES * np.nan),
        r"^weights and bias must be finite, not NaN or infinite$",
    ),
    "inputs": (
        lambda: RingModel(TAPS, ONES).run(np.zeros((5, 2))),
        r"^inputs must have shape \(T, 1\), not \(5, 2\)$",
    ),
    "infinite input": (
        lambda: RingModel(TAPS, ONES).run([np.inf]),
        r"^inputs must be finite, not NaN or infinite$",
    ),
    "state": (
        lambda: RingModel(TAPS, ONES).run([1.0], np.zeros(3)),
        r"^state must have shape \(4,\), not \(3,\)$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
