"""The order of drives and readings, and the refusals that the nodes share."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.spintronic.layout import by_device, by_time, check_node, whole_steps


def test_by_hand() -> None:
    """Two devices with three virtual nodes: 10 d + k is drive k of device d."""
    drives = np.array([[0, 1, 2, 10, 11, 12], [100, 101, 102, 110, 111, 112]], dtype=float)
    in_time = [[0, 10], [1, 11], [2, 12], [100, 110], [101, 111], [102, 112]]
    assert np.array_equal(by_time(drives, 2), in_time)
    assert np.array_equal(by_device(by_time(drives, 2), 3), drives)
    assert by_device(by_time(drives[:0], 2), 3).shape == (0, 6)


def test_steps_fill_the_interval() -> None:
    assert whole_steps(1e-9, 1e-12) == 1000
    assert whole_steps(0.3, 0.1) == 3
    with pytest.raises(DesignError, match=r"^interval must be a multiple of the step 1e-12 s"):
        whole_steps(1.5e-12, 1e-12)
    with pytest.raises(DesignError, match="not 1e-13 s"):
        whole_steps(1e-13, 1e-12)


def test_refusals() -> None:
    check_node(1, 1, 0, interval=1e-9)
    with pytest.raises(DesignError, match=r"^devices must be at least 1, not 0$"):
        check_node(0, 1, 0)
    with pytest.raises(DesignError, match=r"^virtual nodes must be at least 1, not -1$"):
        check_node(1, -1, 0)
    with pytest.raises(DesignError, match=r"^seed of the node must be at least 0, not -1$"):
        check_node(1, 1, -1)
    for value in (0.0, np.inf, np.nan):
        with pytest.raises(DesignError, match=f"^step must be finite and above 0, not {value}$"):
            check_node(1, 1, 0, step=value)
