"""Small reservoirs and inputs for the tests of adaptation."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.model import MatrixModel, RingModel
from rchw.model.scaling import random_sparse, scale_radius
from rchw.reservoir import Reservoir
from rchw.topology import cycle

__all__ = ["matrix", "noise", "ring", "weights_of"]


def noise(samples: int, seed: int = 0, channels: int = 1) -> NDArray[np.float64]:
    """Inputs uniform in (-1, 1), (T, K)."""
    return np.random.default_rng(seed).uniform(-1, 1, (samples, channels))


def matrix(
    n_units: int = 40, radius: float = 0.9, density: float = 1.0, seed: int = 0, **more: Any
) -> MatrixModel:
    """A matrix drawn at random, and one input."""
    rng = np.random.default_rng(seed)
    weights = scale_radius(random_sparse(n_units, density, rng), radius)
    return MatrixModel(weights, rng.uniform(-0.5, 0.5, (1, n_units)), **more)


def ring(n_units: int = 20, feedback: float = 0.9, seed: int = 0, **more: Any) -> RingModel:
    """A cycle with one input of random signs."""
    scaling = more.pop("input_scaling", 0.3)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (1, n_units))
    return RingModel(cycle(n_units, feedback), signs * scaling, **more)


def weights_of(model: Reservoir) -> NDArray[np.float64]:
    """W of a matrix, without its gains."""
    assert isinstance(model, MatrixModel)
    return np.array(model.weights, dtype=np.float64)
