"""A network of nanowires whose junctions are memristive: one voltage moves them all.

Wires are nodes, junctions are edges in rate balance (see `rchw.nodes.memristive.balance`). While
source voltages are held, the node voltages u obey Kirchhoff's law with the conductances of the
moment, and each edge moves by the voltage that is across it::

    sum over the edges of a node of Y(g) (u_node - u_other) = 0     where nothing is connected
    dg/dt = kp(|V|) (1 - g) - kd(|V|) g,    V = u_one - u_other

The published code holds the voltage across an edge during a step. Here it is that of the middle of
the step, which is of second order: while the voltage across it is held an edge has an exact update,
so half a step with the voltages of the start gives conductances whose voltages then hold for all of
it. A network switches like an avalanche, so the step is halved until one with the voltages of its
start would differ by `tolerance` at most, and doubled again where it can be. Each hold begins with
one step for all of it, so the steps depend on state and voltages alone. Where an edge switches so
fast that 2^-13 of a hold is too long, the drive is refused; a tolerance of 1 refuses nothing.

Every set of conductances is solved by a banded Cholesky factorisation of the nodes in reverse
Cuthill-McKee order, in a loop of its own: no BLAS, so chunks give the bits of the whole.

Source: G. Milano et al., Neural Networks 150, 137 (2022); the published code was read.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.kernel import Kernel
from rchw.nodes.memristive.balance import BalanceParameters
from rchw.nodes.memristive.wiring import Wiring
from rchw.nodes.node import checked_drives, checked_state

__all__ = ["READINGS", "NanowireNetwork"]

READINGS = ("voltages", "currents")
Values = NDArray[np.float64]
Places = NDArray[np.int64]
_LARGEST_EXPONENT = 500.0
_HALVINGS = 13
_SHORTEST = 2.0**-_HALVINGS


@dataclass(frozen=True)
class NanowireNetwork:
    """A network with electrodes on some of its wires.

    Parameters
    ----------
    wiring : Wiring
    sources : tuple of int
        Nodes that are driven, S; each plays M voltages per sample.
    grounds : tuple of int
        Nodes at 0 V.
    n_virtual : int
        Voltages per sample and source, M; each is held for one step and read at its end.
    reading : str
        ``voltages`` of nodes or ``currents`` of edges.
    probes : tuple of int, optional
        Nodes, or edges, that are read; by default all nodes without electrode, or all edges.
    parameters : BalanceParameters
        Of the edges: one value, or one per edge; the step is one value.
    tolerance : float
        Largest difference, in g, of a step with the voltages of its middle and of its start; 1
        takes one step for each hold.
    limit : float
        Largest magnitude of a source voltage, in volts.
    """

    wiring: Wiring
    sources: tuple[int, ...]
    grounds: tuple[int, ...]
    n_virtual: int = 1
    reading: str = "voltages"
    probes: tuple[int, ...] | None = None
    parameters: BalanceParameters = field(default_factory=BalanceParameters)
    tolerance: float = 1e-4
    limit: float = 10.0
    drive_unit: str = field(default="V", init=False)

    def __post_init__(self) -> None:
        if self.n_virtual < 1:
            raise DesignError(f"virtual nodes must be at least 1, not {self.n_virtual}")
        if self.reading not in READINGS:
            raise DesignError(f"reading must be one of {', '.join(READINGS)}, not {self.reading!r}")
        nodes = self.wiring.n_nodes
        read = nodes if self.reading == "voltages" else self.wiring.n_edges
        parts = (("sources", self.sources, nodes), ("grounds", self.grounds, nodes))
        for name, chosen, count in (*parts, ("probes", self.read, read)):
            if not chosen or not all(0 <= each < count for each in chosen):
                raise DesignError(f"{name} must be some of 0 to {count - 1}, not {chosen}")
            if len(set(chosen)) < len(chosen):
                raise DesignError(f"{name} must be distinct, not {chosen}")
        if set(self.sources) & set(self.grounds):
            raise DesignError("sources must be other nodes than the grounds, not the same")
        if not 0 < self.tolerance <= 1:
            raise DesignError(f"tolerance must be above 0 and at most 1, not {self.tolerance}")
        if isinstance(self.parameters.step, tuple):
            raise DesignError("step must be one value in a network, not one per edge")
        p = self.parameters.of_devices(self.wiring.n_edges)
        most = _LARGEST_EXPONENT / max(p["build_slope"].max(), p["decay_slope"].max(), 1.0) / 2
        if not 0 < self.limit <= most:
            rule = f"above 0 and at most {most:g} V, where rates are still finite"
            raise DesignError(f"limit must be {rule}, not {self.limit:g}")

    @property
    def read(self) -> tuple[int, ...]:
        """Nodes or edges that are read."""
        if self.probes is not None:
            return self.probes
        if self.reading == "currents":
            return tuple(range(self.wiring.n_edges))
        held = {*self.sources, *self.grounds}
        return tuple(node for node in range(self.wiring.n_nodes) if node not in held)

    @property
    def n_devices(self) -> int:
        """Nodes or edges that are read."""
        return len(self.read)

    @property
    def n_drives(self) -> int:
        """Voltages per sample: those of the first source, then of the second, and so on."""
        return len(self.sources) * self.n_virtual

    @property
    def n_state(self) -> int:
        """The g of each edge."""
        return self.wiring.n_edges

    @property
    def parts(self) -> dict[str, int]:
        """Edges, which have the parameters."""
        return {"parameters": self.wiring.n_edges}

    @property
    def interval(self) -> float:
        """Seconds from voltage to voltage."""
        return float(self.parameters.of_devices(self.wiring.n_edges)["step"][0])

    @property
    def reading_unit(self) -> str:
        """V or A."""
        return "V" if self.reading == "voltages" else "A"

    def start(self) -> Values:
        """All edges in balance without voltage, (E,)."""
        p = self.parameters.of_devices(self.wiring.n_edges)
        return np.asarray(p["build_rate"] / (p["build_rate"] + p["decay_rate"]))

    def run(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Readings at the end of each voltage; (T, D), (E,) -> (T, N), (E,).

        Raises
        ------
        DesignError
            If a shape, a drive or the state is wrong, or a step is too long.
        """
        voltages, now = self._checked(drives, state)
        p, order = self.parameters.of_devices(self.n_state), self._order
        readings = np.empty((len(voltages), self.n_devices, self.n_virtual))
        failed, band = np.zeros(1), order.band
        _STEPS(
            voltages, readings, now, order.one, order.other, order.free,
            np.zeros((order.free, band + 1)), np.zeros(order.free + len(self.sources) + 1),
            np.zeros((5, self.n_state)), order.probes, self.reading == "currents",
            self.interval, self.tolerance, p["build_rate"], p["build_slope"], p["decay_rate"],
            p["decay_slope"], p["low_conductance"], p["high_conductance"], failed,
        )  # fmt: skip
        if failed[0]:
            raise DesignError(
                f"tolerance must be met by steps of 2^-{_HALVINGS} of a hold, not be "
                f"{self.tolerance:g} for such drives: lower these, or take 1 to step once a hold"
            )
        return readings.reshape(len(voltages), self.n_devices * self.n_virtual), now

    def reference(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Do the same by an adaptive integrator of eighth order that solves all nodes each time."""
        from scipy.integrate import solve_ivp

        voltages, now = self._checked(drives, state)
        p, pairs = self.parameters.of_devices(self.n_state), self.wiring.pairs
        incidence = np.zeros((self.n_state, self.wiring.n_nodes))
        incidence[np.arange(self.n_state), pairs[:, 0]] = 1.0
        incidence[np.arange(self.n_state), pairs[:, 1]] = -1.0
        held = np.array([*self.sources, *self.grounds])
        free = np.setdiff1d(np.arange(self.wiring.n_nodes), held)
        readings = np.empty((len(voltages), self.n_devices, self.n_virtual))

        def solved(g: Values, sources: Values) -> tuple[Values, Values]:
            """Voltages of nodes, conductances of edges."""
            conductances = p["low_conductance"] + (p["high_conductance"] - p["low_conductance"]) * g
            laplacian = incidence.T @ (conductances[:, None] * incidence)
            u = np.zeros(self.wiring.n_nodes)
            u[list(self.sources)] = sources
            u[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -laplacian[free] @ u)
            return u, conductances

        for t in range(len(voltages)):
            for k in range(self.n_virtual):
                sources = voltages[t, :, k]

                def slope(_: float, g: Values, sources: Values = sources) -> Values:
                    across = np.abs(incidence @ solved(g, sources)[0])
                    build = p["build_rate"] * np.exp(p["build_slope"] * across)
                    decay = p["decay_rate"] * np.exp(-p["decay_slope"] * across)
                    return np.asarray(build * (1 - g) - decay * g)

                found = solve_ivp(
                    slope, (0.0, self.interval), now, "DOP853", rtol=1e-10, atol=1e-13
                )
                now = found.y[:, -1]
                u, conductances = solved(now, sources)
                seen = u if self.reading == "voltages" else conductances * (incidence @ u)
                readings[t, :, k] = seen[list(self.read)]
        return readings.reshape(len(voltages), self.n_devices * self.n_virtual), now

    def _checked(self, drives: Values, state: Values) -> tuple[Values, Values]:
        """Voltages (T, S, M) and a copy of the state."""
        voltages = checked_drives(drives, self, -self.limit, self.limit)
        now = checked_state(state, self)
        if not ((now >= 0) & (now <= 1)).all():
            raise DesignError("state must be from 0 to 1, the normalised memory of each edge")
        return voltages.reshape(len(voltages), len(self.sources), self.n_virtual), now

    @cached_property
    def _order(self) -> "_Order":
        """Nodes without electrode first, so that their matrix has a narrow band."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        nodes, pairs = self.wiring.n_nodes, self.wiring.pairs
        floating = np.setdiff1d(np.arange(nodes), [*self.sources, *self.grounds])
        number = np.full(nodes, len(floating) + len(self.sources))  # the grounds share one
        number[list(self.sources)] = len(floating) + np.arange(len(self.sources))
        if len(floating):
            one, other = np.concatenate([pairs, pairs[:, ::-1]]).T
            graph = csr_array((np.ones(len(one)), (one, other)), shape=(nodes, nodes))
            inner = csr_array(graph[floating][:, floating])
            number[floating[reverse_cuthill_mckee(inner, symmetric_mode=True)]] = np.arange(
                len(floating)
            )
        ends = number[pairs]
        inside = (ends < len(floating)).all(axis=1)
        gaps = np.abs(ends[inside, 0] - ends[inside, 1])
        chosen = np.array(self.read)
        return _Order(
            np.ascontiguousarray(ends[:, 0]),
            np.ascontiguousarray(ends[:, 1]),
            len(floating),
            int(gaps.max(initial=0)),
            number[chosen] if self.reading == "voltages" else chosen,
        )


@dataclass(frozen=True)
class _Order:
    """Numbers of the nodes in the loop: free ones, then sources, then one for all grounds."""

    one: Places
    other: Places
    free: int
    band: int
    probes: Places


def _steps(
    voltages: Values,
    readings: Values,
    state: Values,
    one: Places,
    other: Places,
    free: int,
    matrix: Values,
    nodes: Values,
    scratch: Values,
    probes: Places,
    currents: bool,
    hold: float,
    tolerance: float,
    build_rate: Values,
    build_slope: Values,
    decay_rate: Values,
    decay_slope: Values,
    low: Values,
    high: Values,
    failed: Values,
) -> None:
    """Shapes (T, S, M), (T, P, M), then (E,) or (P,); readings, state and failed are written.

    Row j of `matrix` is column j of the factor from its diagonal on. Rows of `scratch` are, of each
    edge, the conductance, g in the middle of a step, g at its end, and the limit and the rate that
    g has with the voltages of its start.
    """
    samples, sources, virtual = voltages.shape
    edges, band = state.size, matrix.shape[1] - 1
    factored = False
    for t in range(samples):
        for k in range(virtual):
            for s in range(sources):
                nodes[free + s] = voltages[t, s, k]
            nodes[free + sources] = 0.0
            # Shares of the hold are powers of 2 and their sums, so they add up without rounding.
            left, share = 1.0, 1.0
            middle, reading = False, False
            while True:
                if middle:
                    for e in range(edges):
                        keep = math.exp(-0.5 * scratch[4, e] * share * hold)
                        scratch[1, e] = scratch[3, e] + (state[e] - scratch[3, e]) * keep
                if not factored:
                    matrix[:, :] = 0.0
                    for e in range(edges):
                        g = scratch[1, e] if middle else state[e]
                        y = low[e] * (1.0 - g) + high[e] * g
                        scratch[0, e] = y
                        a, b = one[e], other[e]
                        if a < free:
                            matrix[a, 0] += y
                        if b < free:
                            matrix[b, 0] += y
                        if a < free and b < free:
                            matrix[min(a, b), abs(a - b)] -= y
                    for j in range(free):
                        root = math.sqrt(matrix[j, 0])
                        reach = min(band, free - 1 - j)
                        matrix[j, 0] = root
                        for i in range(1, reach + 1):
                            matrix[j, i] /= root
                        for i in range(1, reach + 1):
                            factor = matrix[j, i]
                            if factor != 0.0:
                                for m in range(i, reach + 1):
                                    matrix[j + i, m - i] -= factor * matrix[j, m]
                for j in range(free):
                    nodes[j] = 0.0
                for e in range(edges):
                    a, b = one[e], other[e]
                    if a < free and b >= free:
                        nodes[a] += scratch[0, e] * nodes[b]
                    elif b < free and a >= free:
                        nodes[b] += scratch[0, e] * nodes[a]
                for j in range(free):
                    nodes[j] /= matrix[j, 0]
                    for i in range(1, min(band, free - 1 - j) + 1):
                        nodes[j + i] -= matrix[j, i] * nodes[j]
                for j in range(free - 1, -1, -1):
                    total = nodes[j]
                    for i in range(1, min(band, free - 1 - j) + 1):
                        total -= matrix[j, i] * nodes[j + i]
                    nodes[j] = total / matrix[j, 0]
                # The conductances of a reading are those of the next start.
                factored = reading
                if reading:
                    break
                worst = 0.0
                for e in range(edges):
                    across = abs(nodes[one[e]] - nodes[other[e]])
                    build = build_rate[e] * math.exp(build_slope[e] * across)
                    rate = build + decay_rate[e] * math.exp(-decay_slope[e] * across)
                    end = build / rate
                    if middle:
                        first = scratch[3, e] + (state[e] - scratch[3, e]) * math.exp(
                            -scratch[4, e] * share * hold
                        )
                        scratch[2, e] = end + (state[e] - end) * math.exp(-rate * share * hold)
                        worst = max(worst, abs(scratch[2, e] - first))
                    else:
                        scratch[3, e] = end
                        scratch[4, e] = rate
                if not middle:
                    middle = True
                elif worst > tolerance and share > _SHORTEST:
                    share *= 0.5
                else:
                    if worst > tolerance:
                        failed[0] = 1.0
                        return
                    for e in range(edges):
                        state[e] = scratch[2, e]
                    left -= share
                    middle, reading = False, left == 0.0
                    if 8.0 * worst < tolerance:
                        share *= 2.0
                    while share > left > 0.0:
                        share *= 0.5
            for q in range(probes.size):
                if currents:
                    e = probes[q]
                    across = nodes[one[e]] - nodes[other[e]]
                    readings[t, q, k] = scratch[0, e] * across
                else:
                    readings[t, q, k] = nodes[probes[q]]


_STEPS = Kernel(_steps)
