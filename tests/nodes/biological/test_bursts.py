"""Bursts found by hand."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.biological import burst_starts


def test_bursts_by_hand() -> None:
    counts = np.zeros((12, 2))
    counts[[1, 2, 5, 9, 10]] = [1, 2]
    assert burst_starts(counts, 3, 1).tolist() == [1, 5, 9]
    assert burst_starts(counts, 3, 2).tolist() == [1, 5, 9]
    assert burst_starts(counts, 3, 3).tolist() == [1, 9]
    assert burst_starts(counts, 3.5, 1).tolist() == []
    counts[0] = 5
    assert burst_starts(counts, 3, 4).tolist() == [0]


def test_refused_with_the_reason() -> None:
    with pytest.raises(
        DesignError, match=r"readings must have shape \(T, electrodes\), not \(3,\)"
    ):
        burst_starts(np.zeros(3), 1, 1)
    with pytest.raises(DesignError, match=r"level of a burst must be above 0 spikes, not 0"):
        burst_starts(np.zeros((3, 1)), 0, 1)
    with pytest.raises(DesignError, match=r"gap between bursts must be at least 1 sample, not 0"):
        burst_starts(np.zeros((3, 1)), 1, 0)
