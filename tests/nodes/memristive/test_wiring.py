"""Grids and sticks: crossings by another rule and by their expected number, parts, refusals."""

import math

import numpy as np
import pytest

from rchw.errors import DesignError
from rchw.nodes.memristive.wiring import Wiring, crossings
from tests.nodes.memristive.laws import Values


def random_segments(count: int, length: float, seed: int) -> tuple[Values, Values]:
    """On the unit square, all equally long."""
    rng = np.random.default_rng(seed)
    centres, angles = rng.uniform(0, 1, (count, 2)), rng.uniform(0, np.pi, count)
    half = length / 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return centres - half, centres + half


def side(a: Values, b: Values, c: Values) -> bool:
    """Whether a, b, c turn left."""
    return bool((b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0]))


def test_crossings_are_those_of_another_rule() -> None:
    """Two segments cross if each has the ends of the other on both of its sides."""
    starts, ends = random_segments(120, 0.25, 1)
    exact = [
        (i, j)
        for i in range(120)
        for j in range(i + 1, 120)
        if side(starts[i], ends[i], starts[j]) != side(starts[i], ends[i], ends[j])
        and side(starts[j], ends[j], starts[i]) != side(starts[j], ends[j], ends[i])
    ]
    found = [tuple(pair) for pair in crossings(starts, ends).tolist()]
    assert found == exact
    assert len(exact) > 50


def test_expected_number_of_crossings() -> None:
    """Of two sticks of length L on an area A: 2 L^2 / (pi A), less what the border takes."""
    starts, ends = random_segments(2000, 0.05, 2)
    expected = 2000 * 1999 / 2 * 2 * 0.05**2 / math.pi
    assert len(crossings(starts, ends)) == pytest.approx(expected, rel=0.06)


def test_parallel_segments_do_not_cross() -> None:
    starts = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    ends = np.array([[1.0, 0.0], [2.0, 0.0], [1.0, 1.0]])
    assert crossings(starts, ends).shape == (0, 2)


def test_grid_has_its_edges() -> None:
    plain, crossed = Wiring.grid(4, 5), Wiring.grid(4, 5, diagonals=3)
    assert plain.n_nodes == 20 and plain.n_edges == 4 * 4 + 3 * 5
    assert crossed.n_edges == plain.n_edges + 3 * 4
    for a, b in crossed.edges:
        (xa, ya), (xb, yb) = crossed.positions[a], crossed.positions[b]
        assert math.hypot(xa - xb, ya - yb) < 1.5e-6
    assert crossed == Wiring.grid(4, 5, diagonals=3) != Wiring.grid(4, 5, diagonals=4)
    assert plain.nearest(3.9e-6, 2.8e-6) == 19


def test_sticks_keep_the_largest_part() -> None:
    """A sparse network falls into parts; what is kept is connected, and no bigger part exists."""
    found = Wiring.sticks(400, 5, side=300e-6)
    assert 2 < found.n_nodes < 400
    neighbours: dict[int, set[int]] = {node: set() for node in range(found.n_nodes)}
    for a, b in found.edges:
        neighbours[a].add(b)
        neighbours[b].add(a)
    seen, todo = {0}, [0]
    while todo:
        new = neighbours[todo.pop()] - seen
        seen |= new
        todo += list(new)
    assert len(seen) == found.n_nodes > 100
    assert found == Wiring.sticks(400, 5, side=300e-6)
    assert found != Wiring.sticks(400, 6, side=300e-6)


def test_short_mean_lengths_are_drawn_anew() -> None:
    """A spread that would give negative lengths."""
    assert Wiring.sticks(200, 1, length=40e-6, spread=60e-6, side=200e-6).n_edges > 100


def test_refusals() -> None:
    places = ((0.0, 0.0), (1.0, 0.0), (2.0, 0.0))
    with pytest.raises(DesignError, match="nodes must be at least 2, not 1"):
        Wiring(places[:1], ())
    with pytest.raises(DesignError, match=r"edges must join two of 3 nodes.*not \(1, 1\)"):
        Wiring(places, ((0, 1), (1, 1)))
    with pytest.raises(DesignError, match="edges must be distinct pairs"):
        Wiring(places, ((0, 1), (0, 1), (1, 2)))
    with pytest.raises(DesignError, match="wiring must be connected"):
        Wiring(places, ((0, 1),))
    with pytest.raises(DesignError, match="grid must be at least 1 by 1, not 0 by 3"):
        Wiring.grid(0, 3)
    with pytest.raises(DesignError, match="sticks must be at least 2, not 1"):
        Wiring.sticks(1, 0)
    with pytest.raises(DesignError, match="length must be finite and above 0 m, not 0"):
        Wiring.sticks(10, 0, length=0)
    with pytest.raises(DesignError, match="spread must be finite and at least 0 m, not -1"):
        Wiring.sticks(10, 0, spread=-1)
    with pytest.raises(DesignError, match="sticks must touch: of 3 no two do"):
        Wiring.sticks(3, 0, length=1e-9, spread=0)
