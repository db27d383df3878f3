"""Compiled loops of training give the bits of the numpy code, which is their definition."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.train import quantize as rounding
from rchw.train import ridge
from rchw.train.compiled import kernels
from rchw.train.ridge import LAMBDAS, Normal
from rchw.train.statistics import Statistics

Values = NDArray[np.float64]
SIZES = (1, 2, 3, 5, 8, 63, 64, 65, 130)  # around four rows at a time, and blocks of 64


def normal_of(size: int, outputs: int, seed: int) -> Normal:
    """Features that are nearly dependent, so that every rounding shows."""
    rng = np.random.default_rng(seed)
    latent = rng.integers(-40, 41, (3 * size + 20, max(1, size // 3)))
    mixed = latent @ rng.integers(-3, 4, (latent.shape[1], size))
    features = mixed + rng.integers(-4, 5, mixed.shape)
    targets = (features @ rng.integers(-9, 10, (size, outputs))) * 1000 + 7
    ones = np.ones((len(features), 1), dtype=np.int64)
    return Normal.of(Statistics.of(np.hstack([features, ones]), targets), constant=True)


def everything(normal: Normal, width: int) -> list[bytes]:
    """Bits of all that is solved and rounded."""
    found: list[bytes] = []
    for solution in normal.solve_all((*LAMBDAS, 0.5)):
        parts: list[Any] = [solution.weights, solution.lower, solution.diagonal]
        result = rounding.quantize(normal, solution, width)
        parts += [row.weights for row in (*result.rows, *result.compensated, *result.nearest)]
        found += [np.asarray(part).tobytes() for part in parts]
        found.append(repr([row.error for row in result.rows]).encode())
    return found


@pytest.mark.parametrize("size", SIZES)
def test_the_same_bits_as_in_numpy(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernels() is not None
    normal = normal_of(size, 1 + size % 3, size)
    fast = everything(normal, 4 + size % 7)
    for module in (ridge, rounding):
        monkeypatch.setattr(module, "kernels", lambda: None)
    assert everything(normal, 4 + size % 7) == fast


def test_a_pivot_that_is_not_positive_is_named_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.eye(9)
    matrix[4, 5] = matrix[5, 4] = 1.0
    told = []
    for _ in range(2):
        with pytest.raises(DesignError, match=r"^regularisation must be large enough") as error:
            ridge.factor(matrix)
        told.append(str(error.value))
        monkeypatch.setattr(ridge, "kernels", lambda: None)
    assert told == ["regularisation must be large enough for pivot 5, not 0.0"] * 2


def test_a_fused_product_would_be_seen() -> None:
    """Of these matrices some element does change if a product is not rounded before it is added."""
    normal = normal_of(30, 1, 0)
    matrix = normal.correlation + np.diag(np.full(30, 1e-6))
    _, diagonal = ridge.factor(matrix)
    wide = matrix.astype(np.longdouble)
    for i in range(30):
        for j in range(i):
            rounded = (wide[j, i] / wide[j, j]).astype(np.float64)
            fused = wide[i, i:] - np.longdouble(rounded) * wide[j, i:]
            wide[i, i:] = fused.astype(np.float64)
    assert not np.array_equal(np.diagonal(wide).astype(np.float64), diagonal)
    assert np.allclose(np.diagonal(wide).astype(np.float64), diagonal, rtol=1e-3)
