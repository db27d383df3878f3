"""Matrix reservoirs: the equation, rings as matrices, time constants, and exact memory."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.metrics import memory_capacity
from rchw.model import MatrixModel, RingModel, matrix
from rchw.model.recurrence import ACTIVATIONS
from rchw.model.scaling import random_dense, random_sparse

Values = NDArray[np.float64]
APPLY: dict[str, Callable[[Values], Values]] = {
    "tanh": np.tanh,
    "clip": lambda v: np.clip(v, -1, 1),
    "linear": lambda v: v,
    "fermi": lambda v: 1 / (1 + np.exp(-v)),
}


def drawn(n: int, density: float, activation: str, compiled: bool, seed: int) -> MatrixModel:
    """Make a contracting reservoir with leaks and gains of each unit, and two inputs."""
    rng = np.random.default_rng(seed)
    weights = random_sparse(n, density, rng) / max(1.0, density * n)
    return MatrixModel(
        weights,
        rng.normal(size=(2, n)),
        rng.normal(size=n),
        rng.uniform(0.05, 1.0, n),
        rng.uniform(0.3, 0.9, n),
        activation,
        compiled,
    )


def by_products(model: MatrixModel, inputs: Values, state: Values) -> Values:
    """Run the equation as it is printed, one matrix product per sample."""
    weights, into = np.asarray(model.weights), np.asarray(model.input_weights)
    leak, gain = np.asarray(model.leak_rate), np.asarray(model.gain)
    states = []
    for u in inputs:
        target = APPLY[model.activation](gain * (weights @ state + u @ into) + model.bias)
        state = (1 - leak) * state + leak * target
        states.append(state)
    return np.array(states)


@settings(max_examples=30)
@given(
    st.integers(1, 20),
    st.sampled_from([0.1, 0.4, 1.0]),
    st.sampled_from(ACTIVATIONS),
    st.integers(0, 2**32 - 1),
)
def test_both_ways_are_the_equation(n: int, density: float, activation: str, seed: int) -> None:
    """Near the printed form; and both ways alike, to the bit without a library function."""
    fast, slow = (drawn(n, density, activation, compiled, seed) for compiled in (True, False))
    rng = np.random.default_rng(seed)
    inputs, state = rng.normal(size=(40, 2)), rng.uniform(-1, 1, n)
    states = slow.run(inputs, state)
    assert np.allclose(states, by_products(slow, inputs, state), rtol=1e-9, atol=1e-12)
    if activation in ("tanh", "fermi"):
        assert np.allclose(fast.run(inputs, state), states, rtol=0, atol=1e-12)
    else:
        assert np.array_equal(fast.run(inputs, state), states)


@pytest.mark.parametrize("compiled", [True, False])
def test_zeros_may_be_left_out(compiled: bool) -> None:
    """A matrix of few connections is run by them, and gives the bits of the whole matrix."""
    model = drawn(40, 0.2, "tanh", compiled, 3)
    rng = np.random.default_rng(4)
    inputs, whole = rng.normal(size=(30, 2)), drawn(40, 0.2, "tanh", compiled, 3)
    dense = np.asarray(model.weights) * np.asarray(model.gain)[:, None]
    rows = matrix.Rows(np.zeros((0, 40), dtype=np.int64), np.ascontiguousarray(dense.T))
    object.__setattr__(whole, "_rows", rows)
    assert 0 < len(model._rows.sources) < 20
    assert np.array_equal(model.run(inputs), whole.run(inputs))


@pytest.mark.parametrize("n", [1, 7, 64, 129])
@pytest.mark.parametrize("compiled", [True, False])
def test_pieces_of_any_length_are_the_whole(n: int, compiled: bool) -> None:
    """To the bit, at sizes where a matrix product of a library would change its order of sums."""
    model = drawn(n, 1.0, "tanh", compiled, 5)
    inputs = np.random.default_rng(6).normal(size=(24, 2))
    whole = model.run(inputs)
    state, pieces = None, []
    for chunk in np.split(inputs, [1, 3, 8, 8, 20]):
        piece, state = model.advance(chunk, state)
        pieces.append(piece)
    assert np.array_equal(np.concatenate(pieces), whole)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("leak_rate", [1.0, 0.3])
def test_a_cycle_as_a_matrix_has_the_bits_of_the_ring(
    leak_rate: float, activation: str, compiled: bool
) -> None:
    rng = np.random.default_rng(7)
    taps, weights = topology.cycle(11, 0.7), rng.normal(size=(2, 11))
    inputs, state, bias = rng.normal(size=(50, 2)), rng.normal(size=11), rng.normal(size=11)
    rest = (weights, bias, leak_rate)
    ring = RingModel(taps, *rest, activation, compiled).run(inputs, state)
    dense = MatrixModel(topology.dense(taps), *rest, 1.0, activation, compiled)
    assert np.array_equal(dense.run(inputs, state), ring)
    # With several taps the sums have another order.
    jumps = topology.cycle_jumps(11, 0.6, 3, 0.2)
    ring = RingModel(jumps, *rest, activation, compiled).run(inputs, state)
    dense = MatrixModel(topology.dense(jumps), *rest, 1.0, activation, compiled)
    assert np.allclose(dense.run(inputs, state), ring, rtol=0, atol=1e-12)


def test_leak_rates_of_1_are_no_leak() -> None:
    rng = np.random.default_rng(8)
    weights, into = random_dense(9, rng, 0.2), rng.normal(size=(1, 9))
    inputs = rng.normal(size=(30, 1))
    one = MatrixModel(weights, into, leak_rate=np.ones(9)).run(inputs)
    state, want = np.zeros(9), []
    for u in inputs:
        state = np.tanh(weights @ state + u @ into)
        want.append(state)
    assert np.allclose(one, want, rtol=0, atol=1e-13)
    # One unit that leaks: it alone is another at first, then all are.
    leaks = np.ones(9)
    leaks[4] = 0.5
    other = MatrixModel(weights, into, leak_rate=leaks).run(inputs)
    assert np.flatnonzero(other[0] != one[0]).tolist() == [4]
    assert (other[-1] != one[-1]).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("leak_rate", [1.0, 0.25])
def test_a_contracting_reservoir_forgets_at_its_rate(leak_rate: float, activation: str) -> None:
    """Two states come closer by ``1 - a (1 - s)`` per sample, s the largest singular value.

    A linear reservoir whose matrix is symmetric comes to exactly that.
    """
    rng = np.random.default_rng(11)
    rotation = np.linalg.qr(rng.normal(size=(15, 15)))[0]
    weights = rotation @ np.diag(np.linspace(-0.7, 0.8, 15)) @ rotation.T
    model = MatrixModel(weights, rng.normal(size=(1, 15)), 0.1, leak_rate, 1.0, activation)
    inputs, starts = rng.normal(size=100), rng.normal(size=(2, 15))
    apart = np.linalg.norm(model.run(inputs, starts[0]) - model.run(inputs, starts[1]), axis=1)
    rate = 1 - leak_rate * 0.2
    bound = rate ** np.arange(1, 101) * np.linalg.norm(starts[0] - starts[1])
    assert (apart <= bound * (1 + 1e-9) + 1e-15).all() and apart[0] > 0.1 * bound[0]
    if activation == "linear":
        assert apart[-1] / apart[-2] == pytest.approx(rate, rel=0.01)


def test_leaks_are_time_constants() -> None:
    """Alone, a unit that starts at 1 has ``(1 - a)**t`` left: after ``1 / a`` about ``1 / e``."""
    times = np.array([10, 100, 1000])
    model = MatrixModel(np.zeros((3, 3)), np.ones((1, 3)), leak_rate=1 / times, activation="linear")
    states = model.run(np.zeros(1000), np.ones(3))
    steps = np.arange(1, 1001)[:, None]
    assert np.allclose(states, (1 - 1 / times) ** steps, rtol=1e-12, atol=0)
    left = states[times - 1, np.arange(3)]
    assert np.allclose(left, np.exp(-1), rtol=0, atol=0.4 / times)
    # And a step of the input is followed to 1 - 1/e in the same times.
    risen = model.run(np.ones(1000))[times - 1, np.arange(3)]
    assert np.allclose(risen, 1 - np.exp(-1), rtol=0, atol=0.4 / times)


def test_bias_stands_beyond_the_gain() -> None:
    model = MatrixModel([[0.5]], [[3.0]], 0.25, gain=2.0, activation="linear")
    assert model.run([1.0], [10.0]).tolist() == [[2 * (0.5 * 10 + 3) + 0.25]]


def orthogonal(n: int, radius: float, seed: int) -> MatrixModel:
    """Make a linear reservoir whose matrix is a rotation times a radius."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(n, n)))[0]
    return MatrixModel(radius * rotation, rng.normal(size=(1, n)), activation="linear")


def memory_function(model: MatrixModel, radius: float) -> Values:
    """Exact memory ``v' W'^k S**-1 W^k v`` for every delay k, from the impulse response."""
    impulse = np.zeros(int(np.log(1e-17) / np.log(radius)))
    impulse[0] = 1
    response = model.run(impulse)  # row k is W^k v
    solved = np.linalg.solve(response.T @ response, response.T).T
    return np.asarray((response * solved).sum(axis=1))


@pytest.mark.parametrize(("n", "radius"), [(5, 0.9), (12, 0.95), (12, 0.7)])
def test_memory_of_an_orthogonal_reservoir_is_exact(n: int, radius: float) -> None:
    """Of all linear reservoirs: N in all, and ``1 - det(W)**2`` of it at delay 0.

    The covariance S obeys ``S = v v' + W S W'``, hence ``det(S - v v') = det(W)**2 det(S)`` and
    ``v' S**-1 v = 1 - det(W)**2``. An orthogonal matrix times r has ``det(W)**2 = r**(2 N)``; so
    from delay 1 on, where Jaeger begins, the capacity is ``N - 1 + r**(2 N)``.
    """
    per_delay = memory_function(orthogonal(n, radius, n), radius)
    assert per_delay[0] == pytest.approx(1 - radius ** (2 * n), rel=1e-6)
    assert per_delay[1:].sum() == pytest.approx(n - 1 + radius ** (2 * n), rel=1e-9)
    assert per_delay.max() <= 1 + 1e-9


def test_measured_memory_is_the_exact_one() -> None:
    """Delays from 0, by least squares on samples that are scored on others; chance is 0.016."""
    n, radius = 10, 0.9
    model = orthogonal(n, radius, 2)
    inputs = np.random.default_rng(9).uniform(-0.8, 0.8, 8000)
    found = memory_capacity(model.run(inputs), inputs, delays=range(60), washout=300)
    exact = memory_function(model, radius)[:60]
    assert np.abs(found.per_delay - exact).max() < 0.03
    assert found.total == pytest.approx(n, abs=0.3)
    assert found.per_delay[1:].sum() == pytest.approx(n - 1 + radius ** (2 * n), abs=0.3)


def test_without_numba_the_plain_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    model = drawn(6, 1.0, "clip", True, 1)
    inputs = np.random.default_rng(0).normal(size=(20, 2))
    want = model.run(inputs)
    monkeypatch.setattr(matrix, "_compiled_steps", lambda: None)
    assert np.array_equal(model.run(inputs), want)


SQUARE, ONES = np.eye(4), np.ones((1, 4))

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "weights": (
        lambda: MatrixModel(np.ones((4, 3)), ONES),
        r"^weights must have shape \(4, 4\), not \(4, 3\)$",
    ),
    "units": (
        lambda: MatrixModel(np.eye(3), ONES),
        r"^weights must have shape \(4, 4\), not \(3, 3\)$",
    ),
    "leaks": (
        lambda: MatrixModel(SQUARE, ONES, leak_rate=[0.5, 0.5]),
        r"^leak rate must have shape \(\) or \(4,\), not \(2,\)$",
    ),
    "a leak": (
        lambda: MatrixModel(SQUARE, ONES, leak_rate=[0.5, 1.25, 0.0, 1.0]),
        r"^leak rate must be above 0 and at most 1, not 1\.25$",
    ),
    "gain": (
        lambda: MatrixModel(SQUARE, ONES, gain=np.inf),
        r"^gain must be finite, not NaN or infinite$",
    ),
    "bias": (
        lambda: MatrixModel(SQUARE, ONES, np.nan),
        r"^bias must be finite, not NaN or infinite$",
    ),
    "nan": (
        lambda: MatrixModel(SQUARE * np.nan, ONES),
        r"^weights and bias must be finite, not NaN or infinite$",
    ),
    "activation": (
        lambda: MatrixModel(SQUARE, ONES, activation="relu"),
        r"^activation must be one of tanh, clip, linear, fermi, not 'relu'$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
