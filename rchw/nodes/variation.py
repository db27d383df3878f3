"""Devices differ: any parameter of a node as a seeded distribution over its devices."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.node import Node
from rchw.nodes.parameters import Parameters

__all__ = ["KINDS", "Variation", "vary", "vary_node"]

KINDS = ("normal", "lognormal", "uniform")
_TRIES = 100  # rounds of drawing anew what lies outside its range
Kind = TypeVar("Kind", bound=Parameters)


@dataclass(frozen=True)
class Variation:
    """How one parameter differs from device to device.

    Parameters
    ----------
    parameter : str
        Name of a field of the node's parameters.
    spread : float
        Relative to the nominal value: standard deviation (``normal``), standard deviation of the
        logarithm (``lognormal``, whose median is the nominal value), half width (``uniform``).
    kind : str
        One of `KINDS`.
    """

    parameter: str
    spread: float
    kind: str = "normal"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DesignError(f"variation must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if not 0 <= self.spread < np.inf:
            raise DesignError(f"spread must be finite and at least 0, not {self.spread}")

    def draw(self, rng: np.random.Generator, nominal: NDArray[np.float64]) -> NDArray[np.float64]:
        """One value per device, around nominal values (devices,)."""
        if self.kind == "uniform":
            return nominal * (1 + self.spread * rng.uniform(-1, 1, nominal.shape))
        normal = self.spread * rng.standard_normal(nominal.shape)
        return nominal * (np.exp(normal) if self.kind == "lognormal" else 1 + normal)


def vary(
    parameters: Kind, variations: Sequence[Variation], devices: int, seed: int, *, of: str = ""
) -> Kind:
    """Parameters of `devices` devices, each drawn around the nominal value.

    What lies outside the range of its parameter is drawn anew, so the distributions are truncated
    there. Every parameter has a stream of its own: one more variation changes no other.

    Parameters
    ----------
    parameters : Parameters
        The nominal device.
    variations : sequence of Variation
        With distinct parameters.
    devices : int
    seed : int
    of : str
        Sets of parameters of one node that have different words here are drawn independently.

    Raises
    ------
    DesignError
        If a parameter is unknown, varied twice or 0, or hardly any draw lies in its range.
    """
    if seed < 0:
        raise DesignError(f"seed of the variations must be at least 0, not {seed}")
    facts = {fact.name: fact for fact in parameters.facts()}
    names = [variation.parameter for variation in variations]
    for name in names:
        if name not in facts:
            raise DesignError(f"variation must be of one of {', '.join(facts)}, not {name!r}")
        if names.count(name) > 1:
            raise DesignError(f"variations must be of distinct parameters, not of {name} twice")
    nominal = parameters.of_devices(devices)
    drawn = {}
    for variation in variations:
        name = variation.parameter
        if variation.spread and not nominal[name].any():
            words = name.replace("_", " ")
            raise DesignError(f"{words} must not be 0 to vary, for a spread is a share of it")
        rng = np.random.default_rng([seed, zlib.crc32((of + name).encode())])
        values, fact = variation.draw(rng, nominal[name]), facts[name]
        for _ in range(_TRIES):
            outside = ~(
                (values > fact.above)
                & (values >= fact.least)
                & (values < fact.below)
                & (values <= fact.most)
            )
            if not outside.any():
                break
            values[outside] = variation.draw(rng, nominal[name][outside])
        else:
            words = name.replace("_", " ")
            raise DesignError(
                f"spread of {words} must leave values within its range, not be {variation.spread:g}"
            )
        drawn[name] = tuple(float(value) for value in values)
    return replace(parameters, **drawn)


def vary_node(node: Node, variations: Sequence[Variation], seed: int) -> Node:
    """The node with devices that differ.

    A node may have several sets of parameters, as a culture has of its two kinds of neurons: every
    set that has a parameter of the name is varied. Its ``parts`` tell how many things each set
    describes; without them it is the devices.

    Raises
    ------
    DesignError
        See `vary`.
    """
    whole: Any = node
    sets: dict[str, Parameters] = {
        entry.name: value
        for entry in fields(whole)
        if isinstance(value := getattr(whole, entry.name), Parameters)
    }
    known = {name: [fact.name for fact in each.facts()] for name, each in sets.items()}
    everything = list(dict.fromkeys(name for names in known.values() for name in names))
    if variations and not everything:
        raise DesignError(f"node must have parameters to vary, not be a {type(node).__name__}")
    for variation in variations:
        if variation.parameter not in everything:
            raise DesignError(
                f"variation must be of one of {', '.join(everything)}, not {variation.parameter!r}"
            )
    parts = getattr(node, "parts", dict.fromkeys(sets, node.n_devices))
    drawn = {}
    for number, (name, each) in enumerate(sets.items()):
        mine = [variation for variation in variations if variation.parameter in known[name]]
        drawn[name] = vary(each, mine, parts[name], seed, of=f"{name}." if number else "")
    return replace(whole, **drawn) if variations else node
