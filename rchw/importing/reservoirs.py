"""Networks from models of reservoirpy, 0.3 and 0.4: objects, or the pickles of them.

Both keep what they are in plain attributes: nodes, edges between them, arrays. Those are read, and
the package itself is not imported. Source: reservoirpy 0.4.2 and 0.3.15, https://github.com/reservoirpy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.importing.network import Network, expanded
from rchw.importing.pickles import Inert, PickledArray

__all__ = ["from_reservoirpy"]

_RESERVOIRS = ("Reservoir", "IPReservoir")
_READOUTS = ("Ridge", "RLS", "LMS", "FORCE")
_PLUMBING = ("Input", "Output", "Concat")
_LEARNING = ("RLS", "LMS", "FORCE", "IPReservoir")  # also while they run
_WAYS = {
    ("Input", "reservoir"), ("Input", "Concat"), ("Input", "readout"), ("reservoir", "Concat"),
    ("reservoir", "readout"), ("Concat", "readout"), ("reservoir", "Output"), ("readout", "Output"),
}  # fmt: skip
_ACTIVATIONS = {"tanh": "tanh", "identity": "linear"}
_NOISES = ("noise_in", "noise_rc", "noise_out")


def from_reservoirpy(model: Any) -> Network:
    """Network of a model of reservoirpy.

    Parameters
    ----------
    model : object
        ``Reservoir >> Ridge``, whose readout may see the inputs too, an ``ESN``, or a ``Reservoir``
        alone; run or fitted once, so that its matrices are there. Also what
        `rchw.importing.pickles` makes of one.

    Returns
    -------
    Network
        `left_out` says what of the model it does not hold.

    Raises
    ------
    DesignError
        If the model cannot be mapped; the sentence names everything that cannot.
    """
    graph = _Graph.of(model)
    faults = graph.faults()
    reservoir, readout = graph.reservoir, graph.readout
    if reservoir is not None:
        faults += _reservoir_faults(reservoir)
    if faults or reservoir is None:
        raise DesignError(f"model must be one that can be mapped, not have {', '.join(faults)}")
    arrays = _reservoir(reservoir)
    if readout is not None:
        arrays |= _readout(graph, readout, len(arrays["W"]))
    return Network.of(arrays, tuple(_left_out(graph)))


@dataclass(frozen=True)
class _Graph:
    """Nodes, and edges (from, delay, to)."""

    nodes: list[Any]
    edges: list[tuple[Any, int, Any]]

    @classmethod
    def of(cls, model: Any) -> "_Graph":
        held = getattr(model, "__dict__", {})
        if isinstance(held.get("nodes"), list) and isinstance(held.get("edges"), list):
            return cls(held["nodes"], [(a, _number(d), b) for a, d, b in held["edges"]])
        if isinstance(held.get("_nodes"), list) and isinstance(held.get("_edges"), list):
            nodes = held["_nodes"]
            edges = [(a, 0, b) for a, b in held["_edges"]]
            back = [(None, 1, node) for node in nodes if vars(node).get("_feedback") is not None]
            return cls(nodes, edges + back)
        if _kind(model) in _RESERVOIRS:
            return cls([model], [])
        raise DesignError(f"model must be one of reservoirpy, not {_kind(model)}")

    def _of_kind(self, kinds: Sequence[str]) -> list[Any]:
        return [node for node in self.nodes if _kind(node) in kinds]

    @property
    def reservoir(self) -> Any:
        """The first reservoir, or None."""
        return next(iter(self._of_kind(_RESERVOIRS)), None)

    @property
    def readout(self) -> Any:
        """The first readout, or None."""
        return next(iter(self._of_kind(_READOUTS)), None)

    def _role(self, node: Any) -> str:
        for role, kinds in (("reservoir", _RESERVOIRS), ("readout", _READOUTS)):
            if _kind(node) in kinds:
                return role
        return _kind(node) if node is not None else "readout"

    def faults(self) -> list[str]:
        """What cannot become one layer and one readout."""
        known = (*_RESERVOIRS, *_READOUTS, *_PLUMBING)
        found = [f"a node {_kind(node)}" for node in self.nodes if _kind(node) not in known]
        for what, kinds, least in (
            ("reservoirs", _RESERVOIRS, 1), ("readouts", _READOUTS, 0), ("inputs", ("Input",), 0),
        ):  # fmt: skip
            count = len(self._of_kind(kinds))
            if not least <= count <= 1:
                found.append(f"{count} {what}")
        for before, delay, after in self.edges:
            way = self._role(before), self._role(after)
            if delay:
                found.append(f"feedback from {way[0]} to {way[1]}")
            elif way not in _WAYS and all(_kind(node) in known for node in (before, after)):
                found.append(f"a connection from {way[0]} to {way[1]}")
        return found

    def parents(self, node: Any) -> list[Any]:
        """What a node reads, in the order of its columns."""
        found = list(dict.fromkeys(a for a, _, b in self.edges if b is node))
        if [_kind(parent) for parent in found] == ["Concat"]:  # 0.3 sorts by name
            return sorted(self.parents(found[0]), key=lambda parent: str(vars(parent)["_name"]))
        return found


def _kind(node: Any) -> str:
    """Name of a node's class; of one that is not reservoirpy's, with its module."""
    made = type(node)
    return (
        made.__name__
        if _home(made).startswith("reservoirpy.")
        else f"{_home(made)}.{made.__name__}"
    )


def _home(made: Any) -> str:
    return str(getattr(made, "__module__", None) or "")


def _value(node: Any, name: str) -> Any:
    """An attribute, wherever the version keeps it."""
    held = vars(node)
    for place in (held.get("_params"), held.get("_hypers"), held):
        if isinstance(place, Mapping) and place.get(name) is not None:
            return place[name]
    return None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int(_array(value, "delay"))


def _array(value: Any, what: str) -> NDArray[Any]:
    """An array, dense or compressed, of an object or of a pickle."""
    if isinstance(value, PickledArray):
        if value.values is None:
            raise DesignError(f"{what} must hold real numbers, not others")
        return value.values
    form = type(value).__name__.partition("_")[0]
    if isinstance(value, Inert) and form in ("csr", "csc"):
        return _compressed(value, what, form == "csc")
    if isinstance(value, Inert | type) or callable(value) or value is None:
        raise DesignError(f"{what} must be there, as it is once the model was run or fitted")
    return np.asarray(value.toarray() if hasattr(value, "toarray") else value)


def _compressed(value: Inert, what: str, by_columns: bool) -> NDArray[Any]:
    held = vars(value)
    shape = held.get("_shape")
    if not (isinstance(shape, tuple) and len(shape) == 2 and all(type(n) is int for n in shape)):
        raise DesignError(f"{what} must have rows and columns")
    data, indices, ends = (_array(held.get(name), what) for name in ("data", "indices", "indptr"))
    if by_columns:
        return expanded(data, indices, ends, (shape[1], shape[0]), what).T
    return expanded(data, indices, ends, (shape[0], shape[1]), what)


def _activation(reservoir: Any) -> str | None:
    """Name of the activation of this package, or None if it is another function."""
    function = _value(reservoir, "activation")
    name = str(getattr(function, "__name__", function))
    known = function is np.tanh or _home(function).startswith(("reservoirpy.", "numpy"))
    return _ACTIVATIONS.get(name) if known else None


def _reservoir_faults(reservoir: Any) -> list[str]:
    found = []
    if _activation(reservoir) is None:
        function = _value(reservoir, "activation")
        found.append(f"the activation {getattr(function, '__name__', function)}")
    outside = getattr(_value(reservoir, "_forward"), "__name__", "") == "forward_external"
    leak = _value(reservoir, "lr")
    if (outside or _kind(reservoir) == "IPReservoir") and (_array(leak, "lr") != 1.0).any():
        found.append("a leak before the activation")
    return found


def _reservoir(reservoir: Any) -> dict[str, Any]:
    """Arrays under the names of `Network.of`; gains of intrinsic plasticity go into the weights."""
    what = f"of the {_kind(reservoir)}"
    w, w_in = (_array(_value(reservoir, name), f"{name} {what}") for name in ("W", "Win"))
    bias = _value(reservoir, "bias")
    b = np.zeros(1) if bias is None else _array(bias, f"bias {what}").reshape(-1)
    if _kind(reservoir) == "IPReservoir":
        gain, more = (_array(_value(reservoir, name), f"{name} {what}").ravel() for name in "ab")
        w, w_in, b = gain[:, None] * w, gain[:, None] * w_in, gain * b + more
    return {
        "W": w, "W_in": w_in, "bias": b, "leak_rate": _array(_value(reservoir, "lr"), "lr").ravel(),
        "activation": _activation(reservoir),
    }  # fmt: skip


def _readout(graph: _Graph, readout: Any, n_units: int) -> dict[str, Any]:
    """Arrays of a readout; its weights have one row per feature, in the order of its parents."""
    what = f"of the {_kind(readout)}"
    weights = _array(_value(readout, "Wout"), f"Wout {what}")
    bias = _value(readout, "bias")
    arrays = {"b_out": np.zeros(1) if bias is None else _array(bias, f"bias {what}").ravel()}
    order = [_kind(parent) for parent in graph.parents(readout)]
    if "Input" not in order:
        return arrays | {"W_out": weights.T}
    place = 0 if order[0] in _RESERVOIRS else len(weights) - n_units
    rows = np.arange(len(weights))
    mine = (rows >= place) & (rows < place + n_units)
    return arrays | {"W_out": weights[mine].T, "W_out_inputs": weights[~mine].T}


def _left_out(graph: _Graph) -> list[str]:
    """What a design does not hold, and would be missed."""
    found = []
    for name in _NOISES:
        size = _value(graph.reservoir, name)
        if size is not None and float(_array(size, name)) != 0.0:
            found.append(f"noise: {name} is {float(_array(size, name)):g}")
    for node in graph.nodes:
        if _kind(node) in _LEARNING:
            found.append(f"learning of the {_kind(node)}: its weights are now constant")
        elif _kind(node) == "Output":
            found.append("an Output node: a design gives the outputs of its readout")
    return [*found, "the state in which the model was left: a design begins at 0"]
