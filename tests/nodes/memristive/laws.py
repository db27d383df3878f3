"""What every node promises, whatever it emulates."""

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.node import Node

__all__ = ["assert_promises", "ratio_of_orders"]

Values = NDArray[np.float64]


def assert_promises(node: Node, drives: Values, state: Values | None = None) -> None:
    """Shapes; a run in chunks gives the bits of the whole; arguments are left as they are."""
    assert isinstance(node, Node)
    start = node.start() if state is None else state
    assert start.shape == (node.n_state,) and start.dtype == np.float64
    kept_drives, kept_state = drives.copy(), start.copy()
    whole, after = node.run(drives, start)
    assert whole.shape == (len(drives), node.n_devices * node.n_virtual)
    assert whole.dtype == np.float64 and np.isfinite(whole).all()
    assert after.shape == (node.n_state,)
    assert np.array_equal(drives, kept_drives) and np.array_equal(start, kept_state)
    again, _ = node.run(drives, start)
    assert np.array_equal(again, whole)
    for cut in (0, 1, len(drives) // 3, len(drives)):
        first, between = node.run(drives[:cut], start)
        second, end = node.run(drives[cut:], between)
        assert np.array_equal(np.concatenate([first, second]), whole)
        assert np.array_equal(end, after)


def ratio_of_orders(steps: list[int], errors: list[float]) -> Values:
    """Slopes of the logarithm of the error against that of the number of steps."""
    return np.asarray(-np.diff(np.log(errors)) / np.diff(np.log(steps)))
