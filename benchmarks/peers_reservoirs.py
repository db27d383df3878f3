"""Reservoirs of other packages, by their public interfaces, in the shape of `rchw.reservoir`.

Weights are the package's own draws; readouts are those of the harness, which is the same for all.
PyRCN is left out, since it needs torch. Packages are imported when a reservoir is made
(``pip install 'rchw[peers]'``).
"""

import importlib
import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

__all__ = ["PEERS", "Draw", "Peer", "PeerReservoir", "draws"]

Values = NDArray[np.float64]
_Run = Callable[
    [Values, Values], Values
]  # inputs (T, K) and the state before (N,) to states (T, N)


@dataclass(frozen=True)
class Draw:
    """Hyperparameters that are searched; a package that has no such takes no notice.

    Attributes
    ----------
    radius : float
        Spectral radius; of a cycle its weight.
    scaling, bias : float
        Of input weights and of the bias.
    leak : float
    density : float
        Of a random matrix.
    """

    radius: float
    scaling: float
    bias: float
    leak: float
    density: float


def draws(budget: int, seed: int) -> Iterator[Draw]:
    """So many points, drawn independently; every package is given the same."""
    rng = np.random.default_rng(seed)
    for _ in range(budget):
        yield Draw(
            radius=float(rng.uniform(0.4, 1.2)),
            scaling=float(10 ** rng.uniform(-2, 0.3)),
            bias=float(10 ** rng.uniform(-2, 0)),
            leak=1.0 if rng.random() < 0.5 else float(rng.uniform(0.2, 1.0)),
            density=float(rng.choice([0.1, 0.3, 1.0])),
        )


@dataclass(frozen=True, eq=False)
class PeerReservoir:
    """A reservoir of a package; a `rchw.reservoir.Reservoir`."""

    n_units: int
    n_inputs: int
    states: _Run

    def run(self, inputs: ArrayLike, state: ArrayLike | None = None) -> Values:
        """States (T, N) after each of the inputs (T, K), from a state or from zero."""
        start = np.zeros(self.n_units) if state is None else np.asarray(state, dtype=np.float64)
        signal = np.asarray(inputs, dtype=np.float64)
        return np.asarray(self.states(signal, start), dtype=np.float64)

    def advance(self, inputs: ArrayLike, state: ArrayLike | None = None) -> tuple[Values, Values]:
        """The states of `run`, and what another run goes on from."""
        found = self.run(inputs, state)
        return found, found[-1]


@dataclass(frozen=True)
class Peer:
    """A reservoir of a package.

    Attributes
    ----------
    title : str
    package : str
        On the package index.
    make : callable
        ``make(n_units, n_inputs, draw, seed)``.
    """

    title: str
    package: str
    make: Callable[[int, int, Draw, int], PeerReservoir]


class _Numpy:
    """numpy with a generator of its own, for packages that draw from the one that all share."""

    def __init__(self, rng: np.random.RandomState) -> None:
        self.random = rng

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _load(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations of what they import
        return importlib.import_module(name)


def _reservoirpy(n_units: int, n_inputs: int, draw: Draw, seed: int, cycle: bool) -> PeerReservoir:
    nodes, generators = _load("reservoirpy.nodes"), _load("reservoirpy.mat_gen")
    more: dict[str, Any] = {"W": generators.ring} if cycle else {}
    bias = np.random.default_rng(seed).uniform(-draw.bias, draw.bias, n_units)
    node = nodes.Reservoir(
        units=n_units, lr=draw.leak, sr=draw.radius, input_scaling=draw.scaling, bias=bias,
        input_connectivity=1.0, rc_connectivity=draw.density, seed=seed, **more,
    )  # fmt: skip
    node.initialize(np.zeros((1, n_inputs)))

    def states(inputs: Values, start: Values) -> Values:
        node.state = {"out": start}
        return np.asarray(node.run(inputs))

    return PeerReservoir(n_units, n_inputs, states)


def _esnfed(n_units: int, n_inputs: int, draw: Draw, seed: int, cycle: bool) -> PeerReservoir:
    esn, topologies = _load("esnfed.esn"), _load("esnfed.topologies")
    if cycle:
        matrix = topologies.ring_reservoir(n_units, rng=seed)
    else:
        matrix = topologies.random_reservoir(n_units, density=draw.density, rng=seed)
    made = esn.EchoStateNetwork(
        n_inputs=n_inputs, n_outputs=1, reservoir=matrix, spectral_radius=draw.radius,
        input_scaling=draw.scaling, leaking_rate=draw.leak, bias=draw.bias / draw.scaling,
        washout=0, seed=seed,
    )  # fmt: skip

    def states(inputs: Values, start: Values) -> Values:
        found = made.harvest(inputs, start if start.any() else None)
        return np.asarray(found[:, 1 + n_inputs :])

    return PeerReservoir(n_units, n_inputs, states)


def _reservoir_computing(
    n_units: int, n_inputs: int, draw: Draw, seed: int, cycle: bool
) -> PeerReservoir:
    module = _load("reservoir_computing.reservoir")
    rng = np.random.RandomState(seed)
    matrices = SimpleNamespace(rand=partial(sparse.rand, random_state=rng))
    # Input weights too are drawn here, at the first run.
    with patch.multiple(module, np=_Numpy(rng), sparse=matrices):
        made = module.Reservoir(
            n_internal_units=n_units, spectral_radius=draw.radius, connectivity=draw.density,
            input_scaling=draw.scaling, circle=cycle,
        )  # fmt: skip
        made.get_states(np.zeros((1, 1, n_inputs)), bidir=False)

    def states(inputs: Values, start: Values) -> Values:
        found = made.get_states(inputs[None], bidir=False, initial_state=start[None])
        return np.asarray(found[0])

    return PeerReservoir(n_units, n_inputs, states)


def _deepesn(n_units: int, n_inputs: int, draw: Draw, seed: int, layers: int) -> PeerReservoir:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module, configurations = _load("deepesn.deepesn"), _load("deepesn.configurations")
        configs = configurations.config_MG(None)
        configs.rhos, configs.lis, configs.iss = draw.radius, draw.leak, draw.scaling
        configs.reservoirConf.connectivity = draw.density
        own: dict[str, Any] = {
            "np": _Numpy(np.random.RandomState(seed)),
            "random": random.Random(seed),
        }
        with patch.multiple(module, **own):
            made = module.DeepESN(n_inputs, n_units // layers, layers, configs)

    def states(inputs: Values, start: Values) -> Values:
        found = made.computeState([inputs.T], initialStates=start[:, None])
        return np.asarray(found[0].T)

    return PeerReservoir(n_units // layers * layers, n_inputs, states)


def _echoes(n_units: int, n_inputs: int, draw: Draw, seed: int) -> PeerReservoir:
    module = _load("echoes")
    made = module.ESNRegressor(
        n_reservoir=n_units, spectral_radius=draw.radius, sparsity=1 - draw.density,
        leak_rate=draw.leak, bias=draw.bias, random_state=seed, regression_method="ridge",
    )  # fmt: skip
    begin = np.random.default_rng(seed).random((10, 1))
    made.fit(np.repeat(begin, n_inputs, axis=1), begin)  # draws the weights

    def states(inputs: Values, start: Values) -> Values:
        # Its first row is the state before, and no input is read there.
        rows = np.concatenate([np.zeros((1, n_inputs)), inputs * draw.scaling])
        found = made.reservoir_.harvest_states(
            X=rows, y=np.zeros((len(rows), 1)), initial_state=start
        )
        return np.asarray(found[1:])

    return PeerReservoir(n_units, n_inputs, states)


PEERS: dict[str, Peer] = {
    "reservoirpy": Peer(
        "reservoirpy, random", "reservoirpy", partial(_reservoirpy, cycle=False)
    ),
    "reservoirpy-cycle": Peer(
        "reservoirpy, cycle", "reservoirpy", partial(_reservoirpy, cycle=True)
    ),
    "esnfed": Peer("esnfed, random", "esnfed", partial(_esnfed, cycle=False)),
    "esnfed-cycle": Peer("esnfed, cycle", "esnfed", partial(_esnfed, cycle=True)),
    "reservoir-computing": Peer(
        "reservoir-computing, random", "reservoir-computing",
        partial(_reservoir_computing, cycle=False),
    ),
    "reservoir-computing-cycle": Peer(
        "reservoir-computing, cycle", "reservoir-computing",
        partial(_reservoir_computing, cycle=True),
    ),
    "deepesn": Peer(
        "DeepESN, one layer", "DeepESN", partial(_deepesn, layers=1)
    ),
    "deepesn-5": Peer(
        "DeepESN, five layers", "DeepESN", partial(_deepesn, layers=5)
    ),
    "echoes": Peer("echoes, random", "echoes", _echoes),
}  # fmt: skip
