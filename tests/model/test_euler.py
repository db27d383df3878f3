"""Euler state networks: the equation, the bound of their states, and eigenvalues of both forms."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.model import EulerModel, EulerRingModel
from rchw.model.euler import euler_matrix
from rchw.model.recurrence import ACTIVATIONS

Values = NDArray[np.float64]


def by_products(
    matrix: Values, model: EulerModel | EulerRingModel, inputs: Values, state: Values
) -> Values:
    """Run the equation as it is printed, with tanh."""
    states = []
    for u in inputs:
        inner = matrix @ state + u @ np.asarray(model.input_weights) + model.bias
        state = state + np.asarray(model.step) * np.tanh(inner)
        states.append(state)
    return np.array(states)


@settings(max_examples=20)
@given(st.integers(3, 16), st.booleans(), st.integers(0, 2**32 - 1))
def test_both_forms_are_the_equation(n: int, compiled: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, into, bias = rng.uniform(-1, 1, (n, n)), rng.normal(size=(2, n)), rng.normal(size=n)
    inputs, state, steps = rng.normal(size=(40, 2)), rng.normal(size=n), rng.uniform(0.01, 0.2, n)
    model = EulerModel(weights, into, bias, steps, 0.1, compiled=compiled)
    want = by_products(weights - weights.T - 0.1 * np.eye(n), model, inputs, state)
    assert np.allclose(model.run(inputs, state), want, rtol=0, atol=1e-12)
    ring = EulerRingModel(0.7, into, bias, steps, 0.1, compiled=compiled)
    shift = np.roll(np.eye(n), 1, axis=0)  # unit i reads unit i - 1
    want = by_products(0.7 * (shift - shift.T) - 0.1 * np.eye(n), ring, inputs, state)
    assert np.allclose(ring.run(inputs, state), want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_without_numba_it_is_the_same(activation: str) -> None:
    rng = np.random.default_rng(1)
    weights, into = rng.uniform(-1, 1, (9, 9)), rng.normal(size=(1, 9))
    inputs = rng.normal(size=(50, 1))
    exact = 1e-12 if activation in ("tanh", "fermi") else 0
    rest = (into, 0.1, 0.05, 0.2, activation)
    dense = [EulerModel(weights, *rest, way).run(inputs) for way in (True, False)]
    ring = [EulerRingModel(0.5, *rest, way).run(inputs) for way in (True, False)]
    assert np.abs(dense[0] - dense[1]).max() <= exact
    assert np.abs(ring[0] - ring[1]).max() <= exact


def models(
    n: int, step: Values | float, activation: str, seed: int
) -> tuple[EulerModel, EulerRingModel]:
    """Make both forms, driven far into saturation."""
    rng = np.random.default_rng(seed)
    into, bias = 20 * rng.normal(size=(1, n)), rng.normal(size=n)
    dense = EulerModel(rng.uniform(-3, 3, (n, n)), into, bias, step, 0.01, activation)
    return dense, EulerRingModel(2.0, into, bias, step, 0.01, activation)


@settings(max_examples=20)
@given(
    st.integers(3, 12),
    st.sampled_from(["tanh", "clip"]),
    st.integers(0, 2**32 - 1),
)
def test_states_move_by_a_step_at_most(n: int, activation: str, seed: int) -> None:
    """``|h_i(t)| <= |h_i(0)| + e_i t``, for every unit with its own step."""
    rng = np.random.default_rng(seed)
    step, start = rng.uniform(0.01, 0.5, n), rng.normal(size=n)
    inputs = rng.normal(size=60)
    bound = np.abs(start) + step * np.arange(1, 61)[:, None]
    for model in models(n, step, activation, seed):
        states = model.run(inputs, start)
        assert (np.abs(states) <= bound * (1 + 1e-12)).all()


@pytest.mark.parametrize("activation", ["tanh", "clip"])
def test_the_bound_is_reached(activation: str) -> None:
    """An input that only pushes: half of the bound would not hold."""
    for model in models(6, 0.125, activation, 2):
        into = np.asarray(model.input_weights)[0]
        far = model.run(np.full(40, 1e6))[-1]
        assert np.allclose(far, np.sign(into) * 0.125 * 40, rtol=1e-9, atol=0)


def test_eigenvalues_are_imaginary_but_for_diffusion() -> None:
    rng = np.random.default_rng(3)
    matrix = euler_matrix(rng.uniform(-1, 1, (20, 20)), 0.25)
    skew = matrix + 0.25 * np.eye(20)
    assert np.array_equal(skew, -skew.T)
    values = np.linalg.eigvals(matrix)
    assert np.allclose(values.real, -0.25, rtol=0, atol=1e-10)
    ring = topology.dense(topology.euler_ring(20, 0.7, 0.25))
    k = np.arange(20)
    found, want = np.linalg.eigvals(ring), -0.25 - 1.4j * np.sin(2 * np.pi * k / 20)
    assert np.allclose(found.real, -0.25, rtol=0, atol=1e-10)
    assert np.allclose(np.sort(found.imag), np.sort(want.imag), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("diffusion", "grows"), [(0.02, False), (0.0, True), (0.01, True)])
def test_linear_steps_expand_below_the_diffusion_that_they_need(
    diffusion: float, grows: bool
) -> None:
    """``|1 + e (-gamma + iw)|**2 = (1 - e gamma)**2 + e**2 w**2``; of the ring, w = 2 r sin.

    With e = 0.01, r = 0.8 and N = 20, gamma must exceed e w**2 / 2 = 0.0128.
    """
    ring = EulerRingModel(
        0.8, np.ones((1, 20)), step=0.01, diffusion=diffusion, activation="linear"
    )
    states = ring.run(np.zeros(4000), np.cos(np.pi / 2 * np.arange(20)))
    norms = np.linalg.norm(states, axis=1)
    factor = np.hypot(1 - 0.01 * diffusion, 0.01 * 1.6)
    assert norms[-1] / norms[0] == pytest.approx(factor**3999, rel=1e-6)
    assert bool(norms[-1] > norms[0]) is grows


SQUARE, ONES = np.eye(4), np.ones((1, 4))

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "no step": (lambda: EulerModel(SQUARE, ONES, step=0.0), r"^step must be above 0, not 0\.0$"),
    "steps": (
        lambda: EulerRingModel(0.5, ONES, step=[1.0, 1.0]),
        r"^step must have shape \(\) or \(4,\), not \(2,\)$",
    ),
    "diffusion": (
        lambda: EulerModel(SQUARE, ONES, diffusion=-0.1),
        r"^diffusion must be at least 0 and finite, not -0\.1$",
    ),
    "diffusion of a ring": (
        lambda: EulerRingModel(0.5, ONES, diffusion=np.inf),
        r"^diffusion must be at least 0 and finite, not inf$",
    ),
    "weights": (
        lambda: EulerModel(np.eye(5), ONES),
        r"^weights must have shape \(4, 4\), not \(5, 5\)$",
    ),
    "matrix": (
        lambda: euler_matrix(np.ones(3), 0.0),
        r"^weights must have shape \(N, N\), not \(3,\)$",
    ),
    "ring": (
        lambda: EulerRingModel(0.5, np.ones((1, 2))),
        r"^number of units must be at least 3, not 2$",
    ),
    "feedback": (
        lambda: EulerRingModel(np.nan, ONES),
        r"^weights and bias must be finite, not NaN or infinite$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
