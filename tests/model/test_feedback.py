"""Outputs that return in floating point: the recurrence by hand, a sine by itself, refusals."""

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw import topology
from rchw.errors import DesignError
from rchw.model import FeedbackModel, RingModel
from rchw.reservoir import Reservoir

Values = NDArray[np.float64]
INTO = 0.5 * np.random.default_rng(1).normal(size=(3, 7))
RING = RingModel(topology.cycle(7, 0.8), INTO, 0.1)


def read(states: Values) -> Values:
    """Two outputs, one of them no sum."""
    return np.stack([states.sum(axis=1), states[:, 1] * states[:, 2]], axis=1)


def test_every_sample_sees_the_outputs_of_the_one_before() -> None:
    loop = FeedbackModel(RING, read, 2)
    assert isinstance(loop, Reservoir) and (loop.n_units, loop.n_inputs) == (7, 1)
    inputs = np.random.default_rng(2).normal(size=(12, 1))
    x, y, want = np.zeros(7), np.array([0.3, -0.2]), []
    for u in inputs:
        x = np.tanh(0.8 * np.roll(x, 1) + np.concatenate([u, y]) @ INTO + 0.1)
        y = np.array([x.sum(), x[1] * x[2]])
        want.append(x)
    states, final = loop.advance(inputs, np.array([0.0] * 7 + [0.3, -0.2]))
    np.testing.assert_allclose(states, want, rtol=0, atol=1e-12)
    np.testing.assert_allclose(final, np.concatenate([x, y]), rtol=0, atol=1e-12)


def test_what_is_read_is_what_would_have_been_given() -> None:
    """Under a teacher that says what the loop would have said, the open model goes the same way."""
    states = FeedbackModel(RING, read, 2).run(np.ones((9, 1)))
    fed = np.concatenate([np.zeros((1, 2)), read(states)[:-1]])
    assert np.array_equal(RING.run(np.concatenate([np.ones((9, 1)), fed], axis=1)), states)


@pytest.mark.parametrize("count", [0, 4])
def test_outputs_must_be_inputs_of_the_model(count: int) -> None:
    sentence = rf"^outputs that are fed back must be from 1 to the 3 inputs .*, not {count}$"
    with pytest.raises(DesignError, match=sentence):
        FeedbackModel(RING, read, count)
