"""Counter-based noise: cut anywhere, of the right law, and independent where it must be."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.noise import _middles, _parts, codes, normals, uniforms
from rchw.nodes.observe import Observation

Draw = Callable[[int, int, int, int], NDArray[np.float64]]


def coarse(samples: int, count: int, first: int, seed: int) -> NDArray[np.float64]:
    return uniforms(samples, count, first, seed, bits=16)


def halved(samples: int, count: int, first: int, seed: int) -> NDArray[np.float64]:
    return uniforms(samples, count, first, seed, bits=32)


@pytest.mark.parametrize("draw", [normals, uniforms, coarse, halved])
@pytest.mark.parametrize("count", [1, 4, 7, 17])
@pytest.mark.parametrize("first", [0, 5, 2**40])
def test_chunks_are_the_whole(draw: Draw, count: int, first: int) -> None:
    whole = draw(11, count, first, 3)
    assert whole.shape == (11, count) and whole.dtype == np.float64
    parts = [draw(length, count, first + at, 3) for at, length in ((0, 4), (4, 1), (5, 6))]
    assert np.array_equal(np.concatenate(parts), whole)
    assert draw(0, count, first, 3).shape == (0, count)


def test_numbers_are_known() -> None:
    """The words of the generator itself, by hand: count 0 and 1 of stream 1, four words each."""
    words = np.random.Philox(key=9, counter=2**192).random_raw(8).reshape(2, 4)
    expected = ((words[:, :3] >> np.uint64(12)) + 0.5) / 2.0**52
    assert np.array_equal(uniforms(2, 3, 0, 9), expected)
    low, high = words & np.uint64(2**32 - 1), words >> np.uint64(32)
    both = np.stack([low, high], axis=2)[0].ravel()
    assert np.array_equal(uniforms(1, 8, 0, 9, bits=32)[0], (both + 0.5) / 2.0**32)
    quarter = [(int(words[0, 0]) >> shift) & 0xFFFF for shift in (0, 16, 32, 48)]
    expected = (np.array(quarter) + 0.5) / 2.0**16
    assert np.array_equal(uniforms(1, 5, 0, 9, bits=16)[0, :4], expected)
    assert codes(1, 5, 0, 9, bits=16)[0, :4].tolist() == quarter
    assert codes(1, 8, 0, 9, bits=32)[0].tolist() == both.tolist()


def test_moments() -> None:
    """Within five standard errors of the exact ones, for 400,000 numbers."""
    flat = normals(40_000, 10, 0, 1).ravel()
    root = math.sqrt(flat.size)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((flat**power).mean() - mean) < 5 * math.sqrt(variance) / root
    for draw in (uniforms, coarse, halved):
        unit = draw(40_000, 10, 0, 2).ravel()
        for power in (1, 2, 3):
            middle = 1 / (power + 1)
            deviation = math.sqrt(1 / (2 * power + 1) - middle**2)
            assert abs((unit**power).mean() - middle) < 5 * deviation / root


def correlation(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Greatest correlation of a column of one with a column of two, in standard errors."""
    product = np.abs(one.T @ two) / math.sqrt(len(one))
    return float(product.max())


def test_columns_samples_seeds_and_streams_are_independent() -> None:
    """No correlation above five standard errors: within a block of four words or across blocks."""
    noise = normals(20_000, 9, 0, 4)
    for made in (noise, (coarse(20_000, 9, 0, 4) - 0.5) * math.sqrt(12)):
        gram = made.T @ made / math.sqrt(len(made))
        assert np.abs(gram - np.diag(np.diag(gram))).max() < 5
    for lag in (1, 2, 3):
        assert correlation(noise[:-lag], noise[lag:]) < 5
    assert correlation(noise, normals(20_000, 9, 0, 5)) < 5
    assert correlation(noise, normals(20_000, 9, 0, 4, stream=2)) < 5
    assert correlation(noise, noise) > 100


def test_a_device_does_not_share_the_noise_of_its_detector() -> None:
    """Both have seed 0 by default, and often the same count."""
    seen = Observation(noise_absolute=1.0).observe(np.zeros((20_000, 4)), 1.0, np.zeros(4), 0)
    assert correlation(seen.values, normals(20_000, 4, 0, 0)) < 5
    assert np.array_equal(seen.values, normals(20_000, 4, 0, 0, stream=0))


def test_ends_are_excluded() -> None:
    """Words of only zeros or ones stay within, as far from 0 as from 1."""
    for bits in (16, 32, 52):
        found = _middles(_parts(np.array([0, 2**64 - 1], dtype=np.uint64), bits), bits)
        assert 0 < found[0] == 1 - found[-1] and found[-1] < 1


@pytest.mark.parametrize("draw", [normals, uniforms])
def test_negative_arguments_are_refused(draw: Draw) -> None:
    with pytest.raises(DesignError, match=r"^samples must be at least 0, not -1$"):
        draw(-1, 1, 0, 0)
    with pytest.raises(DesignError, match=r"^numbers per sample must be at least 0, not -2$"):
        draw(1, -2, 0, 0)
    with pytest.raises(DesignError, match="number of the first sample must be at least 0"):
        draw(1, 1, -1, 0)
    with pytest.raises(DesignError, match="seed of the noise must be at least 0, not -7"):
        draw(1, 1, 0, -7)
    with pytest.raises(DesignError, match="stream of the noise must be at least 0, not -1"):
        uniforms(1, 1, 0, 0, stream=-1)
    with pytest.raises(DesignError, match=r"^bits of a random number must be 16, 32 or 52, not 8$"):
        uniforms(1, 1, 0, 0, bits=8)
