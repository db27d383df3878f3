"""Wires of a crossbar against a dense nodal solution of its own, by hand, and by known losses."""

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.wires import transfer
from tests.nodes.memristive.laws import Values


def dense_currents(conductances: Values, segment: float, voltages: Values) -> Values:
    """Kirchhoff's laws node by node, device voltages and all, with a dense solver.

    The unknowns are ordered otherwise than in the package: crossing by crossing.
    """
    rows, columns = conductances.shape
    size = 2 * rows * columns
    matrix, right = np.zeros((size, size)), np.zeros(size)
    for n in range(rows):
        for k in range(columns):
            top, bottom = 2 * (n * columns + k), 2 * (n * columns + k) + 1
            # Current into the row node: from the left, to the right, down the device.
            if k == 0:
                matrix[top, top] += 1 / segment
                right[top] += voltages[n] / segment
            else:
                matrix[top, top] += 1 / segment
                matrix[top, top - 2] -= 1 / segment
            if k < columns - 1:
                matrix[top, top] += 1 / segment
                matrix[top, top + 2] -= 1 / segment
            matrix[top, top] += conductances[n, k]
            matrix[top, bottom] -= conductances[n, k]
            # Into the column node: from the device, from above, and down to the next or to 0 V.
            matrix[bottom, bottom] += conductances[n, k] + 1 / segment
            matrix[bottom, top] -= conductances[n, k]
            if n > 0:
                matrix[bottom, bottom] += 1 / segment
                matrix[bottom, bottom - 2 * columns] -= 1 / segment
            if n < rows - 1:
                matrix[bottom, bottom + 2 * columns] -= 1 / segment
    solved = np.linalg.solve(matrix, right)
    return np.array([solved[2 * ((rows - 1) * columns + k) + 1] / segment for k in range(columns)])


def random_array(rows: int, columns: int, seed: int) -> Values:
    """From 10 to 100 microsiemens."""
    return np.random.default_rng(seed).uniform(10e-6, 100e-6, (rows, columns))


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (5, 1), (1, 4), (16, 16), (20, 7)])
@pytest.mark.parametrize("segment", [0.35, 10.0, 1000.0])
def test_sparse_solution_is_the_dense_one(rows: int, columns: int, segment: float) -> None:
    conductances = random_array(rows, columns, 1)
    conductances[0, -1] = 0.0  # an open device
    voltages = np.random.default_rng(2).uniform(-0.2, 0.2, rows)
    exact = dense_currents(conductances, segment, voltages)
    found = voltages @ transfer(conductances, segment)
    assert np.abs(found - exact).max() <= 1e-9 * np.abs(exact).max()


@pytest.mark.parametrize(
    ("size", "segment", "loss", "digit"),
    [
        (16, 0.35, 0.004, 0.001),
        (16, 2.5, 0.027, 0.001),
        (16, 10.0, 0.099, 0.001),
        (64, 0.35, 0.051, 0.001),
        (64, 2.5, 0.27, 0.01),
        (64, 10.0, 0.59, 0.01),
    ],
)
def test_mean_losses_of_current(size: int, segment: float, loss: float, digit: float) -> None:
    """As tabulated in physical.md for 10 to 100 microsiemens, to the last digit given there."""
    conductances = random_array(size, size, 0)
    currents = transfer(conductances, segment).sum(axis=0)  # 1 V on every row
    assert 1 - currents.sum() / conductances.sum() == pytest.approx(loss, abs=0.6 * digit)


def test_one_device_by_hand() -> None:
    """Two segments and the device in series."""
    found = transfer(np.array([[1e-3]]), 50.0)
    assert found[0, 0] == pytest.approx(1 / (1000 + 100), rel=1e-12)


def test_ladder_by_hand() -> None:
    """One row, two columns: the first device hangs between the segments of the row."""
    r, g = 100.0, 1e-3
    branch = 1 / (1 / g + r)  # a device and its segment of column
    behind = 1 / (r + 1 / branch)  # what follows the first crossing
    first = (1 / r) / (1 / r + branch + behind)  # voltage there, for 1 V
    found = transfer(np.array([[g, g]]), r)
    assert found[0] == pytest.approx([first * branch, first * behind], rel=1e-12)


def test_ideal_wires_are_the_limit() -> None:
    conductances = random_array(6, 4, 3)
    assert np.array_equal(transfer(conductances, 0.0), conductances)
    small = transfer(conductances, 1e-4)
    assert np.abs(small / conductances - 1).max() < 1e-6
    assert (small < conductances).all()


def test_far_devices_lose_most() -> None:
    """The last column and the first row are furthest from driver and ground."""
    found = transfer(np.full((8, 8), 50e-6), 10.0)
    assert found.argmin() == 7 and found.argmax() == 56


def test_refusals() -> None:
    with pytest.raises(DesignError, match=r"conductances must have shape \(N, L\)"):
        transfer(np.ones(3), 1.0)
    with pytest.raises(DesignError, match="conductances must be finite and at least 0 S, not -1"):
        transfer(-np.ones((2, 2)), 1.0)
    with pytest.raises(DesignError, match="resistance of a segment must be finite and at least 0"):
        transfer(np.ones((2, 2)), -1.0)
