"""Laws of the cells on given random numbers; their statistics are in `test_crossbar`."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.cells import drift, flicker_deviation, program, quantize

HIGH = 25e-6


def test_levels_include_both_ends() -> None:
    """One bit: the two ends; two bits from 1 to 4: each whole number."""
    given = np.array([1.0, 1.4, 2.6, 3.9, 4.0])
    assert quantize(given, 1.0, 4.0, 2) == pytest.approx([1, 1, 3, 4, 4])
    assert quantize(given, 1.0, 4.0, 1) == pytest.approx([1, 1, 4, 4, 4])
    assert np.array_equal(quantize(given, 1.0, 4.0, None), given)


def test_ideal_cells_stay_as_they_are() -> None:
    given, drawn = np.array([1e-6, 2e-6]), np.array([1.0, -3.0])
    assert np.array_equal(program(given, HIGH, "ideal", drawn), given)
    assert np.array_equal(drift(given, HIGH, "ideal", 1e6, 20.0, drawn), given)


def test_error_by_hand() -> None:
    """At x = 1 of 25 uS sigma is 1.05538 uS; of rram at 40 uS it is 1.103 uS at 1 s."""
    assert program(np.array([HIGH]), HIGH, "pcm", np.array([2.0]))[0] == pytest.approx(
        25e-6 + 2 * 1.05538e-6
    )
    assert program(np.array([40e-6]), 40e-6, "rram", np.array([-1.0]))[0] == pytest.approx(
        40e-6 - 1.103e-6
    )


def test_drift_by_hand() -> None:
    """Mean 0.049 at the highest conductance, 0.1 at the least; after 10 t0."""
    given = np.array([HIGH, 1e-4 * HIGH])
    found = drift(given, HIGH, "pcm", 200.0, 20.0, np.zeros(2))
    assert found / given == pytest.approx([10**-0.049, 10**-0.1], rel=1e-12)
    one = drift(given, HIGH, "pcm", 200.0, 20.0, np.ones(2))
    assert one / given == pytest.approx([10**-0.057, 10**-0.145], rel=1e-12)


def test_flicker_by_hand() -> None:
    """Limited to a fifth at small conductances; at t = 20 s the root of ln(4e7) is 4.184."""
    given = np.array([HIGH, 1e-3 * HIGH, 0.0])
    root = np.sqrt(np.log((20 + 250e-9) / 500e-9))
    assert root == pytest.approx(4.184, abs=1e-3)
    found = flicker_deviation(given, HIGH, 20.0, 250e-9)
    assert found == pytest.approx([0.0088 * HIGH * root, 0.2e-3 * HIGH * root, 0.0], rel=1e-12)


def test_times_without_a_law_are_refused() -> None:
    given = np.array([1e-6])
    with pytest.raises(DesignError, match="time of pcm must be 0 or at least 20 s, not 1"):
        drift(given, HIGH, "pcm", 1.0, 20.0, given)
    with pytest.raises(DesignError, match="time of rram must be one of 1, 86400, 172800 s, not 2"):
        drift(given, HIGH, "rram", 2.0, 20.0, given)
