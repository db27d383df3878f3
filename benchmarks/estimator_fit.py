"""Fit the estimator's coefficients to place-and-route results, with numpy alone.

Cells, LUTs and flip-flops are sums of counts with coefficients of at least 0, found by least
squares of relative errors (the active-set method of Lawson and Hanson, "Solving Least Squares
Problems", 1974, chapter 23); the period likewise is a sum of lengths of paths. One model of cells
for each family of devices and form of the circuit, one of the period for each device and form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rchw.codesign.estimate import cell_terms, clock_terms
from rchw.codesign.traits import ranges_of, traits_of
from rchw.codesign.whole import bill_of
from rchw.design import Design
from rchw.devices import Device
from rchw.devices import board as find_board
from rchw.schedule import schedule

__all__ = ["Measured", "calibrate", "non_negative"]

Values = NDArray[np.float64]
_DIGITS = 6


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


def _fitted(terms: Sequence[Mapping[str, float]], target: Sequence[float]) -> dict[str, float]:
    """Coefficients by name, zeros left out, that make the sum of squared relative errors least."""
    names = sorted({name for row in terms for name in row})
    values = np.array([[row.get(name, 0.0) for name in names] for row in terms])
    goal = np.asarray(target, dtype=np.float64)
    scale = np.maximum(np.abs(values).max(axis=0), 1e-9)
    found = non_negative(values / scale / goal[:, None], np.ones(len(goal))) / scale
    pairs = zip(names, found.tolist(), strict=True)
    return {name: float(f"{value:.{_DIGITS}g}") for name, value in pairs if value}


def calibrate(measured: Sequence[Measured]) -> dict[str, Any]:
    """All models, with the ranges of what they were fitted to."""
    cells: dict[str, Any] = {}
    clocks: dict[str, Any] = {}
    bills = {id(one): bill_of(one.design) for one in measured}
    for key in sorted({f"{one.device.family} {one.form}" for one in measured}):
        rows = [one for one in measured if f"{one.device.family} {one.form}" == key]
        terms = [cell_terms(bills[id(one)], find_board(one.board)) for one in rows]
        wanted = {"cells": "cells", "luts": "lut", "flip_flops": "ff"}
        cells[key] = {
            what: _fitted(terms, [float(one.row[name]) for one in rows])
            for what, name in wanted.items()
        }
        cells[key]["designs"] = len(rows)
    for key in sorted({f"{one.device.name} {one.form}" for one in measured}):
        rows = [one for one in measured if f"{one.device.name} {one.form}" == key]
        terms = [clock_terms(bills[id(one)], float(one.row["cells"])) for one in rows]
        clocks[key] = {
            "device": rows[0].device.name,
            "ns": _fitted(terms, [1e3 / float(one.row["mhz"]) for one in rows]),
            "ranges": ranges_of([traits_of(one.design, schedule(one.design)) for one in rows]),
            "designs": len(rows),
        }
    return {"cells": cells, "clocks": clocks}
