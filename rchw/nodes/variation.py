"""Devices differ: any parameter of a node as a seeded distribution over its devices."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rchw.errors import DesignError
from rchw.nodes.parameters import Parameters

__all__ = ["KINDS", "Variation", "vary"]

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


def vary(parameters: Kind, variations: Sequence[Variation], devices: int, seed: int) -> Kind:
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

    Raises
    ------
    DesignError
        If a parameter is unknown or varied twice, or hardly any draw lies in its range.
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
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
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
