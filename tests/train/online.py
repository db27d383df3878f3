"""States of a driven random network, to learn online from."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["driven"]

Values = NDArray[np.float64]


def driven(n_units: int, samples: int, outputs: int = 1, seed: int = 0) -> tuple[Values, Values]:
    """States (T, N) and targets (T, L): products of past inputs, which a readout nearly gets."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n_units, n_units))
    matrix *= 0.9 / np.abs(np.linalg.eigvals(matrix)).max()
    weights, inputs = rng.uniform(-1, 1, n_units), rng.uniform(-1, 1, samples)
    states, state = np.empty((samples, n_units)), np.zeros(n_units)
    for t in range(samples):
        state = np.tanh(matrix @ state + weights * inputs[t])
        states[t] = state
    past = [np.roll(inputs, k + 1) * np.roll(inputs, k + 3) for k in range(outputs)]
    return states, np.stack(past, axis=1) + 0.01 * rng.normal(size=(samples, outputs))
