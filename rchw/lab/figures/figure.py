"""What a published figure is here: a target, a band that was set beforehand, and how it is run."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rchw.errors import DesignError

__all__ = ["Band", "Measured", "PublishedFigure", "Told"]

Told = Callable[[str], None]
"""Receives a few words on what a figure is doing."""


@dataclass(frozen=True)
class Band:
    """What is accepted, ends included.

    Attributes
    ----------
    low, high : float
    """

    low: float = -math.inf
    high: float = math.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise DesignError(f"band must rise, not go from {self.low} to {self.high}")

    def holds(self, value: float) -> bool:
        """Whether the value lies within; NaN does not."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Measured:
    """What running a figure gave.

    Attributes
    ----------
    score : float
        Without noise, or at the noise that the band is for (the figure's `condition` says which).
    noisy : float or None
        The same quantity at the noise of `noise`; None where noise means nothing.
    noise : str
        How much, in words; empty where noise means nothing.
    baselines : mapping
        What needs no reservoir: name to the same quantity on the same test samples.
    checks : mapping
        More that must hold, in words, such as that a mask with one node is worse.
    details : mapping
        JSON-ready: seeds, chosen points, hashes of the splits, single values.
    """

    score: float
    noisy: float | None = None
    noise: str = ""
    baselines: Mapping[str, float] = field(default_factory=dict)
    checks: Mapping[str, bool] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PublishedFigure:
    """A published figure and how it is reproduced.

    Attributes
    ----------
    name, title : str
    quantity : str
        Such as ``NRMSE``.
    target : str
        What was published.
    band : Band
        Set beforehand, not widened.
    condition : str
        At which noise the band is compared: ``without noise`` or how much.
    source : str
    status : str
        What of the target is confirmed, and what is not.
    run : callable or None
        Given something that receives a few words; None where the data are not free, and `status`
        then says so.
    """

    name: str
    title: str
    quantity: str
    target: str
    band: Band
    condition: str
    source: str
    status: str
    run: Callable[[Told], Measured] | None = field(repr=False)

    def reached(self, measured: Measured) -> bool:
        """Whether the band and all further checks hold."""
        return self.band.holds(measured.score) and all(measured.checks.values())
