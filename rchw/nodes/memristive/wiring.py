"""Which wires of a network touch: regular grids, and sticks dropped at random.

A node of the network is a wire, an edge a junction of two. Sticks have normally distributed lengths
(drawn anew below 0), centres uniform on a square and uniform directions; two are joined where they
cross. Source: the generator published with G. Milano et al., Neural Networks 150, 137 (2022), which
was read; adapted there from A. Loeffler et al., Front. Neurosci. 14, 184 (2020), which was not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["Wiring", "crossings"]

Values = NDArray[np.float64]
Places = NDArray[np.int64]


def crossings(starts: Values, ends: Values) -> Places:
    """Pairs of segments that cross, int64 array (E, 2), each with the lower number first.

    Parameters
    ----------
    starts, ends : float64 array (N, 2)
        Of the segments. Those that are parallel do not cross.
    """
    along = ends - starts
    found = [np.zeros((0, 2), np.int64)]
    for i in range(len(starts) - 1):
        rest = slice(i + 1, None)
        gap, other = starts[rest] - starts[i], along[rest]
        turn = along[i, 0] * other[:, 1] - along[i, 1] * other[:, 0]
        safe = np.where(turn == 0, 1.0, turn)
        # Where the lines meet, as a share of the way along the one and the other.
        here = (gap[:, 0] * other[:, 1] - gap[:, 1] * other[:, 0]) / safe
        there = (gap[:, 0] * along[i, 1] - gap[:, 1] * along[i, 0]) / safe
        meet = (turn != 0) & (here >= 0) & (here <= 1) & (there >= 0) & (there <= 1)
        partners = np.flatnonzero(meet) + i + 1
        found.append(np.stack([np.full(partners.size, i), partners], axis=1))
    return np.concatenate(found)


@dataclass(frozen=True)
class Wiring:
    """A connected network of wires.

    Parameters
    ----------
    positions : tuple of (float, float)
        Of the nodes, in metres.
    edges : tuple of (int, int)
        Two different nodes each, the lower first, no pair twice.
    """

    positions: tuple[tuple[float, float], ...]
    edges: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        if self.n_nodes < 2:
            raise DesignError(f"nodes must be at least 2, not {self.n_nodes}")
        for edge in self.edges:
            if not 0 <= edge[0] < edge[1] < self.n_nodes:
                raise DesignError(
                    f"edges must join two of {self.n_nodes} nodes, the lower first, not {edge}"
                )
        if len(set(self.edges)) < len(self.edges):
            raise DesignError("edges must be distinct pairs, not the same pair twice")
        if (_parts(self.n_nodes, self.pairs) != 0).any():
            raise DesignError("wiring must be connected, not fall into parts")

    @property
    def n_nodes(self) -> int:
        """Number of wires."""
        return len(self.positions)

    @property
    def n_edges(self) -> int:
        """Number of junctions E."""
        return len(self.edges)

    @property
    def pairs(self) -> Places:
        """Edges as int64 array (E, 2)."""
        return np.array(self.edges, dtype=np.int64).reshape(-1, 2)

    @classmethod
    def grid(cls, rows: int, columns: int, *, diagonals: int | None = None) -> "Wiring":
        """A rectangular grid with its nodes row by row, 1 um apart.

        Parameters
        ----------
        rows, columns : int
        diagonals : int, optional
            Seed of one random diagonal in each square; None draws none.
        """
        if min(rows, columns) < 1:
            raise DesignError(f"grid must be at least 1 by 1, not {rows} by {columns}")
        number = np.arange(rows * columns).reshape(rows, columns)
        pairs = [
            np.stack([number[:, :-1].ravel(), number[:, 1:].ravel()], axis=1),
            np.stack([number[:-1].ravel(), number[1:].ravel()], axis=1),
        ]
        if diagonals is not None:
            falls = np.random.default_rng(diagonals).integers(0, 2, (rows - 1, columns - 1)) == 1
            upper = np.where(falls, number[:-1, :-1], number[:-1, 1:])
            lower = np.where(falls, number[1:, 1:], number[1:, :-1])
            pairs.append(np.stack([upper.ravel(), lower.ravel()], axis=1))
        places = [(1e-6 * k, 1e-6 * n) for n in range(rows) for k in range(columns)]
        return cls(tuple(places), _tuples(np.concatenate(pairs)))

    @classmethod
    def sticks(
        cls,
        count: int,
        seed: int,
        *,
        length: float = 40e-6,
        spread: float = 14e-6,
        side: float = 500e-6,
    ) -> "Wiring":
        """Sticks on a square; of the network the largest connected part is kept.

        Parameters
        ----------
        count : int
            Sticks that are dropped. With the other defaults 1500 make the published network.
        seed : int
        length, spread : float
            Mean and standard deviation of the lengths, in metres.
        side : float
            Of the square, in metres.

        Raises
        ------
        DesignError
            If fewer than two sticks touch.
        """
        for name, value in (("length", length), ("side", side)):
            if not 0 < value < np.inf:
                raise DesignError(f"{name} must be finite and above 0 m, not {value}")
        if not 0 <= spread < np.inf:
            raise DesignError(f"spread must be finite and at least 0 m, not {spread}")
        if count < 2:
            raise DesignError(f"sticks must be at least 2, not {count}")
        rng = np.random.default_rng(seed)
        lengths = rng.normal(length, spread, count)
        while (lengths < 0).any():
            short = lengths < 0
            lengths[short] = rng.normal(length, spread, int(short.sum()))
        centres = rng.uniform(0, side, (count, 2))
        angles = rng.uniform(0, np.pi, count)
        half = lengths[:, None] / 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        pairs = crossings(centres - half, centres + half)
        part = _parts(count, pairs)
        kept = np.flatnonzero(part == np.bincount(part).argmax())
        if len(kept) < 2:
            raise DesignError(f"sticks must touch: of {count} no two do, drop more or longer ones")
        number = np.full(count, -1)
        number[kept] = np.arange(len(kept))
        pairs = number[pairs[(number[pairs] >= 0).all(axis=1)]]
        return cls(tuple((float(x), float(y)) for x, y in centres[kept]), _tuples(pairs))

    def nearest(self, x: float, y: float) -> int:
        """Node whose position is nearest to a point in metres, where an electrode may be put."""
        places = np.array(self.positions)
        return int(np.hypot(places[:, 0] - x, places[:, 1] - y).argmin())


def _tuples(pairs: Places) -> tuple[tuple[int, int], ...]:
    return tuple((int(a), int(b)) for a, b in pairs)


def _parts(nodes: int, pairs: Places) -> Places:
    """Number of the connected part of each node."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    joined = csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(nodes, nodes))
    _, part = connected_components(joined, directed=False)
    return np.asarray(part, dtype=np.int64)
