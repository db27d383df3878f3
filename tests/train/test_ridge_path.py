"""Ridge weights from one decomposition, against least squares and where a Gram matrix fails."""

import math

import numpy as np
import pytest

from rchw.train.ridge_path import ridge_path


@pytest.mark.parametrize("shape", [(40, 7), (30, 30), (12, 20)])
def test_ridge_path_equals_least_squares_of_the_augmented_system(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    z, y = rng.standard_normal(shape), rng.standard_normal((shape[0], 2))
    lambdas = [1e-6, 1e-3, 0.1, 10.0]
    weights, singular = ridge_path(z, y, lambdas)
    assert weights.shape == (4, shape[1], 2)
    for value, found in zip(lambdas, weights, strict=True):
        penalty = math.sqrt(value * shape[0]) * np.eye(shape[1])
        system = np.concatenate([z, penalty]), np.concatenate([y, np.zeros((shape[1], 2))])
        np.testing.assert_allclose(found, np.linalg.lstsq(*system)[0], rtol=1e-8, atol=1e-10)
    expected = np.linalg.svd(z / math.sqrt(shape[0]), compute_uv=False)
    np.testing.assert_allclose(singular, expected, rtol=1e-10, atol=1e-12)


def test_ridge_path_keeps_directions_that_a_gram_matrix_loses() -> None:
    rng = np.random.default_rng(2)
    left = np.linalg.qr(rng.standard_normal((300, 3)))[0] * math.sqrt(300)
    right = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    scales = np.array([1.0, 1e-4, 1e-10])  # squared: 1e-20, far below the 1e-16 of float64
    z = (left * scales) @ right.T
    wanted = right @ np.array([[1.0], [1e4], [1e10]])
    weights, singular = ridge_path(z, z @ wanted, [1e-24])
    np.testing.assert_allclose(singular, scales, rtol=1e-5)
    np.testing.assert_allclose(z @ weights[0], z @ wanted, rtol=0, atol=1e-3)
    shrunk = right.T @ ridge_path(z, z @ wanted, [1e-14])[0][0]
    np.testing.assert_allclose(shrunk[1, 0], 1e4 * 1e-8 / (1e-8 + 1e-14), rtol=1e-6)
    assert abs(shrunk[2, 0]) < 1e10 * 1e-20 / 1e-14 * 1.01  # lambda takes out the third
