"""What a search weighs against each other, and what it must keep to.

Every figure but the error is a model's (`rchw.codesign.estimate`). All objectives are minimised;
where more is better, as of the rate, the sign is turned inside.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.energy import energy
from rchw.codesign.estimate import estimate
from rchw.design import Design
from rchw.devices import board as board_of
from rchw.errors import DesignError

__all__ = [
    "OBJECTIVES",
    "Limits",
    "Objective",
    "costs",
    "front_of",
    "layers_of",
    "parse_limits",
    "parse_objectives",
    "scores",
    "vector",
]

Values = NDArray[np.float64]

_REFUSED = 100.0  # above the logarithm of anything that is measured


@dataclass(frozen=True)
class Objective:
    """One of the figures that a design can be chosen by.

    Attributes
    ----------
    name, title, unit : str
    sign : int
        1 where less is better, -1 where more is.
    """

    name: str
    title: str
    unit: str = ""
    sign: int = 1


OBJECTIVES: dict[str, Objective] = {
    item.name: item
    for item in (
        Objective("error", "error on the validation samples"),
        Objective("cells", "logic cells"),
        Objective("luts", "look-up tables"),
        Objective("rams", "block RAMs"),
        Objective("dsps", "multipliers of the device"),
        Objective("energy", "energy per sample", "J"),
        Objective("latency", "latency", "s"),
        Objective("rate", "samples per second", "1/s", -1),
    )
}


def _named(name: str, metric: str, what: str = "objective") -> str:
    """The objective of a name; the task's metric is the error."""
    found = "error" if name == metric else name
    if found not in OBJECTIVES:
        raise DesignError(f"{what} must be one of {', '.join(OBJECTIVES)}, not {name[:40]!r}")
    return found


def parse_objectives(text: str, metric: str) -> tuple[str, ...]:
    """Names of objectives, by commas; the error may be called by its metric, such as ``nmse``.

    Raises
    ------
    DesignError
        If one is unknown, or is there twice.

    >>> parse_objectives("nmse,cells", "nmse")
    ('error', 'cells')
    """
    names = tuple(_named(part.strip(), metric) for part in text.split(","))
    if len(set(names)) < len(names):
        raise DesignError(f"objectives must be distinct, not {text[:60]!r}")
    return names


@dataclass(frozen=True)
class Limits:
    """What every design of a front keeps to.

    Parameters
    ----------
    at_most : tuple of (str, float)
        Objectives, of which less is better, and the most that they may be.
    rate : float, optional
        Least samples per second.

    Raises
    ------
    DesignError
        If a limit is not above 0, or there are two of one objective.
    """

    at_most: tuple[tuple[str, float], ...] = ()
    rate: float | None = None

    def __post_init__(self) -> None:
        names = [name for name, _ in self.at_most]
        if len(set(names)) < len(names):
            raise DesignError(f"limits must be one of each objective, not {', '.join(names)}")
        for name in names:
            if name not in OBJECTIVES or OBJECTIVES[name].sign < 0:
                raise DesignError(f"limit must be of an objective that is to be small, not {name}")
        least = () if self.rate is None else (("rate", self.rate),)
        for name, value in (*self.at_most, *least):
            if not 0 < value < math.inf:
                raise DesignError(f"limit of {name} must be above 0 and finite, not {value:g}")

    def broken(self, figures: Mapping[str, float]) -> tuple[float, str]:
        """By what part the limits are exceeded, in all, and the first of them in words.

        Figures that are not there exceed nothing.
        """
        total, words = 0.0, ""
        for name, most in self.at_most:
            found = figures.get(name, 0.0)
            if found > most:
                total += found / most - 1
                words = words or f"{name} must be at most {most:g}, not {found:g}"
        found = figures.get("rate", math.inf)
        if self.rate is not None and found < self.rate:
            total += self.rate / max(found, 1e-9) - 1
            words = (
                words or f"rate must be at least {self.rate:g} samples per second, not {found:g}"
            )
        return total, words


def parse_limits(text: str | None, rate: float | None, metric: str) -> Limits:
    """Limits such as ``cells=5000,nmse=0.1``, and a least rate.

    Raises
    ------
    DesignError
        If it is none of these.
    """
    found = []
    for part in (text or "").split(",") if text else ():
        name, _, value = part.partition("=")
        try:
            found.append((_named(name.strip(), metric, "what is limited"), float(value)))
        except ValueError as error:
            if isinstance(error, DesignError):
                raise
            raise DesignError(
                f"limits must be such as cells=5000,{metric}=0.1, not {text[:60]!r}" if text else ""
            ) from error
    if rate is not None and not 0 < rate < math.inf:
        raise DesignError(f"rate must be above 0 and finite, not {rate:g}")
    return Limits(tuple(found), rate)


def costs(
    design: Design, board: str, joules: bool = False, rate: float | None = None
) -> tuple[dict[str, float], str, tuple[str, ...]]:
    """What a design is estimated to cost on a board, and how far that can be relied on.

    Parameters
    ----------
    design : Design
    board : str
    joules : bool
        Whether the energy per sample is asked for,
    rate : float, optional
        and at how many samples per second; the most, if not given or if that is less.

    Returns
    -------
    dict
        By the names of `OBJECTIVES`, and ``clock`` in Hz.
    str
        Why it does not fit; empty where it does.
    tuple of str
        In what the design lies outside of what the estimator was calibrated on.

    Raises
    ------
    DesignError
        If the design cannot be built, or no board has that name.
    """
    found = estimate(design, board)
    figures: dict[str, float] = {
        "cells": found.cells,
        "luts": found.luts,
        "rams": found.block_rams,
        "dsps": found.multipliers,
        "clock": found.clock_hz,
        "rate": found.samples_per_second,
        "latency": found.latency_clocks / found.clock_hz,
    }
    if joules:
        used = {
            "lut": found.luts, "ff": found.flip_flops, "block_ram": found.block_rams,
            "dsp": found.multipliers,
        }  # fmt: skip
        slow = None if rate is None else min(rate, found.samples_per_second)
        model = energy(design, board_of(board), used, clock_hz=found.clock_hz, rate=slow)
        figures["energy"] = model.joules
    return figures, "; ".join(found.why_not), found.extrapolates


def vector(figures: Mapping[str, Any], objectives: Sequence[str]) -> list[float]:
    """Figures of the objectives, so that less is better."""
    return [float(figures[name]) * OBJECTIVES[name].sign for name in objectives]


def scores(figures: Mapping[str, Any], objectives: Sequence[str], broken: float) -> list[float]:
    """What an optimiser is told: logarithms, since what counts are ratios.

    What breaks a limit is worse than anything that does not, by how much it breaks it.
    """
    if broken > 0:
        return [_REFUSED + math.log1p(broken)] * len(objectives)
    found = []
    for name in objectives:
        value = float(figures[name])
        counts = name in ("cells", "luts", "rams", "dsps")
        found.append(
            OBJECTIVES[name].sign * (math.log1p(value) if counts else math.log(max(value, 1e-12)))
        )
    return found


def layers_of(points: Sequence[Sequence[float]]) -> list[int]:
    """Which front every point (L,) is on: 0 where no other is better, then those behind it.

    >>> layers_of([[1, 2], [2, 1], [2, 2], [1, 2]])
    [0, 0, 1, 0]
    """
    values = np.array(points, dtype=np.float64)
    layers = np.full(len(values), -1)
    left, number = np.arange(len(values)), 0
    while left.size:
        here = values[left]
        beaten = np.array(
            [bool(((here <= row).all(axis=1) & (here < row).any(axis=1)).any()) for row in here]
        )
        layers[left[~beaten]] = number
        left, number = left[beaten], number + 1
    return [int(layer) for layer in layers]


def front_of(points: Sequence[Sequence[float]]) -> list[int]:
    """Places of the points that no other is better than; of equal ones the first."""
    seen: set[tuple[float, ...]] = set()
    found = []
    for place, layer in enumerate(layers_of(points)):
        if layer == 0 and tuple(points[place]) not in seen:
            seen.add(tuple(points[place]))
            found.append(place)
    return found
