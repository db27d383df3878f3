"""Fit the estimator's coefficients to place-and-route results, with numpy alone.

Cells, LUTs and flip-flops are sums of counts with coefficients of at least 0, found by least
squares of relative errors (the active-set method of Lawson and Hanson, "Solving Least Squares
Problems", 1974, chapter 23): one model for each family of devices and form of the circuit, held
near that of both forms together, since there are few parallel circuits. The period is the delay of
the longest path, each a sum of its lengths: one model for each device; where there are two of a
family, that of which less is known is held near the other, times a factor.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.bill import Bill
from rchw.codesign.estimate import cell_terms, clock_terms
from rchw.codesign.traits import ranges_of, traits_of
from rchw.codesign.whole import bill_of
from rchw.design import Design
from rchw.devices import DEVICES, Device
from rchw.devices import board as find_board
from rchw.schedule import schedule

__all__ = ["Measured", "calibrate", "non_negative"]

Values = NDArray[np.float64]
_DIGITS = 6
_NOTHING = 1e-5  # of the greatest coefficient; less is 0
_HELD = 1.0  # weight of the model of all forms in that of one
_SEED, _STARTS, _TURNS = 1, 12, 30
_WANTED = {"cells": "cells", "luts": "lut", "flip_flops": "ff"}


@dataclass(frozen=True)
class Measured:
    """A design, the board on which it was built, and the row of its results."""

    key: str
    board: str
    design: Design
    row: Mapping[str, Any]

    @property
    def form(self) -> str:
        """Of its circuit."""
        return "parallel" if schedule(self.design).parallel else "folded"

    @property
    def device(self) -> Device:
        """Of its board."""
        return find_board(self.board).device


def non_negative(matrix: Values, target: Values) -> Values:
    """Least squares with no coefficient below 0: shape (T, F), (T,) -> (F,)."""
    size = matrix.shape[1]
    free, found = np.zeros(size, dtype=bool), np.zeros(size)
    for _ in range(3 * size):
        slope = matrix.T @ (target - matrix @ found)
        if free.all() or slope[~free].max() < 1e-9:
            break
        free[np.argmax(np.where(free, -np.inf, slope))] = True
        while True:
            trial = np.zeros(size)
            trial[free] = np.linalg.lstsq(matrix[:, free], target, rcond=None)[0]
            if trial[free].min() > 0:
                break
            below = free & (trial <= 0)
            step = float((found[below] / (found[below] - trial[below])).min())
            found = found + step * (trial - found)
            free &= found > 1e-12
            found[~free] = 0.0
        found = trial
    return found


def _matrix(terms: Sequence[Mapping[str, float]], names: Sequence[str]) -> Values:
    return np.array([[row.get(name, 0.0) for name in names] for row in terms])


def _relative(values: Values, goal: Values, toward: Values | None = None) -> Values:
    """Coefficients with the least sum of squared relative errors; with little data near others.

    A coefficient of `toward` counts by its share of the whole, so that what hardly matters is free.
    """
    matrix, target = values / goal[:, None], np.ones(len(goal))
    if toward is not None:
        held = math.sqrt(_HELD) * np.diag(matrix.mean(axis=0))
        matrix, target = np.vstack([matrix, held]), np.concatenate([target, held @ toward])
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12)
    found: Values = non_negative(matrix / scale, target) / scale
    return found


def _named(names: Sequence[str], found: Values) -> dict[str, float]:
    """Coefficients that matter, by name."""
    pairs = zip(names, found.tolist(), strict=True)
    least = _NOTHING * float(found.max())
    return {name: float(f"{value:.{_DIGITS}g}") for name, value in pairs if value > least}


def _longest(paths: Sequence[Values], period: Values, toward: Values | None = None) -> Values:
    """Coefficients of delays whose greatest is the period: shape (F,); held near `toward`.

    Turn by turn the longest path of every circuit is found, and then the coefficients for these
    paths. That ends where it began to turn in circles or in a poor place; so it begins from several
    places, and the best of all that it came through is taken.
    """
    rng = np.random.default_rng(_SEED)
    share = np.array([rows.mean(axis=0) for rows in paths]).mean(axis=0)
    even = period.mean() / np.maximum(share, 1e-3) / len(share)
    best: Values = even
    least = math.inf
    for _ in range(_STARTS):
        found = even * rng.uniform(0.2, 2.0, len(share)) if toward is None else toward
        for _ in range(_TURNS):
            chosen = np.array([rows[np.argmax(rows @ found)] for rows in paths])
            found = (found + _relative(chosen, period, toward)) / 2
            errors = np.array([(rows @ found).max() for rows in paths]) / period - 1
            if (errors**2).mean() < least:
                best, least = found, float((errors**2).mean())
    return best


def _cells(rows: Sequence[Measured], bills: Mapping[int, Bill]) -> dict[str, Any]:
    """Models of a family: for every form its own, near that of all forms together."""
    terms = [cell_terms(bills[id(one)], find_board(one.board)) for one in rows]
    names = sorted({name for row in terms for name in row})
    values, models = _matrix(terms, names), dict[str, Any]()
    for form in sorted({one.form for one in rows}):
        own = np.array([one.form == form for one in rows])
        models[form] = {"designs": int(own.sum())}
        for what, column in _WANTED.items():
            goal = np.array([float(one.row[column]) for one in rows])
            together = _relative(values, goal)
            models[form][what] = _named(names, _relative(values[own], goal[own], together))
    return models


def _clock(
    rows: Sequence[Measured], bills: Mapping[int, Bill], like: Mapping[str, float] | None
) -> dict[str, Any]:
    """Model of a device, and what designs of each form it has seen.

    `like` is the model of a device of the same family of which more is known: all its delays times
    a factor are what the model is held near.
    """
    found = [
        [terms for _, terms in clock_terms(bills[id(one)], find_board(one.board), one.row["cells"])]
        for one in rows
    ]
    names = sorted({name for paths in found for terms in paths for name in terms} | set(like or {}))
    paths = [_matrix(terms, names) for terms in found]
    period = np.array([1e3 / float(one.row["mhz"]) for one in rows])
    toward = None
    if like:
        known = np.array([like.get(name, 0.0) for name in names])
        toward = known * np.median(period / [(rows @ known).max() for rows in paths])
    delays = _longest(paths, period, toward)
    seen = {
        form: ranges_of(
            [traits_of(one.design, schedule(one.design)) for one in rows if one.form == form]
        )
        for form in sorted({one.form for one in rows})
    }
    return {"designs": len(rows), "ns": _named(names, delays), "ranges": seen}


def calibrate(measured: Sequence[Measured]) -> dict[str, Any]:
    """All models, with the ranges of what they were fitted to."""
    bills = {id(one): bill_of(one.design) for one in measured}
    families = sorted({one.device.family for one in measured})
    counts = Counter(one.device for one in measured)
    clocks: dict[str, Any] = {}
    for device, _ in counts.most_common():
        rows = [one for one in measured if one.device == device]
        others = [name for name in clocks if DEVICES[name].family == device.family]
        clocks[device.name] = _clock(rows, bills, clocks[others[0]]["ns"] if others else None)
    return {
        "cells": {
            family: _cells([one for one in measured if one.device.family == family], bills)
            for family in families
        },
        "clocks": clocks,
    }
