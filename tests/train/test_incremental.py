"""Readouts that grow by chunks: the same bits in any order, over any partition, on any machine."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train.incremental import IncrementalRidge, pseudo_inverse
from rchw.train.online import GrowingReadout
from rchw.train.ridge import Normal
from rchw.train.statistics import Statistics

Integers = NDArray[np.int64]


def codes(
    seed: int, samples: int = 60, features: int = 4, outputs: int = 2
) -> tuple[Integers, ...]:
    """Integer states, and targets that hang on them."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-2000, 2000, (samples, features))
    x[:, -1] = x[:, 0] // 3 + rng.integers(-9, 9, samples)
    y = (x @ rng.integers(-50, 50, (features, outputs))) // 16 + 77
    return x, y + rng.integers(-300, 300, y.shape)


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e-9, 1e-3]), st.booleans())
def test_any_partition_in_any_order_gives_the_same_bits(
    seed: int, regularisation: float, constant: bool
) -> None:
    x, y = codes(seed)
    if constant:
        x = np.column_stack([x, np.full(len(x), 8)])
    rng = np.random.default_rng(seed)

    def readout() -> IncrementalRidge:
        return IncrementalRidge(x.shape[1], 2, regularisation=regularisation, constant=constant)

    whole = readout()
    whole.update(x, y)
    order, cuts = rng.permutation(len(x)), np.sort(rng.integers(0, len(x), 5))
    clients = [readout() for _ in range(3)]
    for number, part in enumerate(np.split(order, cuts)):
        clients[number % 3].update(x[part], y[part])
    server = readout()
    for client in rng.permutation(np.array(clients, dtype=object)):
        server.merge(client)
    assert server.count == len(x)
    assert server.weights.tobytes() == whole.weights.tobytes()
    assert server.predict(x).tobytes() == whole.predict(x).tobytes()


def test_weights_are_those_of_the_ridge_and_follow_every_chunk() -> None:
    x, y = codes(1)
    readout = IncrementalRidge(4, 2, regularisation=1e-4)
    for end in (20, 40, 60):
        readout.update(x[end - 20 : end], y[end - 20 : end])
        gram = x[:end].T @ x[:end]
        ridge = 1e-4 * np.diag(np.diagonal(gram))  # of standardised features
        wanted = np.linalg.solve(gram + ridge, x[:end].T @ y[:end])
        assert readout.weights == pytest.approx(wanted, rel=1e-8)


def test_one_gram_serves_all_outputs_and_strengths() -> None:
    """Each output with a lambda of its own is what it would be alone, bit for bit."""
    x, y = codes(2, outputs=3)
    lambdas = (1e-9, 1e-2, 1e-9)
    together = IncrementalRidge(4, 3, regularisation=lambdas)
    together.update(x, y)
    for k, value in enumerate(lambdas):
        alone = IncrementalRidge(4, 1, regularisation=value)
        alone.update(x, y[:, [k]])
        assert alone.weights[:, 0].tobytes() == together.weights[:, k].tobytes()
        other = together.weights_with(1e-2)[:, k]
        assert (value == 1e-2) == (other.tobytes() == together.weights[:, k].tobytes())


@pytest.mark.parametrize("constant", [False, True])
def test_the_pseudo_inverse_is_that_of_the_samples(constant: bool) -> None:
    """Also where features repeat: then that of the least norm, and the limit of small ridges."""
    x, y = codes(3)
    x = np.column_stack([x, x[:, 0]])
    if constant:
        x = np.column_stack([x, np.full(len(x), 4)])
    normal = Normal.of(Statistics.of(x, y), constant)
    features = (x[:, :-1] - x[:, :-1].mean(axis=0)) if constant else x
    length = np.sqrt((features.astype(float) ** 2).sum(axis=0))
    centred = y - y.mean(axis=0) if constant else y
    wanted = np.linalg.pinv(features / length, rcond=1e-9) @ centred / length[:, None]
    found = pseudo_inverse(normal)
    size = features.shape[1]
    assert found[:size] == pytest.approx(wanted, rel=1e-6)
    assert found[0] == pytest.approx(found[4], rel=1e-9)
    assert normal.solve(1e-9).weights == pytest.approx(found, rel=1e-4)
    if constant:
        assert (x @ found - y).mean(axis=0) == pytest.approx([0, 0], abs=1e-6)


def test_no_samples_change_nothing() -> None:
    x, y = codes(4)
    readout = IncrementalRidge(4, 2)
    readout.update(x[:0], y[:0])
    assert readout.count == 0
    readout.update(x, y)
    before = readout.weights
    readout.update(x[:0], y[:0])
    readout.merge(IncrementalRidge(4, 2))
    assert readout.weights.tobytes() == before.tobytes() and readout.count == len(x)


def test_it_has_the_shape_of_all_growing_readouts() -> None:
    readout: GrowingReadout = IncrementalRidge(4, 2)
    x, y = codes(5)
    readout.update(x, y)
    assert readout.predict(x).shape == y.shape


X, Y = np.eye(2, dtype=np.int64), np.ones((2, 1), dtype=np.int64)

REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "features": (lambda: IncrementalRidge(0), r"^features must be at least 1, not 0$"),
    "lambda": (
        lambda: IncrementalRidge(2, regularisation=-1.0),
        r"^regularisation must be at least 0 and finite, not -1$",
    ),
    "lambdas": (
        lambda: IncrementalRidge(2, regularisation=(1.0, 2.0)),
        r"^regularisation must be one number, or one for each of 1 outputs, not 2$",
    ),
    "early": (
        lambda: IncrementalRidge(2).weights,
        r"^weights must be asked for after an update, not before the first$",
    ),
    "shapes": (
        lambda: IncrementalRidge(2).update(X, X),
        r"^features and targets must have shapes \(T, 2\) and \(T, 1\), not \(2, 2\), \(2, 2\)$",
    ),
    "floats": (
        lambda: IncrementalRidge(2).update(X + 0.5, Y),
        r"^features and targets must be integers, not float64 and int64$",
    ),
    "merge": (
        lambda: IncrementalRidge(2).merge(IncrementalRidge(3)),
        r"^readouts must have the shape \(2, 1\), not \(3, 1\)$",
    ),
    "tolerance": (
        lambda: pseudo_inverse(Normal.of(Statistics.of(X, Y), False), 1.0),
        r"^rank tolerance must be between 0 and 1, not 1$",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    call, sentence = REFUSED[case]
    with pytest.raises(DesignError, match=sentence):
        call()
