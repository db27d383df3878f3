"""A passive network of waveguides on silicon, connected as a swirl; only the detectors square.

With t_d the delay of a waveguide, C the amplitudes from node to node, W those of the sources::

    a(t) = D [C a(t - t_d) + W s(t)],    D = diag(10^(-dB / 20) exp(i phi)),    readings |a|^2

Nodes stand in rows and columns. In the upper half of the rows light goes east, else west; in the
left half of the columns north, else south. So a node has at most two neighbours that it sends to
and two that it hears. The weight of a direction is the product of the power ratios of its splitter
and its combiner, 1/2 times 1/2 for 1 x 2 couplers everywhere, and C holds its root. In a combiner
inputs in phase add without loss and the power of inputs in antiphase is radiated.

A source joins its node through one more combiner, which costs half of the power of either side. All
delays are the same, so one product of matrices is one t_d, without error.

Source: K. Vandoorne et al., Nat. Commun. 5, 3541 (2014), of which the abstract was read; topology
and default parameters are those of public code made to equal the authors' simulator.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.node import checked_drives, checked_state
from rchw.nodes.parameters import Parameters, Quantity, quantity

__all__ = ["Swirl", "SwirlParameters"]

Values = NDArray[np.float64]
Complexes = NDArray[np.complex128]
_CODE = "public code after the simulator of Vandoorne et al. (2014)"
_LIGHT = 299_792_458.0  # m/s
_ROUNDING = 1e-12


@dataclass(frozen=True)
class SwirlParameters(Parameters):
    """Of the waveguides; each one value, or one per node of the network."""

    loss: Quantity = quantity(300.0, "dB/m", _CODE, least=0)
    group_index: Quantity = quantity(4.0, "1", _CODE, above=0)
    phase_error: Quantity = quantity(0.0, "rad", "chosen: added to the random static phases")


@dataclass(frozen=True)
class Swirl:
    """A swirl of `height` times `width` nodes, each of them read.

    Parameters
    ----------
    height, width : int
        Rows and columns; nodes count row by row.
    parameters : SwirlParameters
    sources : tuple of int, optional
        Nodes where light enters, one drive each; by default every second one of the first column.
    n_virtual : int
        Readings of each node per sample; the drives are constant for a sample.
    hops : int
        Delays between readings.
    delay : float
        Of each waveguide, t_d in seconds.
    weights : tuple of float
        Power weights of a hop north, east, south and west.
    seed : int
        Of the static phases, uniform from 0 to 2 pi.
    limit : float
        Largest magnitude of a drive, the field of a source.
    """

    height: int = 4
    width: int = 4
    parameters: SwirlParameters = field(default_factory=SwirlParameters)
    sources: tuple[int, ...] | None = None
    n_virtual: int = 1
    hops: int = 1
    delay: float = 6.25e-12
    weights: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    seed: int = 0
    limit: float = 1.0
    drive_unit: str = field(default="W^0.5", init=False)
    reading_unit: str = field(default="W", init=False)

    def __post_init__(self) -> None:
        for name in ("height", "width", "n_virtual", "hops"):
            if getattr(self, name) < 1:
                words = {"n_virtual": "virtual nodes"}.get(name, name)
                raise DesignError(f"{words} must be at least 1, not {getattr(self, name)}")
        for name in ("delay", "limit"):
            if not 0 < getattr(self, name) < np.inf:
                raise DesignError(f"{name} must be finite and above 0, not {getattr(self, name)}")
        if self.seed < 0:
            raise DesignError(f"seed of the phases must be at least 0, not {self.seed}")
        if len(set(self._sources)) != len(self._sources) or not self._sources:
            raise DesignError(f"sources must be distinct nodes, not {self._sources}")
        for source in self._sources:
            if not 0 <= source < self.n_devices:
                raise DesignError(f"source must be from 0 to {self.n_devices - 1}, not {source}")
        if len(self.weights) != 4 or not all(0 <= weight <= 1 for weight in self.weights):
            raise DesignError(f"weights must be four numbers from 0 to 1, not {self.weights}")
        gain = np.linalg.svd(self.couplings, compute_uv=False)[0]
        if not gain <= 1 + _ROUNDING:
            raise DesignError(
                f"weights must leave the network passive, not amplify some field by {gain:.4g}"
            )
        self.parameters.of_devices(self.n_devices)

    @property
    def _sources(self) -> tuple[int, ...]:
        if self.sources is None:
            return tuple(range(0, self.n_devices, 2 * self.width))
        return self.sources

    @property
    def n_devices(self) -> int:
        """Nodes of the network."""
        return self.height * self.width

    @property
    def n_drives(self) -> int:
        """One field per source."""
        return len(self._sources)

    @property
    def n_state(self) -> int:
        """Real and imaginary part of each node."""
        return 2 * self.n_devices

    @property
    def interval(self) -> float:
        """Seconds between readings."""
        return self.hops * self.delay

    @cached_property
    def couplings(self) -> Values:
        """C without the combiners of sources: amplitude to node (row) from node (column)."""
        rows, columns = self.height, self.width
        north, east, south, west = np.sqrt(np.array(self.weights))
        found = np.zeros((self.n_devices, self.n_devices))
        for r in range(rows):
            for c in range(columns):
                here = r * columns + c
                if c + 1 < columns:
                    if r < rows // 2:
                        found[here + 1, here] = east
                    else:
                        found[here, here + 1] = west
                if r + 1 < rows:
                    if c < columns // 2:
                        found[here, here + columns] = north
                    else:
                        found[here + columns, here] = south
        return found

    @cached_property
    def matrices(self) -> tuple[Complexes, Complexes]:
        """D C and D W with the combiners of the sources, complex (n, n) and (n, sources)."""
        p = self.parameters.of_devices(self.n_devices)
        length = _LIGHT / p["group_index"] * self.delay
        drawn = np.random.default_rng(self.seed).uniform(0, 2 * np.pi, self.n_devices)
        phases = drawn + p["phase_error"]
        along = 10 ** (-p["loss"] * length / 20) * np.exp(1j * phases)
        joined = self.couplings.copy()
        joined[list(self._sources)] *= np.sqrt(0.5)
        entered = np.zeros((self.n_devices, self.n_drives))
        entered[list(self._sources), range(self.n_drives)] = np.sqrt(0.5)
        return along[:, None] * joined, along[:, None] * entered

    def start(self) -> Values:
        """Darkness, (2 n,)."""
        return np.zeros(self.n_state)

    def response(self, frequency: float) -> Complexes:
        """Fields of the nodes over fields of the sources for one frequency, (n, sources).

        Parameters
        ----------
        frequency : float
            Offset from the carrier in hertz: fields are ``exp(2 pi i frequency t)``.
        """
        across, into = self.matrices
        turn = np.exp(-2j * np.pi * frequency * self.delay)
        return np.asarray(np.linalg.solve(np.eye(self.n_devices) - turn * across, into))

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Powers of the nodes; (T, D), (S,) -> (T, n * n_virtual), (S,)."""
        fields = checked_drives(drives, self, -self.limit, self.limit)
        now = checked_state(state, self).reshape(self.n_devices, 2)
        across, into = self.matrices
        heard = np.argsort(np.abs(across) == 0, axis=1, kind="stable")[:, :2]
        gains = np.take_along_axis(across, heard, axis=1)
        readings = np.empty((len(fields), self.n_devices, self.n_virtual))
        _HOPS(
            fields, readings, now, np.empty_like(now), self.hops,
            heard, gains.real.copy(), gains.imag.copy(), into.real.copy(), into.imag.copy(),
        )  # fmt: skip
        return readings.reshape(len(fields), self.n_devices * self.n_virtual), now.ravel()

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same with the matrices as they are written."""
        fields = checked_drives(drives, self, -self.limit, self.limit)
        a = checked_state(state, self).reshape(self.n_devices, 2) @ np.array([1, 1j])
        across, into = self.matrices
        readings = np.empty((len(fields), self.n_devices, self.n_virtual))
        for t, s in enumerate(fields):
            for k in range(self.n_virtual):
                for _ in range(self.hops):
                    a = across @ a + into @ s
                readings[t, :, k] = np.abs(a) ** 2
        after = np.stack([a.real, a.imag], axis=1).ravel()
        return readings.reshape(len(fields), self.n_devices * self.n_virtual), after


def _hops(
    fields: Values,
    readings: Values,
    now: Values,
    spare: Values,
    hops: int,
    heard: NDArray[np.int64],
    gain_re: Values,
    gain_im: Values,
    into_re: Values,
    into_im: Values,
) -> None:
    """Shapes (T, D), (T, n, M), (n, 2) twice, (n, heard) thrice, (n, D) twice.

    Fills readings and now; `heard` holds the nodes that each one listens to, two or fewer.
    """
    samples, sources = fields.shape
    nodes, virtual = readings.shape[1], readings.shape[2]
    for t in range(samples):
        for k in range(virtual):
            for _ in range(hops):
                for j in range(nodes):
                    re, im = 0.0, 0.0
                    for e in range(heard.shape[1]):
                        p, q = now[heard[j, e], 0], now[heard[j, e], 1]
                        re += gain_re[j, e] * p - gain_im[j, e] * q
                        im += gain_re[j, e] * q + gain_im[j, e] * p
                    for d in range(sources):
                        re += into_re[j, d] * fields[t, d]
                        im += into_im[j, d] * fields[t, d]
                    spare[j, 0], spare[j, 1] = re, im
                for j in range(nodes):
                    now[j, 0], now[j, 1] = spare[j, 0], spare[j, 1]
            for j in range(nodes):
                readings[t, j, k] = now[j, 0] * now[j, 0] + now[j, 1] * now[j, 1]


_HOPS = Kernel(_hops)
