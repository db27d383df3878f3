"""Masses in a plane and the springs between them: geometry and constants.

After H. Hauser et al., "Towards a theoretical foundation for morphological computation with
compliant bodies", Biol. Cybern. 105, 355 (2011), as the author's toolbox does it: masses uniform in
a square, springs along the edges of their Delaunay triangulation, which are at rest at the start.
The public fork of the toolbox that was read fixes all masses of the convex hull (``hull``). The
paper is said to fix the leftmost and the rightmost one (``ends``), which is not confirmed.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["ANCHORS", "Lattice", "MassParameters", "SpringParameters"]

ANCHORS = ("ends", "hull")
Values = NDArray[np.float64]
Indices = NDArray[np.int64]
_TOOLBOX = "after Hauser et al. 2011, ranges as in public code that descends from its toolbox"
_CHOSEN = "chosen: middle of ranges in which the tasks of Hauser et al. 2011 succeed in emulation"


@dataclass(frozen=True)
class Lattice:
    """Where masses lie at rest, what joins them, which are fixed and which are pushed.

    Parameters
    ----------
    n_masses : int
    side : float
        Of the square, in metres.
    share : float
        Of all masses that are driven; they are drawn from the free ones, at least one.
    anchors : str
        One of `ANCHORS`: which masses are fixed.
    seed : int
        Of the places and of which masses are driven.
    """

    n_masses: int
    side: float = 10.0
    share: float = 0.2
    anchors: str = "ends"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.n_masses < 4:
            raise DesignError(f"masses must be at least 4, not {self.n_masses}")
        if not 0 < self.side < math.inf:
            raise DesignError(f"side must be finite and above 0 m, not {self.side}")
        if not 0 < self.share <= 1:
            raise DesignError(
                f"share of driven masses must be above 0, at most 1, not {self.share}"
            )
        if self.anchors not in ANCHORS:
            raise DesignError(f"anchors must be one of {', '.join(ANCHORS)}, not {self.anchors!r}")
        if self.seed < 0:
            raise DesignError(f"seed of the lattice must be at least 0, not {self.seed}")
        if not len(self.free()):
            raise DesignError(
                f"masses must include a free one, not {self.n_masses} that are all on the hull"
            )

    def places(self) -> Values:
        """Positions at rest in metres, (masses, 2)."""
        return np.random.default_rng([self.seed, 0]).uniform(0, self.side, (self.n_masses, 2))

    def springs(self) -> Indices:
        """Both ends of each spring, (springs, 2), ordered; the first end is the lesser number."""
        from scipy.spatial import Delaunay

        corners = np.sort(Delaunay(self.places()).simplices, axis=1)
        edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
        return np.unique(edges, axis=0).astype(np.int64)

    def fixed(self) -> Indices:
        """Numbers of the masses that do not move, ascending."""
        from scipy.spatial import ConvexHull

        places = self.places()
        if self.anchors == "hull":
            return np.sort(ConvexHull(places).vertices).astype(np.int64)
        return np.unique([places[:, 0].argmin(), places[:, 0].argmax()]).astype(np.int64)

    def free(self) -> Indices:
        """Numbers of the masses that move, ascending."""
        return np.setdiff1d(np.arange(self.n_masses), self.fixed()).astype(np.int64)

    def driven(self) -> Indices:
        """Numbers of the masses that are pushed, ascending."""
        free = self.free()
        count = min(len(free), max(1, math.ceil(self.share * self.n_masses)))
        drawn = np.random.default_rng([self.seed, 1]).permutation(free)[:count]
        return np.sort(drawn)


@dataclass(frozen=True)
class SpringParameters(Parameters):
    """Of the springs and dampers; each one value, or one per spring."""

    stiffness: Quantity = quantity(30.0, "N/m", _CHOSEN, loose=True, above=0)
    cubic_stiffness: Quantity = quantity(10.0, "N/m^3", _CHOSEN, loose=True, least=0)
    damping: Quantity = quantity(30.0, "N s/m", _CHOSEN, loose=True, least=0)
    cubic_damping: Quantity = quantity(10.0, "N s^3/m^3", _CHOSEN, loose=True, least=0)

    @classmethod
    def drawn(
        cls,
        springs: int,
        seed: int,
        linear: tuple[float, float] = (10.0, 100.0),
        cubic: tuple[float, float] = (1.0, 100.0),
    ) -> "SpringParameters":
        """Draw every constant log-uniformly, as the toolbox does.

        Parameters
        ----------
        springs : int
        seed : int
        linear : pair of float
            Range of stiffness in N/m and of damping in N s/m.
        cubic : pair of float
            Range of the cubic ones in N/m^3 and N s^3/m^3.

        Raises
        ------
        DesignError
            If a range does not rise from above 0.
        """
        drawn = []
        for stream, (low, high) in enumerate((linear, cubic, linear, cubic)):
            if not 0 < low < high < math.inf:
                raise DesignError(
                    f"range of constants must rise from above 0, not go from {low} to {high}"
                )
            rng = np.random.default_rng([seed, stream])
            values = np.exp(rng.uniform(math.log(low), math.log(high), springs))
            drawn.append(tuple(float(value) for value in values))
        return cls(*drawn)


@dataclass(frozen=True)
class MassParameters(Parameters):
    """Of the masses; one value, or one per mass."""

    mass: Quantity = quantity(1.0, "kg", _TOOLBOX, above=0)
