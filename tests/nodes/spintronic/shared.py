"""What every spintronic node is tested for in the same way."""

import numpy as np
from numpy.typing import NDArray

from rchw.nodes.node import Node

Values = NDArray[np.float64]


def currents(node: Node, samples: int, low: float, high: float, seed: int = 0) -> Values:
    """Drives (T, D), uniform between two ends."""
    return np.random.default_rng(seed).uniform(low, high, (samples, node.n_drives))


def obeys_the_contract(node: Node, drives: Values) -> None:
    """Shapes, types, purity, and the same bits in chunks as in one piece."""
    assert isinstance(node, Node)
    begin = node.start()
    assert begin.shape == (node.n_state,) and begin.dtype == np.float64
    copies = drives.copy(), begin.copy()
    readings, end = node.run(drives, begin)
    assert readings.shape == (len(drives), node.n_devices * node.n_virtual)
    assert readings.dtype == np.float64 and np.isfinite(readings).all()
    assert end.shape == begin.shape and not np.array_equal(end, begin)
    assert np.array_equal(drives, copies[0]) and np.array_equal(begin, copies[1])
    state, parts = begin, []
    for cut in (slice(0, 1), slice(1, 4), slice(4, 4), slice(4, None)):
        part, state = node.run(drives[cut], state)
        parts.append(part)
    assert np.array_equal(np.concatenate(parts), readings) and np.array_equal(state, end)


def slope(steps: list[float], errors: list[float]) -> float:
    """Order of convergence: slope of the error against the step, in logarithms."""
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])
