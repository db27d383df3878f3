"""Where the neurons of a culture lie, what joins them, and which electrode hears each.

Neurons are uniform in a square that reaches half a pitch beyond a square grid of electrodes without
its corners: eight rows make the usual 60. Neuron i has a synapse on neuron j, a distance d away,
with the probability ``peak exp(-d / scale)``, and none on itself. An electrode hears and excites
the neurons that are nearer to it than to any other, within a radius.

The array is that of common commercial ones, quoted from memory; the wiring is chosen.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError

__all__ = ["Wiring"]

Values = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Wiring:
    """A culture on an array of electrodes.

    Parameters
    ----------
    n_neurons : int
        The first ones are excitatory, the others inhibitory.
    inhibitory : float
        Share of inhibitory neurons.
    rows : int
        Of electrodes; from three on, the corners are left out.
    pitch : float
        Of the electrodes, in metres.
    radius : float
        Within which an electrode hears and excites, in metres.
    peak : float
        Probability of a synapse at no distance.
    scale : float
        Distance in which it falls to 1/e, in metres.
    seed : int
    """

    n_neurons: int
    inhibitory: float = 0.2
    rows: int = 8
    pitch: float = 200e-6
    radius: float = 100e-6
    peak: float = 0.5
    scale: float = 300e-6
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("n_neurons", 1), ("rows", 1), ("seed", 0)):
            if getattr(self, name) < least:
                words = {"n_neurons": "neurons", "rows": "rows", "seed": "seed of the wiring"}[name]
                raise DesignError(f"{words} must be at least {least}, not {getattr(self, name)}")
        for name in ("inhibitory", "peak"):
            if not 0 <= getattr(self, name) <= 1:
                words = {"inhibitory": "inhibitory share", "peak": "peak probability"}[name]
                raise DesignError(f"{words} must be from 0 to 1, not {getattr(self, name)}")
        for name in ("pitch", "radius", "scale"):
            if not 0 < getattr(self, name) < math.inf:
                raise DesignError(f"{name} must be finite and above 0 m, not {getattr(self, name)}")

    @property
    def n_excitatory(self) -> int:
        """Excitatory neurons."""
        return self.n_neurons - round(self.inhibitory * self.n_neurons)

    @property
    def n_electrodes(self) -> int:
        """Electrodes."""
        return self.rows**2 - (4 if self.rows > 2 else 0)

    def places(self) -> Values:
        """Positions of the neurons in metres, (neurons, 2)."""
        rng = np.random.default_rng([self.seed, 0])
        return rng.uniform(0, self.rows * self.pitch, (self.n_neurons, 2))

    def electrodes(self) -> Values:
        """Positions of the electrodes in metres, row by row, (electrodes, 2)."""
        y, x = np.divmod(np.arange(self.rows**2), self.rows)
        last = self.rows - 1
        corner = ((x == 0) | (x == last)) & ((y == 0) | (y == last)) & (self.rows > 2)
        return np.asarray((np.stack([x, y], axis=1)[~corner] + 0.5) * self.pitch)

    def heard(self) -> Indices:
        """Number of the electrode that hears each neuron, -1 where none does; (neurons,)."""
        apart = _distances(self.places(), self.electrodes())
        nearest = apart.argmin(axis=1)
        return np.where(apart.min(axis=1) <= self.radius, nearest, -1).astype(np.int64)

    def synapses(self) -> tuple[Indices, Indices]:
        """Targets of each neuron, in compressed rows.

        Returns
        -------
        first : int64 array (neurons + 1,)
            Neuron i has the targets from ``first[i]`` to below ``first[i + 1]``.
        targets : int64 array (synapses,)
            Ascending within each row.
        """
        places = self.places()
        chance = self.peak * np.exp(-_distances(places, places) / self.scale)
        np.fill_diagonal(chance, 0.0)
        rng = np.random.default_rng([self.seed, 1])
        sources, targets = np.nonzero(rng.uniform(size=chance.shape) < chance)
        first = np.searchsorted(sources, np.arange(self.n_neurons + 1))
        return first.astype(np.int64), targets.astype(np.int64)


def _distances(one: Values, other: Values) -> Values:
    """Between all pairs, (one, other)."""
    return np.hypot(one[:, None, 0] - other[None, :, 0], one[:, None, 1] - other[None, :, 1])
